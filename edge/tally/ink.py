"""What belongs to a cell's writing, and the small picture of it that the digit model reads.

A patch shows a cell and what lies around it. The printed frame, what a neighbour's pen left here and dust are taken away; what is
left is scaled and centred as in MNIST (Y. LeCun, C. Cortes, C. Burges). Training runs these very functions, so the model sees in
service what it saw in training. All arithmetic is whole numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Darkness = NDArray[np.uint8]
_Mask = NDArray[np.uint8]

PATCH_SIDE = 96
"""Pixels of a patch's side."""
INPUT_SIDE = 28
"""Pixels of the model's input, as MNIST."""


class Frame(NamedTuple):
    """Centre lines of a cell's printed frame, in pixels of its patch."""

    left: int
    top: int
    right: int
    bottom: int


SQUARE_FRAME = Frame(16, 16, 80, 80)
"""Of a square cell."""

_DIGIT_SIDE = 20
"""Longest side of the writing in the model's input, as MNIST."""
_CENTRE_HALVES = 29
"""Where the centre of mass comes to lie, in half pixels from the edge: the middle of pixel 14, as in MNIST's files."""
_PARTS = 32
"""Positions are in 1/32 pixel of the patch when the writing is scaled."""

_INK = 72
"""Least darkness of a pixel that can be ink. Paper texture and bleed-through stay below, the soft edge of a stroke does not."""
_SURE_INK = 120
"""Darkness that some pixels of every stroke have: half of full ink, less what a thin stroke loses in scanning."""
_LEAST_SURE = 3
"""Pixels of sure ink in a stroke."""
_SPECK = 10
"""A spot with fewer pixels is dust: 10 pixels are 0.5 mm square on a 10 mm cell."""
_SPECK_PARTS = 30
"""So is one with less than 1/30 of the ink of the largest stroke."""

_BAND = 3
"""Pixels on either side of a frame's centre line that its printing may cover: 2 of misplacement, 1 of line."""
_SEARCH = 6
"""Pixels on either side in which a frame line is looked for: of a double frame, the other line may be the expected one."""
_END_PARTS = 8
"""A frame line has ink in the first and the last eighth of its length: a digit's stroke along it does not reach both."""
_SLIVER = 10
"""Pixels from the frame within which a stroke that comes in from outside stays, unless it is the writing itself."""
_SLIVER_GAP = 4
"""Pixels between such a stroke and the writing's box, beyond which it is none of it: a stem at the frame stays with its digit."""
_SLIVER_PER_CENT = 45
"""A sliver at the frame is the writing itself when it is alone and this high: a 1 that hugs the frame."""
_LEAST_SIDE_PARTS = 3
"""Writing smaller than a third of the cell's height is not enlarged to fill the input: a dot stays small."""


@dataclass(frozen=True, slots=True, eq=False)
class CleanInk:
    """The writing of some cells.

    Attributes:
        darkness: uint8 (n, 96, 96), 0 where nothing of the writing is.
        frame: The cells' frame.
        ink: int64 (n,), pixels of writing.
        foreign: int64 (n,), pixels inside the frame that were taken away as a neighbour's.
    """

    darkness: Darkness
    frame: Frame
    ink: NDArray[np.int64]
    foreign: NDArray[np.int64]


def clean_ink(patches: Darkness, frame: Frame = SQUARE_FRAME) -> CleanInk:
    """Take the frame, neighbours' strokes and dust away.

    Args:
        patches: uint8 (n, 96, 96): 0 = paper, 255 = full pen ink.
        frame: Where the printed frame's centre lines should be, the same for all.
    """
    masks = (patches >= _INK).view(np.uint8)
    out = np.zeros_like(patches)
    ink, foreign = np.zeros(len(patches), np.int64), np.zeros(len(patches), np.int64)
    inked = np.flatnonzero((patches >= _SURE_INK).any(axis=(1, 2)))
    for number in inked:
        mask = masks[number]
        line_pixels = _frame_lines(mask, frame)
        if line_pixels is not None:
            mask &= ~line_pixels & 1
        kept, foreign[number] = _own_strokes(mask, patches[number], frame)
        if kept is None:
            continue
        ink[number] = cv2.countNonZero(kept)
        # The pale rim of a stroke belongs to it, but for what belongs to something else.
        rim = cv2.dilate(kept, _SQUARE) & ((mask ^ 1) | kept)
        if line_pixels is not None:
            rim &= ~line_pixels & 1
        np.multiply(patches[number], rim, out=out[number])
    return CleanInk(out, frame, ink, foreign)


