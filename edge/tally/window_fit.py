"""Fitting a form to windows: which window is which box, and the affine map between them.

Neighbouring cells give the slant and, with the form's pitch, the scale. Each pair of a window in the image and one of the form
then votes for a shift; the shift with the most votes is fitted to all windows that agree with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.definition.form import Form
from edge.fixed.number import SUBPIXEL, Int64Array
from edge.tally.affine import SCALE, UNITS_PER_INCH, Affine, fit_affine, squared_errors
from edge.tally.result import Refusal
from edge.tally.windows import Windows

LEAST_DPI, MOST_DPI = 120, 330
"""Promised are 150 to 300; paper stretches and scanners differ."""
CONTRASTS = (7, 4, 12)
"""Per cent below the local mean at which a pixel is a line, in the order in which they are tried: fine red print on a clean scan,
pale print, and a dirty background."""
_LINE = 50
"""Hundredths of a millimetre of printed line that a window lacks of its box: half a line on each side, and their blur."""
_SLANT_BITS = 16
_MOST_SLANT = (1 << _SLANT_BITS) * 105 // 1000
"""Tangent of 6 degrees."""
LEAST_MATCHES = 9
LEAST_SHARE = (3, 5)
"""Of the windows that the image should show at the place found, this share is needed: writing across frames hides some. A place
that is wrong by a row still has half of them."""
_LEAST_FORM = (1, 4)
"""Of all windows of the form: on a smaller piece a few cells fit in many places."""
_MOST_STRETCH = (3, 20)
"""By which height and width may differ in scale: rollers stretch by one or two per cent, and crops are resized to some shape."""
_MOST_RIVAL = (9, 10)
"""A second place, elsewhere or the other way up, must match fewer than this share of the first one's windows."""
_MOST_TRIALS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """Windows of a form: middles and sizes of boxes in hundredths of a millimetre, and which of them are cells of fields."""

    x: Int64Array
    y: Int64Array
    width: Int64Array
    height: Int64Array
    pitches: tuple[tuple[int, int], ...]
    """Distinct widths and heights of cells that have a neighbour in their box."""


