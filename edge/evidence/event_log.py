"""The event log of one medium: entries, their leaf hashes, signed checkpoints and the running counts, in one SQLite file.

Write-ahead log and `synchronous = FULL`: a transaction is one write that is synced once, and durable when it returns. Nothing
about a ballot is in here, so the pages that SQLite leaves behind tell nothing but when what happened.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from edge.evidence.archive import SheetKind
from edge.evidence.folder import sync_folder
from edge.evidence.store import PendingStage, Polls, StoreError
from edge.evidence.tlog.merkle import leaf_hash

_VERSION = 3
"""Also in the schema."""
_LEAST_BYTES = 512
"""SQLite's smallest page."""
_PATIENCE_S = 5.0
"""Another process (an export) may hold the file for a moment."""
_SCHEMA = """
    CREATE TABLE facts (name TEXT PRIMARY KEY, content BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE entries (sequence INTEGER PRIMARY KEY, entry BLOB NOT NULL, leaf BLOB NOT NULL);
    CREATE TABLE checkpoints (size INTEGER PRIMARY KEY, note BLOB NOT NULL);
    CREATE TABLE notes (name TEXT PRIMARY KEY, note BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE state (
        one INTEGER PRIMARY KEY CHECK (one = 1), revision INTEGER NOT NULL, cast_sheets INTEGER NOT NULL,
        returned_sheets INTEGER NOT NULL, pending TEXT, polls TEXT NOT NULL, tally_sheets INTEGER NOT NULL
    );
    INSERT INTO state VALUES (1, 0, 0, 0, NULL, 'new', 0);
    PRAGMA user_version = 3;
"""
_STATE = "SELECT revision, cast_sheets, returned_sheets, pending, polls, tally_sheets FROM state"


@dataclass(frozen=True, slots=True)
class LogState:
    """The running state, changed together with the events that tell of it.

    Attributes:
        revision: How many transactions there were; of two media the one with more is ahead.
        cast: Ballots in the box.
        returned: Returned sheets whose pictures are kept.
        pending: See `PendingStage`; None when no sheet is pending.
        polls: How far the election has come.
        tallied: Tally sheets in the box.
    """

    revision: int = 0
    cast: int = 0
    returned: int = 0
    pending: PendingStage | None = None
    polls: Polls = Polls.NEW
    tallied: int = 0

    def kept(self, kind: SheetKind) -> int:
        """Settled sheets of a kind."""
        return {SheetKind.CAST: self.cast, SheetKind.RETURNED: self.returned, SheetKind.TALLY: self.tallied}[kind]


@dataclass(frozen=True, slots=True)
class Change:
    """What one transaction adds.

    Attributes:
        state: The state after it.
        entries: Entries and their leaf hashes, in order.
        checkpoints: Signed checkpoints by size.
        notes: Other signed notes by name.
    """

    state: LogState
    entries: Sequence[tuple[bytes, bytes]] = ()
    checkpoints: Mapping[int, bytes] = field(default_factory=dict)
    notes: Mapping[str, bytes] = field(default_factory=dict)


