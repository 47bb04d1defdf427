"""What a rendered sheet should be like; everything that is left open follows from the seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Digits = Literal["real", "own", "either"]
Colour = Literal["colour", "grey"]


@dataclass(frozen=True, slots=True)
class Knobs:
    """What is asked of a sheet.

    Attributes:
        dpi: Pixels per inch, 150 to 300.
        rotation: Degrees clockwise, -5 to 5.
        stretch: How much longer the image is along the feed (its height) than the paper, a share: rollers slip.
        upside_down: Head at the bottom.
        extent: `sheet`, or the name of one of the form's extents: the image is cropped to it.
        colour: A colour scan, or a grey one (then all three channels are equal).
        digits: Where the handwriting comes from: test digits of MNIST where the real data is (else own strokes), own strokes,
            or either, as the seed wills.
        mistakes: What people did wrong, names from `story.MISTAKES`.
        damages: Name from `scan.DAMAGES` to strength 1 to 100: 30 is a bad day, 100 hopeless.
    """

    dpi: int = 200
    rotation: float = 0.0
    stretch: float = 0.0
    upside_down: bool = False
    extent: str = "sheet"
    colour: Colour = "colour"
    digits: Digits = "either"
    mistakes: tuple[str, ...] = ()
    damages: Mapping[str, int] = field(default_factory=dict)
