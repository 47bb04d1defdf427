"""Where a form lies in any picture, from where its corners are roughly: measured on the original pixels, piece by piece.

Outlines of windows are looked at as a scanner would have seen them if the corners were right. There they are fitted like those
of a scanned page; the better place gives a better view, and so on. What is left is the bend of the paper, and is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from edge.definition.form import Form
from edge.fixed.number import SUBPIXEL, Int64Array
from edge.page.page import Grey
from edge.tally.affine import SCALE, UNITS_PER_INCH, Affine, shows
from edge.tally.bent import VIEW_DPI, BentMap, flat_map, view_of, with_bend
from edge.tally.frame_lines import every_row, find_frames, is_found
from edge.tally.line_fit import fit_lines, fit_rows
from edge.tally.outlines import Outlines, find_outlines
from edge.tally.registration import Registered
from edge.tally.result import Placement, Refusal
from edge.tally.sampling import halved
from edge.tally.scan import TallyScan
from edge.tally.window_fit import LEAST_MATCHES, Template, best_fit, is_alone, least_windows, pairs_near, template_of

LEAST_DPI = 110
_FINE_DPI = 300
"""From here on pixels are averaged two by two before windows are looked for."""
_CONTRASTS = (7, 4, 2)
"""Photographs are often paler than scans, and seldom dirtier."""
_LEAST_SEED = (1, 4)
"""Of the windows that the image should show: with so many on one plane the others are sought from there, along the bend."""
_MOST_MOVED = 30
"""Thousandths of the table's diagonal."""
_SEEN_WEIGHT = 9
"""A corner that was seen counts as much as this many that were only guessed."""
_VIEW_SCALE = VIEW_DPI * SUBPIXEL * SCALE // UNITS_PER_INCH
_VIEW = Affine(0, _VIEW_SCALE, 0, 0, 0, _VIEW_SCALE)
"""From hundredths of a millimetre to the view."""
_TOLERANCES = (160, 160, 130, 130)
"""Hundredths of a millimetre by which a window may be off where it is expected, round by round."""


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
    start = _plane(form, rough)
    if start is None:
        return Refusal("formNotFound", f"what looks like form {form.name} is seen from too steep an angle")
    if start.dpi < LEAST_DPI:
        return Refusal(
            "formNotFound", f"what looks like form {form.name} has {start.dpi} pixels per inch; {LEAST_DPI} are needed"
        )
    found = _by_windows(scan.print, form, template, start)
    if isinstance(found, Refusal):
        found = _by_lines(scan.print, form, start) or found
    if isinstance(found, Refusal):
        return found
    form_map, matched, expected = found
    flat = form_map.flat
    coefficients = (flat.xx, flat.xy, flat.x0, flat.yx, flat.yy, flat.y0, flat.px, flat.py)
    placement = Placement(coefficients, upside_down=False, dpi=form_map.dpi, matched=matched, expected=expected)
    return Registered(scan, form_map, placement)


def without_contradictions(form: Form, rough: Sequence[RoughPoint], most: int) -> Iterator[tuple[RoughPoint, ...]]:
    """The points without the one that fits the others worst, then without the next, and so on: at most `most` are left out.

    Of eight corners one or two may have been mistaken for another sheet's.
    """
    left = tuple(rough)
    for _ in range(most):
        parts = [left[:number] + left[number + 1 :] for number in range(len(left))]
        left = min(parts, key=lambda part: _contradiction(form, part))
        yield left


def _contradiction(form: Form, rough: Sequence[RoughPoint]) -> int:
    """By how much points miss the plane through them, squared; very much where there is none."""
    plane = _plane(form, rough)
    if plane is None:
        return 1 << 80
    columns = np.array([(point.x, point.y, point.image_x, point.image_y) for point in rough], np.int64).T
    x, y = plane.points(columns[0], columns[1])
    return int(((x - columns[2]) ** 2 + (y - columns[3]) ** 2).sum())


def _plane(form: Form, rough: Sequence[RoughPoint]) -> BentMap | None:
    weights = np.array([_SEEN_WEIGHT if point.seen else 1 for point in rough], np.int64)
    points = np.array([(point.x, point.y, point.image_x, point.image_y) for point in rough], np.int64).repeat(weights, axis=0).T
    return flat_map(form, points[0], points[1], points[2], points[3])


