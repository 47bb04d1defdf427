"""Made-up cells: a digit, or something else, in a printed frame, with what scanning and people add to it.

Plain NumPy and OpenCV. `made_cell` gives a patch as service cuts it (see `edge.tally.ink`) and its label.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.digit import glyphs
from models.digit.strokes import Picture, StrokeBank, Strokes, bent, centred, drawn

EMPTY, DASH, UNREADABLE = 10, 11, 12
LABELS = 13
SIDE = 96
LOW, HIGH = 16, 80
"""The frame's centre lines in a patch."""

_ALIKE = [
    {0, 6},
    {0, 8},
    {0, 9},
    {0, 1},
    {0, 7},
    {3, 8},
    {6, 8},
    {8, 9},
    {2, 8},
    {5, 8},
    {5, 6},
    {1, 7},
    {1, 4},
    {1, 9},
    {4, 9},
    {7, 9},
    {3, 9},
]
"""Digits that, one on top of the other, may look like one of them."""

_Ink = NDArray[np.float32]
"""Darkness of a patch, 0 to 1, (96, 96)."""


@dataclass(frozen=True)
class Sources:
    """Handwritten digits to draw from.

    Attributes:
        bank: Their pen paths.
        digits: uint8 (n, h, w), 255 = ink, the same digits.
        by_label: Numbers of the digits with each label.
    """

    bank: StrokeBank
    digits: Picture
    by_label: tuple[NDArray[np.int64], ...]


@dataclass(frozen=True)
class Knobs:
    """Shares of what may happen to a cell.

    Attributes:
        kinds: Of digits, empty cells, dashes, unreadable ones.
        own: Digits from our own pen paths; more than twice as many ones, since MNIST's have neither flag nor foot.
        type: Digits that are printed.
        enlarged: Handwritten digits that are enlarged as they are; of the others another pen draws the thinned path. A loop that
            the first pen filled is lost by thinning, so whoever judges asks for more of these.
        sans: Printed digits in Pillow's own sans-serif type as well.
        bend: How far a handwritten digit is bent into another hand's.
        damage: Factor on the share and strength of noise, frames, neighbours and clipping; 1 in training.
    """

    kinds: tuple[float, float, float, float] = (0.74, 0.06, 0.06, 0.14)
    own: float = 0.27
    type: float = 0.06
    enlarged: float = 0.22
    sans: bool = False
    bend: float = 1.0
    damage: float = 1.0


@dataclass(frozen=True, eq=False)
class Cell:
    """A made-up cell.

    Attributes:
        patch: uint8 (96, 96), 0 = paper, 255 = full ink.
        label: 0 to 12.
        own: bool (96, 96), where its own writing was drawn; noise or a skipping pen may have hidden some.
    """

    patch: Picture
    label: int
    own: NDArray[np.bool_]

    def shown(self, clean: Picture) -> float:
        """How much of its writing cleaning found, 0 to 1; `clean` is the cleaned patch, uint8 (96, 96)."""
        near = cv2.dilate((clean >= 72).astype(np.uint8), np.ones((5, 5), np.uint8))
        return float(near[self.own].mean()) if self.own.any() else 1.0


def made_cell(rng: np.random.Generator, sources: Sources | None, knobs: Knobs) -> Cell:
    """One cell; without handwritten digits to draw from all are our own pen's."""
    kind = int(rng.choice(4, p=knobs.kinds))
    pen = float(np.exp(rng.normal(np.log(3.0), 0.33)))
    pen = min(max(pen, 1.3), 9.0)
    if kind == 0:
        label = int(rng.integers(10))
        ink = _digit(rng, sources, knobs, label, pen)
    elif kind == 1:
        label, ink = EMPTY, np.zeros((SIDE, SIDE), np.float32)
    elif kind == 2:
        label, ink = DASH, _dash(rng, pen)
    else:
        label, ink = UNREADABLE, _unreadable(rng, sources, knobs, pen)
    patch, own = _on_paper(ink, rng, sources, knobs, pen, label)
    if rng.random() < 0.10 * knobs.damage and label != DASH:
        patch = _local_threshold(patch, rng)
    return Cell(patch, label, own)


