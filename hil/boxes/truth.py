"""Where a form's boxes truly are in a made-up picture, and how well a box that was found covers one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np
import numpy.typing as npt

from edge.definition.form import Form
from edge.fixed.number import SUBPIXEL
from edge.tally.boxes import FoundBox
from edge.tally.frame_lines import box_names
from edge.tally.place import rows_on

Points = npt.NDArray[np.float64]
"""Shape (n, 2)."""
Place = Callable[[Points], Points]
"""Form points in hundredths of a millimetre to picture pixels, pixel i covering i to i + 1."""


def placed_by(coefficients: tuple[float, float, float, float, float, float]) -> Place:
    """The way of a flat sheet, see `SheetTruth.placement`."""
    x, xx, xy, y, yx, yy = coefficients

    def place(points: Points) -> Points:
        return np.stack((x + xx * points[:, 0] + xy * points[:, 1], y + yx * points[:, 0] + yy * points[:, 1]), axis=1)

    return place


def true_boxes(form: Form, place: Place) -> dict[str, Points]:
    """Corners of a form's boxes in the picture, by the names that `find_boxes` gives them."""
    rows = rows_on(form, "sheet")
    return {name: place(np.array(row.box.corners, np.float64)) for name, row in zip(box_names(rows), rows, strict=True)}


def shown_names(form: Form, extent: str) -> frozenset[str]:
    """Names of the boxes on an extent."""
    return frozenset(box_names(rows_on(form, extent)))


def overlap(one: Points, other: Points) -> float:
    """Intersection over union of two convex quadrangles."""
    first, second = one.astype(np.float32), other.astype(np.float32)
    shared = float(cv2.intersectConvexConvex(first, second)[0])
    every = float(cv2.contourArea(first) + cv2.contourArea(second)) - shared
    return shared / every if every > 0 else 0.0


def overlaps(found: tuple[FoundBox, ...], truth: Mapping[str, Points]) -> dict[str, float]:
    """For each true box how well the found one of its name covers it; 0 where there is none."""
    by_name = {box.name: np.array(box.corners, np.float64) / SUBPIXEL for box in found}
    return {name: overlap(by_name[name], corners) if name in by_name else 0.0 for name, corners in truth.items()}
