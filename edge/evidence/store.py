"""What the station knows of its evidence: one sheet at most is pending, and the count grows only by committing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from edge.evidence.events import LogEvent
from edge.evidence.reading import SheetReading


class PendingStage(StrEnum):
    """What is about to happen to the pending sheet, durable before the motion is commanded.

    After a power cut the stage and the sensors decide. A sheet still in the path is returned, whatever the stage. A sheet that is
    gone was accepted, returned, or nobody but a person can say.
    """

    ACCEPTING = "accepting"
    RETURNING = "returning"
    DOUBTFUL = "doubtful"


class Polls(StrEnum):
    """How far the election has come on this device."""

    NEW = "new"
    """Never opened."""
    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"
    """For good: the set of ballots is committed to, and no sheet is ever accepted again."""


@dataclass(frozen=True, slots=True)
class Books:
    """What the evidence holds.

    Attributes:
        count: Ballots in the box.
        pending: What is about to happen to the sheet on its way into the box; None when there is none.
        room: How many more sheets can be kept; 0 = none may be taken.
        polls: How far the election has come.
        alarms: Reason codes of what is wrong though the evidence goes on: mediumLost, mediumLow.
        tally_sheets: Tally sheets in the box.
    """

    count: int = 0
    pending: PendingStage | None = None
    room: int = 0
    polls: Polls = Polls.NEW
    alarms: tuple[str, ...] = ()
    tally_sheets: int = 0


class StoreError(Exception):
    """The evidence cannot be read or written.

    Attributes:
        code: storeUnavailable, storeFull, storeCorrupt, storeForeign, logBehind, mediumBehind, sheetTooLarge, pollsClosed, or a
        code of
            the keys (keyMissing, keyTooOpen, keyForeign, keyMalformed, keyUnavailable).
        detail: One sentence.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        """Give the message: `code: detail`."""
        return f"{self.code}: {self.detail}"


class SheetStore(Protocol):
    """Durable evidence. Each method has done its work on every medium when it returns, or raises StoreError.

    When one raises, the evidence holds either what it held before or the whole change; `read` tells which. All calls from one
    thread.
    """

    def read(self) -> Books:
        """Open the evidence anew, mend what a cut has left half done, and say what it holds."""

    def write_pending(self, reading: SheetReading) -> Books:
        """Keep a sheet as pending, about to be accepted; a ValueError if one is pending already."""

    def mark_pending(self, stage: PendingStage) -> Books:
        """Change the stage of the pending sheet; nothing happens when none is pending."""

    def commit(self) -> Books:
        """Put the pending sheet into the box: event and count in one transaction; a ValueError if none is pending."""

    def erase(self) -> Books:
        """Forget the pending sheet without a trace; nothing happens when none is pending."""

    def keep_returned(self, reading: SheetReading) -> Books:
        """Write down that a sheet is rejected, and keep its pictures where there is room for them."""

    def open_polls(self) -> Books:
        """Let sheets be accepted, after a zero check the first time; a StoreError `pollsClosed` once they are closed for good."""

    def pause_polls(self) -> Books:
        """Accept no sheets for now; nothing happens when the polls are not open."""

    def note(self, events: Sequence[LogEvent]) -> Books:
        """Write events into the log."""

    def tend(self) -> Books:
        """What falls due with time: checkpoints, housekeeping, a look at the media. To be called about once a minute."""

    def close(self) -> None:
        """Let go of the media."""
