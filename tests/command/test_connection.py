"""What the configuration says reaches the driver, and what it leaves out is the driver's own."""

from __future__ import annotations

from pathlib import Path

from edge.commands.connection import scanner_settings
from edge.station.config import station_config
from firmware_bridge.pagescan6.settings import ScannerSettings

LEAST = {
    "definitions": [{"election": "election.json"}],
    "panel": {"pin_factory": "mock"},
    "evidence": {"folder": "evidence"},
    "station": {"runtime_directory": "run"},
}


def test_what_is_left_out_is_the_drivers_own() -> None:
    config = station_config(LEAST, Path("/station"))
    assert scanner_settings(config.scanner) == ScannerSettings(lock_file=Path("/station/run/scanner.lock"))


def test_what_is_given_reaches_the_driver() -> None:
    scanner = {
        "paper_inches": 14,
        "double_feed_detection": False,
        "serial_numbers": ["00C0FFEE"],
        "timing": {"write_limit": 1500, "image_quiet": 40},
        "device": {"partial_row": "refuse", "check_boot_register": False, "front_sensors_needed": 3},
    }
    settings = scanner_settings(station_config({**LEAST, "scanner": scanner}, Path("/station")).scanner)
    assert settings == ScannerSettings(
        lock_file=Path("/station/run/scanner.lock"),
        paper_inches=14.0,
        double_feed_detection=False,
        allowed_serial_numbers=("00C0FFEE",),
        write_seconds=1.5,
        drain_quiet_seconds=0.04,
        partial_row="refuse",
        check_boot_register=False,
        front_sensors_needed=3,
    )
