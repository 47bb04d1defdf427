"""Ejecting, power, calibration: what the rollers do besides scanning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from hil.scanner.faults import JamEject
from hil.scanner.knobs import Behaviour, Timings
from hil.scanner.paper import IllegalMove, Place
from hil.scanner.sheet import Sheet
from hil.usb.device import Unplugged
from tests.scanner.host import FLAT, Host, plain

_SECOND = Timings(grab=1, scan=1, eject=1, eject_limit=4, command=0, boot=2, calibration=1, calibration_limit=5)
_LETTER_BYTES = 2200 * 3456


def _with_sheet_in_escrow(behaviour: Behaviour = FLAT, inches: float = 11) -> Host:
    host = Host(_SECOND, behaviour)
    host.prepare()
    host.scanner.insert(plain("A", inches=inches))
    host.pass_time(2)
    assert host.ask(b"9") == [b"#30", b"#31"]
    host.pixels()
    return host


@pytest.mark.parametrize(
    ("motion", "places"),
    [
        (b"3", [Place.ESCROW, Place.ESCROW, Place.BOX]),
        (b"7", [Place.ESCROW, Place.ESCROW, Place.BOX]),
        (b"1", [Place.ESCROW, Place.SPANNING, Place.FRONT]),
        (b"4", [Place.SPANNING, Place.FRONT, Place.HAND]),
    ],
)
def test_motions(motion: bytes, places: list[Place]) -> None:
    host = _with_sheet_in_escrow()
    assert host.ask(motion) == []
    host.pass_time(10)
    assert host.scanner.where("A") is Place.ESCROW, "the feeder is off"
    host.ask(b"8", motion, b"9")
    seen = []
    for _ in range(3):
        host.pass_time(0.34)
        seen.append(host.scanner.where("A"))
    assert seen == places
    assert host.said() == []


def test_a_short_sheet_comes_back_unseen() -> None:
    host = _with_sheet_in_escrow(inches=5)
    host.ask(b"8", b"1", b"9")
    host.pass_time(0.5)
    assert host.status() == "88 80 a1"
    host.pass_time(0.5)
    assert host.status() == "88 9f a1"


def test_a_returned_sheet_is_not_fed_again_until_a_hand_puts_it_in() -> None:
    host = _with_sheet_in_escrow()
    host.ask(b"8", b"1")
    host.pass_time(20)
    assert host.ask(b"8") == []
    host.scanner.remove()
    host.scanner.insert("A")
    host.pass_time(2)
    assert host.said() == [b"#30", b"#31"]


def test_without_eject_pause_paper_at_the_front_does_not_matter() -> None:
    host = _with_sheet_in_escrow()
    host.scanner.push_second(plain("B"))
    host.ask(b"N", b"8", b"3", b"9")
    host.pass_time(1)
    assert host.said() == []
    assert host.scanner.describe().places == {"A": Place.BOX, "B": Place.FRONT}


def test_paper_that_comes_during_the_motion_pauses_it() -> None:
    host = _with_sheet_in_escrow()
    host.ask(b"M", b"8", b"3", b"9")
    host.pass_time(0.9)
    host.scanner.push_second(plain("B"))
    host.pass_time(10)
    assert host.said() == [b"#36"]
    host.scanner.pull()
    host.pass_time(0.05)
    assert host.scanner.where("A") is Place.ESCROW
    host.pass_time(0.1)
    assert host.said() == [b"#37"]
    assert host.scanner.where("A") is Place.BOX


def test_a_reported_jam_needs_hands() -> None:
    host = _with_sheet_in_escrow()
    host.scanner.inject(JamEject())
    host.ask(b"8", b"3", b"9")
    host.pass_time(3.9)
    assert host.status() == "8b 80 a1"
    host.pass_time(0.1)
    assert host.status() == "8b 80 a5"
    host.ask(b"8", b"4", b"9")
    host.pass_time(4)
    assert host.status() == "8b 80 a5"
    with pytest.raises(IllegalMove):
        host.scanner.clear_path()
    host.scanner.open_cover()
    assert host.scanner.clear_path(into_box=True) == ("A",)
    assert host.status() == "98 80 81"
    assert host.scanner.describe().box == ("A",)


def test_an_unreported_jam_only_keeps_the_rear_covered() -> None:
    host = _with_sheet_in_escrow()
    host.ask(b"8", b"3", b"9")
    host.scanner.inject(JamEject(reported=False))
    host.pass_time(30)
    assert host.status() == "8b 80 a1"
    host.ask(b"8", b"3", b"9")
    host.pass_time(1)
    assert host.status() == "88 80 81"


def test_the_cover_stops_a_motion() -> None:
    host = _with_sheet_in_escrow()
    host.ask(b"8", b"4", b"9")
    host.pass_time(0.5)
    host.scanner.open_cover()
    host.pass_time(5)
    assert host.scanner.where("A") is Place.SPANNING
    assert host.ask(b"8", b"3") == [b"#34"]
    assert host.scanner.describe().motion == "still"


@pytest.mark.parametrize(
    ("register", "place"), [(0x200, Place.ESCROW), (0x000, Place.BOX), (0x100, Place.FRONT), (0x300, Place.ESCROW)]
)
@pytest.mark.parametrize("reboot", [False, True])
def test_paper_in_the_scanner_while_it_boots(register: int, place: Place, reboot: bool) -> None:
    host = _with_sheet_in_escrow(replace(FLAT, register_9=register))
    before = host.scanner.generation
    if reboot:
        host.send(b"0")
    else:
        host.scanner.cut_power()
        assert host.scanner.describe().motion == "off"
        host.scanner.restore_power()
    assert host.scanner.describe().motion == "booting"
    for use in (lambda: host.send(b"D"), host.said):
        with pytest.raises(Unplugged):
            use()
    assert not host.scanner.plugged
    host.pass_time(2)
    assert host.scanner.plugged
    assert host.scanner.generation == before + 1
    host.pass_time(1)
    assert host.scanner.where("A") is place


@pytest.mark.parametrize("seconds", [0.5, 1.2, 1.5, 1.9, 2.5, 2.9])
def test_power_lost_at_any_time_forgets_all_but_the_paper(seconds: float) -> None:
    host = Host(_SECOND)
    host.prepare()
    host.scanner.insert(plain("A"))
    if seconds > 2:
        host.pass_time(2)
        host.ask(b"8", b"3")
        host.pass_time(seconds - 2)
    else:
        host.pass_time(seconds)
    place = host.scanner.where("A")
    host.scanner.cut_power()
    host.pass_time(10)
    host.scanner.restore_power()
    host.pass_time(30)
    assert host.scanner.where("A") is place
    assert host.said() == []
    assert host.pixels() == b""
    host.scanner.write(0x05, b"\x02Q\x03\x00")
    assert host.said()[0][1] & 0x40 == 0


def test_image_sensors_are_calibrated_with_a_white_sheet() -> None:
    host = Host(_SECOND, replace(FLAT, calibration_needed=True))
    assert host.status() == "88 80 c1"
    assert host.ask(b"C") == []
    host.pass_time(4)
    host.scanner.insert(plain())
    assert host.said() == [b"L0 WHITE"]
    host.pass_time(1)
    assert host.said() == [b"#10"]
    assert host.status() == "88 9f a1"


_DARK_BACK = Sheet("A", plain().top, Sheet.blank("dark", level=100).bottom)


@pytest.mark.parametrize(
    ("paper", "code"),
    [
        (None, b"#1A"),
        (plain(inches=4), b"#11"),
        (Sheet.blank("A", level=100), b"#78"),
        (_DARK_BACK, b"#88"),
    ],
)
def test_image_sensor_calibration_fails(paper: Sheet | None, code: bytes) -> None:
    host = Host(_SECOND, replace(FLAT, calibration_chatter=False))
    if paper:
        host.scanner.insert(paper)
    host.send(b"C")
    host.pass_time(5)
    assert host.said() == [code]


def test_image_sensor_calibration_disturbed() -> None:
    host = Host(_SECOND)
    host.scanner.insert(plain())
    for meanwhile, said in (
        (host.scanner.remove, [b"L0 WHITE", b"#12"]),
        (host.scanner.open_cover, [b"L0 WHITE", b"#34", b"#12"]),
    ):
        host.send(b"C")
        host.pass_time(0.5)
        meanwhile()
        host.pass_time(1)
        assert host.said() == said
        if meanwhile == host.scanner.remove:
            host.scanner.insert("A")


def test_image_sensor_calibration_fails_by_order() -> None:
    host = Host(behaviour=replace(FLAT, calibration_failure="53"))
    host.scanner.insert(plain())
    assert host.ask(b"C") == [b"L0 WHITE", b"#53"]


def test_the_double_feed_sensor_is_calibrated_with_two_sheets_then_one() -> None:
    host = Host(_SECOND, replace(FLAT, double_feed_calibrated=False))
    host.scanner.insert(plain("A"), plain("B"))
    host.ask(b"o", b"n12")
    host.pass_time(1)
    assert host.said() == [b"#90"]
    host.scanner.remove()
    host.send(b"n11")
    host.pass_time(5)
    assert host.said() == [b"#9A"]
    host.send(b"n11")
    host.scanner.insert("A")
    host.pass_time(1)
    assert host.ask(b"n3a10", b"n3a20", b"n") == [b"#90", b"n3a10=205", b"n3a20=118"]
    host.scanner.open_cover()
    host.ask(b"n11")
    host.scanner.close_cover()
    host.pass_time(5)
    assert host.said() == [b"#35", b"#9A"]


def test_commands_take_their_time_one_after_the_other() -> None:
    host = Host(replace(_SECOND, command=1))
    host.send(b"D", b"*")
    host.pass_time(0.9)
    assert host.said() == []
    host.pass_time(0.2)
    assert len(host.said()) == 1
    host.pass_time(1)
    assert host.said() == [b"*00C0FFEE"]


@pytest.mark.parametrize("resets", [True, False])
def test_configuring_empties_buffers_and_disables_the_feeder(resets: bool) -> None:
    host = Host(_SECOND, replace(FLAT, configure_resets=resets))
    host.prepare()
    host.scanner.insert(plain())
    host.pass_time(1.5)
    host.scanner.configured()
    assert host.scanner.describe().feeder is not resets
    host.pass_time(1)
    assert len(host.pixels()) == (0 if resets else _LETTER_BYTES)
    assert host.said() == [b"#31"] if resets else [b"#30", b"#31"]
    assert host.scanner.where("A") is Place.ESCROW


def test_what_hands_cannot_do() -> None:
    host = Host()
    scanner = host.scanner
    scanner.insert(plain("A"))
    actions: tuple[Callable[[], object], ...] = (
        lambda: scanner.insert("A"),
        lambda: scanner.insert(plain("B")),
        lambda: scanner.push_second(plain("A")),
        lambda: scanner.push_second("nobody"),
        scanner.close_cover,
        scanner.clear_path,
        scanner.restore_power,
        scanner.plug,
    )
    for illegal in actions:
        with pytest.raises(IllegalMove):
            illegal()
    scanner.remove()
    for absurd in (
        scanner.remove,
        scanner.pull,
        lambda: scanner.insert("A", "A"),
        lambda: scanner.insert("A", sensors=0),
        lambda: scanner.insert("A", sensors=6),
    ):
        with pytest.raises(IllegalMove):
            absurd()
    scanner.cut_power()
    scanner.open_cover()
    scanner.insert("A")
    assert scanner.clear_path() == ("A",)
    for late in (scanner.cut_power, scanner.open_cover):
        with pytest.raises(IllegalMove):
            late()
    assert scanner.describe().places == {"A": Place.HAND}


def test_what_is_no_sheet() -> None:
    good = plain("A").top
    for name in ("", "a b", "a#b", "a\n"):
        with pytest.raises(ValueError, match="name of a sheet"):
            Sheet(name, good, good)
    with pytest.raises(ValueError, match="grey pixels"):
        Sheet("A", good, good[:, :0])
