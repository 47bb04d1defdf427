"""The region model: which forms lie in a picture and where, roughly, whatever way up and however the paper was photographed.

The model sees the picture at 256 pixels and gives heat maps on a grid of 32 by 32 cells: where the middle of a form's table is,
where corners are, and from each cell the ways to all eight corners. What is decoded from them here, in whole numbers only, seeds
the exact registration on the original pixels. The recorded answer is the one of the fixed-point interpreter alone: the model is
itself a second opinion, and what it finds is measured again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from edge.inference.error import ModelError
from edge.inference.fixed import ARITHMETIC, FixedInterpreter
from edge.inference.identity import FinderIdentity
from edge.inference.model import parse_model
from edge.inference.reduction import SIDE, Grey, extents, reduced
from edge.inference.released import RELEASED, load_released
from edge.inference.rescale import Int8Array

CELLS = 32
"""On each side of the grid."""
CELL = SIDE // CELLS
"""Pixels of the model's input on each side of a cell."""
CORNERS = 8
"""Of the sheet, then of the table; each top left, top right, bottom right, bottom left of the upright form."""
MOST_REGIONS = 16
"""Found in one picture."""

_PARTS = 256
"""Of a pixel, in positions."""
_HALF_CELL = CELL * _PARTS // 2
_TENS = 10
"""Cells that a vector of 1 is long."""
_MILLION = 1_000_000
_SCORES = 256
"""Values of an int8 score."""
_SURE = 10_000
_RADIUS = 3 * CELL * _PARTS
"""How far from where its vector points a corner's peak may lie."""
_MOST_FORMS = 64
_NINE = tuple(product(range(3), repeat=2))
"""Rows and columns of a cell and the eight around it, in reading order."""
_NOWHERE = -1_000
"""Below every score."""

Heat = NDArray[np.int64]
Place = tuple[int, int]
"""x and y in 1/256 pixel of the model's input."""
Whole = TypeVar("Whole", int, NDArray[np.int64])


@dataclass(frozen=True, slots=True)
class Corner:
    """A corner of a sheet or of a table.

    Attributes:
        x: In 1/256 pixel of the original picture from its left edge; may lie outside.
        y: The same from its top edge.
        seen: Whether it is a peak of the corner's own heat map, or only where the middle's vector points.
    """

    x: int
    y: int
    seen: bool


Quad = tuple[Corner, Corner, Corner, Corner]
"""Top left, top right, bottom right, bottom left of the upright form."""


@dataclass(frozen=True, slots=True)
class Region:
    """A form in a picture.

    Attributes:
        form: Its name.
        confidence: Calibrated probability that it is that form, there, in parts per 10,000.
        sheet: Corners of the paper.
        table: Corners of the table of votes.
    """

    form: str
    confidence: int
    sheet: Quad
    table: Quad


@dataclass(frozen=True, slots=True)
class RegionCard:
    """What was measured about a region model when it was released.

    Attributes:
        forms: Names of the forms, in the order of their heat maps.
        threshold: Least score, -128 to 127, of a middle that counts.
        corner_threshold: Least score of a corner's peak that counts.
        zero_point: The score that stands for 0.
        step: What one step of a score stands for, in millionths.
        confidence: For every score of a middle from -128 to 127 the calibrated probability, in parts per 10,000.
    """

    forms: tuple[str, ...]
    threshold: int
    corner_threshold: int
    zero_point: int
    step: int
    confidence: tuple[int, ...]

    @property
    def channels(self) -> int:
        """Channels of the model's output: the forms' heats, the corners', and two parts of each corner's vector."""
        return len(self.forms) + 3 * CORNERS


