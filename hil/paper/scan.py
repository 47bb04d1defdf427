"""From paper to the two grey images that a sheet-fed scanner delivers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from hil.paper.damage import DAMAGES, Stage, apply_damage
from hil.paper.exposure import BACKGROUND, Effect, ExposedSide, Exposure
from hil.paper.grain import add_grain
from hil.paper.ink import PAPER_TONE
from hil.paper.sheet import PrintedBubble, PrintedSheet
from hil.paper.transport import add_border, half_turn
from hil.paper.truth import MarkedSheet, expose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hil.paper.lettering import Grey
    from hil.paper.stroke import Points
    from hil.paper.summary import PrintedSummary

LETTER_WIDTH_WINDOW = 1700
"""Pixels across at 200 dpi; some scanners deliver 1696."""


@dataclass(frozen=True, slots=True)
class Sensor:
    """How a scanner sees undamaged paper.

    Attributes:
        softness: Sigma of its blur in inches.
        white: Grey level of white paper.
        grain: Sigma of its noise in grey levels.
    """

    softness: float = 0.0028
    white: int = 234
    grain: float = 3.5


PERFECT_SENSOR = Sensor(0.0, PAPER_TONE, 0.0)
"""Delivers the rendered page as it is."""


@dataclass(frozen=True, slots=True)
class Feed:
    """How the sheet lies in the scanner.

    Attributes:
        face_down: The bottom sensor sees the front.
        upside_down: The foot goes in first.
        margins: Scanner bed around the paper on the top image: left, top, right, bottom, in pixels; negative cuts off.
        width: Width of the delivered image; the sheet is centred in it. None keeps what paper and margins give.
        background: Grey level of the bed.
    """

    face_down: bool = False
    upside_down: bool = False
    margins: tuple[int, int, int, int] = (0, 0, 0, 0)
    width: int | None = None
    background: int = BACKGROUND


@dataclass(frozen=True, slots=True, eq=False)
class ScannedPage:
    """One delivered image.

    Attributes:
        pixels: Grey uint8, shape (height, width).
        side: front or back of the paper.
        exposure: Where printed points lie on it, and what was touched.
    """

    pixels: Grey
    side: str
    exposure: ExposedSide


@dataclass(frozen=True, slots=True, eq=False)
class ScannedPair:
    """The two images of one sheet, and how they came about.

    Attributes:
        top: What the upper sensor saw.
        bottom: What the lower sensor saw.
        dpi: Pixels per inch.
        damages: Name to strength.
        exposure: Both sides as seen, for asking where things are.
    """

    top: ScannedPage
    bottom: ScannedPage
    dpi: int
    damages: Mapping[str, int]
    exposure: Exposure

    def bubble_outline(self, bubble: PrintedBubble) -> Points:
        """The corners (4, 2) of a bubble's oval box in pixels of the image that shows its side."""
        return self.exposure.bubble_outline(bubble)

    def effects_at(self, bubble: PrintedBubble) -> tuple[Effect, ...]:
        """What the damages did to this bubble; empty if it must be read as on clean paper."""
        return self.exposure.effects_at(bubble)


def scan(
    sheet: MarkedSheet | PrintedSheet | PrintedSummary | Exposure,
    damages: Mapping[str, int] | None = None,
    *,
    seed: int = 0,
    feed: Feed | None = None,
    sensor: Sensor | None = None,
) -> ScannedPair:
    """Feeds a sheet through a scanner.

    Args:
        sheet: What to scan.
        damages: Names from `hil.paper.damage.DAMAGES` with strengths 0..100, applied in the order of a sheet's life.
        seed: Decides places and directions of the damages, and the grain.
        feed: How the sheet lies; straight and face up by default.
        sensor: How the scanner sees.

    Returns:
        Both images and the truth about where everything lies on them.
    """
    feed, sensor, damages = feed or Feed(), sensor or Sensor(), dict(damages or {})
    rng = np.random.default_rng((seed, 2))
    exposure = replace(_exposure(sheet), background=feed.background)
    # Every damage has its own generator, so that adding one does not move the others.
    ordered = sorted(damages, key=lambda name: (DAMAGES[name].stage, name))
    for name in (name for name in ordered if DAMAGES[name].stage < Stage.SENSOR):
        exposure = apply_damage(exposure, name, damages[name], _generator(seed, name))
    exposure = _laid(exposure, feed)
    exposure = exposure.each(lambda side: side.painted(_seen(side.pixels, sensor, exposure.dpi, rng)))
    for name in (name for name in ordered if DAMAGES[name].stage >= Stage.SENSOR):
        exposure = apply_damage(exposure, name, damages[name], _generator(seed, name))
    pages = [ScannedPage(side.pixels, side.name, side) for side in (exposure.front, exposure.back)]
    top, bottom = reversed(pages) if feed.face_down else pages
    return ScannedPair(top, bottom, exposure.dpi, damages, exposure)


def _generator(seed: int, name: str) -> np.random.Generator:
    return np.random.default_rng((seed, *name.encode()))


def _exposure(sheet: MarkedSheet | PrintedSheet | PrintedSummary | Exposure) -> Exposure:
    if isinstance(sheet, Exposure):
        return sheet
    return expose(sheet) if isinstance(sheet, PrintedSheet) else sheet.exposure()


def _laid(exposure: Exposure, feed: Feed) -> Exposure:
    left, top, right, bottom = feed.margins
    mirrored = (right, top, left, bottom)
    front, back = (mirrored, feed.margins) if feed.face_down else (feed.margins, mirrored)
    if feed.upside_down:
        exposure = exposure.each(half_turn)
    if any(feed.margins):
        exposure = replace(
            exposure,
            front=add_border(exposure.front, front, feed.background),
            back=add_border(exposure.back, back, feed.background),
        )
    if feed.width is None:
        return exposure
    missing = feed.width - exposure.front.size[0]
    half = missing // 2
    return replace(
        exposure,
        front=add_border(exposure.front, (half, 0, missing - half, 0), feed.background),
        back=add_border(exposure.back, (missing - half, 0, half, 0), feed.background),
    )


def _seen(pixels: Grey, sensor: Sensor, dpi: int, rng: np.random.Generator) -> Grey:
    if sensor.softness:
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), sensor.softness * dpi), dtype=np.uint8)
    if sensor.white != PAPER_TONE:
        table = np.round(np.arange(256) * (sensor.white / PAPER_TONE)).clip(0, 255).astype(np.uint8)
        pixels = np.asarray(cv2.LUT(pixels, table), dtype=np.uint8)
    return add_grain(pixels, sensor.grain, rng) if sensor.grain else pixels