_SQUARE = np.ones((3, 3), np.uint8)


def _frame_lines(mask: _Mask, frame: Frame) -> _Mask | None:
    """Pixels of frame lines, 1 where they are and no stroke crosses; None when there are none."""
    across = mask.T
    level = [_line_rows(mask, line, frame.left, frame.right) for line in (frame.top, frame.bottom)]
    upright = [_line_rows(across, line, frame.top, frame.bottom) for line in (frame.left, frame.right)]
    if not any(level) and not any(upright):
        return None
    found = np.zeros((PATCH_SIDE, PATCH_SIDE), np.uint8)
    for pixels, target, lines, others in ((mask, found, level, upright), (across, found.T, upright, level)):
        for low, high in filter(None, lines):
            crossings = _crossings(pixels, low, high)
            # Where two lines of the frame cross, no stroke does.
            for start, end in filter(None, others):
                crossings[max(0, start - 2) : end + 2] = 0
            target[low:high] |= pixels[low:high] & ~crossings
    return found


def _line_rows(pixels: _Mask, line: int, start: int, end: int) -> tuple[int, int] | None:
    """First row and the row after the last of a printed line along the rows near `line`."""
    first = max(0, line - _SEARCH)
    band = pixels[first : line + _SEARCH + 1, start:end]
    counts = band.sum(axis=1, dtype=np.int64)
    length = end - start
    best = int(counts.argmax())
    if counts[best] * 2 < length:
        return None
    # A line that is a little askew steps from row to row: its ends may lie one row off the middle.
    near = band[max(0, best - 1) : best + 2]
    piece = length // _END_PARTS
    if not (near[:, :piece].any() and near[:, -piece:].any()):
        return None
    low = high = best
    while low > 0 and counts[low - 1] * 4 >= length:
        low -= 1
    while high < len(counts) - 1 and counts[high + 1] * 4 >= length:
        high += 1
    return first + low, first + high + 1


def _crossings(pixels: _Mask, low: int, high: int) -> _Mask:
    """Columns, one row of 0 and 1, in which a stroke goes on both above and below rows low to high."""
    above = pixels[max(0, low - 1)]
    below = pixels[min(PATCH_SIDE - 1, high)]
    # A stroke that meets the line aslant leaves it a little further on.
    return _beside(above) & _beside(below)


def _beside(row: _Mask) -> _Mask:
    """A row of 0 and 1 whose ones are spread by two columns to either side."""
    return np.asarray(cv2.dilate(row[None], np.ones((1, 5), np.uint8))[0], np.uint8)


@lru_cache(maxsize=64)
def _zones(frame: Frame) -> NDArray[np.int64]:
    """For each pixel of a patch, flat: 0 outside the cell, 1 about its frame's lines, 2 inside."""
    zones = np.zeros((PATCH_SIDE, PATCH_SIDE), np.int64)
    zones[max(0, frame.top - _BAND) : frame.bottom + _BAND + 1, max(0, frame.left - _BAND) : frame.right + _BAND + 1] = 1
    zones[frame.top + _BAND + 1 : frame.bottom - _BAND, frame.left + _BAND + 1 : frame.right - _BAND] = 2
    return zones.ravel()


