"""Cells cut from the scan: each as a small picture of the same size, 0 = paper and 255 = pen, and what is doubtful about it.

Pixels are taken where the frame's measured lines say, between pixels by integer interpolation; the page itself is never warped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.definition.box import Box
from edge.definition.form import FormField
from edge.fixed.number import SUBPIXEL, Int64Array, round_div
from edge.page.area import Area
from edge.page.page import Grey
from edge.tally.affine import Affine, FormMap, mapped
from edge.tally.frame_lines import CellFrame, CellRow, rows_of
from edge.tally.ink import PATCH_SIDE, Frame
from edge.tally.sampling import Positions, halved, sample
from edge.tally.scan import TallyScan

_CELL_SIDE = 64
"""Pixels of a patch that the longer side of a cell covers."""
_FINE_DPI = 225
"""From here on pixels are averaged two by two before they are sampled: a patch has about 180 dpi."""
_PAPER_PARTS = (3, 4)
"""The paper's level is the value that three quarters of a patch's pixels do not exceed; writing covers less than a quarter."""
_INK_PER_CENT = 12
"""Darker than the paper by more than this is ink when the pen's own level is looked for."""
_PEN_PARTS = (3, 4)
"""The pen's depth is the one that three quarters of the ink does not exceed: the rims of strokes are paler."""
_LEAST_PEN_PER_CENT = 20
"""A pen that is paler than this below the paper is taken for one that has this depth: noise must not become ink."""
_FOREIGN_PER_CENT = 22
_LEAST_FOREIGN = 10
"""Pixels that are dark only in a colour that no pen of the form has, of each fourth pixel of a patch (1024 in a square cell)."""
_INSIDE = 8
"""Pixels inside the frame's centre line in which foreign colour is not looked for: the print's own lies there."""


_LINE_DARKNESS = 60
_LINE_BEYOND = 20
"""A line through a cell has ink along its whole height or width and 20 pixels more, of 32 that the patch shows beyond."""


@dataclass(frozen=True, slots=True, eq=False)
class CellCut:
    """The cells of a form, in the order of the fields and their cells.

    Attributes:
        fields: Name of the field of each.
        frame: Where the printed frame lies in each patch, by shape of cell; patches with one frame are a batch.
        patches: uint8 (n, 96, 96), 0 = paper, 255 = full ink.
        frames: The frame of each patch.
        doubts: Why a cell cannot be believed, or None: offImage, frameNotFound, foreignInk, lineDown, lineAcross.
        areas: Where each lies in the upright image.
    """

    fields: tuple[str, ...]
    patches: NDArray[np.uint8]
    frames: tuple[Frame, ...]
    doubts: tuple[str | None, ...]
    areas: tuple[Area, ...]


def cut_cells(
    scan: TallyScan, form_map: FormMap, fields: tuple[FormField, ...], found: Mapping[CellRow, tuple[CellFrame, ...]]
) -> CellCut:
    """Cut the cells of the fields from a scan; `found` has the frames of every row of theirs."""
    names: list[str] = []
    boxes: list[Box] = []
    places: list[CellFrame] = []
    maps: list[Affine] = []
    by_hand: list[bool] = []
    for field in fields:
        cells = field.cell_boxes()
        names += [field.name] * len(cells)
        boxes += cells
        for row in rows_of((field,)):
            places += found[row]
        maps += [form_map.at(cell) for cell in cells]
        by_hand += [field.written == "hand"] * len(cells)
    frames = tuple(_frame_in_patch(box) for box in boxes)
    corners = _corners(maps, boxes, places)
    x, y = _positions(corners, np.array(frames, np.int64))
    fine = form_map.dpi >= _FINE_DPI
    pen = _levels(scan.pen, x, y, fine=fine)
    paper = _paper(pen)
    depth = np.maximum(paper - pen, 0)
    patches = _darkness(depth, paper, frames, np.array(by_hand, np.bool_))
    height, width = scan.pen.shape
    off = _off_image(corners, width, height)
    foreign = np.zeros(len(boxes), np.bool_)
    if scan.in_colour:
        full = _levels(scan.print, x[:, ::2, ::2], y[:, ::2, ::2], fine=fine)
        foreign = _foreign(full, depth[:, ::2, ::2], frames)
    lines = _lines_through(patches, frames)
    doubts = tuple(
        "offImage"
        if off[number]
        else "frameNotFound"
        if not place.certain
        else "foreignInk"
        if foreign[number]
        else lines[number]
        for number, place in enumerate(places)
    )
    return CellCut(tuple(names), patches, frames, doubts, _areas(corners, width, height))


