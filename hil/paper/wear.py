"""What happens to paper in people's hands: folds, tears, holes, coffee, and the imprinter's digits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from math import cos, pi, sin
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from hil.paper.exposure import AlongAxis, Consequence, Effect, ExposedSide, Exposure
from hil.paper.lettering import letters

if TYPE_CHECKING:
    from hil.paper.lettering import Grey
    from hil.paper.stroke import Points

MAX_FOLD_DEPTH = 210
MAX_FOLD_SHIFT = 0.12
MAX_TEAR = 3.0
MAX_HOLE_RADIUS = 0.5
MAX_STAIN_DEPTH = 170
_NOTICEABLE = 40
"""Grey levels from which a shade counts as ink rather than as a tint of the paper."""


def _mirror(points: Points, width: int) -> Points:
    """The same place on the sheet seen from the other side."""
    return np.column_stack((width - points[:, 0], points[:, 1]))


def _shaded(pixels: Grey, depth: npt.NDArray[np.float64]) -> Grey:
    """Darkens (or, where negative, lightens) by `depth` grey levels."""
    return np.clip(pixels - np.round(depth).astype(np.int16), 0, 255).astype(np.uint8)


def fold(exposure: Exposure, strength: int, rng: np.random.Generator) -> Exposure:
    """A fold across the sheet, horizontal, vertical or diagonal.

    A line 0.015 to 0.04 inch wide, up to 210 grey levels darker on one side of the sheet and a third as much lighter behind;
    behind a straight fold the page is also pushed together by up to 0.12 inch.
    """
    depth = MAX_FOLD_DEPTH * strength / 100
    crease = _Fold(
        way=("horizontal", "vertical", "diagonal")[int(rng.integers(3))],
        at=rng.uniform(0.15, 0.85),
        angle=rng.uniform(0.3, 1.2),
        half=rng.uniform(0.0075, 0.02) * exposure.dpi,
        shift=round(MAX_FOLD_SHIFT * exposure.dpi * strength / 100),
    )
    dark, light = depth, -depth / 3
    if rng.random() < 0.5:
        dark, light = light, dark
    return replace(
        exposure,
        front=_folded(exposure.front, crease, dark, exposure.background),
        back=_folded(exposure.back, crease, light, exposure.background),
    )


@dataclass(frozen=True, slots=True)
class _Fold:
    way: str
    at: float
    angle: float
    half: float
    shift: int


def _folded(side: ExposedSide, crease: _Fold, depth: float, background: int) -> ExposedSide:
    width, height = side.size
    sense = 1.0 if side.name == "front" else -1.0
    along_x = crease.at if side.name == "front" else 1 - crease.at
    if crease.way == "diagonal":
        normal = np.array((sin(crease.angle) * sense, cos(crease.angle)))
        through = np.array((along_x * width, 0.5 * height))
    elif crease.way == "horizontal":
        normal, through = np.array((0.0, 1.0)), np.array((0.0, crease.at * height))
    else:
        normal, through = np.array((1.0, 0.0)), np.array((along_x * width, 0.0))
    across_x = (np.arange(width)[None, :] + 0.5 - through[0]) * normal[0]
    across_y = (np.arange(height)[:, None] + 0.5 - through[1]) * normal[1]
    # A straight fold has the same profile in every row or column; only a slanting one needs the whole plane.
    away = across_x + across_y if crease.way == "diagonal" else across_y if crease.way == "horizontal" else across_x
    profile = np.clip(1.5 - np.abs(away) / crease.half, 0.0, 1.0)
    folded = side.painted(_shaded(side.pixels, profile * depth))
    if depth > _NOTICEABLE:
        across = np.array((-normal[1], normal[0])) * (width + height)
        thick = normal * crease.half * 1.5
        band = np.array((through - across - thick, through + across - thick, through + across + thick, through - across + thick))
        folded = replace(folded, effects=(*folded.effects, Effect("fold", Consequence.INKED, band)))
    if crease.way == "diagonal" or not crease.shift:
        return folded
    return _pushed(folded, 0 if crease.way == "vertical" else 1, round(float(through.sum())), crease.shift, background)


def _pushed(side: ExposedSide, axis: int, line: int, shift: int, background: int) -> ExposedSide:
    """Moves everything beyond `line` back by `shift` pixels; what lay between is swallowed by the fold."""
    length = side.size[axis]
    pixels = side.pixels if axis == 1 else side.pixels.T
    bed = np.full((shift, pixels.shape[1]), background, dtype=np.uint8)
    pushed = np.concatenate((pixels[:line], pixels[line + shift :], bed))
    move = AlongAxis(axis, (0.0, line, line + shift, length), (0.0, line, line, length - shift))
    moved = side.moved(np.ascontiguousarray(pushed if axis == 1 else pushed.T), move)
    corners = np.array(((0.0, line - 1.0), (1.0, line - 1.0), (1.0, line + 1.0), (0.0, line + 1.0)))
    outline = (corners if axis == 1 else corners[:, ::-1]) * ((side.size[0], 1.0) if axis == 1 else (1.0, side.size[1]))
    return replace(moved, effects=(*moved.effects, Effect("fold", Consequence.OBSCURED, outline)))


def _removed(side: ExposedSide, name: str, polygon: Points, background: int) -> ExposedSide:
    """Cuts a polygon out of the paper, so that the scanner's bed shows."""
    pixels = side.pixels.copy()
    cv2.fillPoly(pixels, [np.round(polygon * 16 - 8).astype(np.int32)], (background,), cv2.LINE_AA, 4)
    hull = cv2.convexHull(polygon.astype(np.float32)).reshape(-1, 2).astype(np.float64)
    return side.painted(pixels, (Effect(name, Consequence.OBSCURED, hull),))


