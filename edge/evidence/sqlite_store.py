"""The books in one SQLite file: durable before each method returns, and without the order in which sheets came.

Sheets lie under random ids in a table without row numbers, and what is deleted is overwritten.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from edge.evidence.reading import SheetReading, pack_sheet
from edge.evidence.store import PendingStage, StoreError

_FILE = "box.sqlite"
_VERSION = 1
"""Also in the schema."""
_ID_BYTES = 16
_PATIENCE_S = 5.0
"""Another process (a backup, an auditor) may hold the file for a moment."""
_SCHEMA = """
    CREATE TABLE sheets (id BLOB PRIMARY KEY, sheet BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE pending (one INTEGER PRIMARY KEY CHECK (one = 1), id BLOB NOT NULL, stage TEXT NOT NULL);
    CREATE TABLE box (one INTEGER PRIMARY KEY CHECK (one = 1), count INTEGER NOT NULL);
    INSERT INTO box VALUES (1, 0);
    PRAGMA user_version = 1;
"""


class SqliteStore:
    """Keeps `edge.evidence.store.SheetStore` in `folder`/box.sqlite; made where there is none. All calls from one thread.

    A file that is not ours, or that contradicts itself, is never repaired or replaced: every method raises `storeCorrupt`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: sqlite3.Connection | None = None

    def read(self) -> tuple[int, PendingStage | None]:
        """Give the count and the stage of the pending sheet, after checking that both agree with the sheets that are there."""
        with self._transaction() as books:
            count = _count(books)
            pending = books.execute("SELECT stage FROM pending").fetchone()
            (sheets,) = books.execute("SELECT count(*) FROM sheets").fetchone()
        if sheets != count + (pending is not None):
            raise StoreError("storeCorrupt", f"{sheets} sheets are kept, {count} are counted")
        try:
            return count, None if pending is None else PendingStage(pending[0])
        except ValueError as error:
            raise StoreError("storeCorrupt", f"a pending sheet has the unknown stage {pending[0]!r}") from error

    def write_pending(self, reading: SheetReading) -> None:
        """Keep a sheet as pending."""
        packed = pack_sheet(reading)
        identifier = secrets.token_bytes(_ID_BYTES)
        with self._transaction() as books:
            if books.execute("SELECT 1 FROM pending").fetchone():
                raise ValueError("a sheet is pending already")
            books.execute("INSERT INTO sheets VALUES (?, ?)", (identifier, packed))
            books.execute("INSERT INTO pending VALUES (1, ?, ?)", (identifier, str(PendingStage.ACCEPTING)))

    def mark_pending(self, stage: PendingStage) -> None:
        """Change the stage of the pending sheet, if there is one."""
        with self._transaction() as books:
            books.execute("UPDATE pending SET stage = ?", (str(stage),))

    def commit(self) -> int:
        """Count the pending sheet."""
        with self._transaction() as books:
            if books.execute("DELETE FROM pending").rowcount != 1:
                raise ValueError("no sheet is pending")
            books.execute("UPDATE box SET count = count + 1")
            return _count(books)

    def erase(self) -> None:
        """Forget the pending sheet, if there is one."""
        with self._transaction() as books:
            books.execute("DELETE FROM sheets WHERE id IN (SELECT id FROM pending)")
            books.execute("DELETE FROM pending")

    def sheets(self) -> Iterator[bytes]:
        """Every counted sheet as packed, by id: in no order that says anything."""
        with self._transaction() as books:
            rows = books.execute("SELECT sheet FROM sheets WHERE id NOT IN (SELECT id FROM pending) ORDER BY id")
            yield from (bytes(row[0]) for row in rows)

    def close(self) -> None:
        """Let go of the file."""
        if self._open is not None:
            self._open.close()
            self._open = None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """One transaction: whole or not at all; after a failure the file is opened anew."""
        try:
            books = self._books()
            with books:
                books.execute("BEGIN IMMEDIATE")
                yield books
        except sqlite3.Error as error:
            self.close()
            raise StoreError(_code(error), f"{self._folder / _FILE}: {error}") from error
        except OSError as error:
            self.close()
            raise StoreError("storeUnavailable", f"{self._folder}: {error.strerror}") from error

    def _books(self) -> sqlite3.Connection:
        if self._open is None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._folder / _FILE
            if not path.exists():
                _make(path)
            self._open = _connect(path, _check)
        return self._open


def _make(path: Path) -> None:
    """Make empty books beside their place and put them there whole: books without contents are never new ones."""
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    _connect(unfinished, lambda books: books.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")).close()
    unfinished.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _connect(path: Path, prepare: Callable[[sqlite3.Connection], object]) -> sqlite3.Connection:
    books = sqlite3.connect(path, isolation_level=None, timeout=_PATIENCE_S)
    try:
        # EXTRA also makes the deletion of the rollback journal durable: that deletion is the commit.
        for pragma in ("journal_mode = DELETE", "synchronous = EXTRA", "secure_delete = ON", "temp_store = MEMORY"):
            with closing(books.execute(f"PRAGMA {pragma}")):
                pass
        prepare(books)
    except BaseException:
        books.close()
        raise
    return books


def _check(books: sqlite3.Connection) -> None:
    (version,) = books.execute("PRAGMA user_version").fetchone()
    if version != _VERSION:
        raise StoreError("storeCorrupt", f"the books have version {version}, this software knows {_VERSION}")


def _count(books: sqlite3.Connection) -> int:
    row = books.execute("SELECT count FROM box").fetchone()
    if row is None:
        raise StoreError("storeCorrupt", "the count is missing")
    return int(row[0])


def _code(error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None and code & 0xFF == sqlite3.SQLITE_FULL:
        return "storeFull"
    if isinstance(error, sqlite3.OperationalError):
        return "storeUnavailable"
    return "storeCorrupt"
