"""The digit reader: both answers for every picture, equal to TFLite's reference kernels, and a card that is checked."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.inference.digits import CLASSES, DigitCard, digit_reader, parse_card
from edge.inference.error import ModelError
from edge.inference.fixed import ARITHMETIC
from edge.inference.released import RELEASED, load_released
from tests.inference.agreement import differences

SAMPLE = 300


def quantised(pictures: NDArray[np.uint8]) -> NDArray[np.int8]:
    return (pictures.astype(np.int16) - 128).astype(np.int8)[..., np.newaxis]


def drawn(seed: int, count: int) -> NDArray[np.uint8]:
    """Thick lines on paper, anywhere: not digits, but what the model's layers react to."""
    rng = np.random.default_rng(seed)
    pictures = np.zeros((count, 28, 28), np.uint8)
    for picture in pictures:
        for _ in range(3):
            x, y, length = rng.integers(2, 14), rng.integers(2, 24), rng.integers(3, 12)
            picture[y : y + 3, x : x + length] = rng.integers(60, 256)
            picture[x : x + length, y : y + 3] = rng.integers(60, 256)
    return pictures


def test_both_answers_are_given_with_who_gave_them() -> None:
    reader = digit_reader()
    found = reader.read(drawn(1, 20))
    assert found.scores.shape == found.second.shape == (20, CLASSES)
    assert found.scores.dtype == found.second.dtype == np.int8
    assert np.abs(found.scores.astype(int) - found.second).max() <= 3
    identity = found.identity
    assert identity == reader.identity
    assert (identity.model, identity.sha256) == ("digit.tflite", RELEASED["digit"].sha256)
    assert identity.arithmetic == ARITHMETIC
    assert identity.resolver == "default"


def test_the_released_model_gives_the_reference_kernels_answers() -> None:
    assert differences(load_released("digit")) == 0
    assert differences(load_released("digit"), quantised(drawn(2, 50))) == 0


@pytest.mark.parametrize("file", ["mnist", "usps"])
def test_real_digits_give_the_reference_kernels_answers(file: str, real_data: Path) -> None:
    """A sample; all of them are compared by `python -m hil.arm64 --no-guest --digits 70000`."""
    with np.load(real_data / f"digits/{file}.npz") as stored:
        digits = stored["x_test"][:SAMPLE]
    pictures = np.zeros((len(digits), 28, 28), np.uint8)
    inset = (28 - digits.shape[1]) // 2
    pictures[:, inset : inset + digits.shape[1], inset : inset + digits.shape[2]] = digits
    assert differences(load_released("digit"), quantised(pictures)) == 0


def test_real_digits_are_read(real_data: Path) -> None:
    with np.load(real_data / "digits/mnist.npz") as stored:
        digits, labels = stored["x_test"][:SAMPLE], stored["y_test"][:SAMPLE]
    assert (digit_reader().read(digits).scores.argmax(axis=1) == labels).mean() > 0.98


def test_no_picture_gives_no_score() -> None:
    assert digit_reader().read(np.zeros((0, 28, 28), np.uint8)).scores.shape == (0, CLASSES)


@pytest.mark.parametrize("pictures", [np.zeros((1, 28, 27), np.uint8), np.zeros((28, 28), np.uint8), np.zeros((1, 28, 28))])
def test_pictures_of_another_shape_or_type_are_refused(pictures: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="expected"):
        digit_reader().read(pictures)


GOOD = {"labels": [str(number) for number in range(13)], "accept_margin": 40, "confidence": [5_000] * 256}


def test_a_card_is_read() -> None:
    assert parse_card(json.dumps(GOOD).encode()) == DigitCard(tuple(GOOD["labels"]), 40, (5_000,) * 256)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [
        {"labels": ["0"]},
        {"labels": 5},
        {"labels": list(range(13))},
        {"accept_margin": 256},
        {"accept_margin": 4.5},
        {"accept_margin": True},
        {"confidence": [5_000] * 255},
        {"confidence": [10_001] * 256},
        {"confidence": [0.5] * 256},
    ],
)
def test_a_card_that_is_not_as_agreed_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ModelError) as caught:
        parse_card(json.dumps(GOOD | wrong).encode())
    assert caught.value.code == "modelCard"


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", b"[" * 100_000])
def test_what_is_no_card_is_refused(data: bytes) -> None:
    with pytest.raises(ModelError) as caught:
        parse_card(data)
    assert caught.value.code == "modelCard"
