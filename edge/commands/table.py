"""An interpretation as a table that a person reads: contests and marks, facts about the paper, and what happens to the sheet."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from edge.ballot.grid import Found
from edge.ballot.result import Doubt, Verdict
from edge.definition.election import WRITE_IN_PREFIX
from edge.definition.settings import AdjudicationReason
from edge.sentences import RETURN_SENTENCES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.ballot.result import BubbleReading, Interpretation, PageReading, WriteInReading
    from edge.decision import Disposition, Reason
    from edge.definition.election import Contest, Election
    from edge.fixed.number import Score

Row = str | tuple[str, str]
"""A line of text, or a text with a score at the right edge."""

_HELD_SHEETS: dict[str, str] = {
    AdjudicationReason.BLANK_BALLOT: "No vote was found on either side.",
    AdjudicationReason.CROSSOVER_VOTING: "There are votes in the contests of more than one party.",
}
_DOUBTS = {Doubt.MISSING_PAPER: "paper is missing here", Doubt.BUBBLE_NOT_FOUND: "no oval is printed here"}
_SIGNS = {Verdict.MARKED: "[X]", Verdict.MARGINAL: "[?]", Verdict.UNMARKED: "[ ]", Verdict.UNREADABLE: "[!]"}
_VERDICTS = {
    "accept": "ACCEPT: every check supports this reading.",
    "return": "RETURN: this sheet is given back and not counted.",
    "hold": "HOLD: a person must look at this sheet.",
}
_COLOURS = {"accept": "1;32", "return": "1;31", "hold": "1;33"}
_INDENT = "    "
_WIDTHS = (48, 120)
"""Columns: a narrower table would break its own rows, a wider one would part a name from its score."""


def interpretation_table(
    interpretation: Interpretation,
    disposition: Disposition,
    election: Election,
    *,
    note: str = "",
    width: int = 80,
    colour: bool = False,
) -> str:
    """The whole table, without a final newline.

    Text from the election is shown without control characters, so that a definition cannot drive the terminal.

    Args:
        interpretation: The sheet as read.
        disposition: What happens to it.
        election: What it was read by.
        note: What the reader must know of how it was read; stands below the head.
        width: Columns of the terminal.
        colour: Whether the verdict is coloured.
    """
    width = min(max(width, _WIDTHS[0]), _WIDTHS[1])
    blocks: list[list[Row]] = [[*_head(interpretation, election), *([note] if note else [])]]
    blocks += [_contest(election.contest(contest), interpretation, disposition) for contest in interpretation.contests]
    blocks.append([line for page in interpretation.pages for line in _page_facts(page)])
    rows = [row for block in blocks if block for row in (*block, "")]
    lines = [line for row in rows for line in _fit(row, width)]
    verdict = _VERDICTS[disposition.kind]
    lines += ["=" * width, f"\x1b[{_COLOURS[disposition.kind]}m{verdict}\x1b[0m" if colour else verdict]
    for reason in disposition.reasons:
        lines += _fit(f"- {_sentence(reason, election)}", width)
    if disposition.kind == "hold":
        cast = "The voter may cast it as it is." if disposition.castable else "It cannot be cast as it is, only returned."
        lines.append(cast)
    lines.append("=" * width)
    return "\n".join(lines)


def _fit(row: Row, width: int) -> list[str]:
    """A line of text, or a text and the score at its right; what is too long goes on below, further in."""
    text, score = row if isinstance(row, tuple) else (row, "")
    body = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    indent = _INDENT if text.startswith(_INDENT) else ""
    room = width - (len(score) + 1 if score else 0)
    lines = textwrap.wrap(body, room, initial_indent=indent, subsequent_indent=indent + "  ") or [""]
    if score:
        lines[0] = f"{lines[0]:<{width - len(score)}}{score}"
    return lines


def per_cent(score: Score) -> str:
    """A score in per cent with two places."""
    parts = score.per_ten_thousand
    return f"{parts // 100}.{parts % 100:02} %"


def _head(interpretation: Interpretation, election: Election) -> list[Row]:
    metadata = interpretation.metadata
    lines: list[Row] = [f"{election.title}, {election.date[:10]}"]
    if metadata is None:
        return lines
    facts = [f"ballot style {metadata.ballot_style_id}"]
    precincts = {precinct.id: precinct.name for precinct in election.precincts}
    if metadata.precinct_id is not None:
        facts.append(f"precinct {precincts[metadata.precinct_id]}")
    if metadata.test_mode is not None:
        facts.append("test ballot" if metadata.test_mode else "official ballot")
    if metadata.ballot_type is not None:
        facts.append(metadata.ballot_type.name.lower())
    facts.append("marked by hand" if interpretation.kind == "handMarked" else "marked by machine")
    return [*lines, ", ".join(facts)]


def option_name(contest: Contest, option_id: str) -> str:
    """What a person calls an option: its printed name, or write-in 1, 2, ..."""
    if option_id.startswith(WRITE_IN_PREFIX):
        return f"write-in {int(option_id.removeprefix(WRITE_IN_PREFIX)) + 1}"
    return next((option.name for option in contest.options if option.id == option_id), option_id)


def _as_printed(contest: Contest, option_ids: tuple[str, ...]) -> list[str]:
    """Options in the definition's order, write-ins last by number."""
    places = {option.id: place for place, option in enumerate(contest.options)}
    return sorted(option_ids, key=lambda option: (places.get(option, len(places)), len(option), option))


