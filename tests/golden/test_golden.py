"""Kept images give the records that they always gave, on every machine and with every version of our dependencies."""

from __future__ import annotations

import json

import pytest

from edge.ballot.interpret import ScannedSheet, interpret
from edge.ballot.result import Interpretation, Verdict
from edge.definition.election import load_election
from edge.definition.settings import SystemSettings
from edge.image_file import read_image
from tests.golden.make import DIGESTS, FOLDER, SHEETS, digest

MOST_BYTES = 1_500_000


def reading(name: str) -> Interpretation:
    election = load_election((FOLDER / f"{SHEETS[name]}.json").read_bytes())
    top, bottom = (read_image(FOLDER / f"{name}-{side}.png") for side in ("top", "bottom"))
    return interpret(ScannedSheet(top, bottom), election, SystemSettings())


@pytest.mark.parametrize("name", SHEETS)
def test_a_golden_sheet_gives_its_record(name: str) -> None:
    kept = json.loads(DIGESTS.read_text(encoding="utf-8"))
    assert digest(name) == kept[name], "if the reading was meant to change: python -m tests.golden.make --digests"


def test_every_kept_file_is_used_and_they_stay_small() -> None:
    images = {f"{name}-{side}.png" for name in SHEETS for side in ("top", "bottom")}
    wanted = images | {f"{election}.json" for election in SHEETS.values()} | {DIGESTS.name}
    kept = {path.name: path.stat().st_size for path in FOLDER.iterdir() if path.suffix in {".png", ".json"}}
    assert kept.keys() == wanted
    assert sum(kept.values()) <= MOST_BYTES
    assert json.loads(DIGESTS.read_text(encoding="utf-8")).keys() == SHEETS.keys()


def test_the_golden_sheets_are_of_many_kinds() -> None:
    readings = {name: reading(name) for name in SHEETS}
    refusals = {name: read.refusal.code for name, read in readings.items() if read.refusal is not None}
    assert refusals == {"marks-missing": "missingTimingMarks"}
    assert {name for name, read in readings.items() if read.kind == "machineMarked"} == {"summary"}
    verdicts = {bubble.verdict for read in readings.values() for page in read.pages for bubble in page.bubbles}
    assert verdicts == set(Verdict)
    assert any(bubble.grey_ink for page in readings["mixed-pens"].pages for bubble in page.bubbles)
    assert [page.barcode is not None and page.barcode.grey is not None for page in readings["mixed-pens"].pages] == [False, True]
    assert all(page.upside_down for name in ("upside-down", "summary") for page in readings[name].pages)
    assert {page.page.dpi for page in readings["letter-300-dpi"].pages} == {300}
    damaged = readings["legal-damaged"]
    assert damaged.doubts
    assert any(page.grid is not None and page.grid.left_found.max() > 0 for page in damaged.pages)
