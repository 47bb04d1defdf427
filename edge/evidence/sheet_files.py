"""A sheet as the files that are kept of it, in the box and in every export.

`record.json` is the canonical record of the reading, `pages.json` what the bilevel pages need beside their pixels, `scan-a.png`
and `scan-b.png` the bilevel pages as scanned (1 bit, ink black), `scan-a-kept-1.png` and so on the pieces of grey that the
reading needed, `scan-a-grey.png` the whole grey image where that is configured. PNG loses nothing and anything can show it. The
files hold pixels only: no time, no device, no counter.

A tally sheet, and whatever else is read in grey, has the whole grey images and no pages; `pages.json` then holds their sizes.
"""

from __future__ import annotations

import json
import struct
import warnings
import zlib
from collections.abc import Mapping
from dataclasses import astuple
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from edge.definition.canonical_json import canonical_bytes
from edge.definition.paper import PaperSize
from edge.evidence.reading import SheetReading
from edge.fixed.ink import Bits
from edge.page.area import Area
from edge.page.page import Grey, Insets, Page

RECORD = "record.json"
PAGES = "pages.json"

SCANS = ("a", "b")
MOST_FILES = 600
MOST_BYTES = 96 << 20
"""All files of a sheet together; two grey sides of 22 inches at 300 dpi have 34 million pixels."""
_MOST_PIXELS = 60_000_000
_MOST_KEPT = 256
"""Pieces of grey on a page. A page whose every oval is faint has fewer."""
_LEVEL = 1
"""zlib's fastest: a letter page in 3 ms; the slowest would save a tenth."""
_LENGTH = struct.Struct(">I")


def image_name(scan: str) -> str:
    """The file of a scan's bilevel page; `scan` is A or B."""
    return f"scan-{scan.lower()}.png"


def sheet_files(reading: SheetReading) -> dict[str, bytes]:
    """Everything that is kept of a sheet, by file name."""
    files = {RECORD: reading.record}
    pages = []
    for scan, page in zip(SCANS, reading.pages, strict=False):
        files[image_name(scan)] = _bilevel_png(page.bits)
        pages.append(_page_json(page))
        files |= {f"scan-{scan}-kept-{number}.png": _grey_png(grey) for number, (_, grey) in enumerate(page.kept, 1)}
    files |= {grey_name(scan): _grey_png(grey) for scan, grey in zip(SCANS, reading.grey, strict=False)}
    described: dict[str, Any] = {"pages": pages, "repeatable": reading.repeatable}
    if reading.read_in_grey:
        described["grey"] = [list(grey.shape) for grey in reading.grey]
    files[PAGES] = canonical_bytes(described)
    return files


def grey_name(scan: str) -> str:
    """The file of a scan's whole grey image; `scan` is A or B."""
    return f"scan-{scan.lower()}-grey.png"


