"""Killed while a sheet is drawn in, read, or held for a person: nothing of it is in the evidence, and it comes back."""

from __future__ import annotations

from pathlib import Path

from hil.scanner.faults import JamScan
from hil.scanner.paper import Place
from tests.kill.bench import SLOW_SCAN, bench


def test_killed_while_scanning_and_the_rollers_go_on(tmp_path: Path) -> None:
    with bench(tmp_path, SLOW_SCAN) as world:
        name = world.put()
        world.station.wait_for("scanning")
        assert world.crash() == (0, None)
        world.see_at(name, Place.ESCROW)
        world.restart()
        world.comes_back(name, "paperInside")


def test_killed_while_scanning_before_the_sheet_is_drawn_in(tmp_path: Path) -> None:
    with bench(tmp_path, SLOW_SCAN) as world:
        name = world.put()
        world.station.wait_for("scanning")
        assert world.crash(dark=True) == (0, None)
        assert world.scanner.where(name) is Place.FRONT
        world.restart()
        world.comes_back(name, "paperInFront")


def test_killed_while_the_sheet_is_half_way_in(tmp_path: Path) -> None:
    with bench(tmp_path, SLOW_SCAN) as world:
        name = world.put()
        world.see_at(name, Place.SPANNING)
        assert world.crash(dark=True) == (0, None)
        assert world.scanner.where(name) is Place.SPANNING
        world.restart()
        world.comes_back(name, "paperInside")


def test_killed_while_the_sheet_is_half_way_in_and_it_is_pulled_out(tmp_path: Path) -> None:
    with bench(tmp_path, SLOW_SCAN) as world:
        name = world.put()
        world.see_at(name, Place.SPANNING)
        world.crash(dark=True)
        assert world.scanner.pull() == (name,)
        world.restart()
        world.goes_on(0)


def test_killed_while_the_sheet_is_stuck_and_it_is_taken_out_by_the_cover(tmp_path: Path) -> None:
    with bench(tmp_path) as world:
        world.scanner.inject(JamScan())
        world.put()
        world.station.wait_for("jammed")
        assert world.crash() == (0, None)
        world.restart()
        world.station.wait_for("jammed", reason="jam", count=0)
        world.scanner.open_cover()
        world.station.wait_for("cover_open")
        world.scanner.clear_path()
        world.scanner.close_cover()
        world.goes_on(0)


def test_killed_while_interpreting(tmp_path: Path) -> None:
    with bench(tmp_path, idle_poll_ms=10_000) as world:
        name = world.put("unmarked")
        world.station.wait_for("interpreting")
        assert world.crash() == (0, None)
        world.restart()
        world.comes_back(name, "paperInside")


def test_killed_while_a_person_decides(tmp_path: Path) -> None:
    with bench(tmp_path) as world:
        name = world.put("unmarked")
        world.station.wait_for("holding", reason="personDecides")
        assert world.crash() == (0, None)
        world.restart()
        world.comes_back(name, "paperInside")


def test_killed_while_a_person_decides_and_the_sheet_is_taken_out_by_the_cover(tmp_path: Path) -> None:
    with bench(tmp_path) as world:
        world.put("unmarked")
        world.station.wait_for("holding")
        assert world.crash(dark=True) == (0, None)
        world.scanner.open_cover()
        world.scanner.clear_path()
        world.restart()
        world.station.wait_for("cover_open", count=0)
        world.scanner.close_cover()
        world.goes_on(0)
