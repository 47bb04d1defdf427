"""The QR code of a machine-marked summary ballot: the page's identity and the votes themselves.

Four versions are in the field. Versions 3 and 4.0 share the prelude `VX 2`; the multi-page version of spring 2026 has `VB 1`,
which hand-marked ballots use today (see `bubble_payload` for why the two cannot be confused); the newest has `VS 1`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING

from edge.definition.bits import BitReader, BitWriter
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
from edge.definition.summary_votes import read_votes, write_votes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.definition.election import Election

VX2 = b"VX\x02"
VB1 = b"VB\x01"
VS1 = b"VS\x01"


class SummaryVersion(Enum):
    """A published version of the payload."""

    VX2_V3 = "VX2-v3"
    VX2_V4_0 = "VX2-v4.0"
    VB1_MULTIPAGE = "VB1-multipage"
    VS1 = "VS1"

    @property
    def prelude(self) -> bytes:
        """The three bytes it begins with."""
        return _PRELUDES[self]

    @property
    def multipage(self) -> bool:
        """Whether it names its page and its contests, and always carries an audit id."""
        return self in {SummaryVersion.VB1_MULTIPAGE, SummaryVersion.VS1}


_PRELUDES = {
    SummaryVersion.VX2_V4_0: VX2,
    SummaryVersion.VX2_V3: VX2,
    SummaryVersion.VB1_MULTIPAGE: VB1,
    SummaryVersion.VS1: VS1,
}
"""Newest first where a prelude is shared."""
_FIXED_WIDTHS = {SummaryVersion.VX2_V4_0: (13, 13), SummaryVersion.VB1_MULTIPAGE: (13, 13), SummaryVersion.VS1: (13, 16)}
"""Bits of the precinct and of the ballot style index; version 3 takes them from the election's counts."""


@dataclass(frozen=True, slots=True)
class SummaryPayload:
    """What a summary page says: who it is and what the voter chose.

    Attributes:
        version: the form it was or shall be written in.
        ballot_hash: 10 bytes.
        precinct_index: place in `Election.precincts`.
        style_index: place in `Election.ballot_styles`.
        page_number: 1..`total_pages`; 1 in the single-page versions.
        total_pages: 1..30; 1 in the single-page versions.
        test_mode: a ballot for testing, never to be counted.
        ballot_type: how it reached the voter.
        audit_id: 1..255 bytes of UTF-8; never None in the multi-page versions.
        votes: option ids in election order for every contest on the page, possibly none.
        write_ins: names, for the contests that have any.
        contests_on_page: contest ids in election order.
    """

    version: SummaryVersion
    ballot_hash: bytes
    precinct_index: int
    style_index: int
    page_number: int
    total_pages: int
    test_mode: bool
    ballot_type: BallotType
    audit_id: str | None
    votes: Mapping[str, tuple[str, ...]] = field(hash=False)
    write_ins: Mapping[str, tuple[str, ...]] = field(hash=False)
    contests_on_page: tuple[str, ...]


def encode_summary_payload(payload: SummaryPayload, election: Election) -> bytes:
    """Write a payload for printing; the hash is printed as given.

    Raises:
        DefinitionError: `invalidBallotHash` (length), `invalidIndex`, `invalidPageNumber`, `invalidAuditId`, `invalidContests` if
            the page's contests are not those of the style in its order, `invalidVotes`, `invalidWriteIn`, `unsupportedContest`.
    """
    version = payload.version
    check_page(payload.page_number, payload.total_pages)
    writer = BitWriter()
    writer.write_bytes(version.prelude)
    write_hash(writer, payload.ballot_hash)
    write_indices(writer, _FIXED_WIDTHS.get(version), payload.precinct_index, payload.style_index, election)
    if version.multipage:
        writer.write_uint(payload.page_number, PAGE_NUMBER_BITS)
        writer.write_uint(payload.total_pages, PAGE_NUMBER_BITS)
    elif payload.total_pages != 1:
        raise DefinitionError("invalidPageNumber", f"{version.value} has a single page")
    write_mode(writer, payload.test_mode, payload.ballot_type)
    write_audit_id(writer, payload.audit_id, flagged=not version.multipage)
    contests = election.contests_of(election.ballot_styles[payload.style_index])
    on_page = [contest for contest in contests if contest.id in payload.contests_on_page]
    if tuple(contest.id for contest in on_page) != payload.contests_on_page or not (
        version.multipage or len(on_page) == len(contests)
    ):
        raise DefinitionError("invalidContests", "the page's contests are not the ballot style's, in its order")
    if version.multipage:
        for contest in contests:
            writer.write_bool(contest.id in payload.contests_on_page)
    write_votes(writer, on_page, payload.votes, payload.write_ins)
    return writer.to_bytes()


def decode_summary_payload(data: bytes, election: Election) -> SummaryPayload:
    """Read a payload strictly against the election it must belong to.

    Args:
        data: the payload bytes, prelude included; see `qr_text` for how they come out of a barcode.
        election: decides the hash, the index ranges, the contests, and for `VX 2` which of the two bodies is meant.

    Raises:
        DefinitionError: `invalidPrelude`, then `invalidBallotHash` before anything is looked up, then `truncatedPayload`,
            `invalidIndex`, `invalidPageNumber`, `invalidBallotType`, `invalidAuditId`, `unsupportedContest`, `invalidVotes`,
            `invalidWriteIn`, `excessData`, `nonZeroPadding` or `ambiguousPayload`. If no version fits, the newest version's error
            is given.
    """
    versions = [version for version, prelude in _PRELUDES.items() if data.startswith(prelude)]
    if not versions:
        raise DefinitionError("invalidPrelude", f"no summary ballot begins with {data[:3].hex() or 'nothing'}")
    return consistent_one(*(partial(_decode, data, version, election) for version in versions))


def _decode(data: bytes, version: SummaryVersion, election: Election) -> SummaryPayload:
    reader = BitReader(data[len(version.prelude) :])
    ballot_hash = read_hash(reader, election)
    precinct_index, style_index = read_indices(reader, _FIXED_WIDTHS.get(version), election)
    page_number, total_pages = 1, 1
    if version.multipage:
        page_number, total_pages = reader.read_uint(PAGE_NUMBER_BITS), reader.read_uint(PAGE_NUMBER_BITS)
    check_page(page_number, total_pages)
    test_mode, ballot_type = read_mode(reader)
    audit_id = read_audit_id(reader, flagged=not version.multipage)
    contests = election.contests_of(election.ballot_styles[style_index])
    if version.multipage:
        contests = tuple(contest for contest in contests if reader.read_bool())
    votes, write_ins = read_votes(reader, contests)
    reader.finish()
    return SummaryPayload(
        version=version,
        ballot_hash=ballot_hash,
        precinct_index=precinct_index,
        style_index=style_index,
        page_number=page_number,
        total_pages=total_pages,
        test_mode=test_mode,
        ballot_type=ballot_type,
        audit_id=audit_id,
        votes=votes,
        write_ins=write_ins,
        contests_on_page=tuple(contest.id for contest in contests),
    )
