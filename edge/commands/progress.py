"""How far something long is, on standard error: a bar where a person looks at a terminal, now and then a line where not."""

from __future__ import annotations

import shutil
from time import monotonic
from types import TracebackType
from typing import Self, TextIO

_REDRAWN_S = 0.1
_LINE_PARTS = 10
"""Where there is no terminal, a line is written for every tenth."""
_BAR = 30
_CLEARED = "\r\x1b[K"


class ProgressBar:
    """Shows bytes done of bytes in all, phase after phase. To be used as a context, which leaves the terminal's line empty.

    Args:
        stream: Where to; standard error.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_terminal = stream.isatty()
        self._phase = ""
        self._parts = 0
        self._drawn_at = -_REDRAWN_S

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._is_terminal and self._phase:
            self._show(_CLEARED)

    def __call__(self, done: int, total: int, phase: str) -> None:
        """Show it.

        Args:
            done: Bytes done.
            total: Bytes in all; 0 = not known.
            phase: What is being done, one word.
        """
        begun = phase != self._phase
        self._phase = phase
        if self._is_terminal:
            now = monotonic()
            if begun or done == total or now - self._drawn_at >= _REDRAWN_S:
                self._drawn_at = now
                self._show(_CLEARED + _bar(done, total, phase)[: shutil.get_terminal_size().columns - 1])
            return
        parts = done * _LINE_PARTS // total if total else 0
        if begun or parts > self._parts:
            self._show(f"{_line(done, total, phase)}\n")
        self._parts = parts

    def _show(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def _bar(done: int, total: int, phase: str) -> str:
    if not total:
        return _line(done, total, phase)
    filled = _BAR * done // total
    return f"{phase:<9} [{'#' * filled}{'.' * (_BAR - filled)}] {100 * done // total:3} %  {_amount(done)} of {_amount(total)}"


def _line(done: int, total: int, phase: str) -> str:
    if not total:
        return f"{phase} {_amount(done)}" if done else phase
    return f"{phase} {_amount(done)} of {_amount(total)}"


def _amount(count: int) -> str:
    return f"{count // 1_000_000}.{count // 100_000 % 10} MB"
