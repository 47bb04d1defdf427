"""What the people at the table wrote, cell by cell: a result that adds up, or the mistakes that were asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from edge.definition.form import Form, FormField, SumRule, rule_fields
from hil.paper.forms.numbers import capacity, holds, made_up_counts, totals
from hil.paper.forms.truth import Value

MISTAKES: Mapping[str, str] = {
    "wrong-sum": "one number is another than the sum asks for",
    "blank-total": "a total is left blank",
    "crossed-out": "a number is crossed out and the right one is written small beside it",
    "overwritten": "a digit is written over another",
    "outside-cell": "a digit stands on or beyond its cell's frame",
    "leading-dashes": "dashes fill the cells before a number",
}
"""What people do wrong when asked to, and what it means."""

SPOILING = frozenset({"crossed-out", "overwritten"})
"""Mistakes after which no reader is asked to read the field."""

BLANK, DASH = " ", "-"


@dataclass(frozen=True, slots=True)
class Entry:
    """One field as filled in.

    Attributes:
        cells: One character a cell: a digit, BLANK or DASH.
        meant: The value that the person meant.
        flaw: Name of the mistake made here, or None.
        flawed_cell: The cell in which it was made.
        first_written: For `overwritten` the digit below, for `crossed-out` the whole text that was crossed out.
        long_dash: The dashes are one stroke through all of them.
    """

    cells: str
    meant: Value
    flaw: str | None = None
    flawed_cell: int = 0
    first_written: str = ""
    long_dash: bool = False

    @property
    def spoiled(self) -> bool:
        """Whether no reader is asked to read this."""
        return self.flaw in SPOILING

    @property
    def dashed(self) -> bool:
        """Whether there are dashes and no digit."""
        return DASH in self.cells and not any(character.isdigit() for character in self.cells)

    @property
    def told(self) -> str:
        """The cells as the truth tells them: `?` where nobody is asked to read."""
        if self.flaw in {"overwritten", "outside-cell"}:
            return self.cells[: self.flawed_cell] + "?" + self.cells[self.flawed_cell + 1 :]
        return "?" * len(self.cells) if self.spoiled else self.cells


@dataclass(frozen=True, slots=True)
class Story:
    """A whole sheet.

    Attributes:
        entries: Every field with cells by its name.
        codes: Texts of the codes by their names.
        mistakes: Those that were really made; a form without sums has no wrong sum.
    """

    entries: Mapping[str, Entry]
    codes: Mapping[str, str]
    mistakes: tuple[str, ...] = field(default=())

    def values(self) -> dict[str, Value]:
        """Every field and code on paper; for spoiled ones what was meant."""
        return {**{name: entry.meant for name, entry in self.entries.items()}, **self.codes}


@dataclass(frozen=True, slots=True)
class _Habit:
    """How one person fills cells: leading zeros, and what stands for zero."""

    leading: bool
    left: bool
    zero: str

    def write(self, field: FormField, value: int | str | None, *, must: bool) -> str:
        """The characters in a field's cells; with `must` zero is written, too."""
        width = field.cells * len(field.boxes)
        if value is None:
            return BLANK * width
        if isinstance(value, str):
            return value.replace(":", "")
        if field.written == "hand" and value == 0 and not must and self.zero != "digit":
            return {"blank": BLANK * width, "dash": DASH.rjust(width), "dashes": DASH * width}[self.zero]
        if self.leading:
            return str(value).zfill(width)
        return str(value).ljust(width) if self.left and field.written == "hand" else str(value).rjust(width)


def tell_story(form: Form, mistakes: tuple[str, ...], rng: np.random.Generator) -> Story:
    """Fills in a form.

    Args:
        form: Any form.
        mistakes: Names from MISTAKES, made in turn and in different fields where there are enough.
        rng: Decides everything else.

    Raises:
        KeyError: for a mistake that is not in MISTAKES.
    """
    for mistake in mistakes:
        MISTAKES[mistake]
    counts: dict[str, int | None] = dict(made_up_counts(form, rng))
    habit = _Habit(
        leading=bool(rng.random() < 0.45),
        left=bool(rng.random() < 0.15),
        zero=str(rng.choice(("digit", "blank", "dash", "dashes"), p=(0.45, 0.35, 0.08, 0.12))),
    )
    if habit.leading:
        habit = replace(habit, zero="digit" if rng.random() < 0.75 else habit.zero)
    asked = [mistake for mistake in ("wrong-sum", "blank-total") if mistake in mistakes]
    made: list[str] = [mistake for mistake in asked if _spoil_sum(form, counts, mistake, rng)]
    long_dash = bool(rng.random() < 0.5)
    must = totals(form)
    entries = {}
    for part in form.all_fields:
        value = counts[part.name] if part.kind == "count" else _time(rng)
        cells = habit.write(part, value, must=part.name in must)
        # A stroke through everything needs cells that touch.
        entries[part.name] = Entry(cells, value if cells.strip() else None, long_dash=long_dash and len(part.boxes) == 1)
    free = [part for part in form.all_fields if part.written == "hand"]
    for mistake in mistakes:
        if mistake not in made and (name := _spoil_field(form, free, entries, mistake, rng)) is not None:
            made.append(mistake)
            free = [part for part in free if part.name != name]
    codes = {code.name: _code(code.digits, rng) for code in form.codes}
    return Story(entries, codes, tuple(made))


