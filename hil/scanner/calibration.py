"""The scanner's calibration tables: what each pixel of its two arrays gives for white and for black."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.scanner.sheet import Grey

COLUMNS = 1728
"""Pixels of one side at 200 dpi."""
_BITS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """One array's levels for white and black, uint8, one per column from left to right as a person sees the side."""

    white: Grey
    black: Grey

    @property
    def flat(self) -> bool:
        """Pixels need no correction."""
        return bool((self.white == 255).all() and (self.black == 0).all())


def flat_tables() -> Tables:
    """Make the tables of a perfect array."""
    return Tables(np.full(COLUMNS, 255, np.uint8), np.zeros(COLUMNS, np.uint8))


def worn_tables(seed: int) -> Tables:
    """Make tables that vary over the columns: a lamp weaker at the ends, groups of sensor chips that differ, and noise."""
    rng = np.random.default_rng(seed)
    across = np.linspace(-1, 1, COLUMNS)
    chips = np.repeat(rng.normal(0, 4, 12), COLUMNS // 12)
    white = 218 - 22 * across**2 + chips + rng.normal(0, 1.5, COLUMNS)
    black = 11 + np.repeat(rng.normal(0, 1.5, 12), COLUMNS // 12) + rng.normal(0, 0.7, COLUMNS)
    return Tables(_levels(white), _levels(black))


def reply_bodies(top: Tables, bottom: Tables, *, native: bool) -> list[bytes]:
    """Say the tables as the scanner does, top first: each side runs against the direction of its pixels on the wire.

    The checksum is a guess: the notes know only that it is there.

    Args:
        top: Of the upper array.
        bottom: Of the lower array.
        native: For every pixel at 400 dpi instead of 200.
    """
    bodies = []
    for side, white, black in ((0, top.white, top.black), (1, bottom.white[::-1], bottom.black[::-1])):
        fine = 2 if native else 1
        body = b"W" + struct.pack("<HB", COLUMNS * fine, side << 4 | _BITS)
        for table in (np.repeat(white, fine), np.repeat(black, fine)):
            body += table.tobytes() + struct.pack("<H", int(table.sum(dtype=np.uint32)) & 0xFFFF)
        bodies.append(body)
    return bodies


def _levels(values: NDArray[np.float64]) -> Grey:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
