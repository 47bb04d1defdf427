"""A perceptual hash of the handwriting on a tally sheet: one piece of paper keeps it from scan to scan, two pieces differ.

Each cell with writing gives 32 bits: the signs of low Walsh coefficients of its cleaned ink, where it lies in its frame. Who
writes the same digit again moves and bends it by a little, and signs turn; another scanner, another resolution or a slanted sheet
hardly turn any. Paper without writing says nothing and is not compared. All arithmetic is whole numbers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from edge.definition.form import Form
from edge.tally.cells import CellCut
from edge.tally.ink import PATCH_SIDE
from edge.tally.writing import Writing

CELL_BITS = 32
"""Bits of a cell with writing."""
LEAST_CELLS = 16
"""Cells that must have writing on both sheets; with fewer, chance could make two sheets alike."""
SAME_PARTS = 8
"""Sheets on which at most an eighth of the compared bits differ carry the same ink; docs/tally-sheets.md has the measurements."""
MOST_CELLS = 40_000
"""Cells of a hash that is read; no form can have as many."""

_VERSION = "1"
_NOTHING = "-"
_CELL_TEXT = re.compile(r"[0-9a-f]{8}|-")
_GRID = 8
"""Blocks of the window along each side."""
_LEAST_INK = 48
"""Pixels of a patch that writing covers: a thin 1 has 70. Dust in a blank cell has less, and is another on every scan."""
_WINDOW = 80
"""Pixels of the middle of a patch that are hashed: the cell, 64 pixels wide, and a little of what reaches beyond it."""
_MOST_WAVES = 5
"""Changes of sign along a side in the finest pattern, which is coarser than what a scanner blurs."""

_Patterns = NDArray[np.int64]


class InkHashError(ValueError):
    """A text that is no ink hash; the message says why."""


@dataclass(frozen=True, slots=True)
class InkHash:
    """The hash of a sheet.

    Attributes:
        cells: For every cell of the form that is written by hand, in the order of the form's fields: 32 bits, or None where there
            is nothing to compare: blank paper, a cell that the image does not show, or one in doubt.
    """

    cells: tuple[int | None, ...]

    @property
    def inked(self) -> int:
        """How many cells can be compared."""
        return sum(cell is not None for cell in self.cells)

    def __str__(self) -> str:
        """Give the canonical text: `1:` and eight hex digits a cell, or `-`, with commas between."""
        return f"{_VERSION}:" + ",".join(_NOTHING if cell is None else f"{cell:08x}" for cell in self.cells)

    @classmethod
    def parse(cls, text: str) -> InkHash:
        """Read the canonical text.

        Raises:
            InkHashError: for any other text.
        """
        version, colon, rest = text.partition(":")
        if not colon or version != _VERSION:
            raise InkHashError(f"not an ink hash of version {_VERSION}: {text[:20]!a}")
        if rest.count(",") >= MOST_CELLS:
            raise InkHashError(f"more than {MOST_CELLS} cells")
        cells = rest.split(",") if rest else []
        bad = next((cell for cell in cells if _CELL_TEXT.fullmatch(cell) is None), None)
        if bad is not None:
            raise InkHashError(f"a cell has eight hex digits or {_NOTHING!r}, not {bad[:20]!a}")
        return cls(tuple(None if cell == _NOTHING else int(cell, 16) for cell in cells))


def ink_hash(form: Form, cut: CellCut, writing: Writing) -> InkHash:
    """The hash of a sheet's handwriting.

    Args:
        form: Its form; printed numbers are left out.
        cut: Cells of any of its fields, whole fields in the form's order of cells. Cells in doubt are left out: a line through
            one may be dirt on the glass of this scanner.
        writing: What is written in these cells.
    """
    starts, count = {}, 0
    for field in form.all_fields:
        if field.written == "hand":
            starts[field.name] = count
            count += field.cells * len(field.boxes)
    cells: list[int | None] = [None] * count
    bits = _cell_bits(writing)
    for name, numbers in groupby(range(len(cut.fields)), key=lambda number: cut.fields[number]):
        if name not in starts:
            continue
        for place, number in enumerate(numbers):
            cells[starts[name] + place] = bits[number] if cut.doubts[number] is None else None
    return InkHash(tuple(cells))


def distance(first: InkHash, second: InkHash) -> tuple[int, int]:
    """How many bits differ, and how many were compared: those of cells with writing on both sheets.

    Raises:
        ValueError: they are of forms with different numbers of cells.
    """
    pairs = [(a, b) for a, b in zip(first.cells, second.cells, strict=True) if a is not None and b is not None]
    return sum((a ^ b).bit_count() for a, b in pairs), CELL_BITS * len(pairs)


def is_same_ink(differing: int, compared: int) -> bool | None:
    """Whether two sheets at this distance carry the same ink; None when too few cells have writing on both."""
    if compared < LEAST_CELLS * CELL_BITS:
        return None
    return differing * SAME_PARTS <= compared


def _cell_bits(writing: Writing) -> list[int | None]:
    """32 bits of each cell; None where too little is written."""
    found: list[int | None] = [None] * len(writing.ink)
    inked = np.flatnonzero(writing.ink >= _LEAST_INK)
    for place, bits in zip(inked.tolist(), _signs(writing.darkness[inked]), strict=True):
        found[place] = bits
    return found


def _signs(darkness: NDArray[np.uint8]) -> list[int]:
    """Signs of the Walsh coefficients of cleaned patches, uint8 (n, 96, 96), the first pattern highest."""
    edge, block = (PATCH_SIDE - _WINDOW) // 2, _WINDOW // _GRID
    window = darkness[:, edge : edge + _WINDOW, edge : edge + _WINDOW].astype(np.int64)
    blocks = window.reshape(len(window), _GRID, block, _GRID, block).sum(axis=(2, 4))
    positive = blocks.reshape(len(window), _GRID * _GRID) @ _PATTERNS.T > 0
    return [int(row) for row in np.packbits(positive, axis=1).view(">u4").ravel()]


def _walsh() -> _Patterns:
    """The Walsh functions of 8 points in the order of their changes of sign: int64 (8, 8) of 1 and -1."""
    rows = np.ones((1, 1), np.int64)
    while len(rows) < _GRID:
        rows = np.block([[rows, rows], [rows, -rows]])
    return np.asarray(rows[np.argsort((np.diff(rows, axis=1) != 0).sum(axis=1))])


def _patterns(walsh: _Patterns, waves: Sequence[tuple[int, int]]) -> _Patterns:
    """Products of two functions, flat: int64 (n, 64)."""
    return np.array([np.outer(walsh[down], walsh[across]).ravel() for down, across in waves])


_PATTERNS = _patterns(
    _walsh(),
    # The three coarsest say little but where in the cell a person writes: the same for all that one writes.
    [(down, across) for down in range(_MOST_WAVES + 1) for across in range(_MOST_WAVES + 1) if max(down, across) > 1],
)
