"""The stand-in for a real factor: against its definition in exact fractions, and against the real product."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.inference.error import ModelError
from edge.inference.model import Activation, Tensor
from edge.inference.rescale import Rescale, activation_range, quantise_multiplier

FACTORS = st.floats(1e-9, 50, allow_subnormal=False)
SUMS = st.lists(st.integers(-(2**24), 2**24), min_size=1, max_size=20)


def defined(value: int, factor: float) -> int:
    """The two roundings, each in exact fractions."""
    multiplier, shift = quantise_multiplier(factor)
    upper = math.floor(Fraction(value * 2 ** max(shift, 0) * multiplier, 2**31) + Fraction(1, 2))
    shifted = Fraction(upper, 2 ** max(-shift, 0))
    return int(math.copysign(math.floor(abs(shifted) + Fraction(1, 2)), shifted))


@given(FACTORS)
def test_a_factor_has_thirty_one_bits(factor: float) -> None:
    multiplier, shift = quantise_multiplier(factor)
    if multiplier:
        assert 2**30 <= multiplier < 2**31
        assert abs(Fraction(multiplier, 2**31) * Fraction(2) ** shift / Fraction(factor) - 1) <= Fraction(1, 2**31)
    else:
        assert factor < 2.0**-31


@pytest.mark.parametrize(
    ("factor", "expected"),
    [
        (0.0, (0, 0)),
        (1.0, (2**30, 1)),
        (0.5, (2**30, 0)),
        (math.nextafter(1.0, 0), (2**30, 1)),
        (2.0**-32, (2**30, -31)),
        (2.0**-33, (0, 0)),
    ],
)
def test_the_ends_of_the_range(factor: float, expected: tuple[int, int]) -> None:
    assert quantise_multiplier(factor) == expected


@given(SUMS, FACTORS.filter(lambda factor: factor < 60))
def test_products_are_as_defined_and_near_the_real_one(sums: list[int], factor: float) -> None:
    rescale = Rescale([quantise_multiplier(factor)], 1, 2**24)
    found = rescale(np.array(sums)).tolist()
    assert found == [defined(value, factor) for value in sums]
    assert all(abs(got - value * Fraction(factor)) <= 1 for got, value in zip(found, sums, strict=True))


@given(SUMS, st.lists(FACTORS, min_size=2, max_size=6))
def test_each_channel_has_its_own_factor(sums: list[int], factors: list[float]) -> None:
    rescale = Rescale([quantise_multiplier(factor) for factor in factors], 2, 2**24)
    found = rescale(np.array([sums] * len(factors)))
    assert found.tolist() == [[defined(value, factor) for value in sums] for factor in factors]


@given(SUMS, st.lists(FACTORS, min_size=2, max_size=6))
def test_only_what_a_relu_leaves_matters_before_one(sums: list[int], factors: list[float]) -> None:
    rescale = Rescale([quantise_multiplier(factor) for factor in factors], 2, 2**24, positive=True)
    found = rescale(np.array([sums] * len(factors)))
    assert np.maximum(found, 0).tolist() == [[max(0, defined(value, factor)) for value in sums] for factor in factors]


@given(st.integers(-(2**31) + 1, 2**31 - 1), st.floats(2.0**-31, 0.999))
def test_the_largest_sums_do_not_overflow(value: int, factor: float) -> None:
    for positive in (False, True):
        found = int(Rescale([quantise_multiplier(factor)], 1, 2**31 - 1, positive=positive)(np.array([value]))[0])
        assert found == defined(value, factor) or (positive and max(found, defined(value, factor)) <= 0)


def test_halves_are_rounded_as_the_reference_kernels_do() -> None:
    """A shift rounds halves away from zero, the upper bits round them up."""
    assert Rescale([(2**30, -1)], 1, 100)(np.array([-6, -2, 2, 6])).tolist() == [-2, -1, 1, 2]
    assert Rescale([(2**30, 0)], 1, 100)(np.array([-3, -1, 1, 3])).tolist() == [-1, 0, 1, 2]


def test_what_would_overflow_is_refused() -> None:
    Rescale([(2**30, 3)], 1, 2**28 - 1)
    with pytest.raises(ModelError, match="32 bits"):
        Rescale([(2**30, 3)], 1, 2**28)


@pytest.mark.parametrize(
    ("activation", "scale", "zero_point", "expected"),
    [
        (Activation.NONE, 0.1, 5, (-128, 127)),
        (Activation.RELU, 0.1, 5, (5, 127)),
        (Activation.RELU6, 0.1, -128, (-128, -68)),
        (Activation.RELU6, 0.1, 100, (100, 127)),
        (Activation.RELU6, 4.0, 0, (0, 2)),
        (Activation.RELU6, 12.0, 0, (0, 1)),
    ],
)
def test_ranges_of_activations(activation: Activation, scale: float, zero_point: int, expected: tuple[int, int]) -> None:
    output = Tensor("", (1,), "int8", np.array([scale], np.float32), zero_point, 0, None)
    assert activation_range(activation, output) == expected
