"""Otsu's threshold against a brute-force search with exact fractions."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.fixed.otsu import Levels, otsu_levels

histograms = st.dictionaries(st.integers(0, 255), st.integers(1, 40), min_size=1, max_size=12)


def variance(histogram: dict[int, int], threshold: int) -> Fraction:
    """Variance between the two classes, the first one being the levels up to the threshold."""
    dark = {level: count for level, count in histogram.items() if level <= threshold}
    light = {level: count for level, count in histogram.items() if level > threshold}
    if not dark or not light:
        return Fraction(0)
    return sum(dark.values()) * sum(light.values()) * (mean(dark) - mean(light)) ** 2


def mean(histogram: dict[int, int]) -> Fraction:
    return Fraction(sum(level * count for level, count in histogram.items()), sum(histogram.values()))


def image_of(histogram: dict[int, int]) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    return np.repeat(np.array(list(histogram), np.uint8), list(histogram.values()))[None, :]


@given(histograms)
def test_the_level_is_the_first_that_separates_best(histogram: dict[int, int]) -> None:
    found = otsu_levels(image_of(histogram))
    variances = [variance(histogram, threshold) for threshold in range(256)]
    best = max(variances)
    assert found.threshold == (variances.index(best) if best else 0)


@given(histograms)
def test_black_and_white_are_the_means_of_the_classes(histogram: dict[int, int]) -> None:
    found = otsu_levels(image_of(histogram))
    dark = {level: count for level, count in histogram.items() if level <= found.threshold}
    light = {level: count for level, count in histogram.items() if level > found.threshold}
    if dark and light:
        assert (found.black, found.white) == (int(mean(dark)), int(mean(light)))
    else:
        assert found == Levels(0, int(mean(histogram)), int(mean(histogram)))


@given(histograms, st.integers(0, 1000))
def test_the_order_and_the_shape_of_the_pixels_do_not_matter(histogram: dict[int, int], seed: int) -> None:
    flat = image_of(histogram)
    shuffled = np.random.default_rng(seed).permutation(flat, axis=1)
    assert otsu_levels(shuffled) == otsu_levels(flat) == otsu_levels(flat.T)
    assert otsu_levels(np.ascontiguousarray(np.vstack((flat, flat)))) == otsu_levels(flat)


@pytest.mark.parametrize("tone", [0, 1, 128, 255])
def test_one_grey_has_level_zero_and_no_contrast(tone: int) -> None:
    found = otsu_levels(np.full((30, 40), tone, np.uint8))
    assert (found.threshold, found.white - found.black) == (0, 0)


def test_black_is_at_or_below_the_level() -> None:
    # A bilevel image has level 0, and its black pixels, 0 <= 0, stay black.
    bilevel = np.where(np.eye(50, dtype=np.bool_), np.uint8(0), np.uint8(255))
    assert otsu_levels(bilevel) == Levels(0, 0, 255)
    grey = np.where(np.eye(50, dtype=np.bool_), np.uint8(70), np.uint8(200))
    assert otsu_levels(grey) == Levels(70, 70, 200)


def test_a_clear_page_has_the_level_that_opencv_finds() -> None:
    rng = np.random.default_rng(5)
    page = np.where(rng.random((300, 200)) < 0.1, rng.normal(40, 10, (300, 200)), rng.normal(220, 8, (300, 200)))
    grey = page.clip(0, 255).astype(np.uint8)
    assert otsu_levels(grey).threshold == int(cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[0])


def test_a_view_of_an_image_counts_its_own_pixels_alone() -> None:
    grey = np.full((60, 80), 255, np.uint8)
    grey[10:20, 10:70] = 30
    grey[:5] = 128
    view = grey[5:, ::2]
    assert otsu_levels(view) == otsu_levels(view.copy()) == Levels(30, 30, 255)


def test_more_pixels_than_a_float32_can_count_are_counted() -> None:
    grey = np.full((4200, 4100), 255, np.uint8)
    grey[0, 0] = 10
    assert otsu_levels(grey) == Levels(10, 10, 255)