def template_of(form: Form) -> Template:
    """The windows of a form: every cell, and the label frames."""
    boxes = [cell for field in form.all_fields for cell in field.cell_boxes()] + list(form.registration.frames)
    columns = np.array([(2 * box.x + box.width, 2 * box.y + box.height, box.width, box.height) for box in boxes], np.int64).T
    pitches = {(box.width // field.cells, box.height) for field in form.all_fields if field.cells > 1 for box in field.boxes}
    return Template(columns[0] // 2, columns[1] // 2, columns[2], columns[3], tuple(sorted(pitches)))


@dataclass(frozen=True, slots=True)
class _Trial:
    """Scales along and across the rows in dpi, and a slant (tangent times 2**16), worth trying.

    `votes`: The pairs of neighbours that speak for it.
    """

    dpi: int
    tall_dpi: int
    slant: int
    votes: int


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A form fitted to windows.

    Attributes:
        affine: The map.
        points: Form x and y, image x and y of the windows that it is fitted to.
        upside_down: Whether they are those of the image turned by half a turn.
        shifted: How many windows agree with it when it is moved by a row or a cell: a few rows alone fit at any rows of the form.
    """

    affine: Affine
    points: tuple[Int64Array, Int64Array, Int64Array, Int64Array]
    upside_down: bool
    shifted: int

    @property
    def matched(self) -> int:
        """How many windows agree with it."""
        return len(self.points[0])


def best_fit(
    seen: Iterable[Windows],
    template: Template,
    shape: tuple[int, ...],
    expected: Callable[[Affine], int],
    form: str,
    share: tuple[int, int] = LEAST_SHARE,
    *,
    alone: bool = True,
) -> tuple[Fit, int] | Refusal:
    """The one place where most windows agree with the form, and how many should.

    Args:
        seen: The windows of the image at several contrasts; the later ones are asked for where the earlier ones do not fit well.
        template: Those of the form.
        shape: Height and width of the image.
        expected: How many windows a map puts into the image.
        form: The form's name, for people.
        share: Of the windows expected so many must agree.
        alone: Whether no other place may fit nearly as well. Where the map is too rough to tell, `is_alone` is asked later.

    Returns:
        The fit, or a Refusal `formNotFound` or `formAmbiguous` when it is not there for certain.
    """
    best: tuple[Fit, int] | None = None
    rival = 0
    for windows in seen:
        fits = _fits(windows, template, shape)
        if fits:
            found, due = fits[0], expected(fits[0].affine)
            if best is None or found.matched * best[1] > best[0].matched * due:
                best = found, due
                rival = next((fit.matched for fit in fits[1:] if _differs(fit, found, template)), 0)
            # Nine tenths of the windows is as good as paper gets.
            if best[0].matched * 10 >= best[1] * 9:
                break
    if best is None:
        return Refusal("formNotFound", f"the cells of form {form} are not on this page")
    fit, due = best
    if fit.matched < least_windows(template, due, share):
        detail = f"the cells of form {form} are not on this page: {fit.matched} frames fit, of {due} that should be there"
        return Refusal("formNotFound", detail)
    rival = max(rival, fit.shifted)
    if alone and rival * _MOST_RIVAL[1] >= fit.matched * _MOST_RIVAL[0]:
        return Refusal("formAmbiguous", f"form {form} fits in two ways, by {fit.matched} and by {rival} frames")
    return fit, due


def least_windows(template: Template, expected: int, share: tuple[int, int] = LEAST_SHARE) -> int:
    """How many windows must agree where so many are expected."""
    part = -(-expected * share[0] // share[1])
    return max(LEAST_MATCHES, part, len(template.x) * _LEAST_FORM[0] // _LEAST_FORM[1])


def _fits(windows: Windows, template: Template, shape: tuple[int, ...]) -> list[Fit]:
    """Fits of the form either way up, best first."""
    found = []
    height, width = shape[0], shape[1]
    turned = Windows(width - windows.left - windows.width, height - windows.top - windows.height, windows.width, windows.height)
    for trial in _trials(windows, template):
        for upside_down, seen in ((False, windows), (True, turned)):
            fit = _fit(seen, template, trial, upside_down=upside_down)
            if fit is not None:
                found.append(fit)
    return sorted(found, key=lambda fit: -fit.matched)


def _trials(windows: Windows, template: Template) -> list[_Trial]:
    """Scales and slants that pairs of neighbouring cells suggest, most votes first."""
    if len(windows) < LEAST_MATCHES:
        return []
    across = (windows.middle_x[np.newaxis, :] - windows.middle_x[:, np.newaxis]) // 2
    down = (windows.middle_y[np.newaxis, :] - windows.middle_y[:, np.newaxis]) // 2
    wide, tall = windows.width[:, np.newaxis], windows.height[:, np.newaxis]
    close = (across > 0) & (across * 20 >= wide * 19) & (across * 10 <= wide * 13)
    close &= np.abs(down) << _SLANT_BITS <= across * _MOST_SLANT + (1 << _SLANT_BITS)
    close &= np.abs(wide - wide.T) * 8 <= wide
    close &= np.abs(tall - tall.T) * 8 <= tall
    first, second = np.nonzero(close)
    if not len(first):
        return []
    pitch, drop = across[first, second], down[first, second]
    slants = (drop << _SLANT_BITS) // pitch
    trials: list[_Trial] = []
    for cell_width, cell_height in template.pitches:
        dpi = pitch * UNITS_PER_INCH // cell_width
        # The box around a turned window is taller by the part of its width that it climbs.
        climb = (np.abs(slants) * windows.width[first]) >> _SLANT_BITS
        upright = windows.height[first] - climb
        tall_dpi = (upright * UNITS_PER_INCH + (cell_height - _LINE) // 2) // (cell_height - _LINE)
        fits = (np.abs(tall_dpi - dpi) * 5 <= dpi) & (dpi >= LEAST_DPI) & (dpi <= MOST_DPI)
        trials += _peaks(dpi[fits], tall_dpi[fits], slants[fits])
    trials.sort(key=lambda trial: (-trial.votes, trial.dpi, trial.tall_dpi, trial.slant))
    return trials[:_MOST_TRIALS]


def _peaks(dpi: Int64Array, tall_dpi: Int64Array, slants: Int64Array) -> list[_Trial]:
    """The scales with the most pairs within 4 per cent of them, none near another, with the middles of the other measures."""
    found: list[_Trial] = []
    left = np.ones(len(dpi), np.bool_)
    while left.any() and len(found) < 3:
        near = np.abs(dpi[left][:, np.newaxis] - dpi[left][np.newaxis, :]) * 25 <= dpi[left][:, np.newaxis]
        votes = near.sum(axis=1)
        peak = int(np.argmax(votes))
        chosen = near[peak]
        middle = np.sort(dpi[left][chosen])[int(votes[peak]) // 2]
        slant = np.sort(slants[left][chosen])[int(votes[peak]) // 2]
        tall = np.sort(tall_dpi[left][chosen])[int(votes[peak]) // 2]
        found.append(_Trial(int(middle), int(tall), int(slant), int(votes[peak])))
        left[np.flatnonzero(left)[np.abs(dpi[left] - middle) * 12 <= middle]] = False
    return found


def _fit(windows: Windows, template: Template, trial: _Trial, *, upside_down: bool) -> Fit | None:
    """The form at a scale and slant, shifted to where most windows agree, then fitted to them."""
    per_unit = trial.dpi * SUBPIXEL * SCALE // UNITS_PER_INCH
    # Half a turn leaves the slant as it is. The cosine of 6 degrees is close enough to one to start from.
    tall_unit = trial.tall_dpi * SUBPIXEL * SCALE // UNITS_PER_INCH
    start = Affine(
        0, per_unit, -((tall_unit * trial.slant) >> _SLANT_BITS), 0, (per_unit * trial.slant) >> _SLANT_BITS, tall_unit
    )
    size_x, size_y = _sizes(start, template, trial.slant)
    found_x, found_y = windows.middle_x * (SUBPIXEL // 2), windows.middle_y * (SUBPIXEL // 2)
    seen, box = np.nonzero(_fitting(windows, size_x, size_y))
    if len(seen) < LEAST_MATCHES:
        return None
    shift_x = found_x[seen] - start.x_of(template.x[box], template.y[box])
    shift_y = found_y[seen] - start.y_of(template.x[box], template.y[box])
    step = max(SUBPIXEL, start.distance(int(template.height.min())) // 3)
    best = _most_voted(shift_x // step, shift_y // step)
    near = (np.abs(shift_x - (2 * best[0] + 2) * step // 2) <= step) & (np.abs(shift_y - (2 * best[1] + 2) * step // 2) <= step)
    middle_x, middle_y = int(np.sort(shift_x[near])[near.sum() // 2]), int(np.sort(shift_y[near])[near.sum() // 2])
    affine = Affine(middle_x, start.xx, start.xy, middle_y, start.yx, start.yy)
    points = (template.x[:0], template.y[:0], found_x[:0], found_y[:0])
    for tolerance in (step, step * 2 // 3, step // 2, step // 2):
        errors = squared_errors(affine, template.x[box], template.y[box], found_x[seen], found_y[seen])
        pairs = _pairs(errors, seen, box, tolerance)
        if len(pairs[0]) < LEAST_MATCHES:
            return None
        points = template.x[pairs[1]], template.y[pairs[1]], found_x[pairs[0]], found_y[pairs[0]]
        fitted = fit_affine(*points)
        if fitted is None or not plausible(fitted):
            return None
        affine = fitted
    shifted = _shifted(affine, template, seen, box, found_x, found_y, step)
    return Fit(affine, points, upside_down, shifted)


def _shifted(
    affine: Affine,
    template: Template,
    seen: Int64Array,
    box: Int64Array,
    found_x: Int64Array,
    found_y: Int64Array,
    step: int,
) -> int:
    """The most windows that fit boxes of their size when the form is moved by more than two thirds of a cell."""
    across = found_x[seen] - affine.x_of(template.x[box], template.y[box])
    down = found_y[seen] - affine.y_of(template.x[box], template.y[box])
    return _moved_votes(across, down, step)


def _moved_votes(across: Int64Array, down: Int64Array, step: int) -> int:
    """The most pairs that agree on a shift of more than two steps."""
    away = (np.abs(across) > 2 * step) | (np.abs(down) > 2 * step)
    if not away.any():
        return 0
    # Two bins are as wide as the circle in which a window agrees in the end.
    fine = max(1, step // 2)
    return _most_voted(across[away] // fine, down[away] // fine)[2]


def _sizes(affine: Affine, template: Template, slant: int) -> tuple[Int64Array, Int64Array]:
    """Sizes in pixels of the boxes around the turned windows of the form."""
    width = (template.width - _LINE) * affine.xx // (SCALE * SUBPIXEL)
    height = (template.height - _LINE) * affine.yy // (SCALE * SUBPIXEL)
    lean = abs(slant)
    return width + ((height * lean) >> _SLANT_BITS), height + ((width * lean) >> _SLANT_BITS)


def _most_voted(across: Int64Array, down: Int64Array) -> tuple[int, int, int]:
    """The two by two bins of shifts with the most votes, and how many; of several the first in order of position."""
    across_least, down_least = int(across.min()), int(down.min())
    votes = np.zeros((int(across.max()) - across_least + 2, int(down.max()) - down_least + 2), np.int64)
    np.add.at(votes, (across - across_least, down - down_least), 1)
    squares = votes[:-1, :-1] + votes[1:, :-1] + votes[:-1, 1:] + votes[1:, 1:]
    column, row = np.unravel_index(int(np.argmax(squares)), squares.shape)
    return int(column) + across_least, int(row) + down_least, int(squares[column, row])


def is_alone(windows: Windows, template: Template, x: Int64Array, y: Int64Array, affine: Affine, matched: int) -> bool:
    """Whether the form, moved by a row or a cell, fits clearly worse than `matched` windows; for the others see `pairs_near`."""
    seen, box = np.nonzero(_fitting(windows, *_sizes(affine, template, 0)))
    across = np.asarray(windows.middle_x[seen] * (SUBPIXEL // 2) - x[box], np.int64)
    down = np.asarray(windows.middle_y[seen] * (SUBPIXEL // 2) - y[box], np.int64)
    step = max(SUBPIXEL, affine.distance(int(template.height.min())) // 3)
    return _moved_votes(across, down, step) * _MOST_RIVAL[1] < matched * _MOST_RIVAL[0]


def _pairs(errors: Int64Array, seen: Int64Array, box: Int64Array, tolerance: int) -> tuple[Int64Array, Int64Array]:
    """Windows and boxes that fit each other in size and place, each at most once, nearest first; `errors` are squared."""
    close = errors <= tolerance * tolerance
    order = np.lexsort((box[close], seen[close], errors[close]))
    windows, boxes = seen[close][order], box[close][order]
    _, first = np.unique(windows, return_index=True)
    keep = np.zeros(len(windows), np.bool_)
    keep[first] = True
    _, first = np.unique(np.where(keep, boxes, -1 - np.arange(len(boxes))), return_index=True)
    once = np.zeros(len(windows), np.bool_)
    once[first] = True
    keep &= once
    return windows[keep], boxes[keep]


def pairs_near(
    windows: Windows, template: Template, x: Int64Array, y: Int64Array, affine: Affine, tolerance: int
) -> tuple[Int64Array, Int64Array]:
    """Windows and the form's boxes that belong together.

    Args:
        windows: Of the image.
        template: Of the form.
        x: Where the middle of each of the form's windows is expected, 1/256 pixel.
        y: The same.
        affine: Gives the sizes that are expected.
        tolerance: How far off a middle may be, 1/256 pixel.
    """
    seen, box = np.nonzero(_fitting(windows, *_sizes(affine, template, 0)))
    across = windows.middle_x[seen] * (SUBPIXEL // 2) - x[box]
    down = windows.middle_y[seen] * (SUBPIXEL // 2) - y[box]
    return _pairs(np.asarray(across * across + down * down, np.int64), seen, box, tolerance)


def _fitting(windows: Windows, size_x: Int64Array, size_y: Int64Array) -> NDArray[np.bool_]:
    """Which windows have the size of which boxes, by a seventh of the width and a fifth of the height: bool (windows, boxes)."""
    fits = np.abs(windows.width[:, np.newaxis] - size_x[np.newaxis, :]) * 7 <= size_x[np.newaxis, :]
    fits &= np.abs(windows.height[:, np.newaxis] - size_y[np.newaxis, :]) * 5 <= size_y[np.newaxis, :]
    return np.asarray(fits)


def plausible(affine: Affine) -> bool:
    """Whether the map only turns, scales and stretches a little: nothing that paper does not do in a scanner."""
    scale = (affine.xx + affine.yy) // 2
    return (
        LEAST_DPI <= affine.dpi <= MOST_DPI
        and abs(affine.xx - affine.yy) * _MOST_STRETCH[1] <= scale * _MOST_STRETCH[0]
        and abs(affine.xy + affine.yx) * 25 <= scale
        and abs(affine.yx - affine.xy) * 500 <= scale * 110
    )


def windows_inside(affine: Affine, template: Template, shape: tuple[int, ...]) -> int:
    """How many of the form's windows lie in an image."""
    x, y = affine.x_of(template.x, template.y), affine.y_of(template.x, template.y)
    half_x = template.width * affine.xx // (2 * SCALE)
    half_y = template.height * affine.yy // (2 * SCALE)
    inside = (x >= half_x) & (y >= half_y) & (x + half_x <= shape[1] * SUBPIXEL) & (y + half_y <= shape[0] * SUBPIXEL)
    return int(inside.sum())


def _differs(fit: Fit, other: Fit, template: Template) -> bool:
    """Whether two fits put the form elsewhere by more than half a cell, or the other way up."""
    if fit.upside_down != other.upside_down:
        return True
    far = abs(fit.affine.x_of(template.x, template.y) - other.affine.x_of(template.x, template.y))
    far = far + abs(fit.affine.y_of(template.x, template.y) - other.affine.y_of(template.x, template.y))
    return int(far.max()) * 2 > fit.affine.distance(int(template.height.min()))
