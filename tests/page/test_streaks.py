"""Vertical streaks: VxSuite's own cases, and the limits of what is a streak."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from edge.page.page import Grey, Page, read_page
from edge.page.streaks import Streak, find_streaks
from tests.ballot.sheets import BOTTOM_ROW, QR, blank_sheet

WIDTH, HEIGHT = 1700, 2200


def page_of(image: Grey, dpi: int = 200) -> Page:
    page = read_page(image, dpi)
    assert page.bits.shape == image.shape
    return page


def white(width: int = WIDTH, height: int = HEIGHT) -> Grey:
    return np.full((height, width), 255, np.uint8)


def spans(image: Grey, dpi: int = 200) -> list[tuple[int, int]]:
    return [(streak.first, streak.last) for streak in find_streaks(page_of(image, dpi))]


@pytest.mark.parametrize(("encoding", "side"), list(product((QR, BOTTOM_ROW), ("front", "back"))))
def test_a_printed_page_has_no_streaks(encoding: str, side: str) -> None:
    assert find_streaks(page_of(blank_sheet(encoding=encoding).side(side))) == ()


def test_thin_wide_and_fuzzy_streaks_are_found_and_the_edge_is_not_searched() -> None:
    image = white()
    thin, wide, fuzzy = WIDTH // 5, 2 * WIDTH // 5, 3 * WIDTH // 5
    image[:, thin] = 0
    image[:, wide : wide + 20] = 0
    image[::2, fuzzy] = 0  # one column half black,
    image[np.arange(HEIGHT) % 3 != 0, fuzzy + 1] = 0  # its neighbour two thirds
    image[:, WIDTH - 2] = 0
    assert spans(image) == [(thin, thin), (wide, wide + 19), (fuzzy, fuzzy + 1)]


@pytest.mark.parametrize(("dpi", "border"), [(200, 20), (300, 30)])
def test_the_searched_columns_end_a_tenth_of_an_inch_from_the_edges(dpi: int, border: int) -> None:
    width = WIDTH * dpi // 200
    for x, found in (
        (border - 2, False),
        (border - 1, True),
        (width - border - 2, True),
        (width - border - 1, False),
        (5, False),
    ):
        image = white(width, HEIGHT * dpi // 200)
        image[:, x] = 0
        assert spans(image, dpi) == ([(x, x)] if found else []), x


@pytest.mark.parametrize("place", ["top", "middle", "bottom"])
@pytest.mark.parametrize(("gap", "found"), [(1, True), (15, True), (16, False), (40, False)])
def test_a_streak_may_hold_gaps_of_fifteen_pixels(gap: int, found: bool, place: str) -> None:
    image = white()
    image[:, 800] = 0
    start = {"top": 0, "middle": 1000, "bottom": HEIGHT - gap}[place]
    image[start : start + gap, 800] = 255
    assert spans(image) == ([(800, 800)] if found else [])


def test_gaps_are_measured_in_inches() -> None:
    for gap, found in ((23, True), (24, False)):
        image = white(2550, 3300)
        image[:, 800] = 0
        image[1000 : 1000 + gap, 800] = 255
        assert bool(spans(image, 300)) is found


@pytest.mark.parametrize(("black", "period", "found"), [(3, 4, True), (2, 3, False), (1, 1, True), (4, 5, True)])
def test_three_quarters_of_a_streak_are_black(black: int, period: int, found: bool) -> None:
    image = white()
    image[np.arange(HEIGHT) % period < black, 800] = 0
    assert spans(image) == ([(800, 800)] if found else [])


def test_a_neighbour_of_less_than_a_quarter_is_no_part_of_it() -> None:
    image = white()
    image[:, 800] = 0
    image[np.arange(HEIGHT) % 5 == 0, 801] = 0
    assert spans(image) == [(800, 800)]
    image[np.arange(HEIGHT) % 4 == 0, 801] = 0
    assert spans(image) == [(800, 801)]


def test_neighbouring_streaks_are_one_and_parted_ones_two() -> None:
    image = white()
    image[:, 800:803] = 0
    image[:, 804] = 0
    image[:, 900] = 0
    assert spans(image) == [(800, 802), (804, 804), (900, 900)]


def test_a_rule_that_does_not_reach_down_the_page_is_none() -> None:
    image = white()
    image[30 : HEIGHT - 30, 800:804] = 0
    assert spans(image) == []


def test_an_alternating_pair_is_one_streak() -> None:
    image = white()
    image[::2, 800] = 0
    image[1::2, 801] = 0
    assert spans(image) == [(800, 801)]


def test_the_width_counts_both_ends() -> None:
    assert [Streak(5, 5).width, Streak(5, 9).width] == [1, 5]


@pytest.mark.parametrize("width", [1, 30, 41, 60])
def test_a_page_narrower_than_its_edges_has_no_streaks(width: int) -> None:
    image = np.full((50, width), 255, np.uint8)
    image[0, 0] = 0
    assert find_streaks(read_page(image)) == ()
