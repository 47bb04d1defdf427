"""Codes that a form carries twice and more: as barcodes and as printed digits. What is read of them must agree."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import zxingcpp
from numpy.typing import NDArray
from pyzbar import pyzbar

from edge.definition.box import Box
from edge.definition.form import Form, PrintedCode, Symbology
from edge.fixed.number import SUBPIXEL, Int64Array
from edge.fixed.otsu import otsu_levels
from edge.inference.digits import DigitReader
from edge.page.area import Area
from edge.page.page import Grey
from edge.tally.affine import SCALE, Affine, FormMap
from edge.tally.fields import cell_reading, read_pictures
from edge.tally.ink import PATCH_SIDE, SQUARE_FRAME
from edge.tally.result import CodeReading, FieldReading
from edge.tally.sampling import sample
from edge.tally.writing import clean_writing

# Code39 alone would report six digits that happen to be a Code 32 as that, in other letters.
_ZXING = {"code128": zxingcpp.BarcodeFormat.Code128, "code39": zxingcpp.BarcodeFormat.Code39Std}
_ZBAR = {"code128": pyzbar.ZBarSymbol.CODE128, "code39": pyzbar.ZBarSymbol.CODE39}
_NAMES: dict[str, Symbology] = {"Code 128": "code128", "Code 39": "code39", "CODE128": "code128", "CODE39": "code39"}

_DIGIT_HEIGHTS = (130, 700)
"""Hundredths of a millimetre that printed digits are high: 6 to 24 points."""
_CELL_HEIGHTS = (7, 5)
"""A printed digit is set into a square cell of 7/5 of its height, as a careful hand would."""
_LEAST_CONTRAST = 48
_LEAST_CROP = 8 * SUBPIXEL
_WHITE = 255


def read_barcodes(plane: Grey, form: Form) -> tuple[CodeReading, ...]:
    """Every barcode of the form's symbologies on an upright page, by zxing-cpp, and by zbar where that finds none."""
    kinds = sorted({symbology for code in form.codes for symbology in code.barcodes})
    if not kinds:
        return ()
    return _zxing(plane, kinds) or _zbar(plane, kinds)


def _zxing(plane: Grey, kinds: Sequence[Symbology]) -> tuple[CodeReading, ...]:
    formats = zxingcpp.BarcodeFormats([_ZXING[kind] for kind in kinds])
    found = []
    for symbol in zxingcpp.read_barcodes(plane, formats=formats):
        corners = symbol.position
        points = (corners.top_left, corners.top_right, corners.bottom_left, corners.bottom_right)
        name = _NAMES.get(str(symbol.format))
        if name is not None:
            x, y = sum(point.x for point in points) // 4, sum(point.y for point in points) // 4
            found.append(CodeReading(name, symbol.text, x, y))
    return _sorted(found)


