"""Ovals printed so faintly that the threshold loses their line, found in the grey image.

A faint oval is found when its whole line is a little darker than the paper inside it, all around: shading darkens both, and
chance darkens a part. The grey pixels that prove it are kept with the reading.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from edge.ballot.bubble_template import bubble_template
from edge.ballot.result import GreyInk
from edge.fixed.number import Score
from edge.page.area import Area
from edge.page.page import Page

_REACH = Fraction(5, 200)
"""Inches around the place that the grid and the other bubbles suggest."""
_LEAST_CONTRAST = 10
"""Grey levels that a pixel of the line is darker than the paper inside, at least."""
_COVERED_PER_CENT = 85
"""Share of the line that must be so: noise of 5 levels darkens 3 % of the pixels by chance."""
_CLEAN_SWELL = 3
"""The paper is looked at well inside the line."""


def find_faint_outline(page: Page, x: int, y: int) -> tuple[int, int, GreyInk] | None:
    """The oval expected in the box at (x, y): how far it is off, and the grey that shows it; None when there is none."""
    reach = page.pixels(_REACH)
    template = bubble_template(page.dpi)
    area = Area(x - reach, y - reach, template.width + 2 * reach, template.height + 2 * reach)
    grey = page.grey_of(area) if area.left >= 0 and area.top >= 0 else None
    if grey is None or grey.shape != (area.height, area.width):
        return None
    windows = sliding_window_view(grey, (template.height, template.width))
    lines = windows[:, :, template.line]
    darkness = lines.sum(axis=2, dtype=np.int64)
    away = np.arange(-reach, reach + 1, dtype=np.int64)
    # The darkest line wins, of equals the one nearest to where it was expected.
    merit = darkness * 4096 + away[:, None] ** 2 + away[None, :] ** 2
    at_y, at_x = (int(v) for v in np.unravel_index(int(merit.argmin()), merit.shape))
    inside = windows[at_y, at_x][bubble_template(page.dpi, _CLEAN_SWELL).interior]
    place = len(inside) * 3 // 4
    paper = int(np.partition(inside, place)[place])
    covered = Score(int(np.count_nonzero(lines[at_y, at_x] <= max(paper - _LEAST_CONTRAST, 0))), lines.shape[2])
    if not covered.at_least(_COVERED_PER_CENT * 100):
        return None
    return at_x - reach, at_y - reach, GreyInk("outline", covered, area, grey.copy())
