"""The end of a connection: told once, told last, and leaving nothing behind."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from firmware_bridge.pagescan6.driver import PageScan6, connect
from firmware_bridge.scanner import CoverOpened, ScannerError, ScannerEvent, ScannerLost, ScanStarted
from tests.bridge.fake_usb import IMAGES, REPLIES, FakeBus, gone, usb_error
from tests.bridge.wire import ANSWERS, BEGIN_SCAN, END_SCAN, FEEDER_OFF, STATUS, Heard, connected, quick


def assert_over(scanner: PageScan6, heard: Heard) -> None:
    """Nothing follows, and every verb says that the connection is over."""
    verbs: list[Callable[[], object]] = [scanner.sensors, scanner.start_feeding, scanner.stop_feeding, scanner.accept_sheet]
    for verb in verbs:
        with pytest.raises(ScannerError, match=r"^scannerDisconnected: "):
            verb()
    assert heard.nothing_within(0.05)


def test_a_cable_pulled_in_the_middle_of_an_image() -> None:
    bus = FakeBus(ANSWERS)
    with connected(bus) as (scanner, heard):
        scanner.start_feeding()
        bus.say(BEGIN_SCAN)
        assert heard.next() == ScanStarted()
        bus.stream(bytes(50_000))
        assert bus.wait_read(IMAGES)
        bus.unplug()
        lost = heard.next()
        assert isinstance(lost, ScannerLost)
        assert (lost.code, lost.hint) == ("scannerDisconnected", "check cable and power of the scanner")
        assert bus.handles == 0, "whoever hears of the loss can connect again at once"
        assert_over(scanner, heard)


def test_pixels_that_fail_after_the_end_are_no_image() -> None:
    bus = FakeBus(ANSWERS)
    with connected(bus) as (scanner, heard):
        scanner.start_feeding()
        bus.say(BEGIN_SCAN)
        assert heard.next() == ScanStarted()
        bus.stream(bytes(3456))
        assert bus.wait_read(IMAGES)
        bus.stream(gone())
        bus.say(END_SCAN)
        assert isinstance(heard.next(), ScannerLost)
        assert_over(scanner, heard)


@pytest.mark.parametrize("endpoint", [REPLIES, IMAGES])
@pytest.mark.parametrize("number", [errno.EPIPE, errno.EIO, errno.EPROTO, errno.ESHUTDOWN, errno.EOVERFLOW])
def test_a_read_that_fails(endpoint: int, number: int) -> None:
    bus = FakeBus(ANSWERS)
    with connected(bus) as (scanner, heard):
        (bus.say if endpoint == REPLIES else bus.stream)(usb_error(number))
        lost = heard.next()
        assert isinstance(lost, ScannerLost)
        assert lost.code == "scannerDisconnected"
        assert f"[Errno {number}]" in lost.detail
        assert_over(scanner, heard)


@pytest.mark.parametrize("number", [errno.EPIPE, errno.ETIMEDOUT, errno.ENODEV])
def test_a_write_that_fails_is_not_tried_again(number: int) -> None:
    bus = FakeBus(ANSWERS)
    with connected(bus) as (scanner, heard):
        bus.answers[STATUS] = usb_error(number)
        with pytest.raises(ScannerError, match=rf"^scannerDisconnected: sending a command: \[Errno {number}\]"):
            scanner.sensors()
        assert isinstance(heard.next(), ScannerLost)
        assert bus.written == []
        assert_over(scanner, heard)


def test_a_feeder_that_cannot_be_switched_off_after_a_scan() -> None:
    bus = FakeBus(ANSWERS)
    with connected(bus) as (scanner, heard):
        scanner.start_feeding()
        bus.answers[FEEDER_OFF] = usb_error(errno.EPIPE)
        bus.say(BEGIN_SCAN, END_SCAN)
        assert heard.next() == ScanStarted()
        assert isinstance(heard.next(), ScannerLost)
        assert_over(scanner, heard)


def test_a_loss_while_a_reply_is_waited_for() -> None:
    bus = FakeBus({**ANSWERS, STATUS: []})
    with connected(bus, status_seconds=5) as (scanner, heard):
        timer = threading.Timer(0.1, bus.unplug)
        timer.start()
        start = time.monotonic()
        with pytest.raises(ScannerError, match=r"^scannerDisconnected: "):
            scanner.sensors()
        assert time.monotonic() - start < 2
        timer.join()
        assert isinstance(heard.next(), ScannerLost)


def test_an_on_event_that_fails_ends_the_connection_and_hears_so() -> None:
    heard = Heard()

    def fail_at_cover(event: ScannerEvent) -> None:
        heard.put(event)
        if isinstance(event, CoverOpened):
            raise ZeroDivisionError

    bus = FakeBus(ANSWERS)
    scanner = connect(quick(), fail_at_cover, bus)
    bus.say(b"\x02#34\x03")
    assert heard.next() == CoverOpened()
    lost = heard.next()
    assert isinstance(lost, ScannerLost)
    assert (lost.code, lost.detail) == ("scannerConfused", "on_event failed at CoverOpened: ZeroDivisionError")
    assert_over(scanner, heard)
    scanner.close()
    assert bus.handles == 0


def test_an_on_event_that_fails_at_the_loss_too() -> None:
    def fail(event: ScannerEvent) -> None:
        raise ZeroDivisionError

    bus = FakeBus(ANSWERS)
    scanner = connect(quick(), fail, bus)
    bus.say(b"\x02#34\x03")
    deadline = time.monotonic() + 5
    while bus.handles and time.monotonic() < deadline:
        time.sleep(0.01)
    with pytest.raises(ScannerError, match=r"^scannerDisconnected: the connection is over \(scannerConfused: "):
        scanner.sensors()
    scanner.close()


def test_an_error_in_a_thread_is_a_loss() -> None:
    class Broken(FakeBus):
        def bulk_read(self, *args: object) -> int:
            if self.written.count(STATUS):
                raise LookupError("surprise")
            return int(super().bulk_read(*args))  # type: ignore[arg-type]

    bus = Broken({**ANSWERS, STATUS: []})
    with connected(bus) as (scanner, heard):
        with pytest.raises(ScannerError, match=r"^scannerDisconnected: the connection is over"):
            scanner.sensors()
        lost = heard.next()
        assert isinstance(lost, ScannerLost)
        assert lost.code == "scannerConfused"
        assert lost.detail.endswith("LookupError: surprise")


def test_an_error_of_our_own_in_a_thread_is_a_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError("no room")

    monkeypatch.setattr("firmware_bridge.pagescan6.intake.assemble", fail)
    bus = FakeBus(ANSWERS)
    with connected(bus) as (scanner, heard):
        scanner.start_feeding()
        bus.say(BEGIN_SCAN, END_SCAN)
        assert heard.next() == ScanStarted()
        assert heard.next() == ScannerLost("scannerConfused", "MemoryError: no room", "")
        assert_over(scanner, heard)


def test_threads_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start
    for refused in ({"pagescan6_read_replies"}, {"pagescan6_read_images"}, {"pagescan6_read_replies", "pagescan6_read_images"}):

        def refuse(thread: threading.Thread, names: set[str] = refused) -> None:
            if thread.name in names:
                raise RuntimeError("can't start new thread")
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", refuse)
        bus = FakeBus(ANSWERS)
        with pytest.raises(ScannerError, match=r"^scannerConfused: no thread could be started: can't start new thread$"):
            connect(quick(), lambda _: None, bus)
        assert bus.handles == 0


def test_a_device_that_cannot_even_be_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    bus = FakeBus(ANSWERS)
    heard = Heard()
    scanner = connect(quick(), heard.put, bus)

    def fail(_: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(bus, "close_device", fail)
    bus.unplug()
    assert isinstance(heard.next(), ScannerLost)
    scanner.close()
    monkeypatch.undo()


def test_verbs_that_wait_are_refused_inside_on_event() -> None:
    heard = Heard()
    scanners: list[PageScan6] = []

    def ask(event: ScannerEvent) -> None:
        heard.put(event)
        if isinstance(event, CoverOpened):
            scanners[0].sensors()

    bus = FakeBus(ANSWERS)
    scanners.append(connect(quick(), ask, bus))
    bus.say(b"\x02#34\x03")
    heard.next()
    assert heard.next() == ScannerLost("scannerConfused", "on_event failed at CoverOpened: RuntimeError", "")
    scanners[0].close()


def test_closing_is_quiet_and_can_be_repeated() -> None:
    bus = FakeBus(ANSWERS)
    heard = Heard()
    scanner = connect(quick(), heard.put, bus)
    scanner.start_feeding()
    bus.written.clear()
    scanner.close()
    assert bus.written == [FEEDER_OFF], "nobody would be there for the next sheet"
    assert bus.handles == 0
    scanner.close()
    bus.unplug()
    assert_over(scanner, heard)


def test_closing_after_the_loss() -> None:
    bus = FakeBus(ANSWERS)
    heard = Heard()
    scanner = connect(quick(), heard.put, bus)
    scanner.start_feeding()
    bus.unplug()
    scanner.close()
    scanner.close()
    assert bus.handles == 0


@pytest.mark.parametrize("at_the_loss", [False, True])
def test_closing_inside_on_event(at_the_loss: bool) -> None:
    bus = FakeBus(ANSWERS)
    heard = Heard()
    scanners: list[PageScan6] = []

    def close(event: ScannerEvent) -> None:
        scanners[0].close()
        heard.put(event)

    before = threading.active_count()
    scanners.append(connect(quick(), close, bus))
    if at_the_loss:
        bus.unplug()
    else:
        bus.say(b"\x02#34\x03", b"\x02#35\x03")
    heard.next()
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before
    assert bus.handles == 0
    assert heard.empty()


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_hundreds_of_connections_leave_nothing_behind(tmp_path: Path) -> None:
    bus = FakeBus(ANSWERS)
    settings = quick(idle_read_seconds=0.001, lock_file=tmp_path / "lock")
    threads, files = threading.active_count(), open_files()
    for attempt in range(300):
        if attempt % 3 == 0:
            bus.failing["claim"] = [usb_error(errno.EBUSY)]
            with pytest.raises(ScannerError):
                connect(settings, lambda _: None, bus)
        scanner = connect(settings, lambda _: None, bus)
        if attempt % 2:
            bus.say(gone())
        scanner.close()
    assert (threading.active_count(), open_files(), bus.handles) == (threads, files, 0)


def test_an_idle_connection_reads_seldom() -> None:
    bus = FakeBus(ANSWERS)
    with connected(bus, idle_read_seconds=0.25) as (scanner, _):
        scanner.start_feeding()
        bus.reads.clear()
        time.sleep(0.6)
        assert max(bus.reads.values()) <= 4
