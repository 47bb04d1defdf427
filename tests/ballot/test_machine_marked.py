"""Machine-marked ballots: every published body, wherever the page lies in the image."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from edge.ballot.result import Interpretation
from edge.decision import decide
from edge.definition.election import Election
from edge.definition.settings import SystemSettings
from edge.definition.summary_payload import SummaryPayload, SummaryVersion
from edge.page.page import Grey
from hil.paper.scan import Feed, scan
from hil.paper.summary import PrintedSummary, random_summary_payloads, render_summary
from tests.ballot.sheets import blank_sheet, made_up, read, refusal, turned

ELECTION_SEED = 14
LONG = 14
"""Tenths of the page's length that a tall black image has."""


def election() -> Election:
    return made_up(ELECTION_SEED, density="dense")


@cache
def printed(version: SummaryVersion = SummaryVersion.VS1, *, test_mode: bool = False, voter: int = 3) -> PrintedSummary:
    (payload,) = random_summary_payloads(election(), voter, version, test_mode=test_mode, precinct_index=1)
    return render_summary(election(), payload)


def expected_votes(payload: SummaryPayload) -> dict[str, tuple[str, ...]]:
    written = {contest: tuple(f"write-in-{index}" for index in range(len(names))) for contest, names in payload.write_ins.items()}
    every = {contest: tuple(sorted((*options, *written.get(contest, ())))) for contest, options in payload.votes.items()}
    return {contest: options for contest, options in sorted(every.items()) if options}


def assert_says(reading: Interpretation, payload: SummaryPayload) -> None:
    assert reading.refusal is None
    assert (reading.kind, reading.votes) == ("machineMarked", expected_votes(payload))
    assert dict(reading.write_in_names) == {contest: tuple(names) for contest, names in payload.write_ins.items()}
    assert reading.contests == payload.contests_on_page
    assert (reading.marginal, reading.unmarked_write_ins, reading.doubts) == ({}, {}, ())


