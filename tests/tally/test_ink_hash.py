"""The hash of the handwriting: near for one piece of paper however it is scanned, far for two that say the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Literal, cast

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from edge import cli
from edge.definition.form import Form, load_form, shipped_form
from edge.image_file import read_colour_image
from edge.page.area import Area
from edge.tally.cells import CellCut, cut_cells
from edge.tally.ink import SQUARE_FRAME
from edge.tally.ink_hash import CELL_BITS, LEAST_CELLS, MOST_CELLS, InkHash, InkHashError, distance, ink_hash, is_same_ink
from edge.tally.writing import clean_writing
from hil.paper.forms import sheet as sheets
from hil.paper.forms.knobs import Knobs
from hil.paper.forms.scan import generator
from hil.paper.forms.sheet import render_sheet
from hil.paper.forms.story import Story, tell_story

Colour = NDArray[np.uint8]
HARBOUR = load_form(shipped_form("lumen-harbour"))
BOLIVIA = load_form(shipped_form("bo-2019-a1"))
SEED = 3
hashes = st.lists(st.none() | st.integers(0, 2**CELL_BITS - 1), max_size=40).map(lambda cells: InkHash(tuple(cells)))


@given(hashes)
def test_the_text_gives_the_hash_again(ink: InkHash) -> None:
    assert InkHash.parse(str(ink)) == ink


@given(st.text(max_size=60) | st.from_regex(r"1:[0-9a-f,-]*", fullmatch=True))
def test_any_text_is_canonical_or_refused(text: str) -> None:
    try:
        ink = InkHash.parse(text)
    except InkHashError:
        return
    assert str(ink) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "2:-",
        "1:,",
        "1:-,",
        "1:0000000",
        "1:000000000",
        "1:0000000G",
        "1:0000000A",
        "1: 0000000",
        "1:00000000\n",
        "1:٠٠٠٠٠٠٠٠",
    ],
)
def test_what_is_no_hash_is_refused(text: str) -> None:
    with pytest.raises(InkHashError):
        InkHash.parse(text)


def test_a_text_with_too_many_cells_is_refused() -> None:
    assert len(InkHash.parse("1:" + ",".join("-" * MOST_CELLS)).cells) == MOST_CELLS
    with pytest.raises(InkHashError, match="more than"):
        InkHash.parse("1:" + ",".join("-" * (MOST_CELLS + 1)))


def test_the_text_is_what_it_says() -> None:
    assert str(InkHash((1, None, 0xFFFFFFFF))) == "1:00000001,-,ffffffff"
    assert (str(InkHash(())), str(InkHash((None,)))) == ("1:", "1:-")


@given(hashes, st.data())
def test_the_distance_counts_bits_of_cells_that_both_have(first: InkHash, data: st.DataObject) -> None:
    cells = st.none() | st.integers(0, 2**CELL_BITS - 1)
    second = InkHash(tuple(data.draw(st.lists(cells, min_size=len(first.cells), max_size=len(first.cells)))))
    differing, compared = distance(first, second)
    assert (differing, compared) == distance(second, first)
    assert distance(first, first) == (0, CELL_BITS * first.inked)
    texts = [
        (f"{a:032b}", f"{b:032b}") for a, b in zip(first.cells, second.cells, strict=True) if a is not None and b is not None
    ]
    assert compared == 32 * len(texts)
    assert differing == sum(x != y for one, other in texts for x, y in zip(one, other, strict=True))


def test_hashes_of_different_forms_have_no_distance() -> None:
    with pytest.raises(ValueError, match=r"shorter|longer"):
        distance(InkHash((1,)), InkHash((1, 2)))


def test_the_threshold_is_an_eighth_of_enough_cells() -> None:
    enough = LEAST_CELLS * CELL_BITS
    assert is_same_ink(0, enough - CELL_BITS) is None
    assert is_same_ink(0, enough) is True
    assert is_same_ink(enough // 8, enough) is True
    assert is_same_ink(enough // 8 + 1, enough) is False


# Cells drawn here, without an image.


def patch(*strokes: tuple[tuple[int, int], tuple[int, int]], level: int = 255) -> NDArray[np.uint8]:
    picture = np.zeros((96, 96), np.uint8)
    for start, end in strokes:
        cv2.line(picture, start, end, (level,), 3)
    return picture


SEVEN = (((36, 30), (58, 30)), ((58, 30), (44, 66)))
ONE = (((48, 30), (48, 66)),)


def cut(form: Form, written: dict[tuple[str, int], NDArray[np.uint8]], names: list[str] | None = None) -> CellCut:
    """Cells of some fields of a form, blank but for those given by field and place."""
    fields = [field for field in form.all_fields if names is None or field.name in names]
    places = [(field.name, place) for field in fields for place in range(field.cells * len(field.boxes))]
    return CellCut(
        tuple(name for name, _ in places),
        np.array([written.get(place, patch()) for place in places]),
        (SQUARE_FRAME,) * len(places),
        (None,) * len(places),
        (Area(0, 0, 9, 9),) * len(places),
    )


def hash_of(form: Form, cells: CellCut) -> InkHash:
    return ink_hash(form, cells, clean_writing(cells.patches, cells.frames))


def test_the_cells_stand_where_the_form_has_them() -> None:
    ink = hash_of(HARBOUR, cut(HARBOUR, {("council.heron", 1): patch(*SEVEN), ("closed", 3): patch(*ONE)}))
    hand = [field for field in HARBOUR.all_fields if field.written == "hand"]
    assert len(ink.cells) == sum(field.cells * len(field.boxes) for field in hand)
    assert [place for place, cell in enumerate(ink.cells) if cell is not None] == [1, len(ink.cells) - 1]
    part = hash_of(HARBOUR, cut(HARBOUR, {("closed", 3): patch(*ONE)}, ["closed"]))
    assert part.cells[:-1] == (None,) * (len(ink.cells) - 1)
    assert part.cells[-1] == ink.cells[-1] != ink.cells[1]


def test_printed_numbers_and_cells_in_doubt_say_nothing() -> None:
    written = {("registered", 0): patch(*SEVEN), ("papers", 0): patch(*SEVEN)}
    clear = cut(HARBOUR, written)
    assert hash_of(HARBOUR, clear).inked == 1
    doubts = tuple("lineDown" if name == "papers" else None for name in clear.fields)
    assert hash_of(HARBOUR, replace(clear, doubts=doubts)).inked == 0


def test_dust_and_pale_traces_are_no_writing() -> None:
    dust, trace = patch(((40, 40), (44, 44))), patch(*SEVEN, level=60)
    assert hash_of(HARBOUR, cut(HARBOUR, {("papers", 0): dust, ("papers", 1): trace})).inked == 0


def test_a_paler_scan_keeps_the_bits_and_a_moved_digit_does_not() -> None:
    def bits(picture: NDArray[np.uint8]) -> int:
        (found,) = [cell for cell in hash_of(HARBOUR, cut(HARBOUR, {("papers", 0): picture})).cells if cell is not None]
        return found

    seven = bits(patch(*SEVEN))
    assert (seven ^ bits(patch(*SEVEN, level=140))).bit_count() <= 1
    moved = np.roll(patch(*SEVEN), (5, -6), (0, 1))
    assert (seven ^ bits(moved)).bit_count() >= 6
    assert (seven ^ bits(patch(*ONE))).bit_count() >= 6
    # A mirrored digit has the signs of the patterns that are odd across turned: those of 1, 3 and 5 changes.
    assert 8 <= (seven ^ bits(patch(*SEVEN)[:, ::-1])).bit_count() <= 24


# Sheets.


Hashing = Callable[[Colour, Form], InkHash]


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Hashing:
    """The hash of an image, RGB or grey, of the cells that the command cuts from it."""
    cuts: list[CellCut] = []

    def noting(*arguments: object) -> CellCut:
        cuts.append(cast("Callable[..., CellCut]", cut_cells)(*arguments))
        return cuts[-1]

    monkeypatch.setattr("edge.tally.interpret.cut_cells", noting)

    def of(image: Colour, form: Form) -> InkHash:
        cuts.clear()
        Image.fromarray(image).save(tmp_path / "sheet.png")
        assert cli.main(["interpret", str(tmp_path / "sheet.png"), "--form", form.name]) in {0, 4}
        capfd.readouterr()
        return hash_of(form, cuts[-1])

    return of


def turned(image: Colour, degrees: float, scale: float) -> Colour:
    height, width = int(image.shape[0] * scale), int(image.shape[1] * scale)
    matrix = np.asarray(cv2.getRotationMatrix2D((image.shape[1] / 2, image.shape[0] / 2), degrees, scale), np.float64)
    matrix[:, 2] += [(width - image.shape[1]) / 2, (height - image.shape[0]) / 2]
    return np.asarray(cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_AREA, borderValue=(235, 235, 235)), np.uint8)


def stored(image: Colour, quality: int) -> Colour:
    file = BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def scans(image: Colour) -> list[Colour]:
    """One sheet scanned in several ways: as it is, upside down, askew and coarser, as a poor JPEG, in grey."""
    return [
        image,
        np.ascontiguousarray(image[::-1, ::-1]),
        turned(image, 1.5, 0.8),
        stored(image, 40),
        np.asarray(Image.fromarray(image).convert("L")),
    ]


@pytest.mark.parametrize("digits", ["own", "real"])
def test_a_sheet_scanned_again_is_near_and_others_with_its_numbers_are_far(
    monkeypatch: pytest.MonkeyPatch, hashed: Hashing, digits: Literal["own", "real"]
) -> None:
    knobs = Knobs(digits=digits)
    story = tell_story(HARBOUR, (), generator(SEED, "story"))

    def same_numbers(*_: object) -> Story:
        return story

    monkeypatch.setattr(sheets, "tell_story", same_numbers)
    first = render_sheet(HARBOUR, SEED, knobs)
    again = [hashed(scan, HARBOUR) for scan in scans(first.image)]
    others = [render_sheet(HARBOUR, SEED + number, knobs) for number in (1, 2)]
    monkeypatch.setattr(sheets, "generator", lambda seed, name: generator(seed + 1000 * (name == "writing"), name))
    afresh = render_sheet(HARBOUR, SEED, knobs)
    assert {tuple(sorted(sheet.truth.cells.items())) for sheet in (first, *others, afresh)} == {
        tuple(sorted(first.truth.cells.items()))
    }
    different = [hashed(sheet.image, HARBOUR) for sheet in (*others, afresh)]
    for ink in again:
        for near in again:
            assert is_same_ink(*distance(ink, near)) is True
        for far in different:
            assert is_same_ink(*distance(ink, far)) is False


def test_real_sheets_are_near_themselves_and_far_from_each_other(real_data: Path, hashed: Hashing) -> None:
    found: list[list[InkHash]] = []
    for name in ("acta-10205.jpg", "crop-00680b4e.jpg", "crop-00c354f2-annotated.jpg"):
        image = read_colour_image(real_data / "tally-sheets" / name)
        pictures = [image, turned(image, 1.0, 1.3), stored(image, 40)]
        found.append([hashed(picture, BOLIVIA) for picture in pictures])
    for number, inks in enumerate(found):
        assert all(is_same_ink(*distance(inks[0], ink)) for ink in inks)
        for other in found[:number]:
            differing, compared = distance(inks[0], other[0])
            assert is_same_ink(differing, compared) is False
            assert 3 * differing > compared
