"""Bent paper: where the points of a flat sheet go in space when it waves, has a fold, or curls at its corners."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import cos, hypot, radians, sin

import numpy as np
from numpy.typing import NDArray

from hil.paper.photos.paper import Points

_KNOTS = 257
_REACH = 1.5
"""How far the wave is followed, in half diagonals; beyond it the paper goes on straight."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Everything beyond a line is turned up (or down): a fold when the radius is small, a curled corner when it is large.

    Attributes:
        normal: Unit vector across the line, towards the turned side.
        offset: The line's distance from the sheet's middle.
        radius: Of the curve.
        angle: Turned by, radians; negative for down.
    """

    normal: tuple[float, float]
    offset: float
    radius: float
    angle: float


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """The shape of a paper; lengths in the unit of the flat points.

    Attributes:
        turns: Folds and curls.
        direction: Unit vector along which the paper waves.
        along: Where on the flat paper the wave is known.
        forward: How far it reaches in space there.
        height: How high it is there.
        slope: Its angle there, radians.
    """

    turns: tuple[Turn, ...] = ()
    direction: tuple[float, float] = (1.0, 0.0)
    along: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    forward: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    height: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    slope: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    @property
    def flat(self) -> bool:
        """Whether nothing is bent."""
        return not self.turns and not len(self.along)

    def lift(self, points: Points) -> Points:
        """Flat points (n, 2), from the sheet's middle, to points in space (n, 3); z is towards the viewer."""
        x, y = np.ascontiguousarray(points[:, 0]), np.ascontiguousarray(points[:, 1])
        z = np.zeros(len(points))
        for turn in self.turns:
            beyond = np.maximum(x * turn.normal[0] + y * turn.normal[1] - turn.offset, 0.0)
            angle = np.minimum(beyond / turn.radius, abs(turn.angle))
            rest = beyond - turn.radius * angle
            reach = turn.radius * np.sin(angle) + rest * cos(turn.angle) - beyond
            x, y = x + reach * turn.normal[0], y + reach * turn.normal[1]
            rise = turn.radius * (1 - np.cos(angle)) + rest * sin(abs(turn.angle))
            z = z + rise if turn.angle > 0 else z - rise
        if len(self.along):
            where = x * self.direction[0] + y * self.direction[1]
            inside = np.clip(where, self.along[0], self.along[-1])
            slope = np.interp(inside, self.along, self.slope)
            rising, level = np.sin(slope), np.cos(slope)
            further = where - inside
            ahead = np.interp(inside, self.along, self.forward) + further * level - z * rising - where
            z = np.interp(inside, self.along, self.height) + further * rising + z * level
            x, y = x + ahead * self.direction[0], y + ahead * self.direction[1]
        return np.column_stack((x, y, z))

    def normals(self, points: Points, step: float) -> Points:
        """Unit vectors (n, 3) across the paper at flat points, by differences of `step`."""
        here = self.lift(points)
        ax, ay, az = (self.lift(points + (step, 0.0)) - here).T
        dx, dy, dz = (self.lift(points + (0.0, step)) - here).T
        normals = np.stack((ay * dz - az * dy, az * dx - ax * dz, ax * dy - ay * dx), axis=-1)
        return np.asarray(normals / np.sqrt((normals * normals).sum(axis=1, keepdims=True)))


def make_surface(extent: tuple[float, float], bend: float, rng: np.random.Generator) -> Surface:
    """Bends a paper.

    Args:
        extent: Its width and height.
        bend: 0 (flat) to 1: waves with slopes of 25 degrees, often a fold of up to 25 degrees or corners curled up by up to 45.
        rng: Decides which way.
    """
    if bend <= 0:
        return Surface()
    half = hypot(*extent) / 2
    turns = []
    if rng.random() < 0.4:
        upright = bool(rng.random() < 0.5)
        tip = rng.normal(0.0, 0.04) + (0.0 if upright else np.pi / 2)
        offset = rng.uniform(-0.25, 0.25) * extent[0 if upright else 1]
        angle = radians(rng.uniform(8, 25)) * bend * (1 if rng.random() < 0.5 else -1)
        turns.append(Turn((cos(tip), sin(tip)), offset, 0.03 * half / abs(angle), angle))
    for _ in range(int(rng.integers(1, 3)) if rng.random() < 0.4 else 0):
        corner = np.array(extent) / 2 * rng.choice((-1, 1), 2)
        normal = corner / np.hypot(*corner) + rng.normal(0.0, 0.15, 2)
        normal /= np.hypot(*normal)
        offset = float(corner @ normal) - rng.uniform(0.12, 0.4) * half
        turns.append(Turn((float(normal[0]), float(normal[1])), offset, rng.uniform(0.2, 0.5) * half, radians(45) * bend))
    tip = rng.uniform(0, np.pi) if rng.random() < 0.5 else rng.choice((0.0, np.pi / 2)) + rng.normal(0.0, 0.1)
    along = np.linspace(-_REACH * half, _REACH * half, _KNOTS)
    waves = rng.uniform(0.3, 1.1) if rng.random() < 0.7 else rng.uniform(1.1, 2.2)
    slope = radians(25) * bend * rng.uniform(0.4, 1.0) * np.sin(np.pi * waves * along / half + rng.uniform(0, 2 * np.pi))
    step = along[1] - along[0]
    middle = _KNOTS // 2

    def summed(values: NDArray[np.float64]) -> NDArray[np.float64]:
        total = np.concatenate(((0.0,), np.cumsum((values[1:] + values[:-1]) / 2 * step)))
        return np.asarray(total - total[middle])

    return Surface(tuple(turns), (cos(tip), sin(tip)), along, summed(np.cos(slope)), summed(np.sin(slope)), slope)
