"""Gaussian noise in bulk: drawn once, then read from a random place, because a page has millions of pixels."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from hil.paper.lettering import Grey

_POOL = 1 << 22
SIGMA = 64
"""Standard deviation of the pool's numbers."""


@lru_cache(maxsize=1)
def _pool() -> npt.NDArray[np.int16]:
    values = np.random.default_rng(20310506).standard_normal(_POOL, dtype=np.float32) * SIGMA
    return np.asarray(np.round(values).clip(-4 * SIGMA, 4 * SIGMA), dtype=np.int16)


def add_grain(image: Grey, sigma: float, rng: np.random.Generator) -> Grey:
    """Adds Gaussian noise of `sigma` grey levels (at most 120) to a uint8 image and returns the result, clipped to 0..255."""
    start = int(rng.integers(_POOL))
    noise = np.resize(np.roll(_pool(), -start), image.size).reshape(image.shape)
    scaled = noise * np.int16(round(sigma * 128 / SIGMA)) if sigma < 60 else (noise.astype(np.int32) * round(sigma * 128 / SIGMA))
    return np.clip(image + (scaled >> 7), 0, 255).astype(np.uint8)
