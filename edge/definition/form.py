"""What a tally sheet looks like and what its numbers must obey: a form template, one TOML file.

Lengths are whole hundredths of a millimetre on the upright sheet, x to the right and y down from its top-left corner. A box is
`[x, y, width, height]` between the centre lines of its printed frame. Unknown keys are refused: a misspelt rule must not silently
not hold. Nothing here knows a particular country; the forms that come with the product lie in `forms/`.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import tomllib
from collections.abc import Mapping
from functools import cached_property
from importlib import resources
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator

from edge.definition.box import MOST_LENGTH, Box, FormBox, around
from edge.definition.errors import DefinitionError
from edge.definition.settings import first_problem

MAX_FORM_BYTES = 1 << 18
FORMAT = "scrutineer-form-1"

_NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$"
_FIELD_NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}(\.[A-Za-z0-9][A-Za-z0-9_-]{0,39})?$"

Pen = Literal["black", "blue", "red", "green"]
PrintColour = Literal["red", "yellow", "green", "blue", "magenta", "cyan", "grey"]
Symbology = Literal["code128", "code39"]

ABSORBED: Mapping[Pen, frozenset[int]] = {
    "black": frozenset({0, 1, 2}),
    "blue": frozenset({0, 1}),
    "red": frozenset({1, 2}),
    "green": frozenset({0, 2}),
}
"""Colour channels (0 red, 1 green, 2 blue) in which a pen's ink is dark."""
REFLECTED: Mapping[PrintColour, frozenset[int]] = {
    "red": frozenset({0}),
    "yellow": frozenset({0, 1}),
    "green": frozenset({1}),
    "blue": frozenset({2}),
    "magenta": frozenset({0, 2}),
    "cyan": frozenset({1, 2}),
    "grey": frozenset(),
}
"""Colour channels in which a print colour is pale. Grey print is dark in all of them."""


