"""Paper enclosed by printed lines: the insides of cells and label boxes, by which a form is found."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.fixed.number import Int64Array
from edge.page.page import Grey

_WINDOW = 32
"""Pixels across the square whose mean is the local paper: wider than any line, narrower than most shadows."""
_AREA_BITS = 10
_FLOOR_BITS = 3
"""For the local mean no pixel counts as darker than 7/8 of its surroundings: a thick line must not hide a pale one beside it."""
LEAST_HEIGHT, MOST_HEIGHT = 24, 400
"""Pixels: a cell of 5 mm at 150 dpi has 30, a label box of 12 mm turned by 5 degrees at 300 dpi about 300."""
MOST_WIDTH = 2400
_LEAST_FILL = (2, 5)
"""Of its bounding box a window covers this share at least: writing and a slant of 5 degrees take the rest."""


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Pieces of paper with a closed line around them; arrays of one length, in pixels.

    Attributes:
        left: First column.
        top: First row.
        width: Columns.
        height: Rows.
    """

    left: Int64Array
    top: Int64Array
    width: Int64Array
    height: Int64Array

    def __len__(self) -> int:
        """How many there are."""
        return len(self.left)

    @property
    def middle_x(self) -> Int64Array:
        """Twice the horizontal middle, counted from the left edge of the image."""
        return 2 * self.left + self.width

    @property
    def middle_y(self) -> Int64Array:
        """Twice the vertical middle."""
        return 2 * self.top + self.height


def dark_lines(plane: Grey, per_cent: int) -> Grey:
    """1 where a pixel is darker than the mean of its surroundings by this part of it, else 0."""
    rough = (_window_sums(plane) >> _AREA_BITS).astype(np.uint8)
    clipped = np.maximum(plane, rough - (rough >> _FLOOR_BITS))
    return (plane * np.int32(100 << _AREA_BITS) < _window_sums(clipped) * np.int32(100 - per_cent)).astype(np.uint8)


def _window_sums(plane: Grey) -> NDArray[np.int32]:
    """Sum of the square around each pixel; int32, at most 2**18, so that a hundredfold still fits."""
    size = (_WINDOW, _WINDOW)
    return np.asarray(cv2.boxFilter(plane, cv2.CV_32S, size, normalize=False, borderType=cv2.BORDER_REPLICATE), np.int32)


def find_windows(plane: Grey, per_cent: int) -> Windows:
    """Windows in the plane that shows everything, of the sizes that cells and label boxes can have, in OpenCV's order."""
    paper = np.uint8(1) - dark_lines(plane, per_cent)
    _, _, stats, _ = cv2.connectedComponentsWithStats(paper, connectivity=4, ltype=cv2.CV_32S)
    left, top, width, height, area = np.asarray(stats, np.int64)[1:].T
    fits = (height >= LEAST_HEIGHT) & (height <= MOST_HEIGHT) & (width >= LEAST_HEIGHT) & (width <= MOST_WIDTH)
    fits &= area * _LEAST_FILL[1] >= width * height * _LEAST_FILL[0]
    return Windows(left[fits], top[fits], width[fits], height[fits])
