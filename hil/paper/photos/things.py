"""Things that lie on a sheet when its picture is taken: fingers, pens, clips."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hil.paper.photos.light import Plane
from hil.paper.photos.paper import Points

_SUB = 4
"""Bits of a fraction of a pixel in what is drawn."""

Tone = tuple[float, float, float]


def thing(size: tuple[int, int], edge: Points, middle: Points, unit: float, rng: np.random.Generator) -> tuple[Plane, Tone]:
    """One thing over the sheet's edge.

    Args:
        size: Width and height of the picture.
        edge: Outline of the sheet in the picture, shape (n, 2).
        middle: Its middle, shape (2,).
        unit: Pixels that a millimetre takes.
        rng: Decides what, and where along the outline.

    Returns:
        Coverage of shape (height, width), float32, 0 to 1, and its colour.
    """
    mask: NDArray[np.uint8] = np.zeros((size[1], size[0]), dtype=np.uint8)
    at = int(rng.integers(len(edge)))
    start = edge[at]
    inward = (middle - start) / max(1e-6, float(np.hypot(*(middle - start))))
    turn = rng.normal(0.0, 0.4)
    inward = np.array((inward[0] * np.cos(turn) - inward[1] * np.sin(turn), inward[0] * np.sin(turn) + inward[1] * np.cos(turn)))
    match ("finger", "pen", "clip", "thumb")[int(rng.integers(4))]:
        case "pen":
            along = np.array((-inward[1], inward[0])) * 0.6 + inward * rng.uniform(-1, 1)
            along /= max(1e-6, float(np.hypot(*along)))
            begin = start + inward * unit * rng.uniform(-10, 40)
            _stroke(mask, begin - along * 70 * unit, begin + along * 70 * unit, 9 * unit)
            level = rng.uniform(10, 200)
            tone = (level, level * rng.uniform(0.4, 1.1), level * rng.uniform(0.4, 1.4))
        case "clip":
            _stroke(mask, start - inward * 6 * unit, start + inward * 12 * unit, rng.uniform(12, 35) * unit)
            level = rng.uniform(15, 150)
            tone = (level, level, level)
        case _:
            for number in range(int(rng.integers(1, 4))):
                aside = np.array((-inward[1], inward[0])) * number * 19 * unit
                tip = start + aside + inward * unit * rng.uniform(5, 28)
                _stroke(mask, tip - inward * 160 * unit, tip, rng.uniform(15, 19) * unit)
            skin = rng.uniform(60, 225)
            tone = (skin, skin * 0.78, skin * 0.66)
    return np.asarray(mask, dtype=np.float32) / 255, (min(tone[0], 255), min(tone[1], 255), min(tone[2], 255))


def _stroke(mask: NDArray[np.uint8], start: Points, end: Points, width: float) -> None:
    """A thick line with round ends."""
    first, last = ((round(float(x) * (1 << _SUB)), round(float(y) * (1 << _SUB))) for x, y in (start, end))
    cv2.line(mask, first, last, (255,), max(1, min(round(width), 32_000)), cv2.LINE_AA, _SUB)
