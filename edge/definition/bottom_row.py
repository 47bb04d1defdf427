"""The 32-bit code in the bottom row of timing marks on New Hampshire's AccuVote ballots.

The row has 34 places, the two end marks being always present; the 32 inner places are bits, a mark standing for 1. Bit 0 is the
rightmost inner place, and fields are little-endian. A front and a back cannot be confused: bit 31 is the front's start bit and
always 1, and the last bit of the back's ender code and always 0.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.definition.errors import DefinitionError

CODE_BITS = 32
ENDER_CODE = 0b01111011110
"""Bits 21..31 of a back; a palindrome."""

_START_BIT = 1 << 31
_ENDER_SHIFT = 21


@dataclass(frozen=True, slots=True)
class FrontCode:
    """The front of a card.

    Attributes:
        batch_or_precinct: 0..8191.
        card: 0..8191; names the ballot style.
    """

    batch_or_precinct: int
    card: int

    @property
    def ballot_style_id(self) -> str:
        """The ballot style's id in election definitions for these ballots."""
        return f"card-number-{self.card}"


@dataclass(frozen=True, slots=True)
class BackCode:
    """The back of a card.

    Attributes:
        day: 1..31.
        month: 1..12.
        year: the last two digits, 0..99.
        election_type: a letter, G for a general election.
    """

    day: int
    month: int
    year: int
    election_type: str


def decode_bottom_row(bits: int) -> FrontCode | BackCode:
    """Read the code of either side.

    Args:
        bits: 0..2**32-1, bit 0 being the rightmost inner place of the upright page.

    Raises:
        DefinitionError: `valueOutOfRange` if `bits` is no 32-bit number; otherwise, if it is the code of neither side, the error
            of `decode_front`.
    """
    try:
        return decode_front(bits)
    except DefinitionError as front_error:
        try:
            return decode_back(bits)
        except DefinitionError:
            raise front_error from None


def decode_front(bits: int) -> FrontCode:
    """Read the code of a front.

    Raises:
        DefinitionError: `invalidStartBit`, `invalidChecksum`, or `valueOutOfRange` for a sequence other than 0.
    """
    _check_width(bits)
    if not bits & _START_BIT:
        raise DefinitionError("invalidStartBit", "bit 31 is not set")
    if bits & 0b11 != _checksum(bits):
        raise DefinitionError("invalidChecksum", f"expected {_checksum(bits)}, actual {bits & 0b11}")
    sequence = _field(bits, 28, 3)
    if sequence != 0:
        raise DefinitionError("valueOutOfRange", f"sequence {sequence} instead of 0")
    return FrontCode(batch_or_precinct=_field(bits, 2, 13), card=_field(bits, 15, 13))


def decode_back(bits: int) -> BackCode:
    """Read the code of a back.

    Raises:
        DefinitionError: `invalidEnderCode`, or `valueOutOfRange` for a day, month, year or election type that does not exist.
    """
    _check_width(bits)
    ender = bits >> _ENDER_SHIFT
    if ender != ENDER_CODE:
        raise DefinitionError("invalidEnderCode", f"expected {ENDER_CODE:011b}, actual {ender:011b}")
    code = BackCode(
        day=_field(bits, 0, 5),
        month=_field(bits, 5, 4),
        year=_field(bits, 9, 7),
        election_type=chr(ord("A") + _field(bits, 16, 5)),
    )
    _check_back(code)
    return code


def encode_front(code: FrontCode) -> int:
    """Give the 32 bits of a front.

    Raises:
        DefinitionError: `valueOutOfRange`.
    """
    for name, value in (("batch or precinct", code.batch_or_precinct), ("card", code.card)):
        if not 0 <= value < 1 << 13:
            raise DefinitionError("valueOutOfRange", f"{name} {value} does not fit into 13 bits")
    bits = _START_BIT | code.card << 15 | code.batch_or_precinct << 2
    return bits | _checksum(bits)


def encode_back(code: BackCode) -> int:
    """Give the 32 bits of a back.

    Raises:
        DefinitionError: `valueOutOfRange`.
    """
    _check_back(code)
    kind = ord(code.election_type) - ord("A")
    return ENDER_CODE << _ENDER_SHIFT | kind << 16 | code.year << 9 | code.month << 5 | code.day


def _check_width(bits: int) -> None:
    if not 0 <= bits < 1 << CODE_BITS:
        raise DefinitionError("valueOutOfRange", f"{bits} is not a number of {CODE_BITS} bits")


def _checksum(bits: int) -> int:
    return (bits >> 2).bit_count() % 4


def _field(bits: int, first: int, width: int) -> int:
    return bits >> first & ((1 << width) - 1)


def _check_back(code: BackCode) -> None:
    if not (1 <= code.day <= 31 and 1 <= code.month <= 12 and 0 <= code.year <= 99):
        raise DefinitionError("valueOutOfRange", f"no such date: day {code.day}, month {code.month}, year {code.year}")
    if len(code.election_type) != 1 or not "A" <= code.election_type <= "Z":
        raise DefinitionError("valueOutOfRange", f"no such election type: {code.election_type!a}")
