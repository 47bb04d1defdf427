"""The boxes of a form: named, in order, and where they are in the image as it was given."""

from __future__ import annotations

import numpy as np
import pytest

from edge.definition.form import Form, load_form, shipped_form, shipped_forms
from edge.tally.boxes import find_boxes
from edge.tally.result import Refusal
from edge.tally.scan import colour_scan, grey_scan
from hil.boxes.truth import overlaps, placed_by, true_boxes
from hil.paper.forms.knobs import Knobs
from hil.paper.forms.sheet import render_sheet
from tests.tally.sightings import NOTHING, pictured, region_of, seen

FORMS = {name: load_form(shipped_form(name)) for name in shipped_forms()}
LUMEN = FORMS["lumen-harbour"]


def names_of(form: Form) -> list[str]:
    """Fields from top to bottom with their further rows, then the label frames."""
    fields = [
        name
        for field in form.all_fields
        for name in (field.name, *(f"{field.name}#{row}" for row in range(2, len(field.boxes) + 1)))
    ]
    return [*fields, *(f"label:{number}" for number in range(len(form.registration.frames)))]


def test_a_second_row_of_a_field_has_a_number() -> None:
    assert [name for name in names_of(LUMEN) if "#" in name] == ["closed#2"]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize(("rotation", "upside_down", "dpi"), [(0.0, False, 200), (-4.0, True, 150), (3.0, False, 150)])
def test_every_box_of_a_clean_scan_is_where_it_is(form: Form, rotation: float, dpi: int, *, upside_down: bool) -> None:
    sheet = render_sheet(form, 3, Knobs(dpi, rotation, upside_down=upside_down, digits="own"))
    found = find_boxes(colour_scan(sheet.image, form), form, NOTHING)
    assert not isinstance(found, Refusal)
    assert [box.name for box in found] == names_of(form)
    assert all(box.found for box in found)
    assert {box.kind for box in found if box.name.startswith("label:")} == {"label"}
    assert {box.kind for box in found if not box.name.startswith("label:")} == {"field"}
    covers = overlaps(found, true_boxes(form, placed_by(sheet.truth.placement)))
    assert set(covers) == set(names_of(form))
    assert min(covers.values()) > 0.9
    # The form's own top left comes first, whatever way up it lies: to its right is its top right.
    for box in found:
        (left, top), (right, _), (_, bottom), _ = box.corners
        assert (right < left) == upside_down
        assert (bottom < top) == upside_down


def test_boxes_of_a_picture_at_an_angle_are_where_they_are() -> None:
    picture = pictured(LUMEN, 100.0, 20.0, 40.0)
    found = find_boxes(colour_scan(picture.image, LUMEN), LUMEN, seen(region_of(LUMEN, picture.place)))
    assert not isinstance(found, Refusal)
    assert min(overlaps(found, true_boxes(LUMEN, picture.place)).values()) > 0.9


def test_a_crop_has_the_boxes_of_its_extent() -> None:
    form = FORMS["bo-2019-a1"]
    sheet = render_sheet(form, 3, Knobs(dpi=150, extent="table", digits="own"))
    found = find_boxes(colour_scan(sheet.image, form), form, NOTHING)
    assert not isinstance(found, Refusal)
    names = {box.name for box in found}
    assert {name for name in names if not name.startswith("label:")} == form.names_on("table") & set(form.by_name)
    assert {name for name in names if name.startswith("label:")} < {f"label:{number}" for number in range(100)}
    covers = overlaps(found, true_boxes(form, placed_by(sheet.truth.placement)))
    assert min(covers[name] for name in names) > 0.9


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (2, 2), (300, 200)])
def test_an_image_without_a_form_is_refused(shape: tuple[int, int]) -> None:
    region = region_of(LUMEN, lambda points: points / 17)
    for sighting in (NOTHING, seen(region)):
        found = find_boxes(grey_scan(np.full(shape, 220, np.uint8)), LUMEN, sighting)
        assert isinstance(found, Refusal)
