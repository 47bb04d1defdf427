"""Creases: a dark straight line that runs on across the page is no voter's mark, however much of a bubble it covers.

The line is followed from the bubble outwards, step by step, the way an eye would: where does the ink leave the bubble, and does
it go on in the same direction, no wider, for longer than any pen stroke?
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from edge.fixed.ink import Bits

_LEAST_LENGTH = Fraction(13, 2)
"""Inches of straight line. A crease crosses the page; a real voter who struck through a column of bubbles drew 5.8."""
_LEAST_ACROSS = Fraction(1)
"""Inches of a line that runs off the page at both ends, as no stroke of a pen does."""
_MOST_WIDTH = Fraction(18, 200)
"""Inches across; a crease is a line, not an area."""
_FRAME = Fraction(12, 200)
"""Inches outside the bubble's box at which the ink that leaves it is looked for."""
_STEP = Fraction(20, 200)
_WANDER = Fraction(7, 200)
"""Inches from one look to the next along a line, and how far it may be off its course there."""
_SETTLING = Fraction(80, 200)
"""Inches in which a line shows its true course; before that it may bend by one part in six, afterwards by one in twenty. A stroke
that runs into a printed rule bends more."""
_BEND_BEFORE, _BEND_AFTER = 6, 20
_MOST_MISSES = 4
"""Looks in a row that may find nothing: toner flakes off a crease."""


def is_creased(bits: Bits, x: int, y: int, width: int, height: int, dpi: int) -> bool:
    """Whether a page-long line runs through the box [x, x + width) x [y, y + height)."""
    frame = int(_FRAME * dpi)
    exits = list(_exits(bits, x - frame, y - frame, width + 2 * frame, height + 2 * frame, int(_MOST_WIDTH * dpi)))
    for i, (ax, ay) in enumerate(exits):
        for bx, by in exits[i + 1 :]:
            # The line must pass through the box itself, not along one side of it.
            middle_x, middle_y = (ax + bx) // 2, (ay + by) // 2
            if not (x <= middle_x < x + width and y <= middle_y < y + height):
                continue
            one, other = _follow(bits, ax, ay, ax - bx, ay - by, dpi), _follow(bits, bx, by, bx - ax, by - ay, dpi)
            length = one.length + other.length
            across = one.to_edge and other.to_edge and length >= int(_LEAST_ACROSS * dpi)
            # Lines of type go on as well; but only a line has white on both sides most of the way.
            if (across or length >= int(_LEAST_LENGTH * dpi)) and 2 * (one.clean + other.clean) >= one.seen + other.seen:
                return True
    return False


def _exits(bits: Bits, x: int, y: int, width: int, height: int, widest: int) -> Iterator[tuple[int, int]]:
    """Middles of the short runs of ink around the edge of a box, or of the part of it that is on the page."""
    left, top = max(x, 0), max(y, 0)
    width, height = min(x + width, bits.shape[1]) - left, min(y + height, bits.shape[0]) - top
    if width <= 0 or height <= 0:
        return
    x, y = left, top
    for line, place in (
        (bits[y, x : x + width], lambda at: (x + at, y)),
        (bits[y + height - 1, x : x + width], lambda at: (x + at, y + height - 1)),
        (bits[y : y + height, x], lambda at: (x, y + at)),
        (bits[y : y + height, x + width - 1], lambda at: (x + width - 1, y + at)),
    ):
        edges = np.flatnonzero(np.diff(np.concatenate(([0], line, [0])).astype(np.int8)))
        for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            if stop - start <= widest:
                yield place((start + stop - 1) // 2)


class _Trail(NamedTuple):
    """Where a line led: how far in pixels of its longer axis, at how many looks it stood alone, at how many there was ink."""

    length: int
    clean: int
    seen: int
    to_edge: bool


def _follow(bits: Bits, x: int, y: int, dx: int, dy: int, dpi: int) -> _Trail:
    """Follow a line from (x, y), the far end of (dx, dy), until it ends or leaves the page."""
    if abs(dx) < abs(dy):
        return _follow(bits.T, y, x, dy, dx, dpi)
    if dx < 0:
        return _follow(bits[:, ::-1], bits.shape[1] - 1 - x, y, -dx, dy, dpi)
    height, width = bits.shape
    step, wander, widest = int(_STEP * dpi), int(_WANDER * dpi), int(_MOST_WIDTH * dpi)
    reached, clean, seen, misses = 0, 0, 0, 0
    # The course is the line from the near end of (dx, dy), across the bubble, to the last place where the ink was on it.
    start, run, rise = y - dy, dx, dy
    course, thinnest = (dx, dy), widest
    for at in range(step, width - x, step):
        ahead = start + rise * (dx + at) // run
        if not widest <= ahead < height - widest:
            return _Trail(reached, clean, seen, to_edge=True)
        near = _nearest_run(bits[ahead - widest : ahead + widest + 1, x + at], widest, wander)
        if near is None:
            misses += 1
            if misses > _MOST_MISSES:
                return _Trail(reached, clean, seen, to_edge=False)
            continue
        reached, seen, misses = at, seen + 1, 0
        first, last = near
        if last - first < widest // 2 + 1 and -widest < first and last < widest:
            clean += 1
            further, up = dx + at, ahead + (first + last) // 2 - start
            settled = at > _SETTLING * dpi
            bent = abs(up * course[0] - course[1] * further) * (_BEND_AFTER if settled else _BEND_BEFORE) > course[0] * further
            if bent and not settled:
                return _Trail(reached, clean, seen, to_edge=False)
            # Type that touches the line pulls it by a few pixels: the course follows its thinnest places only, and slowly.
            thinnest = min(thinnest, last - first)
            if not bent and last - first <= thinnest + 2:
                run, rise = 4 * further, 3 * (rise * further // run) + up
                course = course if settled else (run, rise)
    return _Trail(reached, clean, seen, to_edge=True)


def _nearest_run(column: Bits, middle: int, wander: int) -> tuple[int, int] | None:
    """The run of ink nearest to the middle of a column, as first and last pixel from there; None beyond `wander`."""
    ink = np.flatnonzero(column)
    if not len(ink):
        return None
    breaks = np.flatnonzero(np.diff(ink) > 1)
    firsts = ink[np.concatenate(([0], breaks + 1))] - middle
    lasts = ink[np.concatenate((breaks, [len(ink) - 1]))] - middle
    away = np.maximum(np.maximum(firsts, -lasts), 0)
    best = int(np.argmin(away))
    return (int(firsts[best]), int(lasts[best])) if away[best] <= wander else None
