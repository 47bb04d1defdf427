"""Corner marks of a form: black L-shapes whose outer boxes steady the fit far from the cells."""

from __future__ import annotations

import cv2
import numpy as np

from edge.definition.box import Box
from edge.definition.form import Form
from edge.fixed.number import SUBPIXEL, Int64Array
from edge.page.page import Grey
from edge.tally.affine import Affine

_REACH = 400
"""Hundredths of a millimetre around its expected box in which a mark is looked for."""
_SIZE_PER_CENT = 12
"""By which the box around a mark may differ from the form's, beside what the slant adds."""
_INK_PER_CENT = (5, 40)
"""Part of its box that an L covers; a filled square or a lone stroke is something else."""


def find_brackets(plane: Grey, affine: Affine, form: Form) -> tuple[Int64Array, Int64Array, Int64Array, Int64Array]:
    """Outer corners of the marks that are there: on the form in hundredths of a millimetre, and in the image in 1/256 pixel.

    Four arrays of one length: form x, form y, image x, image y.
    """
    marks = [_ends(box, form.size) for box in form.registration.brackets]
    rows = [(*mark[0], *corner) for mark in marks if (corner := _find(plane, affine, mark)) is not None]
    columns = np.array(rows, np.int64).reshape(-1, 4).T
    return columns[0], columns[1], columns[2], columns[3]


def _ends(box: Box, size: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    """The outer corner of an L and the ends of its arms; the corner is the one nearest to a corner of the sheet."""
    near_x, far_x = box.x, box.x + box.width
    near_y, far_y = box.y, box.y + box.height
    if 2 * box.x + box.width > size[0]:
        near_x, far_x = far_x, near_x
    if 2 * box.y + box.height > size[1]:
        near_y, far_y = far_y, near_y
    return (near_x, near_y), (far_x, near_y), (near_x, far_y)


def _find(plane: Grey, affine: Affine, mark: tuple[tuple[int, int], ...]) -> tuple[int, int] | None:
    points = [affine.point(*point) for point in mark]
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    top, bottom = min(y for _, y in points), max(y for _, y in points)
    wide, tall = right - left, bottom - top
    reach = affine.distance(_REACH)
    first_x, first_y = max(0, (left - reach) // SUBPIXEL), max(0, (top - reach) // SUBPIXEL)
    last_x = min(plane.shape[1], (right + reach) // SUBPIXEL + 1)
    last_y = min(plane.shape[0], (bottom + reach) // SUBPIXEL + 1)
    if last_x - first_x < wide // SUBPIXEL or last_y - first_y < tall // SUBPIXEL:
        return None
    piece = np.ascontiguousarray(plane[first_y:last_y, first_x:last_x])
    # Halfway between paper and black: the paper is the level that three quarters of the piece do not exceed.
    paper = int(np.partition(piece, piece.size * 3 // 4, axis=None)[piece.size * 3 // 4])
    _, _, stats, _ = cv2.connectedComponentsWithStats(
        (piece < paper // 2 + 16).astype(np.uint8), connectivity=8, ltype=cv2.CV_32S
    )
    found = []
    for x, y, width, height, ink in stats[1:].tolist():
        fits = abs(width * SUBPIXEL - wide) * 100 <= _SIZE_PER_CENT * wide
        fits &= abs(height * SUBPIXEL - tall) * 100 <= _SIZE_PER_CENT * tall
        if fits and _INK_PER_CENT[0] * width * height <= 100 * ink <= _INK_PER_CENT[1] * width * height:
            middle = (2 * (first_x + x) + width) * SUBPIXEL // 2, (2 * (first_y + y) + height) * SUBPIXEL // 2
            # The corner is as far from the middle of the box around the mark as the map says.
            found.append((points[0][0] + middle[0] - (left + right) // 2, points[0][1] + middle[1] - (top + bottom) // 2))
    return found[0] if len(found) == 1 else None
