"""What a person would say of lamps: lit, dark, flashing; and a row of them for the terminal."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from edge.station.patterns import LAMPS, PATTERNS
from hil.panel.panel import Change

LINES = (*LAMPS, "buzzer")
_LONGEST_PART_MS = 1_800
"""A lamp that flashes changes at least this often: the longest dark or lit part of any pattern of the panel is shorter."""
_STEADY_MS = 550
"""A lamp that has been lit, or dark, for so long is said to be, unless a pattern has it flash more slowly."""
_TOLERANCE_MS = 60
"""By how much a part can miss its length, with the delays of two processes."""


_FOLLOWING = tuple(
    (part, track.repeat[(place + 1) % len(track.repeat)])
    for tracks in PATTERNS.values()
    for name, track in tracks.items()
    if name in LAMPS
    for place, part in enumerate(track.repeat)
)
"""Every part of a lamp's pattern that repeats, and the one that follows it."""


class Look(StrEnum):
    """How a line of the panel looks for a while."""

    DARK = "dark"
    LIT = "lit"
    FLASHES = "flashes"


@dataclass(slots=True)
class _Line:
    """What is known of a line: what was said of it, its level, since when, how long the last part was, how many were short."""

    said: Look = Look.DARK
    level: Look = Look.DARK
    since: int | None = None
    part: int = 0
    quick: int = 0

    def patience(self) -> int:
        """After how long without a change it is steady; the part before tells which patterns this can be."""
        if self.said is not Look.FLASHES:
            return _STEADY_MS
        parts = (longest for part, longest in _FOLLOWING if abs(part - self.part) <= _TOLERANCE_MS)
        return max(parts, default=_STEADY_MS - 2 * _TOLERANCE_MS) + 2 * _TOLERANCE_MS


class Rhythms:
    """Follows the lamps as they change, and says only what is new: not every flash of a lamp that goes on flashing."""

    def __init__(self) -> None:
        self._lines = {name: _Line() for name in LINES}

    def hear(self, changes: Iterable[Change], now_ms: int) -> list[str]:
        """Take changes and the time, and give what there is to say, such as `ready flashes`.

        Args:
            changes: In order.
            now_ms: On the scale of the changes; not before them. To be called a few times a second also when nothing changes.
        """
        said = []
        for change in changes:
            line, level = self._lines[change.name], Look.LIT if change.state == "lit" else Look.DARK
            if level is line.level:
                continue  # from released to dark, or back
            line.part = _LONGEST_PART_MS if line.since is None else change.at_ms - line.since
            is_quick = line.part < _LONGEST_PART_MS
            line.level, line.since, line.quick = level, change.at_ms, line.quick + 1 if is_quick else 0
            if change.name == "buzzer":
                # How often it sounds in one go, and its silence, say nothing.
                said += ["buzzer sounds"] if level is Look.LIT and not is_quick else []
            elif line.quick > 1 and line.said is not Look.FLASHES:
                line.said = Look.FLASHES
                said.append(f"{change.name} flashes")
        for name in LAMPS:
            line = self._lines[name]
            if line.said is not line.level and line.since is not None and now_ms - line.since >= line.patience():
                line.said = line.level
                said.append(f"{name} {line.level}")
        return said


def looks(before: Collection[str], changes: Iterable[Change]) -> dict[str, Look]:
    """How each line looked over a time, for whoever reads about it later.

    Args:
        before: Lines that were lit when that time began.
        changes: What happened in it, in order.
    """
    levels = {name: [name in before] for name in LINES}
    for change in changes:
        levels[change.name].append(change.state == "lit")
    return {name: _look(seen) for name, seen in levels.items()}


def _look(levels: list[bool]) -> Look:
    """What the levels of one line are together; one that was lit once was lit."""
    if len(levels) > 2:
        return Look.FLASHES
    return Look.LIT if any(levels) else Look.DARK


def row(shown: Mapping[str, Look], *, colour: bool = False) -> str:
    """The panel on one line: `[READY]` is lit, `~READY~` flashes, `ready` is dark. Always of the same width.

    Args:
        shown: How each line looks.
        colour: Whether the terminal takes colour; brackets and capitals say the same without it.
    """
    return " ".join(_cell(name, shown.get(name, Look.DARK), colour=colour) for name in LINES)


_COLOURS = {"accept": 32, "reject": 31, "review": 33, "ready": 34, "fault": 35, "buzzer": 36}
_BRACKETS = {Look.DARK: (" ", " "), Look.LIT: ("[", "]"), Look.FLASHES: ("~", "~")}


def _cell(name: str, look: Look, *, colour: bool) -> str:
    left, right = _BRACKETS[look]
    text = f"{left}{name if look is Look.DARK else name.upper()}{right}"
    if not colour:
        return text
    return f"\x1b[2m{text}\x1b[0m" if look is Look.DARK else f"\x1b[1;7;{_COLOURS[name]}m{text}\x1b[0m"
