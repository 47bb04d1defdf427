"""A sheet of paper with a name and two printed sides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
"""One side as a person sees it: uint8, shape (rows, columns), 200 dpi, 0 black to 255 white."""

DPI = 200


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A sheet; two sheets are the same only if they are the same object.

    Attributes:
        name: What people call it: not empty, no white space, no `#`.
        top: The side that the upper array sees.
        bottom: The side that the lower array sees.
    """

    name: str
    top: Grey
    bottom: Grey

    def __post_init__(self) -> None:
        """Refuse what cannot be a sheet."""
        if not self.name or not self.name.isprintable() or any(char.isspace() or char == "#" for char in self.name):
            raise ValueError(f"{self.name!r} cannot be the name of a sheet")
        for side in (self.top, self.bottom):
            if side.ndim != 2 or side.dtype != np.uint8 or 0 in side.shape:
                raise ValueError(f"a side of sheet {self.name} is {side.dtype} of shape {side.shape}, not grey pixels")

    @classmethod
    def blank(cls, name: str, *, inches: float = 11.0, columns: int = 1700, level: int = 255) -> Self:
        """Make an empty sheet.

        Args:
            name: Its name.
            inches: Its length in the direction of feeding.
            columns: Its width in pixels.
            level: Its grey level, 0 to 255.
        """
        side = np.full((round(inches * DPI), columns), level, np.uint8)
        return cls(name, side, side)

    @property
    def rows(self) -> int:
        """Length in rows of 1/200 inch; that of the longer image."""
        return max(len(self.top), len(self.bottom))
