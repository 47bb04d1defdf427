"""What becomes of a tally sheet, and the record of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
import rfc8785

from edge.definition.form import Form, load_form
from edge.inference.identity import FinderIdentity, ReaderIdentity
from edge.page.area import Area
from edge.tally.decide import decide_tally
from edge.tally.ink_hash import InkHash
from edge.tally.record import INTERPRETER_VERSION, RECORD_VERSION, tally_record
from edge.tally.result import CodeReading, FieldReading, Opinion, Placement, Refusal, TallyInterpretation
from edge.tally.rules import check_rules
from edge.tally.suggestions import suggest
from tests.tally.test_rules import FORM
from tests.tally.test_suggestions import cell, sheet, written

CODE = b"""
[[codes]]
name = "station"
label = "Station"
digits = [4, 8]
barcodes = ["code128"]
"""
READER = ReaderIdentity("digit.tflite", "ab" * 32, "1", "tflite-runtime", "2.14.0", "reference")
PLACEMENT = Placement((256, 1, 0, 512, 0, 1), upside_down=True, dpi=200, matched=11, expected=12, brackets=4)
FINDER = FinderIdentity("region.tflite", "cd" * 32, "1")
INK_HASH = InkHash((0x0123ABCD, None, 5))
OPINION = Opinion("agrees", 9850, 31)
Change = Callable[[TallyInterpretation], TallyInterpretation]


@pytest.fixture(scope="module")
def form() -> Form:
    return load_form(FORM + CODE)


def as_read(form: Form, fields: Mapping[str, FieldReading], extent: str = "sheet") -> TallyInterpretation:
    """What the interpreter would make of these fields."""
    closed = FieldReading("closed", "16:05", None, tuple(cell(digit) for digit in (1, 6, 0, 5)))
    every = {"closed": closed, "station": FieldReading("station", "00417", None)} | dict(fields)
    shown = form.names_on(extent)
    there = {name: field for name, field in every.items() if name in shown}
    rules = check_rules(form, there, extent)
    return TallyInterpretation(
        form=form.name,
        form_sha256=form.sha256,
        extent=extent,
        placement=PLACEMENT,
        missing=(),
        opinion=OPINION,
        fields=there,
        rules=rules,
        suggestions=suggest(form, there, rules),
        barcodes=(CodeReading("code128", "00417", 900, 120),),
        ink_hash=INK_HASH,
        reader=READER,
        finder=FINDER,
    )


def refused(form: Form) -> TallyInterpretation:
    nothing = Refusal("formNotFound", "3 of 12 frames were found")
    return TallyInterpretation(form.name, form.sha256, None, None, (), None, {}, (), (), (), None, None, FINDER, nothing)


def doubtful(name: str, *doubts: str | None) -> FieldReading:
    """A field of a cell a doubt, unread; None is a good cell."""
    cells = tuple(cell(3) if doubt is None else replace(cell(3), accepted=False, doubt=doubt) for doubt in doubts)
    return FieldReading(name, None, "cellUnread", cells)


def codes(form: Form, interpretation: TallyInterpretation, *, whole_sheet: bool = False) -> tuple[str, list[str]]:
    disposition = decide_tally(interpretation, form, whole_sheet=whole_sheet)
    return disposition.kind, [str(reason.code) for reason in disposition.reasons]


def test_a_good_sheet_is_accepted(form: Form) -> None:
    assert codes(form, as_read(form, sheet()), whole_sheet=True) == ("accept", [])


def test_a_crop_is_taken_for_what_it_shows_unless_the_sheet_is_asked_for(form: Form) -> None:
    crop = as_read(form, sheet(), "table")
    assert codes(form, crop) == ("accept", [])
    disposition = decide_tally(crop, form, whole_sheet=True)
    assert [str(reason.code) for reason in disposition.reasons] == ["sheetIncomplete"]
    assert (disposition.kind, disposition.castable) == ("hold", False)


def test_another_paper_is_returned(form: Form) -> None:
    disposition = decide_tally(refused(form), form)
    assert (disposition.kind, disposition.castable) == ("return", False)
    assert [(reason.code, reason.detail) for reason in disposition.reasons] == [("formNotFound", "3 of 12 frames were found")]


def test_a_broken_rule_holds_the_sheet(form: Form) -> None:
    disposition = decide_tally(as_read(form, sheet(votes_valid=" 47", votes_blank="  -", urn=" 47")), form)
    assert (disposition.kind, disposition.castable) == ("hold", True)
    assert [(str(reason.code), reason.detail) for reason in disposition.reasons] == [
        ("ruleBroken", "valid: the parts of votes.valid add up to 42, and it says 47 (difference -5)")
    ]


def test_a_blank_total_holds_the_sheet(form: Form) -> None:
    assert codes(form, as_read(form, sheet(votes_valid=None))) == ("hold", ["totalBlank", "ruleBroken"])


@pytest.mark.parametrize(
    ("field", "code"),
    [
        (doubtful("votes.a", None, "lowMargin"), "fieldUnread"),
        (doubtful("votes.a", "readersDisagree", None), "readersDisagree"),
        (doubtful("votes.a", "foreignInk", "strayInk"), "foreignInk"),
        (doubtful("votes.a", "foreignInk", "readersDisagree"), "fieldUnread"),
        (FieldReading("votes.a", None, "gapInNumber"), "fieldUnread"),
        (FieldReading("closed", None, "notATime"), "fieldUnread"),
        (FieldReading("station", None, "codeMissing"), "barcodeMissing"),
        (FieldReading("station", None, "codesDiffer", detail="00417 and 00471"), "codesDiffer"),
        (FieldReading("station", None, "codeLength"), "fieldUnread"),
    ],
)
def test_an_unread_field_holds_the_sheet(form: Form, field: FieldReading, code: str) -> None:
    disposition = decide_tally(as_read(form, sheet() | {field.name: field}), form)
    assert (disposition.kind, [str(reason.code) for reason in disposition.reasons]) == ("hold", [code])
    assert str(disposition.reasons[0].detail).startswith(f"{field.name}: ")


def test_a_value_over_a_cell_in_doubt_holds_the_sheet(form: Form) -> None:
    field = replace(doubtful("votes.a", None, "lowMargin", None), value=30, reason=None)
    interpretation = as_read(form, sheet() | {"votes.a": field})
    assert codes(form, interpretation) == ("hold", ["fieldUnread"])
    assert decide_tally(interpretation, form).reasons[0].detail == "votes.a: cell 2 lowMargin"


def test_the_reason_names_the_cells_and_what_is_wrong_with_them(form: Form) -> None:
    def told(field: FieldReading) -> str | None:
        return decide_tally(as_read(form, sheet() | {field.name: field}), form).reasons[0].detail

    assert told(doubtful("votes.a", "lowMargin", None, "lowMargin")) == "votes.a: cells 1, 3 lowMargin"
    assert told(doubtful("votes.a", "lowMargin", "offImage")) == "votes.a: cell 1 lowMargin; cell 2 offImage"
    assert told(FieldReading("station", None, "codesDiffer", detail="417 and 471")) == "station: codesDiffer, 417 and 471"
    assert told(FieldReading("station", None, "codeMissing")) == "station: codeMissing"


@pytest.mark.parametrize("missing", ["votes.a", "closed", "station"])
def test_a_field_without_a_reading_holds_the_sheet(form: Form, missing: str) -> None:
    interpretation = as_read(form, sheet())
    interpretation = replace(interpretation, fields={n: f for n, f in interpretation.fields.items() if n != missing})
    assert codes(form, interpretation) == ("hold", ["fieldUnread"])


@pytest.mark.parametrize(
    "change",
    [
        lambda read: replace(read, rules=()),
        lambda read: replace(read, rules=(replace(read.rules[0], holds=None, reason="unread"), *read.rules[1:])),
    ],
    ids=["lost", "unread"],
)
def test_a_rule_that_nobody_checked_holds_the_sheet(form: Form, change: Change) -> None:
    kind, reasons = codes(form, change(as_read(form, sheet())))
    assert kind == "hold"
    assert set(reasons) == {"ruleUnchecked"}


def recorded(form: Form, interpretation: TallyInterpretation) -> dict[str, Any]:
    """The record, which must be canonical."""
    raw = tally_record(interpretation, decide_tally(interpretation, form))
    document = json.loads(raw)
    assert rfc8785.dumps(document) == raw
    assert isinstance(document, dict)
    return document


def test_the_record_of_a_good_sheet(form: Form) -> None:
    record = recorded(form, as_read(form, sheet(votes_blank=None, urn=" 42")))
    assert record["disposition"] == {"kind": "accept", "castable": True, "reasons": []}
    assert record["kind"] == "tallySheet"
    assert record["form"] == {"name": "three-rules", "sha256": form.sha256}
    assert record["extent"] == "sheet"
    assert record["fields"] == {
        "votes.a": 30,
        "votes.b": 12,
        "votes.valid": 42,
        "votes.blank": None,
        "urn": 42,
        "voters": 60,
        "closed": "16:05",
        "station": "00417",
    }
    assert (record["unread"], record["suggestions"]) == ([], [])
    assert record["rules"][0] == {"name": "valid", "holds": True, "difference": 0, "reason": None, "detail": None}
    assert record["barcodes"] == [{"symbology": "code128", "text": "00417", "x": 900, "y": 120}]
    assert record["registration"] == {
        "coefficients": [256, 1, 0, 512, 0, 1],
        "upsideDown": True,
        "dpi": 200,
        "matched": 11,
        "expected": 12,
        "brackets": 4,
        "missing": [],
        "region": {"says": "agrees", "confidence": 9850, "off": 31},
    }
    assert record["reader"] == {
        "model": "digit.tflite",
        "sha256": "ab" * 32,
        "arithmetic": "1",
        "runtime": "tflite-runtime",
        "version": "2.14.0",
        "resolver": "reference",
    }
    assert record["versions"] == {"interpreter": INTERPRETER_VERSION, "record": RECORD_VERSION}
    assert len(record["cells"]) == 6 * 3 + 4


def test_every_cell_is_recorded(form: Form) -> None:
    unsure = replace(cell(7), area=Area(10, 20, 30, 40), accepted=False, doubt="readersDisagree", state="unreadable", digit=None)
    fields = sheet() | {"votes.a": FieldReading("votes.a", None, "cellUnread", (cell(10), unsure), "cell 2")}
    record = recorded(form, as_read(form, fields))
    first, second = (entry for entry in record["cells"] if entry["field"] == "votes.a")
    assert (first["state"], first["digit"], first["label"], first["second"], first["doubt"]) == ("empty", None, 10, True, None)
    assert second | {"scores": []} == {
        "field": "votes.a",
        "cell": 1,
        "state": "unreadable",
        "digit": None,
        "label": 7,
        "margin": 100,
        "confidence": 9990,
        "accepted": False,
        "doubt": "readersDisagree",
        "scores": [],
        "second": False,
        "box": [10, 20, 30, 40],
    }
    assert second["scores"][0] == [7, 100]
    assert len(second["scores"]) == 13
    assert record["unread"] == [{"field": "votes.a", "reason": "cellUnread", "detail": "cell 2", "cells": [1]}]
    assert "votes.a" not in record["fields"]
    low = replace(unsure, doubt="lowMargin")
    fields["votes.a"] = FieldReading("votes.a", None, "cellUnread", (low,))
    cells = recorded(form, as_read(form, fields))["cells"]
    assert next(entry for entry in cells if entry["field"] == "votes.a")["second"] is None


def test_the_record_of_a_broken_rule(form: Form) -> None:
    record = recorded(form, as_read(form, sheet(votes_valid=None)))
    assert record["fields"]["votes.valid"] is None
    assert record["rules"][0] == {
        "name": "valid",
        "holds": False,
        "difference": 42,
        "reason": "totalBlank",
        "detail": "votes.valid is blank, and its parts add up to 42",
    }
    assert record["suggestions"] == [
        {"field": "votes.valid", "cell": None, "from": None, "to": 42, "value": 42, "mends": ["valid", "urn"]}
    ]
    assert record["disposition"]["reasons"][0] == {
        "code": "totalBlank",
        "detail": "valid: votes.valid is blank, and its parts add up to 42 (difference 42)",
    }
    one_digit = recorded(form, as_read(form, sheet(votes_a=written("votes.a", "130"))))
    assert one_digit["suggestions"][0] == {
        "field": "votes.a",
        "cell": 0,
        "from": 1,
        "to": 0,
        "value": 30,
        "mends": ["valid", "voters"],
    }


def test_the_record_of_another_paper(form: Form) -> None:
    record = recorded(form, refused(form))
    assert record["disposition"]["kind"] == "return"
    assert record["disposition"]["reasons"] == [{"code": "formNotFound", "detail": "3 of 12 frames were found"}]
    assert (record["extent"], record["registration"], record["reader"], record["fields"]) == (None, None, None, {})
    assert (record["cells"], record["rules"], record["unread"]) == ([], [], [])


def test_a_crop_says_which_rules_it_cannot_check(form: Form) -> None:
    record = recorded(form, as_read(form, sheet(), "table"))
    assert record["extent"] == "table"
    assert [(rule["holds"], rule["difference"]) for rule in record["rules"]] == [(True, 0), (None, None), (None, None)]
    assert set(record["fields"]) == {"votes.a", "votes.b", "votes.valid", "votes.blank"}
