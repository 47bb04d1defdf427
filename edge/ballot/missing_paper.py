"""Missing paper: where a hole or a torn edge shows the scanner's black background, which is no ink.

Type, rules and pen strokes are thin in some direction; a hole is black all around. A place is missing paper when a solid black
diamond of a quarter inch fits there that no pen mark in a bubble fills.
"""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np

from edge.fixed.ink import Bits

_REACH = Fraction(23, 200)
"""Half the diagonal of the solid diamond in inches: a 6 mm punch holds it, a filled oval (26 pixels high) and the blot around it
do not."""

_RAGGED = Fraction(6, 200)
"""A torn edge frays so many inches beyond the solid black."""


def touches_missing_paper(bits: Bits, x: int, y: int, width: int, height: int, dpi: int) -> bool:
    """Whether a hole reaches into the box [x, x + width) x [y, y + height) of a page."""
    reach = int(_REACH * dpi)
    top, left = max(y - 2 * reach, 0), max(x - 2 * reach, 0)
    patch = bits[top : y + height + 2 * reach, left : x + width + 2 * reach]
    # The diamond alone holds so many black pixels.
    if not patch.size or np.count_nonzero(patch) < 2 * (reach - 1) * (reach - 1):
        return False
    # Beyond the image there is no paper either, but no proof of a hole: white there.
    framed = cv2.copyMakeBorder(patch, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=(0,))
    depth = cv2.distanceTransform(framed, cv2.DIST_L1, 3, dstType=cv2.CV_8U)[1:-1, 1:-1]
    solid = np.argwhere(depth >= reach)
    if not len(solid):
        return False
    centre_y, centre_x = solid[:, 0] + top, solid[:, 1] + left
    away_x = np.maximum(np.maximum(x - centre_x, centre_x - (x + width - 1)), 0)
    away_y = np.maximum(np.maximum(y - centre_y, centre_y - (y + height - 1)), 0)
    return bool((away_x + away_y <= depth[solid[:, 0], solid[:, 1]].astype(np.int64) + int(_RAGGED * dpi)).any())
