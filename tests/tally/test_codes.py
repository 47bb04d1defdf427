"""Codes in barcodes and print: what they say must agree, and what says nothing does no harm."""

from __future__ import annotations

import numpy as np
import pytest
import zxingcpp
from numpy.typing import NDArray

from edge.definition.box import Box
from edge.definition.form import Form, PrintedCode, load_form, shipped_form
from edge.inference.digits import digit_reader
from edge.tally.affine import SCALE, UNITS_PER_INCH, Affine
from edge.tally.codes import read_barcodes, read_code
from edge.tally.result import CodeReading, FieldReading

FORM = load_form(shipped_form("bo-2019-a1"))
CODE = FORM.codes[0]
PER_UNIT = 200 * 256 * SCALE // UNITS_PER_INCH
UPRIGHT = Affine(0, PER_UNIT, 0, 0, 0, PER_UNIT)
BLANK = np.full((600, 900), 235, np.uint8)


def said(*texts: str, symbology: str = "code39", code: PrintedCode = CODE) -> FieldReading:
    barcodes = [CodeReading(symbology, text, 10, 10 * number) for number, text in enumerate(texts)]
    return read_code(code, barcodes, BLANK, UPRIGHT, digit_reader())


def test_barcodes_that_agree_are_the_code() -> None:
    assert said("10205").value == "10205"
    assert said("10205", "10205").value == "10205"
    assert said("00071").value == "00071"


def test_barcodes_that_differ_are_not_believed() -> None:
    reading = said("10205", "10206")
    assert (reading.value, reading.reason) == (None, "codesDiffer")
    assert "10206" in (reading.detail or "")


@pytest.mark.parametrize("texts", [(), ("R7E39108C4382",), ("1234567",), ("",), ("٣٤",)])
def test_what_is_no_such_number_says_nothing(texts: tuple[str, ...]) -> None:
    assert said(*texts).reason == "codeMissing"


def test_another_symbology_says_nothing() -> None:
    only = CODE.model_copy(update={"barcodes": ("code128",), "print": ()})
    assert said("10205", code=only).reason == "codeMissing"
    assert said("10205", symbology="code128", code=only).value == "10205"


def drawn(text: str, symbology: str) -> NDArray[np.uint8]:
    """A page with a barcode as zxing-cpp's own writer draws it."""
    kind = {"code39": zxingcpp.BarcodeFormat.Code39, "code128": zxingcpp.BarcodeFormat.Code128}[symbology]
    bars = np.array(zxingcpp.create_barcode(text, kind).to_image(scale=2))
    page = np.full((600, 900), 235, np.uint8)
    bars = np.repeat(bars[:1], 80, axis=0)
    page[200:280, 100 : 100 + bars.shape[1]] = bars
    return page


@pytest.mark.parametrize("symbology", ["code39", "code128"])
@pytest.mark.parametrize("text", ["10205", "948577", "7"])
def test_barcodes_are_read_as_they_are_printed(symbology: str, text: str) -> None:
    # Six digits in Code 39 may also be a Code 32, which means other letters.
    page = drawn(text, symbology)
    assert [(code.symbology, code.text) for code in read_barcodes(page, FORM)] == [(symbology, text)]


def test_a_form_without_barcodes_asks_for_none() -> None:
    bare = Form.model_validate(FORM.model_dump() | {"codes": (), "extents": ()})
    assert read_barcodes(drawn("10205", "code39"), bare) == ()


def test_print_beyond_the_image_is_no_print() -> None:
    beyond = CODE.model_copy(update={"print": (Box(40_000, 20_000, 2000, 800),), "barcodes": ()})
    assert said(code=beyond).reason == "codeMissing"
