"""Whether the numbers on a tally sheet obey the rules of its form. Whole numbers, exact.

A blank field is nothing in a sum and no number where a number must stand: a blank total, a blank bound, or a side of an equality
that is blank altogether breaks its rule, even where zero would satisfy it. A rule is not checked when one of its fields is not on
the part of the sheet that the image shows (`notOnImage`) or could not be read (`unread`); its difference is None then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from edge.definition.form import AtMostRule, EqualRule, Form, Rule, SumRule, rule_fields
from edge.tally.result import FieldReading, RuleResult

Counts = Mapping[str, int | None]
"""Values of fields by name; None is blank paper."""


def check_rules(form: Form, fields: Mapping[str, FieldReading], extent: str) -> tuple[RuleResult, ...]:
    """Check every rule of a form.

    Args:
        form: The form.
        fields: What was read, by name.
        extent: Which part of the form the image shows: `sheet` or one of the form's extents.

    Returns:
        One result a rule, in the form's order.

    Raises:
        KeyError: the form has no such extent.
    """
    shown = form.names_on(extent)
    counts = read_counts(fields)
    return tuple(_result(rule, counts, shown) for rule in form.rules)


def read_counts(fields: Mapping[str, FieldReading]) -> dict[str, int | None]:
    """The counts that stand; times, codes and what was not read are left out."""
    return {name: field.value for name, field in fields.items() if field.read and not isinstance(field.value, str)}


def check_rule(rule: Rule, counts: Counts) -> RuleResult:
    """Check one rule whose fields have all been read.

    Raises:
        KeyError: `counts` lacks a field of the rule.
    """
    match rule:
        case SumRule():
            return _check_sum(rule, counts)
        case EqualRule():
            return _check_equal(rule, counts)
        case AtMostRule():
            return _check_at_most(rule, counts)


def _result(rule: Rule, counts: Counts, shown: frozenset[str]) -> RuleResult:
    names = rule_fields(rule)
    absent = [name for name in names if name not in shown]
    if absent:
        return RuleResult(rule.name, None, None, "notOnImage", f"not on this part of the sheet: {_listed(absent)}")
    unread = [name for name in names if name not in counts]
    if unread:
        return RuleResult(rule.name, None, None, "unread", f"could not be read: {_listed(unread)}")
    return check_rule(rule, counts)


def _check_sum(rule: SumRule, counts: Counts) -> RuleResult:
    added, total = _sum(rule.addends, counts), counts[rule.total]
    difference = added - (total or 0)
    if total is None:
        return _broken(rule, "totalBlank", difference, f"{rule.total} is blank, and its parts add up to {added}")
    if difference:
        detail = f"the parts of {rule.total} add up to {added}, and it says {total}"
        return _broken(rule, "notEqual", difference, detail)
    return _held(rule)


def _check_equal(rule: EqualRule, counts: Counts) -> RuleResult:
    left, right = _sum(rule.left, counts), _sum(rule.right, counts)
    for side in (rule.left, rule.right):
        if all(counts[name] is None for name in side):
            verb = "is" if len(side) == 1 else "are"
            return _broken(rule, "totalBlank", left - right, f"{_listed(side)} {verb} blank")
    if left != right:
        detail = f"{_listed(rule.left, ' + ')} is {left}, {_listed(rule.right, ' + ')} is {right}"
        return _broken(rule, "notEqual", left - right, detail)
    return _held(rule)


def _check_at_most(rule: AtMostRule, counts: Counts) -> RuleResult:
    bound = counts[rule.bound]
    values = {name: counts[name] or 0 for name in rule.fields}
    excess = max(0, max(values.values()) - (bound or 0))
    if bound is None:
        return _broken(rule, "boundBlank", excess, f"{rule.bound} is blank")
    if excess:
        above = [f"{name} ({value})" for name, value in values.items() if value > bound]
        return _broken(rule, "aboveBound", excess, f"above {rule.bound} ({bound}): {_listed(above)}")
    return _held(rule)


def _held(rule: Rule) -> RuleResult:
    return RuleResult(rule.name, holds=True, difference=0)


def _broken(rule: Rule, reason: str, difference: int, detail: str) -> RuleResult:
    return RuleResult(rule.name, holds=False, difference=difference, reason=reason, detail=detail)


def _sum(names: Iterable[str], counts: Counts) -> int:
    return sum(counts[name] or 0 for name in names)


def _listed(names: Iterable[str], between: str = ", ") -> str:
    return between.join(names)
