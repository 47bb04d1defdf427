"""Messages: every literal of the public notes, and whatever else may come."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.pagescan6.event_codes import EVENTS, EventKind
from firmware_bridge.pagescan6.messages import (
    BitonalThreshold,
    BuildDate,
    CalibrationTable,
    CalibrationText,
    DoubleFeedValue,
    Event,
    FirmwareVersion,
    Garbled,
    InputSensors,
    Message,
    PingReply,
    RegisterValue,
    RegisterWritten,
    ScanSettings,
    SerialNumber,
    Status,
    UnknownEvent,
    UnknownReply,
    decode,
)
from firmware_bridge.pagescan6.packet import reply_packet
from tests.bridge.wire import PONG, b, table_transfer

WHITE: Final = bytes(range(192)) * 9
BLACK: Final = b"\x03\x02" * 864

LITERALS: list[tuple[bytes, Message]] = [
    (PONG, PingReply(" Test Message USB 1.1/2.0 Communication")),
    (b("02 44 03"), PingReply("")),
    (b"\x02V907203041\x03", FirmwareVersion("9072", "03", "04", "1")),
    (b"\x02XJan 05 2024/10:20:30\x03", BuildDate("Jan 05 2024/10:20:30")),
    (b"\x02XJan  5 2024/10:20:30\x03", BuildDate("Jan  5 2024/10:20:30")),
    (b("02 51 88 80 81 03"), Status(0x88, 0x80, 0x81)),
    (
        b("02 49 c8 00 08 00 c0 06 03 00 00 00 03"),
        ScanSettings(200, 8, 1728, 3, calibration_needed=False, calibration_tables=None),
    ),
    (
        b("02 49 90 01 01 00 80 0d 01 00 01 00 02 00 03"),
        ScanSettings(400, 1, 3456, 1, calibration_needed=True, calibration_tables=2),
    ),
    (b"\x02*00C0FFEE\x03", SerialNumber("00C0FFEE")),
    (b("02 73 32 35 03"), InputSensors(2, 5)),
    (table_transfer(0, WHITE, BLACK), CalibrationTable("top", 8, WHITE, BLACK)),
    (table_transfer(1, WHITE, BLACK), CalibrationTable("bottom", 8, WHITE, BLACK)),
    (b("02 58 54 20 34 42 03"), BitonalThreshold("top", 75, None)),
    (b("02 58 42 20 34 42 03"), BitonalThreshold("bottom", 75, None)),
    (b"\x02XB 4b4A\x03", BitonalThreshold("bottom", 75, 74)),
    (b"\x02XT 4B 4A\x03", BitonalThreshold("top", 75, 74)),
    (b"\x02n3a10=123\x03", DoubleFeedValue("single", 123)),
    (b"\x02n3a20=45\x03", DoubleFeedValue("double", 45)),
    (b"\x02n3a30=6\x03", DoubleFeedValue("ledIntensity", 6)),
    (b"\x02n3a90=78\x03", DoubleFeedValue("threshold", 78)),
    (b"\x02n3a40=2\x03", DoubleFeedValue("sensorCount", 2)),
    (b("02 3c 30 30 39 30 30 30 30 30 32 30 30 03"), RegisterValue(9, 0x200)),
    (b"\x02>00900000200\x03", RegisterWritten(9, 0x200)),
    (b"\x02<aBc0000fFff\x03", RegisterValue(0xABC, 0xFFFF)),
    (b("02 23 33 30 03"), Event(0x30, EventKind.BEGIN_SCAN, "begin of scan")),
    (b("02 23 33 31 03"), Event(0x31, EventKind.END_SCAN, "end of scan")),
    (b"\x02#0C\x03", Event(0x0C, EventKind.COVER_OPEN, "cover open")),
    (b"\x02#0d\x03", Event(0x0D, EventKind.COVER_CLOSED, "cover closed")),
    (b"\x02#34\x03", Event(0x34, EventKind.COVER_OPEN, "cover open")),
    (b"\x02#35\x03", Event(0x35, EventKind.COVER_CLOSED, "cover closed")),
    (b"\x02#36\x03", Event(0x36, EventKind.EJECT_PAUSED, "ejection waits for paper at the front")),
    (b"\x02#37\x03", Event(0x37, EventKind.EJECT_RESUMED, "ejection goes on")),
    (b"\x02#76\x03", Event(0x76, EventKind.CALIBRATION_FAILED, "front array: too much green light")),
    (b"\x02#81\x03", Event(0x81, EventKind.CALIBRATION_FAILED, "back array: too little red light")),
    (b"\x02#88\x03", Event(0x88, EventKind.CALIBRATION_FAILED, "back array: pixels too low")),
    (b"\x02L0 white ok\x03", CalibrationText("white ok", b"\x02L0 white ok\x03")),
    (b"\x02#32\x03", UnknownEvent(b"\x02#32\x03")),
    (b"\x02#\x03", UnknownEvent(b"\x02#\x03")),
    (b"\x02#300\x03", UnknownEvent(b"\x02#300\x03")),
    (b"\x02#G0\x03", UnknownEvent(b"\x02#G0\x03")),
    (b"\x02~\x03", UnknownReply(b"\x02~\x03")),
    (b"\x02n\x03", UnknownReply(b"\x02n\x03")),
]


@pytest.mark.parametrize(("transfer", "message"), LITERALS)
def test_published_messages(transfer: bytes, message: Message) -> None:
    assert decode(transfer) == message


@pytest.mark.parametrize(
    ("transfer", "reason"),
    [
        (b"", "empty transfer"),
        (b"\x02#30\x03\x00", "ends with 00"),
        (b"\x02#30\x03\x02#31\x03\x04", "ends with 04"),
        (b"\x02Q\x88\x80\x03", "status: 3 bytes"),
        (b"\x02Q\x08\x80\x81\x03", "status: the high bits"),
        (b"\x02V9072030\x03", "firmware version: 9 characters"),
        (b"\x02V9072\x0003041\x03", "firmware version: 9 characters"),
        (b"\x02X\x03", "neither a threshold nor a build date"),
        (b"\x02I\x00\x03", "settings: five or six numbers"),
        (b"\x02*1234567\x03", "serial number: 8 characters"),
        (b"\x02s2\x03", "digits expected"),
        (b"\x02<00900000\x03", "digits expected"),
        (b"\x02W\x03", "calibration table: 1 bytes"),
        (table_transfer(0)[:-2] + b"\x03", "calibration table: 3463 bytes"),
        (table_transfer(2), "calibration table: side 2"),
    ],
)
def test_contradictions_keep_their_bytes(transfer: bytes, reason: str) -> None:
    message = decode(transfer)
    assert isinstance(message, Garbled)
    assert message.raw == transfer
    assert message.reason.startswith(reason)


@given(st.integers(0, 255))
def test_every_code_is_known_or_says_that_it_is_not(code: int) -> None:
    transfer = reply_packet(b"#%02X" % code)
    message = decode(transfer)
    if code in EVENTS:
        assert message == Event(code, *EVENTS[code]) == decode(transfer.lower())
    else:
        assert message == UnknownEvent(transfer)


BODY_STARTS = st.sampled_from(
    [b"", b"#", b"D", b"V", b"X", b"XT ", b"Q", b"I", b"*", b"s", b"W", b"W\xc0\x06", b"n3a", b"<", b">", b"L0"]
)


@given(
    st.one_of(
        st.binary(max_size=80), st.builds(lambda start, rest: reply_packet(start + rest), BODY_STARTS, st.binary(max_size=40))
    )
)
def test_any_bytes_are_a_message(transfer: bytes) -> None:
    message = decode(transfer)
    if isinstance(message, UnknownEvent | UnknownReply | Garbled):
        assert message.raw == transfer


@given(st.integers(0, 0xFFF), st.integers(0, 0xFFFFFFFF))
def test_registers_round_trip(index: int, value: int) -> None:
    assert decode(reply_packet(b"<%03x%08X" % (index, value))) == RegisterValue(index, value)
    assert decode(reply_packet(b">%03X%08x" % (index, value))) == RegisterWritten(index, value)


@given(st.integers(1, 64), st.booleans(), st.data())
def test_tables_round_trip(count: int, bottom: bool, data: st.DataObject) -> None:
    white, black = (data.draw(st.binary(min_size=count, max_size=count)) for _ in range(2))
    body = b"W" + count.to_bytes(2, "little") + bytes((bottom << 4 | 8,)) + white + b"\x03\x03" + black + b"\x02\x03"
    assert decode(reply_packet(body)) == CalibrationTable("bottom" if bottom else "top", 8, white, black)


def named(status: str) -> set[str]:
    """The bits that are set, by name."""
    message = decode(b(f"02 51 {status} 03"))
    assert isinstance(message, Status)
    names = [name for name, value in vars(Status).items() if isinstance(value, property)]
    return {name for name in names if getattr(message, name)}


@pytest.mark.parametrize(
    ("status", "names"),
    [
        ("88 80 81", set()),
        ("c8 80 81", {"feeder_on"}),
        ("8b 80 a1", {"rear_covered", "sheet_inside"}),
        ("88 9f a1", {"front_covered", "sheet_inside"}),
        ("8b 9f a1", {"rear_covered", "front_covered", "sheet_inside"}),
        ("89 83 a5", {"rear_covered", "front_covered", "sheet_inside", "jammed"}),
        ("98 80 81", {"cover_open"}),
        ("99 83 a5", {"cover_open", "rear_covered", "front_covered", "sheet_inside", "jammed"}),
        ("88 80 c1", {"calibration_needed"}),
        ("88 80 9b", {"transmit_aborted", "array_pixel_error", "diagnostic"}),
    ],
)
def test_ready_made_states(status: str, names: set[str]) -> None:
    assert named(status) == {"high_speed", "ready"} | names
