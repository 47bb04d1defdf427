"""Maps of a plane seen at an angle: exact arithmetic, the way back, and a fit that finds the map it was made with."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from edge.tally.projective import ONE, Projective, fit_projective

MIDDLE = (480_000, 310_000)
near_one = st.integers(ONE // 2, ONE * 3 // 2)
small = st.integers(-ONE // 2, ONE // 2)
leaning = st.integers(-40_000, 40_000)
"""Up to half a depth at a distance of 2**19."""
place = st.integers(0, 1 << 20)
maps = st.builds(
    lambda xx, xy, x, yx, yy, y, px, py: Projective(MIDDLE, xx, xy, x * ONE, yx, yy, y * ONE, px, py),
    near_one,
    small,
    place,
    small,
    near_one,
    place,
    leaning,
    leaning,
)
points = st.lists(st.tuples(st.integers(0, 960_000), st.integers(0, 620_000)), min_size=1, max_size=30)
GRID = np.array([(x, y) for x in range(0, 960_001, 240_000) for y in range(0, 620_001, 155_000)], np.int64).T


@given(maps, points)
def test_a_point_is_where_the_exact_map_puts_it_rounded(view: Projective, found: list[tuple[int, int]]) -> None:
    x, y = np.array(found, np.int64).T
    depth = view.depth(x, y)
    assume((depth > ONE // 4).all())
    across, down = view.of(x, y)
    for place, (px, py) in enumerate(found):
        u, v = px - MIDDLE[0], py - MIDDLE[1]
        under = view.px * u + view.py * v + ONE
        assert under == depth[place]
        assert abs(Fraction(view.xx * u + view.xy * v + view.x0, under) - int(across[place])) <= Fraction(1, 2)
        assert abs(Fraction(view.yx * u + view.yy * v + view.y0, under) - int(down[place])) <= Fraction(1, 2)


@given(maps, points)
def test_the_way_back_leads_back(view: Projective, found: list[tuple[int, int]]) -> None:
    x, y = np.array(found, np.int64).T
    assume((view.depth(x, y) > ONE // 4).all())
    back = view.inverse(1, 1)
    assume(back is not None)
    assert back is not None
    across, down = view.of(x, y)
    assume((back.depth(across, down) > ONE // 16).all())
    again = back.of(across, down)
    # Half a step there is up to eight here where the plane is far away.
    assert np.abs(again[0] - x).max() <= 40
    assert np.abs(again[1] - y).max() <= 40


@given(maps)
def test_a_fit_to_points_of_a_map_passes_by_them(view: Projective) -> None:
    assume((view.depth(*GRID) > ONE // 4).all())
    assume(view.inverse(1, 1) is not None)
    across, down = view.of(*GRID)
    assume(max(np.abs(across).max(), np.abs(down).max()) < 1 << 21)
    fitted = fit_projective(GRID[0], GRID[1], across, down, MIDDLE)
    assert fitted is not None
    again = fitted.of(*GRID)
    assert np.abs(again[0] - across).max() <= 8
    assert np.abs(again[1] - down).max() <= 8


def test_points_in_a_line_and_too_few_of_them_leave_it_open() -> None:
    line = np.arange(12, dtype=np.int64)
    assert fit_projective(line * 1000, line * 500, line * 700, line * 900, (0, 0)) is None
    three = np.array([0, 9000, 0]), np.array([0, 0, 9000])
    assert fit_projective(*three, *three, (0, 0)) is None


def test_a_plane_seen_from_behind_has_no_way_back() -> None:
    assert Projective((0, 0), -ONE, 0, 0, 0, ONE, 0, 0, 0).inverse(1, 1) is None
