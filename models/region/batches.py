"""Scenes in memory, and batches of them: turned by quarters, cut a little, relit. NumPy and OpenCV, no TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.region.scenes import FILL, KINDS, Scenes, load_scenes
from models.region.targets import CORNERS

_CUT = 0.12
"""Most of a picture's width and height that is cut off."""
_NOISE_POOL = 1 << 20
_OVERDRAWN = 0.12
"""Of the pictures."""


@dataclass(frozen=True, eq=False)
class SceneSet:
    """Pictures and what they show.

    Attributes:
        pictures: uint8 (n, 256, 256), each at the top left of its square.
        extents: int (n, 2), width and height of each picture in its square.
        forms: int (n, k), the form of each sheet, -1 where there is none.
        corners: float32 (n, k, 8, 2), as `targets` explains.
        visible: bool (n, k, 8).
        share: float32 (n, k).
        kinds: str (n,), what kind of scene it is.
    """

    pictures: NDArray[np.uint8]
    extents: NDArray[np.int64]
    forms: NDArray[np.int64]
    corners: NDArray[np.float32]
    visible: NDArray[np.bool_]
    share: NDArray[np.float32]
    kinds: NDArray[np.str_]

    def widened(self, places: int) -> SceneSet:
        """The same with places for so many sheets a picture."""
        more = ((0, 0), (0, places - self.forms.shape[1]))
        return replace(
            self,
            forms=np.pad(self.forms, more, constant_values=-1),
            corners=np.pad(self.corners, (*more, (0, 0), (0, 0))),
            visible=np.pad(self.visible, (*more, (0, 0))),
            share=np.pad(self.share, more),
        )

    def part(self, chosen: NDArray[Any]) -> SceneSet:
        """The scenes that `chosen` picks, by number or by a mask."""
        return SceneSet(*(getattr(self, field.name)[chosen] for field in fields(self)))


def turned(
    picture: NDArray[np.uint8], corners: NDArray[Any], extent: NDArray[Any], quarters: int
) -> tuple[NDArray[np.uint8], NDArray[Any], NDArray[Any]]:
    """A picture (256, 256), its corners (k, 8, 2) and its extent, turned clockwise by quarter turns.

    What is a corner of the form stays that corner.
    """
    width, height = (int(one) for one in extent)
    content = np.rot90(picture[:height, :width], -quarters)
    for _ in range(quarters % 4):
        corners = np.stack([height - corners[..., 1], corners[..., 0]], axis=-1)
        width, height = height, width
    square = np.full_like(picture, FILL)
    square[:height, :width] = content
    return square, corners, np.array([width, height])


def cut(
    picture: NDArray[np.uint8], corners: NDArray[Any], extent: NDArray[Any], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[Any], NDArray[Any]]:
    """The same with up to an eighth of the width and height cut off, enlarged to the old extent."""
    width, height = (int(one) for one in extent)
    part = 1 - rng.uniform(0, _CUT)
    left, top = rng.uniform(0, 1 - part) * width, rng.uniform(0, 1 - part) * height
    # Pixel middles: a point p comes to (p - corner) / part.
    matrix = np.array([[1 / part, 0, (0.5 - left) / part - 0.5], [0, 1 / part, (0.5 - top) / part - 0.5]])
    square = np.full_like(picture, FILL)
    square[:height, :width] = cv2.warpAffine(
        np.ascontiguousarray(picture[:height, :width]), matrix, (width, height), borderMode=cv2.BORDER_REPLICATE
    )
    return square, ((corners - np.array([left, top])) / part).astype(corners.dtype), extent


