"""The campaign of boxes: what is true of a picture, and which pictures come up."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from edge.definition.form import shipped_forms
from edge.tally.boxes import FoundBox
from hil.boxes.plan import OTHERS, picture_of, plan_none, plan_photo, plan_scan
from hil.boxes.truth import Points, overlap, overlaps, placed_by, shown_names, true_boxes
from hil.paper.forms.scan import DAMAGES
from hil.sheets.plan import form_of

FORMS = shipped_forms()
ACTA = form_of("bo-2019-a1")
AS_IT_IS = placed_by((0.0, 1.0, 0.0, 0.0, 0.0, 1.0))


def quad(left: float, top: float, width: float, height: float) -> Points:
    return np.array([(left, top), (left + width, top), (left + width, top + height), (left, top + height)])


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (quad(0, 0, 60, 20), 1.0),
        (quad(0, 0, 60, 20)[::-1], 1.0),
        (quad(0, 10, 60, 20), 1 / 3),
        (quad(15, 5, 30, 10), 1 / 4),
        (quad(0, 20, 60, 20), 0.0),
        (quad(500, 500, 60, 20), 0.0),
        (np.array([(30, 0), (60, 10), (30, 20), (0, 10)]), 1 / 2),
    ],
    ids=["same", "other way round", "half a row off", "inside", "the next row", "elsewhere", "diamond"],
)
def test_overlap_of_known_quadrangles(other: Points, expected: float) -> None:
    assert overlap(quad(0, 0, 60, 20), other) == pytest.approx(expected, abs=1e-5)
    assert overlap(other, quad(0, 0, 60, 20)) == pytest.approx(expected, abs=1e-5)


def test_a_box_that_was_not_found_covers_nothing() -> None:
    corners = tuple((int(x) * 256, int(y) * 256) for x, y in quad(3, 4, 60, 20).tolist())
    found = (FoundBox("votes.yes", "field", corners, found=True), FoundBox("votes.other", "field", corners, found=True))
    truth = {"votes.yes": quad(3, 4, 60, 20), "votes.no": quad(3, 4, 60, 20)}
    assert overlaps(found, truth) == {"votes.yes": 1.0, "votes.no": 0.0}


def test_points_are_placed_by_six_numbers() -> None:
    place = placed_by((100.0, 0.1, -0.2, 50.0, 0.3, 0.4))
    assert place(np.array([(0.0, 0.0), (10.0, 0.0), (0.0, 10.0)])).tolist() == [[100, 50], [101, 53], [98, 54]]


def test_true_boxes_have_the_names_and_places_of_the_form() -> None:
    boxes = true_boxes(ACTA, AS_IT_IS)
    assert len(boxes) == 24 + 24 + 7
    assert boxes["apertura#2"].tolist() == [[3890, 10270], [5945, 10270], [5945, 11220], [3890, 11220]]
    assert boxes["label:0"][0].tolist() == [6465, 7575]
    assert shown_names(ACTA, "sheet") == set(boxes)
    table = shown_names(ACTA, "table")
    assert len(table) == 48
    assert "apertura" not in table


def test_scans_take_turns() -> None:
    plans = [plan_scan(seed, FORMS) for seed in range(4 * (len(DAMAGES) + 1))]
    assert plans == [plan_scan(seed, FORMS) for seed in range(len(plans))]
    troubles = Counter((plan.form, plan.trouble) for plan in plans)
    assert set(troubles) == {(form, trouble) for form in FORMS for trouble in (*DAMAGES, "none")}
    assert set(troubles.values()) == {2}
    assert {name for plan in plans for name in plan.knobs.damages} == set(DAMAGES)
    assert all(5 <= strength <= 45 for plan in plans for strength in plan.knobs.damages.values())
    assert {plan.knobs.extent for plan in plans} >= {"sheet", "table"}
    assert {plan.knobs.colour for plan in plans} == {"colour", "grey"}


def test_photographs_take_turns() -> None:
    plans = [plan_photo(seed, FORMS) for seed in range(120)]
    assert plans == [plan_photo(seed, FORMS) for seed in range(120)]
    assert {plan.trouble for plan in plans} == {"plain", "turned", "shadow", "glare", "things on it"}
    assert {plan.form for plan in plans} == set(FORMS)
    shots = [plan.photo for plan in plans if plan.photo is not None]
    assert len(shots) == 120
    assert all(min(shot.size) >= 3000 and shot.share <= 1 for shot in shots)
    assert {bool(shot.neighbours) for shot in shots} == {True, False}
    small = plan_photo(0, FORMS, [(2800, 2100)]).photo
    assert small is not None
    assert small.size == (2800, 2100)


@pytest.mark.parametrize("forms", [FORMS, ("lumen-harbour",)])
def test_the_form_that_is_sought_is_not_there(forms: tuple[str, ...]) -> None:
    plans = [plan_none(seed, forms) for seed in range(24)]
    assert plans == [plan_none(seed, forms) for seed in range(24)]
    assert {plan.trouble for plan in plans} == set(OTHERS)
    assert all(plan.kind == "none" and plan.form in forms and plan.shown != plan.form for plan in plans)
    assert {plan.shown for plan in plans if plan.form == "lumen-harbour"} == {None, "bo-2019-a1"}


@pytest.mark.parametrize("seed", [0, 1, 9])
def test_a_scan_is_made_with_its_boxes(seed: int) -> None:
    picture = picture_of(plan_scan(seed, FORMS))
    height, width = picture.image.shape[:2]
    assert picture.expected
    for name in picture.expected:
        assert picture.boxes[name].min() >= 0
        assert (picture.boxes[name].max(axis=0) <= (width, height)).all()


def test_papers_have_no_boxes() -> None:
    picture = picture_of(plan_none(0, FORMS))
    assert picture.image.shape == (1800, 2400, 3)
    assert (picture.boxes, picture.expected) == ({}, frozenset())
