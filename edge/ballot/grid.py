"""The timing-mark grid of one page: where every left and right mark is, and which pixel a grid coordinate falls on.

A page is measured, not assumed: each row has its own left and right mark, so paper that rollers stretched is read where it was
stretched. Marks that cannot be measured are inferred from the others only while the rest of the grid proves their place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from edge.ballot.border import Line, Sequence, find_line, number_marks
from edge.ballot.timing_marks import NEAR, Candidates, MarkSize, find_candidates, fit_marks, row_candidates, side_candidates
from edge.definition.page_layout import GRID_UNIT, GRID_UNIT_BITS, GridPoints
from edge.definition.paper import GRID_COLUMNS, MARGIN_SIDE, TIMING_MARK_WIDTH, PaperSize
from edge.fixed.ink import InkTable
from edge.fixed.number import SUBPIXEL, Int64Array, Score, round_div
from edge.page.error import PageError
from edge.page.page import Page

_SHORTEST_LINE = Fraction(2)
"""Inches between the two marks that define a border line."""
_LINE_TOLERANCE = Fraction(1, 20)
"""Inches that a mark may stand off the straight border: paper bows as it turns in the rollers."""
_PITCH_RANGE = (Fraction(20, 100), Fraction(32, 100))
"""Inches from mark to mark; nominally a quarter."""
_FEWEST_SIDE = 8
_FEWEST_TOP = 3
"""Marks that a border line needs: New Hampshire's bottom row is a binary code and may hold as few as four."""
_LEVEL = Fraction(30, 200)
"""Inches that an end row may bow away from the line between its two corner marks."""
_ANCHOR_PER_CENT = 35
"""How far, in per cent of a pitch, the first and last mark may be off the top and bottom line."""
_FIT_REACH = Fraction(10, 200)
"""Inches up and down from the guess in which a mark that touches something else is looked for; half of it across."""
_INK_OF_FIT = 80
_WHITE_OF_FIT = 55
"""Per cent of ink in the mark and of white around it that prove a mark which touches something else."""
_X_OUTLIER = Fraction(4, 200)
"""Inches by which an attached pen stroke moves an inner edge at least; the scanner's own jitter is smaller."""
_TALL = Fraction(2, 200)
"""Inches: a mark that is this much taller than the others has something attached to it."""
_INFERRED_PARTS = 4
"""At most 1/4 of the marks of a side may be inferred."""
_ROWS_WITHOUT_MARKS = 2
"""At most so many rows may have neither mark measured."""
_GAP_PER_CENT = 20
"""A gap between marks may differ so much from the median; more is stretched beyond measuring."""
_ROTATION_LIMIT = 349
_SKEW_LIMIT = 175
"""Tangents in parts per 10,000: 2 and 1 degrees, the caps while any mark is inferred."""

Side = Literal["left", "right"]


