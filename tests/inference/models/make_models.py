"""Makes the small models that the interpreter is compared on: random weights, every operator, stride, padding and activation.

Needs TensorFlow 2.15, which the tests do not: `python tests/inference/models/make_models.py tests/inference/models`. A second
argument makes that many random models instead of the named ones, for `tests/inference/agreement.py`.
"""

# mypy: ignore-errors
from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

layers = tf.keras.layers
Tensor = tf.Tensor
Body = Callable[[Tensor], Tensor]

ACTIVATIONS = (None, "relu", "relu6")
REPRESENTATIVE = 40
"""Samples that the converter measures ranges on."""


def converted(body: Body, shape: tuple[int, ...], seed: int, scale: float = 3.0) -> bytes:
    """Convert the graph that `body` builds, in full int8 with a fixed batch of one."""
    tf.keras.utils.set_random_seed(seed)
    inputs = tf.keras.Input(shape, batch_size=1)
    model = tf.keras.Model(inputs, body(inputs))
    rng = np.random.default_rng(seed)
    for weights in model.trainable_weights:
        # Untrained layers have no bias; a spread of channel scales is what per-channel quantisation is for.
        weights.assign(weights * np.exp(rng.normal(0, 0.6, weights.shape[-1])) + rng.normal(0, 0.05, weights.shape))
    samples = rng.normal(0.3, scale, (REPRESENTATIVE, 1, *shape)).astype(np.float32)
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([sample] for sample in samples)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    return converter.convert()


def plain(inputs: Tensor) -> Tensor:
    """Convolutions and pooling as a digit model has them."""
    x = layers.Conv2D(6, 3, activation="relu", padding="same")(inputs)
    x = layers.MaxPool2D()(x)
    x = layers.Conv2D(8, 3, strides=2, activation="relu6", padding="valid")(x)
    x = layers.Flatten()(x)
    x = layers.Dense(16, activation="relu")(x)
    return layers.Dense(13)(x)


def residual(inputs: Tensor) -> Tensor:
    """A shortcut, depthwise convolutions, a mean over the picture."""
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(inputs)
    y = layers.DepthwiseConv2D(3, padding="same", activation="relu6")(x)
    y = layers.Conv2D(8, 1)(y)
    x = layers.Add()([x, y])
    x = layers.ReLU()(x)
    x = layers.GlobalAveragePooling2D()(x)
    return layers.Dense(13)(x)


def padded(inputs: Tensor) -> Tensor:
    """Explicit padding, average pooling over the edge, a mean that keeps its axes, no activation anywhere."""
    x = layers.ZeroPadding2D(((1, 0), (2, 1)))(inputs)
    x = layers.Conv2D(5, (3, 2), strides=(1, 2))(x)
    x = layers.AveragePooling2D(3, strides=2, padding="same")(x)
    x = layers.DepthwiseConv2D((2, 3), depth_multiplier=2, padding="valid")(x)
    x = layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = layers.Conv2D(7, 1)(x)
    return layers.Reshape((7,))(x)


def dilated(inputs: Tensor) -> Tensor:
    """Dilation, uneven strides, and an output that is a picture's row means."""
    x = layers.Conv2D(4, 3, dilation_rate=2, padding="same", activation="relu")(inputs)
    x = layers.MaxPool2D((3, 2), strides=(2, 1), padding="same")(x)
    x = layers.AveragePooling2D((2, 3), strides=(1, 2), padding="valid")(x)
    y = layers.Conv2D(4, 1)(x)
    return tf.reduce_mean(layers.Add()([x, y]), axis=[3])


NAMED: dict[str, tuple[Body, tuple[int, ...]]] = {
    "plain": (plain, (12, 12, 1)),
    "residual": (residual, (11, 10, 3)),
    "padded": (padded, (9, 12, 2)),
    "dilated": (dilated, (13, 9, 3)),
}


