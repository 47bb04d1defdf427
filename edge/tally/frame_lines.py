"""The printed lines of each row of cells, measured where they are: paper stretches, and a whole-page fit is not enough."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.definition.box import Box
from edge.definition.form import Form, FormField
from edge.fixed.number import SUBPIXEL, Int64Array, round_div
from edge.page.page import Grey
from edge.tally.affine import Affine, FormMap

_SAMPLES = 48
"""Along the side of a cell."""
_END_PARTS = 12
"""Lines are sampled without a twelfth of their length at each end, where corners are."""
_REACH = 120
"""Hundredths of a millimetre to either side in which a line is looked for: what a page-wide fit leaves."""
_MOST_OFF = 80
"""Hundredths of a millimetre by which a row may be off the map: what lies farther off is other print."""
_SLACK = 35
"""Hundredths of a millimetre by which a line may lie off its row's common shift."""
_LEAST_DARK_PER_CENT = 5
"""Below the paper beside it, at half of a line's length at least: pale red print scanned in grey has 10 and more."""
_ENOUGH_DARK_PER_CENT = 10
"""A line counts no more for being darker than this: what was drawn across a form must not outweigh its print."""

_LONG = 2000
"""Hundredths of a millimetre: a level line is looked at in pieces that are shorter than twice this."""
_LEAST_SIDES = (2, 5)
"""Of the sides of a row's cells: some are printed faintly, some written over."""
Point = tuple[int, int]

LABEL = "label:"
"""Begins the names of label frames; no field has a colon in its name."""


@dataclass(frozen=True, slots=True, eq=False)
class CellFrame:
    """How far the printed lines of a cell are off the map, in 1/256 pixel.

    Attributes:
        left: Of the left line, to the right on the form.
        right: Of the right line, to the right.
        top: Of the upper line, down on the form.
        bottom: Of the lower line, down.
        found: Sides of the cells of the whole row that were found where they belong.
        sides: Sides that they have, each counted once.
    """

    left: int
    right: int
    top: int
    bottom: int
    found: int
    sides: int

    @property
    def certain(self) -> bool:
        """Whether enough of the row's sides were found to believe its place."""
        return self.found * _LEAST_SIDES[1] >= self.sides * _LEAST_SIDES[0]


