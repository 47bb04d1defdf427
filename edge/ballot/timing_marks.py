"""Candidate timing marks: black boxes of the right size near the edges of a page."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np

from edge.definition.paper import TIMING_MARK_HEIGHT, TIMING_MARK_WIDTH
from edge.fixed.ink import Bits, InkTable
from edge.fixed.number import Int64Array
from edge.page.page import Page

NEAR = (Fraction(6, 10), Fraction(9, 10))
FAR = (Fraction(1), Fraction(5, 4))
"""Inches from the side and from the top and bottom edges within which marks are looked for: where they usually are, and where
wide margins (New Hampshire leaves 0.7 inch above) and a badly placed sheet may put them."""
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


def _boxes_in(bits: Bits, left: int, top: int, page: Page, narrowest: Fraction) -> Candidates:
    """Candidates among the connected shapes of one band whose top-left corner is at (`left`, `top`) of the page."""
    # An even kernel would move everything by a pixel.
    kernel = np.ones((1, page.pixels(_SHORTEST_RUN) | 1), np.uint8)
    runs = cv2.morphologyEx(bits, cv2.MORPH_OPEN, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=(0,))
    stats = cv2.connectedComponentsWithStats(runs, connectivity=8, ltype=cv2.CV_32S)[2][1:].astype(np.int64)
    x0, y0, width, height, ink = stats.T
    x0, y0 = x0 + left, y0 + top
    nominal_width, nominal_height = TIMING_MARK_WIDTH * page.dpi, TIMING_MARK_HEIGHT * page.dpi
    keep = (
        (width >= int(narrowest * nominal_width))
        & (width <= int(_WIDTH_RANGE[1] * nominal_width))
        & (height >= int(_HEIGHT_RANGE[0] * nominal_height))
        & (height <= int(_HEIGHT_RANGE[1] * nominal_height) + 1)
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


def find_candidates(page: Page, bands: tuple[Fraction, Fraction] = FAR) -> EdgeBands:
    """Candidate marks along the four edges of a page, in side and end bands of the given width in inches."""
    bits = page.bits
    side = page.pixels(bands[0]) + page.height * _DRIFT_PER_CENT // 100
    end = page.pixels(bands[1]) + page.width * _DRIFT_PER_CENT // 100
    width, height = page.width, page.height
    return EdgeBands(
        left=_boxes_in(bits[:, :side], 0, 0, page, _CLIPPED_WIDTH),
        right=_boxes_in(bits[:, width - side :], width - side, 0, page, _CLIPPED_WIDTH),
        top=_boxes_in(bits[:end], 0, 0, page, _WIDTH_RANGE[0]),
        bottom=_boxes_in(bits[height - end :], 0, height - end, page, _WIDTH_RANGE[0]),
    )


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


def fit_marks(table: InkTable, size: MarkSize, x: Int64Array, y: Int64Array, reach_x: int, reach_y: int) -> Fit:
    """Best place for an ideal mark within `reach_x`, `reach_y` pixels of each centre (x, y).

    The best place has the most ink in the box plus white in the ring; of equals, the one nearest to the centre.
    """
    dy, dx = (a.ravel() for a in np.mgrid[-reach_y : reach_y + 1, -reach_x : reach_x + 1].astype(np.int64))
    order = np.argsort(dx * dx + dy * dy, kind="stable")
    dx, dy = dx[order], dy[order]
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
