"""Whether the events of a log, one after the other, can have happened: starts, polls, counts.

The order is that of the entries, which the tree proves. The wall clock is not asked: anybody can set it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from edge.audit.checks.logged_event import LoggedEvent
from edge.audit.checks.question import Question, counted
from edge.audit.verification import Check
from edge.evidence.store import Polls


@dataclass(slots=True)
class Story:
    """What a log tells.

    Attributes:
        accepted: Ballots in the box.
        tallied: The events of tally sheets in the box, in order.
        returned: Returned sheets by the reason that the event gives.
        power_cuts: Starts of the station that no good end came before, and that another start of the machine explains.
        kills: The same within one start of the machine: the software was killed or failed.
        openings: How often the polls were opened.
        closed: The event that closed the polls for good; None if they are not.
        tally_closed: The event that committed to the set of tally sheets; None without one.
        boots: Starts of the machine.
        counts: How often each event occurs.
        reasons: Reason codes that events named, by event.
        clocks: Entries by the state of the wall clock.
    """

    accepted: int = 0
    tallied: list[LoggedEvent] = field(default_factory=list)
    returned: Counter[str] = field(default_factory=Counter)
    power_cuts: int = 0
    kills: int = 0
    openings: int = 0
    closed: LoggedEvent | None = None
    tally_closed: LoggedEvent | None = None
    boots: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, Counter[str]] = field(default_factory=dict)
    clocks: Counter[str] = field(default_factory=Counter)


def check_story(events: Sequence[LoggedEvent], *, proven: bool, place: Iterable[str]) -> tuple[Story, list[Check]]:
    """The story of a log that has all of its entries.

    Args:
        events: Every entry, in order.
        proven: Whether the log's signed root is over these entries.
        place: For each entry, the file that holds it.
    """
    teller = _Teller(tuple(place))
    for event in events:
        teller.hear(event)
    return teller.story, teller.answers(proven=proven)


class _Teller:
    """Goes through the events and remembers what must hold for the next one."""

    def __init__(self, place: tuple[str, ...]) -> None:
        self.story = Story()
        self._place = place
        self._order, self._polls_story, self._counts = Question("logOrder"), Question("polls"), Question("counts")
        self._polls = Polls.NEW
        self._checked_empty = False
        self._on_its_way = False
        """Whether a sheet may be on its way into the box that was taken before the polls were paused."""
        self._running = False
        self._started_in = ""
        self._told = 0
        self._boot = ""
        self._boots: set[str] = set()
        self._monotonic_ms = 0

    def hear(self, event: LoggedEvent) -> None:
        """The next event."""
        story = self.story
        story.counts[event.id] += 1
        story.clocks[event.clock] += 1
        if "reason" in event.fields:
            story.reasons.setdefault(event.id, Counter())[event.text("reason")] += 1
        self._in_order(event)
        self._count(event)
        if event.id.startswith("polls") or event.id == "zeroCheck":
            self._of_polls(event)
        elif event.id.startswith(("sheet", "tally")):
            self._of_sheet(event)
        elif event.id in {"stationStarted", "stationStopped"}:
            self._of_station(event)
        elif event.id == "dayKeyDiscarded" and story.closed is None:
            self._wrong(self._polls_story, "keyDiscardedEarly", event, "the key of the box was discarded before the close")

    def answers(self, *, proven: bool) -> list[Check]:
        """The checks, when all has been told."""
        story = self.story
        boots = counted(story.boots, "start", "starts")
        order = self._order.answered(
            f"The log's entries follow each other through {boots} of the machine, and within each its clock never goes back.",
            proven=proven,
        )
        closed = "closed them for good" if story.closed else "has not closed them for good"
        polls = self._polls_story.answered(
            f"The station opened the polls {counted(story.openings, 'time')} and {closed}; no sheet was accepted while they were "
            "not open, and the box was found empty before they were first opened.",
            proven=proven,
        )
        told = f"The count of ballots grows by one with each of the {counted(story.accepted, 'accepted sheet')}"
        told += f", that of tally sheets with each of {len(story.tallied)}" if story.tallied else ""
        counts = self._counts.answered(f"{told}, and everything that tells it agrees.", proven=proven)
        return [order, polls, counts]

    def _wrong(self, question: Question, code: str, event: LoggedEvent, detail: str) -> None:
        question.wrong(code, self._place[event.index], f"entry {event.index} ({event.id}): {detail}")

    def _in_order(self, event: LoggedEvent) -> None:
        """Starts of the machine do not come back, and its clock only goes on."""
        if event.boot != self._boot:
            if event.boot in self._boots:
                self._wrong(self._order, "bootReturned", event, "belongs to a start of the machine that had already ended")
            self._boots.add(event.boot)
            self.story.boots = len(self._boots)
            self._boot = event.boot
        elif event.monotonic_ms < self._monotonic_ms:
            self._wrong(self._order, "clockWentBack", event, "the machine's own clock was further before")
        self._monotonic_ms = event.monotonic_ms

    def _count(self, event: LoggedEvent) -> None:
        """The running count grows by one with an accepted sheet and with nothing else that tells it."""
        accepted = event.id == "sheetAccepted"
        self.story.accepted += accepted
        if "count" not in event.fields:
            return
        expected, told = self._told + accepted, event.number("count")
        if told != expected:
            self._wrong(self._counts, "countWrong", event, f"tells {counted(told, 'ballot')}, expected {expected}")
        self._told = told

    def _of_polls(self, event: LoggedEvent) -> None:
        polls, story = self._polls, self.story
        if polls is Polls.CLOSED:
            self._wrong(self._polls_story, "afterClose", event, "the polls had been closed for good")
            return
        if event.id == "zeroCheck":
            if self._told or polls is not Polls.NEW:
                self._wrong(self._polls_story, "zeroCheckWrong", event, "the polls had been opened, or ballots were counted")
            self._checked_empty = True
        elif event.id == "pollsOpened":
            if not self._checked_empty:
                self._wrong(self._polls_story, "zeroCheckMissing", event, "no zero check came before")
            if polls is Polls.OPEN:
                self._wrong(self._polls_story, "pollsOrder", event, "the polls were open")
            story.openings += 1
            self._polls, self._checked_empty = Polls.OPEN, True
        elif event.id == "pollsPaused":
            if polls is not Polls.OPEN:
                self._wrong(self._polls_story, "pollsOrder", event, "the polls were not open")
            self._polls, self._on_its_way = Polls.PAUSED, True
        else:
            if polls is Polls.OPEN:
                self._wrong(self._polls_story, "pollsOrder", event, "the polls had not been paused before")
            self._polls, story.closed = Polls.CLOSED, event
            self._closing(event)

    def _closing(self, event: LoggedEvent) -> None:
        """What the close says of the day is what the day's events say."""
        if event.number("count") != self.story.accepted:
            detail = f"tells {event.fields['count']} ballots, {self.story.accepted} were accepted"
            self._wrong(self._counts, "closingCount", event, detail)
        if self.story.tallied and self.story.tally_closed is None:
            self._wrong(self._counts, "closingTally", event, "nothing commits to the tally sheets that were accepted")
        returned = self.story.returned.total()
        if event.number("returned") > returned:
            detail = f"tells of pictures of {event.fields['returned']} returned sheets, {returned} were returned"
            self._wrong(self._counts, "closingReturned", event, detail)

    def _of_sheet(self, event: LoggedEvent) -> None:
        if event.id == "sheetReturned":
            self.story.returned[event.text("why")] += 1
        elif event.id == "tallySetClosed":
            self._of_tally_set(event)
        elif event.id in {"sheetAccepted", "tallySheetAccepted"}:
            if event.id == "tallySheetAccepted":
                self._of_tally_sheet(event)
            if self._polls is Polls.CLOSED:
                self._wrong(self._polls_story, "afterClose", event, "the polls had been closed for good")
            elif self._polls is not Polls.OPEN and not self._on_its_way:
                self._wrong(self._polls_story, "acceptedNotOpen", event, "the polls were not open")
            # One sheet at most is on its way when the key switch pauses the polls.
            self._on_its_way = False

    def _of_tally_sheet(self, event: LoggedEvent) -> None:
        story = self.story
        story.tallied.append(event)
        told = event.number("tallySheets")
        if told != len(story.tallied):
            self._wrong(self._counts, "countWrong", event, f"tells {counted(told, 'tally sheet')}, expected {len(story.tallied)}")
        if story.tally_closed is not None:
            self._wrong(self._polls_story, "afterClose", event, "the set of tally sheets had been committed to")

    def _of_tally_set(self, event: LoggedEvent) -> None:
        story = self.story
        if story.tally_closed is not None or self._polls is Polls.CLOSED:
            self._wrong(self._polls_story, "afterClose", event, "the set of tally sheets, or the polls, had been closed")
        told = event.number("tallySheets")
        if told != len(story.tallied):
            detail = f"tells {counted(told, 'tally sheet')}, {len(story.tallied)} were accepted"
            self._wrong(self._counts, "closingCount", event, detail)
        story.tally_closed = event

    def _of_station(self, event: LoggedEvent) -> None:
        if event.id == "stationStopped":
            self._running = False
            return
        if self._running:
            if event.boot == self._started_in:
                self.story.kills += 1
            else:
                self.story.power_cuts += 1
        self._running, self._started_in = True, event.boot
