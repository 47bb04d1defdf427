"""Rules: exact, and a blank is no zero."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.definition.form import Form, load_form
from edge.tally.result import FieldReading, RuleResult
from edge.tally.rules import check_rules

FORM = b"""
format = "scrutineer-form-1"
name = "three-rules"
title = "Three rules"
size = [20000, 20000]
extents = [{ name = "table", groups = ["votes"] }]
colours = { pen = ["blue"] }

[[groups]]
name = "votes"
title = "Votes"
x = 1000
width = 3000
height = 900
cells = 3
rows = [
    { name = "a", label = "A", y = 1000 },
    { name = "b", label = "B", y = 2000 },
    { name = "valid", label = "Valid", y = 3000 },
    { name = "blank", label = "Blank", y = 4000 },
]

[[fields]]
name = "urn"
label = "Papers"
boxes = [[9000, 1000, 3000, 900]]
cells = 3

[[fields]]
name = "voters"
label = "Voters"
boxes = [[9000, 3000, 3000, 900]]
cells = 3

[[fields]]
name = "closed"
label = "Closed"
kind = "time"
boxes = [[9000, 5000, 4000, 900]]
cells = 4

[[rules]]
kind = "sum"
name = "valid"
addends = ["votes.a", "votes.b"]
total = "votes.valid"

[[rules]]
kind = "equal"
name = "urn"
left = ["votes.valid", "votes.blank"]
right = ["urn"]

[[rules]]
kind = "at-most"
name = "voters"
fields = ["votes.a", "votes.valid", "urn"]
bound = "voters"
"""
GOOD = {"votes.a": 30, "votes.b": 12, "votes.valid": 42, "votes.blank": 3, "urn": 45, "voters": 60}

counts = st.none() | st.integers(0, 999)


@pytest.fixture(scope="module")
def form() -> Form:
    return load_form(FORM)


def read(values: Mapping[str, int | str | None], *unread: str) -> dict[str, FieldReading]:
    fields = {name: FieldReading(name, value, None) for name, value in values.items()}
    return fields | {name: FieldReading(name, None, "cellUnread") for name in unread}


def held(name: str) -> RuleResult:
    return RuleResult(name, holds=True, difference=0)


def checked(form: Form, *unread: str, **changed: int | None) -> dict[str, RuleResult]:
    values = GOOD | {name.replace("_", "."): value for name, value in changed.items()}
    return {result.name: result for result in check_rules(form, read(values, *unread), "sheet")}


def test_good_numbers_obey_in_the_forms_order(form: Form) -> None:
    results = check_rules(form, read(GOOD), "sheet")
    assert results == (held("valid"), held("urn"), held("voters"))


def test_a_wrong_total_is_told_with_its_difference(form: Form) -> None:
    results = checked(form, votes_valid=43)
    assert (results["valid"].holds, results["valid"].difference, results["valid"].reason) == (False, -1, "notEqual")
    assert results["valid"].detail == "the parts of votes.valid add up to 42, and it says 43"
    assert (results["urn"].holds, results["urn"].difference, results["urn"].reason) == (False, 1, "notEqual")
    assert results["voters"].holds


def test_a_blank_addend_is_nothing(form: Form) -> None:
    results = checked(form, votes_b=None, votes_valid=30, votes_blank=None, urn=30)
    assert [result.holds for result in results.values()] == [True, True, True]


def test_a_blank_total_is_no_zero(form: Form) -> None:
    results = checked(form, votes_valid=None)
    assert (results["valid"].holds, results["valid"].difference, results["valid"].reason) == (False, 42, "totalBlank")
    assert (results["urn"].holds, results["urn"].difference, results["urn"].reason) == (False, -42, "notEqual")
    nothing = checked(form, votes_a=0, votes_b=None, votes_valid=None)["valid"]
    assert (nothing.holds, nothing.difference, nothing.reason) == (False, 0, "totalBlank")


@pytest.mark.parametrize("blank", [{"urn": None}, {"votes_valid": None, "votes_blank": None, "urn": 0}])
def test_a_side_that_is_blank_altogether_equals_nothing(form: Form, blank: dict[str, int | None]) -> None:
    result = checked(form, **blank)["urn"]
    assert (result.holds, result.reason) == (False, "totalBlank")


def test_above_the_bound(form: Form) -> None:
    result = checked(form, voters=41)["voters"]
    assert (result.holds, result.difference, result.reason) == (False, 4, "aboveBound")
    assert result.detail == "above voters (41): votes.valid (42), urn (45)"
    assert checked(form, voters=45)["voters"] == held("voters")


def test_a_blank_bound_bounds_nothing(form: Form) -> None:
    result = checked(form, voters=None, votes_a=0, votes_valid=0, urn=None)["voters"]
    assert (result.holds, result.difference, result.reason) == (False, 0, "boundBlank")


def test_what_was_not_read_is_not_checked(form: Form) -> None:
    results = checked(form, "votes.a")
    for name in ("valid", "voters"):
        assert (results[name].holds, results[name].difference, results[name].reason) == (None, None, "unread")
    assert results["valid"].detail == "could not be read: votes.a"
    assert results["urn"].holds


def test_a_field_without_a_reading_is_not_checked(form: Form) -> None:
    fields = read(GOOD)
    del fields["urn"]
    assert [(result.holds, result.reason) for result in check_rules(form, fields, "sheet")] == [
        (True, None),
        (None, "unread"),
        (None, "unread"),
    ]


def test_a_crop_checks_what_it_shows(form: Form) -> None:
    fields = {name: field for name, field in read(GOOD, "votes.b").items() if name.startswith("votes.")}
    results = check_rules(form, fields, "table")
    assert [(result.holds, result.difference, result.reason) for result in results] == [
        (None, None, "unread"),
        (None, None, "notOnImage"),
        (None, None, "notOnImage"),
    ]
    assert results[1].detail == "not on this part of the sheet: urn"


def test_an_extent_of_another_form_is_refused(form: Form) -> None:
    with pytest.raises(KeyError):
        check_rules(form, {}, "margin")


@given(a=counts, b=counts, valid=counts, blank=counts, urn=counts, voters=counts)
def test_a_rule_holds_exactly_when_the_paper_says_so(
    a: int | None, b: int | None, valid: int | None, blank: int | None, urn: int | None, voters: int | None
) -> None:
    results = checked(load_form(FORM), votes_a=a, votes_b=b, votes_valid=valid, votes_blank=blank, urn=urn, voters=voters)
    assert results["valid"].holds == (valid is not None and (a or 0) + (b or 0) == valid)
    assert results["valid"].difference == (a or 0) + (b or 0) - (valid or 0)
    written = urn is not None and (valid, blank) != (None, None)
    assert results["urn"].holds == (written and (valid or 0) + (blank or 0) == urn)
    assert results["urn"].difference == (valid or 0) + (blank or 0) - (urn or 0)
    highest = max(a or 0, valid or 0, urn or 0)
    assert results["voters"].holds == (voters is not None and highest <= voters)
    assert results["voters"].difference == max(0, highest - (voters or 0))
    assert all((result.reason is None) == bool(result.holds) for result in results.values())
