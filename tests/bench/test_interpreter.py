"""How long a sheet takes: two grey images in, the interpretation out."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from edge.ballot.interpret import ScannedSheet, interpret
from edge.definition.election import Election
from edge.definition.paper import PaperSize
from edge.definition.settings import SystemSettings
from hil.paper.scan import ScannedPair, scan
from hil.paper.summary import random_summary_payloads, render_summary
from tests.ballot.sheets import BOTTOM_ROW, QR, blank_sheet, filled, made_up

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

BY_HAND = {
    "letter": (PaperSize.LETTER, QR, 200),
    "letter, timing marks": (PaperSize.LETTER, BOTTOM_ROW, 200),
    "legal": (PaperSize.LEGAL, QR, 200),
    "22 inches": (PaperSize.INCHES_22, QR, 200),
    "letter, 300 dpi": (PaperSize.LETTER, QR, 300),
}
SUMMARY = "summary"


@cache
def scanned(name: str) -> tuple[ScannedSheet, Election]:
    """A scanned sheet with one vote in every contest, slightly turned."""
    if name == SUMMARY:
        election = made_up(14, density="dense")
        pair = scan(render_summary(election, random_summary_payloads(election, 3)[0]))
    else:
        printed = blank_sheet(*BY_HAND[name])
        election, pair = printed.election, scan(filled(printed), {"rotation": 5}, seed=1)
    return as_sheet(pair), election


def as_sheet(pair: ScannedPair) -> ScannedSheet:
    return ScannedSheet(pair.top.pixels, pair.bottom.pixels, pair.dpi)


@pytest.mark.parametrize("name", [*BY_HAND, SUMMARY])
def test_a_sheet_is_read(benchmark: BenchmarkFixture, name: str) -> None:
    sheet, election = scanned(name)
    reading = benchmark(interpret, sheet, election, SystemSettings())
    assert reading.kind == ("machineMarked" if name == SUMMARY else "handMarked")
    assert reading.votes


def test_a_blank_sheet_of_paper_is_refused(benchmark: BenchmarkFixture) -> None:
    """The slowest case: every reader looks everywhere and finds nothing."""
    sheet, election = scanned(SUMMARY)
    reading = benchmark(interpret, ScannedSheet(sheet.bottom, sheet.bottom, sheet.dpi), election, SystemSettings())
    assert reading.kind == "refused"
