"""Windows found whatever way the form is turned: their true sizes and places in an upright view of it."""

from __future__ import annotations

from itertools import product

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from edge.tally.outlines import Outlines, find_outlines
from edge.tally.projective import ONE, Projective
from edge.tally.windows import Windows
from tests.tally.sightings import Matrix

PAPER, LINE = 235, 90
STRAIGHT = Projective((0, 0), ONE, 0, 0, 0, ONE, 0, 0, 0)
"""What it shows is the image."""
_FINE = 4
"""Times as many pixels are drawn as shown."""


def turning(degrees: float, middle: tuple[float, float], depth: tuple[float, float] = (0.0, 0.0)) -> Matrix:
    """From an upright sheet into an image, about a point of both: turned clockwise, and leaning away."""
    turn = np.radians(degrees)
    about = np.array(((np.cos(turn), -np.sin(turn), 0), (np.sin(turn), np.cos(turn), 0), (*depth, 1)))
    there, back = np.eye(3), np.eye(3)
    there[:2, 2], back[:2, 2] = np.negative(middle), middle
    return np.asarray(back @ about @ there, np.float64)


def drawn(boxes: list[tuple[float, float, float, float]], matrix: Matrix, size: int, thick: float = 2.0) -> NDArray[np.uint8]:
    """Frames of rectangles (left, top, width, height of their insides) in a square image."""
    sheet = np.full((size * _FINE, size * _FINE), PAPER, np.uint8)
    # Positions of pixels' edges to those of their middles, in fine pixels.
    fine = np.array(((_FINE, 0, -0.5), (0, _FINE, -0.5), (0, 0, 1)), np.float64)

    def fill(left: float, top: float, right: float, bottom: float, level: int) -> None:
        corners = np.array(((left, top, 1), (right, top, 1), (right, bottom, 1), (left, bottom, 1))) @ (fine @ matrix).T
        whole = np.rint(corners[:, :2] / corners[:, 2:] * 256).astype(np.int32)
        cv2.fillConvexPoly(sheet, whole, (level,), shift=8)

    for left, top, width, height in boxes:
        fill(left - thick, top - thick, left + width + thick, top + height + thick, LINE)
    for left, top, width, height in boxes:
        fill(left, top, left + width, top + height, PAPER)
    return np.asarray(cv2.resize(sheet, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


def back_through(matrix: Matrix, size: int) -> Projective:
    """The exact way back, in 1/256 pixel."""
    way = np.linalg.inv(matrix)
    middle = size * 128
    # Counted from the middle of the image, where the divisor is one.
    moved = way @ np.array(((1, 0, size / 2), (0, 1, size / 2), (0, 0, 1)))
    moved /= moved[2, 2]
    (xx, xy, x0), (yx, yy, y0), (px, py, _) = moved.tolist()
    return Projective(
        (middle, middle),
        *(round(part * ONE) for part in (xx, xy, x0 * 256, yx, yy, y0 * 256)),
        *(round(part * ONE / 256) for part in (px, py)),
    )


def all_of(windows: Windows) -> list[tuple[int, int, int, int]]:
    """Left, top, width and height of each, in order."""
    return sorted(zip(*(part.tolist() for part in (windows.left, windows.top, windows.width, windows.height)), strict=True))


def seen_in(image: NDArray[np.uint8], view: Projective = STRAIGHT, scale: int = 1) -> list[tuple[int, int, int, int]]:
    return all_of(find_outlines(image, 7, scale).through(view))


BOXES = [(150.0, 120.0, 60.0, 40.0), (250.0, 130.0, 100.0, 36.0), (160.0, 230.0, 44.0, 90.0), (270.0, 240.0, 130.0, 80.0)]


def assert_seen(found: list[tuple[int, int, int, int]], boxes: list[tuple[float, float, float, float]]) -> None:
    """To half a pixel, as far as whole pixels can be."""
    assert len(found) == len(boxes)
    for (left, top, width, height), box in zip(found, sorted(boxes), strict=True):
        assert left + width / 2 == pytest.approx(box[0] + box[2] / 2, abs=0.75)
        assert top + height / 2 == pytest.approx(box[1] + box[3] / 2, abs=0.75)
        assert width == pytest.approx(box[2], abs=2)
        assert height == pytest.approx(box[3], abs=2)


@pytest.mark.parametrize("degrees", [0, 1, 12, 33, 45, 60, 89, 90, 135, 180, 200, 271, 315, 359])
def test_windows_are_seen_upright_however_they_are_turned(degrees: int) -> None:
    matrix = turning(degrees, (275, 220))
    moved = np.array(((1, 0, 0), (0, 1, 60), (0, 0, 1))) @ matrix
    assert_seen(seen_in(drawn(BOXES, moved, 560), back_through(moved, 560)), BOXES)


@settings(max_examples=25)
@given(st.floats(0, 360), st.floats(-8e-4, 8e-4), st.floats(-8e-4, 8e-4))
def test_windows_are_seen_upright_at_any_angle(degrees: float, across: float, down: float) -> None:
    matrix = turning(degrees, (275, 220), (across, down))
    moved = np.array(((1, 0, 5), (0, 1, 60), (0, 0, 1))) @ matrix
    assert_seen(seen_in(drawn(BOXES, moved, 560), back_through(moved, 560)), BOXES)


def test_on_the_whole_middles_and_sizes_are_right() -> None:
    """Each is whole pixels; that no side is preferred shows in the mean over many slants."""
    errors = []
    for degrees in range(3, 360, 17):
        moved = np.array(((1, 0, 0), (0, 1, 60), (0, 0, 1))) @ turning(degrees, (275, 220))
        found = seen_in(drawn(BOXES, moved, 560), back_through(moved, 560))
        assert len(found) == len(BOXES)
        for (left, top, width, height), box in zip(found, sorted(BOXES), strict=True):
            errors.append((left + width / 2 - box[0] - box[2] / 2, top + height / 2 - box[1] - box[3] / 2))
            errors.append((width - box[2], height - box[3]))
    assert np.abs(np.mean(errors, axis=0)).max() < 0.2


@pytest.mark.parametrize("degrees", [17, 30, 45, 58, 80])
@pytest.mark.parametrize("thick", [0.5, 0.75])
def test_a_slanted_line_of_one_pixel_keeps_two_windows_apart(degrees: int, thick: float) -> None:
    boxes = [(180.0, 200.0, 60.0, 40.0), (240.0 + 2 * thick, 200.0, 60.0, 40.0)]
    matrix = turning(degrees, (240, 220))
    found = seen_in(drawn(boxes, matrix, 480, thick), back_through(matrix, 480))
    assert len(found) == 2
    assert all(width == pytest.approx(60, abs=4) for _, _, width, _ in found)


def test_a_line_of_pixels_that_touch_at_their_corners_keeps_windows_apart() -> None:
    image = np.full((160, 160), PAPER, np.uint8)
    image[20:22, 20:140] = image[138:140, 20:140] = LINE
    image[20:140, 20:22] = image[20:140, 138:140] = LINE
    assert len(seen_in(image)) == 2
    for step in range(20, 140):
        image[step, step] = LINE
    # The outer one is the paper around.
    assert len(find_outlines(image, 7, 1).starts) == 3


def test_a_scale_gives_places_in_the_whole_image() -> None:
    image = drawn(BOXES, np.eye(3), 480)
    small = np.asarray(cv2.resize(image, (240, 240), interpolation=cv2.INTER_AREA), np.uint8)
    assert find_outlines(small, 7, 2).x.max() == find_outlines(small, 7, 1).x.max() * 2
    found = [box for box in seen_in(small, STRAIGHT, 2) if box[2] < 400]
    assert len(found) == 4
    for (left, top, width, height), box in zip(found, sorted(BOXES), strict=True):
        assert left + width / 2 == pytest.approx(box[0] + box[2] / 2, abs=2.0)
        assert top + height / 2 == pytest.approx(box[1] + box[3] / 2, abs=2.0)


def test_what_lies_in_a_window_is_no_outline_of_it() -> None:
    image = drawn([(100.0, 100.0, 160.0, 120.0)], np.eye(3), 400)
    plain = seen_in(image)
    cv2.circle(image, (170, 160), 16, (60,), -1)
    assert seen_in(image) == plain
    # A frame in a frame is another window.
    cv2.rectangle(image, (130, 125), (215, 200), (60,), 2)
    found = seen_in(image)
    assert plain[0] in found
    assert len(found) == 2


@pytest.mark.parametrize("level", [0, 90, 255])
@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2, 2), (400, 500)])
def test_an_empty_image_has_none_or_is_one(shape: tuple[int, int], level: int) -> None:
    found = find_outlines(np.full(shape, level, np.uint8), 7, 1)
    assert len(found.starts) == (1 if shape == (400, 500) else 0)
    assert len(found.through(STRAIGHT)) in {0, 1}


