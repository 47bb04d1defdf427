"""Maps of paper seen at an angle and not flat: as good as the exact ones, and none where no paper can lie."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.definition.box import Box
from edge.definition.form import load_form, shipped_form, shipped_forms
from edge.fixed.number import Int64Array
from edge.tally.affine import SCALE, Affine, mapped, shows
from edge.tally.bent import VIEW_DPI, Bend, BentMap, flat_map, view_of, with_bend
from edge.tally.projective import ONE
from hil.boxes.truth import Place
from tests.tally.sightings import angle, placed_through

FORMS = {name: load_form(shipped_form(name)) for name in shipped_forms()}
LUMEN = FORMS["lumen-harbour"]
ANGLES = ((0.0, 0.0, 0.0), (33.0, 20.0, 60.0), (180.0, 35.0, 200.0), (271.0, 28.0, 310.0))
GRID = np.array([(x, y) for x in range(500, 21_001, 1708) for y in range(500, 27_001, 2208)], np.int64).T
affines = st.builds(Affine, *(st.integers(-(30 << 20), 30 << 20) for _ in range(6)))
coordinate = st.integers(0, 45_000)


def at(place: Place, x: Int64Array, y: Int64Array) -> tuple[Int64Array, Int64Array]:
    """Places of points in whole 1/256 pixels."""
    there = np.rint(place(np.stack((x, y), axis=1).astype(np.float64)) * 256).astype(np.int64)
    return there[:, 0], there[:, 1]


def true_map(degrees: float, tilt: float, towards: float, dpi: float = 200) -> tuple[BentMap, Place]:
    """The map through a grid of points, and the exact one."""
    place = placed_through(angle(LUMEN, dpi, degrees, tilt, towards)[0])
    found = flat_map(LUMEN, GRID[0], GRID[1], *at(place, GRID[0], GRID[1]))
    assert found is not None
    return found, place


@given(affines)
def test_lengths_and_units_are_those_of_a_step_on_the_form(affine: Affine) -> None:
    for length, unit, step in (
        (affine.lengths[0], affine.unit_x, (affine.xx, affine.yx)),
        (affine.lengths[1], affine.unit_y, (affine.xy, affine.yy)),
    ):
        assert length * length <= step[0] * step[0] + step[1] * step[1] < (length + 1) ** 2
        # A whole pixel long and the way the step goes, to half a 256th each way.
        for part, whole in zip(unit, step, strict=True):
            assert abs(Fraction(whole * 256, max(1, length)) - part) <= Fraction(1, 2)


def test_a_unit_of_a_turned_map_points_along_the_form() -> None:
    quarter = Affine(0, 0, -(20 << 20), 0, 20 << 20, 0)
    assert quarter.unit_x == (0, 256)
    assert quarter.unit_y == (-256, 0)
    assert quarter.lengths == (20 << 20, 20 << 20)
    assert Affine(0, 3 << 20, 0, 0, 4 << 20, 0).unit_x == (154, 205)
    assert Affine(0, 0, 0, 0, 0, 0).unit_x == (0, 0)


@given(st.lists(affines, min_size=1, max_size=5), st.lists(st.tuples(coordinate, coordinate), min_size=1, max_size=4))
def test_many_maps_at_once_map_each_row_by_its_own(maps: list[Affine], points: list[tuple[int, int]]) -> None:
    x, y = (np.tile(np.array(axis, np.int64), (len(maps), 1)) for axis in zip(*points, strict=True))
    across, down = mapped(maps, x, y)
    for row, one in enumerate(maps):
        assert list(zip(across[row].tolist(), down[row].tolist(), strict=True)) == [one.point(*point) for point in points]


def test_a_box_is_shown_when_no_more_than_a_pixel_of_it_lies_beside_the_image() -> None:
    # 1 pixel is 10 units.
    flat = Affine(0, 256 * SCALE // 10, 0, 0, 0, 256 * SCALE // 10)
    assert shows(flat, Box(0, 0, 1000, 500), (50, 100))
    assert shows(flat, Box(0, 0, 1009, 509), (50, 100))
    assert not shows(flat, Box(0, 0, 1021, 500), (50, 100))
    assert not shows(flat, Box(0, 0, 1000, 521), (50, 100))
    left, above = Affine(-512, flat.xx, 0, 0, 0, flat.yy), Affine(0, flat.xx, 0, -512, 0, flat.yy)
    for moved in (left, above):
        assert not shows(moved, Box(0, 0, 100, 100), (50, 100))
        assert shows(moved, Box(20, 20, 100, 100), (50, 100))
    # A quarter turn swaps what lies where: (x, y) comes to (100 - y, x).
    turned = Affine(100 * 256, 0, -flat.xx, 0, flat.xx, 0)
    assert shows(turned, Box(0, 0, 500, 1000), (50, 100))
    assert not shows(turned, Box(0, 0, 1000, 500), (50, 100))


@pytest.mark.parametrize(("degrees", "tilt", "towards"), ANGLES)
def test_points_are_where_the_exact_map_has_them(degrees: float, tilt: float, towards: float) -> None:
    found, place = true_map(degrees, tilt, towards)
    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(0, 21_590, 777), np.arange(0, 27_940, 777)))
    for one, other in zip(found.points(x, y), at(place, x, y), strict=True):
        assert np.abs(one - other).max() <= 3


@pytest.mark.parametrize(("degrees", "tilt", "towards"), ANGLES)
def test_the_map_around_a_box_has_its_corners_where_they_are(degrees: float, tilt: float, towards: float) -> None:
    found, place = true_map(degrees, tilt, towards)
    for box in (*LUMEN.registration.frames, *(cell for field in LUMEN.all_fields for cell in field.cell_boxes())):
        x, y = np.array(box.corners, np.int64).T
        local = found.at(box)
        across, down = local.x_of(x, y), local.y_of(x, y)
        # What an affine map cannot do: a box is wider at its near side. With 9 cm of label at 35 degrees that is seen.
        most = 100 if box.width < 2000 else 3 * 256
        assert np.abs(across - at(place, x, y)[0]).max() < most
        assert np.abs(down - at(place, x, y)[1]).max() < most


def test_the_map_around_a_point_is_that_around_as_much_paper_as_a_cell() -> None:
    """One that is fitted to corners a hundredth of a millimetre apart would be made of roundings."""
    found, place = true_map(33.0, 20.0, 60.0)
    tiny = found.at(Box(10_000, 9000, 1, 1))
    x, y = np.array([9700, 10_300, 10_000]), np.array([9000, 9000, 9300])
    for one, other in zip((tiny.x_of(x, y), tiny.y_of(x, y)), at(place, x, y), strict=True):
        assert np.abs(one - other).max() < 16


@given(
    st.floats(0, 360),
    st.floats(0, 30),
    st.floats(0, 360),
    st.floats(80, 400),
    st.integers(1000, 20_000),
    st.integers(1000, 26_000),
)
def test_any_view_that_paper_can_have_is_fitted(degrees: float, tilt: float, towards: float, dpi: float, x: int, y: int) -> None:
    found, place = true_map(degrees, tilt, towards, dpi)
    assert found.points(np.array([x]), np.array([y]))[0] == pytest.approx(at(place, np.array([x]), np.array([y]))[0], abs=6)
    shrunk = (1 + np.cos(np.radians(tilt))) / 2
    assert found.dpi == pytest.approx(dpi * shrunk, rel=0.01, abs=1)
    assert found.distance(1000) == pytest.approx(dpi * shrunk * 256000 / 2540, rel=0.01)


def corners_of(width: int, height: int) -> tuple[Int64Array, Int64Array]:
    x, y = np.array(Box(0, 0, width, height).corners, np.int64).T
    return x, y


def test_mirrored_and_steep_and_flat_sheets_are_none() -> None:
    x, y = corners_of(*LUMEN.size)
    image_x, image_y = x * 20, y * 20
    assert flat_map(LUMEN, x, y, image_x, image_y) is not None
    assert flat_map(LUMEN, x, y, 430_000 - image_x, image_y) is None
    assert flat_map(LUMEN, x, y, image_x, 560_000 - image_y) is None
    assert flat_map(LUMEN, x, y, image_x, image_x) is None
    assert flat_map(LUMEN, x, y, image_x * 0 + 5, image_y * 0 + 5) is None
    assert flat_map(LUMEN, x[:3], y[:3], image_x[:3], image_y[:3]) is None
    # Both ways at once is half a turn.
    assert flat_map(LUMEN, x, y, 430_000 - image_x, 560_000 - image_y) is not None


@pytest.mark.parametrize(("lean", "fits"), [(0.5, True), (2.0, True), (3.0, True), (4.0, False), (6.0, False)])
def test_a_sheet_that_comes_too_near_the_eye_is_none(lean: float, *, fits: bool) -> None:
    """At the table's lower end, a fifth of the form below its middle, the sheet may be four times as near as there, no nearer."""
    x, y = GRID[:, (GRID[1] > 7000) & (GRID[1] < 20_500)]
    depth = 1 - lean * (y / LUMEN.size[1] - 0.5)
    image = (np.rint((part - half) * 20 / depth).astype(np.int64) for part, half in ((x, 10_795), (y, 13_970)))
    assert (flat_map(LUMEN, x, y, *image) is not None) == fits


