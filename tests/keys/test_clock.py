"""The times beside the events of the log."""

from __future__ import annotations

import ctypes
import time
import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.evidence import clock
from edge.evidence.clock import UNSET_BEFORE_S, Clock, ClockError, LogClock, Reading, reading

BOOT = "2f1c9c1e-3b7a-4d53-9d0e-5a4b3c2d1e0f"
SECOND = 1_000_000_000


class FixedClock:
    """A clock of a test, as others make them."""

    def read(self) -> Reading:
        return Reading(BOOT, 0, "2026-11-03T07:00:00Z", 1_793_689_200_000, "synchronised")


def test_the_machines_clocks_are_read() -> None:
    made: Clock = LogClock()
    before = time.time_ns()
    first, second = made.read(), made.read()
    assert before // 1_000_000 <= first.wall_ms
    assert str(uuid.UUID(first.boot_id)) == first.boot_id == second.boot_id
    assert first.boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert 0 < first.monotonic_ms <= second.monotonic_ms
    assert first.monotonic_ms >= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1_000_000 - 60_000
    assert first.source in {"synchronised", "unsynchronised", "unset"}


def test_a_clock_of_a_test_passes_for_one() -> None:
    made: Clock = FixedClock()
    taken = made.read()
    assert taken == reading(BOOT, 0, taken.wall_ms * 1_000_000, disciplined=True)


def test_a_reading_has_whole_seconds_and_whole_milliseconds_cut_off() -> None:
    taken = reading(BOOT, 1_999_999, 1_793_689_199 * SECOND + 999_999_999, disciplined=False)
    assert taken == Reading(BOOT, 1, "2026-11-03T06:59:59Z", 1_793_689_199_999, "unsynchronised")


@pytest.mark.parametrize("disciplined", [True, False])
def test_a_clock_before_this_software_was_never_set(disciplined: bool) -> None:
    last = reading(BOOT, 0, UNSET_BEFORE_S * SECOND - 1, disciplined=disciplined)
    assert (last.wall, last.source) == ("2025-12-31T23:59:59Z", "unset")
    first = reading(BOOT, 0, UNSET_BEFORE_S * SECOND, disciplined=disciplined)
    assert (first.wall, first.source) == ("2026-01-01T00:00:00Z", "synchronised" if disciplined else "unsynchronised")
    assert reading(BOOT, 0, 0, disciplined=disciplined).wall == "1970-01-01T00:00:00Z"


@given(st.integers(0, 250_000_000_000 * SECOND), st.booleans())
def test_every_time_has_its_text(wall_ns: int, disciplined: bool) -> None:
    wall_ns %= 253_402_300_800 * SECOND  # the year 10000
    taken = reading(BOOT, 0, wall_ns, disciplined=disciplined)
    assert taken.wall_ms == wall_ns // 1_000_000
    assert len(taken.wall) == len("2026-01-01T00:00:00Z")
    assert taken.wall.endswith("Z")


@pytest.mark.parametrize(
    ("state", "status", "expected"),
    [
        (0, 0x2001, "synchronised"),
        (1, 0x0001, "synchronised"),
        (4, 0x0001, "synchronised"),
        (5, 0x0001, "unsynchronised"),
        (5, 0x0041, "unsynchronised"),
        (0, 0x0040, "unsynchronised"),
        (-1, 0x0001, "unsynchronised"),
    ],
)
def test_the_kernel_is_asked_and_not_told(monkeypatch: pytest.MonkeyPatch, state: int, status: int, expected: str) -> None:
    class Kernel:
        def adjtimex(self, argument: object) -> int:
            asked = argument._obj  # type: ignore[attr-defined]  # what byref points to
            assert asked.modes == 0
            asked.status = status
            return state

    monkeypatch.setattr(ctypes, "CDLL", lambda _: Kernel())
    monkeypatch.setattr(time, "time_ns", lambda: (UNSET_BEFORE_S + 1) * SECOND)
    assert LogClock().read().source == expected


@pytest.mark.parametrize("error", [OSError("no library"), AttributeError("no such call")])
def test_a_kernel_that_is_not_reached_proves_nothing(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(_: object) -> object:
        raise error

    monkeypatch.setattr(ctypes, "CDLL", fail)
    assert LogClock().read().source != "synchronised"


def test_the_status_lies_where_linux_has_it() -> None:
    long = ctypes.sizeof(ctypes.c_long)
    assert clock._Timex.status.offset == 5 * long
    assert ctypes.sizeof(clock._Timex) > 208
    asked = clock._Timex()
    state = ctypes.CDLL(None).adjtimex(ctypes.byref(asked))
    if state < 0:
        pytest.skip("this machine does not answer")
    assert (state == 5) == bool(asked.status & 0x40) or asked.status & 0x1000  # also set by a fault of the clock's hardware


@pytest.mark.parametrize("content", [b"", b"\n", BOOT.upper().encode(), BOOT.encode() + b"\n\n", b"\xff" * 36, b"0" * 1000])
def test_a_machine_that_does_not_say_which_start_it_is_has_no_clock(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "boot_id"
    path.write_bytes(content)
    with pytest.raises(ClockError) as refused:
        LogClock(path)
    assert refused.value.code == "clockUnreadable"
    path.write_bytes(BOOT.encode() + b"\n")
    assert LogClock(path).read().boot_id == BOOT
    with pytest.raises(ClockError) as refused:
        LogClock(tmp_path / "none")
    assert str(refused.value) == f"clockUnreadable: {refused.value.detail}"
