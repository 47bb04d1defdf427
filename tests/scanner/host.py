"""A host for tests: speaks to an emulated scanner in bytes, reading the protocol notes independently of scanner and driver."""

from __future__ import annotations

import numpy as np

from hil.scanner.emulator import EmulatedScanner
from hil.scanner.knobs import Behaviour, Timings
from hil.scanner.sheet import Grey, Sheet

BURST = [
    *(b"A", b"J", b"g", b"\x1bX", b"n3A50", b"n3B100", b"n", b"y", b"\x1bd", b"k", b"\x1b%T\x4b", b"\x1b%B\x4b"),
    *(b"\x1bs2", b"\x1bD\x89", b"\x1bj\x20"),
]
"""What a host sends before it enables the feeder."""
FLAT = Behaviour(flat_tables=True)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def check_byte(body: bytes) -> int:
    crc = 0
    for byte in body:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x97) & 0xFF if crc & 0x80 else crc << 1
    return crc


def packet(body: bytes) -> bytes:
    return b"\x02" + body + b"\x03" + bytes([check_byte(body)])


class Host:
    """A scanner with nothing moving by itself, and a host at its cable."""

    def __init__(self, timings: Timings | None = None, behaviour: Behaviour | None = None) -> None:
        self.clock = Clock()
        self.scanner = EmulatedScanner(timings or Timings.instant(), behaviour or FLAT, clock=self.clock)

    def send(self, *bodies: bytes) -> None:
        for body in bodies:
            whole = packet(body)
            assert self.scanner.write(0x05, whole) == len(whole)

    def said(self) -> list[bytes]:
        """Bodies of all that waits at the endpoint of answers."""
        bodies = []
        while (transfer := self.scanner.read(0x85, 16384)) is not None:
            assert (transfer[:1], transfer[-1:]) == (b"\x02", b"\x03")
            bodies.append(transfer[1:-1])
        return bodies

    def ask(self, *bodies: bytes) -> list[bytes]:
        self.send(*bodies)
        return self.said()

    def pixels(self, length: int = 1 << 20) -> bytes:
        data = b""
        while (transfer := self.scanner.read(0x86, length)) is not None:
            data += transfer
        return data

    def status(self) -> str:
        return self.ask(b"Q")[-1][1:].hex(" ")

    def pass_time(self, seconds: float) -> None:
        self.clock.now += seconds
        self.scanner.describe()

    def prepare(self, *more: bytes) -> None:
        """Enable scanning; `more` comes before the feeder is enabled."""
        self.ask(b"\x1bK", *BURST, *more, b"8")

    def scan(self, *sheets: Sheet) -> list[bytes]:
        """Prepare, and let sheets be fed together; gives what was said."""
        self.prepare()
        self.scanner.insert(*sheets)
        return self.said()


def sheet(name: str = "A", rows: int = 2200, seed: int = 0) -> Sheet:
    sides: list[Grey] = [np.random.default_rng([seed, side]).integers(0, 256, (rows, 1728), dtype=np.uint8) for side in (0, 1)]
    return Sheet(name, *sides)


def plain(name: str = "A", inches: float = 11) -> Sheet:
    """A sheet that costs little."""
    return Sheet.blank(name, inches=inches)
