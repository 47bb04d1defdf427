"""A `.tflite` file as tensors and operators: what the interpreter needs, checked for consistency, nothing executed yet.

Field numbers and codes are those of TensorFlow Lite's schema, version 3 (`tensorflow/lite/schema/schema.fbs`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edge.inference.error import ModelError
from edge.inference.flatbuffer import Table, damaged, root

MAX_BYTES = 1 << 22
"""Our models are at most 1 MB; tests read larger ones."""
MOST_TENSORS = 1024
MOST_OPERATORS = 1024
MOST_ELEMENTS = 1 << 24
"""Of one tensor."""
_MOST_AXES = 6
_MOST_CHANNELS = 1 << 16
_MOST_EXTENT = 1 << 16
_MOST_INPUTS = 16
_LARGEST_SCALE = 1e15
_SMALLEST_SCALE = 1e-15


def unsupported(detail: str) -> ModelError:
    """Give the error for a well-formed model that is not executed here."""
    return ModelError("modelUnsupported", detail)


Kind = Literal["int8", "int32", "int64"]
Numbers = NDArray[np.int8] | NDArray[np.int32] | NDArray[np.int64]
_KINDS: dict[int, tuple[Kind, str]] = {9: ("int8", "<i1"), 2: ("int32", "<i4"), 4: ("int64", "<i8")}
_SCHEMA_VERSION = 3


class Code(IntEnum):
    """Operators that the interpreter knows, with their numbers in the schema."""

    ADD = 0
    AVERAGE_POOL_2D = 1
    CONCATENATION = 2
    CONV_2D = 3
    DEPTHWISE_CONV_2D = 4
    FULLY_CONNECTED = 9
    MAX_POOL_2D = 17
    RESHAPE = 22
    PAD = 34
    MEAN = 40
    RESIZE_NEAREST_NEIGHBOR = 97


OPTIONS: dict[Code, int] = {
    Code.ADD: 11,
    Code.AVERAGE_POOL_2D: 5,
    Code.CONCATENATION: 10,
    Code.CONV_2D: 1,
    Code.DEPTHWISE_CONV_2D: 2,
    Code.FULLY_CONNECTED: 8,
    Code.MAX_POOL_2D: 5,
    Code.RESHAPE: 17,
    Code.PAD: 22,
    Code.MEAN: 27,
    Code.RESIZE_NEAREST_NEIGHBOR: 74,
}
"""Which kind of options belongs to which operator."""

_ACTIVATIONS: dict[Code, int] = {
    Code.ADD: 0,
    Code.AVERAGE_POOL_2D: 5,
    Code.CONCATENATION: 1,
    Code.CONV_2D: 3,
    Code.DEPTHWISE_CONV_2D: 4,
    Code.FULLY_CONNECTED: 0,
    Code.MAX_POOL_2D: 5,
}
"""Which of the options is the fused activation."""


class Activation(IntEnum):
    """What may be fused to the end of an operator."""

    NONE = 0
    RELU = 1
    RELU6 = 3


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """One tensor.

    Attributes:
        name: For people.
        shape: Its extents; all at least 1.
        kind: Its type.
        scales: float32, one or one for each channel; empty when it is not quantised.
        zero_point: What stands for 0, or 0.
        axis: Along which axis the channels lie, where there are several scales.
        data: Its constant values in its shape; None for what is computed.
    """

    name: str
    shape: tuple[int, ...]
    kind: Kind
    scales: NDArray[np.float32]
    zero_point: int
    axis: int
    data: Numbers | None

    @property
    def scale(self) -> np.float32:
        """The scale of a tensor that has one; raises ModelError `modelUnsupported` for any other."""
        if len(self.scales) != 1:
            raise unsupported(f"{self.name or 'a tensor'} has {len(self.scales)} scales where one is wanted")
        return np.float32(self.scales[0])


@dataclass(frozen=True, slots=True)
class Window:
    """How a filter or a pool moves: strides, dilation and, for pools, its size; `same` pads so that every input is covered."""

    same: bool
    stride_y: int
    stride_x: int
    dilation_y: int = 1
    dilation_x: int = 1
    height: int = 0
    width: int = 0


@dataclass(frozen=True, slots=True)
class Operator:
    """One step of the model.

    Attributes:
        code: What it does.
        inputs: Numbers of its tensors; -1 for an optional one that is absent.
        output: Number of the tensor that it computes.
        activation: Fused to its end.
        window: Of convolutions and pools.
        multiplier: Outputs for each input channel of a depthwise convolution, 0 otherwise.
        keeps_axes: Whether a mean leaves the axes it was taken over with an extent of one.
        axis: Along which a concatenation puts its inputs; negative ones count from the last.
    """

    code: Code
    inputs: tuple[int, ...]
    output: int
    activation: Activation = Activation.NONE
    window: Window = Window(same=False, stride_y=1, stride_x=1)
    multiplier: int = 0
    keeps_axes: bool = False
    axis: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A parsed model: its tensors, its operators in the order of execution, and which tensors go in and come out."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    input: int
    output: int

    def ends(self, operator: Operator) -> tuple[Tensor, Tensor]:
        """Give the first input of an operator, which is computed, and its output."""
        return self.tensors[operator.inputs[0]], self.tensors[operator.output]

    def expect(self, operator: Operator, shape: tuple[int, ...]) -> None:
        """Check the output's shape; raises ModelError `modelDamaged` if it is not the one that the operator gives."""
        declared = self.tensors[operator.output].shape
        if declared != shape:
            raise damaged(f"{operator.code.name} gives {shape}, declared is {declared}")


