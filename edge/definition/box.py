"""Upright rectangles on a form, in hundredths of a millimetre."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, NamedTuple

from pydantic import BeforeValidator

MOST_LENGTH = 100_000
"""One metre."""


class Box(NamedTuple):
    """An upright rectangle on the sheet, in hundredths of a millimetre."""

    x: int
    y: int
    width: int
    height: int

    @property
    def corners(self) -> tuple[tuple[int, int], ...]:
        """Top left, top right, bottom right, bottom left."""
        right, bottom = self.x + self.width, self.y + self.height
        return (self.x, self.y), (right, self.y), (right, bottom), (self.x, bottom)


def around(boxes: Iterable[Box], margin: int = 0) -> Box:
    """The box around boxes, with a margin on every side."""
    listed = tuple(boxes)
    left, top = min(box.x for box in listed) - margin, min(box.y for box in listed) - margin
    right, bottom = max(box.x + box.width for box in listed) + margin, max(box.y + box.height for box in listed) + margin
    return Box(left, top, right - left, bottom - top)


def _box(value: object) -> Box:
    if not isinstance(value, list | tuple) or len(value) != len(Box._fields) or any(type(part) is not int for part in value):
        raise ValueError("a box is four whole numbers: x, y, width, height")
    box = Box(*value)
    if min(box.x, box.y) < 0 or min(box.width, box.height) <= 0 or max(box) > MOST_LENGTH:
        raise ValueError("a box lies on the sheet and has a size")
    return box


FormBox = Annotated[Box, BeforeValidator(_box)]
