"""Races that the soak and the fault matrix found, each reduced to one sheet on the whole chain."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from edge.decision import Disposition
from edge.definition.election import Election
from edge.evidence.reading import SheetReading
from edge.evidence.store import Books, Polls, StoreError
from edge.station.events import Connected, EvidenceRead, FromScanner
from edge.station.machine import start, step
from edge.station.state import Limits, Phase, StateName
from edge.station.status import StatusDocument
from firmware_bridge.pagescan6.sheet_scan import SheetScan
from firmware_bridge.scanner import AcceptPaused, AcceptResumed, DoubleFeedDetected, ScanFailed, ScannerEvent, ScanStarted
from hil.rig.evidence import rig_store
from hil.scanner.emulator import EmulatedScanner
from hil.scanner.faults import Command, ImageByte, OpenCover
from hil.soak.pool import election
from tests.faults.stage import IMAGE_BYTES, Stage, stage
from tests.station.world import IDENTITY


@pytest.fixture(scope="module")
def ballots() -> Election:
    return election()


def states(world: Stage) -> set[str]:
    return {state for state, _ in world.visited()}


def test_a_cover_that_is_opened_while_the_scanner_is_being_reached_is_no_fault(tmp_path: Path, ballots: Election) -> None:
    def open_the_cover(scanner: EmulatedScanner) -> None:
        scanner.inject(OpenCover(at=Command(b"V")))

    with stage(tmp_path, ballots, open_the_cover) as world:
        world.station.rig.wait_for("cover_open", "fault")
        world.rest()
        assert "fault" not in states(world)


@pytest.mark.parametrize(
    "late",
    [ScanStarted(), ScanFailed("noImage", ""), DoubleFeedDetected(), AcceptPaused(), AcceptResumed()],
    ids=lambda late: type(late).__name__,
)
def test_what_is_left_of_a_motion_when_the_scanner_is_reached_again_is_no_fault(late: ScannerEvent) -> None:
    station, _ = start(Limits(), polls_open=True, now=0)
    station, _ = step(station, EvidenceRead(station.evidence or 0, Books(polls=Polls.OPEN, room=1)), 0)
    assert station.phase is Phase.CONNECTING
    station, _ = step(station, FromScanner(station.session, late), 0)
    station, _ = step(station, Connected(station.session, IDENTITY), 0)
    assert station.name is StateName.STARTING


def test_a_returning_motion_may_take_the_sheet_in_the_mouth_for_a_moment(tmp_path: Path, ballots: Election) -> None:
    """The feeder that a motion needs takes a sheet that was put in while the station looked after a silent scanner."""
    with stage(tmp_path, ballots) as world:
        for _ in range(20):
            world.rest()
            assert world.scanner.wait_for(lambda status: not status.feeder, 5)
            world.insert()
            world.assert_books(world.rest())
        assert "fault" not in states(world)


def test_stopping_a_scan_whose_end_was_just_told_makes_room_for_other_verbs() -> None:
    scan = SheetScan(1)
    scan.want()
    scan.begun()
    scan.ended()
    scan.abandon()
    assert not scan.feeding


def test_a_cover_that_is_opened_during_a_scan_is_no_fault(tmp_path: Path, ballots: Election) -> None:
    with stage(tmp_path, ballots) as world:
        world.rest()
        world.scanner.inject(OpenCover(at=ImageByte(IMAGE_BYTES // 2)))
        world.insert()
        world.station.rig.wait_for("cover_open")
        world.rest()
        assert "fault" not in states(world)


def test_books_that_were_emptied_are_not_new_books(tmp_path: Path) -> None:
    """A file system that was cut off can leave a file without its contents, and a copy begins as an empty file."""
    store = rig_store(tmp_path)
    store.open_polls()
    store.write_pending(SheetReading(Disposition("accept"), b"{}", ()))
    assert store.commit().count == 1
    store.close()
    (tmp_path / "evidence" / "rig" / "log.sqlite").write_bytes(b"")
    with pytest.raises(StoreError, match="storeCorrupt"):
        store.read()


def accepted(document: StatusDocument) -> bool:
    return document.signal == "accepted"


def test_acceptance_is_signalled_once_though_the_cable_is_pulled_meanwhile(tmp_path: Path, ballots: Election) -> None:
    with stage(tmp_path, ballots) as world:
        world.rest()
        world.insert()
        world.station.rig.watch.wait_for(accepted, 5)
        world.scanner.unplug()
        world.scanner.plug()
        world.rest()
        assert world.station.books.line.times == 1


def test_paper_left_in_the_mouth_is_what_the_station_complains_about(tmp_path: Path, ballots: Election) -> None:
    """While an eject waits for the mouth, the scanner answers nothing: that is no silent scanner."""
    with stage(tmp_path, ballots) as world:
        world.rest()
        world.reader.gate.clear()
        world.insert()
        world.reader.called.wait(5)
        world.insert()
        world.reader.gate.set()
        assert world.scanner.wait_for(lambda status: status.motion == "paused", 5)
        time.sleep(1.0)
        document = world.station.rig.watch.latest
        world.scanner.remove()
        world.assert_books(world.rest())
        assert (document.state, document.reason) == ("accepting", "frontBlocked")
