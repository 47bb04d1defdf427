"""Reports: what a station is told of each event."""

from __future__ import annotations

import pytest

from firmware_bridge.pagescan6.event_codes import EVENTS, EventKind
from firmware_bridge.pagescan6.messages import Event, decode
from firmware_bridge.pagescan6.packet import reply_packet
from firmware_bridge.pagescan6.reports import Reports
from firmware_bridge.scanner import (
    AcceptPaused,
    AcceptResumed,
    CalibrationEnded,
    CoverClosed,
    CoverOpened,
    DoubleFeedDetected,
    JamReported,
    ScannerEvent,
    ScannerTrouble,
    UnknownReport,
)


def told(body: bytes, reports: Reports | None = None) -> ScannerEvent | None:
    return (reports or Reports()).of(decode(reply_packet(body)))


@pytest.mark.parametrize(
    ("body", "event"),
    [
        (b"#00", None),
        (b"#01", JamReported()),
        (b"#02", ScannerTrouble("calibrationNeeded", "#02 calibration needed")),
        (b"#05", ScannerTrouble("commandRefused", "#05 command error")),
        (b"#06", ScannerTrouble("readError", "#06 read error")),
        (b"#07", ScannerTrouble("doubleFeedUnavailable", "#07 double-feed detection needs calibration")),
        (b"#08", ScannerTrouble("doubleFeedUnavailable", "#08 double-feed detection is missing or its firmware is old")),
        (b"#09", ScannerTrouble("imageOverflow", "#09 pixels were lost because they were not fetched fast enough")),
        (b"#0C", CoverOpened()),
        (b"#0D", CoverClosed()),
        (b"#0E", ScannerTrouble("commandGarbled", "#0E wrong check byte in a command")),
        (b"#0F", ScannerTrouble("firmwareOutdated", "#0F the scanner's FPGA is out of date")),
        (b"#10", CalibrationEnded(succeeded=True, detail="#10 image sensors calibrated")),
        (b"#33", DoubleFeedDetected()),
        (b"#34", CoverOpened()),
        (b"#35", CoverClosed()),
        (b"#36", AcceptPaused()),
        (b"#37", AcceptResumed()),
        (b"#90", CalibrationEnded(succeeded=True, detail="#90 double-feed calibration step complete")),
        (b"#03", UnknownReport(b"\x02#03\x03")),
        (b"~~", UnknownReport(b"\x02~~\x03")),
        (b"Q", UnknownReport(b"\x02Q\x03")),
        (b"L0 stray", UnknownReport(b"\x02L0 stray\x03")),
    ],
)
def test_events_of_the_public_notes(body: bytes, event: ScannerEvent | None) -> None:
    assert told(body) == event


def test_a_calibration_fails_once_and_says_all_it_heard() -> None:
    reports = Reports()
    reports.calibration_begins()
    assert told(b"L0 front", reports) is None
    assert told(b"L0 back", reports) is None
    ended = CalibrationEnded(succeeded=False, detail="#13 front array: pixel error at black; front; back")
    assert told(b"#13", reports) == ended
    assert told(b"#51", reports) == ScannerTrouble("calibrationNeeded", "#51 back array: pixel error at black")
    reports.calibration_begins()
    assert told(b"#9A", reports) == CalibrationEnded(succeeded=False, detail="#9A double-feed calibration timed out")


def test_every_code_but_okay_and_the_scan_s_own_is_told() -> None:
    silent = {code for code, known in EVENTS.items() if Reports().of(Event(code, *known)) is None}
    assert {EVENTS[code][0] for code in silent} == {EventKind.OKAY, EventKind.BEGIN_SCAN, EventKind.END_SCAN}
