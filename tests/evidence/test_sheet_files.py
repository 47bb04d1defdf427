"""What is kept of a sheet is enough to read it again, and nothing else passes for it."""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import replace
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from edge.ballot.interpret import interpret_pages
from edge.decision import Disposition, decide
from edge.definition.settings import SystemSettings
from edge.evidence.reading import SheetReading
from edge.evidence.sheet_files import (
    MOST_BYTES,
    MOST_FILES,
    PAGES,
    RECORD,
    is_repeatable,
    pack_files,
    pages_of,
    sheet_files,
    unpack_files,
)
from edge.page.area import Area
from edge.page.page import Page
from edge.record import canonical_json
from edge.station.sheet import sheet_reader
from firmware_bridge.scanner import SheetImages
from hil.paper.scan import ScannedPair, scan
from hil.paper.truth import random_marked_sheet
from tests.ballot.sheets import blank_sheet, made_up

SETTINGS = SystemSettings()
REFUSED = SheetReading(Disposition("return"), b'{"kind":"refused"}', (), repeatable=False)


def images_of(pair: ScannedPair) -> SheetImages:
    return SheetImages(pair.top.pixels, pair.bottom.pixels, 200)


@cache
def small_files() -> dict[str, bytes]:
    """The files of a sheet with two tiny pages, one of them with a kept piece."""
    bits = np.zeros((40, 24), np.uint8)
    bits[3:9, 5:7] = 1
    page = read_one().pages[0]
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    pages = (
        replace(page, bits=bits, kept=((Area(2, 5, 4, 3), grey),)),
        replace(page, bits=np.asarray(1 - bits, np.uint8), kept=()),
    )
    return sheet_files(SheetReading(Disposition("accept"), b"{}", pages))


@cache
def read_one() -> SheetReading:
    return sheet_reader(made_up(), SETTINGS)(images_of(scan(random_marked_sheet(made_up(), 7), {"rotation": 5}, seed=7)))


@pytest.mark.parametrize("encoding", ["qr-code", "timing-marks"])
def test_a_kept_sheet_is_read_again_to_the_same_bytes(encoding: str) -> None:
    election = made_up(encoding=encoding)
    reading = sheet_reader(election, SETTINGS)(images_of(scan(random_marked_sheet(election, 7), {"rotation": 5}, seed=7)))
    files = unpack_files(pack_files(sheet_files(reading)))
    first, second = pages_of(files)
    again = interpret_pages((first, second), election, SETTINGS)
    assert files[RECORD] == reading.record
    assert canonical_json(again, decide(again, election, SETTINGS)) == reading.record
    assert is_repeatable(files)


def test_a_sheet_of_another_election_is_refused_again_from_its_kept_pages() -> None:
    other = made_up(4)
    reading = sheet_reader(made_up(), SETTINGS)(images_of(scan(random_marked_sheet(other, 7), seed=7)))
    assert reading.disposition.kind == "return"
    files = sheet_files(reading)
    first, second = pages_of(files)
    again = interpret_pages((first, second), made_up(), SETTINGS)
    assert canonical_json(again, decide(again, made_up(), SETTINGS)) == files[RECORD]
    assert is_repeatable(files)


def test_a_sheet_of_which_no_page_was_found_has_none() -> None:
    black = np.zeros((300, 300), np.uint8)
    reading = sheet_reader(made_up(), SETTINGS)(SheetImages(black, black, 200))
    files = sheet_files(reading)
    assert set(files) == {RECORD, PAGES}
    assert pages_of(files) == ()
    assert not is_repeatable(files)


def test_the_same_sheet_gives_the_same_files_and_the_same_pack() -> None:
    pair = images_of(scan(blank_sheet(), seed=3))
    first, second = (sheet_files(sheet_reader(made_up(), SETTINGS)(pair)) for _ in range(2))
    assert first == second
    assert pack_files(first) == pack_files(dict(reversed(second.items())))


