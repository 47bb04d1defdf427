"""What SQLite does is taken down under the unchanged sqlite3, and afterwards SQLite is as it was."""

from __future__ import annotations

import _sqlite3
import resource
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from types import ModuleType

import pytest

from hil.cuts.error import RecordingError
from hil.cuts.operations import Entered, FolderSynced, Marked, Removed, Resized, Synced, Wrote
from hil.cuts.record import record
from hil.cuts.recording import Recording
from hil.cuts.sqlite_library import default_vfs
from tests.cuts import books


def _between(recording: Recording, first: str, last: str) -> list[str]:
    """What happened between two marks: each operation and the file."""
    said = [
        f"{type(recorded.operation).__name__} {recorded.where.rpartition('/')[2]}"
        for recorded in recording.operations
        if isinstance(recorded.operation, Wrote | Resized | Synced | Entered | Removed | FolderSynced | Marked)
    ]
    return said[said.index(f"Marked {first}") + 1 : said.index(f"Marked {last}")]


@pytest.mark.parametrize(
    ("journal", "synchronous", "expected"),
    [
        ("WAL", "FULL", ["Wrote books.sqlite-wal", "Wrote books.sqlite-wal", "Synced books.sqlite-wal"]),
        ("WAL", "NORMAL", ["Wrote books.sqlite-wal", "Wrote books.sqlite-wal"]),
        (
            "DELETE",
            "EXTRA",
            [
                "Entered books.sqlite-journal",
                *["Wrote books.sqlite-journal"] * 7,
                "Synced books.sqlite-journal",
                "FolderSynced evidence",  # SQLite does that by itself when a journal is new
                "Wrote books.sqlite-journal",
                "Synced books.sqlite-journal",
                *["Wrote books.sqlite"] * 2,
                "Synced books.sqlite",
                "Removed books.sqlite-journal",
                "FolderSynced evidence",  # and that, only with EXTRA, when it was deleted
            ],
        ),
    ],
)
def test_a_commit_is_the_writes_and_syncs_that_sqlite_documents(
    root: Path, journal: str, synchronous: str, expected: list[str]
) -> None:
    recording = books.counted(root, journal, synchronous, commits=2)
    assert _between(recording, "acknowledged: 0", "acknowledged: 1") == expected


@pytest.mark.parametrize("journal", ["WAL", "DELETE", "TRUNCATE", "PERSIST", "MEMORY", "OFF"])
@pytest.mark.parametrize("synchronous", ["OFF", "NORMAL", "FULL", "EXTRA"])
def test_the_replay_is_what_is_there_in_every_mode(root: Path, journal: str, synchronous: str) -> None:
    # `record` compares; rollbacks, spilled pages and a vacuum are among what it sees.
    with record(root), closing(books.connect(root / books.FILE, journal, synchronous)) as opened:
        opened.executescript("PRAGMA cache_size = 2; PRAGMA page_size = 1024; CREATE TABLE it (a, b)")
        opened.execute("BEGIN")
        opened.executemany("INSERT INTO it VALUES (?, ?)", [(number, "y" * 700) for number in range(60)])
        opened.execute("COMMIT")
        if journal != "OFF":
            opened.executescript("BEGIN; UPDATE it SET b = 'z'; ROLLBACK")
        opened.executescript("DELETE FROM it WHERE a % 3; VACUUM")
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        opened.execute("INSERT INTO it VALUES (1, 2)")
        opened.close()


def test_databases_elsewhere_and_in_memory_are_not_taken_down(root: Path, tmp_path: Path) -> None:
    with record(root) as recording:
        for name in (str(tmp_path / "other.sqlite"), ":memory:", ""):
            with closing(sqlite3.connect(name)) as opened:
                opened.executescript("CREATE TABLE it (a); CREATE TEMP TABLE its (b)")
    assert recording.operations == []