def _removed_from_both(exposure: Exposure, name: str, polygon: Points) -> Exposure:
    width = exposure.front.size[0]
    return replace(
        exposure,
        front=_removed(exposure.front, name, polygon, exposure.background),
        back=_removed(exposure.back, name, _mirror(polygon, width), exposure.background),
    )


def torn_corner(exposure: Exposure, strength: int, rng: np.random.Generator) -> Exposure:
    """A corner torn off, its legs up to 3 inches long, with a ragged edge."""
    width, height = exposure.front.size
    legs = rng.uniform(0.5, 1.0, 2) * MAX_TEAR * exposure.dpi * strength / 100
    share = np.linspace(0.0, 1.0, 20)[:, None]
    ragged = np.array((legs[0], 0.0)) * (1 - share) + np.array((0.0, legs[1])) * share
    ragged += rng.normal(0.0, 0.01 * exposure.dpi, ragged.shape) * (share > 0) * (share < 1)
    polygon = np.concatenate((ragged, np.array(((-2.0, -2.0),))))
    corner = int(rng.integers(4))
    if corner % 2:
        polygon[:, 0] = width - polygon[:, 0]
    if corner >= 2:
        polygon[:, 1] = height - polygon[:, 1]
    return _removed_from_both(exposure, "torn_corner", polygon)


