"""Anchors of the box detector: where they lie, what they shall say of a scene, and boxes from what they said. Plain NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.region.targets import CORNERS, FORMS, LEAST_SHARE, SIDE, Floats

KINDS = 2
"""Each anchor speaks twice: of a sheet, then of a table. The two overlap so much that one set of offsets could not serve both."""
VALUES = len(FORMS) + 4
"""Of an anchor and kind: a logit for each form, then the offsets."""
MATCH, UNSURE = 0.5, 0.4
"""Overlap (intersection over union) from which an anchor stands for a box, and below which it stands for nothing."""
_SCALES = np.array([0.1, 0.1, 0.2, 0.2], np.float32)
"""The usual variances: offsets are about as large as logits, so that they share one quantisation."""


@dataclass(frozen=True, slots=True)
class Level:
    """Anchors at every cell of one feature map.

    Attributes:
        side: The map is side x side.
        shapes: Width and height of each, in parts of the input's side.
    """

    side: int
    shapes: tuple[tuple[float, float], ...]


def _shapes(sizes: tuple[float, ...], aspects: tuple[float, ...]) -> tuple[tuple[float, float], ...]:
    return tuple((size * aspect**0.5, size / aspect**0.5) for size in sizes for aspect in aspects)


LEVELS = (
    Level(16, _shapes((0.16, 0.25), (0.75, 1.33))),
    Level(8, _shapes((0.36, 0.5), (0.6, 1.0, 1.67))),
    Level(4, _shapes((0.65, 0.85, 1.05), (0.6, 1.0, 1.67))),
)


def anchor_boxes() -> Floats:
    """Left, top, right and bottom of every anchor in input pixels: float32 (anchors, 4), in the order of the output."""
    parts = []
    for level in LEVELS:
        middles = (np.arange(level.side) + 0.5) / level.side
        y, x = np.meshgrid(middles, middles, indexing="ij")
        shapes = np.array(level.shapes)
        middle = np.stack([x, y], axis=-1).reshape(-1, 1, 2)
        parts.append(np.concatenate([middle - shapes / 2, middle + shapes / 2], axis=-1).reshape(-1, 4))
    return (np.concatenate(parts) * SIDE).astype(np.float32)


def around(corners: NDArray[Any], extents: NDArray[Any]) -> Floats:
    """Boxes (n, 2 * k, 4) around sheets, then tables, of corners (n, k, 8, 2), cut to the pictures' (width, height) (n, 2)."""
    sheets, tables = corners[:, :, : CORNERS // 2], corners[:, :, CORNERS // 2 :]
    both = np.concatenate([sheets, tables], axis=1)
    limit = extents[:, None, :]
    low, high = np.clip(both.min(axis=2), 0, limit), np.clip(both.max(axis=2), 0, limit)
    return np.concatenate([low, high], axis=-1).astype(np.float32)


def overlaps(first: NDArray[Any], second: NDArray[Any]) -> NDArray[Any]:
    """Intersection over union of boxes (..., a, 4) with boxes (..., b, 4): (..., a, b)."""
    one, other = first[..., :, None, :], second[..., None, :, :]
    size = np.maximum(np.minimum(one[..., 2:], other[..., 2:]) - np.maximum(one[..., :2], other[..., :2]), 0)
    common = size[..., 0] * size[..., 1]
    whole = (one[..., 2:] - one[..., :2]).prod(axis=-1) + (other[..., 2:] - other[..., :2]).prod(axis=-1) - common
    return np.where(whole > 0, common / np.maximum(whole, 1e-9), 0)


def box_targets(forms: NDArray[Any], corners: NDArray[Any], share: NDArray[Any], extents: NDArray[Any]) -> tuple[Floats, Floats]:
    """Targets float32 (n, anchors * KINDS, VALUES) and weights (n, anchors * KINDS, 2): whether forms count, and offsets.

    Each anchor stands for the sheet and for the table it overlaps most, if by MATCH; each sheet and table has at least its best
    anchor. Tables of which little is in the picture, and their sheets, are neither asked for nor forbidden.
    """
    anchors = anchor_boxes()
    count, places = forms.shape
    boxes = around(corners, extents).reshape(count, KINDS, places, 4)
    asked = (forms >= 0) & (share >= LEAST_SHARE)
    middle, size = (anchors[:, :2] + anchors[:, 2:]) / 2, anchors[:, 2:] - anchors[:, :2]
    target = np.zeros((count, len(anchors), KINDS, VALUES), np.float32)
    weight = np.zeros((count, len(anchors), KINDS, 2), np.float32)
    rows, every = np.arange(count)[:, None], np.arange(len(anchors))[None]
    for kind in range(KINDS):
        overlap = np.where((forms >= 0)[:, None], overlaps(anchors[None], boxes[:, kind]), 0)
        forced = (overlap == overlap.max(axis=1, keepdims=True)) & (overlap > 0)
        own = (overlap + forced).argmax(axis=2)
        best = overlap[rows, every, own]
        matched = ((best >= MATCH) | forced.any(axis=2)) & asked[rows, own]
        # Between match and nothing, and where a table lies of which nothing is asked, an anchor is left alone.
        weight[:, :, kind, 0] = matched | (best < UNSURE)
        weight[:, :, kind, 1] = matched
        picture, anchor = np.nonzero(matched)
        sheet = own[picture, anchor]
        target[picture, anchor, kind, forms[picture, sheet]] = 1
        box = boxes[picture, kind, sheet]
        shift = ((box[:, :2] + box[:, 2:]) / 2 - middle[anchor]) / size[anchor]
        growth = np.log(np.maximum(box[:, 2:] - box[:, :2], 1) / size[anchor])
        target[picture, anchor, kind, -4:] = np.concatenate([shift, growth], axis=1) / _SCALES
    return target.reshape(count, -1, VALUES), weight.reshape(count, -1, 2)


def boxes_of(offsets: NDArray[Any]) -> Floats:
    """Boxes float32 (anchors * KINDS, 4) in input pixels from one picture's offsets of the same shape."""
    anchors = anchor_boxes().repeat(KINDS, axis=0)
    middle, size = (anchors[:, :2] + anchors[:, 2:]) / 2, anchors[:, 2:] - anchors[:, :2]
    scaled = offsets * _SCALES
    centre, half = middle + scaled[:, :2] * size, size * np.exp(np.clip(scaled[:, 2:], -3, 3)) / 2
    return np.concatenate([centre - half, centre + half], axis=-1).astype(np.float32)
