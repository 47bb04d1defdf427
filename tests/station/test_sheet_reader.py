"""Which sheets are tried as forms, and what becomes of one on which forms are found."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edge import tally_sheet
from edge.decision import Disposition
from edge.definition.errors import DefinitionError
from edge.definition.form import Form, shipped_form
from edge.definition.package import ElectionPackage, sorted_forms
from edge.definition.settings import SystemSettings
from edge.evidence.reading import SheetReading
from edge.inference.identity import FinderIdentity
from edge.page.page import Grey
from edge.station.sheet import NO_BALLOT, package_reader, sheet_reader
from edge.tally.result import Placement, Refusal, TallyInterpretation
from edge.tally.scan import TallyScan
from edge.tally_sheet import TallySheet, TallySheetReader
from firmware_bridge.scanner import SheetImages
from hil.paper.scan import scan
from hil.paper.sheet import render_sheet
from tests.ballot.sheets import blank_sheet, definition, filled, made_up

FORMS = sorted_forms([shipped_form("lumen-harbour"), shipped_form("bo-2019-a1")])
Found = Mapping[tuple[str, int], int | str]
"""By form and the level of grey of a side: how many of ten frames are found there, or why it is refused."""


class Asked:
    """In place of a reader of tally sheets: takes everything, or nothing, for a form, and remembers that it was asked."""

    def __init__(self, form: str | None) -> None:
        self.times = 0
        self._form = form

    def read(self, _top: Grey, _bottom: Grey) -> TallySheet:
        self.times += 1
        return TallySheet(Disposition("hold" if self._form else "return"), b'{"made":"up"}', self._form)


def ballots(kind: str) -> SheetImages:
    other = made_up(4)
    black = np.zeros((2200, 1700), np.uint8)
    pairs: Mapping[str, Callable[[], Any]] = {
        "good": lambda: scan(filled(blank_sheet()), seed=1),
        "of another election": lambda: scan(render_sheet(other, other.ballot_styles[0].id), seed=1),
    }
    if kind == "blank":
        return SheetImages(np.full_like(black, 245), np.full_like(black, 245), 200)
    if kind == "black":
        return SheetImages(black, black, 200)
    if kind == "small":
        return SheetImages(np.full((900, 700), 245, np.uint8), np.full((900, 700), 245, np.uint8), 200)
    pair = pairs[kind]()
    return SheetImages(pair.top.pixels, pair.bottom.pixels, pair.dpi)


def read(images: SheetImages, tally: Asked) -> SheetReading:
    return sheet_reader(made_up(), SystemSettings(), tally)(images)  # type: ignore[arg-type] # it reads as the real one does


@pytest.mark.parametrize(("kind", "disposition"), [("good", "accept"), ("of another election", "return")])
def test_what_is_a_ballot_is_never_tried_as_a_form(kind: str, disposition: str) -> None:
    tally = Asked("lumen-harbour")
    reading = read(ballots(kind), tally)
    assert (tally.times, reading.disposition.kind, reading.tally, reading.read_in_grey) == (0, disposition, False, False)


@pytest.mark.parametrize("kind", ["blank", "black", "small"])
def test_what_is_no_ballot_is_tried(kind: str) -> None:
    images = ballots(kind)
    reading = read(images, tally := Asked("lumen-harbour"))
    assert (tally.times, reading.tally, reading.read_in_grey, reading.pages) == (1, True, True, ())
    assert reading.record == b'{"made":"up"}'
    assert all(one is other for one, other in zip(reading.grey, (images.top, images.bottom), strict=True))


@pytest.mark.parametrize("kind", ["blank", "black", "small"])
def test_what_is_no_form_either_is_returned_as_a_ballot_is(kind: str) -> None:
    reading = read(ballots(kind), Asked(None))
    plain = sheet_reader(made_up(), SystemSettings())(ballots(kind))
    assert (reading.record, reading.disposition, reading.tally) == (plain.record, plain.disposition, False)
    assert reading.disposition.reasons[0].code in NO_BALLOT


def test_a_package_without_anything_to_read_is_refused() -> None:
    with pytest.raises(DefinitionError, match="noElection"):
        package_reader(ElectionPackage(None))
    assert package_reader(ElectionPackage(definition()))(ballots("good")).disposition.kind == "accept"


def reader(monkeypatch: pytest.MonkeyPatch, found: Found) -> TallySheetReader:
    """A reader that finds forms where it is told to."""

    def interpret(side: TallyScan, form: Form, *_: object) -> TallyInterpretation:
        level = int(side.print[0, 0])
        what = found.get((form.name, level), "formNotFound")
        refusal = Refusal(what, "a reason") if isinstance(what, str) else None
        placement = None if isinstance(what, str) else Placement((0,) * 6, upside_down=False, dpi=200, matched=what, expected=10)
        extent = None if refusal else "sheet"
        return TallyInterpretation(
            form.name, form.sha256, extent, placement, (), None, {}, (), (), (), None, None, FinderIdentity("", "", ""), refusal
        )

    monkeypatch.setattr(tally_sheet, "interpret_sighted", interpret)
    monkeypatch.setattr(tally_sheet, "look", lambda *_: None)
    monkeypatch.setattr(tally_sheet, "tally_readers", lambda: SimpleNamespace(digits=None, regions=None))
    monkeypatch.setattr(tally_sheet, "decide_tally", lambda *_, **__: Disposition("accept"))
    return TallySheetReader(FORMS)


TOP, BOTTOM = 10, 20
HARBOUR, ACTA = "lumen-harbour", "bo-2019-a1"


def seen(monkeypatch: pytest.MonkeyPatch, found: Found) -> tuple[TallySheet, dict[str, Any]]:
    sides = (np.full((300, 300), level, np.uint8) for level in (TOP, BOTTOM))
    sheet = reader(monkeypatch, found).read(*sides)
    return sheet, json.loads(sheet.record)


@pytest.mark.parametrize(
    ("found", "form", "scan"),
    [
        ({(HARBOUR, TOP): 10}, HARBOUR, "A"),
        ({(HARBOUR, BOTTOM): 6}, HARBOUR, "B"),
        ({(ACTA, BOTTOM): 6}, ACTA, "B"),
        ({(ACTA, TOP): 6, (HARBOUR, TOP): 9}, HARBOUR, "A"),
        ({(ACTA, TOP): 9, (HARBOUR, TOP): 6}, ACTA, "A"),
        ({(HARBOUR, TOP): 10, (HARBOUR, BOTTOM): "formAmbiguous"}, HARBOUR, "A"),
    ],
)
def test_either_side_may_be_the_form_and_the_best_fit_is_it(
    monkeypatch: pytest.MonkeyPatch, found: Found, form: str, scan: str
) -> None:
    sheet, record = seen(monkeypatch, found)
    assert (sheet.form, sheet.disposition.kind) == (form, "accept")
    assert (record["kind"], record["form"]["name"], record["scan"]) == ("tallySheet", form, scan)


@pytest.mark.parametrize(
    "found",
    [
        {(HARBOUR, TOP): 10, (HARBOUR, BOTTOM): 8},
        {(HARBOUR, TOP): 10, (ACTA, BOTTOM): 10},
        {(HARBOUR, TOP): 9, (ACTA, TOP): 9},
    ],
)
def test_two_forms_on_a_sheet_are_one_too_many(monkeypatch: pytest.MonkeyPatch, found: Found) -> None:
    sheet, record = seen(monkeypatch, found)
    assert (sheet.disposition.kind, sheet.disposition.castable) == ("hold", False)
    assert record["disposition"]["reasons"][0]["code"] == "formUnsure"


@pytest.mark.parametrize(("found", "code"), [({}, "formNotFound"), ({(ACTA, BOTTOM): "formAmbiguous"}, "formAmbiguous")])
def test_a_sheet_without_a_form_is_refused_and_its_record_says_what_was_tried(
    monkeypatch: pytest.MonkeyPatch, found: Found, code: str
) -> None:
    sheet, record = seen(monkeypatch, found)
    assert (sheet.form, sheet.disposition.kind, record["kind"]) == (None, "return", "refused")
    assert [reason.code for reason in sheet.disposition.reasons] == [code]
    assert [(side["scan"], side["form"]) for side in record["sides"]] == [
        ("A", ACTA),
        ("A", HARBOUR),
        ("B", ACTA),
        ("B", HARBOUR),
    ]
