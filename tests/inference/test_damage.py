"""Whatever the bytes, a model is read or refused by name: no other error, no waiting, no memory beyond a multiple of the file."""

from __future__ import annotations

import struct
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge.inference.error import ModelError
from edge.inference.fixed import FixedInterpreter
from edge.inference.model import Code, parse_model
from tests.inference.agreement import MODELS, NAMES
from tests.inference.flat import Scalar, Step, Values, written

WHOLE = {name: (MODELS / f"{name}.tflite").read_bytes() for name in NAMES}
OUTCOMES = {"read", "modelDamaged", "modelUnsupported"}
WORDS = st.sampled_from([0, 1, 4, 24, 65_535, 65_536, 2**31 - 4, 2**31 - 1, 2**31, 2**32 - 1]) | st.integers(0, 8_000)


def read(data: bytes) -> None:
    """Read and, where it is read, run it once."""
    interpreter = FixedInterpreter(parse_model(data))
    interpreter.run(np.full((1, *interpreter.input_shape), 5, np.int8))


def read_or_refused(data: bytes) -> str:
    """Give `read` or the code of the refusal; anything else that is raised fails the test."""
    try:
        read(data)
    except ModelError as error:
        return error.code
    return "read"


@given(st.sampled_from(NAMES), st.lists(st.tuples(st.integers(0, 6_000), st.integers(0, 255)), min_size=1, max_size=4))
def test_bytes_that_changed(name: str, changes: list[tuple[int, int]]) -> None:
    data = bytearray(WHOLE[name])
    for position, value in changes:
        data[position % len(data)] = value
    assert read_or_refused(bytes(data)) in OUTCOMES