def parse_region_card(data: bytes) -> RegionCard:
    """Read the card of a region model.

    Raises:
        ModelError: `modelCard` if it is not JSON or not as agreed.
    """
    try:
        card = json.loads(data)
        forms, confidence = tuple(card["forms"]), tuple(card["confidence"])
        scores = card["threshold"], card["corner_threshold"], card["zero_point"]
        step = card["step_parts_per_million"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError("modelCard", f"the model's card cannot be read: {error!r}") from error
    if not 1 <= len(forms) <= _MOST_FORMS or not all(isinstance(form, str) for form in forms) or len(set(forms)) != len(forms):
        raise ModelError("modelCard", f"the model's card must name 1 to {_MOST_FORMS} different forms")
    if not all(type(score) is int and -128 <= score <= 127 for score in scores):
        raise ModelError("modelCard", "threshold, corner_threshold and zero_point must be whole numbers from -128 to 127")
    if type(step) is not int or not 1 <= step <= _MILLION:
        raise ModelError("modelCard", f"step_parts_per_million must be a whole number from 1 to {_MILLION}")
    if len(confidence) != _SCORES or not all(type(part) is int and 0 <= part < _SURE for part in confidence):
        raise ModelError("modelCard", "confidence must be 256 whole numbers from 0 to 9999")
    return RegionCard(forms, *scores, step, confidence)


def decode(scores: Int8Array, card: RegionCard, width: int, height: int) -> tuple[Region, ...]:
    """Find the forms in what the model says to a picture; the best first, at most `MOST_REGIONS`.

    Args:
        scores: (32, 32, channels) int8 by row and column of the grid: the forms' middles, the corners, then the vectors, x and y
            for each corner in turn.
        card: The model's card.
        width: Of the original picture, pixels.
        height: Of the original picture, pixels.
    """
    if scores.dtype != np.int8 or scores.shape != (CELLS, CELLS, card.channels):
        raise ValueError(f"expected ({CELLS}, {CELLS}, {card.channels}) int8, got {scores.shape} {scores.dtype}")
    maps = scores.transpose(2, 0, 1).astype(np.int64)
    middles, heats, vectors = np.split(maps, (len(card.forms), len(card.forms) + CORNERS))
    seen = [_seen(heat, card.corner_threshold) for heat in heats]
    inner_width, inner_height = extents(width, height)
    found: list[Region] = []
    for score, row, column in _peaks(middles.max(axis=0), card.threshold):
        # Between equal scores the name decides, so that the order of the heat maps does not.
        form = min(name for name, heat in zip(card.forms, middles, strict=True) if heat[row, column] == score)
        steps = vectors[:, row, column] - card.zero_point
        ways = _rounded(steps * (card.step * _TENS * CELL * _PARTS), _MILLION).reshape(CORNERS, 2)
        corners = []
        for place, peaks in zip((ways + _middle(row, column)).tolist(), seen, strict=True):
            peak = _near(place, peaks)
            x, y = peak or place
            corners.append(Corner(_rounded(x * width, inner_width), _rounded(y * height, inner_height), peak is not None))
        sheet, table = (cast("Quad", tuple(corners[start : start + 4])) for start in (0, 4))
        region = Region(form, card.confidence[score + 128], sheet, table)
        if not any(_one_place(better, region) for better in found):
            found.append(region)
        if len(found) == MOST_REGIONS:
            break
    return tuple(found)


def _rounded(numerator: Whole, denominator: Whole | int) -> Whole:
    """Divide, halves up."""
    return (2 * numerator + denominator) // (2 * denominator)


def _middle(row: int, column: int) -> Place:
    """Give the middle of a cell in 1/256 pixel of the input, x and y."""
    return (2 * column + 1) * _HALF_CELL, (2 * row + 1) * _HALF_CELL


def _peaks(heat: Heat, threshold: int) -> list[tuple[int, int, int]]:
    """Give score, row and column of the cells that reach the threshold and exceed their neighbours, the best first.

    Among equal neighbours the first in reading order counts.
    """
    around = _windows(heat)
    # The fifth of nine is the cell itself.
    before, after = around[..., :4].max(axis=2), around[..., 5:].max(axis=2)
    rows, columns = np.nonzero((heat >= threshold) & (heat > before) & (heat >= after))
    return sorted(zip(heat[rows, columns].tolist(), rows.tolist(), columns.tolist(), strict=True), key=lambda peak: -peak[0])


def _windows(heat: Heat) -> Heat:
    """Give the nine cells around each cell, row by row; `_NOWHERE` for those beside the grid."""
    wide = np.pad(heat, 1, constant_values=_NOWHERE)
    return np.stack([wide[down : down + CELLS, right : right + CELLS] for down, right in _NINE], axis=2)


def _seen(heat: Heat, threshold: int) -> list[tuple[int, Place]]:
    """Give the peaks of a corner's heat map with their places.

    A place is the centroid of the nine cells, weighted with what each has more than the least of them.
    """
    peaks = _peaks(heat, threshold)
    if not peaks:
        return []
    scores, rows, columns = np.array(peaks, np.int64).T
    around = _windows(heat)[rows, columns]
    least = np.where(around == _NOWHERE, scores[:, np.newaxis], around).min(axis=1, keepdims=True)
    # What is beside the grid weighs nothing; where all are equal, nothing leads away from the middle.
    weights = np.maximum(around - least, 0)
    total = np.maximum(weights.sum(axis=1), 1)
    down, right = np.array(_NINE).T - 1
    x = (2 * columns + 1) * _HALF_CELL + _rounded((weights * right).sum(axis=1) * (2 * _HALF_CELL), total)
    y = (2 * rows + 1) * _HALF_CELL + _rounded((weights * down).sum(axis=1) * (2 * _HALF_CELL), total)
    return list(zip(scores.tolist(), zip(x.tolist(), y.tolist(), strict=True), strict=True))


def _near(place: Place, peaks: list[tuple[int, Place]]) -> Place | None:
    """Give the best peak within the radius around a place, the nearer of equal ones; None if there is none."""
    ranked = [(-score, (peak[0] - place[0]) ** 2 + (peak[1] - place[1]) ** 2, peak) for score, peak in peaks]
    return min((entry for entry in ranked if entry[1] <= _RADIUS**2), default=(0, 0, None))[2]


def _one_place(better: Region, other: Region) -> bool:
    """Whether the middles of two tables are nearer than a quarter of the better one's diagonal."""
    # Sums over four corners are four times the middle.
    right = sum(corner.x for corner in better.table) - sum(corner.x for corner in other.table)
    down = sum(corner.y for corner in better.table) - sum(corner.y for corner in other.table)
    first, second, third, fourth = better.table
    return right**2 + down**2 <= max((a.x - b.x) ** 2 + (a.y - b.y) ** 2 for a, b in ((first, third), (second, fourth)))


class RegionFinder:
    """Finds forms in pictures, in whole numbers from the pixels to the corners.

    Attributes:
        card: The model's thresholds and calibration.
        identity: What finds.
    """

    def __init__(self) -> None:
        """Load the released model.

        Raises:
            ModelError: as `load_released`, `parse_region_card`, `parse_model` and `FixedInterpreter` do.
        """
        self._fixed = FixedInterpreter(parse_model(load_released("region")))
        self.card = parse_region_card(load_released("regionCard"))
        if self._fixed.input_shape != (SIDE, SIDE, 1) or self._fixed.output_shape != (CELLS, CELLS, self.card.channels):
            raise ModelError("modelCard", f"the region model maps {self._fixed.input_shape} to {self._fixed.output_shape}")
        released = RELEASED["region"]
        self.identity = FinderIdentity(released.file, released.sha256, ARITHMETIC)

    def find(self, plane: Grey) -> tuple[Region, ...]:
        """Find the forms in a picture, the best first: (height, width) uint8, at least 1x1; of colours the darkest channel."""
        seen, _, _ = reduced(plane)
        # Flipping the highest bit is the subtraction of 128 in eight bits.
        scores = self._fixed.run((seen ^ np.uint8(128)).view(np.int8)[np.newaxis, :, :, np.newaxis])
        height, width = plane.shape
        return decode(scores[0], self.card, width, height)


@cache
def region_finder() -> RegionFinder:
    """Give the released region finder of this process, loaded once; raises as `RegionFinder`."""
    return RegionFinder()