def relit(picture: NDArray[np.uint8], extent: NDArray[Any], noise: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Changes brightness, contrast, gamma, evenness of the light, sharpness and noise, in place."""
    width, height = (int(one) for one in extent)
    content = np.ascontiguousarray(picture[:height, :width])
    chance = rng.random(4)
    if chance[0] < 0.15:
        content = cv2.GaussianBlur(content, (3, 3), float(rng.uniform(0.3, 1.0)))
    levels = np.linspace(0, 1, 256, dtype=np.float32) ** np.exp(rng.normal(0, 0.3))
    # A few are nearly black and white, as copies are.
    contrast = rng.uniform(3, 8) if chance[1] < 0.05 else np.exp(rng.normal(0, 0.25))
    # About what is common in the picture, so that a dark one does not become black all over.
    middle = levels[int(content.mean())] + rng.normal(0, 0.05)
    levels = ((levels - middle) * contrast + middle + rng.normal(0, 0.07)) * 255
    light = levels.astype(np.float32)[content]
    if chance[2] < 0.4:
        slope = rng.normal(0, 0.25, 2)
        light *= (1 + slope[0] * np.linspace(-0.5, 0.5, width) + slope[1] * np.linspace(-0.5, 0.5, height)[:, None]).astype(
            np.float32
        )
    if chance[3] < 0.6:
        begin = int(rng.integers(0, len(noise) - content.size))
        light += rng.uniform(0, 12) * noise[begin : begin + content.size].reshape(content.shape)
    picture[:height, :width] = np.clip(light, 0, 255).astype(np.uint8)


def overdrawn(picture: NDArray[np.uint8], extent: NDArray[Any], rng: np.random.Generator) -> None:
    """Draws frames and words in rows and columns, in place, as a program does over what it has found."""
    width, height = (int(one) for one in extent)
    content = np.ascontiguousarray(picture[:height, :width])
    colour, wide = int(rng.choice((0, 20, 60, 255))), int(rng.integers(1, 3))
    columns, rows = (int(one) for one in rng.integers(1, (5, 16)))
    left, top = rng.uniform(-0.1, 0.6) * width, rng.uniform(-0.1, 0.6) * height
    step = np.array([rng.uniform(0.15, 0.9) * width / columns, rng.uniform(0.25, 1.0) * height / rows])
    size = step * rng.uniform(0.3, 1.0, 2)
    for column, row in np.ndindex(columns, rows):
        corner = (np.array([left, top]) + step * (column, row) + rng.normal(0, 0.5, 2)).astype(int)
        cv2.rectangle(content, corner.tolist(), (corner + size).astype(int).tolist(), colour, wide)
        if rng.random() < 0.3:
            place = (int(corner[0] + 2), int(corner[1] + size[1] * 0.8))
            cv2.putText(content, "Presidente 021", place, cv2.FONT_HERSHEY_SIMPLEX, 0.2, colour, 1, cv2.LINE_AA)
    picture[:height, :width] = content


def noise_pool(seed: int) -> NDArray[np.float32]:
    """Gaussian noise to take pieces of."""
    return np.random.default_rng(seed).standard_normal(_NOISE_POOL, np.float32)


def augmented(scenes: SceneSet, rng: np.random.Generator, noise: NDArray[np.float32] | None = None) -> SceneSet:
    """Every scene turned by a random number of quarters, half of them cut, some drawn upon, their light changed."""
    noise = noise_pool(1) if noise is None else noise
    pictures, extents, corners = scenes.pictures.copy(), scenes.extents.copy(), scenes.corners.copy()
    for number in range(len(pictures)):
        one = turned(pictures[number], corners[number], extents[number], int(rng.integers(4)))
        if rng.random() < 0.5:
            one = cut(*one, rng)
        pictures[number], corners[number], extents[number] = one
        if rng.random() < _OVERDRAWN:
            overdrawn(pictures[number], extents[number], rng)
        relit(pictures[number], extents[number], noise, rng)
    return SceneSet(pictures, extents, scenes.forms, corners, scenes.visible, scenes.share, scenes.kinds)


def batches(scenes: SceneSet, size: int, rng: np.random.Generator) -> Iterator[SceneSet]:
    """Augmented batches without end, every scene once before any comes again."""
    noise = noise_pool(int(rng.integers(1 << 30)))
    while True:
        order = rng.permutation(len(scenes.pictures))
        for begin in range(0, len(order) - size + 1, size):
            yield augmented(scenes.part(order[begin : begin + size]), rng, noise)


def read_scenes(folder: Path, most: int | None = None) -> SceneSet:
    """The scenes of a folder's shards (`scenes-*.npz`, see `models.region.scenes`), at most so many, in order.

    Raises:
        FileNotFoundError: if there is no shard.
    """
    parts: list[SceneSet] = []
    wanted = most
    for file in sorted(folder.glob("scenes-*.npz")):
        part = scene_set(load_scenes(file))
        parts.append(part if wanted is None else part.part(np.arange(min(wanted, len(part.pictures)))))
        if wanted is not None and (wanted := wanted - len(part.pictures)) <= 0:
            break
    if not parts:
        raise FileNotFoundError(f"no scenes-*.npz in {folder}")
    places = max(part.forms.shape[1] for part in parts)
    wide = [part.widened(places) for part in parts]
    return SceneSet(*(np.concatenate([getattr(part, field.name) for part in wide]) for field in fields(SceneSet)))


def scene_set(scenes: Scenes) -> SceneSet:
    """A shard's rows of sheets as places of their pictures; sheets of which nothing is shown are left out."""
    shown = np.flatnonzero(scenes.shares > 0)
    owners = scenes.owners[shown]
    places = np.arange(len(owners)) - np.searchsorted(owners, owners)
    count, most = len(scenes.pictures), int(places.max(initial=0)) + 1
    forms = np.full((count, most), -1, np.int64)
    corners = np.zeros((count, most, CORNERS, 2), np.float32)
    visible = np.zeros((count, most, CORNERS), np.bool_)
    share = np.zeros((count, most), np.float32)
    forms[owners, places] = scenes.forms[shown]
    corners[owners, places] = scenes.corners[shown]
    visible[owners, places] = scenes.visible[shown]
    share[owners, places] = scenes.shares[shown]
    kinds = np.array(KINDS)[scenes.kinds]
    return SceneSet(scenes.pictures, scenes.sizes.astype(np.int64), forms, corners, visible, share, kinds)
