"""Finding a form: at every scale and slant that is promised, either way up, and never where it is not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.definition.form import Form, load_form, shipped_form, shipped_forms
from edge.tally.affine import FormMap
from edge.tally.registration import Registered, register
from edge.tally.result import Refusal
from edge.tally.scan import colour_scan, grey_scan
from hil.paper.forms.knobs import Knobs
from hil.paper.forms.sheet import render_sheet

FORMS = {name: load_form(shipped_form(name)) for name in shipped_forms()}


def far_off(form_map: FormMap, truth: tuple[float, ...], form: Form, *, size: tuple[int, int] | None) -> float:
    """Greatest distance in pixels between where cells are and where they were found; `size` of an image that is upside down."""
    worst = 0.0
    for field in form.all_fields:
        for box in field.cell_boxes():
            x, y = box.x + box.width // 2, box.y + box.height // 2
            across, down = (value / 256 for value in form_map.at(box).point(x, y))
            if size is not None:
                across, down = size[0] - across, size[1] - down
            there = truth[0] + truth[1] * x + truth[2] * y, truth[3] + truth[4] * x + truth[5] * y
            worst = max(worst, abs(there[0] - across), abs(there[1] - down))
    return worst


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize(
    ("dpi", "rotation", "upside_down", "colour"),
    [(150, 5.0, False, "colour"), (200, -5.0, True, "grey"), (300, 2.5, True, "colour"), (240, 0.0, False, "grey")],
)
def test_cells_are_found_to_a_pixel(form: Form, dpi: int, rotation: float, colour: str, *, upside_down: bool) -> None:
    assert colour in {"colour", "grey"}
    knobs = Knobs(dpi, rotation, upside_down=upside_down, colour="grey" if colour == "grey" else "colour", digits="own")
    sheet = render_sheet(form, 5, knobs)
    found = register(colour_scan(sheet.image, form), form)
    assert isinstance(found, Registered)
    assert found.placement.upside_down == upside_down
    assert abs(found.placement.dpi - dpi) <= 2
    height, width = sheet.image.shape[:2]
    assert far_off(found.form_map, sheet.truth.placement, form, size=(width, height) if upside_down else None) < 1.0
    assert found.placement.matched * 10 >= found.placement.expected * 9


@pytest.mark.parametrize(
    ("damage", "strength"),
    [("uneven_light", 30), ("stain", 30), ("torn_corner", 30), ("long_strokes", 30), ("crease", 30), ("missing_frames", 12)],
)
def test_damage_does_not_move_it(damage: str, strength: int) -> None:
    form = FORMS["lumen-harbour"]
    sheet = render_sheet(form, 8, Knobs(damages={damage: strength}, digits="own", rotation=1.0))
    found = register(colour_scan(sheet.image, form), form)
    assert isinstance(found, Registered)
    assert far_off(found.form_map, sheet.truth.placement, form, size=None) < 1.5


def test_a_crop_of_the_table_is_found() -> None:
    form = FORMS["bo-2019-a1"]
    sheet = render_sheet(form, 3, Knobs(dpi=150, extent="table", digits="own"))
    found = register(colour_scan(sheet.image, form), form)
    assert isinstance(found, Registered)
    assert found.placement.expected < 110


@pytest.mark.parametrize(("shown", "asked"), [("bo-2019-a1", "lumen-harbour"), ("lumen-harbour", "bo-2019-a1")])
def test_a_form_is_not_another_form(shown: str, asked: str) -> None:
    sheet = render_sheet(FORMS[shown], 2, Knobs(dpi=150, digits="own"))
    found = register(colour_scan(sheet.image, FORMS[asked]), FORMS[asked])
    assert isinstance(found, Refusal)
    assert found.code == "formNotFound"


def grid(pitch: int) -> NDArray[np.uint8]:
    """Squared paper: the cells of any form, and of none."""
    page = np.full((1400, 1100), 235, np.uint8)
    page[::pitch] = page[:, ::pitch] = 60
    return page


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize(
    "page",
    [
        np.full((1400, 1100), 240, np.uint8),
        np.zeros((1400, 1100), np.uint8),
        np.random.default_rng(7).integers(0, 256, (1400, 1100), np.uint8),
        grid(45),
        grid(57),
        grid(66),
    ],
    ids=["white", "black", "noise", "squares-45", "squares-57", "squares-66"],
)
def test_what_is_no_form_is_refused(form: Form, page: NDArray[np.uint8]) -> None:
    assert isinstance(register(grey_scan(page), form), Refusal)
