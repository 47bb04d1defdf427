"""Barcode text to payload bytes and back."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.definition.qr_text import KNOWN_PRELUDES, URL_PREFIX, barcode_text, payload_from_barcode

PAYLOADS = st.builds(bytes.__add__, st.sampled_from(sorted(KNOWN_PRELUDES)), st.binary(max_size=60))


def test_a_printed_page() -> None:
    payload = bytes.fromhex("56500228d9a88514c43397a7bf0000000200")
    assert payload_from_barcode("VlACKNmohRTEM5envwAAAAIA") == payload
    assert payload_from_barcode(b"https://ballot.page/vx/VlACKNmohRTEM5envwAAAAIA") == payload
    assert barcode_text(payload) == "VlACKNmohRTEM5envwAAAAIA"


@given(PAYLOADS, st.booleans(), st.booleans())
def test_every_printed_form_round_trips(payload: bytes, with_prefix: bool, as_bytes: bool) -> None:
    prefix = URL_PREFIX if with_prefix else ""
    for text in (barcode_text(payload), base64.urlsafe_b64encode(payload).decode().rstrip("=")):
        printed = prefix + text
        assert payload_from_barcode(printed.encode() if as_bytes else printed) == payload


@given(PAYLOADS)
def test_raw_payloads_stay_as_they_are(payload: bytes) -> None:
    assert payload_from_barcode(payload) == payload


@pytest.mark.parametrize(
    "text",
    [b"", b"AAAA", b"VlAB", b"not base64!", b"VlACK", b"VlAC=KNm", b"https://ballot.page/vx/", b"https://elsewhere.example/VlAC"],
)
def test_text_that_is_no_ballot_is_given_back(text: bytes) -> None:
    assert payload_from_barcode(text) == text


@given(st.text() | st.binary())
def test_anything_is_taken(barcode: str | bytes) -> None:
    payload = payload_from_barcode(barcode)
    raw = barcode if isinstance(barcode, bytes) else barcode.encode()
    assert payload == raw or payload[:3] in KNOWN_PRELUDES


def test_broken_text_is_given_back_as_bytes() -> None:
    assert payload_from_barcode("\udc80") == b"\xed\xb2\x80"
