"""What the demo shows while it runs: the story, the lamps, and the station's sentence beside them.

On a terminal the lamps stay in place and change as the panel's lines do. Elsewhere there is one line for every change of what the
station says, with the lamps as they looked until the next one.
"""

from __future__ import annotations

import shutil
import textwrap
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TextIO

from edge.station.status import StatusDocument
from hil.emulate.lamps import LINES, Look, looks, row
from hil.panel.panel import Change

_ROW_COLUMNS = len(row({}))
_SETTLED_MS = 40
"""After this long the panel shows a new signal: the station sets the lines just before it tells its status."""
_SKEW_MS = 100
"""By how much we may believe a status to be later than it was, on a machine with other things to do."""
_HEAD = "{:7.1f} s  {:<18}  "
_WIDEST = 130


@dataclass(frozen=True, slots=True)
class _Told:
    """A status, when the station gave it, and when its signal began, on the scale of the panel's changes."""

    document: StatusDocument
    at_ms: int
    signal_at_ms: int


class Screen:
    """Shows. Any thread may call it.

    Args:
        out: Where to.
        begun_ms: The time that is shown as 0.
        live: Whether `out` is a terminal on which lines can be drawn again.
        colour: Whether it may have colours too.
    """

    def __init__(self, out: TextIO, begun_ms: int, *, live: bool, colour: bool) -> None:
        self._out = out
        self._begun_ms = begun_ms
        self._lock = threading.RLock()
        self._columns = min(_WIDEST, shutil.get_terminal_size().columns)
        self._live = live and self._columns > _ROW_COLUMNS
        self._colour = colour
        self._changes: Sequence[Change] = ()
        self._told: _Told | None = None
        self._printed = True
        self._drawn = 0
        self._offset_ms: int | None = None

    def story(self, text: str, *, after_blank: bool = False) -> None:
        """Say what people do."""
        with self._lock:
            if self._live:
                self._erase()
            else:
                self._print_told(None)
            self._write("\n" * after_blank + "\n".join(textwrap.wrap(text, self._columns - 1)) + "\n")
            self._draw()

    def station(self, document: StatusDocument, now_ms: int) -> None:
        """Show what the station says, just heard."""
        with self._lock:
            # The station's clock is ours, but what it tells is the time since its start: the quickest message says when that was.
            offset = now_ms - document.uptime_ms
            self._offset_ms = offset if self._offset_ms is None else min(offset, self._offset_ms)
            at_ms = self._offset_ms + document.uptime_ms
            before = self._told
            if before is not None and _shown(document) == _shown(before.document):
                return
            goes_on = before is not None and before.document.signal == document.signal
            told = replace(before, document=document, at_ms=at_ms) if before and goes_on else _Told(document, at_ms, at_ms)
            if not self._live:
                self._print_told(told.at_ms)
            self._told, self._printed = told, False
            self._draw()

    def lamps(self, changes: Sequence[Change]) -> None:
        """Show all changes of the panel's lines so far."""
        with self._lock:
            if len(changes) != len(self._changes):
                self._changes = changes
                self._draw()

    def close(self) -> None:
        """Take the lamps away; what is printed from now on stands below the story."""
        with self._lock:
            self._print_told(None)
            self._erase()
            self._live = False

    def _print_told(self, until_ms: int | None) -> None:
        """Print what the station said last, now that it is known how the lamps looked meanwhile."""
        if self._live or self._told is None or self._printed:
            return
        self._printed = True
        end = None if until_ms is None else until_ms - min(_SKEW_MS, (until_ms - self._told.at_ms) // 2)
        changes = [change for change in self._changes if end is None or change.at_ms < end]
        begin = self._told.signal_at_ms + _SETTLED_MS
        before = _lit_after(change for change in changes if change.at_ms <= begin)
        seen = looks(before, (change for change in changes if change.at_ms > begin))
        head = _HEAD.format((self._told.at_ms - self._begun_ms) / 1000, _in_words(seen))
        indented = " " * len(head)
        lines = textwrap.wrap(self._told.document.sentence, max(40, self._columns - 1 - len(head)))
        self._write(head + f"\n{indented}".join(lines) + "\n")

    def _draw(self) -> None:
        if not self._live:
            return
        self._erase()
        shown = dict.fromkeys(_lit_after(self._changes), Look.LIT)
        sentence = "" if self._told is None else self._told.document.sentence
        lines = [row(shown, colour=self._colour), *textwrap.wrap(sentence, self._columns - 1)]
        self._write("\n".join(lines))
        self._drawn = len(lines)

    def _erase(self) -> None:
        if self._drawn:
            up = f"\x1b[{self._drawn - 1}A" if self._drawn > 1 else ""
            self._write(f"\r{up}\x1b[J")
            self._drawn = 0

    def _write(self, text: str) -> None:
        encoding = self._out.encoding or "utf-8"
        self._out.write(text.encode(encoding, "backslashreplace").decode(encoding))
        self._out.flush()


def _shown(document: StatusDocument) -> tuple[str, str]:
    return document.signal, document.sentence


def _lit_after(changes: Iterable[Change]) -> frozenset[str]:
    last: dict[str, str] = {change.name: change.state for change in changes}
    return frozenset(name for name, state in last.items() if state == "lit")


def _in_words(shown: Mapping[str, Look]) -> str:
    """The lines that are not dark: `[READY]` lit, `~READY~` flashing."""
    marks = {Look.LIT: "[{}]", Look.FLASHES: "~{}~"}
    return " ".join(marks[shown[name]].format(name.upper()) for name in LINES if shown[name] is not Look.DARK)
