"""How each signal looks and sounds: which line is lit when, as a pure function of the time since the signal began.

The person who reads the panel may be colour-blind and on the other side of the room, so nothing depends on colour: two signals
differ in the place of the lamp, in its rhythm, or in both, and the ones that must never be confused differ in sound as well. No
lamp flashes more than twice in a second (WCAG 2.2, success criterion 2.3.1, draws the line for photosensitive people at three).
Signals in which a station may stand all night are steady, so that an idle station has nothing to wake up for. Off is every line
released.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from edge.station.signals import Signal


@dataclass(frozen=True, slots=True)
class Levels:
    """Which lines are lit or sounding; none of them when all lines are released."""

    accept: bool = False
    reject: bool = False
    review: bool = False
    ready: bool = False
    fault: bool = False
    buzzer: bool = False


@dataclass(frozen=True, slots=True)
class Track:
    """What one line does from the moment a signal begins. Times are in milliseconds and above 0.

    Attributes:
        delay: dark at the beginning.
        once: lit, dark, lit, ... for so long each, played one time.
        repeat: lit, dark, lit, ... for so long each, an even number, played for ever after `once`; empty = `steady` from then on.
        steady: the level in which the line ends where nothing repeats.
    """

    delay: int = 0
    once: tuple[int, ...] = ()
    repeat: tuple[int, ...] = ()
    steady: bool = False

    def at(self, elapsed_ms: int) -> tuple[bool, int | None]:
        """The level at this time, and the time at which this part of the track ends (None = never).

        The level after that end may be the same: a dark part can meet another.
        """
        if elapsed_ms < self.delay:
            return False, self.delay
        end = self.delay
        for place, length in enumerate(self.once):
            end += length
            if elapsed_ms < end:
                return place % 2 == 0, end
        if not self.repeat:
            return self.steady, None
        period = sum(self.repeat)
        end += (elapsed_ms - end) // period * period
        place = 0
        while elapsed_ms >= end + self.repeat[place]:
            end += self.repeat[place]
            place += 1
        return place % 2 == 0, end + self.repeat[place]


_STEADY = Track(steady=True)
_SLOW = Track(repeat=(1000, 1000))
_EVEN = Track(repeat=(500, 500))
_FAST = Track(repeat=(250, 250))
_MOSTLY_LIT = Track(repeat=(1500, 500))
_ONE_FLASH = Track(repeat=(300, 1700))
_TWO_FLASHES = Track(repeat=(300, 300, 300, 1100))

PATTERNS: Mapping[Signal, Mapping[str, Track]] = {
    Signal.STARTING: {"ready": _SLOW},
    Signal.DISCONNECTED: {"fault": _ONE_FLASH, "buzzer": Track(once=(600,))},
    Signal.COVER_OPEN: {"fault": _TWO_FLASHES},
    Signal.CLOSED: {"reject": _STEADY},
    Signal.READY: {"ready": _STEADY},
    Signal.READY_ALARM: {"ready": _STEADY, "fault": _STEADY},
    Signal.CLOSED_ALARM: {"reject": _STEADY, "fault": _STEADY},
    Signal.READING: {"ready": _FAST},
    Signal.REVIEW: {"review": _EVEN, "buzzer": Track(repeat=(150, 150, 150, 150, 150, 19_250))},
    Signal.WHEREABOUTS: {
        "review": _SLOW,
        "reject": Track(delay=1000, repeat=(1000, 1000)),
        "buzzer": Track(repeat=(600, 200, 150, 19_050)),
    },
    Signal.ACCEPTING: {"ready": _TWO_FLASHES},
    Signal.ACCEPTED: {"accept": _STEADY, "buzzer": Track(once=(200,))},
    Signal.RETURNING: {"reject": _FAST},
    Signal.RETURNED: {"reject": _TWO_FLASHES, "buzzer": Track(repeat=(250, 250, 250, 14_250))},
    Signal.JAMMED: {"fault": _FAST, "buzzer": Track(repeat=(800, 400, 800, 28_000))},
    Signal.FAULT: {"fault": _MOSTLY_LIT, "buzzer": Track(repeat=(2000, 58_000))},
    Signal.OFF: {},
}
"""Every signal's tracks by line; a line without one stays dark. A table for the technician is made from this one."""

LAMPS = tuple(field.name for field in fields(Levels) if field.name != "buzzer")


def levels(signal: Signal, elapsed_ms: int) -> Levels:
    """What is lit, `elapsed_ms` (0 or more) after `signal` began."""
    return Levels(**{line: track.at(elapsed_ms)[0] for line, track in PATTERNS[signal].items()})


def next_change(signal: Signal, elapsed_ms: int) -> int | None:
    """The first time after `elapsed_ms`, on the same scale, at which `levels` differs; None = steady for ever."""
    changes = [change for track in PATTERNS[signal].values() if (change := _track_change(track, elapsed_ms)) is not None]
    return min(changes, default=None)


def _track_change(track: Track, elapsed_ms: int) -> int | None:
    level, end = track.at(elapsed_ms)
    while end is not None:
        following, next_end = track.at(end)
        if following != level:
            return end
        end = next_end
    return None
