"""Setting a ballot: contest boxes in columns, each bubble left of its name, in grid coordinates.

The election's author and the printer both measure text here, so the printed lines fill exactly the rows that the layout gave.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

from edge.definition.paper import GRID_COLUMNS
from hil.paper.lettering import break_lines

if TYPE_CHECKING:
    from hil.paper.geometry import PageGeometry

TITLE_SIZE = 0.15
VOTE_FOR_SIZE = 0.115
NAME_SIZE = 0.14
LEADING = 1.2
"""Distance of lines of type as a share of their size."""

BUBBLE_INSET = Fraction(1)
"""Columns from the box's left edge to the centres of its bubbles."""
NAME_INSET = Fraction(7, 4)
RIGHT_INSET = Fraction(1, 4)
BUBBLE_DROP = Fraction(3, 5)
"""Rows from the top of an option to the centre of its bubble."""
WRITE_IN_ROWS = Fraction(37, 20)
WRITE_IN_LINE = Fraction(13, 10)
"""Rows from the top of a write-in to its line; the area to write in ends a little above."""
BOX_PADDING = 0.05

_EDGE = Fraction(4, 5)
_GUTTER = Fraction(2, 5)
CONTEST_GAP = Fraction(3, 10)
FRONT_HEAD = 1.72
"""Inches from the centres of the top timing marks to the first contest on a front, and on a back."""
BACK_HEAD = 0.62
_FOOT_WITH_QR = 1.1
_FOOT = 0.95


class SheetFullError(ValueError):
    """The contests need more sheets than the ballot has."""


@dataclass(frozen=True, slots=True)
class BallotContest:
    """What a voter reads of one contest."""

    contest_id: str
    title: str
    vote_for: str
    options: tuple[tuple[str, str], ...]
    write_ins: int


@dataclass(frozen=True, slots=True)
class PlacedOption:
    """One bubble, in grid coordinates; `write_in_index` is None for a printed name, `top` and `rows` span the option's box."""

    option_id: str
    write_in_index: int | None
    column: Fraction
    row: Fraction
    top: Fraction
    rows: Fraction


@dataclass(frozen=True, slots=True)
class PlacedContest:
    """One contest box: `left`, `top`, `columns` wide and `rows` high, on one side of one sheet."""

    contest_id: str
    sheet: int
    side: str
    left: Fraction
    top: Fraction
    columns: Fraction
    rows: Fraction
    options: tuple[PlacedOption, ...]


def vote_for(seats: int | None) -> str:
    """The instruction under a contest's title; None for a question."""
    if seats is None:
        return "Vote yes or no"
    return "Vote for one" if seats == 1 else f"Vote for not more than {seats}"


def _rows(inches: float, geometry: PageGeometry) -> Fraction:
    """Inches to rows, rounded up to 1/20."""
    return Fraction(ceil(inches / float(geometry.row_pitch) * 20 - 1e-9), 20)


def text_columns_inches(columns: Fraction, inset: Fraction, geometry: PageGeometry) -> float:
    """Room for text in a box `columns` wide behind `inset`, in inches."""
    return float((columns - inset - RIGHT_INSET) * geometry.column_pitch)


def header_rows(contest: BallotContest, columns: Fraction, geometry: PageGeometry) -> Fraction:
    """Rows that a contest's title and instruction take in a box `columns` wide."""
    width = text_columns_inches(columns, RIGHT_INSET, geometry)
    titles = len(break_lines(contest.title, TITLE_SIZE, width))
    instructions = len(break_lines(contest.vote_for, VOTE_FOR_SIZE, width))
    return _rows(LEADING * (titles * TITLE_SIZE + instructions * VOTE_FOR_SIZE) + 2 * BOX_PADDING, geometry)


def option_rows(name: str, columns: Fraction, geometry: PageGeometry) -> Fraction:
    """Rows that a printed name takes."""
    lines = len(break_lines(name, NAME_SIZE, text_columns_inches(columns, NAME_INSET, geometry)))
    one_line = 2 * float(BUBBLE_DROP * geometry.row_pitch)
    return _rows(one_line + (lines - 1) * LEADING * NAME_SIZE, geometry)


def _place(
    contest: BallotContest, geometry: PageGeometry, columns: Fraction
) -> tuple[Fraction, list[tuple[str, int | None, Fraction]]]:
    """Height of the contest and, for each option, (id, write-in index, height)."""
    heights: list[tuple[str, int | None, Fraction]] = [
        (option_id, None, option_rows(name, columns, geometry)) for option_id, name in contest.options
    ]
    heights += [(f"write-in-{index}", index, WRITE_IN_ROWS) for index in range(contest.write_ins)]
    return header_rows(contest, columns, geometry) + sum((rows for _, _, rows in heights), Fraction(0)), heights


@dataclass(slots=True)
class Composer:
    """Fills columns, then sides, then sheets, from the top.

    Attributes:
        geometry: The page's grid.
        columns: Columns of contests per side.
        sheets: Sheets that may be used.
    """

    geometry: PageGeometry
    columns: int
    sheets: int
    _slot: int = field(init=False, default=0)
    _row: Fraction = field(init=False)

    def __post_init__(self) -> None:
        """Starts at the top of the first column."""
        self._row = self.first_row("front")

    def _slot_place(self, slot: int) -> tuple[int, str, int]:
        """Sheet, side and column of the `slot`-th column of the ballot."""
        side, column = divmod(slot, self.columns)
        return side // 2 + 1, "back" if side % 2 else "front", column

    def first_row(self, side: str) -> Fraction:
        """The first row below the page's head."""
        return _rows(FRONT_HEAD if side == "front" else BACK_HEAD, self.geometry)

    @property
    def last_row(self) -> Fraction:
        """The last row above the page's foot."""
        foot = _FOOT if self.geometry.bottom_row_is_code else _FOOT_WITH_QR
        margin = float(self.geometry.place(Fraction(0), Fraction(0)).y)
        return self.geometry.paper.rows - 1 - _rows(foot - margin, self.geometry)

    @property
    def box_columns(self) -> Fraction:
        """Width of a contest box in grid columns."""
        across = GRID_COLUMNS - 1 - 2 * _EDGE - (self.columns - 1) * _GUTTER
        return Fraction(int(across / self.columns * 20), 20)

    def add(self, contest: BallotContest) -> PlacedContest:
        """Places the next contest.

        Raises:
            SheetFullError: When it fits nowhere any more; nothing changes then.
        """
        rows, heights = _place(contest, self.geometry, self.box_columns)
        slot, top = self._slot, self._row
        while top + rows > self.last_row:
            slot += 1
            if slot == 2 * self.sheets * self.columns:
                raise SheetFullError(f"{contest.contest_id} is {float(rows)} rows high and fits nowhere any more")
            top = self.first_row(self._slot_place(slot)[1])
        sheet, side, index = self._slot_place(slot)
        left = _EDGE + index * (self.box_columns + _GUTTER)
        options = []
        down = top + rows - sum((height for _, _, height in heights), Fraction(0))
        for option_id, write_in, height in heights:
            options.append(PlacedOption(option_id, write_in, left + BUBBLE_INSET, down + BUBBLE_DROP, down, height))
            down += height
        self._slot, self._row = slot, top + rows + CONTEST_GAP
        return PlacedContest(contest.contest_id, sheet, side, left, top, self.box_columns, rows, tuple(options))
