"""What a page says of itself, and what happens when its two sides do not say the same."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest

from edge.ballot.grid import find_grid
from edge.ballot.page_code import corner_squares, read_bottom_row, read_qr_code
from edge.definition.bubble_payload import BubbleVersion
from edge.definition.election import Election, load_election
from edge.definition.paper import GRID_COLUMNS, PaperSize
from edge.definition.payload_fields import BallotType
from edge.definition.settings import SystemSettings
from edge.page.error import PageError
from edge.page.page import Grey, read_page
from hil.paper.election import make_election
from hil.paper.scan import scan
from hil.paper.sheet import PrintedSheet, render_sheet
from hil.paper.summary import random_summary_payloads, render_summary
from hil.paper.truth import MarkedSheet
from tests.ballot.sheets import (
    BOTTOM_ROW,
    as_votes,
    blank_sheet,
    boxed,
    filled,
    made_up,
    one_vote_each,
    page_of,
    read,
    refusal,
    turned,
    without_mark,
    without_qr,
)


@cache
def voted(encoding: str = "qr-code") -> MarkedSheet:
    return filled(blank_sheet(encoding=encoding))


@cache
def many_styles() -> Election:
    return load_election(make_election(6, encoding=BOTTOM_ROW, styles=8, precincts=7))


def card(style_index: int, precinct_index: int) -> PrintedSheet:
    return render_sheet(many_styles(), many_styles().ballot_styles[style_index].id, precinct_index=precinct_index)


def bottom_row(image: Grey) -> tuple[str, int, bool]:
    page = read_page(image)
    code = read_bottom_row(page, find_grid(page, infer=True))
    return code.metadata.ballot_style_id, code.metadata.page_number, code.upside_down


@pytest.mark.parametrize(("style", "precinct"), [(0, 0), (1, 3), (3, 6), (4, 1), (6, 2), (7, 5)])
def test_the_bottom_row_says_card_and_side_either_way_up(style: int, precinct: int) -> None:
    printed = card(style, precinct)
    assert bottom_row(printed.front) == (printed.style_id, 1, False)
    assert bottom_row(turned(printed.front)) == (printed.style_id, 1, True)
    assert bottom_row(printed.back) == ("", 2, False)
    assert bottom_row(turned(printed.back)) == ("", 2, True)


@pytest.mark.parametrize("paper", [PaperSize.LETTER, PaperSize.LEGAL, PaperSize.INCHES_22])
def test_a_timing_mark_sheet_is_read_whole(paper: PaperSize) -> None:
    marked = filled(blank_sheet(paper, BOTTOM_ROW))
    reading = read(marked.front, marked.back, marked.printed.election)
    assert reading.votes == as_votes(one_vote_each(marked.printed))
    assert [(page.side, page.metadata and page.metadata.page_number) for page in reading.pages] == [("front", 1), ("back", 2)]
    assert {page.metadata.ballot_style_id for page in reading.pages if page.metadata} == {marked.printed.style_id}


def test_two_fronts_and_two_backs_are_no_card() -> None:
    marked = voted(BOTTOM_ROW)
    election = marked.printed.election
    assert refusal(read(marked.front, turned(marked.front), election)) == (
        "invalidCardMetadata",
        "both sides carry the code of a front",
    )
    assert refusal(read(marked.back, marked.back, election)) == ("invalidCardMetadata", "both sides carry the code of a back")


def a_bit_of(printed: PrintedSheet, side: str) -> int:
    """The column of some mark of the bottom row that stands for a bit."""
    last = printed.geometry.paper.rows - 1
    for column in range(1, GRID_COLUMNS - 1):
        left, top, right, bottom = (float(edge * printed.dpi) for edge in printed.geometry.mark_box(column, last))
        if printed.side(side)[round((top + bottom) / 2), round((left + right) / 2)] < 128:
            return column
    raise AssertionError("the bottom row is empty")


def test_a_lost_bit_of_the_back_is_made_good_by_the_front_and_not_the_other_way() -> None:
    marked = voted(BOTTOM_ROW)
    printed, last = marked.printed, 40
    back = without_mark(printed, marked.back, a_bit_of(printed, "back"), last)
    reading = read(marked.front, back, printed.election)
    assert reading.votes == as_votes(one_vote_each(printed))
    metadata = page_of(reading, "back").metadata
    assert metadata is not None
    assert metadata.inferred
    front = without_mark(printed, marked.front, a_bit_of(printed, "front"), last)
    assert refusal(read(front, marked.back, printed.election))[0] == "invalidTimingMarkMetadata"
    assert refusal(read(front, back, printed.election))[0] == "invalidTimingMarkMetadata"


@pytest.mark.parametrize("version", list(BubbleVersion))
def test_every_version_of_the_code_is_read_either_way_up(version: BubbleVersion) -> None:
    election = made_up()
    printed = render_sheet(
        election,
        "2_en",
        precinct_index=1,
        test_mode=True,
        ballot_type=BallotType.ABSENTEE,
        payload_version=version,
        audit_id="b-7",
    )
    for side, number in (("front", 1), ("back", 2)):
        for image, upside_down in ((printed.side(side), False), (turned(printed.side(side)), True)):
            page = read_page(image)
            code = read_qr_code(page, election)
            said = code.metadata
            assert (said.ballot_style_id, said.precinct_id, said.page_number) == ("2_en", election.precincts[1].id, number)
            assert (said.test_mode, said.ballot_type, said.audit_id) == (True, BallotType.ABSENTEE, "b-7")
            assert (said.ballot_hash, said.encoding, code.upside_down) == (election.ballot_hash, version.value, upside_down)
            assert code.barcode is not None
            assert code.barcode.area in {corner_squares(page, parts)[upside_down] for parts in (6, 4)}


@pytest.mark.parametrize("lost", ["front", "back"])
def test_the_code_of_one_side_is_inferred_from_the_other(lost: str) -> None:
    marked = voted()
    front = without_qr(marked.front) if lost == "front" else marked.front
    back = without_qr(marked.back) if lost == "back" else marked.back
    for top, bottom in ((front, back), (back, front), (turned(front), turned(back))):
        reading = read(top, bottom, marked.printed.election)
        assert reading.votes == as_votes(one_vote_each(marked.printed))
        for side in ("front", "back"):
            page = page_of(reading, side)
            assert page.metadata is not None
            assert (page.metadata.inferred, page.barcode is None) == ((True, True) if side == lost else (False, False))
            assert page.metadata.page_number == (1 if side == "front" else 2)


def test_without_any_code_the_sheet_is_refused() -> None:
    marked = voted()
    code, detail = refusal(read(without_qr(marked.front), without_qr(marked.back), marked.printed.election))
    assert (code, detail) == ("invalidQrCodeMetadata", "no QR code in the bottom left or top right corner")


def test_a_sheet_of_another_election_is_refused() -> None:
    marked = voted()
    other = made_up(4)
    code, detail = refusal(read(marked.front, marked.back, other))
    assert code == "invalidBallotHash"
    assert marked.printed.election.ballot_hash.hex() in detail
    assert refusal(read(without_qr(marked.front), marked.back, other))[0] == "invalidBallotHash"


def test_a_front_and_a_back_that_do_not_belong_together_are_refused() -> None:
    printed = blank_sheet()
    election = printed.election
    others = {
        "ballot_style_id": render_sheet(election, "2_en"),
        "precinct_id": render_sheet(election, "1_en", precinct_index=2),
        "test_mode": render_sheet(election, "1_en", test_mode=True),
        "ballot_type": render_sheet(election, "1_en", ballot_type=BallotType.PROVISIONAL),
        "audit_id": render_sheet(election, "1_en", audit_id="a-1"),
    }
    for differing, other in others.items():
        for top, bottom in ((printed.front, other.back), (other.back, printed.front)):
            assert refusal(read(top, bottom, election)) == ("mismatchedBallotMetadata", f"the two sides differ in {differing}")


def test_pages_that_are_no_partners_are_refused() -> None:
    election = load_election(make_election(5, density="dense", sheets=2))
    first, second = (render_sheet(election, "1_en", sheet) for sheet in (1, 2))
    told = ("mismatchedBallotMetadata", "the two sides differ in page_number")
    for top, bottom in (
        (first.front, second.front),  # pages 1 and 3
        (second.front, first.back),  # pages 3 and 2: neighbours, but of two sheets
        (first.front, first.front),
        (first.back, second.back),
    ):
        assert refusal(read(top, bottom, election)) == told
    assert read(second.back, second.front, election).refusal is None


def test_a_style_without_a_layout_is_refused() -> None:
    printed = blank_sheet()
    election = printed.election
    other = replace(election, layouts={style: layout for style, layout in election.layouts.items() if style != printed.style_id})
    code, detail = refusal(read(printed.front, printed.back, other))
    assert code == "missingGridLayout"
    assert printed.style_id in detail


def test_a_sheet_that_the_style_does_not_have_is_refused() -> None:
    """It would be a sheet without contests: read, and counted, with no votes."""
    election = load_election(make_election(5, density="dense", sheets=2))
    second = render_sheet(election, "1_en", 2)
    first_only = tuple(position for position in election.layouts["1_en"] if position.sheet_number == 1)
    shorter = replace(election, layouts={**election.layouts, "1_en": first_only})
    assert refusal(read(second.front, second.back, shorter)) == ("missingGridLayout", "ballot style 1_en has no sheet 2")


def test_bubbles_outside_the_grid_are_refused() -> None:
    printed = blank_sheet()
    longer = replace(made_up(paper=PaperSize.LEGAL), ballot_hash=printed.election.ballot_hash)
    assert refusal(read(printed.front, printed.back, longer))[0] == "gridPositionOutsideTimingMarkGrid"


def test_a_sheet_printed_too_small_is_refused_unless_the_scale_is_not_checked() -> None:
    marked = voted()
    election = marked.printed.election
    pair = scan(marked, {"scale": 25}, seed=1)
    code, detail = refusal(read(pair.top.pixels, pair.bottom.pixels, election))
    assert code == "invalidScale"
    assert abs(float(detail.split()[2]) - 97.5) <= 0.2
    reading = read(pair.top.pixels, pair.bottom.pixels, election, SystemSettings(minimum_scale=0))
    assert reading.votes == as_votes(one_vote_each(marked.printed))
    pair = scan(marked, {"scale": 10}, seed=1)
    assert read(pair.top.pixels, pair.bottom.pixels, election).votes == as_votes(one_vote_each(marked.printed))


def test_pages_of_different_length_are_refused() -> None:
    letter, legal = (blank_sheet(paper, BOTTOM_ROW) for paper in (PaperSize.LETTER, PaperSize.LEGAL))
    assert refusal(read(letter.front, legal.back, letter.election))[0] == "mismatchedBallotCardGeometries"


@pytest.mark.parametrize("shape", [(1500, 1500), (400, 1700), (5600, 1700)])
def test_an_image_of_no_papers_size_is_refused(shape: tuple[int, int]) -> None:
    image = np.full(shape, 250, np.uint8)
    cv2.rectangle(image, (200, 100), (400, 300), (10,), -1)
    assert refusal(read(image, image, made_up()))[0] == "unexpectedDimensions"


def test_a_streaked_sheet_is_refused_with_its_columns() -> None:
    marked = voted()
    front = boxed(marked.front, 700, 0, 706, 2200, 10)
    code, detail = refusal(read(front, marked.back, marked.printed.election))
    assert code == "verticalStreaksDetected"
    assert "700-705" in detail
    off = SystemSettings(disable_vertical_streak_detection=True)
    assert read(front, marked.back, marked.printed.election, off).refusal is None


def test_a_thin_streak_is_tolerated_where_it_meets_no_bubble() -> None:
    marked = voted()
    printed = marked.printed
    expected = as_votes(one_vote_each(printed))
    clear, at_mark = (boxed(marked.front, x, 0, x + 1, 2200, 10) for x in (340, 60))
    for front in (clear, at_mark):
        assert read(front, marked.back, printed.election).votes == expected
    x = round(printed.bubbles_on("front")[0].x)
    code, detail = refusal(read(boxed(marked.front, x, 0, x + 1, 2200, 10), marked.back, printed.election))
    assert code == "verticalStreaksDetected"
    assert "bubbles" in detail


def test_streaks_are_told_in_the_upright_pages_columns() -> None:
    marked = voted()
    front = boxed(marked.front, 340, 0, 341, 2200, 10)
    for image in (front, turned(front)):
        reading = read(image, marked.back, marked.printed.election)
        assert [(streak.first, streak.last) for streak in page_of(reading, "front").streaks] == [(340, 340)]
        assert page_of(reading, "back").streaks == ()


def test_a_code_that_is_no_ballots_gives_the_decoders_reason() -> None:
    summary = render_summary(made_up(), random_summary_payloads(made_up(), 1)[0], qr_at=(0.3, 9.3))
    with pytest.raises(PageError) as refused:
        read_qr_code(read_page(summary.front), made_up())
    assert (refused.value.code, refused.value.detail.split(":")[0]) == ("invalidQrCodeMetadata", "invalidPrelude")


@pytest.mark.parametrize(("face_down", "front_up", "back_up"), [(True, True, True), (False, True, False), (True, False, True)])
def test_sides_and_ways_up_may_be_mixed(face_down: bool, front_up: bool, back_up: bool) -> None:
    marked = voted()
    front = marked.front if front_up else turned(marked.front)
    back = marked.back if back_up else turned(marked.back)
    top, bottom = (back, front) if face_down else (front, back)
    reading = read(top, bottom, marked.printed.election)
    assert reading.votes == as_votes(one_vote_each(marked.printed))
    assert [page.side for page in reading.pages] == ["front", "back"]
    assert [page.scan for page in reading.pages] == (["B", "A"] if face_down else ["A", "B"])
    assert [page.upside_down for page in reading.pages] == [not front_up, not back_up]


def test_the_corner_squares_mirror_each_other() -> None:
    page = read_page(blank_sheet().front)
    upright, upside_down = corner_squares(page)
    assert upright.turned(page.width, page.height) == upside_down
