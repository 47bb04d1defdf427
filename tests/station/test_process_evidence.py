"""The medium of the evidence fails: nothing is accepted, nothing is lost, and the station goes on when that is put right."""

from __future__ import annotations

import resource
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from hil.rig.evidence import SMALL
from hil.scanner.paper import Place
from tests.kill.bench import Bench, bench

ROOM = SMALL.slot_bytes
"""Bytes that every file may have: less than where the box's first slot ends, more than the log and the records take."""
HEAD = 100
"""Bytes by which SQLite knows its files."""
UNLIMITED = resource.RLIM_INFINITY


def without_head(sound: bytes) -> bytes:
    return bytes(HEAD) + sound[HEAD:]


def fold_in(world: Bench) -> None:
    """Leave nothing beside the file of the log: SQLite would mend it with that."""
    with closing(sqlite3.connect(world.log_file)) as books:
        books.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def with_one_in_the_box(world: Bench) -> None:
    world.put()
    world.station.wait_for("waiting", count=1)


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="the limit of another process can be set on Linux only")
def test_no_sheet_is_accepted_while_the_medium_takes_no_more(tmp_path: Path) -> None:
    with bench(tmp_path) as world:
        with_one_in_the_box(world)
        resource.prlimit(world.station.pid, resource.RLIMIT_FSIZE, (ROOM, UNLIMITED))
        name = world.put()
        world.station.wait_for("fault", reason="evidenceFailed", count=1)
        world.station.wait_for("returned", reason="evidenceFailed", count=1)
        world.take(name)
        # It tries again with every sheet, and takes none for counted.
        again = world.put()
        world.station.wait_for("returned", reason="evidenceFailed", count=1)
        world.take(again)
        assert world.signalled == world.boxed == 1
        resource.prlimit(world.station.pid, resource.RLIMIT_FSIZE, (UNLIMITED, UNLIMITED))
        world.goes_on(1)


def test_nothing_moves_while_the_books_are_damaged(tmp_path: Path) -> None:
    with bench(tmp_path) as world:
        with_one_in_the_box(world)
        world.crash()
        fold_in(world)
        sound = world.log_file.read_bytes()
        damaged = without_head(sound)
        world.log_file.write_bytes(damaged)
        world.restart()
        world.station.wait_for("fault", reason="evidenceFailed")
        heard = world.scanner.heard()
        world.scanner.insert(sheet := world.sheet())
        # Once more, after the pause of a fault.
        world.station.wait_for("starting")
        world.station.wait_for("fault", reason="evidenceFailed")
        assert world.scanner.heard() == heard
        assert world.scanner.where(sheet.name) is Place.FRONT
        assert world.log_file.read_bytes() == damaged
        world.log_file.write_bytes(sound)
        world.comes_back(sheet.name, "paperInFront")


def test_books_that_somebody_holds_while_a_person_decides_cost_the_sheet_its_acceptance(tmp_path: Path) -> None:
    with bench(tmp_path) as world:
        with_one_in_the_box(world)
        name = world.put("unmarked")
        world.station.wait_for("holding")
        with closing(sqlite3.connect(world.log_file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            world.station.panel.press("cast")
            world.station.wait_for("fault", reason="evidenceFailed", count=1)
            assert world.scanner.where(name) is Place.ESCROW
        world.comes_back(name, "evidenceFailed")


def set_count(world: Bench, count: int) -> None:
    with closing(sqlite3.connect(world.log_file)) as books, books:
        books.execute("UPDATE state SET cast_sheets = ?", (count,))


def test_books_that_contradict_themselves_are_not_believed(tmp_path: Path) -> None:
    """As a copy of another day's, put back by hand, with a sheet more than it counts."""
    with bench(tmp_path) as world:
        with_one_in_the_box(world)
        world.station.kill()
        set_count(world, 0)
        world.restart()
        document = world.station.wait_for("fault", reason="evidenceFailed")
        assert "1 cast sheets are kept, 0 are counted" in document.sentence
        set_count(world, 1)
        world.goes_on(1)
