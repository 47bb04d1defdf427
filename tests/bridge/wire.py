"""What goes over the wire, byte by byte as the public notes on the PageScan 6 protocol write it, and a driver connected to it."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from firmware_bridge.pagescan6.driver import PageScan6, connect
from firmware_bridge.pagescan6.settings import ScannerSettings
from firmware_bridge.scanner import ScannerEvent
from tests.bridge.fake_usb import FakeBus


def b(text: str) -> bytes:
    """Bytes from pairs of hexadecimal digits."""
    return bytes.fromhex(text)


CHECK_CRC = b("02 1b 4b 03 1b")
PING = b("02 44 03 b4")
PONG = b"\x02D Test Message USB 1.1/2.0 Communication\x03"
FEEDER_ON = b("02 38 03 04")
FEEDER_OFF = b("02 39 03 93")
VERSION = b("02 56 03 b7")
VERSION_REPLY = b"\x02V907203041\x03"
SERIAL = b("02 2a 03 07")
SERIAL_REPLY = b"\x02*00C0FFEE\x03"
REGISTER_9 = b("02 3c 30 30 39 03 be")
REGISTER_9_REPLY = b("02 3c 30 30 39 30 30 30 30 30 32 30 30 03")
TABLES = b("02 57 31 03 2d")
STATUS = b("02 51 03 7c")
BEGIN_SCAN = b("02 23 33 30 03")
END_SCAN = b("02 23 33 31 03")
DOUBLE_FEED = b("02 23 33 33 03")
OVERFLOW = b("02 23 30 39 03")
TOP_THRESHOLD = b("02 1b 25 54 4b 03 21")
BOTTOM_THRESHOLD = b("02 1b 25 42 4b 03 6d")


def table_transfer(side: int, white: bytes = b"\xff" * 1728, black: bytes = b"\x00" * 1728) -> bytes:
    return b("02 57 c0 06") + bytes((side << 4 | 8,)) + white + b("cc cc") + black + b("cc cc 03")


ANSWERS: dict[bytes, list[bytes] | Exception] = {
    PING: [PONG],
    VERSION: [VERSION_REPLY],
    SERIAL: [SERIAL_REPLY],
    REGISTER_9: [REGISTER_9_REPLY],
    TABLES: [table_transfer(0), table_transfer(1)],
    STATUS: [b("02 51 88 80 81 03")],
    TOP_THRESHOLD: [b("02 58 54 20 34 42 03")],
    BOTTOM_THRESHOLD: [b("02 58 42 20 34 42 03")],
    b("02 1b 73 32 03 cc"): [b("02 73 32 35 03")],
}
OPENING = [CHECK_CRC, PING, FEEDER_OFF, VERSION, SERIAL, REGISTER_9, TABLES]
BURST = [
    b("02 41 03 c6"),
    b("02 4a 03 b5"),
    b("02 67 03 79"),
    b("02 1b 58 03 8f"),
    b("02 6e 33 41 35 30 03 7f"),
    b("02 6e 33 42 31 30 30 03 47"),
    b("02 6e 03 b3"),
    b("02 79 03 c2"),
    b("02 1b 64 03 6e"),
    b("02 6b 03 c1"),
    TOP_THRESHOLD,
    BOTTOM_THRESHOLD,
    b("02 1b 73 32 03 cc"),
    b("02 1b 44 89 03 e5"),
    b("02 1b 6a 20 03 c7"),
    FEEDER_ON,
]


def quick(**changes: object) -> ScannerSettings:
    """Settings with shorter reads and limits, so that tests are."""
    times: dict[str, Any] = {
        "idle_read_seconds": 0.02,
        "greet_seconds": 0.3,
        "greet_reply_seconds": 0.05,
        "greet_pause_seconds": 0.01,
    }
    limits = {"setup_seconds": 0.5, "status_seconds": 0.2, "reply_seconds": 0.2, "find_again_seconds": 0.2}
    return ScannerSettings(**{**times, **limits, **changes})


class Heard(queue.SimpleQueue[ScannerEvent]):
    """Events in order."""

    def next(self, seconds: float = 5.0) -> ScannerEvent:
        return self.get(timeout=seconds)

    def nothing_within(self, seconds: float) -> bool:
        try:
            self.get(timeout=seconds)
        except queue.Empty:
            return True
        return False


@contextmanager
def connected(bus: FakeBus, **changes: object) -> Iterator[tuple[PageScan6, Heard]]:
    """A driver that is connected to a scripted scanner; what the opening wrote is forgotten."""
    heard = Heard()
    scanner = connect(quick(**changes), heard.put, bus)
    bus.written.clear()
    try:
        yield scanner, heard
    finally:
        scanner.close()
        assert bus.handles == 0
