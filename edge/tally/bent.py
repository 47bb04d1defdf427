"""Where a form lies in a picture taken at an angle, of paper that is not flat."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from edge.definition.box import Box
from edge.fixed.number import SUBPIXEL, Int64Array, round_div
from edge.tally.affine import UNITS_PER_INCH, Affine, fit_affine
from edge.tally.projective import Projective

VIEW_DPI = 225
"""The view is the form as a scanner of this resolution would see it, flat and upright; nobody ever makes its pixels."""
_NEIGHBOURS = 6
_SOFT = 400
"""Hundredths of a millimetre: of points nearer than this none outweighs the others."""
_LEAST_SIDE = 800
"""Hundredths of a millimetre: the map around a smaller box is that around this much paper."""


def view_of(lengths: Int64Array) -> Int64Array:
    """Lengths of a form in 1/256 pixel of the view."""
    return round_div(np.asarray(lengths, np.int64) * (VIEW_DPI * SUBPIXEL), UNITS_PER_INCH)


@dataclass(frozen=True, slots=True, eq=False)
class Bend:
    """How far points of the paper are off a plane, in its own directions.

    Attributes:
        x: Points of the form where it was measured, hundredths of a millimetre.
        y: The same.
        across: How far right of their place on flat paper they are, 1/256 pixel of the view.
        down: How far below it.
    """

    x: Int64Array
    y: Int64Array
    across: Int64Array
    down: Int64Array

    def at(self, x: Int64Array, y: Int64Array) -> tuple[Int64Array, Int64Array]:
        """The same at any points of the form: the mean of the nearest measured ones, the nearer the heavier."""
        if not len(self.x):
            return np.zeros(len(x), np.int64), np.zeros(len(x), np.int64)
        far = (x[:, np.newaxis] - self.x) ** 2 + (y[:, np.newaxis] - self.y) ** 2
        nearest = np.argsort(far, axis=1, kind="stable")[:, :_NEIGHBOURS]
        weights = (1 << 36) // (np.take_along_axis(far, nearest, axis=1) + _SOFT * _SOFT)
        total = np.maximum(weights.sum(axis=1), 1)
        across = (weights * self.across[nearest]).sum(axis=1)
        down = (weights * self.down[nearest]).sum(axis=1)
        return round_div(np.asarray(across, np.int64), total), round_div(np.asarray(down, np.int64), total)


@dataclass(frozen=True)
class BentMap:
    """A form map (see `FormMap`) made of a plane seen at an angle and the bend of the paper.

    Attributes:
        flat: From 1/256 pixel of the view to 1/256 pixel of the image.
        bend: How far the paper is off the plane.
        middle: Middle of the form, hundredths of a millimetre.
    """

    flat: Projective
    bend: Bend
    middle: tuple[int, int]

    def points(self, x: Int64Array, y: Int64Array) -> tuple[Int64Array, Int64Array]:
        """Image positions of points of the form, 1/256 pixel."""
        across, down = self.bend.at(x, y)
        return self.flat.of(view_of(x) + across, view_of(y) + down)

    def at(self, box: Box) -> Affine:
        """The map around a box of the form."""
        left, top, right, bottom = box.x, box.y, box.x + box.width, box.y + box.height
        wider, taller = (max(0, _LEAST_SIDE - side) // 2 for side in (box.width, box.height))
        x = np.array((left - wider, right + wider, right + wider, left - wider), np.int64)
        y = np.array((top - taller, top - taller, bottom + taller, bottom + taller), np.int64)
        fitted = fit_affine(x, y, *self.points(x, y))
        if fitted is None:
            raise ValueError("four corners of a box lie on a line")
        return fitted

    @cached_property
    def _middle(self) -> Affine:
        return self.at(Box(self.middle[0], self.middle[1], 1, 1))

    @property
    def dpi(self) -> int:
        """Pixels per inch in the middle of the form, rounded."""
        return self._middle.dpi

    def distance(self, units: int) -> int:
        """A length in the middle of the form in 1/256 pixel, rounded."""
        return self._middle.distance(units)