def test_the_files_show_pixels_and_nothing_else() -> None:
    """No time, no device, no number: each image has the chunks that PNG demands, and no others."""
    for name, content in sheet_files(read_one()).items():
        if not name.endswith(".png"):
            continue
        place, chunks = 8, []
        while place < len(content):
            (length,) = struct.unpack_from(">I", content, place)
            chunks.append(content[place + 4 : place + 8])
            place += 12 + length
        assert chunks[0] == b"IHDR"
        assert chunks[-1] == b"IEND"
        assert set(chunks[1:-1]) == {b"IDAT"}


def test_ink_is_black_and_the_grey_images_are_kept_where_they_are_wanted() -> None:
    pair = images_of(scan(blank_sheet(), seed=3))
    reading = sheet_reader(made_up(), SETTINGS, keep_grey=True)(pair)
    files = sheet_files(reading)
    with Image.open(BytesIO(files["scan-a.png"])) as bilevel, Image.open(BytesIO(files["scan-a-grey.png"])) as grey:
        assert bilevel.mode == "1"
        assert np.array_equal(np.asarray(bilevel), reading.pages[0].bits == 0)
        assert np.array_equal(np.asarray(grey), pair.top)
    assert [page.bits.shape for page in pages_of(files)] == [page.bits.shape for page in reading.pages]


def same(first: Page, second: Page) -> bool:
    pixels = np.array_equal(first.bits, second.bits) and len(first.kept) == len(second.kept)
    kept = all(
        one == other and np.array_equal(left, right) for (one, left), (other, right) in zip(first.kept, second.kept, strict=False)
    )
    rest = [(page.threshold, page.black, page.white, page.insets, page.paper, page.dpi) for page in (first, second)]
    return pixels and kept and rest[0] == rest[1]


def test_pages_come_back_pixel_by_pixel() -> None:
    for sheet in (sheet_files(read_one()), small_files()):
        pages = pages_of(sheet)
        assert all(same(one, other) for one, other in zip(pages, pages_of(unpack_files(pack_files(sheet))), strict=True))
    first, second = pages_of(small_files())
    assert np.array_equal(first.bits, 1 - second.bits)
    assert [(area, piece.tolist()) for area, piece in first.kept] == [
        (Area(2, 5, 4, 3), [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]])
    ]


def packed(index: object, contents: bytes = b"") -> bytes:
    listed = json.dumps(index).encode()
    return struct.pack(">I", len(listed)) + listed + zlib.compress(contents)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        packed([["a", 3]], b"ab"),
        packed([["a", 1]], b"ab"),
        packed([["a", 1]], b"a") + b"?",
        packed([["a", 1], ["a", 1]], b"aa"),
        packed([["a", -1], ["b", 2]], b"a"),
        packed([["a", MOST_BYTES + 1]]),
        packed([[str(number), 0] for number in range(MOST_FILES + 1)]),
        packed([["a", float("inf")]], b"a"),
        packed([["a", float("nan")]], b"a"),
        packed({"a": 1}, b"a"),
        packed(None),
        packed(7),
        packed([7]),
        struct.pack(">I", 200_000) + b"[" * 200_000,
        struct.pack(">I", 0xFFFFFFFF) + b"[]",
        packed([["a", 90 << 20]], bytes(97 << 20)),
    ],
    ids=lambda raw: f"{len(raw)}-{zlib.crc32(raw):08x}",
)
def test_what_is_no_pack_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  json's own error is a ValueError too
        unpack_files(raw)


@given(st.dictionaries(st.text(max_size=8), st.binary(max_size=60), max_size=6))
def test_any_files_are_packed_and_unpacked(files: dict[str, bytes]) -> None:
    assert unpack_files(pack_files(files)) == files


@given(st.binary(max_size=200))
def test_other_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  json's own error is a ValueError too
        unpack_files(raw)


