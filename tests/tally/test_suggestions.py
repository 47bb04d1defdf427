"""Suggestions: what one misreading would explain, nearest first, and never more than a suggestion."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.definition.form import Form, load_form, rule_fields
from edge.page.area import Area
from edge.tally.result import DASH_LABEL, EMPTY_LABEL, LABELS, UNREADABLE_LABEL, CellReading, FieldReading, Suggestion
from edge.tally.rules import check_rule, check_rules, read_counts
from edge.tally.suggestions import MOST_SUGGESTIONS, suggest
from tests.tally.test_rules import FORM, GOOD, read

BEST, FAR = 100, -100


@pytest.fixture(scope="module")
def form() -> Form:
    return load_form(FORM)


def cell(label: int, near: Mapping[int, int] | None = None) -> CellReading:
    """A cell that is sure of its label; `near` scores other labels, the rest are far."""
    scores = dict.fromkeys(range(LABELS), FAR) | dict(near or {}) | {label: BEST}
    ranked = tuple(sorted(scores.items(), key=lambda pair: (-pair[1], pair[0])))
    state = {EMPTY_LABEL: "empty", DASH_LABEL: "dash", UNREADABLE_LABEL: "unreadable"}.get(label, "digit")
    return CellReading(
        state=state,  # type: ignore[arg-type]
        digit=label if label < EMPTY_LABEL else None,
        label=label,
        margin=100,
        confidence=9990,
        accepted=True,
        ranked=ranked,
        doubt=None,
        area=Area(0, 0, 50, 50),
    )


def written(name: str, text: str, near: Mapping[int, Mapping[int, int]] | None = None) -> FieldReading:
    """A field as it stands in its cells: digits, blanks and dashes. `near`: other labels' scores by cell."""
    labels = [{" ": EMPTY_LABEL, "-": DASH_LABEL}.get(letter) or int(letter) for letter in text]
    digits = text.strip(" -")
    cells = tuple(cell(label, (near or {}).get(place)) for place, label in enumerate(labels))
    return FieldReading(name, int(digits) if digits else None, None, cells)


def sheet(**changed: FieldReading | str | None) -> dict[str, FieldReading]:
    """The good sheet in three cells a field, with some fields written otherwise."""
    fields = {name: written(name, f"{value:3}") for name, value in GOOD.items()}
    for name, field in changed.items():
        place = name.replace("_", ".")
        fields[place] = written(place, field or "   ") if field is None or isinstance(field, str) else field
    return fields


def suggested(form: Form, fields: Mapping[str, FieldReading]) -> tuple[Suggestion, ...]:
    return suggest(form, fields, check_rules(form, fields, "sheet"))


def test_nothing_is_suggested_where_all_rules_hold(form: Form) -> None:
    assert suggested(form, sheet()) == ()


def test_the_one_digit_that_explains_two_broken_rules(form: Form) -> None:
    fields = sheet(votes_valid=" 47")
    first, *others = suggested(form, fields)
    assert first == Suggestion("votes.valid", 2, 7, 2, 42, ("valid", "urn"))
    assert all(len(other.mends) == 1 for other in others)


def test_what_mends_more_comes_before_what_is_nearer(form: Form) -> None:
    fields = sheet(votes_valid=" 47", votes_a=written("votes.a", " 30", {2: {5: 99}}))
    assert [found.field for found in suggested(form, fields)][:2] == ["votes.valid", "votes.a"]


def test_what_the_reader_thought_nearest_comes_first(form: Form) -> None:
    fields = sheet(
        votes_a=written("votes.a", " 37", {2: {0: 50}}),
        votes_b=written("votes.b", " 12", {2: {5: 90}}),
        votes_valid=" 42",
    )
    assert [(found.field, found.cell, found.after, found.mends) for found in suggested(form, fields)] == [
        ("votes.a", 2, 0, ("valid",)),
    ]
    fields = sheet(votes_a=" 35", votes_b=written("votes.b", " 17", {2: {2: 60}}), votes_valid=" 47", urn=" 50")
    assert [(found.field, found.after, found.value) for found in suggested(form, fields)] == [
        ("votes.b", 2, 12),
        ("votes.a", 0, 30),
    ]


def test_equally_near_ones_go_by_name(form: Form) -> None:
    fields = sheet(votes_a=" 35", votes_b=" 17", votes_valid=" 47", urn=" 50")
    assert [found.field for found in suggested(form, fields)] == ["votes.a", "votes.b"]


def test_a_reading_that_breaks_another_rule_is_not_suggested(form: Form) -> None:
    # 41 + 1 papers: votes.valid as 41 would mend the sum, and break the count of the urn, which holds.
    fields = sheet(votes_a=" 29", votes_b=" 12")
    assert all(found.field != "votes.valid" for found in suggested(form, fields))
    assert {check_rule(rule, read_counts(fields)).holds for rule in form.rules if rule.name == "urn"} == {True}


