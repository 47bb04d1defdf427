"""Writes small `.tflite` files for tests: any operator with any parameters, the same bytes for TFLite and for our parser.

A FlatBuffer is written forwards here: a table is its vtable, its fields, and then what its fields point to.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edge.inference.model import OPTIONS, Code


@dataclass(frozen=True)
class Scalar:
    """A number in a layout of the struct module; plain integers are 32 bits, truth values 8."""

    layout: str
    value: int


class Fields(dict[int, object]):
    """A table: number of the field to its value."""


def _append(out: bytearray, value: object) -> int:
    """Write something that is pointed to, aligned; gives its position."""
    if isinstance(value, Fields):
        return _table(out, value)
    out.extend(bytes(-len(out) % 4))
    if isinstance(value, bytes | np.ndarray):
        raw, count = (value, len(value)) if isinstance(value, bytes) else (value.tobytes(), value.size)
        # Elements of 8 bytes stand on multiples of 8, tensors' data on 16: the count stands just before.
        while (len(out) + 4) % 16:
            out.extend(bytes(4))
        position = len(out)
        out.extend(struct.pack("<I", count) + raw)
        return position
    assert isinstance(value, list)
    position = len(out)
    out.extend(struct.pack("<I", len(value)) + bytes(4 * len(value)))
    for number, entry in enumerate(value):
        place = position + 4 + 4 * number
        struct.pack_into("<I", out, place, _append(out, entry) - place)
    return position


def _table(out: bytearray, fields: Fields) -> int:
    out.extend(bytes(-len(out) % 4))
    entries = max(fields, default=-1) + 1
    # Every field has 8 bytes of its own, more than any needs; the vtable's size is made a multiple of 4.
    vtable = len(out)
    size = 4 + 2 * entries
    position = vtable + size + -size % 4
    offsets = [4 + 8 * number if number in fields else 0 for number in range(entries)]
    out.extend(struct.pack(f"<HH{entries}H", size, 4 + 8 * entries, *offsets))
    out.extend(bytes(position - len(out)) + struct.pack("<i", position - vtable) + bytes(8 * entries))
    for number, value in fields.items():
        place = position + 4 + 8 * number
        match value:
            case bool():
                struct.pack_into("<B", out, place, value)
            case int():
                struct.pack_into("<i", out, place, value)
            case Scalar():
                struct.pack_into(value.layout, out, place, value.value)
            case _:
                struct.pack_into("<I", out, place, _append(out, value) - place)
    return position


@dataclass(frozen=True)
class Values:
    """A tensor to write: its shape, its quantisation, and its values if they are constant."""

    shape: tuple[int, ...]
    scale: float | Sequence[float] | None = 1.0
    zero_point: int = 0
    data: NDArray[np.int8] | NDArray[np.int32] | None = None
    axis: int = 0


@dataclass(frozen=True)
class Step:
    """An operator to write: numbers of its tensors, and its options by their number in the schema."""

    code: Code
    inputs: tuple[int, ...]
    output: int
    options: Mapping[int, object] = field(default_factory=dict)


def written(tensors: Sequence[Values], steps: Sequence[Step], given: int, taken: int) -> bytes:
    """Give the bytes of a model whose input is tensor `given` and whose output is tensor `taken`."""
    codes = sorted({step.code for step in steps})
    buffers: list[Fields] = [Fields()]
    entries: list[Fields] = []
    for number, tensor in enumerate(tensors):
        kind = 2 if tensor.data is not None and tensor.data.dtype == np.int32 else 9
        entry = Fields({0: np.array(tensor.shape, "<i4"), 1: Scalar("<b", kind), 2: 0, 3: f"t{number}".encode() + b"\0"})
        if tensor.data is not None:
            entry[2] = len(buffers)
            buffers.append(Fields({0: tensor.data.tobytes()}))
        if tensor.scale is not None:
            scales = np.atleast_1d(np.array(tensor.scale, "<f4"))
            zeros = np.full(scales.size, tensor.zero_point, "<i8")
            entry[4] = Fields({2: scales, 3: zeros, 6: tensor.axis})
        entries.append(entry)
    operators = [
        Fields(
            {
                0: codes.index(step.code),
                1: np.array(step.inputs, "<i4"),
                2: np.array([step.output], "<i4"),
                3: Scalar("<B", OPTIONS[step.code]),
                4: Fields(step.options),
            }
        )
        for step in steps
    ]
    graph = Fields({0: entries, 1: np.array([given], "<i4"), 2: np.array([taken], "<i4"), 3: operators})
    named = [Fields({0: Scalar("<b", int(code)), 2: 1, 3: int(code)}) for code in codes]
    out = bytearray(b"\0\0\0\0TFL3")
    struct.pack_into("<I", out, 0, _table(out, Fields({0: 3, 1: named, 2: [graph], 4: buffers})))
    return bytes(out)