def strokes_of(rng: np.random.Generator, sources: Sources | None, knobs: Knobs, label: int) -> Strokes:
    """A pen path for a digit, from our own or from the handwritten ones, bent by chance."""
    if sources is None or rng.random() < knobs.own * (2.3 if label == 1 else 1):
        # A flag that is turned far is the bar of a seven.
        return bent(glyphs.own_digit(label, rng), rng, knobs.bend * (0.6 if label == 1 else 1))
    lines = sources.bank.of(int(rng.choice(sources.by_label[label])))
    if label == 7 and rng.random() < 0.35:
        lines = _crossed(lines, rng, tilt=(-0.35, 0.2))
    elif label == 0 and rng.random() < 0.12:
        lines = _crossed(lines, rng, tilt=(-1.3, -0.6))
    return bent(lines, rng, knobs.bend)


def _crossed(lines: Strokes, rng: np.random.Generator, tilt: tuple[float, float]) -> Strokes:
    """With a bar through the middle."""
    angle = rng.uniform(*tilt)
    half = rng.uniform(0.16, 0.32) if tilt[1] > 0 else rng.uniform(0.4, 0.55)
    middle = rng.normal(0, 0.05, 2)
    way = np.array([np.cos(angle), np.sin(angle)]) * half
    return np.concatenate([lines, np.array([[middle - way, middle + way]], np.float32)]).astype(np.float32)


def _place(rng: np.random.Generator, size: float, width: float, height: float) -> tuple[float, float]:
    """Middle of writing, mostly inside the frame."""
    reach = []
    for extent in (width * size, height * size):
        slack = max(0.0, (HIGH - LOW - extent) / 2 - 2)
        move = rng.uniform(-slack, slack) if rng.random() < 0.6 else rng.normal(0, 0.3) * slack
        if rng.random() < 0.08:
            move += rng.normal(0, 7)
        reach.append((LOW + HIGH) / 2 + move)
    return reach[0], reach[1]


def _digit(rng: np.random.Generator, sources: Sources | None, knobs: Knobs, label: int, pen: float) -> _Ink:
    size = float(np.clip(rng.normal(37, 11), 14, 64))
    way = rng.random()
    if way < knobs.type:
        return _picture(rng, glyphs.typed(str(label), rng, sans=knobs.sans), rng.uniform(16, 46), tilt=0.02)
    if sources is not None and way < knobs.type + knobs.enlarged:
        number = int(rng.choice(sources.by_label[label]))
        return _picture(rng, sources.digits[number], size, tilt=0.1)
    lines = strokes_of(rng, sources, knobs, label)
    pen = min(pen, size / 5)
    if not len(lines):
        return np.zeros((SIDE, SIDE), np.float32)
    low, high = lines.reshape(-1, 2).min(axis=0), lines.reshape(-1, 2).max(axis=0)
    middle = _place(rng, size, *(high - low))
    if rng.random() < 0.06 * knobs.damage:
        # Gone over once more, a little beside.
        lines = np.concatenate([lines, bent(lines, rng, 0.15)])
    return drawn(lines, SIDE, middle, size, pen) / np.float32(255)


def _picture(rng: np.random.Generator, picture: Picture, size: float, tilt: float) -> _Ink:
    """A picture of a digit, enlarged to the patch and sharpened; `size` is the longer side of its ink."""
    x, y, width, height = cv2.boundingRect((picture > 60).astype(np.uint8))
    scale = size / max(width, height, 1)
    angle, slant, wide = rng.normal(0, tilt), rng.normal(0, tilt * 1.5), np.exp(rng.normal(0, tilt))
    turn = (
        np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.array([[wide, -slant], [0, 1]]) * scale
    )
    middle = np.array(_place(rng, size, width / max(width, height), height / max(width, height)))
    shift = middle - turn @ np.array([x + width / 2, y + height / 2])
    warped = (
        cv2.warpAffine(picture, np.column_stack([turn, shift]), (SIDE, SIDE), flags=cv2.INTER_LINEAR).astype(np.float32) / 255
    )
    level, steep = rng.uniform(0.3, 0.65), rng.uniform(1.0, 5.0)
    return np.clip((warped - level) * steep + 0.5, 0, 1) * (warped > 0.04)


