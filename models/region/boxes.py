"""The rival: a single-shot detector of axis-aligned boxes on MobileNetV2's inverted residuals. Needs TensorFlow.

Sheets and tables of each form. Three scales (16x16, 8x8, 4x4) carry anchors; one output holds all of them. Trained with the
focal loss, so that the thousands of anchors without anything do not drown the few with.
"""

from __future__ import annotations

from typing import Any

from models.region.anchors import KINDS, LEVELS, VALUES, box_targets
from models.region.batches import SceneSet
from models.region.targets import FORMS, SIDE, Floats

_FOCUS, _POSITIVE = 2.0, 0.4
"""The focal loss's power, and its weight of anchors with something against those without (Lin et al., 2017)."""


def network() -> Any:  # noqa: ANN401 - TensorFlow has no types
    """A Keras model from float (n, 256, 256, 1), (value - 128) / 128, to (n, anchors * 2, VALUES)."""
    import tensorflow as tf  # noqa: PLC0415 - only training needs it

    layers = tf.keras.layers

    def normal(tensor: Any, active: bool = True) -> Any:  # noqa: ANN401
        tensor = layers.BatchNormalization(momentum=0.98)(tensor)
        return layers.ReLU(6.0)(tensor) if active else tensor

    def inverted(tensor: Any, width: int, stride: int = 1, expand: int = 6) -> Any:  # noqa: ANN401
        begun = tensor
        tensor = normal(layers.Conv2D(expand * tensor.shape[-1], 1, use_bias=False)(tensor))
        tensor = normal(layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False)(tensor))
        tensor = normal(layers.Conv2D(width, 1, use_bias=False)(tensor), active=False)
        return layers.Add()([begun, tensor]) if begun.shape == tensor.shape else tensor

    picture = layers.Input((SIDE, SIDE, 1))
    tensor = normal(layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(picture))
    scales = []
    for width, repeats in ((16, 1), (32, 2), (56, 3), (80, 3), (96, 2)):
        tensor = inverted(tensor, width, stride=2, expand=3 if width == 16 else 6)
        for _ in range(repeats - 1):
            tensor = inverted(tensor, width)
        if tensor.shape[1] <= LEVELS[0].side:
            scales.append(tensor)

    outputs = []
    for scale, level in zip(scales, LEVELS, strict=True):
        # SSDLite's heads: a depthwise convolution, then a plain one. Rare things are taken for rare to begin with.
        count = len(level.shapes)
        bias = tf.constant_initializer(([-4.0] * len(FORMS) + [0.0] * 4) * count * KINDS)
        head = normal(layers.DepthwiseConv2D(3, padding="same", use_bias=False)(scale))
        head = layers.Conv2D(count * KINDS * VALUES, 1, bias_initializer=bias)(head)
        outputs.append(layers.Reshape((level.side**2 * count * KINDS, VALUES))(head))
    return tf.keras.Model(picture, layers.Concatenate(axis=1)(outputs))


def targets(scenes: SceneSet) -> tuple[Floats, Floats]:
    """What the network shall say of scenes, (n, anchors * 2, VALUES), and the weights (n, anchors * 2, 2)."""
    return box_targets(scenes.forms, scenes.corners, scenes.share, scenes.extents)


def loss(output: Any, target: Any, weight: Any) -> Any:  # noqa: ANN401
    """A scalar: focal loss of the forms and Huber's loss of the offsets, per anchor with something.

    Args:
        output: (n, anchors * 2, VALUES) of the network.
        target: As `anchors.box_targets` gives it.
        weight: Likewise: whether an anchor's forms count, and its offsets.
    """
    import tensorflow as tf  # noqa: PLC0415 - only training needs it

    logit, right = output[..., :-4], target[..., :-4]
    likely = tf.sigmoid(logit)
    wrong = right * (1 - likely) + (1 - right) * likely
    balance = right * _POSITIVE + (1 - right) * (1 - _POSITIVE)
    focal = balance * wrong**_FOCUS * tf.nn.sigmoid_cross_entropy_with_logits(right, logit)
    forms = tf.reduce_sum(focal * weight[..., :1])
    miss = tf.abs(output[..., -4:] - target[..., -4:])
    offsets = tf.reduce_sum(weight[..., 1:] * tf.where(miss < 0.5, miss**2, miss - 0.25))
    return (forms + 0.25 * offsets) / (tf.reduce_sum(weight[..., 1:]) + 1) * 4
