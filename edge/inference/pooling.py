"""Operators that gather over places: largest, average, mean."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from edge.inference.convolution import Kernel
from edge.inference.geometry import PICTURE_AXES, Placement, inside, outside, place
from edge.inference.model import Model, Operator, unsupported
from edge.inference.rescale import (
    LOWEST,
    Int8Array,
    Int64Array,
    Rescale,
    activation_range,
    quantise_multiplier,
    to_int8,
)


def _pool(model: Model, operator: Operator) -> tuple[Placement, tuple[int, int]]:
    """Place the window of a pool, whose input and output must be quantised alike: no factor is applied."""
    given, output = model.ends(operator)
    if len(operator.inputs) != 1 or len(given.shape) != PICTURE_AXES:
        raise unsupported(f"{operator.code.name} of shape {given.shape}")
    if given.scale != output.scale or given.zero_point != output.zero_point:
        raise unsupported(f"{operator.code.name} between different scales")
    window = operator.window
    _, height, width, depth = given.shape
    placement = place(window, window.height, window.width, (height, width), depth)
    model.expect(operator, (1, placement.y.count, placement.x.count, depth))
    return placement, activation_range(operator.activation, output)


def max_pool(model: Model, operator: Operator) -> Kernel:
    """Make MAX_POOL_2D ready; raises ModelError `modelUnsupported`."""
    placement, limits = _pool(model, operator)

    def run(inputs: Sequence[Int8Array]) -> Int8Array:
        picture = placement.padded(inputs[0], LOWEST)
        largest = np.full((*picture.shape[:2], placement.y.count, placement.x.count), limits[0], np.int8)
        for row, column in placement.taps:
            np.maximum(largest, picture[:, :, placement.y.at(row), placement.x.at(column)], out=largest)
        return np.minimum(largest, np.int8(limits[1]), out=largest)

    return run


def average_pool(model: Model, operator: Operator) -> Kernel:
    """Make AVERAGE_POOL_2D ready: over the pixels that exist, halves away from zero; raises ModelError `modelUnsupported`."""
    placement, limits = _pool(model, operator)
    height, width = model.tensors[operator.inputs[0]].shape[1:3]
    present = placement.padded(np.ones((1, 1, height, width), np.int8), 0)
    counts = np.zeros((placement.y.count, placement.x.count), np.int64)
    for row, column in placement.taps:
        counts += present[0, 0, placement.y.at(row), placement.x.at(column)]

    def run(inputs: Sequence[Int8Array]) -> Int8Array:
        picture = placement.padded(inputs[0], 0)
        sums = np.zeros((*picture.shape[:2], placement.y.count, placement.x.count), np.int64)
        for row, column in placement.taps:
            sums += picture[:, :, placement.y.at(row), placement.x.at(column)]
        return to_int8(_divided(sums, counts), 0, limits)

    return run


def _divided(sums: Int64Array, counts: Int64Array | int) -> Int64Array:
    """Divide by positive counts, halves away from zero (an even count's half is exact, an odd one has none)."""
    return np.asarray(np.sign(sums) * ((np.abs(sums) + counts // 2) // counts), np.int64)


def mean(model: Model, operator: Operator) -> Kernel:
    """Make MEAN ready: over any axes but the batch's; raises ModelError `modelUnsupported`."""
    given, output = model.ends(operator)
    chosen = model.tensors[operator.inputs[1]].data if len(operator.inputs) == 2 else None
    if chosen is None or chosen.dtype != np.int32 or chosen.ndim > 1:
        raise unsupported("MEAN without constant axes")
    rank = len(given.shape)
    axes = tuple(sorted({axis + rank if axis < 0 else axis for axis in chosen.ravel().tolist()}))
    if not axes or axes[0] < 1 or axes[-1] >= rank:
        raise unsupported(f"MEAN over the axes {axes} of {given.shape}")
    left = [1 if axis in axes else extent for axis, extent in enumerate(given.shape) if operator.keeps_axes or axis not in axes]
    model.expect(operator, tuple(left))
    count = math.prod(given.shape[axis] for axis in axes)
    multiplier, shift = quantise_multiplier(float(given.scale) / float(output.scale))
    # The division by the count goes into the factor, with as many bits as the count has.
    bits = min(count.bit_length() - 1, 32, 31 + shift)
    rescale = Rescale([((multiplier << bits) // count, shift - bits)], len(output.shape), 255 * count)
    limits = activation_range(operator.activation, output)

    def run(inputs: Sequence[Int8Array]) -> Int8Array:
        rows = outside(inputs[0])
        sums = rows.sum(axis=axes, dtype=np.int64) - given.zero_point * count
        values = to_int8(rescale(sums.reshape(rows.shape[0], *output.shape[1:])), output.zero_point, limits)
        return inside(values)

    return run
