"""The station as a process: how it begins, how it ends, and what it finds when it begins."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from hil.rig.process import ROOT, StationProcess
from hil.scanner.emulator import EmulatedScanner
from hil.scanner.paper import Place
from tests.ballot.sheets import definition
from tests.kill.bench import QUICK_SCANNER, SLOW_MOTION, SLOW_SCAN, Bench, bench


def test_told_to_end_while_it_waits(tmp_path: Path) -> None:
    with bench(tmp_path) as world:
        world.goes_on(0)
        world.see(lambda status: status.feeder)
        assert world.station.stop() == 0
        world.see(lambda status: not status.feeder)
        world.station.panel.wait_for(lambda panel: not panel.connected)
        assert set(world.station.panel.states.values()) == {"released"}
        assert not world.station.status_socket.exists()
        assert world.station.journal()[-1]["event"] == "stop"
        world.restart()
        world.goes_on(1)


def test_told_to_end_while_a_sheet_moves_into_the_box(tmp_path: Path) -> None:
    with bench(tmp_path, SLOW_MOTION) as world:
        name = world.put()
        world.see(lambda status: status.motion == "ejecting")
        assert world.station.stop() == 0
        assert world.scanner.where(name) is Place.BOX
        assert world.books() == (1, None)
        world.restart()
        world.goes_on(1)


def test_told_to_end_while_a_sheet_is_scanned(tmp_path: Path) -> None:
    """The sheet is left where it is, and comes back at the next start."""
    with bench(tmp_path, SLOW_SCAN) as world:
        name = world.put()
        world.see_at(name, Place.SPANNING)
        assert world.station.stop() == 0
        assert world.books() == (0, None)
        world.restart()
        world.comes_back(name, "paperInside")


def test_no_scanner_at_the_start(tmp_path: Path) -> None:
    with bench(tmp_path) as world:
        world.station.kill()
        world.scanner.unplug()
        world.restart()
        world.station.wait_for("disconnected", reason="scannerNotFound")
        world.scanner.plug()
        world.goes_on(0)


def test_the_cover_is_open_at_the_start(tmp_path: Path) -> None:
    with bench(tmp_path) as world:
        world.station.kill()
        world.scanner.open_cover()
        world.restart()
        world.station.wait_for("cover_open")
        world.scanner.close_cover()
        world.goes_on(0)


def test_a_sheet_is_inside_at_the_start(tmp_path: Path) -> None:
    with bench(tmp_path) as world:
        world.see(lambda status: status.feeder)
        world.station.kill()
        name = world.put("unmarked")
        world.see_at(name, Place.ESCROW)
        world.restart()
        world.comes_back(name, "paperInside")


def test_the_polls_are_closed_at_the_start(tmp_path: Path) -> None:
    with bench(tmp_path, polls_open=False) as world:
        world.station.wait_for("closed")
        world.scanner.insert(sheet := world.sheet())
        world.station.panel.wait_for(lambda panel: panel.lit == {"reject"})
        assert world.scanner.where(sheet.name) is Place.FRONT
        world.station.panel.turn_polls(opened=True)
        world.station.wait_for("waiting", count=1)


def test_a_second_station_on_the_same_sockets_is_refused(tmp_path: Path) -> None:
    with bench(tmp_path) as world:
        world.station.wait_for("waiting")
        command = [sys.executable, "-m", "edge.cli", "run", "--config", str(world.station.config)]
        second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
        assert second.returncode == 2
        assert second.stderr.splitlines()[-1].startswith("scrutineer: statusSocketBusy: ")
        world.goes_on(0)


def test_a_second_station_on_the_same_lock_file_gets_no_scanner_until_the_first_has_ended(tmp_path: Path) -> None:
    lock = str(tmp_path / "scanner.lock")
    with (
        EmulatedScanner(QUICK_SCANNER) as scanner,
        StationProcess(tmp_path / "first", scanner, election=definition(), scanner_keys={"lock_file": lock}) as first,
    ):
        first.wait_for("waiting")
        with StationProcess(tmp_path / "second", scanner, election=definition(), scanner_keys={"lock_file": lock}) as second:
            assert lock in second.wait_for("disconnected", reason="scannerBusy").sentence
            Bench(first, scanner).goes_on(0)
            assert first.stop() == 0
            second.wait_for("waiting", count=0)


def test_a_station_that_cannot_begin_says_why(tmp_path: Path) -> None:
    with (
        EmulatedScanner(QUICK_SCANNER) as scanner,
        StationProcess(tmp_path, scanner, election=b"{}") as station,
    ):
        with pytest.raises(RuntimeError, match="scrutineer: invalidElection"):
            station.wait_for("waiting")
        assert station.wait() == 2


def test_no_process_is_left_behind(tmp_path: Path) -> None:
    with EmulatedScanner(QUICK_SCANNER) as scanner:
        station = StationProcess(tmp_path, scanner, election=definition())
        with pytest.raises(ZeroDivisionError), station:
            raise ZeroDivisionError
    assert not station.running
    assert not station.status_socket.parent.exists()


def test_the_next_sheet_in_the_mouth_only_delays_the_one_before(tmp_path: Path) -> None:
    """The scanner answers no question meanwhile, for longer than it may be silent otherwise."""
    with bench(tmp_path, SLOW_MOTION, timing={"status_limit": 300}) as world:
        name = world.put()
        world.see(lambda status: status.motion == "ejecting")
        world.scanner.insert(other := world.sheet())
        world.station.wait_for("accepting", reason="frontBlocked")
        time.sleep(0.5)
        world.take(other.name)
        world.see_at(name, Place.BOX)
        world.goes_on(1)
