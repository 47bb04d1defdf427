"""Products with weights: convolution, depthwise convolution, and the fully connected layer.

The sums are exact integers: products of matrices of floats, whose every partial sum is below what the floats hold exactly,
whatever the order of summation: 2**24 for float32, taken where the weights prove it, and 2**53 for float64. TFLite sums in 32
bits; a model whose sums could overflow those is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.inference.flatbuffer import damaged
from edge.inference.geometry import PICTURE_AXES, outside, place
from edge.inference.model import Model, Operator, Tensor, unsupported
from edge.inference.rescale import Int8Array, Int64Array, Rescale, activation_range, quantise_multiplier, to_int8

Kernel = Callable[[Sequence[Int8Array]], Int8Array]
"""One operator made ready: its computed inputs, each with the batch, to its output."""

Floats = NDArray[np.floating[Any]]

_EXACT = 1 << 53
"""Below this, float64 holds every whole number."""
_EXACT_32 = 1 << 24
"""Below this, float32 does."""
_MOST_IN_A_ROW = 1 << 22
"""Pixels under the windows of one row of positions: a strip of rows is worked on at a time, and this is 32 MiB at the most."""


def _weights(model: Model, operator: Operator, rank: int, axis: int) -> tuple[Tensor, Int64Array]:
    """Give the constant weights, of `rank` axes, and the bias of each channel along `axis`."""
    if len(operator.inputs) not in {2, 3}:
        raise unsupported(f"{operator.code.name} with {len(operator.inputs)} inputs")
    weights = model.tensors[operator.inputs[1]]
    if weights.kind != "int8" or weights.data is None or weights.zero_point or not len(weights.scales):
        raise unsupported(f"{operator.code.name} with weights that are not constant, symmetric int8")
    if len(weights.shape) != rank:
        raise unsupported(f"{operator.code.name} with weights {weights.shape}")
    if len(weights.scales) > 1 and weights.axis != axis:
        raise unsupported(f"{operator.code.name} with scales along axis {weights.axis}")
    channels = weights.shape[axis]
    bias = np.zeros(channels, np.int64)
    if len(operator.inputs) == 3 and operator.inputs[2] != -1:
        given = model.tensors[operator.inputs[2]]
        if given.kind != "int32" or given.data is None or given.shape != (channels,):
            raise unsupported(f"{operator.code.name} with a bias that is not {channels} constant int32")
        bias += given.data
    return weights, bias


def _factors(model: Model, operator: Operator, weights: Tensor) -> list[tuple[int, int]]:
    """Give one factor for each scale of the weights: input scale times weight scale over output scale, in doubles."""
    given, output = model.ends(operator)
    return [quantise_multiplier(float(given.scale) * float(scale) / float(output.scale)) for scale in weights.scales]


def _offsets(flat: NDArray[np.float64], bias: Int64Array, zero_point: int) -> Int64Array:
    """Give what each channel's sum over w * q lacks: the sum over w * (q - z) is less by z times the sum over w.

    So a picture is padded with z, and no zero point is subtracted from its pixels.
    """
    return np.asarray(bias - zero_point * flat.sum(axis=1).astype(np.int64), np.int64)


def _bound(flat: NDArray[np.float64], bias: Int64Array) -> int:
    """Give the largest magnitude that any partial sum can have, for weights of shape (channels, k)."""
    # int8 less a zero point is at most 255 in magnitude.
    bound = int((np.abs(flat).sum(axis=1) * 255).max()) + int(np.abs(bias).max())
    if bound >= _EXACT:
        raise unsupported(f"sums of up to {bound} are not exact")
    return bound


def _picture(model: Model, operator: Operator) -> tuple[int, int, int]:
    shape = model.tensors[operator.inputs[0]].shape
    if len(shape) != PICTURE_AXES:
        raise unsupported(f"{operator.code.name} of shape {shape}")
    return shape[1], shape[2], shape[3]


def convolution(model: Model, operator: Operator) -> Kernel:
    """Make CONV_2D ready. Weights lie as (output channel, y, x, input channel); raises ModelError `modelUnsupported`."""
    height, width, depth = _picture(model, operator)
    weights, bias = _weights(model, operator, PICTURE_AXES, axis=0)
    if weights.shape[3] != depth:
        raise unsupported(f"CONV_2D with weights {weights.shape} on {depth} channels")
    channels, rows, columns, _ = weights.shape
    placement = place(operator.window, rows, columns, (height, width), channels * depth)
    model.expect(operator, (1, placement.y.count, placement.x.count, channels))
    zero_point = model.tensors[operator.inputs[0]].zero_point
    # (tap, input channel) in the order in which the pixels will be laid out.
    flat = np.asarray(weights.data, np.float64).reshape(channels, -1)
    wide = flat.shape[1]
    if wide * placement.x.count > _MOST_IN_A_ROW:
        raise unsupported(f"CONV_2D over {wide} pixels at {placement.x.count} places of a row")
    bound = _bound(flat, bias)
    offsets = _offsets(flat, bias, zero_point)[:, np.newaxis]
    # Pixels are at most 128 in magnitude.
    reach = int(np.abs(flat).sum(axis=1).max()) * 128 + int(np.abs(offsets).max())
    kind = np.dtype(np.float32 if reach < _EXACT_32 else np.float64)
    factors: Floats = flat.astype(kind)
    biases = offsets.astype(kind)
    output = model.tensors[operator.output]
    limits = activation_range(operator.activation, output)
    rescale = Rescale(_factors(model, operator, weights), 2, bound, positive=limits[0] >= output.zero_point)

    def run(inputs: Sequence[Int8Array]) -> Int8Array:
        picture = placement.padded(inputs[0], zero_point)
        count = picture.shape[1]
        found = np.empty((channels, count, placement.y.count, placement.x.count), np.int8)
        for strip in placement.strips(count * max(wide, channels)):
            pixels: Floats = np.empty((len(placement.taps), depth, count, len(strip), placement.x.count), kind)
            for number, (row, column) in enumerate(placement.taps):
                pixels[number] = picture[:, :, placement.y.at(row, strip), placement.x.at(column)]
            sums = factors @ pixels.reshape(wide, -1)
            sums += biases
            narrow = to_int8(rescale(sums.astype(np.int64)), output.zero_point, limits)
            found[:, :, strip.start : strip.stop] = narrow.reshape(channels, count, len(strip), placement.x.count)
        return found

    return run


def depthwise_convolution(model: Model, operator: Operator) -> Kernel:
    """Make DEPTHWISE_CONV_2D ready. Weights lie as (1, y, x, channel); raises ModelError `modelUnsupported`."""
    height, width, depth = _picture(model, operator)
    weights, bias = _weights(model, operator, PICTURE_AXES, axis=3)
    if weights.shape[0] != 1 or weights.shape[3] != depth * operator.multiplier:
        raise unsupported(f"DEPTHWISE_CONV_2D with weights {weights.shape} on {depth} channels")
    _, rows, columns, channels = weights.shape
    placement = place(operator.window, rows, columns, (height, width), channels)
    model.expect(operator, (1, placement.y.count, placement.x.count, channels))
    zero_point = model.tensors[operator.inputs[0]].zero_point
    flat = np.asarray(weights.data, np.float64).reshape(-1, channels).T
    bound = _bound(flat, bias)
    offsets = _offsets(flat, bias, zero_point)[:, np.newaxis, np.newaxis, np.newaxis]
    output = model.tensors[operator.output]
    limits = activation_range(operator.activation, output)
    rescale = Rescale(_factors(model, operator, weights), PICTURE_AXES, bound, positive=limits[0] >= output.zero_point)
    # (tap, input channel, outputs of that channel, and the picture's axes); the sums stay below 2**31.
    taps = np.asarray(weights.data, np.int32).reshape(-1, depth, operator.multiplier, 1, 1, 1)

    def run(inputs: Sequence[Int8Array]) -> Int8Array:
        picture = placement.padded(inputs[0], zero_point)[:, np.newaxis]
        count = picture.shape[2]
        found = np.empty((channels, count, placement.y.count, placement.x.count), np.int8)
        for strip in placement.strips(count * channels):
            positions = (count, len(strip), placement.x.count)
            sums = np.zeros((depth, operator.multiplier, *positions), np.int32)
            for number, (row, column) in enumerate(placement.taps):
                sums += picture[:, :, :, placement.y.at(row, strip), placement.x.at(column)] * taps[number]
            wide = sums.reshape(channels, *positions).astype(np.int64)
            wide += offsets
            found[:, :, strip.start : strip.stop] = to_int8(rescale(wide), output.zero_point, limits)
        return found

    return run


def fully_connected(model: Model, operator: Operator) -> Kernel:
    """Make FULLY_CONNECTED ready. Weights lie as (output, input), with one scale; raises ModelError `modelUnsupported`."""
    weights, bias = _weights(model, operator, 2, axis=0)
    if len(weights.scales) != 1:
        raise unsupported(f"FULLY_CONNECTED with {len(weights.scales)} scales of weights")
    given, output = model.ends(operator)
    units, wide = weights.shape
    # Axes beyond the batch's are rows of their own, in the output as well.
    if (
        math.prod(given.shape) % wide
        or output.shape[-1] != units
        or math.prod(output.shape) * wide != math.prod(given.shape) * units
    ):
        raise damaged(f"FULLY_CONNECTED from {given.shape} to {output.shape} by weights {weights.shape}")
    flat = np.asarray(weights.data, np.float64)
    bound = _bound(flat, bias)
    offsets = _offsets(flat, bias, given.zero_point).astype(np.float64)[:, np.newaxis]
    # Here TFLite multiplies the two scales as floats, not as doubles.
    factor = quantise_multiplier(float(given.scale * weights.scale) / float(output.scale))
    rescale = Rescale([factor], 2, bound)
    limits = activation_range(operator.activation, output)

    def run(inputs: Sequence[Int8Array]) -> Int8Array:
        rows = outside(inputs[0])
        count = rows.shape[0]
        sums = flat @ rows.reshape(-1, wide).T.astype(np.float64)
        sums += offsets
        values = to_int8(rescale(sums.astype(np.int64)), output.zero_point, limits)
        return np.ascontiguousarray(values.T).reshape(count, *output.shape[1:])

    return run
