"""Where a form lies in a picture taken at an angle, of paper that is not flat."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from edge.definition.box import Box
from edge.definition.form import Form
from edge.fixed.number import SUBPIXEL, Int64Array, round_div
from edge.tally.affine import UNITS_PER_INCH, Affine, fit_affine
from edge.tally.projective import ONE, Projective, fit_projective

VIEW_DPI = 225
"""The view is the form as a scanner of this resolution would see it, flat and upright; nobody ever makes its pixels."""
_LEAST_DEPTH = ONE // 4
"""What is four times as near as the middle is no paper that lies in one picture with it."""
_STRAY = 60
"""Hundredths of a millimetre by which a point may be off what the others around it say of the bend of the paper."""
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

    def in_view(self, x: Int64Array, y: Int64Array) -> tuple[Int64Array, Int64Array]:
        """Positions of points of the form in the view, where the bend puts them, 1/256 pixel of it."""
        across, down = self.bend.at(x, y)
        return view_of(x) + across, view_of(y) + down

    def points(self, x: Int64Array, y: Int64Array) -> tuple[Int64Array, Int64Array]:
        """Image positions of points of the form, 1/256 pixel."""
        return self.flat.of(*self.in_view(x, y))

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


def flat_map(form: Form, x: Int64Array, y: Int64Array, image_x: Int64Array, image_y: Int64Array) -> BentMap | None:
    """The plane through points of a form where they are in the image, without a bend; None if no sheet can lie like that."""
    middle = form.size[0] // 2, form.size[1] // 2
    view_middle = view_of(np.array(middle))
    flat = fit_projective(view_of(x), view_of(y), image_x, image_y, (int(view_middle[0]), int(view_middle[1])))
    if flat is None or flat.inverse(1, 1) is None:
        return None
    table = form.table
    ends_x, ends_y = np.array((table.x, table.x + table.width)), np.array((table.y, table.y + table.height))
    if int(flat.depth(view_of(ends_x[:, np.newaxis]), view_of(ends_y[np.newaxis, :])).min()) < _LEAST_DEPTH:
        return None
    empty = np.zeros(0, np.int64)
    return BentMap(flat, Bend(empty, empty, empty, empty), middle)


def with_bend(flat: BentMap, x: Int64Array, y: Int64Array, image_x: Int64Array, image_y: Int64Array) -> BentMap:
    """The map with what the windows say of the bend; those that contradict the ones around them say nothing."""
    into = flat.flat.inverse(1, 1)
    if into is None:
        return flat
    view_x, view_y = into.of(image_x, image_y)
    across, down = view_x - view_of(x), view_y - view_of(y)
    stray = int(view_of(np.array(_STRAY)))
    keep = np.zeros(len(x), np.bool_)
    every = np.arange(len(x))
    for number in range(len(x)):
        others = every != number
        said_x, said_y = Bend(x[others], y[others], across[others], down[others]).at(
            x[number : number + 1], y[number : number + 1]
        )
        keep[number] = abs(int(said_x[0]) - int(across[number])) + abs(int(said_y[0]) - int(down[number])) <= stray
    return BentMap(flat.flat, Bend(x[keep], y[keep], across[keep], down[keep]), flat.middle)
