"""What light, lens, sensor and toner do to the grey levels of a page."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image

from hil.paper.grain import add_grain
from hil.paper.ink import PAPER_TONE

if TYPE_CHECKING:
    from hil.paper.exposure import ExposedSide, Exposure
    from hil.paper.lettering import Grey

MAX_NOISE = 90.0
MAX_SALT_AND_PEPPER = 0.2
MAX_DUST_PER_SQUARE_INCH = 30.0
MAX_BLUR = 0.035
MAX_CONTRAST_LOSS = 0.97
MAX_SHADE = 0.9


def noise(exposure: Exposure, strength: int, rng: np.random.Generator) -> Exposure:
    """Adds Gaussian noise, sigma up to 90 grey levels."""
    sigma = MAX_NOISE * strength / 100
    return exposure.each(lambda side: side.painted(add_grain(side.pixels, sigma, rng)))


def salt_and_pepper(exposure: Exposure, strength: int, rng: np.random.Generator) -> Exposure:
    """Turns up to 20 % of the pixels black or white."""
    share = MAX_SALT_AND_PEPPER * strength / 100

    def sprinkle(side: ExposedSide) -> ExposedSide:
        pixels = side.pixels.copy()
        hit = rng.integers(0, pixels.size, round(share * pixels.size))
        pixels.reshape(-1)[hit] = rng.integers(0, 2, len(hit), dtype=np.uint8) * 255
        return side.painted(pixels)

    return exposure.each(sprinkle)


def dust(exposure: Exposure, strength: int, rng: np.random.Generator) -> Exposure:
    """Drops up to 30 specks per square inch, each 0.005 to 0.02 inch wide and of any grey."""
    per_inch = MAX_DUST_PER_SQUARE_INCH * strength / 100

    def drop(side: ExposedSide) -> ExposedSide:
        pixels = side.pixels.copy()
        width, height = side.size
        count = round(per_inch * width * height / exposure.dpi**2)
        places = rng.integers(0, (width * 16, height * 16), (count, 2)).tolist()
        radii = np.round(rng.uniform(0.0025, 0.01, count) * exposure.dpi * 16).astype(int).tolist()
        tones = rng.integers(0, 150, count).tolist()
        for place, radius, tone in zip(places, radii, tones, strict=True):
            cv2.circle(pixels, place, radius, tone, -1, cv2.LINE_AA, 4)
        return side.painted(pixels)

    return exposure.each(drop)


def low_contrast(exposure: Exposure, strength: int, _rng: np.random.Generator) -> Exposure:
    """Takes up to 97 % of the contrast away: ink becomes as light as the paper."""
    kept = 1 - MAX_CONTRAST_LOSS * strength / 100
    table = np.round(PAPER_TONE - (PAPER_TONE - np.arange(256)) * kept).clip(0, 255).astype(np.uint8)
    return exposure.each(lambda side: side.painted(np.asarray(cv2.LUT(side.pixels, table), dtype=np.uint8)))


def uneven_light(exposure: Exposure, strength: int, rng: np.random.Generator) -> Exposure:
    """Lets the light fall by up to 90 % from one edge of the image to the opposite."""
    edge = int(rng.integers(4))

    def shade(side: ExposedSide) -> ExposedSide:
        fall = _ramp(side, edge) * (MAX_SHADE * strength / 100)
        return side.painted(_scaled(side.pixels, 256 - np.round(fall * 256).astype(np.int64)))

    return exposure.each(shade)


def _ramp(side: ExposedSide, edge: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """0 at one edge of the image to 1 at the other, broadcastable over the page."""
    width, height = side.size
    along = np.linspace(0.0, 1.0, width if edge < 2 else height)
    if edge % 2:
        along = along[::-1]
    return along[None, :] if edge < 2 else along[:, None]


def _scaled(pixels: Grey, share: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Grey:
    """Pixels times `share` / 256, `share` 0..256."""
    return np.asarray((pixels * share.astype(np.uint16) + 127) >> 8, dtype=np.uint8)


def uneven_toner(exposure: Exposure, strength: int, rng: np.random.Generator) -> Exposure:
    """Fades the print towards the left or right edge, up to nothing there.

    On a page that has not moved yet only print fades and pen marks stay; later, both do.
    """
    to_right = bool(rng.random() < 0.5)

    def fade(side: ExposedSide) -> ExposedSide:
        # Toner is even over most of the page and gives out near the edge.
        missing = np.clip(_ramp(side, 0 if to_right else 1) * 2 - 1, 0, 1) * strength / 100
        kept = 256 - np.round(missing * 256).astype(np.int64)
        source = side.pixels if side.printed is None else side.printed
        ink = np.where(source < PAPER_TONE, PAPER_TONE - source, 0).astype(np.uint8)
        faded = np.maximum(source, PAPER_TONE - _scaled(ink, kept))
        if side.printed is None:
            return side.painted(faded)
        marked = np.where(side.pixels < side.printed, side.pixels, faded)
        return replace(side.painted(marked), printed=faded)

    return replace(exposure, front=fade(exposure.front), back=fade(exposure.back))


def blur(exposure: Exposure, strength: int, _rng: np.random.Generator) -> Exposure:
    """Defocuses by a Gaussian, sigma up to 0.035 inch."""
    sigma = MAX_BLUR * exposure.dpi * strength / 100
    return exposure.each(lambda side: side.painted(np.asarray(cv2.GaussianBlur(side.pixels, (0, 0), sigma), dtype=np.uint8)))


def jpeg(exposure: Exposure, strength: int, _rng: np.random.Generator) -> Exposure:
    """Stores the page as JPEG, quality 95 falling to 1."""
    quality = round(95 - 0.94 * strength)

    def stored(side: ExposedSide) -> ExposedSide:
        file = BytesIO()
        Image.fromarray(side.pixels).save(file, "JPEG", quality=quality)
        return side.painted(np.array(Image.open(file), dtype=np.uint8))

    return exposure.each(stored)
