"""Streaks: dirt on the glass of one sensor darkens the same columns all the way down one side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from hil.paper.exposure import Consequence, Effect, ExposedSide, Exposure

if TYPE_CHECKING:
    from hil.paper.lettering import Grey

MAX_WIDTH = 0.06
"""Inches of one streak at full strength: 12 pixels at 200 dpi."""
_NOTICEABLE = 40
"""Grey levels from which a shade may be taken for ink."""


def _width(strength: int, dpi: int) -> int:
    return max(1, round(MAX_WIDTH * dpi * strength / 100))


def _streak(side: ExposedSide, name: str, left: int, dirty: npt.NDArray[np.bool_], rng: np.random.Generator) -> ExposedSide:
    """Darkens the pixels of `dirty`, shape (height, width of the streak), whose first column is `left`."""
    left = min(max(left, 0), side.size[0] - dirty.shape[1])
    pixels = side.pixels.copy()
    view = pixels[:, left : left + dirty.shape[1]]
    tone: Grey = rng.integers(15, 60, dirty.shape, dtype=np.uint8)
    view[dirty] = np.minimum(view, tone)[dirty]
    return side.painted(pixels, (_effect(side, name, left, dirty.shape[1]),))


def _effect(side: ExposedSide, name: str, left: int, columns: int) -> Effect:
    right, height = left + columns, side.size[1]
    outline = np.array(((left, 0.0), (right, 0.0), (right, height), (left, height)), dtype=np.float64)
    return Effect(name, Consequence.INKED, outline)


def _full(side: ExposedSide, columns: int) -> npt.NDArray[np.bool_]:
    return np.ones((side.size[1], columns), dtype=np.bool_)


def full_streak(exposure: Exposure, strength: int, rng: np.random.Generator) -> Exposure:
    """One dark streak over the whole height of one side, 1 pixel to 0.06 inch wide, anywhere."""
    columns = _width(strength, exposure.dpi)

    def dirty(side: ExposedSide) -> ExposedSide:
        return _streak(side, "streak_full", int(rng.integers(side.size[0] - columns)), _full(side, columns), rng)

    return exposure.one(rng, dirty)


def broken_streak(exposure: Exposure, strength: int, rng: np.random.Generator) -> Exposure:
    """A streak as wide, with white gaps of up to 0.2 inch: dirt that rolls along."""
    columns = _width(strength, exposure.dpi)

    def dirty(side: ExposedSide) -> ExposedSide:
        where = _full(side, columns)
        row = 0
        while row < len(where):
            row += int(rng.uniform(0.1, 1.5) * exposure.dpi)
            gap = int(rng.uniform(0.02, 0.2) * exposure.dpi)
            where[row : row + gap] = False
            row += gap
        return _streak(side, "streak_broken", int(rng.integers(side.size[0] - columns)), where, rng)

    return exposure.one(rng, dirty)


def fuzzy_streak(exposure: Exposure, strength: int, rng: np.random.Generator) -> Exposure:
    """A streak as wide, of which each pixel is dark with a chance of 60 %."""
    columns = 1 + _width(strength, exposure.dpi)

    def dirty(side: ExposedSide) -> ExposedSide:
        where = rng.random((side.size[1], columns)) < 0.6
        return _streak(side, "streak_fuzzy", int(rng.integers(side.size[0] - columns)), where, rng)

    return exposure.one(rng, dirty)


def pale_streak(exposure: Exposure, strength: int, rng: np.random.Generator) -> Exposure:
    """A streak 0.005 to 0.03 inch wide that darkens by only 2 grey levels per step, as dust on the glass does."""
    depth = 2 * strength
    columns = max(1, round(rng.uniform(0.005, 0.03) * exposure.dpi))

    def dirty(side: ExposedSide) -> ExposedSide:
        left = int(rng.integers(side.size[0] - columns))
        pixels = side.pixels.copy()
        pixels[:, left : left + columns] = cv2.subtract(
            pixels[:, left : left + columns], np.full((len(pixels), columns), depth, np.uint8)
        )
        return side.painted(pixels, (_effect(side, "streak_pale", left, columns),) if depth > _NOTICEABLE else ())

    return exposure.one(rng, dirty)


def streak_through_marks(exposure: Exposure, strength: int, rng: np.random.Generator) -> Exposure:
    """A streak as wide, through the left or right column of timing marks."""
    columns = _width(strength, exposure.dpi)

    def dirty(side: ExposedSide) -> ExposedSide:
        middle = side.place(np.array(((side.mark_columns[int(rng.integers(2))], side.size[1] / 2),)))[0, 0]
        offset = rng.uniform(-0.08, 0.08) * exposure.dpi
        return _streak(side, "streak_through_marks", round(middle + offset - columns / 2), _full(side, columns), rng)

    return exposure.one(rng, dirty)


def streak_through_bubbles(exposure: Exposure, strength: int, rng: np.random.Generator) -> Exposure:
    """A streak as wide, through a bubble and so mostly through a whole column of them; nothing on a side without any."""
    columns = _width(strength, exposure.dpi)

    def dirty(side: ExposedSide) -> ExposedSide:
        if not len(side.targets):
            return side
        target = side.place(side.targets[rng.integers(len(side.targets))][None, :])[0, 0]
        offset = rng.uniform(-0.06, 0.06) * exposure.dpi
        return _streak(side, "streak_through_bubbles", round(target + offset - columns / 2), _full(side, columns), rng)

    return exposure.one(rng, dirty)
