"""A picture of any size as the region model sees it: 256 pixels on the longer side, by exact averages over areas."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

SIDE = 256
"""Pixels on each side of the model's input."""
_EMPTY = 128
"""What stands where the picture is not: the model's zero."""

Grey = NDArray[np.uint8]


def extents(width: int, height: int) -> tuple[int, int]:
    """Give the width and height, in pixels of the model's input, that a picture takes: 1 to 256."""
    longer = max(width, height)
    across, down = (max(1, (extent * SIDE + longer // 2) // longer) for extent in (width, height))
    return across, down


def reduced(plane: Grey) -> tuple[Grey, int, int]:
    """Give the (256, 256) uint8 input for a (height, width) uint8 picture, and the width and height that the picture takes there.

    It lies at the top left. Pixel i of n is the mean, halves up, of the rows or columns from floor(i * N / n) to before
    floor((i + 1) * N / n) of N; a picture that is smaller than the input is repeated by whole pixels.
    """
    if plane.dtype != np.uint8 or plane.ndim != 2 or not plane.size:
        raise ValueError(f"expected (height, width) uint8, got {plane.shape} {plane.dtype}")
    height, width = plane.shape
    across, down = extents(width, height)
    left, top = (np.arange(inner, dtype=np.int64) * extent // inner for inner, extent in ((across, width), (down, height)))
    seen = np.full((SIDE, SIDE), _EMPTY, np.uint8)
    if max(width, height) <= SIDE:
        seen[:down, :across] = plane[np.ix_(top, left)]
    else:
        # Strip by strip, which is five times as fast as np.add.reduceat down the columns.
        strips = [plane[start:end].sum(axis=0, dtype=np.uint32) for start, end in pairwise([*top.tolist(), height])]
        sums = np.add.reduceat(np.array(strips), left, axis=1, dtype=np.int64)
        areas = np.outer(np.diff(top, append=height), np.diff(left, append=width))
        seen[:down, :across] = (2 * sums + areas) // (2 * areas)
    return seen, across, down
