"""Letters: Pillow's bundled typeface, measured once at a large size so that a line breaks alike at every resolution."""

from __future__ import annotations

from functools import lru_cache
from typing import cast

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

Grey = npt.NDArray[np.uint8]

_MASTER_PIXELS = 200
_BOLD_STROKE = 0.022
"""Half a stroke's thickening of the bold cut, as a share of the size."""


@lru_cache(maxsize=64)
def _font(pixels: int) -> ImageFont.FreeTypeFont:
    return cast("ImageFont.FreeTypeFont", ImageFont.load_default(pixels))


@lru_cache(maxsize=8192)
def text_width(text: str, size: float) -> float:
    """Width of `text` set at `size`, in the unit of `size`."""
    return float(_font(_MASTER_PIXELS).getlength(text)) * size / _MASTER_PIXELS


def break_lines(text: str, size: float, width: float) -> list[str]:
    """Breaks `text` at spaces into lines no wider than `width` (same unit as `size`); a single longer word keeps its own line."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        candidate = f"{line} {word}" if line else word
        # Rendering rounds every letter to whole pixels, so leave a little room.
        if line and text_width(candidate, size) * 1.05 > width:
            lines.append(line)
            line = word
        else:
            line = candidate
    return [*lines, line] if line else lines


@lru_cache(maxsize=2048)
def letters(text: str, pixels: int, bold: bool = False) -> Grey:
    """The ink of one line of text.

    Args:
        text: ASCII text; the bundled typeface has nothing else.
        pixels: Size of the type in pixels.
        bold: Thickens the strokes.

    Returns:
        Coverage 0..255, shape (about 1.25 * pixels, advance), its top at the ascender line.
    """
    font = _font(pixels)
    ascent, descent = font.getmetrics()
    stroke = _BOLD_STROKE * pixels if bold else 0.0
    image = Image.new("L", (int(font.getlength(text)) + 4, ascent + descent))
    ImageDraw.Draw(image).text((1, 0), text, font=font, fill=255, stroke_width=stroke)
    ink = np.array(image, dtype=np.uint8)
    ink.setflags(write=False)
    return ink
