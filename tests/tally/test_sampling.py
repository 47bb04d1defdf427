"""Grey levels between pixels: exact in their middles, between their neighbours elsewhere."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from edge.tally.sampling import halved, sample

planes = arrays.arrays(np.uint8, st.tuples(st.integers(2, 9), st.integers(2, 9)))
position = st.integers(-600, 3000)


def levels(plane: NDArray[np.uint8], points: list[tuple[int, int]]) -> list[int]:
    x, y = np.array(points, np.int32).T
    return [int(level) for level in sample(plane, x, y)]


@given(planes)
def test_in_the_middle_of_a_pixel_it_is_the_pixels(plane: NDArray[np.uint8]) -> None:
    y, x = np.indices(plane.shape, np.int32) * 256 + 128
    assert np.array_equal(sample(plane, x, y), plane)


@given(planes, position, position)
def test_anywhere_it_is_the_exact_mean_of_the_four_pixels_around_rounded_half_up(
    plane: NDArray[np.uint8], x: int, y: int
) -> None:
    height, width = plane.shape
    across, down = (
        min(max(Fraction(part - 128, 256), Fraction(0)), Fraction(side - 1)) for part, side in ((x, width), (y, height))
    )
    exact = Fraction(0)
    for row in range(height):
        for column in range(width):
            weight = max(Fraction(0), 1 - abs(across - column)) * max(Fraction(0), 1 - abs(down - row))
            exact += weight * int(plane[row, column])
    assert levels(plane, [(x, y)]) == [(exact + Fraction(1, 2)).__floor__()]


def test_the_edge_goes_on_outwards() -> None:
    plane = np.array([[10, 20], [30, 40]], np.uint8)
    assert levels(plane, [(-9999, -9999), (9999, -5), (0, 512), (512, 512)]) == [10, 20, 30, 40]


def test_a_plane_need_not_be_contiguous() -> None:
    plane = np.arange(200, dtype=np.uint8).reshape(10, 20)
    x, y = np.array([300, 700], np.int32), np.array([500, 900], np.int32)
    part = plane[::2, ::3]
    assert np.array_equal(sample(part, x, y), sample(part.copy(), x, y))


@given(arrays.arrays(np.uint8, st.tuples(st.integers(0, 9), st.integers(0, 9))))
def test_half_the_resolution_is_the_mean_of_four_pixels_rounded_half_up(plane: NDArray[np.uint8]) -> None:
    before = plane.copy()
    half = halved(plane)
    assert half.dtype == np.uint8
    assert half.shape == (plane.shape[0] // 2, plane.shape[1] // 2)
    for row, column in np.ndindex(half.shape):
        four = plane[2 * row : 2 * row + 2, 2 * column : 2 * column + 2].astype(int)
        assert half[row, column] == (four.sum() + 2) // 4
    assert np.array_equal(plane, before)


@pytest.mark.parametrize("level", [0, 1, 127, 255])
def test_an_even_plane_stays_as_it_is(level: int) -> None:
    plane = np.full((7, 5), level, np.uint8)
    assert (halved(plane) == level).all()
    assert set(levels(plane, [(0, 0), (77, 999), (600, 300)])) == {level}
