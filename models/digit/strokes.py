"""Pen strokes: handwritten digits thinned to the path that the pen took, bent a little, and drawn again with another pen.

Strokes are float32 (k, 2, 2): k short lines, two ends each, x to the right and y down; the longer side of their box is 1 long and
the middle of the box is the origin.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Strokes = NDArray[np.float32]
Picture = NDArray[np.uint8]

_FINE = 3
"""Strokes are drawn this much larger and averaged, so that a pen may be any part of a pixel wide."""
_CHUNK = 500
_SUBPIXEL = 4


@dataclass(frozen=True)
class StrokeBank:
    """Strokes of many digits: those of digit i are `lines[starts[i]:starts[i + 1]]`."""

    lines: Strokes
    starts: NDArray[np.int64]
    labels: NDArray[np.uint8]

    def of(self, number: int) -> Strokes:
        """Strokes of one digit."""
        return self.lines[self.starts[number] : self.starts[number + 1]]


def thinned(pictures: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Lines one pixel thin in the middle of what is set, after T. Y. Zhang and C. Y. Suen, "A fast parallel algorithm" (1984).

    Args:
        pictures: bool (n, h, w).
    """
    image = np.pad(pictures, ((0, 0), (1, 1), (1, 1)))
    while True:
        gone = 0
        for step in (0, 1):
            ring = [
                image[:, 1 + dy : image.shape[1] - 1 + dy, 1 + dx : image.shape[2] - 1 + dx]
                for dy, dx in ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))
            ]
            around = sum(part.astype(np.uint8) for part in ring)
            rises = sum((~ring[i] & ring[(i + 1) % 8]).astype(np.uint8) for i in range(8))
            north, east, south, west = ring[0], ring[2], ring[4], ring[6]
            if step == 0:
                edge = ~(north & east & south) & ~(east & south & west)
            else:
                edge = ~(north & east & west) & ~(north & south & west)
            inner = image[:, 1:-1, 1:-1]
            remove = inner & (around >= 2) & (around <= 6) & (rises == 1) & edge
            gone += int(remove.sum())
            inner &= ~remove
        if not gone:
            return image[:, 1:-1, 1:-1]


def stroke_bank(digits: Picture, labels: NDArray[np.uint8], jobs: int = 1) -> StrokeBank:
    """Strokes of digits given as small grey pictures, 0 = paper; uint8 (n, h, w) and (n,)."""
    pieces = np.array_split(digits, -(-len(digits) // _CHUNK))
    if jobs == 1:
        parts = list(map(_strokes_of, pieces))
    else:
        with ProcessPoolExecutor(jobs) as pool:
            parts = list(pool.map(_strokes_of, pieces))
    found = [lines for part in parts for lines in part]
    starts = np.cumsum([0, *map(len, found)])
    return StrokeBank(np.concatenate(found), starts.astype(np.int64), labels.copy())


def _strokes_of(digits: Picture) -> list[Strokes]:
    large = np.stack([cv2.resize(digit, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC) for digit in digits])
    return [_lines(thin) for thin in thinned(large > 100)]


def _lines(thin: NDArray[np.bool_]) -> Strokes:
    """Lines between neighbouring pixels of a thin picture, smoothed."""
    rows, columns = np.nonzero(thin)
    if len(rows) < 2:
        return np.zeros((0, 2, 2), np.float32)
    number = np.full((thin.shape[0] + 2, thin.shape[1] + 2), -1, np.int64)
    number[rows + 1, columns + 1] = np.arange(len(rows))
    pairs = []
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        other = number[rows + 1 + dy, columns + 1 + dx]
        joined = other >= 0
        if dy and dx:
            # A diagonal beside a corner pixel would cut that corner.
            joined &= (number[rows + 1, columns + 1 + dx] < 0) & (number[rows + 1 + dy, columns + 1] < 0)
        pairs.append(np.stack([np.flatnonzero(joined), other[joined]], axis=1))
    joints = np.concatenate(pairs)
    points = np.stack([columns, rows], axis=1).astype(np.float32)
    degree = np.bincount(joints.ravel(), minlength=len(points))
    for _ in range(3):
        mean = points.copy()
        np.add.at(mean, joints[:, 0], points[joints[:, 1]])
        np.add.at(mean, joints[:, 1], points[joints[:, 0]])
        smooth = mean / (degree[:, None] + 1)
        points = np.where(degree[:, None] == 2, smooth, points).astype(np.float32)
    return centred(points[joints])


def centred(lines: Strokes) -> Strokes:
    """The strokes in a box whose longer side is 1, its middle the origin."""
    if not len(lines):
        return lines
    points = lines.reshape(-1, 2)
    low, high = points.min(axis=0), points.max(axis=0)
    return ((lines - (low + high) / 2) / max(float((high - low).max()), 1e-3)).astype(np.float32)


def bent(lines: Strokes, rng: np.random.Generator, strength: float = 1.0) -> Strokes:
    """The strokes written by another hand: turned, slanted, widened, and waved by a slow wave; a box of 1 again."""
    angle = rng.normal(0, 0.10 * strength)
    slant = rng.normal(0, 0.15 * strength)
    wide = np.exp(rng.normal(0, 0.14 * strength))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shape = turn @ np.array([[wide, -slant * wide], [0, 1]])
    points = lines.reshape(-1, 2) @ shape.T
    for _ in range(3):
        wave = rng.normal(0, 0.55, 2)
        size = rng.normal(0, 0.032 * strength, 2)
        points = points + np.sin(2 * np.pi * (points @ wave)[:, None] + rng.uniform(0, 6.28)) * size
    return centred(points.reshape(-1, 2, 2).astype(np.float32))


def drawn(lines: Strokes, side: int, middle: tuple[float, float], size: float, pen: float) -> Picture:
    """Strokes drawn by a round pen.

    Args:
        lines: The strokes.
        side: Side of the picture, pixels.
        middle: Where their middle goes, pixels.
        size: Length of the longer side of their box, pixels.
        pen: Width of the pen, pixels.

    Returns:
        uint8 (side, side), 255 = ink.
    """
    canvas = np.zeros((side * _FINE, side * _FINE), np.uint8)
    if len(lines):
        scale = _FINE * (1 << _SUBPIXEL)
        points = np.rint((lines * size + np.array(middle)) * scale).astype(np.int32)
        cv2.polylines(canvas, list(points), isClosed=False, color=255, thickness=max(1, round(pen * _FINE)), shift=_SUBPIXEL)
    return cv2.resize(canvas, (side, side), interpolation=cv2.INTER_AREA)
