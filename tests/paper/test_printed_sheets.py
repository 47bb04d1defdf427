from __future__ import annotations

import hashlib
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
import zxingcpp
from pyzbar import pyzbar

from edge.definition.bottom_row import BackCode, FrontCode, decode_bottom_row
from edge.definition.bubble_payload import BubbleVersion, decode_bubble_payload
from edge.definition.election import load_election
from edge.definition.paper import PaperSize, nominal_position
from edge.definition.payload_fields import BallotType
from edge.definition.qr_text import payload_from_barcode
from hil.paper import sheet as sheet_module
from hil.paper.election import make_election
from hil.paper.ink import INK_TONE, PAPER_TONE
from hil.paper.sheet import PrintedSheet, render_sheet

if TYPE_CHECKING:
    from hil.paper.lettering import Grey

QR_ONLY = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)


def centroid(image: Grey, x: float, y: float, half_width: int, half_height: int) -> tuple[float, float, float]:
    """Centre of the ink around (x, y) and its area in pixels, by first moments."""
    left, top = round(x) - half_width, round(y) - half_height
    ink = (PAPER_TONE - image[top : top + 2 * half_height, left : left + 2 * half_width].astype(np.float64)) / (
        PAPER_TONE - INK_TONE
    )
    columns, rows = np.arange(2 * half_width) + 0.5 + left, np.arange(2 * half_height) + 0.5 + top
    return (
        float((ink.sum(axis=0) * columns).sum() / ink.sum()),
        float((ink.sum(axis=1) * rows).sum() / ink.sum()),
        float(ink.sum()),
    )


