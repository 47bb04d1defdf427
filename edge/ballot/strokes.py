"""The second measure of a mark: ink that crosses the inside of an oval without filling it.

The fill score asks how much ink there is; this asks how far one connected piece of it reaches. A cross whose strokes cut the oval
fills little of it, yet no voter draws such a line by accident.
"""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.ballot.bubble_template import bubble_template
from edge.fixed.ink import Bits

LEAST_STROKE_PER_CENT = 30
"""A stroke this long, in per cent of the bubble's height, is no dot: 8 pixels at 200 dpi. The tip of a real tick reaches that
far; dots, dents and the grazing circle of a neighbour do not."""
_LEAST_INK = Fraction(16, 40_000)
"""Square inches of ink that a stroke holds at least: 16 pixels at 200 dpi."""
_FOLD_BEYOND = Fraction(60, 200)
"""A crease goes on in a straight line for at least this many inches past the bubble ..."""
_FOLD_WIDTH = Fraction(3, 200)
"""... and is on average no wider than this."""
_FOLD_COVER_PER_CENT = 70
"""Share of that way on which it shows; toner flakes off a crease unevenly."""


def stroke_length(bits: Bits, x: int, y: int, dpi: int, swell: int) -> int:
    """Length in pixels of the longest connected ink inside the bubble whose box is at (x, y); 0 when it is a crease or nothing.

    `swell` says how thick the page's lines are, see `BubbleScores`.
    """
    # One step further in than the fill: what is left of the printed line must not look like a stroke along it.
    template = bubble_template(dpi, swell + 1)
    width, height = template.width, template.height
    window = bits[y : y + height, x : x + width]
    if window.shape != (height, width):
        return 0
    inside = np.where(template.interior, window, np.uint8(0))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=8, ltype=cv2.CV_32S)
    best = 0
    for label in range(1, count):
        left, top, wide, tall, ink = (int(v) for v in stats[label])
        if ink < _LEAST_INK * dpi * dpi:
            continue
        length = max(wide, tall)
        if length > best and not _is_crease(bits, x, y, labels == label, (left, top, wide, tall), dpi):
            best = length
    return best


def _is_crease(bits: Bits, x: int, y: int, shape: NDArray[np.bool_], box: tuple[int, int, int, int], dpi: int) -> bool:
    """Whether a thin straight line crosses the whole bubble and goes on far beyond it on both sides."""
    left, top, wide, tall = box
    template = bubble_template(dpi)
    if wide >= tall:
        line, start, before, spread = bits, x, y + top, tall
        through = wide * 10 >= template.width * 8
        thin = int(shape.sum()) <= wide * int(_FOLD_WIDTH * dpi)
    else:
        line, start, before, spread = bits.T, y, x + left, wide
        through = tall * 10 >= template.height * 8
        thin = int(shape.sum()) <= tall * int(_FOLD_WIDTH * dpi)
    if not (through and thin):
        return False
    beyond = int(_FOLD_BEYOND * dpi)
    size = template.width if wide >= tall else template.height
    slack = spread + int(_FOLD_WIDTH * dpi)
    band = line[max(before - slack, 0) : before + spread + slack]
    return all(
        _thin_line(band[:, max(a, 0) : a + beyond], beyond, int(_FOLD_WIDTH * dpi)) for a in (start - beyond, start + size)
    )


def _thin_line(band: Bits, length: int, width: int) -> bool:
    """Whether a thin line runs along a band of bits for most of `length` columns."""
    covered = int(band.any(axis=0).sum())
    return covered * 100 >= length * _FOLD_COVER_PER_CENT and int(band.sum()) <= covered * width
