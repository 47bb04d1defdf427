"""The timing-mark grid: measured to the pixel where the marks are, inferred only where the rest proves it."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.ballot.grid import Found, Grid, find_grid
from edge.ballot.result import Interpretation
from edge.definition.page_layout import GRID_UNIT, GridPoints
from edge.definition.paper import GRID_COLUMNS, PaperSize
from edge.definition.settings import SystemSettings
from edge.fixed.number import SUBPIXEL
from edge.page.error import PageError
from edge.page.page import Grey, read_page
from hil.paper.scan import Feed, ScannedPair, scan
from hil.paper.sheet import PrintedSheet
from hil.paper.truth import MarkedSheet, expose
from tests.ballot.sheets import (
    BOTTOM_ROW,
    QR,
    as_votes,
    blank_sheet,
    filled,
    one_vote_each,
    page_of,
    read,
    refusal,
    turned,
    without_mark,
)

STRICT = SystemSettings(timing_mark_inference=False)
MIDDLE = 20
LAST_COLUMN = GRID_COLUMNS - 1
NEAR = 0.75
"""Pixels by which a place may be off: a mark's edges are rounded to whole pixels."""


@cache
def voted() -> MarkedSheet:
    return filled(blank_sheet())


def furthest_from_truth(printed: PrintedSheet, grid: Grid) -> float:
    """Pixels between where grid places were printed and where the grid has them, at worst."""
    places = [(Fraction(column), Fraction(row)) for column in (0, 1, 16, 33) for row in range(grid.rows)]
    places += [(bubble.position.column, bubble.position.row) for bubble in printed.bubbles]
    x, y = grid.locate(GridPoints.of(places))
    # On paper pixel i covers i to i + 1; here its centre is at i.
    truth = np.array([printed.pixel(*place) for place in places]) - 0.5
    return float(np.abs(np.column_stack((x, y)) / SUBPIXEL - truth).max())


def kinds(grid: Grid) -> set[int]:
    return {*grid.left_found.tolist(), *grid.right_found.tolist()}


@pytest.mark.parametrize("upside_down", [False, True])
@pytest.mark.parametrize("encoding", [QR, BOTTOM_ROW])
@pytest.mark.parametrize("paper", list(PaperSize))
def test_every_place_of_every_paper_is_where_it_was_printed(paper: PaperSize, encoding: str, upside_down: bool) -> None:
    printed = blank_sheet(paper, encoding)
    page = read_page(turned(printed.front) if upside_down else printed.front)
    grid = find_grid(page, infer=False)
    grid = grid.turned(page.width, page.height) if upside_down else grid
    assert furthest_from_truth(printed, grid) <= NEAR


@pytest.mark.parametrize("encoding", [QR, BOTTOM_ROW])
def test_every_place_at_300_dpi_is_where_it_was_printed(encoding: str) -> None:
    printed = blank_sheet(encoding=encoding, dpi=300)
    assert furthest_from_truth(printed, find_grid(read_page(printed.front), infer=False)) <= NEAR


@pytest.mark.parametrize("encoding", [QR, BOTTOM_ROW])
@pytest.mark.parametrize(("paper", "dpi"), [*((paper, 200) for paper in PaperSize), (PaperSize.LETTER, 300)])
def test_every_mark_of_every_paper_is_measured(paper: PaperSize, encoding: str, dpi: int) -> None:
    for image in (blank_sheet(paper, encoding, dpi).front, turned(blank_sheet(paper, encoding, dpi).back)):
        grid = find_grid(read_page(image), infer=False)
        assert (grid.paper, grid.rows) == (paper, paper.rows)
        assert kinds(grid) == {Found.MEASURED}


def test_the_grid_of_a_turned_page_turns_back() -> None:
    page = read_page(blank_sheet().front)
    grid = find_grid(page, infer=False)
    twice = grid.turned(page.width, page.height).turned(page.width, page.height)
    for name in ("left_x", "left_y", "right_x", "right_y", "left_found", "right_found"):
        assert np.array_equal(getattr(grid, name), getattr(twice, name)), name


def without(column: int, row: int) -> tuple[Grey, Grey]:
    marked = voted()
    return without_mark(marked.printed, marked.front, column, row), marked.back


