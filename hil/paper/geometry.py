"""Where the timing-mark grid lies on our printed pages, exactly, in inches and in pixels."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from edge.definition.paper import GRID_COLUMNS, TIMING_MARK_HEIGHT, TIMING_MARK_WIDTH, GridPoint, PaperSize, nominal_position

_NH_PITCH = Fraction(1, 4)
_NH_MARGIN_TOP = Fraction(1, 2)
"""Page edge to the centre of the first row on the AccuVote forms; their grid is centred across the page."""


@dataclass(frozen=True, slots=True)
class PageGeometry:
    """The grid of one printed page.

    Attributes:
        paper: Size of the paper.
        bottom_row_is_code: True for New Hampshire's forms: the bottom timing marks are bits, the grid a quarter inch square.
    """

    paper: PaperSize
    bottom_row_is_code: bool

    def place(self, column: Fraction, row: Fraction) -> GridPoint:
        """The place of grid coordinate (`column`, `row`) in inches from the paper's top-left corner."""
        if not self.bottom_row_is_code:
            return nominal_position(self.paper, column, row)
        left = (self.paper.width - (GRID_COLUMNS - 1) * _NH_PITCH) / 2
        return GridPoint(left + column * _NH_PITCH, _NH_MARGIN_TOP + row * _NH_PITCH)

    def pixel(self, column: Fraction, row: Fraction, dpi: int) -> tuple[float, float]:
        """The same place in pixels at `dpi`, pixel i covering i to i + 1."""
        point = self.place(column, row)
        return float(point.x * dpi), float(point.y * dpi)

    @property
    def column_pitch(self) -> Fraction:
        """Inches from one timing mark of the top row to the next."""
        return self.place(Fraction(1), Fraction(0)).x - self.place(Fraction(0), Fraction(0)).x

    @property
    def row_pitch(self) -> Fraction:
        """Inches from one timing mark of the left edge to the next."""
        return self.place(Fraction(0), Fraction(1)).y - self.place(Fraction(0), Fraction(0)).y

    def size_in_pixels(self, dpi: int) -> tuple[int, int]:
        """Width and height of the whole paper at `dpi`."""
        return round(self.paper.width * dpi), round(self.paper.height * dpi)

    def mark_places(self) -> list[tuple[int, int]]:
        """The (column, row) of every mark that is always printed: top, left and right edge, bottom where it is no code."""
        last = self.paper.rows - 1
        places = [(column, 0) for column in range(GRID_COLUMNS)]
        places += [(column, row) for row in range(1, last + 1) for column in (0, GRID_COLUMNS - 1)]
        if not self.bottom_row_is_code:
            places += [(column, last) for column in range(1, GRID_COLUMNS - 1)]
        return places

    def mark_box(self, column: int, row: int) -> tuple[Fraction, Fraction, Fraction, Fraction]:
        """Left, top, right and bottom in inches of the timing mark at (`column`, `row`)."""
        centre = self.place(Fraction(column), Fraction(row))
        return (
            centre.x - TIMING_MARK_WIDTH / 2,
            centre.y - TIMING_MARK_HEIGHT / 2,
            centre.x + TIMING_MARK_WIDTH / 2,
            centre.y + TIMING_MARK_HEIGHT / 2,
        )
