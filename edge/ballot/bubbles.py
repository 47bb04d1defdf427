"""Where each bubble is and how much of it is filled."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from edge.ballot.bubble_template import MOST_SWELL, bubble_template, outline_runs
from edge.fixed.ink import Bits
from edge.fixed.number import SUBPIXEL, Int64Array, round_div
from edge.page.page import Page

_REACH = Fraction(7, 200)
"""Inches around the expected place in which a bubble is looked for."""
_SETTLED_REACH = Fraction(2, 200)
"""Inches around the place that its clear neighbours suggest, for a bubble whose own outline is covered by a mark."""
_CLEAR_OUTLINE_PER_CENT = 85
_CLEAR_FILL_PER_CENT = 30
"""A bubble with so much of its line showing and no more than a cross or a tick inside is clear: its place is certain."""
_NEIGHBOURS = 5
_SWOLLEN_PER_CENT = 60
"""The line is thicker than the template's where so much of the rim beside it is black, in three bubbles out of four. A pen
crosses the rim here and there; a thick line covers it all around, in every bubble."""
_MOST_USUAL_PER_CENT = 3
"""Fill that may be taken for the page's print rather than for marks."""


@dataclass(frozen=True, slots=True, eq=False)
class BubbleScores:
    """Measures of n bubbles; int64 arrays of shape (n,).

    `x`, `y`: pixel of the box's top-left corner. `dx`, `dy`: how far that is from the expected place. `outline` of `outline_of`:
    pixels of the printed line's place with ink at or beside them. `fill` of `fill_of`: black away from the line, out of the whole
    box (1040 pixels at 200 dpi). `broad`: the part of the fill in shapes at least two pixels wide. `usual`: the fill that an
    empty bubble has on this page, at most 3 %. `specks`: the part of that which is finer than any pen: the rest, in the lower
    quartile of bubbles. `swell`: how much thicker than the template's this page's lines are, in steps.
    """

    x: Int64Array
    y: Int64Array
    dx: Int64Array
    dy: Int64Array
    outline: Int64Array
    outline_of: int
    fill: Int64Array
    fill_of: int
    broad: Int64Array
    deep: Int64Array
    usual: int
    specks: int
    swell: int


def windows_at(bits: Bits, x: Int64Array, y: Int64Array, width: int, height: int) -> NDArray[np.uint8]:
    """Copies of n boxes of bits whose top-left corners are (x, y); white beyond the page. Shape (n, height, width)."""
    if len(x) and x.min() >= 0 and y.min() >= 0 and x.max() + width <= bits.shape[1] and y.max() + height <= bits.shape[0]:
        return sliding_window_view(bits, (height, width))[y, x]
    rows = y[:, None] + np.arange(height)
    columns = x[:, None] + np.arange(width)
    inside = ((rows >= 0) & (rows < bits.shape[0]))[:, :, None] & ((columns >= 0) & (columns < bits.shape[1]))[:, None, :]
    rows, columns = np.clip(rows, 0, bits.shape[0] - 1), np.clip(columns, 0, bits.shape[1] - 1)
    return np.where(inside, bits[rows[:, :, None], columns[:, None, :]], 0).astype(np.uint8)


def _outline_ink(bits: Bits, x: Int64Array, y: Int64Array, reach: int, dpi: int) -> NDArray[np.int16]:
    """Ink on the outline at every offset from -reach to +reach; int16 of shape (n, offsets down, offsets across)."""
    template = bubble_template(dpi)
    span = 2 * reach + 1
    patches = windows_at(bits, x - reach, y - reach, template.width + 2 * reach, template.height + 2 * reach)
    sums = np.zeros((len(x), patches.shape[1], patches.shape[2] + 1), np.int16)
    np.cumsum(patches, axis=2, dtype=np.int16, out=sums[:, :, 1:])
    ink = np.zeros((len(x), span, span), np.int16)
    for run in outline_runs(dpi):
        rows = sums[:, run.row : run.row + span]
        ink += rows[:, :, run.stop : run.stop + span]
        ink -= rows[:, :, run.start : run.start + span]
    return ink