def _dash(rng: np.random.Generator, pen: float) -> _Ink:
    length = rng.uniform(14, 60) if rng.random() < 0.85 else rng.uniform(60, 90)
    angle = rng.normal(0, 0.12) if rng.random() < 0.8 else rng.uniform(-0.4, 0.4)
    count = 2 if rng.random() < 0.12 else 1
    middle = np.array(_place(rng, 24.0, 1, 1))
    ink = np.zeros((SIDE, SIDE), np.float32)
    for number in range(count):
        t = np.linspace(-0.5, 0.5, 9)
        wave = np.sin(t * rng.uniform(3, 12) + rng.uniform(0, 6)) * rng.uniform(0, 0.06 if rng.random() < 0.8 else 0.12)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        points = np.column_stack([t, wave]) @ turn.T
        lines = np.stack([points[:-1], points[1:]], axis=1).astype(np.float32)
        where = middle + np.array([0, number * rng.uniform(8, 16)])
        ink = np.maximum(ink, drawn(lines, SIDE, (where[0], where[1]), length, pen) / np.float32(255))
    return ink


def _unreadable(rng: np.random.Generator, sources: Sources | None, knobs: Knobs, pen: float) -> _Ink:
    """Something that no one should read as a digit."""
    way = rng.random()
    if way < 0.3:
        return _overwritten(rng, sources, knobs, pen)
    if way < 0.52:
        return _struck_out(rng, sources, knobs, pen)
    if way < 0.66:
        return _scribble(rng, pen)
    if way < 0.8:
        size = rng.uniform(22, 58)
        lines = bent(glyphs.own_sign(rng), rng)
        return drawn(lines, SIDE, _place(rng, size, 1, 1), size, pen) / np.float32(255)
    if way < 0.86:
        letter = glyphs.LETTERS[rng.integers(len(glyphs.LETTERS))]
        return _picture(rng, glyphs.typed(letter, rng), rng.uniform(20, 50), tilt=0.1)
    if way < 0.94:
        return _two_digits(rng, sources, knobs, pen)
    return _blots(rng)


def _overwritten(rng: np.random.Generator, sources: Sources | None, knobs: Knobs, pen: float) -> _Ink:
    """Two different digits on top of each other."""
    first, second = 0, 6
    while {first, second} in _ALIKE:
        first, second = (int(digit) for digit in rng.choice(10, 2, replace=False))
    size = rng.uniform(30, 58)
    middle = np.array(_place(rng, size, 0.7, 1))
    ink = np.zeros((SIDE, SIDE), np.float32)
    for label in (first, second):
        lines = strokes_of(rng, sources, knobs, label)
        where = middle + rng.normal(0, 2.0, 2)
        ink = np.maximum(ink, drawn(lines, SIDE, (where[0], where[1]), size * rng.uniform(0.85, 1.1), pen) / np.float32(255))
    return ink


def _struck_out(rng: np.random.Generator, sources: Sources | None, knobs: Knobs, pen: float) -> _Ink:
    """A digit crossed out by one to five lines."""
    label = int(rng.integers(10))
    lines = strokes_of(rng, sources, knobs, label)
    size = rng.uniform(26, 52)
    strikes = []
    base = rng.choice([0.0, 0.7, -0.7, 1.0, -1.0]) + rng.normal(0, 0.15)
    # One bar through a seven or a zero is how some write them.
    count = int(rng.integers(2 if label in (0, 7) else 1, 6))
    for number in range(count):
        angle = base + (rng.normal(0, 0.1) if rng.random() < 0.6 else 1.5)
        offset = rng.normal(0, 0.05, 2) + np.array([0.0, (number - (count - 1) / 2) * 0.16])
        way = np.array([np.cos(angle), np.sin(angle)]) * rng.uniform(0.62, 0.95)
        strikes.append([offset - way, offset + way])
    everything = np.concatenate([lines, np.array(strikes, np.float32)]).astype(np.float32)
    return drawn(everything, SIDE, _place(rng, size, 1, 1), size, pen) / np.float32(255)


def _scribble(rng: np.random.Generator, pen: float) -> _Ink:
    points = np.cumsum(rng.normal(0, 1, (int(rng.integers(8, 40)), 2)), axis=0) if rng.random() < 0.5 else None
    if points is None:
        count = int(rng.integers(5, 14))
        points = np.column_stack(
            [np.linspace(0, rng.uniform(1, 5), count), np.where(np.arange(count) % 2, 1.0, -1.0) * rng.uniform(1, 3)]
        )
        points += rng.normal(0, 0.25, points.shape)
        if rng.random() < 0.5:
            points = points[:, ::-1]
    lines = bent(centred(np.stack([points[:-1], points[1:]], axis=1).astype(np.float32)), rng)
    size = rng.uniform(24, 64)
    return drawn(lines, SIDE, _place(rng, size, 1, 1), size, pen) / np.float32(255)


