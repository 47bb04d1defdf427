"""Where a form lies on a scanned page: found by its windows, 120 to 330 dpi, turned by up to 6 degrees and by half a turn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge.definition.form import Form
from edge.tally.affine import Affine, FormMap, fit_affine
from edge.tally.brackets import find_brackets
from edge.tally.result import Placement, Refusal
from edge.tally.scan import TallyScan
from edge.tally.window_fit import CONTRASTS, Fit, best_fit, plausible, template_of, windows_inside
from edge.tally.windows import find_windows


@dataclass(frozen=True, slots=True, eq=False)
class Registered:
    """A form found in a scan: the scan the right way up, the map into it, and the summary of how well it fits."""

    scan: TallyScan
    form_map: FormMap
    placement: Placement


def register(scan: TallyScan, form: Form) -> Registered | Refusal:
    """Find a form in a scan; a Refusal `formNotFound` or `formAmbiguous` when it is not there for certain."""
    template = template_of(form)
    shape = scan.print.shape
    seen = (find_windows(scan.print, contrast) for contrast in CONTRASTS)
    found = best_fit(seen, template, shape, lambda affine: windows_inside(affine, template, shape), form.name)
    if isinstance(found, Refusal):
        return found
    fit, expected = found
    if fit.upside_down:
        scan = scan.turned()
    affine, brackets = _steadied(fit, scan, form)
    coefficients = (affine.x0, affine.xx, affine.xy, affine.y0, affine.yx, affine.yy)
    placement = Placement(coefficients, fit.upside_down, affine.dpi, fit.matched, expected, brackets)
    return Registered(scan, affine, placement)


def _steadied(fit: Fit, scan: TallyScan, form: Form) -> tuple[Affine, int]:
    """The map fitted to the windows and to the corner marks, where that leaves it plausible, and how many marks those are."""
    marks = find_brackets(scan.print, fit.affine, form)
    points = [np.concatenate((window, mark)) for window, mark in zip(fit.points, marks, strict=True)]
    fitted = fit_affine(points[0], points[1], points[2], points[3])
    if not len(marks[0]) or fitted is None or not plausible(fitted):
        return fit.affine, 0
    return fitted, len(marks[0])
