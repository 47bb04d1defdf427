"""From a sheet to the bytes on the endpoint of pixels, which carry neither header nor row marks.

In 8-bit mode bytes alternate between top and bottom, one pixel each; the top side runs from right to left. Pixels leave as the
array sees them, so the host has to apply the calibration tables. In 1-bit mode bytes alternate likewise, eight pixels each, 1 is
black, the top side runs from right to left, and every byte is exclusive-ored with 0x33. With one side, only its bytes come.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from hil.scanner.calibration import COLUMNS, Tables
from hil.scanner.sheet import Grey, Sheet

_SCRAMBLE = 0x33
_BED = 0
_BLOCK = 64
"""Rows that are corrected together, so that they stay in the processor's cache."""


class Sides(StrEnum):
    """Which arrays send pixels."""

    DUPLEX = "duplex"
    TOP = "top"
    BOTTOM = "bottom"


@dataclass(frozen=True, slots=True)
class Encoding:
    """How pixels leave.

    Attributes:
        sides: Which arrays send.
        grey: 8-bit grey instead of 1-bit.
        threshold_top: In 1-bit mode, what is darker than this many percent of white is black.
        threshold_bottom: The same for the lower array.
    """

    sides: Sides
    grey: bool
    threshold_top: int = 75
    threshold_bottom: int = 75

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return (COLUMNS if self.grey else COLUMNS // 8) * (2 if self.sides is Sides.DUPLEX else 1)


def encode(sheet: Sheet, encoding: Encoding, top: Tables, bottom: Tables) -> memoryview:
    """Turn a sheet into the bytes that the scanner sends.

    A side narrower than the array lies centred on the dark bed, a wider one is cut on both sides; the shorter one is followed by
    bed.

    Args:
        sheet: What was fed.
        encoding: How pixels leave.
        top: Calibration of the upper array.
        bottom: Calibration of the lower array.
    """
    sides: list[Grey] = []
    if encoding.sides is not Sides.BOTTOM:
        side = _on_bed(sheet.top, sheet.rows)
        sides.append((_seen(side, top) if encoding.grey else _bits(side, encoding.threshold_top))[:, ::-1])
    if encoding.sides is not Sides.TOP:
        side = _on_bed(sheet.bottom, sheet.rows)
        sides.append(_seen(side, bottom) if encoding.grey else _bits(side, encoding.threshold_bottom))
    if not encoding.grey:
        sides = [np.packbits(side, axis=1) ^ np.uint8(_SCRAMBLE) for side in sides]
    if len(sides) == 1:
        stream = np.ascontiguousarray(sides[0])
    else:
        stream = np.empty((*sides[0].shape, 2), np.uint8)
        stream[:, :, 0], stream[:, :, 1] = sides
    return stream.reshape(-1).data.toreadonly()


def _on_bed(side: Grey, rows: int) -> Grey:
    if side.shape == (rows, COLUMNS):
        return side
    if side.shape[1] > COLUMNS:
        left = (side.shape[1] - COLUMNS) // 2
        side = side[:, left : left + COLUMNS]
    canvas = np.full((rows, COLUMNS), _BED, np.uint8)
    left = (COLUMNS - side.shape[1]) // 2
    canvas[: len(side), left : left + side.shape[1]] = side
    return canvas


def _bits(side: Grey, threshold: int) -> Grey:
    # Levels below this one are less than that many percent of 255.
    level = -(-threshold * 255 // 100)
    return (side < level).view(np.uint8)


def _seen(side: Grey, tables: Tables) -> Grey:
    """Give what the array sees, so that the host's rule 255 * (seen - black) / (white - black) gives the side back.

    A column cannot tell more levels apart than lie between its black and its white; of these, the one is taken that comes out
    equal or next above.
    """
    if tables.flat:
        return side
    span = tables.white.astype(np.uint16) - tables.black
    result = np.empty_like(side)
    for first in range(0, len(side), _BLOCK):
        block = side[first : first + _BLOCK]
        scaled: NDArray[np.uint16] = np.multiply(block, span, dtype=np.uint16)
        # Divided by 255, rounded up: (x + 1 + x // 256) // 256 is x // 255 for all x below 65535, and no sum leaves 16 bits.
        scaled += np.uint16(254)
        scaled += (scaled >> np.uint16(8)) + np.uint16(1)
        scaled >>= np.uint16(8)
        result[first : first + _BLOCK] = scaled + tables.black
    return result
