"""Pictures for people: what was found and where it truly is."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from edge.fixed.number import SUBPIXEL
from edge.inference.regions import region_finder
from edge.tally.boxes import find_boxes
from edge.tally.result import Refusal
from edge.tally.sighting import look
from hil.boxes.judge import as_scan, made
from hil.boxes.plan import BoxPlan, Colour
from hil.boxes.truth import Points
from hil.sheets.plan import form_of

_SIDE = 2000
"""Pixels of a drawing's longer side, at most."""
_TRUE, _SEEN, _FOUND = (0, 150, 0), (0, 0, 230), (230, 0, 0)
"""Green where boxes are, blue where the region model sees sheet and table, red where boxes were found."""


def draw(plan: BoxPlan, folder: Path) -> None:
    """Writes the picture of a plan with everything drawn over it."""
    folder.mkdir(parents=True, exist_ok=True)
    form, picture = form_of(plan.form), made(plan)
    scan = as_scan(picture.image, form)
    sighting = look(scan, region_finder())
    found = find_boxes(scan, form, sighting)
    scale = min(1.0, _SIDE / max(picture.image.shape[:2]))
    shown = np.asarray(cv2.resize(picture.image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    if shown.ndim == 2:
        shown = np.repeat(shown[:, :, np.newaxis], 3, axis=2)
    _outlines(shown, picture.boxes.values(), scale, _TRUE)
    quads = (quad for region in sighting.of(form) for quad in (region.sheet, region.table))
    _outlines(shown, (np.array([(corner.x, corner.y) for corner in quad]) / SUBPIXEL for quad in quads), scale, _SEEN)
    if not isinstance(found, Refusal):
        _outlines(shown, (np.array(box.corners, np.float64) / SUBPIXEL for box in found if box.found), scale, _FOUND)
    stem = f"{Path(plan.file).stem}-{plan.trouble}" if plan.file else f"{plan.kind}-{plan.form}-{plan.seed}"
    Image.fromarray(shown).save(folder / f"{stem}.png")


def _outlines(image: Colour, quads: Iterable[Points], scale: float, colour: tuple[int, int, int]) -> None:
    for quad in quads:
        points = np.rint(quad * scale).astype(np.int32)
        cv2.polylines(image, [points], isClosed=True, color=colour, thickness=1, lineType=cv2.LINE_AA)
