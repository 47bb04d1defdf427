"""A form is placed where two ways of finding it and its own printed lines agree; else it is said what is wrong."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge.definition.box import Box
from edge.definition.form import Form, load_form, shipped_form, shipped_forms
from edge.tally.place import Placed, place_form, rows_on
from edge.tally.result import Refusal
from edge.tally.scan import colour_scan
from edge.tally.sighting import Sighting, table_corners
from hil.boxes.truth import Place, placed_by
from hil.paper.forms.knobs import Knobs
from hil.paper.forms.sheet import render_sheet
from tests.tally.sightings import NOTHING, cells_off, pictured, region_of, seen

FORMS = {name: load_form(shipped_form(name)) for name in shipped_forms()}
LUMEN, BOLIVIA = FORMS["lumen-harbour"], FORMS["bo-2019-a1"]
SHEET = render_sheet(LUMEN, 3, Knobs(dpi=150, digits="own"))
PLACE = placed_by(SHEET.truth.placement)
TRUE = region_of(LUMEN, PLACE)
OTHER = region_of(BOLIVIA, PLACE, confidence=6000)
INCOMPLETE = "formIncomplete"


def placed(image: NDArray[np.uint8], sighting: Sighting, form: Form = LUMEN) -> Placed | Refusal:
    return place_form(colour_scan(image, form), form, sighting)


@pytest.mark.parametrize(
    ("sighting", "says"),
    [
        (seen(TRUE), "agrees"),
        (seen(region_of(LUMEN, PLACE, off=(60, 0))), "elsewhere"),
        (seen(OTHER), "otherForm"),
        (seen(), "notSeen"),
        (seen(TRUE, region_of(LUMEN, PLACE, off=(0, 900))), "severalSheets"),
        (NOTHING, None),
        (seen(TRUE, forms=("bo-2019-a1",)), None),
    ],
    ids=["agrees", "elsewhere", "other form", "not seen", "several", "no form known", "form unknown"],
)
def test_a_clean_scan_is_placed_whatever_the_model_sees_and_that_is_told(sighting: Sighting, says: str | None) -> None:
    found = placed(SHEET.image, sighting)
    assert isinstance(found, Placed)
    assert (None if found.opinion is None else found.opinion.says) == says
    assert (found.extent, found.missing) == ("sheet", ())
    assert len(found.registered.placement.coefficients) == 6
    assert cells_off(found.registered.form_map, LUMEN, PLACE) < 1.0
    assert list(found.frames) == rows_on(LUMEN, "sheet")


def without(image: NDArray[np.uint8], form: Form, place: Place, names: tuple[str, ...]) -> NDArray[np.uint8]:
    """Rows painted over, with the paper about them."""
    image = image.copy()
    for row in rows_on(form, "sheet"):
        if row.name in names:
            wide = Box(row.box.x - 150, row.box.y - 150, row.box.width + 300, row.box.height + 300)
            cv2.fillConvexPoly(image, np.rint(place(np.array(wide.corners, np.float64))).astype(np.int32), (240, 240, 236))
    return image


GONE = ("council.lantern", "label:9", "papers", "council.spoiled")
"""Rows that have no others so near that they lose a line with them."""


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_up_to_a_tenth_of_the_frames_may_be_missing_and_is_named(count: int) -> None:
    names = GONE[:count]
    found = placed(without(SHEET.image, LUMEN, PLACE, names), seen(TRUE))
    if count * 10 <= len(rows_on(LUMEN, "sheet")):
        assert isinstance(found, Placed)
        assert sorted(found.missing) == sorted(names)
        assert cells_off(found.registered.form_map, LUMEN, PLACE) < 1.5
    else:
        assert isinstance(found, Refusal)
        assert found.code == INCOMPLETE
        assert f"{count} of {len(rows_on(LUMEN, 'sheet'))}" in found.detail
        assert all(name in found.detail for name in names)


@pytest.mark.parametrize("sighting", [NOTHING, seen(OTHER)], ids=["unknown", "other"])
def test_missing_frames_are_named_without_a_model_too(sighting: Sighting) -> None:
    found = placed(without(SHEET.image, LUMEN, PLACE, GONE[:3]), sighting)
    assert isinstance(found, Refusal)
    assert found.code == INCOMPLETE


def test_a_picture_at_an_angle_is_placed_where_the_model_sees_it() -> None:
    picture = pictured(LUMEN, 75.0, 20.0, 30.0)
    region = region_of(LUMEN, picture.place, off=(6.0, -5.0))
    found = placed(picture.image, seen(OTHER, region))
    assert isinstance(found, Placed)
    assert len(found.registered.placement.coefficients) == 8
    assert cells_off(found.registered.form_map, LUMEN, picture.place) < 1.5
    assert found.opinion is not None
    assert found.opinion.agrees
    # Nobody sees it, and nothing is there for a scanner's eye.
    assert isinstance(placed(picture.image, seen()), Refusal)
    assert isinstance(placed(picture.image, NOTHING), Refusal)


def test_missing_frames_of_a_picture_at_an_angle_are_named() -> None:
    picture = pictured(LUMEN, 75.0, 20.0, 30.0)
    region = region_of(LUMEN, picture.place)
    found = placed(without(picture.image, LUMEN, picture.place, GONE[:2]), seen(region))
    assert isinstance(found, Placed)
    assert sorted(found.missing) == sorted(GONE[:2])
    refused = placed(without(picture.image, LUMEN, picture.place, GONE), seen(region))
    assert isinstance(refused, Refusal)
    assert refused.code == INCOMPLETE
    assert all(name in refused.detail for name in GONE)


def test_a_scan_that_is_upside_down_is_compared_as_it_was_given() -> None:
    sheet = render_sheet(LUMEN, 3, Knobs(dpi=150, rotation=3.0, upside_down=True, digits="own"))
    place = placed_by(sheet.truth.placement)
    found = placed(sheet.image, seen(region_of(LUMEN, place)))
    assert isinstance(found, Placed)
    assert found.registered.placement.upside_down
    assert found.opinion is not None
    assert found.opinion.agrees
    there = place(np.array(LUMEN.table.corners, np.float64))
    assert np.abs(np.array(table_corners(found.registered, LUMEN)) / 256 - there).max() < 2.0


def beside(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height = max(first.shape[0], second.shape[0])
    return np.hstack([np.pad(one, ((0, height - one.shape[0]), (0, 0), (0, 0)), constant_values=80) for one in (first, second)])


def test_two_sheets_in_one_picture_are_refused() -> None:
    one, two = pictured(LUMEN, 8.0, seed=1), pictured(LUMEN, -8.0, seed=2)
    right = float(one.image.shape[1])
    regions = region_of(LUMEN, one.place), region_of(LUMEN, lambda points: two.place(points) + (right, 0))
    image = beside(one.image, two.image)
    found = placed(image, seen(*regions))
    assert isinstance(found, Refusal)
    assert found.code == "severalSheets"
    # Of two that are seen, one may be a ghost: then the other is placed, and a person looks at it.
    ghost = placed(one.image, seen(*regions))
    assert isinstance(ghost, Placed)
    assert ghost.opinion is not None
    assert ghost.opinion.says == "severalSheets"


def test_two_regions_that_lead_to_one_sheet_are_one_sheet() -> None:
    picture = pictured(LUMEN, 30, 15, 40)
    twice = seen(region_of(LUMEN, picture.place), region_of(LUMEN, picture.place, off=(9, -6), confidence=6000))
    found = placed(picture.image, twice)
    assert isinstance(found, Placed)
    assert cells_off(found.registered.form_map, LUMEN, picture.place) < 3


def test_a_sheet_that_the_model_sees_elsewhere_is_not_placed_there() -> None:
    picture = pictured(LUMEN, 75.0, 20.0, 30.0)
    found = placed(picture.image, seen(region_of(LUMEN, picture.place, off=(5000, 5000))))
    assert isinstance(found, Refusal)
    assert found.code == "formNotFound"


def test_the_same_is_found_in_every_thread() -> None:
    picture = pictured(LUMEN, 75.0, 20.0, 30.0)
    scan, sighting = colour_scan(picture.image, LUMEN), seen(region_of(LUMEN, picture.place))
    before = scan.print.copy()

    def told(_number: int) -> tuple[object, ...]:
        found = place_form(scan, LUMEN, sighting)
        assert isinstance(found, Placed)
        cells = tuple((cell.left, cell.right, cell.top, cell.bottom, cell.found) for row in found.frames.values() for cell in row)
        return found.registered.placement, found.opinion, found.missing, cells

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(told, range(4)))) == 1
    assert np.array_equal(scan.print, before)
