"""The network: four convolutions and two dense layers; 1.7 million multiply-adds, 70 thousand weights. Needs TensorFlow."""

from __future__ import annotations

from typing import Any

WIDTHS = (12, 32, 32, 64, 64)


def network(labels: int) -> Any:  # noqa: ANN401 - TensorFlow has no types
    """A Keras model from float (n, 28, 28, 1), 0 to 1, to (n, labels) scores without softmax."""
    import tensorflow as tf  # noqa: PLC0415 - only training needs it

    layers = tf.keras.layers
    model = tf.keras.Sequential([layers.Input((28, 28, 1))])

    def convolution(width: int, stride: int = 1) -> None:
        model.add(layers.Conv2D(width, 3, strides=stride, use_bias=False))
        model.add(layers.BatchNormalization(momentum=0.98))
        model.add(layers.ReLU())

    convolution(WIDTHS[0])
    convolution(WIDTHS[1], stride=2)
    convolution(WIDTHS[2])
    model.add(layers.MaxPooling2D(2))
    convolution(WIDTHS[3])
    model.add(layers.Flatten())
    model.add(layers.Dropout(0.25))
    model.add(layers.Dense(WIDTHS[4], use_bias=False))
    model.add(layers.BatchNormalization(momentum=0.98))
    model.add(layers.ReLU())
    model.add(layers.Dropout(0.25))
    model.add(layers.Dense(labels))
    return model
