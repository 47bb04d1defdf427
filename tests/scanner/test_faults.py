"""Each fault does what it says, and at its trigger."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hil.scanner.faults import (
    ANSWERS,
    COMMANDS,
    PIXELS,
    Command,
    CrcComplaint,
    DoubleFeed,
    Drop,
    Duplicate,
    Event,
    Fault,
    Garbage,
    Garble,
    ImageByte,
    JamScan,
    Late,
    OddImage,
    OpenCover,
    Overflow,
    PowerCut,
    Pull,
    PushSecond,
    Reached,
    Reboot,
    Short,
    Silent,
    Stall,
    Stuck,
    Transfer,
    Yank,
)
from hil.scanner.knobs import Timings
from hil.scanner.paper import IllegalMove, Place, Sensor
from hil.usb.device import Stalled, Unplugged
from tests.scanner.host import FLAT, Host, plain

_SECOND = Timings(grab=1, scan=1, eject=1, eject_limit=4, command=0, boot=1)
_LETTER_BYTES = 2200 * 3456


def _scan_with(fault: Fault, timings: Timings | None = None) -> Host:
    host = Host(timings)
    host.prepare()
    host.scanner.inject(fault)
    host.scanner.insert(plain("A"))
    return host


def _pixels_until(host: Host, ending: type[Exception], length: int = 1 << 20) -> int:
    read = 0
    while True:
        try:
            data = host.scanner.read(PIXELS, length)
        except ending:
            return read
        assert data is not None
        read += len(data)


@pytest.mark.parametrize("count", [0, 1, 100_000, 1 << 18, (1 << 18) + 1, _LETTER_BYTES - 1, _LETTER_BYTES])
@pytest.mark.parametrize("length", [1 << 20, 1 << 18, 5000])
def test_yank_after_any_byte(count: int, length: int) -> None:
    host = _scan_with(Yank(at=ImageByte(count)))
    assert _pixels_until(host, Unplugged, length) == count
    assert not host.scanner.plugged
    assert host.scanner.describe().failures == ()


def test_yank_and_plug_again() -> None:
    host = Host()
    host.scanner.inject(Yank(plug_after=2))
    host.pass_time(1.9)
    assert not host.scanner.plugged
    host.pass_time(0.1)
    assert (host.scanner.plugged, host.scanner.generation) == (True, 2)
    host.scanner.unplug()
    host.scanner.plug()
    assert host.scanner.generation == 3


def test_yank_at_a_command_an_event_a_place_a_transfer() -> None:
    host = Host()
    host.scanner.inject(Yank(at=Command(b"V")))
    assert host.ask(b"D")
    host.send(b"V")
    with pytest.raises(Unplugged):
        host.said()
    scanning = _scan_with(Yank(at=Event("31")))
    assert scanning.scanner.read(ANSWERS, 512) == b"\x02#30\x03"
    with pytest.raises(Unplugged):
        scanning.scanner.read(ANSWERS, 512)
    moving = _scan_with(Yank(at=Reached(Place.SPANNING)))
    assert not moving.scanner.plugged
    assert moving.scanner.where("A") is Place.ESCROW
    writing = Host()
    writing.scanner.inject(Yank(at=Transfer(COMMANDS, 2)))
    writing.send(b"D")
    with pytest.raises(Unplugged):
        writing.send(b"D")


def test_stalls() -> None:
    host = _scan_with(Stall(PIXELS, at=ImageByte(1000)))
    assert _pixels_until(host, Stalled) == 1000
    host.scanner.halt_cleared(PIXELS)
    assert len(host.pixels()) == _LETTER_BYTES - 1000
    host.scanner.inject(Stall(COMMANDS, at=Transfer(COMMANDS, 2)))
    host.send(b"D")
    for _ in range(2):
        with pytest.raises(Stalled):
            host.send(b"D")
    host.scanner.configured()
    host.send(b"D")
    host.scanner.inject(Stall())
    with pytest.raises(Stalled):
        host.said()
    for use in (lambda: host.scanner.read(0x81, 1), lambda: host.scanner.write(0x01, b"")):
        with pytest.raises(Stalled):
            use()


def test_changed_answers() -> None:
    host = Host()
    good = b"\x02*00C0FFEE\x03"
    for fault, transfers in (
        (Drop(at=Transfer(ANSWERS)), [good]),
        (Drop(), [good]),
        (Short(3), [good[:3], good]),
        (Duplicate(at=Command(b"*")), [good, good, good]),
        (Garble(offset=-1, mask=1), [good[:-1] + b"\x02", good]),
        (Garble(at=Transfer(ANSWERS, 2)), [good, b"\x02" + bytes([good[1] ^ 0x55]) + good[2:]]),
        (Garbage(b"\x00\x01"), [b"\x00\x01", good, good]),
    ):
        host.scanner.inject(fault)
        host.send(b"*", b"*")
        got = []
        while (transfer := host.scanner.read(ANSWERS, 512)) is not None:
            got.append(transfer)
        assert got == transfers, fault


def test_late_answers_keep_their_order() -> None:
    host = Host()
    host.scanner.inject(Late(1.5, at=Transfer(ANSWERS, 2)))
    host.send(b"*", b"V", b"D")
    assert host.said() == [b"*00C0FFEE"]
    host.pass_time(1.4)
    assert host.said() == []
    host.pass_time(0.2)
    assert [body[:1] for body in host.said()] == [b"V", b"D"]


def test_changed_commands() -> None:
    host = Host()
    host.send(b"\x1bK")
    for fault, answers in (
        (Drop(COMMANDS), []),
        (Garble(endpoint=COMMANDS), [b"#0E"]),
        (Short(2, COMMANDS), [b"#0E"]),
        (Duplicate(COMMANDS), [b"*00C0FFEE"] * 2),
    ):
        host.scanner.inject(fault)
        assert host.ask(b"*") == answers
    host.scanner.inject(Late(1, COMMANDS))
    assert host.ask(b"*", b"V") == []
    host.pass_time(1)
    assert len(host.said()) == 2


def test_lost_and_late_pixels() -> None:
    host = _scan_with(Drop(PIXELS, at=Transfer(PIXELS, 2)))
    assert len(host.pixels()) == _LETTER_BYTES - (1 << 18)
    late = _scan_with(Late(1, PIXELS, at=ImageByte(5000)))
    assert len(late.pixels()) == 5000
    late.pass_time(1)
    assert len(late.pixels()) == _LETTER_BYTES - 5000


@pytest.mark.parametrize("excess", [-_LETTER_BYTES - 1, -1, 1, 5000])
def test_odd_images(excess: int) -> None:
    assert len(_scan_with(OddImage(excess)).pixels()) == max(0, _LETTER_BYTES + excess)


def test_an_image_becomes_odd_and_a_scan_jams_while_it_is_under_way() -> None:
    assert len(_scan_with(OddImage(-7, at=ImageByte(5000))).pixels()) == _LETTER_BYTES - 7
    host = _scan_with(Drop(), _SECOND)
    host.scanner.inject(JamScan())
    host.pass_time(2)
    assert host.said() == [b"#31"]
    assert host.status() == "c9 83 a5"


def test_yank_while_chunks_run_together() -> None:
    host = Host(behaviour=replace(FLAT, chunks_run_together=True))
    host.prepare()
    host.scanner.inject(Yank(at=ImageByte(300_000)))
    host.scanner.insert(plain())
    assert _pixels_until(host, Unplugged) == 300_000


def test_an_empty_transfer_cannot_be_garbled() -> None:
    host = Host()
    host.scanner.inject(Short(0))
    host.scanner.inject(Garble())
    host.send(b"*")
    assert host.scanner.read(ANSWERS, 512) == b""


def test_overflow() -> None:
    host = _scan_with(Overflow(at=ImageByte(300_000)), _SECOND)
    host.pass_time(2)
    assert host.said() == [b"#30", b"#09", b"#31"]
    assert len(host.pixels()) == 300_000
    slow = Host(behaviour=replace(FLAT, fifo_bytes=1 << 20))
    assert slow.scan(plain()) == [b"#30", b"#09", b"#31"]
    assert slow.scanner.describe().unread < (1 << 20) + (1 << 18) + 1


def test_complaints_and_garbage_during_a_scan() -> None:
    host = _scan_with(CrcComplaint(at=Event("31")))
    assert host.said() in ([b"#30", b"#0E", b"#31"], [b"#30", b"#31", b"#0E"])
    assert _scan_with(DoubleFeed(at=Event("30"))).said() == [b"#30", b"#33", b"#31"]


def test_silence_loses_answers_but_not_events() -> None:
    host = Host(_SECOND)
    host.scanner.inject(Silent(3))
    host.prepare()
    host.scanner.insert(plain("A"))
    host.pass_time(2.9)
    assert host.said() == [b"#30", b"#31"]
    assert host.ask(b"Q") == []
    host.pass_time(0.2)
    assert host.status() == "cb 80 a1"


def test_hands_at_a_trigger() -> None:
    pulled = _scan_with(Pull(at=ImageByte(100_000)))
    assert pulled.said() == [b"#30", b"#31"]
    assert len(pulled.pixels()) == 100_000
    assert pulled.scanner.where("A") is Place.HAND
    opened = _scan_with(OpenCover(close_after=1, at=Reached(Place.SPANNING, "A")), _SECOND)
    opened.pass_time(2)
    assert opened.said() == [b"#30", b"#34", b"#31"]
    opened.pass_time(1)
    assert opened.said() == [b"#35"]
    behind = _scan_with(PushSecond(plain("B"), at=Reached(Place.SPANNING)))
    assert behind.said() == [b"#30", b"#31"]
    assert behind.scanner.describe().jammed
    waiting = _scan_with(PushSecond(plain("B"), at=Reached(Place.ESCROW)))
    waiting.said()
    assert waiting.ask(b"M", b"8", b"3") == [b"#36"]
    waiting.scanner.pull()
    assert waiting.scanner.describe().box == ("A",)


def test_a_hand_that_comes_too_late_is_noted() -> None:
    host = _scan_with(Pull(at=Reached(Place.ESCROW)))
    assert host.said() == [b"#30", b"#31"]
    assert len(host.scanner.describe().failures) == 1
    with pytest.raises(IllegalMove):
        host.scanner.inject(Pull())


def test_jam_power_cut_reboot_and_stuck_sensor_at_a_trigger() -> None:
    jammed = _scan_with(JamScan(at=ImageByte(10)))
    assert jammed.status() == "c9 83 a5"
    cut = _scan_with(PowerCut(restore_after=1, at=Reached(Place.SPANNING)), _SECOND)
    cut.pass_time(2)
    assert cut.scanner.describe().motion == "off"
    cut.pass_time(1.5)
    assert cut.scanner.where("A") is Place.SPANNING
    assert cut.status() == "8b 9f a1"
    again = Host(_SECOND)
    again.scanner.inject(Reboot(at=Command(b"D")))
    again.send(b"D")
    assert again.scanner.describe().motion == "booting"
    again.pass_time(1)
    assert again.said() == []
    again.scanner.inject(Stuck(Sensor.REAR_LEFT))
    assert again.status() == "89 80 a1"


def test_a_trigger_beyond_the_image_waits_for_the_next() -> None:
    host = _scan_with(JamScan(at=ImageByte(_LETTER_BYTES + 1)))
    assert host.said() == [b"#30", b"#31"]
    assert not host.scanner.describe().jammed


def test_what_is_no_fault() -> None:
    with pytest.raises(TypeError, match="no fault"):
        Host().scanner.inject(Fault())
