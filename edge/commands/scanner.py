"""`scrutineer scanner`: what the technician does with the scanner while the station does not run."""

from __future__ import annotations

import argparse
import queue
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from edge.commands.connection import connector
from edge.commands.error import CommandError
from edge.station.config import ConfigError, load_station_config
from firmware_bridge.scanner import CalibrationEnded, Scanner, ScannerError, ScannerEvent, ScannerLost

_CALIBRATION_LIMIT_S = 60.0
"""The scanner gives up by itself before that."""

Events = queue.SimpleQueue[ScannerEvent]


def run(arguments: argparse.Namespace) -> int:
    """Carry out one of the jobs.

    Raises:
        CommandError: the codes of ScannerError, `calibrationFailed`, and those of the configuration.
    """
    jobs: dict[str, Callable[[Scanner, Events], None]] = {
        "info": _info,
        "calibrate-images": _calibrate_images,
        "calibrate-double-feed": _calibrate_double_feed,
    }
    with _connected(arguments) as (scanner, events):
        jobs[arguments.job](scanner, events)
    return 0


@contextmanager
def _connected(arguments: argparse.Namespace) -> Iterator[tuple[Scanner, Events]]:
    events: Events = queue.SimpleQueue()
    try:
        scanner = connector(load_station_config(arguments.config).scanner)(events.put)
        try:
            yield scanner, events
        finally:
            scanner.close()
    except (ConfigError, ScannerError) as error:
        hint = getattr(error, "hint", "")
        raise CommandError(error.code, f"{error.detail} {hint}".strip()) from error


def _info(scanner: Scanner, _: Events) -> None:
    identity, sensors = scanner.identity, scanner.sensors()
    _say(f"scanner        {identity.family}, product {identity.product}, firmware {identity.firmware}")
    _say(f"serial number  {identity.serial_number}")
    rows = {
        "paper in front": sensors.front,
        "paper at rear": sensors.rear,
        "sheet inside": sensors.sheet_inside,
        "cover open": sensors.cover_open,
        "jammed": sensors.jammed,
        "calibration": sensors.calibration_needed,
    }
    for name, is_so in rows.items():
        _say(f"{name:15}{'yes' if is_so else 'no'}" if name != "calibration" else f"{name:15}{'needed' if is_so else 'done'}")


def _calibrate_images(scanner: Scanner, events: Events) -> None:
    _say("Put a clean white sheet in front of the scanner.")
    scanner.calibrate_image_sensors()
    _await_calibration(events)


def _calibrate_double_feed(scanner: Scanner, events: Events) -> None:
    _say("Put two sheets, one on top of the other, in front of the scanner.")
    scanner.calibrate_double_feed("double")
    _await_calibration(events)
    _say("Take them away and put a single sheet in front of the scanner.")
    scanner.calibrate_double_feed("single")
    _await_calibration(events)


def _await_calibration(events: Events) -> None:
    while True:
        try:
            event = events.get(timeout=_CALIBRATION_LIMIT_S)
        except queue.Empty as error:
            raise CommandError("calibrationFailed", "the scanner did not say that it is done") from error
        match event:
            case CalibrationEnded(succeeded=True):
                _say("Done.")
                return
            case CalibrationEnded(detail=detail):
                raise CommandError("calibrationFailed", detail or "the scanner is not content")
            case ScannerLost() as lost:
                raise CommandError(lost.code, lost.detail)
            case _:
                pass


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
