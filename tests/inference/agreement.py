"""Holds the fixed-point interpreter against TFLite's reference kernels, output by output.

As a program, over the models of a folder (`tests/inference/models/make_models.py` makes hundreds of random ones):
`python -m tests.inference.agreement FOLDER`.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from edge.inference import convolution, fixed
from edge.inference.convolution import Kernel
from edge.inference.error import ModelError
from edge.inference.fixed import FixedInterpreter
from edge.inference.model import Code, Model, Operator, parse_model
from edge.inference.rescale import Int64Array
from edge.inference.runtime import RUNTIME, SecondReader

MODELS = Path(__file__).parent / "models"
NAMES = ("plain", "residual", "padded", "dilated")
SAMPLES = 40


class RoundedOnce:
    """What ai-edge-litert 2 does in FULLY_CONNECTED, and only there: upper bits and shift in one rounding, halves up."""

    def __init__(self, factors: list[tuple[int, int]], axes: int, bound: int) -> None:
        ((self._multiplier, shift),) = factors
        self._right = 31 - shift

    def __call__(self, values: Int64Array) -> Int64Array:
        values *= self._multiplier
        values += 1 << (self._right - 1)
        values >>= self._right
        return values


def _fully_connected_of_litert(model: Model, operator: Operator) -> Kernel:
    convolution.fully_connected(model, operator)  # for its refusals
    with patch.object(convolution, "Rescale", RoundedOnce):
        return convolution.fully_connected(model, operator)


def as_the_runtime(data: bytes) -> FixedInterpreter:
    """Give the interpreter with the one deviation that the runtime at hand has from the arithmetic that we record."""
    kernels: Mapping[Code, object] = fixed._KERNELS
    if RUNTIME == "ai-edge-litert":
        kernels = {**kernels, Code.FULLY_CONNECTED: _fully_connected_of_litert}
    with patch.object(fixed, "_KERNELS", kernels):
        return FixedInterpreter(parse_model(data))


def sample_inputs(shape: tuple[int, ...], seed: int = 0, count: int = SAMPLES) -> NDArray[np.int8]:
    """Give inputs over the whole range, over a part of it, and at both ends."""
    rng = np.random.default_rng(seed)
    inputs = rng.integers(-128, 128, (count, *shape), dtype=np.int8)
    inputs[: count // 4] //= 4
    inputs[0], inputs[1] = -128, 127
    return inputs


def differences(data: bytes, inputs: NDArray[np.int8] | None = None) -> int:
    """Count the outputs that differ; raises ModelError where the interpreter refuses the model."""
    interpreter, reference = as_the_runtime(data), SecondReader(data, reference=True)
    chosen = sample_inputs(interpreter.input_shape) if inputs is None else inputs
    return int(np.count_nonzero(interpreter.run(chosen) != reference.run(chosen)))


def main(folder: Path) -> int:
    """Compare all models of a folder, print the refused and differing ones and the counts; gives the exit status."""
    counts: Counter[str] = Counter()
    for path in sorted(folder.glob("*.tflite")):
        data = path.read_bytes()
        try:
            outcome = f"{differences(data)} outputs differ"
        except ModelError as error:
            outcome = f"refused, {error.code}"
        counts[outcome] += 1
        if not outcome.startswith("0"):
            sys.stdout.write(f"{path.name}: {outcome}\n")
    sys.stdout.write(f"{RUNTIME}: {dict(counts)}\n")
    return 0 if all(outcome.startswith(("0", "refused")) for outcome in counts) else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
