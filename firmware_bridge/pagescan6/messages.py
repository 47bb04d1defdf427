"""What a PageScan 6 says on its primary endpoint: one transfer in, one message out (the public notes on the PageScan 6 protocol).

Nothing is lost and nothing raises: a transfer that is no packet, or whose content does not fit its own kind, is `Garbled`; a
packet of a kind that no document describes is an `UnknownEvent` or an `UnknownReply`. Each of these keeps its bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from firmware_bridge.pagescan6.commands import DoubleFeedReading, Side
from firmware_bridge.pagescan6.event_codes import EVENTS, EventKind
from firmware_bridge.pagescan6.packet import PacketError, reply_body


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. `code`: 0 to 0xff, as sent; `meaning`: in words."""

    code: int
    kind: EventKind
    meaning: str


@dataclass(frozen=True, slots=True)
class CalibrationText:
    """Stray text that comes during a calibration of the image sensors. `raw`: the whole transfer."""

    text: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class UnknownEvent:
    """An event whose code is not known. `raw`: the whole transfer."""

    raw: bytes


@dataclass(frozen=True, slots=True)
class PingReply:
    """The answer to a ping; an empty text is legal."""

    text: str


@dataclass(frozen=True, slots=True)
class FirmwareVersion:
    """Product code of 4 characters, and the versions as the scanner spells them."""

    product: str
    major: str
    minor: str
    cpld: str


@dataclass(frozen=True, slots=True)
class BuildDate:
    """When the firmware was built: ``Mon DD YYYY/hh:mm:ss``."""

    text: str


@dataclass(frozen=True, slots=True)
class Status:
    """Three bytes of state, as sent; the names are those of the bits."""

    rear: int
    front: int
    state: int

    @property
    def rear_covered(self) -> bool:
        """Any of the two rear sensors sees paper."""
        return bool(self.rear & 0x03)

    @property
    def front_covered(self) -> bool:
        """Any front sensor sees paper."""
        return bool(self.front & 0x7F)

    @property
    def high_speed(self) -> bool:
        """The link runs at high speed."""
        return bool(self.rear & 0x08)

    @property
    def cover_open(self) -> bool:
        """The cover is open."""
        return bool(self.rear & 0x10)

    @property
    def feeder_on(self) -> bool:
        """The feeder would take paper."""
        return bool(self.rear & 0x40)

    @property
    def ready(self) -> bool:
        """The scanner calls itself ready."""
        return bool(self.state & 0x01)

    @property
    def transmit_aborted(self) -> bool:
        """The scanner gave up sending."""
        return bool(self.state & 0x02)

    @property
    def jammed(self) -> bool:
        """Paper is stuck."""
        return bool(self.state & 0x04)

    @property
    def array_pixel_error(self) -> bool:
        """A scan array has bad pixels."""
        return bool(self.state & 0x08)

    @property
    def diagnostic(self) -> bool:
        """The scanner is in its diagnostic mode."""
        return bool(self.state & 0x10)

    @property
    def sheet_inside(self) -> bool:
        """The scanner believes that it holds a sheet."""
        return bool(self.state & 0x20)

    @property
    def calibration_needed(self) -> bool:
        """The image sensors want calibration."""
        return bool(self.state & 0x40)


@dataclass(frozen=True, slots=True)
class ScanSettings:
    """The answer to `I`. `arrays`: 1 top, 2 bottom, 3 both; `calibration_tables`: None when the firmware does not say."""

    dpi: int
    bits: int
    pixels: int
    arrays: int
    calibration_needed: bool
    calibration_tables: int | None


@dataclass(frozen=True, slots=True)
class SerialNumber:
    """Eight characters."""

    text: str


@dataclass(frozen=True, slots=True)
class InputSensors:
    """How many front sensors must be covered, of how many."""

    needed: int
    total: int


@dataclass(frozen=True, slots=True)
class CalibrationTable:
    """White and black of one side, one byte per column, in the order sent. Checksums, of an unknown kind, are not kept."""

    side: Side
    bits: int
    white: bytes
    black: bytes


@dataclass(frozen=True, slots=True)
class BitonalThreshold:
    """Percent of white; `saved`: what is in flash, None when the reply does not say."""

    side: Side
    percent: int
    saved: int | None


@dataclass(frozen=True, slots=True)
class DoubleFeedValue:
    """One number of the double-feed calibration."""

    which: DoubleFeedReading
    value: int


@dataclass(frozen=True, slots=True)
class RegisterValue:
    """A register as read."""

    index: int
    value: int


@dataclass(frozen=True, slots=True)
class RegisterWritten:
    """A register as written."""

    index: int
    value: int


@dataclass(frozen=True, slots=True)
class UnknownReply:
    """A packet that is neither an event nor a known reply. `raw`: the whole transfer."""

    raw: bytes


@dataclass(frozen=True, slots=True)
class Garbled:
    """A transfer that is no packet, or a reply that contradicts its own kind. `raw`: the whole transfer."""

    raw: bytes
    reason: str


UnsolicitedMessage = Event | CalibrationText | UnknownEvent
Reply = (
    PingReply
    | FirmwareVersion
    | BuildDate
    | Status
    | ScanSettings
    | SerialNumber
    | InputSensors
    | CalibrationTable
    | BitonalThreshold
    | DoubleFeedValue
    | RegisterValue
    | RegisterWritten
)
Message = UnsolicitedMessage | Reply | UnknownReply | Garbled

