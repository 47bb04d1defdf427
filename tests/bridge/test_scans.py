"""Scans and motions over literal bytes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from firmware_bridge.pagescan6.driver import PageScan6
from firmware_bridge.scanner import (
    AcceptPaused,
    AcceptResumed,
    CalibrationEnded,
    CoverOpened,
    DoubleFeedDetected,
    JamReported,
    ScanFailed,
    Scanner,
    ScannerError,
    ScanStarted,
    Sensors,
    SheetScanned,
    UnknownReport,
)
from tests.bridge.fake_usb import IMAGES, REPLIES, FakeBus
from tests.bridge.wire import (
    ANSWERS,
    BEGIN_SCAN,
    BURST,
    DOUBLE_FEED,
    END_SCAN,
    FEEDER_OFF,
    FEEDER_ON,
    OVERFLOW,
    STATUS,
    TABLES,
    TOP_THRESHOLD,
    Heard,
    b,
    connected,
    table_transfer,
)

SHEET = np.random.default_rng(6).integers(0, 256, (50, 1728, 2), np.uint8)
ROW = 3456


def feed(bus: FakeBus, scanner: PageScan6) -> None:
    scanner.start_feeding()
    assert bus.written == BURST
    bus.written.clear()


def finish(bus: FakeBus, heard: Heard) -> SheetScanned | ScanFailed:
    """End the scan that is under way and give its outcome; the feeder was switched off by then, and nothing else was sent."""
    bus.say(END_SCAN)
    outcome = heard.next()
    assert isinstance(outcome, SheetScanned | ScanFailed)
    assert bus.written == [FEEDER_OFF]
    bus.written.clear()
    return outcome


def failed_code(bus: FakeBus, heard: Heard) -> str:
    outcome = finish(bus, heard)
    assert isinstance(outcome, ScanFailed)
    assert outcome.detail
    return outcome.code


def assert_is_sheet(event: object) -> None:
    assert isinstance(event, SheetScanned)
    assert np.array_equal(event.images.top, SHEET[:, ::-1, 0])
    assert np.array_equal(event.images.bottom, SHEET[:, :, 1])
    assert event.images.dpi == 200


def test_the_worked_scan_accepted() -> None:
    bus = FakeBus(ANSWERS)
    with connected(bus) as (driver, heard):
        scanner: Scanner = driver
        idle = Sensors(
            front=False, rear=False, sheet_inside=False, cover_open=False, jammed=False, feeding=False, calibration_needed=False
        )
        assert scanner.sensors() == idle
        assert bus.written == [STATUS]
        bus.written.clear()
        feed(bus, driver)

        raw = SHEET.tobytes()
        bus.say(BEGIN_SCAN)
        assert heard.next() == ScanStarted()
        bus.stream(raw[:10000], raw[10000:10001], raw[10001:])
        assert bus.written == []
        assert_is_sheet(finish(bus, heard))

        bus.answers[STATUS] = [b("02 51 8b 80 a1 03")]
        assert scanner.sensors() == Sensors(
            front=False, rear=True, sheet_inside=True, cover_open=False, jammed=False, feeding=False, calibration_needed=False
        )
        bus.written.clear()
        scanner.accept_sheet()
        assert bus.written == [b("02 4d 03 7e"), FEEDER_ON, b("02 33 03 77"), FEEDER_OFF]
        bus.say(b("02 23 33 36 03"), b("02 23 33 37 03"))
        assert [heard.next(), heard.next()] == [AcceptPaused(), AcceptResumed()]
        bus.answers[STATUS] = [b("02 51 88 80 81 03")]
        assert scanner.sensors() == idle
        assert heard.empty()


def test_the_worked_scan_returned_and_the_next_one() -> None:
    bus = FakeBus(ANSWERS)
    with connected(bus) as (scanner, heard):
        for verb, motion in ((scanner.return_sheet, "02 31 03 ce"), (scanner.release_sheet, "02 34 03 bc")):
            feed(bus, scanner)
            bus.say(BEGIN_SCAN)
            bus.stream(SHEET.tobytes())
            assert heard.next() == ScanStarted()
            assert_is_sheet(finish(bus, heard))
            verb()
            assert bus.written == [b("02 4e 03 50"), FEEDER_ON, b(motion), FEEDER_OFF]
            bus.written.clear()


def test_pixels_before_the_beginning_and_after_the_end() -> None:
    bus = FakeBus(ANSWERS)
    with connected(bus) as (scanner, heard):
        feed(bus, scanner)
        raw = SHEET.tobytes()
        bus.stream(raw[:5000])
        assert bus.wait_read(IMAGES)
        bus.say(BEGIN_SCAN)
        assert heard.next() == ScanStarted()
        bus.stream(raw[5000:60000])
        bus.say(END_SCAN)
        assert bus.wait_written(FEEDER_OFF)
        bus.stream(raw[60000:])
        assert_is_sheet(heard.next())


def test_a_sheet_longer_than_one_read() -> None:
    bus = FakeBus(ANSWERS)
    with connected(bus, image_read_bytes=4096) as (scanner, heard):
        feed(bus, scanner)
        bus.say(BEGIN_SCAN)
        bus.stream(SHEET.tobytes())
        assert heard.next() == ScanStarted()
        assert_is_sheet(finish(bus, heard))


@pytest.mark.parametrize(
    ("pixels", "code"), [(b"", "noImage"), (bytes(ROW * 3 + 1), "scanUnreadable"), (bytes(ROW - 2), "imageTruncated")]
)
def test_scans_without_images(pixels: bytes, code: str) -> None:
    bus = FakeBus(ANSWERS)
    with connected(bus) as (scanner, heard):
        feed(bus, scanner)
        bus.say(BEGIN_SCAN)
        assert heard.next() == ScanStarted()
        if pixels:
            bus.stream(pixels)
        assert failed_code(bus, heard) == code
        feed(bus, scanner)
        bus.say(BEGIN_SCAN)
        bus.stream(SHEET.tobytes())
        assert heard.next() == ScanStarted()
        assert_is_sheet(finish(bus, heard))


@pytest.mark.parametrize("usable", [True, False])
def test_a_double_feed_is_told_at_once(usable: bool) -> None:
    bus = FakeBus(ANSWERS)
    with connected(bus) as (scanner, heard):
        feed(bus, scanner)
        bus.say(BEGIN_SCAN, DOUBLE_FEED)
        assert [heard.next(), heard.next()] == [ScanStarted(), DoubleFeedDetected()]
        if usable:
            bus.stream(SHEET.tobytes())
            assert_is_sheet(finish(bus, heard))
        else:
            assert failed_code(bus, heard) == "noImage"


@pytest.mark.parametrize("when", ["before", "amid", "after"])
def test_lost_pixels_are_never_an_image(when: str) -> None:
    bus = FakeBus(ANSWERS)
    with connected(bus) as (scanner, heard):
        feed(bus, scanner)
        bus.say(*([OVERFLOW] if when == "before" else []), BEGIN_SCAN, *([OVERFLOW] if when == "amid" else []))
        bus.stream(SHEET.tobytes())
        assert heard.next() == ScanStarted()
        assert bus.wait_read(REPLIES)
        bus.say(END_SCAN, *([OVERFLOW] if when == "after" else []))
        outcome = heard.next()
        assert isinstance(outcome, ScanFailed)
        assert outcome.code == "imageOverflow"
        assert heard.nothing_within(0.05)


def test_a_jam_and_an_open_cover_in_a_scan() -> None:
    bus = FakeBus(ANSWERS)
    with connected(bus) as (scanner, heard):
        feed(bus, scanner)
        bus.say(BEGIN_SCAN, b"\x02#01\x03", b"\x02#34\x03")
        assert [heard.next() for _ in range(3)] == [ScanStarted(), JamReported(), CoverOpened()]
        bus.stream(bytes(ROW))
        assert isinstance(finish(bus, heard), SheetScanned)


def test_too_many_pixels() -> None:
    bus = FakeBus(ANSWERS)
    with connected(bus, image_limit_bytes=ROW * 2, image_read_bytes=4096) as (scanner, heard):
        feed(bus, scanner)
        bus.say(BEGIN_SCAN)
        bus.stream(SHEET.tobytes())
        assert heard.next() == ScanStarted()
        assert failed_code(bus, heard) == "scanUnreadable"


def test_pixels_that_never_end() -> None:
    bus = FakeBus(ANSWERS)
    with connected(bus, drain_limit_seconds=0.05) as (scanner, heard):
        feed(bus, scanner)
        bus.say(BEGIN_SCAN)
        assert heard.next() == ScanStarted()
        bus.say(END_SCAN)
        stop = threading.Event()

        def pour() -> None:
            while not stop.wait(0.005):
                bus.stream(bytes(512))

        pouring = threading.Thread(target=pour)
        pouring.start()
        outcome = heard.next()
        stop.set()
        pouring.join()
        assert outcome == ScanFailed("scanUnreadable", "pixels went on coming after the end of the scan")


def test_nothing_but_stop_feeding_is_sent_until_the_scan_has_ended() -> None:
    bus = FakeBus(ANSWERS)
    with connected(bus) as (scanner, heard):
        feed(bus, scanner)
        verbs: list[Callable[[], object]] = [
            scanner.sensors,
            scanner.start_feeding,
            scanner.accept_sheet,
            scanner.return_sheet,
            scanner.release_sheet,
            scanner.calibrate_image_sensors,
            lambda: scanner.calibrate_double_feed("single"),
            lambda: scanner.read_register(9),
            lambda: scanner.write_register(9, 0),
        ]
        for event in (b"", BEGIN_SCAN):
            if event:
                bus.say(event)
                assert heard.next() == ScanStarted()
            for verb in verbs:
                with pytest.raises(ScannerError, match=r"^scannerFeeding: "):
                    verb()
        assert bus.written == []
        assert failed_code(bus, heard) == "noImage"
        scanner.sensors()


def test_feeding_that_is_stopped_before_a_sheet_came() -> None:
    bus = FakeBus(ANSWERS)
    with connected(bus) as (scanner, heard):
        feed(bus, scanner)
        scanner.stop_feeding()
        assert bus.written == [FEEDER_OFF]
        scanner.sensors()
        assert heard.nothing_within(0.05)


def test_a_scan_that_is_stopped_on_its_way() -> None:
    bus = FakeBus(ANSWERS)
    with connected(bus) as (scanner, heard):
        feed(bus, scanner)
        bus.say(BEGIN_SCAN)
        bus.stream(SHEET.tobytes())
        assert heard.next() == ScanStarted()
        scanner.stop_feeding()
        scanner.sensors()
        bus.say(END_SCAN)
        assert heard.next() == ScanFailed("scanUnreadable", "the scan was stopped on the way")


def test_a_sheet_that_was_taken_before_the_stop_arrived() -> None:
    bus = FakeBus(ANSWERS)
    with connected(bus) as (scanner, heard):
        feed(bus, scanner)
        scanner.stop_feeding()
        bus.say(BEGIN_SCAN)
        bus.stream(SHEET.tobytes())
        assert heard.next() == ScanStarted()
        bus.say(END_SCAN)
        assert heard.next() == ScanFailed("scanUnreadable", "the scanner took a sheet while the feeder was off")


def test_feeding_does_not_begin_without_the_scanner_s_confirmation() -> None:
    bus = FakeBus({**ANSWERS, TOP_THRESHOLD: []})
    with connected(bus) as (scanner, _):
        with pytest.raises(ScannerError, match=r"^scannerSilent: no BitonalThreshold within 0.20 s$"):
            scanner.start_feeding()
        assert FEEDER_ON not in bus.written
        assert not scanner.sensors().feeding
        bus.answers[TOP_THRESHOLD] = ANSWERS[TOP_THRESHOLD]
        bus.written.clear()
        feed(bus, scanner)


def test_feeding_with_other_settings() -> None:
    bus = FakeBus(ANSWERS)
    changes = {"bits": 1, "sides": "top", "double_feed_detection": False, "paper_inches": 14, "feed_delay_ms": 160}
    with connected(bus, **changes) as (scanner, _):
        scanner.start_feeding()
    assert len(bus.written) == len(BURST) + 1, "closing switches the feeder off"
    others = [(ours[1:-2], theirs[1:-2]) for ours, theirs in zip(bus.written, BURST, strict=False) if ours != theirs]
    assert others == [(b"G", b"J"), (b"o", b"n"), (b"z", b"y"), (b"\x1bD\xa7", b"\x1bD\x89"), (b"\x1bj\x2a", b"\x1bj\x20")]


def test_calibration_of_the_image_sensors_and_the_image_after_it() -> None:
    bus = FakeBus(ANSWERS)
    with connected(bus) as (scanner, heard):
        scanner.calibrate_image_sensors()
        assert bus.written == [b("02 43 03 7f")]
        bus.say(b"\x02L0 fine\x03", b"\x02#10\x03")
        assert heard.next() == CalibrationEnded(succeeded=True, detail="#10 image sensors calibrated; fine")
        bus.answers[TABLES] = [table_transfer(side, b"\x80" * 1728) for side in (0, 1)]
        bus.written.clear()
        scanner.start_feeding()
        assert bus.written == [TABLES, *BURST]
        bus.written.clear()
        bus.say(BEGIN_SCAN)
        assert heard.next() == ScanStarted()
        bus.stream(b"\x40" * ROW)
        outcome = finish(bus, heard)
        assert isinstance(outcome, SheetScanned)
        assert set(outcome.images.top.flat) == {255 * 0x40 // 0x80}
        feed(bus, scanner)
        scanner.stop_feeding()


def test_calibration_of_the_double_feed_sensor() -> None:
    bus = FakeBus(ANSWERS)
    with connected(bus) as (scanner, heard):
        scanner.calibrate_double_feed("double")
        scanner.calibrate_double_feed("single")
        assert bus.written == [b("02 6f 03 24"), b("02 6e 31 32 03 29"), b("02 6f 03 24"), b("02 6e 31 31 03 07")]
        bus.say(b"\x02#9A\x03")
        assert heard.next() == CalibrationEnded(succeeded=False, detail="#9A double-feed calibration timed out")


def test_registers() -> None:
    bus = FakeBus(ANSWERS)
    with connected(bus) as (scanner, _):
        assert scanner.read_register(9) == 0x200
        scanner.write_register(9, 0x200)
        with pytest.raises(ScannerError, match=r"^scannerConfused: register 0x9 holds 0x00000200 after 0x00000201 was written$"):
            scanner.write_register(9, 0x201)


def test_what_nobody_understands_is_passed_on() -> None:
    bus = FakeBus(ANSWERS)
    with connected(bus) as (_, heard):
        transfers = [b"\x02#32\x03", b"\x02~~\x03", b"noise", BEGIN_SCAN + END_SCAN + b"\x00", b"\x02Q\x88\x03"]
        bus.say(*transfers)
        assert [heard.next() for _ in transfers] == [UnknownReport(raw) for raw in transfers]


def test_a_transfer_without_end_is_passed_on_in_pieces() -> None:
    bus = FakeBus(ANSWERS)
    with connected(bus) as (scanner, heard):
        bus.say(*[bytes(8192)] * 9)
        assert heard.next() == UnknownReport(bytes(65536))
        assert heard.next() == UnknownReport(bytes(8192))
        scanner.sensors()


def test_a_late_status_is_waited_for_and_silence_is_not_the_end() -> None:
    bus = FakeBus({**ANSWERS, STATUS: []})
    with connected(bus, status_seconds=0.5) as (scanner, _):
        timer = threading.Timer(0.1, bus.say, (b("02 51 89 83 a5 03"),))
        timer.start()
        assert scanner.sensors().jammed
        timer.join()
        start = time.monotonic()
        with pytest.raises(ScannerError, match=r"^scannerSilent: no Status within 0.50 s$"):
            scanner.sensors()
        assert 0.4 < time.monotonic() - start < 2
        bus.answers[STATUS] = ANSWERS[STATUS]
        assert not scanner.sensors().jammed
