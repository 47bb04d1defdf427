"""TFLite's integer stand-in for multiplying by a real number, and the range that a fused activation leaves.

A factor becomes a 31-bit multiplier and a power of two. The product is rounded twice, as the reference kernels of TFLite do
without TFLITE_SINGLE_ROUNDING: halves up when the upper 32 bits are taken, then halves away from zero when shifting right.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edge.inference.model import Activation, Tensor, unsupported

Int64Array = NDArray[np.int64]
Int8Array = NDArray[np.int8]

LOWEST, HIGHEST = -128, 127
_WORD = 1 << 31
"""What the accumulators of TFLite, of 32 bits, stay below."""


def quantise_multiplier(factor: float) -> tuple[int, int]:
    """Give `(multiplier, shift)` with `factor` about `multiplier / 2**31 * 2**shift`, `multiplier` 0 or in [2**30, 2**31)."""
    if factor == 0:
        return 0, 0
    fraction, shift = math.frexp(factor)
    multiplier = math.floor(fraction * _WORD + 0.5)
    if multiplier == _WORD:
        multiplier, shift = multiplier // 2, shift + 1
    # TFLite cannot shift further: the factor counts as nothing.
    return (0, 0) if shift < -31 else (multiplier, shift)


class Rescale:
    """Multiplies integers by real factors, one for all or one for each channel along the first axis.

    Args:
        factors: (multiplier, shift) pairs as `quantise_multiplier` gives, or with a multiplier further divided.
        axes: Number of axes of the arrays that will come.
        bound: Largest magnitude that will come.
    """

    def __init__(self, factors: list[tuple[int, int]], axes: int, bound: int) -> None:
        """Prepare the factors; raises ModelError `modelUnsupported` where TFLite's 32 bits would overflow."""
        shape = (len(factors),) + (1,) * (axes - 1)
        lefts = [max(shift, 0) for _, shift in factors]
        if bound << max(lefts) >= _WORD:
            raise unsupported(f"a sum of up to {bound} times 2**{max(lefts)} needs more than 32 bits")
        # Shifted left first, as TFLite does: below 2**31, so the product with 31 bits stays within 63.
        self._multipliers = np.array([factor << left for (factor, _), left in zip(factors, lefts, strict=True)]).reshape(shape)
        self._rights = np.array([max(-shift, 0) for _, shift in factors]).reshape(shape)
        self._halves = (1 << self._rights) >> 1
        # A shift by nothing does not round, and must not count the sign either.
        self._signed = np.where(self._rights > 0, -1, 0) if (self._rights == 0).any() else None

    def __call__(self, values: Int64Array) -> Int64Array:
        """Multiply in place, and give the same array."""
        values *= self._multipliers
        values += 1 << 30
        values >>= 31
        sign = values >> 63
        if self._signed is not None:
            sign &= self._signed
        values += sign
        values += self._halves
        values >>= self._rights
        return values


def activation_range(activation: Activation, output: Tensor) -> tuple[int, int]:
    """Give the lowest and highest int8 that a fused activation leaves."""
    lowest = LOWEST if activation is Activation.NONE else max(LOWEST, output.zero_point)
    if activation is not Activation.RELU6:
        return lowest, HIGHEST
    # In float32, and halves away from zero, as TFLite does.
    steps = math.floor(float(np.float32(6) / output.scale) + 0.5)
    return lowest, min(HIGHEST, output.zero_point + steps)


def to_int8(values: Int64Array, zero_point: int, limits: tuple[int, int]) -> Int8Array:
    """Add the zero point, clamp, and narrow; `values` is used up."""
    values += zero_point
    np.clip(values, *limits, out=values)
    return values.astype(np.int8)
