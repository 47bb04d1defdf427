"""What a process that runs all day must not do: grow. Measured at rest, judged at the end."""

from __future__ import annotations

import gc
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

_PAGE_KB = os.sysconf("SC_PAGE_SIZE") // 1024
_CALM_SECONDS = 2.0
_LOOK_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Measure:
    """The process after so many sheets.

    Attributes:
        sheets: So many.
        seconds: Since the beginning.
        rss_kb: Resident memory.
        objects: Objects that Python's collector knows: a leak of ours shows here long before it shows in the memory.
        threads: Threads of Python.
        descriptors: Open file descriptors.
    """

    sheets: int
    seconds: float
    rss_kb: int
    objects: int
    threads: int
    descriptors: int


class Meter:
    """Measures this process.

    Args:
        warm_up: Sheets after which nothing may grow any more.
        most_growth_kb: What resident memory may have grown by since then, at any time: pieces of freed images that the
            allocator keeps, in an arena for each thread, come and go.
        most_objects: What the number of objects may have grown by: the emulated scanner remembers its sheets.
    """

    def __init__(self, warm_up: int, most_growth_kb: int, most_objects: int) -> None:
        self.warm_up = warm_up
        self.most_growth_kb = most_growth_kb
        self.most_objects = most_objects
        self.measures: list[Measure] = []
        self._begun = time.monotonic()

    def measure(self, sheets: int) -> Measure:
        """Take a measure. Threads of a connection that was lost may need a moment to leave, and cycles a collector."""
        gc.collect()
        limit = time.monotonic() + _CALM_SECONDS
        least = self.measures[-1] if self.measures else None
        while True:
            threads, descriptors = threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))
            calm = least is None or (threads <= least.threads and descriptors <= least.descriptors)
            if calm or time.monotonic() > limit:
                break
            time.sleep(_LOOK_SECONDS)
        rss_kb = int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_KB
        measure = Measure(sheets, time.monotonic() - self._begun, rss_kb, len(gc.get_objects()), threads, descriptors)
        self.measures.append(measure)
        return measure

    def leaks(self) -> list[str]:
        """What has grown, each in one sentence."""
        before = [measure for measure in self.measures if measure.sheets <= self.warm_up]
        after = self.measures[len(before) :]
        if not before or not after:
            return []
        found = []
        for name, most in (("rss_kb", self.most_growth_kb), ("objects", self.most_objects)):
            grown = max(getattr(measure, name) for measure in after) - max(getattr(measure, name) for measure in before)
            if grown > most:
                found.append(f"{name} has grown by {grown} after {self.warm_up} sheets; {most} are allowed")
        for name in ("threads", "descriptors"):
            first, last = getattr(before[-1], name), getattr(after[-1], name)
            if last > first:
                found.append(f"{name} have grown from {first} to {last}")
        return found