@pytest.mark.parametrize(("column", "side"), [(0, "left"), (LAST_COLUMN, "right")])
def test_a_strict_station_refuses_a_missing_mark_and_names_it(column: int, side: str) -> None:
    election = voted().printed.election
    code, detail = refusal(read(*without(column, MIDDLE), election, STRICT))
    assert code == "missingTimingMarks"
    assert f"{side} mark at row {MIDDLE}" in detail


@pytest.mark.parametrize("column", [0, LAST_COLUMN])
@pytest.mark.parametrize("row", [0, 1, MIDDLE, 39, 40])
def test_a_sheet_without_one_mark_is_read_exactly(column: int, row: int) -> None:
    marked = voted()
    reading = read(*without(column, row), marked.printed.election)
    grid = page_of(reading, "front").grid
    assert grid is not None
    found = grid.left_found if column == 0 else grid.right_found
    assert np.flatnonzero(found == Found.INFERRED).tolist() == [row]
    assert reading.votes == as_votes(one_vote_each(marked.printed))
    assert (reading.marginal, reading.doubts) == ({}, ())


@pytest.mark.parametrize("column", [0, LAST_COLUMN])
@pytest.mark.parametrize("row", [0, 1, MIDDLE, 39, 40])
def test_a_missing_mark_is_inferred_where_it_was_printed(column: int, row: int) -> None:
    grid = find_grid(read_page(without(column, row)[0]), infer=True)
    assert furthest_from_truth(voted().printed, grid) <= NEAR


def test_two_erased_corner_marks_are_refused() -> None:
    marked = voted()
    front = without_mark(marked.printed, without(0, 0)[0], LAST_COLUMN, 0)
    assert refusal(read(front, marked.back, marked.printed.election))[0] == "missingTimingMarks"


def no_vote_is_wrong(marked: MarkedSheet, reading: Interpretation) -> bool:
    """Whether a reading is refused, or right in all that it does not leave to a person."""
    if reading.refusal is not None:
        return True
    doubted = {(contest, option) for _, contest, option in reading.doubts}
    doubted |= {(contest, option) for contest, options in reading.marginal.items() for option in options}
    votes = {(contest, option) for contest, options in reading.votes.items() for option in options}
    return not votes & marked.must_not_count and marked.strong <= votes | doubted


@pytest.mark.parametrize("strength", [15, 30, 60, 100])
def test_a_torn_corner_never_makes_a_vote(strength: int) -> None:
    marked = voted()
    for seed in range(4):
        pair = scan(marked, {"torn_corner": strength}, seed=seed)
        assert no_vote_is_wrong(marked, read(pair.top.pixels, pair.bottom.pixels, marked.printed.election)), seed


def leaning(damage: str, strength: int, *, missing: bool) -> tuple[PrintedSheet, ScannedPair]:
    marked = voted()
    front, back = without(0, MIDDLE) if missing else (marked.front, marked.back)
    return marked.printed, scan(expose(marked.printed, front, back), {damage: strength}, seed=5)


@pytest.mark.parametrize(("damage", "strength", "what"), [("rotation", 32, "edge is turned"), ("skew", 30, "corner is skewed")])
def test_a_leaning_page_is_read_while_all_marks_are_there_and_no_longer(damage: str, strength: int, what: str) -> None:
    printed, whole = leaning(damage, strength, missing=False)
    reading = read(whole.top.pixels, whole.bottom.pixels, printed.election)
    assert reading.votes == as_votes(one_vote_each(printed))
    _, broken = leaning(damage, strength, missing=True)
    code, detail = refusal(read(broken.top.pixels, broken.bottom.pixels, printed.election))
    assert code == "missingTimingMarks"
    assert what in detail


@pytest.mark.parametrize(("damage", "strength"), [("rotation", 18), ("skew", 12)])
def test_a_page_that_leans_within_the_caps_is_inferred(damage: str, strength: int) -> None:
    printed, pair = leaning(damage, strength, missing=True)
    reading = read(pair.top.pixels, pair.bottom.pixels, printed.election)
    assert reading.votes == as_votes(one_vote_each(printed))


