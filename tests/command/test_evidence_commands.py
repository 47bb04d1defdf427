"""What poll workers, technicians and officials type at a station's evidence: report, close, export, keys."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge.cli import main
from edge.commands.definition import read_package
from edge.commands.run import evidence_settings
from edge.evidence.clock import LogClock
from edge.evidence.evidence_store import EvidenceStore
from edge.evidence.keys.enrolment import parse_enrolment
from edge.evidence.reading import SheetReading
from edge.station.config import load_station_config
from hil.rig.evidence import SOFTWARE
from hil.secrecy.pool import pool

TOML = """
[[definitions]]
election = "election.json"

[scanner]

[panel]
pin_factory = "mock"

[evidence]
folder = "evidence"
device = "scan.example.org/0001"
sheets = 12
returned_sheets = 2
slot_kib = 192
"""


@dataclass
class Desk:
    """A station's folder, and its evidence as the station would use it."""

    folder: Path
    store: EvidenceStore
    readings: list[SheetReading]
    capsys: pytest.CaptureFixture[str]

    def type(self, *words: str | Path) -> str:
        """Type a command at the station that must work; gives what it prints."""
        status = main([str(word) for word in (*words, "--config", self.folder / "station.toml")])
        out, err = self.capsys.readouterr()
        assert status == 0, err
        return out

    def refused(self, *words: str | Path) -> str:
        """Type a command that must be refused; gives the reason."""
        assert main([str(word) for word in (*words, "--config", self.folder / "station.toml")]) == 2
        out, err = self.capsys.readouterr()
        assert out == ""
        return err.splitlines()[-1].removeprefix("scrutineer: ").split(":")[0]

    def cast(self, count: int) -> None:
        for number in range(count):
            self.store.write_pending(self.readings[number % len(self.readings)])
            self.store.commit()

    def log(self) -> list[str]:
        self.store.read()
        return [json.loads(entry)["Id"] for entry, _ in self.store.opened().media[0].log.entries()]


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    package, readings = pool()
    (tmp_path / "election.json").write_bytes(package.election or b"")
    (tmp_path / "station.toml").write_text(TOML)
    (tmp_path / "stick").mkdir()
    config = load_station_config(tmp_path / "station.toml")
    package = read_package(config.definitions)
    store = EvidenceStore(evidence_settings(config, package), package, software=SOFTWARE, clock=LogClock())
    return Desk(tmp_path, store, readings, capsys)


def test_a_day_at_the_station(desk: Desk) -> None:
    desk.store.read()
    assert "Zero report" in desk.type("report")
    desk.store.open_polls()
    desk.cast(3)
    told = desk.type("report")
    assert "Sheets in the box: 3" in told
    assert "overvotes" not in told
    assert desk.refused("close") == "pollsOpen"
    desk.store.pause_polls()
    closing = desk.type("close")
    assert "Sheets in the box: 3" in closing
    assert "Ballot styles with fewer than ten ballots, which may tell how somebody voted: " in closing
    assert "\u2014 scan.example.org/0001/" in closing
    assert desk.refused("close") == "pollsClosed"
    assert desk.type("report").splitlines()[4:] == closing[: closing.index("\n\nSet of")].splitlines()[4:]
    made = desk.type("export", desk.folder / "stick")
    (export,) = (desk.folder / "stick").iterdir()
    assert str(export) in made
    assert len(list((export / "sheets").iterdir())) == 3
    assert desk.log()[-3:] == ["pollsClosed", "exportBegun", "exportMade"]
    desk.store.close()


def test_before_the_close_no_ballot_leaves_the_station(desk: Desk) -> None:
    desk.store.read()
    desk.store.open_polls()
    desk.cast(2)
    assert "has the log and no ballot" in desk.type("export", desk.folder / "stick")
    (export,) = (desk.folder / "stick").iterdir()
    assert not (export / "sheets").exists()
    assert not (export / "results").exists()
    # The station at work goes on in the same log.
    desk.cast(1)
    assert desk.log()[-3:] == ["exportBegun", "exportMade", "sheetAccepted"]
    desk.store.close()


def test_an_export_that_cannot_be_made_is_in_the_log_and_changes_nothing_else(desk: Desk) -> None:
    desk.store.read()
    assert desk.refused("export", desk.folder / "nowhere") == "destinationMissing"
    assert desk.refused("export", desk.folder / "evidence") == "destinationIsEvidence"
    assert desk.log()[-4:] == ["exportBegun", "exportFailed", "exportBegun", "exportFailed"]
    desk.store.close()


def test_where_there_is_no_evidence_nothing_is_made(desk: Desk) -> None:
    for command in ("report", "close"):
        assert desk.refused(command) in {"keyMissing", "storeUnavailable", "keyUnavailable"}
    assert not (desk.folder / "evidence").exists()
    assert not (desk.folder / "keys").exists()


def test_enrolling_makes_the_key_and_nothing_else(desk: Desk) -> None:
    enrolment = parse_enrolment(desk.type("keys", "enrol").encode())
    assert enrolment.device == "scan.example.org/0001"
    assert not (desk.folder / "evidence").exists()
    desk.store.read()
    assert desk.store.opened().signer.verifier == enrolment.log
    desk.store.close()


def test_the_box_becomes_unreadable_only_after_an_export_of_the_closed_election(desk: Desk) -> None:
    desk.store.read()
    desk.store.open_polls()
    desk.cast(1)
    desk.store.pause_polls()
    desk.type("export", desk.folder / "stick")
    assert desk.refused("keys", "discard-day-key") == "notExported"
    desk.type("close")
    assert desk.refused("keys", "discard-day-key") == "notExported"
    desk.type("export", desk.folder / "stick")
    assert "can no longer be read" in desk.type("keys", "discard-day-key")
    assert desk.log()[-1] == "dayKeyDiscarded"
    assert desk.store.read().polls == "closed"
    assert desk.refused("export", desk.folder / "stick") == "pollsClosed"
    desk.store.close()
