"""From a sheet at the mouth to its images, or to the reason why there are none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from firmware_bridge.scanner import (
    CoverOpened,
    DoubleFeedDetected,
    ScanFailed,
    ScannerError,
    ScanStarted,
    SheetScanned,
    UnknownReport,
)
from hil.scanner.faults import (
    DoubleFeed,
    Drop,
    Event,
    Garbage,
    ImageByte,
    JamScan,
    OddImage,
    OpenCover,
    Overflow,
    Pull,
    PushSecond,
    Stuck,
)
from hil.scanner.paper import FRONT_SENSORS
from tests.contract.conftest import SetTable
from tests.contract.table import FLAT, IMAGE_BYTES, INCHES, Table, noise

MIDDLE = IMAGE_BYTES // 2


def scanned(outcome: SheetScanned | ScanFailed) -> SheetScanned:
    assert isinstance(outcome, SheetScanned), outcome
    return outcome


def failure(outcome: SheetScanned | ScanFailed) -> str:
    assert isinstance(outcome, ScanFailed)
    return outcome.code


def test_every_pixel_arrives_at_its_place_and_the_next_sheet_does_not_know(bench: Table) -> None:
    driver, heard = bench.connect()
    for number in range(3):
        sheet = noise(f"sheet-{number}", number)
        images = scanned(bench.feed(driver, heard, sheet)).images
        assert images.dpi == 200
        np.testing.assert_array_equal(images.top, sheet.top)
        np.testing.assert_array_equal(images.bottom, sheet.bottom)
        sensors = driver.sensors()
        assert sensors.rear
        assert sensors.sheet_inside
        assert not sensors.feeding
        driver.accept_sheet()
        assert bench.until(lambda: sheet.name in bench.scanner.describe().box)  # noqa: B023 -- called before it is bound anew


def test_real_tables_are_undone_within_two_grey_levels(set_table: SetTable) -> None:
    bench = set_table(replace(FLAT, flat_tables=False))
    driver, heard = bench.connect()
    sheet = noise("one")
    images = scanned(bench.feed(driver, heard, sheet)).images
    for seen, paper in ((images.top, sheet.top), (images.bottom, sheet.bottom)):
        assert np.abs(seen.astype(np.int16) - paper).max() <= 2


@pytest.mark.parametrize("together", [False, True])
def test_the_cut_of_transfers_means_nothing(set_table: SetTable, together: bool) -> None:
    bench = set_table(replace(FLAT, chunk_bytes=5_000, chunks_run_together=together))
    driver, heard = bench.connect()
    sheet = noise("one")
    np.testing.assert_array_equal(scanned(bench.feed(driver, heard, sheet)).images.bottom, sheet.bottom)


def test_pixels_may_come_before_the_beginning(set_table: SetTable) -> None:
    bench = set_table(replace(FLAT, pixels_before_begin=True))
    driver, heard = bench.connect()
    sheet = noise("one")
    np.testing.assert_array_equal(scanned(bench.feed(driver, heard, sheet)).images.top, sheet.top)


def test_nothing_is_sent_from_the_feeder_to_the_end_of_the_scan(bench: Table) -> None:
    driver, heard = bench.connect()
    driver.start_feeding()
    assert bench.until(lambda: bench.scanner.describe().feeder)
    before = len(bench.scanner.heard())
    bench.scanner.insert(noise("one"))
    assert isinstance(heard.next(), ScanStarted)
    for verb in (driver.sensors, driver.accept_sheet, driver.return_sheet, driver.release_sheet, driver.start_feeding):
        with pytest.raises(ScannerError, match="scannerFeeding"):
            verb()
    heard.until(SheetScanned)
    assert bench.scanner.heard()[before - 1 :] == (b"8", b"9")


def test_a_scan_that_is_stopped_fails_and_the_next_is_good(bench: Table) -> None:
    driver, heard = bench.connect()
    driver.start_feeding()
    assert bench.until(lambda: bench.scanner.describe().feeder)
    bench.scanner.insert(noise("one"))
    assert isinstance(heard.next(), ScanStarted)
    driver.stop_feeding()
    heard.until(ScanFailed)
    assert not driver.sensors().feeding
    bench.scanner.pull()
    scanned(bench.feed(driver, heard, noise("two")))


def test_two_sheets_at_once(bench: Table) -> None:
    driver, heard = bench.connect()
    driver.start_feeding()
    assert bench.until(lambda: bench.scanner.describe().feeder)
    bench.scanner.insert(noise("one"), noise("two", 2))
    kinds = [type(heard.next()) for _ in range(3)]
    assert kinds[:2] == [ScanStarted, DoubleFeedDetected]
    assert kinds[2] in {SheetScanned, ScanFailed}


def test_a_second_sheet_on_the_first(bench: Table) -> None:
    driver, heard = bench.connect()
    bench.scanner.inject(PushSecond(noise("two", 2), at=ImageByte(1000)))
    driver.start_feeding()
    bench.scanner.insert(noise("one"))
    heard.until(DoubleFeedDetected)
    heard.until(SheetScanned)


def test_a_double_feed_that_stops_the_pixels(set_table: SetTable) -> None:
    bench = set_table(replace(FLAT, double_feed_pixels=False))
    driver, heard = bench.connect()
    bench.scanner.inject(DoubleFeed())
    driver.start_feeding()
    bench.scanner.insert(noise("one"))
    heard.until(DoubleFeedDetected)
    assert isinstance(heard.next(), SheetScanned | ScanFailed)


def test_a_sheet_that_is_pulled_out(bench: Table) -> None:
    driver, heard = bench.connect()
    bench.scanner.inject(Pull(at=Event("30")))
    assert failure(bench.feed(driver, heard, noise("one"))) == "noImage"
    assert not driver.sensors().sheet_inside
    scanned(bench.feed(driver, heard, noise("two")))


def test_a_sheet_that_is_shown_and_taken_away_again(bench: Table) -> None:
    driver, heard = bench.connect()
    for covered in range(1, 6):
        bench.scanner.inject(Pull(at=ImageByte(covered * 1000)))
        outcome = bench.feed(driver, heard, noise(f"tease-{covered}"))
        assert isinstance(outcome, SheetScanned | ScanFailed)
        assert not driver.sensors().rear
    scanned(bench.feed(driver, heard, noise("one")))


def test_a_sheet_that_is_too_long_is_a_jam(bench: Table) -> None:
    driver, heard = bench.connect()
    bench.feed(driver, heard, noise("long", inches=INCHES + 1))
    sensors = driver.sensors()
    assert sensors.jammed
    assert sensors.front
    bench.scanner.open_cover()
    bench.scanner.clear_path()
    bench.scanner.close_cover()
    assert not driver.sensors().jammed


def test_a_jam(bench: Table) -> None:
    driver, heard = bench.connect()
    bench.scanner.inject(JamScan())
    bench.feed(driver, heard, noise("one"))
    assert driver.sensors().jammed
    assert bench.scanner.describe().jammed


def test_the_cover_is_opened_during_a_scan(bench: Table) -> None:
    driver, heard = bench.connect()
    bench.scanner.inject(OpenCover(at=ImageByte(MIDDLE)))
    driver.start_feeding()
    bench.scanner.insert(noise("one"))
    events = heard.rest(0.3)
    assert any(isinstance(event, CoverOpened) for event in events)
    assert isinstance(next(event for event in events if isinstance(event, SheetScanned | ScanFailed)), ScanFailed | SheetScanned)
    assert driver.sensors().cover_open


def test_pixels_that_were_lost(bench: Table) -> None:
    driver, heard = bench.connect()
    bench.scanner.inject(Overflow(at=ImageByte(MIDDLE)))
    assert failure(bench.feed(driver, heard, noise("one"))) == "imageOverflow"
    driver.return_sheet()
    assert bench.until(lambda: bench.scanner.where("one") == "front")
    bench.scanner.remove()
    scanned(bench.feed(driver, heard, noise("two")))


@pytest.mark.parametrize("excess", [-1, 1])
def test_one_pixel_too_few_or_too_many_costs_the_sheet(bench: Table, excess: int) -> None:
    driver, heard = bench.connect()
    bench.scanner.inject(OddImage(excess=excess))
    assert failure(bench.feed(driver, heard, noise("one"))) == "scanUnreadable"


def test_a_last_row_that_is_not_whole_is_left_out(bench: Table) -> None:
    driver, heard = bench.connect()
    bench.scanner.inject(OddImage(excess=-1000))
    sheet = noise("one")
    np.testing.assert_array_equal(scanned(bench.feed(driver, heard, sheet)).images.top, sheet.top[:-1])


def test_the_beginning_of_a_scan_is_lost_on_the_wire(bench: Table) -> None:
    driver, heard = bench.connect()
    bench.scanner.inject(Drop(at=Event("30")))
    assert failure(bench.feed(driver, heard, noise("one"))) == "scanUnreadable"
    assert not driver.sensors().feeding


def test_dirt_that_looks_like_paper_gives_no_image(bench: Table) -> None:
    driver, heard = bench.connect()
    driver.start_feeding()
    for sensor in FRONT_SENSORS[:2]:
        bench.scanner.inject(Stuck(sensor=sensor))
    assert failure(heard.until(ScanFailed)) == "noImage"
    assert driver.sensors().front


def test_what_nobody_understands_is_passed_up(bench: Table) -> None:
    driver, heard = bench.connect()
    bench.scanner.inject(Garbage(data=b"\x02#ZZ\x03"))
    assert heard.until(UnknownReport).raw == b"\x02#ZZ\x03"
    bench.scanner.inject(Garbage(data=b"\xff\x00\x80"))
    assert heard.until(UnknownReport).raw == b"\xff\x00\x80"
    assert not driver.sensors().jammed