def _nearest_best(
    ink: NDArray[np.int16], reach: int, want_x: Int64Array, want_y: Int64Array, limit: int
) -> tuple[Int64Array, Int64Array]:
    """The offset with most ink on the outline within `limit` of the wanted one; of equals, the nearest to it, then the first."""
    offsets = np.arange(-reach, reach + 1, dtype=np.int64)
    away_y = offsets[None, :, None] - want_y[:, None, None]
    away_x = offsets[None, None, :] - want_x[:, None, None]
    distance = away_x * away_x + away_y * away_y
    merit = ink.astype(np.int64) * 4096 - distance
    merit[(np.abs(away_x) > limit) | (np.abs(away_y) > limit)] = -(1 << 40)
    best = merit.reshape(len(merit), -1).argmax(axis=1)
    return offsets[best % len(offsets)], offsets[best // len(offsets)]


def score_bubbles(page: Page, centre_x: Int64Array, centre_y: Int64Array) -> BubbleScores:
    """Find and score the bubbles expected at the given centres (1/256 pixel).

    A bubble whose line shows is placed by it. One that is covered by a mark is placed where the clear bubbles around it say that
    the print lies, since a mark fits an outline anywhere.
    """
    dpi = page.dpi
    template = bubble_template(dpi)
    reach, settled = page.pixels(_REACH), page.pixels(_SETTLED_REACH)
    # The box is even in both directions: its centre lies half a pixel before pixel width // 2.
    x = round_div(centre_x + SUBPIXEL // 2, SUBPIXEL) - template.width // 2
    y = round_div(centre_y + SUBPIXEL // 2, SUBPIXEL) - template.height // 2
    ink = _outline_ink(page.bits, x, y, reach, dpi)
    zero = np.zeros(len(x), np.int64)
    dx, dy = _nearest_best(ink, reach, zero, zero, reach)
    scores = _score_at(page.bits, x + dx, y + dy, dx, dy, dpi)
    fill_limit = _CLEAR_FILL_PER_CENT * scores.fill_of
    clear = (scores.outline * 100 >= _CLEAR_OUTLINE_PER_CENT * scores.outline_of) & (scores.fill * 100 < fill_limit)
    if clear.all():
        return scores
    want_x, want_y = _neighbour_offsets(x, y, dx, dy, clear)
    near_x, near_y = _nearest_best(ink, reach, want_x, want_y, settled)
    dx, dy = np.where(clear, dx, near_x), np.where(clear, dy, near_y)
    return _score_at(page.bits, x + dx, y + dy, dx, dy, dpi)


def moved(page: Page, scores: BubbleScores, shift_x: Int64Array, shift_y: Int64Array) -> BubbleScores:
    """The same bubbles measured again, each shifted by so many pixels."""
    x, y = scores.x + shift_x, scores.y + shift_y
    return _score_at(page.bits, x, y, scores.dx + shift_x, scores.dy + shift_y, page.dpi)


def _neighbour_offsets(
    x: Int64Array, y: Int64Array, dx: Int64Array, dy: Int64Array, clear: NDArray[np.bool_]
) -> tuple[Int64Array, Int64Array]:
    """Median offset of the clear bubbles nearest to each bubble; zero where the page has none."""
    known = np.flatnonzero(clear)
    if not len(known):
        return np.zeros(len(x), np.int64), np.zeros(len(x), np.int64)
    distance = (x[:, None] - x[known]) ** 2 + (y[:, None] - y[known]) ** 2
    nearest = known[np.argsort(distance, axis=1, kind="stable")[:, :_NEIGHBOURS]]
    middle = nearest.shape[1] // 2
    return np.sort(dx[nearest], axis=1)[:, middle], np.sort(dy[nearest], axis=1)[:, middle]


def _swell(windows: NDArray[np.uint8], dpi: int) -> int:
    """How many steps thicker than the template's the printed lines are: the page's own print tells."""
    for swell in range(MOST_SWELL):
        rim = bubble_template(dpi, swell).rim
        covered = np.sort(np.count_nonzero(windows[:, rim], axis=1))
        if int(covered[len(covered) // 4]) * 100 < _SWOLLEN_PER_CENT * int(rim.sum()):
            return swell
    return MOST_SWELL


def _score_at(bits: Bits, x: Int64Array, y: Int64Array, dx: Int64Array, dy: Int64Array, dpi: int) -> BubbleScores:
    template = bubble_template(dpi)
    width, height = template.width, template.height
    around = windows_at(bits, x - 1, y - 1, width + 2, height + 2)
    windows = around[:, 1:-1, 1:-1]
    across = around[:, :, :-2] | around[:, :, 1:-1] | around[:, :, 2:]
    touched = across[:, :-2] | across[:, 1:-1] | across[:, 2:]
    swell = _swell(windows, dpi)
    field = bubble_template(dpi, swell).field
    fill = np.count_nonzero(windows[:, field], axis=1).astype(np.int64)
    broad = np.count_nonzero(_broad(around)[:, field], axis=1).astype(np.int64)
    specks = fill - broad
    deep = np.count_nonzero(windows[:, bubble_template(dpi, min(swell + 2, MOST_SWELL)).interior], axis=1).astype(np.int64)
    return BubbleScores(
        x,
        y,
        dx,
        dy,
        np.count_nonzero(touched[:, template.line], axis=1).astype(np.int64),
        int(template.line.sum()),
        fill,
        width * height,
        broad,
        deep,
        min(int(np.sort(fill)[len(fill) // 4]), width * height * _MOST_USUAL_PER_CENT // 100),
        int(np.sort(specks)[len(specks) // 4]),
        swell,
    )


def _broad(around: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The ink of boxes of bits that lies in some black square of 2 x 2; the boxes lose their outermost pixels."""
    squares = around[:, :-1, :-1] & around[:, 1:, :-1] & around[:, :-1, 1:] & around[:, 1:, 1:]
    broad: NDArray[np.uint8] = squares[:, :-1, :-1] | squares[:, 1:, :-1] | squares[:, :-1, 1:] | squares[:, 1:, 1:]
    return broad
