"""Where filters and pools stand on a picture, and how pictures lie in memory.

Inside the interpreter a tensor of four axes lies channel first and batch second, (c, n, y, x): rows of pixels are then next to
each other in memory, and every channel has its own factor along the first axis. All other tensors lie as TFLite has them, batch
first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edge.inference.model import Window, unsupported
from edge.inference.rescale import Int8Array

PICTURE_AXES = 4
MOST_WORK = 1 << 27
"""Multiplications or comparisons of one operator on one input; our models need at most 150 million in all."""
AT_A_TIME = 1 << 18
"""About as many numbers are worked on at a time, a row of positions at least: what a small processor's cache holds."""


def inside(values: Int8Array) -> Int8Array:
    """Turn (n, y, x, c) to the order that is used inside; other tensors stay as they are."""
    return np.ascontiguousarray(values.transpose(3, 0, 1, 2)) if values.ndim == PICTURE_AXES else values


def outside(values: Int8Array) -> Int8Array:
    """Turn (c, n, y, x) back to (n, y, x, c); other tensors stay as they are."""
    return values.transpose(1, 2, 3, 0) if values.ndim == PICTURE_AXES else values


@dataclass(frozen=True, slots=True)
class Axis:
    """How a window of `size` pixels, `dilation` apart, moves by `stride` along one axis: `count` times, from `before` pixels off.

    `after` pixels are needed beyond the other end.
    """

    size: int
    stride: int
    dilation: int
    count: int
    before: int
    after: int

    def at(self, tap: int, positions: range | None = None) -> slice:
        """Give the padded pixels that stand under one element of the window, over its positions: all, or consecutive ones."""
        chosen = range(self.count) if positions is None else positions
        start = tap * self.dilation + chosen.start * self.stride
        return slice(start, start + (len(chosen) - 1) * self.stride + 1, self.stride)


def _axis(extent: int, size: int, stride: int, dilation: int, same: bool) -> Axis:
    covered = (size - 1) * dilation + 1
    count = -(-extent // stride) if same else (extent - covered + stride) // stride
    if count < 1:
        raise unsupported(f"a window of {covered} pixels on {extent}")
    missing = max(0, (count - 1) * stride + covered - extent) if same else 0
    return Axis(size, stride, dilation, count, missing // 2, missing - missing // 2)


@dataclass(frozen=True, slots=True)
class Placement:
    """A window over a picture: its two axes."""

    y: Axis
    x: Axis

    @property
    def taps(self) -> list[tuple[int, int]]:
        """Elements of the window, row by row."""
        return [(row, column) for row in range(self.y.size) for column in range(self.x.size)]

    def strips(self, cost: int) -> Iterator[range]:
        """Cut the rows of positions into strips that are worked on one after the other; a position costs `cost` numbers."""
        rows = max(1, AT_A_TIME // (cost * self.x.count))
        for start in range(0, self.y.count, rows):
            yield range(start, min(start + rows, self.y.count))

    def padded(self, picture: Int8Array, value: int) -> Int8Array:
        """Put `value` around (c, n, y, x), as far as the window reaches."""
        y, x = self.y, self.x
        if not (y.before or y.after or x.before or x.after):
            return picture
        channels, count, height, width = picture.shape
        wide = np.full((channels, count, y.before + height + y.after, x.before + width + x.after), value, np.int8)
        wide[:, :, y.before : y.before + height, x.before : x.before + width] = picture
        return wide


def place(window: Window, height: int, width: int, extents: tuple[int, int], channels: int) -> Placement:
    """Place a window of `height` by `width` on a picture; raises ModelError `modelUnsupported` where it does not fit.

    `channels` is what each position costs for each element of the window; too large a product is refused as well.
    """
    placement = Placement(
        _axis(extents[0], height, window.stride_y, window.dilation_y, window.same),
        _axis(extents[1], width, window.stride_x, window.dilation_x, window.same),
    )
    if placement.y.count * placement.x.count * height * width * channels > MOST_WORK:
        raise unsupported(f"a window of {height} by {width} over {channels} channels is too much work")
    return placement
