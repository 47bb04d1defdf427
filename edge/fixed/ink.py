"""Counting black pixels in many boxes at once.

Bits are uint8 arrays of shape (height, width) holding 1 where the page is black and 0 where it is white.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.fixed.number import Int64Array

Bits = NDArray[np.uint8]


class InkTable:
    """Summed-area table of a piece of a page: the ink in any box in four look-ups."""

    def __init__(self, bits: Bits, left: int = 0, top: int = 0) -> None:
        """Sum `bits`, whose top-left pixel is at (`left`, `top`) of the page."""
        self._table = np.asarray(cv2.integral(np.ascontiguousarray(bits), sdepth=cv2.CV_32S), np.int32)
        self._left, self._top = left, top
        self._height, self._width = bits.shape

    def count(self, x0: Int64Array, y0: Int64Array, x1: Int64Array, y1: Int64Array) -> tuple[Int64Array, Int64Array]:
        """Ink and visible area of the boxes [x0, x1) x [y0, y1) in page pixels; what lies outside the table is in neither."""
        left = np.clip(x0 - self._left, 0, self._width)
        right = np.clip(x1 - self._left, 0, self._width)
        top = np.clip(y0 - self._top, 0, self._height)
        bottom = np.clip(y1 - self._top, 0, self._height)
        table = self._table
        ink = table[bottom, right] - table[top, right] - table[bottom, left] + table[top, left]
        return ink.astype(np.int64), (right - left) * (bottom - top)


_LANES = 8
"""Bits are added eight at a time: a 64-bit word holds eight counters of one byte, none of which may pass 255."""
_MOST_PER_LANE = 255


def column_ink(bits: Bits) -> Int64Array:
    """Black pixels in each column; int64 of shape (width,)."""
    if bits.strides[1] != 1:
        bits = np.ascontiguousarray(bits)
    height, width = bits.shape
    whole = width - width % _LANES
    ink = np.zeros(width, np.int64)
    words = bits[:, :whole].view(np.uint64)
    for top in range(0, height, _MOST_PER_LANE):
        lanes = np.add.reduce(words[top : top + _MOST_PER_LANE], axis=0)
        ink[:whole] += lanes.view(np.uint8)
    ink[whole:] = np.count_nonzero(bits[:, whole:], axis=0)
    return ink


def longest_white_run(column: Bits) -> int:
    """Longest run of white in a one-dimensional array of bits, runs at its ends included."""
    black = np.flatnonzero(column)
    edges = np.concatenate(([-1], black, [len(column)]))
    return int(np.diff(edges).max()) - 1