def test_a_database_that_is_open_at_the_end_goes_on(root: Path) -> None:
    with closing(books.connect(root / books.FILE, "WAL", "FULL")) as early:
        early.execute("CREATE TABLE it (a)")
        with record(root) as recording:
            late = books.connect(root / books.FILE, "WAL", "FULL")
            late.execute("INSERT INTO it VALUES (1)")
        count = len(recording.operations)
        late.execute("INSERT INTO it VALUES (2)")
        assert early.execute("SELECT a FROM it").fetchall() == [(1,), (2,)]
        late.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        late.close()
    assert len(recording.operations) == count


def test_a_database_that_was_open_before_is_found_at_the_end(root: Path) -> None:
    with closing(books.connect(root / books.FILE, "WAL", "FULL")) as early:
        early.execute("CREATE TABLE it (a)")
        with pytest.raises(RecordingError) as error, record(root):
            early.execute("INSERT INTO it VALUES (1)")
    assert error.value.code == "replayDiffers"


def test_threads_write_at_the_same_time(root: Path) -> None:
    def work(number: int) -> None:
        with closing(books.connect(root / f"{number}.sqlite", "WAL", "FULL")) as opened:
            opened.execute("CREATE TABLE it (a)")
            for value in range(20):
                opened.execute("INSERT INTO it VALUES (?)", (value,))
                (root / f"{number}-{value}").write_bytes(b"also")

    with record(root):
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def test_a_database_in_mapped_memory_is_refused(root: Path) -> None:
    with (
        pytest.raises(RecordingError, match="mapped into memory") as error,
        record(root),
        closing(books.connect(root / books.FILE, "WAL", "FULL")) as opened,
    ):
        opened.execute("PRAGMA mmap_size = 1000000").fetchall()
    assert error.value.code == "callFailed"


def test_no_database_is_mapped_into_memory_by_default(root: Path) -> None:
    with closing(sqlite3.connect(root / "it")) as opened:
        assert opened.execute("PRAGMA mmap_size").fetchone() == (0,)


def test_a_database_made_past_the_recording_spoils_it(root: Path) -> None:
    def act() -> None:
        with closing(sqlite3.connect(f"file:{root / books.FILE}?vfs=unix-none", uri=True)) as opened:
            opened.execute("CREATE TABLE it (a)")
        books.connect(root / books.FILE, "WAL", "FULL").close()

    with pytest.raises(RecordingError, match="was made in a way that is not recorded") as error, record(root):
        act()
    assert error.value.code == "callFailed"


def test_a_write_that_failed_spoils_the_recording(root: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill() -> None:
        with closing(books.connect(root / books.FILE, "WAL", "FULL")) as opened:
            opened.execute("CREATE TABLE it (a)")
            resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, limits[1]))
            opened.execute("INSERT INTO it VALUES (?)", ("x" * 100_000,))

    try:
        with pytest.raises(RecordingError, match="nobody knows how much") as error, record(root):
            fill()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert error.value.code == "callFailed"
    assert isinstance(error.value.__cause__, sqlite3.OperationalError)


def test_afterwards_sqlite_is_as_it_was(root: Path) -> None:
    vfs = default_vfs(_sqlite3)
    before = (vfs.xOpen, vfs.xDelete)
    with record(root):
        assert (vfs.xOpen, vfs.xDelete) != before
    assert (vfs.xOpen, vfs.xDelete) == before
    with pytest.raises(sqlite3.OperationalError), record(root):
        sqlite3.connect(root / "none" / "it")
    assert (vfs.xOpen, vfs.xDelete) == before


@pytest.mark.parametrize("file", ["libc.so.6", "/nowhere/libsqlite3.so"])
def test_an_sqlite_that_cannot_be_reached_is_a_named_error(file: str) -> None:
    module = ModuleType("_sqlite3")
    module.__file__ = file
    with pytest.raises(RecordingError) as error:
        default_vfs(module)
    assert error.value.code == "sqliteUnreachable"
