"""What the worker makes of the store's answers and failures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest

from edge.evidence.events import LogEvent
from edge.evidence.reading import SheetReading
from edge.evidence.store import Books, PendingStage, Polls, StoreError
from edge.station.commands import (
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
from edge.station.workers import EvidenceWorker, Worker
from tests.station.world import reading

BOOKS = Books(3, PendingStage.ACCEPTING, 7, Polls.OPEN, ("mediumLow",))
UNAVAILABLE = StoreError("storeUnavailable", "no medium")


class Store:
    """Says BOOKS to everything, unless it is told to fail."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.asked: list[str] = []
        self.noted: list[LogEvent] = []

    def _say(self, question: str) -> Books:
        self.asked.append(question)
        if self.failure is not None:
            raise self.failure
        return BOOKS

    def read(self) -> Books:
        return self._say("read")

    def write_pending(self, reading: SheetReading) -> Books:
        return self._say(f"write {reading.record.decode()}")

    def mark_pending(self, stage: PendingStage) -> Books:
        return self._say(f"mark {stage}")

    def commit(self) -> Books:
        return self._say("commit")

    def erase(self) -> Books:
        return self._say("erase")

    def keep_returned(self, reading: SheetReading) -> Books:
        return self._say(f"keep {reading.record.decode()}")

    def open_polls(self) -> Books:
        return self._say("open")

    def pause_polls(self) -> Books:
        return self._say("pause")

    def note(self, events: Sequence[LogEvent]) -> Books:
        books = self._say(f"note {len(events)}")
        self.noted += events
        return books

    def tend(self) -> Books:
        return self._say("tend")

    def close(self) -> None:
        self.asked.append("close")


class Desk:
    """A worker and what it has posted."""

    def __init__(self) -> None:
        self.store = Store()
        self.posted: list[Event] = []
        self.worker = Worker("evidence", self._failed)
        self.evidence = EvidenceWorker(self.worker, self.store, self.posted.append)
        self.failures: list[BaseException] = []

    def _failed(self, error: BaseException) -> None:
        self.failures.append(error)

    def end(self) -> None:
        self.evidence.close()
        assert self.worker.stop(5)
        assert self.failures == []


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.worker.stop(5)


ANSWERS: list[tuple[EvidenceCommand, str, Event]] = [
    (ReadEvidence(1), "read", EvidenceRead(1, BOOKS)),
    (WritePending(2, reading()), "write {}", PendingWritten(2)),
    (MarkPending(3, PendingStage.DOUBTFUL), "mark doubtful", PendingMarked(3)),
    (CommitSheet(4), "commit", SheetCommitted(4, BOOKS)),
    (ErasePending(5), "erase", PendingErased(5, BOOKS)),
    (OpenPolls(6), "open", PollsSet(6, BOOKS)),
    (PausePolls(7), "pause", PollsSet(7, BOOKS)),
    (KeepReturned(reading("return")), "keep {}", EvidenceTold(BOOKS)),
    (NoteEvents((LogEvent("jamCleared"),)), "note 1", EvidenceTold(BOOKS)),
    (TendEvidence(), "tend", EvidenceTold(BOOKS)),
]


def test_every_command_is_carried_out_in_order_and_answered(desk: Desk) -> None:
    for command, _, _ in ANSWERS:
        desk.evidence.submit(command)
    desk.end()
    assert desk.store.asked == [*(question for _, question, _ in ANSWERS), "close"]
    assert desk.posted == [answer for _, _, answer in ANSWERS]


@pytest.mark.parametrize(
    ("failure", "code", "detail"),
    [
        (UNAVAILABLE, "storeUnavailable", "no medium"),
        (RuntimeError("a text that could quote the sheet"), "storeConfused", "the store failed: RuntimeError"),
        (ValueError("a text that could quote the sheet"), "storeConfused", "the store failed: ValueError"),
    ],
)
def test_every_failure_is_told_and_no_word_of_it_that_could_quote_a_sheet(
    desk: Desk, failure: Exception, code: str, detail: str
) -> None:
    desk.store.failure = failure
    for command, _, _ in ANSWERS:
        desk.evidence.submit(command)
    desk.end()
    numbered = [EvidenceFailed(number, code, detail) for number in range(1, 8)]
    assert desk.posted == [*numbered, *[EvidenceTrouble(code, detail)] * 3]


def later(desk: Desk, change: Callable[[], None]) -> None:
    """Change something when everything before is done."""
    desk.worker.submit(change)


def event(number: int) -> LogEvent:
    return LogEvent("jam", {"reason": str(number)})


def test_what_could_not_be_written_down_is_written_before_what_comes_next(desk: Desk) -> None:
    desk.store.failure = UNAVAILABLE
    desk.evidence.submit(NoteEvents((event(1), event(2))))
    desk.evidence.submit(KeepReturned(reading("return")))
    desk.evidence.submit(NoteEvents((event(3),)))
    later(desk, lambda: setattr(desk.store, "failure", None))
    desk.evidence.submit(NoteEvents((event(4),)))
    desk.evidence.submit(NoteEvents((event(5),)))
    desk.end()
    rejected = LogEvent("sheetReturned", {"why": "rejected"})
    assert desk.store.noted == [event(1), event(2), rejected, event(3), event(4), event(5)]
    assert desk.store.asked[-3:] == ["note 5", "note 1", "close"]


def test_of_very_many_the_earliest_are_forgotten(desk: Desk) -> None:
    desk.store.failure = UNAVAILABLE
    for number in range(250):
        desk.evidence.submit(NoteEvents((event(number),)))
    later(desk, lambda: setattr(desk.store, "failure", None))
    desk.evidence.submit(NoteEvents((event(250),)))
    desk.end()
    assert desk.store.noted == [event(number) for number in range(51, 251)]
