"""Bits survive the way through bytes, and nothing is read or written beyond its bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.definition.bits import BitReader, BitWriter
from edge.definition.errors import DefinitionError

FIELDS = st.lists(st.integers(0, 40).flatmap(lambda width: st.tuples(st.integers(0, (1 << width) - 1), st.just(width))))


def test_most_significant_bit_first() -> None:
    writer = BitWriter()
    writer.write_uint(0b101, 3)
    writer.write_bool(value=True)
    writer.write_bytes(b"\x0f")
    assert writer.to_bytes() == bytes([0b10110000, 0b11110000])
    reader = BitReader(writer.to_bytes())
    assert (reader.read_uint(3), reader.read_bool(), reader.read_bytes(1), reader.remaining) == (0b101, True, b"\x0f", 4)
    reader.finish()


@given(FIELDS)
def test_round_trip(fields: list[tuple[int, int]]) -> None:
    writer = BitWriter()
    for value, width in fields:
        writer.write_uint(value, width)
    reader = BitReader(writer.to_bytes())
    assert [(reader.read_uint(width), width) for _, width in fields] == fields
    reader.finish()


@pytest.mark.parametrize(("value", "width"), [(2, 1), (-1, 8), (1, 0)])
def test_values_that_do_not_fit(value: int, width: int) -> None:
    with pytest.raises(DefinitionError, match=r"^valueOutOfRange: "):
        BitWriter().write_uint(value, width)


def test_ends() -> None:
    with pytest.raises(DefinitionError, match=r"^truncatedPayload: 9 bits wanted at bit 0, 8 left"):
        BitReader(b"\x00").read_uint(9)
    with pytest.raises(DefinitionError, match=r"^excessData: "):
        BitReader(b"\x00").finish()
    reader = BitReader(b"\x01")
    reader.read_uint(1)
    with pytest.raises(DefinitionError, match=r"^nonZeroPadding: "):
        reader.finish()
