"""The loop around the machine: what it shows and says, with the real driver and the emulated scanner."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.decision import Disposition
from edge.evidence.clock import LogClock
from edge.evidence.evidence_store import EvidenceStore
from edge.evidence.reading import SheetReading
from edge.station.events import EvidenceTrouble
from edge.station.signals import Signal
from firmware_bridge.scanner import SheetImages
from hil.rig.evidence import PACKAGE, SOFTWARE, rig_settings, rig_store
from hil.rig.station import OUTPUTS, StationRig
from hil.scanner.emulator import EmulatedScanner
from hil.scanner.knobs import Timings
from hil.scanner.sheet import Sheet
from tests.ballot.sheets import made_up


def accept(_: SheetImages) -> SheetReading:
    return SheetReading(Disposition("accept"), b"{}", ())


@pytest.fixture
def scanner() -> Iterator[EmulatedScanner]:
    with EmulatedScanner(Timings.each(0.002)) as device:
        yield device


@pytest.fixture
def rig(tmp_path: Path, scanner: EmulatedScanner) -> Iterator[StationRig]:
    with StationRig(tmp_path, scanner, made_up(), read=accept) as station:
        station.wait_for("waiting")
        yield station


def feed(rig: StationRig, name: str = "sheet") -> None:
    assert rig.scanner.wait_for(lambda status: status.feeder, 5)
    rig.scanner.insert(Sheet.blank(name, inches=4))


def test_the_end_of_the_signal_of_acceptance_is_published(rig: StationRig) -> None:
    feed(rig)
    rig.wait_for("waiting", count=1)
    rig.watch.wait_for(lambda document: document.signal == Signal.READY and not document.lamps["accept"], 5)
    signals = [document.signal for document in rig.watch.documents]
    assert signals.index(Signal.ACCEPTED) < len(signals) - 1


def test_the_status_says_who_the_scanner_is_and_what_became_of_the_last_sheet(rig: StationRig) -> None:
    feed(rig)
    document = rig.wait_for("waiting", count=1)
    assert document.scanner is not None
    assert document.scanner["serialNumber"] == "00C0FFEE"
    assert document.last_sheet == {"outcome": "accepted", "reasons": ()}
    assert document.polls == "open"


def test_the_key_switch_closes_and_opens(rig: StationRig) -> None:
    rig.turn_polls(is_open=False)
    rig.wait_for("closed")
    assert rig.scanner.wait_for(lambda status: not status.feeder, 5)
    rig.turn_polls(is_open=True)
    rig.wait_for("waiting")
    assert rig.scanner.wait_for(lambda status: status.feeder, 5)


def test_the_records_tell_the_states_and_nothing_of_the_sheet(tmp_path: Path, scanner: EmulatedScanner) -> None:
    with StationRig(tmp_path, scanner, made_up(), read=accept) as rig:
        rig.wait_for("waiting")
        feed(rig)
        rig.wait_for("waiting", count=1)
    # Only at the end of the station all records have been carried out.
    states = [record.fields["state"] for record in rig.records.kept if record.event == "state"]
    assert states[-4:] == ["scanning", "interpreting", "accepting", "waiting"]
    assert {record.event for record in rig.records.kept} == {"state", "polls", "scanner", "stop"}


def test_an_interpreter_that_fails_sends_the_sheet_back_and_is_recorded(tmp_path: Path, scanner: EmulatedScanner) -> None:
    def fail(_: SheetImages) -> SheetReading:
        raise RuntimeError("a text that could quote the sheet")

    with StationRig(tmp_path, scanner, made_up(), read=fail) as rig:
        rig.wait_for("waiting")
        feed(rig)
        assert rig.wait_for("returned").reason == "interpreterFailed"
    [record] = [record for record in rig.records.kept if record.event == "interpreterFailed"]
    assert record.fields == {"detail": "RuntimeError"}


def logged(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    """The signed log that a station has left."""
    with closing(rig_store(folder)) as store:
        store.read()
        entries = [json.loads(entry) for entry, _ in store.opened().media[0].log.entries()]
    return [(entry["Id"], json.loads(entry["Details"])) for entry in entries]


def test_the_signed_log_tells_the_day(tmp_path: Path, scanner: EmulatedScanner) -> None:
    for number in (1, 2):
        with StationRig(tmp_path, scanner, made_up(), read=accept) as rig:
            rig.wait_for("waiting")
            feed(rig, f"sheet-{number}")
            rig.wait_for("waiting", count=number)
            rig.turn_polls(is_open=False)
            rig.wait_for("closed")
    events = logged(tmp_path)
    day = ["stationStarted", "scannerConnected", "pollsOpened", "sheetAccepted", "pollsPaused", "stationStopped"]
    assert [name for name, _ in events] == ["logOpened", *day[:2], "zeroCheck", *day[2:], *day]
    counts = [(name, details["count"]) for name, details in events if "count" in details]
    assert counts[5:] == [(day[0], 1), (day[2], 1), (day[3], 2), (day[4], 2), (day[5], 2)]
    assert events[1][1]["software"] == "rig"


def test_after_a_fault_the_station_has_not_started_again(tmp_path: Path, scanner: EmulatedScanner) -> None:
    with StationRig(tmp_path, scanner, made_up(), read=accept) as rig:
        rig.wait_for("waiting")
        rig.daemon.post(EvidenceTrouble("storeUnavailable", "a detail"))
        rig.watch.wait_for(lambda document: document.state == "starting", 5)
        rig.wait_for("waiting")
    names = [name for name, _ in logged(tmp_path)]
    assert names.count("stationStarted") == 1
    assert names[-4:] == ["fault", "faultCleared", "scannerConnected", "stationStopped"]
    [record] = [record for record in rig.records.kept if record.event == "evidence"]
    assert record.fields == {"code": "storeUnavailable"}


def test_a_lost_medium_is_shown_and_listed_among_the_problems(
    tmp_path: Path, scanner: EmulatedScanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.station.daemon._TEND_MS", 50)
    (tmp_path / "second").mkdir()
    settings = replace(rig_settings(tmp_path), media=(tmp_path / "evidence", tmp_path / "second"))
    store = EvidenceStore(settings, PACKAGE, software=SOFTWARE, clock=LogClock())
    with StationRig(tmp_path, scanner, made_up(), read=accept, store=store) as rig:
        assert rig.wait_for("waiting").problems == ()
        shutil.rmtree(tmp_path / "second" / "rig")
        document = rig.watch.wait_for(lambda document: document.signal == Signal.READY_ALARM, 5)
        assert document.problems == ("mediumLost",)
        assert rig.lit() == {"ready", "fault"}
        feed(rig)
        rig.wait_for("waiting", count=1)
        rig.watch.wait_for(lambda document: document.signal == Signal.READY_ALARM, 5)
        rig.turn_polls(is_open=False)
        assert rig.wait_for("closed").signal == Signal.CLOSED_ALARM


def test_at_the_end_every_line_is_released_and_the_feeder_is_off(tmp_path: Path, scanner: EmulatedScanner) -> None:
    with StationRig(tmp_path, scanner, made_up(), read=accept) as rig:
        rig.wait_for("waiting")
        assert scanner.wait_for(lambda status: status.feeder, 5)
    assert {rig.pins.pin(number).function for number in OUTPUTS.values()} == {"input"}
    assert not scanner.describe().feeder