class RandomModel:
    """A random graph of up to seven layers, and one of several ends."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def _pick(self, *values: object) -> object:
        return values[self._rng.integers(len(values))]

    def _number(self, low: int, high: int) -> int:
        return int(self._rng.integers(low, high))

    def __call__(self, inputs: Tensor) -> Tensor:
        """Build it."""
        x = inputs
        for _ in range(self._number(2, 8)):
            layer = self._pick(self.conv, self.conv, self.depthwise, self.max, self.average, self.add, self.pad, self.relu)
            x = layer(x)
        return self._pick(self.dense, self.mean, self.kept, self.rows, self.all)(x)

    def _window(self, x: Tensor) -> tuple[tuple[int, int], tuple[int, int], str]:
        height, width = x.shape[1:3]
        kernel = self._number(1, min(height, 5) + 1), self._number(1, min(width, 5) + 1)
        return kernel, (self._number(1, 4), self._number(1, 4)), self._pick("same", "valid")

    def conv(self, x: Tensor) -> Tensor:
        """A convolution, dilated where the window still fits."""
        kernel, strides, padding = self._window(x)
        fits = max(strides) == 1 and 2 * max(kernel) - 1 <= min(x.shape[1:3])
        dilation = self._pick(1, 1, 2) if fits else 1
        activation = self._pick(*ACTIVATIONS)
        return layers.Conv2D(self._number(1, 12), kernel, strides, padding, activation=activation, dilation_rate=dilation)(x)

    def depthwise(self, x: Tensor) -> Tensor:
        """A depthwise convolution; TensorFlow's own kernel knows equal strides only."""
        kernel, strides, padding = self._window(x)
        activation = self._pick(*ACTIVATIONS)
        return layers.DepthwiseConv2D(kernel, strides[0], padding, self._number(1, 3), activation=activation)(x)

    def max(self, x: Tensor) -> Tensor:
        """Largest of a window."""
        return layers.MaxPool2D(*self._window(x))(x)

    def average(self, x: Tensor) -> Tensor:
        """Mean of a window."""
        return layers.AveragePooling2D(*self._window(x))(x)

    def add(self, x: Tensor) -> Tensor:
        """A shortcut, either way round."""
        y = layers.Conv2D(x.shape[3], 1, activation=self._pick(*ACTIVATIONS))(x)
        x = layers.Add()(self._pick([x, y], [y, x]))
        return self._pick(layers.ReLU(), layers.ReLU(6.0), lambda same: same)(x)

    def pad(self, x: Tensor) -> Tensor:
        """Padding of its own."""
        return layers.ZeroPadding2D([[self._number(0, 3) for _ in range(2)] for _ in range(2)])(x)

    def relu(self, x: Tensor) -> Tensor:
        """An activation that the converter fuses."""
        return self._pick(layers.ReLU(), layers.ReLU(6.0))(layers.Conv2D(x.shape[3], 1)(x))

    def dense(self, x: Tensor) -> Tensor:
        """End in a fully connected layer."""
        return layers.Dense(self._number(1, 14), activation=self._pick(*ACTIVATIONS))(layers.Flatten()(x))

    def mean(self, x: Tensor) -> Tensor:
        """End in one on the means over the picture."""
        return layers.Dense(5)(layers.GlobalAveragePooling2D()(x))

    def kept(self, x: Tensor) -> Tensor:
        """End in a convolution on the means over the picture."""
        return layers.Conv2D(5, 1)(layers.GlobalAveragePooling2D(keepdims=True)(x))

    def rows(self, x: Tensor) -> Tensor:
        """End in means over one axis."""
        return tf.reduce_mean(x, axis=[self._number(1, 4)], keepdims=self._number(0, 2) == 1)

    def all(self, x: Tensor) -> Tensor:
        """End in one number."""
        return tf.reduce_mean(x, axis=[1, 2, 3])


def main(folder: Path, count: int) -> None:
    """Write the named models, or `count` random ones."""
    folder.mkdir(parents=True, exist_ok=True)
    if not count:
        for seed, (name, (body, shape)) in enumerate(NAMED.items()):
            (folder / f"{name}.tflite").write_bytes(converted(body, shape, seed))
    for seed in range(count):
        rng = np.random.default_rng(seed)
        shape = (int(rng.integers(3, 14)), int(rng.integers(3, 14)), int(rng.integers(1, 5)))
        try:
            data = converted(RandomModel(rng), shape, seed, float(np.exp(rng.normal(0, 1))))
        except ValueError as error:
            # A window larger than what the layers before it have left.
            sys.stderr.write(f"{seed}: {str(error)[:120]}\n")
            continue
        (folder / f"random-{seed:04}.tflite").write_bytes(data)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
