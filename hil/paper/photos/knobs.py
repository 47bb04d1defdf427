"""What a picture should be like; everything that is left open follows from the seed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

Kind = Literal["photo", "scan", "crop", "clutter"]
Background = Literal["wood", "cloth", "tiles", "carpet", "gradient", "keys", "plain", "stone", "black bed", "white bed"]

KINDS: tuple[Kind, ...] = get_args(Kind)
BACKGROUNDS: tuple[Background, ...] = get_args(Background)
BEDS: tuple[Background, ...] = ("black bed", "white bed")
_TABLES = tuple(name for name in BACKGROUNDS if name not in BEDS)

_BOUNDS: dict[str, tuple[float, float]] = {
    "share": (0.05, 10.0),
    "tilt": (0.0, 40.0),
    "bend": (0.0, 1.0),
    "blur": (0.0, 10.0),
    "motion": (0.0, 30.0),
    "glare": (0.0, 1.0),
    "shadow": (0.0, 1.0),
    "uneven": (0.0, 1.0),
    "cast": (0.0, 1.0),
    "exposure": (-1.0, 1.0),
    "noise": (0.0, 60.0),
    "jpeg": (0, 100),
    "occluders": (0, 6),
    "neighbours": (0, 8),
}


@dataclass(frozen=True, slots=True)
class PhotoKnobs:
    """What is asked of a picture.

    Attributes:
        size: Width and height in pixels, each 16 to 12,000.
        kind: `photo`: the first sheet as a camera sees it on a table. `scan`: flat on a scanner's bed; tilt and bend do not
            count. `crop`: a scan in which `share` speaks of the first sheet's table and not of its paper. `clutter`: a photo with
            the other sheets strewn over the picture and not near the first.
        share: How much of the picture the first sheet takes: its longest extent against what just fits, 0.05 to 10; above 1 the
            picture cuts it.
        shift: The middle of the first sheet from the picture's middle, as shares of the picture's width and height; None for
            anywhere as long as the picture shows all of it (or, above 1, as long as it is full of it).
        focus: Whether `share` and `shift` speak of the first sheet's paper or of its table; `crop` is always about the table.
        tilt: Degrees between the camera's axis and the upright onto the table, 0 to 40.
        rotation: Degrees clockwise by which the first sheet is turned in the picture; None for any.
        bend: Of all papers, 0 (flat) to 1 (waves of 25 degrees, a fold, curled corners).
        blur: Sigma of the defocus in thousandths of the picture's longer side, 0 to 10.
        motion: Length of the motion blur in thousandths of the longer side, 0 to 30.
        glare: Strength of a lamp's reflection, 0 to 1 (print under it is gone).
        shadow: Depth of the cast shadow of a hand or a phone, 0 to 1.
        uneven: How far the light falls off across the picture, 0 to 1.
        cast: Colour cast of the light, 0 to 1.
        exposure: -1 (dark, paper at 60 of 255) to 1 (paper burnt out).
        noise: Sigma of the sensor's noise in grey levels, 0 to 60.
        jpeg: Quality at which the picture was stored, 1 to 100; 0 for not at all.
        background: What the papers lie on; None for any that fits the kind.
        occluders: Fingers, pens and clips on the first sheet, 0 to 6.
        neighbours: Made-up papers that are no form around and over the sheets, 0 to 8.

    Raises:
        ValueError: a knob is out of its range.
    """

    size: tuple[int, int] = (1024, 768)
    kind: Kind = "photo"
    share: float = 0.85
    shift: tuple[float, float] | None = (0.0, 0.0)
    focus: Literal["sheet", "table"] = "sheet"
    tilt: float = 0.0
    rotation: float | None = 0.0
    bend: float = 0.0
    blur: float = 0.0
    motion: float = 0.0
    glare: float = 0.0
    shadow: float = 0.0
    uneven: float = 0.0
    cast: float = 0.0
    exposure: float = 0.0
    noise: float = 0.0
    jpeg: int = 0
    background: Background | None = None
    occluders: int = 0
    neighbours: int = 0

    def __post_init__(self) -> None:
        """Refuses what is out of range."""
        if self.kind not in KINDS or self.background not in {None, *BACKGROUNDS}:
            raise ValueError(f"no picture of kind {self.kind!r} on {self.background!r} can be made")
        if not all(16 <= side <= 12_000 for side in self.size):
            raise ValueError("a picture has 16 to 12000 pixels a side")
        for name, (low, high) in _BOUNDS.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} is {getattr(self, name)}: it goes from {low} to {high}")

    @property
    def flat(self) -> bool:
        """Whether the papers lie under a scanner's lid."""
        return self.kind in {"scan", "crop"}


def random_knobs(
    rng: np.random.Generator, size: tuple[int, int], kind: Kind = "photo", severity: float = 0.5, *, occluders: bool = True
) -> PhotoKnobs:
    """Draws a picture as people make them.

    Args:
        rng: Decides.
        size: Of the picture, pixels.
        kind: Which kind.
        severity: 0 (a careful person) to 1 (a bad day); the worst values of each knob are rare at any severity.
        occluders: Whether things may lie on the sheet.
    """
    rare = [float(value) for value in rng.random(16)]

    def often(place: int, chance: float, most: float) -> float:
        """Zero, or with `chance` up to `most`, small values more often."""
        return most * severity * (rare[place] / chance) ** 1.5 if rare[place] < chance else 0.0

    half = 0.5 if kind in {"scan", "crop"} else 1.0
    plain = PhotoKnobs(
        size=size,
        kind=kind,
        shift=None,
        uneven=half * often(0, 0.8, 1.0),
        exposure=half * float(np.clip(rng.normal(0.0, 0.45 * severity), -0.8, 0.6)),
        noise=half * often(1, 0.7, 24.0),
        blur=half * often(2, 0.6, 4.0),
        jpeg=int(rng.integers(40, 96)) if rare[3] < 0.6 else 0,
        cast=half * often(4, 0.8, 1.0),
    )
    if plain.flat:
        angle = float(rng.normal(0.0, 1.5) if rare[5] < 0.7 else rng.uniform(-6, 6))
        return replace(plain, share=float(rng.uniform(0.85, 1.02)), rotation=angle)
    return replace(
        plain,
        share=float(rng.uniform(0.45, 1.05)) if rare[7] < 0.8 else float(rng.uniform(0.3, 1.5)),
        tilt=float(rng.uniform(0.0, 35.0) * rng.uniform(0.4, 1.0)),
        rotation=float(rng.normal(0.0, 8.0)) if rare[6] < 0.55 else None,
        bend=often(8, 0.7, 1.0),
        motion=often(9, 0.3, 10.0),
        glare=often(10, 0.3, 1.0) ** 0.6,
        shadow=often(11, 0.45, 1.0) ** 0.6,
        occluders=int(rng.integers(1, 4)) if occluders and rare[12] < 0.3 else 0,
    )
