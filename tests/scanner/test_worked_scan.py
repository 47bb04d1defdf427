"""The worked scan of the public notes, byte for byte, and the ready-made status triples."""

from __future__ import annotations

from hil.scanner.faults import JamScan
from hil.scanner.knobs import Behaviour, Timings
from hil.scanner.paper import Place
from tests.scanner.host import Host, plain, sheet

_WORKED = Timings(grab=0.1, scan=1, eject=1, eject_limit=4, command=0, boot=8)


def _exchange(host: Host, wire: str, *answers: str) -> None:
    data = bytes.fromhex(wire)
    assert host.scanner.write(0x05, data) == len(data)
    for answer in answers:
        assert host.scanner.read(0x85, 16384) == bytes.fromhex(answer), wire
    assert host.scanner.read(0x85, 16384) is None


def _connect(host: Host) -> None:
    _exchange(host, "02 1b 4b 03 1b")
    _exchange(host, "02 44 03 b4", "02" + b"D Test Message USB 1.1/2.0 Communication".hex() + "03")
    _exchange(host, "02 39 03 93")
    _exchange(host, "02 3c 30 30 39 03 be", "02 3c 30 30 39 30 30 30 30 30 32 30 30 03")
    host.scanner.write(0x05, bytes.fromhex("02 57 31 03 2d"))
    for side in (b"\x08", b"\x18"):
        assert (host.scanner.read(0x85, 16384) or b"").startswith(b"\x02W\xc0\x06" + side)
    _exchange(host, "02 51 03 7c", "02 51 88 80 81 03")


def _enable(host: Host) -> None:
    for wire in (
        *("02 41 03 c6", "02 4a 03 b5", "02 67 03 79", "02 1b 58 03 8f", "02 6e 33 41 35 30 03 7f"),
        *("02 6e 33 42 31 30 30 03 47", "02 6e 03 b3", "02 79 03 c2", "02 1b 64 03 6e", "02 6b 03 c1"),
    ):
        _exchange(host, wire)
    _exchange(host, "02 1b 25 54 4b 03 21", "02 58 54 20 34 42 03")
    _exchange(host, "02 1b 25 42 4b 03 6d", "02 58 42 20 34 42 03")
    _exchange(host, "02 1b 73 32 03 cc", "02 73 32 35 03")
    _exchange(host, "02 1b 44 89 03 e5")
    _exchange(host, "02 1b 6a 20 03 c7")
    _exchange(host, "02 38 03 04")


def test_a_letter_sheet_is_scanned_and_accepted() -> None:
    host = Host(_WORKED)
    _connect(host)
    _enable(host)
    host.pass_time(60)
    host.scanner.insert(sheet("A", rows=2200))
    assert host.said() == []
    host.pass_time(0.1)
    assert host.scanner.read(0x85, 16384) == bytes.fromhex("02 23 33 30 03")
    assert host.pixels() == b""
    host.pass_time(0.5)
    halfway = len(host.pixels())
    assert 0.4 < halfway / (2200 * 3456) < 0.6
    assert host.said() == []
    host.pass_time(0.5)
    assert halfway + len(host.pixels()) == 2200 * 3456
    assert host.scanner.read(0x85, 16384) == bytes.fromhex("02 23 33 31 03")
    _exchange(host, "02 39 03 93")
    _exchange(host, "02 51 03 7c", "02 51 8b 80 a1 03")
    for wire in ("02 4d 03 7e", "02 38 03 04", "02 33 03 77", "02 39 03 93"):
        _exchange(host, wire)
    host.pass_time(0.5)
    _exchange(host, "02 51 03 7c", "02 51 8b 80 a1 03")
    host.pass_time(0.5)
    _exchange(host, "02 51 03 7c", "02 51 88 80 81 03")
    assert host.scanner.describe().box == ("A",)


def test_a_letter_sheet_is_returned() -> None:
    host = Host(_WORKED)
    _connect(host)
    _enable(host)
    host.scanner.insert(sheet("A", rows=2200))
    host.pass_time(1.1)
    for wire in ("02 39 03 93", "02 4e 03 50", "02 38 03 04", "02 31 03 ce", "02 39 03 93"):
        host.send(bytes.fromhex(wire)[1:-2])
    host.said()
    _exchange(host, "02 51 03 7c", "02 51 8b 80 a1 03")
    host.pass_time(0.5)
    _exchange(host, "02 51 03 7c", "02 51 8b 9f a1 03")
    host.pass_time(0.5)
    _exchange(host, "02 51 03 7c", "02 51 88 9f a1 03")
    assert host.scanner.remove() == ("A",)
    _exchange(host, "02 51 03 7c", "02 51 88 80 81 03")
    host.send(b"8")
    host.pass_time(60)
    assert host.scanner.where("A") is Place.HAND


def test_paper_at_the_front_while_accepting() -> None:
    host = Host(_WORKED)
    _connect(host)
    _enable(host)
    host.scanner.insert(sheet("A", rows=2200))
    host.pass_time(1.1)
    host.said()
    host.send(b"9")
    host.scanner.push_second(plain("B"))
    host.send(b"M", b"8", b"3")
    assert host.scanner.read(0x85, 16384) == bytes.fromhex("02 23 33 36 03")
    host.send(b"9", b"Q")
    host.pass_time(30)
    assert host.said() == []
    assert host.scanner.describe().motion == "paused"
    assert host.scanner.remove() == ("B",)
    assert host.scanner.read(0x85, 16384) == bytes.fromhex("02 23 33 37 03")
    assert host.scanner.read(0x85, 16384) == bytes.fromhex("02 51 8b 80 a1 03")
    host.pass_time(1)
    _exchange(host, "02 51 03 7c", "02 51 88 80 81 03")
    assert host.scanner.describe().box == ("A",)


def test_status_triples() -> None:
    host = Host()
    assert host.status() == "88 80 81"
    host.send(b"8")
    assert host.status() == "c8 80 81"
    host.send(b"9")
    host.scanner.open_cover()
    assert host.status() == "98 80 81"
    host.scanner.close_cover()
    assert host.said()
    host.scanner.insert(plain("A"))
    assert host.status() == "88 9f a1"
    host.scanner.remove()
    host.scan(plain("B"))
    host.send(b"9")
    assert host.status() == "8b 80 a1"
    host.scanner.push_second(plain("C"))
    assert host.status() == "8b 9f a1"
    host.send(b"8", b"4", b"9")
    assert host.status() == "88 80 81"
    host.scanner.inject(JamScan())
    host.scan(plain("D"))
    host.send(b"9")
    assert host.status() == "89 83 a5"
    host.scanner.open_cover()
    assert host.status() == "99 83 a5"
    host.scanner.clear_path()
    host.scanner.close_cover()
    assert host.status() == "88 80 81"


def test_slow_calibrated_and_partly_covered() -> None:
    host = Host(behaviour=Behaviour(calibration_needed=True, front_paper_is_inside=False))
    host.send(b"j")
    host.scanner.insert(plain(), sensors=1)
    assert host.status() == "80 81 c1"
