"""What the region model's corners say to a place that was measured."""

from __future__ import annotations

from dataclasses import replace
from math import hypot

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.definition.form import load_form, shipped_form, shipped_forms
from edge.inference.regions import Region
from edge.tally.affine import SCALE, Affine
from edge.tally.registration import Registered
from edge.tally.result import Placement
from edge.tally.scan import grey_scan
from edge.tally.sighting import opinion_on, rough_points, table_corners
from hil.boxes.truth import Points
from tests.tally.sightings import FINDER, NOTHING, region_of, seen

FORMS = {name: load_form(shipped_form(name)) for name in shipped_forms()}
LUMEN, BOLIVIA = FORMS["lumen-harbour"], FORMS["bo-2019-a1"]
HEIGHT, WIDTH = 1700, 1300
PIXEL = 2540 / 150


def straight(points: Points) -> Points:
    return points / PIXEL + (10, 20)


def registered(*, upside_down: bool = False) -> Registered:
    per_unit = round(256 / PIXEL * SCALE)
    flat = Affine(10 * 256, per_unit, 0, 20 * 256, 0, per_unit)
    coefficients = (flat.x0, flat.xx, flat.xy, flat.y0, flat.yx, flat.yy)
    placement = Placement(coefficients, upside_down=upside_down, dpi=150, matched=60, expected=60)
    return Registered(grey_scan(np.full((HEIGHT, WIDTH), 230, np.uint8)), flat, placement)


TRUE = region_of(LUMEN, straight)
DIAGONAL = hypot(LUMEN.table.width, LUMEN.table.height) / PIXEL
shift = st.floats(-200, 200)


@given(shift, shift)
def test_corners_that_are_near_agree_and_others_do_not(across: float, down: float) -> None:
    opinion = opinion_on(registered(), LUMEN, seen(region_of(LUMEN, straight, off=(across, down), confidence=8123)))
    assert opinion is not None
    off = hypot(across, down) * 10_000 / DIAGONAL
    assert opinion.off == pytest.approx(off, abs=2)
    assert opinion.confidence == 8123
    if abs(off - 350) > 2:
        assert opinion.says == ("agrees" if off < 350 else "elsewhere")
    assert (opinion.detail is None) == opinion.agrees


@pytest.mark.parametrize(("parts", "says"), [(345, "agrees"), (355, "elsewhere")])
def test_a_table_that_is_a_cell_off_is_too_far(parts: int, says: str) -> None:
    off = parts * DIAGONAL / 10_000
    for way in ((off, 0.0), (0.0, -off), (off * 0.6, off * 0.8)):
        opinion = opinion_on(registered(), LUMEN, seen(region_of(LUMEN, straight, off=way)))
        assert opinion is not None
        assert opinion.says == says


def test_a_row_off_is_elsewhere() -> None:
    for form in FORMS.values():
        pitch = (form.groups[0].rows[1].y - form.groups[0].rows[0].y) / PIXEL
        opinion = opinion_on(registered(), form, seen(region_of(form, straight, off=(0, pitch))))
        assert opinion is not None
        assert opinion.says == "elsewhere"


def test_the_other_way_up_is_elsewhere() -> None:
    first, second, third, fourth = TRUE.table
    opinion = opinion_on(registered(), LUMEN, seen(replace(TRUE, table=(third, fourth, first, second))))
    assert opinion is not None
    assert opinion.says == "elsewhere"
    # As a whole the table is where it is; its corners are not.
    assert opinion.off is not None
    assert opinion.off <= 5


def guessed(region: Region, *numbers: int) -> Region:
    """With some of the table's corners not seen, and far off."""
    first, second, third, fourth = (
        replace(corner, x=corner.x + 90_000, seen=False) if number in numbers else corner
        for number, corner in enumerate(region.table)
    )
    return replace(region, table=(first, second, third, fourth))


