"""The printed lines of each row of cells, measured where they are: paper stretches, and a whole-page fit is not enough."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.definition.box import Box
from edge.definition.form import Form, FormField
from edge.fixed.number import SUBPIXEL, Int64Array, round_div
from edge.page.page import Grey
from edge.tally.affine import Affine, FormMap, mapped

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
    """How far the printed lines of a cell are off the map, in 1/256 pixel.

    Attributes:
        left: Of the left line, to the right on the form.
        right: Of the right line, to the right.
        top: Of the upper line, down on the form.
        bottom: Of the lower line, down.
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


class CellRow(NamedTuple):
    """Cells side by side with one frame around them; a label frame is a row of one."""

    name: str
    box: Box
    cells: int


def rows_of(fields: Iterable[FormField]) -> list[CellRow]:
    """The rows of fields, in reading order."""
    return [CellRow(field.name, box, field.cells) for field in fields for box in field.boxes]


def label_rows(form: Form) -> list[CellRow]:
    """The form's label frames, each named `label:` and its number."""
    return [CellRow(f"label:{number}", box, 1) for number, box in enumerate(form.registration.frames)]


def find_frames(plane: Grey, form_map: FormMap, rows: Sequence[CellRow]) -> dict[CellRow, tuple[CellFrame, ...]]:
    """The frames of the cells of each row.

    Args:
        plane: What shows print and writing; uint8 of shape (height, width).
        form_map: Where the form lies in it.
        rows: What to look for.
    """
    upright: list[tuple[int, int, int]] = []
    level: list[tuple[int, int, int]] = []
    upright_maps: list[Affine] = []
    level_maps: list[Affine] = []
    for row in rows:
        box, local = row.box, form_map.at(row.box)
        edges = [box.x + box.width * number // row.cells for number in range(row.cells + 1)]
        upright += [(edge, box.y, box.y + box.height) for edge in edges]
        level += [(line, box.x, box.x + box.width) for line in (box.y, box.y + box.height)]
        upright_maps += [local] * len(edges)
        level_maps += [local] * 2
    if not rows:
        return {}
    reach, slack = (max(least, form_map.distance(length)) for length, least in ((_REACH, 4 * SUBPIXEL), (_SLACK, SUBPIXEL)))
    across = _Profiles(plane, upright_maps, np.array(upright, np.int64), reach, slack, upright=True)
    down = _Profiles(plane, level_maps, np.array(level, np.int64), reach, slack, upright=False)
    frames: dict[CellRow, tuple[CellFrame, ...]] = {}
    first = 0
    for number, row in enumerate(rows):
        lefts, left_found = across.offsets(first, first + row.cells + 1)
        tops, top_found = down.offsets(2 * number, 2 * number + 2)
        found, lines = left_found + top_found, row.cells + 3
        frames[row] = tuple(CellFrame(lefts[cell], lefts[cell + 1], tops[0], tops[1], found, lines) for cell in range(row.cells))
        first += row.cells + 1
    return frames


class _Profiles:
    """How dark the page is beside the expected place of each of some parallel lines."""

    def __init__(self, plane: Grey, maps: Sequence[Affine], lines: Int64Array, reach: int, slack: int, *, upright: bool) -> None:
        """Measure across lines of which each is given by its position, start and end in form lengths; reaches in 1/256 pixel."""
        self._reach, self._slack = reach // SUBPIXEL, round_div(slack, SUBPIXEL)
        shifts = np.arange(-self._reach, self._reach + 1, dtype=np.int64)
        values, inside = _values(plane, maps, lines, shifts, upright=upright)
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
    plane: Grey, maps: Sequence[Affine], lines: Int64Array, shifts: Int64Array, *, upright: bool
) -> tuple[Int64Array, NDArray[np.bool_]]:
    """Grey levels along each line at each shift across it: int64 (lines, samples, shifts); and which shifts lie in the image."""
    height, width = plane.shape
    position, start, end = lines[:, 0:1], lines[:, 1:2], lines[:, 2:3]
    length = end - start
    steps = np.arange(_SAMPLES, dtype=np.int64)[np.newaxis, :]
    along = start + length // _END_PARTS + length * (_END_PARTS - 2) * steps // (_END_PARTS * (_SAMPLES - 1))
    at = np.broadcast_to(position, along.shape)
    x, y = mapped(maps, at, along) if upright else mapped(maps, along, at)
    unit = np.array([one.unit_x if upright else one.unit_y for one in maps], np.int64)[:, :, np.newaxis, np.newaxis]
    column = (x[:, :, np.newaxis] + shifts * unit[:, 0]) // SUBPIXEL
    row = (y[:, :, np.newaxis] + shifts * unit[:, 1]) // SUBPIXEL
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    column, row = np.clip(column, 0, width - 1), np.clip(row, 0, height - 1)
    return plane[row, column].astype(np.int64), inside.sum(axis=1) * 4 >= 3 * _SAMPLES
