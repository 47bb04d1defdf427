"""Grey levels between pixels, by integer interpolation: the page itself is never warped."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.fixed.number import SUBPIXEL
from edge.page.page import Grey

Positions = NDArray[np.int32]
"""1/256 pixel from the left or top edge of the image."""


def halved(plane: Grey) -> Grey:
    """The plane at half the resolution: means of two by two pixels, rounded half up; an odd last row or column is dropped."""
    height, width = plane.shape[0] // 2 * 2, plane.shape[1] // 2 * 2
    whole = plane[:height, :width].astype(np.uint16)
    total = whole[0::2, 0::2] + whole[0::2, 1::2] + whole[1::2, 0::2] + whole[1::2, 1::2]
    return np.asarray((total + 2) >> 2, np.uint8)


def sample(plane: Grey, x: Positions, y: Positions) -> NDArray[np.int32]:
    """Grey levels at positions, interpolated between the four nearest pixels, rounded half up; the edges go on outwards."""
    height, width = plane.shape
    # A pixel's level is that of its middle.
    x = np.clip(x - SUBPIXEL // 2, 0, (width - 1) * SUBPIXEL)
    y = np.clip(y - SUBPIXEL // 2, 0, (height - 1) * SUBPIXEL)
    column = np.minimum(x >> 8, width - 2)
    row = np.minimum(y >> 8, height - 2)
    right, below = x - (column << 8), y - (row << 8)
    flat = np.ascontiguousarray(plane).ravel()
    index = row * np.int32(width) + column
    upper = flat[index] * (SUBPIXEL - right) + flat[index + 1] * right
    lower = flat[index + width] * (SUBPIXEL - right) + flat[index + width + 1] * right
    return np.asarray((upper * (SUBPIXEL - below) + lower * below + (1 << 15)) >> 16, np.int32)
