"""Whole networks with random weights, written for tests: as large as the region model, with all that such a network has."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edge.inference.model import Code
from tests.inference.flat import Scalar, Step, Values, written

RELU = 1


class Network:
    """Puts operators one after the other; every method gives the number of the tensor that it computes.

    All tensors have the scale 1 and one zero point, so that any of them may be put together.
    """

    def __init__(self, shape: tuple[int, int, int], seed: int, zero_point: int = -20) -> None:
        """Begin with the input, tensor 0, of (height, width, channels)."""
        self._rng = np.random.default_rng(seed)
        self._zero_point = zero_point
        self.tensors: list[Values] = []
        self.steps: list[Step] = []
        self._computed((1, *shape))

    def _computed(self, shape: tuple[int, ...]) -> int:
        self.tensors.append(Values(shape, 1.0, self._zero_point))
        return len(self.tensors) - 1

    def _constant(self, data: NDArray[np.int8] | NDArray[np.int32], scale: float | list[float] | None = None) -> int:
        self.tensors.append(Values(data.shape, scale, 0, data))
        return len(self.tensors) - 1

    def _step(self, code: Code, inputs: tuple[int, ...], shape: tuple[int, ...], options: dict[int, object]) -> int:
        output = self._computed(shape)
        self.steps.append(Step(code, inputs, output, options))
        return output

    def convolution(self, given: int, channels: int, stride: int = 1, size: int = 3, activation: int = RELU) -> int:
        """Convolve with random weights whose sums fill about the range of the output."""
        _, height, width, depth = self.tensors[given].shape
        weights = self._rng.integers(-128, 128, (channels, size, size, depth), dtype=np.int8)
        # Standard deviations: 74 of weights, about 70 of the input and 25 of what a ReLU leaves; 40 of the outputs.
        around = 40 / (74 * (25 if given else 70) * math.sqrt(size * size * depth))
        scales = [float(np.float32(around * math.exp(step))) for step in self._rng.normal(0, 0.3, channels)]
        bias = self._rng.integers(-(2**12), 2**12, channels).astype(np.int32)
        inputs = given, self._constant(weights, scales), self._constant(bias)
        shape = (1, -(-height // stride), -(-width // stride), channels)
        options: dict[int, object] = {0: Scalar("<b", 0), 1: stride, 2: stride, 3: Scalar("<b", activation), 4: 1, 5: 1}
        return self._step(Code.CONV_2D, inputs, shape, options)

    def depthwise(self, given: int, stride: int = 1, activation: int = RELU) -> int:
        """Convolve each channel for itself, 3 by 3."""
        _, height, width, depth = self.tensors[given].shape
        weights = self._rng.integers(-128, 128, (1, 3, 3, depth), dtype=np.int8)
        bias = self._rng.integers(-(2**12), 2**12, depth).astype(np.int32)
        self.tensors.append(Values(weights.shape, [40 / (74 * 25 * 3)] * depth, 0, weights, axis=3))
        inputs = given, len(self.tensors) - 1, self._constant(bias)
        shape = (1, -(-height // stride), -(-width // stride), depth)
        options: dict[int, object] = {0: Scalar("<b", 0), 1: stride, 2: stride, 3: 1, 4: Scalar("<b", activation), 5: 1, 6: 1}
        return self._step(Code.DEPTHWISE_CONV_2D, inputs, shape, options)

    def pool(self, given: int, code: Code = Code.MAX_POOL_2D) -> int:
        """Halve both sides."""
        _, height, width, depth = self.tensors[given].shape
        options: dict[int, object] = {0: Scalar("<b", 0), 1: 2, 2: 2, 3: 2, 4: 2, 5: Scalar("<b", 0)}
        return self._step(code, (given,), (1, -(-height // 2), -(-width // 2), depth), options)

    def larger(self, given: int) -> int:
        """Double both sides."""
        _, height, width, depth = self.tensors[given].shape
        size = self._constant(np.array([2 * height, 2 * width], np.int32))
        return self._step(Code.RESIZE_NEAREST_NEIGHBOR, (given, size), (1, 2 * height, 2 * width, depth), {0: False, 1: True})

    def together(self, *given: int, axis: int = 3) -> int:
        """Put tensors side by side."""
        shape = list(self.tensors[given[0]].shape)
        shape[axis] = sum(self.tensors[number].shape[axis] for number in given)
        return self._step(Code.CONCATENATION, given, tuple(shape), {0: axis})

    def sum(self, first: int, second: int, activation: int = 0) -> int:
        """Add two tensors."""
        return self._step(Code.ADD, (first, second), self.tensors[first].shape, {0: Scalar("<b", activation)})

    def rows(self, given: int, width: int) -> int:
        """Reshape to rows of a width."""
        shape = (1, math.prod(self.tensors[given].shape) // width, width)
        size = self._constant(np.array(shape, np.int32))
        return self._step(Code.RESHAPE, (given, size), shape, {})

    def written(self, output: int) -> bytes:
        """Give the bytes of the file."""
        return written(self.tensors, self.steps, 0, output)


def heat_maps(side: int, base: int, seed: int) -> bytes:
    """Down to a thirty-second and back up with skips, as the region model: from (side, side, 1) to (side / 8, side / 8, 26).

    With a side of 256 and a base of 12 it has about 100 million multiplications.
    """
    net = Network((side, side, 1), seed)
    half = net.convolution(0, base, 2)
    quarter = net.convolution(half, 2 * base, 2)
    eighth = net.convolution(net.pool(quarter), 4 * base)
    sixteenth = net.convolution(net.convolution(eighth, 5 * base, 2), 5 * base)
    lowest = net.convolution(net.convolution(sixteenth, 8 * base, 2), 8 * base)
    back = net.together(net.larger(net.convolution(lowest, 5 * base, size=1)), sixteenth)
    back = net.sum(net.convolution(back, 5 * base), sixteenth, RELU)
    back = net.together(net.larger(back), eighth, net.pool(quarter, Code.AVERAGE_POOL_2D))
    back = net.convolution(net.convolution(back, 4 * base), 4 * base)
    return net.written(net.convolution(back, 26, size=1, activation=0))


def boxes(side: int, seed: int) -> bytes:
    """Inverted residuals and three heads in one output, as detectors of boxes have them: rows of nine numbers."""
    net = Network((side, side, 1), seed)

    def residual(given: int, channels: int, stride: int = 1) -> int:
        depth = net.tensors[given].shape[3]
        wide = net.depthwise(net.convolution(given, 4 * depth, size=1, activation=3), stride, activation=3)
        narrow = net.convolution(wide, channels, size=1, activation=0)
        return net.sum(given, narrow) if stride == 1 and channels == depth else narrow

    scale = net.convolution(0, 8, 2, activation=3)
    heads = []
    for channels in (12, 16, 24):
        scale = residual(residual(scale, channels, 2), channels)
        heads.append(net.rows(net.convolution(scale, 18, activation=0), 9))
    return net.written(net.together(*heads, axis=1))