def parse_model(data: bytes) -> Model:
    """Parse the bytes of a `.tflite` file.

    Raises:
        ModelError: `modelDamaged` if the bytes contradict themselves, `modelUnsupported` if the model holds something that the
            interpreter does not know. Nothing else, whatever the bytes; memory stays within a small multiple of their number.
    """
    if len(data) > MAX_BYTES:
        raise unsupported(f"{len(data)} bytes; at most {MAX_BYTES} are read")
    file = root(data, b"TFL3")
    if file.uint32(0) != _SCHEMA_VERSION:
        raise unsupported(f"version {file.uint32(0)} of the schema; {_SCHEMA_VERSION} is read")
    codes = [_code(entry) for entry in file.tables(1, MOST_OPERATORS)]
    graphs = list(file.tables(2, 16))
    if len(graphs) != 1:
        raise unsupported(f"{len(graphs)} graphs; one is read")
    buffers = list(file.tables(4, 2 * MOST_TENSORS))
    graph = graphs[0]
    tensors = tuple(_tensor(entry, buffers) for entry in graph.tables(0, MOST_TENSORS))
    operators = tuple(_operator(entry, codes) for entry in graph.tables(3, MOST_OPERATORS))
    inputs, outputs = graph.int32s(1, _MOST_INPUTS), graph.int32s(2, _MOST_INPUTS)
    if len(inputs) != 1 or len(outputs) != 1:
        raise unsupported(f"{len(inputs)} inputs and {len(outputs)} outputs; one of each is read")
    model = Model(tensors, operators, inputs[0], outputs[0])
    _check_order(model)
    return model


def _code(entry: Table) -> int:
    # Older files have the number in a byte alone, newer ones in both fields while it fits.
    return max(entry.byte(0), entry.int32(3))


def _tensor(entry: Table, buffers: Sequence[Table]) -> Tensor:
    name = entry.text(3, 80)
    shape = entry.int32s(0, _MOST_AXES)
    kind = _KINDS.get(entry.byte(1))
    if kind is None:
        raise unsupported(f"{name}: type {entry.byte(1)} of the schema")
    if entry.boolean(5) or entry.table(6) is not None:
        raise unsupported(f"{name} is a variable or sparse")
    if any(not 1 <= extent <= _MOST_EXTENT for extent in shape) or math.prod(shape) > MOST_ELEMENTS:
        raise unsupported(f"{name}: shape {shape}")
    number = entry.uint32(2)
    if number >= len(buffers):
        raise damaged(f"{name} is in buffer {number} of {len(buffers)}")
    if buffers[number].uint32(1) or buffers[number].uint32(2):
        raise unsupported(f"{name}: its values lie outside the graph")
    stored = buffers[number].raw(0)
    values: Numbers | None = None
    if len(stored):
        layout = np.dtype(kind[1])
        if len(stored) != math.prod(shape) * layout.itemsize:
            raise damaged(f"{name}: {len(stored)} bytes for shape {shape}")
        values = np.frombuffer(stored, layout).reshape(shape)
    scales, zero_point, axis = _quantisation(entry.table(4), name, shape)
    return Tensor(name, shape, kind[0], scales, zero_point, axis, values)


def _quantisation(entry: Table | None, name: str, shape: tuple[int, ...]) -> tuple[NDArray[np.float32], int, int]:
    if entry is None:
        return np.zeros(0, np.float32), 0, 0
    if entry.ubyte(4):
        raise unsupported(f"{name}: quantised in a way of its own")
    scales = entry.floats(2, _MOST_CHANNELS)
    zero_points = entry.int64s(3, _MOST_CHANNELS)
    axis = entry.int32(6)
    if not len(scales):
        return scales, 0, 0
    if not np.isfinite(scales).all() or scales.min() < _SMALLEST_SCALE or scales.max() > _LARGEST_SCALE:
        raise unsupported(f"{name}: a scale that is not a usual positive number")
    if len(zero_points) != len(scales):
        raise damaged(f"{name}: {len(scales)} scales and {len(zero_points)} zero points")
    if len(scales) > 1:
        if not 0 <= axis < len(shape) or shape[axis] != len(scales):
            raise damaged(f"{name}: {len(scales)} scales along axis {axis} of {shape}")
        if zero_points.any():
            raise unsupported(f"{name}: channels with zero points other than 0")
    if not -128 <= zero_points[0] <= 127:
        raise unsupported(f"{name}: zero point {zero_points[0]}")
    return scales, int(zero_points[0]), axis


