"""Contents behave like bytes, share what is equal, and differ in their digest when they differ."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.cuts.contents import BLOCK, EMPTY, Contents

_FAR = BLOCK * 64
_OFFSETS = st.one_of(
    st.integers(0, 3 * BLOCK),
    st.sampled_from([BLOCK - 1, BLOCK, BLOCK + 1, _FAR - 1, _FAR, _FAR + 1, 2 * _FAR]),
)
_DATA = st.one_of(
    st.binary(max_size=40),
    st.builds(lambda byte, length: bytes([byte]) * length, st.integers(0, 2), st.integers(0, 3 * BLOCK)),
)
_CHANGES = st.lists(st.one_of(st.tuples(_OFFSETS, _DATA), _OFFSETS), max_size=12)


def _changed(contents: Contents, change: tuple[int, bytes] | int) -> Contents:
    return contents.resized(change) if isinstance(change, int) else contents.written(*change)


def _changed_bytes(before: bytes, change: tuple[int, bytes] | int) -> bytes:
    if isinstance(change, int):
        return before[:change].ljust(change, b"\0")
    offset, data = change
    if not data:
        return before
    return before[:offset].ljust(offset, b"\0") + data + before[offset + len(data) :]


@given(_CHANGES)
def test_changes_give_what_they_give_to_bytes(changes: list[tuple[int, bytes] | int]) -> None:
    contents, expected = EMPTY, b""
    for change in changes:
        contents, expected = _changed(contents, change), _changed_bytes(expected, change)
        assert (contents.size, bytes(contents)) == (len(expected), expected)
        assert contents == Contents.of(expected)


@given(_CHANGES, _CHANGES)
def test_differences_lead_from_one_to_the_other(
    first: list[tuple[int, bytes] | int], second: list[tuple[int, bytes] | int]
) -> None:
    one = other = EMPTY
    for change in first:
        one = _changed(one, change)
    for change in second:
        other = _changed(other, change)
    became = one
    for offset, blocks in one.differences(other):
        became = became.written(offset, b"".join(blocks))
    assert became.resized(other.size) == other
    assert (one == other) is (bytes(one) == bytes(other))


@given(_CHANGES, st.booleans())
def test_pieces_are_everything(changes: list[tuple[int, bytes] | int], with_holes: bool) -> None:
    contents = EMPTY
    for change in changes:
        contents = _changed(contents, change)
    again = EMPTY
    for offset, blocks in contents.pieces(with_holes=with_holes):
        again = again.written(offset, b"".join(blocks))
    assert again.resized(contents.size) == contents


def test_the_same_bytes_elsewhere_are_other_contents() -> None:
    block = b"a" * BLOCK
    assert Contents.of(block + bytes(BLOCK)) != Contents.of(bytes(BLOCK) + block)
    assert Contents.of(block) != Contents.of(block + b"\0")
    assert len({Contents.of(block), Contents.of(block), EMPTY}) == 2


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, _FAR, 5 * _FAR])
def test_what_was_cut_off_does_not_come_back(size: int) -> None:
    contents = Contents.of(b"x" * (2 * _FAR))
    assert bytes(contents.resized(size).resized(2 * _FAR)) == (b"x" * size)[: 2 * _FAR].ljust(2 * _FAR, b"\0")
