"""Killed while a sheet is on its way into the box: what is past recovery is counted, all else comes back."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from edge.evidence.store import PendingStage
from hil.scanner.faults import JamEject, Silent
from hil.scanner.paper import Place
from tests.kill.bench import HALF_WAY, SLOW_MOTION, Bench, bench

ACCEPTING, RETURNING, DOUBTFUL = PendingStage.ACCEPTING, PendingStage.RETURNING, PendingStage.DOUBTFUL


def begin_to_accept(world: Bench) -> str:
    """A good sheet has begun its slow way into the box."""
    name = world.put()
    world.see(lambda status: status.motion == "ejecting")
    return name


@pytest.mark.parametrize("dark", [False, True])
def test_killed_as_the_sheet_is_being_written_down(tmp_path: Path, dark: bool) -> None:
    with bench(tmp_path, SLOW_MOTION) as world:
        name = world.put()
        world.station.wait_for("accepting")
        world.crash(dark=dark)
        world.see(lambda status: status.motion in {"still", "off"})
        world.restart()
        if world.boxed:
            world.goes_on(1)
        else:
            world.comes_back(name, "paperInside")


def test_killed_when_the_sheet_is_written_down_and_nothing_has_moved(tmp_path: Path) -> None:
    with bench(tmp_path, idle_poll_ms=10_000) as world:
        name = world.put("unmarked")
        world.station.wait_for("holding", reason="personDecides")
        # The station wants to see the sheet in its place before it moves it, and gets no answer.
        world.scanner.inject(Silent(seconds=10))
        world.station.panel.press("cast")
        world.station.wait_for("accepting")
        world.written(0, ACCEPTING)
        assert world.crash() == (0, ACCEPTING)
        world.scanner.inject(Silent(seconds=0))
        world.restart()
        world.comes_back(name, "paperInside")


def test_killed_during_the_motion_and_the_rollers_go_on(tmp_path: Path) -> None:
    with bench(tmp_path, SLOW_MOTION) as world:
        name = begin_to_accept(world)
        assert world.crash() == (0, ACCEPTING)
        world.see_at(name, Place.BOX)
        world.restart()
        world.goes_on(1)


def test_killed_during_the_motion_and_the_rollers_stop(tmp_path: Path) -> None:
    with bench(tmp_path, SLOW_MOTION) as world:
        name = begin_to_accept(world)
        assert world.crash(dark=True) == (0, ACCEPTING)
        world.restart()
        world.comes_back(name, "paperInside")


def test_killed_during_the_motion_and_started_again_before_it_is_over(tmp_path: Path) -> None:
    """A new process sees the sheet in the path, but the rollers still do what the old one said: it must not be sent back."""
    with bench(tmp_path, replace(SLOW_MOTION, eject=2.0), accept_limit_ms=5_000) as world:
        name = begin_to_accept(world)
        assert world.crash() == (0, ACCEPTING)
        world.restart()
        world.see_at(name, Place.BOX)
        world.goes_on(1)


def test_killed_when_the_sheet_has_left_and_nobody_has_seen_it(tmp_path: Path) -> None:
    with bench(tmp_path, SLOW_MOTION, poll_ms=10_000, accept_limit_ms=20_000) as world:
        name = begin_to_accept(world)
        world.see_at(name, Place.BOX)
        assert world.crash() == (0, ACCEPTING)
        world.restart()
        world.station.wait_for("waiting", count=1)
        assert world.boxed == 1


def test_killed_when_the_sheet_has_left_and_is_about_to_be_counted(tmp_path: Path) -> None:
    with bench(tmp_path, SLOW_MOTION) as world:
        name = begin_to_accept(world)
        with closing(sqlite3.connect(world.log_file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            world.see_at(name, Place.BOX)
            time.sleep(HALF_WAY)
            assert world.crash() == (0, ACCEPTING)
        world.restart()
        world.goes_on(1)


def test_killed_when_the_sheet_has_just_been_counted(tmp_path: Path) -> None:
    with bench(tmp_path, SLOW_MOTION) as world:
        begin_to_accept(world)
        world.written(1, None)
        assert world.crash() == (1, None)
        world.restart()
        world.goes_on(1)


def test_killed_while_acceptance_is_signalled(tmp_path: Path) -> None:
    with bench(tmp_path, accepted_signal_ms=5_000) as world:
        world.put()
        world.station.panel.wait_for(lambda panel: "accept" in panel.lit)
        assert world.crash() == (1, None)
        world.restart()
        world.goes_on(1)


def test_killed_while_paper_in_the_mouth_keeps_the_rollers_waiting(tmp_path: Path) -> None:
    """The scanner hears nobody until the mouth is clear; then it goes on by itself."""
    with bench(tmp_path, SLOW_MOTION) as world:
        name = begin_to_accept(world)
        world.scanner.insert(other := world.sheet())
        world.see(lambda status: status.motion == "paused")
        assert world.crash() == (0, ACCEPTING)
        world.restart()
        world.station.wait_for("starting")
        world.take(other.name)
        world.see_at(name, Place.BOX)
        world.goes_on(1)


def test_killed_while_paper_in_the_mouth_keeps_the_rollers_waiting_and_they_forget_it(tmp_path: Path) -> None:
    with bench(tmp_path, SLOW_MOTION) as world:
        name = begin_to_accept(world)
        world.scanner.insert(other := world.sheet())
        world.see(lambda status: status.motion == "paused")
        assert world.crash(dark=True) == (0, ACCEPTING)
        world.restart()
        world.station.wait_for("returned", reason="paperInside", count=0)
        assert set(world.scanner.remove()) == {name, other.name}
        world.goes_on(0)


@pytest.mark.parametrize("into_box", [True, False])
def test_killed_while_the_sheet_is_stuck_and_a_person_says_where_it_went(tmp_path: Path, into_box: bool) -> None:
    with bench(tmp_path) as world:
        world.scanner.inject(JamEject())
        world.put()
        world.station.wait_for("jammed", reason="jam")
        world.written(0, DOUBTFUL)
        assert world.crash() == (0, DOUBTFUL)
        world.restart()
        world.station.wait_for("jammed", reason="jam")
        world.scanner.open_cover()
        world.station.wait_for("cover_open")
        world.scanner.clear_path(into_box=into_box)
        world.scanner.close_cover()
        world.station.wait_for("holding", reason="sheetWhereabouts", count=0)
        # The question outlives another end.
        assert world.crash() == (0, DOUBTFUL)
        world.restart()
        world.station.wait_for("holding", reason="sheetWhereabouts", count=0)
        world.station.panel.press("cast" if into_box else "return")
        world.goes_on(1 if into_box else 0)


@pytest.mark.parametrize("into_box", [True, False])
def test_killed_during_the_motion_and_the_cover_is_open_when_power_comes_back(tmp_path: Path, into_box: bool) -> None:
    with bench(tmp_path, SLOW_MOTION) as world:
        begin_to_accept(world)
        assert world.crash(dark=True) == (0, ACCEPTING)
        world.scanner.open_cover()
        world.restart()
        world.station.wait_for("cover_open", count=0)
        world.scanner.clear_path(into_box=into_box)
        world.scanner.close_cover()
        world.station.wait_for("holding", reason="sheetWhereabouts", count=0)
        world.station.panel.press("cast" if into_box else "return")
        world.goes_on(1 if into_box else 0)


def test_killed_again_while_the_sheet_comes_back_and_it_is_taken_away_meanwhile(tmp_path: Path) -> None:
    with bench(tmp_path, SLOW_MOTION) as world:
        name = begin_to_accept(world)
        world.crash(dark=True)
        world.restart()
        world.station.wait_for("returning", reason="paperInside")
        world.see(lambda status: status.motion == "ejecting")
        assert world.crash() == (0, RETURNING)
        world.see_at(name, Place.FRONT)
        world.take(name)
        world.restart()
        world.goes_on(0)


def test_killed_again_before_anything_is_known_of_the_sheet(tmp_path: Path) -> None:
    with bench(tmp_path, SLOW_MOTION) as world:
        name = begin_to_accept(world)
        world.crash(dark=True)
        world.scanner.inject(Silent(seconds=30))
        world.restart()
        world.station.wait_for("starting")
        assert world.crash() == (0, ACCEPTING)
        world.scanner.inject(Silent(seconds=0))
        world.restart()
        world.comes_back(name, "paperInside")
