"""One kept sheet as a part of the page: what it is, what is wrong, its votes in words, its two sides with the votes drawn on."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from edge.audit.layout import SHEET_FOLDERS
from edge.audit.report_page.markup import Markup, joined, name, sentence_count, shown, tag
from edge.audit.report_page.overlay import LETTERS, WRITTEN, overlay
from edge.audit.report_page.picture import PictureError, picture, reduction_for
from edge.audit.report_page.record_shape import PageShape, RecordShape, ScoreShape, record_shape
from edge.audit.report_page.sheet_kinds import ContestNumbers, Group, filter_words, group_of
from edge.audit.verification import Repeat, SheetVerdict
from edge.ballot.result import Doubt
from edge.definition.election import WRITE_IN_PREFIX, Contest, Election
from edge.definition.settings import AdjudicationReason
from edge.evidence.archive import SheetKind
from edge.evidence.sheet_files import image_name
from edge.page.page import RESOLUTIONS
from edge.sentences import RETURN_SENTENCES

SCANS = ("A", "B")
_MOST_NAME = 200
"""Characters of a name here; the totals show it whole."""
_MOST_FINDINGS = 50
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BADGES = {
    Group.WRONG: "✘ something is wrong",
    Group.HELD: "held for a person, then cast",
    Group.RETURNED: "returned, not counted",
    Group.PLAIN: "accepted",
}
_REPEATS = {
    Repeat.SAME: "Read a second time here, with the same record byte for byte.",
    Repeat.DIFFERENT: "The second reading here gave another record.",
    Repeat.IMPOSSIBLE: "It could not be read a second time: what is kept of it does not hold enough.",
}
_HELD: dict[str, str] = {
    AdjudicationReason.OVERVOTE: "more is chosen than allowed",
    AdjudicationReason.UNDERVOTE: "less is chosen than allowed",
    AdjudicationReason.MARGINAL_MARK: "a mark that may not be meant as one",
    AdjudicationReason.UNMARKED_WRITE_IN: "a name is written and its oval is not filled",
    AdjudicationReason.BLANK_BALLOT: "no vote was found on either side",
    AdjudicationReason.CROSSOVER_VOTING: "votes in the contests of more than one party",
    Doubt.MISSING_PAPER: "a hole or a torn edge reaches into it",
    Doubt.BUBBLE_NOT_FOUND: "the oval is not printed or not visible where it belongs",
}
_DOUBTS: dict[str, str] = {Doubt.MISSING_PAPER: "paper is missing here", Doubt.BUBBLE_NOT_FOUND: "no oval is printed here"}
_NOTES = {"marked": "", "marginal": "marginal mark", "unreadable": "cannot be read", "unmarked": ""}


@dataclass(frozen=True, slots=True)
class SheetFiles:
    """A kept sheet and the images that belong to it; a scan that is None is not in the export or was not to be shown."""

    verdict: SheetVerdict
    scans: Mapping[str, bytes | None]
    pictures: bool
    """Whether pictures are wanted of it."""


class SheetWriter:
    """Writes the sheets of one election.

    Args:
        election: Names of contests and options.
        dpi: Pixels per inch, at least, of the pictures of each group of sheets; 0 shows every pixel.
    """

    def __init__(self, election: Election, dpi: Mapping[Group, int]) -> None:
        self._numbers = ContestNumbers(election)
        self._precincts = {precinct.id: precinct.name for precinct in election.precincts}
        self._dpi = dpi

    def article(self, sheet: SheetFiles) -> Markup:
        """The sheet as an article."""
        verdict, record = sheet.verdict, record_shape(sheet.verdict.record)
        group = group_of(verdict, record)
        anchor = anchor_of(verdict)
        kinds = filter_words(verdict, record, self._numbers)
        head = tag(
            "h3", "Sheet ", tag("span", verdict.id, class_="id"), " ", tag("span", _BADGES[group], class_=f"badge {group}")
        )
        parts = [head, tag("p", *self._facts(verdict, record))]
        if verdict.findings:
            parts.append(findings_list(verdict))
        if record is not None and record.disposition.reasons:
            parts.append(tag("ul", *(tag("li", *self._reason(record, place)) for place in _reasons(record)), class_="reasons"))
        votes = [] if record is None or not record.contests else [self._votes(record)]
        pictures = self._pictures(sheet, record, group, anchor)
        parts.append(tag("div", *votes, *pictures, class_="sides"))
        words = [] if record is None else self._numbers.words(record)
        return tag("article", *parts, id=anchor, class_=group, data_k=" ".join(kinds), data_v=" ".join(words), tabindex="-1")

    def _facts(self, verdict: SheetVerdict, record: RecordShape | None) -> Iterator[str]:
        yield "Cast: it is in the ballot box and counts. " if verdict.kind is SheetKind.CAST else "Returned: it counts nowhere. "
        if record is None:
            yield "Its record cannot be shown: it is missing or has not the shape of a record. "
        else:
            yield from self._metadata(record)
        yield _REPEATS[verdict.repeat]

    def _metadata(self, record: RecordShape) -> Iterator[str]:
        metadata = next((page.metadata for page in record.pages if page.metadata is not None), None)
        how = {"handMarked": "Marked by hand", "machineMarked": "Marked by machine", "refused": "It could not be read"}
        yield how[record.kind]
        if metadata is not None:
            yield ", ballot style "
            yield name(metadata.ballot_style_id, _MOST_NAME)
            if metadata.precinct_id is not None:
                yield ", precinct "
                yield name(self._precincts.get(metadata.precinct_id, metadata.precinct_id), _MOST_NAME)
            if metadata.total_pages is not None:
                sheet, sheets = (metadata.page_number + 1) // 2, (metadata.total_pages + 1) // 2
                yield f", sheet {sheet} of {sheets}" if sheets > 1 else ""
            if metadata.test_mode is not None:
                yield ", test ballot" if metadata.test_mode else ", official ballot"
        yield ". "

    def _reason(self, record: RecordShape, place: int) -> Iterator[str]:
        reason = record.disposition.reasons[place]
        yield "Held: " if record.disposition.kind == "hold" else "Returned: "
        if reason.contest_id is not None:
            contest = self._numbers.contest(reason.contest_id)
            yield name(reason.contest_id if contest is None else contest.title, _MOST_NAME)
            yield ": "
        yield RETURN_SENTENCES.get(reason.code, "").removesuffix(".") or _HELD.get(reason.code, "")
        for number, option in enumerate(reason.option_ids[:_MOST_FINDINGS]):
            yield ", " if number else ": "
            yield self._option(reason.contest_id, option)
        if reason.detail:
            yield f": {shown(reason.detail, _MOST_NAME)}"
        if reason.scan:
            yield f", on scan {shown(reason.scan, 1)}"
        yield f" ({shown(reason.code, _MOST_NAME)})"

    def _option(self, contest_id: str | None, option_id: str) -> Markup:
        contest = None if contest_id is None else self._numbers.contest(contest_id)
        return name(option_id if contest is None else option_name(contest, option_id), _MOST_NAME)

    def _votes(self, record: RecordShape) -> Markup:
        scores: dict[str, list[ScoreShape]] = {}
        for score in record.scores:
            scores.setdefault(score.contest_id, []).append(score)
        rows = [self._contest(record, contest, scores.get(contest, [])) for contest in dict.fromkeys(record.contests)]
        head = tag("tr", tag("th", "Contest", scope="col"), tag("th", "Marks", scope="col"))
        return tag("table", tag("thead", head), tag("tbody", *rows), class_="votes")

    def _contest(self, record: RecordShape, contest_id: str, scores: list[ScoreShape]) -> Markup:
        contest = self._numbers.contest(contest_id)
        votes = record.votes.get(contest_id, [])
        if record.kind == "handMarked":
            marks = [mark for score in scores for mark in self._mark(score)]
        else:
            names = iter(record.write_in_names.get(contest_id, ()))
            marks = [self._machine_mark(contest_id, option, names) for option in votes]
        if contest is None:
            return tag("tr", tag("th", name(contest_id, _MOST_NAME), " (not in this election)", scope="row"), tag("td", *marks))
        title = (name(contest.title, _MOST_NAME), tag("small", f" vote for {contest.seats}"))
        return tag("tr", tag("th", *title, scope="row"), tag("td", *marks, *_status(len(votes), contest.seats)))

    def _mark(self, score: ScoreShape) -> Iterator[Markup]:
        """A bubble that is not empty, or beside which something is written."""
        notes = [_NOTES[score.verdict]]
        area = score.write_in_area
        if area is not None and area.filled:
            notes.append("a name is written and the oval is not filled")
        doubts = {doubt for doubt in (score.doubt, None if area is None else area.doubt) if doubt is not None}
        notes += [_DOUBTS.get(doubt) or shown(doubt, _MOST_NAME) for doubt in sorted(doubts)]
        said = "; ".join(note for note in notes if note)
        if score.verdict == "unmarked" and not said:
            return
        letter = LETTERS[score.verdict] or WRITTEN
        kind = score.verdict if LETTERS[score.verdict] else "written"
        note = f" ({said})" if said else ""
        yield tag("div", tag("b", letter, class_=kind), " ", self._option(score.contest_id, score.option_id), note)

    def _machine_mark(self, contest_id: str, option_id: str, names: Iterator[str]) -> Markup:
        written = next(names, "") if option_id.startswith(WRITE_IN_PREFIX) else ""
        said = joined(": ", name(written, _MOST_NAME)) if written else ""
        return tag("div", tag("b", LETTERS["marked"], class_="marked"), " ", self._option(contest_id, option_id), said)

    def _pictures(self, sheet: SheetFiles, record: RecordShape | None, group: Group, anchor: str) -> Iterator[Markup]:
        if not sheet.pictures:
            return
        for scan in sorted(SCANS, key=lambda scan: _place(record, scan)):
            file = sheet.scans.get(scan)
            page = None if record is None else record.page(scan)
            yield _figure(sheet.verdict, scan, file, record, page, self._dpi[group], anchor)


def anchor_of(verdict: SheetVerdict) -> str:
    """What links to a sheet's article name; an id that is none gives a name of its own."""
    label = verdict.id if _UUID.fullmatch(verdict.id) else "x" + verdict.id.encode("utf-8", "backslashreplace").hex()[:80]
    return f"{verdict.kind}-{label}"


