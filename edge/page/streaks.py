"""Vertical streaks: dirt on the scanner's glass that draws a line down the whole page."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from edge.fixed.ink import Bits, column_ink, longest_white_run
from edge.page.page import Page

_IGNORED_EDGE = Fraction(1, 10)
"""Inches at the left and right edge that are not searched: 20 pixels at 200 dpi."""
_LONGEST_GAP = Fraction(15, 200)
"""Inches of white that a streak may hold."""
_COLUMN_PARTS = 4
"""A column of a streak is black for at least 1/4 ..."""
_PAIR_THREE_QUARTERS = (3, 4)
"""... and, together with its right neighbour, for at least 3/4."""


@dataclass(frozen=True, slots=True)
class Streak:
    """A streak over the pixel columns `first` to `last`, both included."""

    first: int
    last: int

    @property
    def width(self) -> int:
        """Columns covered."""
        return self.last - self.first + 1


def find_streaks(page: Page) -> tuple[Streak, ...]:
    """Streaks from left to right. The column and gap figures are VxSuite's, in physical units."""
    bits, height = page.bits, page.height
    border = page.pixels(_IGNORED_EDGE)
    ink = column_ink(bits)
    dark = ink * _COLUMN_PARTS >= height
    found: list[Streak] = []
    for x in (int(x) for x in np.flatnonzero(dark[border - 1 : page.width - border - 1]) + border - 1):
        # The pair cannot be black for 3/4 of the height when its two columns together hold less ink than that.
        if (int(ink[x]) + int(ink[x + 1])) * _PAIR_THREE_QUARTERS[1] < height * _PAIR_THREE_QUARTERS[0]:
            continue
        pair: Bits = bits[:, x] | bits[:, x + 1]
        if int(pair.sum()) * _PAIR_THREE_QUARTERS[1] < height * _PAIR_THREE_QUARTERS[0]:
            continue
        if longest_white_run(pair) > page.pixels(_LONGEST_GAP):
            continue
        last = x + 1 if dark[x + 1] else x
        if found and x <= found[-1].last + 1:
            found[-1] = Streak(found[-1].first, max(last, found[-1].last))
        else:
            found.append(Streak(x, last))
    return tuple(found)
