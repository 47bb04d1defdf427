"""Made-up cells: repeatable, of every kind, and such that the product's cleaning finds the writing."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.tally.ink import clean_ink, model_inputs
from models.digit.cells import Knobs, made_cell
from models.digit.strokes import centred, drawn, stroke_bank, thinned

KINDS = {
    "digit": (1.0, 0.0, 0.0, 0.0),
    "empty": (0.0, 1.0, 0.0, 0.0),
    "dash": (0.0, 0.0, 1.0, 0.0),
    "unreadable": (0.0, 0.0, 0.0, 1.0),
}


def cells(kind: str, count: int, seed: int = 5) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    made = [made_cell(rng, None, Knobs(kinds=KINDS[kind])) for _ in range(count)]
    return np.stack([cell.patch for cell in made]), np.array([cell.label for cell in made], np.int64)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_makes_the_same_cells(kind: str) -> None:
    first, second = cells(kind, 5), cells(kind, 5)
    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])
    assert not np.array_equal(first[0], cells(kind, 5, seed=6)[0])


def test_cleaning_finds_the_writing_and_nothing_else() -> None:
    patches, labels = cells("digit", 150)
    clean = clean_ink(patches)
    assert set(labels) <= set(range(10))
    assert (clean.ink > 0).mean() > 0.95
    assert model_inputs(clean)[clean.ink > 0].max(axis=(1, 2)).min() > 100
    patches, labels = cells("empty", 150)
    assert set(labels) == {10}
    assert (clean_ink(patches).ink == 0).mean() > 0.85
    patches, labels = cells("dash", 150)
    assert set(labels) == {11}
    assert (clean_ink(patches).ink > 0).mean() > 0.95


def test_thinning_keeps_what_hangs_together() -> None:
    picture = np.zeros((1, 40, 40), np.bool_)
    picture[0, 5:35, 15:22] = True
    picture[0, 28:34, 15:36] = True
    thin = thinned(picture)[0]
    assert 30 <= thin.sum() <= 50
    assert not (thin & ~picture[0]).any()
    assert not (thin[:-1, :-1] & thin[1:, :-1] & thin[:-1, 1:] & thin[1:, 1:]).any()


def test_a_thinned_and_drawn_digit_lies_where_it_was() -> None:
    seven = np.zeros((28, 28), np.uint8)
    seven[4:7, 6:22] = 255
    for row in range(7, 24):
        seven[row, 20 - (row - 7) // 2 : 23 - (row - 7) // 2] = 255
    bank = stroke_bank(seven[None], np.array([7], np.uint8))
    lines = bank.of(0)
    assert np.allclose(np.ptp(lines.reshape(-1, 2), axis=0).max(), 1)
    again = drawn(lines, 28, (14, 13.5), 18, 3)
    assert np.corrcoef(again.ravel(), seven.ravel())[0, 1] > 0.7


def test_no_strokes_are_no_strokes() -> None:
    nothing = np.zeros((0, 2, 2), np.float32)
    assert len(centred(nothing)) == 0
    assert not drawn(nothing, 96, (48, 48), 40, 3).any()


def test_making_cells_needs_no_tensorflow() -> None:
    code = "import sys, models.digit.cells, models.digit.dataset, models.digit.train; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
