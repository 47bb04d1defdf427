"""What the two digits of an event mean (the public notes on the PageScan 6 protocol)."""

from __future__ import annotations

from enum import Enum
from types import MappingProxyType
from typing import Final


class EventKind(Enum):
    """What an event is about; several codes can share a kind."""

    OKAY = "okay"
    JAM = "jam"
    CALIBRATION_NEEDED = "calibrationNeeded"
    COMMAND_ERROR = "commandError"
    READ_ERROR = "readError"
    DOUBLE_FEED_UNAVAILABLE = "doubleFeedUnavailable"
    FIFO_OVERFLOW = "fifoOverflow"
    COVER_OPEN = "coverOpen"
    COVER_CLOSED = "coverClosed"
    COMMAND_CRC_ERROR = "commandCrcError"
    FPGA_OUTDATED = "fpgaOutdated"
    CALIBRATION_OKAY = "calibrationOkay"
    CALIBRATION_FAILED = "calibrationFailed"
    BEGIN_SCAN = "beginScan"
    END_SCAN = "endScan"
    DOUBLE_FEED = "doubleFeed"
    EJECT_PAUSED = "ejectPaused"
    EJECT_RESUMED = "ejectResumed"
    DOUBLE_FEED_CALIBRATED = "doubleFeedCalibrated"
    DOUBLE_FEED_CALIBRATION_FAILED = "doubleFeedCalibrationFailed"


def _light(array: str, first: int) -> dict[int, tuple[EventKind, str]]:
    problems = (
        *(f"too {much} {colour} light" for colour in ("red", "blue", "green") for much in ("little", "much")),
        "pixels too high",
        "pixels too low",
    )
    return {first + index: (EventKind.CALIBRATION_FAILED, f"{array} array: {problem}") for index, problem in enumerate(problems)}


EVENTS: Final = MappingProxyType(
    {
        0x00: (EventKind.OKAY, "scanner okay"),
        0x01: (EventKind.JAM, "document jam"),
        0x02: (EventKind.CALIBRATION_NEEDED, "calibration needed"),
        0x05: (EventKind.COMMAND_ERROR, "command error"),
        0x06: (EventKind.READ_ERROR, "read error"),
        0x07: (EventKind.DOUBLE_FEED_UNAVAILABLE, "double-feed detection needs calibration"),
        0x08: (EventKind.DOUBLE_FEED_UNAVAILABLE, "double-feed detection is missing or its firmware is old"),
        0x09: (EventKind.FIFO_OVERFLOW, "pixels were lost because they were not fetched fast enough"),
        # The vendor's document says 0C and 0D, real scanners send 34 and 35.
        0x0C: (EventKind.COVER_OPEN, "cover open"),
        0x0D: (EventKind.COVER_CLOSED, "cover closed"),
        0x0E: (EventKind.COMMAND_CRC_ERROR, "wrong check byte in a command"),
        0x0F: (EventKind.FPGA_OUTDATED, "the scanner's FPGA is out of date"),
        0x10: (EventKind.CALIBRATION_OKAY, "image sensors calibrated"),
        0x11: (EventKind.CALIBRATION_FAILED, "calibration sheet too short"),
        0x12: (EventKind.CALIBRATION_FAILED, "calibration sheet removed"),
        0x13: (EventKind.CALIBRATION_FAILED, "front array: pixel error at black"),
        0x19: (EventKind.CALIBRATION_FAILED, "front array: pixel error at white"),
        0x1A: (EventKind.CALIBRATION_FAILED, "calibration timed out"),
        0x1B: (EventKind.CALIBRATION_FAILED, "speed value error"),
        0x1C: (EventKind.CALIBRATION_FAILED, "speed box error"),
        0x30: (EventKind.BEGIN_SCAN, "begin of scan"),
        0x31: (EventKind.END_SCAN, "end of scan"),
        0x33: (EventKind.DOUBLE_FEED, "double feed"),
        0x34: (EventKind.COVER_OPEN, "cover open"),
        0x35: (EventKind.COVER_CLOSED, "cover closed"),
        0x36: (EventKind.EJECT_PAUSED, "ejection waits for paper at the front"),
        0x37: (EventKind.EJECT_RESUMED, "ejection goes on"),
        0x51: (EventKind.CALIBRATION_FAILED, "back array: pixel error at black"),
        0x53: (EventKind.CALIBRATION_FAILED, "back array: pixel error at white"),
        0x54: (EventKind.CALIBRATION_FAILED, "back array: calibration sheet too short"),
        **_light("front", 0x71),
        **_light("back", 0x81),
        # Neither is in the vendor's document; others have seen both.
        0x90: (EventKind.DOUBLE_FEED_CALIBRATED, "double-feed calibration step complete"),
        0x9A: (EventKind.DOUBLE_FEED_CALIBRATION_FAILED, "double-feed calibration timed out"),
    }
)
"""Known codes; each with its kind and its meaning in words."""