def _contest(contest: Contest, interpretation: Interpretation, disposition: Disposition) -> list[Row]:
    """A contest's title, its marks and what is wrong with it."""
    votes = interpretation.votes.get(contest.id, ())
    rows: list[Row] = [f"{contest.title} (vote for {contest.seats})"]
    if interpretation.kind == "machineMarked":
        names = iter(interpretation.write_in_names.get(contest.id, ()))
        for option in _as_printed(contest, votes):
            written = f': "{next(names, "")}"' if option.startswith(WRITE_IN_PREFIX) else ""
            rows.append(f"{_INDENT}[X] {option_name(contest, option)}{written}")
    else:
        rows += _marks(contest, interpretation)
    if len(rows) == 1:
        rows.append(f"{_INDENT}no mark")
    for reason in disposition.reasons:
        if reason.contest_id == contest.id and reason.code in {AdjudicationReason.OVERVOTE, AdjudicationReason.UNDERVOTE}:
            rows.append(f"{_INDENT}{reason.code.upper()}: {len(reason.option_ids)} chosen, {contest.seats} allowed")
    return rows


def _marks(contest: Contest, interpretation: Interpretation) -> Iterator[Row]:
    """The bubbles of a contest that are marked or in any way not empty, as printed from top to bottom."""
    areas: dict[str, WriteInReading] = {}
    for page in interpretation.pages:
        areas |= {area.option_id: area for area in page.write_ins if area.contest_id == contest.id}
    for page in interpretation.pages:
        for bubble in page.bubbles:
            if bubble.contest_id == contest.id:
                yield from _mark(contest, bubble, areas.get(bubble.option_id))


_GREY_INK = {"pale": "pale ink", "stain": "stain"}


def _mark(contest: Contest, bubble: BubbleReading, area: WriteInReading | None) -> Iterator[tuple[str, str]]:
    notes = []
    if bubble.verdict is Verdict.MARGINAL:
        notes.append("marginal mark")
    notes += [f"{_GREY_INK[found.kind]} {per_cent(found.score)}" for found in bubble.grey_ink if found.kind != "outline"]
    if area is not None and area.filled:
        notes.append(f"name written, oval not filled; ink {per_cent(area.ink)}")
    doubts = {doubt for doubt in (bubble.doubt, None if area is None else area.doubt) if doubt is not None}
    notes += [_DOUBTS[doubt] for doubt in sorted(doubts)]
    if bubble.verdict is Verdict.UNMARKED and not notes:
        return
    noted = f" ({'; '.join(notes)})" if notes else ""
    yield f"{_INDENT}{_SIGNS[bubble.verdict]} {option_name(contest, bubble.option_id)}{noted}", per_cent(bubble.fill)


def _page_facts(reading: PageReading) -> Iterator[str]:
    page, grid = reading.page, reading.grid
    facts = [
        f"scan {reading.scan}",
        "upside down" if reading.upside_down else "right way up",
        f"{reading.paper} paper at {page.dpi} dpi" if reading.paper else f"{page.width} x {page.height} pixels",
    ]
    if grid is not None:
        found = [*grid.left_found.tolist(), *grid.right_found.tolist()]
        counts = [f"{found.count(kind)} {kind.name.lower()}" for kind in Found if found.count(kind)]
        facts.append(f"{2 * grid.rows} side marks ({', '.join(counts)})")
    if reading.scale is not None:
        facts.append(f"scale {per_cent(reading.scale)}")
    if reading.streaks:
        facts.append(f"{len(reading.streaks)} streaks")
    if reading.barcode is not None:
        pixels = "bilevel" if reading.barcode.grey is None else "grey"
        facts.append(f"QR code read by {reading.barcode.reader} from {pixels} pixels")
    elif reading.metadata is not None:
        facts.append(
            "its own code unread, taken from the other side" if reading.metadata.inferred else "code of the bottom row read"
        )
    yield f"{reading.side}: {', '.join(facts)}"


def _sentence(reason: Reason, election: Election) -> str:
    """A reason in words, with the contest's title and the options' names, and its code for whoever looks it up."""
    if reason.contest_id is None:
        return f"{_sheet_sentence(reason)} ({reason.code})"
    contest = election.contest(reason.contest_id)
    names = ", ".join(option_name(contest, option) for option in _as_printed(contest, reason.option_ids))
    count = len(reason.option_ids)
    told: dict[str, str] = {
        AdjudicationReason.OVERVOTE: f"{count} options are chosen and {contest.seats} allowed: {names}.",
        AdjudicationReason.UNDERVOTE: f"{count} of {contest.seats} options are chosen.",
        AdjudicationReason.MARGINAL_MARK: f"it is not clear whether this was meant as a mark: {names}.",
        AdjudicationReason.UNMARKED_WRITE_IN: f"a name is written and its oval is not filled: {names}.",
        Doubt.MISSING_PAPER: f"a hole or a torn edge reaches into {names}.",
        Doubt.BUBBLE_NOT_FOUND: f"the oval is not printed or not visible where it belongs: {names}.",
    }
    return f"{contest.title}: {told.get(reason.code, names)} ({reason.code})"


def _sheet_sentence(reason: Reason) -> str:
    if reason.code in _HELD_SHEETS:
        return _HELD_SHEETS[reason.code]
    sentence = RETURN_SENTENCES.get(reason.code, "The sheet cannot be read.")
    if not reason.detail:
        return sentence
    where = f", on scan {reason.scan}" if reason.scan else ""
    return f"{sentence.removesuffix('.')}: {reason.detail}{where}."
