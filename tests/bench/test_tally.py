"""How long a tally sheet takes: the planes of a scan or a photograph in, every field out."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from edge.definition.form import Form, load_form, shipped_form
from edge.tally.interpret import interpret_tally
from edge.tally.readers import tally_readers
from edge.tally.scan import TallyScan, colour_scan, grey_scan
from hil.boxes.plan import picture_of, plan_photo
from hil.paper.forms.knobs import Knobs
from hil.paper.forms.sheet import render_sheet

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

SHEETS = {
    "acta, 150 dpi, colour": ("bo-2019-a1", 150, "colour"),
    "acta, 200 dpi, grey": ("bo-2019-a1", 200, "grey"),
    "acta, 300 dpi, colour": ("bo-2019-a1", 300, "colour"),
    "letter, 200 dpi, grey": ("lumen-harbour", 200, "grey"),
}

PHOTO = 1
"""12 megapixels, seen at an angle."""


@cache
def scanned(name: str) -> tuple[TallyScan, Form]:
    """A filled-in form, slightly turned."""
    form_name, dpi, colour = SHEETS[name]
    form = load_form(shipped_form(form_name))
    image = render_sheet(form, 3, Knobs(dpi=dpi, rotation=0.5, colour="grey" if colour == "grey" else "colour")).image
    return (grey_scan(image[:, :, 0].copy()) if colour == "grey" else colour_scan(image, form)), form


@pytest.mark.parametrize("name", SHEETS)
def test_a_tally_sheet_is_read(benchmark: BenchmarkFixture, name: str) -> None:
    scan, form = scanned(name)
    reader = tally_readers()
    reading = benchmark(interpret_tally, scan, form, reader)
    assert reading.extent == "sheet"


def test_a_photograph_is_read(benchmark: BenchmarkFixture) -> None:
    plan = plan_photo(PHOTO, ("bo-2019-a1",))
    form = load_form(shipped_form(plan.form))
    scan = colour_scan(picture_of(plan).image, form)
    reading = benchmark(interpret_tally, scan, form, tally_readers())
    assert reading.placement is not None
    assert len(reading.placement.coefficients) == 8


def test_the_region_model_looks(benchmark: BenchmarkFixture) -> None:
    scan, _ = scanned("acta, 200 dpi, grey")
    assert benchmark(tally_readers().regions.find, scan.print)
