"""The AccuVote bottom row: the real cards, every refusal by name, and no code that both sides could have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.definition.bottom_row import (
    BackCode,
    FrontCode,
    decode_back,
    decode_bottom_row,
    decode_front,
    encode_back,
    encode_front,
)
from edge.definition.errors import DefinitionError

FRONTS = st.builds(FrontCode, st.integers(0, 8191), st.integers(0, 8191))
BACKS = st.builds(
    BackCode,
    st.integers(1, 31),
    st.integers(1, 12),
    st.integers(0, 99),
    st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
)
CODES = st.integers(0, (1 << 32) - 1)


@pytest.mark.parametrize(
    ("code", "checksum", "marks"),
    [(FrontCode(56, 3), 2, 9), (FrontCode(53, 54), 1, 12)],
)
def test_real_fronts(code: FrontCode, checksum: int, marks: int) -> None:
    """The NH test ballot and Hudson; `marks` counts the two end marks as well."""
    bits = encode_front(code)
    assert bits & 0b11 == checksum
    assert bits.bit_count() + 2 == marks
    assert decode_bottom_row(bits) == code
    assert code.ballot_style_id == f"card-number-{code.card}"


@pytest.mark.parametrize(
    ("code", "marks"),
    [(BackCode(12, 7, 22, "G"), 20), (BackCode(3, 11, 20, "G"), 19)],
)
def test_real_backs(code: BackCode, marks: int) -> None:
    bits = encode_back(code)
    assert bits.bit_count() + 2 == marks
    assert decode_bottom_row(bits) == code


@given(FRONTS)
def test_fronts_round_trip(code: FrontCode) -> None:
    assert decode_bottom_row(encode_front(code)) == code


@given(BACKS)
def test_backs_round_trip(code: BackCode) -> None:
    assert decode_bottom_row(encode_back(code)) == code


@pytest.mark.parametrize(
    ("bits", "reason"),
    [
        (0, "invalidStartBit"),
        (1 << 31, "invalidChecksum"),
        (1 << 31 | 1 << 28 | 0b10, "valueOutOfRange"),
        (-1, "valueOutOfRange"),
        (1 << 32, "valueOutOfRange"),
    ],
)
def test_what_is_neither_gets_the_fronts_error(bits: int, reason: str) -> None:
    with pytest.raises(DefinitionError, match=f"^{reason}: "):
        decode_bottom_row(bits)


@pytest.mark.parametrize(
    ("bits", "reason"),
    [
        (encode_back(BackCode(1, 1, 0, "A")) ^ 1 << 25, "invalidEnderCode"),
        (encode_back(BackCode(1, 1, 0, "A")) & ~0b11111, "valueOutOfRange"),
        (encode_back(BackCode(1, 12, 0, "A")) | 1 << 5, "valueOutOfRange"),
        (encode_back(BackCode(1, 1, 0, "A")) | 127 << 9, "valueOutOfRange"),
        (encode_back(BackCode(1, 1, 0, "A")) | 31 << 16, "valueOutOfRange"),
    ],
)
def test_backs_that_are_refused(bits: int, reason: str) -> None:
    with pytest.raises(DefinitionError, match=f"^{reason}: "):
        decode_back(bits)


@pytest.mark.parametrize(
    "code",
    [FrontCode(8192, 0), FrontCode(0, -1), BackCode(0, 1, 0, "A"), BackCode(1, 13, 0, "A"), BackCode(1, 1, 0, "AB")],
)
def test_codes_that_cannot_be_written(code: FrontCode | BackCode) -> None:
    with pytest.raises(DefinitionError, match=r"^valueOutOfRange: "):
        encode_front(code) if isinstance(code, FrontCode) else encode_back(code)


@given(CODES)
def test_any_code_is_refused_or_written_back_alike(bits: int) -> None:
    try:
        code = decode_bottom_row(bits)
    except DefinitionError:
        return
    assert (encode_front(code) if isinstance(code, FrontCode) else encode_back(code)) == bits


@given(BACKS)
def test_no_code_is_a_front_and_a_back(code: BackCode) -> None:
    with pytest.raises(DefinitionError, match=r"^invalidStartBit: "):
        decode_front(encode_back(code))


@given(FRONTS | BACKS, st.integers(0, 31))
def test_a_single_wrong_bit_changes_the_reading(code: FrontCode | BackCode, place: int) -> None:
    bits = encode_front(code) if isinstance(code, FrontCode) else encode_back(code)
    try:
        assert decode_bottom_row(bits ^ 1 << place) != code
    except DefinitionError as error:
        assert error.code in {"invalidStartBit", "invalidChecksum", "valueOutOfRange"}  # noqa: PT017 - either outcome is right
