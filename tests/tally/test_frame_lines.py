"""The printed lines of a row: how far they are off is measured, and whether they are there is known."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.definition.box import Box
from edge.definition.form import load_form, shipped_form
from edge.tally.affine import SCALE, Affine
from edge.tally.frame_lines import CellFrame, CellRow, Profiles, find_frames, label_rows, row_corners, rows_of

ROW = CellRow("row", Box(2000, 1500, 3000, 1000), 3)
OTHER = CellRow("other", Box(2000, 3500, 1600, 1200), 1)
DPI = 200
PIXEL = 2540 / DPI
SIZE = 700
PAPER, LINE = 235, 120
_FINE = 8
_CLOSE = 0.8
"""Pixels: lines are looked for at whole pixels from where the map has them, and a slanted map evens that out."""
LUMEN = load_form(shipped_form("lumen-harbour"))


def turned_map(degrees: float) -> Affine:
    """A map about the middle of a square image."""
    turn = np.radians(degrees)
    scale = 256 / PIXEL * SCALE
    across, down = round(np.cos(turn) * scale), round(np.sin(turn) * scale)
    middle = SIZE * 128
    plain = Affine(0, across, -down, 0, down, across)
    x, y = plain.point(3500, 2500)
    return Affine(middle - x, across, -down, middle - y, down, across)


Side = tuple[float, float, float, float]


def sides_of(row: CellRow) -> list[Side]:
    """From where to where each runs, in form lengths: the upright ones, the upper ones, the lower ones."""
    upright, level = row.sides()
    return [*((at, start, at, end) for at, start, end in upright), *((start, at, end, at) for at, start, end in level)]


def drawn(sides: list[Side], affine: Affine, shift: tuple[float, float] = (0.0, 0.0), thick: float = 30.0) -> NDArray[np.uint8]:
    """Lines, shifted by pixels along and down the form, on even paper."""
    page = np.full((SIZE * _FINE, SIZE * _FINE), PAPER, np.uint8)
    coefficients = np.array(((affine.xx, affine.xy), (affine.yx, affine.yy))) / (SCALE * 256)
    origin = np.array((affine.x0, affine.y0)) / 256
    half = thick / 2
    for x0, y0, x1, y1 in sides:
        ends = np.array(((x0 - half, y0 - half), (x1 + half, y0 - half), (x1 + half, y1 + half), (x0 - half, y1 + half)))
        corners = (ends + np.array(shift) * PIXEL) @ coefficients.T + origin
        cv2.fillConvexPoly(page, np.rint((corners * _FINE - 0.5) * 256).astype(np.int32), (LINE,), shift=8)
    return np.asarray(cv2.resize(page, (SIZE, SIZE), interpolation=cv2.INTER_AREA), np.uint8)


@pytest.mark.parametrize("degrees", [0, 30, 90, 217])
def test_a_row_is_found_where_it_was_drawn(degrees: int) -> None:
    affine, errors = turned_map(degrees), []
    for step in range(-48, 49, 9):
        shift = step / 8, (7 * step % 96 - 48) / 8
        cells = find_frames(drawn(sides_of(ROW), affine, shift), affine, [ROW])[ROW]
        assert len(cells) == 3
        assert {(cell.found, cell.sides, cell.certain) for cell in cells} == {(10, 10, True)}
        for one, other in pairwise(cells):
            assert one.right == other.left
        errors += [(cell.left / 256 - shift[0], cell.top / 256 - shift[1]) for cell in cells]
        errors += [(cell.right / 256 - shift[0], cell.bottom / 256 - shift[1]) for cell in cells]
    assert np.abs(errors).max() <= _CLOSE
    assert np.sqrt(np.mean(np.square(errors))) <= _CLOSE / 2
    assert np.abs(np.mean(errors, axis=0)).max() <= _CLOSE / 2


@pytest.mark.parametrize("degrees", [0, 30, 90, 217])
def test_corners_of_a_row_are_those_of_its_lines(degrees: int) -> None:
    affine, shift = turned_map(degrees), (4.0, -2.5)
    cells = find_frames(drawn(sides_of(ROW), affine, shift), affine, [ROW])[ROW]
    turn = np.radians(degrees)
    off = np.array((shift[0] * np.cos(turn) - shift[1] * np.sin(turn), shift[0] * np.sin(turn) + shift[1] * np.cos(turn)))
    for corner, point in zip(row_corners(affine, ROW, cells), ROW.box.corners, strict=True):
        there = np.array(affine.point(*point)) / 256 + off
        assert np.array(corner) / 256 == pytest.approx(there, abs=_CLOSE)


def test_a_cell_that_is_wider_than_it_should_be_has_its_lines_where_they_are() -> None:
    affine = turned_map(0)
    sides = sides_of(ROW)
    sides[3] = (5000 + 2 * PIXEL, 1500, 5000 + 2 * PIXEL, 2500)
    cells = find_frames(drawn(sides, affine), affine, [ROW])[ROW]
    assert cells[2].right / 256 == pytest.approx(2.0, abs=_CLOSE)
    assert [cell.left for cell in cells] == pytest.approx([0, 0, 0], abs=_CLOSE * 256)


def test_a_side_that_is_not_there_is_where_the_others_say() -> None:
    affine = turned_map(0)
    sides = sides_of(ROW)
    del sides[1]
    cells = find_frames(drawn(sides, affine, (2.0, 0.0)), affine, [ROW])[ROW]
    assert cells[0].right / 256 == pytest.approx(2.0, abs=_CLOSE)
    assert cells[0].found == 9


@pytest.mark.parametrize("degrees", [0, 30])
@pytest.mark.parametrize("gone", range(11))
def test_a_row_is_certain_with_two_fifths_of_its_sides(degrees: int, gone: int) -> None:
    affine = turned_map(degrees)
    # A few of each kind, last the two ends.
    order = [1, 4, 9, 2, 5, 8, 6, 7, 0, 3]
    left = [side for number, side in enumerate(sides_of(ROW)) if number not in order[:gone]]
    cells = find_frames(drawn(left, affine), affine, [ROW])[ROW]
    assert {(cell.found, cell.sides) for cell in cells} == {(10 - gone, 10)}
    assert {cell.certain for cell in cells} == {gone <= 6}


@given(st.integers(0, 40), st.integers(4, 40))
def test_certain_is_two_fifths_exactly(found: int, sides: int) -> None:
    assert CellFrame(0, 0, 0, 0, found, sides).certain == (found / sides >= 0.4)


@pytest.mark.parametrize("level", [0, 60, 235, 255])
def test_on_even_paper_no_row_is_certain(level: int) -> None:
    frames = find_frames(np.full((SIZE, SIZE), level, np.uint8), turned_map(30), [ROW, OTHER])
    assert [cells[0].found for cells in frames.values()] == [0, 0]
    assert not any(cell.certain for cells in frames.values() for cell in cells)


def _told(cell: CellFrame) -> tuple[int, ...]:
    return cell.left, cell.right, cell.top, cell.bottom, cell.found, cell.sides


def test_rows_do_not_disturb_each_other() -> None:
    affine = turned_map(0)
    page = drawn(sides_of(ROW), affine, (3.0, 0.0)) // 2 + drawn(sides_of(OTHER), affine, (-3.0, 1.0)) // 2
    both = find_frames(page, affine, [ROW, OTHER])
    assert list(both) == [ROW, OTHER]
    for row in (ROW, OTHER):
        assert [_told(cell) for cell in both[row]] == [_told(cell) for cell in find_frames(page, affine, [row])[row]]
    assert both[ROW][0].left / 256 == pytest.approx(3.0, abs=_CLOSE)
    assert both[OTHER][0].left / 256 == pytest.approx(-3.0, abs=_CLOSE)


def test_writing_across_a_line_does_not_move_it() -> None:
    affine = turned_map(0)
    page = drawn(sides_of(ROW), affine)
    before = find_frames(page, affine, [ROW])[ROW]
    x, y = (part // 256 for part in affine.point(2400, 1500))
    page[y - 20 : y + 20, x : x + 6] = 30
    page[y + 3 : y + 6, x - 8 : x + 14] = 30
    assert find_frames(page, affine, [ROW])[ROW][0].top == pytest.approx(before[0].top, abs=32)


def test_lines_beside_the_image_are_not_found() -> None:
    affine = turned_map(0)
    page = drawn(sides_of(ROW), affine)
    right = affine.point(4500, 0)[0] // 256
    cells = find_frames(np.ascontiguousarray(page[:, :right]), affine, [ROW])[ROW]
    # The last upright line, and the two level ones of the last cell.
    assert cells[0].found in {7, 8}
    assert find_frames(np.ascontiguousarray(page[:40, :40]), affine, [ROW])[ROW][0].found == 0


def test_no_rows_have_no_frames() -> None:
    assert find_frames(np.full((50, 50), 200, np.uint8), turned_map(0), []) == {}


def test_coarse_profiles_see_the_same_lines() -> None:
    affine = turned_map(30)
    page = drawn(sides_of(ROW), affine, (6.0, 0.0))
    lines = np.array(ROW.sides()[0], np.int64)
    for step in (1, 2, 3):
        profiles = Profiles(page, affine, [affine] * 4, lines, 18 * 256, upright=True, step=step)
        assert profiles.reach == 18 // step
        assert profiles.dark.shape == (4, 2 * profiles.reach + 1)
        darkest = (np.argmax(profiles.dark.sum(axis=0)) - profiles.reach) * step
        assert abs(int(darkest) - 6) <= step


def test_sides_are_each_counted_once() -> None:
    for row in (*rows_of(LUMEN.all_fields), *label_rows(LUMEN)):
        upright, level = row.sides()
        assert len(upright) + len(level) == row.cells + 1 + 2 * row.pieces
        assert row.pieces % row.cells == 0
        assert all(end - start < 4000 for _, start, end in level)
        assert upright[0][0] == row.box.x
        assert upright[-1][0] == row.box.x + row.box.width
        assert [end for _, _, end in level[: row.pieces - 1]] == [start for _, start, _ in level[1 : row.pieces]]
    assert [row.name for row in label_rows(LUMEN)] == [f"label:{number}" for number in range(12)]
