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
"""Pale ink is darker than the paper by half the way to the threshold, and by at least so many grey levels, beyond any scanner's noise."""
_LEAST_PALE_PER_MILLE = 40
"""Pixels of pale ink, in thousandths of the bubble's box, that a person should see: pencils leave 140 and more, a shaded fold 20."""
_AROUND = Fraction(30, 200)
"""Inches around a bubble's box in which the paper is looked at for a stain."""
_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)


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


def find_stain(page: Page, box: Box) -> GreyInk | None:
    """A soft dark area around a bubble: pen and print end sharply, a stain fades.

    Counts the pixels between the threshold and half the way to white, out of the pixels on the edge of the black. Strokes and type leave
    at most one of them for each pixel of edge (0.75 on real scans), stains more. Returns None when the paper is clean, or no grey image
    is there to see it in.
    """
    reach = page.pixels(_AROUND)
    left, top = max(box.x - reach, 0), max(box.y - reach, 0)
    right, bottom = min(box.x + box.width + reach, page.width), min(box.y + box.height + reach, page.height)
    area = Area(left, top, right - left, bottom - top)
    grey = page.grey_of(area)
    if grey is None:
        return None
    half_way = (page.threshold + page.white) // 2
    fading = int(np.count_nonzero((grey > page.threshold) & (grey <= half_way)))
    black = np.ascontiguousarray(area.of(page.bits))
    edge = cv2.countNonZero(black) - cv2.countNonZero(cv2.erode(black, _CROSS))
    return GreyInk("stain", Score(fading, edge), area, grey.copy()) if fading > edge else None
