"""What a host sees of transfers, chunks, threads and time."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from hil.scanner.emulator import EmulatedScanner
from hil.scanner.faults import Late
from hil.scanner.knobs import Behaviour, Timings
from hil.scanner.paper import Place
from tests.scanner.host import BURST, FLAT, Host, packet, plain

_LETTER_BYTES = 2200 * 3456
_CHUNK = 256 << 10


def _transfers(host: Host, endpoint: int, length: int) -> list[int]:
    sizes = []
    while (data := host.scanner.read(endpoint, length)) is not None:
        sizes.append(len(data))
    return sizes


def test_what_the_device_says_about_itself() -> None:
    descriptor = EmulatedScanner().descriptor
    assert (descriptor.vendor, descriptor.product, descriptor.usb_release) == (0x0BD7, 0xA002, 0x0200)
    assert [endpoint.address for endpoint in descriptor.endpoints] == [0x05, 0x85, 0x86]
    assert {endpoint.max_packet for endpoint in descriptor.endpoints} == {512}


def test_each_chunk_ends_a_transfer() -> None:
    host = Host()
    host.scan(plain())
    assert _transfers(host, 0x86, 1 << 20) == [_CHUNK] * 29 + [_LETTER_BYTES % _CHUNK]


def test_a_transfer_that_fills_its_buffer_with_full_packets_is_ended_by_an_empty_one() -> None:
    host = Host()
    host.scan(plain())
    assert _transfers(host, 0x86, _CHUNK)[:4] == [_CHUNK, 0, _CHUNK, 0]
    host.ask(b"3")
    host.scan(plain("B"))
    assert _transfers(host, 0x86, _CHUNK // 2)[:4] == [_CHUNK // 2, _CHUNK // 2, 0, _CHUNK // 2]


def test_one_packet_per_transfer_even_into_small_buffers() -> None:
    host = Host()
    host.send(b"W1", b"*")
    assert _transfers(host, 0x85, 512) == [512] * 6 + [394] + [512] * 6 + [394] + [11]
    host.send(b"*")
    assert _transfers(host, 0x85, 11) == [11]


def test_chunks_can_run_together() -> None:
    host = Host(behaviour=replace(FLAT, chunks_run_together=True))
    host.scan(plain())
    assert _transfers(host, 0x86, 1 << 20) == [1 << 20] * 7 + [_LETTER_BYTES % (1 << 20)]
    host.ask(b"3")
    slow = Host(Timings(grab=0, scan=1, command=0), replace(FLAT, chunks_run_together=True, chunk_bytes=1000))
    slow.prepare()
    slow.scanner.insert(plain())
    slow.pass_time(0.1)
    assert _transfers(slow, 0x86, 1 << 20) == []
    slow.pass_time(0.1)
    assert _transfers(slow, 0x86, 1 << 20) == [1 << 20]
    slow.send(b"9")
    assert 0 < sum(_transfers(slow, 0x86, 1 << 20)) < 1 << 20


def test_pixels_are_spread_over_the_scan() -> None:
    host = Host(Timings(grab=0, scan=1, command=0))
    host.prepare()
    host.scanner.insert(plain())
    sizes = []
    for _ in range(10):
        host.pass_time(0.1)
        sizes.append(len(host.pixels()))
    assert sum(sizes) == _LETTER_BYTES
    assert max(sizes) < _LETTER_BYTES / 10 + _CHUNK + 1


def test_unplugging_leaves_the_scanner_alive() -> None:
    host = Host(Timings(grab=0, scan=1, command=0))
    host.prepare()
    host.scanner.insert(plain("A"))
    host.pass_time(0.5)
    host.scanner.unplug()
    host.pass_time(1)
    host.scanner.plug()
    assert host.scanner.where("A") is Place.ESCROW
    assert host.said() == []
    assert host.status() == "cb 80 a1"


def test_what_was_heard() -> None:
    host = Host()
    host.send(b"D", b"?")
    assert host.scanner.heard() == (b"D", b"?")


def _read(scanner: EmulatedScanner, endpoint: int, seconds: float) -> bytes | None:
    """Wait as a backend does: until `changed` says that there may be something."""
    limit = time.monotonic() + seconds
    with scanner.changed:
        while (data := scanner.read(endpoint, 1 << 20)) is None:
            if (rest := limit - time.monotonic()) <= 0:
                return None
            scanner.changed.wait(rest)
    return data


def test_the_thread_lets_a_scan_happen_and_wakes_who_waits() -> None:
    timings = Timings(grab=0.01, scan=0.1, eject=0.05, command=0.001, boot=0.05)
    with EmulatedScanner(timings, FLAT) as scanner:
        for body in (*BURST, b"8"):
            scanner.write(0x05, packet(body))
        scanner.insert(plain("A"))
        said: list[bytes | None] = []
        while said[-1:] not in ([b"\x02#31\x03"], [None]):
            said.append(_read(scanner, 0x85, 5))
        size = 0
        while data := _read(scanner, 0x86, 0.05):
            size += len(data)
        assert said[-2:] == [b"\x02#30\x03", b"\x02#31\x03"]
        assert size == _LETTER_BYTES
        for body in (b"M", b"8", b"3", b"9"):
            scanner.write(0x05, packet(body))
        assert scanner.wait_for(lambda status: status.box == ("A",), 5)
        scanner.inject(Late(0.05))
        scanner.write(0x05, packet(b"*"))
        assert _read(scanner, 0x85, 5) == b"\x02*00C0FFEE\x03"
        scanner.write(0x05, packet(b"0"))
        assert scanner.wait_for(lambda status: status.generation == 2, 5)
        assert not scanner.wait_for(lambda status: status.jammed, 0.01)


def test_an_idle_scanner_costs_nothing_and_stops() -> None:
    scanner = EmulatedScanner()
    assert scanner.start() is scanner.start()
    time.sleep(0.05)
    before = time.process_time()
    time.sleep(0.3)
    assert time.process_time() - before < 0.02
    scanner.stop()
    scanner.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "emulated scanner"]


def test_waiting_works_without_the_thread() -> None:
    scanner = EmulatedScanner(Timings(grab=0.01, scan=0.02, command=0))
    for body in (*BURST, b"8"):
        scanner.write(0x05, packet(body))
    scanner.insert(plain("A"))
    assert scanner.wait_for(lambda status: status.places["A"] is Place.ESCROW, 5)


def test_what_cannot_be_set() -> None:
    for absurd in (
        lambda: Timings(scan=-1),
        lambda: Timings(boot=float("nan")),
        lambda: Behaviour(chunk_bytes=0),
        lambda: Behaviour(boot_rear_value=2),
    ):
        with pytest.raises(ValueError, match=r"cannot be|at least|0 or 1"):
            absurd()


def test_a_sheet_never_seen_is_nowhere() -> None:
    with pytest.raises(KeyError):
        EmulatedScanner().where("A")