def in_a_long_image(page: Grey, place: int) -> Grey:
    """The page at the top (0), in the middle (1) or at the bottom (2) of an image 1.4 times as long, the rest black."""
    image = np.zeros((page.shape[0] * LONG // 10, page.shape[1]), np.uint8)
    top = (image.shape[0] - page.shape[0]) * place // 2
    image[top : top + page.shape[0]] = page
    return image


@pytest.mark.parametrize("upside_down", [False, True])
@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("version", list(SummaryVersion))
def test_every_body_is_read_wherever_the_page_lies(version: SummaryVersion, place: int, upside_down: bool) -> None:
    sheet = printed(version)
    sides = (turned(side) if upside_down else side for side in (sheet.front, sheet.back))
    top, bottom = (in_a_long_image(side, place) for side in sides)
    reading = read(top, bottom, election())
    assert_says(reading, sheet.payload)
    assert [page.upside_down for page in reading.pages] == [upside_down] * 2
    assert reading.pages[0].page.bits.shape == sheet.front.shape
    assert reading.metadata is not None
    assert reading.metadata.encoding == version.value


def test_a_scanned_page_is_read_with_all_its_grain() -> None:
    sheet = printed()
    pair = scan(sheet, {"rotation": 10, "blur": 10}, feed=Feed(upside_down=True, margins=(20, 30, 20, 10)))
    assert_says(read(pair.top.pixels, pair.bottom.pixels, election()), sheet.payload)


@pytest.mark.parametrize("face_down", [False, True])
@pytest.mark.parametrize("at", [(0.5, 0.5), (3.7, 5.0), (6.9, 9.3)])
def test_the_code_may_stand_anywhere_on_either_side(at: tuple[float, float], face_down: bool) -> None:
    sheet = render_summary(election(), printed().payload, qr_at=at)
    top, bottom = (sheet.back, sheet.front) if face_down else (sheet.front, sheet.back)
    reading = read(top, bottom, election())
    assert_says(reading, sheet.payload)
    assert reading.pages[0].scan == ("B" if face_down else "A")


@pytest.mark.parametrize("voter", range(6))
def test_every_voters_choices_and_names_arrive(voter: int) -> None:
    sheet = printed(voter=voter)
    assert_says(read(sheet.front, sheet.back, election()), sheet.payload)


def test_narrow_thermal_paper_and_300_dpi_are_read() -> None:
    payload = printed().payload
    for sheet in (render_summary(election(), payload, width=8.0, height=13.25), render_summary(election(), payload, dpi=300)):
        assert_says(read(sheet.front, sheet.back, election(), dpi=sheet.dpi), payload)


def test_a_page_of_several_carries_its_own_contests() -> None:
    first, second = random_summary_payloads(election(), 6, pages=2)
    for number, payload in enumerate((first, second), start=1):
        sheet = render_summary(election(), payload)
        reading = read(sheet.front, sheet.back, election())
        assert_says(reading, payload)
        assert reading.metadata is not None
        assert (reading.metadata.page_number, reading.metadata.total_pages) == (number, 2)


def test_two_blank_pages_are_a_blank_sheet_where_nothing_is_marked_by_hand() -> None:
    paper = np.full((2200, 1700), 245, np.uint8)
    assert refusal(read(paper, paper, replace(election(), layouts={})))[0] == "blankSheet"
    # Where ballots are marked by hand, it may be one that is printed too pale.
    assert refusal(read(paper, paper, election()))[0] == "lowContrast"


def test_codes_on_both_sides_are_refused() -> None:
    sheet = printed()
    refusal(read(sheet.front, sheet.front, election()))
    code, detail = refusal(read(sheet.front, turned(sheet.front), replace(election(), layouts={})))
    assert (code, detail) == ("invalidQrCodeMetadata", "both pages carry votes")


def test_a_station_that_reads_none_says_so() -> None:
    sheet = printed()
    off = SystemSettings(precinct_scan_enable_bmd_ballot_scanning=False)
    for voted_on in (election(), replace(election(), layouts={})):
        assert refusal(read(sheet.front, sheet.back, voted_on, off))[0] == "bmdBallotScanningDisabled"


def test_a_page_of_another_election_is_refused() -> None:
    sheet = printed()
    code, detail = refusal(read(sheet.front, sheet.back, made_up()))
    assert code == "invalidBallotHash"
    assert election().ballot_hash.hex() in detail


def test_a_hand_marked_sheet_is_not_read_as_a_machine_marked_one() -> None:
    sheet = blank_sheet()
    by_machine_only = replace(sheet.election, layouts={})
    assert refusal(read(sheet.front, sheet.back, by_machine_only))[0] == "invalidQrCodeMetadata"


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        (SystemSettings(test_mode=False), "invalidTestMode"),
        (SystemSettings(test_mode=True), None),
        (SystemSettings(precinct_ids=("p-1", "p-3")), "invalidPrecinct"),
        (SystemSettings(precinct_ids=("p-2",)), None),
    ],
)
def test_mode_and_precinct_are_checked(settings: SystemSettings, code: str | None) -> None:
    sheet = printed(test_mode=True)
    disposition = decide(read(sheet.front, sheet.back, election(), settings), election(), settings)
    assert disposition.kind == ("return" if code else "accept")
    assert [reason.code for reason in disposition.reasons] == ([code] if code else [])


def test_undervotes_and_blank_ballots_are_the_only_reasons_to_hold_one() -> None:
    payload = printed().payload
    empty = replace(payload, votes=dict.fromkeys(payload.contests_on_page, ()), write_ins={})
    sheet = render_summary(election(), empty)
    reading = read(sheet.front, sheet.back, election())
    assert_says(reading, empty)
    disposition = decide(reading, election(), SystemSettings())
    assert (disposition.kind, [reason.code for reason in disposition.reasons]) == ("hold", ["BlankBallot"])