def _operator(entry: Table, codes: Sequence[int]) -> Operator:
    index = entry.uint32(0)
    if index >= len(codes):
        raise damaged(f"operator {index} of {len(codes)}")
    try:
        code = Code(codes[index])
    except ValueError:
        raise unsupported(f"operator {codes[index]} of the schema") from None
    inputs, outputs = entry.int32s(1, _MOST_INPUTS), entry.int32s(2, _MOST_INPUTS)
    if len(outputs) != 1:
        raise damaged(f"{code.name} with {len(outputs)} outputs")
    kind, options = entry.ubyte(3), entry.table(4)
    if kind == 0 or options is None:
        # Only what has no options to speak of may come without them.
        if code not in {Code.PAD, Code.RESHAPE}:
            raise damaged(f"{code.name} without options")
        return Operator(code, inputs, outputs[0])
    if kind != OPTIONS[code]:
        raise damaged(f"{code.name} with options of kind {kind}")
    return _with_options(Operator(code, inputs, outputs[0]), options)


def _with_options(operator: Operator, options: Table) -> Operator:
    code = operator.code
    if code in _ACTIVATIONS:
        operator = replace(operator, activation=_activation(options, _ACTIVATIONS[code]))
    match code:
        case Code.CONV_2D:
            return replace(operator, window=_window(options, dilation=4))
        case Code.DEPTHWISE_CONV_2D:
            return replace(operator, window=_window(options, dilation=5), multiplier=_extent(options, 3, 0))
        case Code.MAX_POOL_2D | Code.AVERAGE_POOL_2D:
            return replace(operator, window=_window(options, size=3))
        case Code.MEAN:
            return replace(operator, keeps_axes=options.boolean(0))
        case Code.CONCATENATION:
            return replace(operator, axis=options.int32(0))
        case Code.FULLY_CONNECTED if options.byte(1):
            raise unsupported("weights of FULLY_CONNECTED in a layout of their own")
        case Code.RESIZE_NEAREST_NEIGHBOR if options.boolean(0) or not options.boolean(1):
            raise unsupported("RESIZE_NEAREST_NEIGHBOR by the corners of pixels; by their middles is executed")
        case _:
            # The shape of its output says what the options of RESHAPE would; the others have no more.
            return operator


def _activation(options: Table, field: int) -> Activation:
    try:
        return Activation(options.byte(field))
    except ValueError:
        raise unsupported(f"activation {options.byte(field)} of the schema") from None


def _extent(options: Table, field: int, default: int) -> int:
    value = options.int32(field, default)
    if not 1 <= value <= _MOST_EXTENT:
        raise damaged(f"a stride, dilation, size or multiplier of {value}")
    return value


def _window(options: Table, dilation: int | None = None, size: int | None = None) -> Window:
    if options.byte(0) not in {0, 1}:
        raise damaged(f"padding {options.byte(0)} of the schema")
    same, stride_x, stride_y = options.byte(0) == 0, _extent(options, 1, 0), _extent(options, 2, 0)
    if dilation is not None:
        return Window(same, stride_y, stride_x, _extent(options, dilation + 1, 1), _extent(options, dilation, 1))
    if size is not None:
        return Window(same, stride_y, stride_x, height=_extent(options, size + 1, 0), width=_extent(options, size, 0))
    return Window(same, stride_y, stride_x)


def _check_order(model: Model) -> None:
    """Every tensor is constant, the input, or computed once and before it is used."""
    count = len(model.tensors)
    if not (0 <= model.input < count and 0 <= model.output < count):
        raise damaged(f"input {model.input} and output {model.output} of {count} tensors")
    if model.tensors[model.input].data is not None:
        raise damaged("the input is constant")
    known = {number for number, tensor in enumerate(model.tensors) if tensor.data is not None} | {model.input}
    for operator in model.operators:
        if not operator.inputs or operator.inputs[0] not in known or model.tensors[operator.inputs[0]].data is not None:
            raise damaged(f"{operator.code.name} with the inputs {operator.inputs}, of which the first is not computed before")
        for place, number in enumerate(operator.inputs):
            # Only a bias may be left out.
            if number not in known and (number, place) != (-1, 2):
                raise damaged(f"{operator.code.name} uses tensor {number} of {count} before it is computed")
        if not 0 <= operator.output < count or operator.output in known:
            raise damaged(f"{operator.code.name} computes tensor {operator.output} of {count} again")
        known.add(operator.output)
    if model.output not in known or model.tensors[model.output].data is not None:
        raise damaged("the output is not computed")
