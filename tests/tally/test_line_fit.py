"""A form fitted to its lines where cells are not closed; and no form where there are other lines, or none."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.definition.form import Form, load_form, shipped_form, shipped_forms
from edge.fixed.number import Int64Array
from edge.inference.regions import Corner, Region
from edge.tally.affine import shows
from edge.tally.bent import BentMap, flat_map
from edge.tally.frame_lines import CellRow, label_rows, rows_of
from edge.tally.line_fit import fit_lines
from edge.tally.near import RoughPoint, register_near
from edge.tally.place import place_form
from edge.tally.registration import Registered
from edge.tally.result import Refusal
from edge.tally.scan import colour_scan, grey_scan
from edge.tally.sighting import Sighting
from hil.boxes.truth import Place
from hil.paper.forms.knobs import Knobs
from tests.tally.sightings import Pictured, cells_off, pictured, rough, seen

FORMS = {name: load_form(shipped_form(name)) for name in shipped_forms()}
LUMEN, BOLIVIA = FORMS["lumen-harbour"], FORMS["bo-2019-a1"]
WAYS = ((0.0, 0.0, 0.0), (2.0, 12.0, 80.0), (90.0, 20.0, 200.0), (187.0, 15.0, 300.0))
_CLOSE = 3.5
"""Pixels: a fifth of the line height of small print. What is left, each row measures for itself."""


def broken(form: Form, way: tuple[float, float, float], seed: int = 6) -> Pictured:
    """A sheet of which the press left out parts of many frames."""
    return pictured(form, *way, seed=seed, knobs=Knobs(dpi=150, digits="own", damages={"missing_frames": 40}))


def all_rows(form: Form) -> list[CellRow]:
    return [*rows_of(form.all_fields), *label_rows(form)]


def started(form: Form, points: tuple[RoughPoint, ...]) -> BentMap:
    """The map through rough corners."""
    columns: Int64Array = np.array([(point.x, point.y, point.image_x, point.image_y) for point in points], np.int64).T
    start = flat_map(form, *columns)
    assert start is not None
    return start


def fitted(plane: NDArray[np.uint8], form: Form, points: tuple[RoughPoint, ...]) -> BentMap | None:
    start = started(form, points)
    return fit_lines(plane, form, start, [row for row in all_rows(form) if shows(start, row.box, plane.shape)])


def off_by_rows(form: Form, place: Place, rows: float) -> tuple[RoughPoint, ...]:
    """Corners so many rows further down."""
    pitch = form.groups[0].rows[1].y - form.groups[0].rows[0].y
    across, down = np.diff(place(np.array(((0, 0), (0, pitch * rows)), np.float64)), axis=0)[0] * 256
    return tuple(
        replace(point, image_x=point.image_x + int(across), image_y=point.image_y + int(down)) for point in rough(form, place)
    )


@pytest.mark.parametrize(("form", "way"), [*((LUMEN, way) for way in WAYS), (BOLIVIA, WAYS[0]), (BOLIVIA, WAYS[3])])
def test_broken_frames_are_found_by_their_lines(form: Form, way: tuple[float, float, float]) -> None:
    picture = broken(form, way)
    scan = colour_scan(picture.image, form)
    points = rough(form, picture.place, 0.007 * max(picture.image.shape), seed=int(way[0]))
    before = cells_off(started(form, points), form, picture.place)
    found = fitted(scan.print, form, points)
    assert found is not None
    assert cells_off(found, form, picture.place) <= min(_CLOSE, before)
    registered = register_near(scan, form, points)
    if form is LUMEN:
        assert isinstance(registered, Registered)
    # Of the other form's many rows those that are left may fit in two ways.
    assert isinstance(registered, Refusal) or cells_off(registered.form_map, form, picture.place) <= _CLOSE


PICTURE = broken(LUMEN, WAYS[1])
PLANE = colour_scan(PICTURE.image, LUMEN).print


@settings(max_examples=8)
@given(st.integers(0, 2**32 - 1))
def test_from_any_corners_a_little_off_they_are_found_or_said_not_to_be(seed: int) -> None:
    found = fitted(PLANE, LUMEN, rough(LUMEN, PICTURE.place, 0.007 * max(PLANE.shape), seed))
    assert found is None or cells_off(found, LUMEN, PICTURE.place) <= _CLOSE


def text_page(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Lines of print as far apart as rows."""
    page = np.full(shape, 238, np.uint8)
    for y in range(60, shape[0], 27):
        cv2.putText(page, "Votes counted at the station of the harbour " * 3, (40, y), cv2.FONT_HERSHEY_SIMPLEX, 0.55, (40,), 1)
    return page


