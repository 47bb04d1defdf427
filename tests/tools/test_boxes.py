"""`boxes`: every image of a folder gets its boxes or the reason why not, in several processes, and again after a stop."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from edge.definition.form import Form
from edge.inference.error import ModelError
from edge.tally.boxes import FoundBox
from edge.tally.result import Refusal
from edge.tally.scan import TallyScan
from models.__main__ import main
from models.annotations import read_annotations
from models.commands import boxes
from models.commands.boxes import mark
from models.pool import through_all
from tests.tools.conftest import picture

FORM = "bo-2019-a1"
BOXES = (
    FoundBox("votes.a", "field", ((-1, 257), (256, 257), (256, 512), (-1, 512)), found=True),
    FoundBox("label:0", "label", ((0, 0), (25600, 0), (25600, 128), (0, 128)), found=False),
)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[int, int]]]:
    """A finder that finds the first form in pictures that are 240 wide and the second in none, and notes what it saw."""
    noted: list[tuple[str, tuple[int, int]]] = []

    def find(scan: TallyScan, form: Form, _: object) -> tuple[FoundBox, ...] | Refusal:
        height, width = scan.print.shape
        noted.append((form.name, (width, height)))
        if width == 666:
            raise ZeroDivisionError("a mistake")
        return BOXES if width == 240 and form.name == FORM else Refusal("formNotFound", "not there")

    monkeypatch.setattr(boxes, "find_boxes", find)
    monkeypatch.setattr(boxes, "look", lambda *_: None)
    monkeypatch.setattr(boxes, "load_finder", lambda: None)
    return noted


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    images = tmp_path / "images"
    images.mkdir()
    (images / "b.png").write_bytes(picture(1))
    (images / "a.JPG").write_bytes(picture(2, "JPEG", (300, 220)))
    (images / "c.png").write_bytes(b"no image")
    (images / ".hidden.png").write_bytes(picture(3))
    (images / "notes.txt").write_bytes(b"")
    return images


def command(folder: Path, *more: str) -> int:
    arguments = ["boxes", str(folder), "--form", FORM, "--out", str(folder.parent / "out" / "boxes.jsonl"), "--workers", "1"]
    return main([*arguments, *more])


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder.parent / "out" / "boxes.jsonl").read_text("ascii").splitlines()]


def test_every_image_has_a_line(folder: Path, seen: list[object], capsys: pytest.CaptureFixture[str]) -> None:
    assert command(folder, "--form", "lumen-harbour") == 1
    told = capsys.readouterr()
    assert told.out == "3 images: 1 with 2 boxes, 1 without a form, 1 not read\n"
    assert told.err.splitlines()[0] == "marking 0 of 3 images"
    first, second, third = lines(folder)
    assert [one["image"]["name"] for one in (first, second, third)] == ["a.JPG", "b.png", "c.png"]
    assert (first["image"]["width"], first["image"]["height"]) == (300, 220)
    assert [one["form"] for one in first["refusals"]] == [FORM, "lumen-harbour"]
    assert first["sheets"] == []
    assert second["sheets"] == [
        {
            "form": FORM,
            "boxes": [
                {
                    "name": "votes.a",
                    "kind": "field",
                    "corners": [[-0.00390625, 1.00390625], [1.0, 1.00390625], [1.0, 2.0], [-0.00390625, 2.0]],
                    "found": True,
                },
                {
                    "name": "label:0",
                    "kind": "label",
                    "corners": [[0.0, 0.0], [100.0, 0.0], [100.0, 0.5], [0.0, 0.5]],
                    "found": False,
                },
            ],
        }
    ]
    assert third["error"]["code"] == "imageUnreadable"
    read = read_annotations(folder.parent / "out" / "boxes.jsonl")
    assert [(image.name, len(image.boxes)) for image in read.images] == [("b.png", 2)]
    assert read.empty == 2


def test_only_what_changed_is_looked_at_again(folder: Path, seen: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    command(folder)
    before = lines(folder)
    seen.clear()
    command(folder)
    assert not seen
    assert lines(folder) == before
    (folder / "b.png").write_bytes(picture(4))
    command(folder)
    assert len(seen) == 1
    record = folder.parent / "out" / "boxes.records" / "a.JPG.json"
    record.write_bytes(record.read_bytes()[:-9])
    command(folder)
    assert len(seen) == 2
    monkeypatch.setattr(boxes, "INTERPRETER_VERSION", "other")
    command(folder)
    assert len(seen) == 4
    command(folder, "--form", "lumen-harbour")
    assert len(seen) == 8


def test_an_interrupt_keeps_what_is_done(folder: Path, seen: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    def stopping(name: str, task: boxes.Task) -> boxes.Json:
        if name == "b.png":
            raise KeyboardInterrupt
        return mark(name, task)

    with monkeypatch.context() as patched:
        patched.setattr(boxes, "mark", stopping)
        assert command(folder) == 130
    assert len(seen) == 1
    assert not (folder.parent / "out" / "boxes.jsonl").exists()
    command(folder)
    assert len(seen) == 2


def test_a_mistake_of_ours_costs_one_image(folder: Path, seen: list[object]) -> None:
    (folder / "d.png").write_bytes(picture(5, size=(666, 210)))
    (folder / "e\n.png").write_bytes(picture(6))
    assert command(folder) == 1
    found = {one["image"]["name"]: one["error"] and one["error"]["code"] for one in lines(folder)}
    assert found == {
        "a.JPG": None,
        "b.png": None,
        "c.png": "imageUnreadable",
        "d.png": "markingFailed",
        "e\n.png": "nameUnusable",
    }
    assert not (folder.parent / "out" / "boxes.records" / "d.png.json").exists()


def test_wrong_use(folder: Path, seen: list[object], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(tmp_path / "nothing") == 2
    assert command(folder, "--form", FORM) == 2
    assert command(folder, "--form", "no-such-form") == 2
    assert command(folder, "--out", str(folder)) == 2
    (tmp_path / "empty").mkdir()
    assert command(tmp_path / "empty") == 2
    codes = [line.split(": ")[1] for line in capsys.readouterr().err.splitlines()]
    assert codes == ["fileNotFound", "badUse", codes[2], "fileUnwritable", "fileNotFound"]


def test_a_missing_model_is_told_at_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing() -> None:
        raise ModelError("modelMissing", "region.tflite cannot be read")

    monkeypatch.setattr(boxes, "region_finder", missing)
    assert command(folder) == 2
    assert capsys.readouterr().err == "scrutineer-models: modelMissing: region.tflite cannot be read\n"


def test_processes_do_the_same_as_one(tmp_path: Path) -> None:
    names = [str(number) for number in range(12)]
    assert dict(through_all(names, 3, 2, times)) == {name: 3 * int(name) for name in names}
    assert dict(through_all(names, 3, 1, times)) == dict(through_all(names, 3, 2, times))


def test_a_death_costs_one_image() -> None:
    names = [str(number) for number in range(6)]
    assert dict(through_all(names, 3, 2, dying)) == {name: None if name == "4" else 3 * int(name) for name in names}


def times(name: str, factor: int) -> int:
    return factor * int(name)


def dying(name: str, factor: int) -> int:

    if name == "4":
        os._exit(9)
    return factor * int(name)


def test_real_sheets_are_marked(real_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "boxes.jsonl"
    assert main(["boxes", str(real_data / "tally-sheets"), "--form", FORM, "--out", str(out), "--workers", "1"]) == 0
    found = {image.name: image for image in read_annotations(out).images}
    assert len(found) == 3
    whole = found["acta-10205.jpg"]
    assert {box.kind for box in whole.boxes} == {"field", "label"}
    assert sum(box.found for box in whole.boxes) > 0.9 * len(whole.boxes)
    for box in whole.boxes:
        left, top, right, bottom = box.corners[0][0], box.corners[0][1], box.corners[2][0], box.corners[2][1]
        assert 0 <= left < right <= whole.width
        assert 0 <= top < bottom <= whole.height