Name = Annotated[str, Field(pattern=_NAME)]
FieldName = Annotated[str, Field(pattern=_FIELD_NAME)]
Label = Annotated[str, Field(max_length=200)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Colours(_Model):
    """What people write with, and what the form is printed in."""

    pen: tuple[Pen, ...] = Field(min_length=1, strict=False)
    print: tuple[PrintColour, ...] = Field(default=(), strict=False)

    @cached_property
    def channels(self) -> tuple[int, ...]:
        """The channels whose brightest shows the pens alone: each pen is dark in all of them, coloured print pale in one."""
        return tuple(sorted(frozenset.intersection(*(ABSORBED[pen] for pen in self.pen))))

    @model_validator(mode="after")
    def _separable(self) -> Self:
        if not self.channels:
            raise ValueError(f"no colour channel shows all of these pens: {', '.join(self.pen)}")
        for colour in self.print:
            if colour != "grey" and not REFLECTED[colour] & set(self.channels):
                raise ValueError(f"{colour} print cannot be told from the pens {', '.join(self.pen)}")
        return self


class Registration(_Model):
    """What the position is found by.

    Attributes:
        frames: Closed printed frames beside the cells: label boxes and the like, whose inside is even but for writing.
        brackets: Black corner marks, each the box around an L; which corner follows from where it lies.
    """

    frames: tuple[FormBox, ...] = Field(default=(), strict=False)
    brackets: tuple[FormBox, ...] = Field(default=(), strict=False, max_length=4)


class FormField(_Model):
    """Numbers in a row of cells, or in several rows that are read one after the other.

    Attributes:
        name: Unique on the form; `group.row` in a group.
        label: What is printed beside it.
        kind: `count`: a whole number, right or left in its cells, blank paper allowed. `time`: four digits, hours and minutes.
        written: By hand, or printed beforehand.
        boxes: Frames of the rows of cells.
        cells: Cells in each box, of equal width.
    """

    name: FieldName
    label: Label
    kind: Literal["count", "time"] = "count"
    written: Literal["hand", "print"] = "hand"
    boxes: tuple[FormBox, ...] = Field(min_length=1, max_length=4, strict=False)
    cells: int = Field(ge=1, le=12)

    @model_validator(mode="after")
    def _time_has_four(self) -> Self:
        if self.kind == "time" and self.cells * len(self.boxes) != 4:
            raise ValueError(f"{self.name}: a time has four cells")
        return self

    def cell_boxes(self) -> tuple[Box, ...]:
        """Every cell in reading order; widths differ by at most a hundredth of a millimetre."""
        found = []
        for box in self.boxes:
            edges = [box.x + (box.width * number) // self.cells for number in range(self.cells + 1)]
            found += [Box(left, box.y, right - left, box.height) for left, right in itertools.pairwise(edges)]
        return tuple(found)


class Row(_Model):
    """One field of a group: its place in the group's column."""

    name: Name
    label: Label
    y: int = Field(ge=0, le=MOST_LENGTH)


class Group(_Model):
    """A column of fields of one size.

    Attributes:
        name: First part of its fields' names.
        title: What is printed above.
        x: Left edge of the cells' frames.
        width: Their width.
        height: Their height.
        cells: Cells in a row.
        rows: The fields from top to bottom.
    """

    name: Name
    title: Label
    x: int = Field(ge=0, le=MOST_LENGTH)
    width: int = Field(gt=0, le=MOST_LENGTH)
    height: int = Field(gt=0, le=MOST_LENGTH)
    cells: int = Field(ge=1, le=12)
    rows: tuple[Row, ...] = Field(min_length=1, max_length=100, strict=False)

    def fields(self) -> tuple[FormField, ...]:
        """The rows as fields named `group.row`."""
        return tuple(
            FormField(
                name=f"{self.name}.{row.name}",
                label=row.label,
                boxes=(Box(self.x, row.y, self.width, self.height),),
                cells=self.cells,
            )
            for row in self.rows
        )


class PrintedCode(_Model):
    """A code that stands on the sheet as barcodes and as printed digits, all saying the same.

    Attributes:
        name: The field's name; its value is the text.
        digits: How many digits it may have, least and most.
        barcodes: Symbologies that carry it; one that is read is enough, but none may say something else.
        print: Boxes around printed digits, with nothing else inside.
    """

    name: FieldName
    label: Label
    digits: tuple[int, int] = Field(strict=False)
    barcodes: tuple[Symbology, ...] = Field(default=(), strict=False)
    print: tuple[FormBox, ...] = Field(default=(), strict=False)

    @model_validator(mode="after")
    def _sane(self) -> Self:
        if not 1 <= self.digits[0] <= self.digits[1] <= 40:
            raise ValueError(f"{self.name}: digits are least and most, 1 to 40")
        if not self.barcodes and not self.print:
            raise ValueError(f"{self.name}: a code is printed somehow")
        return self


class SumRule(_Model):
    """The addends make the total. A blank addend is nothing; a blank total is no total."""

    kind: Literal["sum"]
    name: Name
    addends: tuple[FieldName, ...] = Field(min_length=1, strict=False)
    total: FieldName


class EqualRule(_Model):
    """Both sides, each a sum of fields, are equal."""

    kind: Literal["equal"]
    name: Name
    left: tuple[FieldName, ...] = Field(min_length=1, strict=False)
    right: tuple[FieldName, ...] = Field(min_length=1, strict=False)


class AtMostRule(_Model):
    """None of the fields is above the bound."""

    kind: Literal["at-most"]
    name: Name
    fields: tuple[FieldName, ...] = Field(min_length=1, strict=False)
    bound: FieldName


Rule = Annotated[SumRule | EqualRule | AtMostRule, Field(discriminator="kind")]


class Extent(_Model):
    """A part of the sheet that may come alone: the groups and fields on it. `sheet` is always all of it."""

    name: Name
    fields: tuple[FieldName, ...] = Field(default=(), strict=False)
    groups: tuple[Name, ...] = Field(default=(), strict=False)


class Form(_Model):
    """A form template; made by `load_form`.

    Attributes:
        format: `scrutineer-form-1`.
        name: What records call it.
        title: What is printed at the top.
        size: Width and height of the sheet.
        colours: Pens and print.
        registration: What the position is found by, beside the cells.
        groups: Columns of fields.
        fields: Fields beside the groups.
        codes: Codes in print and barcodes.
        extents: Parts that may come alone.
        rules: What the numbers must obey.
        title_lines: Printed text for rendering, none of it read.
    """

    format: Literal["scrutineer-form-1"]
    name: Name
    title: Label
    size: tuple[int, int] = Field(strict=False)
    colours: Colours
    registration: Registration = Registration()
    groups: tuple[Group, ...] = Field(default=(), strict=False, max_length=20)
    fields: tuple[FormField, ...] = Field(default=(), strict=False, max_length=200)
    codes: tuple[PrintedCode, ...] = Field(default=(), strict=False, max_length=10)
    extents: tuple[Extent, ...] = Field(default=(), strict=False, max_length=10)
    rules: tuple[Rule, ...] = Field(default=(), strict=False, max_length=100)
    _sha256: str = PrivateAttr(default="")

    @property
    def sha256(self) -> str:
        """Lower-case hex SHA-256 of the file that the form was loaded from."""
        return self._sha256

    @cached_property
    def all_fields(self) -> tuple[FormField, ...]:
        """Every field with cells: the groups' from top to bottom, then the others."""
        return (*(field for group in self.groups for field in group.fields()), *self.fields)

    @cached_property
    def by_name(self) -> Mapping[str, FormField]:
        """The fields with cells by their names."""
        return {field.name: field for field in self.all_fields}

    @cached_property
    def table(self) -> Box:
        """The box around the groups' cells and the label frames beside them; around all cells where there are no groups."""
        fields = [field for group in self.groups for field in group.fields()] or list(self.all_fields)
        boxes = [box for field in fields for box in field.boxes]
        labels = [label for box in boxes if (label := self.label_of(box)) is not None]
        return around([*boxes, *labels])

    def label_of(self, box: Box) -> Box | None:
        """The registration frame that labels a row of cells: the nearest one to its left at its height."""
        beside = [
            frame
            for frame in self.registration.frames
            if frame.x + frame.width <= box.x
            and 2 * (min(frame.y + frame.height, box.y + box.height) - max(frame.y, box.y)) > box.height
        ]
        return max(beside, key=lambda frame: frame.x, default=None)

    def names_on(self, extent: str) -> frozenset[str]:
        """Names of the fields and codes on an extent; `sheet` has all.

        Raises:
            KeyError: the form has no such extent.
        """
        if extent == "sheet":
            return frozenset(self.by_name) | {code.name for code in self.codes}
        part = {part.name: part for part in self.extents}[extent]
        return frozenset(part.fields) | {
            field.name for group in self.groups if group.name in part.groups for field in group.fields()
        }

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        width, height = self.size
        if not (1000 <= width <= MOST_LENGTH and 1000 <= height <= MOST_LENGTH):
            raise ValueError("size is width and height in hundredths of a millimetre")
        names = [field.name for field in self.all_fields] + [code.name for code in self.codes]
        _unique(names, "field")
        _unique([group.name for group in self.groups], "group")
        _unique([rule.name for rule in self.rules], "rule")
        _unique(["sheet", *(extent.name for extent in self.extents)], "extent")
        boxes = [box for field in self.all_fields for box in field.boxes]
        boxes += [*self.registration.frames, *self.registration.brackets, *(box for code in self.codes for box in code.print)]
        if any(box.x + box.width > width or box.y + box.height > height for box in boxes):
            raise ValueError("a box lies outside the sheet")
        if not names:
            raise ValueError("a form has fields")
        _apart(boxes)
        counts = {field.name for field in self.all_fields if field.kind == "count"}
        for rule in self.rules:
            unknown = [name for name in rule_fields(rule) if name not in counts]
            if unknown:
                raise ValueError(f"rule {rule.name}: {unknown[0]!r} is no count on this form")
            _unique(list(rule_fields(rule)), f"rule {rule.name}: field")
        groups = {group.name for group in self.groups}
        for extent in self.extents:
            if set(extent.fields) - set(names) or set(extent.groups) - groups or not (extent.fields or extent.groups):
                raise ValueError(f"extent {extent.name}: names no fields and groups of this form")
        return self


def rule_fields(rule: Rule) -> tuple[str, ...]:
    """Names of the fields that a rule speaks of, in its order."""
    match rule:
        case SumRule():
            return (*rule.addends, rule.total)
        case EqualRule():
            return (*rule.left, *rule.right)
        case AtMostRule():
            return (*rule.fields, rule.bound)


def load_form(raw: bytes) -> Form:
    """Read a form template.

    Args:
        raw: UTF-8 TOML, at most 256 KiB.

    Raises:
        DefinitionError: `invalidForm`.
    """
    try:
        if len(raw) > MAX_FORM_BYTES:
            raise ValueError(f"the file is larger than {MAX_FORM_BYTES} bytes")  # noqa: TRY301  one way out for all that is wrong
        form = Form.model_validate(tomllib.loads(raw.decode()))
    except ValidationError as error:
        raise DefinitionError("invalidForm", first_problem(error)) from error
    except (ValueError, RecursionError) as error:
        raise DefinitionError("invalidForm", str(error) or type(error).__name__) from error
    form._sha256 = form_sha256(raw)  # noqa: SLF001  no key of the file
    return form


def form_sha256(raw: bytes) -> str:
    """Lower-case hex SHA-256 of a form's file, which records name."""
    return hashlib.sha256(raw).hexdigest()


def shipped_forms() -> tuple[str, ...]:
    """Names of the forms that come with the product."""
    folder = resources.files("edge.definition") / "forms"
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


def shipped_form(name: str) -> bytes:
    """The file of a form that comes with the product.

    Raises:
        DefinitionError: `unknownForm`.
    """
    if re.fullmatch(_NAME, name) is None or name not in shipped_forms():
        raise DefinitionError(
            "unknownForm", f"no form {name[:80]!r} comes with this software; it has {', '.join(shipped_forms())}"
        )
    return (resources.files("edge.definition") / "forms" / f"{name}.toml").read_bytes()


def _unique(names: list[str], what: str) -> None:
    doubled = {name for name in names if names.count(name) > 1}
    if doubled:
        raise ValueError(f"{what} {min(doubled)!r} is there twice")


def _apart(boxes: list[Box]) -> None:
    """Refuse boxes that share more than an edge: one of them was copied and not moved."""
    above: list[Box] = []
    for box in sorted(boxes, key=lambda box: box.y):
        above = [other for other in above if other.y + other.height > box.y]
        for other in above:
            if other.x < box.x + box.width and box.x < other.x + other.width:
                raise ValueError(f"the boxes {list(other)} and {list(box)} overlap")
        above.append(box)
