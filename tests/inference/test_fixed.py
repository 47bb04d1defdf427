"""The interpreter on whole models: the reference kernels' outputs, the recorded digests, and what is refused."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from edge.inference.fixed import FixedInterpreter
from edge.inference.model import parse_model
from tests.inference.agreement import MODELS, NAMES, SAMPLES, differences, sample_inputs

DIGESTS = {
    "plain": "d62761f2fcffac0111d6be4cccd2180d0ef320eb2bb8d691b758afbc2b141f79",
    "residual": "dc8fe32b851a0fec19a97ebfdcb2a3e859b90c56eea3e8e6c8a88ade6c710b9f",
    "padded": "56199f811a137bbee9a07469d4a2be6a70fe81b9d8d93538068e2da3757ffaaa",
    "dilated": "d82e90a09c7e19fc6214e56bd8a121b91d86908e2db1e72b1d5eae55b845fadb",
}
"""SHA-256 of the outputs for `sample_inputs`: whoever changes one changes the arithmetic, and raises ARITHMETIC."""


def interpreter(name: str) -> FixedInterpreter:
    return FixedInterpreter(parse_model((MODELS / f"{name}.tflite").read_bytes()))


@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_those_of_the_reference_kernels(name: str) -> None:
    assert differences((MODELS / f"{name}.tflite").read_bytes()) == 0


@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_the_same_on_every_machine_and_runtime(name: str) -> None:
    reader = interpreter(name)
    outputs = reader.run(sample_inputs(reader.input_shape))
    assert outputs.shape == (SAMPLES, *reader.output_shape)
    assert len(np.unique(outputs)) > 20
    assert hashlib.sha256(outputs.tobytes()).hexdigest() == DIGESTS[name]


@pytest.mark.parametrize("name", NAMES)
def test_an_output_does_not_depend_on_what_it_is_read_with(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = sample_inputs(interpreter(name).input_shape)
    together = interpreter(name).run(inputs)
    monkeypatch.setattr("edge.inference.fixed._AT_A_TIME", 1)
    alone = interpreter(name)
    assert alone._chunk == 1
    assert np.array_equal(alone.run(inputs), together)
    assert np.array_equal(alone.run(inputs[7:8]), together[7:8])


def test_no_input_gives_no_output() -> None:
    reader = interpreter("plain")
    outputs = reader.run(np.zeros((0, *reader.input_shape), np.int8))
    assert outputs.shape == (0, 13)
    assert outputs.dtype == np.int8


def test_inputs_are_left_as_they_were() -> None:
    reader = interpreter("residual")
    inputs = sample_inputs(reader.input_shape)
    kept = inputs.copy()
    reader.run(inputs)
    assert np.array_equal(inputs, kept)


def test_inputs_of_another_shape_or_type_are_refused() -> None:
    reader = interpreter("plain")
    with pytest.raises(ValueError, match="expected"):
        reader.run(np.zeros((1, 12, 12), np.int8))
    with pytest.raises(ValueError, match="expected"):
        reader.run(np.zeros((1, 12, 12, 1), np.uint8))
