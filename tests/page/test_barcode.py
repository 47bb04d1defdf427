"""QR codes: two readers, black and white before grey, and the grey kept when it was needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyzbar import pyzbar

from edge.ballot.page_code import corner_squares
from edge.definition.qr_text import payload_from_barcode
from edge.page import barcode as module
from edge.page.area import Area
from edge.page.barcode import Barcode, read_barcodes
from edge.page.page import Grey, Page, read_page
from hil.paper.composition import QR_SIDE, qr_corner
from tests.ballot.sheets import blank_sheet, turned, without_qr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def codes(image: Grey) -> tuple[Page, list[Barcode]]:
    page = read_page(image)
    return page, list(read_barcodes(page, corner_squares(page)))


def payload() -> bytes:
    payloads = blank_sheet().qr_payloads
    assert payloads is not None
    return payloads[0]


def pale(image: Grey) -> Grey:
    """The page with its code too pale for the threshold."""
    copy = image.copy()
    code = copy[-230:-70, 90:280]
    code[:] = np.maximum(code, 170)
    return copy


def test_black_and_white_pixels_are_read_by_zbar_first() -> None:
    page, found = codes(blank_sheet().front)
    assert [(code.reader, code.grey is None) for code in found] == [
        ("zbar", True),
        ("zxing", True),
        ("zbar", False),
        ("zxing", False),
    ]
    assert {payload_from_barcode(code.data) for code in found} == {payload()}
    assert {code.area for code in found} == {corner_squares(page)[0]}


def test_the_second_reader_answers_when_the_first_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def blind(*_: object, **__: object) -> list[object]:
        return []

    monkeypatch.setattr(pyzbar, "decode", blind)
    _, found = codes(blank_sheet().front)
    assert [(code.reader, code.grey is None) for code in found] == [("zxing", True), ("zxing", False)]
    assert payload_from_barcode(found[0].data) == payload()


def test_grey_pixels_are_kept_when_only_they_are_read() -> None:
    page, found = codes(pale(blank_sheet().front))
    first = found[0]
    assert payload_from_barcode(first.data) == payload()
    assert page.grey is not None
    assert first.grey is not None
    assert np.array_equal(first.grey, first.area.of(page.grey))


def test_a_page_without_a_code_gives_none() -> None:
    assert codes(without_qr(blank_sheet().front))[1] == []


@pytest.mark.parametrize("upside_down", [False, True])
@pytest.mark.parametrize("reader", ["zbar", "zxing"])
def test_the_middle_of_the_code_is_where_it_was_printed(reader: str, upside_down: bool) -> None:
    printed = blank_sheet()
    page, found = codes(turned(printed.front) if upside_down else printed.front)
    code = next(code for code in found if code.reader == reader)
    x, y = ((float(corner) + float(QR_SIDE) / 2) * printed.dpi for corner in qr_corner(printed.geometry))
    if upside_down:
        x, y = page.width - x, page.height - y
    assert abs(code.x - x) <= 3
    assert abs(code.y - y) <= 3
    assert code.area == corner_squares(page)[upside_down]


def test_every_area_is_looked_at_before_the_next_reader_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[tuple[str, tuple[int, ...], bool]] = []

    def noting(name: str) -> Callable[[Grey], Iterator[tuple[bytes, int, int]]]:
        def decode(image: Grey) -> Iterator[tuple[bytes, int, int]]:
            looks.append((name, image.shape, len(np.unique(image)) <= 2))
            return iter(())

        return decode

    monkeypatch.setattr(module, "_READERS", (("zbar", noting("zbar")), ("zxing", noting("zxing"))))
    page = read_page(blank_sheet().front)
    areas = (Area(0, 1700, 300, 200), Area(100, 0, 400, 100))
    assert list(read_barcodes(page, areas)) == []
    shapes = [(232, 332), (132, 432)]
    assert looks == [(reader, shape, bilevel) for bilevel in (True, False) for reader in ("zbar", "zxing") for shape in shapes]


def test_stored_pages_are_read_from_the_pieces_they_keep() -> None:
    page, found = codes(pale(blank_sheet().front))
    grey = found[0].grey
    assert grey is not None
    black_and_white = Page(page.bits, None, page.threshold, page.black, page.white, page.insets, page.paper, page.dpi)
    assert list(read_barcodes(black_and_white, corner_squares(page))) == []
    stored = Page(
        page.bits,
        None,
        page.threshold,
        page.black,
        page.white,
        page.insets,
        page.paper,
        page.dpi,
        kept=((found[0].area, grey),),
    )
    again = list(read_barcodes(stored, corner_squares(page)))
    assert [(code.data, code.x, code.y, code.reader) for code in again] == [
        (code.data, code.x, code.y, code.reader) for code in found
    ]


def test_the_readers_say_nothing_on_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (600, 1700), np.uint8)
    for image in (blank_sheet().front, pale(blank_sheet().back), turned(blank_sheet().front), noise):
        codes(image)
    assert capfd.readouterr() == ("", "")


@given(st.integers(0, 300), st.integers(0, 300), st.integers(1, 300), st.integers(1, 300))
def test_an_area_turned_twice_is_itself(left: int, top: int, width: int, height: int) -> None:
    image = np.arange(600 * 700, dtype=np.int64).astype(np.uint8).reshape(700, 600)
    area = Area(left, top, width, height)
    around = area.turned(600, 700)
    assert around.turned(600, 700) == area
    assert np.array_equal(around.of(turned(image)), turned(area.of(image)))