def ruled_page(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Paper with lines to write on."""
    page = np.full(shape, 238, np.uint8)
    page[::48] = page[1::48] = 120
    return page


@pytest.mark.parametrize(
    "page",
    [
        np.full(PLANE.shape, 0, np.uint8),
        np.full(PLANE.shape, 238, np.uint8),
        text_page(PLANE.shape),
        ruled_page(PLANE.shape),
    ],
    ids=["black", "blank", "text", "ruled"],
)
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_what_is_no_form_has_no_place(form: Form, page: NDArray[np.uint8]) -> None:
    picture = pictured(form, 1.0, 8.0, 30.0)
    page = np.asarray(cv2.resize(page, picture.image.shape[1::-1], interpolation=cv2.INTER_NEAREST), np.uint8)
    assert fitted(page, form, rough(form, picture.place, 5.0)) is None
    assert isinstance(register_near(grey_scan(page), form, rough(form, picture.place, 5.0)), Refusal)


def sighted(form: Form, points: tuple[RoughPoint, ...]) -> Sighting:
    """A model that sees the form at such corners."""
    first, second, third, fourth, *table = (Corner(point.image_x, point.image_y, seen=True) for point in points)
    return seen(Region(form.name, 9900, (first, second, third, fourth), (table[0], table[1], table[2], table[3])))


@pytest.mark.parametrize(("form", "rows"), [(LUMEN, -1), (LUMEN, -0.5), (LUMEN, 0.5), (LUMEN, 1), (BOLIVIA, 1), (BOLIVIA, 2)])
def test_a_start_that_is_rows_off_is_mended_or_not_believed(form: Form, rows: float) -> None:
    """Lines alone may fit a row further on; then a row has no frame, and others are off the map."""
    picture = broken(form, WAYS[1])
    points = off_by_rows(form, picture.place, rows)
    found = place_form(colour_scan(picture.image, form), form, sighted(form, points))
    assert isinstance(found, Refusal) or cells_off(found.registered.form_map, form, picture.place) <= _CLOSE


LADDER = load_form(
    b"""
format = "scrutineer-form-1"
name = "ladder"
title = "Rows that are all alike"
size = [12000, 24000]
[colours]
pen = ["black"]
[[groups]]
name = "votes"
title = "Votes"
x = 3000
width = 4000
height = 1000
cells = 4
rows = ["""
    + b",".join(b'{ name = "r%d", label = "r", y = %d }' % (row, 4000 + 1300 * row) for row in range(8))
    + b"]\n"
)


def ladder(rows: range) -> NDArray[np.uint8]:
    """The form's rows, those above and those below too, at 10 units a pixel."""
    page = np.full((2400, 1200), 236, np.uint8)
    for row, cell in product(rows, range(4)):
        left, top = 300 + 100 * cell, 400 + 130 * row
        cv2.rectangle(page, (left, top), (left + 100, top + 100), (110,), 2)
    return page


@pytest.mark.parametrize(("rows", "fits"), [(range(8), True), (range(-1, 9), False), (range(3), False), (range(5, 8), False)])
def test_rows_that_are_all_alike_fit_where_there_are_as_many(rows: range, *, fits: bool) -> None:
    """With more of them there are two places, and with less than half of them there is none."""
    points = rough(LADDER, lambda points: points / 10 + (5.0, -6.0))
    found = fitted(ladder(rows), LADDER, points)
    assert (found is not None) == fits
    assert found is None or cells_off(found, LADDER, lambda points: points / 10 + 0.5) < 1.0


def test_no_rows_have_no_place() -> None:
    assert fit_lines(PLANE, LUMEN, started(LUMEN, rough(LUMEN, PICTURE.place)), []) is None