@given(st.sampled_from(NAMES), st.lists(st.tuples(st.integers(0, 1_500), WORDS), min_size=1, max_size=3))
def test_offsets_and_counts_that_changed(name: str, changes: list[tuple[int, int]]) -> None:
    data = bytearray(WHOLE[name])
    for word, value in changes:
        struct.pack_into("<I", data, 4 * (word % (len(data) // 4)), value)
    assert read_or_refused(bytes(data)) in OUTCOMES


@given(st.sampled_from(NAMES), st.integers(0, 6_000), st.integers(0, 40), st.binary(max_size=40))
def test_pieces_cut_out_and_put_in(name: str, position: int, cut: int, put: bytes) -> None:
    data = WHOLE[name]
    place = position % len(data)
    outcome = read_or_refused(data[:place] + put + data[place + cut :])
    assert outcome in OUTCOMES


@given(st.binary(max_size=400))
@example(b"")
@example(b"\x08\0\0\0TFL3")
def test_bytes_that_never_were_a_model(data: bytes) -> None:
    assert read_or_refused(data) == "modelDamaged"
    assert read_or_refused(data[:4] + b"TFL3" + data[8:]) != "read"


@pytest.mark.parametrize("name", NAMES)
def test_every_shorter_file_is_refused(name: str) -> None:
    """Up to the padding at the end, in which nothing stands."""
    data = WHOLE[name]
    outcomes = [read_or_refused(data[:length]) for length in range(0, len(data), 7)]
    assert "read" not in outcomes[: -4 * len(outcomes) // 100 - 1]


def test_a_vector_cannot_ask_for_more_than_the_file_has() -> None:
    data = bytearray(WHOLE["plain"])
    tracemalloc.start()
    try:
        for position in range(0, len(data) - 4, 4):
            kept = data[position : position + 4]
            struct.pack_into("<I", data, position, 2**31 - 1)
            read_or_refused(bytes(data))
            data[position : position + 4] = kept
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()


def test_a_file_that_is_too_large_is_not_looked_at() -> None:
    with pytest.raises(ModelError, match="at most"):
        parse_model(WHOLE["plain"] + bytes(1 << 22))


INPUT = Values((1, 4, 4, 2), 0.5)


def refused(tensors: list[Values], steps: list[Step], taken: int) -> ModelError:
    with pytest.raises(ModelError) as caught:
        read(written(tensors, steps, 0, taken))
    return caught.value


def pool(stride: int = 1, size: int = 2, activation: int = 0, padding: int = 1) -> dict[int, object]:
    return {0: Scalar("<b", padding), 1: stride, 2: stride, 3: size, 4: size, 5: Scalar("<b", activation)}


def test_the_pool_that_the_next_tests_break_is_read() -> None:
    read(written([INPUT, Values((1, 3, 3, 2), 0.5)], [Step(Code.MAX_POOL_2D, (0,), 1, pool())], 0, 1))


@pytest.mark.parametrize(
    ("taken", "options", "code", "words"),
    [
        (Values((1, 4, 3, 2), 0.5), pool(), "modelDamaged", "declared"),
        (Values((1, 3, 3, 2), 0.25), pool(), "modelUnsupported", "different scales"),
        (Values((1, 3, 3, 2), 0.5, 1), pool(), "modelUnsupported", "different scales"),
        (Values((1, 3, 3, 2), 0.5), pool(stride=0), "modelDamaged", "stride"),
        (Values((1, 3, 3, 2), 0.5), pool(size=9), "modelUnsupported", "a window of 9 pixels on 4"),
        (Values((1, 3, 3, 2), 0.5), pool(activation=4), "modelUnsupported", "activation 4"),
        (Values((1, 3, 3, 2), 0.5), pool(padding=2), "modelDamaged", "padding 2"),
        (Values((1, 3, 3, 2), None), pool(), "modelUnsupported", "quantised"),
        (Values((2, 3, 3, 2), 0.5), pool(), "modelUnsupported", "batch of one"),
        (Values((1, 3, 3, 2), [0.5, 0.5], 0, axis=3), pool(), "modelUnsupported", "quantised"),
        (Values((1, 3, 3, 2), float("nan")), pool(), "modelUnsupported", "scale"),
        (Values((1, 3, 3, 2), -0.5), pool(), "modelUnsupported", "scale"),
        (Values((1, 3, 3, 2), 0.5, 200), pool(), "modelUnsupported", "zero point 200"),
        (Values((1, 70_000, 3, 2), 0.5), pool(), "modelUnsupported", "shape"),
    ],
)
def test_a_pool_is_refused_for_what_is_wrong_with_it(taken: Values, options: dict[int, object], code: str, words: str) -> None:
    error = refused([INPUT, taken], [Step(Code.MAX_POOL_2D, (0,), 1, options)], 1)
    assert error.code == code
    assert words in error.detail


def test_sums_that_might_overflow_are_refused() -> None:
    """65,536 weights of -128 times inputs up to 255 are 2**31 - 2**23; with the bias, the sum would wrap in TFLite."""
    wide = 65_536
    tensors = [
        Values((1, wide), 1.0),
        Values((1, wide), 1.0, 0, np.full((1, wide), -128, np.int8)),
        Values((1,), None, 0, np.full(1, 2**24, np.int32)),
        Values((1, 1), 1e6),
    ]
    error = refused(tensors, [Step(Code.FULLY_CONNECTED, (0, 1, 2), 3, {0: Scalar("<b", 0)})], 3)
    assert error.code == "modelUnsupported"
    assert "32 bits" in error.detail


def test_what_is_used_before_it_is_computed_is_refused() -> None:
    tensors = [INPUT, *[Values((1, 4, 4, 2), 0.5) for _ in range(3)]]
    steps = [Step(Code.ADD, pair, taken, {0: Scalar("<b", 0)}) for pair, taken in (((0, 0), 1), ((1, 1), 2), ((2, 2), 3))]
    read(written(tensors, steps, 0, 3))
    for first, second in pairwise(range(3)):
        swapped = steps.copy()
        swapped[first], swapped[second] = steps[second], steps[first]
        assert "before" in refused(tensors, swapped, 3).detail
    twice = [steps[0], steps[0], *steps[1:]]
    assert "again" in refused(tensors, twice, 3).detail


@pytest.mark.parametrize("code", [Code.CONV_2D, Code.DEPTHWISE_CONV_2D, Code.FULLY_CONNECTED])
@pytest.mark.parametrize("shape", [(), (2,), (2, 2, 2), (1, 1, 1, 2, 1)])
def test_weights_of_another_rank_are_refused(code: Code, shape: tuple[int, ...]) -> None:
    options: dict[Code, dict[int, object]] = {
        Code.CONV_2D: {0: Scalar("<b", 0), 1: 1, 2: 1},
        Code.DEPTHWISE_CONV_2D: {0: Scalar("<b", 0), 1: 1, 2: 1, 3: 1},
        Code.FULLY_CONNECTED: {0: Scalar("<b", 0)},
    }
    tensors = [INPUT, Values(shape, 1.0, 0, np.ones(shape, np.int8)), Values((1, 4, 4, 2), 1.0)]
    assert "with weights" in refused(tensors, [Step(code, (0, 1), 2, options[code])], 2).detail


ALIKE = Values((1, 4, 4, 2), 0.5)


@pytest.mark.parametrize(
    ("second", "taken", "options", "words"),
    [
        (Values((1, 4, 4, 2), 0.25), Values((1, 4, 4, 4), 0.5), {0: 3}, "different scales"),
        (Values((1, 4, 4, 2), 0.5, 1), Values((1, 4, 4, 4), 0.5), {0: 3}, "different scales"),
        (ALIKE, Values((1, 4, 4, 4), 0.25), {0: 3}, "different scales"),
        (ALIKE, Values((1, 4, 4, 4), 0.5), {0: 3, 1: Scalar("<b", 1)}, "activation"),
        (ALIKE, Values((1, 4, 4, 4), 0.5), {0: 4}, "axis 4"),
        (ALIKE, Values((1, 4, 4, 4), 0.5), {0: -5}, "axis -5"),
        (ALIKE, Values((2, 4, 4, 2), 0.5), {0: 0}, "batch"),
        (ALIKE, Values((1, 4, 4, 5), 0.5), {0: 3}, "declared"),
        (ALIKE, Values((1, 8, 4, 4), 0.5), {0: 3}, "declared"),
        (Values((1, 4, 4, 2), 0.5, data=np.zeros((1, 4, 4, 2), np.int8)), Values((1, 4, 4, 4), 0.5), {0: 3}, "constant"),
    ],
)
def test_a_concatenation_is_refused_for_what_is_wrong_with_it(
    second: Values, taken: Values, options: dict[int, object], words: str
) -> None:
    tensors, steps = [INPUT, second, taken], []
    if second.data is None:
        # The second is made from the first: a mean over no more than the value itself, at another scale.
        tensors += [Values((1, 4, 4, 2, 1), 0.5), Values((1,), None, 0, np.array([4], np.int32))]
        steps = [Step(Code.RESHAPE, (0,), 3), Step(Code.MEAN, (3, 4), 1, {0: False})]
    assert words in refused(tensors, [*steps, Step(Code.CONCATENATION, (0, 1), 2, options)], 2).detail


def test_a_concatenation_of_other_shapes_is_refused() -> None:
    size = Values((4,), None, 0, np.array([1, 4, 4, 2], np.int32))
    for shape in ((1, 32), (1, 2, 8, 2)):
        tensors = [INPUT, Values(shape, 0.5), Values((1, 4, 4, 4), 0.5), size]
        steps = [Step(Code.RESHAPE, (0, 3), 1), Step(Code.CONCATENATION, (0, 1), 2, {0: 3})]
        assert refused(tensors, steps, 2).code in {"modelUnsupported", "modelDamaged"}


@pytest.mark.parametrize(
    ("taken", "size", "options", "words"),
    [
        (Values((1, 8, 12, 2), 0.5), [8, 12], {0: True, 1: True}, "corners"),
        (Values((1, 8, 12, 2), 0.5), [8, 12], {}, "middles"),
        (Values((1, 8, 12, 2), 0.25), [8, 12], {0: False, 1: True}, "different scales"),
        (Values((1, 6, 12, 2), 0.5), [6, 12], {0: False, 1: True}, "4 by 4 pixels to 6 by 12"),
        (Values((1, 2, 2, 2), 0.5), [2, 2], {0: False, 1: True}, "4 by 4 pixels to 2 by 2"),
        (Values((1, 8, 8, 2), 0.5), [0, 8], {0: False, 1: True}, "to 0 by 8"),
        (Values((1, 8, 8, 2), 0.5), [-8, 8], {0: False, 1: True}, "to -8 by 8"),
        (Values((1, 8, 8, 2), 0.5), [8, 12], {0: False, 1: True}, "declared"),
        (Values((1, 8, 8, 2), 0.5), [8], {0: False, 1: True}, "constant size"),
    ],
)
def test_a_resize_is_refused_for_what_is_wrong_with_it(
    taken: Values, size: list[int], options: dict[int, object], words: str
) -> None:
    wanted = Values((len(size),), None, 0, np.array(size, np.int32))
    assert words in refused([INPUT, wanted, taken], [Step(Code.RESIZE_NEAREST_NEIGHBOR, (0, 1), 2, options)], 2).detail


def test_a_row_of_pixels_that_takes_too_much_memory_is_refused() -> None:
    deep, across = 1_024, 512
    tensors = [
        Values((1, 1, across, deep), 1.0),
        Values((1, 1, 9, deep), 1.0, 0, np.ones((1, 1, 9, deep), np.int8)),
        Values((1, 1, across, 1), 1e6),
    ]
    step = Step(Code.CONV_2D, (0, 1), 2, {0: Scalar("<b", 0), 1: 1, 2: 1, 4: 1, 5: 1})
    assert "places of a row" in refused(tensors, [step], 2).detail
