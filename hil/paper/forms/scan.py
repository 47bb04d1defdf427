"""From the filled-in sheet to the image: how it lies, what the scanner adds, how it is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from io import BytesIO
from math import cos, radians, sin

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from edge.definition.box import Box, around
from edge.definition.form import Form
from hil.paper.exposure import Affine
from hil.paper.forms.knobs import Knobs
from hil.paper.forms.press import UNITS_PER_INCH, Colour, Press
from hil.paper.forms.wear import WEAR, shade, veil

PRINTED = ("missing_frames", "faint_pen", "long_strokes")
"""Damages that are there from the start: they are printed or written so."""

_GRAINS = 1 << 20

_Sensor = Callable[[Colour, int, int, np.random.Generator], Colour]


@lru_cache(maxsize=1)
def _grain_pool() -> npt.NDArray[np.float32]:
    """Gaussian noise of sigma 1, drawn once: a page has millions of pixels."""
    return np.random.default_rng(20191020).standard_normal(_GRAINS, dtype=np.float32)


def _grained(image: Colour, sigma: float, rng: np.random.Generator) -> Colour:
    """The image with Gaussian noise in every channel, in bands of rows that are each read from their own place of the pool."""
    noise = np.asarray(np.round(_grain_pool() * np.float32(sigma)), dtype=np.int16)
    grained = np.empty_like(image)
    rows = max(1, _GRAINS // 2 // (image.shape[1] * 3))
    for top in range(0, len(image), rows):
        band = image[top : top + rows]
        start = int(rng.integers(_GRAINS - band.size))
        cv2.add(band, noise[start : start + band.size].reshape(band.shape), dst=grained[top : top + rows], dtype=cv2.CV_8U)
    return grained


def _blur(image: Colour, dpi: int, strength: int, _rng: np.random.Generator) -> Colour:
    """Defocus, sigma 0.00025 inch a step beyond the everyday."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), max(0.2, 0.00025 * strength * dpi)), dtype=np.uint8)


def _noise(image: Colour, _dpi: int, strength: int, rng: np.random.Generator) -> Colour:
    """Gaussian grain, sigma 0.6 levels a step."""
    return _grained(image, 0.6 * strength, rng)


def _uneven_light(image: Colour, _dpi: int, strength: int, rng: np.random.Generator) -> Colour:
    """Light that falls by up to 0.7 % a step along any direction, and a shadow along one edge."""
    height, width = image.shape[:2]
    angle = rng.uniform(0, 2 * np.pi)
    x, y = np.linspace(-1, 1, width, dtype=np.float32)[None, :], np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    ramp = (1 + x * np.float32(cos(angle)) + y * np.float32(sin(angle))) / 2
    edge = np.exp(-(((x if rng.random() < 0.5 else y) + 1) * 6))
    light = np.clip(1 - (0.7 * ramp + 0.25 * edge) * (strength / 100), 0.05, 1)
    return np.asarray(image * light[:, :, None], dtype=np.uint8)


def _low_contrast(image: Colour, _dpi: int, strength: int, _rng: np.random.Generator) -> Colour:
    """Everything drawn towards pale grey, 0.85 % a step."""
    kept = 1 - 0.0085 * strength
    table = np.round(235 - (235 - np.arange(256)) * kept).clip(0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(image, table), dtype=np.uint8)


def _veiled(*names: str, times: int = 1) -> _Sensor:
    def cover(image: Colour, dpi: int, strength: int, rng: np.random.Generator) -> Colour:
        name = names[int(rng.integers(len(names)))]
        for _ in range(times):
            shade(image, veil(name, (image.shape[1], image.shape[0]), dpi, strength, rng))
        return image

    return cover


