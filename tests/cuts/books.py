"""A small program that counts in an SQLite database and says so, and what must hold of it after a cut."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from hil.cuts.images import Cut
from hil.cuts.record import record
from hil.cuts.recording import Recording

FILE = "books.sqlite"
MADE = "made"
_PAYLOAD = "x" * 600


class LostError(Exception):
    """Something that was acknowledged is gone."""


class DamagedError(Exception):
    """The database is damaged, or holds what was never written."""


def connect(path: Path, journal: str, synchronous: str, pages: int = 6) -> sqlite3.Connection:
    """Open a database; it moves pages out of its write-ahead log whenever there are so many there."""
    books = sqlite3.connect(path, isolation_level=None)
    for pragma in (f"journal_mode = {journal}", f"synchronous = {synchronous}", f"wal_autocheckpoint = {pages}"):
        with closing(books.execute(f"PRAGMA {pragma}")) as cursor:
            cursor.fetchall()
    return books


def counted(root: Path, journal: str, synchronous: str, commits: int = 10, *, ending: str = "") -> Recording:
    """Record the program: it makes its books, commits one number after the other, and acknowledges each."""
    with record(root) as recording:
        with closing(connect(root / FILE, journal, synchronous)) as books:
            books.execute("CREATE TABLE numbers (number INTEGER PRIMARY KEY, payload TEXT)")
            recording.mark(MADE)
            for number in range(commits):
                books.execute("INSERT INTO numbers VALUES (?, ?)", (number, _PAYLOAD))
                recording.mark(f"acknowledged: {number}")
            if ending:
                books.execute(ending).fetchall()
        recording.mark("closed")
    return recording


def check(targets: Mapping[Path, Path], cut: Cut) -> None:
    """Every acknowledged number is there, at most the one that was under way as well, and the database is whole.

    Raises:
        LostError: an acknowledged number is missing.
        DamagedError: anything else.
    """
    (folder,) = targets.values()
    promised = [mark for mark in cut.marks if mark.startswith("acknowledged")]
    if not (folder / FILE).exists():
        if MADE in cut.marks:
            raise LostError("the whole database")
        return
    try:
        with closing(sqlite3.connect(folder / FILE, isolation_level=None)) as books:
            (verdict,) = books.execute("PRAGMA integrity_check").fetchone()
            if verdict != "ok":
                raise DamagedError(verdict)
            if not books.execute("SELECT 1 FROM sqlite_schema").fetchone():
                if MADE in cut.marks:
                    raise LostError("the table")
                return
            numbers = [number for (number,) in books.execute("SELECT number FROM numbers ORDER BY number")]
    except sqlite3.DatabaseError as error:
        raise DamagedError(str(error)) from error
    if numbers != list(range(len(numbers))) or len(numbers) > len(promised) + 1:
        raise DamagedError(f"it holds {numbers}, acknowledged are {len(promised)}")
    if len(numbers) < len(promised):
        raise LostError(f"it holds {len(numbers)} numbers, acknowledged are {len(promised)}")
