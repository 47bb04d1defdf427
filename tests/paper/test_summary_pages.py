from __future__ import annotations

import numpy as np
import pytest
import zxingcpp
from pyzbar import pyzbar

from edge.definition.election import Election, load_election
from edge.definition.qr_text import payload_from_barcode
from edge.definition.summary_payload import SummaryVersion, decode_summary_payload
from hil.paper.election import make_election
from hil.paper.scan import Feed, scan
from hil.paper.summary import random_summary_payloads, render_summary

QR_ONLY = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)


@pytest.fixture(scope="module")
def election() -> Election:
    return load_election(make_election(14, density="dense"))


@pytest.mark.parametrize("dpi", [200, 300])
@pytest.mark.parametrize("version", list(SummaryVersion))
def test_both_readers_decode_every_version(election: Election, version: SummaryVersion, dpi: int) -> None:
    for payload in random_summary_payloads(election, 3, version, pages=2 if version.multipage else 1, test_mode=True):
        page = render_summary(election, payload, dpi=dpi)
        quarter = np.ascontiguousarray(page.front[: page.front.shape[0] // 3, page.front.shape[1] // 2 :])
        zbar = pyzbar.decode(quarter, symbols=[pyzbar.ZBarSymbol.QRCODE])
        zxing = zxingcpp.read_barcodes(quarter, formats=QR_ONLY)
        assert [payload_from_barcode(code.data) for code in zbar] == [page.barcode]
        assert [payload_from_barcode(code.bytes) for code in zxing] == [page.barcode]
        assert decode_summary_payload(page.barcode, election) == payload


@pytest.mark.parametrize("at", [(0.5, 0.5), (3.7, 5.0), (6.9, 9.3)])
@pytest.mark.parametrize("upside_down", [False, True])
def test_the_code_may_stand_anywhere(election: Election, at: tuple[float, float], upside_down: bool) -> None:
    (payload,) = random_summary_payloads(election, 4)
    page = render_summary(election, payload, qr_at=at)
    pair = scan(page, feed=Feed(upside_down=upside_down))
    (code,) = zxingcpp.read_barcodes(pair.top.pixels, formats=QR_ONLY)
    assert payload_from_barcode(code.bytes) == page.barcode
    assert not zxingcpp.read_barcodes(pair.bottom.pixels, formats=QR_ONLY)


def test_thermal_paper_is_narrow_and_long(election: Election) -> None:
    (payload,) = random_summary_payloads(election, 5)
    page = render_summary(election, payload, width=8.0, height=13.25)
    assert page.front.shape == page.back.shape == (2650, 1600)
    assert (page.back == page.back[0, 0]).all()


def test_pages_share_the_contests_out(election: Election) -> None:
    pages = random_summary_payloads(election, 6, pages=3)
    contests = [contest for page in pages for contest in page.contests_on_page]
    assert contests == [contest.id for contest in election.contests_of(election.ballot_styles[0])]
    assert len({page.audit_id for page in pages}) == 1
    assert [(page.page_number, page.total_pages) for page in pages] == [(1, 3), (2, 3), (3, 3)]


def test_the_same_seed_prints_the_same_page(election: Election) -> None:
    first, again = (render_summary(election, random_summary_payloads(election, 7)[0]) for _ in range(2))
    assert np.array_equal(first.front, again.front)


def test_wordy_choices_are_set_smaller() -> None:
    election = load_election(make_election(14, density="dense", text="long", sheets=2))
    (payload,) = random_summary_payloads(election, 8, SummaryVersion.VX2_V4_0)
    assert float((render_summary(election, payload).front < 128).mean()) > 0.02


def test_more_words_than_a_page_holds_are_refused() -> None:
    election = load_election(make_election(14, density="dense", text="long", sheets=8))
    (payload,) = random_summary_payloads(election, 8, SummaryVersion.VX2_V4_0)
    with pytest.raises(ValueError, match="do not fit"):
        render_summary(election, payload)
