"""A scanner on a table, reached over one of the legs, and a driver that is told to connect."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from firmware_bridge.pagescan6.driver import connect
from firmware_bridge.pagescan6.settings import ScannerSettings
from firmware_bridge.scanner import ScanFailed, Scanner, ScannerEvent, SheetScanned
from hil.scanner.emulator import EmulatedScanner
from hil.scanner.knobs import Behaviour, Timings
from hil.scanner.sheet import Sheet
from tests.contract.legs import NewHost, reach

E = TypeVar("E")

INCHES = 1.5
IMAGE_BYTES = 300 * 3456
TIMINGS = Timings(
    grab=0.005, scan=0.04, eject=0.04, eject_limit=0.1, command=0.0, boot=0.1, calibration=0.02, calibration_limit=0.2
)
FLAT = Behaviour(flat_tables=True, path_inches=1.0, chunk_bytes=100_000)
SETTINGS = ScannerSettings(
    paper_inches=INCHES,
    greet_seconds=1.5,
    greet_reply_seconds=0.2,
    setup_seconds=1.5,
    status_seconds=0.5,
    reply_seconds=0.8,
    idle_read_seconds=0.02,
)
_SECONDS = 10.0


class Heard(queue.SimpleQueue[ScannerEvent]):
    """Events in order."""

    def next(self) -> ScannerEvent:
        return self.get(timeout=_SECONDS)

    def until(self, kind: type[E]) -> E:
        """The next event of a kind; those before it are forgotten."""
        while True:
            event = self.next()
            if isinstance(event, kind):
                return event

    def rest(self, seconds: float) -> list[ScannerEvent]:
        """All events until there was none for so long."""
        events = []
        while True:
            try:
                events.append(self.get(timeout=seconds))
            except queue.Empty:
                return events


class Table:
    """One scanner.

    Attributes:
        scanner: The emulated device: what hands do, and the truth.
        new_host: Makes the backend of one more host.
    """

    def __init__(self, scanner: EmulatedScanner, new_host: NewHost, holding: ExitStack) -> None:
        self.scanner = scanner
        self.new_host = new_host
        self._backend = new_host()
        self._holding = holding

    def connect(self, *, host: NewHost | None = None, **changes: Any) -> tuple[Scanner, Heard]:  # noqa: ANN401 -- settings
        heard = Heard()
        backend = self._backend if host is None else host()
        scanner = connect(replace(SETTINGS, **changes), heard.put, backend)
        self._holding.callback(scanner.close)
        return scanner, heard

    def feed(self, driver: Scanner, heard: Heard, sheet: Sheet, *more: Sheet) -> SheetScanned | ScanFailed:
        """Have a sheet scanned, or several on top of each other; gives how it ended."""
        driver.start_feeding()
        assert self.until(lambda: self.scanner.describe().feeder)
        self.scanner.insert(sheet, *more)
        return heard.until(SheetScanned | ScanFailed)  # type: ignore[arg-type] # isinstance knows unions

    def until(self, condition: Callable[[], bool]) -> bool:
        return self.scanner.wait_for(lambda _: condition(), _SECONDS)


def noise(name: str, seed: int = 1, *, inches: float = INCHES) -> Sheet:
    """A sheet of which no pixel is like its neighbour."""
    pixels = np.random.default_rng(seed).integers(0, 256, (2, round(inches * 200), 1728), np.uint8)
    return Sheet(name, pixels[0], pixels[1])


@contextmanager
def table(leg: str, behaviour: Behaviour = FLAT, timings: Timings = TIMINGS) -> Iterator[Table]:
    """A scanner at the end of a leg."""
    with EmulatedScanner(timings, behaviour) as scanner, reach(leg, scanner) as new_host, ExitStack() as holding:
        yield Table(scanner, new_host, holding)
