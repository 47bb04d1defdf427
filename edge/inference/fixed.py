"""The fixed-point interpreter: executes an int8 model in exact integers, many inputs at a time.

Every value is what TFLite's reference kernels give, bit for bit, on every machine: sums are exact, and each rounding is done in
integers as the kernels define it. It keeps no state between runs and may be used from several threads.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from edge.inference.convolution import Kernel, convolution, depthwise_convolution, fully_connected
from edge.inference.elementwise import add
from edge.inference.geometry import inside, outside
from edge.inference.layout import concatenation, pad, reshape, resize_nearest
from edge.inference.model import Code, Model, Operator, unsupported
from edge.inference.pooling import average_pool, max_pool, mean
from edge.inference.rescale import Int8Array

ARITHMETIC = "tflite-int8-1"
"""Name and version of the arithmetic, for records: raised whenever any output could change."""

MOST_VALUES = 1 << 22
"""Of all tensors of a model together, for one input: at most some 10 bytes of work for each. Ours have up to 1.5 million."""
_AT_A_TIME = 1 << 18
"""About as many values of the largest tensor are worked on at a time: what a small processor's cache holds."""

_KERNELS: Mapping[Code, Callable[[Model, Operator], Kernel]] = MappingProxyType(
    {
        Code.ADD: add,
        Code.AVERAGE_POOL_2D: average_pool,
        Code.CONCATENATION: concatenation,
        Code.CONV_2D: convolution,
        Code.DEPTHWISE_CONV_2D: depthwise_convolution,
        Code.FULLY_CONNECTED: fully_connected,
        Code.MAX_POOL_2D: max_pool,
        Code.MEAN: mean,
        Code.PAD: pad,
        Code.RESHAPE: reshape,
        Code.RESIZE_NEAREST_NEIGHBOR: resize_nearest,
    }
)


class FixedInterpreter:
    """A model made ready.

    Attributes:
        input_shape: Shape of one input, without the batch.
        output_shape: Shape of one output, without the batch.
    """

    def __init__(self, model: Model) -> None:
        """Make every operator ready.

        Raises:
            ModelError: `modelUnsupported` if the model asks for what is not executed exactly here.
        """
        computed = [model.input, *(operator.output for operator in model.operators)]
        for number in computed:
            tensor = model.tensors[number]
            if tensor.kind != "int8" or len(tensor.scales) != 1 or not tensor.shape or tensor.shape[0] != 1:
                raise unsupported(f"{tensor.name} is not a quantised int8 tensor with a batch of one")
        sizes = [math.prod(model.tensors[number].shape) for number in computed]
        if sum(sizes) > MOST_VALUES:
            raise unsupported(f"{sum(sizes)} values for one input; at most {MOST_VALUES} are computed")
        self.input_shape = model.tensors[model.input].shape[1:]
        self.output_shape = model.tensors[model.output].shape[1:]
        self._model = model
        self._steps: list[tuple[Kernel, Operator, list[int]]] = []
        needed = {model.output}
        for operator in reversed(model.operators):
            spent = sorted(set(operator.inputs) - needed)
            self._steps.insert(0, (_KERNELS[operator.code](model, operator), operator, spent))
            needed.update(spent)
        self._chunk = max(1, _AT_A_TIME // max(sizes))

    def run(self, inputs: Int8Array) -> Int8Array:
        """Execute the model on (n, *input_shape) int8; gives (n, *output_shape) int8. n may be 0."""
        if inputs.dtype != np.int8 or inputs.shape[1:] != self.input_shape or inputs.ndim < 1:
            raise ValueError(f"expected (n, {self.input_shape}) int8, got {inputs.shape} {inputs.dtype}")
        outputs = np.empty((len(inputs), *self.output_shape), np.int8)
        for start in range(0, len(inputs), self._chunk):
            part = slice(start, start + self._chunk)
            outputs[part] = self._run(inputs[part])
        return outputs

    def _run(self, inputs: Int8Array) -> Int8Array:
        values: dict[int, Int8Array] = {self._model.input: inside(inputs)}
        for kernel, operator, spent in self._steps:
            values[operator.output] = kernel([values[number] for number in operator.inputs if number in values])
            for number in spent:
                values.pop(number, None)
        return outside(values[self._model.output])
