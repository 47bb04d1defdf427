"""When a scan starts, what ends it, and where the sheet is then."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hil.scanner.faults import DoubleFeed, JamScan
from hil.scanner.knobs import Interruption, Timings
from hil.scanner.paper import IllegalMove, Place, Sensor
from hil.scanner.sheet import Sheet
from tests.scanner.host import FLAT, Host, plain

_SECOND = Timings(grab=1, scan=1, eject=1, eject_limit=4, command=0, boot=1)
_LETTER_BYTES = 2200 * 3456


def test_nothing_is_fed_before_everything_is_asked_for() -> None:
    host = Host()
    host.scanner.insert(plain())
    assert host.ask(b"8") == []
    assert host.ask(b"9", b"g") == []
    host.scanner.remove()
    host.scanner.insert("A", sensors=1)
    assert host.ask(b"8") == []
    assert host.ask(b"\x1bs1") == [b"s15", b"#30", b"#31"]
    assert host.scanner.where("A") is Place.ESCROW


def test_paper_that_waits_is_fed_when_the_feeder_is_enabled() -> None:
    host = Host()
    host.scanner.insert(plain())
    host.prepare()
    assert host.said() == []
    assert host.scanner.where("A") is Place.ESCROW
    assert len(host.pixels()) == _LETTER_BYTES


def test_pick_on_command_feeds_one_sheet() -> None:
    host = Host()
    host.scan(plain("A"))
    host.ask(b"3")
    host.scanner.insert(plain("B"))
    assert host.said() == []
    assert host.ask(b"8") == [b"#30", b"#31"]
    assert host.scanner.describe().box == ("A",)


def test_without_pick_on_command_and_with_run_out_sheets_follow_each_other() -> None:
    host = Host()
    host.prepare(b"\x1bY", b"\x1be")
    for name in "ABC":
        host.scanner.insert(plain(name))
    assert host.said() == [b"#30", b"#31"] * 3
    assert host.scanner.describe().box == ("A", "B", "C")


def test_the_intake_delay_holds_paper_at_the_front() -> None:
    host = Host(_SECOND)
    host.prepare(b"\x1bj0")
    host.scanner.insert(plain())
    host.pass_time(1.25)
    assert host.said() == []
    host.pass_time(0.01)
    assert host.said() == [b"#30"]


def test_half_speed() -> None:
    host = Host(_SECOND)
    host.prepare(b"j")
    host.scanner.insert(plain())
    host.pass_time(2.9)
    assert host.said() == [b"#30"]
    host.pass_time(0.1)
    assert host.said() == [b"#31"]


def test_where_a_sheet_is_while_it_is_scanned() -> None:
    host = Host(_SECOND)
    host.prepare()
    host.scanner.insert(plain("A"))
    places = [host.scanner.where("A")]
    for _ in range(8):
        host.pass_time(0.25)
        places.append(host.scanner.where("A"))
    front, spanning, escrow = Place.FRONT, Place.SPANNING, Place.ESCROW
    assert places == [front] * 6 + [spanning] * 2 + [escrow]


def test_a_short_sheet_is_between_the_sensors_for_a_while() -> None:
    host = Host(_SECOND)
    host.prepare()
    host.scanner.insert(plain("A", inches=5))
    host.pass_time(1.5)
    assert host.scanner.where("A") is Place.INSIDE
    with pytest.raises(IllegalMove):
        host.scanner.pull()
    host.scanner.cut_power()
    host.scanner.restore_power()
    host.pass_time(1)
    # Nothing tells the firmware of it: no sensor is covered and the memory is gone.
    assert host.status() == "88 80 81"
    host.prepare()
    host.scanner.insert(plain("B"))
    host.pass_time(2)
    assert host.said() == [b"#30", b"#31"]
    assert host.status() == "c9 83 a5"


def test_too_long_is_a_jam() -> None:
    host = Host()
    assert host.scan(plain("A", inches=14)) == [b"#30", b"#31"]
    assert host.status() == "cb 9f a5"
    assert len(host.pixels()) == 2300 * 3456
    assert host.ask(b"N", b"8", b"1", b"9") == []
    assert host.status() == "88 9f a1"
    assert host.scanner.where("A") is Place.FRONT
    jam_event = Host(behaviour=replace(FLAT, jam_event=True))
    assert jam_event.scan(plain("A", inches=14)) == [b"#30", b"#01", b"#31"]
    long = Host()
    long.prepare(b"\x1bD\xac")
    long.scanner.insert(plain("A", inches=14))
    assert long.status() == "cb 80 a1"


@pytest.mark.parametrize(
    ("limit", "inches", "jammed"),
    # The limit counts tenths of an inch, or another unit if one is named; an inch of slack comes on top.
    [(b"\x89", 11.5, False), (b"\x89", 11.6, True), (b"\x240", 1.4, False), (b"\x240", 1.5, True), (b"\x242", 1.9, True)],
)
def test_the_longest_document(limit: bytes, inches: float, jammed: bool) -> None:
    host = Host()
    host.prepare(b"\x1bD" + limit)
    host.scanner.insert(plain("A", inches=inches))
    assert host.scanner.describe().jammed is jammed


def test_a_pulled_sheet_ends_without_pixels_and_leaves_the_feeder_armed() -> None:
    host = Host(_SECOND)
    host.prepare()
    host.scanner.insert(plain("A"))
    host.pass_time(1.2)
    with pytest.raises(IllegalMove):
        host.scanner.remove()
    assert host.scanner.pull() == ("A",)
    host.pass_time(1)
    assert host.said() == [b"#30", b"#31"]
    assert len(host.pixels()) < _LETTER_BYTES // 2
    host.scanner.insert("A")
    host.pass_time(2)
    assert host.said() == [b"#30", b"#31"]
    assert host.status() == "cb 80 a1"


def test_a_sheet_pulled_late_does_not_leave_the_feeder_armed() -> None:
    host = Host(_SECOND)
    host.prepare()
    host.scanner.insert(plain("A"))
    host.pass_time(1.5)
    host.scanner.pull()
    host.pass_time(1)
    assert host.said() == [b"#30", b"#31"]
    host.scanner.insert("A")
    host.pass_time(5)
    assert host.said() == []


def test_two_sheets_at_once_are_told_only_if_looked_for() -> None:
    host = Host()
    assert host.scan(plain("A"), plain("B")) == [b"#30", b"#33", b"#31"]
    assert len(host.pixels()) == _LETTER_BYTES
    blind = Host()
    blind.prepare(b"o")
    blind.scanner.insert(plain("A"), plain("B"))
    assert blind.said() == [b"#30", b"#31"]
    blind.send(b"3")
    assert blind.scanner.describe().box == ("A", "B")
    poor = Host(behaviour=replace(FLAT, double_feed_pixels=False))
    poor.scan(plain("A"), plain("B"))
    assert 0 < len(poor.pixels()) < _LETTER_BYTES


def test_the_image_of_two_sheets_is_of_their_outer_sides() -> None:
    host = Host()
    host.scan(plain("A"), replace(plain("B"), top=Sheet.blank("black", level=0).top))
    stream = host.pixels()
    assert set(stream[1728::3456] + stream[1729::3456]) == {255}


def test_a_second_sheet_pushed_on_the_first_is_a_double_feed() -> None:
    host = Host(_SECOND)
    host.prepare()
    host.scanner.insert(plain("A"))
    host.pass_time(1.1)
    host.scanner.push_second(plain("B"))
    host.pass_time(1)
    assert host.said() == [b"#30", b"#33", b"#31"]
    assert {host.scanner.where(name) for name in "AB"} == {Place.ESCROW}


def test_a_second_sheet_behind_the_first_is_a_document_too_long() -> None:
    host = Host(_SECOND)
    host.prepare()
    host.scanner.insert(plain("A"))
    host.pass_time(1.5)
    host.scanner.push_second(plain("B"))
    host.pass_time(1)
    assert host.said() == [b"#30", b"#31"]
    assert host.scanner.describe().jammed
    assert host.scanner.describe().places == {"A": Place.SPANNING, "B": Place.FRONT}


def test_a_second_sheet_after_the_first_only_lies_there() -> None:
    host = Host(_SECOND)
    host.prepare()
    host.scanner.insert(plain("A"))
    host.pass_time(1.9)
    host.scanner.push_second(plain("B"))
    host.pass_time(1)
    assert host.said() == [b"#30", b"#31"]
    assert host.status() == "cb 9f a1"


@pytest.mark.parametrize(("after", "said"), [(0.5, []), (1.2, [b"#30", b"#31"])])
def test_a_command_spoils_a_scan(after: float, said: list[bytes]) -> None:
    host = Host(_SECOND)
    host.prepare()
    host.scanner.insert(plain("A"))
    host.pass_time(after)
    assert host.ask(b"D")[:-1] == said
    host.pass_time(5)
    assert host.said() == []
    assert host.scanner.where("A") is Place.FRONT
    assert len(host.pixels()) < _LETTER_BYTES // 2
    host.send(b"8")
    host.pass_time(2)
    assert host.said() == [b"#30", b"#31"]
    assert host.scanner.where("A") is Place.ESCROW


def test_a_command_may_spoil_a_scan_in_silence_or_not_at_all() -> None:
    silent = Host(_SECOND, replace(FLAT, interruption=Interruption.SILENT))
    tolerant = Host(_SECOND, replace(FLAT, interruption=Interruption.TOLERATED))
    for host, said in ((silent, []), (tolerant, [b"#31"])):
        host.prepare()
        host.scanner.insert(plain("A"))
        host.pass_time(1.2)
        assert host.ask(b"*") == [b"#30", b"*00C0FFEE"]
        host.pass_time(5)
        assert host.said() == said


@pytest.mark.parametrize(("command", "place", "said"), [(b"4", Place.HAND, []), (b"C", Place.SPANNING, [b"#1A"])])
def test_a_tolerated_command_may_still_end_a_scan(command: bytes, place: Place, said: list[bytes]) -> None:
    host = Host(replace(_SECOND, calibration_limit=2), replace(FLAT, interruption=Interruption.TOLERATED))
    host.prepare()
    host.scanner.insert(plain("A"))
    host.pass_time(1.5)
    assert host.ask(command) == [b"#30", b"#31"]
    host.pass_time(2)
    assert host.said() == said
    assert host.scanner.where("A") is place


def test_the_cover_ends_a_scan() -> None:
    for behaviour, said in (
        (FLAT, [b"#30", b"#34", b"#31", b"#35"]),
        (replace(FLAT, documented_cover_codes=True, cover_event_first=False), [b"#30", b"#31", b"#0C", b"#0D"]),
    ):
        host = Host(_SECOND, behaviour)
        host.prepare()
        host.scanner.insert(plain("A"))
        host.pass_time(1.5)
        host.scanner.open_cover()
        host.pass_time(2)
        assert host.scanner.clear_path() == ("A",)
        host.scanner.close_cover()
        assert host.said() == said
        assert host.status() == "c8 80 81"


def test_with_the_cover_open_nothing_is_fed_until_it_is_closed() -> None:
    host = Host()
    host.prepare()
    host.scanner.open_cover()
    host.scanner.insert(plain())
    assert host.said() == [b"#34"]
    host.scanner.close_cover()
    assert host.said() == [b"#35", b"#30", b"#31"]


def test_stuck_sensors_start_a_scan_of_nothing_once() -> None:
    host = Host()
    host.prepare()
    for sensor in (Sensor.FRONT_LEFT, Sensor.FRONT_M3):
        assert host.said() == []
        host.scanner.stick(sensor, covered=True)
    assert host.said() == [b"#30", b"#31"]
    assert host.status() == "c8 89 a1"
    host.scanner.stick(Sensor.FRONT_LEFT, covered=None)
    host.scanner.stick(Sensor.FRONT_M3, covered=False)
    assert host.status() == "c8 80 81"


def test_a_rear_sensor_that_is_stuck_keeps_the_feeder_from_taking_paper() -> None:
    host = Host()
    host.scanner.stick(Sensor.REAR_RIGHT, covered=True)
    assert host.scan(plain()) == []
    host.scanner.stick(Sensor.REAR_RIGHT, covered=None)
    assert host.said() == [b"#30", b"#31"]


def test_a_scan_can_be_repeated_from_escrow() -> None:
    host = Host()
    host.scan(plain())
    first = host.pixels()
    assert host.ask(b"[") == [b"#30", b"#31"]
    assert host.pixels() == first
    assert host.scanner.where("A") is Place.ESCROW


def test_jams_and_double_feeds_can_come_out_of_the_blue() -> None:
    host = Host()
    host.scanner.inject(DoubleFeed())
    assert host.scan(plain("A")) == [b"#30", b"#33", b"#31"]
    host.ask(b"3")
    host.scanner.inject(JamScan())
    assert host.scan(plain("B")) == [b"#30", b"#31"]
    assert host.status() == "c9 83 a5"
    host.ask(b"8", b"1")
    assert host.status() == "c9 83 a5"


def test_pixels_may_come_before_the_scan_begins() -> None:
    for chunk in (1000, 1 << 30):
        host = Host(_SECOND, replace(FLAT, pixels_before_begin=True, chunk_bytes=chunk))
        host.prepare()
        host.scanner.inject(JamScan())
        host.scanner.insert(plain())
        host.pass_time(0.9)
        assert host.pixels() == b""
        host.clock.now += 0.1
        assert len(host.scanner.read(0x86, 1 << 30) or b"") == min(chunk, _LETTER_BYTES)
        assert host.said() == [b"#30"]


def test_calibration_is_asked_for_when_the_feeder_is_enabled() -> None:
    host = Host(behaviour=replace(FLAT, calibration_needed=True))
    assert host.ask(b"g", b"8") == [b"#02"]
