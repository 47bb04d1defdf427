"""A sheet in colour while it is being printed and written on: exact coverage of every pixel, in hundredths of a millimetre."""

from __future__ import annotations

import unicodedata
from typing import Literal

import numpy as np
import numpy.typing as npt

from edge.definition.box import Box
from edge.definition.form import Pen, PrintColour
from hil.paper.ink import span_coverage
from hil.paper.lettering import Grey, letters, text_width

Rgb = tuple[int, int, int]
Colour = npt.NDArray[np.uint8]

UNITS_PER_INCH = 2540
_SUB = 256

BLACK: Rgb = (24, 22, 26)
PRINT: dict[PrintColour, Rgb] = {
    "red": (226, 118, 108),
    "yellow": (238, 224, 130),
    "green": (118, 196, 122),
    "blue": (118, 150, 226),
    "magenta": (214, 120, 198),
    "cyan": (112, 196, 212),
    "grey": (118, 118, 122),
}
"""Pale printing inks: bright in the channels of `edge.definition.form.REFLECTED`."""
PENS: dict[Pen, Rgb] = {"black": (40, 38, 46), "blue": (48, 56, 150), "red": (190, 44, 48), "green": (36, 128, 60)}
"""Writing inks: dark in the channels of `edge.definition.form.ABSORBED`."""

Anchor = Literal["left", "middle", "right"]


class Press:
    """A page that takes ink.

    Attributes:
        dpi: Pixels per inch.
        page: RGB, uint8, shape (height, width, 3).
    """

    def __init__(self, size: tuple[int, int], dpi: int, paper: Rgb) -> None:
        """Lays out paper of `size` (width, height in hundredths of a millimetre)."""
        self.dpi = dpi
        self.page: Colour = np.empty((round(self.pixels(size[1])), round(self.pixels(size[0])), 3), dtype=np.uint8)
        self.page[:] = paper

    def pixels(self, length: float) -> float:
        """A length on paper in pixels."""
        return length * self.dpi / UNITS_PER_INCH

    def lay(
        self, left: int, top: int, coverage: npt.NDArray[np.uint8] | npt.NDArray[np.int64], colour: Rgb, *, multiply: bool = False
    ) -> None:
        """Draws the page towards `colour` where `coverage` (0..255) is; with `multiply` as a glaze that never lightens."""
        height, width = self.page.shape[:2]
        x0, y0 = max(left, 0), max(top, 0)
        x1, y1 = min(left + coverage.shape[1], width), min(top + coverage.shape[0], height)
        if x0 >= x1 or y0 >= y1:
            return
        view = self.page[y0:y1, x0:x1]
        share = coverage[y0 - top : y1 - top, x0 - left : x1 - left, None].astype(np.int32)
        paper = view.astype(np.int32)
        target = paper * np.array(colour, dtype=np.int32) // 255 if multiply else np.array(colour, dtype=np.int32)
        view[:] = (paper + ((target - paper) * share + 127) // 255).astype(np.uint8)

    def rectangle(self, left: float, top: float, right: float, bottom: float, colour: Rgb) -> None:
        """Fills a rectangle."""
        x0, y0, x1, y1 = (round(self.pixels(edge) * _SUB) for edge in (left, top, right, bottom))
        first_x, first_y = x0 // _SUB, y0 // _SUB
        across = span_coverage(x0, x1, first_x, -(-x1 // _SUB) - first_x)
        down = span_coverage(y0, y1, first_y, -(-y1 // _SUB) - first_y)
        self.lay(first_x, first_y, np.minimum(np.outer(down, across) // _SUB, 255), colour)

    def frame(self, box: Box, line: float, colour: Rgb) -> None:
        """Draws four lines whose centres are the box's edges."""
        half = line / 2
        right, bottom = box.x + box.width, box.y + box.height
        self.rectangle(box.x - half, box.y - half, right + half, box.y + half, colour)
        self.rectangle(box.x - half, bottom - half, right + half, bottom + half, colour)
        self.rectangle(box.x - half, box.y + half, box.x + half, bottom - half, colour)
        self.rectangle(right - half, box.y + half, right + half, bottom - half, colour)

    def text(
        self, text: str, x: float, middle: float, size: float, colour: Rgb = BLACK, anchor: Anchor = "left", *, bold: bool = False
    ) -> None:
        """Prints one line; accents are left out, as the typeface has none.

        Args:
            text: What to print.
            x: Its left edge, middle or right edge, as `anchor` says.
            middle: Height of the middle of its capital letters.
            size: Size of the type.
            colour: Of the ink.
            anchor: What `x` is.
            bold: Thickens the strokes.
        """
        ink = letters(plain(text), max(4, round(self.pixels(size))), bold)
        shift = {"left": 0.0, "middle": ink.shape[1] / 2, "right": float(ink.shape[1])}[anchor]
        rows = np.flatnonzero(capitals(max(4, round(self.pixels(size))), bold).any(axis=1))
        centre = (int(rows[0]) + int(rows[-1]) + 1) / 2
        self.lay(round(self.pixels(x) - shift), round(self.pixels(middle) - centre), ink, colour)


def capitals(pixels: int, bold: bool) -> Grey:
    """Ink of a capital letter, for its height."""
    return letters("H", pixels, bold)


def plain(text: str) -> str:
    """Text without accents and with nothing but ASCII."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def fitting_size(text: str, size: float, width: float) -> float:
    """The largest size up to `size` at which one line is no wider than `width`, same unit."""
    return min(size, width / max(text_width(plain(text), 1.0), 1e-9))
