"""TFLite, the second reader: the one place where a TFLite runtime is imported.

Which one is a matter of the Python: tflite-runtime ends with 3.11, ai-edge-litert serves the later ones. In service the default
kernels are used; they are fast, and differ by a few steps between machines and versions, which is why their answer is compared
with the recorded one and never recorded in its place.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from edge.inference.error import ModelError

if sys.version_info >= (3, 12):
    from ai_edge_litert import interpreter as tflite

    RUNTIME = "ai-edge-litert"
else:
    from tflite_runtime import interpreter as tflite

    RUNTIME = "tflite-runtime"


class SecondReader:
    """A model in TFLite. May be used from several threads, one at a time.

    Attributes:
        name: The runtime's distribution.
        version: Its version.
        resolver: Its kernels: `default` or `reference`.
    """

    def __init__(self, model: bytes, *, reference: bool = False) -> None:
        """Load an int8 model with one input and one output, each with a batch of one.

        Only bytes that were checked belong here: TFLite does not promise to survive damaged ones.

        Args:
            model: A whole `.tflite` file.
            reference: Whether to use the reference kernels, which are some ten times slower: for comparisons.

        Raises:
            ModelError: `modelUnsupported` if TFLite refuses it or it is shaped otherwise.
        """
        self.name, self.version = RUNTIME, version(RUNTIME)
        self.resolver = "reference" if reference else "default"
        kinds = tflite.OpResolverType
        try:
            self._interpreter = tflite.Interpreter(
                model_content=model,
                experimental_op_resolver_type=kinds.BUILTIN_REF if reference else kinds.AUTO,
                num_threads=1,
            )
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ModelError("modelUnsupported", f"{self.name} {self.version} refuses the model: {error}") from error
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        ends = [*inputs, *outputs]
        if len(inputs) != 1 or len(outputs) != 1 or any(end["dtype"] != np.int8 or end["shape"][0] != 1 for end in ends):
            raise ModelError("modelUnsupported", "not a model from one int8 tensor to another with a batch of one")
        self._input, self._output = inputs[0]["index"], outputs[0]["index"]
        self._input_shape = tuple(inputs[0]["shape"].tolist())[1:]
        self._output_shape = tuple(outputs[0]["shape"].tolist())[1:]
        self._lock = Lock()

    def run(self, inputs: NDArray[np.int8]) -> NDArray[np.int8]:
        """Execute the model on (n, ...) int8, one after the other; gives (n, ...) int8. n may be 0."""
        if inputs.dtype != np.int8 or inputs.ndim < 1 or inputs.shape[1:] != self._input_shape:
            raise ValueError(f"expected (n, {self._input_shape}) int8, got {inputs.shape} {inputs.dtype}")
        outputs = np.empty((len(inputs), *self._output_shape), np.int8)
        with self._lock:
            for number in range(len(inputs)):
                self._interpreter.set_tensor(self._input, inputs[number : number + 1])
                self._interpreter.invoke()
                outputs[number] = self._interpreter.get_tensor(self._output)[0]
        return outputs
