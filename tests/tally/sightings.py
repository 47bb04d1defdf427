"""What a region model would see that is never wrong, or wrong on purpose; and pictures of sheets for it to see."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.definition.box import Box
from edge.definition.form import Form
from edge.inference.identity import FinderIdentity
from edge.inference.regions import Corner, Region
from edge.tally.affine import FormMap
from edge.tally.near import RoughPoint
from edge.tally.sighting import Sighting, rough_points
from hil.boxes.truth import Place, Points
from hil.paper.forms.knobs import Knobs
from hil.paper.forms.sheet import render_sheet

FINDER = FinderIdentity("region.tflite", "cd" * 32, "1")
NOTHING = Sighting((), (), FINDER)
"""By a model that knows no form."""
Matrix = NDArray[np.float64]
_MARGIN = 60
"""Pixels of table around a sheet."""
_TABLE = (92, 84, 78)


def region_of(form: Form, place: Place, *, off: tuple[float, float] = (0.0, 0.0), confidence: int = 9900) -> Region:
    """A form where it is, or moved by some pixels."""
    points = np.array((*Box(0, 0, *form.size).corners, *form.table.corners), np.float64)
    corners = [Corner(round((x + off[0]) * 256), round((y + off[1]) * 256), seen=True) for x, y in place(points).tolist()]
    first, second, third, fourth, *table = corners
    return Region(form.name, confidence, (first, second, third, fourth), (table[0], table[1], table[2], table[3]))


def seen(*regions: Region, forms: tuple[str, ...] = ("bo-2019-a1", "lumen-harbour")) -> Sighting:
    """What it sees."""
    return Sighting(regions, forms, FINDER)


@dataclass(frozen=True, slots=True, eq=False)
class Pictured:
    """A sheet in a picture: RGB uint8 (height, width, 3), and where its points are."""

    image: NDArray[np.uint8]
    place: Place


def placed_through(matrix: Matrix) -> Place:
    """Form points through a matrix of a projective map to picture pixels."""

    def place(points: Points) -> Points:
        whole = np.column_stack((points, np.ones(len(points)))) @ matrix.T
        return np.asarray(whole[:, :2] / whole[:, 2:], np.float64)

    return place


def angle(form: Form, dpi: float, degrees: float, tilt: float = 0.0, towards: float = 0.0) -> tuple[Matrix, tuple[int, int]]:
    """The map of flat paper into a picture that shows the whole of it, and the picture's width and height.

    Args:
        form: The form.
        dpi: Pixels per inch in the middle, but for the tilt.
        degrees: By which the sheet is turned clockwise.
        tilt: Degrees by which it leans away from the camera.
        towards: The direction in the picture in which it leans away, degrees.
    """
    turn, lean, way = (np.radians(value) for value in (degrees, tilt, towards))
    across, down = np.cos(way), np.sin(way)
    shrunk = np.eye(2) - (1 - np.cos(lean)) * np.outer((across, down), (across, down))
    turned = np.array(((np.cos(turn), -np.sin(turn)), (np.sin(turn), np.cos(turn)))) * dpi / 2540
    away = np.sin(lean) / (1.4 * float(np.hypot(*form.size)) * dpi / 2540)
    matrix = np.eye(3)
    matrix[:2, :2] = shrunk @ turned
    matrix[2, :2] = away * (np.array((across, down)) @ turned)
    centred = np.array(((1, 0, -form.size[0] / 2), (0, 1, -form.size[1] / 2), (0, 0, 1)), np.float64)
    corners = placed_through(matrix @ centred)(np.array(Box(0, 0, *form.size).corners, np.float64))
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    moved = np.array(((1, 0, _MARGIN - left), (0, 1, _MARGIN - top), (0, 0, 1)), np.float64)
    return moved @ matrix @ centred, (round(right - left) + 2 * _MARGIN, round(bottom - top) + 2 * _MARGIN)


def pictured(
    form: Form, degrees: float = 0.0, tilt: float = 0.0, towards: float = 0.0, *, seed: int = 3, knobs: Knobs | None = None
) -> Pictured:
    """A rendered sheet, turned and tilted, on a table."""
    knobs = knobs or Knobs(dpi=150, digits="own")
    sheet = render_sheet(form, seed, knobs)
    x, xx, xy, y, yx, yy = sheet.truth.placement
    scanned = np.array(((xx, xy, x), (yx, yy, y), (0, 0, 1)), np.float64)
    matrix, size = angle(form, knobs.dpi, degrees, tilt, towards)
    # OpenCV counts from the middles of pixels.
    half = np.array(((1, 0, 0.5), (0, 1, 0.5), (0, 0, 1)), np.float64)
    across = np.linalg.inv(half) @ matrix @ np.linalg.inv(scanned) @ half
    image = cv2.warpPerspective(sheet.image, across, size, flags=cv2.INTER_LINEAR, borderValue=_TABLE)
    return Pictured(np.asarray(image, np.uint8), placed_through(matrix))


def rough(form: Form, place: Place, off: float = 0.0, seed: int = 0) -> tuple[RoughPoint, ...]:
    """The corners of sheet and table, each by up to so many pixels off where it is to the right and down."""
    moved = np.random.default_rng(seed).uniform(-off, off, (8, 2)) * 256
    return tuple(
        RoughPoint(point.x, point.y, point.image_x + round(across), point.image_y + round(down), point.seen)
        for point, (across, down) in zip(rough_points(region_of(form, place), form), moved.tolist(), strict=True)
    )


def cells_off(form_map: FormMap, form: Form, place: Place) -> float:
    """Greatest distance in pixels between where cells are and where a map has them."""
    worst = 0.0
    for field in form.all_fields:
        for box in field.cell_boxes():
            x, y = box.x + box.width // 2, box.y + box.height // 2
            there = place(np.array(((x, y),), np.float64))[0]
            worst = max(worst, float(np.hypot(*(np.array(form_map.at(box).point(x, y)) / 256 - there))))
    return worst
