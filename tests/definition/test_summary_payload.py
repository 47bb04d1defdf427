"""Machine-marked ballot codes: the published vector, a real older body, round trips, refusals by name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.definition.bits import BitWriter
from edge.definition.bubble_payload import decode_bubble_payload
from edge.definition.election import load_election
from edge.definition.errors import DefinitionError
from edge.definition.payload_fields import BallotType
from edge.definition.qr_text import payload_from_barcode
from edge.definition.summary_payload import (
    SummaryPayload,
    SummaryVersion,
    decode_summary_payload,
    encode_summary_payload,
)
from edge.definition.summary_votes import WRITE_IN_CHARACTERS
from tests.definition import town

if TYPE_CHECKING:
    from pathlib import Path

    from edge.definition.election import Contest

ELECTION = town.vector_election()
VECTOR = "565301001122334455667788990018001042003622d37f847035ba5908"
ANN_LEE = SummaryPayload(
    version=SummaryVersion.VS1,
    ballot_hash=town.VECTOR_HASH,
    precinct_index=3,
    style_index=2,
    page_number=1,
    total_pages=1,
    test_mode=False,
    ballot_type=BallotType.PRECINCT,
    audit_id="b-7",
    votes={"a": (), "b": ("b-n",), "c": ()},
    write_ins={"a": ("ANN LEE",)},
    contests_on_page=("a", "b", "c"),
)
BOARD = replace(
    ANN_LEE,
    version=SummaryVersion.VX2_V4_0,
    style_index=1,
    votes={"dog": ("ada",), "park": (), "board": ("b1", "b4")},
    write_ins={"board": ('O\'HARA-X, "J."',)},
    contests_on_page=("dog", "park", "board"),
)
NAMES = st.text(WRITE_IN_CHARACTERS, min_size=1, max_size=40)


@st.composite
def choices(draw: st.DrawFn, contest: Contest) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Options and write-in names that the contest allows."""
    options = [option.id for option in contest.options]
    count = draw(st.integers(0, min(contest.seats, len(options))))
    chosen = set(draw(st.permutations(options))[:count])
    names = draw(st.lists(NAMES, max_size=contest.seats - count)) if contest.allow_write_ins else []
    return tuple(option for option in options if option in chosen), tuple(names)


@st.composite
def payloads(draw: st.DrawFn) -> SummaryPayload:
    version = draw(st.sampled_from(SummaryVersion))
    style_index = draw(st.sampled_from([0, 1, 2, 3]))
    contests = ELECTION.contests_of(ELECTION.ballot_styles[style_index])
    if version.multipage:
        contests = tuple(contest for contest in contests if draw(st.booleans()))
    total_pages = draw(st.integers(1, 30)) if version.multipage else 1
    made = {contest.id: draw(choices(contest)) for contest in contests}
    audit_ids = st.text(st.characters(codec="utf-8"), min_size=1, max_size=60)
    return SummaryPayload(
        version=version,
        ballot_hash=town.VECTOR_HASH,
        precinct_index=draw(st.integers(0, 4)),
        style_index=style_index,
        page_number=draw(st.integers(1, total_pages)),
        total_pages=total_pages,
        test_mode=draw(st.booleans()),
        ballot_type=draw(st.sampled_from(BallotType)),
        audit_id=draw(audit_ids if version.multipage else st.none() | audit_ids),
        votes={contest_id: chosen for contest_id, (chosen, _) in made.items()},
        write_ins={contest_id: names for contest_id, (_, names) in made.items() if names},
        contests_on_page=tuple(made),
    )


def test_vector() -> None:
    data = bytes.fromhex(VECTOR)
    assert encode_summary_payload(ANN_LEE, ELECTION) == data
    assert decode_summary_payload(data, ELECTION) == ANN_LEE


@given(payloads())
def test_round_trip(payload: SummaryPayload) -> None:
    data = encode_summary_payload(payload, ELECTION)
    assert decode_summary_payload(data, ELECTION) == payload
    with pytest.raises(DefinitionError):
        decode_bubble_payload(data, ELECTION)


@given(payloads(), st.data())
def test_a_single_wrong_bit_changes_the_reading(payload: SummaryPayload, data: st.DataObject) -> None:
    good = encode_summary_payload(payload, ELECTION)
    bit = data.draw(st.integers(0, 8 * len(good) - 1))
    bad = (int.from_bytes(good) ^ 1 << bit).to_bytes(len(good))
    try:
        assert decode_summary_payload(bad, ELECTION) != payload
    except DefinitionError as error:
        assert error.code != "ambiguousPayload"  # noqa: PT017 - either outcome is right


PRELUDES = st.sampled_from(sorted({version.prelude for version in SummaryVersion}))


@given(st.binary() | st.builds(bytes.__add__, PRELUDES, st.binary()))
def test_any_bytes_raise_only_definition_errors(data: bytes) -> None:
    with pytest.raises(DefinitionError):
        decode_summary_payload(data, ELECTION)


