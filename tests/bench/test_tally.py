"""How long a tally sheet takes: the planes of a scan in, every field out."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from edge.definition.form import Form, load_form, shipped_form
from edge.inference.digits import digit_reader
from edge.tally.interpret import interpret_tally
from edge.tally.scan import TallyScan, colour_scan, grey_scan
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
    reader = digit_reader()
    reading = benchmark(interpret_tally, scan, form, reader)
    assert reading.extent == "sheet"
