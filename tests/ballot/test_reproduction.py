"""Same paper, same answer: from the stored pages, in any thread, as often as it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import pytest

from edge.ballot.interpret import ScannedSheet, interpret, interpret_pages
from edge.ballot.result import Interpretation
from edge.decision import decide
from edge.definition.election import Election
from edge.definition.settings import SystemSettings
from edge.page.page import Grey
from edge.record import canonical_json
from hil.paper.scan import Feed, ScannedPair, scan
from hil.paper.summary import random_summary_payloads, render_summary
from hil.paper.truth import DIFFICULT, random_marked_sheet
from tests.ballot.sheets import BOTTOM_ROW, blank_sheet, bubble_of, filled, made_up

RUNS = 20
SETTINGS = SystemSettings()


@dataclass(frozen=True)
class Case:
    """Two scanned images and their election."""

    top: Grey
    bottom: Grey
    election: Election

    def read(self) -> Interpretation:
        return interpret(ScannedSheet(self.top, self.bottom), self.election, SETTINGS)

    def record(self, reading: Interpretation | None = None) -> bytes:
        reading = reading or self.read()
        return canonical_json(reading, decide(reading, self.election, SETTINGS))


def of_pair(pair: ScannedPair, election: Election) -> Case:
    return Case(pair.top.pixels, pair.bottom.pixels, election)


def with_pale_code(image: Grey) -> Grey:
    """The page with its QR code printed so pale that the threshold loses it."""
    copy = image.copy()
    code = copy[-230:-70, 90:280]
    code[:] = np.maximum(code, 170)
    return copy


def by_hand(name: str) -> Case:
    encoding = BOTTOM_ROW if name == "timing marks" else "qr-code"
    election = made_up(encoding=encoding)
    feed = Feed(upside_down=name == "upside down", face_down=name == "face down", margins=(9, 5, 3, 12))
    damages = {"stained": {"coffee_stain": 85}, "dim": {"light_gradient": 50}}.get(name, {})
    marked = random_marked_sheet(election, 6 if name == "pale pencil" else 4, electorate=DIFFICULT)
    return of_pair(scan(marked, damages, seed=3, feed=feed), election)


@cache
def case(name: str) -> Case:
    """A scanned sheet by its name in `CASES`."""
    if name == "summary":
        election = made_up(14, density="dense")
        sheet = render_summary(election, random_summary_payloads(election, 3)[0])
        return of_pair(scan(sheet, feed=Feed(upside_down=True)), election)
    if name.startswith("pale code"):
        marked = filled(blank_sheet())
        top, bottom = (with_pale_code(side) for side in (marked.front, marked.back))
        if name.endswith("upside down"):
            top, bottom = top[::-1, ::-1], bottom[::-1, ::-1]
        return Case(top, bottom, marked.printed.election)
    return by_hand(name)


CASES = [
    "upright",
    "upside down",
    "face down",
    "timing marks",
    "pale pencil",
    "pale code",
    "pale code, upside down",
    "stained",
    "dim",
    "summary",
]


@pytest.mark.parametrize("name", CASES)
def test_the_stored_pages_give_the_same_record(name: str) -> None:
    sheet = case(name)
    reading = sheet.read()
    assert reading.refusal is None
    stored = {page.scan: page.stored() for page in reading.pages}
    assert all(page.grey is None for page in stored.values())
    again = interpret_pages((stored["A"], stored["B"]), sheet.election, SETTINGS)
    assert sheet.record(again) == sheet.record(reading)
    # What is stored of the second reading is the same again, so evidence may be re-interpreted any number of times.
    for page in again.pages:
        kept, first = page.stored().kept, stored[page.scan].kept
        assert [area for area, _ in kept] == [area for area, _ in first]
        assert all(np.array_equal(pixels, one) for (_, pixels), (_, one) in zip(kept, first, strict=True))
        assert np.array_equal(page.stored().bits, stored[page.scan].bits)


def test_the_cases_need_their_grey_pixels() -> None:
    assert any(bubble.grey_ink for page in case("pale pencil").read().pages for bubble in page.bubbles)
    for name in ("pale code", "pale code, upside down"):
        for page in case(name).read().pages:
            assert page.barcode is not None
            assert page.barcode.grey is not None


def test_no_more_grey_is_stored_than_is_needed() -> None:
    for page in case("upright").read().pages:
        assert sum(pixels.size for _, pixels in page.stored().kept) * 100 <= page.page.bits.size


@pytest.fixture
def one_opencv_thread() -> Iterator[None]:
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(before)


def records(sheet: Case, threads: int) -> set[bytes]:
    with ThreadPoolExecutor(threads) as pool:
        return set(pool.map(lambda _: sheet.record(), range(RUNS)))


@pytest.mark.parametrize("name", ["pale pencil", "timing marks"])
def test_twenty_runs_in_one_and_in_four_threads_give_the_same_bytes(name: str) -> None:
    assert records(case(name), 1) == records(case(name), 4) == {case(name).record()}


def test_opencvs_threads_do_not_matter(one_opencv_thread: None, request: pytest.FixtureRequest) -> None:
    alone = records(case("pale pencil"), 4)
    cv2.setNumThreads(4)
    assert records(case("pale pencil"), 4) == alone


def test_the_pixels_are_not_touched() -> None:
    sheet = case("upright")
    before = sheet.top.copy(), sheet.bottom.copy()
    sheet.read()
    assert np.array_equal(sheet.top, before[0])
    assert np.array_equal(sheet.bottom, before[1])


def test_memory_order_does_not_matter() -> None:
    sheet = case("upright")
    columns_first = Case(np.asfortranarray(sheet.top), np.asfortranarray(sheet.bottom), sheet.election)
    padded = np.zeros((sheet.top.shape[0] + 3, sheet.top.shape[1] + 5), np.uint8)
    padded[1:-2, 2:-3] = sheet.top
    view = Case(padded[1:-2, 2:-3], sheet.bottom, sheet.election)
    read_only = sheet.top.copy()
    read_only.setflags(write=False)
    records = {sheet.record(), columns_first.record(), view.record(), Case(read_only, sheet.bottom, sheet.election).record()}
    assert len(records) == 1


def test_a_pale_mark_is_marginal_again_from_its_stored_pixels() -> None:
    sheet = case("pale pencil")
    reading = sheet.read()
    stored = {page.scan: page.stored() for page in reading.pages}
    again = interpret_pages((stored["A"], stored["B"]), sheet.election, SETTINGS)
    assert reading.marginal
    for contest, options in reading.marginal.items():
        for option in options:
            assert bubble_of(again, (contest, option)).verdict == bubble_of(reading, (contest, option)).verdict
