"""What was found in scenes against what they show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.inference.regions import Region, RegionCard, decode
from models.region.anchors import KINDS, VALUES, around, boxes_of, overlaps
from models.region.batches import SceneSet
from models.region.precision import Boxes, suppressed
from models.region.targets import FORMS, LEAST_SHARE

LABELS = range(KINDS * len(FORMS))
"""Sheet of each form, then table of each form."""
FAINT = -3.0
"""Logit from which anything is looked at when precision is measured."""
_PARTS = 256


def true_boxes(scenes: SceneSet) -> Boxes:
    """Boxes around the sheets and tables as far as they lie in the picture."""
    boxes = around(scenes.corners, scenes.extents)
    places = scenes.forms.shape[1]
    rows = []
    for picture, place in np.argwhere(scenes.forms >= 0):
        counted = bool(scenes.share[picture, place] >= LEAST_SHARE)
        for kind in range(KINDS):
            label = kind * len(FORMS) + int(scenes.forms[picture, place])
            rows.append((int(picture), label, boxes[picture, kind * places + place], 1.0, counted))
    return Boxes.of(rows)


def regions_of(scores: NDArray[np.int8], card: RegionCard, scenes: SceneSet) -> list[tuple[Region, ...]]:
    """What the product's decoder finds in each picture."""
    return [decode(one, card, int(width), int(height)) for one, (width, height) in zip(scores, scenes.extents, strict=True)]


def quad(corners: Any) -> NDArray[np.float64]:  # noqa: ANN401 - four of the product's corners
    """Corners (4, 2) in pixels."""
    return np.array([(corner.x, corner.y) for corner in corners], np.float64) / _PARTS


def region_boxes(found: list[tuple[Region, ...]], scenes: SceneSet) -> Boxes:
    """Boxes around the sheets and tables that the heat maps gave, the confidence (here the score) as their score."""
    rows = []
    for picture, regions in enumerate(found):
        limit = scenes.extents[picture]
        for region in regions:
            for kind, corners in enumerate((quad(region.sheet), quad(region.table))):
                box = np.concatenate([np.clip(corners.min(axis=0), 0, limit), np.clip(corners.max(axis=0), 0, limit)])
                label = kind * len(FORMS) + FORMS.index(region.form)
                rows.append((picture, label, box, float(region.confidence), True))
    return Boxes.of(rows)


def detector_boxes(values: NDArray[np.float32], scenes: SceneSet, overlap: float = 0.5, most: int = 20) -> Boxes:
    """Boxes of the rival's outputs (n, anchors * 2, VALUES) after suppression within each label."""
    rows: list[Any] = []
    per_anchor = np.arange(values.shape[1]) % KINDS
    for picture, value in enumerate(values):
        limit = np.tile(scenes.extents[picture], 2)
        for label in LABELS:
            kind, form = divmod(label, len(FORMS))
            mine = np.flatnonzero((per_anchor == kind) & (value[:, form] > FAINT))
            box = np.clip(boxes_of(value[:, VALUES - 4 :])[mine], 0, limit)
            kept = suppressed(box, value[mine, form], overlap, most)
            rows += [(picture, label, box[one], float(value[mine[one], form]), True) for one in kept]
    return Boxes.of(rows)


@dataclass(frozen=True, eq=False)
class Matches:
    """Regions against truths at one threshold.

    Attributes:
        score: float (m,), of each region that is not left out: the card's confidence of it.
        right: bool (m,), whether it is that form there.
        placed: bool (m,), whether it is any form there.
        errors: float (e,), of corners that can be seen, of regions that are right, in parts of the sheet's diagonal.
        hidden_errors: The same of corners that cannot be seen.
        truths: Counted ones.
        found: Of those, found with the right form.
        pictures: int (m,), which picture.
    """

    score: NDArray[np.float64]
    right: NDArray[np.bool_]
    placed: NDArray[np.bool_]
    errors: NDArray[np.float64]
    hidden_errors: NDArray[np.float64]
    truths: int
    found: int
    pictures: NDArray[np.int64]

    def report(self) -> dict[str, Any]:
        """Figures."""
        return {
            "sheets": self.truths,
            "recall": _share(self.found, self.truths),
            "regions": len(self.right),
            "false_alarms": int((~self.placed).sum()),
            "wrong_form": int((self.placed & ~self.right).sum()),
            "form_right": _share(self.right.sum(), self.placed.sum()),
            "corner_error_median": _quantile(self.errors, 0.5),
            "corner_error_95": _quantile(self.errors, 0.95),
            "hidden_corner_error_median": _quantile(self.hidden_errors, 0.5),
            "hidden_corner_error_95": _quantile(self.hidden_errors, 0.95),
        }


def _share(part: Any, whole: Any) -> float | None:  # noqa: ANN401 - counts of NumPy or Python
    return round(float(part) / float(whole), 4) if whole else None


def _quantile(values: NDArray[np.float64], part: float) -> float | None:
    return round(float(np.quantile(values, part)), 5) if len(values) else None


def matches(found: list[tuple[Region, ...]], scenes: SceneSet) -> Matches:
    """Regions against truths: a region is there when its table's box overlaps the true one by a half."""
    places = scenes.forms.shape[1]
    tables = around(scenes.corners, scenes.extents)[:, places:]
    rows: list[tuple[float, bool, bool, int]] = []
    errors: dict[bool, list[float]] = {True: [], False: []}
    hits = 0
    for picture, regions in enumerate(found):
        there = scenes.forms[picture] >= 0
        counted = there & (scenes.share[picture] >= LEAST_SHARE)
        free = there.copy()
        boxes = region_boxes([regions], scenes.part(np.array([picture])))
        for number, region in enumerate(regions):
            overlap = overlaps(boxes.box[2 * number + 1][None], tables[picture])[0] * free
            place = int(overlap.argmax())
            placed = bool(overlap[place] >= 0.5)
            right = placed and FORMS[scenes.forms[picture, place]] == region.form
            if placed:
                free[place] = False
            if placed and not counted[place]:
                continue
            rows.append((float(region.confidence), right, placed, picture))
            if right:
                hits += 1
                corners = scenes.corners[picture, place]
                diagonal = float(np.linalg.norm(corners[2] - corners[0]))
                miss = np.linalg.norm(np.concatenate([quad(region.sheet), quad(region.table)]) - corners, axis=1) / diagonal
                for one, visible in zip(miss, scenes.visible[picture, place], strict=True):
                    errors[bool(visible)].append(float(one))
    columns = list(zip(*rows, strict=True)) or [()] * 4
    truths = int(((scenes.forms >= 0) & (scenes.share >= LEAST_SHARE)).sum())
    return Matches(
        np.array(columns[0], np.float64),
        np.array(columns[1], np.bool_),
        np.array(columns[2], np.bool_),
        np.array(errors[True]),
        np.array(errors[False]),
        truths,
        hits,
        np.array(columns[3], np.int64),
    )
