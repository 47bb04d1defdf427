"""Killed while no sheet is being processed: the count stays, and what people did meanwhile is found."""

from __future__ import annotations

import time
from pathlib import Path

from hil.scanner.faults import Garbage, Silent, Yank
from hil.scanner.framing import frame
from hil.scanner.paper import Place
from tests.kill.bench import Bench, bench

STRAY_BEGIN = Garbage(data=frame(b"#30"))
"""The begin of a scan where none can be."""


def with_one_in_the_box(world: Bench) -> None:
    world.put()
    world.station.wait_for("waiting", count=1)


def test_killed_while_starting(tmp_path: Path) -> None:
    with bench(tmp_path) as world:
        world.scanner.inject(Silent(seconds=30))
        world.station.wait_for("starting")
        assert world.crash() == (0, None)
        world.scanner.inject(Silent(seconds=0))
        world.restart()
        world.goes_on(0)


def test_killed_before_it_could_say_anything(tmp_path: Path) -> None:
    """While Python still loads, and while the books are made."""
    with bench(tmp_path) as world:
        for seconds in (0.03, 0.15, 0.25, 0.35):
            world.station.kill()
            world.station.start()
            time.sleep(seconds)
        world.station.kill()
        world.restart()
        world.goes_on(0)


def test_killed_while_waiting(tmp_path: Path) -> None:
    with bench(tmp_path) as world:
        with_one_in_the_box(world)
        assert world.crash() == (1, None)
        world.restart()
        world.goes_on(1)


def test_killed_while_waiting_and_the_scanner_takes_a_sheet_meanwhile(tmp_path: Path) -> None:
    """Nobody has told it to stop."""
    with bench(tmp_path) as world:
        with_one_in_the_box(world)
        world.see(lambda status: status.feeder)
        world.crash()
        name = world.put()
        world.see_at(name, Place.ESCROW)
        world.restart()
        world.comes_back(name, "paperInside")


def test_killed_while_waiting_and_a_sheet_is_put_in_meanwhile(tmp_path: Path) -> None:
    with bench(tmp_path) as world:
        with_one_in_the_box(world)
        world.crash(dark=True)
        world.scanner.insert(sheet := world.sheet())
        world.restart()
        world.comes_back(sheet.name, "paperInFront")


def test_killed_while_closed(tmp_path: Path) -> None:
    with bench(tmp_path) as world:
        with_one_in_the_box(world)
        world.station.panel.turn_polls(opened=False)
        world.station.wait_for("closed", count=1)
        assert world.crash(dark=True) == (1, None)
        world.restart()
        world.station.wait_for("closed", count=1)
        world.station.panel.turn_polls(opened=True)
        world.goes_on(1)


def test_killed_while_the_cover_is_open(tmp_path: Path) -> None:
    with bench(tmp_path) as world:
        with_one_in_the_box(world)
        world.scanner.open_cover()
        world.station.wait_for("cover_open", count=1)
        assert world.crash(dark=True) == (1, None)
        world.restart()
        world.station.wait_for("cover_open", count=1)
        world.scanner.close_cover()
        world.goes_on(1)


def test_killed_while_disconnected_with_a_sheet_inside(tmp_path: Path) -> None:
    with bench(tmp_path) as world:
        name = world.put("unmarked")
        world.station.wait_for("holding")
        world.scanner.inject(Yank())
        world.station.wait_for("disconnected", reason="scannerDisconnected")
        assert world.crash() == (0, None)
        world.restart()
        world.station.wait_for("disconnected", reason="scannerNotFound", count=0)
        world.scanner.plug()
        world.comes_back(name, "paperInside")


def test_killed_while_in_fault_with_a_sheet_inside(tmp_path: Path) -> None:
    with bench(tmp_path) as world:
        name = world.put("unmarked")
        world.station.wait_for("holding")
        world.scanner.inject(STRAY_BEGIN)
        world.station.wait_for("fault", reason="unexpectedEvent")
        assert world.crash() == (0, None)
        world.restart()
        world.comes_back(name, "paperInside")
