"""The sum of two tensors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge.inference.convolution import Kernel
from edge.inference.model import Model, Operator, Tensor, unsupported
from edge.inference.rescale import Int8Array, Int64Array, Rescale, activation_range, quantise_multiplier, to_int8

_ADD_BITS = 20
"""Both addends are shifted left by so many bits before they are brought to one scale."""


def add(model: Model, operator: Operator) -> Kernel:
    """Make ADD of two computed tensors of one shape ready; raises ModelError `modelUnsupported`."""
    if len(operator.inputs) != 2:
        raise unsupported(f"ADD of {len(operator.inputs)} tensors")
    first, second, output = (model.tensors[number] for number in (*operator.inputs, operator.output))
    if first.data is not None or second.data is not None or first.shape != second.shape:
        raise unsupported(f"ADD of {first.shape} and {second.shape} that are not both computed and alike")
    model.expect(operator, first.shape)
    axes = len(output.shape)
    twice = 2 * float(max(first.scale, second.scale))
    factor = twice / ((1 << _ADD_BITS) * float(output.scale))
    if factor >= 1:
        raise unsupported("ADD with an output scale that is too small for its inputs")
    # A factor below one keeps the magnitude, so the sum of both has at most twice that of one.
    reach = 255 << _ADD_BITS
    total = Rescale([quantise_multiplier(factor)], axes, 2 * reach)
    limits = activation_range(operator.activation, output)

    def scaled(tensor: Tensor, rescale: Rescale, values: Int8Array) -> Int64Array:
        wide = values.astype(np.int64)
        wide -= tensor.zero_point
        wide <<= _ADD_BITS
        return rescale(wide)

    addends = [(tensor, Rescale([quantise_multiplier(float(tensor.scale) / twice)], axes, reach)) for tensor in (first, second)]

    def run(inputs: Sequence[Int8Array]) -> Int8Array:
        one, other = (scaled(*addend, values) for addend, values in zip(addends, inputs, strict=True))
        one += other
        return to_int8(total(one), output.zero_point, limits)

    return run
