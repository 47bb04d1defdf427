"""Inputs and labels to train and to judge with, made by many processes from one seed."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.tally.ink import SQUARE_FRAME, clean_ink, model_inputs
from models.digit.cells import EMPTY, UNREADABLE, Knobs, Sources, made_cell
from models.digit.sources import Labelled
from models.digit.strokes import Picture

_BATCH = 500
_BLANK_SHARE = 0.01
"""Of the cells made, how many may be wholly blank: all of them are the same picture."""

_LEGIBLE, _MEANT = 0.86, 0.75
"""Of a digit, and of anything else, how much must be found for its label to be true: of a digit of which less is found no one
could say whether it is that digit, or one at all."""

_shared: Sources | None = None


def made_inputs(sources: Sources | None, knobs: Knobs, count: int, seed: int, jobs: int) -> Labelled:
    """The model's inputs of `count` made-up cells or a little fewer: uint8 (n, 28, 28), and labels (n,)."""
    global _shared  # noqa: PLW0603 - forked processes get the sources without copying them
    _shared = sources
    with ProcessPoolExecutor(jobs) as pool:
        parts = list(pool.map(partial(_batch, knobs=knobs), [(seed, number) for number in range(-(-count // _BATCH))]))
    return np.concatenate([inputs for inputs, _ in parts]), np.concatenate([labels for _, labels in parts])


def _batch(seed: tuple[int, int], knobs: Knobs) -> Labelled:
    cv2.setNumThreads(1)
    rng = np.random.default_rng(seed)
    cells = [made_cell(rng, _shared, knobs) for _ in range(_BATCH)]
    labels = np.array([cell.label for cell in cells], np.uint8)
    clean = clean_ink(np.stack([cell.patch for cell in cells]), SQUARE_FRAME)
    shown = np.array([cell.shown(darkness) for cell, darkness in zip(cells, clean.darkness, strict=True)])
    inked = (clean.ink > 0) & (shown >= np.where(labels < EMPTY, _LEGIBLE, _MEANT))
    # What cleaning leaves of an empty cell is for a person to look at, and what it leaves nothing of cannot be told from paper.
    labels[inked & (labels == EMPTY)] = UNREADABLE
    blank = np.flatnonzero((clean.ink == 0) & (labels == EMPTY))[: int(_BATCH * _BLANK_SHARE)]
    kept = np.sort(np.concatenate([np.flatnonzero(inked), blank]))
    return model_inputs(clean)[kept], labels[kept]


def moved(pictures: Picture, rng: np.random.Generator, strength: float = 1.0) -> Picture:
    """The pictures turned, slanted, scaled and shifted a little, stroke weight changed; uint8 (n, 28, 28)."""
    out = np.empty_like(pictures)
    for number, picture in enumerate(pictures):
        angle, slant = rng.normal(0, 0.12 * strength), rng.normal(0, 0.15 * strength)
        scale = np.exp(rng.normal(0, 0.07 * strength, 2))
        turn = (
            np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.array([[1, -slant], [0, 1]]) * scale
        )
        shift = np.array([13.5, 13.5]) - turn @ np.array([13.5, 13.5]) + rng.normal(0, 0.8 * strength, 2)
        turned = cv2.warpAffine(picture, np.column_stack([turn, shift]), (28, 28), flags=cv2.INTER_LINEAR)
        if rng.random() < 0.3:
            wave = cv2.GaussianBlur(rng.uniform(-1, 1, (28, 28, 2)).astype(np.float32), (0, 0), 4) * 28 * strength
            y, x = np.mgrid[0:28, 0:28].astype(np.float32)
            turned = cv2.remap(turned, x + wave[..., 0], y + wave[..., 1], cv2.INTER_LINEAR)
        weight = rng.random()
        if weight < 0.1:
            turned = np.maximum(turned, (cv2.dilate(turned, np.ones((2, 2), np.uint8)) * 0.9).astype(np.uint8))
        elif weight < 0.2:
            turned = cv2.addWeighted(cv2.erode(turned, np.ones((2, 2), np.uint8)), 0.7, turned, 0.3, 0)
        out[number] = turned
    return out


def label_counts(labels: NDArray[np.uint8]) -> list[int]:
    """How many of each label, 0 to 12."""
    return np.bincount(labels, minlength=13).tolist()
