"""Otsu's threshold, decided by exact integer comparison."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray


class Levels(NamedTuple):
    """How an image's grey levels part: dark is at or below `threshold`.

    `black` and `white` are the means of the two classes, rounded down.
    """

    threshold: int
    black: int
    white: int


def otsu_levels(grey: NDArray[np.uint8]) -> Levels:
    """The grey level (0..255) that best separates dark from light: the first maximum of the between-class variance.

    N. Otsu, 1979. With n pixels of sum s, and n_b pixels of sum s_b at or below the level, the variance is proportional to
    (s_b * n - s * n_b)**2 / (n_b * (n - n_b)); two levels are compared by cross-multiplying in whole numbers, so no rounding
    can move the level. An image of one grey gives level 0 and that grey as black and white.
    """
    # calcHist counts in float32, which is exact below 2**24 pixels; larger pages are counted in strips.
    histogram = [0] * 256
    rows = max(1, (1 << 24) // max(1, grey.shape[1]) - 1)
    for top in range(0, grey.shape[0], rows):
        strip = cv2.calcHist([grey[top : top + rows]], [0], None, [256], [0, 256])
        histogram = [a + int(b) for a, b in zip(histogram, strip[:, 0].tolist(), strict=True)]
    pixels = sum(histogram)
    total = sum(level * count for level, count in enumerate(histogram))
    best_over, best_under = 0, 1
    mean = total // pixels if pixels else 0
    best = Levels(0, mean, mean)
    below = below_sum = 0
    for level, count in enumerate(histogram):
        below += count
        below_sum += level * count
        under = below * (pixels - below)
        if under == 0:
            continue
        over = (below_sum * pixels - total * below) ** 2
        if over * best_under > best_over * under:
            best_over, best_under = over, under
            best = Levels(level, below_sum // below, (total - below_sum) // (pixels - below))
    return best