def _by_windows(plane: Grey, form: Form, template: Template, start: BentMap) -> tuple[BentMap, int, int] | Refusal:
    """The map, how many windows agree with it, and how many should."""
    search = _Search(plane, start)
    into = start.flat.inverse(1, 1)
    if into is None:
        return Refusal("formNotFound", f"what looks like form {form.name} is seen from behind")
    shape = (int(view_of(np.array(form.size[1]))) // SUBPIXEL, int(view_of(np.array(form.size[0]))) // SUBPIXEL)
    found = best_fit(
        (search.outlines(contrast).through(into) for contrast in _CONTRASTS),
        template,
        shape,
        lambda affine: search.inside(*start.flat.of(*affine.points(template.x, template.y))),
        form.name,
        _LEAST_SEED,
        alone=False,
    )
    if isinstance(found, Refusal):
        return found
    fit, _ = found
    if fit.upside_down:
        return Refusal("formAmbiguous", f"form {form.name} lies the other way up than it looks from afar")
    first = flat_map(form, fit.points[0], fit.points[1], *start.flat.of(fit.points[2], fit.points[3]))
    grown = [] if first is None else [(_grown(outlines, first, form, template), outlines) for outlines in search.tried]
    best, outlines = max(
        ((one, outlines) for one, outlines in grown if one is not None), key=lambda one: len(one[0].bend.x), default=(None, None)
    )
    expected = 0 if best is None else search.inside(*best.points(template.x, template.y))
    if best is None or outlines is None or len(best.bend.x) < least_windows(template, expected):
        return Refusal("formNotFound", f"the cells of form {form.name} do not lie on one sheet of paper")
    if not _is_alone(outlines, best, template):
        return Refusal("formAmbiguous", f"form {form.name} fits in two ways")
    rows = [row for row in every_row(form) if shows(best, row.box, plane.shape)]
    matched = len(best.bend.x)
    if not all(is_found(best, cells) for cells in find_frames(plane, best, rows).values()):
        # Between windows and beyond them the paper may bend otherwise: there the lines of the rows say how.
        best = fit_rows(plane, form, best, rows) or best
    return best, matched, expected


def _by_lines(plane: Grey, form: Form, start: BentMap) -> tuple[BentMap, int, int] | None:
    """The map, of how many rows the lines agree with it, and how many rows the image should show."""
    rows = every_row(form)
    found = fit_lines(plane, form, start, [row for row in rows if shows(start, row.box, plane.shape)])
    if found is None or _moved(start, found, form):
        return None
    shown = [row for row in rows if shows(found, row.box, plane.shape)]
    return found, sum(cells[0].certain for cells in find_frames(plane, found, shown).values()), len(shown)


def _moved(start: BentMap, found: BentMap, form: Form) -> bool:
    """Whether the table is so far from where it seemed that it may be off by a row or a cell: lines alone cannot tell."""
    corners = np.array(form.table.corners, np.int64).T
    (from_x, from_y), (to_x, to_y) = start.points(*corners), found.points(*corners)
    across, down = int((to_x - from_x).sum()), int((to_y - from_y).sum())
    wide, tall = int(to_x[2] - to_x[0]), int(to_y[2] - to_y[0])
    most = _MOST_MOVED * len(corners[0])
    return (across * across + down * down) * 1000 * 1000 > most * most * (wide * wide + tall * tall)


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


def _is_alone(outlines: Outlines, found: BentMap, template: Template) -> bool:
    """Whether the form fits clearly worse when it is moved by a row or a cell."""
    into = found.flat.inverse(1, 1)
    if into is None:
        return False
    return is_alone(outlines.through(into), template, *found.in_view(template.x, template.y), _VIEW, len(found.bend.x))


def _grown(outlines: Outlines, found: BentMap, form: Form, template: Template) -> BentMap | None:
    """The map fitted to more and more windows, from where it fits outwards."""
    for tolerance in _TOLERANCES:
        into = found.flat.inverse(1, 1)
        if into is None:
            return None
        windows = outlines.through(into)
        seen, box = pairs_near(windows, template, *found.in_view(template.x, template.y), _VIEW, _VIEW.distance(tolerance))
        if len(seen) < LEAST_MATCHES:
            return None
        half = SUBPIXEL // 2
        image = found.flat.of(windows.middle_x[seen] * half, windows.middle_y[seen] * half)
        better = flat_map(form, template.x[box], template.y[box], *image)
        if better is None:
            return None
        found = with_bend(better, template.x[box], template.y[box], *image)
    return found
