"""Bubbles: the shape that is looked for, where it is found, and how full it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.ballot.bubble_template import MOST_SWELL, bubble_template
from edge.ballot.bubbles import BubbleScores, score_bubbles
from edge.ballot.result import Doubt, Verdict
from edge.decision import decide
from edge.definition.settings import SystemSettings
from edge.fixed.number import SUBPIXEL
from edge.page.page import Page, read_page
from hil.paper.pen import MarkKind
from hil.paper.scan import scan
from hil.paper.stroke import BALLPOINT, DARK_PENS, Pen
from hil.paper.truth import Wish, mark_sheet
from tests.ballot.sheets import (
    Choice,
    as_votes,
    blank_sheet,
    boxed,
    bubble_of,
    choice,
    filled,
    one_vote_each,
    read,
    refusal,
)

if TYPE_CHECKING:
    from edge.fixed.number import Int64Array
    from hil.paper.sheet import PrintedBubble

ZONES = ("line", "spread", "field", "interior", "rim")
GOLDEN = {
    200: [
        (144, 300, 788, 696, 44),
        (144, 300, 724, 652, 52),
        (144, 300, 660, 600, 36),
        (144, 300, 604, 564, 56),
        (144, 300, 532, 508, 24),
        (144, 300, 504, 484, 52),
    ],
    300: [
        (340, 660, 1770, 1554, 70),
        (340, 660, 1652, 1484, 118),
        (340, 660, 1490, 1366, 108),
        (340, 660, 1350, 1258, 106),
        (340, 660, 1212, 1152, 66),
        (340, 660, 1126, 1086, 106),
    ],
}
"""Pixels in each zone at each step of swelling: another count anywhere means that old records are no longer reproduced."""
REACH = 7


@pytest.mark.parametrize("dpi", [200, 300])
def test_the_template_has_the_pixels_it_always_had(dpi: int) -> None:
    templates = [bubble_template(dpi, swell) for swell in range(MOST_SWELL + 1)]
    assert [tuple(int(getattr(template, zone).sum()) for zone in ZONES) for template in templates] == GOLDEN[dpi]
    assert {(template.width, template.height) for template in templates} == {(dpi // 5, dpi * 13 // 100)}


@pytest.mark.parametrize("dpi", [200, 240, 300])
@pytest.mark.parametrize("swell", range(MOST_SWELL + 1))
def test_the_template_is_symmetric(dpi: int, swell: int) -> None:
    template = bubble_template(dpi, swell)
    for zone in ZONES:
        mask = getattr(template, zone)
        assert np.array_equal(mask, mask[::-1]), zone
        assert np.array_equal(mask, mask[:, ::-1]), zone
    assert not (template.line & template.field).any()
    assert not (template.line & ~template.spread).any()
    assert not (template.interior & ~template.field).any()
    assert not (template.rim & ~template.interior).any()


def page_with(places: list[tuple[int, int]], *, full: int = 0, dpi: int = 200) -> Page:
    """A page with the lines of bubbles whose boxes' top-left corners are at `places`; the first `full` of them are blackened."""
    template = bubble_template(dpi)
    grey = np.full((600, 500), 255, np.uint8)
    for number, (x, y) in enumerate(places):
        ink = ~template.field | template.interior if number < full else template.line
        grey[y : y + template.height, x : x + template.width][ink] = 0
    return read_page(grey, dpi)


