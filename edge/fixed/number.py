"""Sub-pixel positions, exact rounding and scores with their denominators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

SUBPIXEL = 256
"""Positions are integers in 1/256 pixel; the centre of the pixel in column x is at `x * SUBPIXEL`."""

Int64Array = NDArray[np.int64]


@overload
def round_div(numerator: int, denominator: int) -> int: ...
@overload
def round_div(numerator: Int64Array, denominator: int | Int64Array) -> Int64Array: ...
def round_div(numerator: int | Int64Array, denominator: int | Int64Array) -> int | Int64Array:
    """Divide by a positive denominator, rounding halves away from zero."""
    if isinstance(numerator, int) and isinstance(denominator, int):
        magnitude = (2 * abs(numerator) + denominator) // (2 * denominator)
        return magnitude if numerator >= 0 else -magnitude
    over = np.asarray(numerator, np.int64)
    under = np.asarray(denominator, np.int64)
    return np.asarray(np.sign(over) * ((2 * np.abs(over) + under) // (2 * under)), np.int64)


@dataclass(frozen=True, slots=True)
class Score:
    """A count of pixels and the number it is counted out of; never a float."""

    count: int
    of: int

    def at_least(self, per_ten_thousand: int) -> bool:
        """Whether the share reaches a threshold in parts per 10,000. A score out of nothing reaches none."""
        return self.of > 0 and self.count * 10_000 >= per_ten_thousand * self.of

    @property
    def per_ten_thousand(self) -> int:
        """The share in parts per 10,000, rounded half away from zero, for people to read."""
        return round_div(self.count * 10_000, self.of) if self.of else 0