def _two_digits(rng: np.random.Generator, sources: Sources | None, knobs: Knobs, pen: float) -> _Ink:
    """Two digits side by side in one cell."""
    ink = np.zeros((SIDE, SIDE), np.float32)
    size = rng.uniform(22, 40)
    gap = rng.uniform(9, 14)
    for way in (-1, 1):
        lines = strokes_of(rng, sources, knobs, int(rng.integers(10)))
        where = (48 + way * gap + rng.normal(0, 1), 48 + rng.normal(0, 3))
        ink = np.maximum(ink, drawn(lines, SIDE, where, size, min(pen, size / 7)) / np.float32(255))
    return ink


def _blots(rng: np.random.Generator) -> _Ink:
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    for _ in range(int(rng.integers(1, 6))):
        centre = rng.integers(24, 72, 2)
        axes = rng.integers(3, 17, 2)
        cv2.ellipse(canvas, centre.tolist(), axes.tolist(), float(rng.uniform(0, 180)), 0, 360, 255, -1, cv2.LINE_AA)
    return canvas / np.float32(255)


def _on_paper(
    ink: _Ink, rng: np.random.Generator, sources: Sources | None, knobs: Knobs, pen: float, label: int
) -> tuple[Picture, NDArray[np.bool_]]:
    """What a scan shows of the cell: frame, neighbours, uneven ink, dust, blur, noise; and where its own ink should be."""
    hurt = knobs.damage
    if label < EMPTY or label == UNREADABLE:
        ink = _clipped(ink, rng, 0.10 * hurt)
        if rng.random() < 0.06 * hurt:
            ink = _cut_beside(ink, rng)
    wanted = ink > 0.4
    if rng.random() < 0.25 * hurt:
        ink = np.maximum(ink, _neighbour(rng, sources, knobs, pen))
    ink = ink * rng.uniform(0.68, 1.0)
    if rng.random() < 0.18 * hurt:
        # A pen that skips.
        ink = ink * np.clip(_cloud(rng, int(rng.integers(5, 14))) + rng.uniform(0.5, 1.1), 0.0, 1.0)
    paper = _frame(rng) if rng.random() < 0.6 * min(hurt, 1.4) else np.zeros((SIDE, SIDE), np.float32)
    if rng.random() < 0.1 * hurt:
        paper = paper + np.clip(_cloud(rng, 3) * 0.25, 0, 0.2)
    if rng.random() < 0.06 * hurt:
        ghost = drawn(
            strokes_of(rng, None, knobs, int(rng.integers(10))) * np.array([-1, 1], np.float32),
            SIDE,
            (48, 48),
            rng.uniform(30, 70),
            pen,
        )
        paper = np.maximum(paper, ghost / np.float32(255) * rng.uniform(0.05, 0.27))
    for _ in range(int(rng.poisson(0.7 * hurt))):
        x, y = rng.integers(4, 92, 2)
        cv2.circle(paper, (int(x), int(y)), int(rng.integers(0, 2)), float(rng.uniform(0.3, 1.0)), -1)
    return _scanned(np.maximum(ink, paper), rng, hurt), wanted


def _clipped(ink: _Ink, rng: np.random.Generator, share: float) -> _Ink:
    """Cut at one side, up to a twelfth of the ink."""
    if rng.random() >= share:
        return ink
    quarter = int(rng.integers(4))
    turned = np.rot90(ink, quarter).copy()
    mass = turned.sum(axis=1).cumsum()
    turned[: int(np.searchsorted(mass, mass[-1] * rng.uniform(0.02, 0.08)))] = 0
    return np.ascontiguousarray(np.rot90(turned, -quarter))


def _cut_beside(ink: _Ink, rng: np.random.Generator) -> _Ink:
    """Moved to the right or the left until up to a sixth of the ink lies outside of a crudely cut cell."""
    mass = ink.sum(axis=0)
    parts = mass.cumsum() / max(float(mass.sum()), 1e-6)
    lost = rng.uniform(0.02, 0.16)
    shift = HIGH - int(np.searchsorted(parts, 1 - lost)) if rng.random() < 0.75 else LOW - int(np.searchsorted(parts, lost))
    moved = np.zeros_like(ink)
    for column in range(LOW, HIGH):
        if 0 <= column - shift < SIDE:
            moved[:, column] = ink[:, column - shift]
    return moved


