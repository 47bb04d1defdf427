"""Whole sheets, rendered: what stands there is read, what does not add up is held, and nothing makes the reader stumble."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from edge.definition.form import Form, load_form, shipped_form, shipped_forms
from edge.tally.decide import decide_tally
from edge.tally.interpret import interpret_tally
from edge.tally.readers import tally_readers
from edge.tally.record import tally_record
from edge.tally.result import TallyInterpretation
from edge.tally.scan import TallyScan, colour_scan, grey_scan
from hil.paper.forms.knobs import Knobs
from hil.paper.forms.sheet import RenderedSheet, render_sheet

FORMS = {name: load_form(shipped_form(name)) for name in shipped_forms()}
LUMEN = FORMS["lumen-harbour"]
BOLIVIA = FORMS["bo-2019-a1"]


def read(scan: TallyScan, form: Form) -> TallyInterpretation:
    return interpret_tally(scan, form, tally_readers())


def record_of(scan: TallyScan, form: Form) -> bytes:
    interpretation = read(scan, form)
    return tally_record(interpretation, decide_tally(interpretation, form))


def wrong_fields(sheet: RenderedSheet, interpretation: TallyInterpretation) -> dict[str, object]:
    return {
        name: (field.value, sheet.truth.fields.get(name))
        for name, field in interpretation.fields.items()
        if field.read and not sheet.truth.right(name, field.value)
    }


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_clean_sheets_are_read_as_they_stand_and_most_are_accepted(form: Form) -> None:
    accepted = read_fields = fields = 0
    for seed in range(6):
        sheet = render_sheet(form, seed, Knobs(digits="own"))
        interpretation = read(colour_scan(sheet.image, form), form)
        assert interpretation.extent == "sheet"
        assert set(interpretation.fields) == set(sheet.truth.fields)
        assert not wrong_fields(sheet, interpretation)
        fields += len(interpretation.fields)
        read_fields += sum(field.read for field in interpretation.fields.values())
        kind = decide_tally(interpretation, form).kind
        accepted += kind == "accept"
        assert kind == ("accept" if all(field.read for field in interpretation.fields.values()) else "hold")
    assert accepted >= 2
    assert read_fields * 100 >= fields * 95


def test_a_wrong_sum_is_held_with_its_rule() -> None:
    sheet = render_sheet(LUMEN, 4, Knobs(digits="own", mistakes=("wrong-sum",)))
    interpretation = read(colour_scan(sheet.image, LUMEN), LUMEN)
    assert not wrong_fields(sheet, interpretation)
    disposition = decide_tally(interpretation, LUMEN)
    assert disposition.kind == "hold"
    broken = [rule for rule in interpretation.rules if rule.holds is False]
    assert broken
    assert {rule.name for rule in broken} == {name for name, holds in sheet.truth.rules.items() if holds is False}


def test_the_record_is_the_same_every_time_and_in_every_thread() -> None:
    scan = colour_scan(render_sheet(LUMEN, 6, Knobs(digits="own", rotation=2.0)).image, LUMEN)
    before = scan.print.copy()
    first = record_of(scan, LUMEN)
    with ThreadPoolExecutor(4) as pool:
        assert {first} == set(pool.map(lambda _: record_of(scan, LUMEN), range(8)))
    assert np.array_equal(before, scan.print)


def test_a_sheet_that_is_turned_round_gives_the_same_numbers() -> None:
    scan = colour_scan(render_sheet(LUMEN, 9, Knobs(digits="own")).image, LUMEN)
    upright, turned = read(scan, LUMEN), read(scan.turned(), LUMEN)
    assert {name: field.value for name, field in upright.fields.items()} == {
        name: field.value for name, field in turned.fields.items()
    }
    assert turned.placement is not None
    assert turned.placement.upside_down


def test_a_crop_is_its_extent_and_the_station_wants_more() -> None:
    sheet = render_sheet(BOLIVIA, 5, Knobs(dpi=150, extent="table", digits="own"))
    interpretation = read(colour_scan(sheet.image, BOLIVIA), BOLIVIA)
    assert interpretation.extent == "table"
    assert set(interpretation.fields) == set(sheet.truth.fields)
    assert not wrong_fields(sheet, interpretation)
    whole = decide_tally(interpretation, BOLIVIA, whole_sheet=True)
    assert whole.kind == "hold"
    assert whole.reasons[0].code == "sheetIncomplete"
    assert not whole.castable


def test_the_other_side_of_the_paper_is_returned() -> None:
    page = np.full((2200, 1700), 236, np.uint8)
    interpretation = read(grey_scan(page), LUMEN)
    assert decide_tally(interpretation, LUMEN).kind == "return"


@pytest.mark.parametrize("shape", [(1, 1), (1, 4000), (199, 3000), (200, 200), (4000, 200), (333, 207)])
def test_odd_shapes_are_refused(shape: tuple[int, int]) -> None:
    assert read(grey_scan(np.full(shape, 200, np.uint8)), LUMEN).refusal is not None


CLEAN = render_sheet(LUMEN, 12, Knobs(dpi=150, digits="own"))


@settings(max_examples=25)
@example(top=0, left=0, height=349, width=988)
@example(top=816, left=638, height=317, width=492)
@given(st.integers(0, 900), st.integers(0, 600), st.integers(200, 1800), st.integers(200, 1400))
def test_any_piece_of_a_sheet_is_read_right_or_not_at_all(top: int, left: int, height: int, width: int) -> None:
    piece = np.ascontiguousarray(CLEAN.image[top : top + height, left : left + width])
    interpretation = read(colour_scan(piece, LUMEN), LUMEN)
    for name, field in interpretation.fields.items():
        assert not field.read or CLEAN.truth.right(name, field.value), name


@settings(max_examples=25)
@given(
    arrays.arrays(np.uint8, st.tuples(st.integers(4, 30), st.integers(4, 30))),
    st.integers(20, 60),
    st.integers(20, 60),
)
def test_any_pixels_are_refused_or_read_without_error(tile: NDArray[np.uint8], down: int, across: int) -> None:
    page = np.tile(tile, (down, across))
    interpretation = read(grey_scan(page), LUMEN)
    assert decide_tally(interpretation, LUMEN).kind != "accept"


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_scribbles_over_a_sheet_never_make_another_number(seed: int, lines: int) -> None:
    rng = np.random.default_rng(seed)
    image = CLEAN.image.copy()
    height, width = image.shape[:2]
    for _ in range(lines):
        x, y = int(rng.integers(0, width - 90)), int(rng.integers(0, height - 90))
        w, h = (int(value) for value in rng.integers(2, 80, 2))
        image[y : y + h, x : x + w] = rng.integers(0, 256, 3)
    interpretation = read(colour_scan(image, LUMEN), LUMEN)
    assert decide_tally(interpretation, LUMEN).kind != "accept" or not wrong_fields(CLEAN, interpretation)