class Found(IntEnum):
    """How a mark's place is known."""

    MEASURED = 0
    FITTED = 1
    INFERRED = 2


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Centres of the left and right marks, row by row, in 1/256 pixel; int64 arrays of shape (rows,).

    `left_found` and `right_found` hold a `Found` for each. `pitch` is the median distance of rows in 1/256 pixel.
    """

    paper: PaperSize
    left_x: Int64Array
    left_y: Int64Array
    right_x: Int64Array
    right_y: Int64Array
    left_found: Int64Array
    right_found: Int64Array
    pitch: int

    @property
    def rows(self) -> int:
        """Rows of the grid."""
        return len(self.left_x)

    def turned(self, width: int, height: int) -> Grid:
        """The same grid on the page turned by 180 degrees; `width` and `height` are the page's."""
        right, bottom = (width - 1) * SUBPIXEL, (height - 1) * SUBPIXEL
        return replace(
            self,
            left_x=right - self.right_x[::-1],
            left_y=bottom - self.right_y[::-1],
            right_x=right - self.left_x[::-1],
            right_y=bottom - self.left_y[::-1],
            left_found=self.right_found[::-1],
            right_found=self.left_found[::-1],
        )

    def locate(self, points: GridPoints) -> tuple[Int64Array, Int64Array]:
        """Pixels (1/256) of grid coordinates: linear between the two rows of marks around, then across from left to right.

        Raises:
            PageError: `gridPositionOutsideTimingMarkGrid`.
        """
        last = self.rows - 1
        across = (points.column >= 0) & (points.column <= (GRID_COLUMNS - 1) * GRID_UNIT)
        outside = ~(across & (points.row >= 0) & (points.row <= last * GRID_UNIT))
        if outside.any():
            at = int(np.flatnonzero(outside)[0])
            place = f"column {points.column[at] / GRID_UNIT:.2f}, row {points.row[at] / GRID_UNIT:.2f}"
            raise PageError("gridPositionOutsideTimingMarkGrid", f"{place} is outside {GRID_COLUMNS} x {self.rows}")
        above = np.minimum(points.row >> GRID_UNIT_BITS, last - 1)
        part = points.row - (above << GRID_UNIT_BITS)

        def at_rows(values: Int64Array) -> Int64Array:
            start, step = values[above], values[above + 1] - values[above]
            return np.asarray(start + round_div(part * step, GRID_UNIT), np.int64)

        left_x, left_y, right_x, right_y = (at_rows(a) for a in (self.left_x, self.left_y, self.right_x, self.right_y))
        whole = (GRID_COLUMNS - 1) * GRID_UNIT
        x = left_x + round_div(points.column * (right_x - left_x), whole)
        return x, left_y + round_div(points.column * (right_y - left_y), whole)

    def scale(self, dpi: int) -> Score:
        """Median distance of left and right marks against our own layouts' nominal, both in 1/256 pixel."""
        distance = np.sort(self.right_x - self.left_x)
        nominal = (self.paper.width - 2 * MARGIN_SIDE - TIMING_MARK_WIDTH) * dpi * SUBPIXEL
        return Score(int(distance[len(distance) // 2]), round_div(nominal.numerator, nominal.denominator))


@dataclass(frozen=True, slots=True, eq=False)
class _SideMarks:
    """One side's marks as found: centre y and inner edge x for each row (half pixels), and how each is known."""

    y: Int64Array
    inner: Int64Array
    found: Int64Array


@dataclass(frozen=True, slots=True, eq=False)
class _SideBorder:
    """A side's line of candidates before its rows are numbered."""

    side: Side
    line: Line
    sequence: Sequence
    y: Int64Array
    inner: Int64Array
    height: Int64Array


def _find_side(side: Side, marks: Candidates, page: Page) -> _SideBorder:
    """The left or right border's marks in order."""
    # The candidates nearest to the edge come first: the line search looks at no more than its limit.
    order = np.argsort(marks.x0 if side == "left" else -marks.x1, kind="stable")
    marks = marks.pick(order)
    y = marks.y0 + marks.y1 - 1
    inner = 2 * (marks.x1 - 1 if side == "left" else marks.x0)
    found = find_line(y, inner, 2 * page.pixels(_SHORTEST_LINE), 2 * page.pixels(_LINE_TOLERANCE))
    sequence = number_marks(y, found[1], *_pitch_range(page)) if found else None
    if found is None or sequence is None or len(sequence.candidate) < _FEWEST_SIDE:
        count = len(sequence.candidate) if sequence else 0
        raise PageError("missingTimingMarks", f"{side} border: {count} marks in a row among {len(marks)} candidates")
    return _SideBorder(side, found[0], sequence, y, inner, marks.y1 - marks.y0)


def _pitch_range(page: Page) -> tuple[int, int]:
    return 2 * page.pixels(_PITCH_RANGE[0]), 2 * page.pixels(_PITCH_RANGE[1])


def _find_end(name: str, marks: Candidates, page: Page) -> tuple[Line, int]:
    """The top or bottom border's line, and the median width of its marks in pixels."""
    x, y = marks.x0 + marks.x1 - 1, marks.y0 + marks.y1 - 1
    found = find_line(x, y, 2 * page.pixels(_SHORTEST_LINE), 2 * page.pixels(_LINE_TOLERANCE))
    if found is None or len(found[1]) < _FEWEST_TOP:
        raise PageError("missingTimingMarks", f"{name} border: no row of marks among {len(marks)} candidates")
    widths = np.sort((marks.x1 - marks.x0)[found[1]])
    return found[0], int(widths[len(widths) // 2])


def _rows_beyond(border: _SideBorder, end: Line, *, first: bool) -> int:
    """Rows between the border's first (or last) found mark and the top (or bottom) line."""
    sequence = border.sequence
    candidate = int(sequence.candidate[0 if first else -1])
    gap = int(border.y[candidate]) - end.across(int(border.inner[candidate]))
    gap = gap if first else -gap
    rows = round_div(gap, sequence.pitch)
    if rows < 0 or abs(gap - rows * sequence.pitch) * 100 > _ANCHOR_PER_CENT * sequence.pitch * (rows + 1):
        raise PageError(
            "missingTimingMarks",
            f"{border.side} border: its {'first' if first else 'last'} mark, at y={int(border.y[candidate]) // 2}, "
            f"does not meet the {'top' if first else 'bottom'} row",
        )
    return rows


def _place_side(border: _SideBorder, top: Line, bottom: Line, rows: int, before: int, page: Page) -> _SideMarks:
    """Put the found marks into their rows; the others get the straight line between their neighbours as a first guess."""
    sequence = border.sequence
    known = before + sequence.place
    y = np.zeros(rows, np.int64)
    found = np.full(rows, Found.INFERRED, np.int64)
    y[known] = border.y[sequence.candidate]
    found[known] = Found.MEASURED
    # Where an end mark is missing, the end line says where it was.
    guides = {int(k): int(y[k]) for k in known}
    guides.setdefault(0, top.across(border.line.across(int(y[known[0]]))))
    guides.setdefault(rows - 1, bottom.across(border.line.across(int(y[known[-1]]))))
    y = _between(guides, rows)
    inner = np.array([border.line.across(int(v)) for v in y], np.int64)
    offsets = {int(k): int(v) for k, v in zip(known, border.inner[sequence.candidate] - inner[known], strict=True)}
    return _SideMarks(y, inner + _smooth(offsets, rows, 2 * page.pixels(_X_OUTLIER)), found)


def _between(values: dict[int, int], rows: int) -> Int64Array:
    """Fill a row of values, known at some places, by straight lines between them; level beyond the ends."""
    places = np.array(sorted(values), np.int64)
    known = np.array([values[int(place)] for place in places], np.int64)
    row = np.arange(rows, dtype=np.int64)
    after = np.clip(np.searchsorted(places, row, side="left"), 0, len(places) - 1)
    before = np.clip(np.searchsorted(places, row, side="right") - 1, 0, len(places) - 1)
    span = np.maximum(places[after] - places[before], 1)
    steps: Int64Array = np.maximum(row - places[before], 0)
    return known[before] + round_div(steps * (known[after] - known[before]), span)


def _smooth(offsets: dict[int, int], rows: int, limit: int, window: int = 4) -> Int64Array:
    """Offsets of inner edges from the straight line; one that strays from the median around it is replaced by that median."""
    filled = _between(offsets, rows)
    padded = np.concatenate((filled[:window][::-1], filled, filled[-window:][::-1]))
    around = sliding_window_view(padded, 2 * window + 1)
    middle = np.sort(around, axis=1)[:, window]
    return np.where(np.abs(filled - middle) > limit, middle, filled)


def _fit_missing(
    marks: _SideMarks, side: Side, page: Page, size: MarkSize, half_width: int, redo: NDArray[np.bool_]
) -> _SideMarks:
    """Look for the marks that are not clean shapes of their own: the best place for an ideal mark near the guess."""
    want = np.flatnonzero((marks.found == Found.INFERRED) | redo)
    if not len(want):
        return marks
    centre = (marks.inner[want] + (-half_width if side == "left" else half_width)) // 2
    x0 = max(int(centre.min()) - 3 * size.width, 0)
    x1 = min(int(centre.max()) + 3 * size.width, page.width)
    if x1 <= x0:
        return marks
    table = InkTable(page.bits[:, x0:x1], x0, 0)
    reach = page.pixels(_FIT_REACH)
    fit = fit_marks(table, size, centre, marks.y[want] // 2, reach // 2, reach)
    good = fit.at_least(_INK_OF_FIT, _WHITE_OF_FIT) & (fit.area * 4 >= size.width * size.height)
    y, found = marks.y.copy(), marks.found.copy()
    # The fit's box has an even height of pixels around its centre, so its middle is half a pixel up when the height is even.
    fitted = 2 * (marks.y[want] // 2 + fit.dy) - (1 if size.height % 2 == 0 else 0)
    y[want[good]] = fitted[good]
    found[want[good]] = Found.FITTED
    return _SideMarks(y, marks.inner, found)


def _infer(marks: _SideMarks, other: _SideMarks, top_y: int, bottom_y: int) -> _SideMarks:
    """Place the marks that could not be measured, by the other side's rows where it has them, else evenly between neighbours."""
    rows = len(marks.y)
    known = np.flatnonzero(marks.found != Found.INFERRED)
    lead = {int(k): int(marks.y[k] - other.y[k]) for k in known if other.found[k] != Found.INFERRED}
    own = {int(k): int(marks.y[k]) for k in known}
    for end, end_y in ((0, top_y), (rows - 1, bottom_y)):
        own.setdefault(end, end_y)
        if other.found[end] != Found.INFERRED:
            lead.setdefault(end, end_y - int(other.y[end]))
    evenly = _between(own, rows)
    y = marks.y.copy()
    for row in np.flatnonzero(marks.found == Found.INFERRED):
        measured = other.found[row] != Found.INFERRED
        y[row] = other.y[row] + _between(lead, rows)[row] if lead and measured else evenly[row]
    return _SideMarks(y, marks.inner, marks.found)


def find_grid(page: Page, *, infer: bool) -> Grid:
    """Find the timing-mark grid of a page, whichever way up it is.

    With `infer` false nothing is inferred: every left and right mark must be measured.

    Raises:
        PageError: `missingTimingMarks` naming the border or mark that failed and where, or `stretchedSheet`.
    """
    try:
        return _quick_grid(page, infer=infer)
    except PageError:
        bands = find_candidates(page)
        borders = _find_side("left", bands.left, page), _find_side("right", bands.right, page)
        return _grid_from(page, borders, bands.top, bands.bottom, infer=infer)


def _quick_grid(page: Page, *, infer: bool) -> Grid:
    """Find the grid where it usually is: side marks near the edges, end rows level with the first and last of them.

    Raises:
        PageError: when anything is out of the usual; the thorough search then decides.
    """
    left, right = side_candidates(page, NEAR)
    borders = _find_side("left", left, page), _find_side("right", right, page)
    slack = page.pixels(_LEVEL)
    firsts, lasts = ([int(b.y[b.sequence.candidate[at]]) // 2 for b in borders] for at in (0, -1))
    top = row_candidates(page, min(firsts) - slack, max(firsts) + slack)
    bottom = row_candidates(page, min(lasts) - slack, max(lasts) + slack)
    return _grid_from(page, borders, top, bottom, infer=infer)


def _grid_from(
    page: Page, borders: tuple[_SideBorder, _SideBorder], top_marks: Candidates, bottom_marks: Candidates, *, infer: bool
) -> Grid:
    """Find the grid from the two side borders and the candidates for the end rows."""
    size = MarkSize.on(page)
    top, wide = _find_end("top", top_marks, page)
    bottom, _ = _find_end("bottom", bottom_marks, page)
    counts = []
    for border in borders:
        before = _rows_beyond(border, top, first=True)
        after = _rows_beyond(border, bottom, first=False)
        counts.append((before, before + int(border.sequence.place[-1]) + after + 1))
    paper = _paper_with_rows(page, counts[0][1], counts[1][1])
    half_width = wide - 1
    sides = []
    for border, (before, rows) in zip(borders, counts, strict=True):
        marks = _place_side(border, top, bottom, rows, before, page)
        tall = np.zeros(rows, np.bool_)
        heights = border.height[border.sequence.candidate]
        usual = int(np.sort(heights)[len(heights) // 2])
        tall[before + border.sequence.place] = np.abs(heights - usual) > page.pixels(_TALL)
        sides.append(_fit_missing(marks, border.side, page, size, half_width, tall))
    ends = [(top.across(int(side.inner[0])), bottom.across(int(side.inner[-1]))) for side in sides]
    left, right = _infer(sides[0], sides[1], *ends[0]), _infer(sides[1], sides[0], *ends[1])
    unit = SUBPIXEL // 2
    grid = Grid(
        paper,
        (left.inner - half_width) * unit,
        left.y * unit,
        (right.inner + half_width) * unit,
        right.y * unit,
        left.found,
        right.found,
        (borders[0].sequence.pitch + borders[1].sequence.pitch) * unit // 2,
    )
    _check(grid, infer=infer)
    return grid


def _paper_with_rows(page: Page, left: int, right: int) -> PaperSize:
    """The paper that has as many rows as were counted, which must be of the page's size."""
    if left != right:
        raise PageError("missingTimingMarks", f"left border has {left} rows, right border {right}")
    for paper in PaperSize:
        nominal = paper.height * page.dpi
        if paper.rows == left and nominal * 95 <= page.height * 100 < nominal * 115:
            return paper
    raise PageError("missingTimingMarks", f"{left} rows on a page {page.height} pixels high fit no paper size")


def _check(grid: Grid, *, infer: bool) -> None:
    """Refuse a grid whose inferred marks are not proven by the measured ones."""
    inferred = _check_side(grid, "left", infer=infer) + _check_side(grid, "right", infer=infer)
    if not inferred:
        return
    both = (grid.left_found == Found.INFERRED) & (grid.right_found == Found.INFERRED)
    if int(both.sum()) > _ROWS_WITHOUT_MARKS:
        row = np.flatnonzero(both)[0]
        raise PageError("missingTimingMarks", f"row {row} has no mark on either side ({both.sum()} such rows)")
    corners = [found[end] for found in (grid.left_found, grid.right_found) for end in (0, -1)]
    if sum(corner == Found.INFERRED for corner in corners) > 1:
        raise PageError("missingTimingMarks", "more than one corner mark was not found")
    _check_edges(grid)


def _check_side(grid: Grid, side: Side, *, infer: bool) -> int:
    """Refuse a border with too many marks missing or an uneven gap; the number of its inferred marks."""
    x, y, found = (
        (grid.left_x, grid.left_y, grid.left_found) if side == "left" else (grid.right_x, grid.right_y, grid.right_found)
    )
    missing = np.flatnonzero(found == Found.INFERRED)
    if len(missing) and (not infer or len(missing) * _INFERRED_PARTS > grid.rows):
        place = f"{side} mark at row {missing[0]}, near x={x[missing[0]] // SUBPIXEL} y={y[missing[0]] // SUBPIXEL}"
        raise PageError("missingTimingMarks", f"{place} was not found ({len(missing)} of {grid.rows} missing)")
    known = np.flatnonzero(found != Found.INFERRED)
    steps, gaps = np.diff(known), np.diff(y[known])
    off = np.abs(gaps - steps * grid.pitch) * 100 > _GAP_PER_CENT * grid.pitch
    if off.any():
        at = int(known[np.flatnonzero(off)[0]])
        place = f"the gap after row {at}, at y={y[at] // SUBPIXEL}"
        raise PageError("stretchedSheet", f"{side} border: {place}, is not like the others")
    return len(missing)


def _check_edges(grid: Grid) -> None:
    """Refuse a grid with inferred marks on a page that is turned or skewed too far."""
    edges = {
        "left": (grid.left_x[-1] - grid.left_x[0], grid.left_y[-1] - grid.left_y[0]),
        "right": (grid.right_x[-1] - grid.right_x[0], grid.right_y[-1] - grid.right_y[0]),
        "top": (grid.left_y[0] - grid.right_y[0], grid.right_x[0] - grid.left_x[0]),
        "bottom": (grid.left_y[-1] - grid.right_y[-1], grid.right_x[-1] - grid.left_x[-1]),
    }
    lean = {name: round_div(int(rise) * 10_000, int(run)) for name, (rise, run) in edges.items()}
    for name, tangent in lean.items():
        if abs(tangent) > _ROTATION_LIMIT:
            raise PageError("missingTimingMarks", f"marks are missing and the {name} edge is turned by {abs(tangent)} / 10000")
    for side in ("left", "right"):
        for end in ("top", "bottom"):
            skew = abs(lean[side] - lean[end])
            if skew > _SKEW_LIMIT:
                raise PageError(
                    "missingTimingMarks", f"marks are missing and the {end} {side} corner is skewed by {skew} / 10000"
                )
