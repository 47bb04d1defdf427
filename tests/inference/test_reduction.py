"""The picture as the region model sees it: exact means over areas of any picture, and where they lie."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.inference.reduction import SIDE, extents, reduced

Grey = NDArray[np.uint8]
LENGTHS = st.integers(1, 40) | st.integers(200, 300) | st.integers(1, 1_500)


def picture(width: int, height: int, seed: int) -> Grey:
    return np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)


def defined(plane: Grey, across: int, down: int, row: int, column: int) -> int:
    """One pixel, straight from the definition."""
    height, width = plane.shape
    top, left = row * height // down, column * width // across
    bottom, right = max((row + 1) * height // down, top + 1), max((column + 1) * width // across, left + 1)
    block = plane[top:bottom, left:right]
    return int(Fraction(int(block.sum()), block.size) + Fraction(1, 2))


@given(LENGTHS, LENGTHS, st.integers(0, 2**32 - 1), st.lists(st.tuples(st.integers(0, 255), st.integers(0, 255)), max_size=20))
@example(256, 256, 0, [(0, 0), (255, 255)])
@example(257, 1, 0, [(0, 0), (0, 255)])
@example(1, 1, 0, [(0, 0), (255, 255)])
@example(1, 4_000, 0, [(0, 0), (255, 0)])
def test_pixels_are_the_means_of_their_areas(width: int, height: int, seed: int, places: list[tuple[int, int]]) -> None:
    plane = picture(width, height, seed)
    seen, across, down = reduced(plane)
    assert seen.shape == (SIDE, SIDE)
    assert seen.dtype == np.uint8
    assert max(across, down) == SIDE
    assert (across, down) == extents(width, height)
    for row, column in places:
        row, column = row % down, column % across  # noqa: PLW2901 - anywhere in the part that the picture takes
        assert seen[row, column] == defined(plane, across, down, row, column)
    assert (seen[down:] == 128).all()
    assert (seen[:, across:] == 128).all()


def test_a_picture_of_the_size_of_the_input_stays_as_it_is() -> None:
    plane = picture(256, 256, 1)
    assert np.array_equal(reduced(plane)[0], plane)


def test_a_small_picture_is_repeated_by_whole_pixels() -> None:
    plane = picture(64, 32, 1)
    seen, across, down = reduced(plane)
    assert (across, down) == (256, 128)
    assert np.array_equal(seen[:128], np.kron(plane, np.ones((4, 4), np.uint8)))


def test_halves_are_rounded_up() -> None:
    plane = np.tile(np.array([[0, 1], [0, 1]], np.uint8), (256, 256))
    assert (reduced(plane)[0] == 1).all()


def test_the_brightest_picture_of_many_rows_does_not_overflow() -> None:
    """A strip of 4000 rows of 255 is far beyond 16 bits."""
    seen, across, down = reduced(np.full((256 * 4_000, 3), 255, np.uint8))
    assert (across, down) == (1, 256)
    assert (seen[:, 0] == 255).all()


@given(LENGTHS, LENGTHS)
def test_shapes_keep_their_proportions(width: int, height: int) -> None:
    across, down = extents(width, height)
    longer = max(width, height)
    assert abs(across - Fraction(256 * width, longer)) <= max(Fraction(1, 2), 1 - Fraction(256 * width, longer))
    assert extents(height, width) == (down, across)


@pytest.mark.parametrize("plane", [np.zeros((3, 3, 3), np.uint8), np.zeros((0, 4), np.uint8), np.zeros((4, 4), np.int16)])
def test_pictures_of_another_shape_or_type_are_refused(plane: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="expected"):
        reduced(plane)
