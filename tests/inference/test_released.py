"""The released files are the pinned ones, reached as part of the package, and no other bytes are taken for them."""

from __future__ import annotations

import hashlib
import json
from importlib import resources
from pathlib import Path

import pytest

from edge.inference import released
from edge.inference.error import ModelError
from edge.inference.released import RELEASED, ReleasedModel, load_released

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", RELEASED)
def test_a_released_file_is_the_pinned_one(name: str) -> None:
    data = load_released(name)
    assert hashlib.sha256(data).hexdigest() == RELEASED[name].sha256
    assert data == (ROOT / "models/released" / RELEASED[name].file).read_bytes()


def test_the_package_holds_nothing_that_is_not_pinned() -> None:
    entries = resources.files("edge.inference").joinpath("released_files").iterdir()
    models = {entry.name for entry in entries if entry.name.endswith((".tflite", ".json"))}
    assert models == {entry.file for entry in RELEASED.values()}


def test_a_model_is_small_enough_for_a_small_board() -> None:
    assert len(load_released("digit")) <= 100_000


@pytest.mark.parametrize("name", RELEASED)
def test_other_bytes_are_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = bytearray(load_released(name))
    changed[len(changed) // 2] ^= 1
    folder = tmp_path / "released_files"
    folder.mkdir()
    (folder / RELEASED[name].file).write_bytes(changed)
    monkeypatch.setattr("edge.inference.released.resources.files", lambda package: tmp_path)
    with pytest.raises(ModelError, match="SHA-256") as caught:
        load_released(name)
    assert caught.value.code == "modelChanged"


def test_a_file_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(released, "RELEASED", {"gone": ReleasedModel("gone", "gone.tflite", "0" * 64)})
    with pytest.raises(ModelError, match=r"gone\.tflite") as caught:
        load_released("gone")
    assert caught.value.code == "modelMissing"


def test_what_was_never_released_is_no_model() -> None:
    with pytest.raises(ModelError, match="letters") as caught:
        load_released("letters")
    assert caught.value.code == "modelMissing"


def test_the_card_is_plain_json() -> None:
    assert isinstance(json.loads(load_released("digitCard")), dict)
