"""Fields that the QR codes of hand-marked and of machine-marked ballots share.

Field widths were taken from the publisher's golden payloads where its document and its program disagree.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, TypeVar

from edge.definition.election import BALLOT_HASH_BYTES, Election
from edge.definition.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.definition.bits import BitReader, BitWriter

MAX_PAGE_NUMBER = 30
PAGE_NUMBER_BITS = 5
BALLOT_TYPE_BITS = 4
COUNT_BITS = 8
"""Each of the three counts of version 3: precincts, ballot styles, contests."""

IndexWidths = tuple[int, int] | None
"""Bits of the precinct and of the style index; None = version 3, where the election's counts come first and decide them."""

Payload = TypeVar("Payload")


class BallotType(IntEnum):
    """How the ballot reached the voter; the number stands in the QR code."""

    PRECINCT = 0
    ABSENTEE = 1
    PROVISIONAL = 2


def dyn_bits(maximum: int) -> int:
    """Bits that hold 0..`maximum`; at least one."""
    return max(1, maximum.bit_length())


def consistent_one(*attempts: Callable[[], Payload]) -> Payload:
    """Decode a payload whose prelude has had several meanings by the meaning that holds.

    For today's versions at most one can hold. The first body byte after the hash is the number of precincts in version 3, and the
    precinct index divided by 32 in version 4.0; an index below the count cannot be 32 times the count. Nothing in the format
    promises this for versions to come, so two meanings are refused and not ranked.

    Args:
        attempts: decoders, newest first.

    Raises:
        DefinitionError: the first attempt's error if all fail, `ambiguousPayload` if several succeed.
    """
    payloads: list[Payload] = []
    errors: list[DefinitionError] = []
    for attempt in attempts:
        try:
            payloads.append(attempt())
        except DefinitionError as error:
            errors.append(error)
    if not payloads:
        raise errors[0]
    if len(payloads) > 1:
        raise DefinitionError("ambiguousPayload", f"the payload can be read in {len(payloads)} versions")
    return payloads[0]


def write_hash(writer: BitWriter, ballot_hash: bytes) -> None:
    """Append the ballot hash.

    Raises:
        DefinitionError: `invalidBallotHash` if it is not 10 bytes.
    """
    if len(ballot_hash) != BALLOT_HASH_BYTES:
        raise DefinitionError("invalidBallotHash", f"{len(ballot_hash)} bytes instead of {BALLOT_HASH_BYTES}")
    writer.write_bytes(ballot_hash)


def read_hash(reader: BitReader, election: Election) -> bytes:
    """Take the ballot hash, which must be the election's.

    Raises:
        DefinitionError: `invalidBallotHash`, `truncatedPayload`.
    """
    found = reader.read_bytes(BALLOT_HASH_BYTES)
    if found != election.ballot_hash:
        raise DefinitionError("invalidBallotHash", f"expected {election.ballot_hash.hex()}, actual {found.hex()}")
    return found


def write_indices(writer: BitWriter, widths: IndexWidths, precinct_index: int, style_index: int, election: Election) -> None:
    """Append precinct and ballot style index.

    Raises:
        DefinitionError: `invalidIndex` if the election has no such precinct or style, or is too large for the version.
    """
    _check_indices(precinct_index, style_index, election)
    if widths is None:
        for count in _counts(election):
            if count >= 1 << COUNT_BITS:
                raise DefinitionError("invalidIndex", f"version 3 cannot count to {count}")
            writer.write_uint(count, COUNT_BITS)
    precinct_bits, style_bits = widths or _dynamic_widths(election)
    writer.write_uint(precinct_index, precinct_bits)
    writer.write_uint(style_index, style_bits)


