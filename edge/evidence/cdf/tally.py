"""The totals of the cast sheets.

The counting rule, for each contest on a sheet: every marked option is a mark, a marked write-in line too. With more marks than
seats the contest gives no votes and as many overvotes as it has seats. Otherwise each mark is a vote for its option, or a
write-in of the contest whoever's name is there, and the seats left over are undervotes. So votes, write-ins, overvotes and
undervotes of a contest always add up to its seats times the sheets that it stood on. Marginal marks and write-in lines without a
mark count nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from edge.definition.election import Contest, Election
from edge.evidence.cdf.election_parts import Json, parts_of
from edge.evidence.cdf.sheet_record import CastSheet, read_record

TOTALS_VERSION = 1
LEAST_GROUP = 10
"""With fewer ballots of a kind than this, a reader of the published records may guess whose they are."""


@dataclass(frozen=True, slots=True)
class ContestCount:
    """The sums of one contest.

    Attributes:
        seats: Votes that a ballot may give in it.
        ballots: Sheets that it stood on.
        votes: By option id, in the election's order, zeros included; without write-ins.
        write_ins: Marked write-in lines.
        overvotes: Votes lost to too many marks.
        undervotes: Votes not given.
    """

    seats: int
    ballots: int
    votes: Mapping[str, int]
    write_ins: int
    overvotes: int
    undervotes: int


@dataclass(frozen=True, slots=True)
class UnitCount:
    """The sums of one precinct, or of all.

    Attributes:
        sheets: Every sheet.
        ballots: First sheets, since a ballot of several sheets has one of these.
        contests: By contest id, in the election's order.
    """

    sheets: int
    ballots: int
    contests: Mapping[str, ContestCount]


Group = tuple[str, str | None, int]
"""Ballot style, precinct if the sheet names one, place of the sheet in the ballot."""


@dataclass(frozen=True, slots=True)
class Tally:
    """All sums.

    Attributes:
        election: What was counted for.
        total: All sheets; every contest of the election, zeros included.
        precincts: By precinct id, in the election's order, only those with sheets and the contests that stood on these; None,
            last, for the sheets that name no precinct.
        groups: Sheets by ballot style, precinct and place in the ballot.
        held_and_cast: Sheets that were held and then cast by a person's decision.
    """

    election: Election = field(repr=False)
    total: UnitCount
    precincts: Mapping[str | None, UnitCount]
    groups: Mapping[Group, int]
    held_and_cast: int

    @property
    def sheets(self) -> int:
        """Every sheet."""
        return self.total.sheets

    @property
    def ballots(self) -> int:
        """First sheets."""
        return self.total.ballots

    @property
    def contests(self) -> Mapping[str, ContestCount]:
        """The sums over all precincts, by contest id."""
        return self.total.contests

    @property
    def by_style(self) -> dict[str, int]:
        """Ballots by ballot style, in the election's order, styles without sheets left out."""
        counts = Counter[str]()
        for (style, _, number), sheets in self.groups.items():
            counts[style] += sheets if number == 1 else 0
        return {style.id: counts[style.id] for style in self.election.ballot_styles if style.id in counts}

    @property
    def by_precinct(self) -> dict[str | None, int]:
        """Ballots by precinct."""
        return {precinct: count.ballots for precinct, count in self.precincts.items()}

    @property
    def small_styles(self) -> tuple[tuple[str, int], ...]:
        """Ballot styles of fewer than ten ballots, with their number; where first sheets are fewer than others, these count."""
        by_number = Counter[tuple[str, int]]()
        for (style, _, number), sheets in self.groups.items():
            by_number[style, number] += sheets
        most = {style: max(n for (of, _), n in by_number.items() if of == style) for style in self.by_style}
        return tuple((style, count) for style, count in most.items() if count < LEAST_GROUP)

    def to_json(self) -> Json:
        """The totals as `results/totals.json` has them; every number is a count."""
        return {
            "version": TOTALS_VERSION,
            "election": {
                "title": self.election.title,
                "date": self.election.date,
                "ballotHash": self.election.ballot_hash.hex(),
            },
            "heldAndCast": self.held_and_cast,
            **self._unit(self.total),
            "precincts": [{"precinctId": precinct, **self._unit(count)} for precinct, count in self.precincts.items()],
            "ballotStyles": [{"ballotStyleId": style, "ballots": ballots} for style, ballots in self.by_style.items()],
            "smallBallotStyles": [{"ballotStyleId": style, "ballots": ballots} for style, ballots in self.small_styles],
        }

    def _unit(self, count: UnitCount) -> Json:
        contests = [_contest_json(self.election.contest(contest), sums) for contest, sums in count.contests.items()]
        return {"sheets": count.sheets, "ballots": count.ballots, "contests": contests}


