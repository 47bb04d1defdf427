"""The two snapshots of a cast vote record: what was found on the sheet, and what was made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.definition.election import WRITE_IN_PREFIX
from edge.evidence.cdf.election_parts import Choice, parts_of
from edge.fixed.number import Score

if TYPE_CHECKING:
    from edge.definition.election import Election
    from edge.evidence.cdf.election_parts import Json
    from edge.evidence.cdf.sheet_record import BubbleShape, CastSheet, ScoreShape

MARK_METRIC = "scrutineer-fill-v1"
MARK_METRIC_NOTE = (
    "scrutineer-fill-v1: the black pixels in the box of an oval that lie away from its printed line, out of all pixels of the "
    "box, as a decimal with four places, rounded half up. Whether a bubble is a mark is not decided by this measure alone."
)

UNMARKED_WRITE_IN = "unmarked-write-in"
MARGINAL_MARK = "marginal-mark"
UNREADABLE = "unreadable"
UNREADABLE_WRITE_IN = "unreadable-write-in"
"""Values of a position's `OtherStatus`: why a person must look at it."""

_FOUND = {"marked": "yes", "marginal": "unknown", "unmarked": "no", "unreadable": "unknown"}
_DOUBTED = {UNMARKED_WRITE_IN: "no", MARGINAL_MARK: "unknown", UNREADABLE: "unknown", UNREADABLE_WRITE_IN: "no"}
"""`HasIndication` for a bubble's verdict, and for what is doubtful at an option."""


@dataclass(frozen=True, slots=True)
class _Contest:
    """A contest on a sheet.

    Attributes:
        ref: Its name for references.
        seats: Votes allowed.
        choices: Its choices by option id, in the election's order.
        marked: The options that are marked.
        names: What a marking device printed for write-ins.
        bubbles: Its bubbles by option, in the layout's order.
        doubts: Options without a mark at which a person must look, and why; the weightiest of several reasons.
    """

    ref: str
    seats: int
    choices: Mapping[str, Choice]
    marked: tuple[str, ...]
    names: tuple[str, ...]
    bubbles: Mapping[str, tuple[BubbleShape, ...]]
    doubts: Mapping[str, str]

    @property
    def overvoted(self) -> bool:
        """Whether there are more marks than seats, so that none of them counts."""
        return len(self.marked) > self.seats


def original(sheet: CastSheet, election: Election) -> list[Json]:
    """The contests as they were found, no rule applied: every bubble with its measure, or what a marking device printed."""
    return [_found(contest) if sheet.by_hand else _printed(contest) for contest in _contests(sheet, election)]


def interpreted(sheet: CastSheet, election: Election) -> list[Json]:
    """The contests as they count: their marks, and what a person must still look at."""
    return [_counted(contest) for contest in _contests(sheet, election)]


def _contests(sheet: CastSheet, election: Election) -> list[_Contest]:
    parts = parts_of(election)
    bubbles: dict[str, dict[str, tuple[BubbleShape, ...]]] = {contest: {} for contest in sheet.contests}
    for bubble in sheet.bubbles:
        of_option = bubbles[bubble.contest_id]
        of_option[bubble.option_id] = (*of_option.get(bubble.option_id, ()), bubble)
    return [
        _Contest(
            ref=parts.contests[contest],
            seats=election.contest(contest).seats,
            choices={choice.option_id: choice for choice in parts.choices[contest]},
            marked=sheet.votes.get(contest, ()),
            names=sheet.write_in_names.get(contest, ()),
            bubbles=bubbles[contest],
            doubts=_doubts(contest, sheet, bubbles[contest]),
        )
        for contest in sheet.contests
    ]


def _doubts(contest: str, sheet: CastSheet, bubbles: Mapping[str, tuple[BubbleShape, ...]]) -> dict[str, str]:
    doubts: dict[str, str] = {}
    for option, printed in bubbles.items():
        if option in sheet.votes.get(contest, ()):
            continue
        if any(bubble.doubt is not None or bubble.verdict == "unreadable" for bubble in printed):
            doubts[option] = UNREADABLE
        elif option in sheet.marginal.get(contest, ()):
            doubts[option] = MARGINAL_MARK
        elif option in sheet.unmarked_write_ins.get(contest, ()):
            doubts[option] = UNMARKED_WRITE_IN
        elif any(bubble.write_in_area is not None and bubble.write_in_area.doubt is not None for bubble in printed):
            doubts[option] = UNREADABLE_WRITE_IN
    return doubts


