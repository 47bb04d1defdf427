"""Mapping points of a form into an image, and fitting such a map to points that were found; whole numbers throughout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Protocol, TypeVar

import numpy as np

from edge.definition.box import Box
from edge.fixed.number import SUBPIXEL, Int64Array, round_div

_Lengths = TypeVar("_Lengths", int, Int64Array)

SCALE_BITS = 20
SCALE = 1 << SCALE_BITS
UNITS_PER_INCH = 2540
"""Form lengths are hundredths of a millimetre."""


@dataclass(frozen=True, slots=True)
class Affine:
    """Form point to image position.

    `x_of` and `y_of` give 1/256 pixel, counted from the left and top edge of the image, so that the centre of the first pixel is
    at 128: `(origin * 2**20 + along_x * x + along_y * y) / 2**20`, rounded half up.
    """

    x0: int
    xx: int
    xy: int
    y0: int
    yx: int
    yy: int

    def x_of(self, x: _Lengths, y: _Lengths) -> _Lengths:
        """Horizontal positions of form points."""
        return self.x0 + ((self.xx * x + self.xy * y + SCALE // 2) >> SCALE_BITS)

    def y_of(self, x: _Lengths, y: _Lengths) -> _Lengths:
        """Vertical positions of form points."""
        return self.y0 + ((self.yx * x + self.yy * y + SCALE // 2) >> SCALE_BITS)

    def point(self, x: int, y: int) -> tuple[int, int]:
        """Position of one form point."""
        return self.x_of(x, y), self.y_of(x, y)

    def bounds(self, x: int, y: int, width: int, height: int) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of the upright box around a box of the form, 1/256 pixel."""
        corners = [self.point(across, down) for across in (x, x + width) for down in (y, y + height)]
        columns, rows = [corner[0] for corner in corners], [corner[1] for corner in corners]
        return min(columns), min(rows), max(columns), max(rows)

    def points(self, x: Int64Array, y: Int64Array) -> tuple[Int64Array, Int64Array]:
        """Image positions of points of the form, 1/256 pixel."""
        return self.x_of(x, y), self.y_of(x, y)

    def at(self, _box: Box) -> Affine:
        """This map itself: flat paper under a scanner is the same everywhere."""
        return self

    @property
    def lengths(self) -> tuple[int, int]:
        """How long a step of one unit to the right and one down on the form are in the image, 2**-20 of 1/256 pixel."""
        return isqrt(self.xx * self.xx + self.yx * self.yx), isqrt(self.xy * self.xy + self.yy * self.yy)

    @property
    def unit_x(self) -> tuple[int, int]:
        """A step of one pixel in the image to the right on the form: across and down, 1/256 pixel."""
        length = max(1, self.lengths[0])
        return round_div(self.xx * SUBPIXEL, length), round_div(self.yx * SUBPIXEL, length)

    @property
    def unit_y(self) -> tuple[int, int]:
        """A step of one pixel in the image down on the form: across and down, 1/256 pixel."""
        length = max(1, self.lengths[1])
        return round_div(self.xy * SUBPIXEL, length), round_div(self.yy * SUBPIXEL, length)

    @property
    def dpi(self) -> int:
        """Pixels per inch: the mean of what a step to the right and one down are long; rounded."""
        return round_div(sum(self.lengths) * UNITS_PER_INCH, 2 * SCALE * SUBPIXEL)

    def distance(self, units: int) -> int:
        """A length of the form in 1/256 pixel, rounded."""
        return round_div(units * sum(self.lengths), 2 * SCALE)


class FormMap(Protocol):
    """Where the points of a form lie in an image; around a small box of the form it is as good as affine."""

    def points(self, x: Int64Array, y: Int64Array) -> tuple[Int64Array, Int64Array]:
        """Image positions of points of the form, 1/256 pixel; arrays of one length."""

    def at(self, box: Box, /) -> Affine:
        """The map around a box of the form."""

    @property
    def dpi(self) -> int:
        """Pixels per inch in the middle of the form, rounded."""

    def distance(self, units: int) -> int:
        """A length in the middle of the form in 1/256 pixel, rounded."""


def fit_affine(form_x: Int64Array, form_y: Int64Array, image_x: Int64Array, image_y: Int64Array) -> Affine | None:
    """The map with the least squared error from form points to image positions in 1/256 pixel; None for points in a line.

    Solved in whole numbers of any size, so that the answer is the same everywhere; only the coefficients are rounded.
    """
    points = list(zip(form_x.tolist(), form_y.tolist(), image_x.tolist(), image_y.tolist(), strict=True))
    count = len(points)
    if count < 3:
        return None
    sum_x, sum_y = sum(point[0] for point in points), sum(point[1] for point in points)
    # About the centroid, times the count, everything stays whole.
    centred = [(count * x - sum_x, count * y - sum_y) for x, y, _, _ in points]
    xx = sum(x * x for x, _ in centred)
    xy = sum(x * y for x, y in centred)
    yy = sum(y * y for _, y in centred)
    determinant = xx * yy - xy * xy
    if determinant <= 0:
        return None

    def solve(values: list[int]) -> tuple[int, int, int]:
        total = sum(values)
        by_x = sum(x * value for (x, _), value in zip(centred, values, strict=True))
        by_y = sum(y * value for (_, y), value in zip(centred, values, strict=True))
        along_x = round_div((by_x * yy - by_y * xy) * count * SCALE, determinant)
        along_y = round_div((by_y * xx - by_x * xy) * count * SCALE, determinant)
        origin = round_div(total * SCALE - along_x * sum_x - along_y * sum_y, count * SCALE)
        return origin, along_x, along_y

    return Affine(*solve([point[2] for point in points]), *solve([point[3] for point in points]))


def shows(form_map: FormMap, box: Box, shape: tuple[int, ...]) -> bool:
    """Whether an image of this height and width shows the whole of a box; a pixel beyond its edge does not count."""
    left, top, right, bottom = form_map.at(box).bounds(*box)
    return min(left, top) >= -SUBPIXEL and right <= (shape[1] + 1) * SUBPIXEL and bottom <= (shape[0] + 1) * SUBPIXEL


def mapped(maps: Sequence[Affine], x: Int64Array, y: Int64Array) -> tuple[Int64Array, Int64Array]:
    """Image positions of points of which each row has a map of its own: int64 (n, k) in, 1/256 pixel out."""
    of = np.array([(one.x0, one.xx, one.xy, one.y0, one.yx, one.yy) for one in maps], np.int64).reshape(-1, 6, 1)
    across = of[:, 0] + ((of[:, 1] * x + of[:, 2] * y + SCALE // 2) >> SCALE_BITS)
    down = of[:, 3] + ((of[:, 4] * x + of[:, 5] * y + SCALE // 2) >> SCALE_BITS)
    return across, down


def squared_errors(
    affine: Affine, form_x: Int64Array, form_y: Int64Array, image_x: Int64Array, image_y: Int64Array
) -> Int64Array:
    """Squared distances between mapped and found points, in 1/65,536 square pixel."""
    across = affine.x_of(form_x, form_y) - image_x
    down = affine.y_of(form_x, form_y) - image_y
    return np.asarray(across * across + down * down, np.int64)
