"""The boxes of a form as they were found in an image: for data sets, and for the check that every frame is where it belongs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Point = tuple[int, int]


@dataclass(frozen=True, slots=True)
class FoundBox:
    """A row of cells or a label frame.

    Attributes:
        name: Name of the field (with `#2` and so on for its further rows of cells), or `label:` and the number of the frame in
            `form.registration.frames`.
        kind: Cells, or a label frame.
        corners: Top-left, top-right, bottom-right and bottom-left as the form reads, 1/256 pixel of the image as it was given.
        found: Whether its printed lines were found where they belong.
    """

    name: str
    kind: Literal["field", "label"]
    corners: tuple[Point, Point, Point, Point]
    found: bool