@pytest.mark.parametrize(
    ("numbers", "says"),
    [((), "agrees"), ((0,), "agrees"), ((1, 2), "agrees"), ((0, 1, 3), "elsewhere"), ((0, 1, 2, 3), "elsewhere")],
)
def test_corners_that_were_seen_count_alone_where_there_are_two(numbers: tuple[int, ...], says: str) -> None:
    opinion = opinion_on(registered(), LUMEN, seen(guessed(TRUE, *numbers)))
    assert opinion is not None
    assert opinion.says == says


def test_every_other_sighting_has_its_word() -> None:
    far, other = region_of(LUMEN, straight, off=(400, 0), confidence=7000), region_of(BOLIVIA, straight, confidence=6000)
    for sighting, says, confidence in (
        (seen(TRUE), "agrees", 9900),
        (seen(other, TRUE), "agrees", 9900),
        (seen(far), "elsewhere", 7000),
        (seen(far, far), "elsewhere", 7000),
        (seen(far, TRUE), "severalSheets", 9900),
        (seen(TRUE, far), "severalSheets", 9900),
        (seen(other), "otherForm", 6000),
        (seen(), "notSeen", 0),
    ):
        opinion = opinion_on(registered(), LUMEN, sighting)
        assert opinion is not None
        assert (opinion.says, opinion.confidence) == (says, confidence)
        assert opinion.agrees == (says == "agrees")
    told = opinion_on(registered(), LUMEN, seen(other))
    assert told is not None
    assert BOLIVIA.name in (told.detail or "")


def test_of_two_places_the_nearer_one_is_told() -> None:
    opinion = opinion_on(
        registered(), LUMEN, seen(region_of(LUMEN, straight, off=(400, 0)), region_of(LUMEN, straight, off=(90, 0)))
    )
    assert opinion is not None
    assert opinion.off == pytest.approx(90 * 10_000 / DIAGONAL, abs=2)


def test_a_model_that_does_not_know_the_form_has_no_opinion() -> None:
    assert opinion_on(registered(), LUMEN, NOTHING) is None
    assert opinion_on(registered(), LUMEN, seen(TRUE, forms=("bo-2019-a1",))) is None
    assert opinion_on(registered(), BOLIVIA, seen(forms=("bo-2019-a1",))) is not None


def test_corners_of_a_turned_scan_are_those_of_the_image_as_it_was_given() -> None:
    upright = table_corners(registered(), LUMEN)
    assert np.array(upright) / 256 == pytest.approx(straight(np.array(LUMEN.table.corners, np.float64)), abs=0.1)
    turned = table_corners(registered(upside_down=True), LUMEN)
    assert turned == tuple((WIDTH * 256 - x, HEIGHT * 256 - y) for x, y in upright)
    opinion = opinion_on(
        registered(upside_down=True), LUMEN, seen(region_of(LUMEN, lambda points: (WIDTH, HEIGHT) - straight(points)))
    )
    assert opinion is not None
    assert opinion.agrees


def test_rough_points_are_the_corners_of_paper_and_table() -> None:
    points = rough_points(guessed(TRUE, 2), LUMEN)
    assert [(point.x, point.y) for point in points] == [(0, 0), (21_590, 0), (21_590, 27_940), (0, 27_940), *LUMEN.table.corners]
    assert [point.seen for point in points] == [number != 6 for number in range(8)]
    assert [(point.image_x, point.image_y) for point in points[:4]] == [(corner.x, corner.y) for corner in TRUE.sheet]
    assert (points[4].image_x, points[4].image_y) == (TRUE.table[0].x, TRUE.table[0].y)


def test_a_sighting_tells_its_regions_of_a_form_in_their_order() -> None:
    other = region_of(BOLIVIA, straight)
    worse = region_of(LUMEN, straight, confidence=5000)
    assert seen(TRUE, other, worse).of(LUMEN) == (TRUE, worse)
    assert seen(TRUE, other, worse).of(BOLIVIA) == (other,)
    assert seen().of(LUMEN) == ()
    assert seen().identity is FINDER