def decoded(image: Grey) -> tuple[list[bytes], list[bytes]]:
    """Payloads in the bottom-left quarter, by ZBar and by ZXing."""
    height, width = image.shape
    corner = np.ascontiguousarray(image[height - width // 4 :, : width // 4])
    zbar = [payload_from_barcode(code.data) for code in pyzbar.decode(corner, symbols=[pyzbar.ZBarSymbol.QRCODE])]
    return zbar, [payload_from_barcode(code.bytes) for code in zxingcpp.read_barcodes(corner, formats=QR_ONLY)]


def sheet_of(dpi: int = 200, **options: str) -> PrintedSheet:
    election = load_election(make_election(7, **options))  # type: ignore[arg-type]
    return render_sheet(election, election.ballot_styles[0].id, dpi=dpi)


@pytest.mark.parametrize("dpi", [200, 300])
@pytest.mark.parametrize("paper", list(PaperSize))
def test_timing_marks_stand_at_their_nominal_places(paper: PaperSize, dpi: int) -> None:
    election = load_election(make_election(1, paper=paper, density="sparse"))
    sheet = render_sheet(election, "1_en", dpi=dpi)
    assert sheet.front.shape == sheet.back.shape == (int(paper.height * dpi), int(paper.width * dpi))
    for image in (sheet.front, sheet.back):
        for column, row in ((0, 0), (1, 0), (33, 0), (0, 7), (33, paper.rows // 2), (0, paper.rows - 1), (17, paper.rows - 1)):
            place = nominal_position(paper, Fraction(column), Fraction(row))
            x, y = float(place.x * dpi), float(place.y * dpi)
            found_x, found_y, area = centroid(image, x, y, round(0.112 * dpi), round(0.05 * dpi))
            assert abs(found_x - x) < 0.25
            assert abs(found_y - y) < 0.25
            assert area == pytest.approx(dpi * dpi * 3 / 256, rel=0.02)


def test_every_timing_mark_of_both_kinds_of_form_is_where_the_geometry_says() -> None:
    for encoding in ("qr-code", "timing-marks"):
        sheet = sheet_of(encoding=encoding)
        for column, row in sheet.geometry.mark_places():
            x, y = sheet.pixel(Fraction(column), Fraction(row))
            found_x, found_y, _ = centroid(sheet.front, x, y, 22 if 0 < column < 33 else 21, 10)
            assert abs(found_x - x) < 0.25
            assert abs(found_y - y) < 0.25


def test_bubbles_are_printed_where_the_truth_says() -> None:
    for encoding in ("qr-code", "timing-marks"):
        sheet = sheet_of(encoding=encoding, density="dense")
        assert len(sheet.bubbles) > 60
        for bubble in sheet.bubbles:
            found_x, found_y, area = centroid(sheet.side(bubble.side), bubble.x, bubble.y, 22, 16)
            assert abs(found_x - bubble.x) < 0.25
            assert abs(found_y - bubble.y) < 0.25
            # The line is 1/96 inch wide and about 0.52 inch long.
            assert area == pytest.approx(200 * 200 * 0.52 / 96, rel=0.15)


@pytest.mark.parametrize("dpi", [200, 300])
@pytest.mark.parametrize("version", list(BubbleVersion))
@pytest.mark.parametrize("audit_id", [None, "b-7", "3f2504e0-4f89-11d3-9a0c-0305e82c3301"])
def test_both_readers_decode_the_exact_payload(version: BubbleVersion, audit_id: str | None, dpi: int) -> None:
    election = load_election(make_election(8, density="sparse"))
    sheet = render_sheet(
        election,
        "2_en",
        precinct_index=1,
        test_mode=True,
        ballot_type=BallotType.ABSENTEE,
        payload_version=version,
        audit_id=audit_id,
        dpi=dpi,
    )
    assert sheet.qr_payloads is not None
    for number, image in enumerate((sheet.front, sheet.back)):
        assert decoded(image) == ([sheet.qr_payloads[number]], [sheet.qr_payloads[number]])
        payload = decode_bubble_payload(sheet.qr_payloads[number], election)
        assert (payload.precinct_index, payload.style_index, payload.page_number) == (1, 1, number + 1)
        assert (payload.test_mode, payload.ballot_type, payload.audit_id) == (True, BallotType.ABSENTEE, audit_id)


@pytest.mark.parametrize("paper", list(PaperSize))
def test_the_code_is_readable_on_every_paper_and_every_sheet(paper: PaperSize) -> None:
    election = load_election(make_election(9, paper=paper, density="dense", sheets=2))
    for sheet_number in (1, 2):
        sheet = render_sheet(election, "1_en", sheet_number)
        assert sheet.qr_payloads is not None
        for number, image in enumerate((sheet.front, sheet.back)):
            assert decoded(image) == ([sheet.qr_payloads[number]], [sheet.qr_payloads[number]])
            assert decode_bubble_payload(sheet.qr_payloads[number], election).page_number == 2 * sheet_number - 1 + number


def test_the_bottom_row_says_card_and_date() -> None:
    election = load_election(make_election(3, encoding="timing-marks", styles=4))
    sheet = render_sheet(election, "card-number-4", precinct_index=2)
    codes = []
    for image in (sheet.front, sheet.back):
        bits = 0
        for bit in range(32):
            x, y = sheet.pixel(Fraction(32 - bit), Fraction(sheet.geometry.paper.rows - 1))
            if image[int(y), int(x)] < 128:
                bits |= 1 << bit
        codes.append(decode_bottom_row(bits))
    assert codes == [FrontCode(batch_or_precinct=3, card=4), BackCode(day=6, month=5, year=31, election_type="G")]


def test_write_in_areas_are_blank_and_bubbles_are_empty() -> None:
    for text in ("normal", "long"):
        sheet = sheet_of(density="dense", text=text)
        areas = [(bubble.side, bubble.write_in_area) for bubble in sheet.bubbles if bubble.write_in_area]
        assert areas
        for side, box in areas:
            assert (sheet.side(side)[box.top : box.bottom, box.left : box.right] == PAPER_TONE).all()
        for bubble in sheet.bubbles:
            x, y = round(bubble.x), round(bubble.y)
            assert (sheet.side(bubble.side)[y - 8 : y + 8, x - 12 : x + 12] == PAPER_TONE).all()


def test_the_same_order_is_printed_once_and_alike() -> None:
    first = sheet_of()
    assert sheet_of() is first
    digest = hashlib.sha256(first.front.tobytes() + first.back.tobytes()).digest()
    sheet_module._render.cache_clear()
    second = sheet_of()
    assert second is not first
    assert hashlib.sha256(second.front.tobytes() + second.back.tobytes()).digest() == digest


def test_blank_pages_cannot_be_written_on() -> None:
    with pytest.raises(ValueError, match="read-only"):
        sheet_of().front[0, 0] = 0


def test_a_sheet_that_the_ballot_does_not_have_is_refused() -> None:
    election = load_election(make_election(1))
    with pytest.raises(ValueError, match="no sheet 3"):
        render_sheet(election, "1_en", 3)


def test_tones_are_those_of_paper_and_ink() -> None:
    image = sheet_of().front
    assert (int(image.min()), int(image.max())) == (INK_TONE, PAPER_TONE)
    assert 0.02 < float((image < 128).mean()) < 0.2
