"""From the raw stream of pixels to the images of both sides (the public notes on the PageScan 6 protocol).

The stream has no header, no row marks and no trailer. In grey, bytes alternate top, bottom, top, bottom; in the bilevel mode each
byte holds eight pixels of one side, exclusive-ored with 0x33. The top array sends its rows from right to left.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from firmware_bridge.pagescan6.messages import CalibrationTable
from firmware_bridge.pagescan6.settings import PartialRow, ScannerSettings, Sides
from firmware_bridge.scanner import Grey, SheetImages

DPI: Final = 200
COLUMNS: Final = 1728
"""Pixels per row and side at 200 dpi: 8.64 inches."""

_LEVELS: Final = 256
_CHANNELS: Final = 432
"""OpenCV looks up at most 512 channels, each in its own table: a row is treated as this many columns at a time."""
_BLOCK_ROWS: Final = 64
"""Rows that are worked on at a time: what they become still lies in the processor's cache when it is needed."""
_WIRE_MASK: Final = np.uint8(0x33)
_BLACK_BYTE: Final = 0xFF


class ImageError(Exception):
    """A scan without usable images.

    Attributes:
        code: noImage, imageTruncated or scanUnreadable.
        detail: What is wrong, in one sentence.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


class Calibration:
    """What each level of each column is worth, looked up at once; built once per connection.

    A pixel becomes ``min(255, 255 * max(0, pixel - black) // (white - black))`` of its column, or 0 where white <= black.

    Args:
        top: Table of the top side, in the order sent.
        bottom: Table of the bottom side, in the order sent.

    Raises:
        ValueError: A table is not for 1728 columns, not for 8 bits, or not of its side.
    """

    def __init__(self, top: CalibrationTable, bottom: CalibrationTable) -> None:
        for table, side in ((top, "top"), (bottom, "bottom")):
            if table.side != side or table.bits != 8 or len(table.white) != COLUMNS or len(table.black) != COLUMNS:
                raise ValueError(
                    f"a table of the {table.side} side for {len(table.white)} columns of {table.bits} bits "
                    f"is not one of the {side} side for {COLUMNS} columns of 8 bits"
                )
        # Both tables run against the pixels of the stream, whatever a person sees.
        self._of_top = _levels(top)[:, ::-1]
        self._of_bottom = _levels(bottom)[:, ::-1]
        interleaved = np.stack((self._of_top, self._of_bottom), axis=2).reshape(_LEVELS, 2 * COLUMNS)
        self._of_both = _in_pieces(interleaved)
        self._alone = {"top": _in_pieces(self._of_top), "bottom": _in_pieces(self._of_bottom)}

    def apply(self, rows: Grey, sides: Sides) -> Grey:
        """Calibrate raw rows, pixels in the order of the stream."""
        tables = self._of_both if sides == "both" else self._alone[sides]
        out = np.empty_like(rows)
        for index, table in enumerate(tables):
            columns = slice(index * _CHANNELS, (index + 1) * _CHANNELS)
            piece = rows[:, columns].reshape(len(rows), 1, _CHANNELS)
            out[:, columns] = np.asarray(cv2.LUT(piece, table)).reshape(len(rows), _CHANNELS)
        return out


def _levels(table: CalibrationTable) -> Grey:
    """The value of every level (row) in every column, in the order of the table."""
    white = np.frombuffer(table.white, np.uint8).astype(np.int32)
    black = np.frombuffer(table.black, np.uint8).astype(np.int32)
    span = white - black
    above = np.maximum(0, np.arange(_LEVELS, dtype=np.int32)[:, None] - black)
    values = np.minimum(255, 255 * above // np.maximum(span, 1))
    return np.where(span > 0, values, 0).astype(np.uint8)


def _in_pieces(levels: Grey) -> list[Grey]:
    """Cut a table into as many columns as OpenCV takes for channels."""
    return [
        np.ascontiguousarray(levels[:, start : start + _CHANNELS]).reshape(1, _LEVELS, _CHANNELS)
        for start in range(0, levels.shape[1], _CHANNELS)
    ]


def assemble(raw: bytes | bytearray, calibration: Calibration | None, settings: ScannerSettings) -> SheetImages:
    """Make the images of one sheet out of all bytes that came for it.

    Args:
        raw: The stream, from the first pixel to the last.
        calibration: What the scanner said about its columns; only the bilevel mode does without.
        settings: `bits`, `sides`, `partial_row` and `image_limit_bytes` count here.

    Returns:
        Both sides as a person sees them. A side that was not read has no rows.

    Raises:
        ImageError: There is no image, or what came cannot be one.
    """
    if not raw:
        raise ImageError("noImage", "the scan ended without a pixel")
    if len(raw) > settings.image_limit_bytes:
        raise ImageError("scanUnreadable", f"more than {settings.image_limit_bytes} bytes came, longer than any sheet")
    arrays = 2 if settings.sides == "both" else 1
    if len(raw) % arrays:
        raise ImageError("scanUnreadable", f"{len(raw)} bytes came: one side lacks a pixel")
    rows = _whole_rows(raw, arrays * COLUMNS * settings.bits // 8, settings.partial_row)
    if settings.bits == 8:
        if calibration is None:
            raise ImageError("scanUnreadable", "the scanner has not said yet how its columns are calibrated")
        top, bottom = _sides_of_grey(rows, calibration, settings.sides)
    else:
        top, bottom = _sides_of_bits(_without_black_ends(rows ^ _WIRE_MASK), settings.sides)
    return SheetImages(top, bottom, DPI)


def _whole_rows(raw: bytes | bytearray, row_bytes: int, partial_row: PartialRow) -> Grey:
    rows, rest = divmod(len(raw), row_bytes)
    if not rows or (rest and partial_row == "refuse"):
        raise ImageError("imageTruncated", f"{len(raw)} bytes came: {rows} whole rows of {row_bytes} bytes and {rest} bytes")
    return np.frombuffer(raw, np.uint8, rows * row_bytes).reshape(rows, row_bytes)


def _sides_of_grey(rows: Grey, calibration: Calibration, sides: Sides) -> tuple[Grey, Grey]:
    top = np.empty((0 if sides == "bottom" else len(rows), COLUMNS), np.uint8)
    bottom = np.empty((0 if sides == "top" else len(rows), COLUMNS), np.uint8)
    for start in range(0, len(rows), _BLOCK_ROWS):
        block = slice(start, start + _BLOCK_ROWS)
        pixels = calibration.apply(rows[block], sides)
        if sides == "both":
            pairs = pixels.reshape(len(pixels), COLUMNS, 2)
            top[block] = cv2.flip(cv2.extractChannel(pairs, 0), 1)
            bottom[block] = cv2.extractChannel(pairs, 1)
        elif sides == "top":
            top[block] = cv2.flip(pixels, 1)
        else:
            bottom[block] = pixels
    return top, bottom


def _sides_of_bits(rows: Grey, sides: Sides) -> tuple[Grey, Grey]:
    if sides == "both":
        return np.ascontiguousarray(_greys(rows[:, 0::2])[:, ::-1]), _greys(rows[:, 1::2])
    nothing = np.empty((0, COLUMNS), np.uint8)
    return (np.ascontiguousarray(_greys(rows)[:, ::-1]), nothing) if sides == "top" else (nothing, _greys(rows))


def _greys(rows: NDArray[np.uint8]) -> Grey:
    """Eight pixels out of each byte, the highest bit leftmost; a set bit is black."""
    return np.where(np.unpackbits(rows, axis=1), np.uint8(0), np.uint8(255))


def _without_black_ends(rows: Grey) -> Grey:
    """Leave out the rows before and after the paper, where both sides are all black: they stay level with each other."""
    paper = np.flatnonzero((rows != _BLACK_BYTE).any(axis=1))
    if not len(paper):
        raise ImageError("noImage", "every row is black: there was no paper")
    return rows[paper[0] : paper[-1] + 1]
