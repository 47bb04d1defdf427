"""A tally sheet as a table that a person reads: its numbers, whether they add up, and what happens to the sheet."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from edge.decision import Disposition
from edge.definition.form import Form
from edge.tally.result import DASH_LABEL, EMPTY_LABEL, FieldReading, RuleResult, Suggestion, TallyInterpretation

Row = tuple[str, str]
"""A text, and a value at the right edge or nothing."""

_VERDICTS = {
    "accept": "ACCEPT: every field was read and the numbers agree.",
    "return": "RETURN: this sheet cannot be read as this form.",
    "hold": "HOLD: a person must look at this sheet.",
}
_COLOURS = {"accept": "1;32", "return": "1;31", "hold": "1;33"}
_INDENT = "    "
_WIDTHS = (48, 120)
"""Columns: a narrower table would break its own rows, a wider one would part a label from its number."""
_BLANK, _UNREAD = "blank", "?"


def form_table(
    interpretation: TallyInterpretation, disposition: Disposition, form: Form, *, width: int = 80, colour: bool = False
) -> str:
    """The whole table, without a final newline.

    Text from the form and from barcodes is shown without control characters, so that neither can drive the terminal.

    Args:
        interpretation: The sheet as read.
        disposition: What happens to it.
        form: What it was read by.
        width: Columns of the terminal.
        colour: Whether the verdict is coloured.
    """
    width = min(max(width, _WIDTHS[0]), _WIDTHS[1])
    blocks = [_head(interpretation, form)]
    if interpretation.extent is not None:
        shown = form.names_on(interpretation.extent)
        blocks += [
            _numbers(group.title, [(row.label, f"{group.name}.{row.name}") for row in group.rows], interpretation, shown)
            for group in form.groups
        ]
        others = [(field.label, field.name) for field in form.fields] + [(code.label, code.name) for code in form.codes]
        blocks.append(_numbers("Other fields" if form.groups else "Fields", others, interpretation, shown))
        blocks.append([("Rules", ""), *map(_rule, interpretation.rules)] if interpretation.rules else [])
        blocks.append(_suggestions(interpretation.suggestions))
    rows = [row for block in blocks if block for row in (*block, ("", ""))]
    lines = [line for row in rows for line in _fit(row, width)]
    verdict = _VERDICTS[disposition.kind]
    lines += ["=" * width, f"\x1b[{_COLOURS[disposition.kind]}m{verdict}\x1b[0m" if colour else verdict]
    for reason in disposition.reasons:
        lines += _fit((f"- {reason.detail} ({reason.code})" if reason.detail else f"- {reason.code}", ""), width)
    lines.append("=" * width)
    return "\n".join(lines)


def _fit(row: Row, width: int) -> list[str]:
    """The row in lines: what is too long goes on below, further in."""
    text, value = (_printable(part) for part in row)
    indent = _INDENT if row[0].startswith(_INDENT) else ""
    room = max(width - (len(value) + 1 if value else 0), _WIDTHS[0] // 2)
    wrapper = textwrap.TextWrapper(room, initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False)
    lines = wrapper.wrap(text) or [""]
    if value:
        lines[0] = f"{lines[0]:<{width - len(value)}}{value}"
    return lines


def _printable(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _head(interpretation: TallyInterpretation, form: Form) -> list[Row]:
    rows = [(form.title, "")]
    placement = interpretation.placement
    if placement is None:
        return rows
    facts = [
        f"form {form.name}",
        "the whole sheet" if interpretation.extent == "sheet" else f"the part {interpretation.extent} alone",
        "upside down" if placement.upside_down else "right way up",
        f"{placement.dpi} dpi",
        f"{placement.matched} of {placement.expected} frames found",
    ]
    return [*rows, (", ".join(facts), "")]


def _numbers(title: str, named: Iterable[Row], interpretation: TallyInterpretation, shown: frozenset[str]) -> list[Row]:
    """The fields of a group that the image shows, by label."""
    rows = [(f"{_INDENT}{label}", _value(interpretation.fields.get(name))) for label, name in named if name in shown]
    return [(title, ""), *rows] if rows else []


def _value(field: FieldReading | None) -> str:
    """The value, or the cells as far as they were read with the reason."""
    if field is None:
        return _UNREAD
    if field.read:
        return _BLANK if field.value is None else str(field.value)
    letters = {"empty": "_", "dash": "-", "unreadable": _UNREAD}
    seen = "".join(letters.get(cell.state, str(cell.digit)) for cell in field.cells)
    return f"{seen or _UNREAD} ({field.reason})"


def _rule(rule: RuleResult) -> Row:
    if rule.holds:
        return f"{_INDENT}[x] {rule.name}", ""
    if rule.holds is None:
        return f"{_INDENT}[ ] {rule.name}: not checked; {rule.detail or rule.reason}", ""
    return f"{_INDENT}[!] {rule.name}: {rule.detail or rule.reason}", f"{rule.difference:+}"


def _suggestions(suggestions: tuple[Suggestion, ...]) -> list[Row]:
    if not suggestions:
        return []
    return [("What a person might look at (nothing was changed)", ""), *map(_suggestion, suggestions)]


def _suggestion(suggestion: Suggestion) -> Row:
    mended = ", ".join(suggestion.mends)
    if suggestion.cell is None:
        return f"{_INDENT}{suggestion.field}: left blank; {suggestion.value} would mend {mended}", ""
    before, after = _label(suggestion.before), _label(suggestion.after)
    cell = suggestion.cell + 1
    return f"{_INDENT}{suggestion.field}: cell {cell} as {after}, not {before}, makes {suggestion.value}; mends {mended}", ""


def _label(label: int | None) -> str:
    return {EMPTY_LABEL: "empty", DASH_LABEL: "a dash"}.get(-1 if label is None else label, str(label))
