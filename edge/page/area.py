"""Pieces of a page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Area:
    """An upright piece of a page in pixels, [left, left + width) x [top, top + height)."""

    left: int
    top: int
    width: int
    height: int

    def of(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The piece of an image of the whole page."""
        return image[self.top : self.top + self.height, self.left : self.left + self.width]

    def turned(self, width: int, height: int) -> Area:
        """The same piece after a page of `width` x `height` pixels was turned by 180 degrees."""
        return Area(width - self.left - self.width, height - self.top - self.height, self.width, self.height)
