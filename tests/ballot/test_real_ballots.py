"""Real scans: what a person reads from the paper is what the interpreter says."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from edge.ballot.grid import Found, find_grid
from edge.ballot.page_code import corner_squares
from edge.definition.bubble_payload import BubblePayload, peek_bubble_payload
from edge.definition.election import Election, load_election
from edge.definition.paper import PaperSize
from edge.definition.qr_text import payload_from_barcode
from edge.image_file import read_image
from edge.page.barcode import Barcode, read_barcodes
from edge.page.page import Page, read_page
from tests.ballot.sheets import Choice, page_of, read, refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from edge.ballot.result import Interpretation

HAND_MARKED = ["nh-test-ballot", "nh-hudson", "m17"]
FAMOUS_HASH = bytes.fromhex("d44db90b8b1de80ce518")
"""The printed page's ballot hash; the definition beside it was edited since."""
FAMOUS_VOTES = {
    "Mayor": ["Sherlock Holmes"],
    "Controller": ["Winston Churchill"],
    "Attorney": ["John Snow"],
    "Public Works Director": ["Benjamin Franklin"],
    "Chief of Police": ["Natalie Portman"],
    "Parks and Recreation Director": ["Charles Darwin"],
    "Board of Alderman": ["Helen Keller", "Steve Jobs", "Nikola Tesla", "Vincent Van Gogh"],
    "City Council": ["Marie Curie", "Indiana Jones", "Mona Lisa", "Jackie Chan"],
}


def pairs(options: Mapping[str, Iterable[str]]) -> set[Choice]:
    return {(contest, option) for contest, names in options.items() for option in names}


def listed(sheet: dict[str, Any], name: str) -> set[Choice]:
    return {(contest, option) for contest, option in sheet.get(name, ())}


def election_in(folder: Path) -> Election:
    return load_election((folder / "election.json").read_bytes())


def readings(folder: Path) -> Iterator[tuple[dict[str, Any], Interpretation]]:
    """Every sheet of a folder as a person read it, and as it is read here."""
    election = election_in(folder)
    for sheet in json.loads((folder / "expected.json").read_text())["sheets"]:
        yield sheet, read(read_image(folder / sheet["front"]), read_image(folder / sheet["back"]), election)


@pytest.mark.parametrize("name", HAND_MARKED)
def test_every_sheet_is_read_as_a_person_reads_it(real_data: Path, name: str) -> None:
    for sheet, reading in readings(real_data / "ballots" / name):
        scan = sheet["front"]
        assert reading.refusal is None, scan
        weak, either = listed(sheet, "weak_marks"), listed(sheet, "either")
        votes, marginal = pairs(reading.votes), pairs(reading.marginal)
        printed = pairs(sheet["votes"]) | weak
        assert votes - weak - either == printed - weak - either, scan
        assert weak <= votes | marginal, scan
        assert marginal <= printed | either, scan
        assert pairs(reading.unmarked_write_ins) == listed(sheet, "unmarked_write_ins"), scan
        assert not reading.doubts, scan


@pytest.mark.parametrize("name", ["nh-test-ballot", "nh-hudson"])
def test_the_way_up_and_the_resolution_of_real_pages_are_found(real_data: Path, name: str) -> None:
    for sheet, reading in readings(real_data / "ballots" / name):
        for side, facts in sheet["pages"].items():
            page = page_of(reading, side)
            assert (page.upside_down, page.page.dpi) == (facts["upside_down"], facts["dpi"]), sheet[side]


def test_a_real_upside_down_sheet_says_the_same_as_upright(real_data: Path) -> None:
    (_, upright), (_, upside_down) = readings(real_data / "ballots" / "nh-hudson")
    assert pairs(upright.votes) | pairs(upright.marginal) == pairs(upside_down.votes) | pairs(upside_down.marginal)
    assert upright.metadata == upside_down.metadata


def qr_page(real_data: Path, name: str) -> Page:
    # Published as colour pictures with transparency, which no scanner delivers and `read_image` refuses.
    with Image.open(real_data / "ballots" / "qr-v4" / name) as picture:
        return read_page(np.asarray(picture.convert("L")))


def first_code(page: Page) -> tuple[Barcode, BubblePayload]:
    barcode = next(read_barcodes(page, corner_squares(page)))
    return barcode, peek_bubble_payload(payload_from_barcode(barcode.data))


def test_the_codes_of_real_pages_are_decoded(real_data: Path) -> None:
    legal, letter = (first_code(qr_page(real_data, f"{name}-page.png")) for name in ("blank-legal", "upside-down"))
    assert (legal[1].ballot_hash.hex(), legal[1].page_number, legal[1].test_mode) == ("28d9a88514c43397a7bf", 1, False)
    assert (letter[1].ballot_hash.hex(), letter[1].page_number, letter[1].test_mode) == ("e3847888fec5c5862833", 1, True)
    for barcode, payload in (legal, letter):
        assert (payload.precinct_index, payload.style_index, payload.audit_id) == (0, 0, None)
        assert barcode.grey is None


def test_a_real_upside_down_page_has_its_code_top_right_and_a_full_grid(real_data: Path) -> None:
    page = qr_page(real_data, "upside-down-page.png")
    assert first_code(page)[0].area == corner_squares(page)[1]
    grid = find_grid(page, infer=False)
    assert (grid.paper, grid.rows) == (PaperSize.LETTER, 41)
    assert {*grid.left_found.tolist(), *grid.right_found.tolist()} == {Found.MEASURED}


def test_a_real_legal_page_has_a_full_grid(real_data: Path) -> None:
    page = qr_page(real_data, "blank-legal-page.png")
    assert first_code(page)[0].area == corner_squares(page)[0]
    grid = find_grid(page, infer=False)
    assert (grid.paper, grid.rows) == (PaperSize.LEGAL, 53)
    assert {*grid.left_found.tolist(), *grid.right_found.tolist()} == {Found.MEASURED}


def famous(real_data: Path, *, of_the_page: bool) -> tuple[Election, Interpretation]:
    folder = real_data / "ballots" / "summary-famous-names"
    election = election_in(folder)
    if of_the_page:
        election = replace(election, ballot_hash=FAMOUS_HASH)
    front, back = (read_image(folder / f"bmd-ballot-complete-p{page}.jpg") for page in (1, 2))
    return election, read(front, back, election)


def test_a_real_machine_marked_ballot_says_the_printed_names(real_data: Path) -> None:
    election, reading = famous(real_data, of_the_page=True)
    assert reading.kind == "machineMarked"
    contests = {contest: election.contest(contest) for contest in reading.contests}
    assert {
        contest.title: [option.name for option in contest.options if option.id in reading.votes[contest.id]]
        for contest in contests.values()
    } == FAMOUS_VOTES
    assert (reading.marginal, reading.unmarked_write_ins, reading.write_in_names) == ({}, {}, {})


def test_a_real_machine_marked_ballot_of_another_election_goes_back(real_data: Path) -> None:
    _, reading = famous(real_data, of_the_page=False)
    code, detail = refusal(reading)
    assert code == "invalidBallotHash"
    assert FAMOUS_HASH.hex() in detail