def _own_strokes(mask: _Mask, patch: Darkness, frame: Frame) -> tuple[_Mask | None, int]:
    """The strokes that are this cell's own, and pixels inside the frame that are not; None for no stroke."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=cv2.CV_32S)
    if count < 2:
        return None, 0
    flat = labels.ravel()
    pixels = np.flatnonzero(flat)
    names = flat[pixels]
    zone = np.bincount(names * 3 + _zones(frame)[pixels], minlength=3 * count).reshape(count, 3)
    sure = np.bincount(names[patch.ravel()[pixels] >= _SURE_INK], minlength=count)
    area = stats[:, cv2.CC_STAT_AREA].astype(np.int64)
    left, top = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_TOP]
    right, bottom = left + stats[:, cv2.CC_STAT_WIDTH], top + stats[:, cv2.CC_STAT_HEIGHT]
    cut = (left == 0) | (top == 0) | (right == PATCH_SIDE) | (bottom == PATCH_SIDE)
    outside, band, inside = zone.T
    stroke = (area >= _SPECK) & (sure >= _LEAST_SURE)
    stroke[0] = False
    # Of a stroke that leaves the patch, as much again lies out of sight.
    own = stroke & (inside * 8 >= area) & (inside + band // 2 >= outside * np.where(cut, 2, 1))
    if not own.any():
        return None, int(inside[stroke].sum())
    largest = int(np.where(own, inside, 0).argmax())
    sliver = (
        ((right <= frame.left + _SLIVER) & (left <= frame.left + _BAND))
        | ((left >= frame.right - _SLIVER) & (right > frame.right - _BAND))
        | ((bottom <= frame.top + _SLIVER) & (top <= frame.top + _BAND))
        | ((top >= frame.bottom - _SLIVER) & (bottom > frame.bottom - _BAND))
    )
    gap_x = np.maximum(left - right[largest], left[largest] - right)
    gap_y = np.maximum(top - bottom[largest], top[largest] - bottom)
    sliver &= np.maximum(gap_x, gap_y) > _SLIVER_GAP
    # A 1 that hugs the frame is alone and tall.
    sliver[largest] &= bool((bottom - top)[largest] * 100 < (frame.bottom - frame.top) * _SLIVER_PER_CENT)
    own &= ~sliver & (area * _SPECK_PARTS >= area[largest])
    if not own.any():
        return None, int(inside[stroke].sum())
    kept = own.astype(np.uint8)[flat].reshape(labels.shape)
    if (own & cut).any():
        # What reaches the patch's border is a neighbour's that touches our digit: it ends at the frame.
        kept &= (_zones(frame) > 0).astype(np.uint8).reshape(kept.shape) | (own & ~cut).astype(np.uint8)[flat].reshape(kept.shape)
    return kept, int(inside[stroke & ~own].sum())


def model_inputs(clean: CleanInk) -> Darkness:
    """The writing as MNIST has it: uint8 (n, 28, 28), 0 = paper, 255 = ink.

    Its longer side takes 20 pixels, its centre of mass lies in the middle as far as the picture holds it whole, and pale writing
    is darkened up to twofold. A cell without writing gives zeros.
    """
    out = np.zeros((len(clean.darkness), INPUT_SIDE, INPUT_SIDE), np.uint8)
    least = (clean.frame.bottom - clean.frame.top) // _LEAST_SIDE_PARTS
    for number in np.flatnonzero(clean.ink):
        out[number] = _scaled(clean.darkness[number], least)
    return out


def _scaled(darkness: Darkness, least_side: int) -> Darkness:
    x, y, width, height = cv2.boundingRect((darkness >= _INK).view(np.uint8))
    # One pixel more on each side: the strokes' pale rims.
    x, y, right, bottom = max(0, x - 1), max(0, y - 1), min(PATCH_SIDE, x + width + 1), min(PATCH_SIDE, y + height + 1)
    box = darkness[y:bottom, x:right]
    pitch = (max(width, height, least_side) * _PARTS + _DIGIT_SIDE // 2) // _DIGIT_SIDE
    columns = _overlaps(box.sum(axis=0, dtype=np.int64), pitch)
    rows = _overlaps(box.sum(axis=1, dtype=np.int64), pitch)
    # Exact: no partial sum exceeds 255 * pitch**2, and pitch is at most 98 * 32 / 20.
    total = rows @ box.astype(np.float64) @ columns.T
    pixels = total.astype(np.int64)
    area = pitch * pitch
    peak = min(255, max(128, (int(pixels.max()) + area // 2) // area))
    return np.minimum((pixels * 255 * 2 + area * peak) // (2 * area * peak), 255).astype(np.uint8)


def _overlaps(profile: NDArray[np.int64], pitch: int) -> NDArray[np.float64]:
    """How much of each pixel along an axis falls into each of the 28, in 1/32 pixel.

    Args:
        profile: int64 (m,), darkness summed across the axis; not all 0.
        pitch: Width of one of the 28, in 1/32 pixel.

    Returns:
        float64 (28, m) of whole numbers.
    """
    length = len(profile) * _PARTS
    middles = np.arange(len(profile), dtype=np.int64) * _PARTS + _PARTS // 2
    mass = int(profile.sum())
    centre = (2 * int(profile @ middles) + mass) // (2 * mass)
    whole = INPUT_SIDE * pitch
    start = centre - pitch * _CENTRE_HALVES // 2
    # The whole writing stays in the picture when it fits.
    start = max(min(start, 0), length - whole) if length <= whole else start
    edges = start + np.arange(INPUT_SIDE + 1, dtype=np.int64) * pitch
    low, high = edges[:-1, None], edges[1:, None]
    first = np.arange(len(profile), dtype=np.int64) * _PARTS
    overlaps = np.minimum(high, first + _PARTS) - np.maximum(low, first)
    return np.asarray(np.maximum(overlaps, 0), np.float64)
