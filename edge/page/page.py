"""From a grey image to a cropped bilevel page of known size and resolution."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.definition.paper import PaperSize
from edge.fixed.ink import Bits
from edge.fixed.otsu import otsu_levels
from edge.page.area import Area
from edge.page.error import PageError

Grey = NDArray[np.uint8]

RESOLUTIONS = (200, 300)
"""Pixels per inch that scans come in; 200 is the norm."""

_LEAST_CONTRAST = 64
"""Grey levels between print and paper; real scans have 190 to 240. With less, marks paler than print are lost."""
_EDGE_WHITE_PARTS = 10
"""A row or column belongs to the paper when more than 1/10 of it is white.

VxSuite's figure, tuned on scans skewed by 3 degrees.
"""

_ROWS_AT_ONCE = 8

_WIDTH_RANGE = (-8, 12)
_HEIGHT_RANGE = (-5, 15)
"""Per cent by which a page may differ from its nominal size. Rollers stretch the long axis; the box around a turned page is wider
than the page. This only chooses the paper to try: the timing marks, counted, decide."""


@dataclass(frozen=True, slots=True)
class Insets:
    """Pixels of scanner border cut from each side of the image."""

    top: int
    bottom: int
    left: int
    right: int


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """One side of the paper.

    `bits` is uint8 of shape (height, width), 1 = black. `grey` is the cropped grey image, for reading a barcode that the
    threshold lost and for marks too pale for it; a page that comes from storage has `kept` instead: the pieces that were needed.
    `threshold` is the level at or below which a pixel is black, `black` and `white` the mean levels of ink and of paper. `paper`
    is None when the page has no ballot's size; its resolution is then the scanner's, or 200 dpi.
    """

    bits: Bits
    grey: Grey | None
    threshold: int
    black: int
    white: int
    insets: Insets
    paper: PaperSize | None
    dpi: int
    kept: tuple[tuple[Area, Grey], ...] = ()

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.bits.shape[0])

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.bits.shape[1])

    @property
    def has_print(self) -> bool:
        """Whether ink and paper are far enough apart to be ink and paper; blank paper parts into two shades of white."""
        return self.white - self.black >= _LEAST_CONTRAST

    def grey_of(self, area: Area) -> Grey | None:
        """The grey pixels of a piece of the page, where they are at hand."""
        if self.grey is not None:
            return area.of(self.grey)
        return next((grey for kept, grey in self.kept if kept == area), None)

    def turned(self) -> Page:
        """The page turned by 180 degrees."""
        grey = None if self.grey is None else self.grey[::-1, ::-1]
        insets = Insets(self.insets.bottom, self.insets.top, self.insets.right, self.insets.left)
        kept = tuple((area.turned(self.width, self.height), pixels[::-1, ::-1]) for area, pixels in self.kept)
        return replace(self, bits=np.ascontiguousarray(self.bits[::-1, ::-1]), grey=grey, insets=insets, kept=kept)

    def pixels(self, inches: Fraction) -> int:
        """A length in inches as whole pixels of this page, rounded half up."""
        return _pixels(inches, self.dpi)


@cache
def _pixels(inches: Fraction, dpi: int) -> int:
    return int(inches * dpi + Fraction(1, 2))


def find_insets(grey: Grey, threshold: int) -> Insets:
    """Width of the dark scanner border on each side.

    Raises:
        PageError: `borderInsetNotFound` when no row or no column is paper.
    """
    top, bottom = _dark_rows(grey, threshold), _dark_rows(grey[::-1], threshold)
    left, right = _dark_rows(grey.T, threshold), _dark_rows(grey.T[::-1], threshold)
    return Insets(top, bottom, left, right)


def _dark_rows(grey: Grey, threshold: int) -> int:
    """Rows at the top that are less than a tenth white."""
    least = grey.shape[1] // _EDGE_WHITE_PARTS
    for row in range(0, len(grey), _ROWS_AT_ONCE):
        white = np.count_nonzero(grey[row : row + _ROWS_AT_ONCE] > threshold, axis=1)
        paper = np.flatnonzero(white > least)
        if len(paper):
            return row + int(paper[0])
    raise PageError("borderInsetNotFound", "no edge of the paper was found: the image is dark all over")


@lru_cache(maxsize=64)
def match_paper(width: int, height: int, dpi: int | None = None) -> tuple[PaperSize, int] | None:
    """Paper size and resolution whose nominal pixels are nearest to an image of `width` x `height`, or None.

    The width may differ by -8 % to +12 %, the height by -5 % to +15 %; of those that fit, the nearest height wins, then width.
    """
    best: tuple[Fraction, Fraction, PaperSize, int] | None = None
    for resolution in (dpi,) if dpi else RESOLUTIONS:
        for paper in PaperSize:
            wide = width / (paper.width * resolution) - 1
            tall = height / (paper.height * resolution) - 1
            if not (_WIDTH_RANGE[0] <= wide * 100 <= _WIDTH_RANGE[1] and _HEIGHT_RANGE[0] <= tall * 100 < _HEIGHT_RANGE[1]):
                continue
            candidate = (abs(tall), abs(wide), paper, resolution)
            if best is None or candidate[:2] < best[:2]:
                best = candidate
    return (best[2], best[3]) if best else None


def read_page(grey: Grey, dpi: int | None = None) -> Page:
    """Crop a grey image to its paper and threshold it.

    `grey` is uint8 of shape (height, width); `dpi` is the scanner's resolution when it is known. The threshold is taken again on
    the crop, so that the scanner's border has no part in it.

    Raises:
        PageError: `borderInsetNotFound` when the image is dark all over.
    """
    levels = otsu_levels(grey)
    insets = find_insets(grey, levels.threshold)
    height, width = grey.shape
    crop = grey
    if insets != Insets(0, 0, 0, 0):
        crop = np.ascontiguousarray(grey[insets.top : height - insets.bottom, insets.left : width - insets.right])
        levels = otsu_levels(crop)
    matched = match_paper(crop.shape[1], crop.shape[0], dpi)
    paper, resolution = matched or (None, dpi or RESOLUTIONS[0])
    bits = np.asarray(cv2.threshold(crop, levels.threshold, 1, cv2.THRESH_BINARY_INV)[1], np.uint8)
    return Page(bits, crop, *levels, insets, paper, resolution)
