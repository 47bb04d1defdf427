"""Light, lens and sensor: everything that happens to a picture after the papers lie in it."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from math import ceil, cos, sin

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hil.paper.photos.paper import Colour

Plane = NDArray[np.float32]

_GRAINS = 1 << 19
_COARSE = 128
"""Longer side at which smooth light is computed; it is enlarged to the picture."""


def softened(mask: Plane, sigma: float) -> Plane:
    """A mask blurred by `sigma` pixels; wide blurs are made at a reduced size."""
    step = max(1, int(sigma / 2.5))
    if sigma < 0.3:
        return mask
    if step == 1:
        return np.asarray(cv2.GaussianBlur(mask, (0, 0), sigma), dtype=np.float32)
    height, width = mask.shape
    small = cv2.resize(mask, (max(1, width // step), max(1, height // step)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / step)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.float32)


def coarse_size(size: tuple[int, int]) -> tuple[int, int]:
    """Width and height of the plane on which smooth light is computed."""
    scale = min(1.0, _COARSE / max(size))
    return max(2, round(size[0] * scale)), max(2, round(size[1] * scale))


def _grid(size: tuple[int, int]) -> tuple[Plane, Plane]:
    """Coordinates from -1 to 1 across a plane."""
    return (np.linspace(-1, 1, size[0], dtype=np.float32)[None, :], np.linspace(-1, 1, size[1], dtype=np.float32)[:, None])


def uneven_light(size: tuple[int, int], strength: float, rng: np.random.Generator) -> Plane:
    """Light that falls off along a direction and towards the corners, by up to 75 % at strength 1; shape (height, width)."""
    x, y = _grid(size)
    angle, vignette = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.4)
    ramp = (1 + (x * cos(angle) + y * sin(angle)) / 1.42) / 2
    return np.asarray(1 - strength * (rng.uniform(0.3, 0.75) * ramp + vignette * (x * x + y * y) / 2), dtype=np.float32)


def cast_shadow(size: tuple[int, int], strength: float, rng: np.random.Generator) -> Plane:
    """The shadow of a hand, an arm or a phone that reaches in from outside, with a soft edge; down to 25 % of the light."""
    width, height = size
    shadow = np.zeros((height, width), dtype=np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    inward = np.array((cos(angle), sin(angle)))
    aside = np.array((-inward[1], inward[0]))
    tip = np.array((width, height)) / 2 + inward * rng.uniform(-0.35, 0.35) * max(size) + aside * rng.normal(0, 0.15) * max(size)
    half = rng.uniform(0.08, 0.35) * max(size)
    if rng.random() < 0.5:
        near, far = np.array((tip - aside * half, tip + aside * half)), inward * 3 * max(size)
        outline = np.concatenate((near, near[::-1] + far))
        cv2.fillPoly(shadow, [np.round(outline).astype(np.int32)], (1.0,))
    else:
        finger = max(1, round(half * 0.45))
        for number in range(4):
            start = tip + aside * half * (0.55 * number - 0.8) - inward * half * rng.uniform(0.3, 1.0)
            end = tip + aside * half * (0.4 * number - 0.6) + inward * half
            cv2.line(shadow, _whole(start), _whole(end), (1.0,), finger)
        arm = tip + inward * half
        cv2.line(shadow, _whole(arm), _whole(arm + inward * 3 * max(size)), (1.0,), max(1, round(half * 1.7)))
    soft = softened(shadow, rng.uniform(0.01, 0.05) * max(size))
    return np.asarray(1 - (0.75 * strength) * soft, dtype=np.float32)


def _whole(point: NDArray[np.float64]) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))


def glare(size: tuple[int, int], strength: float, rng: np.random.Generator) -> Plane:
    """A lamp's reflection, 0 to above 1: how much of white it adds. A blob, or a tube's long stripe."""
    x, y = _grid(size)
    angle, middle = rng.uniform(0, np.pi), rng.uniform(-0.7, 0.7, 2)
    along = (x - middle[0]) * cos(angle) + (y - middle[1]) * sin(angle)
    aside = (y - middle[1]) * cos(angle) - (x - middle[0]) * sin(angle)
    long, wide = (rng.uniform(0.15, 0.4), rng.uniform(0.1, 0.3)) if rng.random() < 0.7 else (1.2, rng.uniform(0.05, 0.12))
    away = (along / long) ** 2 + (aside / wide) ** 2
    return np.asarray(strength * (1.1 * np.exp(-(away**1.5)) + 0.25 * np.exp(-away / 6)), dtype=np.float32)


def light_colour(cast: float, exposure: float, rng: np.random.Generator) -> tuple[float, float, float]:
    """What the light multiplies red, green and blue by."""
    level = 2.0 ** (exposure * (0.6 if exposure > 0 else 2.0))
    warm, green = rng.uniform(-1, 1) * cast, rng.uniform(-1, 1) * cast
    return level * (1 + 0.22 * warm), level * (1 + 0.1 * green), level * (1 - 0.32 * warm)


def lit(image: Colour, light: Plane, colour: tuple[float, float, float], shine: Plane | None) -> Colour:
    """The picture in its light; `light` in its size, `shine` of any size."""
    size = (image.shape[1], image.shape[0])
    out = np.asarray(cv2.multiply(image, cv2.merge([light * part for part in colour]), dtype=cv2.CV_8U), dtype=np.uint8)
    if shine is not None:
        whole = cv2.resize(shine * 255, size, interpolation=cv2.INTER_LINEAR)
        out = np.asarray(cv2.add(out, cv2.merge([whole] * 3), dtype=cv2.CV_8U), dtype=np.uint8)
    return out


def defocused(image: Colour, sigma: float) -> Colour:
    """Blurred by a Gaussian of `sigma` pixels; below 0.2 it is left alone."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), dtype=np.uint8) if sigma >= 0.2 else image


