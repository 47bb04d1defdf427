"""The corner-heat-map network and its loss: a small U-net of plain 3x3 convolutions. Needs TensorFlow.

Down to 8x8 and back up to 32x32 with skips, so that each cell's output sees the whole picture. Plain convolutions at low
resolution are quick both to train on a processor and in the product's own interpreter.
"""

from __future__ import annotations

from typing import Any

from models.region.batches import SceneSet
from models.region.targets import HEATS, OUTPUTS, SIDE, Floats, heat_targets

SHARPNESS = 1.0
"""Power of the heat's error that weighs it: cells that are right already hardly pull."""
MOST = 4.0
"""Outputs beyond this, either way, cost: one step of int8 is one part in 255 of the whole range."""


def network() -> Any:  # noqa: ANN401 - TensorFlow has no types
    """A Keras model from float (n, 256, 256, 1), (value - 128) / 128, to (n, 32, 32, OUTPUTS): logits of heats, then vectors."""
    import tensorflow as tf  # noqa: PLC0415 - only training needs it

    layers = tf.keras.layers

    def convolution(tensor: Any, width: int, stride: int = 1, side: int = 3) -> Any:  # noqa: ANN401
        tensor = layers.Conv2D(width, side, strides=stride, padding="same", use_bias=False)(tensor)
        return layers.ReLU(6.0)(layers.BatchNormalization(momentum=0.98)(tensor))

    def residual(tensor: Any) -> Any:  # noqa: ANN401
        width = tensor.shape[-1]
        return layers.Add()([tensor, convolution(convolution(tensor, width), width)])

    def raised(low: Any, high: Any, width: int) -> Any:  # noqa: ANN401
        low = layers.UpSampling2D(2, interpolation="nearest")(convolution(low, width, side=1))
        return convolution(layers.Add()([low, convolution(high, width, side=1)]), width)

    picture = layers.Input((SIDE, SIDE, 1))
    halved = convolution(picture, 8, stride=2)
    quarter = convolution(halved, 16, stride=2)
    eighth = residual(convolution(quarter, 32, stride=2))
    sixteenth = residual(convolution(eighth, 64, stride=2))
    lowest = residual(residual(convolution(sixteenth, 96, stride=2)))
    tensor = raised(raised(lowest, sixteenth, 64), eighth, 48)
    # Most cells hold nothing: begin there.
    bias = tf.constant_initializer([-2.0] * HEATS + [0.0] * (OUTPUTS - HEATS))
    return tf.keras.Model(picture, layers.Conv2D(OUTPUTS, 1, bias_initializer=bias)(tensor))


def targets(scenes: SceneSet) -> tuple[Floats, Floats]:
    """What the network shall say of scenes, and the weights: float32 (n, 32, 32, OUTPUTS) each."""
    return heat_targets(scenes.forms, scenes.corners, scenes.visible, scenes.share)


def loss(output: Any, target: Any, weight: Any) -> Any:  # noqa: ANN401
    """A scalar: heats by weighted divergence per sheet, vectors by Huber's loss, and a price on outputs beyond the range.

    Args:
        output: (n, 32, 32, OUTPUTS) of the network.
        target: As `targets.heat_targets` gives it, logits as probabilities.
        weight: Likewise.
    """
    import tensorflow as tf  # noqa: PLC0415 - only training needs it

    logit, heat = output[..., :HEATS], target[..., :HEATS]
    # The divergence is nought where the output equals a soft target, which the cross entropy is not.
    entropy = -(heat * tf.math.log(heat) + (1 - heat) * tf.math.log(1 - heat))
    divergence = tf.nn.sigmoid_cross_entropy_with_logits(heat, logit) - entropy
    error = tf.abs(tf.stop_gradient(tf.sigmoid(logit)) - heat)
    heats = tf.reduce_sum(weight[..., :HEATS] * divergence * error**SHARPNESS)
    vector_weight = weight[..., HEATS:]
    miss = tf.abs(output[..., HEATS:] - target[..., HEATS:])
    vectors = tf.reduce_sum(vector_weight * tf.where(miss < 0.1, 5 * miss**2, miss - 0.05))
    beyond = tf.reduce_sum(tf.nn.relu(tf.abs(output) - MOST) ** 2)
    count = tf.cast(tf.shape(output)[0], tf.float32)
    return heats / count + 5 * vectors / (tf.reduce_sum(vector_weight) + 1) * 16 + 0.01 * beyond / count
