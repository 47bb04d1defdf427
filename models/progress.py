"""How far a command is, on standard error: a bar with rate and time left on a terminal, a line for every tenth elsewhere."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from time import monotonic
from types import TracebackType
from typing import Self, TextIO

_REDRAWN_S = 0.1
_LINE_PARTS = 10
_BAR = 28
_PART = " ▏▎▍▌▋▊▉█"
"""A cell of the bar in eighths, for terminals that have them."""
_CLEARED = "\r\x1b[K"


class Progress:
    """Shows things done of things in all, phase after phase. To be used as a context, which leaves the terminal's line empty.

    Args:
        stream: Where to; standard error.
        clock: Seconds, never going back.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._is_terminal = stream.isatty()
        self._fine = (getattr(stream, "encoding", None) or "").lower().replace("-", "") == "utf8"
        self._phase, self._total, self._unit = "", 0, ""
        self._begun_at = self._drawn_at = 0.0
        self._parts = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._is_terminal and self._phase:
            self._write(_CLEARED)

    def begin(self, phase: str, total: int, unit: str) -> None:
        """Begin a phase.

        Args:
            phase: What is being done, one word.
            total: Things in all.
            unit: What they are, in the plural.
        """
        self._phase, self._total, self._unit = phase, total, unit
        self._begun_at = self._clock()
        self._drawn_at = self._begun_at - _REDRAWN_S
        self._parts = -1
        self.show(0)

    def show(self, done: int, note: str = "") -> None:
        """Show how far it is.

        Args:
            done: Things done.
            note: What else a person wants to know.
        """
        now = self._clock()
        if self._is_terminal:
            if done == self._total or now - self._drawn_at >= _REDRAWN_S:
                self._drawn_at = now
                self._write(_CLEARED + self._bar(done, note, now - self._begun_at)[: shutil.get_terminal_size().columns - 1])
            return
        parts = done * _LINE_PARTS // self._total if self._total else 0
        if parts > self._parts:
            self._parts = parts
            self._write(f"{self._phase} {self._counts(done)}{', ' + note if note else ''}\n")

    def _bar(self, done: int, note: str, spent: float) -> str:
        share = done / self._total if self._total else 1.0
        words = [f"{self._phase:<9} {self._filled(share)} {int(100 * share):3} %", self._counts(done)]
        if done and spent >= 1:
            words.append(f"{done / spent:.1f}/s")
            if done < self._total:
                words.append(f"{_duration(spent * (self._total - done) / done)} left")
        return "  ".join([*words, note] if note else words)

    def _filled(self, share: float) -> str:
        eighths = int(share * _BAR * 8)
        whole, rest = divmod(eighths, 8)
        if not self._fine:
            return f"[{'#' * whole}{'.' * (_BAR - whole)}]"
        return f"|{_PART[8] * whole}{(_PART[rest] if whole < _BAR else '')}".ljust(_BAR + 1) + "|"

    def _counts(self, done: int) -> str:
        return f"{done} of {self._total} {self._unit}"

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
