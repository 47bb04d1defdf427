"""Printing on a grid of pixels: how much of each pixel ink covers, exactly, in integers.

A rectangle's coverage is the product of its coverage across and down, so timing marks, lines and QR modules come out as a perfect
scanner would integrate them, at any sub-pixel position. Round shapes are drawn eight times as large and averaged.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from hil.paper.lettering import Grey, letters

PAPER_TONE = 250
INK_TONE = 15
_UNIT = 256
_OVERSAMPLE = 8

Length = Fraction | float


def _units(length: Length, dpi: int) -> int:
    """Inches to 1/256 pixel."""
    return round(length * dpi * _UNIT)


def span_coverage(start: int, stop: int, first: int, count: int) -> npt.NDArray[np.int64]:
    """Coverage 0..256 of pixels `first`..`first + count - 1` by the interval from `start` to `stop` (1/256 pixel)."""
    edges = np.arange(first, first + count + 1, dtype=np.int64) * _UNIT
    low = np.maximum(edges[:-1], start)
    high = np.minimum(edges[1:], stop)
    return np.asarray(np.maximum(high - low, 0), dtype=np.int64)


class Plate:
    """The ink of one side while it is being composed.

    Attributes:
        dpi: Pixels per inch.
        ink: Coverage 0..255, shape (height, width), uint8.
    """

    def __init__(self, width: int, height: int, dpi: int) -> None:
        """Starts an empty plate of `width` x `height` pixels."""
        self.dpi = dpi
        self.ink: Grey = np.zeros((height, width), dtype=np.uint8)

    def _put(self, left: int, top: int, coverage: npt.NDArray[np.int64] | Grey, *, erase: bool = False) -> None:
        height, width = self.ink.shape
        x0, y0 = max(left, 0), max(top, 0)
        x1, y1 = min(left + coverage.shape[1], width), min(top + coverage.shape[0], height)
        if x0 >= x1 or y0 >= y1:
            return
        part = coverage[y0 - top : y1 - top, x0 - left : x1 - left].astype(np.uint8, copy=False)
        view = self.ink[y0:y1, x0:x1]
        view[:] = cv2.subtract(view, part) if erase else cv2.add(view, part)

    def rectangle(self, left: Length, top: Length, right: Length, bottom: Length) -> None:
        """Fills a rectangle given in inches."""
        x0, y0, x1, y1 = (_units(edge, self.dpi) for edge in (left, top, right, bottom))
        first_x, first_y = x0 // _UNIT, y0 // _UNIT
        across = span_coverage(x0, x1, first_x, -(-x1 // _UNIT) - first_x)
        down = span_coverage(y0, y1, first_y, -(-y1 // _UNIT) - first_y)
        self._put(first_x, first_y, np.minimum(np.outer(down, across) // _UNIT, 255))

    def clear(self, left: Length, top: Length, right: Length, bottom: Length) -> None:
        """Takes all ink away from the whole pixels of a rectangle given in inches."""
        x0, y0, x1, y1 = (max(0, round(edge * self.dpi)) for edge in (left, top, right, bottom))
        self.ink[y0:y1, x0:x1] = 0

    def frame(self, left: Length, top: Length, right: Length, bottom: Length, line: Length) -> None:
        """Draws the four inner edges of a rectangle, `line` inches thick."""
        self.rectangle(left, top, right, top + line)
        self.rectangle(left, bottom - line, right, bottom)
        self.rectangle(left, top + line, left + line, bottom - line)
        self.rectangle(right - line, top + line, right, bottom - line)

    def modules(self, left: Length, top: Length, side: Length, matrix: npt.NDArray[np.bool_]) -> None:
        """Prints a square of dark and light modules (a QR symbol without its quiet zone), `side` inches wide."""
        count = len(matrix)
        x0, y0, units = _units(left, self.dpi), _units(top, self.dpi), _units(side, self.dpi)
        edges = [index * units // count for index in range(count + 1)]
        first_x, first_y = x0 // _UNIT, y0 // _UNIT
        pixels = units // _UNIT + 2
        across = np.stack([span_coverage(x0 + start, x0 + stop, first_x, pixels) for start, stop in pairwise(edges)])
        down = np.stack([span_coverage(y0 + start, y0 + stop, first_y, pixels) for start, stop in pairwise(edges)])
        coverage = down.T @ matrix.astype(np.int64) @ across
        self._put(first_x, first_y, np.minimum(coverage // _UNIT, 255))

    def oval(self, x: Length, y: Length, width: Length, height: Length, radius: Length, line: Length | None) -> None:
        """Draws a rounded rectangle centred at (`x`, `y`) inches; `line` None fills it."""
        centre_x, centre_y = _units(x, self.dpi), _units(y, self.dpi)
        left, top = centre_x // _UNIT, centre_y // _UNIT
        step = _UNIT // _OVERSAMPLE
        phase_x, phase_y = (centre_x % _UNIT) // step, (centre_y % _UNIT) // step
        sizes = tuple(round(length * self.dpi * _OVERSAMPLE * 16) for length in (width, height, radius, line or 0))
        stamp = _oval_stamp(phase_x, phase_y, *sizes)
        half_y, half_x = stamp.shape[0] // 2, stamp.shape[1] // 2
        self._put(left - half_x, top - half_y, stamp)

    def text(self, x: Length, y: Length, text: str, size: Length, *, bold: bool = False, white: bool = False) -> None:
        """Sets one line of text with its ascender line at `y`; `white` takes ink away instead."""
        ink = letters(text, max(4, round(size * self.dpi)), bold)
        self._put(round(x * self.dpi), round(y * self.dpi), ink, erase=white)

    def printed(self, paper: int = PAPER_TONE, tone: int = INK_TONE) -> Grey:
        """The page: grey uint8 of the plate's shape, `paper` where there is no ink and `tone` where there is nothing else."""
        levels = np.arange(256, dtype=np.int64)
        table = ((paper * (255 - levels) + tone * levels + 127) // 255).astype(np.uint8)
        return np.asarray(cv2.LUT(self.ink, table), dtype=np.uint8)


@lru_cache(maxsize=1024)
def _oval_stamp(phase_x: int, phase_y: int, width: int, height: int, radius: int, line: int) -> Grey:
    """Coverage of a rounded rectangle around the middle pixel's top-left corner plus the phase; sizes in 1/16 of 1/8 pixel."""
    half_x = width // (2 * 16 * _OVERSAMPLE) + 2
    half_y = height // (2 * 16 * _OVERSAMPLE) + 2
    shape = ((2 * half_y + 1) * _OVERSAMPLE, (2 * half_x + 1) * _OVERSAMPLE)
    # Distances from the centre at sample centres, in 1/16 samples.
    centre_x, centre_y = (half_x * _OVERSAMPLE + phase_x) * 16, (half_y * _OVERSAMPLE + phase_y) * 16
    dx = np.abs(np.arange(shape[1], dtype=np.int64) * 16 + 8 - centre_x)
    dy = np.abs(np.arange(shape[0], dtype=np.int64) * 16 + 8 - centre_y)
    inside = _rounded(dx, dy, width, height, radius)
    if line:
        inside &= ~_rounded(dx, dy, width - 2 * line, height - 2 * line, radius - line)
    blocks = inside.reshape(2 * half_y + 1, _OVERSAMPLE, 2 * half_x + 1, _OVERSAMPLE).sum(axis=(1, 3), dtype=np.int64)
    return np.asarray(blocks * 255 // _OVERSAMPLE**2, dtype=np.uint8)


def _rounded(dx: npt.NDArray[np.int64], dy: npt.NDArray[np.int64], width: int, height: int, radius: int) -> npt.NDArray[np.bool_]:
    beyond_x = np.maximum(dx - (width // 2 - radius), 0)[None, :]
    beyond_y = np.maximum(dy - (height // 2 - radius), 0)[:, None]
    corner = beyond_x * beyond_x + beyond_y * beyond_y <= radius * radius
    return np.asarray(corner & (dx <= width // 2)[None, :] & (dy <= height // 2)[:, None])
