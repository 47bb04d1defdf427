"""Cropping to the paper, the paper's size, and the threshold."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.definition.paper import PaperSize
from edge.fixed.otsu import otsu_levels
from edge.page.area import Area
from edge.page.error import PageError
from edge.page.page import Grey, Insets, find_insets, match_paper, read_page
from hil.paper.scan import Feed, scan
from tests.ballot.sheets import BOTTOM_ROW, QR, blank_sheet, filled

NORMAL = (
    (2200, PaperSize.LETTER),
    (2800, PaperSize.LEGAL),
    (3400, PaperSize.INCHES_17),
    (3600, PaperSize.INCHES_18),
    (3800, PaperSize.INCHES_19),
    (4000, PaperSize.INCHES_20),
    (4200, PaperSize.INCHES_21),
    (4400, PaperSize.INCHES_22),
)


def paper_in_a_border(insets: Insets, width: int = 200, height: int = 300) -> Grey:
    """White paper with a grey border of the given widths around it."""
    image = np.full((height + insets.top + insets.bottom, width + insets.left + insets.right), 20, np.uint8)
    image[insets.top : insets.top + height, insets.left : insets.left + width] = 240
    return image


borders = st.integers(0, 60)


@given(st.builds(Insets, borders, borders, borders, borders))
@settings(max_examples=60)
def test_the_border_is_measured_exactly(insets: Insets) -> None:
    image = paper_in_a_border(insets)
    # Without a border everything is white and the threshold means nothing.
    assert find_insets(image, 128) == insets
    page = read_page(image)
    assert page.insets == insets
    assert page.bits.shape == (300, 200)
    assert not page.bits.any()


def test_the_sides_of_a_border_are_not_confused() -> None:
    assert find_insets(paper_in_a_border(Insets(top=5, bottom=11, left=23, right=42)), 128) == Insets(5, 11, 23, 42)


@pytest.mark.parametrize("tone", [0, 90])
def test_an_image_that_is_dark_all_over_has_no_border(tone: int) -> None:
    with pytest.raises(PageError) as refused:
        find_insets(np.full((300, 200), tone, np.uint8), 90)
    assert refused.value.code == "borderInsetNotFound"


def test_an_image_that_is_white_all_over_has_none_to_cut() -> None:
    white = np.full((300, 200), 255, np.uint8)
    assert find_insets(white, 254) == Insets(0, 0, 0, 0)
    assert read_page(white).insets == Insets(0, 0, 0, 0)


@pytest.mark.parametrize(("white", "is_paper"), [(20, False), (21, True)])
def test_more_than_a_tenth_of_a_row_must_be_white(white: int, is_paper: bool) -> None:
    image = np.full((300, 200), 255, np.uint8)
    image[0] = 0
    image[0, 60 : 60 + white] = 255
    assert find_insets(image, 128).top == (0 if is_paper else 1)


def test_a_pixel_at_the_threshold_is_dark() -> None:
    image = np.full((40, 50), 101, np.uint8)
    image[:10] = 100
    assert find_insets(image, 100).top == 10
    page = read_page(np.where(np.eye(50, dtype=np.bool_), np.uint8(60), np.uint8(200)))
    assert (page.threshold, page.bits.sum()) == (60, 50)


@pytest.mark.parametrize(("height", "paper"), NORMAL)
@pytest.mark.parametrize("width", [1696, 1700])
def test_pages_at_200_dpi_are_matched_to_their_paper(width: int, height: int, paper: PaperSize) -> None:
    assert match_paper(width, height, 200) == (paper, 200)
    assert match_paper(width, height) == (paper, 200)


@pytest.mark.parametrize("paper", list(PaperSize))
def test_pages_at_300_dpi_are_matched_to_their_paper(paper: PaperSize) -> None:
    assert match_paper(2550, int(paper.height * 300), 300) == (paper, 300)


def test_a_letter_page_tells_its_resolution() -> None:
    assert match_paper(2550, 3300) == (PaperSize.LETTER, 300)
    assert match_paper(2550, 3300, 200) is None
    assert match_paper(1700, 2200, 300) is None


@pytest.mark.parametrize("size", [(1500, 1500), (850, 1100), (1700, 1000), (1700, 6000), (2000, 2200), (200, 200)])
def test_other_images_match_no_paper(size: tuple[int, int]) -> None:
    assert match_paper(*size) is None


@given(st.integers(1, 3000), st.integers(1, 6000))
def test_a_match_is_the_nearest_in_height_and_within_bounds(width: int, height: int) -> None:
    matched = match_paper(width, height, 200)
    off = {paper: Fraction(height) / (paper.height * 200) - 1 for paper in PaperSize}
    fitting = [paper for paper in PaperSize if Fraction(-5, 100) <= off[paper] < Fraction(15, 100)]
    if matched is None:
        assert not fitting or not Fraction(92, 100) <= Fraction(width, 1700) <= Fraction(112, 100)
    else:
        assert abs(off[matched[0]]) == min(abs(off[paper]) for paper in fitting)


@pytest.mark.parametrize("damages", [{}, {"rotation": 8}, {"dust": 20, "noise": 10}, {"low_contrast": 40}, {"hole": 50}])
@pytest.mark.parametrize("encoding", [QR, BOTTOM_ROW])
def test_a_page_read_from_its_own_bits_is_the_same_page(encoding: str, damages: dict[str, int]) -> None:
    pair = scan(filled(blank_sheet(encoding=encoding)), damages, seed=4, feed=Feed(margins=(12, 7, 0, 30)))
    for scanned in (pair.top, pair.bottom):
        page = read_page(scanned.pixels)
        again = read_page(np.where(page.bits, np.uint8(0), np.uint8(255)))
        assert np.array_equal(again.bits, page.bits)
        assert (again.insets, again.threshold) == (Insets(0, 0, 0, 0), 0)
        assert (again.paper, again.dpi) == (page.paper, page.dpi)


def test_the_threshold_is_taken_without_the_border() -> None:
    image = paper_in_a_border(Insets(30, 30, 30, 30))
    image[100:150, 100:150] = 120
    page = read_page(image)
    assert page.threshold == otsu_levels(image[30:-30, 30:-30]).threshold
    assert page.bits.sum() == 50 * 50


def test_a_page_knows_its_size_and_lengths() -> None:
    page = read_page(blank_sheet().front)
    assert (page.width, page.height, page.dpi, page.paper) == (1700, 2200, 200, PaperSize.LETTER)
    assert [page.pixels(Fraction(*inches)) for inches in ((1, 1), (1, 400), (3, 400), (1, 1000))] == [200, 1, 2, 0]


def test_an_unknown_size_keeps_the_scanners_resolution() -> None:
    image = paper_in_a_border(Insets(0, 0, 0, 9))
    assert [(read_page(image, dpi).paper, read_page(image, dpi).dpi) for dpi in (None, 200, 300)] == [
        (None, 200),
        (None, 200),
        (None, 300),
    ]


def test_a_page_turned_twice_is_itself() -> None:
    page = read_page(paper_in_a_border(Insets(5, 11, 23, 42)))
    assert page.turned().insets == Insets(11, 5, 42, 23)
    twice = page.turned().turned()
    assert twice.insets == page.insets
    assert np.array_equal(twice.bits, page.bits)
    assert page.grey is not None
    assert twice.grey is not None
    assert np.array_equal(twice.grey, page.grey)
    area = Area(10, 20, 30, 40)
    turned = page.turned().grey_of(area.turned(page.width, page.height))
    assert turned is not None
    assert np.array_equal(turned[::-1, ::-1], area.of(page.grey))