class CellRow(NamedTuple):
    """Cells side by side with one frame around them; a label frame is a row of one."""

    name: str
    box: Box
    cells: int

    def sides(self) -> tuple[list[tuple[int, int, int]], list[tuple[int, int, int]]]:
        """The upright sides of the cells, from left to right, and the level ones, the upper ones first: position, start, end."""
        box = self.box
        edges = [box.x + box.width * number // self.cells for number in range(self.cells + 1)]
        ends = [box.x + box.width * number // self.pieces for number in range(self.pieces + 1)]
        level = [(line, left, right) for line in (box.y, box.y + box.height) for left, right in pairwise(ends)]
        return [(edge, box.y, box.y + box.height) for edge in edges], level

    @property
    def pieces(self) -> int:
        """Into how many the level lines are cut: one a cell, and more where that is long, since paper bends."""
        return self.cells * max(1, self.box.width // (self.cells * _LONG))


def rows_of(fields: Iterable[FormField]) -> list[CellRow]:
    """The rows of fields, in reading order."""
    return [CellRow(field.name, box, field.cells) for field in fields for box in field.boxes]


def label_rows(form: Form) -> list[CellRow]:
    """The form's label frames, each named by its number."""
    return [CellRow(f"{LABEL}{number}", box, 1) for number, box in enumerate(form.registration.frames)]


def every_row(form: Form) -> list[CellRow]:
    """The rows of all fields, then the label frames."""
    return rows_of(form.all_fields) + label_rows(form)


def box_names(rows: Iterable[CellRow]) -> list[str]:
    """What the boxes of rows are called, each once: further rows of a field have `#2` and so on behind its name."""
    counts: dict[str, int] = {}
    names = []
    for row in rows:
        number = counts[row.name] = counts.get(row.name, 0) + 1
        names.append(row.name if number == 1 else f"{row.name}#{number}")
    return names


def find_frames(plane: Grey, form_map: FormMap, rows: Sequence[CellRow]) -> dict[CellRow, tuple[CellFrame, ...]]:
    """The frames of the cells of each row.

    Args:
        plane: What shows print and writing; uint8 of shape (height, width).
        form_map: Where the form lies in it.
        rows: What to look for.
    """
    if not rows:
        return {}
    upright: list[tuple[int, int, int]] = []
    level: list[tuple[int, int, int]] = []
    upright_maps: list[Affine] = []
    level_maps: list[Affine] = []
    for row in rows:
        local = form_map.at(row.box)
        sides = row.sides()
        upright += sides[0]
        level += sides[1]
        upright_maps += [local] * len(sides[0])
        level_maps += [local] * len(sides[1])
    reach, slack = (max(least, form_map.distance(length)) for length, least in ((_REACH, 4 * SUBPIXEL), (_SLACK, SUBPIXEL)))
    across = Profiles(plane, form_map, upright_maps, np.array(upright, np.int64), reach, upright=True)
    down = Profiles(plane, form_map, level_maps, np.array(level, np.int64), reach, upright=False)
    frames: dict[CellRow, tuple[CellFrame, ...]] = {}
    first, first_level = 0, 0
    for row in rows:
        last, last_level = first + row.cells + 1, first_level + 2 * row.pieces
        lefts, left_found = across.offsets(first, last, 1, slack)
        (top, bottom), level_found = down.offsets(first_level, last_level, row.pieces, slack)
        found, count = left_found + level_found, row.cells + 1 + 2 * row.pieces
        frames[row] = tuple(CellFrame(lefts[cell], lefts[cell + 1], top, bottom, found, count) for cell in range(row.cells))
        first, first_level = last, last_level
    return frames


def is_found(form_map: FormMap, cells: tuple[CellFrame, ...]) -> bool:
    """Whether enough of a row's sides were found, and no farther from where the map puts them than paper and print explain."""
    first, last = cells[0], cells[-1]
    most = 2 * form_map.distance(_MOST_OFF)
    return first.certain and abs(first.left + last.right) <= most and abs(first.top + first.bottom) <= most


def row_corners(form_map: FormMap, row: CellRow, cells: tuple[CellFrame, ...]) -> tuple[Point, ...]:
    """Corners of a row where its lines are: top left, top right, bottom right, bottom left on the form; 1/256 pixel."""
    local = form_map.at(row.box)
    (right_x, right_y), (down_x, down_y) = local.unit_x, local.unit_y
    first, last = cells[0], cells[-1]
    offs = (first.left, first.top), (last.right, first.top), (last.right, first.bottom), (first.left, first.bottom)
    x, y = form_map.points(*np.array(row.box.corners, np.int64).T)
    return tuple(
        (
            across + round_div(to_right * right_x + down * down_x, SUBPIXEL),
            below + round_div(to_right * right_y + down * down_y, SUBPIXEL),
        )
        for across, below, (to_right, down) in zip(x.tolist(), y.tolist(), offs, strict=True)
    )


class Profiles:
    """How dark the page is beside the expected place of each of some parallel lines.

    Attributes:
        reach: Pixels to either side.
        dark: How much darker than the paper, int64 (lines, 2 * reach + 1); 0 where it is paper.
    """

    def __init__(
        self,
        plane: Grey,
        form_map: FormMap,
        around: Sequence[Affine],
        lines: Int64Array,
        reach: int,
        *,
        upright: bool,
        step: int = 1,
    ) -> None:
        """Measure across lines.

        Args:
            plane: uint8 of shape (height, width).
            form_map: Where the form lies.
            around: The map around each line, for its direction.
            lines: Position, start and end of each in form lengths, int64 (n, 3).
            reach: To either side, 1/256 pixel.
            upright: Whether they are upright on the form.
            step: Pixels from one measurement to the next.
        """
        self.reach = reach // (SUBPIXEL * step)
        shifts = np.arange(-self.reach, self.reach + 1, dtype=np.int64) * step
        values, inside = _values(plane, form_map, around, lines, shifts, upright=upright)
        # At each distance the middle value along the line: writing that crosses it does not count.
        profile = np.sort(values, axis=1)[:, _SAMPLES // 2, :]
        paper = np.sort(profile, axis=1)[:, 3 * len(shifts) // 4, np.newaxis]
        dark = np.maximum(paper - profile, 0)
        dark[dark * 100 < paper * _LEAST_DARK_PER_CENT] = 0
        dark[~inside] = 0
        self.dark = np.minimum(dark, np.maximum(paper * _ENOUGH_DARK_PER_CENT // 100, 1))

    def offsets(self, first: int, last: int, together: int, slack: int) -> tuple[list[int], int]:
        """How far the lines of one row are from where the map puts them, 1/256 pixel, and how many pieces of them were found.

        The row moves as a whole to where most of its lines are; each then lies where it is darkest near by.

        Args:
            first: First piece of the row.
            last: The one behind its last.
            together: Pieces that make one line.
            slack: By which a line may be off the row's common shift, 1/256 pixel.
        """
        dark = self.dark[first:last]
        # A line off by one pixel still speaks for a shift.
        padded = np.pad(dark, ((0, 0), (1, 1)))
        near = np.maximum(np.maximum(padded[:, :-2], padded[:, 2:]), dark).sum(axis=0) * 4 + dark.sum(axis=0)
        order = np.lexsort((np.abs(np.arange(len(near)) - self.reach), -near))
        common, most = int(order[0]), round_div(slack, SUBPIXEL)
        low, high = max(0, common - most), min(len(near), common + most + 1)
        pieces = dark[:, low:high]
        window = pieces.reshape(-1, together, high - low).sum(axis=1)
        total = window.sum(axis=1)
        places = np.arange(low, high, dtype=np.int64) - self.reach
        centres = round_div((window * places).sum(axis=1) * SUBPIXEL, np.maximum(total, 1))
        found = total > 0
        if not found.any():
            return [0] * len(window), 0
        middle = np.sort(centres[found])
        shared = round_div(int(middle[(len(middle) - 1) // 2]) + int(middle[len(middle) // 2]), 2)
        return np.where(found, centres, shared).tolist(), int(pieces.any(axis=1).sum())


def _values(
    plane: Grey, form_map: FormMap, around: Sequence[Affine], lines: Int64Array, shifts: Int64Array, *, upright: bool
) -> tuple[Int64Array, NDArray[np.bool_]]:
    """Grey levels along each line at each shift across it: int64 (lines, samples, shifts); and which shifts lie in the image."""
    height, width = plane.shape
    position, start, end = lines[:, 0:1], lines[:, 1:2], lines[:, 2:3]
    length = end - start
    steps = np.arange(_SAMPLES, dtype=np.int64)[np.newaxis, :]
    along = start + length // _END_PARTS + length * (_END_PARTS - 2) * steps // (_END_PARTS * (_SAMPLES - 1))
    at = np.broadcast_to(position, along.shape)
    points = (at, along) if upright else (along, at)
    x, y = (axis.reshape(along.shape) for axis in form_map.points(points[0].ravel(), points[1].ravel()))
    unit = np.array([one.unit_x if upright else one.unit_y for one in around], np.int64)[:, :, np.newaxis, np.newaxis]
    column = (x[:, :, np.newaxis] + shifts * unit[:, 0]) // SUBPIXEL
    row = (y[:, :, np.newaxis] + shifts * unit[:, 1]) // SUBPIXEL
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    column, row = np.clip(column, 0, width - 1), np.clip(row, 0, height - 1)
    return plane[row, column].astype(np.int64), inside.sum(axis=1) * 4 >= 3 * _SAMPLES
