"""A sheet as read, and as the bytes that the books keep of it."""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
import rfc8785

from edge.decision import Disposition
from edge.definition.paper import PaperSize
from edge.page.area import Area
from edge.page.page import Grey, Insets, Page

_LENGTH = struct.Struct(">I")
_LEVEL = 1
"""zlib's fastest: a letter page shrinks to a tenth in two milliseconds."""


@dataclass(frozen=True, slots=True, eq=False)
class SheetReading:
    """A sheet as read.

    Attributes:
        disposition: What is to happen to it, and why.
        record: The canonical JSON of the reading.
        pages: Scan A and scan B with no more grey than a second reading needs; empty for a sheet that could not be read.
    """

    disposition: Disposition
    record: bytes
    pages: tuple[Page, ...]


def pack_sheet(reading: SheetReading) -> bytes:
    """The record and the pages as one piece.

    Length of the header (u32, big-endian), header in canonical JSON, zlib of the pixels. The pixels are, for each page, its bits
    (8 to a byte, rows not padded) and then its kept pieces of grey.
    """
    pixels = b"".join(_page_pixels(page) for page in reading.pages)
    header = rfc8785.dumps({"record": reading.record.decode(), "pages": [_page_header(page) for page in reading.pages]})
    return _LENGTH.pack(len(header)) + header + zlib.compress(pixels, _LEVEL)


def unpack_sheet(packed: bytes) -> tuple[bytes, tuple[Page, ...]]:
    """The record and the pages again, for a second reading.

    Raises:
        ValueError: the bytes are not what `pack_sheet` makes.
    """
    try:
        (length,) = _LENGTH.unpack_from(packed)
        header = json.loads(packed[_LENGTH.size : _LENGTH.size + length])
        pixels = memoryview(zlib.decompress(packed[_LENGTH.size + length :]))
        pages = []
        for page in header["pages"]:
            used, found = _page(page, pixels)
            pixels = pixels[used:]
            pages.append(found)
        record = header["record"].encode()
    except (struct.error, zlib.error, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a packed sheet: {error!r}") from error
    if pixels.nbytes:
        raise ValueError("not a packed sheet: pixels are left over")
    return record, tuple(pages)


def _page_pixels(page: Page) -> bytes:
    return b"".join([np.packbits(page.bits).tobytes(), *(grey.tobytes() for _, grey in page.kept)])


def _page_header(page: Page) -> dict[str, Any]:
    return {
        "size": [page.height, page.width],
        "levels": [page.threshold, page.black, page.white],
        "insets": list(astuple(page.insets)),
        "paper": None if page.paper is None else page.paper.name,
        "dpi": page.dpi,
        "kept": [list(astuple(area)) for area, _ in page.kept],
    }


def _page(header: dict[str, Any], pixels: memoryview) -> tuple[int, Page]:
    height, width = header["size"]
    used = (height * width + 7) // 8
    packed = np.frombuffer(pixels[:used], np.uint8)
    bits = np.unpackbits(packed, count=height * width).reshape(height, width)
    kept: list[tuple[Area, Grey]] = []
    for area in (Area(*numbers) for numbers in header["kept"]):
        size = area.width * area.height
        kept.append((area, np.frombuffer(pixels[used : used + size], np.uint8).reshape(area.height, area.width)))
        used += size
    paper = None if header["paper"] is None else PaperSize[header["paper"]]
    threshold, black, white = header["levels"]
    insets = Insets(*header["insets"])
    return used, Page(bits, None, threshold, black, white, insets, paper, header["dpi"], tuple(kept))
