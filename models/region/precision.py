"""Average precision of boxes that were found, and non-maximum suppression. Plain NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.region.anchors import overlaps

STEPS = tuple(round(0.5 + 0.05 * number, 2) for number in range(10))
"""Overlaps from which a box counts as found."""


@dataclass(frozen=True, eq=False)
class Boxes:
    """Boxes of many pictures; what was found has scores, what is true may be left out of the count.

    Attributes:
        picture: int (m,), which picture.
        label: int (m,), what it is.
        box: float (m, 4), left, top, right, bottom.
        score: float (m,), of truths 1.
        counted: bool (m,): a truth that is not counted is neither missed nor is what finds it false.
    """

    picture: NDArray[np.int64]
    label: NDArray[np.int64]
    box: NDArray[np.float64]
    score: NDArray[np.float64]
    counted: NDArray[np.bool_]

    @classmethod
    def of(cls, rows: list[tuple[int, int, Any, float, bool]]) -> Boxes:
        """From rows of picture, label, box, score, counted."""
        columns = list(zip(*rows, strict=True)) or [()] * 5
        box = np.array(columns[2], np.float64).reshape(-1, 4)
        return cls(
            np.array(columns[0], np.int64),
            np.array(columns[1], np.int64),
            box,
            np.array(columns[3], np.float64),
            np.array(columns[4], np.bool_),
        )


def average_precision(found: Boxes, true: Boxes, label: int, least: float) -> float:
    """Area under the curve of precision over recall for one label, with an overlap of `least`; NaN without any counted truth.

    The best first, each truth is found once, by the box that overlaps it most. Precision at a recall is the best one at that
    recall or beyond.
    """
    mine = np.flatnonzero(found.label == label)
    mine = mine[np.argsort(-found.score[mine], kind="stable")]
    of_label = true.label == label
    total = int((of_label & true.counted).sum())
    if not total:
        return float("nan")
    rows: dict[int, NDArray[np.int64]] = {
        int(picture): np.flatnonzero(of_label & (true.picture == picture)) for picture in np.unique(true.picture[of_label])
    }
    taken = np.zeros(len(true.label), np.bool_)
    right: list[bool] = []
    for one in mine:
        there = rows.get(int(found.picture[one]), np.empty(0, np.int64))
        # What is counted is looked at before what is not.
        overlap = overlaps(found.box[one][None], true.box[there])[0] if len(there) else np.empty(0)
        free = overlap * (~taken[there])
        counted = np.where(true.counted[there], free, 0)
        if len(there) and counted.max() >= least:
            taken[there[counted.argmax()]] = True
            right.append(True)
        elif len(there) and np.where(true.counted[there], 0, overlap).max() >= least:
            continue
        else:
            right.append(False)
    if not right:
        return 0.0
    hits = np.cumsum(right)
    recall, precision = hits / total, hits / np.arange(1, len(right) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall, prepend=0) * best).sum())


def mean_precision(found: Boxes, true: Boxes, labels: range) -> dict[str, float]:
    """Mean over labels of average precision: `ap50` at an overlap of a half, `ap` the mean over 0.5, 0.55 to 0.95."""
    table = np.array([[average_precision(found, true, label, least) for least in STEPS] for label in labels])
    table = table[~np.isnan(table).any(axis=1)]
    return {"ap50": round(float(table[:, 0].mean()), 4), "ap": round(float(table.mean()), 4)}


def suppressed(box: NDArray[Any], score: NDArray[Any], overlap: float, most: int) -> NDArray[np.int64]:
    """Numbers of the boxes that are left, the best first, when each takes away those that overlap it more than that."""
    order = np.argsort(-score, kind="stable")
    left: list[int] = []
    while len(order) and len(left) < most:
        left.append(int(order[0]))
        order = order[1:][overlaps(box[order[:1]], box[order[1:]])[0] <= overlap]
    return np.array(left, np.int64)