@settings(max_examples=25)
@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12))), st.integers(1, 30), st.integers(2, 12))
def test_any_pixels_have_outlines_within_them(tile: NDArray[np.uint8], many: int, per_cent: int) -> None:
    image = np.kron(tile, np.ones((many, many), np.uint8)).astype(np.uint8)
    found = find_outlines(image, per_cent, 1)
    assert len(found.x) == len(found.y)
    if len(found.x):
        assert min(found.x.min(), found.y.min()) >= 0
        assert found.x.max() < image.shape[1] * 256
        assert found.y.max() < image.shape[0] * 256
        assert found.starts[0] == 0
        assert (np.diff(np.append(found.starts, len(found.x))) > 0).all()


def outline_of(points: list[tuple[int, int]]) -> Outlines:
    x, y = np.array(points, np.int64).T
    return Outlines(x, y, np.zeros(1, np.int64))


def test_what_is_behind_the_eye_is_left_out() -> None:
    box = list(product((0, 100 * 256), (0, 100 * 256)))
    assert len(outline_of(box).through(STRAIGHT)) == 1
    # The divisor is 0 at y = 50 pixels.
    steep = Projective((0, 0), ONE, 0, 0, 0, ONE, 0, 0, -(ONE // (50 * 256)))
    assert len(outline_of(box).through(steep)) == 0
    assert len(outline_of([(x, y - 70 * 256) for x, y in box]).through(steep)) == 1


def test_a_point_at_the_very_height_of_the_eye_is_left_out() -> None:
    eye = Projective((0, 0), ONE, 0, 0, 0, ONE, 0, 0, -(1 << 17))
    assert eye.depth(np.array(0), np.array(1 << 19)) == 0
    assert len(outline_of([(0, 0), (25_600, 0), (25_600, 1 << 19), (0, 1 << 19)]).through(eye)) == 0
