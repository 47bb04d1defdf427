"""Handwritten names: letter skeletons joined by a hurried hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hil.paper.stroke import Box, InkPatch, Pen, Points, curve, draw

if TYPE_CHECKING:
    from collections.abc import Sequence

# Knots in a box one wide; y is 0 at the baseline, 1 at the height of small letters, 2 at the ascenders.
_SKELETONS: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    "a": (((0.8, 0.9), (0.3, 1.0), (0.05, 0.5), (0.3, 0.0), (0.75, 0.4), (0.8, 0.9), (0.8, 0.1), (1.0, 0.1)),),
    "b": (((0.2, 2.0), (0.15, 0.1), (0.5, 0.0), (0.85, 0.5), (0.5, 1.0), (0.2, 0.7)),),
    "d": (((0.8, 0.8), (0.4, 1.0), (0.05, 0.5), (0.35, 0.0), (0.75, 0.3), (0.85, 2.0), (0.85, 0.1), (1.0, 0.1)),),
    "e": (((0.1, 0.5), (0.8, 0.6), (0.5, 1.0), (0.1, 0.5), (0.4, 0.0), (0.95, 0.2)),),
    "h": (((0.15, 2.0), (0.15, 0.0), (0.2, 0.6), (0.55, 1.0), (0.8, 0.6), (0.8, 0.0), (1.0, 0.1)),),
    "k": (((0.15, 2.0), (0.15, 0.0)), ((0.8, 1.1), (0.2, 0.5), (0.85, 0.0))),
    "l": (((0.2, 0.2), (0.6, 1.6), (0.4, 2.0), (0.25, 1.4), (0.3, 0.1), (0.7, 0.1)),),
    "m": (((0.1, 1.0), (0.1, 0.0), (0.3, 1.0), (0.45, 0.7), (0.45, 0.0), (0.7, 1.0), (0.85, 0.7), (0.9, 0.0)),),
    "n": (((0.1, 1.0), (0.15, 0.0), (0.3, 0.8), (0.65, 1.0), (0.8, 0.5), (0.85, 0.0)),),
    "o": (((0.5, 1.0), (0.1, 0.6), (0.3, 0.0), (0.8, 0.3), (0.7, 0.9), (0.4, 1.0), (0.9, 0.9)),),
    "r": (((0.15, 1.0), (0.2, 0.0), (0.25, 0.7), (0.6, 1.0), (0.85, 0.9)),),
    "s": (((0.8, 0.9), (0.4, 1.0), (0.2, 0.7), (0.7, 0.35), (0.5, 0.0), (0.1, 0.1)),),
    "t": (((0.4, 1.8), (0.4, 0.1), (0.8, 0.1)), ((0.1, 1.1), (0.8, 1.2))),
    "y": (((0.1, 1.0), (0.3, 0.3), (0.7, 0.9), (0.6, 0.0), (0.2, -0.8), (0.0, -0.5)),),
}
_LETTERS = "".join(_SKELETONS)


def scrawl_name(area: Box, pen: Pen, dpi: int, rng: np.random.Generator) -> InkPatch:
    """Writes an illegible but letter-like name into `area`, starting at its left and never leaving it by more than a stroke.

    Args:
        area: Where the write-in area lies on the page, pixels.
        pen: The pen.
        dpi: Pixels per inch of the page.
        rng: Chooses letters, size, slant and haste.

    Returns:
        The ink, not yet laid.
    """
    height = (area.bottom - area.top) * rng.uniform(0.36, 0.5)
    baseline = area.bottom - height * rng.uniform(0.15, 0.4)
    slant, advance = rng.uniform(-0.05, 0.35), height * rng.uniform(0.75, 1.0)
    room = int((area.right - area.left) * 0.92 / advance)
    count = min(room, int(rng.integers(6, 13)))
    gap = count // 2
    x = area.left + height * 0.3
    strokes: list[Points] = []
    for number, index in enumerate(rng.integers(0, len(_LETTERS), count)):
        if number == gap and count > 5:
            x += advance * 0.4
            continue
        tall = rng.uniform(1.2, 1.5) if number in {0, gap + 1} else rng.uniform(0.85, 1.1)
        strokes += _letter(_SKELETONS[_LETTERS[index]], x, baseline, height * tall, slant, rng)
        x += advance * rng.uniform(0.85, 1.05)
    bounded = [np.clip(stroke, (area.left, area.top), (area.right, area.bottom)) for stroke in strokes]
    return draw(bounded, pen, dpi, rng, pressure=0.75)


def _letter(
    skeleton: Sequence[tuple[tuple[float, float], ...]],
    x: float,
    baseline: float,
    height: float,
    slant: float,
    rng: np.random.Generator,
) -> list[Points]:
    strokes = []
    for part in skeleton:
        knots = np.asarray(part) + rng.normal(0.0, 0.05, (len(part), 2))
        path = curve(knots)
        # Ascenders reach 1.7 letter heights: people write them shorter than print.
        tall = np.minimum(path[:, 1], 1.0) + np.maximum(path[:, 1] - 1.0, 0.0) * 0.7
        strokes.append(np.column_stack((x + height * (0.75 * path[:, 0] + slant * tall), baseline - height * tall)))
    return strokes