def _zbar(plane: Grey, kinds: Sequence[Symbology]) -> tuple[CodeReading, ...]:
    found = []
    for symbol in pyzbar.decode(plane, symbols=[_ZBAR[kind] for kind in kinds]):
        name = _NAMES.get(symbol.type)
        if name is not None:
            box = symbol.rect
            text = symbol.data.decode("ascii", "replace")
            found.append(CodeReading(name, text, box.left + box.width // 2, box.top + box.height // 2))
    return _sorted(found)


def _sorted(found: list[CodeReading]) -> tuple[CodeReading, ...]:
    return tuple(sorted(found, key=lambda code: (code.y, code.x, code.symbology, code.text)))


def read_code(
    code: PrintedCode, barcodes: Sequence[CodeReading], plane: Grey, form_map: FormMap, reader: DigitReader
) -> FieldReading:
    """The value of a code: what its barcodes and its print say, when they say the same.

    A barcode whose text is no number of the right length is none of the code's. Print that cannot be read for certain says
    nothing; alone it does not make up for barcodes that should be there, unless it is there twice.
    """
    least, most = code.digits
    own = [barcode for barcode in barcodes if barcode.symbology in code.barcodes and _is_code(barcode.text, least, most)]
    said = {barcode.text for barcode in own}
    printed = [text for box in code.print if (text := _read_print(plane, form_map.at(box), box, reader)) is not None]
    printed = [text for text in printed if _is_code(text, least, most)]
    every = said | set(printed)
    if len(every) > 1:
        told = [f"{barcode.symbology}: {barcode.text}" for barcode in own] + [f"print: {text}" for text in printed]
        return FieldReading(code.name, None, "codesDiffer", detail="; ".join(told))
    if not every or (not said and code.barcodes and len(printed) < 2):
        detail = "neither its barcodes nor its print can be read" if not every else f"only its print can be read: {printed[0]}"
        return FieldReading(code.name, None, "codeMissing", detail=detail)
    return FieldReading(code.name, every.pop(), None)


def _is_code(text: str, least: int, most: int) -> bool:
    return text.isascii() and text.isdigit() and least <= len(text) <= most


def _read_print(plane: Grey, affine: Affine, box: Box, reader: DigitReader) -> str | None:
    """The printed digits in a box of the form, or None where any of them is not certain."""
    crop = _crop(plane, affine, box)
    if crop is None:
        return None
    levels = otsu_levels(crop)
    if levels.white - levels.black < _LEAST_CONTRAST:
        return None
    least, most = (affine.distance(height) // SUBPIXEL for height in _DIGIT_HEIGHTS)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(
        (crop <= levels.threshold).astype(np.uint8), connectivity=8, ltype=cv2.CV_32S
    )
    places = [(int(x), int(y), int(w), int(h), number) for number, (x, y, w, h, _) in enumerate(stats.tolist()) if number]
    letters = sorted(place for place in places if least <= place[3] <= most and place[2] <= 2 * place[3])
    if not letters:
        return None
    patches = np.stack([_letter_patch(crop, labels == number, x, y, w, h, levels.black) for x, y, w, h, number in letters])
    writing = clean_writing(patches, (SQUARE_FRAME,) * len(patches))
    scores = read_pictures(writing.inputs, reader)
    # Nobody asks where a printed digit lies.
    area = Area(0, 0, 0, 0)
    cells = [cell_reading(scores, number, reader, area, None) for number in range(len(patches))]
    if any(cell.state != "digit" for cell in cells):
        return None
    return "".join(str(cell.digit) for cell in cells)


def _crop(plane: Grey, affine: Affine, box: Box) -> Grey | None:
    """The piece of the page in a box of the form, upright, pixel by pixel; None if hardly any of it is on the image."""
    height, width = plane.shape
    left, top, right, bottom = affine.bounds(box.x, box.y, box.width, box.height)
    if min(right, width * SUBPIXEL) - max(left, 0) < _LEAST_CROP or min(bottom, height * SUBPIXEL) - max(top, 0) < _LEAST_CROP:
        return None
    # From the middle of a pixel, so that those of an upright page are taken as they are.
    x, y = (edge // SUBPIXEL * SUBPIXEL + SUBPIXEL // 2 for edge in affine.point(box.x, box.y))
    across, down = (length * size // SCALE for length, size in zip(affine.lengths, (box.width, box.height), strict=True))
    columns = np.arange(across // SUBPIXEL + 2, dtype=np.int32)[np.newaxis, :]
    rows = np.arange(down // SUBPIXEL + 2, dtype=np.int32)[:, np.newaxis]
    (right_x, right_y), (down_x, down_y) = affine.unit_x, affine.unit_y
    at_x, at_y = x + columns * right_x + rows * down_x, y + columns * right_y + rows * down_y
    return sample(plane, at_x, at_y).astype(np.uint8)


def _letter_patch(crop: Grey, mask: NDArray[np.bool_], x: int, y: int, width: int, height: int, black: int) -> NDArray[np.uint8]:
    """One printed letter alone on white in a cell's patch, uint8 (96, 96): each pixel is that of the crop which it falls on."""
    near = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    side = height * _CELL_HEIGHTS[0]
    steps: Int64Array = (2 * np.arange(PATCH_SIDE, dtype=np.int64) + 1 - PATCH_SIDE) * side
    # A cell is 64 pixels of the patch wide; the letter's middle lies in the middle.
    scale = 2 * 64 * _CELL_HEIGHTS[1]
    columns = (2 * x + width) // 2 + steps // scale
    rows = (2 * y + height) // 2 + steps // scale
    inside = ((rows >= 0) & (rows < crop.shape[0]))[:, np.newaxis] & ((columns >= 0) & (columns < crop.shape[1]))[np.newaxis, :]
    rows, columns = np.clip(rows, 0, crop.shape[0] - 1), np.clip(columns, 0, crop.shape[1] - 1)
    grid = np.ix_(rows, columns)
    depth = (_WHITE - crop[grid].astype(np.int64)) * 255 // max(1, _WHITE - black)
    return np.where(inside & near[grid], np.minimum(depth, 255), 0).astype(np.uint8)
