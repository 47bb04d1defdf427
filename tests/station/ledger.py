"""The evidence of a made-up world in a few lines: what is durable, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge.evidence.events import LogEvent
from edge.evidence.store import Books, PendingStage, Polls
from edge.station.commands import (
    AnsweredCommand,
    CommitSheet,
    ErasePending,
    EvidenceCommand,
    KeepReturned,
    MarkPending,
    NoteEvents,
    OpenPolls,
    PausePolls,
    ReadEvidence,
    TendEvidence,
    UnansweredCommand,
    WritePending,
)
from edge.station.events import (
    Event,
    EvidenceFailed,
    EvidenceRead,
    EvidenceTold,
    EvidenceTrouble,
    PendingErased,
    PendingMarked,
    PendingWritten,
    PollsSet,
    SheetCommitted,
)


@dataclass
class Ledger:
    """What is durable.

    Attributes:
        count: Sheets in the box.
        stage: What is about to happen to the pending sheet; None when there is none.
        polls: How far the election has come.
        returned: Rejected sheets that were kept.
        log: Events that the station wrote into the log.
        room: How many sheets it takes.
        alarms: What it complains about.
        store_works: Whether it answers.
    """

    count: int = 0
    stage: PendingStage | None = None
    polls: Polls = Polls.NEW
    returned: int = 0
    log: list[LogEvent] = field(default_factory=list)
    room: int = 1_000
    alarms: tuple[str, ...] = ()
    store_works: bool = True

    def wrote(self) -> None:
        """A sheet was written down."""

    def counted(self) -> None:
        """It was counted."""

    @property
    def books(self) -> Books:
        """What the evidence holds."""
        used = self.count + (self.stage is not None)
        room = 0 if self.polls is Polls.CLOSED else max(0, self.room - used)
        return Books(self.count, self.stage, room, self.polls, self.alarms)

    def carry_out(self, command: EvidenceCommand) -> Event:
        """Carry out a command, and give the answer."""
        if isinstance(command, UnansweredCommand):
            return self._told(command)
        if not self.store_works:
            return EvidenceFailed(command.number, "storeUnavailable", "no medium")
        return self._answered(command)

    def _told(self, command: UnansweredCommand) -> Event:
        if not self.store_works:
            return EvidenceTrouble("storeUnavailable", "no medium")
        match command:
            case KeepReturned():
                assert self.stage is None, "a sheet that is on its way into the box is no returned one"
                self.returned += 1
            case NoteEvents(events=events):
                self.log.extend(events)
            case TendEvidence():
                pass
        return EvidenceTold(self.books)

    def _answered(self, command: AnsweredCommand) -> Event:
        match command:
            case ReadEvidence(number=number):
                return EvidenceRead(number, self.books)
            case WritePending(number=number):
                return self._written(number)
            case MarkPending(number=number, stage=stage):
                self.stage = stage if self.stage is not None else None
                return PendingMarked(number)
            case CommitSheet(number=number):
                assert self.stage is not None, "nothing is pending"
                self.count, self.stage = self.count + 1, None
                self.counted()
                return SheetCommitted(number, self.books)
            case ErasePending(number=number):
                self.stage = None
                return PendingErased(number, self.books)
            case OpenPolls(number=number):
                if self.polls is Polls.CLOSED:
                    return EvidenceFailed(number, "pollsClosed", "for good")
                self.polls = Polls.OPEN
                return PollsSet(number, self.books)
            case PausePolls(number=number):
                self.polls = Polls.PAUSED if self.polls is Polls.OPEN else self.polls
                return PollsSet(number, self.books)

    def _written(self, number: int) -> Event:
        assert self.stage is None, "a second sheet is written down before the first is settled"
        if self.polls is not Polls.OPEN:
            return EvidenceFailed(number, "pollsClosed", "the polls are not open")
        if self.books.room == 0:
            return EvidenceFailed(number, "storeFull", "no room")
        self.stage = PendingStage.ACCEPTING
        self.wrote()
        return PendingWritten(number)

    def close_for_good(self) -> None:
        """Another process closes the polls in the evidence, as it may while they are paused."""
        if self.stage is None and self.polls is not Polls.OPEN:
            self.polls = Polls.CLOSED
