"""Pictures of sheets: the same from the same seed, every point where the truth says, every knob does something."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge.definition.form import load_form, shipped_form
from hil.paper.photos.decoys import KINDS as DECOYS
from hil.paper.photos.decoys import paint_decoy
from hil.paper.photos.knobs import BACKGROUNDS, KINDS, PhotoKnobs, random_knobs
from hil.paper.photos.overprint import overprint
from hil.paper.photos.paper import Photo, Sheet
from hil.paper.photos.photo import take_photo

FORM = load_form(shipped_form("bo-2019-a1"))
EXACT = 0.7
"""Pixels by which a mark may lie beside the truth."""
_TURN = np.linspace(0, 2 * np.pi, 64, endpoint=False)
ROUND = np.column_stack((np.cos(_TURN), np.sin(_TURN)))


def marked(
    scale: float, radius: float, extent: tuple[int, int, int, int] = (0, 0, *FORM.size)
) -> tuple[Sheet, NDArray[np.float64]]:
    """White paper with black discs, and the form points of their middles; `extent` is the piece (left, top, right, bottom)."""
    left, top, right, bottom = extent
    image = np.full((round((bottom - top) * scale), round((right - left) * scale), 3), 245, dtype=np.uint8)
    # OpenCV's pixel 0 has its middle at 0, ours at a half.
    places = [
        (x, y)
        for y in np.linspace(top + 3000, bottom - 3000, 4).tolist()
        for x in np.linspace(left + 3000, right - 3000, 6).tolist()
    ]
    for x, y in places:
        middle = round(((x - left) * scale - 0.5) * 256), round(((y - top) * scale - 0.5) * 256)
        cv2.circle(image, middle, round(radius * scale * 256), (0, 0, 0), -1, cv2.LINE_AA, 8)
    return Sheet(FORM.name, image, (left, top), scale), np.array(places)


def centroid(outline: NDArray[np.float64]) -> tuple[float, float]:
    """Middle of a polygon's area: bent paper does not show a disc's middle in the middle of what it shows of the disc."""
    after = np.roll(outline, -1, axis=0)
    cross = outline[:, 0] * after[:, 1] - after[:, 0] * outline[:, 1]
    middle = ((outline + after) * cross[:, None]).sum(axis=0) / (3 * cross.sum())
    return float(middle[0]), float(middle[1])


def misses(photo: Photo, places: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    """How far, in pixels, the discs lie from where `place` says; those that the picture does not show are left out."""
    grey = photo.image.min(axis=2).astype(np.float64)
    shown = photo.shown[0]
    pixels = radius * float(np.hypot(*(shown.corners[1] - shown.corners[0]))) / FORM.size[0]
    reach = int(1.6 * pixels) + 2
    found = []
    for place in places:
        x, y = centroid(shown.place(place + radius * ROUND))
        column, row = int(x), int(y)
        if not (reach <= column < grey.shape[1] - reach and reach <= row < grey.shape[0] - reach):
            continue
        window = grey[row - reach : row + reach + 1, column - reach : column + reach + 1]
        # Darker than the darkest shade of paper.
        dark = np.clip(55 - window, 0, None)
        steps = np.arange(2 * reach + 1) - reach + 0.5
        across, down = (dark.sum(axis=0) * steps).sum(), (dark.sum(axis=1) * steps).sum()
        found.append(float(np.hypot(across / dark.sum() + column - x, down / dark.sum() + row - y)))
    return np.array(found)


@pytest.fixture(scope="module")
def sheet() -> Sheet:
    return marked(0.02, 300)[0]


@pytest.mark.parametrize(
    ("size", "radius", "knobs"),
    [
        ((640, 480), 300, PhotoKnobs()),
        ((640, 480), 300, PhotoKnobs(kind="scan", rotation=176.0, share=0.95)),
        ((640, 480), 300, PhotoKnobs(tilt=35.0, rotation=70.0)),
        ((640, 480), 300, PhotoKnobs(tilt=35.0, bend=1.0, rotation=None, shift=None, share=0.8)),
        ((480, 640), 300, PhotoKnobs(kind="clutter", bend=0.6, rotation=200.0)),
        ((256, 192), 500, PhotoKnobs(tilt=20.0, bend=1.0, rotation=30.0)),
        ((2000, 1500), 200, PhotoKnobs(tilt=30.0, bend=1.0, rotation=-20.0)),
        ((640, 480), 300, PhotoKnobs(kind="crop", share=0.6, rotation=3.0)),
    ],
)
@pytest.mark.parametrize("seed", [1, 2, 15])
def test_marks_lie_where_the_truth_says(size: tuple[int, int], radius: int, knobs: PhotoKnobs, seed: int) -> None:
    paper, places = marked(0.026 if size[0] < 1000 else 0.06, radius)
    photo = take_photo([paper], seed, replace(knobs, size=size, background="plain"))
    away = misses(photo, places, radius)
    assert len(away) >= 12
    assert away.max() < EXACT


def test_a_piece_of_paper_has_the_places_of_the_whole_form() -> None:
    extent = (8000, 5000, 30000, 24000)
    paper, places = marked(0.03, 250, extent)
    photo = take_photo([paper], 3, PhotoKnobs(size=(900, 700), tilt=15.0, bend=0.5))
    shown = photo.shown[0]
    assert misses(photo, places, 250).max() < EXACT
    assert not shown.visible[:4].any()
    assert shown.share == pytest.approx(0.93, abs=0.1)


def test_corners_are_the_forms_own() -> None:
    paper, _ = marked(0.02, 300)
    for turn in (0.0, 90.0, 180.0):
        shown = take_photo([paper], 1, PhotoKnobs(rotation=turn, tilt=10.0)).shown[0]
        table = FORM.table
        expected = [(table.x, table.y), (table.x + table.width, table.y), (table.x + table.width, table.y + table.height)]
        assert np.allclose(shown.corners[4:7], shown.place(np.array(expected, dtype=np.float64)))
        assert shown.corners.shape == (8, 2)
        assert shown.visible.all()
        assert shown.share == 1.0
        first, second = shown.corners[0], shown.corners[1]
        across = np.degrees(np.arctan2(second[1] - first[1], second[0] - first[0]))
        assert abs((across - turn + 180) % 360 - 180) < 15


def test_what_is_covered_or_outside_is_not_visible() -> None:
    paper, _ = marked(0.02, 300)
    cut = take_photo([paper], 4, PhotoKnobs(share=2.0, shift=(0.5, 0.5), kind="scan")).shown[0]
    assert cut.visible[0]
    assert not cut.visible[1:4].any()
    lying_on_it = replace(paper, form="")
    hidden = 0
    for seed in range(12):
        shown = take_photo([paper, lying_on_it], seed, PhotoKnobs(share=0.5)).shown
        assert len(shown) == 1
        hidden += int((~shown[0].visible).sum())
        assert shown[0].share <= 1.0
    assert hidden > 0


def test_a_seed_gives_one_picture(sheet: Sheet) -> None:
    rng = np.random.default_rng(8)
    for kind in KINDS:
        knobs = replace(random_knobs(rng, (320, 240), kind, 1.0), neighbours=2)
        first, second = (take_photo([sheet, sheet], 11, knobs) for _ in range(2))
        assert np.array_equal(first.image, second.image)
        assert first.image.shape == (240, 320, 3)
        assert first.image.dtype == np.uint8
        for one, other in zip(first.shown, second.shown, strict=True):
            assert np.array_equal(one.corners, other.corners)
            assert np.array_equal(one.visible, other.visible)
            assert one.share == other.share
        assert not np.array_equal(first.image, take_photo([sheet, sheet], 12, knobs).image)


@pytest.mark.parametrize(
    "change",
    [
        {"share": 0.5}, {"shift": (0.05, 0.0)}, {"focus": "table"}, {"tilt": 20.0}, {"rotation": 10.0}, {"bend": 0.5},
        {"blur": 3.0}, {"motion": 8.0}, {"glare": 0.8}, {"shadow": 0.8}, {"uneven": 0.5}, {"cast": 0.8}, {"exposure": -0.5},
        {"noise": 8.0}, {"jpeg": 40}, {"background": "black bed"}, {"occluders": 2}, {"neighbours": 2}, {"kind": "scan"},
        {"kind": "crop"},
    ],
    ids=lambda change: "-".join(f"{name}" for name in change),
)  # fmt: skip
def test_every_knob_changes_the_picture(sheet: Sheet, change: dict[str, object]) -> None:
    plain = PhotoKnobs(size=(320, 240), background="wood")
    before = take_photo([sheet], 5, plain).image
    after = take_photo([sheet], 5, replace(plain, **change)).image  # type: ignore[arg-type]
    assert np.abs(before.astype(int) - after).mean() > 0.2


def test_knobs_of_light_leave_the_places_alone(sheet: Sheet) -> None:
    plain = PhotoKnobs(size=(320, 240), tilt=20.0, bend=0.7, rotation=None, shift=None)
    dark = replace(plain, glare=1.0, shadow=1.0, noise=20.0, exposure=-0.5, background="tiles", jpeg=50, blur=2.0)
    assert np.array_equal(take_photo([sheet], 9, plain).shown[0].corners, take_photo([sheet], 9, dark).shown[0].corners)


@pytest.mark.parametrize("name", BACKGROUNDS)
def test_every_background_fills_the_picture(name: str) -> None:
    knobs = [PhotoKnobs(size=size, background=name) for size in ((16, 300), (300, 200))]  # type: ignore[arg-type]
    for asked in knobs:
        image = take_photo([], 3, asked).image
        assert image.shape == (asked.size[1], asked.size[0], 3)
        assert not np.array_equal(image, take_photo([], 4, asked).image)


@pytest.mark.parametrize("kind", DECOYS)
def test_other_papers_are_no_forms(kind: str) -> None:
    paper = paint_decoy(kind, np.random.default_rng(1))  # type: ignore[arg-type]
    assert paper.form == ""
    assert min(paper.image.shape[:2]) > 100
    assert take_photo([paper], 1, PhotoKnobs()).shown == ()


def test_more_print_leaves_the_tables_boxes_alone() -> None:
    paper = Sheet(FORM.name, np.full((700, 1080, 3), 250, dtype=np.uint8), (0.0, 0.0), 1080 / FORM.size[0])
    table = FORM.table
    changed = 0
    for seed in range(10):
        printed = overprint(paper, FORM, np.random.default_rng(seed))
        changed += int((printed.image < 200).sum())
        for group in FORM.groups:
            for row in group.rows:
                x, y = (round(part * paper.scale) for part in (group.x, row.y))
                width, height = round(group.width * paper.scale), round(group.height * paper.scale)
                assert printed.image[y + 1 : y + height, x + 1 : x + width].min() > 190
    assert changed > 1000
    assert table.width > 0
    assert (paper.image == 250).all()


@pytest.mark.parametrize(
    "wrong", [{"share": 0.0}, {"tilt": 41.0}, {"bend": -0.1}, {"size": (8, 300)}, {"kind": "film"}, {"background": "sea"}]
)
def test_knobs_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"goes from|no picture|pixels a side"):
        PhotoKnobs(**wrong)  # type: ignore[arg-type]


def test_random_pictures_come_without_warnings(sheet: Sheet) -> None:
    rng = np.random.default_rng(21)
    for number in range(60):
        kind = KINDS[number % len(KINDS)]
        size = (int(rng.integers(16, 300)), int(rng.integers(16, 300)))
        knobs = replace(random_knobs(rng, size, kind, 1.0), neighbours=number % 3)
        for shown in take_photo([sheet], number, knobs).shown:
            assert np.isfinite(shown.corners).all()
            assert 0.0 <= shown.share <= 1.0