_HEX_PAIR: Final = re.compile(rb"[0-9A-Fa-f]{2}")
_THRESHOLD: Final = re.compile(rb"X([TB]) ([0-9A-Fa-f]{2})(?: ?([0-9A-Fa-f]{2}))?")
_BUILD_DATE: Final = re.compile(rb"X([A-Z][a-z]{2} [ 0-9][0-9] [0-9]{4}/[0-9]{2}:[0-9]{2}:[0-9]{2})")
_SENSORS: Final = re.compile(rb"s([0-9])([0-9])")
_DOUBLE_FEED: Final = re.compile(rb"n3[aA]([1-49]0)=([0-9]{1,9})")
_REGISTER: Final = re.compile(rb"[<>]([0-9A-Fa-f]{3})([0-9A-Fa-f]{8})")
_PRINTABLE: Final = re.compile(rb"[\x20-\x7e]*")
_SIDES: Final[dict[bytes, Side]] = {b"T": "top", b"B": "bottom"}
_READINGS: Final[dict[bytes, DoubleFeedReading]] = {
    b"10": "single",
    b"20": "double",
    b"30": "ledIntensity",
    b"40": "sensorCount",
    b"90": "threshold",
}


class _UnfitError(Exception):
    """The body does not fit its own kind."""


def decode(transfer: bytes) -> Message:
    """Read one transfer from the primary endpoint; never raises.

    Args:
        transfer: All bytes of the transfer.
    """
    try:
        body = reply_body(transfer)
    except PacketError as error:
        return Garbled(transfer, error.reason)
    if body.startswith(b"#"):
        return _event(body, transfer)
    if body.startswith(b"L0"):
        return CalibrationText(_text(body[2:]).strip(), transfer)
    try:
        reply = _reply(body)
    except _UnfitError as error:
        return Garbled(transfer, str(error))
    return UnknownReply(transfer) if reply is None else reply


def _event(body: bytes, transfer: bytes) -> Event | UnknownEvent:
    code = int(body[1:], 16) if _HEX_PAIR.fullmatch(body[1:]) else -1
    if code not in EVENTS:
        return UnknownEvent(transfer)
    kind, meaning = EVENTS[code]
    return Event(code, kind, meaning)


def _text(data: bytes) -> str:
    return data.decode("latin-1")


def _reply(body: bytes) -> Reply | None:
    match body[:1]:
        case b"D":
            return PingReply(_text(body[1:]))
        case b"V":
            return _firmware_version(body)
        case b"X":
            return _threshold_or_build_date(body)
        case b"Q":
            return _status(body)
        case b"I":
            return _scan_settings(body)
        case b"*":
            return _serial_number(body)
        case b"W":
            return _calibration_table(body)
        case other:
            return _digits_reply(body) if other in {b"s", b"n", b"<", b">"} else None


def _firmware_version(body: bytes) -> FirmwareVersion:
    if len(body) != 10 or not _PRINTABLE.fullmatch(body):
        raise _UnfitError("firmware version: 9 characters expected")
    text = _text(body)
    return FirmwareVersion(text[1:5], text[5:7], text[7:9], text[9:])


def _threshold_or_build_date(body: bytes) -> BitonalThreshold | BuildDate:
    threshold = _THRESHOLD.fullmatch(body)
    if threshold:
        saved = None if threshold[3] is None else int(threshold[3], 16)
        return BitonalThreshold(_SIDES[threshold[1]], int(threshold[2], 16), saved)
    date = _BUILD_DATE.fullmatch(body)
    if date is None:
        raise _UnfitError("neither a threshold nor a build date")
    return BuildDate(_text(date[1]))


def _status(body: bytes) -> Status:
    if len(body) != 4:
        raise _UnfitError("status: 3 bytes expected")
    if not body[1] & body[2] & body[3] & 0x80:
        raise _UnfitError("status: the high bits are not set")
    return Status(body[1], body[2], body[3])


def _scan_settings(body: bytes) -> ScanSettings:
    if len(body) not in {11, 13}:
        raise _UnfitError("settings: five or six numbers expected")
    numbers = [int.from_bytes(body[at : at + 2], "little") for at in range(1, len(body), 2)]
    dpi, bits, pixels, arrays, calibration, *tables = numbers
    return ScanSettings(dpi, bits, pixels, arrays, bool(calibration), tables[0] if tables else None)


def _serial_number(body: bytes) -> SerialNumber:
    if len(body) != 9 or not _PRINTABLE.fullmatch(body):
        raise _UnfitError("serial number: 8 characters expected")
    return SerialNumber(_text(body[1:]))


def _calibration_table(body: bytes) -> CalibrationTable:
    count = int.from_bytes(body[1:3], "little")
    if len(body) != 8 + 2 * count or not count:
        raise _UnfitError(f"calibration table: {len(body)} bytes do not hold two tables of {count}")
    if body[3] >> 4 > 1:
        raise _UnfitError(f"calibration table: side {body[3] >> 4} is neither 0 nor 1")
    white, black = body[4 : 4 + count], body[6 + count : 6 + 2 * count]
    return CalibrationTable("bottom" if body[3] >> 4 else "top", body[3] & 0x0F, white, black)


def _digits_reply(body: bytes) -> InputSensors | DoubleFeedValue | RegisterValue | RegisterWritten | None:
    sensors = _SENSORS.fullmatch(body)
    if sensors:
        return InputSensors(int(sensors[1]), int(sensors[2]))
    reading = _DOUBLE_FEED.fullmatch(body)
    if reading:
        return DoubleFeedValue(_READINGS[reading[1]], int(reading[2]))
    register = _REGISTER.fullmatch(body)
    if register:
        message = RegisterValue if body.startswith(b"<") else RegisterWritten
        return message(int(register[1], 16), int(register[2], 16))
    if body.startswith(b"n"):
        return None  # whether `n`, `n3A` and `n3B` are answered is not known
    raise _UnfitError("digits expected")
