"""Each operator alone, with any geometry and quantisation, against TFLite's reference kernel."""

from __future__ import annotations

import math
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from edge.inference import geometry
from edge.inference.error import ModelError
from edge.inference.model import Code
from tests.inference.agreement import SAMPLES, differences
from tests.inference.flat import Scalar, Step, Values, written

SAME, VALID = 0, 1
EXTENTS = st.integers(1, 9)
ZERO_POINTS = st.integers(-128, 127)
ACTIVATIONS = st.sampled_from([0, 1, 3])
SCALES = st.floats(-7, 1).map(lambda power: float(np.float32(math.exp(power))))
Window = dict[str, int]
SEEDS = st.integers(0, 2**32 - 1)
AT_A_TIME = st.sampled_from([1, 100, 1 << 18])
"""Rows of positions are worked on one by one, a few together, or all."""


@st.composite
def windows(draw: st.DrawFn, dilations: int = 1) -> Window:
    """Sizes of a picture and of a window that fits, how it moves, and how often it does."""
    window: Window = {"same": draw(st.integers(0, 1))}
    for axis in "yx":
        extent, size = draw(EXTENTS), draw(st.integers(1, 4))
        stride, dilation = draw(st.integers(1, 3)), draw(st.integers(1, dilations))
        covered = (size - 1) * dilation + 1
        assume(window["same"] or covered <= extent)
        count = -(-extent // stride) if window["same"] else (extent - covered) // stride + 1
        window |= {f"extent_{axis}": extent, f"size_{axis}": size, f"stride_{axis}": stride}
        window |= {f"dilation_{axis}": dilation, f"count_{axis}": count}
    return window


def options(window: Window) -> dict[int, object]:
    """The fields that convolutions and pools begin with."""
    return {0: Scalar("<b", SAME if window["same"] else VALID), 1: window["stride_x"], 2: window["stride_y"]}


def agrees(data: bytes) -> bool:
    """Whether all outputs are the same; a model whose numbers leave TFLite's range is not of interest here."""
    try:
        return differences(data) == 0
    except ModelError as error:
        assume("more than 32 bits" not in error.detail and "too small" not in error.detail)
        raise


def weights(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray[tuple[int, ...], np.dtype[np.int8]]:
    return rng.integers(-128, 128, shape, dtype=np.int8)


def channel_scales(rng: np.random.Generator, around: float, count: int) -> list[float]:
    return [float(np.float32(around * math.exp(step))) for step in rng.normal(0, 1, count)]


@given(windows(dilations=2), st.data(), SEEDS, AT_A_TIME)
def test_convolution(window: Window, data: st.DataObject, seed: int, at_a_time: int) -> None:
    rng = np.random.default_rng(seed)
    depth, channels = data.draw(st.integers(1, 4), "depth"), data.draw(st.integers(1, 5), "channels")
    # Sums that float32 holds, and sums that only float64 does.
    most = data.draw(st.sampled_from([2**14, 2**26]), "bias")
    given_scale, taken_scale, around = (data.draw(SCALES) for _ in range(3))
    scales: float | list[float] = channel_scales(rng, around, channels) if data.draw(st.booleans()) else around
    shape = (channels, window["size_y"], window["size_x"], depth)
    tensors = [
        Values((1, window["extent_y"], window["extent_x"], depth), given_scale, data.draw(ZERO_POINTS)),
        Values(shape, scales, 0, weights(rng, shape)),
        Values((channels,), None, 0, rng.integers(-most, most, channels).astype(np.int32)),
        Values((1, window["count_y"], window["count_x"], channels), taken_scale, data.draw(ZERO_POINTS)),
    ]
    more = {3: Scalar("<b", data.draw(ACTIVATIONS)), 4: window["dilation_x"], 5: window["dilation_y"]}
    step = Step(Code.CONV_2D, (0, 1, 2), 3, options(window) | more)
    with patch.object(geometry, "AT_A_TIME", at_a_time):
        assert agrees(written(tensors, [step], 0, 3))


@pytest.mark.parametrize("wide", [512, 1040])
def test_every_unit_of_a_large_sum_counts(wide: int) -> None:
    """The sums and the biases that bring them back to a few units are just within what float32 holds, or twice beyond it."""
    heavy = np.full((SAMPLES, 1, 1, wide), 127, np.int8)
    # What input number k gives is 127 * k more than -127 * 128 for each weight; channel number k shows that within eight bits.
    bias = 127 * 128 * wide - 127 * np.arange(SAMPLES)
    tensors = [
        Values((1, 1, 1, wide), 1.0),
        Values(heavy.shape, 1.0, 0, heavy),
        Values((SAMPLES,), None, 0, bias.astype(np.int32)),
        Values((1, 1, 1, SAMPLES), 1.0),
    ]
    step = Step(Code.CONV_2D, (0, 1, 2), 3, {0: Scalar("<b", VALID), 1: 1, 2: 1, 4: 1, 5: 1})
    inputs = np.full((SAMPLES, 1, 1, wide), -128, np.int8)
    for number, pixels in enumerate(inputs):
        pixels[..., :number] += 1
    assert differences(written(tensors, [step], 0, 3), inputs) == 0


@given(windows(dilations=2), st.data(), SEEDS, AT_A_TIME)
def test_depthwise_convolution(window: Window, data: st.DataObject, seed: int, at_a_time: int) -> None:
    rng = np.random.default_rng(seed)
    depth, multiplier = data.draw(st.integers(1, 4), "depth"), data.draw(st.integers(1, 3), "multiplier")
    channels = depth * multiplier
    given_scale, taken_scale, around = (data.draw(SCALES) for _ in range(3))
    shape = (1, window["size_y"], window["size_x"], channels)
    tensors = [
        Values((1, window["extent_y"], window["extent_x"], depth), given_scale, data.draw(ZERO_POINTS)),
        Values(shape, channel_scales(rng, around, channels), 0, weights(rng, shape), axis=3),
        Values((channels,), None, 0, rng.integers(-(2**14), 2**14, channels).astype(np.int32)),
        Values((1, window["count_y"], window["count_x"], channels), taken_scale, data.draw(ZERO_POINTS)),
    ]
    more = {3: multiplier, 4: Scalar("<b", data.draw(ACTIVATIONS)), 5: window["dilation_x"], 6: window["dilation_y"]}
    step = Step(Code.DEPTHWISE_CONV_2D, (0, 1, 2), 3, options(window) | more)
    with patch.object(geometry, "AT_A_TIME", at_a_time):
        assert agrees(written(tensors, [step], 0, 3))


@given(st.integers(1, 30), st.integers(1, 9), st.data(), SEEDS)
def test_fully_connected(wide: int, units: int, data: st.DataObject, seed: int) -> None:
    rng = np.random.default_rng(seed)
    given_scale, taken_scale, scale = (data.draw(SCALES) for _ in range(3))
    product = float(np.float32(given_scale) * np.float32(scale))
    tensors = [
        Values((1, wide), given_scale, data.draw(ZERO_POINTS)),
        Values((units, wide), scale, 0, weights(rng, (units, wide))),
        Values((units,), product, 0, rng.integers(-(2**14), 2**14, units).astype(np.int32)),
        Values((1, units), taken_scale, data.draw(ZERO_POINTS)),
    ]
    inputs = (0, 1, 2) if data.draw(st.booleans(), "bias") else (0, 1, -1)
    assert agrees(written(tensors, [Step(Code.FULLY_CONNECTED, inputs, 3, {0: Scalar("<b", data.draw(ACTIVATIONS))})], 0, 3))


@pytest.mark.parametrize("code", [Code.MAX_POOL_2D, Code.AVERAGE_POOL_2D])
@given(window=windows(), data=st.data())
def test_pools(code: Code, window: Window, data: st.DataObject) -> None:
    depth, scale, zero_point = data.draw(st.integers(1, 4)), data.draw(SCALES), data.draw(ZERO_POINTS)
    tensors = [
        Values((1, window["extent_y"], window["extent_x"], depth), scale, zero_point),
        Values((1, window["count_y"], window["count_x"], depth), scale, zero_point),
    ]
    more = {3: window["size_x"], 4: window["size_y"], 5: Scalar("<b", data.draw(ACTIVATIONS))}
    assert agrees(written(tensors, [Step(code, (0,), 1, options(window) | more)], 0, 1))


@given(st.lists(EXTENTS, min_size=1, max_size=3), st.data())
def test_mean(extents: list[int], data: st.DataObject) -> None:
    shape = (1, *extents)
    axes = data.draw(st.lists(st.integers(1, len(extents)), min_size=1, unique=True), "axes")
    kept = data.draw(st.booleans(), "keeps axes")
    left = tuple(1 if axis in axes else extent for axis, extent in enumerate(shape) if kept or axis not in axes)
    written_axes = [axis - len(shape) * data.draw(st.integers(0, 1)) for axis in axes]
    # Scales that differ, and as converters make them: alike.
    scale, zero_point = data.draw(SCALES), data.draw(ZERO_POINTS)
    alike = data.draw(st.booleans(), "alike")
    tensors = [
        Values(shape, scale, zero_point),
        Values((len(axes),), None, 0, np.array(written_axes, np.int32)),
        Values(left, scale if alike else data.draw(SCALES), zero_point if alike else data.draw(ZERO_POINTS)),
    ]
    assert agrees(written(tensors, [Step(Code.MEAN, (0, 1), 2, {0: kept})], 0, 2))


@given(st.lists(EXTENTS, min_size=1, max_size=2), st.data())
def test_add(extents: list[int], data: st.DataObject) -> None:
    """Of the input and what a mean over an axis of one makes of it: the same numbers at another scale."""
    shape = (1, *extents, 1)
    tensors = [Values(shape, data.draw(SCALES), data.draw(ZERO_POINTS)) for _ in range(3)]
    axis = Values((1,), None, 0, np.array([len(shape) - 1], np.int32))
    steps = [
        Step(Code.MEAN, (0, 3), 1, {0: True}),
        Step(Code.ADD, data.draw(st.sampled_from([(0, 1), (1, 0)])), 2, {0: Scalar("<b", data.draw(ACTIVATIONS))}),
    ]
    assert agrees(written([*tensors, axis], steps, 0, 2))


@given(st.lists(EXTENTS, min_size=3, max_size=3), st.lists(st.integers(0, 3), min_size=6, max_size=6), st.data())
def test_pad(extents: list[int], widths: list[int], data: st.DataObject) -> None:
    scale, zero_point = data.draw(SCALES), data.draw(ZERO_POINTS)
    pairs = np.array([0, 0, *widths], np.int32).reshape(4, 2)
    grown = tuple(int(extent + pair.sum()) for extent, pair in zip((1, *extents), pairs, strict=True))
    tensors = [
        Values((1, *extents), scale, zero_point),
        Values((4, 2), None, 0, pairs),
        Values(grown, scale, zero_point),
    ]
    assert agrees(written(tensors, [Step(Code.PAD, (0, 1), 2)], 0, 2))


@given(st.permutations([2, 3, 4]), st.sampled_from([(24,), (2, 12), (4, 3, 2), (1, 24), (2, 2, 3, 2)]), SCALES, ZERO_POINTS)
def test_reshape(extents: list[int], shape: tuple[int, ...], scale: float, zero_point: int) -> None:
    tensors = [
        Values((1, *extents), scale, zero_point),
        Values((1 + len(shape),), None, 0, np.array([1, *shape], np.int32)),
        Values((1, *shape), scale, zero_point),
    ]
    assert agrees(written(tensors, [Step(Code.RESHAPE, (0, 1), 2)], 0, 2))


@given(st.lists(EXTENTS, min_size=3, max_size=3), st.integers(1, 5), st.integers(1, 5), SCALES, ZERO_POINTS)
def test_resize_nearest(extents: list[int], down: int, right: int, scale: float, zero_point: int) -> None:
    height, width, depth = extents
    tensors = [
        Values((1, *extents), scale, zero_point),
        Values((2,), None, 0, np.array([down * height, right * width], np.int32)),
        Values((1, down * height, right * width, depth), scale, zero_point),
    ]
    assert agrees(written(tensors, [Step(Code.RESIZE_NEAREST_NEIGHBOR, (0, 1), 2, {0: False, 1: True})], 0, 2))


@given(st.lists(EXTENTS, min_size=1, max_size=4), st.lists(st.integers(1, 4), min_size=1, max_size=5), st.data())
def test_concatenation(extents: list[int], parts: list[int], data: st.DataObject) -> None:
    """Of the input and of what concatenations of the input with itself give, in any order, and along any axis."""
    scale, zero_point = data.draw(SCALES), data.draw(ZERO_POINTS)
    rank = 1 + len(extents)
    axis = data.draw(st.integers(1, rank - 1), "axis")
    shape = (1, *extents)
    tensors = [Values(shape, scale, zero_point)]
    steps = []
    for part in parts:
        steps.append(Step(Code.CONCATENATION, (0,) * part, len(tensors), {0: axis}))
        tensors.append(Values((*shape[:axis], shape[axis] * part, *shape[axis + 1 :]), scale, zero_point))
    chosen = data.draw(st.lists(st.integers(0, len(parts)), min_size=1, max_size=6), "inputs")
    together = sum(tensors[number].shape[axis] for number in chosen)
    steps.append(Step(Code.CONCATENATION, tuple(chosen), len(tensors), {0: axis - data.draw(st.sampled_from([0, rank]))}))
    tensors.append(Values((*shape[:axis], together, *shape[axis + 1 :]), scale, zero_point))
    assert agrees(written(tensors, steps, 0, len(tensors) - 1))