def scores_of(page: Page, places: list[tuple[int, int]]) -> BubbleScores:
    """The scores of bubbles that are expected at `places`."""
    template = bubble_template(page.dpi)

    def centres(axis: int, size: int) -> Int64Array:
        # The middle of an even number of pixels lies between two of them.
        return np.array([place[axis] * SUBPIXEL + (size - 1) * SUBPIXEL // 2 for place in places], np.int64)

    return score_bubbles(page, centres(0, template.width), centres(1, template.height))


@pytest.mark.parametrize("dpi", [200, 300])
def test_a_black_bubble_holds_all_of_its_interior(dpi: int) -> None:
    places = [(x, y) for x in (50, 200, 350) for y in (50, 200, 350)]
    scores = scores_of(page_with(places, full=1, dpi=dpi), places)
    template = bubble_template(dpi)
    assert scores.fill_of == template.line.size
    assert (scores.fill[0], scores.outline[0]) == (template.interior.sum(), scores.outline_of)
    assert not scores.fill[1:].any()


@pytest.mark.parametrize("dpi", [200, 300])
def test_a_printed_line_alone_is_no_fill(dpi: int) -> None:
    places = [(100, 100), (300, 250), (200, 400)]
    scores = scores_of(page_with(places, dpi=dpi), places)
    assert (scores.fill.tolist(), scores.outline.tolist()) == ([0] * 3, [scores.outline_of] * 3)


@given(st.lists(st.tuples(st.integers(-REACH, REACH), st.integers(-REACH, REACH)), min_size=4, max_size=4))
@settings(max_examples=40)
def test_a_bubble_is_found_wherever_it_was_moved_to(offsets: list[tuple[int, int]]) -> None:
    expected = [(80, 80), (300, 80), (80, 400), (300, 400)]
    printed = [(x + dx, y + dy) for (x, y), (dx, dy) in zip(expected, offsets, strict=True)]
    scores = scores_of(page_with(printed), expected)
    assert list(zip(scores.dx.tolist(), scores.dy.tolist(), strict=True)) == offsets
    assert list(zip(scores.x.tolist(), scores.y.tolist(), strict=True)) == printed


@given(st.integers(-40, 520), st.integers(-40, 620))
@settings(max_examples=40)
def test_a_place_over_the_edge_of_the_page_is_scored_as_white(x: int, y: int) -> None:
    scores = scores_of(page_with([(100, 100)]), [(x, y)])
    assert 0 <= scores.outline[0] <= scores.outline_of
    assert 0 <= scores.fill[0] <= scores.fill_of


def bubbles() -> list[PrintedBubble]:
    return list(blank_sheet().bubbles)


def test_empty_bubbles_are_nearly_empty_and_no_votes() -> None:
    for dpi in (200, 300):
        printed = blank_sheet(dpi=dpi)
        reading = read(printed.front, printed.back, printed.election)
        assert len(printed.bubbles) == sum(len(page.bubbles) for page in reading.pages)
        for page in reading.pages:
            for bubble in page.bubbles:
                assert not bubble.fill.at_least(300)
                assert (bubble.verdict, bubble.doubt) == (Verdict.UNMARKED, None)


@pytest.mark.parametrize("pen", DARK_PENS, ids=lambda pen: pen.name)
@pytest.mark.parametrize("kind", [MarkKind.FILL, MarkKind.SCRIBBLE, MarkKind.CROSS, MarkKind.LINE])
def test_every_dark_pen_votes(kind: MarkKind, pen: Pen) -> None:
    printed = blank_sheet()
    wanted = one_vote_each(printed)
    marked = mark_sheet(printed, [Wish(contest, option, kind, pen) for contest, option in wanted])
    assert read(marked.front, marked.back, printed.election).votes == as_votes(wanted)


def test_every_bubble_of_a_sheet_can_be_marked_at_once() -> None:
    printed = blank_sheet()
    every = [choice(bubble) for bubble in printed.bubbles]
    marked = filled(printed, every)
    reading = read(marked.front, marked.back, printed.election)
    assert reading.votes == as_votes(every)
    assert (reading.marginal, reading.doubts) == ({}, ())


def test_thick_print_is_no_mark() -> None:
    printed = blank_sheet()
    wanted = one_vote_each(printed)
    marked = filled(printed)
    for size in (2, 3):
        thick = np.ones((size, size), np.uint8)
        front, back = (np.asarray(cv2.erode(side, thick), np.uint8) for side in (marked.front, marked.back))
        reading = read(front, back, printed.election)
        assert reading.votes == as_votes(wanted)
        assert reading.marginal == {}


def without_ovals(wanted: set[Choice]) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.uint8]], ...]:
    sides = []
    for side in ("front", "back"):
        image = blank_sheet().side(side)
        for bubble in blank_sheet().bubbles_on(side):
            if choice(bubble) in wanted:
                image = boxed(image, bubble.x - 25, bubble.y - 17, bubble.x + 25, bubble.y + 17)
        sides.append(image)
    return tuple(sides)


def test_an_oval_that_is_not_printed_holds_the_sheet() -> None:
    wanted = choice(bubbles()[2])
    election = blank_sheet().election
    front, back = without_ovals({wanted})
    reading = read(front, back, election)
    bubble = bubble_of(reading, wanted)
    assert (bubble.verdict, bubble.doubt) == (Verdict.UNMARKED, Doubt.BUBBLE_NOT_FOUND)
    assert reading.doubts == ((Doubt.BUBBLE_NOT_FOUND, *wanted),)
    silent = SystemSettings(precinct_scan_adjudication_reasons=())
    disposition = decide(reading, election, silent)
    assert (disposition.kind, [reason.code for reason in disposition.reasons]) == ("hold", ["bubbleNotFound"])


def test_a_page_without_its_ovals_is_refused() -> None:
    front, back = without_ovals({choice(bubble) for bubble in bubbles()})
    assert refusal(read(front, back, blank_sheet().election))[0] == "bubblesNotFound"


@pytest.mark.parametrize(("damage", "strength", "code"), [("salt_pepper", 30, "noisyImage"), ("low_contrast", 85, "lowContrast")])
def test_an_image_in_which_marks_cannot_be_told_is_refused(damage: str, strength: int, code: str) -> None:
    marked = filled(blank_sheet())
    pair = scan(marked, {damage: strength}, seed=2)
    assert refusal(read(pair.top.pixels, pair.bottom.pixels, marked.printed.election))[0] == code


def test_the_thresholds_of_the_settings_decide() -> None:
    printed = blank_sheet()
    wanted = choice(bubbles()[0])
    marked = mark_sheet(printed, [Wish(*wanted, MarkKind.LINE, BALLPOINT)])
    fill = bubble_of(read(marked.front, marked.back, printed.election), wanted).fill.per_ten_thousand
    for definite, marginal, votes in ((fill, 500, True), (fill + 2, 500, False), (fill + 2, fill + 2, False)):
        thresholds = SystemSettings().mark_thresholds.model_copy(update={"definite": definite, "marginal": marginal})
        reading = read(marked.front, marked.back, printed.election, SystemSettings(mark_thresholds=thresholds))
        assert bool(reading.votes) is votes
