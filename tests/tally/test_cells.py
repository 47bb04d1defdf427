"""Cutting cells: the right place, the right scale, and what is wrong with a cell is said."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.definition.form import Form, load_form
from edge.tally.affine import SCALE, UNITS_PER_INCH, Affine
from edge.tally.cells import CellCut, cut_cells
from edge.tally.frame_lines import find_frames, rows_of
from edge.tally.scan import TallyScan, colour_scan, grey_scan

FORM = load_form(
    b"""
format = "scrutineer-form-1"
name = "made"
title = "Made for a test"
size = [10000, 6000]
[colours]
pen = ["blue", "black"]
print = ["red"]
[[fields]]
name = "first"
label = "three cells"
boxes = [[2000, 1000, 3000, 1000]]
cells = 3
[[fields]]
name = "second"
label = "two tall cells"
boxes = [[2000, 3000, 1600, 1200]]
cells = 2
"""
)
PAPER, RED, BLUE = (240, 238, 235), (235, 150, 140), (60, 70, 150)


def straight(dpi: int = 200, dx: int = 0, dy: int = 0) -> Affine:
    """The map of an upright scan, shifted by 1/256 pixels."""
    per_unit = dpi * 256 * SCALE // UNITS_PER_INCH
    return Affine(dx, per_unit, 0, dy, 0, per_unit)


def printed(affine: Affine, form: Form = FORM) -> NDArray[np.uint8]:
    """The form's frames, two pixels wide, on even paper."""
    width, height = (value // 256 for value in affine.point(*form.size))
    page = np.full((height, width, 3), PAPER, np.uint8)
    for field in form.all_fields:
        for cell in field.cell_boxes():
            left, top = (value // 256 for value in affine.point(cell.x, cell.y))
            right, bottom = (value // 256 for value in affine.point(cell.x + cell.width, cell.y + cell.height))
            for x in (left, right):
                page[top - 1 : bottom + 1, x - 1 : x + 1] = RED
            for y in (top, bottom):
                page[y - 1 : y + 1, left - 1 : right + 1] = RED
    return page


def cut(page: NDArray[np.uint8], affine: Affine) -> CellCut:
    scan = colour_scan(page, FORM)
    return cut_cells(scan, affine, FORM.all_fields, find_frames(scan.print, affine, rows_of(FORM.all_fields)))


def write(page: NDArray[np.uint8], affine: Affine, x: int, y: int, colour: tuple[int, int, int] = BLUE, side: int = 6) -> None:
    """A blot of a pen about a point of the form."""
    column, row = (value // 256 for value in affine.point(x, y))
    page[row - side : row + side, column - side : column + side] = colour


@pytest.mark.parametrize("dpi", [150, 200, 300])
def test_writing_is_where_it_was_written(dpi: int) -> None:
    affine = straight(dpi)
    page = printed(affine)
    # The middle of the second cell of the first field.
    write(page, affine, 3500, 1500, side=dpi // 30)
    found = cut(page, affine)
    assert found.fields == ("first", "first", "first", "second", "second")
    assert found.doubts == (None,) * 5
    rows, columns = np.nonzero(found.patches[1] > 200)
    assert abs(rows.mean() - 47.5) < 1.5
    assert abs(columns.mean() - 47.5) < 1.5
    # The other cells hold nothing inside their frames, of which red print leaves a trace at most.
    for number in (0, 2, 3, 4):
        frame = found.frames[number]
        assert found.patches[number, frame.top + 6 : frame.bottom - 6, frame.left + 6 : frame.right - 6].max() < 40


@pytest.mark.parametrize(("dx", "dy"), [(256, 0), (-700, 500), (0, -900), (1100, 1100)])
def test_a_map_that_is_a_little_off_is_mended_by_the_printed_lines(dx: int, dy: int) -> None:
    truth, told = straight(), straight(dx=dx, dy=dy)
    page = printed(truth)
    write(page, truth, 2500, 1500)
    exact, mended = cut(page, truth), cut(page, told)
    assert mended.doubts == exact.doubts
    moved = np.abs(mended.patches[0].astype(int) - exact.patches[0])
    assert moved.mean() < 4


def test_a_row_without_print_is_not_believed() -> None:
    affine = straight()
    page = np.full((480, 790, 3), PAPER, np.uint8)
    write(page, affine, 2500, 1500)
    assert set(cut(page, affine).doubts) == {"frameNotFound"}


def test_a_cell_beyond_the_image_is_off_it() -> None:
    affine = straight()
    page = printed(affine)[:, : affine.point(4500, 0)[0] // 256]
    assert cut(np.ascontiguousarray(page), affine).doubts[:3] == (None, None, "offImage")


@pytest.mark.parametrize(("colour", "doubt"), [((220, 40, 60), "foreignInk"), ((60, 70, 150), None), ((20, 20, 20), None)])
def test_a_pen_that_the_form_does_not_know_is_seen(colour: tuple[int, int, int], doubt: str | None) -> None:
    affine = straight()
    page = printed(affine)
    write(page, affine, 4500, 1500, colour)
    assert cut(page, affine).doubts[2] == doubt


@pytest.mark.parametrize(
    ("doubt", "rows", "columns"), [("lineDown", slice(20, 400), slice(196, 199)), ("lineAcross", slice(118, 121), slice(0, 790))]
)
def test_a_line_through_a_cell_is_seen(doubt: str, rows: slice, columns: slice) -> None:
    affine = straight()
    page = printed(affine)
    page[rows, columns] = BLUE
    assert doubt in cut(page, affine).doubts[:3]
    # Writing that fills its cell from frame to frame is no such line.
    page = printed(affine)
    left, top = (value // 256 for value in affine.point(2000, 1000))
    page[top : top + 78, left + 38 : left + 41] = BLUE
    assert cut(page, affine).doubts[0] is None


def test_a_shadow_makes_no_ink_and_takes_none() -> None:
    affine = straight()
    page = printed(affine)
    write(page, affine, 2500, 1500)
    plain = cut(page, affine)
    light = np.linspace(1.0, 0.55, page.shape[1])[np.newaxis, :, np.newaxis]
    shaded = cut((page * light).astype(np.uint8), affine)
    for number in range(5):
        frame = plain.frames[number]
        inside = (slice(frame.top + 6, frame.bottom - 6), slice(frame.left + 6, frame.right - 6))
        assert np.abs(plain.patches[number][inside].astype(int) - shaded.patches[number][inside]).max() < 30


def test_frames_keep_the_shape_of_cells() -> None:
    found = cut(printed(straight()), straight())
    assert (found.frames[0].right - found.frames[0].left, found.frames[0].bottom - found.frames[0].top) == (64, 64)
    tall = found.frames[3]
    assert tall.bottom - tall.top == 64
    assert tall.right - tall.left == 42


def test_a_grey_scan_has_one_plane() -> None:
    grey = np.full((480, 790), 230, np.uint8)
    scan = grey_scan(grey)
    assert isinstance(scan, TallyScan)
    assert not scan.in_colour
    assert not scan.turned().in_colour
