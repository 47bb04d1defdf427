"""The digit model and its two readers: pictures of cells in, scores of the 13 classes out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from edge.inference.error import ModelError
from edge.inference.fixed import ARITHMETIC, FixedInterpreter
from edge.inference.identity import ReaderIdentity
from edge.inference.model import parse_model
from edge.inference.released import RELEASED, load_released
from edge.inference.runtime import SecondReader

SIDE = 28
"""Pixels on each side of a picture, as MNIST's."""
CLASSES = 13
"""The digits 0 to 9, then empty, dash and unreadable."""
_STEPS = 256
"""Values of an int8 output: a margin is 0 to 255."""
_SURE = 10_000
"""Confidence is in parts per 10,000."""


@dataclass(frozen=True, slots=True)
class DigitCard:
    """What was measured about a digit model when it was released.

    Attributes:
        labels: Names of the classes, in the order of the scores.
        accept_margin: Least difference, in steps of the int8 output, between the best and the second score of a reading that may
            be accepted.
        confidence: For every margin from 0 to 255 the calibrated probability that the best class is right, in parts per 10,000.
    """

    labels: tuple[str, ...]
    accept_margin: int
    confidence: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class DigitScores:
    """What both readers say to `n` pictures.

    Attributes:
        scores: (n, 13) int8 of the fixed-point interpreter: the recorded answer.
        second: (n, 13) int8 of TFLite, the second reader.
        identity: Who they are.
    """

    scores: NDArray[np.int8]
    second: NDArray[np.int8]
    identity: ReaderIdentity


def parse_card(data: bytes) -> DigitCard:
    """Read the card of a digit model.

    Raises:
        ModelError: `modelCard` if it is not JSON or not as agreed.
    """
    try:
        card = json.loads(data)
        labels, margin, confidence = tuple(card["labels"]), card["accept_margin"], tuple(card["confidence"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError("modelCard", f"the model's card cannot be read: {error!r}") from error
    if len(labels) != CLASSES or not all(isinstance(label, str) for label in labels):
        raise ModelError("modelCard", f"the model's card must name {CLASSES} labels")
    if type(margin) is not int or not 0 <= margin < _STEPS:
        raise ModelError("modelCard", "accept_margin must be a whole number from 0 to 255")
    if len(confidence) != _STEPS or not all(type(part) is int and 0 <= part <= _SURE for part in confidence):
        raise ModelError("modelCard", "confidence must be 256 whole numbers from 0 to 10000")
    return DigitCard(labels, margin, confidence)


class DigitReader:
    """Reads digits twice: in exact integers, and by TFLite.

    Attributes:
        card: The model's thresholds and calibration.
        identity: Who reads.
    """

    def __init__(self) -> None:
        """Load the released model.

        Raises:
            ModelError: as `load_released`, `parse_card`, `parse_model`, `FixedInterpreter` and `SecondReader` do.
        """
        data = load_released("digit")
        self.card = parse_card(load_released("digitCard"))
        self._fixed = FixedInterpreter(parse_model(data))
        self._second = SecondReader(data)
        if self._fixed.input_shape != (SIDE, SIDE, 1) or self._fixed.output_shape != (CLASSES,):
            raise ModelError("modelCard", f"the digit model maps {self._fixed.input_shape} to {self._fixed.output_shape}")
        released = RELEASED["digit"]
        runtime = self._second
        self.identity = ReaderIdentity(
            released.file, released.sha256, ARITHMETIC, runtime.name, runtime.version, runtime.resolver
        )

    def read(self, inputs: NDArray[np.uint8]) -> DigitScores:
        """Read (n, 28, 28) uint8 pictures as MNIST's, 0 for paper and 255 for ink; n may be 0."""
        if inputs.dtype != np.uint8 or inputs.ndim != 3 or inputs.shape[1:] != (SIDE, SIDE):
            raise ValueError(f"expected (n, {SIDE}, {SIDE}) uint8, got {inputs.shape} {inputs.dtype}")
        # Flipping the highest bit is the subtraction of 128 in eight bits.
        quantised = (inputs ^ np.uint8(128)).view(np.int8)[..., np.newaxis]
        return DigitScores(self._fixed.run(quantised), self._second.run(quantised), self.identity)


@cache
def digit_reader() -> DigitReader:
    """Give the released digit reader of this process, loaded once; raises as `DigitReader`."""
    return DigitReader()
