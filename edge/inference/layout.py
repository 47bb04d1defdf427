"""Operators that only put values elsewhere: padding, another shape, side by side, larger."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from edge.inference.convolution import Kernel
from edge.inference.geometry import PICTURE_AXES, inside, outside
from edge.inference.model import Activation, Model, Operator, unsupported
from edge.inference.rescale import Int8Array


def pad(model: Model, operator: Operator) -> Kernel:
    """Make PAD of a picture ready, filled with what stands for 0; raises ModelError `modelUnsupported`."""
    given, output = model.ends(operator)
    widths = model.tensors[operator.inputs[1]].data if len(operator.inputs) == 2 else None
    if widths is None or len(given.shape) != PICTURE_AXES or widths.shape != (PICTURE_AXES, 2):
        raise unsupported("PAD of something other than a picture by constant widths")
    if given.scale != output.scale or given.zero_point != output.zero_point:
        raise unsupported("PAD between different scales")
    grown = tuple(int(extent) + int(before) + int(after) for extent, (before, after) in zip(given.shape, widths, strict=True))
    if int(widths.min()) < 0 or widths[0].any():
        raise unsupported("PAD of the batch, or by less than nothing")
    model.expect(operator, grown)
    _, (top, _), (left, _), (front, _) = widths.tolist()
    height, width, depth = given.shape[1:]

    def run(inputs: Sequence[Int8Array]) -> Int8Array:
        wide = np.full((output.shape[3], inputs[0].shape[1], *output.shape[1:3]), output.zero_point, np.int8)
        wide[front : front + depth, :, top : top + height, left : left + width] = inputs[0]
        return wide

    return run


def reshape(model: Model, operator: Operator) -> Kernel:
    """Make RESHAPE ready, to the shape that its output says; raises ModelError `modelUnsupported`."""
    given, output = model.ends(operator)
    if math.prod(given.shape) != math.prod(output.shape):
        raise unsupported(f"RESHAPE of {given.shape} to {output.shape}")

    def run(inputs: Sequence[Int8Array]) -> Int8Array:
        rows = outside(inputs[0])
        return inside(rows.reshape(rows.shape[0], *output.shape[1:]))

    return run


def concatenation(model: Model, operator: Operator) -> Kernel:
    """Make CONCATENATION of computed tensors ready; raises ModelError `modelUnsupported`.

    TFLite itself refuses int8 inputs that are not all quantised as the output is.
    """
    output = model.tensors[operator.output]
    given = [model.tensors[number] for number in operator.inputs]
    rank = len(output.shape)
    axis = operator.axis + rank if operator.axis < 0 else operator.axis
    if not 1 <= axis < rank or operator.activation is not Activation.NONE:
        raise unsupported(f"CONCATENATION along axis {operator.axis} of {output.shape}, or with an activation")
    for tensor in given:
        if tensor.data is not None or len(tensor.shape) != rank:
            raise unsupported(f"CONCATENATION of {tensor.shape}, which is constant or has other axes than the output")
        if tensor.scale != output.scale or tensor.zero_point != output.zero_point:
            raise unsupported("CONCATENATION between different scales")
    together = sum(tensor.shape[axis] for tensor in given)
    for tensor in given:
        model.expect(operator, (*tensor.shape[:axis], together, *tensor.shape[axis + 1 :]))
    # Pictures lie channel first and batch second.
    along = (1, 2, 3, 0)[axis] if rank == PICTURE_AXES else axis

    def run(inputs: Sequence[Int8Array]) -> Int8Array:
        return np.concatenate(inputs, axis=along)

    return run


def resize_nearest(model: Model, operator: Operator) -> Kernel:
    """Make RESIZE_NEAREST_NEIGHBOR ready, where each pixel becomes a block of pixels; raises ModelError `modelUnsupported`.

    By whole factors, and with the middles of pixels, TFLite's rounding of the places in float32 makes no difference.
    """
    given, output = model.ends(operator)
    size = model.tensors[operator.inputs[1]].data if len(operator.inputs) == 2 else None
    if size is None or size.dtype != np.int32 or size.shape != (2,) or len(given.shape) != PICTURE_AXES:
        raise unsupported("RESIZE_NEAREST_NEIGHBOR of something other than a picture to a constant size")
    if given.scale != output.scale or given.zero_point != output.zero_point:
        raise unsupported("RESIZE_NEAREST_NEIGHBOR between different scales")
    _, height, width, depth = given.shape
    rows, columns = size.tolist()
    if rows < 1 or rows % height or columns < 1 or columns % width:
        raise unsupported(f"RESIZE_NEAREST_NEIGHBOR of {height} by {width} pixels to {rows} by {columns}")
    model.expect(operator, (1, rows, columns, depth))

    def run(inputs: Sequence[Int8Array]) -> Int8Array:
        picture = inputs[0]
        blocks = np.empty((depth, picture.shape[1], height, rows // height, width, columns // width), np.int8)
        blocks[:] = picture[:, :, :, np.newaxis, :, np.newaxis]
        return blocks.reshape(depth, picture.shape[1], rows, columns)

    return run
