"""More print on a form than its template tells of: bars, frames, notes and tints, as real print runs have around the cells.

A template lists what is read. What else a real sheet carries is anybody's guess, so no finder of forms
may lean on its absence.
"""

from __future__ import annotations

import cv2
import numpy as np

from edge.definition.box import Box, around
from edge.definition.form import Form
from hil.paper.lettering import letters
from hil.paper.photos.paper import Colour, Sheet

_TEXT = (
    "the table opened at", "number of voters", "observations", "write one number in each cell", "name and signature", "copy 1",
    "original", "place of the table", "district", "municipality", "model of numbers", "closing", "only for the board", "stamp",
)  # fmt: skip


def overprint(sheet: Sheet, form: Form, rng: np.random.Generator) -> Sheet:
    """The sheet with made-up print around its table, none of it on the table's boxes; the image is a new one."""
    page = _Page(sheet, form, rng)
    if rng.random() < 0.8:
        page.sections()
    for _ in range(int(rng.integers(0, 9))):
        page.bar()
    for _ in range(int(rng.integers(0, 9))):
        page.note()
    if rng.random() < 0.5:
        page.logo()
    if rng.random() < 0.4:
        page.panel()
    if rng.random() < 0.35:
        page.tint()
    return Sheet(sheet.form, page.image, sheet.origin, sheet.scale)


class _Page:
    """The sheet's image while more is printed on it; lengths are 1/100 mm."""

    def __init__(self, sheet: Sheet, form: Form, rng: np.random.Generator) -> None:
        self.image: Colour = sheet.image.copy()
        self._sheet, self._form, self._rng = sheet, form, rng
        boxes = [box for field in form.all_fields for box in field.boxes]
        self._kept = around([*boxes, *form.registration.frames], 150)
        self._table = around([form.table], 150)
        self._ink = tuple(int(part) for part in np.array(((236, 150, 140), (150, 200, 150), (60, 60, 60)))[int(rng.integers(3))])
        self._fill = tuple(int(part) for part in rng.integers(150, 236, 3))

    def _pixel(self, x: float, y: float) -> tuple[int, int]:
        return (round((x - self._sheet.origin[0]) * self._sheet.scale), round((y - self._sheet.origin[1]) * self._sheet.scale))

    def _rectangle(self, box: Box, colour: tuple[int, ...], line: int) -> None:
        cv2.rectangle(self.image, self._pixel(box.x, box.y), self._pixel(box.x + box.width, box.y + box.height), colour, line)

    def _text(self, text: str, x: float, y: float, size: float, ink: tuple[int, ...]) -> None:
        cover = letters(text, max(4, round(size * self._sheet.scale)))
        left, top = self._pixel(x, y)
        view = self.image[max(top, 0) : top + cover.shape[0], max(left, 0) : left + cover.shape[1]]
        part = cover[max(-top, 0) :, max(-left, 0) :][: view.shape[0], : view.shape[1], None].astype(np.int32)
        view[:] = view + (np.array(ink, dtype=np.int32) - view) * part // 255

    def sections(self) -> None:
        """Bars above and below the table, lines beside it and between its columns."""
        rng, table = self._rng, self._table
        gap = int(rng.uniform(50, 500))
        high = int(rng.uniform(350, 800))
        if rng.random() < 0.8:
            bar = Box(table.x - gap, table.y - int(rng.uniform(1000, 1700)) - high, table.width + 2 * gap, high)
            self._rectangle(bar, self._fill, -1)
            self._rectangle(bar, self._ink, 1)
            start = bar.x + bar.width * rng.uniform(0.05, 0.4)
            self._text("count of the votes for the lists", start, bar.y + 60, 0.6 * high, (40, 40, 40))
        if rng.random() < 0.7:
            below = Box(table.x - gap, table.y + table.height + gap, table.width + 2 * gap, high)
            self._rectangle(below, self._fill, -1)
        edges = [table.x - gap, table.x + table.width + gap]
        if len(self._form.groups) > 1:
            rows = [around([box for part in group.fields() for box in part.boxes]) for group in self._form.groups]
            edges += [box.x + box.width + 330 for box in rows[:-1]]
        for x in edges:
            if rng.random() < 0.7:
                top = self._pixel(x, table.y - rng.uniform(200, 2500))
                bottom = self._pixel(x, table.y + table.height + rng.uniform(0, 800))
                cv2.line(self.image, top, bottom, self._ink, int(rng.integers(1, 3)))

    def _free(self, width: float, height: float) -> tuple[float, float] | None:
        """A place off the table and off all cells and labels."""
        for _ in range(8):
            x = self._rng.uniform(700, max(701, self._form.size[0] - width - 700))
            y = self._rng.uniform(700, max(701, self._form.size[1] - height - 700))
            kept = self._kept
            if x + width < kept.x or x > kept.x + kept.width or y + height < kept.y or y > kept.y + kept.height:
                return x, y
        return None

    def bar(self) -> None:
        """A section's head."""
        width, height = self._rng.uniform(2000, 16000), self._rng.uniform(350, 900)
        place = self._free(width, height)
        if place is not None:
            self._rectangle(Box(round(place[0]), round(place[1]), round(width), round(height)), self._fill, -1)
            self._text(_TEXT[int(self._rng.integers(len(_TEXT)))], place[0] + 200, place[1] + 60, 0.65 * height, (50, 50, 50))

    def note(self) -> None:
        """A few lines of small print, or a large line."""
        size = self._rng.uniform(180, 420)
        lines = int(self._rng.integers(1, 6))
        place = self._free(26 * size / 2, lines * 1.3 * size)
        if place is not None:
            for line in range(lines):
                text = _TEXT[int(self._rng.integers(len(_TEXT)))]
                self._text(text, place[0], place[1] + line * 1.3 * size, size, self._ink if line % 2 else (50, 50, 55))

    def logo(self) -> None:
        """A coloured emblem."""
        side = self._rng.uniform(800, 3000)
        place = self._free(side, side)
        if place is not None:
            colour = tuple(self._rng.integers(30, 230, 3).tolist())
            middle = self._pixel(place[0] + side / 2, place[1] + side / 2)
            radius = max(1, round(side / 2 * self._sheet.scale))
            cv2.circle(self.image, middle, radius, colour, -1 if self._rng.random() < 0.5 else 2, cv2.LINE_AA)

    def panel(self) -> None:
        """A large framed or shaded field: observations, signatures, a list of rows to be signed."""
        width, height = self._rng.uniform(3000, 18000), self._rng.uniform(2000, 16000)
        place = self._free(width, height)
        if place is None:
            return
        box = Box(round(place[0]), round(place[1]), round(width), round(height))
        if self._rng.random() < 0.6:
            self._rectangle(box, tuple(int(part) for part in self._rng.integers(215, 250, 3)), -1)
        self._rectangle(box, self._ink, 1)
        rows = int(self._rng.integers(0, 8))
        for row in range(rows):
            y = box.y + box.height * (row + 1) / (rows + 1)
            cv2.line(self.image, self._pixel(box.x, y), self._pixel(box.x + box.width, y), self._ink, 1)

    def tint(self) -> None:
        """Paper with a safety print: a pale colour with fine noise."""
        colour = self._rng.uniform(0.86, 1.0, 3)
        grain = self._rng.normal(1.0, 0.02, (*self.image.shape[:2], 1))
        self.image = (self.image * colour * grain).clip(0, 255).astype(np.uint8)
