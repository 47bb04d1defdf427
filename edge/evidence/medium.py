"""One medium of the evidence: a folder with the event log and the ballot box of one election. Two media hold the same."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edge.evidence.archive import SheetKind
from edge.evidence.ballot_box import BallotBox, make_box
from edge.evidence.event_log import Change, EventLog, make_log
from edge.evidence.store import StoreError

LOG_FILE = "log.sqlite"
BOX_FILE = "box.slots"
MEDIUM = "medium"
"""Fact of a log: the random number of its medium, which says which of two media is which."""


@dataclass(frozen=True, slots=True)
class BoxShape:
    """How large a ballot box is: cast and returned sheets that it takes, and bytes of a slot."""

    cast: int
    returned: int
    slot_bytes: int


@dataclass(slots=True, eq=False)
class Medium:
    """An open medium.

    Attributes:
        name: first or second.
        folder: The folder of this election on it.
        log: Its event log.
        box: Its ballot box; None once the day key is gone, and the box cannot be read any more.
        pending: The slot of the pending sheet, if there is one.
    """

    name: str
    folder: Path
    log: EventLog
    box: BallotBox | None
    pending: int | None = field(default=None)

    @property
    def number(self) -> str:
        """The medium's own random number, hex."""
        return (self.log.fact(MEDIUM) or b"").hex()

    def open_box(self) -> BallotBox:
        """The box.

        Raises:
            StoreError: pollsClosed when its key was discarded.
        """
        if self.box is None:
            raise StoreError("pollsClosed", "the key of the ballot box was discarded")
        return self.box

    def slot_of(self, identity: uuid.UUID) -> int | None:
        """Where a sheet is; None where it is not."""
        entries = self.open_box().entries
        return next((slot for slot, entry in entries.items() if entry.id == identity), None)

    def free_bytes(self) -> int:
        """Room for the log to grow; an error also when the medium's files are not the ones that were opened any more."""
        try:
            (self.folder / LOG_FILE).stat()
            (self.folder / BOX_FILE).stat()
            about = os.statvfs(self.folder)
        except OSError as error:
            raise StoreError("storeUnavailable", f"{self.folder}: {error.strerror}") from error
        return about.f_bavail * about.f_frsize

    def close(self) -> None:
        """Let go of it."""
        self.log.close()
        if self.box is not None:
            self.box.close()


def open_medium(name: str, folder: Path, box: Callable[[EventLog], tuple[bytes, bytes | None]]) -> Medium | None:
    """Open what is in a folder; None when nothing was ever finished there.

    Args:
        name: first or second.
        folder: The folder of the election on it.
        box: Gives the box's number and the day key for a log; no key when it was discarded.

    Raises:
        StoreError: it cannot be read, is damaged, or is another log's.
    """
    try:
        if not (folder / LOG_FILE).exists():
            return None
    except OSError as error:
        raise StoreError("storeUnavailable", f"{folder}: {error.strerror}") from error
    log = EventLog(folder / LOG_FILE)
    try:
        number, key = box(log)
        opened = None if key is None else BallotBox(folder / BOX_FILE, number, key)
    except BaseException:
        log.close()
        raise
    return Medium(name, folder, log, opened)


def make_medium(
    name: str,
    folder: Path,
    *,
    facts: Mapping[str, bytes],
    box: bytes,
    key: bytes,
    shape: BoxShape,
    first: Change,
    sheets: Callable[[BallotBox], None],
    progressed: Callable[[], None],
) -> Medium:
    """Make a medium: first the box with its sheets, and last, as a whole, the log, without which nothing of it counts.

    Args:
        name: first or second.
        folder: The folder of the election on it; made if it is missing, its parent must be there.
        facts: What is fixed in the log.
        box: The box's number.
        key: The day key.
        shape: The box's size.
        first: The log's contents.
        sheets: Puts into the new box what belongs there.
        progressed: Called now and then.

    Raises:
        StoreError: storeUnavailable or storeFull.
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        (folder / BOX_FILE).unlink(missing_ok=True)
        make_box(folder / BOX_FILE, box, shape.cast + shape.returned, shape.slot_bytes, progressed)
        _sync(folder.parent)
    except OSError as error:
        code = "storeFull" if error.errno in {28, 122} else "storeUnavailable"
        raise StoreError(code, f"{folder}: {error.strerror}") from error
    opened = BallotBox(folder / BOX_FILE, box, key)
    try:
        sheets(opened)
        make_log(folder / LOG_FILE, facts, first)
        return Medium(name, folder, EventLog(folder / LOG_FILE), opened)
    except BaseException:
        opened.close()
        raise


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def settled_ids(medium: Medium, kind: SheetKind) -> frozenset[uuid.UUID]:
    """The ids of the settled sheets of a kind."""
    return frozenset(entry.id for entry in medium.open_box().entries.values() if entry.settled and entry.kind is kind)
