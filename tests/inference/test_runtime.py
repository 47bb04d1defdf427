"""TFLite itself: that the runtime at hand makes an interpreter, runs it, and says who it is."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from edge.inference.error import ModelError
from edge.inference.model import Code
from edge.inference.runtime import SecondReader
from tests.inference.agreement import MODELS, NAMES, as_the_runtime, sample_inputs
from tests.inference.flat import Scalar, Step, Values, written

PLAIN = (MODELS / "plain.tflite").read_bytes()
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", NAMES)
def test_the_default_kernels_run(name: str) -> None:
    """They may differ from the reference by single steps, and do on some machines."""
    data = (MODELS / f"{name}.tflite").read_bytes()
    reader, fixed = SecondReader(data), as_the_runtime(data)
    inputs = sample_inputs(fixed.input_shape)
    outputs = reader.run(inputs)
    assert outputs.shape == fixed.run(inputs).shape
    assert np.abs(outputs.astype(int) - fixed.run(inputs)).max() <= 3


def test_it_says_who_it_is() -> None:
    reader = SecondReader(PLAIN)
    assert reader.name == ("ai-edge-litert" if sys.version_info >= (3, 12) else "tflite-runtime")
    assert reader.version == version(reader.name)
    assert reader.resolver == "default"
    assert SecondReader(PLAIN, reference=True).resolver == "reference"


def test_no_input_gives_no_output() -> None:
    assert SecondReader(PLAIN).run(np.zeros((0, 12, 12, 1), np.int8)).shape == (0, 13)


def test_inputs_of_another_shape_or_type_are_refused() -> None:
    reader = SecondReader(PLAIN)
    with pytest.raises(ValueError, match="expected"):
        reader.run(np.zeros((1, 12, 11, 1), np.int8))
    with pytest.raises(ValueError, match="expected"):
        reader.run(np.zeros((1, 12, 12, 1), np.uint8))


def test_threads_take_turns() -> None:
    reader, inputs = SecondReader(PLAIN), sample_inputs((12, 12, 1), count=200)
    expected = reader.run(inputs)
    found: list[bool] = []
    threads = [Thread(target=lambda: found.append(np.array_equal(reader.run(inputs), expected))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 4


def test_a_model_that_tflite_refuses_is_refused_by_name() -> None:
    with pytest.raises(ModelError) as caught:
        SecondReader(b"no model")
    assert caught.value.code == "modelUnsupported"


def test_a_model_of_another_kind_is_refused() -> None:
    pair = {0: Scalar("<b", 0)}
    wide = [Values((2, 3), 0.5), Values((2, 3), 0.5)]
    with pytest.raises(ModelError, match="batch of one"):
        SecondReader(written(wide, [Step(Code.ADD, (0, 0), 1, pair)], 0, 1))


def test_there_is_one_import_site() -> None:
    sites = [
        path.relative_to(ROOT).as_posix()
        for folder in ("edge", "hil", "firmware_bridge", "tests")
        for path in (ROOT / folder).rglob("*.py")
        if path != Path(__file__)
        and any(word in path.read_text(encoding="utf-8") for word in ("import tflite", "from ai_edge", "from tflite_r"))
    ]
    assert sites == ["edge/inference/runtime.py"]
