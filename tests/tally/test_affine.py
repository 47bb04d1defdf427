"""The map from form to image: exact arithmetic, and a fit that finds the map it was made with."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge.tally.affine import SCALE, Affine, fit_affine, squared_errors

maps = st.builds(
    Affine,
    st.integers(-400_000, 400_000),
    st.integers(12 << 20, 34 << 20),
    st.integers(-(3 << 20), 3 << 20),
    st.integers(-400_000, 400_000),
    st.integers(-(3 << 20), 3 << 20),
    st.integers(12 << 20, 34 << 20),
)
points = st.lists(st.tuples(st.integers(0, 43_000), st.integers(0, 43_000)), min_size=3, max_size=40)


def spread(found: list[tuple[int, int]]) -> bool:
    (x0, y0), *others = found
    return any((x1 - x0) * (y2 - y0) != (x2 - x0) * (y1 - y0) for x1, y1 in others for x2, y2 in others)


@given(maps, st.integers(0, 43_000), st.integers(0, 43_000))
def test_a_point_is_where_the_exact_map_puts_it_rounded(affine: Affine, x: int, y: int) -> None:
    across, down = affine.point(x, y)
    exact = affine.x0 + Fraction(affine.xx * x + affine.xy * y, SCALE)
    assert abs(across - exact) <= Fraction(1, 2)
    assert across == affine.x_of(np.array([x]), np.array([y]))[0]
    assert down == affine.y_of(np.array([x]), np.array([y]))[0]


@given(maps, points.filter(spread))
def test_a_fit_to_points_of_a_map_passes_within_a_256th_pixel_of_them(affine: Affine, found: list[tuple[int, int]]) -> None:
    x, y = (np.array(axis, np.int64) for axis in zip(*found, strict=True))
    fitted = fit_affine(x, y, affine.x_of(x, y), affine.y_of(x, y))
    assert fitted is not None
    # Each coordinate was rounded to 1/256 pixel once, and the coefficients to 1/2**20 of one a hundredth of a millimetre.
    assert int(squared_errors(fitted, x, y, affine.x_of(x, y), affine.y_of(x, y)).max()) <= 2 * 2 * 2


@given(st.integers(-5, 5), st.integers(-5, 5), st.integers(0, 100))
def test_points_in_a_line_give_no_map(along: int, down: int, start: int) -> None:
    steps = np.arange(8, dtype=np.int64)
    x, y = start + along * steps, start + down * steps
    assert fit_affine(x, y, x, y) is None


def test_two_points_give_no_map() -> None:
    two = np.array([0, 5], np.int64)
    assert fit_affine(two, two[::-1].copy(), two, two) is None


def test_resolution_is_that_of_the_map() -> None:
    per_unit = 150 * 256 * SCALE // 2540
    assert Affine(0, per_unit, 0, 0, 0, per_unit).dpi == 150
    assert Affine(0, per_unit, 0, 0, 0, per_unit).distance(2540) == 150 * 256
