"""How people mark bubbles: well, badly, by accident, and what each of these means."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import pi
from typing import TYPE_CHECKING

import numpy as np

from hil.paper.composition import OVAL_HEIGHT, OVAL_WIDTH
from hil.paper.handwriting import scrawl_name
from hil.paper.stroke import Box, InkPatch, Pen, Points, curve, draw, lay, soften

if TYPE_CHECKING:
    from hil.paper.lettering import Grey
    from hil.paper.sheet import PrintedBubble

_HALF_WIDTH = float(OVAL_WIDTH) / 2
_HALF_HEIGHT = float(OVAL_HEIGHT) / 2


class MarkKind(StrEnum):
    """What the hand did at a bubble."""

    FILL = "fill"
    SCRIBBLE = "scribble"
    CROSS = "cross"
    TICK = "tick"
    LINE = "line"
    CIRCLE_INSIDE = "circle-inside"
    GRAZE = "graze"
    DOT = "dot"
    NEAR_MISS = "near-miss"
    HESITATION = "hesitation"
    ERASED = "erased"


class Intent(StrEnum):
    """What a person looking at the paper would say.

    MARKED is a vote: a reader must say marked, or marginal unless the mark is also strong. WEAK is probably a vote: marked,
    marginal or held are right, silence is wrong. NOT_A_MARK must not be counted; marginal is allowed.
    """

    MARKED = "marked"
    WEAK = "weak"
    NOT_A_MARK = "not-a-mark"


_PRESSED_WIDTH = {MarkKind.LINE: 1 / 25.4, MarkKind.DOT: 0.024, MarkKind.HESITATION: 0.016}
"""Inches: a line of one millimetre is the finest mark that VVSG 2.0 requires to be read; a resting pen does not press."""

STRONG_KINDS = frozenset({MarkKind.FILL, MarkKind.SCRIBBLE, MarkKind.CROSS, MarkKind.LINE})
STRAY_KINDS = frozenset({MarkKind.DOT, MarkKind.NEAR_MISS, MarkKind.HESITATION, MarkKind.ERASED})


@dataclass(frozen=True, slots=True)
class DrawnMark:
    """A mark on paper.

    Attributes:
        kind: What was drawn.
        pen: With what.
        intent: What it means.
        strong: True when a reader may not even call it marginal.
        box: Pixels that received ink, on the printed side.
        inside: Mean coverage 0..1 of the bubble's own box (oval width x height) by this mark.
    """

    kind: MarkKind
    pen: Pen
    intent: Intent
    strong: bool
    box: Box
    inside: float


def intent_of(kind: MarkKind, pen: Pen) -> Intent:
    """What a person would say of such a mark."""
    if kind in STRAY_KINDS:
        return Intent.NOT_A_MARK
    return Intent.WEAK if pen.pale or kind is MarkKind.GRAZE else Intent.MARKED


def mark_bubble(page: Grey, bubble: PrintedBubble, kind: MarkKind, pen: Pen, rng: np.random.Generator, *, dpi: int) -> DrawnMark:
    """Draws one mark on `page`, in place.

    Args:
        page: The bubble's side, grey uint8, writeable.
        bubble: Where it is printed, pixels.
        kind: What to draw.
        pen: With what; some kinds have a width of their own.
        rng: Jitter of place, size and stroke.
        dpi: Pixels per inch of `page`.

    Returns:
        What was drawn.
    """
    strokes = [stroke * dpi + (bubble.x, bubble.y) for stroke in _STROKES[kind](pen, rng)]
    pressure = _PRESSED_WIDTH.get(kind, pen.width) / pen.width
    patch = draw(strokes, pen, dpi, rng, pressure=pressure)
    if kind is MarkKind.ERASED:
        patch = soften(patch, rng.uniform(0.008, 0.015) * dpi, rng.uniform(0.25, 0.4))
    tone = 140 if kind is MarkKind.ERASED else pen.tone
    lay(page, patch, tone)
    half_x, half_y = _HALF_WIDTH * dpi, _HALF_HEIGHT * dpi
    oval = Box(round(bubble.x - half_x), round(bubble.y - half_y), round(bubble.x + half_x), round(bubble.y + half_y))
    intent = intent_of(kind, pen)
    strong = intent is Intent.MARKED and kind in STRONG_KINDS
    return DrawnMark(kind, pen, intent, strong, patch.box, patch.mean_inside(oval))


def write_in(page: Grey, area: Box, pen: Pen, rng: np.random.Generator, *, dpi: int) -> InkPatch:
    """Writes a name into a write-in area of `page`, in place, and returns its ink."""
    patch = scrawl_name(area, pen, dpi, rng)
    lay(page, patch, pen.tone)
    return patch


# Strokes below are in inches around the bubble's centre.


def _ellipse(turns: float, across: Points, down: Points, rng: np.random.Generator) -> Points:
    angle = rng.uniform(0, 2 * pi) + np.linspace(0.0, 2 * pi * turns, len(across))
    wobble = rng.normal(0.0, 0.004, (max(4, len(across) // 5), 2))
    path = np.column_stack((np.cos(angle) * across, np.sin(angle) * down))
    every = np.linspace(0, len(wobble) - 1, len(across))
    knots = np.arange(len(wobble))
    return np.column_stack([path[:, axis] + np.interp(every, knots, wobble[:, axis]) for axis in range(2)])


def _fill(pen: Pen, rng: np.random.Generator) -> list[Points]:
    edge = rng.uniform(0.9, 1.06)
    turns = max(2.0, _HALF_HEIGHT / (pen.width * 0.75))
    shrink = np.linspace(edge, 0.12, int(turns * 20))
    offset = rng.normal(0.0, 0.006, 2)
    # The long axis shrinks less, so that the strokes also fill the ends.
    path = _ellipse(turns, (_HALF_WIDTH - pen.width / 2) * shrink**0.8, (_HALF_HEIGHT - pen.width / 2) * shrink, rng)
    across = np.column_stack((np.linspace(-0.8, 0.8, 9) * _HALF_WIDTH, rng.normal(0.0, 0.012, 9)))
    return [path + offset, across + offset]


def _scribble(_pen: Pen, rng: np.random.Generator) -> list[Points]:
    swings = int(rng.integers(6, 10))
    x = np.linspace(-0.85, 0.85, swings) * _HALF_WIDTH + rng.normal(0.0, 0.008, swings)
    y = np.where(np.arange(swings) % 2 == 0, -1.0, 1.0) * _HALF_HEIGHT * rng.uniform(0.6, 1.1, swings)
    lean = rng.uniform(-0.25, 0.25)
    return [curve(np.column_stack((x + lean * y, y)) + rng.normal(0.0, 0.006, 2))]


def _cross(_pen: Pen, rng: np.random.Generator) -> list[Points]:
    centre = rng.normal(0.0, (0.014, 0.008))
    strokes = []
    for side in (-1.0, 1.0):
        reach_x, reach_y = rng.uniform(0.8, 1.25) * _HALF_WIDTH, rng.uniform(1.0, 1.7) * _HALF_HEIGHT
        bend = rng.normal(0.0, 0.006, (3, 2))
        ends = np.array([(-reach_x, -side * reach_y), (0.0, 0.0), (reach_x, side * reach_y)])
        strokes.append(curve(ends + bend + centre))
    return strokes


def _tick(_pen: Pen, rng: np.random.Generator) -> list[Points]:
    knee = np.array((rng.uniform(-0.25, 0.1) * _HALF_WIDTH, rng.uniform(0.3, 0.8) * _HALF_HEIGHT))
    start = knee + (-rng.uniform(0.04, 0.07), -rng.uniform(0.05, 0.08))
    stop = knee + (rng.uniform(0.08, 0.16), -rng.uniform(0.12, 0.2))
    return [np.concatenate((curve([tuple(start), tuple(knee)]), curve([tuple(knee), tuple(stop)])))]


def _line(_pen: Pen, rng: np.random.Generator) -> list[Points]:
    angle = rng.uniform(-0.5, 0.5)
    reach = _HALF_WIDTH * rng.uniform(0.9, 1.15) * np.array((np.cos(angle), np.sin(angle)))
    middle = rng.normal(0.0, (0.01, 0.01))
    return [curve(np.array([middle - reach, middle + rng.normal(0.0, 0.004, 2), middle + reach]))]


def _circle_inside(_pen: Pen, rng: np.random.Generator) -> list[Points]:
    count = 40
    across = np.full(count, _HALF_WIDTH * rng.uniform(0.45, 0.65))
    down = np.full(count, _HALF_HEIGHT * rng.uniform(0.45, 0.65))
    return [_ellipse(rng.uniform(0.95, 1.15), across, down, rng) + rng.normal(0.0, 0.006, 2)]


def _graze(_pen: Pen, rng: np.random.Generator) -> list[Points]:
    """A cross that misses the bubble with all but one leg."""
    centre = np.array((rng.choice((-1.0, 1.0)) * (_HALF_WIDTH + rng.uniform(-0.02, 0.005)), rng.uniform(0.0, 0.04)))
    reach = rng.uniform(0.055, 0.08)
    return [np.array([centre + (-reach, side * reach), centre + (reach, -side * reach)]) for side in (-1.0, 1.0)]


def _dot(_pen: Pen, rng: np.random.Generator) -> list[Points]:
    return [rng.uniform(-0.5, 0.5, (1, 2)) * (_HALF_WIDTH, _HALF_HEIGHT)]


def _near_miss(pen: Pen, rng: np.random.Generator) -> list[Points]:
    reach = rng.uniform(0.02, 0.035)
    clear = reach + pen.width + rng.uniform(0.015, 0.035)
    side = int(rng.integers(3))
    away = ((-_HALF_WIDTH - clear, 0.0), (_HALF_WIDTH + clear, 0.0), (rng.uniform(-0.04, 0.04), _HALF_HEIGHT + clear))[side]
    centre = np.array(away)
    if rng.random() < 0.5:
        return [np.array([centre - (reach, slope * reach), centre + (reach, slope * reach)]) for slope in (-1.0, 1.0)]
    return [np.array([centre - (reach, 0.0), centre + (-reach / 3, reach), centre + (reach, -reach)])]


def _hesitation(_pen: Pen, rng: np.random.Generator) -> list[Points]:
    start = rng.uniform(-0.6, 0.6, 2) * (_HALF_WIDTH, _HALF_HEIGHT)
    return [np.array([start, start + rng.uniform(-0.012, 0.012, 2)])]


_STROKES = {
    MarkKind.FILL: _fill,
    MarkKind.SCRIBBLE: _scribble,
    MarkKind.CROSS: _cross,
    MarkKind.TICK: _tick,
    MarkKind.LINE: _line,
    MarkKind.CIRCLE_INSIDE: _circle_inside,
    MarkKind.GRAZE: _graze,
    MarkKind.DOT: _dot,
    MarkKind.NEAR_MISS: _near_miss,
    MarkKind.HESITATION: _hesitation,
    MarkKind.ERASED: _fill,
}
