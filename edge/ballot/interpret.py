"""The interpreter: a scanned sheet, an election and settings in; everything that the sheet says out. A pure function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.ballot.both_sides import both_sides
from edge.ballot.hand_marked import CONCLUSIVE, read_hand_marked
from edge.ballot.machine_marked import read_machine_marked
from edge.ballot.result import Doubt, Interpretation, PageReading, Refusal, Scan, Verdict
from edge.page.error import PageError
from edge.page.page import Grey, Page, read_page

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.ballot.result import BubbleReading, WriteInReading
    from edge.definition.election import Election
    from edge.definition.settings import SystemSettings

_RANK = {
    "invalidBallotHash": -60,
    "invalidTestMode": -70,
    "invalidPrecinct": -80,
    "bmdBallotScanningDisabled": -85,
    "blankSheet": -100,
}
_UNREADABLE_RANK = -90
"""How much a refusal says, after VxSuite: of two readings that both fail, the higher is reported, on a tie the hand-marked
one."""


@dataclass(frozen=True, slots=True, eq=False)
class ScannedSheet:
    """Both sides of a sheet as they came from the scanner: uint8 grey of shape (height, width), and pixels per inch if known."""

    top: Grey
    bottom: Grey
    dpi: int | None = None


def interpret(sheet: ScannedSheet, election: Election, settings: SystemSettings) -> Interpretation:
    """Read a sheet. Never raises for what is on the paper: a sheet that cannot be read is an interpretation with a refusal."""
    try:
        pages = both_sides(lambda _, grey: read_page(grey, sheet.dpi), ("A", sheet.top), ("B", sheet.bottom))
    except PageError as error:
        return _refused(error)
    return interpret_pages(pages, election, settings)


def interpret_pages(pages: tuple[Page, Page], election: Election, settings: SystemSettings) -> Interpretation:
    """Read a sheet from its bilevel pages: what `interpret` does after the threshold, and all that a stored sheet needs."""
    hand_marked: PageError | None = None
    if election.has_layouts:
        try:
            return _hand_marked(read_hand_marked(pages, election, settings), election)
        except PageError as error:
            hand_marked = error
        if hand_marked.code in CONCLUSIVE:
            return _refused(hand_marked)
    try:
        return read_machine_marked(pages, election, settings)
    except PageError as error:
        better = hand_marked is not None and _rank(hand_marked) >= _rank(error)
        return _refused(hand_marked if hand_marked is not None and better else error)


def _rank(error: PageError) -> int:
    return _RANK.get(error.code, _UNREADABLE_RANK)


def _refused(error: PageError) -> Interpretation:
    scan: Scan | None = "A" if error.scan == "A" else "B" if error.scan == "B" else None
    return Interpretation("refused", Refusal(error.code, scan, error.detail), ())


def _hand_marked(pages: tuple[PageReading, PageReading], election: Election) -> Interpretation:
    """Collect what the two pages of a hand-marked sheet say, contest by contest."""
    bubbles = [bubble for page in pages for bubble in page.bubbles]
    areas = [area for page in pages for area in page.write_ins]
    on_sheet = {bubble.contest_id for bubble in bubbles}
    marked = {(b.contest_id, b.option_id) for b in bubbles if b.verdict is Verdict.MARKED}
    # An option printed twice (a candidate of two parties) is judged by its clearest mark.
    marginal = {(b.contest_id, b.option_id) for b in bubbles if b.verdict is Verdict.MARGINAL} - marked
    written = {(a.contest_id, a.option_id) for a in areas if a.filled}
    judged: list[BubbleReading | WriteInReading] = [*bubbles, *areas]
    doubts = {(place.doubt, place.contest_id, place.option_id) for place in judged if place.doubt is not None}
    return Interpretation(
        kind="handMarked",
        refusal=None,
        pages=pages,
        metadata=pages[0].metadata,
        contests=tuple(contest.id for contest in election.contests if contest.id in on_sheet),
        votes=by_contest(marked),
        marginal=by_contest(marginal),
        unmarked_write_ins=by_contest(written),
        doubts=tuple(sorted(doubts, key=_doubt_order)),
    )


def _doubt_order(doubt: tuple[Doubt, str, str]) -> tuple[str, str, str]:
    return doubt[0].value, doubt[1], doubt[2]


def by_contest(options: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Group (contest, option) pairs: contests and options sorted, contests without any left out."""
    grouped: dict[str, list[str]] = {}
    for contest, option in sorted(options):
        grouped.setdefault(contest, []).append(option)
    return {contest: tuple(names) for contest, names in grouped.items()}