def hole(exposure: Exposure, strength: int, rng: np.random.Generator) -> Exposure:
    """One to four holes anywhere, round as from a punch or ragged as from a tear, up to half an inch in radius."""
    width, height = exposure.front.size
    for _ in range(1 + 3 * strength // 100):
        radius = rng.uniform(0.4, 1.0) * MAX_HOLE_RADIUS * exposure.dpi * strength / 100
        angles = np.linspace(0.0, 2 * pi, 24, endpoint=False)
        radii = radius * (np.ones(24) if rng.random() < 0.5 else rng.uniform(0.6, 1.2, 24))
        centre = rng.uniform(0.0, 1.0, 2) * (width, height)
        rim = np.column_stack((np.cos(angles), np.sin(angles))) * radii[:, None]
        exposure = _removed_from_both(exposure, "hole", centre + rim)
    return exposure


def coffee_stain(exposure: Exposure, strength: int, rng: np.random.Generator) -> Exposure:
    """The ring of a cup, 1.2 to 2 inches in radius, up to 170 grey levels dark on one side and half as dark on the other."""
    width, height = exposure.front.size
    radius = rng.uniform(1.2, 2.0) * exposure.dpi
    centre = rng.uniform(0.1, 0.9, 2) * (width, height)
    thick = rng.uniform(0.03, 0.08) * exposure.dpi
    depth = MAX_STAIN_DEPTH * strength / 100
    front = _stained(exposure.front, centre, radius, thick, depth)
    back = _stained(exposure.back, _mirror(centre[None, :], width)[0], radius, thick, depth / 2)
    return replace(exposure, front=front, back=back)


def _stained(side: ExposedSide, centre: npt.NDArray[np.float64], radius: float, thick: float, depth: float) -> ExposedSide:
    width, height = side.size
    reach = radius + 3 * thick
    left, top = (max(0, int(edge)) for edge in centre - reach)
    right, bottom = min(width, int(centre[0] + reach)), min(height, int(centre[1] + reach))
    x = np.arange(left, right)[None, :] + 0.5 - centre[0]
    y = np.arange(top, bottom)[:, None] + 0.5 - centre[1]
    distance = np.sqrt(x * x + y * y)
    ring = np.exp(-(((distance - radius) / thick) ** 2))
    # Inside the ring the paper is a little darker too; the ring itself comes and goes around.
    ring = ring * (0.75 + 0.25 * np.sin(3 * np.arctan2(y, x))) + 0.12 * (distance < radius)
    effects = []
    if depth > _NOTICEABLE:
        for start, stop in pairwise(np.linspace(0.0, 2 * pi, 33).tolist()):
            rim = np.array([(r * cos(a), r * sin(a)) for r, a in _rim(radius, 1.5 * thick, start, stop)])
            effects.append(Effect("coffee_stain", Consequence.INKED, centre + rim))
    pixels = side.pixels.copy()
    pixels[top:bottom, left:right] = _shaded(pixels[top:bottom, left:right], ring * depth)
    return side.painted(pixels, effects)


def _rim(radius: float, half: float, start: float, stop: float) -> list[tuple[float, float]]:
    return [(radius - half, start), (radius + half, start), (radius + half, stop), (radius - half, stop)]


def imprint(exposure: Exposure, strength: int, rng: np.random.Generator) -> Exposure:
    """An imprinter's number, printed along the left or right edge of one side over the timing marks.

    Up to 24 digits 0.12 inch high, from pale grey to black, starting beside the marks and reaching over them at full strength.
    """
    count = 6 + 18 * strength // 100
    text = "".join(str(digit) for digit in rng.integers(0, 10, count))
    size = round(0.12 * exposure.dpi)
    right = bool(rng.random() < 0.5)

    def stamp(side: ExposedSide) -> ExposedSide:
        ink = np.ascontiguousarray(np.rot90(letters(text, size)))
        middle = side.place(np.array(((side.mark_columns[1 if right else 0], side.size[1] / 2),)))[0, 0]
        outwards = (1 - strength / 100) * 0.1 * exposure.dpi * (1 if right else -1)
        left = int(np.clip(middle + outwards - ink.shape[1] / 2, 0, side.size[0] - ink.shape[1]))
        ink = ink[: side.size[1]]
        top = int(rng.integers(max(1, side.size[1] - len(ink))))
        pixels = side.pixels.copy()
        view = pixels[top : top + len(ink), left : left + ink.shape[1]]
        tone = round(200 - 1.6 * strength)
        paper = view.astype(np.int64)
        view[:] = (paper - np.maximum(paper - tone, 0) * ink // 255).astype(np.uint8)
        right_edge, bottom = left + ink.shape[1], top + len(ink)
        outline = np.array(((left, top), (right_edge, top), (right_edge, bottom), (left, bottom)), dtype=np.float64)
        return side.painted(pixels, (Effect("imprint", Consequence.INKED, outline),))

    return exposure.one(rng, stamp)
