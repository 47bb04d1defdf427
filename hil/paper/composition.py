"""Setting one side of a ballot on a plate: timing marks, head, contest boxes, foot."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from typing import TYPE_CHECKING

from edge.definition.paper import GRID_COLUMNS
from hil.paper.layout import (
    BACK_HEAD,
    BOX_PADDING,
    BUBBLE_DROP,
    FRONT_HEAD,
    LEADING,
    NAME_INSET,
    NAME_SIZE,
    RIGHT_INSET,
    TITLE_SIZE,
    VOTE_FOR_SIZE,
    WRITE_IN_LINE,
    WRITE_IN_ROWS,
    BallotContest,
    header_rows,
    option_rows,
    text_columns_inches,
    vote_for,
)
from hil.paper.lettering import break_lines, text_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.definition.election import Election
    from edge.definition.page_layout import BubblePosition
    from hil.paper.geometry import PageGeometry
    from hil.paper.ink import Plate

OVAL_WIDTH = Fraction(19, 96)
OVAL_HEIGHT = Fraction(13, 96)
OVAL_RADIUS = Fraction(7, 100)
OVAL_RADIUS_PRINTED = min(OVAL_RADIUS, OVAL_HEIGHT / 2)
OVAL_LINE = Fraction(1, 96)

QR_SIDE = Fraction(3, 5)
_LEFT = 0.44
_RIGHT = 8.06
_QR_TOP_ABOVE_BOTTOM = 1.02
_THIN = 1 / 96
_THICK = 3 / 96
_HOW_TO_VOTE = "To vote, completely fill in the oval next to your choice, like this:"
_HOW_TO_WRITE_IN = (
    "To vote for a person whose name is not printed, write the name on the write-in line and fill in the oval next to it."
)


@dataclass(frozen=True, slots=True)
class PageText:
    """What the head and foot of one side say."""

    heading: str
    election: str
    date: str
    precinct: str
    style: str
    ballot_hash: str
    page: int
    pages: int


def print_timing_marks(plate: Plate, geometry: PageGeometry, bottom_bits: int | None) -> None:
    """Prints the marks of all four edges; `bottom_bits` are the 32 inner places of the bottom row, bit 0 rightmost."""
    last = geometry.paper.rows - 1
    places = geometry.mark_places()
    if bottom_bits is not None:
        places += [(GRID_COLUMNS - 2 - bit, last) for bit in range(32) if bottom_bits >> bit & 1]
    for column, row in places:
        plate.rectangle(*geometry.mark_box(column, row))


def print_oval(plate: Plate, x: Fraction | float, y: Fraction | float, *, filled: bool = False) -> None:
    """Prints one bubble centred at (`x`, `y`) inches."""
    plate.oval(x, y, OVAL_WIDTH, OVAL_HEIGHT, OVAL_RADIUS_PRINTED, None if filled else OVAL_LINE)


def print_head(plate: Plate, geometry: PageGeometry, text: PageText) -> None:
    """Prints the title and instructions of a front, and the black bar of either side."""
    top = float(geometry.place(Fraction(0), Fraction(0)).y)
    if text.page % 2 == 0:
        _bar(plate, top + 0.16, top + BACK_HEAD - 0.16, f"{text.election}: back of sheet {text.page // 2}")
        return
    down = top + 0.13
    lines = ((text.heading, 0.22, True), (text.election, 0.17, True), (text.date, 0.13, False), (text.precinct, 0.13, False))
    for line, size, bold in lines:
        plate.text(_LEFT, down, line, size, bold=bold)
        down += LEADING * size
    left, bottom = 4.2, top + FRONT_HEAD - 0.45
    plate.frame(left, top + 0.11, _RIGHT, bottom, _THIN)
    down = top + 0.16
    plate.text(left + 0.1, down, "Instructions", 0.14, bold=True)
    down += 0.2
    for paragraph in (_HOW_TO_VOTE, _HOW_TO_WRITE_IN):
        for line in break_lines(paragraph, 0.12, _RIGHT - left - 0.55):
            plate.text(left + 0.1, down, line, 0.12)
            down += 0.15
            if paragraph is _HOW_TO_VOTE and line.endswith(":"):
                print_oval(plate, _RIGHT - 0.28, down - 0.08, filled=True)
        down += 0.05
    _bar(plate, top + FRONT_HEAD - 0.38, top + FRONT_HEAD - 0.1, "Vote on both sides of this ballot")


def _bar(plate: Plate, top: float, bottom: float, text: str) -> None:
    plate.rectangle(_LEFT, top, _RIGHT, bottom)
    size = min(0.16, (bottom - top) * 0.6)
    x = (_LEFT + _RIGHT - text_width(text, size)) / 2
    plate.text(x, (top + bottom) / 2 - 0.62 * size, text, size, white=True)


def print_foot(plate: Plate, geometry: PageGeometry, text: PageText) -> None:
    """Prints the page number, where to go on, and the small print."""
    height = float(geometry.paper.height)
    way_on = "Turn ballot over and continue voting" if text.page % 2 else "You have finished this sheet"
    small = f"Election: {text.ballot_hash}    Ballot style: {text.style}    {text.precinct}"
    if geometry.bottom_row_is_code:
        plate.text(_LEFT, height - 0.94, f"{way_on}  -  page {text.page} of {text.pages}", 0.17, bold=True)
        plate.text(_LEFT, height - 0.69, small, 0.09)
        return
    left, top, bottom = (
        _LEFT + float(QR_SIDE) + 0.12,
        height - _QR_TOP_ABOVE_BOTTOM,
        height - _QR_TOP_ABOVE_BOTTOM + float(QR_SIDE),
    )
    plate.frame(left, top, _RIGHT, bottom, _THIN)
    plate.rectangle(left, top, _RIGHT, top + _THICK)
    plate.text(left + 0.12, top + 0.11, "Page", 0.12)
    plate.text(left + 0.12, top + 0.27, f"{text.page}/{text.pages}", 0.2, bold=True)
    plate.text(left + 1.2, top + 0.2, way_on, 0.18, bold=True)
    plate.text(_LEFT, height - 0.385, small, 0.09)


def qr_corner(geometry: PageGeometry) -> tuple[float, float]:
    """Top-left corner of the QR symbol in inches."""
    return _LEFT, float(geometry.paper.height) - _QR_TOP_ABOVE_BOTTOM


def print_contests(plate: Plate, geometry: PageGeometry, election: Election, positions: Sequence[BubblePosition]) -> None:
    """Prints the contests of one side, each with its bubbles, names and write-in lines."""
    for contest_id, group in groupby(positions, key=lambda position: position.contest_id):
        _print_contest(plate, geometry, _ballot_contest(election, contest_id), list(group))


def _ballot_contest(election: Election, contest_id: str) -> BallotContest:
    contest = election.contest(contest_id)
    seats = None if contest.kind == "yesno" else contest.seats
    return BallotContest(
        contest_id, contest.title, vote_for(seats), tuple((option.id, option.name) for option in contest.options), 0
    )


def _print_contest(plate: Plate, geometry: PageGeometry, contest: BallotContest, positions: list[BubblePosition]) -> None:
    names = dict(contest.options)
    columns = positions[0].bounds.width
    left_column = positions[0].bounds.column
    last = positions[-1]
    last_rows = WRITE_IN_ROWS if last.write_in_index is not None else option_rows(names[last.option_id], columns, geometry)
    top_row = positions[0].row - BUBBLE_DROP - header_rows(contest, columns, geometry)
    left, top = (float(inches) for inches in _inches(geometry, left_column, top_row))
    right, bottom = (float(inches) for inches in _inches(geometry, left_column + columns, last.row - BUBBLE_DROP + last_rows))
    plate.frame(left, top, right, bottom, _THIN)
    plate.rectangle(left, top, right, top + _THICK)

    x = left + float(RIGHT_INSET * geometry.column_pitch)
    down = top + BOX_PADDING
    width = text_columns_inches(columns, RIGHT_INSET, geometry)
    for text, size, bold in ((contest.title, TITLE_SIZE, True), (contest.vote_for, VOTE_FOR_SIZE, False)):
        for line in break_lines(text, size, width):
            plate.text(x, down, line, size, bold=bold)
            down += LEADING * size

    name_width = text_columns_inches(columns, NAME_INSET, geometry)
    for position in positions:
        bubble_x, bubble_y = _inches(geometry, position.column, position.row)
        print_oval(plate, bubble_x, bubble_y)
        name_x = float(_inches(geometry, left_column + NAME_INSET, position.row)[0])
        if position.write_in_index is None:
            for number, line in enumerate(break_lines(names[position.option_id], NAME_SIZE, name_width)):
                # 0.62 puts the middle of the small letters at the bubble's height.
                plate.text(name_x, float(bubble_y) + (number * LEADING - 0.62) * NAME_SIZE, line, NAME_SIZE)
        else:
            line_y = float(_inches(geometry, position.column, position.row - BUBBLE_DROP + WRITE_IN_LINE)[1])
            plate.rectangle(name_x, line_y, name_x + name_width, line_y + _THIN)
            plate.text(name_x, line_y + 0.02, "write-in", 0.08)


def _inches(geometry: PageGeometry, column: Fraction, row: Fraction) -> tuple[Fraction, Fraction]:
    point = geometry.place(column, row)
    return point.x, point.y
