"""Maps of a plane seen at an angle, and fitting one to points that were found; whole numbers throughout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge.fixed.number import Int64Array, round_div

BITS = 36
ONE = 1 << BITS
"""The divisor in the middle. Positions below 2**20 and lengths below 2**17 stay within 64 bits."""
_UNKNOWNS = 8


@dataclass(frozen=True, slots=True)
class Projective:
    """From one plane to another; u and v are counted from `middle`.

    x = (xx u + xy v + x0) / (px u + py v + 2**36), y = (yx u + yy v + y0) / (px u + py v + 2**36), rounded half up.
    """

    middle: tuple[int, int]
    xx: int
    xy: int
    x0: int
    yx: int
    yy: int
    y0: int
    px: int
    py: int

    def depth(self, x: Int64Array, y: Int64Array) -> Int64Array:
        """The divisor at points: 2**36 in the middle, smaller nearer to the eye, not above 0 behind it."""
        return np.asarray(self.px * (x - self.middle[0]) + self.py * (y - self.middle[1]) + ONE, np.int64)

    def of(self, x: Int64Array, y: Int64Array) -> tuple[Int64Array, Int64Array]:
        """Where points come to lie. They must lie in front of the eye."""
        u, v, depth = x - self.middle[0], y - self.middle[1], self.depth(x, y)
        across = (2 * (self.xx * u + self.xy * v + self.x0) + depth) // (2 * depth)
        down = (2 * (self.yx * u + self.yy * v + self.y0) + depth) // (2 * depth)
        return across, down

    def inverse(self, numerator: int, denominator: int) -> Projective | None:
        """The way back, its lengths times `numerator / denominator`; None if it has none or the plane is seen from behind."""
        at_x, at_y = round_div(self.x0, ONE), round_div(self.y0, ONE)
        a, b, c = self.xx - at_x * self.px, self.xy - at_x * self.py, self.x0 - at_x * ONE
        d, e, f = self.yx - at_y * self.px, self.yy - at_y * self.py, self.y0 - at_y * ONE
        g, h = self.px, self.py
        determinant = a * e - b * d
        if determinant <= 0:
            return None
        rows = ((e * ONE - f * h, c * h - b * ONE, b * f - c * e), (f * g - d * ONE, a * ONE - c * g, c * d - a * f))
        (xx, xy, x0), (yx, yy, y0) = (
            tuple(round_div(part * numerator * ONE, determinant * denominator) for part in row) for row in rows
        )
        px, py = (round_div(part * ONE, determinant) for part in (d * h - e * g, b * g - a * h))
        # Back to where the other plane counts from: x + m = (.. + m * depth) / depth.
        scaled_x, scaled_y = (part * numerator // denominator for part in self.middle)
        return Projective(
            (at_x, at_y),
            xx + scaled_x * px,
            xy + scaled_x * py,
            x0 + scaled_x * ONE,
            yx + scaled_y * px,
            yy + scaled_y * py,
            y0 + scaled_y * ONE,
            px,
            py,
        )


def fit_projective(
    x: Int64Array, y: Int64Array, image_x: Int64Array, image_y: Int64Array, middle: tuple[int, int]
) -> Projective | None:
    """The map with the least squared error, each point's times its depth; None when the points leave it open.

    Args:
        x: Points of the one plane, below 2**17.
        y: The same.
        image_x: Where they lie on the other, below 2**21.
        image_y: The same.
        middle: Point of the first plane from which the map counts.
    """
    rows = []
    for u, v, across, down in zip(
        (x - middle[0]).tolist(), (y - middle[1]).tolist(), image_x.tolist(), image_y.tolist(), strict=True
    ):
        rows.append((u, v, 1, 0, 0, 0, -u * across, -v * across, across))
        rows.append((0, 0, 0, u, v, 1, -u * down, -v * down, down))
    normal = [[sum(row[i] * row[j] for row in rows) for j in range(_UNKNOWNS + 1)] for i in range(_UNKNOWNS)]
    solved = _solve(normal)
    if solved is None:
        return None
    numerators, denominator = solved
    xx, xy, x0, yx, yy, y0, px, py = (round_div(part * ONE, denominator) for part in numerators)
    found = Projective(middle, xx, xy, x0, yx, yy, y0, px, py)
    return found if max(abs(part) for part in (xx, xy, yx, yy)) < 1 << 45 and max(abs(x0), abs(y0)) < 1 << 58 else None


def _solve(rows: list[list[int]]) -> tuple[list[int], int] | None:
    """Solve linear equations exactly (Bareiss): numerators and their common, positive denominator; None if not one."""
    size, before = len(rows), 1
    for step in range(size):
        pivot = next((number for number in range(step, size) if rows[number][step]), None)
        if pivot is None:
            return None
        rows[step], rows[pivot] = rows[pivot], rows[step]
        top = rows[step]
        for number in range(size):
            if number != step:
                row = rows[number]
                factor = row[step]
                rows[number] = [(top[step] * entry - factor * above) // before for entry, above in zip(row, top, strict=True)]
        before = top[step]
    sign = 1 if before > 0 else -1
    return [sign * row[size] for row in rows], sign * before
