"""What is compared between processors: functions from arrays to arrays, each a piece of the product.

Rows are independent: a job may be given any part of the rows of its arrays.
"""

from __future__ import annotations

import hashlib
from functools import cache

import numpy as np
from numpy.typing import NDArray

from edge.definition.canonical_json import canonical_bytes
from edge.definition.form import Form, load_form, shipped_form, shipped_forms
from edge.inference.fixed import FixedInterpreter
from edge.inference.model import parse_model
from edge.inference.reduction import reduced
from edge.inference.released import load_released
from edge.inference.runtime import SecondReader
from edge.tally.decide import decide_tally
from edge.tally.ink import clean_ink, model_inputs
from edge.tally.interpret import interpret_tally
from edge.tally.readers import TallyReaders, tally_readers
from edge.tally.record import record
from edge.tally.scan import grey_scan
from hil.arm64.guest import Arrays


@cache
def _fixed() -> FixedInterpreter:
    return FixedInterpreter(parse_model(load_released("digit")))


@cache
def _region() -> FixedInterpreter:
    return FixedInterpreter(parse_model(load_released("region")))


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


def regions(arrays: Arrays) -> Arrays:
    """`planes`, uint8 (n, height, width), reduced to the region model's `inputs`, and its `scores`."""
    inputs = np.stack([reduced(plane)[0] for plane in np.asarray(arrays["planes"], np.uint8)])
    return {"inputs": inputs, "scores": _region().run((inputs ^ np.uint8(128)).view(np.int8)[..., np.newaxis])}


def sheets(arrays: Arrays) -> Arrays:
    """`planes`, uint8 (n, height, width), read as forms: `records`, uint8 (n, forms, 32), hashes without the second reader."""
    readers = tally_readers()
    return {
        "records": np.array(
            [[_record_hash(plane, form, readers) for form in _forms()] for plane in np.asarray(arrays["planes"], np.uint8)],
            np.uint8,
        )
    }


def _record_hash(plane: NDArray[np.uint8], form: Form, readers: TallyReaders) -> list[int]:
    interpretation = interpret_tally(grey_scan(plane), form, readers)
    told = record(interpretation, decide_tally(interpretation, form))
    del told["reader"]
    for cell in told["cells"]:
        del cell["second"]
    return list(hashlib.sha256(canonical_bytes(told)).digest())


@cache
def _forms() -> tuple[Form, ...]:
    return tuple(load_form(shipped_form(name)) for name in shipped_forms())


def cells(arrays: Arrays) -> Arrays:
    """`patches` of cells, uint8 (n, 96, 96), to the `pictures` that the model is shown, and its `scores`."""
    pictures = model_inputs(clean_ink(np.asarray(arrays["patches"], np.uint8)))
    return {"pictures": pictures, "scores": _fixed().run(quantised(pictures))}
