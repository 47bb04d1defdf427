"""Ink that only the grey image tells apart: marks too pale for the page's threshold, and stains dark enough to pass for marks.

Neither is ever counted; both are shown to a person. The grey pixels that told are kept with the reading, since the stored bilevel
page does not show them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.ballot.bubble_template import MOST_SWELL, bubble_template
from edge.ballot.result import Box, GreyInk
from edge.fixed.number import Score
from edge.page.area import Area
from edge.page.page import Grey, Page

_PAPER_QUARTERS = 3
"""The paper's level is the third quartile of the pixels of a zone: print and marks are darker."""
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
    framed = _Framed.on(page, box)
    if framed is None:
        return None
    # The printed line is soft at its edges: two steps further in than where its black ends.
    inside = framed.grey[framed.inside(min(swell + 2, MOST_SWELL))]
    # An oval that is filled all over holds no paper: then the paper around it tells. Else a shadow's edge may lie between them.
    paper, around = _paper_level(inside), _paper_level(framed.grey[framed.outside])
    paper = around if around - paper >= _LEAST_CONTRAST else paper
    limit = paper - max((paper - page.threshold) // 2, _LEAST_CONTRAST)
    count = int(np.count_nonzero(inside <= limit)) if limit >= 0 else 0
    return GreyInk("pale", Score(count, box.width * box.height), framed.area, framed.grey.copy())


def _paper_level(pixels: Grey) -> int:
    place = len(pixels) * _PAPER_QUARTERS // 4
    return int(np.partition(pixels, place)[place])


def find_stain(page: Page, box: Box, swell: int, *, slight: bool) -> GreyInk | None:
    """Ink at a bubble that fades away instead of ending: a stain, where a pen leaves an edge.

    The ink around the oval is looked at, and of a slight mark (one that leaves room) the ink inside it as well. Returns None when
    the ink ends sharply, or no grey image is there to see it in.
    """
    framed = _Framed.on(page, box)
    if framed is None:
        return None
    black = framed.area.of(page.bits)
    zones = [framed.outside, framed.inside(min(swell + 1, MOST_SWELL))] if slight else [framed.outside]
    half_way = (page.threshold + page.white) // 2
    side = 2 * page.pixels(_HALO) + 1
    for zone in zones:
        ink = np.where(zone, black, np.uint8(0))
        halo = framed.grey[(cv2.dilate(ink, np.ones((side, side), np.uint8)) == 1) & (black == 0) & zone]
        fading = Score(int(np.count_nonzero(halo <= half_way)), len(halo))
        if fading.of >= _LEAST_HALO * page.dpi * page.dpi and fading.at_least(_FADING_PER_CENT * 100):
            return GreyInk("stain", fading, framed.area, framed.grey.copy())
    return None


@dataclass(frozen=True, slots=True, eq=False)
class _Framed:
    """The grey pixels of a bubble's box and a frame around it, and the zones in them, as boolean masks of the same shape.

    `outside`: the frame, less what is next to the printed line.
    """

    area: Area
    grey: Grey
    outside: NDArray[np.bool_]
    x: int
    y: int
    dpi: int

    @classmethod
    def on(cls, page: Page, box: Box) -> _Framed | None:
        """The box on a page; None when it is not wholly on it, or its grey is not at hand."""
        if box.x < 0 or box.y < 0 or box.x + box.width > page.width or box.y + box.height > page.height:
            return None
        frame, gap = page.pixels(_FRAME), page.pixels(_FRAME_GAP)
        left, top = max(box.x - frame, 0), max(box.y - frame, 0)
        right, bottom = min(box.x + box.width + frame, page.width), min(box.y + box.height + frame, page.height)
        area = Area(left, top, right - left, bottom - top)
        grey = page.grey_of(area)
        if grey is None:
            return None
        x, y = box.x - left, box.y - top
        outside = np.ones(grey.shape, np.bool_)
        outside[max(y - gap, 0) : y + box.height + gap, max(x - gap, 0) : x + box.width + gap] = False
        return cls(area, grey, outside, x, y, page.dpi)

    def inside(self, swell: int) -> NDArray[np.bool_]:
        """The inside of the oval, for lines swollen by so many steps."""
        interior = bubble_template(self.dpi, swell).interior
        zone = np.zeros(self.grey.shape, np.bool_)
        zone[self.y : self.y + interior.shape[0], self.x : self.x + interior.shape[1]] = interior
        return zone
