"""What is compared between processors: functions from arrays to arrays, each a piece of the product.

Rows are independent: a job may be given any part of the rows of its arrays.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from edge.inference.fixed import FixedInterpreter
from edge.inference.model import parse_model
from edge.inference.released import load_released
from edge.inference.runtime import SecondReader
from edge.tally.ink import clean_ink, model_inputs
from hil.arm64.guest import Arrays


@cache
def _fixed() -> FixedInterpreter:
    return FixedInterpreter(parse_model(load_released("digit")))


def quantised(pictures: NDArray[np.uint8]) -> NDArray[np.int8]:
    """Give the digit model's input for (n, 28, 28) pictures."""
    return (pictures ^ np.uint8(128)).view(np.int8)[..., np.newaxis]


def digits(arrays: Arrays) -> Arrays:
    """`pictures`, uint8 (n, 28, 28), to the `scores` of the fixed-point interpreter."""
    return {"scores": _fixed().run(quantised(np.asarray(arrays["pictures"], np.uint8)))}


def reference(arrays: Arrays) -> Arrays:
    """`pictures` to the `scores` of TFLite's reference kernels."""
    reader = SecondReader(load_released("digit"), reference=True)
    return {"scores": reader.run(quantised(np.asarray(arrays["pictures"], np.uint8)))}


def cells(arrays: Arrays) -> Arrays:
    """`patches` of cells, uint8 (n, 96, 96), to the `pictures` that the model is shown, and its `scores`."""
    pictures = model_inputs(clean_ink(np.asarray(arrays["patches"], np.uint8)))
    return {"pictures": pictures, "scores": _fixed().run(quantised(pictures))}
