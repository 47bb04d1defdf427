"""What is particular about a kept sheet: where it stands in the report, and by what a reader can filter it."""

from __future__ import annotations

from enum import StrEnum

from edge.audit.report_page.record_shape import RecordShape
from edge.audit.verification import Repeat, SheetVerdict
from edge.definition.election import WRITE_IN_PREFIX, Contest, Election
from edge.evidence.archive import SheetKind


class Group(StrEnum):
    """The parts of the report that sheets stand in, the first one first."""

    WRONG = "wrong"
    HELD = "held"
    RETURNED = "returned"
    PLAIN = "plain"


GROUP_TITLES = {
    Group.WRONG: "Sheets with something wrong",
    Group.HELD: "Sheets that were held for a person and then cast",
    Group.RETURNED: "Sheets that were returned and count nowhere",
    Group.PLAIN: "Sheets that were accepted without a question",
}

FILTERS = {
    "cast": "cast: every sheet that counts",
    "held": "held for a person and then cast",
    "returned": "returned",
    "problem": "something is wrong",
    "marginal": "marginal mark",
    "write-in": "write-in",
    "overvote": "overvote",
}
"""What a reader can ask for, and how it is put."""

ON_SHEET, WRITE_IN, OVERVOTED, UNDERVOTED, MARGINAL = "", ".w", ".o", ".u", ".m"
"""What is said of a contest's number for filtering by contest; an option that counts has its own number after a dot."""


def is_wrong(verdict: SheetVerdict, record: RecordShape | None) -> bool:
    """Whether something is wrong with a sheet; a returned one whose reading cannot be repeated is none of that."""
    cast = verdict.kind is SheetKind.CAST
    repeated = verdict.repeat is Repeat.SAME or (verdict.repeat is Repeat.IMPOSSIBLE and not cast)
    return bool(verdict.findings) or not repeated or record is None or (cast and record.disposition.kind == "return")


def group_of(verdict: SheetVerdict, record: RecordShape | None) -> Group:
    """The part of the report that a sheet stands in."""
    if record is None or is_wrong(verdict, record):
        return Group.WRONG
    if verdict.kind is SheetKind.RETURNED:
        return Group.RETURNED
    return Group.HELD if record.disposition.kind == "hold" else Group.PLAIN


def filter_words(verdict: SheetVerdict, record: RecordShape | None, contests: ContestNumbers) -> list[str]:
    """The keys of `FILTERS` that fit a sheet."""
    words = [str(verdict.kind)]
    if is_wrong(verdict, record):
        words.append("problem")
    if record is not None:
        if verdict.kind is SheetKind.CAST and record.disposition.kind == "hold":
            words.append("held")
        if any(record.marginal.values()):
            words.append("marginal")
        if any(_has_write_in(record, contest) for contest in (*record.votes, *record.unmarked_write_ins)):
            words.append("write-in")
        if any(contests.is_overvoted(record, contest) for contest in record.votes):
            words.append("overvote")
    return words


class ContestNumbers:
    """The contests of an election and their options by number; whatever else a record may name has none."""

    def __init__(self, election: Election) -> None:
        self.contests = election.contests
        self._places = {contest.id: place for place, contest in enumerate(election.contests)}
        self._options = [{option.id: place for place, option in enumerate(contest.options)} for contest in election.contests]

    def contest(self, contest_id: str) -> Contest | None:
        """The contest, if the election has it."""
        place = self._places.get(contest_id)
        return None if place is None else self.contests[place]

    def is_overvoted(self, record: RecordShape, contest_id: str) -> bool:
        """Whether more options are marked than there are seats."""
        contest = self.contest(contest_id)
        return contest is not None and len(record.votes.get(contest_id, ())) > contest.seats

    def words(self, record: RecordShape) -> list[str]:
        """What can be asked of the votes on a sheet, by contest: `3`, `3.0`, `3.w`; a vote that does not count is left out."""
        words = []
        for contest_id in dict.fromkeys(record.contests):
            place = self._places.get(contest_id)
            if place is None:
                continue
            votes = record.votes.get(contest_id, [])
            seats = self.contests[place].seats
            words.append(f"{place}{ON_SHEET}")
            if len(votes) > seats:
                words.append(f"{place}{OVERVOTED}")
            else:
                words += [f"{place}.{self._options[place][vote]}" for vote in votes if vote in self._options[place]]
                words += [f"{place}{UNDERVOTED}"] if len(votes) < seats else []
            if _has_write_in(record, contest_id):
                words.append(f"{place}{WRITE_IN}")
            if record.marginal.get(contest_id):
                words.append(f"{place}{MARGINAL}")
        return words


def _has_write_in(record: RecordShape, contest_id: str) -> bool:
    voted = any(vote.startswith(WRITE_IN_PREFIX) for vote in record.votes.get(contest_id, ()))
    return voted or bool(record.unmarked_write_ins.get(contest_id))