def test_crossed_corners_are_none() -> None:
    x, y = corners_of(*LUMEN.size)
    assert flat_map(LUMEN, x, y, np.array([0, 0, 400_000, 400_000]), np.array([0, 500_000, 0, 500_000])) is None


anywhere = st.integers(-(1 << 40), 1 << 40) | st.integers(-2_000_000, 3_000_000)


@given(st.lists(st.tuples(st.integers(0, 21_590), st.integers(0, 27_940), anywhere, anywhere), max_size=9))
def test_any_points_give_a_map_or_none(points: list[tuple[int, int, int, int]]) -> None:
    found = flat_map(LUMEN, *np.array(points, np.int64).reshape(-1, 4).T)
    if found is not None:
        table = LUMEN.table
        ends = np.array((table.x, table.x + table.width)), np.array((table.y, table.y + table.height))
        assert (found.flat.depth(view_of(ends[0]), view_of(ends[1])) >= ONE // 4).all()
        assert found.dpi >= 0
        for field in LUMEN.all_fields:
            assert shows(found, field.boxes[0], (1000, 1000)) in {True, False}


measured = st.lists(
    st.tuples(coordinate, coordinate, st.integers(-4000, 4000), st.integers(-4000, 4000)), min_size=1, max_size=25
)


def bend_of(points: list[tuple[int, int, int, int]]) -> Bend:
    x, y, across, down = np.array(points, np.int64).T
    return Bend(x, y, across, down)


@given(measured, st.lists(st.tuples(st.integers(-100_000, 100_000), st.integers(-100_000, 100_000)), min_size=1, max_size=8))
def test_a_bend_is_nowhere_greater_than_what_was_measured(
    points: list[tuple[int, int, int, int]], asked: list[tuple[int, int]]
) -> None:
    bend = bend_of(points)
    x, y = np.array(asked, np.int64).T
    for said, known in zip(bend.at(x, y), (bend.across, bend.down), strict=True):
        assert said.shape == x.shape
        assert known.min() <= said.min()
        assert said.max() <= known.max()


def test_metres_from_the_paper_there_is_no_bend() -> None:
    said = bend_of([(0, 0, 700, -500)]).at(np.array([400_000]), np.array([0]))
    assert [int(part[0]) for part in said] == [0, 0]


@given(measured, st.integers(-4000, 4000), st.integers(-4000, 4000), coordinate, coordinate)
def test_an_even_bend_is_the_same_everywhere(
    points: list[tuple[int, int, int, int]], across: int, down: int, x: int, y: int
) -> None:
    bend = bend_of([(*point[:2], across, down) for point in points])
    said = bend.at(np.array([x]), np.array([y]))
    assert (said[0][0], said[1][0]) == (across, down)


def test_where_it_was_measured_a_bend_is_what_was_measured_there_and_half_way_it_is_between() -> None:
    bend = bend_of([(2000, 2000, 100, -300), (12_000, 2000, 900, 500)])
    across, down = bend.at(np.array([2000, 12_000, 7000]), np.array([2000, 2000, 2000]))
    assert across.tolist() == pytest.approx([100, 900, 500], abs=3)
    assert down.tolist() == pytest.approx([-300, 500, 100], abs=3)


def test_nothing_measured_is_no_bend() -> None:
    empty = np.zeros(0, np.int64)
    said = Bend(empty, empty, empty, empty).at(np.array([5, 900]), np.array([7, 3]))
    assert [part.tolist() for part in said] == [[0, 0], [0, 0]]


@pytest.mark.parametrize(("degrees", "tilt", "towards"), ANGLES)
def test_a_curl_is_followed_and_a_stray_point_is_not(degrees: float, tilt: float, towards: float) -> None:
    """The paper's right half bulges by up to 1.2 mm; one point says 1.5 mm to the other side."""
    flat, place = true_map(degrees, tilt, towards)
    x, y = GRID
    bulge = np.rint(120 * np.sin(np.pi * x / 21_590) ** 2).astype(np.int64)
    image_x, image_y = at(place, x + bulge, y)
    stray = 71
    image_x[stray], image_y[stray] = (
        int(part[0]) for part in at(place, x[stray : stray + 1] + bulge[stray] - 150, y[stray : stray + 1])
    )
    bent = with_bend(flat, x, y, image_x, image_y)
    assert len(bent.bend.x) == len(x) - 1
    assert (x[stray], y[stray]) not in set(zip(bent.bend.x.tolist(), bent.bend.y.tolist(), strict=True))
    right = at(place, x + bulge, y)
    off = np.hypot(*(one - other for one, other in zip(bent.points(x, y), right, strict=True)))
    # 0.3 mm at 200 dpi is two and a half pixels; without the bend it is up to nine.
    assert off.max() < 2.5 * 256
    assert np.median(off) < 128
    without = np.hypot(*(one - other for one, other in zip(flat.points(x, y), right, strict=True)))
    assert np.median(without) > 3 * 256


@given(st.sampled_from(ANGLES), st.integers(0, 2**32 - 1))
def test_the_bend_does_not_depend_on_the_order_of_the_points(way: tuple[float, float, float], seed: int) -> None:
    flat, place = true_map(*way)
    rng = np.random.default_rng(seed)
    shaken = tuple(part + rng.integers(-90, 91, len(part)) for part in at(place, *GRID))
    order = rng.permutation(len(GRID[0]))
    one = with_bend(flat, *GRID, *shaken)
    other = with_bend(flat, *(part[order] for part in (*GRID, *shaken)))
    # Points at odd places: where several are as near, which of them counts is a matter of order.
    x, y = np.array([1234, 9871, 15_003]), np.array([4321, 20_007, 777])
    assert all(np.array_equal(a, b) for a, b in zip(one.points(x, y), other.points(x, y), strict=True))


@given(st.integers(0, 45_000))
def test_the_view_is_a_scan(length: int) -> None:
    assert abs(Fraction(length * VIEW_DPI * 256, 2540) - int(view_of(np.array(length)))) <= Fraction(1, 2)


@pytest.mark.parametrize("degrees", range(0, 360, 40))
def test_a_larger_picture_than_any_that_is_read_still_fits_the_numbers(degrees: int) -> None:
    """An image has at most 20,000 pixels a side: with 1500 pixels an inch this sheet alone has more, turned by 45 degrees."""
    found, place = true_map(degrees, 25.0, 7.0 * degrees, 1500)
    assert max(int(part.max()) for part in at(place, *GRID)) > 12_000 * 256
    for one, other in zip(found.points(*GRID), at(place, *GRID), strict=True):
        assert np.abs(one - other).max() <= 24
    into = found.flat.inverse(1, 1)
    assert into is not None
    for one, other in zip(into.of(*found.points(*GRID)), (view_of(GRID[0]), view_of(GRID[1])), strict=True):
        assert np.abs(one - other).max() <= 8
