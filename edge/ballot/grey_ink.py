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
    seen = {at: framed for at, box in boxes.items() if (framed := _Framed.on(page, box)) is not None}
    if not seen:
        return {}
    # The printed line is soft at its edges: two steps further in than where its black ends.
    interior = bubble_template(page.dpi, min(swell + 2, MOST_SWELL)).interior
    inside = np.stack([framed.box_pixels[interior] for framed in seen.values()])
    place = inside.shape[1] * _PAPER_QUARTERS // 4
    paper = np.partition(inside, place, axis=1)[:, place].astype(np.int64)
    # An oval that is filled all over holds no paper: then the paper around it tells. Else a shadow's edge may lie between them.
    for row, framed in enumerate(seen.values()):
        if paper[row] + _LEAST_CONTRAST <= page.white:
            around = _paper_level(framed.grey[framed.outside])
            paper[row] = around if around - paper[row] >= _LEAST_CONTRAST else paper[row]
    limit = paper - np.maximum((paper - page.threshold) // 2, _LEAST_CONTRAST)
    counts = np.count_nonzero(inside <= limit[:, None], axis=1)
    # A stored page has the grey of no ovals but those found before; they hold enough by any measure.
    usual = int(np.sort(counts)[len(counts) // 4]) if page.grey is not None else 0
    found: dict[int, GreyInk] = {}
    for (at, framed), count in zip(seen.items(), counts.tolist(), strict=True):
        of = interior.size
        if Score(count - usual, of).at_least(_LEAST_PALE_PER_MILLE * 10):
            found[at] = GreyInk("pale", Score(count, of), framed.area, framed.grey.copy())
    return found


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
    zones = [framed.outside, framed.inside(page.dpi, min(swell + 1, MOST_SWELL))] if slight else [framed.outside]
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
    """The grey pixels of `area`: a bubble's box, whose top-left corner is at (x, y) in it, and a frame around that."""

    area: Area
    grey: Grey
    x: int
    y: int
    width: int
    height: int
    gap: int

    @classmethod
    def on(cls, page: Page, box: Box) -> _Framed | None:
        """The box on a page; None when it is not wholly on it, or its grey is not at hand."""
        if box.x < 0 or box.y < 0 or box.x + box.width > page.width or box.y + box.height > page.height:
            return None
        frame = page.pixels(_FRAME)
        left, top = max(box.x - frame, 0), max(box.y - frame, 0)
        right, bottom = min(box.x + box.width + frame, page.width), min(box.y + box.height + frame, page.height)
        area = Area(left, top, right - left, bottom - top)
        grey = page.grey_of(area)
        if grey is None:
            return None
        return cls(area, grey, box.x - left, box.y - top, box.width, box.height, page.pixels(_FRAME_GAP))

    @property
    def box_pixels(self) -> Grey:
        """The grey pixels of the box alone."""
        return self.grey[self.y : self.y + self.height, self.x : self.x + self.width]

    @property
    def outside(self) -> NDArray[np.bool_]:
        """Mask of the frame, less what is next to the printed line."""
        zone = np.ones(self.grey.shape, np.bool_)
        zone[
            max(self.y - self.gap, 0) : self.y + self.height + self.gap,
            max(self.x - self.gap, 0) : self.x + self.width + self.gap,
        ] = False
        return zone

    def inside(self, dpi: int, swell: int) -> NDArray[np.bool_]:
        """Mask of the inside of the oval, for lines swollen by so many steps."""
        zone = np.zeros(self.grey.shape, np.bool_)
        zone[self.y : self.y + self.height, self.x : self.x + self.width] = bubble_template(dpi, swell).interior
        return zone
