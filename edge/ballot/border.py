"""Lines of timing marks: which candidates stand in one straight row, and which place in the row each of them has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from edge.fixed.number import Int64Array, round_div

_MOST_CANDIDATES = 100
_SLOPE_PARTS = 11
"""A border may lean by one part in 11: 5 degrees."""
_MOST_SKIPPED = 12
"""Marks that may be missing between two neighbours of a row."""


@dataclass(frozen=True, slots=True)
class Line:
    """A straight border: `across` = (offset * run + rise * (along - start)) / run, in half pixels.

    `along` runs down a side border and across an end border; `across` is the other axis.
    """

    offset: int
    start: int
    rise: int
    run: int

    def across(self, along: int) -> int:
        """Position on the other axis at `along`, rounded half away from zero."""
        return self.offset + round_div(self.rise * (along - self.start), self.run)


def find_line(along: Int64Array, across: Int64Array, shortest: int, tolerance: int) -> tuple[Line, Int64Array] | None:
    """The straight line through most of n points, and the indices of the points on it.

    Points are in half pixels. Each pair of points at least `shortest` apart is tried; a point is on the line when it is within
    `tolerance` of it. Of lines with equally many points the one with the least total distance wins, then the first pair.
    """
    count = min(len(along), _MOST_CANDIDATES)
    first, second = _pairs(count)
    along, across = along[:count], across[:count]
    run, rise = along[second] - along[first], across[second] - across[first]
    rise, run = np.where(run < 0, -rise, rise), np.abs(run)
    usable = (run >= shortest) & (np.abs(rise) * _SLOPE_PARTS <= run)
    first, rise, run = first[usable], rise[usable], run[usable]
    if not len(first):
        return None
    # Distances stay multiplied by each line's run until the few lines with most points are compared.
    cross = np.abs((across - across[first, None]) * run[:, None] - rise[:, None] * (along - along[first, None]))
    near = cross <= tolerance * run[:, None]
    points = near.sum(axis=1)
    most = np.flatnonzero(points == points.max())
    total = np.where(near[most], cross[most] // run[most, None], 0).sum(axis=1)
    best = int(most[np.argmin(total)])
    line = Line(int(across[first[best]]), int(along[first[best]]), int(rise[best]), int(run[best]))
    return line, np.flatnonzero(near[best])


@cache
def _pairs(count: int) -> tuple[Int64Array, Int64Array]:
    first, second = np.triu_indices(count, 1)
    return first.astype(np.int64), second.astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """Marks in order along a border: the candidate at each, its place counted from the first, the median pitch (half pixels)."""

    candidate: Int64Array
    place: Int64Array
    pitch: int


def number_marks(along: Int64Array, members: Int64Array, least: int, most: int) -> Sequence | None:
    """Give each member of a line its place in an evenly spaced row.

    `least` and `most` bound the pitch, in half pixels. Marks may be missing in between; members that stand off the beat are left
    out, keeping the longest chain whose gaps are whole numbers of pitches to within 30 %.
    """
    order = members[np.argsort(along[members], kind="stable")]
    where = along[order]
    gaps = np.diff(where)
    fitting = gaps[(gaps >= least) & (gaps <= most)]
    if not len(fitting):
        return None
    pitch = int(np.sort(fitting)[len(fitting) // 2])
    steps = round_div(gaps, pitch)
    if (steps >= 1).all() and (np.abs(gaps - steps * pitch) * 10 <= 3 * pitch).all() and steps.max(initial=1) <= _MOST_SKIPPED:
        return Sequence(order, np.concatenate((np.zeros(1, np.int64), np.cumsum(steps))), pitch)
    chain, place = _longest_chain(where, pitch)
    return Sequence(order[chain], place, pitch)


def _longest_chain(where: Int64Array, pitch: int) -> tuple[list[int], Int64Array]:
    """The longest chain of points whose gaps are whole pitches, and the place of each: what is off the beat is left out."""
    count = len(where)
    length = np.ones(count, np.int64)
    came_from = np.full(count, -1, np.int64)
    steps = np.zeros(count, np.int64)
    for i in range(1, count):
        gap = where[i] - where[:i]
        step = round_div(gap, pitch)
        on_beat = (step >= 1) & (step <= _MOST_SKIPPED) & (np.abs(gap - step * pitch) * 10 <= 3 * pitch)
        if on_beat.any():
            # The longest chain; of equals the nearest predecessor.
            best = i - 1 - int(np.argmax(np.where(on_beat, length[:i], 0)[::-1]))
            length[i], came_from[i], steps[i] = length[best] + 1, best, step[best]
    at = count - 1 - int(np.argmax(length[::-1]))
    chain = [at]
    while came_from[chain[-1]] >= 0:
        chain.append(int(came_from[chain[-1]]))
    chain.reverse()
    return chain, np.cumsum([0, *(int(steps[i]) for i in chain[1:])]).astype(np.int64)
