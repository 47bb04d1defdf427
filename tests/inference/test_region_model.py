"""The released region model: the fixed-point interpreter gives what the reference kernels of TFLite give, for all pictures."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.inference.fixed import FixedInterpreter
from edge.inference.model import parse_model
from edge.inference.reduction import SIDE, reduced
from edge.inference.regions import CELLS, region_finder
from edge.inference.released import RELEASED, load_released
from edge.inference.runtime import SecondReader
from tests.inference.agreement import differences

pytestmark = pytest.mark.skipif("region" not in RELEASED, reason="no region model is released")

COUNT = 40
MOST_BYTES = 1_000_000
FEW = 4
"""Steps by which single outputs of the optimised kernels may differ; there are some twenty layers for them to add up in."""


def picture(number: int) -> NDArray[np.uint8]:
    """A picture of some size: noise, or a slope of light with boxes and lines drawn on it, more or less even."""
    rng = np.random.default_rng(number)
    height, width = rng.integers(1, 500, 2).tolist()
    if number % 4 == 0:
        return rng.integers(0, 256, (height, width), dtype=np.uint8)
    plane = (
        np.linspace(rng.integers(0, 256), rng.integers(0, 256), width) + np.linspace(0, rng.integers(-99, 99), height)[:, None]
    )
    for _ in range(rng.integers(0, 40)):
        top, left = rng.integers(0, height), rng.integers(0, width)
        down, right = rng.integers(1, 80, 2) if number % 4 == 1 else rng.permutation([2, rng.integers(20, 300)])
        plane[top : top + down, left : left + right] = rng.integers(0, 256)
    plane += rng.normal(0, rng.choice([0, 3, 20]), plane.shape)
    return np.clip(plane, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def inputs() -> NDArray[np.int8]:
    found = np.empty((COUNT, SIDE, SIDE, 1), np.int8)
    for number in range(COUNT - 2):
        found[number, ..., 0] = reduced(picture(number))[0].astype(np.int16) - 128
    found[-2], found[-1] = -128, 127
    return found


def test_outputs_are_those_of_the_reference_kernels(inputs: NDArray[np.int8]) -> None:
    assert differences(load_released("region"), inputs) == 0


def test_the_optimised_kernels_differ_by_a_few_steps_at_most(inputs: NDArray[np.int8]) -> None:
    data = load_released("region")
    apart = np.abs(FixedInterpreter(parse_model(data)).run(inputs).astype(int) - SecondReader(data).run(inputs))
    assert apart.max() <= FEW
    assert apart.mean() < 1


def test_outputs_say_something(inputs: NDArray[np.int8]) -> None:
    """A model that gives nearly the same for all pictures would pass the other tests."""
    outputs = FixedInterpreter(parse_model(load_released("region"))).run(inputs)
    assert outputs.shape[1:3] == (CELLS, CELLS)
    assert len(np.unique(outputs)) > 100
    assert (outputs.std(axis=0) > 1).mean() > 0.5


def test_a_model_is_small_enough_for_a_small_board() -> None:
    assert len(load_released("region")) <= MOST_BYTES


@pytest.mark.parametrize("number", range(6))
def test_whatever_the_picture_it_is_answered(number: int) -> None:
    plane = picture(number)
    found = region_finder().find(plane)
    assert all(region.form in region_finder().card.forms for region in found)


def test_in_an_empty_picture_is_no_form() -> None:
    for value in (0, 128, 255):
        assert region_finder().find(np.full((300, 400), value, np.uint8)) == ()
