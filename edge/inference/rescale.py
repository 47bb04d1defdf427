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
        positive: Whether only results above 0 matter, as before a ReLU; the others then come out as 0 or less.
    """

    def __init__(self, factors: list[tuple[int, int]], axes: int, bound: int, *, positive: bool = False) -> None:
        """Prepare the factors; raises ModelError `modelUnsupported` where TFLite's 32 bits would overflow."""
        shape = (len(factors),) + (1,) * (axes - 1)
        lefts = [max(shift, 0) for _, shift in factors]
        if bound << max(lefts) >= _WORD:
            raise unsupported(f"a sum of up to {bound} times 2**{max(lefts)} needs more than 32 bits")
        # Shifted left first, as TFLite does: below 2**31, so the product with 31 bits stays within 63.
        shifted = [factor << left for (factor, _), left in zip(factors, lefts, strict=True)]
        self._multipliers = np.array(shifted, np.int64).reshape(shape)
        # Shifted right by 31 and by the rest at once: what is added between is whole, so it may be added before.
        rights = np.array([max(-shift, 0) for _, shift in factors], np.int64).reshape(shape)
        self._rights = 31 + rights
        self._halves = (1 << 30) + ((1 << rights) >> 1 << 31)
        # Halves away from zero, so what is negative gets one less between the shifts; a shift by nothing does not round.
        self._less = None if positive else np.where(rights > 0, np.int64(-1 << 31), np.int64(0))

    def __call__(self, values: Int64Array) -> Int64Array:
        """Multiply in place, and give the same array."""
        values *= self._multipliers
        if self._less is not None:
            less = (values < 0) * self._less
            values += less
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
    lowest, highest = limits
    np.clip(values, lowest - zero_point, highest - zero_point, out=values)
    # The lowest eight bits of a sum follow from those of its parts, and the sum is within eight bits.
    narrow = values.astype(np.int8)
    narrow += np.array(zero_point, np.int8)
    return narrow
