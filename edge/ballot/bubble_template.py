"""The shape of an empty bubble, drawn from its dimensions.

The oval is a stadium: two half circles joined by straight lines. Its line runs 0.096 inch left and right of the centre and 0.0625
inch above and below it, which is the middle of the printed line on both VotingWorks' and AccuVote's forms (measured on real scans
at 200 and 300 dpi). A pixel belongs to a zone when the distance from its centre to that line is within the zone's width;
distances are compared as squares of integers, so the template is the same everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from edge.definition.paper import BUBBLE_HEIGHT, BUBBLE_WIDTH

_HALF_WIDTH = Fraction(96, 1000)
_RADIUS = Fraction(625, 10_000)
_LINE = Fraction(3, 800)
"""Half the width of the zone in which the printed line is looked for: 0.75 pixel at 200 dpi."""
_LINE_SPREAD = Fraction(7, 800)
"""Half the width in which its ink may spread."""
_RING_INSIDE = Fraction(5, 800)
_RING_OUTSIDE = Fraction(6, 800)
"""Ink this near to the line counts as the line, not as a mark: 1.25 pixels inside and 1.5 outside at 200 dpi."""
_SWELL = Fraction(2, 800)
"""A page whose lines are printed or scanned thicker moves both edges of the ring out by this, once for each step of swelling."""
MOST_SWELL = 5
"""Steps of swelling: 2.5 pixels at 200 dpi."""

_FINE = 1024
"""Distances are compared in 1/1024 pixel."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class BubbleTemplate:
    """Zones of the bubble's box at one resolution and line thickness; boolean arrays of shape (height, width).

    The box is 40 pixels wide and 26 high at 200 dpi. `line`: the printed line itself. `spread`: where its ink may spread.
    `field`: everything but the ring around the line; the fill score counts black here. `interior`: the part of the field inside
    the oval. `rim`: the innermost part of the field, which a line swollen by one more step would cover.
    """

    line: Mask
    spread: Mask
    field: Mask
    interior: Mask
    rim: Mask

    @property
    def width(self) -> int:
        """Pixels across."""
        return int(self.line.shape[1])

    @property
    def height(self) -> int:
        """Pixels down."""
        return int(self.line.shape[0])


@cache
def bubble_template(dpi: int, swell: int = 0) -> BubbleTemplate:
    """The template at a resolution, in pixels per inch, for lines swollen by 0 to `MOST_SWELL` steps."""
    width, height = int(BUBBLE_WIDTH * dpi), int(BUBBLE_HEIGHT * dpi)
    straight = int((_HALF_WIDTH - _RADIUS) * dpi * _FINE)
    radius = int(_RADIUS * dpi * _FINE)
    from_middle = np.empty((height, width), np.int64)
    for y in range(height):
        for x in range(width):
            dx = max(abs(2 * x + 1 - width) * _FINE // 2 - straight, 0)
            dy = abs(2 * y + 1 - height) * _FINE // 2
            from_middle[y, x] = isqrt(dx * dx + dy * dy)
    off = from_middle - radius
    line, spread, inside, outside = (int(w * dpi * _FINE) for w in (_LINE, _LINE_SPREAD, _RING_INSIDE, _RING_OUTSIDE))
    step = int(_SWELL * dpi * _FINE)
    inside, outside = inside + swell * step, outside + swell * step
    interior = off < -inside
    return BubbleTemplate(
        line=np.abs(off) <= line,
        spread=np.abs(off) <= spread,
        field=interior | (off > outside),
        interior=interior,
        rim=interior & (off >= -inside - step),
    )


@dataclass(frozen=True, slots=True)
class Run:
    """A horizontal run [start, stop) of a zone in row `row`."""

    row: int
    start: int
    stop: int


@cache
def outline_runs(dpi: int) -> tuple[Run, ...]:
    """The runs of `line` and of `spread`, so that ink on the line itself counts twice."""
    template = bubble_template(dpi)
    runs = []
    for zone in (template.line, template.spread):
        for row in range(template.height):
            edges = np.flatnonzero(np.diff(np.concatenate(([0], zone[row].astype(np.int8), [0]))))
            runs += [Run(row, int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    return tuple(runs)