def option_name(contest: Contest, option_id: str) -> str:
    """What a person calls an option: its printed name, or write-in 1, 2, ..."""
    number = option_id.removeprefix(WRITE_IN_PREFIX)
    if number != option_id and number.isascii() and number.isdecimal() and len(number) < 6:
        return f"write-in {int(number) + 1}"
    return next((option.name for option in contest.options if option.id == option_id), option_id)


def _reasons(record: RecordShape) -> range:
    return range(min(len(record.disposition.reasons), _MOST_FINDINGS))


def findings_list(verdict: SheetVerdict) -> Markup:
    """What is wrong with a sheet."""
    lines = [
        tag("li", tag("code", finding.code), " ", tag("code", finding.file), ": ", finding.detail)
        for finding in verdict.findings[:_MOST_FINDINGS]
    ]
    beyond = len(verdict.findings) - len(lines)
    if beyond:
        lines.append(tag("li", f"and {sentence_count(beyond, 'finding', 'findings')} more; the JSON report has all of them"))
    return tag("ul", *lines, class_="findings")


def _status(chosen: int, seats: int) -> Iterator[Markup]:
    if chosen > seats:
        yield tag("strong", f"overvoted, no vote counts: {chosen} chosen, {seats} allowed")
    elif chosen == 0:
        yield tag("i", "no vote")
    elif chosen < seats:
        yield tag("i", f"{chosen} of {seats} chosen")