def make_log(path: Path, facts: Mapping[str, bytes], first: Change) -> None:
    """Make a log with its first transaction and put it in its place whole: a log without entries is never seen.

    Raises:
        StoreError: storeUnavailable or storeFull.
    """
    unfinished = path.with_suffix(".new")
    with _told(path):
        # Also what a former log has left beside its name: SQLite would take its write-ahead log for the new one's.
        for leftover in (unfinished, *(Path(f"{log}{end}") for log in (unfinished, path) for end in ("-wal", "-shm"))):
            leftover.unlink(missing_ok=True)
        # For nobody else's eyes; SQLite gives the files beside it the same mode.
        os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        books = _connect(unfinished)
        try:
            books.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
            with books:
                books.execute("BEGIN IMMEDIATE")
                books.executemany("INSERT INTO facts VALUES (?, ?)", facts.items())
                _apply(books, 0, first)
            _run(books, "PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            books.close()
        unfinished.rename(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class EventLog:
    """An open log. All calls from one thread; other processes may read and write it too.

    Raises:
        StoreError: storeUnavailable, storeFull or storeCorrupt, from every method. A file that is not ours, or that contradicts
            itself, is never repaired or replaced.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with _told(path):
            if not path.is_file():
                raise StoreError("storeUnavailable", f"{path} is missing")
            if path.stat().st_size < _LEAST_BYTES:
                # SQLite would make it a database.
                raise StoreError("storeCorrupt", f"{path} is too short to be a log")
            _make_durable(path)
            self._books = _connect(path)
            try:
                self._check()
            except BaseException:
                self._books.close()
                raise

    def fact(self, name: str) -> bytes | None:
        """Something that was fixed when the log was made; None where it is not there."""
        with _told(self._path):
            row = self._books.execute("SELECT content FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else bytes(row[0])

    def facts(self) -> dict[str, bytes]:
        """Everything that was fixed when the log was made."""
        with _told(self._path):
            return {str(name): bytes(content) for name, content in self._books.execute("SELECT name, content FROM facts")}

    def state(self) -> LogState:
        """The running state."""
        with _told(self._path):
            return self._state()

    def leaves(self) -> list[bytes]:
        """The leaf hashes, in order."""
        with _told(self._path):
            return [bytes(row[0]) for row in self._books.execute("SELECT leaf FROM entries ORDER BY sequence")]

    def entries(self, start: int = 0) -> list[tuple[bytes, bytes]]:
        """Entries with their leaf hashes, in order, from one on."""
        with _told(self._path):
            rows = self._books.execute("SELECT entry, leaf FROM entries WHERE sequence >= ? ORDER BY sequence", (start,))
            return [(bytes(entry), bytes(leaf)) for entry, leaf in rows]

    def checkpoints(self) -> dict[int, bytes]:
        """Every signed checkpoint by its size."""
        with _told(self._path):
            return {
                int(size): bytes(note) for size, note in self._books.execute("SELECT size, note FROM checkpoints ORDER BY size")
            }

    def notes(self) -> dict[str, bytes]:
        """The other signed notes."""
        with _told(self._path):
            return {str(name): bytes(note) for name, note in self._books.execute("SELECT name, note FROM notes")}

    def write(self, change: Change) -> None:
        """One transaction, durable when it returns; `change.state.revision` must be the next one.

        Raises:
            StoreError: also storeBehind when another process, or this one, has gone on without this medium.
        """
        with _told(self._path), self._books:
            self._books.execute("BEGIN IMMEDIATE")
            state = self._state()
            if change.state.revision != state.revision + 1:
                raise StoreError(
                    "storeBehind", f"{self._path} is at revision {state.revision}, expected {change.state.revision - 1}"
                )
            (size,) = self._books.execute("SELECT coalesce(max(sequence) + 1, 0) FROM entries").fetchone()
            _apply(self._books, size, change)

    def catch_up(self, leader: EventLog) -> bool:
        """Add what the leader has beyond this log; whether there was anything.

        Raises:
            StoreError: also storeCorrupt when this log is not a beginning of the leader's.
        """
        entries, own = leader.entries(), self.entries()
        state = leader.state()
        if entries[: len(own)] != own or self.state().revision > state.revision:
            raise StoreError("storeCorrupt", f"{self._path} contradicts the other medium")
        if self.state() == state and len(own) == len(entries) and self.checkpoints() == leader.checkpoints():
            return False
        with _told(self._path), self._books:
            self._books.execute("BEGIN IMMEDIATE")
            self._books.execute("DELETE FROM checkpoints")
            self._books.execute("DELETE FROM notes")
            _apply(self._books, len(own), Change(state, entries[len(own) :], leader.checkpoints(), leader.notes()))
        return True

    def ahead_bytes(self) -> int:
        """Size of the write-ahead log; 0 where there is none."""
        try:
            return Path(f"{self._path}-wal").stat().st_size
        except OSError:
            return 0

    def tidy(self, *, whole: bool = False) -> None:
        """Move what the write-ahead log holds into the file, so that it does not grow; with `whole`, leave it empty."""
        with _told(self._path):
            _run(self._books, f"PRAGMA wal_checkpoint({'TRUNCATE' if whole else 'PASSIVE'})")

    def close(self) -> None:
        """Let go of the file."""
        self._books.close()

    def _check(self) -> None:
        (version,) = self._books.execute("PRAGMA user_version").fetchone()
        if version != _VERSION:
            raise StoreError("storeCorrupt", f"{self._path} has version {version}, this software knows {_VERSION}")
        found = self._books.execute("PRAGMA integrity_check(1)").fetchone()
        if found != ("ok",):
            raise StoreError("storeCorrupt", f"{self._path} is damaged: {found}")
        (size, last) = self._books.execute("SELECT count(*), coalesce(max(sequence) + 1, 0) FROM entries").fetchone()
        if size != last or size == 0:
            raise StoreError("storeCorrupt", f"{self._path} has {size} entries up to number {last}")
        # SQLite has no checksums of its own.
        for number, entry, leaf in self._books.execute("SELECT sequence, entry, leaf FROM entries"):
            if not isinstance(entry, bytes) or leaf != leaf_hash(entry):
                raise StoreError("storeCorrupt", f"{self._path}: entry {number} is damaged")
        self._state()

    def _state(self) -> LogState:
        row = self._books.execute(_STATE).fetchone()
        if row is None:
            raise StoreError("storeCorrupt", f"{self._path} has no state")
        revision, cast, returned, pending, polls, tallied = row
        try:
            stage = None if pending is None else PendingStage(pending)
            return LogState(revision, cast, returned, stage, Polls(polls), tallied)
        except ValueError as error:
            raise StoreError("storeCorrupt", f"{self._path} has an unknown state: {error}") from error


def _make_durable(path: Path) -> None:
    """Sync what a killed process has written and not synced: it can be read, and a power cut could still take it away.

    Not the file itself: to close it would end the locks that SQLite has on it in this process, and SQLite syncs it before it
    forgets the write-ahead log.
    """
    with suppress(FileNotFoundError):
        ahead = os.open(f"{path}-wal", os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            os.fsync(ahead)
        finally:
            os.close(ahead)
    sync_folder(path.parent)


def _apply(books: sqlite3.Connection, size: int, change: Change) -> None:
    books.executemany(
        "INSERT INTO entries VALUES (?, ?, ?)", [(number, *entry) for number, entry in enumerate(change.entries, size)]
    )
    books.executemany("INSERT INTO checkpoints VALUES (?, ?)", change.checkpoints.items())
    books.executemany("INSERT INTO notes VALUES (?, ?)", change.notes.items())
    state = change.state
    pending = None if state.pending is None else str(state.pending)
    books.execute(
        "UPDATE state SET revision = ?, cast_sheets = ?, returned_sheets = ?, pending = ?, polls = ?, tally_sheets = ?",
        (state.revision, state.cast, state.returned, pending, str(state.polls), state.tallied),
    )


def _connect(path: Path) -> sqlite3.Connection:
    books = sqlite3.connect(path, isolation_level=None, timeout=_PATIENCE_S)
    try:
        # Moving pages out of the write-ahead log costs more syncs: that is for a quiet moment (`tidy`), not while a sheet waits.
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "wal_autocheckpoint = 0",
            "secure_delete = ON",
            "temp_store = MEMORY",
            "cell_size_check = ON",
            "mmap_size = 0",
        ):
            _run(books, f"PRAGMA {pragma}")
    except BaseException:
        books.close()
        raise
    return books


def _run(books: sqlite3.Connection, statement: str) -> None:
    with closing(books.execute(statement)) as cursor:
        cursor.fetchall()


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(_code(error), f"{path}: {error}") from error
    except OSError as error:
        raise StoreError("storeUnavailable", f"{path}: {error.strerror}") from error


def _code(error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None and code & 0xFF == sqlite3.SQLITE_FULL:
        return "storeFull"
    if isinstance(error, sqlite3.OperationalError):
        return "storeUnavailable"
    return "storeCorrupt"