@given(PRELUDES, st.binary(max_size=40))
def test_any_body_is_refused_or_written_back_alike(prelude: bytes, body: bytes) -> None:
    data = prelude + town.VECTOR_HASH + body
    try:
        payload = decode_summary_payload(data, ELECTION)
    except DefinitionError:
        return
    assert encode_summary_payload(payload, ELECTION) == data


def v4(*fields: tuple[int, int], style: int = 2) -> bytes:
    """A `VX 2` payload of version 4.0 for precinct 3, with these bits from the roll call on."""
    writer = BitWriter()
    writer.write_bytes(b"VX\x02" + town.VECTOR_HASH)
    for value, width in ((3, 13), (style, 13), (0, 1), (0, 4), (0, 1), *fields):
        writer.write_uint(value, width)
    return writer.to_bytes()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"VP\x02", "invalidPrelude"),
        (b"VX\x02", "truncatedPayload"),
        (b"VS\x01" + bytes(20), "invalidBallotHash"),
        (v4(style=6), "invalidIndex"),
        (v4(style=4), "unsupportedContest"),
        (v4(style=5), "unsupportedContest"),
        (v4((0b100, 3), (0b110, 3)), "invalidVotes"),
        (v4((0b100, 3), (0b000, 3), (0, 1)), "invalidVotes"),
        (v4((0b100, 3), (0b000, 3), (1, 1), (0, 6)), "invalidWriteIn"),
        (v4((0b100, 3), (0b000, 3), (1, 1), (41, 6), (0, 63), (0, 63), (0, 63), (0, 16)), "invalidWriteIn"),
        (v4((0b100, 3), (0b000, 3), (1, 1), (40, 6)), "truncatedPayload"),
        (v4((0b010, 3), (1, 1), (0, 1), (1, 1)), "nonZeroPadding"),
        (v4((0b010, 3), (1, 1), (0, 9)), "excessData"),
        (bytes.fromhex(VECTOR)[:15], "truncatedPayload"),
    ],
)
def test_refusals(data: bytes, reason: str) -> None:
    with pytest.raises(DefinitionError, match=f"^{reason}: "):
        decode_summary_payload(data, ELECTION)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (replace(BOARD, total_pages=2), "invalidPageNumber"),
        (replace(ANN_LEE, page_number=2), "invalidPageNumber"),
        (replace(ANN_LEE, audit_id=None), "invalidAuditId"),
        (replace(ANN_LEE, contests_on_page=("b", "a", "c")), "invalidContests"),
        (replace(ANN_LEE, contests_on_page=("a", "b", "dog")), "invalidContests"),
        (replace(BOARD, contests_on_page=("dog", "park")), "invalidContests"),
        (replace(BOARD, votes={"clerk": ("pat",)}), "invalidVotes"),
        (replace(BOARD, votes={"dog": ("felix",)}), "invalidVotes"),
        (replace(BOARD, votes={"board": ("b1", "b1")}), "invalidVotes"),
        (replace(BOARD, votes={"dog": ("rex", "ada")}), "invalidVotes"),
        (replace(BOARD, write_ins={"park": ("NO",)}), "invalidVotes"),
        (replace(BOARD, write_ins={"board": ("A", "B")}), "invalidVotes"),
        (replace(BOARD, write_ins={"board": ("",)}), "invalidWriteIn"),
        (replace(BOARD, write_ins={"board": ("x",)}), "invalidWriteIn"),
        (replace(BOARD, write_ins={"board": ("X" * 41,)}), "invalidWriteIn"),
        (replace(BOARD, style_index=4, votes={}, write_ins={}, contests_on_page=("slate",)), "unsupportedContest"),
    ],
)
def test_payloads_that_cannot_be_written(payload: SummaryPayload, reason: str) -> None:
    with pytest.raises(DefinitionError, match=f"^{reason}: "):
        encode_summary_payload(payload, ELECTION)


@pytest.mark.real
def test_a_real_summary_ballot(real_data: Path) -> None:
    """The code printed on `bmd-ballot-complete-p1.jpg`: a body of version 3, made from another revision of the election file."""
    data = payload_from_barcode("VlgC1E25C4sd6AzlGAQBCBB/0pEeeAA=")
    election = load_election((real_data / "ballots" / "summary-famous-names" / "election.json").read_bytes())
    with pytest.raises(DefinitionError, match=r"^invalidBallotHash: expected c58b27d55ee6d01008c2, actual d44db90b8b1de80ce518"):
        decode_summary_payload(data, election)
    payload = decode_summary_payload(data, replace(election, ballot_hash=data[3:13]))
    assert payload.version is SummaryVersion.VX2_V3
    assert payload.test_mode
    assert payload.write_ins == {}
    assert payload.votes == {
        "mayor": ("sherlock-holmes",),
        "controller": ("winston-churchill",),
        "attorney": ("john-snow",),
        "public-works-director": ("benjamin-franklin",),
        "chief-of-police": ("natalie-portman",),
        "parks-and-recreation-director": ("charles-darwin",),
        "board-of-alderman": ("helen-keller", "steve-jobs", "nikola-tesla", "vincent-van-gogh"),
        "city-council": ("marie-curie", "indiana-jones", "mona-lisa", "jackie-chan"),
    }
