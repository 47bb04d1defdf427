"""Exact rounding and scores with their denominators."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.fixed.number import Score, round_div

numerators = st.integers(-(10**9), 10**9)
denominators = st.integers(1, 10**6)


def half_away_from_zero(value: Fraction) -> int:
    magnitude = int(abs(value) + Fraction(1, 2))
    return magnitude if value >= 0 else -magnitude


@given(numerators, denominators)
def test_division_rounds_halves_away_from_zero(numerator: int, denominator: int) -> None:
    assert round_div(numerator, denominator) == half_away_from_zero(Fraction(numerator, denominator))


@given(st.lists(st.tuples(numerators, denominators), max_size=30))
def test_arrays_divide_like_their_numbers(pairs: list[tuple[int, int]]) -> None:
    over, under = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    assert round_div(over, under).tolist() == [round_div(*pair) for pair in pairs]
    assert round_div(over, 7).tolist() == [round_div(numerator, 7) for numerator, _ in pairs]


@given(st.integers(-(10**40), 10**40), st.integers(1, 10**20))
def test_whole_numbers_of_any_size_divide(numerator: int, denominator: int) -> None:
    assert round_div(numerator, denominator) == half_away_from_zero(Fraction(numerator, denominator))


@given(numerators, denominators)
def test_rounding_is_symmetric_about_zero(numerator: int, denominator: int) -> None:
    assert round_div(-numerator, denominator) == -round_div(numerator, denominator)


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [(1, 2, 1), (-1, 2, -1), (3, 2, 2), (-3, 2, -2), (5, 2, 3), (1, 3, 0), (2, 3, 1), (-2, 3, -1), (0, 9, 0), (6, 3, 2)],
)
def test_halves_go_away_from_zero(numerator: int, denominator: int, rounded: int) -> None:
    assert round_div(numerator, denominator) == rounded
    assert round_div(np.array([numerator]), denominator).tolist() == [rounded]


def test_the_kind_of_number_is_kept() -> None:
    assert isinstance(round_div(7, 2), int)
    assert round_div(np.array([7], np.int64), 2).dtype == np.int64
    assert round_div(np.zeros(0, np.int64), 2).shape == (0,)


@given(st.integers(0, 10**7), st.integers(1, 10**7), st.integers(0, 10_000))
def test_a_score_reaches_a_threshold_exactly(count: int, of: int, threshold: int) -> None:
    assert Score(count, of).at_least(threshold) == (Fraction(count, of) >= Fraction(threshold, 10_000))


def test_a_score_equal_to_its_threshold_reaches_it() -> None:
    assert Score(7, 100).at_least(700)
    assert not Score(699, 10_000).at_least(700)
    assert Score(0, 5).at_least(0)


def test_a_score_out_of_nothing_reaches_no_threshold() -> None:
    assert not Score(0, 0).at_least(0)
    assert Score(0, 0).per_ten_thousand == 0


@pytest.mark.parametrize(
    ("score", "parts"), [(Score(1, 3), 3333), (Score(2, 3), 6667), (Score(1, 20_000), 1), (Score(5, 5), 10_000)]
)
def test_the_share_is_rounded_for_people(score: Score, parts: int) -> None:
    assert score.per_ten_thousand == parts
