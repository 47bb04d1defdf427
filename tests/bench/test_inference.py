"""What the cells of a tally sheet and the finding of forms cost: the recorded readers, and the kernels that they must equal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge.inference import regions
from edge.inference.digits import digit_reader
from edge.inference.fixed import FixedInterpreter
from edge.inference.model import parse_model
from edge.inference.reduction import SIDE, reduced
from edge.inference.released import load_released
from edge.inference.runtime import SecondReader
from tests.inference.networks import heat_maps

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

CELLS = 90
"""Of a sheet with two columns of vote counts."""
MOST_SHARE = 0.5
"""Of the time that the reference kernels take."""
ROUNDS = 20

PICTURES = np.random.default_rng(1).integers(0, 256, (CELLS, 28, 28), dtype=np.uint8)
QUANTISED = (PICTURES ^ np.uint8(128)).view(np.int8)[..., np.newaxis]

PHOTO = np.random.default_rng(2).integers(0, 256, (3_000, 4_000), dtype=np.uint8)


def test_a_sheet_of_cells_by_both_readers(benchmark: BenchmarkFixture) -> None:
    reader = digit_reader()
    assert benchmark(reader.read, PICTURES).scores.shape == (CELLS, 13)


def test_a_sheet_of_cells_by_the_fixed_point_interpreter(benchmark: BenchmarkFixture) -> None:
    interpreter = FixedInterpreter(parse_model(load_released("digit")))
    assert benchmark(interpreter.run, QUANTISED).shape == (CELLS, 13)


def test_a_sheet_of_cells_by_the_reference_kernels(benchmark: BenchmarkFixture) -> None:
    reader = SecondReader(load_released("digit"), reference=True)
    assert benchmark(reader.run, QUANTISED).shape == (CELLS, 13)


def test_the_interpreter_takes_at_most_half_of_the_time_of_the_reference_kernels(benchmark: BenchmarkFixture) -> None:
    if benchmark.disabled:
        pytest.skip("time says nothing on a shared machine; measured by ./dev bench")
    interpreter = FixedInterpreter(parse_model(load_released("digit")))
    reader = SecondReader(load_released("digit"), reference=True)

    ours, theirs = [], []

    def rounds() -> None:
        # Turn by turn, so that whatever else the machine does meets both.
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            interpreter.run(QUANTISED)
            between = time.perf_counter()
            reader.run(QUANTISED)
            ours.append(between - begun)
            theirs.append(time.perf_counter() - between)

    benchmark.pedantic(rounds, rounds=1)  # type: ignore[no-untyped-call]
    assert min(ours) <= MOST_SHARE * min(theirs)


def test_a_photograph_of_twelve_megapixels_is_reduced(benchmark: BenchmarkFixture) -> None:
    assert benchmark(reduced, PHOTO)[1:] == (256, 192)


def test_a_picture_by_a_network_as_large_as_the_region_model(benchmark: BenchmarkFixture) -> None:
    """144 million multiplications."""
    interpreter = FixedInterpreter(parse_model(heat_maps(SIDE, 12, 1)))
    picture = (reduced(PHOTO)[0] ^ np.uint8(128)).view(np.int8)[np.newaxis, ..., np.newaxis]
    assert benchmark(interpreter.run, picture).shape == (1, 32, 32, 26)


def test_the_scores_of_a_picture_are_decoded(benchmark: BenchmarkFixture) -> None:
    """Of noise, in which there are many more peaks than in a picture with a few forms."""
    scores = np.random.default_rng(3).integers(-128, 128, (32, 32, 26)).astype(np.int8)
    card = regions.RegionCard(("one", "other"), 100, 100, 0, 31_373, (5_000,) * 256)
    assert benchmark(regions.decode, scores, card, 4_000, 3_000)
