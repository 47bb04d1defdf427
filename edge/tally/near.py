"""Where a form lies in any picture, from where its corners are roughly: measured on the original pixels, piece by piece.

Outlines of windows are looked at as a scanner would have seen them if the corners were right. There they are fitted like those
of a scanned page; the better place gives a better view, and so on. What is left is the bend of the paper, and is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge.definition.form import Form
from edge.fixed.number import SUBPIXEL, Int64Array
from edge.page.page import Grey
from edge.tally.affine import SCALE, UNITS_PER_INCH, Affine
from edge.tally.bent import VIEW_DPI, Bend, BentMap, view_of
from edge.tally.outlines import Outlines, find_outlines
from edge.tally.projective import ONE, fit_projective
from edge.tally.registration import Registered
from edge.tally.result import Placement, Refusal
from edge.tally.sampling import halved
from edge.tally.scan import TallyScan
from edge.tally.window_fit import CONTRASTS, LEAST_MATCHES, Template, best_fit, least_windows, pairs_near, template_of

LEAST_DPI = 110
_FINE_DPI = 300
"""From here on pixels are averaged two by two before windows are looked for."""
_LEAST_DEPTH = ONE // 4
"""What is four times as near as the middle is no paper that lies in one picture with it."""
_SEEN_WEIGHT = 9
"""A corner that was seen counts as much as this many that were only guessed."""
_VIEW_SCALE = VIEW_DPI * SUBPIXEL * SCALE // UNITS_PER_INCH
_VIEW = Affine(0, _VIEW_SCALE, 0, 0, 0, _VIEW_SCALE)
"""From hundredths of a millimetre to the view."""
_TOLERANCES = (160, 160, 130, 130)
"""Hundredths of a millimetre by which a window may be off where it is expected, round by round."""
_STRAY = 60
"""Hundredths of a millimetre by which a window may be off what the others around it say of the bend of the paper."""


@dataclass(frozen=True, slots=True)
class RoughPoint:
    """A point of the form, hundredths of a millimetre, roughly where it is in the image, 1/256 pixel; seen there, or guessed."""

    x: int
    y: int
    image_x: int
    image_y: int
    seen: bool


def register_near(scan: TallyScan, form: Form, rough: Sequence[RoughPoint]) -> Registered | Refusal:
    """Find a form near where it is said to be; a Refusal `formNotFound` or `formAmbiguous` when it is not there for certain."""
    template = template_of(form)
    weights = np.array([_SEEN_WEIGHT if point.seen else 1 for point in rough], np.int64)
    points = np.array([(point.x, point.y, point.image_x, point.image_y) for point in rough], np.int64).repeat(weights, axis=0).T
    start = _flat(form, template, view_of(points[0]), view_of(points[1]), points[2], points[3])
    if start is None:
        return Refusal("formNotFound", f"what looks like form {form.name} is seen from too steep an angle")
    if start.dpi < LEAST_DPI:
        return Refusal(
            "formNotFound", f"what looks like form {form.name} has {start.dpi} pixels per inch; {LEAST_DPI} are needed"
        )
    search = _Search(scan.print, start)
    into = start.flat.inverse(1, 1)
    if into is None:
        return Refusal("formNotFound", f"what looks like form {form.name} is seen from behind")
    shape = (int(view_of(np.array(form.size[1]))) // SUBPIXEL, int(view_of(np.array(form.size[0]))) // SUBPIXEL)
    found = best_fit(
        (search.outlines(contrast).through(into) for contrast in CONTRASTS),
        template,
        shape,
        lambda affine: search.inside(*start.flat.of(*_of(affine, template))),
        form.name,
    )
    if isinstance(found, Refusal):
        return found
    fit, _ = found
    if fit.upside_down:
        return Refusal("formAmbiguous", f"form {form.name} lies the other way up than it looks from afar")
    first = _flat(form, template, view_of(fit.points[0]), view_of(fit.points[1]), *start.flat.of(fit.points[2], fit.points[3]))
    grown = [] if first is None else [_grown(outlines, first, form, template) for outlines in search.tried]
    best = max((one for one in grown if one is not None), key=lambda one: len(one.bend.x), default=None)
    expected = 0 if best is None else search.inside(*best.points(template.x, template.y))
    if best is None or len(best.bend.x) < least_windows(template, expected):
        return Refusal("formNotFound", f"the cells of form {form.name} do not lie on one sheet of paper")
    flat = best.flat
    coefficients = (flat.xx, flat.xy, flat.x0, flat.yx, flat.yy, flat.y0, flat.px, flat.py)
    return Registered(
        scan, best, Placement(coefficients, upside_down=False, dpi=best.dpi, matched=len(best.bend.x), expected=expected)
    )


class _Search:
    """An image in which windows are looked for.

    Attributes:
        tried: What was found at the contrasts asked for.
    """

    def __init__(self, plane: Grey, start: BentMap) -> None:
        """Take the plane at a resolution that suits."""
        self._scale = 1
        while start.dpi >= _FINE_DPI * self._scale:
            plane, self._scale = halved(plane), 2 * self._scale
        self._plane = plane
        self.tried: list[Outlines] = []

    def outlines(self, contrast: int) -> Outlines:
        """Outlines of windows at a contrast."""
        self.tried.append(find_outlines(self._plane, contrast, self._scale))
        return self.tried[-1]

    def inside(self, x: Int64Array, y: Int64Array) -> int:
        """How many points lie in the image."""
        height, width = (side * self._scale * SUBPIXEL for side in self._plane.shape)
        return int(((x >= 0) & (y >= 0) & (x < width) & (y < height)).sum())


def _of(affine: Affine, template: Template) -> tuple[Int64Array, Int64Array]:
    return affine.x_of(template.x, template.y), affine.y_of(template.x, template.y)


def _flat(
    form: Form, template: Template, view_x: Int64Array, view_y: Int64Array, image_x: Int64Array, image_y: Int64Array
) -> BentMap | None:
    """The plane through points of the view where they are in the image; None if no sheet can lie like that."""
    middle = form.size[0] // 2, form.size[1] // 2
    view_middle = view_of(np.array(middle))
    flat = fit_projective(view_x, view_y, image_x, image_y, (int(view_middle[0]), int(view_middle[1])))
    if flat is None or flat.inverse(1, 1) is None:
        return None
    if int(flat.depth(view_of(template.x), view_of(template.y)).min()) < _LEAST_DEPTH:
        return None
    empty = np.zeros(0, np.int64)
    return BentMap(flat, Bend(empty, empty, empty, empty), middle)


def _grown(outlines: Outlines, found: BentMap, form: Form, template: Template) -> BentMap | None:
    """The map fitted to more and more windows, from where it fits outwards."""
    for tolerance in _TOLERANCES:
        into = found.flat.inverse(1, 1)
        if into is None:
            return None
        across, down = found.bend.at(template.x, template.y)
        windows = outlines.through(into)
        seen, box = pairs_near(
            windows,
            template,
            view_of(template.x) + across,
            view_of(template.y) + down,
            _VIEW,
            _VIEW.distance(tolerance),
        )
        if len(seen) < LEAST_MATCHES:
            return None
        half = SUBPIXEL // 2
        image = found.flat.of(windows.middle_x[seen] * half, windows.middle_y[seen] * half)
        better = _flat(form, template, view_of(template.x[box]), view_of(template.y[box]), *image)
        if better is None:
            return None
        found = _with_bend(better, template.x[box], template.y[box], *image)
    return found


def _with_bend(flat: BentMap, x: Int64Array, y: Int64Array, image_x: Int64Array, image_y: Int64Array) -> BentMap:
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
