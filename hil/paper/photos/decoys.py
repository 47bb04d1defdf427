"""Made-up papers that are no form of ours: text, tables, lists, ballots, back sides, half-filled boxes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import cv2
import numpy as np

from hil.paper.lettering import letters
from hil.paper.photos.paper import Colour, Sheet

Decoy = Literal["text", "table", "list", "ballot", "back", "boxes", "receipt", "poster"]
KINDS: tuple[Decoy, ...] = ("text", "table", "list", "ballot", "back", "boxes", "receipt", "poster")

_SCALE = 70 / 2540
"""Pixels per 1/100 mm at which they are painted."""
_WORDS = (
    "river", "ledger", "market", "stone", "answer", "seven", "copper", "window", "garden", "notice", "station", "quiet",
    "harvest", "between", "council", "morning", "street", "paper", "second", "orange", "total", "votes", "name", "signature",
    "date", "place",
)  # fmt: skip

_Ink = tuple[int, int, int]


class _Page:
    """A page that is painted in pixels."""

    def __init__(self, width: int, height: int, rng: np.random.Generator) -> None:
        self.width, self.height, self.rng = width, height, rng
        self.image: Colour = np.empty((height, width, 3), dtype=np.uint8)
        tint = rng.integers(222, 252) + rng.integers(-6, 4, 3)
        if rng.random() < 0.12:
            tint = rng.integers(150, 250, 3)
        self.image[:] = np.clip(tint, 0, 255)
        level = int(rng.integers(10, 110))
        self.ink: _Ink = (level, level, level + int(rng.integers(0, 40)))
        self.accent: _Ink = (int(rng.integers(30, 240)), int(rng.integers(30, 240)), int(rng.integers(30, 240)))

    def word(self) -> str:
        return _WORDS[int(self.rng.integers(len(_WORDS)))]

    def write(self, text: str, left: float, top: float, size: int, ink: _Ink | None = None, *, bold: bool = False) -> int:
        """One line of text; gives its width."""
        cover = letters(text, max(4, size), bold)
        x, y = int(left), int(top)
        view = self.image[max(y, 0) : y + cover.shape[0], max(x, 0) : x + cover.shape[1]]
        part = cover[max(-y, 0) :, max(-x, 0) :][: view.shape[0], : view.shape[1], None].astype(np.int32)
        view[:] = view + (np.array(ink or self.ink, dtype=np.int32) - view) * part // 255
        return int(cover.shape[1])

    def paragraph(self, left: float, top: float, width: float, bottom: float, size: int) -> None:
        while top < bottom:
            x = left + (size if self.rng.random() < 0.15 else 0)
            end = left + width * (1 if self.rng.random() < 0.85 else self.rng.uniform(0.2, 0.9))
            while x < end - 4 * size:
                x += self.write(self.word(), x, top, size) + 0.2 * size
            top += 1.35 * size

    def box(
        self, left: float, top: float, width: float, height: float, ink: _Ink, line: int = 1, fill: _Ink | None = None
    ) -> None:
        corners = (int(left), int(top)), (int(left + width), int(top + height))
        if fill is not None:
            cv2.rectangle(self.image, *corners, fill, -1)
        if line:
            cv2.rectangle(self.image, *corners, ink, line)

    def scribble(self, left: float, top: float, width: float, height: float, ink: _Ink) -> None:
        """Handwriting from afar."""
        count = max(3, int(width / max(height, 1) * 5))
        x = np.linspace(left, left + width, count)
        y = top + height * self.rng.uniform(0, 1, count)
        cv2.polylines(
            self.image, [np.column_stack((x, y)).round().astype(np.int32)], isClosed=False, color=ink, lineType=cv2.LINE_AA
        )

    def title(self) -> float:
        """A headline; gives where it ends."""
        size = int(self.rng.integers(9, 24))
        top = self.rng.uniform(0.03, 0.08) * self.height
        text = " ".join(self.word() for _ in range(int(self.rng.integers(2, 5))))
        self.write(text, self.rng.uniform(0.06, 0.35) * self.width, top, size, bold=bool(self.rng.random() < 0.6))
        return float(top + 1.8 * size)

    def pen(self) -> _Ink:
        return ((40, 40, 50), (45, 55, 150), (60, 60, 60))[int(self.rng.integers(3))]


def _text(page: _Page) -> None:
    rng = page.rng
    top, size = page.title(), int(rng.integers(5, 10))
    columns = int(rng.integers(1, 4))
    margin, gap = rng.uniform(0.05, 0.12) * page.width, 0.03 * page.width
    width = (page.width - 2 * margin - gap * (columns - 1)) / columns
    for column in range(columns):
        y = top
        left = margin + column * (width + gap)
        while y < 0.9 * page.height:
            end = min(0.94 * page.height, y + rng.uniform(0.08, 0.3) * page.height)
            if rng.random() < 0.12:
                page.box(left, y, width, end - y - 2 * size, page.ink, 1, page.accent)
            else:
                page.paragraph(left, y, width, end - 2 * size, size)
            y = end


def _table(page: _Page) -> None:
    """One or two ruled tables with numbers, heads and totals."""
    rng = page.rng
    top = page.title()
    for _ in range(int(rng.integers(1, 3))):
        rows, columns = int(rng.integers(4, 26)), int(rng.integers(2, 9))
        left, width = rng.uniform(0.04, 0.2) * page.width, rng.uniform(0.5, 0.78) * page.width
        pitch = min(rng.uniform(9, 30), (0.95 * page.height - top) / (rows + 1))
        if pitch < 6:
            return
        edges = left + width * np.concatenate(((0.0,), np.cumsum(rng.dirichlet(np.full(columns, 4.0)))))
        line = page.ink if rng.random() < 0.6 else page.accent
        page.box(left, top, width, pitch, line, 1, page.accent if rng.random() < 0.5 else None)
        grey = int(rng.integers(170, 235))
        shaded = rng.random() < 0.4
        pen, size = page.pen(), max(4, int(pitch * rng.uniform(0.4, 0.65)))
        for row in range(rows + 1):
            y = top + row * pitch
            for column in range(columns):
                fill = (grey, grey, grey) if (row and shaded and (column == 0 or row % 2 == 0)) else None
                page.box(edges[column], y, edges[column + 1] - edges[column], pitch, line, 1, fill)
                if column == 0 or row == 0:
                    page.write(
                        page.word()[: int((edges[column + 1] - edges[column]) / size * 1.6)], edges[column] + 3, y + 2, size
                    )
                elif rng.random() < 0.6:
                    text = str(int(rng.integers(0, 2000)))
                    page.write(text, edges[column + 1] - 0.6 * size * len(text) - 4, y + 2, size, pen)
        top += (rows + 2.5) * pitch


def _list(page: _Page) -> None:
    rng = page.rng
    top, size = page.title(), int(rng.integers(6, 12))
    lined = rng.random() < 0.5
    pen = page.pen()
    while top < 0.95 * page.height:
        page.write(str(int(rng.integers(1, 999))), 0.06 * page.width, top, size)
        x = 0.15 * page.width
        for _ in range(int(rng.integers(1, 5))):
            x += page.write(page.word(), x, top, size) + 3
        if rng.random() < 0.4:
            page.scribble(0.65 * page.width, top, 0.25 * page.width, size, pen)
        top += size * 1.9
        if lined:
            cv2.line(page.image, (int(0.05 * page.width), int(top)), (int(0.95 * page.width), int(top)), page.accent, 1)


def _ballot(page: _Page) -> None:
    """Contests with ovals, some filled, and timing marks along the edges."""
    rng = page.rng
    if rng.random() < 0.7:
        pitch = 0.25 * 72
        for y in np.arange(pitch, page.height - pitch, pitch).tolist():
            for x in (6, page.width - 16):
                page.box(x, y, 9, 3, (20, 20, 20), 0, (20, 20, 20))
    top, columns = page.title() + 10, int(rng.integers(1, 4))
    width = (0.86 * page.width) / columns
    for column in range(columns):
        y, left = top, 0.07 * page.width + column * width
        while y < 0.85 * page.height:
            count = int(rng.integers(2, 8))
            page.box(left, y, width - 4, 14, page.ink, 1, page.accent if rng.random() < 0.5 else None)
            page.write(page.word() + " " + page.word(), left + 4, y + 2, 8, bold=True)
            page.box(left, y, width - 4, 14 + 15 * count, page.ink, 1)
            for number in range(count):
                middle = int(left + 12), int(y + 22 + 15 * number)
                cv2.ellipse(page.image, middle, (6, 4), 0, 0, 360, page.ink, -1 if rng.random() < 0.25 else 1, cv2.LINE_AA)
                page.write(page.word() + " " + page.word(), left + 24, y + 16 + 15 * number, 8)
            y += 14 + 15 * count + 6


def _back(page: _Page) -> None:
    """A back side: empty, or with print that shines through, mirrored."""
    rng = page.rng
    if rng.random() < 0.6:
        _text(page) if rng.random() < 0.5 else _table(page)
        paper = np.median(page.image.reshape(-1, 3), axis=0)
        through = page.image[:, ::-1].astype(np.float32)
        page.image = (paper + (through - paper) * rng.uniform(0.05, 0.2)).clip(0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        page.paragraph(0.1 * page.width, 0.9 * page.height, 0.7 * page.width, 0.94 * page.height, 6)


def _boxes(page: _Page) -> None:
    """A questionnaire: labels beside rows of small boxes in no order, stamps, corner marks of other kinds."""
    rng = page.rng
    top = page.title()
    grey = int(rng.integers(175, 240))
    filled, pen = rng.random() < 0.5, page.pen()
    line = page.accent if rng.random() < 0.6 else page.ink
    while top < 0.92 * page.height:
        cell, count = rng.uniform(10, 26), int(rng.integers(1, 14))
        left = rng.uniform(0.05, 0.4) * page.width
        label = rng.uniform(0.1, 0.45) * page.width
        page.box(left, top, label, cell, line, int(rng.random() < 0.7), (grey, grey, grey) if filled else None)
        page.write(page.word() + " " + page.word(), left + 4, top + 2, int(cell * 0.5))
        x = left + label + rng.uniform(0.0, 0.1) * page.width
        for number in range(count):
            page.box(x + number * cell, top, cell, cell, line)
            if rng.random() < 0.5:
                page.scribble(x + number * cell + 3, top + 3, cell - 6, cell - 6, pen)
        top += cell + rng.uniform(2, 40)
    if rng.random() < 0.4:
        side = int(rng.integers(8, 22))
        for x in (8, page.width - 8 - side):
            for y in (8, page.height - 8 - side):
                page.box(x, y, side, side, (20, 20, 20), 0, (20, 20, 20))


def _receipt(page: _Page) -> None:
    rng = page.rng
    top = 10.0
    while top < page.height - 14:
        page.write(page.word() + " " + page.word(), 6, top, 9)
        page.write(str(int(rng.integers(1, 9999))), page.width - 40, top, 9)
        top += 13 if rng.random() < 0.9 else 30


def _poster(page: _Page) -> None:
    rng = page.rng
    for _ in range(int(rng.integers(3, 14))):
        ink = tuple(rng.integers(0, 256, 3).tolist())
        x, y = rng.uniform(0, page.width), rng.uniform(0, page.height)
        if rng.random() < 0.5:
            page.box(x, y, rng.uniform(10, page.width), rng.uniform(10, 0.3 * page.height), ink, 0, ink)
        else:
            cv2.circle(page.image, (int(x), int(y)), int(rng.uniform(5, 0.3 * page.width)), ink, -1, cv2.LINE_AA)
    for _ in range(int(rng.integers(1, 5))):
        page.write(
            page.word(), rng.uniform(0, 0.4) * page.width, rng.uniform(0, 0.9) * page.height, int(rng.integers(14, 60)), bold=True
        )


_PAINTERS: Mapping[Decoy, Callable[[_Page], None]] = {
    "text": _text,
    "table": _table,
    "list": _list,
    "ballot": _ballot,
    "back": _back,
    "boxes": _boxes,
    "receipt": _receipt,
    "poster": _poster,
}


def paint_decoy(kind: Decoy, rng: np.random.Generator) -> Sheet:
    """Paints a paper at about 70 dpi; its form is empty, its points are told from its top-left corner."""
    short, long = ((21000, 29700), (21590, 27940), (21590, 35560), (14800, 21000), (27940, 43180))[int(rng.integers(5))]
    if kind == "receipt":
        short, long = 8000, int(rng.integers(12000, 28000))
    width, height = (short, long) if kind == "receipt" or rng.random() < 0.65 else (long, short)
    page = _Page(round(width * _SCALE), round(height * _SCALE), rng)
    _PAINTERS[kind](page)
    return Sheet("", page.image, (0.0, 0.0), _SCALE)
