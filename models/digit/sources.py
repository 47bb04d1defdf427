"""The data sets, and the digits that cells are made of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.digit.cells import Sources
from models.digit.strokes import Picture, stroke_bank

Labelled = tuple[Picture, NDArray[np.uint8]]


def mnist(data: Path, part: str) -> Labelled:
    """MNIST, `train` or `test`: uint8 (n, 28, 28), 255 = ink, and labels (n,)."""
    with np.load(data / "digits" / "mnist.npz") as file:
        return file[f"x_{part}"], file[f"y_{part}"].astype(np.uint8)


def usps(data: Path, part: str) -> Labelled:
    """USPS, `train` or `test`, as MNIST-like pictures: uint8 (n, 28, 28), 255 = ink."""
    with np.load(data / "digits" / "usps.npz") as file:
        pictures, labels = file[f"x_{part}"], file[f"y_{part}"].astype(np.uint8)
    grey = pictures.astype(np.float64)
    grey = (grey - grey.min()) / (grey.max() - grey.min()) * 255
    return np.pad(grey.astype(np.uint8), ((0, 0), (6, 6), (6, 6))), labels


def acta(data: Path) -> Labelled:
    """Real cells of Bolivian tally sheets: uint8 (n, 100, 100), dark on white, and labels 0 to 10."""
    with np.load(data / "digits" / "acta-cells.npz") as file:
        return file["cells"], file["labels"].astype(np.uint8)


def sources_from(*parts: Labelled, jobs: int = 1) -> Sources:
    """Digits to make cells of."""
    digits = np.concatenate([pictures for pictures, _ in parts])
    labels = np.concatenate([labels for _, labels in parts])
    bank = stroke_bank(digits, labels, jobs)
    return Sources(bank, digits, tuple(np.flatnonzero((labels == label) & (np.diff(bank.starts) > 0)) for label in range(10)))
