"""The released region model is what its card says, and finds the forms on scans and on real sheets, whatever way up."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.definition.form import load_form, shipped_form
from edge.image_file import read_colour_image
from edge.inference.fixed import FixedInterpreter
from edge.inference.model import Code, Model, parse_model
from edge.inference.reduction import reduced
from edge.inference.regions import Region, RegionCard, decode, parse_region_card
from hil.paper.forms.knobs import Knobs
from hil.paper.forms.sheet import render_sheet
from models.region.targets import FORMS

RELEASED = Path(__file__).resolve().parents[2] / "models" / "released"
MOST_BYTES = 1_000_000
MOST_PRODUCTS = 150_000_000
ALLOWED = {Code.CONV_2D, Code.DEPTHWISE_CONV_2D, Code.ADD, Code.RESIZE_NEAREST_NEIGHBOR}
FAR = 0.04
"""Of the table's diagonal: how far off a corner may be."""

REAL = {
    "acta-10205.jpg": ((382, 448), (1447, 447), (1449, 1277), (382, 1278)),
    "crop-00680b4e.jpg": ((12, 39), (1064, 39), (1063, 847), (12, 848)),
    "crop-00c354f2-annotated.jpg": ((23, 49), (1066, 43), (1073, 852), (23, 859)),
}
"""Table corners, measured by eye on the pictures: top left, top right, bottom right, bottom left."""


@pytest.fixture(scope="module")
def model() -> Model:
    return parse_model((RELEASED / "region.tflite").read_bytes())


@pytest.fixture(scope="module")
def interpreter(model: Model) -> FixedInterpreter:
    return FixedInterpreter(model)


@pytest.fixture(scope="module")
def card() -> RegionCard:
    return parse_region_card((RELEASED / "region.json").read_bytes())


def found(interpreter: FixedInterpreter, card: RegionCard, plane: NDArray[np.uint8]) -> tuple[Region, ...]:
    """As the product does it."""
    seen, _, _ = reduced(plane)
    scores = interpreter.run((seen ^ np.uint8(128)).view(np.int8)[np.newaxis, :, :, np.newaxis])
    return decode(scores[0], card, plane.shape[1], plane.shape[0])


def turned(corners: NDArray[np.float64], width: int, height: int, quarters: int) -> NDArray[np.float64]:
    """Corners in a picture of that size, when it is turned clockwise."""
    for _ in range(quarters):
        corners = np.stack([height - corners[:, 1], corners[:, 0]], axis=1)
        width, height = height, width
    return corners


def check(regions: tuple[Region, ...], form: str, table: NDArray[np.float64]) -> None:
    """One region of that form, its table's corners near the true ones, each the corner that it is."""
    assert [region.form for region in regions] == [form]
    said = np.array([(corner.x, corner.y) for corner in regions[0].table]) / 256
    assert np.linalg.norm(said - table, axis=1).max() < FAR * np.linalg.norm(table[2] - table[0])


def test_size_work_and_operators(model: Model) -> None:
    assert (RELEASED / "region.tflite").stat().st_size <= MOST_BYTES
    products = 0
    for operator in model.operators:
        assert operator.code in ALLOWED
        if operator.code == Code.CONV_2D:
            weights = model.tensors[operator.inputs[1]].shape
            products += int(np.prod(model.tensors[operator.output].shape)) * int(np.prod(weights[1:]))
    assert 50_000_000 < products <= MOST_PRODUCTS


def test_the_card_belongs_to_the_model(model: Model, interpreter: FixedInterpreter, card: RegionCard) -> None:
    assert card.forms == FORMS
    assert interpreter.input_shape == (256, 256, 1)
    assert interpreter.output_shape == (32, 32, card.channels)
    output = model.tensors[model.operators[-1].output]
    assert card.zero_point == output.zero_point
    assert card.step == round(1e6 * float(output.scale))


def test_confidence_never_falls_and_nothing_is_certain(card: RegionCard) -> None:
    assert all(low <= high for low, high in pairwise(card.confidence))
    assert 9_000 < card.confidence[-1] < 10_000
    assert card.confidence[0] < 1_000
    assert card.confidence[card.threshold + 128] > 3_000


@pytest.mark.parametrize("name", FORMS)
def test_scans_are_found_whatever_way_up(interpreter: FixedInterpreter, card: RegionCard, name: str) -> None:
    form = load_form(shipped_form(name))
    rendered = render_sheet(form, 77, Knobs(dpi=150, rotation=1.5))
    x, xx, yx, y, xy, yy = rendered.truth.placement
    box = form.table
    unit = np.array([(0, 0), (1, 0), (1, 1), (0, 1)])
    points = np.array([box.x, box.y]) + unit * np.array([box.width, box.height])
    table = np.stack([x + points @ np.array([xx, yx]), y + points @ np.array([xy, yy])], axis=1)
    plane = rendered.image.min(axis=2)
    for quarters in range(4):
        picture = np.ascontiguousarray(np.rot90(plane, -quarters))
        check(found(interpreter, card, picture), name, turned(table, plane.shape[1], plane.shape[0], quarters))


@pytest.mark.parametrize("name", REAL)
def test_real_sheets_are_found_whatever_way_up(
    interpreter: FixedInterpreter, card: RegionCard, real_data: Path, name: str
) -> None:
    plane = read_colour_image(real_data / "tally-sheets" / name).min(axis=2)
    table = np.array(REAL[name], np.float64)
    for quarters in range(4):
        picture = np.ascontiguousarray(np.rot90(plane, -quarters))
        check(found(interpreter, card, picture), "bo-2019-a1", turned(table, plane.shape[1], plane.shape[0], quarters))


@pytest.mark.parametrize("kind", ["white", "black", "noise", "stripes", "slope"])
def test_where_no_form_is_none_is_found(interpreter: FixedInterpreter, card: RegionCard, kind: str) -> None:
    rng = np.random.default_rng(8)
    rows, columns = np.mgrid[0:300, 0:400]
    planes = {
        "white": np.full((300, 400), 255),
        "black": np.zeros((300, 400)),
        "noise": rng.integers(0, 256, (300, 400)),
        "stripes": (rows // 8 % 2) * 200,
        "slope": (rows + columns) // 3,
    }
    assert found(interpreter, card, planes[kind].astype(np.uint8)) == ()
