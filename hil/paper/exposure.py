"""A sheet on its way from the voter's hand to the scanner's image: pixels, and where every printed point went."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np

from hil.paper.composition import OVAL_HEIGHT, OVAL_WIDTH

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hil.paper.lettering import Grey
    from hil.paper.sheet import PrintedBubble
    from hil.paper.stroke import Points

BACKGROUND = 12
"""Grey level of the scanner's bed where there is no paper."""


class Consequence(StrEnum):
    """What a damage did to a place on the page: hid what was there, or put darkness where no pen was."""

    OBSCURED = "obscured"
    INKED = "inked"


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """A place that a damage touched, so that a reading there must be refused, held or right, but never made up.

    Attributes:
        damage: Name of the damage.
        consequence: Hidden or darkened.
        outline: Convex polygon, shape (n, 2), pixels of the image it belongs to.
    """

    damage: str
    consequence: Consequence
    outline: Points


class Move(Protocol):
    """A map from points of one image to points of the next."""

    def __call__(self, points: Points) -> Points:
        """Moves points of shape (n, 2)."""


@dataclass(frozen=True, slots=True)
class Affine:
    """Linear part and shift, in coordinates where pixel i covers i to i + 1."""

    xx: float
    xy: float
    yx: float
    yy: float
    x: float
    y: float

    def __call__(self, points: Points) -> Points:
        """Moves points of shape (n, 2)."""
        x, y = points[:, 0], points[:, 1]
        return np.column_stack((self.xx * x + self.xy * y + self.x, self.yx * x + self.yy * y + self.y))

    def for_warp(self) -> Points:
        """The 2 x 3 matrix for `cv2.warpAffine`, which numbers pixel centres from 0."""
        shift_x = self.x + 0.5 * (self.xx + self.xy) - 0.5
        shift_y = self.y + 0.5 * (self.yx + self.yy) - 0.5
        return np.array(((self.xx, self.xy, shift_x), (self.yx, self.yy, shift_y)))


@dataclass(frozen=True, slots=True)
class AlongAxis:
    """A piecewise linear map of one coordinate: knots `sources` to `targets`; axis 0 is x, 1 is y."""

    axis: int
    sources: tuple[float, ...]
    targets: tuple[float, ...]

    def __call__(self, points: Points) -> Points:
        """Moves points of shape (n, 2)."""
        moved = points.copy()
        moved[:, self.axis] = np.interp(points[:, self.axis], self.sources, self.targets)
        return moved


@dataclass(frozen=True, slots=True, eq=False)
class ExposedSide:
    """One side.

    Attributes:
        name: front or back.
        pixels: Grey uint8, shape (height, width).
        printed: The same page before anybody marked it, while nothing has moved it; else None.
        targets: Centres of the side's bubbles in printed pixels, shape (n, 2).
        mark_columns: x of the left and right timing marks' centres in printed pixels.
        moves: What happened to printed points, in order.
        effects: Places touched so far, in pixels of `pixels`.
    """

    name: str
    pixels: Grey
    printed: Grey | None
    targets: Points
    mark_columns: tuple[float, float]
    moves: tuple[Move, ...] = ()
    effects: tuple[Effect, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]

    def place(self, points: Points) -> Points:
        """Where printed points (n, 2) lie now."""
        for move in self.moves:
            points = move(points)
        return points

    def moved(self, pixels: Grey, move: Move) -> ExposedSide:
        """The side after a geometric change."""
        effects = tuple(replace(effect, outline=move(effect.outline)) for effect in self.effects)
        return replace(self, pixels=pixels, printed=None, moves=(*self.moves, move), effects=effects)

    def warped(self, move: Affine, size: tuple[int, int], background: int) -> ExposedSide:
        """The side after an affine change, on a canvas of `size` (width, height)."""
        pixels = cv2.warpAffine(
            self.pixels,
            move.for_warp(),
            size,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(float(background),),
        )
        return self.moved(np.asarray(pixels, dtype=np.uint8), move)

    def painted(self, pixels: Grey, effects: Sequence[Effect] = ()) -> ExposedSide:
        """The side after a change of grey levels."""
        return replace(self, pixels=pixels, effects=(*self.effects, *effects))


@dataclass(frozen=True, slots=True, eq=False)
class Exposure:
    """Both sides of one sheet.

    Attributes:
        front: The front, seen from the front.
        back: The back, seen from the back: what is left on one is right on the other.
        dpi: Pixels per inch.
        background: Grey level beyond the paper.
    """

    front: ExposedSide
    back: ExposedSide
    dpi: int
    background: int = BACKGROUND

    def side(self, name: str) -> ExposedSide:
        """The side called `front` or `back`."""
        return self.front if name == "front" else self.back

    def each(self, change: Callable[[ExposedSide], ExposedSide]) -> Exposure:
        """Changes both sides alike."""
        return replace(self, front=change(self.front), back=change(self.back))

    def one(self, rng: np.random.Generator, change: Callable[[ExposedSide], ExposedSide]) -> Exposure:
        """Changes the front or the back, as it happens."""
        if rng.random() < 0.5:
            return replace(self, front=change(self.front))
        return replace(self, back=change(self.back))

    def bubble_outline(self, bubble: PrintedBubble) -> Points:
        """The corners of the box around a bubble's oval, (4, 2), in pixels of its side's image."""
        half_x, half_y = float(OVAL_WIDTH) / 2 * self.dpi, float(OVAL_HEIGHT) / 2 * self.dpi
        corners = np.array(((-half_x, -half_y), (half_x, -half_y), (half_x, half_y), (-half_x, half_y)))
        return self.side(bubble.side).place(corners + (bubble.x, bubble.y))

    def effects_at(self, bubble: PrintedBubble) -> tuple[Effect, ...]:
        """The effects that touch a bubble's box; leaving the image or vanishing in a fold obscures it, too."""
        side = self.side(bubble.side)
        outline = self.bubble_outline(bubble)
        found = [effect for effect in side.effects if _overlap(effect.outline, outline)]
        width, height = side.size
        full = float(OVAL_WIDTH * OVAL_HEIGHT) * self.dpi**2
        if cv2.contourArea(outline.astype(np.float32)) < full / 2:
            found.append(Effect("swallowed", Consequence.OBSCURED, outline))
        if (outline < 0).any() or (outline > (width, height)).any():
            found.append(Effect("outside", Consequence.OBSCURED, outline))
        return tuple(found)


def _overlap(first: Points, second: Points) -> bool:
    area, _ = cv2.intersectConvexConvex(first.astype(np.float32), second.astype(np.float32))
    return area > 0