def _frame_in_patch(box: Box) -> Frame:
    """A cell's frame in its patch: the longer side spans 64 pixels, everything is centred."""
    longer = max(box.width, box.height)
    half_width = (box.width * _CELL_SIDE + longer) // (2 * longer)
    half_height = (box.height * _CELL_SIDE + longer) // (2 * longer)
    middle = PATCH_SIDE // 2
    return Frame(middle - half_width, middle - half_height, middle + half_width, middle + half_height)


def _corners(maps: Sequence[Affine], boxes: Sequence[Box], places: Sequence[CellFrame]) -> Int64Array:
    """Image positions of the upper left, upper right and lower left corner of each cell: int64 (n, 3, 2), 1/256 pixel."""
    left, top, wide, tall = np.array(boxes, np.int64).T
    shifts = np.array([(place.left, place.right, place.top, place.bottom) for place in places], np.int64)
    x, y = mapped(maps, np.stack((left, left + wide, left), axis=1), np.stack((top, top, top + tall), axis=1))
    to_right, down = shifts[:, (0, 1, 0)], shifts[:, (2, 2, 3)]
    unit_x = np.array([one.unit_x for one in maps], np.int64)
    unit_y = np.array([one.unit_y for one in maps], np.int64)
    off_x = np.asarray(to_right * unit_x[:, 0:1] + down * unit_y[:, 0:1], np.int64)
    off_y = np.asarray(to_right * unit_x[:, 1:2] + down * unit_y[:, 1:2], np.int64)
    return np.stack((x + round_div(off_x, SUBPIXEL), y + round_div(off_y, SUBPIXEL)), axis=2)


def _positions(corners: Int64Array, frames: Int64Array) -> tuple[Positions, Positions]:
    """Where each pixel of each patch lies in the image, 1/256 pixel; two arrays int32 (n, 96, 96)."""
    # A cell is smaller than 2**10 pixels and a patch than 2**7: no product reaches 2**26.
    corners, frames = corners.astype(np.int32), frames.astype(np.int32)
    middles = 2 * np.arange(PATCH_SIDE, dtype=np.int32) + 1
    left, top, right, bottom = (frames[:, side, np.newaxis, np.newaxis] for side in range(4))
    across = middles[np.newaxis, np.newaxis, :] - 2 * left
    down = middles[np.newaxis, :, np.newaxis] - 2 * top
    wide, tall = 2 * (right - left), 2 * (bottom - top)
    start = corners[:, 0, :, np.newaxis, np.newaxis]
    along, below = corners[:, 1, :, np.newaxis, np.newaxis] - start, corners[:, 2, :, np.newaxis, np.newaxis] - start
    x = start[:, 0] + (along[:, 0] * across) // wide + (below[:, 0] * down) // tall
    y = start[:, 1] + (along[:, 1] * across) // wide + (below[:, 1] * down) // tall
    return x, y


def _levels(plane: Grey, x: Positions, y: Positions, *, fine: bool) -> NDArray[np.int32]:
    """Grey levels at positions of the whole image; `fine` averages pixels two by two first."""
    return sample(halved(plane), x >> 1, y >> 1) if fine else sample(plane, x, y)


def _paper(samples: NDArray[np.int32]) -> NDArray[np.int32]:
    """Level of the paper of each patch: int32 (n, 1, 1)."""
    flat = samples.reshape(len(samples), -1)
    place = flat.shape[1] * _PAPER_PARTS[0] // _PAPER_PARTS[1]
    return np.partition(flat, place, axis=1)[:, place].reshape(-1, 1, 1)


