"""Fitting a form to its printed lines where its cells are not closed: broken frames, faint print, glare.

From a rough place every line of the form is looked for to both sides. Its shift, scale and slant are those at which the page is
darkest along all lines together: first of the level ones, then of the upright ones, then of both once more, nearer by. In the
end every row is measured by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from edge.definition.form import Form
from edge.fixed.number import SUBPIXEL, Int64Array, round_div
from edge.page.page import Grey
from edge.tally.affine import Affine
from edge.tally.bent import BentMap, flat_map, with_bend
from edge.tally.frame_lines import CellRow, Profiles, find_frames, row_corners

_PASSES = ((1500, 7), (400, 4))
"""Reach in hundredths of a millimetre, and how many steps of scale and of slant are tried to either side."""
_HALF_PROFILE = 75
"""Measurements to either side of a line, about."""
_TILT = 3
"""Scale and slant move the ends of a form by the reach over this, at most."""
_THICK = 30
"""Hundredths of a millimetre by which a line may be off and still speak for a shift."""
_APART = 400
"""Hundredths of a millimetre: a shift that differs by so much is another one."""
_MOST_RIVAL = (9, 10)
_UNIT = 256
"""Places of lines count from the middle of the form, its edges at this."""


def fit_lines(plane: Grey, form: Form, start: BentMap, rows: Sequence[CellRow]) -> BentMap | None:
    """The map by the printed lines of rows; None where they say nothing, or two things.

    Args:
        plane: What shows print and writing; uint8 of shape (height, width).
        form: The form.
        start: Roughly where it lies.
        rows: Rows of cells and label frames that the image should show.
    """
    if not rows:
        return None
    current = start
    for reach, steps in _PASSES:
        for upright in (False, True):
            shift = _shift(plane, form, current, rows, reach, steps, upright=upright)
            moved = None if shift is None else _moved(form, current, shift, upright=upright)
            if moved is None:
                return None
            current = moved
    return fit_rows(plane, form, current, rows)


def _shift(
    plane: Grey, form: Form, current: BentMap, rows: Sequence[CellRow], reach: int, steps: int, *, upright: bool
) -> tuple[int, int, int] | None:
    """How far the lines are off to the right, or down: in the middle, and more at the right and at the lower edge; 1/100 mm."""
    lines: list[tuple[int, int, int]] = []
    maps: list[Affine] = []
    for row in rows:
        sides = row.sides()[0 if upright else 1]
        lines += sides
        maps += [current.at(row.box)] * len(sides)
    pixels = current.distance(reach)
    step = max(1, pixels // (SUBPIXEL * _HALF_PROFILE))
    profiles = Profiles(plane, current, maps, np.array(lines, np.int64), pixels, upright=upright, step=step)
    most = profiles.reach
    # Where many trials touch a thickened line, those on the line itself decide; of equal ones the least changed.
    dark = 4 * _thickened(profiles.dark, max(1, current.distance(_THICK) // (SUBPIXEL * step))) + profiles.dark
    position, begin, end = np.array(lines, np.int64).T
    along = (begin + end) // 2
    x, y = (position, along) if upright else (along, position)
    u, v = (x * 2 - form.size[0]) * _UNIT // form.size[0], (y * 2 - form.size[1]) * _UNIT // form.size[1]
    padded = np.pad(dark, ((0, 0), (most, most)))
    places = np.arange(2 * most + 1, dtype=np.int64) + most
    number = np.arange(len(lines), dtype=np.int64)[:, np.newaxis]
    trials = sorted(product(range(-steps, steps + 1), repeat=2), key=lambda trial: abs(trial[0]) + abs(trial[1]))
    scores = np.empty((len(trials), len(places)), np.int64)
    for trial, (wider, slanted) in enumerate(trials):
        off = round_div((wider * u + slanted * v) * most, _UNIT * _TILT * steps)
        scores[trial] = padded[number, np.clip(places + off[:, np.newaxis], 0, padded.shape[1] - 1)].sum(axis=0)
    best, place = (int(part) for part in np.unravel_index(int(np.argmax(scores)), scores.shape))
    score = int(scores[best, place])
    apart = max(1, current.distance(_APART) // (SUBPIXEL * step))
    others = np.concatenate((scores[:, : max(0, place - apart)].ravel(), scores[:, place + apart + 1 :].ravel(), [0]))
    # Writing and other print is dark at any shift: what counts is how far a place stands out.
    ground = int(np.sort(scores, axis=None)[scores.size // 2])
    if score <= ground or (int(others.max()) - ground) * _MOST_RIVAL[1] >= (score - ground) * _MOST_RIVAL[0]:
        return None
    unit = max(1, current.distance(1000))
    length = step * SUBPIXEL * 1000
    wider, slanted = trials[best]
    parts = (place - most) * _TILT * steps, wider * most, slanted * most
    whole, across, down = (round_div(part * length, unit * _TILT * steps) for part in parts)
    return whole, across, down


def _thickened(dark: Int64Array, by: int) -> Int64Array:
    """Each place as dark as the darkest within `by` of it."""
    wide = np.pad(dark, ((0, 0), (by, by)))
    return np.asarray(np.lib.stride_tricks.sliding_window_view(wide, 2 * by + 1, axis=1).max(axis=2), np.int64)


def _moved(form: Form, current: BentMap, shift: tuple[int, int, int], *, upright: bool) -> BentMap | None:
    """The map when the form is moved, stretched and slanted."""
    whole, wider, slanted = shift
    table = form.table
    left, top, right, bottom = table.x, table.y, table.x + table.width, table.y + table.height
    x = np.array((left, right, right, left, (left + right) // 2), np.int64)
    y = np.array((top, top, bottom, bottom, (top + bottom) // 2), np.int64)
    off = whole + wider * (x * 2 - form.size[0]) // form.size[0] + slanted * (y * 2 - form.size[1]) // form.size[1]
    return flat_map(form, x, y, *(current.points(x + off, y) if upright else current.points(x, y + off)))


def fit_rows(plane: Grey, form: Form, current: BentMap, rows: Sequence[CellRow]) -> BentMap | None:
    """The map by where each row is whose lines are found, from a map that is nearly right; None where half of them are not."""
    for _ in range(2):
        found = {row: cells for row, cells in find_frames(plane, current, rows).items() if cells[0].certain}
        if 2 * len(found) < len(rows):
            return None
        points = [
            (*point, *where)
            for row, cells in found.items()
            for point, where in zip(row.box.corners, row_corners(current, row, cells), strict=True)
        ]
        columns = np.array(points, np.int64).T
        better = flat_map(form, *columns)
        if better is None:
            return None
        current = with_bend(better, *columns)
    return current
