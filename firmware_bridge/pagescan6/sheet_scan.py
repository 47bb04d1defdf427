"""Where a scan stands, and the pixels that have come for it. No I/O; safe to use from several threads."""

from __future__ import annotations

import threading
from enum import Enum

from firmware_bridge.scanner import ScanFailed


class Phase(Enum):
    """Off: no sheet is wanted. Waiting: the next one is taken. Running: one goes through. Ending: last pixels may still come."""

    OFF = "off"
    WAITING = "waiting"
    RUNNING = "running"
    ENDING = "ending"


class SheetScan:
    """One sheet after the other.

    The first pixels may be seen before the beginning of their scan, because they come by another endpoint: pixels are kept from
    the moment a sheet is wanted, not from the beginning of the scan.

    Args:
        limit_bytes: About where to stop keeping pixels; what is kept beyond it says that there were too many.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._phase = Phase.OFF
        self._abandoned = True
        self._overflow = False
        self._spoilt = ""
        self._pixels = bytearray()

    @property
    def phase(self) -> Phase:
        """Where the scan stands."""
        return self._phase

    @property
    def feeding(self) -> bool:
        """Whether nothing may be sent: a sheet is wanted or on its way, and nobody has given up on it."""
        return not self._abandoned

    @property
    def streaming(self) -> bool:
        """Whether pixels are to be expected now."""
        return self._phase is Phase.RUNNING or bool(self._pixels)

    def want(self) -> None:
        """A sheet is wanted: forget everything about the one before."""
        with self._lock:
            self._begin_anew(Phase.WAITING)
            self._abandoned = False

    def abandon(self) -> None:
        """No sheet is wanted any more. A scan that has begun is spoilt, and still comes to its end."""
        with self._lock:
            if self._phase is Phase.WAITING:
                self._begin_anew(Phase.OFF)
            elif self._phase is not Phase.OFF:
                self._abandoned = True
            if self._phase is Phase.RUNNING:
                self._spoil("the scan was stopped on the way")

    def begun(self) -> None:
        """The scanner has taken hold of a sheet."""
        with self._lock:
            if self._phase is Phase.OFF:
                self._spoil("the scanner took a sheet while the feeder was off")
            elif self._phase is not Phase.WAITING:
                self._spoil("a scan began before the end of the one before it")
            self._phase = Phase.RUNNING

    def overflowed(self) -> bool:
        """Pixels were lost; tells whether there is a scan that this spoils."""
        with self._lock:
            self._overflow = self._phase is not Phase.OFF
            return self._overflow

    def ended(self) -> None:
        """The scanner has sent all pixels; some may still be on their way."""
        with self._lock:
            if self._phase in {Phase.OFF, Phase.WAITING}:
                self._spoil("the end of a scan came without its beginning")
            self._phase = Phase.ENDING

    def add(self, pixels: memoryview) -> None:
        """Keep pixels, if there is a scan they can belong to."""
        with self._lock:
            if self._phase is not Phase.OFF and len(self._pixels) <= self._limit_bytes:
                self._pixels += pixels

    def spoil(self, reason: str) -> None:
        """No image may be made of this scan; `reason` in one sentence."""
        with self._lock:
            self._spoil(reason)

    def hand_over(self) -> bytearray:
        """Give away the pixels that have come; the scan is not over yet."""
        with self._lock:
            pixels, self._pixels = self._pixels, bytearray()
            return pixels

    def finish(self) -> ScanFailed | None:
        """The scan is over; tells why no image may be made of its pixels, or None."""
        with self._lock:
            failure = None
            if self._overflow:
                failure = ScanFailed("imageOverflow", "pixels were lost because they were not fetched fast enough")
            elif self._spoilt:
                failure = ScanFailed("scanUnreadable", self._spoilt)
            self._begin_anew(Phase.OFF)
            return failure

    def _begin_anew(self, phase: Phase) -> None:
        self._phase = phase
        self._abandoned = True
        self._overflow = False
        self._spoilt = ""
        self._pixels.clear()

    def _spoil(self, reason: str) -> None:
        self._spoilt = self._spoilt or reason
