"""Every command of a PageScan 6, as the body that `packet.command_packet` frames (the public notes on the PageScan 6 protocol).

Numbers out of range raise ValueError: a scanner takes a wrong byte for another command or not at all.
"""

from __future__ import annotations

from typing import Final, Literal

Side = Literal["top", "bottom"]
ThresholdChange = Literal["raise", "lower"]
DoubleFeedReading = Literal["single", "double", "ledIntensity", "threshold", "sensorCount"]

TEST_STRING: Final = b"D"
FIRMWARE_VERSION: Final = b"V"
BUILD_DATE: Final = b"\x1bV"
STATUS: Final = b"Q"
SETTINGS: Final = b"I"
SERIAL_NUMBER: Final = b"*"
INPUT_SENSORS: Final = b"\x1bs"
CALIBRATION_NATIVE: Final = b"W0"
CALIBRATION_HALF: Final = b"W1"
"""Tables of white and black per column at half resolution; a duplex unit sends two replies, top and bottom."""

CHECK_CRC: Final = b"\x1bK"
FLOW_CONTROL: Final = b"\x1bU"
FEEDER_ON: Final = b"8"
FEEDER_OFF: Final = b"9"
HALF_RESOLUTION: Final = b"A"
"""200 dpi; the default after power-on."""
MEDIUM_RESOLUTION: Final = b"@"
NATIVE_RESOLUTION: Final = b"B"
BOTH_SIDES: Final = b"J"
TOP_ONLY: Final = b"G"
BOTTOM_ONLY: Final = b"H"
NATIVE_DEPTH: Final = b"y"
LOW_DEPTH: Final = b"z"
AUTO_SCAN: Final = b"g"
PICK_ON_COMMAND: Final = b"\x1bX"
"""The feeder must be switched on again before each scan."""
PICK_ALWAYS: Final = b"\x1bY"
EJECT_PAUSE_ON: Final = b"M"
"""A motion to the rear waits while the front sensors are covered."""
EJECT_PAUSE_OFF: Final = b"N"
RUN_OUT_ON: Final = b"\x1be"
RUN_OUT_OFF: Final = b"\x1bd"
"""The sheet is held at the rear at the end of a scan."""
MOTOR_HALF_SPEED: Final = b"j"
MOTOR_FULL_SPEED: Final = b"k"
SAVE_THRESHOLDS: Final = b"\x1b$"
STRAIGHTENING_OFF: Final = b"\x1bO"
LIGHT_ON: Final = b"5"
LIGHT_OFF: Final = b"6"
DOUBLE_FEED_ON: Final = b"n"
DOUBLE_FEED_OFF: Final = b"o"
SAVE_REGISTERS: Final = b"}"

EJECT_REAR: Final = b"3"
EJECT_FRONT: Final = b"4"
EJECT_FRONT_AND_HOLD: Final = b"1"
RELEASE_ESCROW: Final = b"7"
SCAN_AGAIN: Final = b"["
CALIBRATE_IMAGE_SENSORS: Final = b"C"
CALIBRATE_DOUBLE_FEED_SINGLE: Final = b"n11"
CALIBRATE_DOUBLE_FEED_DOUBLE: Final = b"n12"
REBOOT: Final = b"0"

_SIDE_LETTER: Final = {"top": b"T", "bottom": b"B"}
_READING_TAG: Final = {"single": b"10", "double": b"20", "ledIntensity": b"30", "sensorCount": b"40", "threshold": b"90"}


def _within(name: str, value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise ValueError(f"{name} {value} is not within {low} to {high}")
    return value


def set_serial_number(serial_number: str) -> bytes:
    """Write a new serial number into the scanner's flash: 8 digits 0-9 A-F."""
    if len(serial_number) != 8 or not set(serial_number) <= set("0123456789ABCDEF"):
        raise ValueError(f"serial number {serial_number!r} is not 8 digits 0-9 A-F")
    return b"*" + serial_number.encode("ascii")


def double_feed_reading(which: DoubleFeedReading) -> bytes:
    """Ask for one number of the double-feed calibration."""
    return b"n3a" + _READING_TAG[which]


def double_feed_sensitivity(percent: int) -> bytes:
    """Set how readily two sheets are told from one, 0 to 100 percent."""
    return b"n3A%d" % _within("sensitivity", percent, 0, 100)


def double_feed_overlap(hundredths: int) -> bytes:
    """Set the smallest overlap that counts as a double feed, 10 to 250 hundredths of an inch."""
    return b"n3B%d" % _within("overlap", hundredths, 10, 250)


def input_sensors_needed(count: int) -> bytes:
    """Set how many front sensors must be covered before a scan begins, 1 to 7 (a PageScan 6 has 5)."""
    return INPUT_SENSORS + b"%d" % _within("front sensors", count, 1, 7)


def bitonal_threshold(side: Side, percent: int) -> bytes:
    """Set the level between black and white in the bilevel mode, 0 to 100 percent of white; one raw byte, lost at power-off."""
    return b"\x1b%" + _SIDE_LETTER[side] + bytes((_within("threshold", percent, 0, 100),))


def bitonal_threshold_step(side: Side, change: ThresholdChange) -> bytes:
    """Move that level by one percent."""
    return b"\x1b" + {"top": {"raise": b"+", "lower": b"-"}, "bottom": {"raise": b">", "lower": b"<"}}[side][change]


def longest_sheet(units: int, *, unit_twentieths: int | None = None) -> bytes:
    """Set the longest sheet; a longer one counts as a jam.

    Args:
        units: Length in units, 1 to 223.
        unit_twentieths: The unit in 1/20 inch, 2 to 11; None sends the short form, whose unit is 1/10 inch.
    """
    body = b"\x1bD" + bytes((0x20 + _within("length", units, 1, 223),))
    if unit_twentieths is None:
        return body
    return body + bytes((ord("0") + _within("unit", unit_twentieths, 2, 11) - 2,))


def feed_delay(milliseconds: int) -> bytes:
    """Set the wait between paper seen and intake: 0 to 3200 ms in steps of 16."""
    if _within("delay", milliseconds, 0, 3200) % 16:
        raise ValueError(f"delay {milliseconds} is not a multiple of 16")
    return b"\x1bj" + bytes((0x20 + milliseconds // 16,))


def read_register(index: int) -> bytes:
    """Ask for a register, 0 to 0xfff."""
    return b"<%03X" % _within("register", index, 0, 0xFFF)


def write_register(index: int, value: int) -> bytes:
    """Write a register, 0 to 0xfff, with 32 bits; `SAVE_REGISTERS` makes it outlast the power."""
    return b">%03X%08X" % (_within("register", index, 0, 0xFFF), _within("value", value, 0, 0xFFFFFFFF))
