"""What the rollers can be doing, each with its own timetable."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

from hil.scanner.paper import Place

_DRAWN = 0.4
_DOUBLE = 0.5
_SWALLOWED = 0.8
"""Parts of a scan: then the sheet reaches the middle of the path, a double feed is told, the sheet has left the front."""


class Beat(Enum):
    """What happens during a scan; at the same instant, in this order."""

    BEGIN = 0
    PIXELS = 1
    DRAWN = 2
    DOUBLE = 3
    SWALLOWED = 4
    END = 5


@dataclass(slots=True)
class Scan:
    """One scan, from the moment when the rollers take hold.

    Attributes:
        names: The sheets that are drawn in, the uppermost first; those pulled out by hand are taken off.
        pixels: All that would be sent.
        begins: When the begin-scan event is due, in seconds.
        seconds: From there to the end-scan event.
        chunk: Largest piece of pixels, in bytes.
        pixels_first: The begin-scan event comes after the first piece.
        begun: The begin-scan event was sent.
        sent: Bytes that were sent.
        muted: No more pixels come.
        drawn: The sheets have left the mouth for the middle of the path.
        swallowed: The sheets no longer stick out at the front.
        double: A double feed is still to be told.
        too_long: The document is too long and stops before it has left the front.
        jams: The scan ends in a jam.
    """

    names: list[str]
    pixels: memoryview
    begins: float
    seconds: float
    chunk: int
    pixels_first: bool = False
    begun: bool = False
    sent: int = 0
    muted: bool = False
    drawn: bool = False
    swallowed: bool = False
    double: bool = False
    too_long: bool = False
    jams: bool = False

    def next(self, splits: frozenset[int]) -> tuple[float, Beat, int]:
        """What comes next: when (seconds), what, and for pixels up to which byte.

        Args:
            splits: Bytes of the image at which a piece must end.
        """
        total = len(self.pixels)
        until = total if self.muted else min(self.sent + self.chunk, total)
        until = min((split for split in splits if self.sent < split < until), default=until)
        pixels_left = not self.muted and self.sent < total
        if not self.begun:
            if self.pixels_first and pixels_left and not self.sent:
                return self.begins, Beat.PIXELS, until
            return self.begins, Beat.BEGIN, until
        ahead = [(1.0, Beat.END)]
        if pixels_left:
            ahead.append((until / total, Beat.PIXELS))
        if not self.drawn:
            ahead.append((_DRAWN, Beat.DRAWN))
        if self.double:
            ahead.append((_DOUBLE, Beat.DOUBLE))
        if not self.swallowed and not self.too_long:
            ahead.append((_SWALLOWED, Beat.SWALLOWED))
        part, beat = min(ahead, key=lambda entry: (entry[0], entry[1].value))
        return self.begins + self.seconds * part, beat, until


@dataclass(slots=True)
class Eject:
    """A motion of what is in the path to the box, to the front, or out at the front (hand).

    Attributes:
        to: Where it goes.
        stride: Seconds from one place to the next.
        due: When the next stride is done, in seconds; None while the motion waits for the front to be clear.
        blocked: The sheet does not follow, and `due` is when the rollers give up.
        reported: Giving up brings the jam bit up.
        rest: Seconds left of the stride while the motion waits.
    """

    to: Place
    stride: float
    due: float | None
    blocked: bool = False
    reported: bool = False
    rest: float = 0.0

    @property
    def pausable(self) -> bool:
        """The motion goes into the box."""
        return self.to is Place.BOX


@dataclass(slots=True)
class Calibration:
    """One calibration step.

    Attributes:
        kind: Of the image sensors, or of the double-feed sensor with one or with two sheets.
        due: When it is over, in seconds, or when waiting for the sheet is.
        running: The sheet is there.
    """

    kind: Literal["image", "single", "double"]
    due: float
    running: bool = False


Motion = Scan | Eject | Calibration
