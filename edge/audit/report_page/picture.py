"""A kept page as a small PNG for the report: decoded, turned upright, reduced by whole numbers, encoded anew.

Nothing of the export's own file reaches the browser but its pixels.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

MOST_PIXELS = 60_000_000
"""As of a page that is kept."""
_LEVEL = 6
"""zlib's level: 9 takes ten times as long and saves 4 % of a reduced page."""
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MOST_REDUCTION = 12
_LEVELS = np.array([0] * 96 + [2] * 112 + [3] * 48, np.uint8)
"""Black, light grey or white by mean grey. The fourth grey that two bits can give would cost a fifth more and show no more."""


class PictureError(Exception):
    """A picture that cannot be shown, and why, in a few words."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture for the page.

    Attributes:
        png: Its file.
        width: In its own pixels.
        height: In its own pixels.
        reduction: Pixels of the scan, across as well as down, that became one; the last ones may be of fewer.
        scan_size: Width and height of the scan in pixels.
    """

    png: bytes
    width: int
    height: int
    reduction: int
    scan_size: tuple[int, int]


def reduction_for(dpi: int, target: int) -> int:
    """By how much a page of `dpi` is reduced so that it has at least `target` pixels per inch; 1 leaves it as it is."""
    return min(max(dpi // target, 1), _MOST_REDUCTION)


def picture(file: bytes, *, upside_down: bool, reduction: int) -> Picture:
    """The picture of a bilevel page's file.

    Args:
        file: 1-bit PNG, ink black.
        upside_down: Whether the page is to be turned by 180 degrees.
        reduction: 1 gives every pixel in black and white, more gives the means of blocks in three greys.

    Raises:
        PictureError: the file cannot be decoded or is no bilevel page.
    """
    try:
        with Image.open(BytesIO(file), formats=("PNG",)) as image:
            size, mode = image.size, image.mode
            rows = _rows(image, reduction, upside_down=upside_down) if mode == "1" and size[0] * size[1] <= MOST_PIXELS else None
    except Exception as error:  # a decoder may raise anything at a damaged file
        raise PictureError("it cannot be decoded") from error
    if rows is None:
        raise PictureError(f"it is no page: {size[0]} x {size[1]} pixels in mode {mode}")
    width, depth = -(-size[0] // reduction), 1 if reduction == 1 else 2
    return Picture(_png(rows, width, depth), width, len(rows), reduction, size)


def grey_picture(file: bytes, *, upside_down: bool, reduction: int) -> Picture:
    """The picture of a whole grey image's file, in four greys.

    Args:
        file: 8-bit grey PNG.
        upside_down: Whether it is to be turned by 180 degrees.
        reduction: Pixels across and down whose mean becomes one.

    Raises:
        PictureError: the file cannot be decoded or is no grey image.
    """
    try:
        with Image.open(BytesIO(file), formats=("PNG",)) as image:
            size, mode = image.size, image.mode
            fits = mode == "L" and size[0] * size[1] <= 2 * MOST_PIXELS
            reduced = np.asarray(image.reduce(reduction)) if fits else None
    except Exception as error:  # as above
        raise PictureError("it cannot be decoded") from error
    if reduced is None:
        raise PictureError(f"it is no grey image: {size[0]} x {size[1]} pixels in mode {mode}")
    upright = reduced[::-1, ::-1] if upside_down else reduced
    rows = _packed_in_fours(upright // np.uint8(64))
    return Picture(_png(rows, upright.shape[1], 2), upright.shape[1], len(rows), reduction, size)


def _rows(image: Image.Image, reduction: int, *, upside_down: bool) -> Pixels:
    """The rows of the picture, packed."""
    upright = image.transpose(Image.Transpose.ROTATE_180) if upside_down else image
    if reduction == 1:
        packed = np.frombuffer(upright.tobytes(), np.uint8)
        return packed.reshape(upright.height, (upright.width + 7) // 8)
    # Means of blocks, in whole numbers; what is left of a block at the edge gives the mean of that part.
    return _packed_in_fours(_LEVELS[np.asarray(upright.convert("L").reduce(reduction))])


def _packed_in_fours(levels: Pixels) -> Pixels:
    """Rows of two bits a pixel, the first in the highest bits."""
    height, width = levels.shape
    padded = np.zeros((height, -(-width // 4) * 4), np.uint8)
    padded[:, :width] = levels
    packed = padded[:, 0::4] << 6 | padded[:, 1::4] << 4 | padded[:, 2::4] << 2 | padded[:, 3::4]
    return np.asarray(packed, np.uint8)


def _png(rows: Pixels, width: int, depth: int) -> bytes:
    """A grey PNG of rows that are packed already; no row is filtered, which at so few bits is smallest."""
    unfiltered = np.zeros((len(rows), 1), np.uint8)
    header = struct.pack(">IIBBBBB", width, len(rows), depth, 0, 0, 0, 0)
    content = zlib.compress(np.hstack([unfiltered, rows]).tobytes(), _LEVEL)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", content) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
