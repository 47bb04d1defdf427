"""The ballot box's books: one sheet at most is pending, and the count grows only by committing it."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from edge.evidence.reading import SheetReading


class PendingStage(StrEnum):
    """What is about to happen to the pending sheet, durable before the motion is commanded.

    After a power cut the stage and the sensors decide. A sheet still in the path is returned, whatever the stage. A sheet that is
    gone was accepted, returned, or nobody but a person can say.
    """

    ACCEPTING = "accepting"
    RETURNING = "returning"
    DOUBTFUL = "doubtful"


class StoreError(Exception):
    """The books cannot be read or written.

    Attributes:
        code: storeUnavailable, storeFull or storeCorrupt.
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
    """Durable books. Each method has done its work on the medium when it returns, or raises StoreError.

    When one raises, the books hold either what they held before or the whole change; `read` tells which.
    """

    def read(self) -> tuple[int, PendingStage | None]:
        """Give the count of sheets in the box, and the stage of the pending sheet."""

    def write_pending(self, reading: SheetReading) -> None:
        """Keep a sheet as pending, about to be accepted; a ValueError if one is pending already."""

    def mark_pending(self, stage: PendingStage) -> None:
        """Change the stage of the pending sheet; nothing happens when none is pending."""

    def commit(self) -> int:
        """Put the pending sheet into the box and give the new count, in one transaction; a ValueError if none is pending."""

    def erase(self) -> None:
        """Forget the pending sheet without a trace; nothing happens when none is pending."""

    def close(self) -> None:
        """Let go of the medium."""
