"""Annotations: what stands in the file is checked, and boxes are clipped exactly."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.commands.error import CommandError
from models.annotations import area, bounds, clipped, parse_annotation, read_annotations
from tests.tools.marked import ASKEW, OUTSIDE, OVER, UPRIGHT, box, encoded, line, made

GOOD = line("a.png", encoded("PNG", 1), [box("votes.yes", "field", ASKEW)])


def points(corners: list[list[float]]) -> list[tuple[float, float]]:
    return [(x, y) for x, y in corners]


def test_a_file_is_read(tmp_path: Path) -> None:
    found = read_annotations(made(tmp_path).annotations)
    assert [image.name for image in found.images] == ["a & <b>.jpg", "plain.png", "plain.tif"]
    assert found.empty == 1
    assert [list(corner) for corner in found.images[0].boxes[1].corners] == ASKEW
    assert [one.found for one in found.images[1].boxes] == [True, True, False]


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.pop("image"),
        lambda one: one["image"].update(name="../a.png"),
        lambda one: one["image"].update(name=""),
        lambda one: one["image"].update(sha256="x"),
        lambda one: one["image"].update(width=0),
        lambda one: one["image"].update(width=None),
        lambda one: one["image"].update(height=True),
        lambda one: one["image"].update(height=10**9),
        lambda one: one["sheets"][0].pop("form"),
        lambda one: one["sheets"][0]["boxes"][0].update(kind="other"),
        lambda one: one["sheets"][0]["boxes"][0].update(found=1),
        lambda one: one["sheets"][0]["boxes"][0].update(name=None),
        lambda one: one["sheets"][0]["boxes"][0]["corners"].pop(),
        lambda one: one["sheets"][0]["boxes"][0]["corners"][0].append(1.0),
        lambda one: one["sheets"][0]["boxes"][0]["corners"][0].__setitem__(0, "1"),
        lambda one: one["sheets"][0]["boxes"][0]["corners"][0].__setitem__(0, 0.1),
        lambda one: one["sheets"][0]["boxes"][0]["corners"][0].__setitem__(0, float("nan")),
        lambda one: one["sheets"][0]["boxes"][0]["corners"][0].__setitem__(0, 1e300),
        lambda one: one["sheets"][0]["boxes"][0]["corners"][0].__setitem__(0, None),
    ],
)
def test_what_is_no_annotation_is_refused_with_its_line(tmp_path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    wrong = copy.deepcopy(GOOD)
    change(wrong)
    path = tmp_path / "a.jsonl"
    path.write_text(f"{json.dumps(GOOD)}\n{json.dumps(wrong)}\n")
    with pytest.raises(CommandError, match=r"line 2") as caught:
        read_annotations(path)
    assert caught.value.code == "annotationsUnreadable"


def test_files_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with pytest.raises(CommandError, match="fileNotFound"):
        read_annotations(path)
    with pytest.raises(CommandError, match="fileUnreadable"):
        read_annotations(tmp_path)
    path.write_text(f"{json.dumps(GOOD)}\n{json.dumps(GOOD)}\n")
    with pytest.raises(CommandError, match="there twice"):
        read_annotations(path)


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_are_refused_in_order(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert parse_annotation(data) is None


def test_clipping_by_example() -> None:
    assert clipped(points(UPRIGHT), 240, 210) == tuple(points(UPRIGHT))
    assert bounds(clipped(points(OVER), 240, 210)) == (0, 100, 30, 130)
    assert clipped(points(OUTSIDE), 240, 210) == ()
    assert clipped([(0, 0), (10, 0), (10, 0), (0, 0)], 240, 210) == ()
    diamond = [(5.0, -5.0), (15.0, 5.0), (5.0, 15.0), (-5.0, 5.0)]
    assert area(clipped(diamond, 10, 10)) == 100
    assert area(clipped(diamond, 20, 20)) == 150


@given(st.lists(st.integers(-99, 299), min_size=4, max_size=4))
def test_an_upright_box_is_clipped_to_the_common_part(sides: list[int]) -> None:
    left, right = sorted(sides[:2])
    top, bottom = sorted(sides[2:])
    shape = clipped([(left, top), (right, top), (right, bottom), (left, bottom)], 240, 210)
    common = (max(left, 0), max(top, 0), min(right, 240), min(bottom, 210))
    if common[0] < common[2] and common[1] < common[3]:
        assert bounds(shape) == common
        assert area(shape) == (common[2] - common[0]) * (common[3] - common[1])
    else:
        assert shape == ()


@given(st.lists(st.tuples(st.integers(-99, 299), st.integers(-99, 299)), min_size=3, max_size=4))
def test_what_is_clipped_lies_inside(corners: list[tuple[int, int]]) -> None:
    shape = clipped(corners, 240, 210)
    assert all(0 <= x <= 240 and 0 <= y <= 210 for x, y in shape)
    assert area(shape) <= 240 * 210 if shape else True
