"""Made-up results that obey a form's rules, and the rules said once more, apart from the product's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from edge.definition.form import AtMostRule, EqualRule, Form, Rule, SumRule

_TRIES = 2000


class UnlikelyFormError(Exception):
    """No numbers were found that obey the rules of a form."""


@dataclass(frozen=True, slots=True)
class _Equation:
    """Two sums of fields that are equal."""

    left: tuple[str, ...]
    right: tuple[str, ...]


def _equations(form: Form) -> list[_Equation]:
    found = []
    for rule in form.rules:
        match rule:
            case SumRule():
                found.append(_Equation(rule.addends, (rule.total,)))
            case EqualRule():
                found.append(_Equation(rule.left, rule.right))
            case AtMostRule():
                pass
    return found


def capacity(form: Form, name: str) -> int:
    """The largest number that a count's cells hold."""
    field = form.by_name[name]
    return int(10 ** (field.cells * len(field.boxes)) - 1)


def totals(form: Form) -> frozenset[str]:
    """Fields that must not be left blank: totals, bounds, and fields that alone are one side of an equation."""
    found = {rule.bound for rule in form.rules if isinstance(rule, AtMostRule)}
    for equation in _equations(form):
        found |= {side[0] for side in (equation.left, equation.right) if len(side) == 1}
    return frozenset(found)


def made_up_counts(form: Form, rng: np.random.Generator) -> dict[str, int]:
    """A number for every count, so that all rules hold.

    Wholes are drawn first and split into their parts, as ballots are; a draw that contradicts itself is thrown away.

    Raises:
        UnlikelyFormError: nothing was found in many tries.
    """
    for _ in range(_TRIES):
        values = _draw(form, rng)
        if values is not None and all(holds(rule, values) for rule in form.rules):
            return values
    raise UnlikelyFormError(f"no numbers obey the rules of {form.name}")


def _draw(form: Form, rng: np.random.Generator) -> dict[str, int] | None:
    names = [field.name for field in form.all_fields if field.kind == "count"]
    equations = _equations(form)
    bounds = [rule for rule in form.rules if isinstance(rule, AtMostRule)]
    bound_names = {rule.bound for rule in bounds}
    parts = {name for equation in equations for side in (equation.left, equation.right) if len(side) > 1 for name in side}
    singles = {name for equation in equations for side in (equation.left, equation.right) if len(side) == 1 for name in side}
    # What is bounded by many comes first, then the wholes that are nobody's part, then the rest from the top of the form.
    order = sorted(names, key=lambda name: (name not in bound_names, name in parts, name not in singles))
    scale = int(np.exp(rng.uniform(np.log(30), np.log(min([capacity(form, name) for name in bound_names] or [900])))))
    values: dict[str, int] = {}
    for name in order:
        if name not in values:
            limit = min([capacity(form, name), *(values[rule.bound] for rule in bounds if name in rule.fields)])
            share = 1.0 if name in bound_names else rng.uniform(0.55, 1.0) if name in singles else rng.uniform(0.0, 0.3)
            values[name] = min(int(scale * share), limit)
        if not _propagate(form, equations, values, rng):
            return None
    return values


def _propagate(form: Form, equations: list[_Equation], values: dict[str, int], rng: np.random.Generator) -> bool:
    """Splits every known side among the unknown fields of the other side until nothing moves; False for a contradiction."""
    wholes = {rule.total for rule in form.rules if isinstance(rule, SumRule)}
    moved = True
    while moved:
        moved = False
        for equation in equations:
            for known, other in ((equation.left, equation.right), (equation.right, equation.left)):
                unknown = [name for name in other if name not in values]
                if not unknown or any(name not in values for name in known):
                    continue
                rest = sum(values[name] for name in known) - sum(values[name] for name in other if name in values)
                if rest < 0:
                    return False
                pieces = _split(rest, [name in wholes for name in unknown], rng)
                if any(piece > capacity(form, name) for name, piece in zip(unknown, pieces, strict=True)):
                    return False
                values.update(zip(unknown, pieces, strict=True))
                moved = True
    return True


def _split(whole: int, large: list[bool], rng: np.random.Generator) -> list[int]:
    """`whole` in as many parts as `large` has items, those marked so larger than others, and uneven, as votes fall."""
    weights = rng.dirichlet(np.where(large, 12.0, rng.uniform(0.6, 2.5)))
    return [int(part) for part in rng.multinomial(whole, weights)]


def holds(rule: Rule, values: Mapping[str, int | None]) -> bool:
    """Whether a rule holds: a blank addend is nothing, a blank total, bound or side of an equality breaks it."""
    match rule:
        case SumRule():
            return values[rule.total] is not None and _sum(rule.addends, values) == values[rule.total]
        case EqualRule():
            written = all(any(values[name] is not None for name in side) for side in (rule.left, rule.right))
            return written and _sum(rule.left, values) == _sum(rule.right, values)
        case AtMostRule():
            bound = values[rule.bound]
            return bound is not None and all((values[name] or 0) <= bound for name in rule.fields)


def _sum(names: tuple[str, ...], values: Mapping[str, int | None]) -> int:
    return sum(values[name] or 0 for name in names)
