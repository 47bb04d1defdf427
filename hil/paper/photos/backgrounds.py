"""What papers lie on: made-up desks, cloths, floors and scanner beds."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from hil.paper.photos.knobs import BACKGROUNDS, BEDS, Background
from hil.paper.photos.paper import Colour

_Plane = NDArray[np.float32]
_WORK = 1024
"""Larger pictures get an enlarged background: nobody looks at a desk's pores."""


def clouds(size: tuple[int, int], cells: tuple[int, int], rng: np.random.Generator) -> _Plane:
    """Smooth noise of `cells` (across, down) bumps, sigma about 1; shape (height, width)."""
    seeds = rng.standard_normal((max(2, cells[1]), max(2, cells[0])), dtype=np.float32)
    return np.asarray(cv2.resize(seeds, size, interpolation=cv2.INTER_LINEAR), dtype=np.float32)


def background(name: Background, size: tuple[int, int], rng: np.random.Generator) -> Colour:
    """Paints a background of `size` (width, height): RGB, uint8."""
    shrink = max(1.0, max(size) / _WORK)
    small = (max(2, round(size[0] / shrink)), max(2, round(size[1] / shrink)))
    side = max(small)
    if name in BEDS:
        tone, plane = _bed(name, small, rng)
    else:
        # A square about the picture, turned by any angle.
        square = round(side * 1.45)
        plane = _PAINTERS[name]((square, square), rng)
        turn = cv2.getRotationMatrix2D((square / 2, square / 2), float(rng.uniform(0, 360)), 1.0)
        turn = turn + np.array(((0, 0, (small[0] - square) / 2), (0, 0, (small[1] - square) / 2)))
        plane = np.asarray(cv2.warpAffine(plane, turn, small, borderMode=cv2.BORDER_REFLECT), dtype=np.float32)
        tone = _tone(rng)
    # OpenCV rounds and cuts to 0..255 in one go.
    painted = cv2.merge([cv2.convertScaleAbs(np.maximum(plane, 0), alpha=part) for part in tone])
    return np.asarray(painted if small == size else cv2.resize(painted, size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def any_background(flat: bool, rng: np.random.Generator) -> Background:
    """Draws one for a scan (`flat`) or a photograph."""
    names = BEDS if flat else tuple(name for name in BACKGROUNDS if name not in BEDS)
    return names[int(rng.integers(len(names)))]


def _tone(rng: np.random.Generator) -> tuple[float, float, float]:
    """The colour at plane value 1: dark, middle or bright, brownish or any."""
    level = rng.uniform(40, 320)
    if rng.random() < 0.5:
        warm = rng.uniform(0.0, 0.35)
        return level, level * (1 - 0.7 * warm), level * (1 - 1.5 * warm)
    tints = 1 + rng.uniform(-0.35, 0.0, 3)
    return level * tints[0], level * tints[1], level * tints[2]


def _bed(name: Background, size: tuple[int, int], rng: np.random.Generator) -> tuple[tuple[float, float, float], _Plane]:
    level = rng.uniform(4, 40) if name == "black bed" else rng.uniform(225, 252)
    return (level, level, level + 2), 1 + 0.01 * clouds(size, (3, 3), rng)


def _wood(size: tuple[int, int], rng: np.random.Generator) -> _Plane:
    rings = 6 * clouds(size, (3, int(rng.integers(4, 12))), rng)
    fibre = clouds(size, (6, max(8, size[1] // 3)), rng)
    plane = 0.85 + 0.08 * np.sin(rings * rng.uniform(0.5, 2)) + rng.uniform(0.02, 0.07) * fibre
    if rng.random() < 0.4:
        for row in np.linspace(0, size[1], int(rng.integers(3, 8)))[1:-1].astype(int).tolist():
            plane[row : row + max(1, size[1] // 250)] *= 0.5
    return np.asarray(plane, dtype=np.float32)


def _cloth(size: tuple[int, int], rng: np.random.Generator) -> _Plane:
    period = rng.uniform(0.01, 0.08) * size[0]
    x, y = np.arange(size[0], dtype=np.float32) / period, np.arange(size[1], dtype=np.float32) / period
    across, down = (np.sin(2 * np.pi * x) > rng.uniform(-0.9, 0.9)), (np.sin(2 * np.pi * y) > rng.uniform(-0.9, 0.9))
    plane = 0.8 - rng.uniform(0.02, 0.3) * across[None, :] - rng.uniform(0.0, 0.3) * down[:, None]
    folds = rng.uniform(0.0, 0.12) * clouds(size, (int(rng.integers(2, 7)), int(rng.integers(2, 7))), rng)
    return np.asarray(plane + folds, dtype=np.float32)


def _tiles(size: tuple[int, int], rng: np.random.Generator) -> _Plane:
    across, down = int(rng.integers(3, 16)), int(rng.integers(3, 16))
    spread = rng.uniform(0.01, 0.12)
    tones = (0.85 + spread * rng.standard_normal((down, across))).astype(np.float32)
    plane = np.asarray(cv2.resize(tones, size, interpolation=cv2.INTER_NEAREST), dtype=np.float32)
    joint, tone = max(1, round(size[0] * rng.uniform(0.003, 0.015))), rng.uniform(0.3, 1.3)
    for column in np.linspace(0, size[0], across + 1).astype(int).tolist():
        plane[:, column : column + joint] = tone
    for row in np.linspace(0, size[1], down + 1).astype(int).tolist():
        plane[row : row + joint] = tone
    return plane


def _carpet(size: tuple[int, int], rng: np.random.Generator) -> _Plane:
    fine = clouds(size, (size[0] // 2, size[1] // 2), rng)
    rough = clouds(size, (int(rng.integers(4, 40)),) * 2, rng)
    return np.asarray(0.75 + rng.uniform(0.03, 0.2) * fine + rng.uniform(0.0, 0.15) * rough, dtype=np.float32)


def _gradient(size: tuple[int, int], rng: np.random.Generator) -> _Plane:
    ramp = np.linspace(rng.uniform(0.2, 1.0), rng.uniform(0.2, 1.0), size[1], dtype=np.float32)
    return np.asarray(np.repeat(ramp[:, None], size[0], axis=1) + 0.02 * clouds(size, (4, 4), rng), dtype=np.float32)


def _keys(size: tuple[int, int], rng: np.random.Generator) -> _Plane:
    """Rows of boxes with something in them: a keyboard, a calculator, a rack."""
    key, gap = rng.uniform(0.03, 0.09) * size[0], rng.uniform(0.1, 0.35)
    ground, tone = rng.uniform(0.1, 1.0, 2)
    plane = np.full((size[1], size[0]), ground, dtype=np.float32)
    stretch = rng.uniform(0.7, 1.8)
    for row in range(int(size[1] / key) + 1):
        start = rng.uniform(-1, 0) * key
        for column in range(int(size[0] / (key * stretch)) + 2):
            left, top = start + column * key * stretch, row * key
            box = (round(left), round(top)), (round(left + key * (stretch - gap)), round(top + key * (1 - gap)))
            cv2.rectangle(plane, box[0], box[1], (float(tone),), -1)
            if (row + column) % 3:
                dot = (round(left + key * 0.3), round(top + key * 0.4))
                cv2.circle(plane, dot, max(1, round(key * 0.1)), (float(ground),), -1)
    return plane


def _plain(size: tuple[int, int], rng: np.random.Generator) -> _Plane:
    return np.asarray(0.9 + rng.uniform(0.0, 0.05) * clouds(size, (5, 5), rng), dtype=np.float32)


def _stone(size: tuple[int, int], rng: np.random.Generator) -> _Plane:
    plane = np.full((size[1], size[0]), 0.8, dtype=np.float32)
    for cells in (6, 20, 60):
        plane += 0.05 * clouds(size, (cells, cells), rng)
    veins = np.abs(clouds(size, (5, 5), rng)) < 0.03
    plane[veins] *= rng.uniform(0.5, 1.3)
    return plane


_PAINTERS: Mapping[Background, Callable[[tuple[int, int], np.random.Generator], _Plane]] = {
    "wood": _wood,
    "cloth": _cloth,
    "tiles": _tiles,
    "carpet": _carpet,
    "gradient": _gradient,
    "keys": _keys,
    "plain": _plain,
    "stone": _stone,
}