def _neighbour(rng: np.random.Generator, sources: Sources | None, knobs: Knobs, pen: float) -> _Ink:
    """Strokes of the cells beside, or a bracket, that come in from outside."""
    way = int(rng.integers(4))
    step = np.array([(-1, 0), (1, 0), (0, -1), (0, 1)][way]) * (HIGH - LOW)
    if rng.random() < 0.3:
        x = LOW + rng.uniform(-3, 5) if way % 2 else HIGH - rng.uniform(-3, 5)
        t = np.linspace(-1, 1, 9)
        bulge = rng.uniform(2, 7) * (1 if way % 2 else -1)
        points = np.column_stack([x + bulge * (1 - t**2) - bulge, 48 + t * rng.uniform(10, 30)]).astype(np.float32)
        return drawn(np.stack([points[:-1], points[1:]], axis=1), SIDE, (0, 0), 1, pen) / np.float32(255)
    size = rng.uniform(40, 72)
    lines = strokes_of(rng, sources, knobs, int(rng.integers(10)))
    if not len(lines):
        return np.zeros((SIDE, SIDE), np.float32)
    where = np.array([48.0, 48.0]) + step + rng.normal(0, 5, 2)
    # It reaches at most 9 pixels into this cell: more than that is a digit in the wrong place.
    points = lines.reshape(-1, 2) * size + where
    axis = way // 2
    deepest = points[:, axis].max() - LOW - 9 if step[axis] < 0 else HIGH - 9 - points[:, axis].min()
    if deepest > 0:
        where[axis] += -deepest if step[axis] < 0 else deepest
    return drawn(lines, SIDE, (where[0], where[1]), size, pen) / np.float32(255)


def _frame(rng: np.random.Generator) -> _Ink:
    """Printed frame, whole or broken, pale or dark, a little off its place."""
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    strength = rng.uniform(0.15, 1.0)
    thickness = int(rng.integers(1, 4))
    lines = []
    for axis in (0, 1):
        for at in (LOW, HIGH):
            if rng.random() < 0.15:
                continue
            place, skew = at + rng.uniform(-2, 2), rng.normal(0, 0.7)
            over = 16 if rng.random() < 0.6 else rng.uniform(0, 3)
            ends = np.array([[LOW - over, place - skew], [HIGH + over, place + skew]])
            lines.append(ends if axis == 0 else ends[:, ::-1])
    points = [np.rint(ends * 16).astype(np.int32) for ends in lines]
    cv2.polylines(canvas, points, isClosed=False, color=255, thickness=thickness, lineType=cv2.LINE_AA, shift=4)
    ink = canvas / np.float32(255) * strength
    if rng.random() < 0.45:
        ink = ink * np.clip(_cloud(rng, int(rng.integers(4, 20))) * 2 + rng.uniform(-0.2, 0.8), 0, 1)
    return ink.astype(np.float32)


def _cloud(rng: np.random.Generator, grain: int) -> _Ink:
    """Smooth chance about 0, most of it within 1."""
    return cv2.resize(rng.normal(0, 0.6, (grain, grain)).astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)


def _scanned(ink: _Ink, rng: np.random.Generator, hurt: float) -> Picture:
    if rng.random() < 0.5:
        side = int(rng.integers(44, 96))
        ink = cv2.resize(ink, (side, side), interpolation=cv2.INTER_AREA)
        ink = cv2.resize(ink, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.4 * hurt:
        ink = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.4, 1.3))
        ink = ink * min(1.25, 1 / max(float(ink.max()), 0.3))
    if rng.random() < 0.6 * hurt:
        noise = rng.normal(0, rng.uniform(0.01, 0.07 * hurt), (SIDE, SIDE)).astype(np.float32)
        ink = ink + (cv2.GaussianBlur(noise, (0, 0), 0.8) * 1.8 if rng.random() < 0.5 else noise)
    return np.clip(ink * 255, 0, 255).astype(np.uint8)


def _local_threshold(patch: Picture, rng: np.random.Generator) -> Picture:
    """Black and white by a local threshold: thick strokes come out hollow."""
    large = cv2.resize(patch, (150, 150), interpolation=cv2.INTER_LINEAR)
    noise = rng.normal(0, 6, large.shape)
    grey = np.clip(235 - 0.8 * large.astype(np.float64) + noise, 0, 255).astype(np.uint8)
    grey = cv2.GaussianBlur(grey, (3, 3), 0)
    block, less = int(rng.choice([7, 9, 11, 13])), int(rng.integers(8, 22))
    black = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY_INV, block, less)
    return cv2.resize(black, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
