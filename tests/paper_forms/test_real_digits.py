"""Real digits as ink: whole, upright, of the size that was asked for, and thinner on request."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge.definition.form import load_form, shipped_form
from hil.paper.forms import real_digits
from hil.paper.forms.knobs import Knobs
from hil.paper.forms.sheet import render_sheet


@pytest.fixture(autouse=True)
def folder(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRUTINEER_REAL_DATA", str(real_data))
    if real_digits.real_digits_file() is None:
        pytest.skip(f"no digits in {real_data}")


def test_thinning_takes_ink_and_leaves_the_digit() -> None:
    rng = np.random.default_rng(0)
    for digit in range(10):
        image = real_digits.choose(digit, rng)
        thick, thin = (real_digits.drawn(image, 60, share).astype(int) for share in (0.0, 0.6))
        assert 0.25 * thick.sum() < thin.sum() < 0.9 * thick.sum()
        rows = [np.flatnonzero((ink > 100).any(axis=1)) for ink in (thick, thin)]
        assert abs(int(np.ptp(rows[0])) - int(np.ptp(rows[1]))) <= 8


def test_the_height_is_that_of_the_longest_digits() -> None:
    rng = np.random.default_rng(1)
    heights = [
        np.ptp(np.flatnonzero((real_digits.drawn(real_digits.choose(8, rng), 50, 0.0) > 100).any(axis=1))) for _ in range(20)
    ]
    assert 42 <= np.median(heights) <= 52


def test_sheets_use_them_when_asked() -> None:
    form = load_form(shipped_form("lumen-harbour"))
    sheets = {kind: render_sheet(form, 3, Knobs(dpi=150, digits=kind)) for kind in ("real", "own")}
    assert {kind: sheet.truth.digits for kind, sheet in sheets.items()} == {"real": "real", "own": "own"}
    assert sheets["real"].truth.fields == sheets["own"].truth.fields
