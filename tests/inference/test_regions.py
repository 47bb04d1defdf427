"""The decoder of the region model, on scores made by hand and on any scores, and the finder around it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.inference import regions, released
from edge.inference.error import ModelError
from edge.inference.fixed import ARITHMETIC, FixedInterpreter
from edge.inference.model import parse_model
from edge.inference.reduction import extents, reduced
from edge.inference.regions import CELLS, MOST_REGIONS, Corner, Region, RegionCard, RegionFinder, decode, parse_region_card
from tests.inference.networks import heat_maps

Scores = NDArray[np.int8]
FORMS = ("acta", "bulletin")
CARD = RegionCard(FORMS, 0, 10, 0, 12_500, tuple(range(256)))
"""One step of a vector is one pixel of the input, and the confidence says what the score was."""
PIXEL = 256
LOW = -100
LENGTHS = st.integers(1, 3_000)
SEEDS = st.integers(0, 2**32 - 1)


def empty(forms: int = 2) -> Scores:
    """Scores of a picture with nothing in it; vectors of nothing."""
    scores = np.full((CELLS, CELLS, forms + 24), LOW, np.int8)
    scores[..., forms + 8 :] = 0
    return scores


def put(scores: Scores, cell: tuple[int, int], form: int, score: int, corners: NDArray[np.int64]) -> None:
    """Put a middle at (row, column), whose vectors point to corners (8, 2) in pixels of the input; the middle is at 8k + 4."""
    forms = scores.shape[2] - 24
    row, column = cell
    scores[row, column, form] = score
    scores[row, column, forms + 8 :] = (corners - [8 * column + 4, 8 * row + 4]).ravel()


def square(x: int, y: int, sheet: int = 60, table: int = 40) -> NDArray[np.int64]:
    """Corners of a sheet and of a table around a place."""
    ways = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    return np.asarray(np.concatenate([ways * sheet, ways * table]) + [x, y], np.int64)


def points(region: Region) -> list[tuple[int, int]]:
    return [(corner.x, corner.y) for corner in (*region.sheet, *region.table)]


def any_scores(seed: int, coarse: int, forms: int = 2) -> Scores:
    """Scores of noise: in few steps many are equal, in many there are hundreds of peaks."""
    noise = np.random.default_rng(seed).integers(-128, 128, (CELLS, CELLS, forms + 24))
    return (noise // coarse * coarse).astype(np.int8)


def test_vectors_lead_from_the_middle_of_a_cell_to_the_corners() -> None:
    scores, corners = empty(), square(100, 124)
    put(scores, (15, 12), 1, 40, corners)
    (region,) = decode(scores, CARD, 256, 256)
    assert region.form == "bulletin"
    assert region.confidence == 40 + 128
    assert points(region) == [(x * PIXEL, y * PIXEL) for x, y in corners.tolist()]
    assert not any(corner.seen for corner in (*region.sheet, *region.table))


@pytest.mark.parametrize(("zero_point", "step"), [(-40, 12_500), (7, 25_000), (0, 6_250)])
def test_vectors_are_counted_from_the_zero_point_in_steps(zero_point: int, step: int) -> None:
    scores = empty()
    put(scores, (15, 12), 0, 40, square(100, 124))
    scores[..., 10:] += zero_point
    (region,) = decode(scores, replace(CARD, zero_point=zero_point, step=step), 256, 256)
    ways = square(0, 0) * step * PIXEL // 12_500
    assert points(region) == [(100 * PIXEL + x, 124 * PIXEL + y) for x, y in ways.tolist()]


@pytest.mark.parametrize(("width", "height", "across"), [(1024, 1024, 4), (512, 256, 2), (128, 128, (1, 2)), (4096, 3000, 16)])
def test_places_are_given_in_the_original_picture(width: int, height: int, across: int | tuple[int, int]) -> None:
    scores, corners = empty(), square(100, 124)
    put(scores, (15, 12), 0, 40, corners)
    (region,) = decode(scores, CARD, width, height)
    times, parts = across if isinstance(across, tuple) else (across, 1)
    inner = extents(width, height)[1]
    for (x, y), (found_x, found_y) in zip(corners.tolist(), points(region), strict=True):
        assert found_x == x * PIXEL * times // parts
        assert abs(found_y * inner - y * PIXEL * height) * 2 <= inner


@given(st.integers(1, 5_000), st.integers(1, 5_000), st.data())
def test_what_is_seen_somewhere_is_given_back_there(width: int, height: int, data: st.DataObject) -> None:
    """A pixel of the picture, where the input shows it, and back: within half a pixel of the input, and half of its own."""
    across, down = extents(width, height)
    for extent, inner, axis in ((width, across, "x"), (height, down, "y")):
        at = data.draw(st.integers(0, inner - 1), axis)
        first, last = at * extent // inner, max((at + 1) * extent // inner, at * extent // inner + 1) - 1
        corners = np.zeros((8, 2), np.int64) + [4, 4]
        scores = empty()
        # The vector reaches the pixel's edge; its middle is half a pixel further.
        corners[:, "xy".index(axis)] = at
        put(scores, (min(at // 8, CELLS - 1), 0) if axis == "y" else (0, min(at // 8, CELLS - 1)), 0, 40, corners)
        (region,) = decode(scores, CARD, width, height)
        place = getattr(region.sheet[0], axis) * inner + PIXEL * extent // 2
        for pixel in (first, last):
            assert abs(place - (2 * pixel + 1) * PIXEL * inner // 2) <= (extent + inner) * PIXEL // 2 + inner


def test_a_corner_that_is_seen_is_taken_from_its_heat_map() -> None:
    scores, corners = empty(), square(100, 124)
    put(scores, (15, 12), 0, 40, corners)
    # The sheet's top left is at (40, 64): cell (8, 5) begins there, its middle is at (44, 68).
    scores[8, 5, 2] = 10
    (region,) = decode(scores, CARD, 256, 256)
    assert region.sheet[0] == Corner(44 * PIXEL, 68 * PIXEL, seen=True)
    assert points(region)[1:] == [(x * PIXEL, y * PIXEL) for x, y in corners.tolist()[1:]]
    scores[8, 5, 2] = 9
    assert not decode(scores, CARD, 256, 256)[0].sheet[0].seen


def test_a_peak_is_refined_by_its_neighbours() -> None:
    scores = empty()
    put(scores, (15, 12), 0, 40, square(100, 124))
    # 110 and 55 more than the least of the nine: two thirds of the weight in one cell, one third in the next.
    scores[8, 5, 2], scores[8, 6, 2] = 10, -45
    (region,) = decode(scores, CARD, 256, 256)
    assert region.sheet[0] == Corner((44 * PIXEL * 2 + 52 * PIXEL + 1) // 3, 68 * PIXEL, seen=True)


@pytest.mark.parametrize(
    ("cell", "seen"), [((8, 5), True), ((8, 2), True), ((8, 1), False), ((10, 7), True), ((10, 8), False), ((5, 5), True)]
)
def test_only_peaks_near_where_the_vector_points_count(cell: tuple[int, int], seen: bool) -> None:
    """Three cells around (44, 68), the middle of cell (8, 5)."""
    scores, corners = empty(), square(104, 128)
    put(scores, (15, 12), 0, 40, corners)
    scores[(*cell, 2)] = 60
    assert decode(scores, CARD, 256, 256)[0].sheet[0].seen is seen


def test_the_best_peak_is_taken_and_the_nearer_of_equal_ones() -> None:
    scores, corners = empty(), square(104, 128)
    put(scores, (15, 12), 0, 40, corners)
    scores[8, 5, 2], scores[8, 7, 2] = 50, 60
    assert decode(scores, CARD, 256, 256)[0].sheet[0].x == 60 * PIXEL
    scores[8, 5, 2] = 60
    assert decode(scores, CARD, 256, 256)[0].sheet[0].x == 44 * PIXEL


def test_each_corner_has_its_own_heat_map() -> None:
    scores, corners = empty(), square(128, 128)
    put(scores, (15, 15), 0, 40, corners)
    for number, (x, y) in enumerate(corners.tolist()):
        scores[y // 8, x // 8, 2 + number] = 50
    (region,) = decode(scores, CARD, 256, 256)
    assert points(region) == [((x // 8 * 8 + 4) * PIXEL, (y // 8 * 8 + 4) * PIXEL) for x, y in corners.tolist()]
    assert all(corner.seen for corner in (*region.sheet, *region.table))


def test_a_middle_must_reach_the_threshold() -> None:
    scores = empty()
    put(scores, (15, 15), 0, 0, square(128, 128))
    assert len(decode(scores, CARD, 256, 256)) == 1
    scores[15, 15, 0] = -1
    assert decode(scores, CARD, 256, 256) == ()


def test_of_equal_neighbours_the_first_in_reading_order_is_the_peak() -> None:
    scores = empty()
    for row, column in ((15, 15), (15, 16), (16, 14), (16, 15)):
        put(scores, (row, column), 0, 30, square(8 * column + 4, 8 * row + 4))
    (region,) = decode(scores, CARD, 256, 256)
    assert points(region) == [(x * PIXEL, y * PIXEL) for x, y in square(124, 124).tolist()]


def test_each_cell_gives_only_its_best_form() -> None:
    scores = empty()
    put(scores, (15, 15), 0, 30, square(128, 128))
    scores[15, 15, 1] = 31
    assert [region.form for region in decode(scores, CARD, 256, 256)] == ["bulletin"]
    scores[15, 15, 0] = 31
    assert [region.form for region in decode(scores, CARD, 256, 256)] == ["acta"]


@pytest.mark.parametrize(("apart", "found"), [(0, 1), (8, 1), (16, 1), (24, 1), (32, 2), (80, 2)])
def test_of_two_middles_nearer_than_a_quarter_of_the_diagonal_the_better_counts(apart: int, found: int) -> None:
    """The table's diagonal is 80 * sqrt(2) = 113 pixels."""
    scores = empty()
    put(scores, (10, 10), 0, 30, square(84, 84))
    put(scores, (20, 20), 1, 31, square(84 + apart, 84))
    regions_found = decode(scores, CARD, 256, 256)
    assert [region.form for region in regions_found] == ["bulletin", "acta"][:found]