def read_indices(reader: BitReader, widths: IndexWidths, election: Election) -> tuple[int, int]:
    """Take precinct and ballot style index, in version 3 with the counts before them.

    Raises:
        DefinitionError: `invalidIndex` if a count differs from the election's or an index is out of range; `truncatedPayload`.
    """
    if widths is None:
        counts = tuple(reader.read_uint(COUNT_BITS) for _ in range(3))
        if counts != _counts(election):
            raise DefinitionError("invalidIndex", f"expected the counts {_counts(election)}, actual {counts}")
    precinct_bits, style_bits = widths or _dynamic_widths(election)
    precinct_index, style_index = reader.read_uint(precinct_bits), reader.read_uint(style_bits)
    _check_indices(precinct_index, style_index, election)
    return precinct_index, style_index


def _counts(election: Election) -> tuple[int, int, int]:
    return len(election.precincts), len(election.ballot_styles), len(election.contests)


def _dynamic_widths(election: Election) -> tuple[int, int]:
    return dyn_bits(len(election.precincts) - 1), dyn_bits(len(election.ballot_styles) - 1)


def _check_indices(precinct_index: int, style_index: int, election: Election) -> None:
    if not 0 <= precinct_index < len(election.precincts):
        raise DefinitionError("invalidIndex", f"precinct {precinct_index} of {len(election.precincts)}")
    if not 0 <= style_index < len(election.ballot_styles):
        raise DefinitionError("invalidIndex", f"ballot style {style_index} of {len(election.ballot_styles)}")


def check_page(page_number: int, total_pages: int = MAX_PAGE_NUMBER) -> None:
    """Check 1 <= `page_number` <= `total_pages` <= 30.

    Raises:
        DefinitionError: `invalidPageNumber`.
    """
    if not 1 <= page_number <= total_pages <= MAX_PAGE_NUMBER:
        raise DefinitionError("invalidPageNumber", f"page {page_number} of {total_pages}")


def write_mode(writer: BitWriter, test_mode: bool, ballot_type: BallotType) -> None:
    """Append the test-mode flag and the ballot type."""
    writer.write_bool(test_mode)
    writer.write_uint(ballot_type, BALLOT_TYPE_BITS)


def read_mode(reader: BitReader) -> tuple[bool, BallotType]:
    """Take the test-mode flag and the ballot type.

    Raises:
        DefinitionError: `invalidBallotType`, `truncatedPayload`.
    """
    test_mode, number = reader.read_bool(), reader.read_uint(BALLOT_TYPE_BITS)
    try:
        return test_mode, BallotType(number)
    except ValueError:
        raise DefinitionError("invalidBallotType", f"{number} is not in 0..2") from None


def write_audit_id(writer: BitWriter, audit_id: str | None, *, flagged: bool) -> None:
    """Append the audit id: a flag that it is there (where `flagged`), its length in bytes, its UTF-8.

    Raises:
        DefinitionError: `invalidAuditId` if it is not 1..255 bytes of UTF-8, or missing where it is not optional.
    """
    if flagged:
        writer.write_bool(audit_id is not None)
    if audit_id is None:
        if not flagged:
            raise DefinitionError("invalidAuditId", "this version always carries one")
        return
    try:
        encoded = audit_id.encode("utf-8")
    except UnicodeEncodeError as error:
        raise DefinitionError("invalidAuditId", "not UTF-8") from error
    if not 1 <= len(encoded) <= 255:
        raise DefinitionError("invalidAuditId", f"{len(encoded)} bytes instead of 1..255")
    writer.write_uint(len(encoded), 8)
    writer.write_bytes(encoded)


def read_audit_id(reader: BitReader, *, flagged: bool) -> str | None:
    """Take the audit id as `write_audit_id` writes it; None if the flag says that there is none.

    Raises:
        DefinitionError: `invalidAuditId` if it is empty or not UTF-8; `truncatedPayload`.
    """
    if flagged and not reader.read_bool():
        return None
    encoded = reader.read_bytes(reader.read_uint(8))
    if not encoded:
        raise DefinitionError("invalidAuditId", "empty")
    try:
        return encoded.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DefinitionError("invalidAuditId", f"not UTF-8: {encoded.hex()}") from error
