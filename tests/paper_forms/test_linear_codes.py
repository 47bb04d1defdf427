"""Bars drawn by us are read by decoders that are not ours."""

from __future__ import annotations

import numpy as np
import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from pyzbar import pyzbar

from edge.definition.form import Symbology
from hil.paper.forms.linear_codes import bars, dark_spans

_ZBAR = {"code128": pyzbar.ZBarSymbol.CODE128, "code39": pyzbar.ZBarSymbol.CODE39}
# Asked for Code 39, zxing-cpp tells some of six digits as Code 32, an Italian use of it.
_ZXING = {"code128": zxingcpp.BarcodeFormat.Code128, "code39": zxingcpp.BarcodeFormat.Code39Std}


@given(digits=st.text("0123456789", min_size=3, max_size=12), symbology=st.sampled_from(["code128", "code39"]))
def test_both_readers_read_the_bars(digits: str, symbology: Symbology) -> None:
    spans = dark_spans(bars(symbology, digits))
    module, quiet = 3, 40
    image = np.full((90, spans[-1][1] * module + 2 * quiet), 255, np.uint8)
    for left, right in spans:
        image[15:75, quiet + module * left : quiet + module * right] = 0
    found = zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormats(_ZXING[symbology]))
    assert [code.text for code in found] == [digits]
    assert [code.data for code in pyzbar.decode(image, symbols=[_ZBAR[symbology]])] == [digits.encode()]


def test_bars_begin_and_end_dark() -> None:
    for symbology in ("code128", "code39"):
        assert len(bars(symbology, "12345")) % 2 == 1


@pytest.mark.parametrize("text", ["", "12a", "１２", "-1"])
def test_only_digits_are_encoded(text: str) -> None:
    with pytest.raises(ValueError, match="more than digits"):
        bars("code39", text)
