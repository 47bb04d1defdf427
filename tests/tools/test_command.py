"""The command as such: without TensorFlow it does what needs none, and says what is missing for the rest."""

from __future__ import annotations

import importlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from models.__main__ import main
from models.commands import training
from models.commands.card import tables
from tests.tools.marked import made

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def no_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)


@pytest.mark.parametrize("command", ["ingest", "boxes", "voc", "coco", "tfrecord", "train", "convert", "evaluate", "card"])
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])
    assert stopped.value.code == 0
    assert "usage: scrutineer-models" in capsys.readouterr().out


def test_nothing_loads_tensorflow_before_it_is_needed() -> None:
    code = "import sys, models.__main__; sys.exit(any(name.startswith(('tensorflow', 'keras')) for name in sys.modules))"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_without_tensorflow_it_is_said_what_to_do(
    tmp_path: Path, no_tensorflow: None, capsys: pytest.CaptureFixture[str]
) -> None:
    data = made(tmp_path)
    assert main(["tfrecord", str(data.annotations), "--images", str(data.images), "--out", str(tmp_path / "out")]) == 2
    assert main(["train", "--model", "digit"]) == 2
    for line in capsys.readouterr().err.splitlines():
        assert line.startswith("scrutineer-models: tensorflowMissing: ")
        assert "./dev models" in line
    assert not (tmp_path / "out").exists()


def test_the_arguments_of_a_step_go_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    step = ModuleType("models.digit.train")
    step.main = lambda: seen.append(sys.argv[1:])  # type: ignore[attr-defined]
    real = importlib.import_module
    monkeypatch.setattr(importlib, "import_module", lambda name: step if name == "models.digit.train" else real(name))
    monkeypatch.setattr(training, "tensorflow", lambda: ModuleType("tensorflow"))
    before = sys.argv
    assert main(["train", "--model", "digit", "--seed", "5", "--data", "x"]) == 0
    assert seen == [["--seed", "5", "--data", "x"]]
    assert sys.argv is before


def test_a_step_that_a_model_lacks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", "--model", "digit"]) == 2
    assert "stepMissing: there is no models.digit.convert; `train` writes its flatbuffer" in capsys.readouterr().err


def test_wrong_use_has_a_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["boxes", "--nonsense"])
    assert stopped.value.code == 2
    assert "scrutineer-models: badUse: " in capsys.readouterr().err


def test_the_card_of_the_released_digit_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["card", "--model", "digit"]) == 0
    told = capsys.readouterr().out
    assert told.count("agrees: ") == 5
    assert "| accept_margin | " in told


@pytest.mark.parametrize("file", ["released/digit.tflite", "released/digit.json", "released/SHA256SUMS", "digit/evaluation.json"])
def test_a_card_that_does_not_belong_to_its_model(tmp_path: Path, file: str, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("released", "digit"):
        shutil.copytree(ROOT / "models" / folder, tmp_path / folder, ignore=shutil.ignore_patterns("*.py", "*.png"))
    assert main(["card", "--model", "digit", "--folder", str(tmp_path)]) == 0
    path = tmp_path / file
    if path.suffix == ".json" and path.parent.name == "digit":
        path.write_text(json.dumps(json.loads(path.read_text()) | {"model_sha256": "0" * 64}))
    elif path.name == "SHA256SUMS":
        path.write_text(path.read_text().replace("7", "8"))
    else:
        path.write_bytes(path.read_bytes() + b" ")
    assert main(["card", "--model", "digit", "--folder", str(tmp_path)]) == 1
    assert "DIFFERS: " in capsys.readouterr().out
    path.unlink()
    assert main(["card", "--model", "digit", "--folder", str(tmp_path)]) == 2


def test_figures_become_tables() -> None:
    evaluation = {"size": 1234567, "sets": {"one": {"right": 1, "all": 2}, "two": {"right": 3, "list": [1]}}, "more": {"a": 0.5}}
    assert list(tables(evaluation)) == [
        "| figure | value |",
        "| --- | --- |",
        "| size | 1,234,567 |",
        "",
        "`sets`",
        "",
        "|  | right | all |",
        "| --- | --- | --- |",
        "| one | 1 | 2 |",
        "| two | 3 |  |",
        "",
        "`more`",
        "",
        "| figure | value |",
        "| --- | --- |",
        "| a | 0.5 |",
    ]
