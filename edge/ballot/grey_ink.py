"""Ink that only the grey image tells apart: marks too pale for the page's threshold, and stains dark enough to pass for marks.

Neither is ever counted; both are shown to a person. The grey pixels that told are kept with the reading, since the stored bilevel
page does not show them.
"""

from __future__ import annotations

from collections.abc import Mapping
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
"""Inches beside ink in which it is looked at how the ink ends."""
_FADING_PER_CENT = 42
"""Share of the halo that is darker than half the way from the threshold to white: strokes leave up to 30 % on real scans,
stains 56 % and more."""
_LEAST_HALO = Fraction(24, 40_000)
"""Square inches of halo needed to tell: 24 pixels at 200 dpi."""
_FRAME = Fraction(16, 200)
_FRAME_GAP = Fraction(4, 200)
"""Inches around the bubble's box in which ink is looked at, leaving out what is next to the printed line."""


def find_pale_ink(page: Page, boxes: Mapping[int, Box], swell: int) -> dict[int, GreyInk]:
    """Ink inside ovals between the paper's level there and the threshold.

    Blur and noise leave some in every oval of a page: what the lower quartile of `boxes` holds is taken for that. Gives the
    boxes, by their key, that hold enough more to matter; none where no grey image is there to see it in.
    """
    found = {at: ink for at, box in boxes.items() if (ink := _pale_ink(page, box, swell)) is not None}
    if not found:
        return {}
    counts = sorted(ink.score.count for ink in found.values())
    # A stored page has the grey of no ovals but those found before; they hold enough by any measure.
    usual = counts[len(counts) // 4] if page.grey is not None else 0
    return {
        at: ink for at, ink in found.items() if Score(ink.score.count - usual, ink.score.of).at_least(_LEAST_PALE_PER_MILLE * 10)
    }


def _pale_ink(page: Page, box: Box, swell: int) -> GreyInk | None:
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
    return GreyInk("pale", Score(count, box.width * box.height), area, grey.copy())


def find_stain(page: Page, box: Box, swell: int, *, slight: bool) -> GreyInk | None:
    """Ink at a bubble that fades away instead of ending: a stain, where a pen leaves an edge.

    The ink around the oval is looked at, and of a slight mark (one that leaves room) the ink inside it as well. Returns None when
    the ink ends sharply, or no grey image is there to see it in.
    """
    if box.x < 0 or box.y < 0 or box.x + box.width > page.width or box.y + box.height > page.height:
        return None
    frame, gap = page.pixels(_FRAME), page.pixels(_FRAME_GAP)
    left, top = max(box.x - frame, 0), max(box.y - frame, 0)
    right, bottom = min(box.x + box.width + frame, page.width), min(box.y + box.height + frame, page.height)
    area = Area(left, top, right - left, bottom - top)
    grey = page.grey_of(area)
    if grey is None:
        return None
    black = area.of(page.bits)
    x, y = box.x - left, box.y - top
    outside = np.ones(black.shape, np.bool_)
    outside[max(y - gap, 0) : y + box.height + gap, max(x - gap, 0) : x + box.width + gap] = False
    zones = [outside]
    if slight:
        inside = np.zeros(black.shape, np.bool_)
        inside[y : y + box.height, x : x + box.width] = bubble_template(page.dpi, min(swell + 1, MOST_SWELL)).interior
        zones.append(inside)
    half_way = (page.threshold + page.white) // 2
    side = 2 * page.pixels(_HALO) + 1
    for zone in zones:
        ink = np.where(zone, black, np.uint8(0))
        halo = grey[(cv2.dilate(ink, np.ones((side, side), np.uint8)) == 1) & (black == 0) & zone]
        fading = Score(int(np.count_nonzero(halo <= half_way)), len(halo))
        if fading.of >= _LEAST_HALO * page.dpi * page.dpi and fading.at_least(_FADING_PER_CENT * 100):
            return GreyInk("stain", fading, area, grey.copy())
    return None
