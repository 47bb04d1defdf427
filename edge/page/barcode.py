"""QR codes on a page: two independent readers, bilevel pixels before grey ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import zxingcpp
from pyzbar import pyzbar

from edge.page.area import Area
from edge.page.page import Grey, Page

Reader = Literal["zbar", "zxing"]

_Decoder = Callable[[Grey], Iterator[tuple[bytes, int, int]]]
_WHITE = 255
_QUIET = 16
"""White pixels put around a piece of a page: a code at its very edge needs a quiet zone."""


@dataclass(frozen=True, slots=True, eq=False)
class Barcode:
    """A QR code that was read.

    `data`: its bytes. `x`, `y`: the middle of it in page pixels. `reader`: which decoder answered. `grey`: the grey pixels of
    `area`, kept when only they could be read, so that the reading can be repeated from what is stored; None when the bilevel page
    was enough.
    """

    data: bytes
    x: int
    y: int
    reader: Reader
    area: Area
    grey: Grey | None


def _zbar(image: Grey) -> Iterator[tuple[bytes, int, int]]:
    # QR codes alone: zbar's other decoders print warnings to stderr.
    for symbol in pyzbar.decode(image, symbols=[pyzbar.ZBarSymbol.QRCODE]):
        box = symbol.rect
        yield symbol.data, box.left + box.width // 2, box.top + box.height // 2


def _zxing(image: Grey) -> Iterator[tuple[bytes, int, int]]:
    for symbol in zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)):
        corners = symbol.position
        xs = [corner.x for corner in (corners.top_left, corners.top_right, corners.bottom_left, corners.bottom_right)]
        ys = [corner.y for corner in (corners.top_left, corners.top_right, corners.bottom_left, corners.bottom_right)]
        yield symbol.bytes, sum(xs) // 4, sum(ys) // 4


_READERS: tuple[tuple[Reader, _Decoder], ...] = (("zbar", _zbar), ("zxing", _zxing))


def read_barcodes(page: Page, areas: tuple[Area, ...]) -> Iterator[Barcode]:
    """QR codes in pieces of a page, most trustworthy reading first: bilevel by zbar, by zxing-cpp, then grey by each.

    Each reader looks at every area before the next one is asked. The same code may come several times; the caller takes the first
    whose content makes sense and asks for no more.
    """
    for bilevel in (True, False):
        for reader, decode in _READERS:
            for area in areas:
                pixels = np.where(area.of(page.bits), np.uint8(0), np.uint8(_WHITE)) if bilevel else page.grey_of(area)
                if pixels is None:
                    continue
                framed = cv2.copyMakeBorder(pixels, _QUIET, _QUIET, _QUIET, _QUIET, cv2.BORDER_CONSTANT, value=(_WHITE,))
                for data, x, y in decode(np.asarray(framed, np.uint8)):
                    kept = None if bilevel else pixels
                    yield Barcode(data, area.left + x - _QUIET, area.top + y - _QUIET, reader, area, kept)
