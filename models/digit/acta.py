"""Real cells of Bolivian tally sheets as patches, and which of them may train."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray


def acta_patches(cells: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Patches of crudely cut cells, as if the cell's frame were the picture's border.

    Args:
        cells: uint8 (n, 100, 100), ink dark on white.

    Returns:
        uint8 (n, 96, 96), darkness, nothing outside the frame.
    """
    patches = np.zeros((len(cells), 96, 96), np.uint8)
    for number, cell in enumerate(cells):
        patches[number, 16:80, 16:80] = cv2.resize(255 - cell, (64, 64), interpolation=cv2.INTER_AREA)
    return patches


def trains(count: int) -> NDArray[np.bool_]:
    """Which of the cells train: those with even numbers. The odd half is only for judging."""
    return np.arange(count) % 2 == 0


def doubtful_cells() -> dict[int, str]:
    """Cells whose label no one can vouch for, and why: number to reason."""
    lines = (Path(__file__).parent / "acta-doubts.txt").read_text(encoding="utf-8").splitlines()
    doubts = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    return {int(number): reason for number, reason in doubts}
