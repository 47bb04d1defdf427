from __future__ import annotations

import numpy as np
import pytest

from edge.definition.election import load_election
from hil.paper.election import make_election
from hil.paper.pen import STRAY_KINDS, STRONG_KINDS, DrawnMark, Intent, MarkKind, mark_bubble, write_in
from hil.paper.sheet import PrintedBubble, PrintedSheet, render_sheet
from hil.paper.stroke import BALLPOINT, DARK_PENS, PALE_PENCIL, PENS, Box, Pen

BLACK = 132
"""About what a global threshold of these pages is."""


@pytest.fixture(scope="module")
def sheet() -> PrintedSheet:
    election = load_election(make_election(3, density="dense"))
    return render_sheet(election, "1_en")


def drawn(sheet: PrintedSheet, kind: MarkKind, pen: Pen, seed: int) -> tuple[PrintedBubble, DrawnMark, int, int]:
    """The bubble, the mark, and how many pixels of the 40 x 26 box turned black, and of the whole page."""
    front = sheet.bubbles_on("front")
    bubble = front[seed % len(front)]
    page = sheet.front.copy()
    mark = mark_bubble(page, bubble, kind, pen, np.random.default_rng(seed), dpi=200)
    new = (page < BLACK) & (sheet.front >= BLACK)
    x, y = round(bubble.x), round(bubble.y)
    changed = np.argwhere(page != sheet.front)
    assert (page <= sheet.front).all(), "ink never lightens"
    assert (changed >= (mark.box.top, mark.box.left)).all()
    assert (changed < (mark.box.bottom, mark.box.right)).all()
    return bubble, mark, int(new[y - 13 : y + 13, x - 20 : x + 20].sum()), int(new.sum())


@pytest.mark.parametrize("pen", DARK_PENS, ids=lambda pen: str(pen.name))
@pytest.mark.parametrize("kind", sorted(STRONG_KINDS))
def test_strong_marks_leave_ink_far_above_the_threshold(sheet: PrintedSheet, kind: MarkKind, pen: Pen) -> None:
    for seed in range(20):
        _, mark, black, _ = drawn(sheet, kind, pen, seed)
        assert mark.strong
        assert mark.intent is Intent.MARKED
        assert black > 0.1 * 1040
        assert mark.inside > 0.1


@pytest.mark.parametrize("pen", DARK_PENS, ids=lambda pen: str(pen.name))
@pytest.mark.parametrize("kind", [MarkKind.TICK, MarkKind.CIRCLE_INSIDE])
def test_fainter_marks_leave_enough_to_be_marginal(sheet: PrintedSheet, kind: MarkKind, pen: Pen) -> None:
    for seed in range(20):
        _, mark, black, _ = drawn(sheet, kind, pen, seed)
        assert mark.intent is Intent.MARKED
        assert not mark.strong
        assert black > 0.05 * 1040


@pytest.mark.parametrize("pen", PENS, ids=lambda pen: str(pen.name))
@pytest.mark.parametrize("kind", sorted(STRAY_KINDS))
def test_stray_marks_stay_below_the_threshold_but_leave_a_trace(sheet: PrintedSheet, kind: MarkKind, pen: Pen) -> None:
    for seed in range(20):
        _, mark, black, _ = drawn(sheet, kind, pen, seed)
        assert mark.intent is Intent.NOT_A_MARK
        assert black < 0.05 * 1040
        assert mark.box.right > mark.box.left
        if kind is MarkKind.NEAR_MISS:
            assert mark.inside == 0


def test_a_near_miss_is_a_real_mark_beside_the_bubble(sheet: PrintedSheet) -> None:
    for seed in range(20):
        _, _, black, everywhere = drawn(sheet, MarkKind.NEAR_MISS, BALLPOINT, seed)
        assert black == 0
        assert everywhere > 30


def test_a_graze_is_weak_but_reaches_into_the_bubble(sheet: PrintedSheet) -> None:
    for seed in range(20):
        _, mark, _, _ = drawn(sheet, MarkKind.GRAZE, BALLPOINT, seed)
        assert mark.intent is Intent.WEAK
        assert mark.inside > 0.01


def test_a_pale_pencil_is_visible_but_lighter_than_half(sheet: PrintedSheet) -> None:
    bubble = sheet.bubbles_on("front")[0]
    page = sheet.front.copy()
    mark = mark_bubble(page, bubble, MarkKind.FILL, PALE_PENCIL, np.random.default_rng(1), dpi=200)
    x, y = round(bubble.x), round(bubble.y)
    inside = page[y - 6 : y + 6, x - 10 : x + 10]
    assert mark.intent is Intent.WEAK
    assert BLACK < int(inside.min()) < 200


def test_the_same_seed_draws_the_same_mark(sheet: PrintedSheet) -> None:
    pages = []
    for _ in range(2):
        page = sheet.front.copy()
        for kind in MarkKind:
            mark_bubble(page, sheet.bubbles_on("front")[5], kind, BALLPOINT, np.random.default_rng(4), dpi=200)
        pages.append(page)
    assert np.array_equal(pages[0], pages[1])


def test_marks_scale_with_the_resolution() -> None:
    election = load_election(make_election(3))
    inside = []
    for dpi in (200, 300):
        sheet = render_sheet(election, "1_en", dpi=dpi)
        page = sheet.front.copy()
        inside.append(mark_bubble(page, sheet.bubbles[0], MarkKind.CROSS, BALLPOINT, np.random.default_rng(2), dpi=dpi).inside)
    assert inside[0] == pytest.approx(inside[1], rel=0.1)


def test_handwriting_fills_the_write_in_area_and_nothing_else(sheet: PrintedSheet) -> None:
    areas = [bubble.write_in_area for bubble in sheet.bubbles_on("front") if bubble.write_in_area]
    assert areas
    for seed in range(20):
        for pen in DARK_PENS:
            page = sheet.front.copy()
            area = areas[seed % len(areas)]
            box = write_in(page, area, pen, np.random.default_rng(seed), dpi=200).box
            grown = Box(area.left - 12, area.top - 12, area.right + 12, area.bottom + 12)
            assert grown.left <= box.left
            assert grown.top <= box.top
            assert box.right <= grown.right
            assert box.bottom <= grown.bottom
            dark = (page < BLACK)[area.top : area.bottom, area.left : area.right].mean()
            assert 0.03 < dark < 0.5
