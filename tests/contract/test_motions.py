"""Sensors in every place of the paper, and every motion of a sheet that is held."""

from __future__ import annotations

from dataclasses import replace

import pytest

from firmware_bridge.scanner import (
    AcceptPaused,
    AcceptResumed,
    CalibrationEnded,
    CoverClosed,
    CoverOpened,
    JamReported,
    Scanner,
    ScannerTrouble,
    Sensors,
    SheetScanned,
)
from hil.scanner.faults import JamEject
from hil.scanner.paper import Place
from hil.scanner.sheet import Sheet
from tests.contract.conftest import SetTable
from tests.contract.table import FLAT, Heard, Table, noise


def held(bench: Table) -> tuple[Scanner, Heard]:
    """A scanner that holds a sheet."""
    driver, heard = bench.connect()
    assert isinstance(bench.feed(driver, heard, noise("one")), SheetScanned)
    return driver, heard


def paper(sensors: Sensors) -> tuple[bool, bool, bool]:
    return sensors.front, sensors.rear, sensors.sheet_inside


def test_the_sensors_in_every_place(bench: Table) -> None:
    driver, heard = bench.connect()
    assert driver.sensors() == Sensors(
        front=False, rear=False, sheet_inside=False, cover_open=False, jammed=False, feeding=False, calibration_needed=False
    )
    bench.scanner.insert(Sheet.blank("lying", inches=1.5))
    assert paper(driver.sensors()) == (True, False, True)
    bench.scanner.remove()
    bench.feed(driver, heard, noise("one"))
    assert paper(driver.sensors()) == (False, True, True)
    driver.return_sheet()
    assert bench.until(lambda: bench.scanner.where("one") is Place.FRONT)
    assert paper(driver.sensors()) == (True, False, True)
    bench.scanner.remove()
    assert paper(driver.sensors()) == (False, False, False)


def test_a_sheet_in_both_ends(bench: Table) -> None:
    driver, heard = bench.connect()
    bench.scanner.inject(JamEject())
    bench.feed(driver, heard, noise("one"))
    driver.return_sheet()
    assert bench.until(lambda: bench.scanner.describe().jammed)
    sensors = driver.sensors()
    assert sensors.jammed
    assert sensors.rear


def test_scanners_that_need_calibration_say_so(set_table: SetTable) -> None:
    driver, heard = set_table(replace(FLAT, calibration_needed=True)).connect()
    assert driver.sensors().calibration_needed
    driver.start_feeding()
    assert heard.until(ScannerTrouble).code == "calibrationNeeded"


def test_into_the_box(bench: Table) -> None:
    driver, _ = held(bench)
    driver.accept_sheet()
    assert bench.until(lambda: bench.scanner.where("one") is Place.BOX)
    assert paper(driver.sensors()) == (False, False, False)
    assert bench.scanner.heard()[-5:-1] == (b"M", b"8", b"3", b"9")


def test_back_to_its_owner_and_held(bench: Table) -> None:
    driver, _ = held(bench)
    driver.return_sheet()
    assert bench.until(lambda: bench.scanner.where("one") is Place.FRONT)
    assert bench.scanner.heard()[-4:] == (b"N", b"8", b"1", b"9")
    assert bench.scanner.remove() == ("one",)


def test_out_at_the_front(bench: Table) -> None:
    driver, _ = held(bench)
    driver.release_sheet()
    assert bench.until(lambda: bench.scanner.where("one") is Place.HAND)
    assert not driver.sensors().front


def test_a_sheet_that_does_not_follow(bench: Table) -> None:
    driver, _ = held(bench)
    bench.scanner.inject(JamEject())
    driver.accept_sheet()
    assert bench.until(lambda: bench.scanner.describe().jammed)
    sensors = driver.sensors()
    assert sensors.jammed
    assert sensors.rear


