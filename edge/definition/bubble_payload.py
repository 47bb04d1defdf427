"""The QR code of a hand-marked ballot page: which election, precinct, ballot style and page it is.

Three versions are in the field. Versions 3 and 4.0 share the prelude `VP 2` and differ in the body; the newest has `VB 1`. That
prelude once meant a multi-page summary ballot, but no payload passes the strict checks of both: an 18-byte bubble payload is too
short for a summary, and a longer one has its audit id end where a summary's has only begun.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING

from edge.definition.bits import BitReader, BitWriter
from edge.definition.election import BALLOT_HASH_BYTES
from edge.definition.errors import DefinitionError
from edge.definition.payload_fields import (
    PAGE_NUMBER_BITS,
    BallotType,
    check_page,
    consistent_one,
    read_audit_id,
    read_hash,
    read_indices,
    read_mode,
    write_audit_id,
    write_hash,
    write_indices,
    write_mode,
)

if TYPE_CHECKING:
    from edge.definition.election import Election

VP2 = b"VP\x02"
VB1 = b"VB\x01"


class BubbleVersion(Enum):
    """A published version of the payload."""

    V3 = "VP2-v3"
    V4_0 = "VP2-v4.0"
    VB1 = "VB1"

    @property
    def prelude(self) -> bytes:
        """The three bytes it begins with."""
        return VB1 if self is BubbleVersion.VB1 else VP2


_FIXED_WIDTHS = {BubbleVersion.V4_0: (13, 13), BubbleVersion.VB1: (13, 16)}
"""Bits of the precinct and of the ballot style index; version 3 takes them from the election's counts."""


@dataclass(frozen=True, slots=True)
class BubblePayload:
    """What the page says about itself.

    Attributes:
        version: the form it was or shall be written in.
        ballot_hash: 10 bytes.
        precinct_index: place in `Election.precincts`.
        style_index: place in `Election.ballot_styles`.
        page_number: 1..30; odd = front.
        test_mode: a ballot for testing, never to be counted.
        ballot_type: how it reached the voter.
        audit_id: 1..255 bytes of UTF-8, if the ballot carries one.
    """

    version: BubbleVersion
    ballot_hash: bytes
    precinct_index: int
    style_index: int
    page_number: int
    test_mode: bool
    ballot_type: BallotType
    audit_id: str | None


def encode_bubble_payload(payload: BubblePayload, election: Election) -> bytes:
    """Write a payload for printing; the hash is printed as given.

    Raises:
        DefinitionError: `invalidBallotHash` (length), `invalidIndex`, `invalidPageNumber`, `invalidAuditId`.
    """
    check_page(payload.page_number)
    writer = BitWriter()
    writer.write_bytes(payload.version.prelude)
    write_hash(writer, payload.ballot_hash)
    write_indices(writer, _FIXED_WIDTHS.get(payload.version), payload.precinct_index, payload.style_index, election)
    writer.write_uint(payload.page_number, PAGE_NUMBER_BITS)
    write_mode(writer, payload.test_mode, payload.ballot_type)
    write_audit_id(writer, payload.audit_id, flagged=True)
    return writer.to_bytes()


def decode_bubble_payload(data: bytes, election: Election) -> BubblePayload:
    """Read a payload strictly against the election it must belong to.

    Args:
        data: the payload bytes, prelude included; see `qr_text` for how they come out of a barcode.
        election: decides the hash, the index ranges, and for `VP 2` which of the two bodies is meant.

    Raises:
        DefinitionError: `invalidPrelude`, then `invalidBallotHash` before anything is looked up, then `truncatedPayload`,
            `invalidIndex`, `invalidPageNumber`, `invalidBallotType`, `invalidAuditId`, `excessData`, `nonZeroPadding` or
            `ambiguousPayload`. If no version fits, the newest version's error is given.
    """
    return consistent_one(*(partial(_decode, data, version, election) for version in _versions(data)))


def peek_bubble_payload(data: bytes) -> BubblePayload:
    """Read a payload without its election, for tools: `VP 2` as version 4.0, hash and index ranges unchecked.

    Raises:
        DefinitionError: as `decode_bubble_payload`, less what needs the election.
    """
    version = _versions(data)[0]
    reader = BitReader(data[len(version.prelude) :])
    ballot_hash = reader.read_bytes(BALLOT_HASH_BYTES)
    precinct_bits, style_bits = _FIXED_WIDTHS[version]
    precinct_index, style_index = reader.read_uint(precinct_bits), reader.read_uint(style_bits)
    return _read_rest(reader, version, ballot_hash, precinct_index, style_index)


def _versions(data: bytes) -> tuple[BubbleVersion, ...]:
    """Versions that begin like `data`, newest first."""
    if data.startswith(VB1):
        return (BubbleVersion.VB1,)
    if data.startswith(VP2):
        return (BubbleVersion.V4_0, BubbleVersion.V3)
    raise DefinitionError("invalidPrelude", f"no hand-marked ballot begins with {data[:3].hex() or 'nothing'}")


def _decode(data: bytes, version: BubbleVersion, election: Election) -> BubblePayload:
    reader = BitReader(data[len(version.prelude) :])
    ballot_hash = read_hash(reader, election)
    precinct_index, style_index = read_indices(reader, _FIXED_WIDTHS.get(version), election)
    return _read_rest(reader, version, ballot_hash, precinct_index, style_index)


def _read_rest(
    reader: BitReader,
    version: BubbleVersion,
    ballot_hash: bytes,
    precinct_index: int,
    style_index: int,
) -> BubblePayload:
    page_number = reader.read_uint(PAGE_NUMBER_BITS)
    check_page(page_number)
    test_mode, ballot_type = read_mode(reader)
    audit_id = read_audit_id(reader, flagged=True)
    reader.finish()
    return BubblePayload(version, ballot_hash, precinct_index, style_index, page_number, test_mode, ballot_type, audit_id)
