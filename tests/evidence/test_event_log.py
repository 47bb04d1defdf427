"""The event log of one medium: durable, in order, never contradicted, and refused as soon as anything in it is wrong."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from edge.evidence import event_log
from edge.evidence.event_log import Change, EventLog, LogState, make_log
from edge.evidence.store import PendingStage, Polls, StoreError
from edge.evidence.tlog.merkle import leaf_hash


def entries(*texts: str) -> list[tuple[bytes, bytes]]:
    return [(text.encode(), leaf_hash(text.encode())) for text in texts]


FACTS = {"key": b"a key", "box": bytes(16)}
FIRST = Change(LogState(revision=1), entries("zero"))
FULL = LogState(2, 3, 1, PendingStage.DOUBTFUL, Polls.OPEN)


@contextmanager
def opened(path: Path) -> Iterator[EventLog]:
    log = EventLog(path)
    try:
        yield log
    finally:
        log.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "log.sqlite"
    make_log(made, FACTS, FIRST)
    return made


def code(call: Callable[[], object]) -> str:
    with pytest.raises(StoreError) as caught:
        call()
    return caught.value.code


def refused(path: Path) -> str:
    """The code with which a file is refused."""
    return code(lambda: EventLog(path))


def test_what_was_written_is_there_for_everybody(path: Path) -> None:
    with opened(path) as log, opened(path) as other:
        log.write(Change(FULL, entries("one", "two"), {3: b"note"}, {"set": b"signed"}))
        for reader in (log, other):
            assert reader.state() == FULL
            assert reader.entries() == entries("zero", "one", "two")
            assert reader.entries(2) == entries("two")
            assert reader.leaves() == [leaf for _, leaf in entries("zero", "one", "two")]
            assert reader.checkpoints() == {3: b"note"}
            assert reader.notes() == {"set": b"signed"}
            assert reader.facts() == FACTS
            assert (reader.fact("key"), reader.fact("nothing")) == (b"a key", None)


def test_what_was_written_outlives_the_process_without_a_close(path: Path, tmp_path: Path) -> None:
    """A copy of the files as they lie there, as after a cut."""
    with opened(path) as log:
        log.write(Change(FULL, entries("one")))
        copy = tmp_path / "copy"
        copy.mkdir()
        for file in path.parent.glob("log.sqlite*"):
            if not file.name.endswith("-shm"):
                shutil.copy(file, copy)
    with opened(copy / "log.sqlite") as log:
        assert (log.state(), log.entries()) == (FULL, entries("zero", "one"))


def test_every_transaction_is_synced_before_it_returns(path: Path) -> None:
    with opened(path) as log:
        said = {name: log._books.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "journal_mode")}
        assert said == {"synchronous": 2, "journal_mode": "wal"}


@pytest.mark.parametrize("revision", [0, 1, 3])
def test_a_change_that_does_not_follow_changes_nothing(path: Path, revision: int) -> None:
    with opened(path) as log:
        assert code(lambda: log.write(Change(replace(FULL, revision=revision), entries("one")))) == "storeBehind"
        assert (log.state(), log.entries()) == (LogState(revision=1), entries("zero"))


def test_a_change_that_fails_half_way_changes_nothing(path: Path) -> None:
    with opened(path) as log:
        log.write(Change(LogState(revision=2), checkpoints={1: b"note"}))
        # The checkpoint is there already.
        assert code(lambda: log.write(Change(LogState(revision=3), entries("one"), {1: b"other"}))) == "storeCorrupt"
        assert (log.state(), log.entries(), log.checkpoints()) == (LogState(revision=2), entries("zero"), {1: b"note"})
        log.write(Change(LogState(revision=3), entries("one")))


def test_a_log_that_was_away_catches_up(path: Path, tmp_path: Path) -> None:
    away = tmp_path / "away.sqlite"
    with opened(path) as log:
        log.tidy(whole=True)
        shutil.copy(path, away)
        log.write(Change(replace(FULL, revision=2), entries("one"), {2: b"note"}))
        log.write(Change(replace(FULL, revision=3), entries("two"), notes={"set": b"signed"}))
        with opened(away) as behind:
            assert behind.catch_up(log)
            assert (behind.state(), behind.entries()) == (log.state(), log.entries())
            assert (behind.checkpoints(), behind.notes()) == (log.checkpoints(), log.notes())
            assert not behind.catch_up(log)


def test_a_log_without_the_last_checkpoint_catches_up(path: Path, tmp_path: Path) -> None:
    away = tmp_path / "away.sqlite"
    make_log(away, FACTS, FIRST)
    with opened(path) as log, opened(away) as behind:
        log.write(Change(LogState(revision=2), checkpoints={1: b"note"}))
        assert behind.catch_up(log)
        assert behind.checkpoints() == {1: b"note"}


@pytest.mark.parametrize(
    "own",
    [
        [Change(LogState(revision=2), entries("other"))],
        [Change(LogState(revision=2), entries("one", "two"))],
        [Change(LogState(revision=2), entries("one")), Change(LogState(revision=3))],
    ],
    ids=["another entry", "more entries", "a later state"],
)
def test_a_log_that_contradicts_the_leader_is_left_as_it_is(path: Path, tmp_path: Path, own: list[Change]) -> None:
    away = tmp_path / "away.sqlite"
    make_log(away, FACTS, FIRST)
    with opened(path) as log, opened(away) as other:
        log.write(Change(LogState(revision=2), entries("one")))
        for change in own:
            other.write(change)
        before = (other.state(), other.entries())
        assert code(lambda: other.catch_up(log)) == "storeCorrupt"
        assert (other.state(), other.entries()) == before


def test_a_quiet_moment_empties_the_write_ahead_log(path: Path) -> None:
    ahead = path.with_name("log.sqlite-wal")
    with opened(path) as log:
        for revision in range(2, 60):
            log.write(Change(LogState(revision=revision), entries(str(revision))))
        grown = ahead.stat().st_size
        log.tidy()
        log.write(Change(LogState(revision=60), entries("60")))
        assert ahead.stat().st_size == grown
        log.tidy(whole=True)
        assert ahead.stat().st_size == 0
        assert len(log.entries()) == 60


@pytest.mark.parametrize("content", [b"", b"x", bytes(4096), b"SQLite format 3\0", b"SQLite format 3\0" + bytes(8176)])
def test_a_file_that_is_no_log_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "log.sqlite"
    path.write_bytes(content)
    assert refused(path) == "storeCorrupt"
    # SQLite may make an empty file a database, but no log.
    assert not content or path.read_bytes() == content
    assert refused(path) == "storeCorrupt"


def test_what_is_not_there_is_not_made(tmp_path: Path) -> None:
    assert refused(tmp_path / "log.sqlite") == "storeUnavailable"
    assert refused(tmp_path) == "storeUnavailable"
    assert list(tmp_path.iterdir()) == []


def changed(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as books, books:
        for statement in statements:
            books.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "PRAGMA user_version = 2",
        "DELETE FROM entries",
        "DELETE FROM entries WHERE sequence = 0",
        "UPDATE entries SET sequence = 9 WHERE sequence = 1",
        "UPDATE entries SET entry = x'6f6e65ff' WHERE sequence = 1",
        "UPDATE entries SET leaf = zeroblob(32) WHERE sequence = 0",
        "UPDATE entries SET leaf = zeroblob(31) WHERE sequence = 1",
        "DELETE FROM state",
        "UPDATE state SET pending = 'somewhere'",
        "UPDATE state SET polls = 'ajar'",
        "DROP TABLE state",
        "DROP TABLE entries",
    ],
)
def test_a_log_that_contradicts_itself_is_refused(path: Path, statement: str) -> None:
    with opened(path) as log:
        log.write(Change(FULL, entries("one")))
    changed(path, statement)
    # A table that is missing is an operational error to SQLite.
    assert refused(path) in ({"storeUnavailable", "storeCorrupt"} if "DROP" in statement else {"storeCorrupt"})


def test_no_flipped_bit_goes_unnoticed(path: Path) -> None:
    """Every byte of the pages in turn: refused, or it says nothing else than before."""
    with opened(path) as log:
        log.write(Change(FULL, entries(*(f"entry {number}" for number in range(40))), {41: b"note"}))
        log.tidy(whole=True)
        said = (log.state(), log.entries(), log.leaves())
    sound = path.read_bytes()
    for place in range(0, len(sound), 37):
        path.write_bytes(sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :])
        try:
            with opened(path) as log:
                found = (log.state(), log.entries(), log.leaves())
        except StoreError:
            continue
        finally:
            for rest in ("-wal", "-shm"):
                path.with_name(path.name + rest).unlink(missing_ok=True)
        # The state has no hash; the numbers of the box stand against it.
        assert (replace(found[0], revision=2, cast=3, returned=1), *found[1:]) == said, place


def test_a_log_that_somebody_holds_is_waited_for_and_then_given_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_log, "_PATIENCE_S", 0.05)
    with opened(path) as log, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert code(lambda: log.write(Change(FULL))) == "storeUnavailable"
        other.execute("ROLLBACK")
        log.write(Change(FULL))


def test_a_full_medium_is_told_as_such(path: Path) -> None:
    with opened(path) as log:
        pages = log._books.execute("PRAGMA page_count").fetchone()[0]
        log._books.execute(f"PRAGMA max_page_count = {pages}")
        assert code(lambda: log.write(Change(FULL, entries("x" * 20_000)))) == "storeFull"
        assert log.state() == LogState(revision=1)
        log._books.execute("PRAGMA max_page_count = 10000")
        log.write(Change(FULL, entries("x" * 20_000)))


@pytest.mark.parametrize("statement", ["SELECT nothing", "SELECT count(*) FROM nowhere"])
def test_what_sqlite_says_has_a_code(path: Path, statement: str) -> None:
    with opened(path) as log:
        assert code(lambda: _ask(log, path, statement)) == "storeUnavailable"


def _ask(log: EventLog, path: Path, statement: str) -> None:
    with event_log._told(path):
        log._books.execute(statement)


def test_a_new_log_is_seen_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log.sqlite"
    seen: list[list[str]] = []
    rename = Path.rename

    def look(self: Path, target: Path) -> Path:
        seen.append(sorted(file.name for file in tmp_path.iterdir()))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", look)
    (tmp_path / "log.new").write_bytes(b"of a cut")
    (tmp_path / "log.new-wal").write_bytes(b"of a cut")
    make_log(path, FACTS, FIRST)
    assert seen == [["log.new"]]
    assert [file.name for file in tmp_path.iterdir()] == ["log.sqlite"]


def test_a_new_log_is_not_changed_by_what_a_former_one_left_beside_it(path: Path) -> None:
    """SQLite would take a write-ahead log that lies there for its own."""
    log = EventLog(path)
    log.write(Change(FULL, entries("former")))
    kept = [(file, file.read_bytes()) for file in path.parent.glob("log.sqlite-*")]
    log.close()
    path.unlink()
    for file, content in kept:
        file.write_bytes(content)
    make_log(path, FACTS, FIRST)
    with opened(path) as log:
        assert (log.state(), log.entries()) == (LogState(revision=1), entries("zero"))


def test_a_medium_that_fails_while_a_log_is_made_is_told_as_such(tmp_path: Path) -> None:
    missing = tmp_path / "missing" / "log.sqlite"
    assert code(lambda: make_log(missing, FACTS, FIRST)) == "storeUnavailable"
    (tmp_path / "log.new").mkdir()
    assert code(lambda: make_log(tmp_path / "log.sqlite", FACTS, FIRST)) == "storeUnavailable"
