"""What goes into a picture and what comes out of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Colour = NDArray[np.uint8]
Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """One flat sheet to be photographed.

    Attributes:
        form: Name of a form that comes with the product; empty for a paper that is none: it is drawn and not told of.
        image: RGB, uint8, shape (height, width, 3): the whole paper or a piece of it.
        origin: Form point (1/100 mm) of the image's top-left pixel corner.
        scale: Pixels per 1/100 mm.
    """

    form: str
    image: Colour
    origin: tuple[float, float]
    scale: float

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the image on the form, 1/100 mm."""
        left, top = self.origin
        return left, top, left + self.image.shape[1] / self.scale, top + self.image.shape[0] / self.scale


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """One sheet in a picture.

    Attributes:
        form: Name of its form.
        corners: float64, shape (8, 2): top-left, top-right, bottom-right and bottom-left of the sheet, then of the table, as the
            form has them; picture pixels, possibly outside.
        visible: bool, shape (8,): whether the picture shows the paper just inside that corner (2 mm), uncovered.
        place: Form points of shape (n, 2), 1/100 mm, to picture pixels of shape (n, 2), the bend of the paper included.
        share: Part of the table's area that the picture shows, 0 to 1: inside and not covered.
    """

    form: str
    corners: Points
    visible: NDArray[np.bool_]
    place: Callable[[Points], Points]
    share: float


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """A picture.

    Attributes:
        image: RGB, uint8, shape (height, width, 3).
        shown: The forms in it, in the order in which they were given.
    """

    image: Colour
    shown: tuple[Shown, ...]
