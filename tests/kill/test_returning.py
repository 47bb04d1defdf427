"""Killed while a sheet comes back, or when it has: it is never counted, and the mouth is clear before the next one."""

from __future__ import annotations

from pathlib import Path

from hil.scanner.faults import JamEject
from hil.scanner.paper import Place
from tests.kill.bench import FOREIGN, SLOW_MOTION, Bench, bench


def begin_to_return(world: Bench) -> str:
    """A sheet of another election has begun its slow way back."""
    name = world.put("foreign")
    world.station.wait_for("returning", reason=FOREIGN)
    world.see(lambda status: status.motion == "ejecting")
    return name


def test_killed_while_returning_and_the_rollers_go_on(tmp_path: Path) -> None:
    with bench(tmp_path, SLOW_MOTION) as world:
        name = begin_to_return(world)
        assert world.crash() == (0, None)
        world.see_at(name, Place.FRONT)
        world.restart()
        world.comes_back(name, "paperInFront")


def test_killed_while_returning_and_the_rollers_stop(tmp_path: Path) -> None:
    with bench(tmp_path, SLOW_MOTION) as world:
        name = begin_to_return(world)
        assert world.crash(dark=True) == (0, None)
        world.restart()
        world.comes_back(name, "paperInside")


def test_killed_while_the_sheet_is_half_way_back(tmp_path: Path) -> None:
    with bench(tmp_path, SLOW_MOTION) as world:
        name = begin_to_return(world)
        world.see_at(name, Place.SPANNING)
        assert world.crash(dark=True) == (0, None)
        assert world.scanner.where(name) is Place.SPANNING
        world.restart()
        world.comes_back(name, "paperInside")


def test_killed_while_the_sheet_waits_to_be_taken(tmp_path: Path) -> None:
    with bench(tmp_path) as world:
        name = world.put("foreign")
        world.station.wait_for("returned", reason=FOREIGN)
        assert world.crash() == (0, None)
        world.restart()
        world.comes_back(name, "paperInFront")


def test_killed_while_the_sheet_waits_and_it_is_taken_meanwhile(tmp_path: Path) -> None:
    with bench(tmp_path) as world:
        name = world.put("foreign")
        world.station.wait_for("returned", reason=FOREIGN)
        assert world.crash(dark=True) == (0, None)
        world.take(name)
        world.restart()
        world.goes_on(0)


def test_killed_while_the_sheet_is_stuck_on_its_way_back(tmp_path: Path) -> None:
    with bench(tmp_path) as world:
        world.scanner.inject(JamEject())
        world.put("foreign")
        world.station.wait_for("jammed", reason="jam")
        assert world.crash() == (0, None)
        world.restart()
        world.station.wait_for("jammed", reason="jam", count=0)
        world.scanner.open_cover()
        world.station.wait_for("cover_open")
        world.scanner.clear_path()
        world.scanner.close_cover()
        world.goes_on(0)
