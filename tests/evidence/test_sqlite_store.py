"""The books: whole or not at all, never the order, and never repaired in silence."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from edge.decision import Disposition
from edge.evidence.reading import SheetReading, unpack_sheet
from edge.evidence.sqlite_store import SqliteStore
from edge.evidence.store import PendingStage, StoreError

FILE = "box.sqlite"


def reading(text: str = "sheet") -> SheetReading:
    return SheetReading(Disposition("accept"), text.encode(), ())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    books = SqliteStore(tmp_path / "books")
    yield books
    books.close()


def test_new_books_are_empty(store: SqliteStore) -> None:
    assert store.read() == (0, None)


def test_a_sheet_is_pending_then_counted(store: SqliteStore) -> None:
    store.write_pending(reading())
    assert store.read() == (0, PendingStage.ACCEPTING)
    assert store.commit() == 1
    assert store.read() == (1, None)
    assert [unpack_sheet(packed)[0] for packed in store.sheets()] == [b"sheet"]


def test_a_pending_sheet_can_change_its_stage_and_be_erased(store: SqliteStore) -> None:
    store.write_pending(reading())
    for stage in (PendingStage.DOUBTFUL, PendingStage.RETURNING):
        store.mark_pending(stage)
        assert store.read() == (0, stage)
    store.erase()
    assert store.read() == (0, None)
    assert list(store.sheets()) == []


def test_marking_and_erasing_nothing_does_nothing(store: SqliteStore) -> None:
    store.mark_pending(PendingStage.RETURNING)
    store.erase()
    assert store.read() == (0, None)


def test_two_sheets_are_never_pending(store: SqliteStore) -> None:
    store.write_pending(reading())
    with pytest.raises(ValueError, match="pending already"):
        store.write_pending(reading())
    assert store.read() == (0, PendingStage.ACCEPTING)


def test_nothing_is_counted_without_a_pending_sheet(store: SqliteStore) -> None:
    with pytest.raises(ValueError, match="no sheet is pending"):
        store.commit()
    assert store.read() == (0, None)


def test_the_books_outlive_the_process(store: SqliteStore, tmp_path: Path) -> None:
    store.write_pending(reading())
    store.commit()
    store.write_pending(reading())
    store.close()
    with closing(SqliteStore(tmp_path / "books")) as again:
        assert again.read() == (1, PendingStage.ACCEPTING)


def test_sheets_come_out_in_an_order_that_says_nothing(store: SqliteStore) -> None:
    texts = [f"{number:03}" for number in range(40)]
    for text in texts:
        store.write_pending(reading(text))
        store.commit()
    found = [unpack_sheet(packed)[0].decode() for packed in store.sheets()]
    assert sorted(found) == texts
    assert found != texts


def test_an_erased_sheet_leaves_no_trace_in_the_file(store: SqliteStore, tmp_path: Path) -> None:
    store.write_pending(reading("a secret that must go"))
    store.erase()
    store.close()
    assert all(b"a secret that must go" not in path.read_bytes() for path in (tmp_path / "books").iterdir())


def test_a_foreign_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database, but somebody's text" * 100)
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(StoreError) as refused:
        SqliteStore(tmp_path).read()
    assert refused.value.code == "storeCorrupt"
    assert (tmp_path / FILE).read_bytes() == before


def test_a_database_of_another_kind_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE) as other:
        other.execute("CREATE TABLE theirs (a)")
    other.close()
    with pytest.raises(StoreError) as refused:
        SqliteStore(tmp_path).read()
    assert refused.value.code == "storeCorrupt"


@pytest.mark.parametrize(
    "damage", ["UPDATE box SET count = 7", "DELETE FROM sheets", "DELETE FROM box", "UPDATE pending SET stage = 'lost'"]
)
def test_books_that_contradict_themselves_are_refused(store: SqliteStore, tmp_path: Path, damage: str) -> None:
    store.write_pending(reading())
    store.commit()
    store.write_pending(reading())
    store.close()
    with sqlite3.connect(tmp_path / "books" / FILE) as books:
        books.execute(damage)
    books.close()
    with pytest.raises(StoreError) as refused:
        store.read()
    assert refused.value.code == "storeCorrupt"


def test_a_folder_that_cannot_be_made_is_a_named_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError) as refused:
        SqliteStore(tmp_path / "file").read()
    assert refused.value.code == "storeUnavailable"


def test_a_full_medium_is_a_named_error_and_loses_nothing(store: SqliteStore) -> None:
    store.write_pending(reading())
    store.commit()
    store._books().execute("PRAGMA max_page_count = 6").close()
    big = SheetReading(Disposition("accept"), Random(1).randbytes(60_000).hex().encode(), ())
    with pytest.raises(StoreError) as refused:
        store.write_pending(big)
    assert refused.value.code == "storeFull"
    assert store.read() == (1, None)


WRITER = """
import sys
from pathlib import Path
from edge.decision import Disposition
from edge.evidence.reading import SheetReading
from edge.evidence.sqlite_store import SqliteStore
store = SqliteStore(Path(sys.argv[1]))
store.read()
while True:
    store.write_pending(SheetReading(Disposition("accept"), b"x" * 20_000, ()))
    print("pending", flush=True)
    print("counted", store.commit(), flush=True)
"""


@pytest.mark.parametrize("seed", range(12))
def test_killed_at_any_moment_the_books_say_what_was_done(tmp_path: Path, seed: int) -> None:
    """What was reported done is there; of what was not yet reported at most one step more."""
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    random = Random(seed)
    lines = [process.stdout.readline().split() for _ in range(random.randrange(1, 12))]
    for _ in range(random.randrange(20_000)):
        pass
    os.kill(process.pid, signal.SIGKILL)
    lines += [line.split() for line in process.stdout.read().splitlines()]
    process.wait()
    process.stdout.close()
    counted = max((int(line[1]) for line in lines if line[0] == "counted"), default=0)
    was_pending = lines[-1][0] == "pending"
    with closing(SqliteStore(tmp_path)) as books:
        count, stage = books.read()
    if was_pending:
        assert (count, stage) in {(counted, PendingStage.ACCEPTING), (counted + 1, None)}
    else:
        assert (count, stage) in {(counted, None), (counted, PendingStage.ACCEPTING)}
