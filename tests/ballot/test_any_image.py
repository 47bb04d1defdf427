"""Whatever a scanner delivers, the interpreter returns an interpretation: it never raises, and it never makes up a vote."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.decision import decide
from edge.definition.settings import SystemSettings
from edge.page.page import Grey
from edge.record import canonical_json
from hil.paper.scan import scan
from tests.ballot.sheets import BOTTOM_ROW, QR, blank_sheet, filled, made_up, read, turned

sizes = st.integers(200, 2600)


@cache
def scanned(encoding: str) -> tuple[Grey, Grey]:
    pair = scan(filled(blank_sheet(encoding=encoding)), {"rotation": 5, "dust": 10}, seed=1)
    return pair.top.pixels, pair.bottom.pixels


@st.composite
def plain(draw: st.DrawFn) -> Grey:
    """One tone, a gradient or noise, with some rectangles on it."""
    height, width = draw(sizes), draw(sizes)
    kind = draw(st.sampled_from(["constant", "down", "across", "noise"]))
    if kind == "noise":
        # Barcode readers take their time over noise; a small image is as wild as a large one.
        height, width = min(height, 700), min(width, 700)
        rng = np.random.default_rng(draw(st.integers(0, 1000)))
        image = rng.integers(0, 256, (height, width), np.uint8)
    elif kind == "constant":
        image = np.full((height, width), draw(st.integers(0, 255)), np.uint8)
    else:
        levels = np.arange(height if kind == "down" else width, dtype=np.int64)
        ramp = (levels * 255 // len(levels)).astype(np.uint8)
        image = np.empty((height, width), np.uint8)
        image[:] = ramp[:, None] if kind == "down" else ramp[None, :]
    for _ in range(draw(st.integers(0, 8))):
        left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
        right, bottom = left + draw(st.integers(1, width)), top + draw(st.integers(1, height))
        image[top:bottom, left:right] = draw(st.integers(0, 255))
    return image


@st.composite
def from_a_page(draw: st.DrawFn) -> Grey:
    """A piece of a real-looking page, turned, transposed, inverted or shifted."""
    page = draw(st.sampled_from([*scanned(QR), *scanned(BOTTOM_ROW)]))
    top, left = draw(st.integers(0, 600)), draw(st.integers(0, 600))
    piece = page[top : top + draw(st.integers(200, 2200)), left : left + draw(st.integers(200, 1700))]
    change = draw(st.sampled_from(["none", "turned", "transposed", "mirrored", "inverted", "rolled"]))
    changes: dict[str, Grey] = {
        "none": piece,
        "turned": turned(piece),
        "transposed": piece.T,
        "mirrored": piece[:, ::-1],
        "inverted": np.bitwise_not(piece),
        "rolled": np.concatenate((page[top:], page[:top])),
    }
    return changes[change]


def check(top: Grey, bottom: Grey, encoding: str, dpi: int | None) -> None:
    election = made_up(encoding=encoding)
    reading = read(top, bottom, election, dpi=dpi)
    disposition = decide(reading, election, SystemSettings())
    assert canonical_json(reading, disposition)
    if reading.refusal is not None:
        assert disposition.kind == "return"
        assert reading.refusal.detail
        assert not reading.votes


@given(plain(), plain(), st.sampled_from([QR, BOTTOM_ROW]), st.sampled_from([None, 200, 300]))
@settings(max_examples=20)
def test_any_picture_is_refused_and_nothing_else(top: Grey, bottom: Grey, encoding: str, dpi: int | None) -> None:
    check(top, bottom, encoding, dpi)
    assert read(top, bottom, made_up(encoding=encoding), dpi=dpi).refusal is not None


@given(from_a_page(), from_a_page(), st.sampled_from([QR, BOTTOM_ROW]), st.sampled_from([None, 200, 300]))
@settings(max_examples=15)
def test_pieces_of_ballots_never_raise(top: Grey, bottom: Grey, encoding: str, dpi: int | None) -> None:
    check(top, bottom, encoding, dpi)


@given(from_a_page(), st.sampled_from([QR, BOTTOM_ROW]), st.booleans())
@settings(max_examples=10)
def test_one_good_side_and_any_other_never_raise(other: Grey, encoding: str, first: bool) -> None:
    front = scanned(encoding)[0]
    check(*((front, other) if first else (other, front)), encoding, None)


@pytest.mark.parametrize("encoding", [QR, BOTTOM_ROW])
def test_a_page_on_its_side_is_refused(encoding: str) -> None:
    top, bottom = scanned(encoding)
    assert read(np.rot90(top), np.rot90(bottom), made_up(encoding=encoding)).refusal is not None


@pytest.mark.parametrize("encoding", [QR, BOTTOM_ROW])
def test_a_mirrored_page_gives_no_votes(encoding: str) -> None:
    top, bottom = scanned(encoding)
    assert read(top[:, ::-1], bottom[:, ::-1], made_up(encoding=encoding)).votes == {}


def test_the_smallest_images_are_refused() -> None:
    for shape in ((1, 1), (1, 2000), (2000, 1), (7, 9)):
        for tone in (0, 255):
            image = np.full(shape, tone, np.uint8)
            assert read(image, image, made_up()).refusal is not None