def _darkness(
    depth: NDArray[np.int32], paper: NDArray[np.int32], frames: tuple[Frame, ...], by_hand: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Depth below the paper in parts of the pen's own depth, 255 = all of it."""
    inside = np.zeros(depth.shape, np.bool_)
    for number, frame in enumerate(frames):
        if by_hand[number] or not by_hand.any():
            inside[number, frame.top + _INSIDE : frame.bottom - _INSIDE, frame.left + _INSIDE : frame.right - _INSIDE] = True
    # In parts of the local paper, so that a shadow makes no difference.
    parts = (depth * 1000) // np.maximum(paper, 1)
    ink = np.sort(parts[inside & (parts > 10 * _INK_PER_CENT)])
    pen = max(int(ink[len(ink) * _PEN_PARTS[0] // _PEN_PARTS[1]]) if len(ink) else 0, 10 * _LEAST_PEN_PER_CENT)
    return np.asarray(np.minimum(parts * 255 // pen, 255), np.uint8)


def _foreign(full: NDArray[np.int32], depth: NDArray[np.int32], frames: tuple[Frame, ...]) -> NDArray[np.bool_]:
    """Whether a cell holds ink of a colour that the form's pens do not have: it would be lost, and the cell look empty."""
    paper = _paper(full)
    unseen = (paper - full - depth) * 100 > paper * _FOREIGN_PER_CENT
    found = np.zeros(len(full), np.bool_)
    for number, frame in enumerate(frames):
        left, top, right, bottom = (edge // 2 for edge in frame)
        inside = unseen[number, top + _INSIDE // 2 : bottom - _INSIDE // 2, left + _INSIDE // 2 : right - _INSIDE // 2]
        found[number] = int(inside.sum()) >= _LEAST_FOREIGN
    return found


def _lines_through(patches: NDArray[np.uint8], frames: tuple[Frame, ...]) -> list[str | None]:
    """Cells through which a line runs from beyond one side to beyond the other: dirt on the glass, a crease, a stroke of the pen.

    `lineDown` or `lineAcross`, else None. No digit reaches so far on both sides.
    """
    ink = patches >= _LINE_DARKNESS
    beside = ink.copy()
    beside[:, :, 1:] |= ink[:, :, :-1]
    beside[:, :, :-1] |= ink[:, :, 1:]
    above = ink.copy()
    above[:, 1:] |= ink[:, :-1]
    above[:, :-1] |= ink[:, 1:]
    down, across = beside.sum(axis=1), above.sum(axis=2)
    found: list[str | None] = []
    for number, frame in enumerate(frames):
        columns = down[number, frame.left + _INSIDE : frame.right - _INSIDE]
        rows = across[number, frame.top + _INSIDE : frame.bottom - _INSIDE]
        least_down = frame.bottom - frame.top + _LINE_BEYOND
        least_across = frame.right - frame.left + _LINE_BEYOND
        if int(columns.max()) >= least_down:
            found.append("lineDown")
        else:
            found.append("lineAcross" if int(rows.max()) >= least_across else None)
    return found


def _bounds(corners: Int64Array) -> Int64Array:
    """Left, top, right and bottom of the box around each cell in whole pixels: int64 (n, 4)."""
    far = corners[:, 1] + corners[:, 2] - corners[:, 0]
    points = np.concatenate((corners, far[:, np.newaxis]), axis=1)
    return np.concatenate((points.min(axis=1) // SUBPIXEL, points.max(axis=1) // SUBPIXEL + 1), axis=1)


def _off_image(corners: Int64Array, width: int, height: int) -> NDArray[np.bool_]:
    """Whether a cell is not wholly in the image; a pixel over the edge is still in it."""
    bounds = _bounds(corners)
    return np.asarray((bounds[:, 0] < -1) | (bounds[:, 1] < -1) | (bounds[:, 2] > width + 1) | (bounds[:, 3] > height + 1))


def _areas(corners: Int64Array, width: int, height: int) -> tuple[Area, ...]:
    found = []
    for left, top, right, bottom in _bounds(corners).tolist():
        x, y = min(max(left, 0), width), min(max(top, 0), height)
        found.append(Area(x, y, max(0, min(right, width) - x), max(0, min(bottom, height) - y)))
    return tuple(found)