def test_a_jam_that_is_reported(set_table: SetTable) -> None:
    bench = set_table(replace(FLAT, jam_event=True))
    driver, heard = held(bench)
    bench.scanner.inject(JamEject())
    driver.accept_sheet()
    heard.until(JamReported)


def test_paper_in_the_mouth_makes_the_way_into_the_box_wait(bench: Table) -> None:
    driver, heard = held(bench)
    bench.scanner.insert(noise("two"))
    driver.accept_sheet()
    heard.until(AcceptPaused)
    assert bench.scanner.where("one") is Place.ESCROW
    bench.scanner.remove()
    heard.until(AcceptResumed)
    assert bench.until(lambda: bench.scanner.where("one") is Place.BOX)


@pytest.mark.parametrize("documented", [False, True])
def test_the_cover_is_told_in_both_pairs_of_codes(set_table: SetTable, documented: bool) -> None:
    bench = set_table(replace(FLAT, documented_cover_codes=documented))
    driver, heard = bench.connect()
    bench.scanner.open_cover()
    heard.until(CoverOpened)
    assert driver.sensors().cover_open
    bench.scanner.close_cover()
    heard.until(CoverClosed)
    assert not driver.sensors().cover_open


def test_a_cover_that_is_open_already_is_seen_by_the_sensors(bench: Table) -> None:
    bench.scanner.open_cover()
    driver, heard = bench.connect()
    assert driver.sensors().cover_open
    assert heard.rest(0.05) == []


def test_image_sensors_are_calibrated_and_the_next_image_knows(set_table: SetTable) -> None:
    bench = set_table(replace(FLAT, calibration_needed=True))
    driver, heard = bench.connect()
    driver.calibrate_image_sensors()
    bench.scanner.insert(Sheet.blank("white", inches=11))
    assert heard.until(CalibrationEnded).succeeded
    bench.scanner.remove()
    assert not driver.sensors().calibration_needed
    assert isinstance(bench.feed(driver, heard, noise("one")), SheetScanned)
    # The tables are asked for at the connection and, because they are new, before the feeder.
    assert bench.scanner.heard().count(b"W1") == 2


@pytest.mark.parametrize("sheet", [Sheet.blank("short", inches=2), Sheet.blank("dark", level=40)], ids=lambda sheet: sheet.name)
def test_a_sheet_that_is_not_white_calibrates_nothing(bench: Table, sheet: Sheet) -> None:
    driver, heard = bench.connect()
    driver.calibrate_image_sensors()
    bench.scanner.insert(sheet)
    ended = heard.until(CalibrationEnded)
    assert not ended.succeeded
    assert ended.detail


def test_no_sheet_calibrates_nothing(bench: Table) -> None:
    driver, heard = bench.connect()
    driver.calibrate_image_sensors()
    assert not heard.until(CalibrationEnded).succeeded


def test_double_feeds_are_calibrated_with_two_sheets_and_with_one(set_table: SetTable) -> None:
    bench = set_table(replace(FLAT, double_feed_calibrated=False))
    driver, heard = bench.connect()
    driver.start_feeding()
    assert heard.until(ScannerTrouble).code == "doubleFeedUnavailable"
    driver.stop_feeding()
    driver.calibrate_double_feed("double")
    bench.scanner.insert(Sheet.blank("one"), Sheet.blank("two"))
    assert heard.until(CalibrationEnded).succeeded
    bench.scanner.remove()
    driver.calibrate_double_feed("single")
    bench.scanner.insert("one")
    assert heard.until(CalibrationEnded).succeeded
    bench.scanner.remove()
    driver.start_feeding()
    assert [event for event in heard.rest(0.1) if isinstance(event, ScannerTrouble)] == []


def test_one_sheet_does_not_calibrate_for_two(bench: Table) -> None:
    driver, heard = bench.connect()
    driver.calibrate_double_feed("double")
    bench.scanner.insert(Sheet.blank("one"))
    assert not heard.until(CalibrationEnded).succeeded
