"""Finding a form near its rough corners: any way up, tilted, and never where it is not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edge.definition.form import Form, load_form, shipped_form, shipped_forms
from edge.tally.near import LEAST_DPI, RoughPoint, register_near
from edge.tally.registration import Registered
from edge.tally.result import Refusal
from edge.tally.scan import colour_scan, grey_scan
from hil.boxes.truth import Points
from hil.paper.forms.knobs import Knobs
from tests.tally.sightings import Pictured, cells_off, pictured, rough

FORMS = {name: load_form(shipped_form(name)) for name in shipped_forms()}
LUMEN = FORMS["lumen-harbour"]
PICTURE = pictured(LUMEN, 20.0, 15.0, 60.0, knobs=Knobs(dpi=150, digits="own"))
SCAN = colour_scan(PICTURE.image, LUMEN)
SIDE = max(PICTURE.image.shape)
RIGHT = rough(LUMEN, PICTURE.place)
_CLOSE = 2.5
"""Pixels."""


def moved(points: tuple[RoughPoint, ...], across: int, down: int) -> tuple[RoughPoint, ...]:
    """By 1/256 pixels."""
    return tuple(replace(point, image_x=point.image_x + across, image_y=point.image_y + down) for point in points)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize(
    ("degrees", "tilt", "towards"),
    [(0.0, 0.0, 0.0), (33.0, 15.0, 40.0), (90.0, 25.0, 200.0), (180.0, 30.0, 290.0), (271.0, 8.0, 10.0)],
)
def test_cells_are_found_from_true_corners_and_from_rough_ones(form: Form, degrees: float, tilt: float, towards: float) -> None:
    picture = pictured(form, degrees, tilt, towards, seed=int(degrees))
    scan = colour_scan(picture.image, form)
    side = max(picture.image.shape)
    for off in (0.0, 0.01):
        found = register_near(scan, form, rough(form, picture.place, off * side, seed=int(tilt)))
        assert isinstance(found, Registered)
        # Sub-pixel: the windows are measured, and the corners only tell where.
        assert cells_off(found.form_map, form, picture.place) < 1.2
        assert not found.placement.upside_down
        assert len(found.placement.coefficients) == 8
        assert found.placement.matched * 10 >= found.placement.expected * 9
        assert found.scan is scan


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1))
def test_whatever_corners_are_off_by_a_hundredth_of_the_picture_the_cells_are_found(seed: int) -> None:
    found = register_near(SCAN, LUMEN, rough(LUMEN, PICTURE.place, 0.01 * SIDE, seed))
    assert isinstance(found, Registered)
    assert cells_off(found.form_map, LUMEN, PICTURE.place) < _CLOSE


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_paper_that_is_not_flat_is_followed(form: Form) -> None:
    """Every row is moved to the side by up to 14 pixels, 2.4 mm: once to the right and once to the left from top to bottom."""
    picture = pictured(form, 12.0, 15.0, 60.0)
    height, width = picture.image.shape[:2]
    y, x = np.indices((height, width), np.float32)
    wave = 2 * np.pi / height

    def bent(points: Points) -> Points:
        there = picture.place(points)
        there[:, 0] += 14 * np.sin(wave * there[:, 1])
        return there

    image = cv2.remap(picture.image, (x - 14 * np.sin(wave * (y + 0.5))).astype(np.float32), y, cv2.INTER_LINEAR)
    found = register_near(colour_scan(np.asarray(image, np.uint8), form), form, rough(form, picture.place))
    assert isinstance(found, Registered)
    assert found.placement.matched * 10 >= found.placement.expected * 9
    assert cells_off(found.form_map, form, bent) < 3.0


def test_guessed_corners_count_less_than_seen_ones() -> None:
    wrong = rough(LUMEN, PICTURE.place, 0.08 * SIDE, 4)
    mixed = tuple(replace(wrong[place], seen=False) if place < 4 else RIGHT[place] for place in range(8))
    found = register_near(SCAN, LUMEN, mixed)
    assert isinstance(found, Registered)
    assert cells_off(found.form_map, LUMEN, PICTURE.place) < _CLOSE


@pytest.mark.parametrize(
    "points",
    [
        moved(RIGHT, 1 << 24, 1 << 24),
        # The sheet's mirror image.
        tuple(replace(point, image_x=SIDE * 256 - point.image_x) for point in RIGHT),
        # The other way up.
        tuple(replace(point, x=LUMEN.size[0] - point.x, y=LUMEN.size[1] - point.y) for point in RIGHT),
        tuple(replace(point, image_x=70_000, image_y=70_000) for point in RIGHT),
        tuple(replace(point, image_y=point.image_x) for point in RIGHT),
        tuple(replace(point, x=500, y=900) for point in RIGHT),
        RIGHT[:3],
        RIGHT[:1],
    ],
    ids=["far outside", "mirrored", "upside down", "one place", "a line", "one corner", "three", "one"],
)
def test_corners_of_another_place_are_refused(points: tuple[RoughPoint, ...]) -> None:
    found = register_near(SCAN, LUMEN, points)
    assert isinstance(found, Refusal)
    assert found.code in {"formNotFound", "formAmbiguous"}
    assert LUMEN.name in found.detail


@pytest.mark.parametrize(("across", "down"), [(400, 0), (0, -300), (-90, 70), (700, 700)])
def test_corners_beside_the_form_lead_to_it_or_nowhere(across: int, down: int) -> None:
    found = register_near(SCAN, LUMEN, moved(RIGHT, across * 256, down * 256))
    assert isinstance(found, Refusal) or cells_off(found.form_map, LUMEN, PICTURE.place) < _CLOSE


def test_a_form_that_lies_the_other_way_up_is_ambiguous() -> None:
    found = register_near(
        SCAN, LUMEN, tuple(replace(point, x=LUMEN.size[0] - point.x, y=LUMEN.size[1] - point.y) for point in RIGHT)
    )
    assert isinstance(found, Refusal)
    assert found.code == "formAmbiguous"
    assert "other way up" in found.detail


@pytest.mark.parametrize("rows", [-2, -1, 1, 2])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_corners_that_are_rows_off_lead_to_the_right_place_or_none(form: Form, rows: int) -> None:
    picture = pictured(form, 4.0, 10.0, 100.0)
    pitch = form.groups[0].rows[1].y - form.groups[0].rows[0].y
    points = np.array([(0, 0), (0, pitch * rows)], np.float64)
    across, down = (int(part * 256) for part in np.diff(picture.place(points), axis=0)[0])
    found = register_near(colour_scan(picture.image, form), form, moved(rough(form, picture.place), across, down))
    assert isinstance(found, Refusal) or cells_off(found.form_map, form, picture.place) < _CLOSE


anywhere = st.integers(-(1 << 34), 1 << 34) | st.integers(-400_000, 800_000)
guess = st.builds(RoughPoint, st.integers(0, LUMEN.size[0]), st.integers(0, LUMEN.size[1]), anywhere, anywhere, st.booleans())
SMALL = pictured(LUMEN, 0.0, knobs=Knobs(dpi=150, digits="own"))
SMALL_SCAN = colour_scan(SMALL.image[:900, :900], LUMEN)


@settings(max_examples=40)
@given(st.lists(guess, min_size=1, max_size=8))
def test_any_points_are_refused_or_right_and_never_an_error(points: list[RoughPoint]) -> None:
    found = register_near(SMALL_SCAN, LUMEN, points)
    assert isinstance(found, Refusal) or cells_off(found.form_map, LUMEN, SMALL.place) < _CLOSE


def stretched(picture: Pictured, parts: float) -> tuple[RoughPoint, ...]:
    """True corners moved outwards from the middle of the picture."""
    height, width = (side * 128 for side in picture.image.shape[:2])
    return tuple(
        replace(
            point,
            image_x=width + round((point.image_x - width) * parts),
            image_y=height + round((point.image_y - height) * parts),
        )
        for point in rough(LUMEN, picture.place)
    )


@settings(max_examples=20)
@example(0.5)
@example(3.0)
@example(4096.0)
@given(st.floats(0.01, 1e5))
def test_a_wrong_size_is_refused_or_mended(parts: float) -> None:
    found = register_near(SMALL_SCAN, LUMEN, stretched(SMALL, parts))
    assert isinstance(found, Refusal) or cells_off(found.form_map, LUMEN, SMALL.place) < _CLOSE + 1


def test_a_form_that_is_too_small_is_refused_with_its_resolution() -> None:
    found = register_near(SMALL_SCAN, LUMEN, stretched(SMALL, 0.6))
    assert isinstance(found, Refusal)
    assert "90 pixels per inch" in found.detail
    assert str(LEAST_DPI) in found.detail


@pytest.mark.parametrize("level", [0, 128, 240])
def test_nothing_is_found_on_even_paper(level: int) -> None:
    found = register_near(grey_scan(np.full(PICTURE.image.shape[:2], level, np.uint8)), LUMEN, RIGHT)
    assert isinstance(found, Refusal)
    assert found.code == "formNotFound"


def test_every_thread_finds_the_same_and_leaves_the_picture_alone() -> None:
    before = SCAN.print.copy()
    points = rough(LUMEN, PICTURE.place, 0.01 * SIDE, 9)

    def place(_number: int) -> tuple[object, ...]:
        found = register_near(SCAN, LUMEN, points)
        assert isinstance(found, Registered)
        return found.placement, *(found.form_map.at(box) for field in LUMEN.all_fields for box in field.boxes)

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(place, range(8)))) == 1
    assert np.array_equal(before, SCAN.print)