@given(st.integers(0, 300), st.integers(0, 255))
def test_a_damaged_pack_is_refused_or_says_something_else(place: int, value: int) -> None:
    sound = pack_files(sheet_files(REFUSED))
    damaged = bytearray(sound)
    damaged[place % len(sound)] = value
    try:
        files = unpack_files(bytes(damaged))
    except ValueError:
        assert bytes(damaged) != sound
    else:
        assert bytes(damaged) == sound or set(files) != {RECORD, PAGES} or files == sheet_files(REFUSED)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@st.composite
def other_descriptions(draw: st.DrawFn) -> object:
    """pages.json with something else at one place."""
    described: Any = json.loads(small_files()[PAGES])
    place = described
    for _ in range(draw(st.integers(0, 5))):
        keys = sorted(place) if isinstance(place, dict) else range(len(place)) if isinstance(place, list) else ()
        if not keys:
            break
        key = draw(st.sampled_from(list(keys)))
        if draw(st.booleans()) or not isinstance(place[key], dict | list):
            place[key] = draw(json_values)
            return described
        place = place[key]
    return draw(json_values)


@given(other_descriptions())
def test_any_description_of_the_pages_is_taken_or_refused(described: object) -> None:
    files = {**small_files(), PAGES: json.dumps(described).encode()}
    for ask in (pages_of, is_repeatable):
        try:
            ask(files)
        except ValueError:
            continue


@given(st.data())
def test_an_image_that_was_changed_is_refused_or_shows_the_same(data: st.DataObject) -> None:
    """PNG's own checksums cover all pixels; of its end Pillow takes no notice."""
    name = data.draw(st.sampled_from([name for name in sorted(small_files()) if name.endswith(".png")]))
    content = bytearray(small_files()[name])
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    try:
        pages = pages_of({**small_files(), name: bytes(content)})
    except ValueError:
        return
    assert all(same(one, other) for one, other in zip(pages, pages_of(small_files()), strict=True))


@given(st.binary(max_size=300))
def test_other_bytes_are_no_image(raw: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  Pillow's words differ from version to version
        pages_of({**small_files(), "scan-b.png": raw})


def with_page(**changes: object) -> dict[str, bytes]:
    described = json.loads(small_files()[PAGES])
    described["pages"][0] |= changes
    return {**small_files(), PAGES: rfc8785.dumps(described)}


@pytest.mark.parametrize(
    "changes",
    [
        {"size": [40, 25]},
        {"size": [1 << 20, 1 << 20]},
        {"size": [0, 24]},
        {"kept": [[22, 5, 4, 3]]},
        {"kept": [[2, 5, 4, 3], [2, 5, 4, 3]]},
        {"kept": [[2, 5, 4, 3]] * 257},
        {"kept": [[-1, 5, 4, 3]]},
        {"levels": [1, 2, 256]},
        {"levels": [1, 2]},
        {"dpi": 0},
        {"dpi": True},
        {"paper": "A0"},
    ],
    ids=str,
)
def test_a_description_that_contradicts_the_images_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the sentence differs from case to case
        pages_of(with_page(**changes))


def test_kept_pieces_together_are_no_larger_than_the_largest_page() -> None:
    """A piece of one colour takes a few kilobytes as a file and fifty megabytes as pixels."""
    side = 7_000
    blank = BytesIO()
    Image.new("1", (side, side)).save(blank, "PNG")
    piece = BytesIO()
    Image.new("L", (side, side)).save(piece, "PNG")
    described = json.loads(small_files()[PAGES])
    described["pages"][0] |= {"size": [side, side], "kept": [[0, 0, side, side]] * 2}
    files = {f"scan-a-kept-{number}.png": piece.getvalue() for number in (1, 2)}
    with pytest.raises(ValueError, match="pixels"):
        pages_of({**small_files(), **files, "scan-a.png": blank.getvalue(), PAGES: rfc8785.dumps(described)})
