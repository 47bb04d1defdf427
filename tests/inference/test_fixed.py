"""The interpreter on whole models: the reference kernels' outputs, the recorded digests, and what is refused."""

from __future__ import annotations

import hashlib
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.inference.error import ModelError
from edge.inference.fixed import FixedInterpreter
from edge.inference.model import Code, parse_model
from tests.inference.agreement import MODELS, NAMES, SAMPLES, differences, sample_inputs
from tests.inference.networks import Network, boxes, heat_maps

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


@given(st.integers(0, 2**32 - 1), st.sampled_from([32, 64, 96]), st.integers(1, 6))
def test_networks_of_heat_maps_give_the_reference_kernels_outputs(seed: int, side: int, base: int) -> None:
    data = heat_maps(side, base, seed)
    assert differences(data, sample_inputs((side, side, 1), seed, 4)) == 0


@given(st.integers(0, 2**32 - 1), st.sampled_from([16, 32, 48]))
def test_networks_of_boxes_give_the_reference_kernels_outputs(seed: int, side: int) -> None:
    assert differences(boxes(side, seed), sample_inputs((side, side, 1), seed, 4)) == 0


def test_a_network_of_full_size_gives_the_reference_kernels_outputs() -> None:
    data = heat_maps(256, 12, 7)
    inputs = sample_inputs((256, 256, 1), count=3)
    assert differences(data, inputs) == 0
    assert len(np.unique(FixedInterpreter(parse_model(data)).run(inputs))) > 200


def test_a_network_of_full_size_takes_little_memory() -> None:
    """The pixels under all windows of its largest convolution would be 1.2 million floats, 5 MB; they are laid out in strips."""
    reader = FixedInterpreter(parse_model(heat_maps(256, 12, 7)))
    inputs = np.zeros((1, 256, 256, 1), np.int8)
    tracemalloc.start()
    try:
        reader.run(inputs)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_a_tensor_is_let_go_after_its_last_use() -> None:
    net = Network((128, 128, 16), 1)
    last = 0
    for _ in range(12):
        last = net.together(last, axis=2)
    reader = FixedInterpreter(parse_model(net.written(last)))
    inputs = np.zeros((1, 128, 128, 16), np.int8)
    tracemalloc.start()
    try:
        reader.run(inputs)
        assert tracemalloc.get_traced_memory()[1] < 4 * inputs.size
    finally:
        tracemalloc.stop()


def test_an_input_or_output_that_is_used_further_is_kept() -> None:
    net = Network((4, 4, 2), 3)
    output = net.convolution(0, 2)
    net.sum(output, 0)
    assert differences(net.written(output)) == 0


def test_more_values_than_may_be_computed_are_refused() -> None:
    net = Network((256, 256, 16), 1)
    last = 0
    for _ in range(4):
        last = net.pool(net.together(last, last, last, axis=3), Code.AVERAGE_POOL_2D)
    with pytest.raises(ModelError, match="at most 4194304") as caught:
        FixedInterpreter(parse_model(net.written(last)))
    assert caught.value.code == "modelUnsupported"
