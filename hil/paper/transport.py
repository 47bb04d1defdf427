"""What rollers and printers do to the shape of a page: turn, shear, stretch, shrink, clip."""

from __future__ import annotations

from dataclasses import replace
from math import cos, radians, sin, tan
from typing import TYPE_CHECKING

import numpy as np

from hil.paper.exposure import Affine, AlongAxis, ExposedSide, Exposure

if TYPE_CHECKING:
    from collections.abc import Callable

    from hil.paper.lettering import Grey

MAX_ROTATION = 8.0
MAX_SKEW = 5.0
MAX_STRETCH = 0.2
MAX_BAND_STRETCH = 0.6
MAX_SHRINK = 0.1
MAX_BORDER = 1.0
MAX_CLIP = 0.8


def _sign(rng: np.random.Generator) -> float:
    return 1.0 if rng.random() < 0.5 else -1.0


def _mirrored(exposure: Exposure, change: Callable[[ExposedSide, float], ExposedSide]) -> Exposure:
    """Changes both sides, the back with the opposite sense: it is seen from behind."""
    return replace(exposure, front=change(exposure.front, 1.0), back=change(exposure.back, -1.0))


def _grown(side: ExposedSide, linear: tuple[float, float, float, float], background: int) -> ExposedSide:
    """Applies a linear map and makes the canvas just large enough for the whole page."""
    width, height = side.size
    corners = np.array(((0.0, 0.0), (width, 0.0), (width, height), (0.0, height)))
    reach = Affine(*linear, 0.0, 0.0)(corners)
    low, high = reach.min(axis=0), reach.max(axis=0)
    move = Affine(*linear, -float(low[0]), -float(low[1]))
    return side.warped(move, (int(np.ceil(high[0] - low[0])), int(np.ceil(high[1] - low[1]))), background)


def rotate(exposure: Exposure, strength: int, rng: np.random.Generator) -> Exposure:
    """Turns the sheet by up to 8 degrees; the image grows to hold it."""
    angle = radians(MAX_ROTATION * strength / 100) * _sign(rng)

    def turn(side: ExposedSide, sense: float) -> ExposedSide:
        c, s = cos(angle), sin(angle) * sense
        return _grown(side, (c, -s, s, c), exposure.background)

    return _mirrored(exposure, turn)


def skew(exposure: Exposure, strength: int, rng: np.random.Generator) -> Exposure:
    """Shears the page sideways by up to 5 degrees, as a roller does that slips on one side."""
    slope = tan(radians(MAX_SKEW * strength / 100)) * _sign(rng)
    return _mirrored(exposure, lambda side, sense: _grown(side, (1.0, slope * sense, 0.0, 1.0), exposure.background))


def stretch(exposure: Exposure, strength: int, _rng: np.random.Generator) -> Exposure:
    """Makes the page longer by up to 20 %, as a slow roller does."""
    return exposure.each(lambda side: _grown(side, (1.0, 0.0, 0.0, 1 + MAX_STRETCH * strength / 100), exposure.background))


def stretch_band(exposure: Exposure, strength: int, rng: np.random.Generator) -> Exposure:
    """Makes a band of one to three inches longer by up to 60 %, as a sheet does that stuck for a moment."""
    dpi, height = exposure.dpi, exposure.front.size[1]
    length = rng.uniform(1.0, 3.0) * dpi
    top = rng.uniform(0.1, 0.9) * (height - length)
    longer = round(length * MAX_BAND_STRETCH * strength / 100)
    knots = (0.0, top, top + length, float(height))
    move = AlongAxis(1, knots, (0.0, top, top + length + longer, float(height + longer)))
    return exposure.each(lambda side: side.moved(_rows_moved(side.pixels, move, height + longer), move))


def _rows_moved(pixels: Grey, move: AlongAxis, height: int) -> Grey:
    rows = np.interp(np.arange(height) + 0.5, move.targets, move.sources) - 0.5
    first = np.clip(np.floor(rows), 0, len(pixels) - 1).astype(np.int64)
    second = np.minimum(first + 1, len(pixels) - 1)
    share = np.round(np.clip(rows - first, 0, 1) * 256).astype(np.uint16)[:, None]
    mixed = pixels[first].astype(np.uint16) * (256 - share) + pixels[second].astype(np.uint16) * share
    return np.asarray((mixed + 127) >> 8, dtype=np.uint8)


def shrink_print(exposure: Exposure, strength: int, _rng: np.random.Generator) -> Exposure:
    """Prints the page smaller by up to 10 % around its middle, on paper of the same size ("fit to page")."""
    factor = 1 - MAX_SHRINK * strength / 100

    def shrink(side: ExposedSide) -> ExposedSide:
        width, height = side.size
        move = Affine(factor, 0.0, 0.0, factor, width * (1 - factor) / 2, height * (1 - factor) / 2)
        return side.warped(move, side.size, int(np.median(side.pixels[:8])))

    return exposure.each(shrink)


def black_border(exposure: Exposure, strength: int, rng: np.random.Generator) -> Exposure:
    """Shows up to one inch of the scanner's bed on each side of the sheet."""
    most = MAX_BORDER * exposure.dpi * strength / 100
    left, top, right, bottom = (int(rng.uniform(0.3, 1.0) * most) for _ in range(4))
    front = add_border(exposure.front, (left, top, right, bottom), exposure.background)
    return replace(exposure, front=front, back=add_border(exposure.back, (right, top, left, bottom), exposure.background))


def add_border(side: ExposedSide, margins: tuple[int, int, int, int], background: int) -> ExposedSide:
    """Adds `margins` (left, top, right, bottom) pixels of bed around a side; negative ones cut pixels off."""
    left, top, right, bottom = margins
    cut = side.pixels[max(-top, 0) : len(side.pixels) - max(-bottom, 0), max(-left, 0) : side.size[0] - max(-right, 0)]
    added = ((max(top, 0), max(bottom, 0)), (max(left, 0), max(right, 0)))
    pixels = np.pad(cut, added, constant_values=background)
    return side.moved(pixels, Affine(1.0, 0.0, 0.0, 1.0, float(left), float(top)))


def clip_edge(exposure: Exposure, strength: int, rng: np.random.Generator) -> Exposure:
    """Cuts up to 0.8 inch off one edge of the image, as a badly guided sheet loses."""
    cut = -round(MAX_CLIP * exposure.dpi * strength / 100)
    edge = int(rng.integers(4))
    margins = [0, 0, 0, 0]
    margins[edge] = cut
    left, top, right, bottom = margins
    front = add_border(exposure.front, (left, top, right, bottom), exposure.background)
    return replace(exposure, front=front, back=add_border(exposure.back, (right, top, left, bottom), exposure.background))


def turn_upside_down(exposure: Exposure, _strength: int, _rng: np.random.Generator) -> Exposure:
    """Turns both sides by 180 degrees, at any strength."""
    return exposure.each(half_turn)


def half_turn(side: ExposedSide) -> ExposedSide:
    """The side turned by 180 degrees."""
    width, height = side.size
    return side.moved(np.ascontiguousarray(side.pixels[::-1, ::-1]), Affine(-1.0, 0.0, 0.0, -1.0, float(width), float(height)))