def greys_of(files: Mapping[str, bytes]) -> tuple[Grey, Grey] | None:
    """Both grey images of a sheet that is read in grey; None for one that is not.

    Raises:
        ValueError: the files are not what `sheet_files` makes.
    """
    try:
        described = json.loads(files[PAGES])
        if "grey" not in described:
            return None
        if described["pages"]:
            raise ValueError("a sheet that is read in grey has no pages")
        sizes = [_integers(size, 2, 1) for size in described["grey"]]
        top, bottom = (
            _pixels(files[grey_name(scan)], width, height, "L") for scan, (height, width) in zip(SCANS, sizes, strict=True)
        )
    except (KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(f"not the files of a sheet: {error!r}") from error
    return top, bottom


def pages_of(files: Mapping[str, bytes]) -> tuple[Page, ...]:
    """The pages again, for a second reading; none for a sheet of which no page could be kept.

    Raises:
        ValueError: the files are not what `sheet_files` makes.
    """
    try:
        described = json.loads(files[PAGES])["pages"]
        if len(described) not in {0, len(SCANS)}:
            raise ValueError("a sheet has two pages or none")
        return tuple(_page(files, scan, page) for scan, page in zip(SCANS, described, strict=False))
    except (KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(f"not the files of a sheet: {error!r}") from error


def is_repeatable(files: Mapping[str, bytes]) -> bool:
    """Whether the reading can be repeated from the pages; where it cannot, the sheet was returned.

    Raises:
        ValueError: the files are not what `sheet_files` makes.
    """
    try:
        repeatable = json.loads(files[PAGES])["repeatable"]
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"not the files of a sheet: {error!r}") from error
    if not isinstance(repeatable, bool):
        raise ValueError("repeatable is neither true nor false")  # noqa: TRY004  a wrong value in a file
    return repeatable


def pack_files(files: Mapping[str, bytes]) -> bytes:
    """The files as one piece: length of the list (u32, big-endian), names and sizes in canonical JSON, zlib of the contents."""
    names = sorted(files)
    index = canonical_bytes([[name, len(files[name])] for name in names])
    return _LENGTH.pack(len(index)) + index + zlib.compress(b"".join(files[name] for name in names), _LEVEL)


def unpack_files(packed: bytes) -> dict[str, bytes]:
    """The files again.

    Raises:
        ValueError: the bytes are not what `pack_files` makes, or more than a sheet can have.
    """
    try:
        (length,) = _LENGTH.unpack_from(packed)
        index = json.loads(packed[_LENGTH.size : _LENGTH.size + length])
        sizes = {str(name): int(size) for name, size in index}
        if (
            len(sizes) != len(index)
            or len(sizes) > MOST_FILES
            or sum(sizes.values()) > MOST_BYTES
            or min(sizes.values(), default=0) < 0
        ):
            raise ValueError("not the files of a sheet: too many, or too large")
        unpacker = zlib.decompressobj()
        contents = unpacker.decompress(packed[_LENGTH.size + length :], sum(sizes.values()) + 1)
    except (struct.error, zlib.error, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"not the files of a sheet: {error!r}") from error
    if len(contents) != sum(sizes.values()) or not unpacker.eof or unpacker.unused_data:
        raise ValueError("not the files of a sheet: the contents have another length")
    files, start = {}, 0
    for name, size in sizes.items():
        files[name] = contents[start : start + size]
        start += size
    return files


def _bilevel_png(bits: Bits) -> bytes:
    height, width = bits.shape
    image = Image.frombytes("1", (width, height), np.packbits(bits ^ 1, axis=1).tobytes())
    return _png(image)


def _grey_png(grey: Grey) -> bytes:
    return _png(Image.fromarray(np.ascontiguousarray(grey)))


def _png(image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, "PNG", compress_level=_LEVEL)
    return file.getvalue()


def _page_json(page: Page) -> dict[str, Any]:
    return {
        "size": [page.height, page.width],
        "levels": [page.threshold, page.black, page.white],
        "insets": list(astuple(page.insets)),
        "paper": None if page.paper is None else page.paper.name,
        "dpi": page.dpi,
        "kept": [list(astuple(area)) for area, _ in page.kept],
    }


def _page(files: Mapping[str, bytes], scan: str, described: dict[str, Any]) -> Page:
    height, width = _integers(described["size"], 2, 1)
    bits = (_pixels(files[image_name(scan)], width, height, "1") ^ 1).astype(np.uint8)
    kept: list[tuple[Area, Grey]] = []
    if len(described["kept"]) > _MOST_KEPT:
        raise ValueError(f"a page has at most {_MOST_KEPT} kept pieces")
    pixels = 0
    for number, numbers in enumerate(described["kept"], 1):
        area = Area(*_integers(numbers, 4))
        pixels += area.width * area.height
        if pixels > _MOST_PIXELS:
            raise ValueError(f"the kept pieces have more than {_MOST_PIXELS} pixels")
        if area.left + area.width > width or area.top + area.height > height:
            raise ValueError("a kept piece lies outside its page")
        kept.append((area, _pixels(files[f"scan-{scan}-kept-{number}.png"], area.width, area.height, "L")))
    paper = None if described["paper"] is None else PaperSize[described["paper"]]
    threshold, black, white = _integers(described["levels"], 3, most=255)
    insets = Insets(*_integers(described["insets"], 4))
    (dpi,) = _integers([described["dpi"]], 1, 1)
    return Page(bits, None, threshold, black, white, insets, paper, dpi, tuple(kept))


def _integers(values: list[Any], count: int, least: int = 0, most: int = 1 << 20) -> list[int]:
    if len(values) != count or not all(type(value) is int and least <= value <= most for value in values):
        raise ValueError(f"{count} whole numbers from {least} to {most} are expected")
    return values


def _pixels(png: bytes, width: int, height: int, mode: str) -> Grey:
    """The pixels of a PNG that has exactly this size and depth; 1-bit pixels as 0 and 1."""
    if width * height > _MOST_PIXELS:
        raise ValueError(f"more than {_MOST_PIXELS} pixels")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(BytesIO(png), formats=("PNG",)) as checked:
                checked.verify()  # the checksums, which decoding ignores
            with Image.open(BytesIO(png), formats=("PNG",)) as image:
                found = (*image.size, image.mode)
                # As grey: Pillow packs 1-bit pixels slowly.
                pixels = np.asarray(image.convert("L"), np.uint8) if found == (width, height, mode) else None
    except Exception as error:  # a decoder may raise anything at a damaged file
        raise ValueError(f"the image is damaged: {error!r}") from error
    if pixels is None:
        raise ValueError(f"the image is {found}, expected {(width, height, mode)}")
    return pixels if mode == "L" else pixels & np.uint8(1)