def _place(record: RecordShape | None, scan: str) -> tuple[int, str]:
    """The front stands before the back, a scan that was not read last."""
    page = None if record is None else record.page(scan)
    return (2 if page is None else ("front", "back").index(page.side)), scan


def _figure(
    verdict: SheetVerdict,
    scan: str,
    file: bytes | None,
    record: RecordShape | None,
    page: PageShape | None,
    dpi: int,
    anchor: str,
) -> Markup:
    """One side; `dpi` as of `SheetWriter`."""
    where = f"Scan {scan}" if page is None else f"Scan {scan}, {page.side}"
    name_in_export = f"{SHEET_FOLDERS[verdict.kind]}/{verdict.id}/{image_name(scan)}"
    if file is None:
        return tag("figure", tag("p", f"{where}: the export has no picture of it that can be read.", class_="gone"))
    reduction = 1 if dpi == 0 else reduction_for(RESOLUTIONS[0] if page is None else page.dpi, dpi)
    try:
        shot = picture(file, upside_down=page is not None and page.upside_down, reduction=reduction)
    except PictureError as error:
        return tag("figure", tag("p", f"{where}: {name_in_export} cannot be shown; {error}.", class_="gone"))
    notes = []
    drawn: list[Markup] = []
    if page is not None and record is not None:
        if shot.scan_size == (page.width, page.height):
            drawn.append(overlay(record, page, shot))
        else:
            notes.append("the record is of a page of another size, so nothing is drawn on it")
        if page.upside_down:
            notes.append("scanned upside down, shown upright")
    if shot.reduction > 1:
        notes.append(f"reduced to 1/{shot.reduction}")
    source = f"data:image/png;base64,{base64.b64encode(shot.png).decode('ascii')}"
    votes = "with the marks that were found; the table has them in words" if drawn else "as scanned"
    image = tag(
        "img",
        src=Markup(source),
        alt=f"{where}, of sheet {verdict.id}, {votes}",
        width=shot.width,
        height=shot.height,
        loading="lazy",
    )
    label = f"{anchor}-{scan.lower()}"
    links = (
        tag("a", "enlarge", href=f"#{label}", class_="more", aria_label=f"enlarge {where}"),
        tag("a", "back to its size", href=f"#{anchor}", class_="less"),
    )
    caption = tag("figcaption", "; ".join((where, *notes)), " ", *links)
    return tag("figure", caption, tag("div", image, *drawn, class_="page"), id=label)
