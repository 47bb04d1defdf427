"""Paper sizes and the timing-mark grid, as physical dimensions.

All lengths are exact rationals in inches. Pixels appear only when a resolution is named, so the same numbers serve a 200 dpi and
a 300 dpi page. The sizes, the mark and the margins are those that VxSuite publishes for its ballots; New Hampshire's AccuVote
forms use the same mark on a wider grid, which is why interpretation measures the pitch and takes nothing but the counts from
here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

GRID_COLUMNS = 34
"""Timing marks along the top edge: four to the inch over 8.5 inches."""

TIMING_MARK_WIDTH = Fraction(3, 16)
TIMING_MARK_HEIGHT = Fraction(1, 16)
MARGIN_TOP = Fraction(1, 6)
"""Top and bottom margin of our own layouts: 12 pt."""
MARGIN_SIDE = Fraction(50, 254)
"""Left and right margin of our own layouts: 5 mm."""

BUBBLE_WIDTH = Fraction(1, 5)
BUBBLE_HEIGHT = Fraction(13, 100)
"""The box that a bubble's scores are counted in: 40 x 26 pixels at 200 dpi."""


class PaperSize(StrEnum):
    """Paper by its name in an election definition."""

    LETTER = "letter"
    LEGAL = "legal"
    INCHES_17 = "custom-8.5x17"
    INCHES_18 = "custom-8.5x18"
    INCHES_19 = "custom-8.5x19"
    INCHES_20 = "custom-8.5x20"
    INCHES_21 = "custom-8.5x21"
    INCHES_22 = "custom-8.5x22"

    @property
    def width(self) -> Fraction:
        """Width in inches; every ballot card is 8.5 inches wide."""
        return Fraction(17, 2)

    @property
    def height(self) -> Fraction:
        """Height in inches."""
        return Fraction(_HEIGHTS[self])

    @property
    def rows(self) -> int:
        """Timing marks along the left edge, corners included."""
        return 4 * _HEIGHTS[self] - 3


_HEIGHTS = {
    PaperSize.LETTER: 11,
    PaperSize.LEGAL: 14,
    PaperSize.INCHES_17: 17,
    PaperSize.INCHES_18: 18,
    PaperSize.INCHES_19: 19,
    PaperSize.INCHES_20: 20,
    PaperSize.INCHES_21: 21,
    PaperSize.INCHES_22: 22,
}


@dataclass(frozen=True, slots=True)
class GridPoint:
    """A place on a page, in inches from the page's top-left corner."""

    x: Fraction
    y: Fraction


def nominal_position(paper: PaperSize, column: Fraction, row: Fraction) -> GridPoint:
    """Where our own layouts print the grid place (`column`, `row`), origin at the centre of the top-left timing mark."""
    across = paper.width - 2 * MARGIN_SIDE - TIMING_MARK_WIDTH
    down = paper.height - 2 * MARGIN_TOP - TIMING_MARK_HEIGHT
    return GridPoint(
        MARGIN_SIDE + TIMING_MARK_WIDTH / 2 + column * across / (GRID_COLUMNS - 1),
        MARGIN_TOP + TIMING_MARK_HEIGHT / 2 + row * down / (paper.rows - 1),
    )