def test_a_stray_stroke_taken_for_a_digit(form: Form) -> None:
    fields = sheet(votes_a="130")
    both = ("valid", "voters")
    assert suggested(form, fields)[:2] == (
        Suggestion("votes.a", 0, 1, 0, 30, both),
        Suggestion("votes.a", 0, 1, EMPTY_LABEL, 30, both),
    )


def test_a_digit_taken_for_an_empty_cell(form: Form) -> None:
    fields = sheet(votes_a=" 3 ", votes_b=" 12")
    assert Suggestion("votes.a", 2, EMPTY_LABEL, 0, 30, ("valid",)) in suggested(form, fields)


def test_a_dash_taken_for_a_digit_and_the_other_way_round(form: Form) -> None:
    fields = sheet(votes_a=" 41", votes_b=" -1", votes_valid=" 42")
    assert suggested(form, fields) == ()
    fields = sheet(votes_a=" 41", votes_b="  -", votes_valid=" 42")
    assert Suggestion("votes.b", 2, DASH_LABEL, 1, 1, ("valid",)) in suggested(form, fields)
    fields = sheet(votes_a=" 41", votes_b="11-", votes_valid=" 42")
    assert Suggestion("votes.b", 0, 1, DASH_LABEL, 1, ("valid",)) in suggested(form, fields)


def test_a_reading_that_leaves_no_number_is_not_suggested(form: Form) -> None:
    # Empty in the middle would tear the number apart; without its only digit nothing would be left of it.
    torn = suggested(form, sheet(votes_a="112", votes_b=" 12", votes_valid=" 24", votes_blank=" 21"))
    assert all(found.after < EMPTY_LABEL for found in torn if (found.field, found.cell) == ("votes.a", 1))
    gone = suggested(form, sheet(votes_a="  1", votes_b=" 42"))
    assert all(found.after < EMPTY_LABEL for found in gone if found.field == "votes.a")


def test_a_blank_total_is_written_out(form: Form) -> None:
    fields = sheet(votes_valid=None)
    first, *others = suggested(form, fields)
    assert first == Suggestion("votes.valid", None, None, 42, 42, ("valid", "urn"))
    assert others == []


def test_a_blank_side_of_an_equality_is_written_out(form: Form) -> None:
    assert suggested(form, sheet(urn=None))[0] == Suggestion("urn", None, None, 45, 45, ("urn",))


def test_a_blank_total_that_would_break_a_rule_is_not_written_out(form: Form) -> None:
    fields = sheet(votes_valid=None, voters=" 41")
    assert all(found.cell is not None for found in suggested(form, fields))


def test_a_blank_total_of_nothing_written_stays_blank(form: Form) -> None:
    fields = sheet(votes_a=None, votes_b=None, votes_valid=None, votes_blank=" 45")
    assert all(found.cell is not None for found in suggested(form, fields))


def test_a_total_that_does_not_fit_into_its_cells_is_not_suggested(form: Form) -> None:
    fields = sheet(votes_a="900", votes_b="900", votes_valid=None, votes_blank=None, urn=None, voters="999")
    assert all(found.cell is not None for found in suggested(form, fields))


def test_unread_fields_are_left_alone(form: Form) -> None:
    fields = sheet(votes_valid=" 47") | read({}, "votes.a")
    # The sum cannot be checked; the count of the urn can.
    found = suggested(form, fields)
    assert all(suggestion.field != "votes.a" and suggestion.mends == ("urn",) for suggestion in found)
    assert Suggestion("votes.valid", 2, 7, 2, 42, ("urn",)) in found


def test_there_are_few(form: Form) -> None:
    fields = sheet(votes_a="100", votes_b="100", votes_valid="100", votes_blank="  0", urn="100", voters="100")
    assert 0 < len(suggested(form, fields)) <= MOST_SUGGESTIONS
    assert len(suggested(form, sheet(voters="  1", urn="  1", votes_valid="  1", votes_blank="  -"))) <= MOST_SUGGESTIONS


numbers = st.integers(0, 60).map(str) | st.sampled_from(["", "-", "00", "---"])


@given(texts=st.tuples(numbers, numbers, numbers, numbers, numbers, numbers))
def test_every_suggestion_mends_what_it_says_and_breaks_nothing(texts: tuple[str, ...]) -> None:
    form = load_form(FORM)
    fields = {name: written(name, f"{text:>3}") for name, text in zip(GOOD, texts, strict=True)}
    before = {result.name: result.holds for result in check_rules(form, fields, "sheet")}
    for found in suggested(form, fields):
        changed = fields | {found.field: FieldReading(found.field, found.value, None)}
        after = {result.name: result.holds for result in check_rules(form, changed, "sheet")}
        mended = tuple(name for name in before if after[name] and not before[name])
        assert mended == found.mends
        assert mended
        assert all(after[rule.name] for rule in form.rules if found.field in rule_fields(rule))
        assert all(after[name] for name in before if before[name])