@pytest.mark.parametrize("damage", ["stretch", "stretch_band"])
@pytest.mark.parametrize("strength", [5, 20, 45, 70, 100])
def test_stretched_paper_is_measured_or_refused(damage: str, strength: int) -> None:
    marked = voted()
    for seed in range(2):
        pair = scan(marked, {damage: strength}, seed=seed)
        reading = read(pair.top.pixels, pair.bottom.pixels, marked.printed.election)
        assert no_vote_is_wrong(marked, reading), seed
        if strength <= 20:
            assert reading.votes == as_votes(one_vote_each(marked.printed)), seed


def test_the_scanners_border_and_a_narrow_image_do_not_matter() -> None:
    marked = voted()
    for feed in (Feed(margins=(40, 25, 40, 60)), Feed(width=1696)):
        pair = scan(marked, feed=feed)
        reading = read(pair.top.pixels, pair.bottom.pixels, marked.printed.election, STRICT)
        assert reading.votes == as_votes(one_vote_each(marked.printed))


coordinates = st.integers(0, 4000)


@st.composite
def bent_grids(draw: st.DrawFn) -> Grid:
    rows = 41

    def column(start: int, step: int, wander: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        offsets = draw(st.lists(st.integers(-wander, wander), min_size=rows, max_size=rows))
        return np.array([start + step * row + offset for row, offset in enumerate(offsets)], np.int64)

    found = np.zeros(rows, np.int64)
    pitch = draw(st.integers(50 * SUBPIXEL, 56 * SUBPIXEL))
    return Grid(
        PaperSize.LETTER,
        column(60 * SUBPIXEL, 0, 900),
        column(40 * SUBPIXEL, pitch, 900),
        column(1640 * SUBPIXEL, 0, 900),
        column(42 * SUBPIXEL, pitch, 900),
        found,
        found,
        pitch,
    )


@given(bent_grids(), st.lists(st.tuples(st.integers(0, 33 * GRID_UNIT), st.integers(0, 40 * GRID_UNIT)), min_size=1, max_size=8))
def test_a_place_is_linear_between_four_marks_to_within_a_step(grid: Grid, units: list[tuple[int, int]]) -> None:
    points = [(Fraction(column, GRID_UNIT), Fraction(row, GRID_UNIT)) for column, row in units]
    xs, ys = grid.locate(GridPoints.of(points))

    def between(values: np.ndarray[tuple[int], np.dtype[np.int64]], row: Fraction) -> Fraction:
        above = min(int(row), grid.rows - 2)
        return int(values[above]) + (row - above) * (int(values[above + 1]) - int(values[above]))

    for (column, row), x, y in zip(points, xs.tolist(), ys.tolist(), strict=True):
        across = column / (GRID_COLUMNS - 1)
        left_x, right_x = between(grid.left_x, row), between(grid.right_x, row)
        left_y, right_y = between(grid.left_y, row), between(grid.right_y, row)
        assert abs(left_x + across * (right_x - left_x) - x) <= 1
        assert abs(left_y + across * (right_y - left_y) - y) <= 1


@given(bent_grids(), st.integers(0, 33), st.integers(0, 40))
def test_the_side_marks_themselves_are_hit_exactly(grid: Grid, column: int, row: int) -> None:
    xs, ys = grid.locate(GridPoints.of([(Fraction(0), Fraction(row)), (Fraction(33), Fraction(row))]))
    assert xs.tolist() == [grid.left_x[row], grid.right_x[row]]
    assert ys.tolist() == [grid.left_y[row], grid.right_y[row]]


@pytest.mark.parametrize(("column", "row"), [(-1, 0), (34, 0), (0, -1), (0, 41), (Fraction(331, 10), 3)])
def test_a_place_outside_the_marks_is_refused(column: Fraction, row: Fraction) -> None:
    grid = find_grid(read_page(blank_sheet().front), infer=False)
    with pytest.raises(PageError) as refused:
        grid.locate(GridPoints.of([(Fraction(5), Fraction(5)), (Fraction(column), Fraction(row))]))
    assert refused.value.code == "gridPositionOutsideTimingMarkGrid"
    assert f"column {float(column):.2f}, row {float(row):.2f}" in refused.value.detail
