"""The times that stand beside the events of the log.

They are for people and never decide what came first: the log's own order does. A wall clock may be set at any time, and a board
without a battery starts in the past, so every reading says how far the wall clock is to be believed, and carries the time since
the machine was started.

That is CLOCK_BOOTTIME, not CLOCK_MONOTONIC: it goes on while the machine is suspended, so that the difference of two readings of
one boot is the time between them whatever happened in between. Nobody can set it.
"""

from __future__ import annotations

import ctypes
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

Source = Literal["synchronised", "unsynchronised", "unset"]

UNSET_BEFORE_S = 1_767_225_600
"""2026-01-01T00:00:00Z in seconds since 1970: this software is not older, so a clock before it was never set."""
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOST_BOOT_ID_BYTES = 64
_TIME_ERROR = 5
_STA_UNSYNC = 0x40


class ClockError(Exception):
    """The clock cannot be read: code `clockUnreadable`, and one sentence."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        """Give the message: `code: detail`."""
        return f"{self.code}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Reading:
    """The clocks at one moment.

    Attributes:
        boot_id: The random UUID of this start of the machine; readings of `monotonic_ms` compare only within one.
        monotonic_ms: Milliseconds since the machine was started, suspended or not.
        wall: The wall clock, UTC, whole seconds (cut, not rounded), as `2026-11-03T07:00:00Z`.
        wall_ms: The same in milliseconds since 1970.
        source: synchronised = the kernel's clock discipline says that a time service keeps it; unsynchronised = none does;
            unset = it shows a time before `UNSET_BEFORE_S`.
    """

    boot_id: str
    monotonic_ms: int
    wall: str
    wall_ms: int
    source: Source


class Clock(Protocol):
    """Whatever tells the time for the log."""

    def read(self) -> Reading:
        """The time now."""


class LogClock:
    """The machine's own clocks; for any thread.

    The kernel calls a clock synchronised for some hours after its time service has gone silent: until the error that it estimates
    exceeds 16 s, at 0.5 ms a second. A container that forbids the question makes it unsynchronised.

    Raises:
        ClockError: the machine does not say which start of it this is.
    """

    def __init__(self, boot_id: Path = BOOT_ID) -> None:
        try:
            with boot_id.open("rb") as file:
                text = file.read(_MOST_BOOT_ID_BYTES).decode("ascii", "replace").removesuffix("\n")
        except OSError as error:
            raise ClockError(
                "clockUnreadable", f"{str(boot_id)!r}: {error.strerror or error}: the service has to see all of /proc"
            ) from error
        if _UUID.fullmatch(text) is None:
            raise ClockError("clockUnreadable", f"{str(boot_id)!r} holds no UUID")
        self._boot_id = text

    def read(self) -> Reading:
        """The time now."""
        # One after the other without anything between: they belong to one moment.
        since_start, wall = time.clock_gettime_ns(time.CLOCK_BOOTTIME), time.time_ns()
        return reading(self._boot_id, since_start, wall, disciplined=_is_disciplined())


def reading(boot_id: str, since_start_ns: int, wall_ns: int, *, disciplined: bool) -> Reading:
    """A reading from what the clocks show, in nanoseconds since the start of the machine and since 1970."""
    wall_s = wall_ns // 1_000_000_000
    source: Source = "unset" if wall_s < UNSET_BEFORE_S else "synchronised" if disciplined else "unsynchronised"
    wall = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(wall_s))
    return Reading(boot_id, since_start_ns // 1_000_000, wall, wall_ns // 1_000_000, source)


class _Timex(ctypes.Structure):
    """The head of Linux's `struct timex`, as far as `status`, and room for the rest (208 bytes in all on 64-bit machines)."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


def _is_disciplined() -> bool:
    """Whether the kernel says that a time service keeps the wall clock; `modes` = 0 only asks."""
    asked = _Timex()
    try:
        state = int(ctypes.CDLL(None).adjtimex(ctypes.byref(asked)))
    except (OSError, AttributeError):
        return False
    return 0 <= state < _TIME_ERROR and not asked.status & _STA_UNSYNC
