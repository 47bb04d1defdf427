"""Shards as they are read, and what was found against what is shown, in cases that are clear."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.inference.regions import Corner, Region
from models.region.anchors import KINDS, VALUES, box_targets
from models.region.batches import SceneSet, read_scenes, scene_set
from models.region.matching import LABELS, detector_boxes, matches, region_boxes, true_boxes
from models.region.precision import mean_precision
from models.region.scenes import FILL, SIDE, Scenes
from models.region.scenes import KINDS as SCENE_KINDS
from models.region.targets import FORMS

SHEET = np.array([(40, 30), (220, 30), (220, 170), (40, 170)], np.float32)
TABLE = np.array([(60, 60), (150, 60), (150, 140), (60, 140)], np.float32)
CORNERS = np.concatenate([SHEET, TABLE])
SMALL = np.asarray(CORNERS * 0.4 + 150, np.float32)
HIGHER = np.asarray(CORNERS - 35, np.float32)
AMISS = np.asarray(CORNERS + (3, 4), np.float32)


def shard(owners: list[int], forms: list[int], corners: list[NDArray[np.float32]], shares: list[float], count: int) -> Scenes:
    """Pictures of one grey each, with those sheets."""
    pictures = np.full((count, SIDE, SIDE), FILL, np.uint8)
    return Scenes(
        pictures,
        np.full((count, 2), SIDE, np.int16),
        np.zeros(count, np.uint8),
        np.array(owners, np.int32),
        np.array(forms, np.uint8),
        np.array(corners, np.float32).reshape(-1, 8, 2),
        np.ones((len(owners), 8), np.bool_),
        np.array(shares, np.float32),
    )


def region(form: int, corners: NDArray[np.float32], confidence: int = 200) -> Region:
    """What the product would say of those corners."""
    first, second, third, fourth, *table = (Corner(round(256 * float(x)), round(256 * float(y)), seen=True) for x, y in corners)
    return Region(FORMS[form], confidence, (first, second, third, fourth), (table[0], table[1], table[2], table[3]))


@pytest.fixture
def scenes() -> SceneSet:
    """One form, two forms, none."""
    return scene_set(shard([0, 1, 1], [0, 0, 1], [CORNERS, HIGHER, SMALL], [1, 1, 1], 3))


def test_shards_are_read_in_order_with_places_for_the_most_sheets(tmp_path: Path) -> None:
    shard([0, 2], [0, 1], [CORNERS, SMALL], [1, 0.5], 3).save(tmp_path / "scenes-0000.npz")
    shard([1, 1, 1], [1, 0, 1], [SMALL, CORNERS, SMALL], [1, 0, 0.25], 2).save(tmp_path / "scenes-0001.npz")

    scenes = read_scenes(tmp_path)

    assert scenes.forms.tolist() == [[0, -1], [-1, -1], [1, -1], [-1, -1], [1, 1]]
    assert scenes.share[4].tolist() == [1, 0.25]
    assert (scenes.corners[2, 0] == SMALL).all()
    assert scenes.kinds.tolist() == [SCENE_KINDS[0]] * 5
    assert read_scenes(tmp_path, most=2).forms.tolist() == [[0], [-1]]
    assert len(read_scenes(tmp_path, most=4).pictures) == 4


def test_a_folder_without_shards_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"scenes-\*\.npz"):
        read_scenes(tmp_path)


def test_all_found_where_they_are(scenes: SceneSet) -> None:
    found = [(region(0, CORNERS),), (region(0, HIGHER), region(1, SMALL)), ()]

    report = matches(found, scenes).report()

    assert report["sheets"] == report["regions"] == 3
    assert report["recall"] == report["form_right"] == 1
    assert report["false_alarms"] == report["wrong_form"] == 0
    assert report["corner_error_95"] < 1e-4
    assert mean_precision(region_boxes(found, scenes), true_boxes(scenes), LABELS) == {"ap50": 1, "ap": 1}


def test_missed_misnamed_doubled_and_imagined_ones_are_told_apart(scenes: SceneSet) -> None:
    found = [(region(1, CORNERS),), (region(0, HIGHER), region(0, HIGHER, 100)), (region(0, SMALL),)]

    report = matches(found, scenes).report()

    assert report["recall"] == pytest.approx(1 / 3, abs=1e-4)
    assert report["wrong_form"] == 1
    assert report["false_alarms"] == 2
    assert report["form_right"] == 0.5


def test_corner_errors_are_parts_of_the_sheets_diagonal(scenes: SceneSet) -> None:
    found = [(region(0, AMISS),), (), ()]

    report = matches(found, scenes).report()

    assert report["corner_error_median"] == pytest.approx(5 / np.hypot(180, 140), abs=1e-4)
    assert report["hidden_corner_error_median"] is None


def test_a_table_that_is_mostly_outside_is_neither_missed_nor_false() -> None:
    scenes = scene_set(shard([0], [0], [CORNERS], [0.2], 1))

    every: list[tuple[Region, ...]] = [(), (region(0, CORNERS),)]
    for found in every:
        report = matches([found], scenes).report()
        assert report["sheets"] == report["regions"] == report["false_alarms"] == 0


def test_the_rivals_boxes_come_from_its_anchors(scenes: SceneSet) -> None:
    target, _ = box_targets(scenes.forms, scenes.corners, scenes.share, scenes.extents)
    said = target.copy()
    said[..., : VALUES - 4] = np.where(target[..., : VALUES - 4] > 0, 4, -8)

    found = detector_boxes(said, scenes)

    assert sorted(found.label.tolist()) == sorted([0, 2] * 2 + [1, 3])
    assert len(found.label) == KINDS * 3
    assert mean_precision(found, true_boxes(scenes), LABELS) == {"ap50": 1, "ap": 1}
