"""Ink that only the grey image tells apart: marks too pale for the page's threshold, and stains dark enough to pass for marks.

Neither is ever counted; both are shown to a person. The grey pixels that told are kept with the reading, since the stored bilevel
page does not show them.
"""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np

from edge.ballot.bubble_template import MOST_SWELL, bubble_template
from edge.ballot.result import Box, GreyInk
from edge.fixed.number import Score
from edge.page.barcode import Area
from edge.page.page import Page

_PAPER_QUARTERS = 3
"""The paper's level in an oval is the third quartile of its pixels: marks that cover more are dark enough to be seen anyhow."""
_LEAST_CONTRAST = 24
"""Pale ink is darker than the paper by half the way to the threshold, and by at least so many grey levels: more than any
scanner's noise."""
_LEAST_PALE_PER_MILLE = 40
"""Pixels of pale ink, in thousandths of the bubble's box, that a person should see: pencils leave 140 and more, a shaded fold
20."""
_HALO = Fraction(3, 200)
"""Inches beside a mark in which it is looked at how the ink ends."""
_FADING_PER_CENT = 42
"""Share of the halo that is darker than half the way from the threshold to white: strokes leave up to 30 % on real scans, stains
56 % and more."""


def find_pale_ink(page: Page, box: Box, swell: int) -> GreyInk | None:
    """Ink inside an oval between the paper's level there and the threshold.

    Returns None when there is too little to matter, or no grey image to see it in.
    """
    area = Area(box.x, box.y, box.width, box.height)
    grey = page.grey_of(area)
    if grey is None or grey.shape != (box.height, box.width):
        return None
    # The printed line is soft at its edges: two steps further in than where its black ends.
    interior = bubble_template(page.dpi, min(swell + 2, MOST_SWELL)).interior
    inside = grey[interior]
    place = len(inside) * _PAPER_QUARTERS // 4
    paper = int(np.partition(inside, place)[place])
    limit = paper - max((paper - page.threshold) // 2, _LEAST_CONTRAST)
    count = int(np.count_nonzero(inside <= limit)) if limit >= 0 else 0
    score = Score(count, box.width * box.height)
    return GreyInk("pale", score, area, grey.copy()) if score.at_least(_LEAST_PALE_PER_MILLE * 10) else None


def find_stain(page: Page, box: Box, swell: int) -> GreyInk | None:
    """Ink inside an oval that fades away instead of ending: a stain, where a pen leaves an edge.

    Returns None when the ink ends sharply, or no grey image is there to see it in.
    """
    area = Area(box.x, box.y, box.width, box.height)
    grey = page.grey_of(area)
    if grey is None or grey.shape != (box.height, box.width):
        return None
    interior = bubble_template(page.dpi, min(swell + 1, MOST_SWELL)).interior
    black = area.of(page.bits)
    ink = np.where(interior, black, np.uint8(0))
    side = 2 * page.pixels(_HALO) + 1
    beside = cv2.dilate(ink, np.ones((side, side), np.uint8))
    halo = grey[(beside == 1) & (black == 0) & interior]
    half_way = (page.threshold + page.white) // 2
    fading = Score(int(np.count_nonzero(halo <= half_way)), len(halo))
    return GreyInk("stain", fading, area, grey.copy()) if fading.at_least(_FADING_PER_CENT * 100) else None
