"""The printed lines of each row of cells, measured where they are: paper stretches, and a whole-page fit is not enough."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.definition.form import FormField
from edge.fixed.number import SUBPIXEL, Int64Array, round_div
from edge.page.page import Grey
from edge.tally.affine import Affine

_SAMPLES = 48
_END_PARTS = 12
"""Lines are sampled without a twelfth of their length at each end, where corners are."""
_REACH = 120
"""Hundredths of a millimetre to either side in which a line is looked for: what a page-wide fit leaves."""
_SLACK = 35
"""Hundredths of a millimetre by which a line may lie off its row's common shift."""
_LEAST_DARK_PER_CENT = 5
"""Below the paper beside it, at half of a line's length at least: pale red print scanned in grey has 10 and more."""
_ENOUGH_DARK_PER_CENT = 10
"""A line counts no more for being darker than this: what was drawn across a form must not outweigh its print."""


@dataclass(frozen=True, slots=True, eq=False)
class CellFrame:
    """Where a cell lies: form box and how far its printed lines are off the map, in 1/256 pixel.

    Attributes:
        left: Horizontal correction of the left line.
        right: Of the right line.
        top: Vertical correction of the upper line.
        bottom: Of the lower line.
        found: Lines of the whole row that were found where they belong.
        lines: Lines that the row has.
    """

    left: int
    right: int
    top: int
    bottom: int
    found: int
    lines: int

    @property
    def certain(self) -> bool:
        """Whether enough of the row's lines were found to believe its place."""
        return 2 * self.found > self.lines


def find_frames(plane: Grey, affine: Affine, fields: tuple[FormField, ...]) -> dict[str, tuple[CellFrame, ...]]:
    """The frames of every cell of the fields, by field name and in reading order.

    Args:
        plane: What shows print and writing; uint8 of shape (height, width), upright.
        affine: Where the form lies in it.
        fields: The fields to look for.
    """
    upright: list[tuple[int, int, int]] = []
    level: list[tuple[int, int, int]] = []
    rows: list[tuple[str, int, int, int]] = []
    for field in fields:
        for box in field.boxes:
            rows.append((field.name, field.cells, len(upright), len(level)))
            edges = [box.x + box.width * number // field.cells for number in range(field.cells + 1)]
            upright += [(edge, box.y, box.y + box.height) for edge in edges]
            level += [(line, box.x, box.x + box.width) for line in (box.y, box.y + box.height)]
    across = _Profiles(plane, affine, np.array(upright, np.int64), upright=True)
    down = _Profiles(plane, affine, np.array(level, np.int64), upright=False)
    frames: dict[str, tuple[CellFrame, ...]] = {}
    for name, cells, first, first_level in rows:
        last, last_level = first + cells + 1, first_level + 2
        lefts, left_found = across.offsets(first, last)
        tops, top_found = down.offsets(first_level, last_level)
        found = left_found + top_found
        frames[name] = frames.get(name, ()) + tuple(
            CellFrame(lefts[cell], lefts[cell + 1], tops[0], tops[1], found, cells + 3) for cell in range(cells)
        )
    return frames


class _Profiles:
    """How dark the page is beside the expected place of each of some parallel lines."""

    def __init__(self, plane: Grey, affine: Affine, lines: Int64Array, *, upright: bool) -> None:
        """Measure across lines of which each is given by its position, start and end in form lengths."""
        self._reach = max(4, affine.distance(_REACH) // SUBPIXEL)
        self._slack = max(1, round_div(affine.distance(_SLACK), SUBPIXEL))
        shifts = np.arange(-self._reach, self._reach + 1, dtype=np.int64)
        values, inside = _values(plane, affine, lines, shifts, upright=upright)
        # At each distance the middle value along the line: writing that crosses it does not count.
        profile = np.sort(values, axis=1)[:, _SAMPLES // 2, :]
        paper = np.sort(profile, axis=1)[:, 3 * len(shifts) // 4, np.newaxis]
        dark = np.maximum(paper - profile, 0)
        dark[dark * 100 < paper * _LEAST_DARK_PER_CENT] = 0
        dark[~inside] = 0
        self._dark = np.minimum(dark, np.maximum(paper * _ENOUGH_DARK_PER_CENT // 100, 1))

    def offsets(self, first: int, last: int) -> tuple[list[int], int]:
        """How far the lines of one row are from where the map puts them, 1/256 pixel, and how many were found.

        The row moves as a whole to where most of its lines are; each then lies where it is darkest near by.
        """
        dark = self._dark[first:last]
        # A line off by one pixel still speaks for a shift.
        padded = np.pad(dark, ((0, 0), (1, 1)))
        near = np.maximum(np.maximum(padded[:, :-2], padded[:, 2:]), dark).sum(axis=0) * 4 + dark.sum(axis=0)
        order = np.lexsort((np.abs(np.arange(len(near)) - self._reach), -near))
        common = int(order[0])
        low, high = max(0, common - self._slack), min(len(near), common + self._slack + 1)
        window = dark[:, low:high]
        total = window.sum(axis=1)
        places = np.arange(low, high, dtype=np.int64) - self._reach
        centres = round_div((window * places).sum(axis=1) * SUBPIXEL, np.maximum(total, 1))
        found = total > 0
        if not found.any():
            return [0] * len(dark), 0
        middle = np.sort(centres[found])
        shared = round_div(int(middle[(len(middle) - 1) // 2]) + int(middle[len(middle) // 2]), 2)
        return np.where(found, centres, shared).tolist(), int(found.sum())


def _values(
    plane: Grey, affine: Affine, lines: Int64Array, shifts: Int64Array, *, upright: bool
) -> tuple[Int64Array, NDArray[np.bool_]]:
    """Grey levels along each line at each shift across it: int64 (lines, samples, shifts); and which shifts lie in the image."""
    height, width = plane.shape
    position, start, end = lines[:, 0:1], lines[:, 1:2], lines[:, 2:3]
    length = end - start
    steps = np.arange(_SAMPLES, dtype=np.int64)[np.newaxis, :]
    along = start + length // _END_PARTS + length * (_END_PARTS - 2) * steps // (_END_PARTS * (_SAMPLES - 1))
    at = np.broadcast_to(position, along.shape)
    x, y = (at, along) if upright else (along, at)
    column = affine.x_of(x, y)[:, :, np.newaxis] // SUBPIXEL + (shifts if upright else 0)
    row = affine.y_of(x, y)[:, :, np.newaxis] // SUBPIXEL + (0 if upright else shifts)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    column, row = np.broadcast_arrays(np.clip(column, 0, width - 1), np.clip(row, 0, height - 1))
    return plane[row, column].astype(np.int64), inside.sum(axis=1) * 4 >= 3 * _SAMPLES
