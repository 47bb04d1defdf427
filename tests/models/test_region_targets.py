"""What the region networks are taught: targets that the product's own decoder reads back, and scenes turned with their truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.inference.regions import RegionCard, decode
from models.region.anchors import KINDS, around, box_targets, boxes_of
from models.region.batches import SceneSet, augmented, batches, cut, overdrawn, turned
from models.region.scenes import FILL
from models.region.targets import CELLS, CORNERS, FORMS, HEATS, HIGH, LEAST_SHARE, LOW, OUTPUTS, SIDE, heat_targets

STEP = 0.03
CARD = RegionCard(FORMS, 60, 0, 0, round(1e6 * STEP), tuple(range(256)))


def upright(left: float, top: float, width: float, height: float) -> NDArray[np.float32]:
    """Corners (8, 2) of a sheet and of a table inside it."""
    unit = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    size = np.array([width, height], np.float32)
    sheet = np.array([left, top], np.float32) + unit * size
    table = np.array([left, top], np.float32) + (np.float32(0.15) + np.float32(0.6) * unit) * size
    return np.concatenate([sheet, table], dtype=np.float32)


def scenes_of(corners: list[NDArray[np.float32]], forms: list[int], extent: tuple[int, int] = (256, 192)) -> SceneSet:
    """One picture of noise in which dark dots mark the corners that lie inside."""
    rng = np.random.default_rng(4)
    picture = np.full((1, SIDE, SIDE), FILL, np.uint8)
    picture[0, : extent[1], : extent[0]] = rng.integers(190, 220, (extent[1], extent[0]))
    for x, y in np.concatenate(corners):
        if 2 <= x < extent[0] - 2 and 2 <= y < extent[1] - 2:
            picture[0, round(y) - 1 : round(y) + 1, round(x) - 1 : round(x) + 1] = 0
    many = len(forms)
    return SceneSet(
        picture,
        np.array([extent]),
        np.array([forms]),
        np.stack(corners)[None],
        np.ones((1, many, CORNERS), np.bool_),
        np.ones((1, many), np.float32),
        np.array(["made"]),
    )


def scores_from(target: NDArray[np.float32]) -> NDArray[np.int8]:
    """The int8 output of a network that says exactly what is asked."""
    values = target.copy()
    values[..., :HEATS] = np.log(target[..., :HEATS] / (1 - target[..., :HEATS]))
    return np.asarray(np.clip(np.rint(values / STEP), -128, 127), np.int8)


PLACES = st.tuples(st.floats(6, 60), st.floats(6, 50), st.floats(90, 180), st.floats(70, 130))


@given(place=PLACES, form=st.integers(0, 1), quarters=st.integers(0, 3))
def test_the_product_reads_back_what_is_asked(place: tuple[float, float, float, float], form: int, quarters: int) -> None:
    scenes = scenes_of([upright(*place)], [form])
    _, corners, extent = turned(scenes.pictures[0], scenes.corners[0], scenes.extents[0], quarters)
    target, weight = heat_targets(scenes.forms, corners[None], scenes.visible, scenes.share)

    found = decode(scores_from(target[0]), CARD, int(extent[0]), int(extent[1]))

    assert target.shape == weight.shape == (1, CELLS, CELLS, OUTPUTS)
    assert [region.form for region in found] == [FORMS[form]]
    # A corner where cells meet is worth as much in each, so that half a cell may be missed.
    for corner, (x, y) in zip((*found[0].sheet, *found[0].table), corners[0], strict=True):
        assert abs(corner.x / 256 - x) <= 4.5
        assert abs(corner.y / 256 - y) <= 4.5


def test_heats_are_soft_and_full_at_the_nearest_cell() -> None:
    corners = upright(20.5, 30.5, 160, 120)
    target, weight = heat_targets(np.array([[1]]), corners[None, None], np.ones((1, 1, 8), bool), np.ones((1, 1)))

    heats = target[0, ..., :HEATS]
    assert heats.min() == pytest.approx(LOW)
    assert heats[..., 0].max() == pytest.approx(LOW)
    assert heats[..., 1:].max(axis=(0, 1)) == pytest.approx(np.full(HEATS - 1, HIGH))
    assert heats[30 // 8, 20 // 8, len(FORMS)] == pytest.approx(HIGH)
    assert weight[0, ..., :HEATS].min() >= 1


def test_a_corner_that_is_covered_is_neither_asked_for_nor_forbidden() -> None:
    corners = upright(20, 30, 160, 120)
    visible = np.ones((1, 1, 8), np.bool_)
    visible[0, 0, 2] = False
    target, weight = heat_targets(np.array([[0]]), corners[None, None], visible, np.ones((1, 1)))

    channel = len(FORMS) + 2
    row, column = int(corners[2, 1] // 8), int(corners[2, 0] // 8)
    assert target[0, ..., channel].max() == pytest.approx(LOW)
    assert weight[0, row, column, channel] == 0
    assert weight[0, 0, 0, channel] == 1
    assert weight[0, ..., HEATS + 4].max() > 0.9


def test_of_a_table_that_is_mostly_outside_nothing_is_asked() -> None:
    corners = upright(20, 30, 160, 120)
    share = np.full((1, 1), LEAST_SHARE - 0.01)
    target, weight = heat_targets(np.array([[0]]), corners[None, None], np.ones((1, 1, 8), bool), share)

    middle = corners[4:].mean(axis=0)
    row, column = int(middle[1] // 8), int(middle[0] // 8)
    assert target[0, ..., : len(FORMS)].max() == pytest.approx(LOW)
    assert weight[0, row, column, 0] == 0
    assert weight[0, row, column, 1] == 1
    assert weight[0, ..., HEATS:].max() == 0


def test_vectors_belong_to_the_nearest_sheet() -> None:
    first, second = upright(0, 0, 120, 100), upright(130, 80, 120, 100)
    target, weight = heat_targets(np.array([[0, 1]]), np.stack([first, second])[None], np.ones((1, 2, 8), bool), np.ones((1, 2)))

    for corners in (first, second):
        middle = corners[4:].mean(axis=0)
        row, column = int(middle[1] // 8), int(middle[0] // 8)
        vectors = target[0, row, column, HEATS:].reshape(8, 2) * 80 + np.array([column, row]) * 8 + 4
        assert np.abs(vectors - corners).max() < 0.01
        assert weight[0, row, column, HEATS:].min() > 0.9
    assert weight[0, 15, 31, HEATS:].max() == 0


def test_a_picture_without_forms_asks_for_nothing_everywhere() -> None:
    target, weight = heat_targets(np.full((1, 2), -1), np.zeros((1, 2, 8, 2)), np.ones((1, 2, 8), bool), np.ones((1, 2)))

    assert target[..., :HEATS].max() == pytest.approx(LOW)
    assert (weight[..., :HEATS] == 1).all()
    assert weight[..., HEATS:].max() == 0


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_marks_turn_with_their_corners(quarters: int) -> None:
    scenes = scenes_of([upright(20, 24, 160, 120)], [0])
    picture, corners, extent = turned(scenes.pictures[0], scenes.corners[0], scenes.extents[0], quarters)

    assert tuple(extent) == ((256, 192) if quarters % 2 == 0 else (192, 256))
    for x, y in corners[0]:
        assert picture[round(y) - 1 : round(y) + 1, round(x) - 1 : round(x) + 1].max() == 0
    outside = np.ones((SIDE, SIDE), np.bool_)
    outside[: extent[1], : extent[0]] = False
    assert (picture[outside] == FILL).all()
    assert (picture == 0).sum() == (scenes.pictures == 0).sum()


@pytest.mark.parametrize("seed", range(5))
def test_marks_stay_at_their_corners_when_a_picture_is_cut(seed: int) -> None:
    scenes = scenes_of([upright(60, 50, 120, 100)], [0])
    picture, corners, extent = cut(scenes.pictures[0], scenes.corners[0], scenes.extents[0], np.random.default_rng(seed))

    assert np.abs(corners - scenes.corners[0]).max() > 1
    for x, y in corners[0]:
        near = 255.0 - picture[round(y) - 4 : round(y) + 4, round(x) - 4 : round(x) + 4]
        dark = np.maximum(near - 90, 0)
        offsets = np.arange(8) + 0.5
        assert abs((dark.sum(axis=0) * offsets).sum() / dark.sum() + round(x) - 4 - x) < 0.7
        assert abs((dark.sum(axis=1) * offsets).sum() / dark.sum() + round(y) - 4 - y) < 0.7
    assert (picture[extent[1] :] == FILL).all()


def test_augmenting_is_repeatable_changes_every_picture_and_leaves_the_original() -> None:
    scenes = scenes_of([upright(20, 24, 160, 120)], [0])
    before = scenes.pictures.copy()
    several = scenes.part(np.zeros(6, np.int64))

    first, second = (augmented(several, np.random.default_rng(3)) for _ in range(2))

    assert (first.pictures == second.pictures).all()
    assert (first.corners == second.corners).all()
    assert (scenes.pictures == before).all()
    assert len(np.unique(first.pictures.reshape(6, -1), axis=0)) == 6
    for picture, (width, height) in zip(first.pictures, first.extents, strict=True):
        assert (picture[height:] == FILL).all()
        assert (picture[:, width:] == FILL).all()


def test_what_is_drawn_upon_a_picture_stays_inside_it_and_on_the_picture() -> None:
    scenes = scenes_of([upright(20, 24, 160, 120)], [0])
    for seed in range(6):
        picture = scenes.pictures[0].copy()
        overdrawn(picture, scenes.extents[0], np.random.default_rng(seed))
        assert (picture[192:] == FILL).all()
        assert 50 < (picture != scenes.pictures[0]).sum() < 192 * 256 // 2


def test_batches_show_every_scene_before_any_comes_again() -> None:
    scenes = scenes_of([upright(20, 24, 160, 120)], [0]).part(np.zeros(6, np.int64))
    scenes.share[:, 0] = np.arange(6) / 10
    made = batches(scenes, 2, np.random.default_rng(1))

    seen = np.concatenate([next(made).share[:, 0] for _ in range(3)])

    assert sorted(seen.tolist()) == pytest.approx((np.arange(6) / 10).tolist())


@given(place=PLACES, form=st.integers(0, 1))
def test_boxes_come_back_from_their_anchors(place: tuple[float, float, float, float], form: int) -> None:
    corners = upright(*place)[None, None]
    extents = np.array([[SIDE, SIDE]])
    target, weight = box_targets(np.array([[form]]), corners, np.ones((1, 1)), extents)

    wanted = around(corners, extents)[0]
    boxes = boxes_of(target[0, :, -4:])
    for kind in range(KINDS):
        mine = np.flatnonzero((weight[0, :, 1] > 0) & (np.arange(len(boxes)) % KINDS == kind))
        assert len(mine)
        assert np.abs(boxes[mine] - wanted[kind]).max() < 0.05
        assert (target[0, mine, form] == 1).all()
        assert (target[0, mine, 1 - form] == 0).all()
    assert (target[0, weight[0, :, 1] == 0, :-4] == 0).all()
    assert (weight[0, :, 0] >= weight[0, :, 1]).all()


def test_anchors_of_a_table_that_is_mostly_outside_are_left_alone() -> None:
    corners = upright(20, 30, 160, 120)[None, None]
    share = np.full((1, 1), LEAST_SHARE / 2)
    target, weight = box_targets(np.array([[0]]), corners, share, np.array([[SIDE, SIDE]]))

    assert target[..., :-4].max() == 0
    assert weight[..., 1].max() == 0
    assert (weight[..., 0] == 0).any()