def _bright_streak(image: Colour, dpi: int, strength: int, rng: np.random.Generator) -> Colour:
    """A dead sensor element: one to three white columns, wiping out what they cross."""
    for _ in range(1 + strength // 34):
        left, width = int(rng.integers(image.shape[1])), 1 + int(strength * dpi * 0.00015)
        image[:, left : left + width] = 250
    return image


SENSOR: Mapping[str, _Sensor] = {
    "blur": _blur,
    "uneven_light": _uneven_light,
    "dust": _veiled("dust"),
    "dark_streak": _veiled("streak_full", "streak_broken", "streak_fuzzy", "streak_pale", times=3),
    "bright_streak": _bright_streak,
    "low_contrast": _low_contrast,
    "noise": _noise,
}
"""Damages by the scanner by name, in the order in which they happen."""

DAMAGES = (*PRINTED, *WEAR, *SENSOR, "jpeg")
"""All damages of a rendered sheet."""

_EVERYDAY_SOFTNESS = 0.0022
_EVERYDAY_GRAIN = 2.5
_EVERYDAY_QUALITY = 90


def generator(seed: int, name: str) -> np.random.Generator:
    """A generator of its own for everything that has a name, so that adding one does not move the others."""
    return np.random.default_rng((seed, *name.encode()))


def wear_down(press: Press, form: Form, damages: Mapping[str, int], seed: int) -> None:
    """Wears the filled-in sheet, in place."""
    for name, wear in WEAR.items():
        if damages.get(name):
            wear(press, form, damages[name], generator(seed, name))


def shown(form: Form, extent: str, rng: np.random.Generator) -> Box:
    """The part of the paper that the image shows, in hundredths of a millimetre; it may reach a little beyond the sheet."""
    if extent == "sheet":
        left, top, right, bottom = (int(edge) for edge in rng.uniform(-150, 500, 4))
        return Box(-left, -top, form.size[0] + left + right, form.size[1] + top + bottom)
    names = form.names_on(extent)
    boxes = [box for field in form.all_fields if field.name in names for box in field.boxes]
    boxes += [frame for box in boxes if (frame := form.label_of(box))]
    return around(boxes, int(rng.uniform(120, 900)))


def lay_down(press: Press, part: Box, knobs: Knobs, rng: np.random.Generator) -> tuple[Colour, Affine]:
    """Turns the paper and cuts the image out; with it the way from hundredths of a millimetre to pixels of the image."""
    dpi = press.dpi
    angle = radians(knobs.rotation + (180 if knobs.upside_down else 0))
    c, s = cos(angle), sin(angle)
    corners = (
        np.array([(x, y) for x in (part.x, part.x + part.width) for y in (part.y, part.y + part.height)]) * dpi / UNITS_PER_INCH
    )
    down = 1 + knobs.stretch
    turned = Affine(c, -s, s * down, c * down, 0.0, 0.0)(corners)
    low, high = turned.min(axis=0), turned.max(axis=0)
    move = Affine(c, -s, s * down, c * down, -float(low[0]), -float(low[1]))
    size = (int(np.ceil(high[0] - low[0])), int(np.ceil(high[1] - low[1])))
    bed = (244, 244, 246) if rng.random() < 0.7 else (14, 14, 16)
    image = cv2.warpAffine(
        press.page, move.for_warp(), size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=bed
    )
    scale = dpi / UNITS_PER_INCH
    way = Affine(move.xx * scale, move.xy * scale, move.yx * scale, move.yy * scale, move.x, move.y)
    return np.asarray(image, dtype=np.uint8), way


def sense(image: Colour, dpi: int, knobs: Knobs, seed: int) -> Colour:
    """What the scanner makes of it and stores."""
    rng = generator(seed, "sensor")
    image = np.asarray(cv2.GaussianBlur(image, (0, 0), _EVERYDAY_SOFTNESS * dpi * rng.uniform(0.7, 1.4)), dtype=np.uint8)
    for name, change in SENSOR.items():
        if knobs.damages.get(name):
            image = change(image, dpi, knobs.damages[name], generator(seed, name))
    image = _grained(image, _EVERYDAY_GRAIN, rng)
    quality = round(_EVERYDAY_QUALITY - 0.85 * knobs.damages.get("jpeg", 0))
    stored = Image.fromarray(image)
    if knobs.colour == "grey":
        stored = stored.convert("L")
    file = BytesIO()
    stored.save(file, "JPEG", quality=quality)
    return np.array(Image.open(file).convert("RGB"), dtype=np.uint8)