def test_at_most_so_many_regions_are_given_the_best_first() -> None:
    scores = empty()
    for number in range(25):
        row, column = 3 + 6 * (number // 5), 3 + 6 * (number % 5)
        put(scores, (row, column), number % 2, number, square(8 * column, 8 * row, 12, 8))
    found = decode(scores, CARD, 256, 256)
    assert len(found) == MOST_REGIONS
    assert [region.confidence - 128 for region in found] == list(range(24, 24 - MOST_REGIONS, -1))


@given(SEEDS, st.sampled_from([1, 16, 64, 128]), LENGTHS, LENGTHS, st.data())
def test_any_scores_are_decoded_within_bounds(seed: int, coarse: int, width: int, height: int, data: st.DataObject) -> None:
    whole = st.integers(-128, 127)
    step = data.draw(st.integers(1, 1_000_000))
    card = RegionCard(FORMS, data.draw(whole), data.draw(whole), data.draw(whole), step, tuple(range(256)))
    found = decode(any_scores(seed, coarse), card, width, height)
    assert len(found) <= MOST_REGIONS
    scores = [region.confidence - 128 for region in found]
    assert scores == sorted(scores, reverse=True)
    assert all(score >= card.threshold for score in scores)
    # A vector of 255 steps, in pixels of the input, from anywhere within it.
    reach = (255 * step * 80 // 1_000_000 + 256) * PIXEL
    across, down = extents(width, height)
    for region in found:
        for corner in (*region.sheet, *region.table):
            most = (256 * PIXEL, 0) if corner.seen else (reach, -reach)
            for place, extent, inner in ((corner.x, width, across), (corner.y, height, down)):
                assert most[1] * extent <= (place + 1) * inner
                assert (place - 1) * inner <= most[0] * extent


@given(SEEDS, st.sampled_from([1, 16, 64]))
def test_forms_may_change_their_places(seed: int, coarse: int) -> None:
    scores = any_scores(seed, coarse, 3)
    card = RegionCard(("a", "b", "c"), 110, 90, 3, 31_373, tuple(range(256)))
    turned = RegionCard(("c", "a", "b"), 110, 90, 3, 31_373, tuple(range(256)))
    order = [2, 0, 1, *range(3, 27)]
    assert decode(scores[..., order], turned, 640, 480) == decode(scores, card, 640, 480)


@given(SEEDS, st.sampled_from([1, 16, 64]))
def test_x_and_y_may_change_their_places(seed: int, coarse: int) -> None:
    """But for equal scores, among which the reading order decides; so only the best region is compared, where it is alone."""
    scores = any_scores(seed, coarse)
    scores[:, :, :2] = np.minimum(scores[:, :, :2], 126)
    scores[11, 7, 0] = 127
    swapped = scores.transpose(1, 0, 2).copy()
    swapped[..., 10::2], swapped[..., 11::2] = swapped[..., 11::2].copy(), swapped[..., 10::2].copy()
    # Peaks of corners are alone as well, where no two scores are equal.
    card = RegionCard(FORMS, 127, 127, 3, 31_373, tuple(range(256)))
    (one,), (other,) = decode(scores, card, 640, 480), decode(swapped, card, 480, 640)
    unseen = [number for number, corner in enumerate((*one.sheet, *one.table)) if not corner.seen]
    for number in unseen:
        x, y = points(one)[number]
        assert points(other)[number] == (y, x)


def test_scores_of_another_shape_or_type_are_refused() -> None:
    with pytest.raises(ValueError, match="expected"):
        decode(empty(3), CARD, 10, 10)
    with pytest.raises(ValueError, match="expected"):
        decode(empty().astype(np.uint8), CARD, 10, 10)


GOOD = {
    "forms": list(FORMS),
    "threshold": 5,
    "corner_threshold": -7,
    "zero_point": -12,
    "step_parts_per_million": 31_373,
    "confidence": [9_999] * 256,
}


def test_a_card_is_read() -> None:
    assert parse_region_card(json.dumps(GOOD).encode()) == RegionCard(FORMS, 5, -7, -12, 31_373, (9_999,) * 256)


@pytest.mark.parametrize(
    "wrong",
    [
        {"forms": []},
        {"forms": ["a", "a"]},
        {"forms": ["a", 3]},
        {"forms": [["a"], ["b"]]},
        {"forms": [str(number) for number in range(65)]},
        {"forms": 3},
        {"threshold": 128},
        {"threshold": 1.5},
        {"threshold": True},
        {"corner_threshold": -129},
        {"zero_point": "0"},
        {"step_parts_per_million": 0},
        {"step_parts_per_million": 1_000_001},
        {"step_parts_per_million": 2.5},
        {"confidence": [0] * 255},
        {"confidence": [10_000] * 256},
        {"confidence": [-1] * 256},
        {"confidence": [0.5] * 256},
    ],
)
def test_a_card_that_is_not_as_agreed_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ModelError) as caught:
        parse_region_card(json.dumps(GOOD | wrong).encode())
    assert caught.value.code == "modelCard"


@given(st.binary(max_size=60) | st.recursive(st.none() | st.integers(), st.lists).map(lambda data: json.dumps(data).encode()))
def test_what_is_no_card_is_refused(data: bytes) -> None:
    with pytest.raises(ModelError) as caught:
        parse_region_card(data)
    assert caught.value.code == "modelCard"


MODEL = heat_maps(256, 2, 5)


@pytest.fixture
def finder(monkeypatch: pytest.MonkeyPatch) -> RegionFinder:
    """A finder that finds something in noise: a network of random weights as the released model."""
    card = json.dumps(GOOD | {"threshold": -128, "corner_threshold": -50}).encode()
    files = {"region": MODEL, "regionCard": card}
    monkeypatch.setattr(regions, "load_released", files.__getitem__)
    entry = released.ReleasedModel("region", "region.tflite", "5" * 64)
    monkeypatch.setattr(regions, "RELEASED", {"region": entry})
    return RegionFinder()


@pytest.mark.parametrize(("width", "height"), [(256, 256), (400, 300), (300, 4_000), (1, 1), (2, 300), (17, 5)])
def test_a_picture_is_reduced_executed_and_decoded(finder: RegionFinder, width: int, height: int) -> None:
    plane = np.random.default_rng(width).integers(0, 256, (height, width), dtype=np.uint8)
    seen, _, _ = reduced(plane)
    quantised = (seen.astype(np.int16) - 128).astype(np.int8)[np.newaxis, ..., np.newaxis]
    scores = FixedInterpreter(parse_model(MODEL)).run(quantised)[0]
    found = finder.find(plane)
    assert found == decode(scores, finder.card, width, height)
    assert found


def test_the_finder_says_what_it_is(finder: RegionFinder) -> None:
    assert (finder.identity.model, finder.identity.sha256) == ("region.tflite", "5" * 64)
    assert finder.identity.arithmetic == ARITHMETIC
    assert finder.card.forms == FORMS


def test_a_picture_of_another_shape_or_type_is_refused(finder: RegionFinder) -> None:
    with pytest.raises(ValueError, match="expected"):
        finder.find(np.zeros((4, 4, 3), np.uint8))


def test_a_model_that_does_not_belong_to_its_card_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    card = json.dumps(GOOD | {"forms": ["one"]}).encode()
    monkeypatch.setattr(regions, "load_released", {"region": MODEL, "regionCard": card}.__getitem__)
    with pytest.raises(ModelError, match=r"\(32, 32, 26\)") as caught:
        RegionFinder()
    assert caught.value.code == "modelCard"
