"""Candidate timing marks: black boxes of the right size near the edges of a page."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np

from edge.definition.paper import TIMING_MARK_HEIGHT, TIMING_MARK_WIDTH
from edge.fixed.ink import Bits, InkTable
from edge.fixed.number import Int64Array
from edge.page.page import Page

NEAR = Fraction(6, 10)
FAR = Fraction(1)
"""Inches from the side edges within which marks are looked for: where they usually are, and where a badly placed sheet may put
them."""
_END_BAND = Fraction(5, 4)
"""Inches from the top and bottom edges likewise: New Hampshire leaves 0.7 inch above the marks."""
_DRIFT_PER_CENT = 3
"""A turned page needs bands wider by so much of its other side."""

_WIDTH_RANGE = (Fraction(3, 4), Fraction(3, 2))
_HEIGHT_RANGE = (Fraction(3, 4), Fraction(3, 2))
"""A candidate's box against the nominal mark."""
_CLIPPED_WIDTH = Fraction(1, 4)
"""A side mark may be this narrow: scanners cut marks at the edge of the paper, and some pad the cut with white."""
_SHORTEST_RUN = Fraction(7, 200)
"""Shorter horizontal runs of ink are not looked at: streaks, edge shadows, pen strokes and type that touch a mark fall away."""
_SOLID_PER_CENT = 70
"""Ink in a candidate's bounding box: rotation by 5 degrees leaves 80 %."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Boxes of candidate marks in pixels, [x0, x1) x [y0, y1), each an int64 array of shape (n,)."""

    x0: Int64Array
    y0: Int64Array
    x1: Int64Array
    y1: Int64Array

    def __len__(self) -> int:
        """How many."""
        return len(self.x0)

    def pick(self, keep: Int64Array) -> Candidates:
        """The candidates at the given indices (or where a mask of booleans is true)."""
        return Candidates(self.x0[keep], self.y0[keep], self.x1[keep], self.y1[keep])


@dataclass(frozen=True, slots=True)
class MarkSize:
    """Nominal mark on a page, in whole pixels (37 x 12 at 200 dpi)."""

    width: int
    height: int

    @classmethod
    def on(cls, page: Page) -> MarkSize:
        """The mark's size at the page's resolution, rounded down."""
        return cls(int(TIMING_MARK_WIDTH * page.dpi), int(TIMING_MARK_HEIGHT * page.dpi))


class _Limits(NamedTuple):
    """Sizes of a candidate's box in pixels."""

    narrowest: int
    widest: int
    lowest: int
    highest: int


@cache
def _limits(dpi: int, narrowest: Fraction) -> _Limits:
    width, height = TIMING_MARK_WIDTH * dpi, TIMING_MARK_HEIGHT * dpi
    return _Limits(
        int(narrowest * width), int(_WIDTH_RANGE[1] * width), int(_HEIGHT_RANGE[0] * height), int(_HEIGHT_RANGE[1] * height) + 1
    )


def _boxes_in(bits: Bits, left: int, top: int, page: Page, narrowest: Fraction) -> Candidates:
    """Candidates among the connected shapes of one band whose top-left corner is at (`left`, `top`) of the page."""
    # An even kernel would move everything by a pixel.
    kernel = np.ones((1, page.pixels(_SHORTEST_RUN) | 1), np.uint8)
    runs = cv2.morphologyEx(bits, cv2.MORPH_OPEN, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=(0,))
    stats = cv2.connectedComponentsWithStats(runs, connectivity=8, ltype=cv2.CV_32S)[2][1:].astype(np.int64)
    x0, y0, width, height, ink = stats.T
    x0, y0 = x0 + left, y0 + top
    limits = _limits(page.dpi, narrowest)
    keep = (
        (width >= limits.narrowest)
        & (width <= limits.widest)
        & (height >= limits.lowest)
        & (height <= limits.highest)
        & (ink * 100 >= _SOLID_PER_CENT * width * height)
    )
    return Candidates(x0[keep], y0[keep], (x0 + width)[keep], (y0 + height)[keep])


@dataclass(frozen=True, slots=True, eq=False)
class EdgeBands:
    """Candidates near each edge; a mark near a corner is in two of them."""

    left: Candidates
    right: Candidates
    top: Candidates
    bottom: Candidates


def side_candidates(page: Page, inches: Fraction) -> tuple[Candidates, Candidates]:
    """Candidate marks along the left and the right edge, in bands of the given width."""
    band = page.pixels(inches) + page.height * _DRIFT_PER_CENT // 100
    start = page.width - band
    return (
        _boxes_in(page.bits[:, :band], 0, 0, page, _CLIPPED_WIDTH),
        _boxes_in(page.bits[:, start:], start, 0, page, _CLIPPED_WIDTH),
    )


def row_candidates(page: Page, top: int, bottom: int) -> Candidates:
    """Candidate marks in the pixel rows from `top` to before `bottom`, as far as they are on the page."""
    top, bottom = max(top, 0), min(bottom, page.height)
    return _boxes_in(page.bits[top:bottom], 0, top, page, _WIDTH_RANGE[0])


def find_candidates(page: Page) -> EdgeBands:
    """Candidate marks along all four edges of a page, as far from them as any are looked for."""
    end = page.pixels(_END_BAND) + page.width * _DRIFT_PER_CENT // 100
    left, right = side_candidates(page, FAR)
    return EdgeBands(left, right, row_candidates(page, 0, end), row_candidates(page, page.height - end, page.height))


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """How well an ideal mark fits at each of n places.

    `ink` of `area`: black inside the ideal box. `white` of `ring`: white in the ring of one mark height around it. Only what lies
    on the image counts. `dx`, `dy`: where in the search window the best fit was, in pixels. All int64 of shape (n,).
    """

    ink: Int64Array
    area: Int64Array
    white: Int64Array
    ring: Int64Array
    dx: Int64Array
    dy: Int64Array

    def at_least(self, mark: int, padding: int) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Where box and ring reach the given per cent."""
        return (self.area > 0) & (self.ink * 100 >= mark * self.area) & (self.white * 100 >= padding * self.ring)


@cache
def _offsets(reach_x: int, reach_y: int) -> tuple[Int64Array, Int64Array]:
    """Every offset within reach, the nearest first."""
    dy, dx = (a.ravel() for a in np.mgrid[-reach_y : reach_y + 1, -reach_x : reach_x + 1].astype(np.int64))
    order = np.argsort(dx * dx + dy * dy, kind="stable")
    return dx[order], dy[order]


def fit_marks(table: InkTable, size: MarkSize, x: Int64Array, y: Int64Array, reach_x: int, reach_y: int) -> Fit:
    """Best place for an ideal mark within `reach_x`, `reach_y` pixels of each centre (x, y).

    The best place has the most ink in the box plus white in the ring; of equals, the one nearest to the centre.
    """
    dx, dy = _offsets(reach_x, reach_y)
    x0 = x[:, None] - size.width // 2 + dx
    y0 = y[:, None] - size.height // 2 + dy
    ink, area = table.count(x0, y0, x0 + size.width, y0 + size.height)
    pad = size.height
    around, whole = table.count(x0 - pad, y0 - pad, x0 + size.width + pad, y0 + size.height + pad)
    ring = whole - area
    white = ring - (around - ink)
    best = np.argmax(ink * 4 + white, axis=1)
    rows = np.arange(len(x))
    return Fit(ink[rows, best], area[rows, best], white[rows, best], ring[rows, best], dx[best], dy[best])
