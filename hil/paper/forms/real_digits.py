"""Digits that people really wrote: the test images of MNIST, where the folder of real data is."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from hil.paper.lettering import Grey

_FILE = Path("digits") / "mnist.npz"
_ROOT = Path(__file__).resolve().parents[3]
_FINE = 8
"""The images are enlarged this many times before they are cut to an outline."""


def real_digits_file() -> Path | None:
    """The file of digits in $SCRUTINEER_REAL_DATA (default ../shared/data); None where there is none."""
    file = Path(os.environ.get("SCRUTINEER_REAL_DATA") or _ROOT.parent / "shared" / "data") / _FILE
    return file if file.is_file() else None


@lru_cache(maxsize=1)
def _by_digit() -> tuple[npt.NDArray[np.uint8], tuple[npt.NDArray[np.int64], ...]]:
    file = real_digits_file()
    if file is None:
        raise FileNotFoundError(f"no {_FILE} in the folder of real data")
    with np.load(file, allow_pickle=False) as data:
        images, labels = data["x_test"], data["y_test"]
    return images, tuple(np.flatnonzero(labels == digit) for digit in range(10))


def choose(digit: int, rng: np.random.Generator) -> int:
    """The number of a test image of a digit."""
    return int(rng.choice(_by_digit()[1][digit]))


def drawn(image: int, height: float, thin: float) -> Grey:
    """A test image as ink on paper.

    Args:
        image: Its number.
        height: Height in pixels at which the digits of MNIST, which fill 20 of 28 rows, are drawn.
        thin: How much of the finest strokes' width is taken away everywhere, 0 to 0.8: MNIST's writers pressed thick pens.

    Returns:
        Coverage 0..255, the image's middle in its middle.
    """
    fine = cv2.resize(_by_digit()[0][image], None, fx=_FINE, fy=_FINE, interpolation=cv2.INTER_CUBIC)
    outline = np.asarray(cv2.GaussianBlur(fine, (0, 0), _FINE * 0.45) > 110, dtype=np.uint8)
    inside = cv2.distanceTransform(outline, cv2.DIST_L2, 5)
    # The middles of strokes are ridges of the distance to the paper. No more is taken than the finest strokes have.
    ridge = inside[(inside >= np.asarray(cv2.dilate(inside, np.ones((3, 3), np.uint8))) - 0.01) & (inside > 1)]
    finest = float(np.percentile(ridge, 5)) if len(ridge) else 0.0
    kept = (inside > thin * finest).astype(np.uint8) * 255
    scale = height / (20 * _FINE)
    side = max(3, round(28 * _FINE * scale) + 4)
    shift = side / 2 - 14 * _FINE * scale
    grow = np.array(((scale, 0.0, shift), (0.0, scale, shift)))
    if scale < 1:
        kept = np.asarray(cv2.GaussianBlur(kept, (0, 0), max(0.3, 0.4 / scale)), dtype=np.uint8)
    return np.asarray(cv2.warpAffine(kept, grow, (side, side), flags=cv2.INTER_LINEAR), dtype=np.uint8)
