"""The technician's jobs at the scanner, through the real command, USB/IP and the emulated scanner."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.cli import main
from hil.scanner.emulator import EmulatedScanner
from hil.scanner.knobs import Behaviour, Timings
from hil.scanner.sheet import Sheet
from hil.usbip.server import UsbipServer

BUSID = "1-1"


@pytest.fixture
def scanner() -> Iterator[EmulatedScanner]:
    timings = Timings(0.01, 0.01, 0.01, 0.02, 0.001, 0.01, 0.01, 0.5)
    with EmulatedScanner(timings, Behaviour(double_feed_calibrated=False)) as device:
        yield device


@pytest.fixture
def config(tmp_path: Path, scanner: EmulatedScanner) -> Iterator[Path]:
    with UsbipServer({BUSID: scanner}) as server:
        path = tmp_path / "station.toml"
        path.write_text(
            f"""
            [[definitions]]
            election = "election.json"
            [scanner]
            usb_backend = "usbip"
            usbip_server = "127.0.0.1:{server.port}"
            [panel]
            pin_factory = "mock"
            [evidence]
            folder = "evidence"
            [station]
            runtime_directory = "{tmp_path}"
            """,
            encoding="utf-8",
        )
        yield path


def run(job: str, config: Path) -> int:
    return main(["scanner", job, "--config", str(config)])


def when_heard(scanner: EmulatedScanner, body: bytes, act: Callable[[], None]) -> threading.Thread:
    """Do something as soon as the scanner has been told something."""

    def wait() -> None:
        if scanner.wait_for(lambda _: body in scanner.heard(), 10):
            act()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_info_shows_who_the_scanner_is_and_what_its_sensors_see(
    scanner: EmulatedScanner, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scanner.insert(Sheet.blank("sheet"))
    assert run("info", config) == 0
    told = capsys.readouterr().out
    assert "serial number  00C0FFEE" in told
    assert "paper in front yes" in told
    assert "paper at rear  no" in told


def test_the_arrays_are_calibrated_with_a_white_sheet(
    scanner: EmulatedScanner, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scanner.insert(Sheet.blank("white"))
    assert run("calibrate-images", config) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "Done."


def test_a_calibration_without_a_sheet_ends_with_a_code(
    scanner: EmulatedScanner, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scanner.describe().places == {}
    assert run("calibrate-images", config) == 2
    assert "scrutineer: calibrationFailed: " in capsys.readouterr().err


def test_the_double_feed_sensor_is_calibrated_with_two_sheets_and_then_one(
    scanner: EmulatedScanner, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scanner.insert(Sheet.blank("one"), Sheet.blank("two"))

    def change_sheets() -> None:
        scanner.remove()
        scanner.insert(Sheet.blank("three"))

    person = when_heard(scanner, b"n11", change_sheets)
    status = run("calibrate-double-feed", config)
    person.join()
    assert status == 0
    assert capsys.readouterr().out.splitlines().count("Done.") == 2


def test_a_scanner_that_is_not_there_is_a_code(
    scanner: EmulatedScanner, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scanner.unplug()
    assert run("info", config) == 2
    assert "scrutineer: scannerNotFound: " in capsys.readouterr().err
