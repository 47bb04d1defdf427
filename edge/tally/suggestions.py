"""Which single misreading, or which total left blank, would explain the broken rules of a tally sheet.

For a person who has the paper: nothing here changes what was read. A suggestion makes hold every broken rule that speaks of its
field and breaks none; rules that could not be checked are left out of account.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from edge.definition.form import EqualRule, Form, Rule, SumRule, rule_fields
from edge.tally.fields import read_field
from edge.tally.result import (
    DASH_LABEL,
    EMPTY_LABEL,
    UNREADABLE_LABEL,
    CellReading,
    CellState,
    FieldReading,
    RuleResult,
    Suggestion,
)
from edge.tally.rules import Counts, check_rule, read_counts

MOST_SUGGESTIONS = 5


class _Candidate(NamedTuple):
    """A suggestion and how far it is from what was read; sorted by its parts in this order.

    Attributes:
        far: Steps of the int8 output from the label that was read to the other one; -1 for a blank total, which says nothing
            against itself.
        field: As in the suggestion; so are the others.
        cell: -1 for the whole field.
    """

    far: int
    field: str
    cell: int
    after: int
    before: int | None
    value: int


def suggest(form: Form, fields: Mapping[str, FieldReading], rules: Sequence[RuleResult]) -> tuple[Suggestion, ...]:
    """What a person might look at first where rules are broken.

    Of the fields that were read: one cell read as another digit, as empty or as a dash, where that leaves a number; and a
    total left blank, written out. What mends more rules comes first, since one misreading is likelier than two; then a blank
    total, then the readings that the digit reader thought nearest, then by name.

    Args:
        form: The form.
        fields: What was read, by name.
        rules: What `check_rules` says of them.

    Returns:
        At most `MOST_SUGGESTIONS`.
    """
    outcomes = {result.name: result.holds for result in rules}
    checked = [rule for rule in form.rules if outcomes.get(rule.name) is not None]
    broken = [rule for rule in checked if outcomes[rule.name] is False]
    counts = read_counts(fields)
    found = []
    for candidate in sorted({*_blank_totals(form, broken, counts), *_readings(form, broken, fields)}):
        changed = {**counts, candidate.field: candidate.value}
        affected = [rule for rule in checked if candidate.field in rule_fields(rule)]
        if all(check_rule(rule, changed).holds for rule in affected):
            mended = tuple(rule.name for rule in affected if rule in broken)
            found.append(_suggestion(candidate, mended))
    return tuple(sorted(found, key=lambda suggestion: -len(suggestion.mends))[:MOST_SUGGESTIONS])


def _suggestion(candidate: _Candidate, mended: tuple[str, ...]) -> Suggestion:
    cell = None if candidate.cell < 0 else candidate.cell
    return Suggestion(candidate.field, cell, candidate.before, candidate.after, candidate.value, mended)


def _blank_totals(form: Form, broken: Sequence[Rule], counts: Counts) -> Iterator[_Candidate]:
    """Totals that are blank where the rest of the rule says what they should be, and that fit into their cells."""
    for rule in broken:
        match rule:
            case SumRule():
                sides = [(rule.total, rule.addends)]
            case EqualRule():
                sides = [(one[0], other) for one, other in ((rule.left, rule.right), (rule.right, rule.left)) if len(one) == 1]
            case _:
                sides = []
        for total, parts in sides:
            written = [value for name in parts if (value := counts[name]) is not None]
            field = form.by_name[total]
            if counts[total] is None and written and len(str(sum(written))) <= field.cells * len(field.boxes):
                yield _Candidate(-1, total, -1, sum(written), None, sum(written))


def _readings(form: Form, broken: Sequence[Rule], fields: Mapping[str, FieldReading]) -> Iterator[_Candidate]:
    """Every field of a broken rule with one cell read as something else, where that leaves a number."""
    for name in {name for rule in broken for name in rule_fields(rule)}:
        cells = fields[name].cells
        for place, cell in enumerate(cells):
            for label, far in _other_labels(cell):
                value = read_field(form.by_name[name], (*cells[:place], _as(cell, label), *cells[place + 1 :])).value
                if isinstance(value, int):
                    yield _Candidate(far, name, place, label, cell.label, value)


def _other_labels(cell: CellReading) -> Iterator[tuple[int, int]]:
    """What else a cell might be, and how far the reader thought it from what was read. Empty for a dash changes no sum."""
    scores = dict(cell.ranked)
    blank = {EMPTY_LABEL, DASH_LABEL}
    for label, score in scores.items():
        if label not in {cell.label, UNREADABLE_LABEL} and not {label, cell.label} <= blank:
            yield label, scores[cell.label] - score


def _as(cell: CellReading, label: int) -> CellReading:
    """The cell, were it read as another label."""
    state: CellState = "digit" if label < EMPTY_LABEL else "empty" if label == EMPTY_LABEL else "dash"
    return replace(cell, state=state, digit=label if state == "digit" else None, label=label)
