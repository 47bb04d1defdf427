"""A place that is in doubt: the sheet is held and says why, and the record says what was seen."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from edge.definition.form import Form, load_form
from edge.tally.decide import decide_tally
from edge.tally.record import tally_record
from edge.tally.result import Opinion, Refusal, TallyInterpretation
from tests.tally.test_record import CODE, as_read, refused
from tests.tally.test_rules import FORM
from tests.tally.test_suggestions import sheet

FORM_READ: Form = load_form(FORM + CODE)
DOUBTS = ("elsewhere", "otherForm", "notSeen", "severalSheets")


def good() -> TallyInterpretation:
    """A sheet with which nothing is wrong."""
    return as_read(FORM_READ, sheet())


def registration(interpretation: TallyInterpretation) -> Any:  # noqa: ANN401  a part of a JSON document
    return json.loads(tally_record(interpretation, decide_tally(interpretation, FORM_READ)))["registration"]


def test_a_sheet_without_doubt_is_accepted() -> None:
    assert decide_tally(good(), FORM_READ).kind == "accept"
    assert decide_tally(replace(good(), opinion=None), FORM_READ).kind == "accept"


@pytest.mark.parametrize("names", [("a",), ("label:3", "votes.b")])
def test_frames_that_are_missing_hold_the_sheet_by_their_names(names: tuple[str, ...]) -> None:
    decided = decide_tally(replace(good(), missing=names), FORM_READ)
    assert decided.kind == "hold"
    assert decided.castable
    assert [str(reason.code) for reason in decided.reasons] == ["framesMissing"]
    assert ", ".join(names) in (decided.reasons[0].detail or "")


@pytest.mark.parametrize("says", DOUBTS)
def test_what_the_region_model_doubts_is_held(says: Any) -> None:  # noqa: ANN401  one of four words
    opinion = Opinion(says, 7100, None, f"the region model says {says}")
    decided = decide_tally(replace(good(), opinion=opinion), FORM_READ)
    assert decided.kind == "hold"
    assert [(str(reason.code), reason.detail) for reason in decided.reasons] == [
        ("regionDisagrees", f"the region model says {says}")
    ]


def test_doubts_about_the_place_come_first_and_each_has_its_reason() -> None:
    doubtful = replace(good(), missing=("label:0",), opinion=Opinion("elsewhere", 9000, 800, "in another place"))
    doubtful = replace(doubtful, fields={name: field for name, field in doubtful.fields.items() if name != "closed"})
    codes = [str(reason.code) for reason in decide_tally(doubtful, FORM_READ).reasons]
    assert codes == ["framesMissing", "regionDisagrees", "fieldUnread"]


@pytest.mark.parametrize("code", ["formIncomplete", "severalSheets", "formNotFound"])
def test_a_refusal_is_returned_with_its_code_and_names(code: str) -> None:
    decided = decide_tally(replace(refused(FORM_READ), refusal=Refusal(code, "3 of 9: label:1, votes.a")), FORM_READ)
    assert decided.kind == "return"
    assert not decided.castable
    assert [(str(reason.code), reason.detail) for reason in decided.reasons] == [(code, "3 of 9: label:1, votes.a")]


def test_the_record_tells_missing_frames_and_the_region() -> None:
    part = registration(good())
    assert part["missing"] == []
    assert part["region"] == {"says": "agrees", "confidence": 9850, "off": 31}
    doubtful = registration(replace(good(), missing=("label:2", "x"), opinion=Opinion("notSeen", 0, None, "nothing")))
    assert doubtful["missing"] == ["label:2", "x"]
    assert doubtful["region"] == {"says": "notSeen", "confidence": 0, "off": None}
    assert registration(replace(good(), opinion=None))["region"] is None
    assert registration(refused(FORM_READ)) is None


def test_the_record_of_a_doubt_is_not_that_of_none() -> None:
    doubtful = replace(good(), opinion=Opinion("elsewhere", 9850, 31, "in another place"))
    records = {tally_record(one, decide_tally(one, FORM_READ)) for one in (good(), doubtful, replace(good(), missing=("a",)))}
    assert len(records) == 3
