"""Marks that fill little of an oval: what a person would see is never passed over, what no voter drew wakes nobody."""

from __future__ import annotations

from collections import Counter

import cv2
import numpy as np
import pytest

from edge.ballot.result import Interpretation, Verdict
from edge.ballot.strokes import stroke_length
from hil.paper.pen import MarkKind
from hil.paper.scan import scan
from hil.paper.sheet import PrintedBubble
from hil.paper.stroke import DARK_PENS, PALE_PENCIL, Pen
from hil.paper.truth import Wish, mark_sheet
from tests.ballot.sheets import blank_sheet, boxed, bubble_of, choice, read

INK = 30


def verdicts(kind: MarkKind, pen: Pen, seeds: int = 3) -> Counter[Verdict]:
    """Verdicts of every third bubble of a scanned sheet marked alike."""
    counted: Counter[Verdict] = Counter()
    printed = blank_sheet()
    for seed in range(seeds):
        marked = mark_sheet(printed, [Wish(*choice(bubble), kind, pen) for bubble in printed.bubbles[seed::3]], seed)
        pair = scan(marked, seed=seed)
        reading = read(pair.top.pixels, pair.bottom.pixels, printed.election)
        counted.update(bubble_of(reading, choice(bubble)).verdict for bubble in printed.bubbles[seed::3])
    return counted


def drawn(bubble: PrintedBubble, strokes: list[tuple[tuple[int, int], tuple[int, int]]], width: int) -> Interpretation:
    """The sheet with straight strokes, given relative to the middle of a bubble of the front."""
    printed = blank_sheet()
    image = printed.front.copy()
    x, y = round(bubble.x), round(bubble.y)
    for (x0, y0), (x1, y1) in strokes:
        cv2.line(image, (x + x0, y + y0), (x + x1, y + y1), (INK,), width)
    return read(image, printed.back, printed.election)


def a_bubble() -> PrintedBubble:
    return blank_sheet().bubbles_on("front")[1]


@pytest.mark.parametrize("pen", DARK_PENS, ids=lambda pen: pen.name)
def test_a_cross_that_only_grazes_the_oval_is_not_passed_over(pen: Pen) -> None:
    assert verdicts(MarkKind.GRAZE, pen)[Verdict.UNMARKED] == 0


@pytest.mark.parametrize("away", [22, 24])
def test_a_cross_beside_the_oval_is_marginal(away: int) -> None:
    legs = [((-away - 12, -12), (-away + 12, 12)), ((-away - 12, 12), (-away + 12, -12))]
    assert bubble_of(drawn(a_bubble(), legs, 3), choice(a_bubble())).verdict is Verdict.MARGINAL


@pytest.mark.parametrize(
    "kind", [MarkKind.FILL, MarkKind.SCRIBBLE, MarkKind.CROSS, MarkKind.TICK, MarkKind.LINE, MarkKind.CIRCLE_INSIDE]
)
def test_a_pale_pencil_is_shown_to_a_person(kind: MarkKind) -> None:
    seen = verdicts(kind, PALE_PENCIL)
    assert (seen[Verdict.UNMARKED], seen[Verdict.MARKED]) == (0, 0)


@pytest.mark.parametrize("tone", [150, 170])
def test_an_oval_filled_by_a_pale_pencil_to_its_edge_is_shown_to_a_person(tone: int) -> None:
    printed, bubble = blank_sheet(), a_bubble()
    image = printed.front.copy()
    cv2.ellipse(image, (round(bubble.x), round(bubble.y)), (18, 12), 0, 0, 360, (tone,), -1)
    reading = read(np.minimum(image, printed.front), printed.back, printed.election)
    assert bubble_of(reading, choice(bubble)).verdict is Verdict.MARGINAL


@pytest.mark.parametrize("kind", [MarkKind.DOT, MarkKind.HESITATION, MarkKind.NEAR_MISS, MarkKind.ERASED])
def test_an_accident_of_the_pen_is_no_vote(kind: MarkKind) -> None:
    for pen in DARK_PENS:
        seen = verdicts(kind, pen, seeds=1)
        assert seen[Verdict.MARKED] == 0, pen.name
        assert seen[Verdict.MARGINAL] * 3 <= seen.total(), pen.name


@pytest.mark.parametrize("at", [(0, 0), (-8, 3), (10, -4), (3, 6)])
def test_a_dot_wakes_nobody(at: tuple[int, int]) -> None:
    printed, bubble = blank_sheet(), a_bubble()
    x, y = round(bubble.x) + at[0], round(bubble.y) + at[1]
    image = boxed(printed.front, x - 2, y - 2, x + 2, y + 2, INK)
    reading = read(image, printed.back, printed.election)
    assert bubble_of(reading, choice(bubble)).verdict is Verdict.UNMARKED


def circled(bubble: PrintedBubble, reach: int) -> Interpretation:
    """The sheet with a loop around a bubble, `reach` pixels high to each side."""
    printed = blank_sheet()
    image = printed.front.copy()
    cv2.ellipse(image, (round(bubble.x), round(bubble.y)), (60, reach), 0, 0, 360, (INK,), 3)
    return read(image, printed.back, printed.election)


def test_a_circle_around_the_neighbour_wakes_nobody() -> None:
    first, second = blank_sheet().bubbles_on("front")[:2]
    edge = round(second.y - first.y) - 13
    for reach in range(edge - 8, edge - 1, 2):
        reading = circled(first, reach)
        assert [bubble_of(reading, choice(bubble)).verdict for bubble in (first, second)] == [Verdict.UNMARKED] * 2, reach


def test_a_straight_line_from_edge_to_edge_is_never_a_vote() -> None:
    printed = blank_sheet()
    voted = []
    for bubble in printed.bubbles_on("front")[::3]:
        for off in (-1, 0, 1):
            top = round(bubble.y) + off
            reading = read(boxed(printed.front, 0, top, 1700, top + 2, INK), printed.back, printed.election)
            assert reading.refusal is None
            voted += [(choice(bubble), off)] if reading.votes else []
    assert voted == []


@pytest.mark.parametrize("strength", [20, 40, 60, 80, 100])
def test_folds_of_paper_are_never_votes(strength: int) -> None:
    printed = blank_sheet()
    for seed in range(4):
        pair = scan(printed, {"fold": strength}, seed=seed)
        assert read(pair.top.pixels, pair.bottom.pixels, printed.election).votes == {}, seed


@pytest.mark.parametrize("dpi", [200, 300])
def test_the_length_of_a_stroke_is_its_longer_side(dpi: int) -> None:
    bits = np.zeros((400, 400), np.uint8)
    middle = dpi * 13 // 200
    bits[100 + middle : 103 + middle, 100 + dpi // 16 : 100 + dpi // 16 + 20] = 1
    assert stroke_length(bits, 100, 100, dpi, 0) == 20
    assert stroke_length(np.zeros_like(bits), 100, 100, dpi, 0) == 0


def test_a_bubble_over_the_edge_of_the_page_has_no_stroke() -> None:
    assert stroke_length(np.ones((50, 50), np.uint8), 30, 30, 200, 0) == 0
