"""The released digit model is what its card says: files, size, work, operators, and how well it reads."""

from __future__ import annotations

import hashlib
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.inference.digits import DigitCard, parse_card
from edge.inference.fixed import FixedInterpreter
from edge.inference.model import Code, Model, parse_model
from edge.inference.released import RELEASED
from edge.tally.ink import clean_ink, model_inputs
from edge.tally.result import DASH_LABEL, EMPTY_LABEL, UNREADABLE_LABEL
from models.digit.acta import acta_patches, doubtful_cells, trains

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "models"
RELEASED_FILES = MODELS / "released"

MOST_BYTES = 100_000
MOST_PRODUCTS = 2_000_000


@pytest.fixture(scope="module")
def model() -> Model:
    return parse_model((RELEASED_FILES / "digit.tflite").read_bytes())


@pytest.fixture(scope="module")
def card() -> DigitCard:
    return parse_card((RELEASED_FILES / "digit.json").read_bytes())


def products(model: Model) -> int:
    """Multiplications of an activation with a weight for one input."""
    total = 0
    for operator in model.operators:
        out = model.tensors[operator.output].shape
        if operator.code in {Code.CONV_2D, Code.FULLY_CONNECTED}:
            weights = model.tensors[operator.inputs[1]].shape
            total += int(np.prod(out)) * int(np.prod(weights[1:]))
        else:
            assert operator.code in {Code.MAX_POOL_2D, Code.RESHAPE}, operator.code
    return total


def test_the_hashes_are_those_of_the_files() -> None:
    lines = (RELEASED_FILES / "SHA256SUMS").read_text().splitlines()
    told = {name: digest for digest, name in (line.split("  ") for line in lines)}
    assert set(told) == {path.name for path in RELEASED_FILES.iterdir()} - {"SHA256SUMS"}
    for name, digest in told.items():
        assert hashlib.sha256((RELEASED_FILES / name).read_bytes()).hexdigest() == digest
    for entry in RELEASED.values():
        assert told[entry.file] == entry.sha256


def test_it_is_small_enough(model: Model) -> None:
    assert (RELEASED_FILES / "digit.tflite").stat().st_size <= MOST_BYTES
    assert 1_000_000 < products(model) <= MOST_PRODUCTS


def test_it_takes_mnist_and_gives_thirteen_scores(model: Model) -> None:
    given, taken = model.tensors[model.input], model.tensors[model.output]
    assert given.shape == (1, 28, 28, 1)
    assert given.kind == "int8"
    assert given.zero_point == -128
    assert given.scale == pytest.approx(1 / 255, rel=1e-6)
    assert taken.shape == (1, 13)
    assert taken.kind == "int8"
    assert model.operators[-1].code is Code.FULLY_CONNECTED


def test_the_card_of_margins(card: DigitCard) -> None:
    assert card.labels == (*"0123456789", "empty", "dash", "unreadable")
    assert card.labels[EMPTY_LABEL] == "empty"
    assert card.labels[DASH_LABEL] == "dash"
    assert card.labels[UNREADABLE_LABEL] == "unreadable"
    assert all(low <= high for low, high in pairwise(card.confidence))
    assert card.confidence[0] < 6000
    assert 8000 <= card.confidence[card.accept_margin] < 10_000


def test_the_evaluation_is_of_this_model_and_within_what_is_asked(card: DigitCard) -> None:
    evaluation = json.loads((MODELS / "digit" / "evaluation.json").read_text())
    assert evaluation["model_sha256"] == RELEASED["digit"].sha256
    assert evaluation["accept_margin"] == card.accept_margin
    sets = evaluation["sets"]
    assert sets["mnist_test"]["cells"] == 10_000
    assert sets["mnist_test"]["accuracy"] >= 0.993
    assert sets["acta_odd_readable"]["accuracy"] >= 0.97
    assert sets["acta_odd_readable"]["wrong_accepted"] == 0
    assert sets["mnist_test"]["wrong_share_of_accepted"] <= 0.001


def test_few_cells_are_doubtful() -> None:
    doubts = doubtful_cells()
    assert len(doubts) <= 21
    assert all(0 <= number < 701 for number in doubts)
    assert all(len(reason) > 10 for reason in doubts.values())


def test_the_product_does_not_know_the_training() -> None:
    for file in [*(ROOT / "edge").rglob("*.py"), *(ROOT / "firmware_bridge").rglob("*.py")]:
        text = file.read_text(encoding="utf-8")
        assert "from models" not in text, file
        assert "import models" not in text, file


def _read(model: Model, inputs: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Labels and margins (n,) of pictures (n, 28, 28)."""
    scores = FixedInterpreter(model).run((inputs ^ np.uint8(128)).view(np.int8)[..., np.newaxis]).astype(np.int64)
    best = np.sort(scores, axis=1)
    return scores.argmax(axis=1), best[:, -1] - best[:, -2]


def test_mnist_is_read(real_data: Path, model: Model) -> None:
    with np.load(real_data / "digits" / "mnist.npz") as file:
        digits, truth = file["x_test"], file["y_test"]
    labels, _ = _read(model, digits)
    assert (labels == truth).mean() >= 0.993


def test_real_cells_are_read_and_none_is_accepted_wrongly(real_data: Path, model: Model, card: DigitCard) -> None:
    with np.load(real_data / "digits" / "acta-cells.npz") as file:
        cells, truth = file["cells"], file["labels"].astype(np.int64)
    held = np.setdiff1d(np.flatnonzero(~trains(len(cells))), sorted(doubtful_cells()))
    labels, margins = _read(model, model_inputs(clean_ink(acta_patches(cells[held]))))
    right = labels == truth[held]
    accepted = (margins >= card.accept_margin) & (labels != UNREADABLE_LABEL)
    assert right.mean() >= 0.97
    assert right[accepted].all()
    assert accepted.mean() >= 0.9
