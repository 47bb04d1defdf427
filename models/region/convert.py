"""Turn a trained network into an int8 flatbuffer, and count its multiply-adds.

    python -m models.region.convert --design heat-maps --weights build/region/heat-maps/weights.npz --scenes build/scenes/train

Scales come from scenes of the training part. One int8 input, one int8 output, batch 1, at most 1 MB.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.region.batches import augmented, read_scenes
from models.region.targets import SIDE
from models.region.train import DESIGNS, restored

MOST_BYTES, MOST_PRODUCTS = 1_000_000, 150_000_000
_SAMPLES = 200


def flatbuffer(model: Any, samples: NDArray[np.uint8]) -> bytes:  # noqa: ANN401 - TensorFlow has no types
    """The model in int8, input and output too; scales from `samples`, uint8 (n, 256, 256)."""
    import tensorflow as tf  # noqa: PLC0415 - only here

    def representative() -> Any:  # noqa: ANN401
        for number, sample in enumerate(samples):
            picture = (sample.astype(np.float32)[None, ..., None] - 128) / 128
            if number == 0:
                # So that the input's scale is 1/128 and its zero 0, exactly: value less 128.
                picture[0, 0, 0, 0], picture[0, 0, 1, 0] = -1.0, 127 / 128
            yield [picture]

    fixed = tf.function(model).get_concrete_function(tf.TensorSpec((1, SIDE, SIDE, 1), tf.float32))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([fixed], model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    return bytes(converter.convert())


def multiply_adds(model: Any) -> int:  # noqa: ANN401
    """Products of all convolutions of a Keras model for one picture."""
    import tensorflow as tf  # noqa: PLC0415 - only here

    total = 0
    for layer in model.layers:
        if isinstance(layer, tf.keras.layers.DepthwiseConv2D):
            total += int(np.prod(layer.output_shape[1:]) * np.prod(layer.kernel_size))
        elif isinstance(layer, tf.keras.layers.Conv2D):
            total += int(np.prod(layer.output_shape[1:]) * np.prod(layer.kernel.shape[:3]))
    return total


def operators(content: bytes) -> list[str]:
    """Names of the flatbuffer's operators, in order, without repetition."""
    import tensorflow as tf  # noqa: PLC0415 - only here

    runner = tf.lite.Interpreter(
        model_content=content, experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF
    )
    names = [one["op_name"] for one in runner._get_ops_details()]  # noqa: SLF001 - it has no public name
    return list(dict.fromkeys(name for name in names if name != "DELEGATE"))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--design", choices=("heat-maps", "boxes"), default="heat-maps")
    parser.add_argument("--weights", type=Path, required=True, help="weights.npz, or last.npz of a training that still runs")
    parser.add_argument("--scenes", type=Path, required=True, help="scenes of the training part")
    parser.add_argument("--out", type=Path, default=Path("models/released/region.tflite"))
    arguments = parser.parse_args()

    scenes = read_scenes(arguments.scenes, most=4000)
    model = DESIGNS[arguments.design].network()
    restored(model, arguments.weights, scenes)
    rng = np.random.default_rng(3)
    samples = augmented(scenes.part(rng.choice(len(scenes.pictures), _SAMPLES, replace=False)), rng).pictures
    content = flatbuffer(model, samples)
    products = multiply_adds(model)
    if len(content) > MOST_BYTES or products > MOST_PRODUCTS:
        raise SystemExit(f"{len(content)} bytes and {products} multiply-adds: too large")
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_bytes(content)
    print(f"{hashlib.sha256(content).hexdigest()}  {arguments.out}: {len(content)} bytes, {products} multiply-adds")
    print(", ".join(operators(content)))


if __name__ == "__main__":
    main()
