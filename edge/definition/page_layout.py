"""The bubbles of one page as arrays of grid coordinates, ready to be mapped to pixels all at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from edge.definition.election_file import Side

GRID_UNIT_BITS = 20
GRID_UNIT = 1 << GRID_UNIT_BITS
"""Grid coordinates in arrays are whole numbers of 1/2**20 of a column or row, rounded half up: 0.00005 pixel at 200 dpi."""


@dataclass(frozen=True, slots=True)
class GridArea:
    """An upright box in absolute grid coordinates, (column, row) being its top-left corner."""

    column: Fraction
    row: Fraction
    width: Fraction
    height: Fraction


@dataclass(frozen=True, slots=True)
class BubblePosition:
    """One bubble of one ballot style: its centre, what it votes for, and the option's box.

    `option_id` is `write-in-<index>` for write-ins. One option may stand at several positions (cross-endorsed candidates).
    """

    sheet_number: int
    side: Side
    column: Fraction
    row: Fraction
    contest_id: str
    option_id: str
    write_in_index: int | None
    write_in_area: GridArea | None
    bounds: GridArea


@dataclass(frozen=True, slots=True, eq=False)
class GridPoints:
    """n grid coordinates in units of 1/`GRID_UNIT`; int64 arrays of shape (n,)."""

    column: NDArray[np.int64]
    row: NDArray[np.int64]

    @classmethod
    def of(cls, points: Iterable[tuple[Fraction, Fraction]]) -> GridPoints:
        """Round exact (column, row) pairs to the unit."""
        pairs = [(_units(column), _units(row)) for column, row in points]
        array = np.array(pairs, np.int64).reshape(-1, 2)
        return cls(array[:, 0], array[:, 1])

    def clipped(self, last_column: int, last_row: int) -> GridPoints:
        """The nearest points within columns 0 to `last_column` and rows 0 to `last_row`."""
        return GridPoints(np.clip(self.column, 0, last_column * GRID_UNIT), np.clip(self.row, 0, last_row * GRID_UNIT))


def _units(value: Fraction) -> int:
    return (2 * value.numerator * GRID_UNIT + value.denominator) // (2 * value.denominator)


@dataclass(frozen=True, slots=True, eq=False)
class PageLayout:
    """What is printed on one side of one sheet of a ballot style.

    Attributes:
        positions: the bubbles in the definition's order.
        centres: of the bubbles, one point each.
        write_ins: places in `positions` that have a write-in area.
        write_in_corners: four points for each of those, clockwise from the top left.
        option_corners: four points for each bubble's option box, alike.
    """

    positions: tuple[BubblePosition, ...]
    centres: GridPoints
    write_ins: tuple[int, ...]
    write_in_corners: GridPoints
    option_corners: GridPoints

    @classmethod
    def of(cls, positions: tuple[BubblePosition, ...]) -> PageLayout:
        """Arrays for a page's bubbles."""
        areas = [(at, p.write_in_area) for at, p in enumerate(positions) if p.write_in_area is not None]
        return cls(
            positions,
            GridPoints.of((p.column, p.row) for p in positions),
            tuple(at for at, _ in areas),
            GridPoints.of(corner for _, area in areas for corner in _corners(area)),
            GridPoints.of(corner for p in positions for corner in _corners(p.bounds)),
        )


def _corners(area: GridArea) -> tuple[tuple[Fraction, Fraction], ...]:
    left, top, right, bottom = area.column, area.row, area.column + area.width, area.row + area.height
    return (left, top), (right, top), (right, bottom), (left, bottom)
