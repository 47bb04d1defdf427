"""Elections and sheets for the documents: a town with everything in it, and records made without printing anything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from hypothesis import strategies as st

from edge.ballot.interpret import _hand_marked
from edge.ballot.result import (
    BallotSide,
    Box,
    BubbleReading,
    Doubt,
    Interpretation,
    PageMetadata,
    PageReading,
    Scan,
    Verdict,
    WriteInReading,
)
from edge.decision import decide
from edge.definition.election import Election
from edge.definition.page_layout import BubblePosition
from edge.definition.paper import PaperSize
from edge.definition.payload_fields import BallotType
from edge.definition.settings import AdjudicationReason, SystemSettings
from edge.evidence.cdf.cvr import cvr_report
from edge.evidence.cdf.election_parts import ReportingParty
from edge.fixed.number import Score
from edge.page.page import Insets, Page
from edge.record import canonical_json
from tests.definition.town import load, old_document

Json = dict[str, Any]
Choice = tuple[str, str]

PARTY = ReportingParty("scan.example.org/0001", "Example Works", "Desk Scanner", "scrutineer-edge 0.1.0", test_mode=False)
TRIAL = replace(PARTY, test_mode=True)
SHEET_ID = "5b1f9a0e-8a57-4b6c-9d0b-2f6f3a2f9c11"
IMAGES = {"A": ("scan-a.png", bytes(range(32))), "B": ("scan-b.png", bytes(range(32, 64)))}
EVERY_REASON = SystemSettings(precinct_scan_adjudication_reasons=tuple(AdjudicationReason))
LENIENT = SystemSettings(precinct_scan_adjudication_reasons=())
_SCANS: tuple[tuple[Scan, BallotSide], ...] = (("B", "front"), ("A", "back"))
"""Fed face down."""


@cache
def town() -> Election:
    """Printed: a race for one seat with a candidate printed twice and a write-in, and a measure on the back; much else."""
    document = old_document()
    outsets = {"top": 0.8, "right": 9, "bottom": 0.8, "left": 1}
    for style, contest, options in (
        ("s1", "board", [{"optionId": f"b{n}"} for n in range(5)] + [{"writeInIndex": n} for n in range(3)]),
        ("s4", "slate", [{"optionId": "fox"}, {"optionId": "hare"}]),
        ("s5", "colour", [{"optionId": name} for name in ("red", "green", "blue")]),
    ):
        positions = [
            {
                "type": "write-in" if "writeInIndex" in option else "option",
                "sheetNumber": 1,
                "side": "front",
                "column": 2,
                "row": 5 + 2 * place,
                "contestId": contest,
                **option,
            }
            for place, option in enumerate(options)
        ]
        document["gridLayouts"].append(
            {"ballotStyleId": style, "optionBoundsFromTargetMark": outsets, "gridPositions": positions}
        )
    return load(document)


@cache
def two_sheets() -> Election:
    """The town with ballots of two sheets: the measure, else on the back, has the second to itself."""
    layout = tuple(
        replace(position, sheet_number=2, side="front") if position.contest_id == "park" else position
        for position in town().layouts["s0"]
    )
    return replace(town(), layouts={"s0": layout})


def layout_of(election: Election, style_id: str, sheet: int = 1) -> list[BubblePosition]:
    """The bubbles of a sheet, front first, as they come into a record."""
    layout = [position for position in election.layout(style_id) or () if position.sheet_number == sheet]
    return [p for p in layout if p.side == "front"] + [p for p in layout if p.side == "back"]


def _reading(scan: Scan, side: BallotSide, metadata: PageMetadata | None) -> PageReading:
    page = Page(np.zeros((1, 1), np.uint8), None, 128, 0, 255, Insets(0, 0, 0, 0), PaperSize.LETTER, 200)
    return PageReading(
        scan=scan,
        side=side,
        page=page,
        upside_down=False,
        paper=PaperSize.LETTER,
        metadata=metadata,
        barcode=None,
        grid=None,
        scale=None,
        streaks=(),
    )


def ballot(election: Election, style_id: str) -> Json:
    """What all pages of a ballot say alike."""
    return {
        "ballot_style_id": style_id,
        "test_mode": False,
        "ballot_type": BallotType.PRECINCT,
        "ballot_hash": election.ballot_hash,
        "encoding": "made up",
    }


def _bubble(position: BubblePosition, verdict: Verdict) -> BubbleReading:
    fill = {Verdict.MARKED: 471, Verdict.MARGINAL: 55, Verdict.UNMARKED: 3, Verdict.UNREADABLE: 120}[verdict]
    doubt = Doubt.MISSING_PAPER if verdict is Verdict.UNREADABLE else None
    return BubbleReading(
        position.contest_id, position.option_id, Box(0, 0, 40, 26), Score(fill, 1040), Score(9, 9), None, (), verdict, doubt
    )


def marked_by_hand(
    election: Election,
    style_id: str,
    marks: Mapping[Choice, Verdict | tuple[Verdict, ...]],
    *,
    sheet: int = 1,
    written: frozenset[Choice] | set[Choice] = frozenset(),
    torn: frozenset[Choice] | set[Choice] = frozenset(),
    precinct_id: str | None = None,
    audit_id: str | None = None,
    settings: SystemSettings = EVERY_REASON,
) -> Json:
    """The record of a sheet with these marks; an option printed more than once may have a verdict for each place.

    `written`: write-in areas with ink; `torn`: areas that cannot be judged.
    """
    seen: dict[Choice, int] = {}
    pages: dict[str, tuple[list[BubbleReading], list[WriteInReading]]] = {"front": ([], []), "back": ([], [])}
    for position in layout_of(election, style_id, sheet):
        choice = (position.contest_id, position.option_id)
        given = marks.get(choice, Verdict.UNMARKED)
        verdict = given if isinstance(given, Verdict) else given[seen.get(choice, 0)]
        seen[choice] = seen.get(choice, 0) + 1
        bubbles, areas = pages[position.side]
        bubbles.append(_bubble(position, verdict))
        if position.write_in_area is not None:
            filled = choice in written and verdict is not Verdict.MARKED
            doubt = Doubt.MISSING_PAPER if choice in torn else None
            areas.append(WriteInReading(*choice, ((0, 0),) * 4, Score(5 * filled, 10), filled, doubt))
    metadata = PageMetadata(
        **ballot(election, style_id), precinct_id=precinct_id, page_number=2 * sheet - 1, total_pages=None, audit_id=audit_id
    )
    front, back = (
        replace(
            _reading(scan, side, replace(metadata, page_number=2 * sheet - (side == "front"))),
            bubbles=tuple(pages[side][0]),
            write_ins=tuple(pages[side][1]),
        )
        for scan, side in _SCANS
    )
    return _record(_hand_marked((front, back), election), election, settings)


def printed_by_machine(
    election: Election,
    style_id: str,
    votes: Mapping[str, tuple[str, ...]],
    names: Mapping[str, tuple[str, ...]] | None = None,
    *,
    contests: tuple[str, ...] | None = None,
    precinct_id: str = "p-2",
    page: int = 1,
) -> Json:
    """The record of a summary page; all contests of the style unless some are named."""
    names = names or {}
    metadata = PageMetadata(
        **ballot(election, style_id), precinct_id=precinct_id, page_number=page, total_pages=2, audit_id="0007"
    )
    of_style = tuple(contest.id for contest in election.contests_of(election.style(style_id)))
    all_votes: dict[str, tuple[str, ...]] = {}
    for contest in sorted({*votes, *names}):
        written = (f"write-in-{index}" for index in range(len(names.get(contest, ()))))
        all_votes[contest] = tuple(sorted((*votes.get(contest, ()), *written)))
    front, back = _reading("A", "front", metadata), _reading("B", "back", None)
    interpretation = Interpretation(
        kind="machineMarked",
        refusal=None,
        pages=(front, back),
        metadata=metadata,
        contests=of_style if contests is None else contests,
        votes=all_votes,
        write_in_names=names,
    )
    return _record(interpretation, election, EVERY_REASON)


def _record(interpretation: Interpretation, election: Election, settings: SystemSettings) -> Json:
    record: Json = json.loads(canonical_json(interpretation, decide(interpretation, election, settings)))
    return record


def report(election: Election, record: Json, *, party: ReportingParty = PARTY) -> Json:
    """The report of a sheet."""
    return cvr_report(party, election, SHEET_ID, record, IMAGES)


def verdicts_of(election: Election, style_id: str, sheet: int = 1) -> st.SearchStrategy[dict[Choice, tuple[Verdict, ...]]]:
    """Anything that may be found at the bubbles of a sheet, each place of an option by itself."""
    places: dict[Choice, int] = {}
    for position in layout_of(election, style_id, sheet):
        places[position.contest_id, position.option_id] = places.get((position.contest_id, position.option_id), 0) + 1
    return st.fixed_dictionaries({choice: st.tuples(*[st.sampled_from(Verdict)] * count) for choice, count in places.items()})


def snapshot(document: Json, kind: str) -> dict[str, Json]:
    """The contests of a report's snapshot, by the election's own ids."""
    contests = {contest["@id"]: contest["Code"][0]["Value"] for contest in document["Election"][0]["Contest"]}
    (found,) = (snapshot for snapshot in document["CVR"][0]["CVRSnapshot"] if snapshot["Type"] == kind)
    return {contests[contest["ContestId"]]: contest for contest in found["CVRContest"]}


def selections(document: Json, kind: str, contest_id: str) -> dict[str, Json]:
    """The selections of a contest in a snapshot, by the election's own ids."""
    (contest,) = (one for one in document["Election"][0]["Contest"] if one["Code"][0]["Value"] == contest_id)
    options = {selection["@id"]: selection["Code"][0]["Value"] for selection in contest["ContestSelection"]}
    found = snapshot(document, kind)[contest_id].get("CVRContestSelection", [])
    return {options[selection["ContestSelectionId"]]: selection for selection in found}


def positions(selection: Json, name: str) -> list[object]:
    """One property of all positions of a selection."""
    return [position.get(name) for position in selection["SelectionPosition"]]
