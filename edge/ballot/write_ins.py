"""Ink in write-in areas: quadrilaterals that follow the page's skew, so that printed lines beside them stay out."""

from __future__ import annotations

import cv2
import numpy as np

from edge.fixed.ink import Bits
from edge.fixed.number import SUBPIXEL, Score

Corners = tuple[tuple[int, int], ...]


def area_ink(bits: Bits, corners: Corners) -> Score:
    """Black pixels among those whose centre lies inside a convex quadrilateral given in 1/256 pixel."""
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    left, right = max(-(-min(xs) // SUBPIXEL), 0), min(max(xs) // SUBPIXEL, bits.shape[1] - 1)
    top, bottom = max(-(-min(ys) // SUBPIXEL), 0), min(max(ys) // SUBPIXEL, bits.shape[0] - 1)
    if left > right or top > bottom:
        return Score(0, 0)
    x = np.arange(left, right + 1, dtype=np.int64)[None, :] * SUBPIXEL
    y = np.arange(top, bottom + 1, dtype=np.int64)[:, None] * SUBPIXEL
    inside = np.ones((bottom - top + 1, right - left + 1), np.bool_)
    for (x0, y0), (x1, y1) in zip(corners, (*corners[1:], corners[0]), strict=True):
        inside &= (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) >= 0
    return Score(cv2.countNonZero(bits[top : bottom + 1, left : right + 1] & inside.astype(np.uint8)), int(inside.sum()))
