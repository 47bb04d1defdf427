"""The real tally sheets of 2019: every field, in colour and in grey, either way up, at other scales, askew and in a shadow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge.definition.form import load_form, shipped_form
from edge.image_file import read_colour_image, read_image
from edge.tally.decide import decide_tally
from edge.tally.interpret import interpret_tally
from edge.tally.readers import tally_readers
from edge.tally.result import TallyInterpretation
from edge.tally.scan import TallyScan, colour_scan, grey_scan

FORM = load_form(shipped_form("bo-2019-a1"))
SHEETS = ("acta-10205.jpg", "crop-00680b4e.jpg", "crop-00c354f2-annotated.jpg")
NOTES = {"note", "blank_cells_mean"}


def truth(folder: Path, name: str) -> dict[str, Any]:
    """Every field of a sheet under its full name."""
    said = json.loads((folder / "tally-sheets" / "expected.json").read_text("utf-8"))[name]
    fields = {key: value for key, value in said.items() if key not in NOTES and not isinstance(value, dict)}
    for group, rows in said.items():
        if isinstance(rows, dict):
            fields |= {f"{group}.{row}": value for row, value in rows.items()}
    return fields


def read(scan: TallyScan) -> TallyInterpretation:
    return interpret_tally(scan, FORM, tally_readers())


def values(interpretation: TallyInterpretation) -> dict[str, Any]:
    """What was read; a field that was not has its reason instead."""
    return {name: field.value if field.read else (field.reason, field.detail) for name, field in interpretation.fields.items()}


@pytest.mark.parametrize("name", SHEETS)
def test_every_field_is_right(real_data: Path, name: str) -> None:
    colours = read_colour_image(real_data / "tally-sheets" / name)
    assert values(read(colour_scan(colours, FORM))) == truth(real_data, name)


@pytest.mark.parametrize("name", SHEETS)
def test_so_it_is_upside_down(real_data: Path, name: str) -> None:
    colours = read_colour_image(real_data / "tally-sheets" / name)
    interpretation = read(colour_scan(np.ascontiguousarray(colours[::-1, ::-1]), FORM))
    assert values(interpretation) == truth(real_data, name)
    assert interpretation.placement is not None
    assert interpretation.placement.upside_down


@pytest.mark.parametrize("name", SHEETS)
def test_nothing_is_wrong_in_grey(real_data: Path, name: str) -> None:
    read_so = values(read(grey_scan(read_image(real_data / "tally-sheets" / name))))
    assert_nothing_wrong(read_so, truth(real_data, name), unread=2)


def assert_nothing_wrong(read_so: dict[str, Any], expected: dict[str, Any], *, unread: int) -> None:
    wrong = {
        name: (value, expected[name])
        for name, value in read_so.items()
        if value != expected[name] and not isinstance(value, tuple)
    }
    assert not wrong
    assert sum(isinstance(value, tuple) for value in read_so.values()) <= unread


def turned(colours: NDArray[np.uint8], degrees: float, scale: float) -> NDArray[np.uint8]:
    """The image at another scale and askew, on white."""
    height, width = int(colours.shape[0] * scale), int(colours.shape[1] * scale)
    matrix = np.asarray(cv2.getRotationMatrix2D((colours.shape[1] / 2, colours.shape[0] / 2), degrees, scale), np.float64)
    matrix[:, 2] += [(width - colours.shape[1]) / 2, (height - colours.shape[0]) / 2]
    return np.asarray(
        cv2.warpAffine(colours, matrix, (width, height), flags=cv2.INTER_CUBIC, borderValue=(235, 235, 235)), np.uint8
    )


@pytest.mark.parametrize("name", SHEETS)
@pytest.mark.parametrize(("degrees", "scale"), [(0, 1.34), (0, 2.0), (2, 1.0), (-2, 1.5)])
def test_nothing_is_wrong_at_other_scales_and_askew(real_data: Path, name: str, degrees: float, scale: float) -> None:
    colours = read_colour_image(real_data / "tally-sheets" / name)
    read_so = values(read(colour_scan(turned(colours, degrees, scale), FORM)))
    expected = truth(real_data, name)
    # A crop that is turned loses its corners.
    assert_nothing_wrong(read_so, expected, unread=3)
    assert len(read_so) >= len(expected)


@pytest.mark.parametrize(
    ("left", "top", "right", "bottom"), [(363, 380, 1464, 1290), (340, 300, 1500, 1320), (355, 430, 1470, 1285)]
)
def test_nothing_is_wrong_on_a_crop_that_is_resized_to_a_given_shape(
    real_data: Path, left: int, top: int, right: int, bottom: int
) -> None:
    name = "acta-10205.jpg"
    crop = read_colour_image(real_data / "tally-sheets" / name)[top:bottom, left:right]
    interpretation = read(colour_scan(np.asarray(cv2.resize(crop, (1088, 872), interpolation=cv2.INTER_AREA), np.uint8), FORM))
    assert interpretation.extent == "table"
    expected = {field: value for field, value in truth(real_data, name).items() if "." in field}
    assert_nothing_wrong(values(interpretation), expected, unread=1)


@pytest.mark.parametrize("name", SHEETS)
def test_nothing_is_wrong_in_a_shadow(real_data: Path, name: str) -> None:
    colours = read_colour_image(real_data / "tally-sheets" / name)
    light = np.linspace(0.6, 1.0, colours.shape[1])[np.newaxis, :, np.newaxis]
    read_so = values(read(colour_scan((colours * light).astype(np.uint8), FORM)))
    assert_nothing_wrong(read_so, truth(real_data, name), unread=2)


def test_a_sheet_that_adds_up_is_accepted(real_data: Path) -> None:
    for name in ("acta-10205.jpg", "crop-00c354f2-annotated.jpg"):
        interpretation = read(colour_scan(read_colour_image(real_data / "tally-sheets" / name), FORM))
        assert [rule.holds for rule in interpretation.rules if rule.reason != "notOnImage"].count(True) >= 3
        assert decide_tally(interpretation, FORM).kind == "accept"


def test_the_missing_total_is_held_by_its_rule(real_data: Path) -> None:
    interpretation = read(colour_scan(read_colour_image(real_data / "tally-sheets" / "crop-00680b4e.jpg"), FORM))
    disposition = decide_tally(interpretation, FORM)
    assert disposition.kind == "hold"
    rule = {rule.name: rule for rule in interpretation.rules}["diputado-validos"]
    assert (rule.holds, rule.difference, rule.reason) == (False, 171, "totalBlank")
    suggested = interpretation.suggestions[0]
    assert (suggested.field, suggested.cell, suggested.value) == ("diputado.validos", None, 171)
    assert interpretation.fields["diputado.validos"].value is None
