"""The writing of cut cells, cleaned once for all who look at it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from edge.tally.ink import INPUT_SIDE, Frame, clean_ink, model_inputs


@dataclass(frozen=True, slots=True, eq=False)
class Writing:
    """Of `n` cells, in their order.

    Attributes:
        darkness: uint8 (n, 96, 96), the cleaned patches, 0 where nothing of the writing is.
        inputs: uint8 (n, 28, 28), the digit model's pictures.
        ink: int64 (n,), pixels of writing.
        foreign: int64 (n,), pixels that were taken away as a neighbour's.
    """

    darkness: NDArray[np.uint8]
    inputs: NDArray[np.uint8]
    ink: NDArray[np.int64]
    foreign: NDArray[np.int64]


def clean_writing(patches: NDArray[np.uint8], frames: tuple[Frame, ...]) -> Writing:
    """Clean patches, uint8 (n, 96, 96), each with its frame."""
    darkness = np.empty_like(patches)
    inputs = np.zeros((len(patches), INPUT_SIDE, INPUT_SIDE), np.uint8)
    ink, foreign = np.zeros(len(patches), np.int64), np.zeros(len(patches), np.int64)
    order = sorted(range(len(frames)), key=lambda number: frames[number])
    for frame, numbers in groupby(order, key=lambda number: frames[number]):
        batch = np.array(list(numbers))
        clean = clean_ink(patches[batch], frame)
        darkness[batch], inputs[batch] = clean.darkness, model_inputs(clean)
        ink[batch], foreign[batch] = clean.ink, clean.foreign
    return Writing(darkness, inputs, ink, foreign)
