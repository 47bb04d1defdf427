"""What the networks shall say of a scene: heats and vectors from corners, boxes for anchors. Plain NumPy.

A scene's sheets come as arrays with one place for each of at most `k` sheets a picture:
`forms` int (n, k), -1 for none; `corners` float (n, k, 8, 2), x and y in pixels of the 256x256 input, the sheet's top-left,
top-right, bottom-right and bottom-left of the form, then the table's; `visible` bool (n, k, 8); `share` float (n, k), of the
table's area inside the picture.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FORMS = ("bo-2019-a1", "lumen-harbour")
SIDE, CELLS = 256, 32
CELL = SIDE // CELLS
CORNERS = 8
HEATS = len(FORMS) + CORNERS
OUTPUTS = HEATS + 2 * CORNERS
UNIT = 10.0
"""Vectors are in tens of cells."""
FARTHEST = 4.0
LOW, HIGH = 0.02, 0.98
"""Heats asked for: sure enough, and logits stay within 4."""
LEAST_SHARE = 0.3
"""Of a table of which less is in the picture, nothing is asked: neither that it is found nor that it is not."""

_SPREAD = 0.7
_POSITIVE = 12.0
_NEAR = 0.3

Floats = NDArray[np.float32]


def _bumps(places: NDArray[Any], spread: float) -> Floats:
    """Gaussian bumps (..., 32, 32) for places (..., 2) in cells, 1 at the cell they lie in, nothing for places outside."""
    middles = np.arange(CELLS, dtype=np.float32) + 0.5
    rise = np.exp(-((places[..., None].astype(np.float32) - middles) ** 2) / np.float32(2 * spread**2))
    # The nearest cell is asked for in full, so that a peak's height says how sure, not how well centred.
    rise /= np.maximum(rise.max(axis=-1, keepdims=True), 1e-12)
    inside = ((places >= 0) & (places < CELLS)).all(axis=-1)
    return rise[..., 1, :, None] * rise[..., 0, None, :] * inside[..., None, None]


def heat_targets(forms: NDArray[Any], corners: NDArray[Any], visible: NDArray[Any], share: NDArray[Any]) -> tuple[Floats, Floats]:
    """Targets and weights, both float32 (n, 32, 32, OUTPUTS): heats as probabilities LOW to HIGH, then vectors.

    A corner that is covered or off the paper that is seen is neither asked for nor forbidden; a table of which little is in the
    picture likewise. Vectors count at the cells beside a table's middle, those of the nearest sheet.
    """
    count, places = forms.shape
    cells = corners / CELL
    there = forms >= 0
    middle = _bumps(cells[:, :, 4:].mean(axis=2), _SPREAD) * there[..., None, None]
    counted = there & (share >= LEAST_SHARE)
    heat = np.zeros((count, CELLS, CELLS, HEATS), np.float32)
    ignored = np.zeros_like(heat)
    for number in range(len(FORMS)):
        of_form = (forms == number)[..., None, None] & (middle > 0)
        heat[..., number] = np.where(of_form & counted[..., None, None], middle, 0).max(axis=1)
        ignored[..., number] = np.where(of_form & ~counted[..., None, None], middle, 0).max(axis=1)
    bumps = _bumps(cells, _SPREAD) * there[..., None, None, None]
    seen = (visible & there[..., None])[..., None, None]
    heat[..., len(FORMS) :] = np.moveaxis((bumps * seen).max(axis=1), 1, -1)
    ignored[..., len(FORMS) :] = np.moveaxis((bumps * ~seen).max(axis=1), 1, -1)

    target = np.zeros((count, CELLS, CELLS, OUTPUTS), np.float32)
    weight = np.zeros_like(target)
    target[..., :HEATS] = LOW + (HIGH - LOW) * heat
    weight[..., :HEATS] = np.where((ignored > 0.02) & (heat < ignored), 0, 1 + _POSITIVE * heat)

    near = middle * counted[..., None, None]
    nearest = near.argmax(axis=1)
    strength = near.max(axis=1)
    own = _chosen(cells.reshape(count, places, 2 * CORNERS), nearest)
    here = np.arange(CELLS, dtype=np.float32) + 0.5
    grid = np.stack(np.broadcast_arrays(here[None, :], here[:, None]), axis=-1)
    vectors = (own - np.tile(grid, CORNERS)) / UNIT
    target[..., HEATS:] = np.clip(vectors, -FARTHEST, FARTHEST)
    weight[..., HEATS:] = np.where(strength >= _NEAR, strength, 0)[..., None]
    return target, weight


def _chosen(values: NDArray[Any], nearest: NDArray[Any]) -> NDArray[Any]:
    """Of values (n, k, m) those that each cell (n, 32, 32) of `nearest` names: (n, 32, 32, m)."""
    return values[np.arange(len(values))[:, None, None], nearest]
