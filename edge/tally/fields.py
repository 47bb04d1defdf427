"""From the scores of cells to readings of cells and fields: what stands there, or why it was not read."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.definition.form import FormField
from edge.inference.digits import DigitReader, DigitScores
from edge.page.area import Area
from edge.tally.cells import CellCut
from edge.tally.result import DASH_LABEL, EMPTY_LABEL, LABELS, UNREADABLE_LABEL, CellReading, CellState, FieldReading
from edge.tally.writing import Writing

_STRAY_INK = 40
"""Pixels of a patch that were taken away as another's: a cell with so many is not believed to be empty. A square cell has 4096, a
thin stroke through it 200, and an empty cell beside other writing hardly ever any."""
_LEAST_SCORE, _MOST_SCORE = -128, 127
_TIME = re.compile(r"(2[0-3]|[01][0-9])[0-5][0-9]")


def read_cells(cut: CellCut, writing: Writing, reader: DigitReader) -> tuple[CellReading, ...]:
    """Read cells in their order."""
    scores = read_pictures(writing.inputs, reader)
    return tuple(
        cell_reading(scores, number, reader, cut.areas[number], _doubt_of(cut.doubts[number], int(writing.foreign[number])))
        for number in range(len(writing.inputs))
    )


def _doubt_of(doubt: str | None, stray: int) -> str | None:
    return "strayInk" if doubt is None and stray >= _STRAY_INK else doubt


def read_pictures(inputs: NDArray[np.uint8], reader: DigitReader) -> DigitScores:
    """Both readers' scores. A picture without ink is empty by itself, as sure as a score can say, and nobody is asked."""
    inked = inputs.any(axis=(1, 2))
    told = reader.read(inputs[inked])
    scores = np.full((len(inputs), LABELS), _LEAST_SCORE, np.int8)
    scores[:, EMPTY_LABEL] = _MOST_SCORE
    second = scores.copy()
    scores[inked], second[inked] = told.scores, told.second
    return DigitScores(scores, second, told.identity)


def cell_reading(scores: DigitScores, number: int, reader: DigitReader, area: Area, doubt: str | None) -> CellReading:
    """What both readers say about one picture, and whether it may be believed.

    Args:
        scores: Of all pictures.
        number: Which of them.
        reader: Has the threshold and the calibration.
        area: Where the cell lies in the upright image.
        doubt: What is already known to be wrong with the cell. Stray ink is only wrong with one that seems empty, and a line
            across is what some people write for nothing.
    """
    own = scores.scores[number].astype(np.int64)
    second = scores.second[number].astype(np.int64)
    order = sorted(range(len(own)), key=lambda label: (-int(own[label]), label))
    label = order[0]
    margin = int(own[label] - own[order[1]])
    if (doubt == "strayInk" and label != EMPTY_LABEL) or (doubt == "lineAcross" and label == DASH_LABEL):
        doubt = None
    if doubt is None:
        if label == UNREADABLE_LABEL:
            doubt = "notADigit"
        elif margin < reader.card.accept_margin:
            doubt = "lowMargin"
        elif int(second[label]) <= int(np.delete(second, label).max()):
            doubt = "readersDisagree"
    state: CellState = "unreadable"
    if doubt is None:
        state = "digit" if label < EMPTY_LABEL else "empty" if label == EMPTY_LABEL else "dash"
    return CellReading(
        state,
        label if state == "digit" else None,
        label,
        margin,
        reader.card.confidence[margin],
        doubt is None,
        tuple((other, int(own[other])) for other in order),
        doubt,
        area,
    )


def read_field(field: FormField, cells: Sequence[CellReading]) -> FieldReading:
    """The value of a field from its cells.

    A number is one run of digits; empty cells and dashes before and after it fill the row. Paper without a digit is blank: no
    number, and not zero. A time needs a digit in each cell but the first.
    """
    kept = tuple(cells)
    unread = [number for number, cell in enumerate(kept) if not cell.accepted]
    if unread:
        told = ", ".join(f"cell {number + 1}: {kept[number].doubt}" for number in unread)
        return FieldReading(field.name, None, "cellUnread", kept, told)
    text = "".join(_letter(cell) for cell in kept)
    digits = text.strip(" -")
    if not digits:
        return FieldReading(field.name, None, None, kept)
    if field.kind == "time":
        written = ("0" + text[1:]) if text[0] in " -" else text
        if _TIME.fullmatch(written) is None:
            return FieldReading(field.name, None, "notATime", kept, f"{text!r} is no time of day")
        return FieldReading(field.name, f"{written[:2]}:{written[2:]}", None, kept)
    if not digits.isdigit():
        return FieldReading(field.name, None, "gapInNumber", kept, f"{text!r} is no number")
    return FieldReading(field.name, int(digits), None, kept)


def _letter(cell: CellReading) -> str:
    return str(cell.digit) if cell.state == "digit" else "-" if cell.label == DASH_LABEL else " "
