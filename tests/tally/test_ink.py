"""What belongs to a cell's writing, on cells drawn for the purpose."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.tally.ink import SQUARE_FRAME, Frame, clean_ink, model_inputs

Patch = NDArray[np.uint8]


def blank() -> Patch:
    return np.zeros((96, 96), np.uint8)


def line(patch: Patch, start: tuple[int, int], end: tuple[int, int], pen: int = 3, ink: int = 255) -> Patch:
    cv2.line(patch, start, end, (ink,), pen)
    return patch


def framed(patch: Patch, ink: int = 200, move: int = 0, broken: bool = False) -> Patch:
    frame = blank()
    for at in (16 + move, 80 + move):
        line(frame, (2, at), (94, at), 2, ink)
        line(frame, (at, 2), (at, 94), 2, ink)
    if broken:
        frame[:, ::7] = 0
        frame[::7] = 0
        frame[:, 1::7] = 0
        frame[1::7] = 0
    return np.asarray(np.maximum(patch, frame), np.uint8)


def one() -> Patch:
    return line(line(blank(), (38, 42), (48, 30)), (48, 30), (48, 66))


def cleaned(patch: Patch, frame: Frame = SQUARE_FRAME) -> Patch:
    return np.asarray(clean_ink(patch[None], frame).darkness[0], np.uint8)


def test_paper_and_pale_print_give_nothing() -> None:
    pale = line(blank(), (20, 48), (76, 48), 5, 71)
    clean = clean_ink(np.stack([blank(), pale]))
    assert not clean.ink.any()
    assert not model_inputs(clean).any()


def test_no_cells() -> None:
    clean = clean_ink(np.zeros((0, 96, 96), np.uint8))
    assert model_inputs(clean).shape == (0, 28, 28)


def test_writing_stays_as_it_is() -> None:
    assert np.array_equal(cleaned(one()), one())


@pytest.mark.parametrize("move", [-3, -2, 0, 2, 3])
@pytest.mark.parametrize("broken", [False, True])
@pytest.mark.parametrize("ink", [100, 160, 255])
def test_a_frame_is_taken_away(move: int, broken: bool, ink: int) -> None:
    assert not cleaned(framed(blank(), ink, move, broken)).any()
    assert np.array_equal(cleaned(framed(one(), ink, move, broken)), one())


def test_a_frame_askew_is_taken_away() -> None:
    patch = one()
    line(patch, (2, 15), (94, 18), 2)
    line(patch, (2, 79), (94, 82), 2)
    assert np.array_equal(cleaned(patch), one())


def test_the_second_line_of_a_double_frame_is_taken_away() -> None:
    patch = one()
    for at in (74, 80):
        line(patch, (2, at), (94, at), 1)
    assert np.array_equal(cleaned(patch), one())


def test_a_stroke_that_crosses_the_frame_stays_whole() -> None:
    nine = line(blank(), (48, 40), (48, 86))
    cv2.circle(nine, (42, 38), 7, (255,), 3)
    kept = cleaned(framed(nine))
    assert kept[84, 48] == 255
    assert kept[80, 48] == 255
    assert kept[80, 30] == 0
    assert (kept.astype(np.int64) - nine).max() <= 255
    assert np.count_nonzero(kept) >= np.count_nonzero(nine) - 6


def test_a_neighbours_stroke_is_taken_away_and_counted() -> None:
    patch = line(one(), (0, 40), (24, 43))
    clean = clean_ink(patch[None])
    assert np.array_equal(clean.darkness[0], one())
    assert clean.foreign[0] >= 15
    assert clean_ink(one()[None]).foreign[0] == 0


def test_a_neighbour_alone_leaves_the_cell_empty_but_is_counted() -> None:
    clean = clean_ink(line(blank(), (0, 40), (26, 44))[None])
    assert clean.ink[0] == 0
    assert clean.foreign[0] >= 15


def test_a_neighbour_that_touches_ends_at_the_frame() -> None:
    kept = cleaned(line(one(), (0, 40), (46, 40)))
    assert not kept[:, :12].any()
    assert kept[40, 30] == 255


def test_the_stem_of_a_four_at_the_frame_stays() -> None:
    four = line(line(blank(), (56, 30), (50, 50)), (50, 50), (72, 50))
    line(four, (76, 26), (76, 70))
    assert np.array_equal(cleaned(four), four)


def test_a_bracket_at_the_frame_does_not() -> None:
    patch = one()
    cv2.ellipse(patch, (14, 48), (5, 16), 0, -80, 80, (255,), 2)
    assert np.array_equal(cleaned(patch), one())


def test_dust_is_taken_away_and_a_dot_stays_small() -> None:
    patch = one()
    patch[70:73, 70:73] = 255
    assert np.array_equal(cleaned(patch), one())
    dot = blank()
    dot[46:52, 46:52] = 255
    picture = model_inputs(clean_ink(dot[None]))[0]
    rows, columns = np.nonzero(picture)
    assert 4 <= np.ptp(rows) + 1 <= 8
    assert 4 <= np.ptp(columns) + 1 <= 8


def test_the_picture_is_as_mnist_has_it() -> None:
    zero = blank()
    cv2.ellipse(zero, (40, 52), (14, 22), 0, 0, 360, (255,), 3)
    picture = model_inputs(clean_ink(zero[None]))[0]
    rows, _ = np.nonzero(picture > 40)
    assert 19 <= np.ptp(rows) + 1 <= 21
    mass = picture.astype(np.int64)
    middle = np.arange(28) + 0.5
    assert abs((mass.sum(axis=1) * middle).sum() / mass.sum() - 14.5) < 0.3
    assert abs((mass.sum(axis=0) * middle).sum() / mass.sum() - 14.5) < 0.3
    assert picture.max() == 255


def test_pale_writing_is_darkened() -> None:
    picture = model_inputs(clean_ink((one() // np.uint8(2))[None]))[0]
    assert picture.max() >= 250


def test_a_lopsided_picture_is_not_cut() -> None:
    patch = line(blank(), (30, 24), (30, 72), 9)
    line(patch, (30, 72), (74, 72), 1)
    picture = model_inputs(clean_ink(patch[None]))[0]
    assert picture.any(axis=0).sum() >= 17


def test_other_frames() -> None:
    wide = Frame(16, 26, 80, 70)
    patch = line(blank(), (48, 36), (48, 60))
    expected = patch.copy()
    line(patch, (2, 26), (94, 26), 2)
    line(patch, (2, 70), (94, 70), 2)
    assert np.array_equal(cleaned(patch, wide), expected)


@given(seed=st.integers(0, 2**32 - 1), density=st.integers(0, 100))
def test_any_patch_is_cleaned_alone_as_among_others(seed: int, density: int) -> None:
    rng = np.random.default_rng(seed)
    coarse = (rng.integers(0, 100, (3, 24, 24)) < density).astype(np.uint8) * rng.integers(0, 256, (3, 24, 24), np.uint8)
    patches = coarse.repeat(4, axis=1).repeat(4, axis=2)
    before = patches.copy()
    clean = clean_ink(patches)
    assert np.array_equal(patches, before)
    assert np.all((clean.darkness == 0) | (clean.darkness == patches))
    assert np.array_equal(clean.ink > 0, clean.darkness.any(axis=(1, 2)))
    inputs = model_inputs(clean)
    assert np.array_equal(inputs.any(axis=(1, 2)), clean.ink > 0)
    for number in range(3):
        alone = clean_ink(patches[number : number + 1])
        assert np.array_equal(alone.darkness[0], clean.darkness[number])
        assert np.array_equal(model_inputs(alone)[0], inputs[number])


@given(x=st.integers(-8, 8), y=st.integers(-8, 8))
def test_where_the_writing_stands_does_not_matter(x: int, y: int) -> None:
    moved = np.roll(one(), (y, x), axis=(0, 1))
    assert np.array_equal(model_inputs(clean_ink(moved[None])), model_inputs(clean_ink(one()[None])))


def test_the_arithmetic_is_what_the_model_was_trained_on() -> None:
    rng = np.random.default_rng(28)
    patches = np.stack(
        [framed(one(), int(ink), int(move)) for ink, move in zip(rng.integers(60, 256, 40), rng.integers(-2, 3, 40), strict=True)]
    )
    for patch in patches:
        line(patch, tuple(rng.integers(0, 96, 2).tolist()), tuple(rng.integers(0, 96, 2).tolist()), 4, 230)
    inputs = model_inputs(clean_ink(patches))
    assert hashlib.sha256(inputs.tobytes()).hexdigest() == "99b2bb2612a83fcd1095935c5c16546ecabd6bc7ebe8768f42f799e3e1c21656"


def test_mnist_in_a_cell_comes_out_as_it_went_in(real_data: Path) -> None:
    with np.load(real_data / "digits" / "mnist.npz") as file:
        digits = file["x_test"][:500]
    patches = np.zeros((500, 96, 96), np.uint8)
    patches[:, 20:76, 20:76] = digits.repeat(2, axis=1).repeat(2, axis=2)
    inputs = model_inputs(clean_ink(patches)).astype(np.float64)
    likeness = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(inputs, digits, strict=True)]
    assert np.median(likeness) > 0.96
    assert np.quantile(likeness, 0.02) > 0.85