def shaken(image: Colour, length: float, angle: float) -> Colour:
    """Blurred along a line of `length` pixels in the direction `angle`, radians."""
    half = ceil(length / 2)
    if length < 0.5:
        return image
    kernel = np.zeros((2 * half + 1, 2 * half + 1), dtype=np.float32)
    for part in np.linspace(-length / 2, length / 2, 4 * half + 1).tolist():
        x, y = half + part * cos(angle), half + part * sin(angle)
        left, top = int(x), int(y)
        for column, row in ((left, top), (left + 1, top), (left, top + 1), (left + 1, top + 1)):
            weight = (1 - abs(x - column)) * (1 - abs(y - row))
            if weight > 0:
                kernel[row, column] += weight
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE), dtype=np.uint8)


@lru_cache(maxsize=1)
def _grain_pool() -> Plane:
    return np.random.default_rng(20191021).standard_normal(_GRAINS, dtype=np.float32)


def grained(image: Colour, sigma: float, rng: np.random.Generator) -> Colour:
    """With Gaussian noise of `sigma` grey levels in every channel, in bands of rows read from any place of one pool."""
    if sigma < 0.1:
        return image
    noise = np.asarray(np.round(_grain_pool() * np.float32(sigma)), dtype=np.int16)
    out = np.empty_like(image)
    rows = max(1, _GRAINS // 2 // (image.shape[1] * 3))
    for top in range(0, len(image), rows):
        band = image[top : top + rows]
        start = int(rng.integers(_GRAINS - band.size))
        cv2.add(band, noise[start : start + band.size].reshape(band.shape), dst=out[top : top + rows], dtype=cv2.CV_8U)
    return out


def stored(image: Colour, quality: int) -> Colour:
    """As it comes back from a JPEG file of that quality; 0 for not stored."""
    if not quality:
        return image
    file = BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.array(Image.open(file).convert("RGB"), dtype=np.uint8)
