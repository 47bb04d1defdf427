"""Outlines of paper enclosed by printed lines, whatever way the form is turned or tilted."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from edge.fixed.number import SUBPIXEL, Int64Array
from edge.page.page import Grey
from edge.tally.projective import Projective
from edge.tally.windows import LEAST_HEIGHT, MOST_HEIGHT, MOST_WIDTH, Windows, dark_lines

_LEAST_SIDE = LEAST_HEIGHT * 2 // 3
_LEAST_AREA = LEAST_HEIGHT * LEAST_HEIGHT * 2 // 3


@dataclass(frozen=True, slots=True, eq=False)
class Outlines:
    """Points on the outlines of windows, in 1/256 pixel of the image.

    Attributes:
        x: int64 (n,).
        y: int64 (n,).
        starts: Where each outline begins, int64.
    """

    x: Int64Array
    y: Int64Array
    starts: Int64Array

    def through(self, view: Projective) -> Windows:
        """The upright boxes around the outlines as another view has them, in its pixels; of those that lie in front of it."""
        if not len(self.starts):
            empty = np.zeros(0, np.int64)
            return Windows(empty, empty, empty, empty)
        depth = np.minimum.reduceat(view.depth(self.x, self.y), self.starts)
        # What is behind the eye has no place. It is given some, and left out.
        front = np.repeat(depth > 0, self._lengths)
        x, y = view.of(np.where(front, self.x, view.middle[0]), np.where(front, self.y, view.middle[1]))
        left, top = (np.minimum.reduceat(axis, self.starts) - SUBPIXEL for axis in (x, y))
        right, bottom = (np.maximum.reduceat(axis, self.starts) + SUBPIXEL for axis in (x, y))
        left, top = (left + SUBPIXEL // 2) // SUBPIXEL, (top + SUBPIXEL // 2) // SUBPIXEL
        width, height = (right + SUBPIXEL // 2) // SUBPIXEL - left, (bottom + SUBPIXEL // 2) // SUBPIXEL - top
        fits = (depth > 0) & (height >= LEAST_HEIGHT) & (height <= MOST_HEIGHT) & (width >= LEAST_HEIGHT) & (width <= MOST_WIDTH)
        return Windows(left[fits], top[fits], width[fits], height[fits])

    @property
    def _lengths(self) -> Int64Array:
        return np.diff(np.append(self.starts, len(self.x)))


def find_outlines(plane: Grey, per_cent: int, scale: int) -> Outlines:
    """Outlines of windows in a plane that shows everything.

    Args:
        plane: uint8 of shape (height, width).
        per_cent: How much darker than its surroundings a line is, see `dark_lines`.
        scale: Pixels of the image that one pixel of the plane is wide.
    """
    # Lines thickened to the right and down: a slanted one, whose pixels touch at their corners, keeps windows apart.
    paper = np.uint8(1) - cv2.dilate(dark_lines(plane, per_cent), np.ones((2, 2), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(paper.astype(np.uint8), connectivity=4, ltype=cv2.CV_32S)
    _, _, width, height, area = np.asarray(stats, np.int64).T
    fits = (np.minimum(width, height) >= _LEAST_SIDE) & (np.maximum(width, height) <= MOST_WIDTH) & (area >= _LEAST_AREA)
    fits[0] = False
    chosen = fits.astype(np.uint8)[labels]
    every, tree = cv2.findContours(chosen, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    # What has no parent is the outside of a window; the others are holes.
    found = [outline for outline, (_, _, _, parent) in zip(every, tree[0], strict=True) if parent < 0] if every else []
    if not found:
        empty = np.zeros(0, np.int64)
        return Outlines(empty, empty, empty)
    lengths = [len(outline) for outline in found]
    points = np.concatenate(found).reshape(-1, 2).astype(np.int64) * (SUBPIXEL * scale)
    return Outlines(points[:, 0], points[:, 1], np.concatenate(([0], np.cumsum(lengths[:-1], dtype=np.int64))))
