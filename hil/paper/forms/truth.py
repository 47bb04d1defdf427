"""What stands on a rendered sheet, as far as anybody may ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Value = int | str | None
"""A count, a time or a code as text, or None for blank paper."""


@dataclass(frozen=True, slots=True)
class SheetTruth:
    """The truth about one sheet.

    Attributes:
        form: Name of the form.
        extent: The part of it that the image shows: `sheet` or one of the form's extents.
        fields: Values on paper of the fields and codes on that extent, by name. For a spoiled field what the person meant.
        cells: What each field's cells hold in reading order, one character a cell: a digit, a space for blank paper, `-` for a
            dash, `?` for what is not to be judged alone: crossed out, overwritten, or beyond its frame.
        spoiled: Fields that no reader is asked to read. A value that is read all the same must be the one that was meant.
        dashed: Fields with dashes and no digit: zero and blank are both right.
        rules: Whether each of the form's rules holds on paper, by name; None when one of its fields is not on the extent.
        mistakes: What the people who filled it in did wrong, in words of `story.MISTAKES`.
        placement: Where points of the form lie: image x = p[0] + p[1] * x + p[2] * y, image y = p[3] + p[4] * x + p[5] * y,
            pixels where pixel i covers i to i + 1, the image as it is (upside down where it is).
        upside_down: Whether the image shows the sheet with its head at the bottom.
        dpi: Pixels per inch.
        digits: Whether the handwriting is made of real digits or of our own strokes.
        damages: Name of each damage to its strength, 1 to 100.
    """

    form: str
    extent: str
    fields: Mapping[str, Value]
    cells: Mapping[str, str]
    spoiled: frozenset[str]
    dashed: frozenset[str]
    rules: Mapping[str, bool | None]
    mistakes: tuple[str, ...]
    placement: tuple[float, float, float, float, float, float]
    upside_down: bool
    dpi: int
    digits: Literal["real", "own"]
    damages: Mapping[str, int]

    def right(self, field: str, value: Value) -> bool:
        """Whether `value` is a right reading of a field; for a dashed field zero and blank are."""
        return value == self.fields[field] or (field in self.dashed and value is None)