def rules_on_paper(form: Form, story: Story, names: frozenset[str]) -> dict[str, bool | None]:
    """Whether each rule holds for what stands on paper; None when a field is not among `names` or is spoiled."""
    # Dashes are no number, as blank paper is none.
    values = {
        name: None if entry.dashed else entry.meant for name, entry in story.entries.items() if not isinstance(entry.meant, str)
    }
    found: dict[str, bool | None] = {}
    for rule in form.rules:
        fields = rule_fields(rule)
        unsure = any(name not in names or story.entries[name].spoiled for name in fields)
        found[rule.name] = None if unsure else holds(rule, values)
    return found


def _time(rng: np.random.Generator) -> str:
    minute = int(rng.integers(60)) if rng.random() < 0.5 else int(rng.choice((0, 15, 30, 45)))
    return f"{int(rng.integers(24)):02d}:{minute:02d}"


def _code(digits: tuple[int, int], rng: np.random.Generator) -> str:
    least, most = digits
    length = int(rng.integers(max(least, min(4, most)), most + 1))
    return str(rng.integers(1, 10)) + "".join(str(digit) for digit in rng.integers(0, 10, length - 1))


def _spoil_sum(form: Form, counts: dict[str, int | None], mistake: str, rng: np.random.Generator) -> bool:
    """Changes a number, or blanks a total, so that a rule breaks."""
    sums = [rule for rule in form.rules if isinstance(rule, SumRule)]
    names = [rule.total for rule in sums]
    if mistake == "wrong-sum":
        names += [name for rule in sums for name in rule.addends]
    names = sorted({name for name in names if form.by_name[name].written == "hand"})
    for index in rng.permutation(len(names)).tolist():
        name = names[index]
        before = counts[name]
        if before is None:
            continue
        counts[name] = None if mistake == "blank-total" else _another(before, capacity(form, name), rng)
        if not all(holds(rule, counts) for rule in form.rules):
            return True
        counts[name] = before
    return False


def _another(value: int, most: int, rng: np.random.Generator) -> int:
    """A slip: a digit misread, two digits swapped, one more or less, or ten."""
    text = str(value)
    slips = [value + int(step) for step in (1, -1, 10, -10)]
    place = int(rng.integers(len(text)))
    slips.append(int(text[:place] + str((int(text[place]) + int(rng.integers(1, 10))) % 10) + text[place + 1 :]))
    if len(text) > 1:
        slips.append(int(text[1] + text[0] + text[2:]))
    possible = [slip for slip in slips if 0 <= slip <= most and slip != value]
    return possible[int(rng.integers(len(possible)))]


def _spoil_field(
    form: Form, free: list[FormField], entries: dict[str, Entry], mistake: str, rng: np.random.Generator
) -> str | None:
    """Makes a mistake in one of the free fields, in place; the field's name, or None when none is fit for it."""
    for index in rng.permutation(len(free)).tolist():
        part: FormField = free[index]
        entry = entries[part.name]
        filled = [place for place, character in enumerate(entry.cells) if character.isdigit()]
        if not filled:
            continue
        place = int(rng.choice(filled))
        spoiled = replace(entry, flaw=mistake, flawed_cell=place)
        match mistake:
            case "overwritten":
                other = (int(entry.cells[place]) + int(rng.integers(1, 10))) % 10
                spoiled = replace(spoiled, first_written=str(other))
            case "crossed-out":
                if part.kind != "count" or not isinstance(entry.meant, int):
                    continue
                wrong = _another(entry.meant, capacity(form, part.name), rng)
                spoiled = replace(spoiled, first_written=str(wrong).rjust(len(entry.cells)))
            case "leading-dashes":
                number = entry.cells.strip()
                shorter = number.lstrip("0") or "0"
                if part.kind != "count" or len(shorter) == len(entry.cells):
                    continue
                spoiled = replace(spoiled, cells=shorter.rjust(len(entry.cells), DASH))
            case _:
                pass
        entries[part.name] = spoiled
        return part.name
    return None
