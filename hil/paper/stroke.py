"""Ink from a moving point: strokes with width, pressure, paper tooth and tone, laid over a printed page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from hil.paper.lettering import Grey

if TYPE_CHECKING:
    from collections.abc import Sequence

Points = npt.NDArray[np.float64]
"""Shape (n, 2), x and y in pixels, in the order in which the point moves."""

_OVERSAMPLE = 4
_SHIFT = 4


@dataclass(frozen=True, slots=True)
class Pen:
    """A writing instrument as a grey scanner sees it.

    Attributes:
        name: For reports.
        tone: Grey level of solid ink, 0 black to 255.
        width: Width of its line in inches.
        tooth: How much the grain of the paper shows, 0 (wet ink) to 1.
        pale: True when a person sees the mark but half the paper's brightness is not reached.
    """

    name: str
    tone: int
    width: float
    tooth: float
    pale: bool = False


BALLPOINT = Pen("black ballpoint", 38, 0.020, 0.08)
FINE_BALLPOINT = Pen("fine ballpoint", 45, 0.013, 0.05)
BLUE_BALLPOINT = Pen("blue ballpoint", 72, 0.020, 0.12)
FELT_TIP = Pen("felt tip", 22, 0.038, 0.0)
SOFT_PENCIL = Pen("soft pencil", 78, 0.026, 0.25)
PENCIL = Pen("pencil", 96, 0.022, 0.3)
PALE_PENCIL = Pen("pale pencil", 150, 0.020, 0.45, pale=True)

DARK_PENS = (BALLPOINT, FINE_BALLPOINT, BLUE_BALLPOINT, FELT_TIP, SOFT_PENCIL, PENCIL)
PENS = (*DARK_PENS, PALE_PENCIL)


@dataclass(frozen=True, slots=True)
class Box:
    """An upright box in pixels: left and top belong to it, right and bottom do not."""

    left: int
    top: int
    right: int
    bottom: int

    def overlaps(self, other: Box) -> bool:
        """Whether the two share a pixel."""
        return self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom


@dataclass(frozen=True, slots=True)
class InkPatch:
    """What a pen left: coverage 0..255 (uint8) whose top-left pixel is (`left`, `top`) of the page."""

    left: int
    top: int
    coverage: Grey

    @property
    def box(self) -> Box:
        """The patch's place on the page."""
        return Box(self.left, self.top, self.left + self.coverage.shape[1], self.top + self.coverage.shape[0])

    def mean_inside(self, box: Box) -> float:
        """Mean coverage 0..1 over `box`, nothing lying outside the patch."""
        own = self.box
        part = self.coverage[
            max(box.top - own.top, 0) : max(box.bottom - own.top, 0), max(box.left - own.left, 0) : max(box.right - own.left, 0)
        ]
        return float(part.sum(dtype=np.int64)) / 255 / ((box.right - box.left) * (box.bottom - box.top))


def curve(points: Sequence[tuple[float, float]] | Points, steps: int = 6) -> Points:
    """A smooth path through `points` (Catmull-Rom), `steps` segments between two of them."""
    knots = np.asarray(points, dtype=np.float64)
    padded = np.concatenate((knots[:1], knots, knots[-1:]))
    t = np.linspace(0.0, 1.0, steps, endpoint=False)[:, None]
    pieces = []
    for before, start, stop, after in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        pieces.append(
            start
            + 0.5 * t * (stop - before)
            + t**2 * (before - 2.5 * start + 2 * stop - 0.5 * after)
            + t**3 * (-0.5 * before + 1.5 * start - 1.5 * stop + 0.5 * after)
        )
    return np.concatenate([*pieces, knots[-1:]])


def draw(strokes: Sequence[Points], pen: Pen, dpi: int, rng: np.random.Generator, *, pressure: float = 1.0) -> InkPatch:
    """Lets `pen` follow `strokes`.

    Args:
        strokes: Each is drawn without lifting the pen; pixels of the page.
        pen: Its width and tooth are used; tone is applied by `lay`.
        dpi: Pixels per inch of the page.
        rng: Varies the width along the strokes and makes the tooth.
        pressure: Scales the width.

    Returns:
        The ink, at least one pixel large.
    """
    width = pen.width * dpi * pressure
    margin = int(width) + 2
    every = np.concatenate(strokes)
    left, top = (int(np.floor(edge)) - margin for edge in every.min(axis=0))
    right, bottom = (int(np.ceil(edge)) + margin for edge in every.max(axis=0))
    canvas = np.zeros(((bottom - top) * _OVERSAMPLE, (right - left) * _OVERSAMPLE), dtype=np.uint8)
    for stroke in strokes:
        path = np.round((stroke - (left, top)) * _OVERSAMPLE * (1 << _SHIFT)).astype(np.int32)
        swell = 1.0 + 0.15 * np.cumsum(rng.normal(0.0, 0.25, len(path))).clip(-1.0, 1.0)
        for start, stop, factor in zip(path[:-1].tolist(), path[1:].tolist(), swell.tolist(), strict=False):
            thick = max(1, round(width * factor * _OVERSAMPLE))
            cv2.line(canvas, start, stop, (255,), thick, cv2.LINE_8, _SHIFT)
        if len(path) == 1:
            cv2.circle(canvas, path[0].tolist(), round(width * _OVERSAMPLE * (1 << _SHIFT) / 2), (255,), -1, cv2.LINE_8, _SHIFT)
    blocks = canvas.reshape(bottom - top, _OVERSAMPLE, right - left, _OVERSAMPLE)
    coverage = (blocks.sum(axis=(1, 3), dtype=np.int64) + _OVERSAMPLE**2 // 2) // _OVERSAMPLE**2
    if pen.tooth:
        grain = rng.integers(0, 256, coverage.shape, dtype=np.uint8)
        grain = np.asarray(cv2.GaussianBlur(grain, (3, 3), 0.8), dtype=np.uint8)
        # After the blur the grain stays within about 70..185.
        hollow = np.clip((grain.astype(np.int64) - 90) * 255 // 80, 0, 255) * round(pen.tooth * 256) >> 8
        coverage = coverage * (255 - hollow) // 255
    return InkPatch(left, top, coverage.astype(np.uint8))


def soften(patch: InkPatch, pixels: float, strength: float) -> InkPatch:
    """The same ink rubbed over the paper: blurred by `pixels` (sigma) and thinned to `strength` 0..1."""
    margin = int(3 * pixels) + 1
    grown = np.pad(patch.coverage, margin)
    rubbed = np.asarray(cv2.GaussianBlur(grown, (0, 0), pixels), dtype=np.int64) * round(strength * 256) >> 8
    return InkPatch(patch.left - margin, patch.top - margin, rubbed.astype(np.uint8))


def lay(page: Grey, patch: InkPatch, tone: int) -> None:
    """Darkens `page` in place towards `tone` where the patch has ink; ink never lightens."""
    height, width = page.shape
    box = patch.box
    x0, y0, x1, y1 = max(box.left, 0), max(box.top, 0), min(box.right, width), min(box.bottom, height)
    if x0 >= x1 or y0 >= y1:
        return
    view = page[y0:y1, x0:x1]
    ink = patch.coverage[y0 - box.top : y1 - box.top, x0 - box.left : x1 - box.left].astype(np.int64)
    paper = view.astype(np.int64)
    view[:] = (paper - np.maximum(paper - tone, 0) * ink // 255).astype(np.uint8)
