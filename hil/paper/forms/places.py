"""Where things go that a template does not place: barcodes, notes, boxes to be signed. They take the free paper."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edge.definition.box import Box
from edge.definition.form import Form

_CELL = 100
"""The paper is looked at in squares of a millimetre."""
_MARGIN = 250
"""Room that anything else keeps from what is read."""


class FreePaper:
    """Keeps account of which squares of the paper are taken."""

    def __init__(self, form: Form) -> None:
        """Starts with everything taken that the template places, with room for labels above rows without a label box."""
        width, height = form.size
        self._taken: npt.NDArray[np.bool_] = np.zeros((height // _CELL, width // _CELL), dtype=np.bool_)
        edge = 900
        self.take(Box(0, 0, width, 2700 if height > 6000 else edge))
        self.take(Box(0, height - edge, width, edge))
        self.take(Box(0, 0, edge, height))
        self.take(Box(width - edge, 0, edge, height))
        boxes = [*form.registration.frames, *form.registration.brackets, *(box for code in form.codes for box in code.print)]
        for field in form.all_fields:
            for box in field.boxes:
                above = 0 if form.label_of(box) else 700
                boxes.append(Box(box.x, max(0, box.y - above), box.width, box.height + above))
        for group in form.groups:
            top = min(row.y for row in group.rows)
            left = min([group.x, *(frame.x for row in group.fields() if (frame := form.label_of(row.boxes[0])))])
            bottom = max(row.y for row in group.rows) + group.height
            boxes.append(Box(left, max(0, top - 1700), group.x + group.width - left, bottom - max(0, top - 1700)))
        for box in boxes:
            self.take(box)

    def take(self, box: Box) -> None:
        """Takes a box and a margin around it."""
        left, top = max(0, (box.x - _MARGIN) // _CELL), max(0, (box.y - _MARGIN) // _CELL)
        right, bottom = (box.x + box.width + _MARGIN) // _CELL + 1, (box.y + box.height + _MARGIN) // _CELL + 1
        self._taken[top:bottom, left:right] = True

    def nearest(self, width: int, height: int, x: float, y: float) -> Box | None:
        """Takes and gives the free box of this size whose middle is nearest to (x, y); None when there is no room."""
        across, down = -(-width // _CELL), -(-height // _CELL)
        rows, columns = self._taken.shape
        if across >= columns or down >= rows:
            return None
        sums = np.zeros((rows + 1, columns + 1), dtype=np.int64)
        sums[1:, 1:] = self._taken.cumsum(axis=0).cumsum(axis=1)
        inside = sums[down:, across:] - sums[:-down, across:] - sums[down:, :-across] + sums[:-down, :-across]
        tops, lefts = np.nonzero(inside == 0)
        if not len(tops):
            return None
        away = (lefts * _CELL + width / 2 - x) ** 2 + (tops * _CELL + height / 2 - y) ** 2
        best = int(np.argmin(away))
        box = Box(int(lefts[best]) * _CELL, int(tops[best]) * _CELL, width, height)
        self.take(box)
        return box
