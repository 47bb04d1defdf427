"""From cells to values: what a row of cells says, and every way in which it says nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.definition.box import Box
from edge.definition.form import FormField
from edge.inference.digits import DigitCard, DigitScores
from edge.inference.identity import ReaderIdentity
from edge.page.area import Area
from edge.tally.fields import cell_reading, read_field, read_pictures
from edge.tally.result import DASH_LABEL, EMPTY_LABEL, UNREADABLE_LABEL, CellReading

NOWHERE = Area(0, 0, 1, 1)
IDENTITY = ReaderIdentity("digit.tflite", "0" * 64, "1", "none", "0", "default")


def cell(letter: str, doubt: str | None = None) -> CellReading:
    """A cell with a digit, a dash or nothing; `?` is one that was not read."""
    label = EMPTY_LABEL if letter == " " else DASH_LABEL if letter == "-" else UNREADABLE_LABEL if letter == "?" else int(letter)
    if letter == "?":
        return CellReading(
            "unreadable", None, label, 100, 9000, accepted=False, ranked=(), doubt=doubt or "notADigit", area=NOWHERE
        )
    state = "empty" if letter == " " else "dash" if letter == "-" else "digit"
    digit = label if state == "digit" else None
    return CellReading(state, digit, label, 100, 9990, accepted=True, ranked=(), doubt=None, area=NOWHERE)  # type: ignore[arg-type]


def field(cells: int, kind: str = "count") -> FormField:
    boxes = (Box(0, 0, 100 * cells, 100),)
    return FormField.model_validate({"name": "f", "label": "", "kind": kind, "boxes": boxes, "cells": cells})


def value_of(text: str, kind: str = "count") -> tuple[int | str | None, str | None]:
    reading = read_field(field(len(text), kind), [cell(letter) for letter in text])
    return reading.value, reading.reason


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("119", 119),
        ("039", 39),
        ("000", 0),
        (" 39", 39),
        ("  0", 0),
        ("39 ", 39),
        ("--5", 5),
        ("-39", 39),
        ("39-", 39),
        ("- 7", 7),
        ("   ", None),
        ("---", None),
        ("-  ", None),
    ],
)
def test_a_row_is_a_number_or_blank(text: str, value: int | None) -> None:
    assert value_of(text) == (value, None)


@pytest.mark.parametrize("text", ["1 9", "1-9", "1- 9", "0 -0"])
def test_a_gap_is_no_number(text: str) -> None:
    assert value_of(text) == (None, "gapInNumber")


@pytest.mark.parametrize("text", ["?", "1?9", "?  ", "  ?"])
def test_one_unread_cell_is_enough(text: str) -> None:
    assert value_of(text) == (None, "cellUnread")


@pytest.mark.parametrize(
    ("text", "value"), [("0800", "08:00"), ("2359", "23:59"), (" 730", "07:30"), ("    ", None), ("----", None)]
)
def test_times(text: str, value: str | None) -> None:
    assert value_of(text, "time") == (value, None)


@pytest.mark.parametrize("text", ["2400", "1260", "08  ", "8 00", "  30", "-  5", "08-0"])
def test_what_is_no_time(text: str) -> None:
    assert value_of(text, "time") == (None, "notATime")


@given(st.integers(0, 10**6 - 1), st.integers(0, 3), st.integers(0, 3))
def test_a_number_is_read_wherever_it_stands(number: int, before: int, after: int) -> None:
    assert value_of(" " * before + str(number) + " " * after) == (number, None)


CARD = DigitCard(tuple("0123456789edu"), 30, tuple(range(256)))


@dataclass(frozen=True, slots=True)
class MadeReader:
    """Answers what it is told to; `card` as a released model's."""

    own: NDArray[np.int8]
    second: NDArray[np.int8]
    card: DigitCard = CARD
    identity: ReaderIdentity = IDENTITY

    def read(self, inputs: NDArray[np.uint8]) -> DigitScores:
        assert len(inputs) == len(self.own)
        return DigitScores(self.own, self.second, self.identity)


def scores(label: int, margin: int, *, rival: int | None = None) -> list[int]:
    """Scores with `label` first by `margin`."""
    found = [-100] * 13
    found[label] = 60
    found[(label + 1) % 13 if rival is None else rival] = 60 - margin
    return found


def reading(own: list[int], second: list[int] | None = None, doubt: str | None = None) -> CellReading:
    reader = MadeReader(np.array([own], np.int8), np.array([second or own], np.int8))
    told = reader.read(np.zeros((1, 28, 28), np.uint8))
    return cell_reading(told, 0, reader, NOWHERE, doubt)  # type: ignore[arg-type]


def test_a_margin_at_the_threshold_is_accepted_and_one_below_is_not() -> None:
    assert reading(scores(7, 30)).accepted
    below = reading(scores(7, 29))
    assert (below.state, below.doubt, below.digit, below.label, below.margin, below.confidence) == (
        "unreadable",
        "lowMargin",
        None,
        7,
        29,
        29,
    )


def test_both_readers_must_say_the_same() -> None:
    assert reading(scores(7, 60), scores(7, 5)).accepted
    assert reading(scores(7, 60), scores(1, 60)).doubt == "readersDisagree"
    # A tie is no agreement.
    assert reading(scores(7, 60), scores(7, 0)).doubt == "readersDisagree"


def test_a_tie_is_decided_for_the_lower_label_and_not_believed() -> None:
    tied = reading(scores(9, 0, rival=4))
    assert (tied.label, tied.margin, tied.accepted) == (4, 0, False)


def test_unreadable_is_never_accepted() -> None:
    assert reading(scores(UNREADABLE_LABEL, 120)).doubt == "notADigit"


@pytest.mark.parametrize("doubt", ["offImage", "frameNotFound", "foreignInk"])
def test_a_doubt_about_the_cell_stands_whatever_is_read(doubt: str) -> None:
    assert reading(scores(3, 100), doubt=doubt).doubt == doubt


def test_stray_ink_makes_an_empty_cell_doubtful_and_no_other() -> None:
    assert reading(scores(EMPTY_LABEL, 100), doubt="strayInk").doubt == "strayInk"
    assert reading(scores(3, 100), doubt="strayInk").accepted


def test_pictures_without_ink_are_empty_and_nobody_is_asked() -> None:
    inputs = np.zeros((5, 28, 28), np.uint8)
    inputs[1, 3, 3] = inputs[4, 9, 9] = 255
    reader = MadeReader(np.array([scores(1, 99), scores(2, 99)], np.int8), np.array([scores(1, 99), scores(3, 99)], np.int8))
    told = read_pictures(inputs, reader)  # type: ignore[arg-type]
    cells = [cell_reading(told, number, reader, NOWHERE, None) for number in range(5)]  # type: ignore[arg-type]
    assert [cell.state for cell in cells] == ["empty", "digit", "empty", "empty", "unreadable"]
    assert [cell.margin for cell in cells] == [255, 99, 255, 255, 99]