def _contest_json(contest: Contest, count: ContestCount) -> Json:
    return {
        "contestId": contest.id,
        "title": contest.title,
        "seats": count.seats,
        "ballots": count.ballots,
        "votes": [{"optionId": option.id, "name": option.name, "votes": count.votes[option.id]} for option in contest.options],
        "writeIns": count.write_ins,
        "overvotes": count.overvotes,
        "undervotes": count.undervotes,
    }


@dataclass(slots=True)
class _Sums:
    """Running sums of one unit."""

    sheets: int = 0
    ballots: int = 0
    stood: Counter[str] = field(default_factory=Counter)
    votes: Counter[tuple[str, str]] = field(default_factory=Counter)
    write_ins: Counter[str] = field(default_factory=Counter)
    overvotes: Counter[str] = field(default_factory=Counter)
    undervotes: Counter[str] = field(default_factory=Counter)

    def add(self, sheet: CastSheet, election: Election) -> None:
        self.sheets += 1
        self.ballots += sheet.sheet_number == 1
        for contest_id in sheet.contests:
            contest, marked = election.contest(contest_id), sheet.votes.get(contest_id, ())
            self.stood[contest_id] += 1
            if len(marked) > contest.seats:
                self.overvotes[contest_id] += contest.seats
                continue
            self.undervotes[contest_id] += contest.seats - len(marked)
            printed = {option.id for option in contest.options}
            for option in marked:
                if option in printed:
                    self.votes[contest_id, option] += 1
                else:
                    self.write_ins[contest_id] += 1

    def result(self, contests: Iterable[Contest]) -> UnitCount:
        counts = {
            contest.id: ContestCount(
                seats=contest.seats,
                ballots=self.stood[contest.id],
                votes={option.id: self.votes[contest.id, option.id] for option in contest.options},
                write_ins=self.write_ins[contest.id],
                overvotes=self.overvotes[contest.id],
                undervotes=self.undervotes[contest.id],
            )
            for contest in contests
        }
        return UnitCount(self.sheets, self.ballots, counts)


def tally(election: Election, records: Iterable[Json]) -> Tally:
    """Count the records of cast sheets, in any order.

    Args:
        election: What the sheets were read with.
        records: The parsed JSON of `edge.record` of every cast sheet, once each.

    Raises:
        CdfError: `recordMalformed`, `recordVersion`, `recordForeign`, `recordNotCast`, `recordContradicts`; nothing is counted in
            part.
    """
    total, units, groups, held = _Sums(), dict[str | None, _Sums](), Counter[Group](), 0
    for record in records:
        sheet = read_record(record, election)
        for sums in (total, units.setdefault(sheet.precinct_id, _Sums())):
            sums.add(sheet, election)
        groups[sheet.style.id, sheet.precinct_id, sheet.sheet_number] += 1
        held += sheet.held
    # Not in the order of the records: the totals must not depend on it.
    order: list[str | None] = [precinct for precinct in (*parts_of(election).precincts, None) if precinct in units]
    styles = {style.id: place for place, style in enumerate(election.ballot_styles)}
    ordered = sorted(groups.items(), key=lambda group: (styles[group[0][0]], order.index(group[0][1]), group[0][2]))
    return Tally(
        election=election,
        total=total.result(election.contests),
        precincts={
            precinct: units[precinct].result(c for c in election.contests if units[precinct].stood[c.id]) for precinct in order
        },
        groups=dict(ordered),
        held_and_cast=held,
    )