def _found(contest: _Contest) -> Json:
    selections = [
        _selection(contest, option, *(_bubble(place, bubble) for place, bubble in enumerate(bubbles, 1)))
        | {"OptionPosition": position}
        for position, (option, bubbles) in enumerate(contest.bubbles.items(), 1)
    ]
    return {"@type": "CVR.CVRContest", "ContestId": contest.ref, "CVRContestSelection": selections}


def _bubble(place: int, bubble: BubbleShape) -> Json:
    metric = [] if bubble.fill.of == 0 else [mark_metric(bubble.fill)]
    return {
        "@type": "CVR.SelectionPosition",
        "HasIndication": _FOUND[bubble.verdict],
        "NumberVotes": 1,
        "Position": place,
        "MarkMetricValue": metric,
    }


def mark_metric(fill: ScoreShape) -> str:
    """A bubble's fill as the metric's text, by whole numbers alone."""
    share = Score(fill.count, fill.of).per_ten_thousand
    return f"{share // 10_000}.{share % 10_000:04d}"


def _printed(contest: _Contest) -> Json:
    selections = [_selection(contest, option, _mark(contest, option)) for option in contest.choices if option in contest.marked]
    document: Json = {"@type": "CVR.CVRContest", "ContestId": contest.ref}
    return document | ({"CVRContestSelection": selections} if selections else {})


def _counted(contest: _Contest) -> Json:
    selections = []
    for option, choice in contest.choices.items():
        if option in contest.marked:
            selections.append(_vote(contest, choice))
        elif option in contest.doubts:
            selections.append(_doubtful(contest, option))
    undervotes = 0 if contest.overvoted else contest.seats - len(contest.marked)
    status = ["overvoted", "invalidated-rules"] if contest.overvoted else ["undervoted"] if undervotes else []
    if not selections:
        status.append("not-indicated")
    document: Json = {
        "@type": "CVR.CVRContest",
        "ContestId": contest.ref,
        "Overvotes": contest.seats if contest.overvoted else 0,
        "Undervotes": undervotes,
        "WriteIns": 0 if contest.overvoted else sum(contest.choices[option].is_write_in for option in contest.marked),
    }
    return document | ({"Status": status} if status else {}) | ({"CVRContestSelection": selections} if selections else {})


def _vote(contest: _Contest, choice: Choice) -> Json:
    """A marked option. Whose name is on a write-in line is for a person to say, and so whether its vote goes to anyone."""
    position = _mark(contest, choice.option_id)
    position["IsAllocable"] = "no" if contest.overvoted else "unknown" if choice.is_write_in else "yes"
    selection = _selection(contest, choice.option_id, position) | {"TotalNumberVotes": 0 if contest.overvoted else 1}
    return selection | ({"Status": ["needs-adjudication"]} if choice.is_write_in else {})


def _mark(contest: _Contest, option: str) -> Json:
    """A mark, with the name that a marking device printed for it."""
    position: Json = {"@type": "CVR.SelectionPosition", "HasIndication": "yes", "NumberVotes": 1}
    if contest.names and contest.choices[option].is_write_in:
        name = contest.names[int(option.removeprefix(WRITE_IN_PREFIX))]
        position["CVRWriteIn"] = {"@type": "CVR.CVRWriteIn", "Text": name}
    return position


def _doubtful(contest: _Contest, option: str) -> Json:
    """An option that does not count as things stand, but might if a person looked at it."""
    position = {
        "@type": "CVR.SelectionPosition",
        "HasIndication": _DOUBTED[contest.doubts[option]],
        "NumberVotes": 1,
        "IsAllocable": "no" if contest.overvoted else "unknown",
        "Status": ["other"],
        "OtherStatus": contest.doubts[option],
    }
    return _selection(contest, option, position) | {"TotalNumberVotes": 0, "Status": ["needs-adjudication"]}


def _selection(contest: _Contest, option: str, *positions: Json) -> Json:
    return {
        "@type": "CVR.CVRContestSelection",
        "ContestSelectionId": contest.choices[option].ref,
        "SelectionPosition": list(positions),
    }
