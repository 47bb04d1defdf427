"""Made-up results: they obey the rules unless a mistake is asked for, and the cells say what the truth says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.definition.form import Form, load_form, shipped_form, shipped_forms
from edge.tally.result import FieldReading
from edge.tally.rules import check_rules
from hil.paper.forms import numbers
from hil.paper.forms.numbers import UnlikelyFormError, capacity, holds, made_up_counts, totals
from hil.paper.forms.story import MISTAKES, SPOILING, Entry, rules_on_paper, tell_story

FORMS = {name: load_form(shipped_form(name)) for name in shipped_forms()}

THREE_WAYS = b"""
format = "scrutineer-form-1"
name = "three-ways"
title = "A form whose equality has several fields on both sides"
size = [20000, 20000]
colours = { pen = ["blue"], print = [] }
fields = [
    { name = "a", label = "A", boxes = [[3000, 4000, 3000, 900]], cells = 3 },
    { name = "b", label = "B", boxes = [[3000, 6000, 3000, 900]], cells = 3 },
    { name = "c", label = "C", boxes = [[3000, 8000, 3000, 900]], cells = 3 },
    { name = "d", label = "D", boxes = [[3000, 10000, 2000, 900]], cells = 2 },
    { name = "most", label = "Most", boxes = [[3000, 12000, 3000, 900]], cells = 3 },
]
rules = [
    { kind = "equal", name = "both", left = ["a", "b"], right = ["c", "d"] },
    { kind = "at-most", name = "most", fields = ["a", "c"], bound = "most" },
]
"""


def every_form() -> list[Form]:
    return [*FORMS.values(), load_form(THREE_WAYS)]


@given(seed=st.integers(0, 2**32), which=st.integers(0, len(FORMS)))
def test_made_up_counts_obey_every_rule_and_fit_their_cells(seed: int, which: int) -> None:
    form = every_form()[which]
    counts = made_up_counts(form, np.random.default_rng(seed))
    assert counts.keys() == {field.name for field in form.all_fields if field.kind == "count"}
    assert all(holds(rule, counts) for rule in form.rules)
    assert all(0 <= value <= capacity(form, name) for name, value in counts.items())


def test_numbers_are_of_many_sizes() -> None:
    for form in FORMS.values():
        lengths = {
            len(str(value)) for seed in range(30) for value in made_up_counts(form, np.random.default_rng(seed)).values() if value
        }
        assert lengths >= {1, 2, 3}


def test_rules_that_no_draw_obeys_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbers, "_draw", lambda form, _rng: dict.fromkeys(form.by_name, 1) | {"most": 0})
    with pytest.raises(UnlikelyFormError, match="three-ways"):
        made_up_counts(load_form(THREE_WAYS), np.random.default_rng(1))


@given(seed=st.integers(0, 2**32), which=st.sampled_from(sorted(FORMS)))
def test_a_story_without_mistakes_adds_up_on_paper(seed: int, which: str) -> None:
    form = FORMS[which]
    story = tell_story(form, (), np.random.default_rng(seed))
    assert set(rules_on_paper(form, story, frozenset(story.entries)).values()) == {True}
    assert not any(entry.spoiled for entry in story.entries.values())
    assert all(story.entries[name].meant is not None for name in totals(form))


@given(seed=st.integers(0, 2**32), which=st.sampled_from(sorted(FORMS)), mistake=st.sampled_from(sorted(MISTAKES)))
def test_the_cells_say_what_was_meant(seed: int, which: str, mistake: str) -> None:
    form = FORMS[which]
    story = tell_story(form, (mistake,), np.random.default_rng(seed))
    for field in form.all_fields:
        entry = story.entries[field.name]
        assert len(entry.cells) == field.cells * len(field.boxes)
        if not entry.spoiled:
            assert ("?" in entry.told) == (entry.flaw == "outside-cell")
            assert entry.told == entry.cells or entry.flaw == "outside-cell"
            assert _read(entry) == entry.meant
    for code in form.codes:
        text = story.codes[code.name]
        assert text.isdigit()
        assert code.digits[0] <= len(text) <= code.digits[1]


def _read(entry: Entry) -> int | str | None:
    digits = entry.cells.strip(" -")
    if isinstance(entry.meant, str):
        return f"{digits[:2]}:{digits[2:]}"
    return 0 if entry.dashed else int(digits) if digits else None


@given(seed=st.integers(0, 2**32), which=st.sampled_from(sorted(FORMS)), mistake=st.sampled_from(["wrong-sum", "blank-total"]))
def test_a_wrong_sum_and_a_blank_total_break_a_rule(seed: int, which: str, mistake: str) -> None:
    form = FORMS[which]
    story = tell_story(form, (mistake,), np.random.default_rng(seed))
    assert story.mistakes == (mistake,)
    assert False in rules_on_paper(form, story, frozenset(story.entries)).values()


@pytest.mark.parametrize("mistake", sorted(set(MISTAKES) - {"wrong-sum", "blank-total"}))
def test_a_mistake_is_made_in_one_field(mistake: str) -> None:
    made = 0
    for seed in range(30):
        for form in FORMS.values():
            story = tell_story(form, (mistake,), np.random.default_rng(seed))
            flawed = [entry for entry in story.entries.values() if entry.flaw == mistake]
            assert len(flawed) == len(story.mistakes) <= 1
            assert all(entry.spoiled == (mistake in SPOILING) for entry in flawed)
            made += len(flawed)
    # Every number of a sheet may fill its cells, so that no dash has room before it.
    assert made > 50


@pytest.mark.parametrize("mistake", ["wrong-sum", "blank-total", "leading-dashes", None])
def test_the_product_judges_the_rules_alike(mistake: str | None) -> None:
    for seed in range(40):
        for form in FORMS.values():
            story = tell_story(form, () if mistake is None else (mistake,), np.random.default_rng(seed))
            readings = {
                name: FieldReading(name, None if entry.dashed else entry.meant, None) for name, entry in story.entries.items()
            }
            judged = {rule.name: rule.holds for rule in check_rules(form, readings, "sheet")}
            assert judged == rules_on_paper(form, story, frozenset(story.entries))


def test_an_unknown_mistake_is_refused() -> None:
    with pytest.raises(KeyError):
        tell_story(FORMS["lumen-harbour"], ("wrong",), np.random.default_rng(0))
