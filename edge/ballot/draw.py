"""Pictures of how a page was read, for people: the paper, the bilevel page, the grid, the marks, the code.

Everything here draws what was measured elsewhere and measures nothing; no picture goes back into a reading.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from edge.ballot.grid import Found, Grid
from edge.ballot.result import Verdict
from edge.ballot.timing_marks import Candidates, MarkSize
from edge.fixed.number import SUBPIXEL, Score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.ballot.result import Box, BubbleReading, PageReading, WriteInReading
    from edge.ballot.timing_marks import EdgeBands
    from edge.page.page import Page
    from edge.page.streaks import Streak

Colour = tuple[int, int, int]
Step = Literal["1-paper", "2-bits", "3-grid", "4-marks", "5-code"]

# Okabe and Ito's palette, told apart with any colour vision; what matters most differs in line width or in a letter as well.
BLUE: Colour = (0, 114, 178)
SKY: Colour = (86, 180, 233)
GREEN: Colour = (0, 158, 115)
ORANGE: Colour = (230, 159, 0)
VERMILION: Colour = (213, 94, 0)
PURPLE: Colour = (170, 70, 130)
BLACK: Colour = (0, 0, 0)
GREY: Colour = (110, 110, 110)

_INK = 150
"""Grey of the ballot's ink under a drawing, so that the drawing stands out."""
_BAND = 30
_SMALL, _NORMAL, _LARGE = 14, 17, 20
_ROW_LABELS = 5
"""Every so many rows of the grid are numbered."""
_LABEL_STEPS = 20
"""Labels of streaks stand one below the other so often before they start again at the top."""
_CODE_SCALE = 2
_FOUND_COLOURS = {Found.MEASURED: GREEN, Found.FITTED: ORANGE, Found.INFERRED: VERMILION}
_VERDICT_COLOURS = {
    Verdict.MARKED: BLUE,
    Verdict.MARGINAL: ORANGE,
    Verdict.UNMARKED: GREEN,
    Verdict.UNREADABLE: VERMILION,
}
_VERDICT_LETTERS = {Verdict.MARKED: "X ", Verdict.MARGINAL: "? ", Verdict.UNMARKED: "", Verdict.UNREADABLE: "! "}


class _Key(NamedTuple):
    """An entry of the legend above a picture; no colour means plain text."""

    text: str
    colour: Colour = BLACK


def page_pictures(reading: PageReading) -> dict[Step, Image.Image]:
    """Every picture of a page that was read."""
    page = reading.page
    pictures = cropped_pictures(page)
    if reading.grid is not None:
        pictures["3-grid"] = grid_picture(page, reading.grid, reading.streaks)
    if reading.bubbles:
        pictures["4-marks"] = marks_picture(reading)
    if reading.barcode is not None:
        pictures["5-code"] = code_picture(reading)
    return pictures


def cropped_pictures(page: Page) -> dict[Step, Image.Image]:
    """The paper as cut out of the scan, where it is at hand, and the bilevel page exactly as it is stored."""
    pictures: dict[Step, Image.Image] = {}
    if page.grey is not None:
        cut = page.insets
        size = f"{page.paper} paper" if page.paper else "no paper size that is read"
        legend = (
            _Key(f"{page.width} x {page.height} pixels, {size} at {page.dpi} dpi; black at or below {page.threshold}"),
            _Key(f"cut off: top {cut.top}, bottom {cut.bottom}, left {cut.left}, right {cut.right}"),
        )
        pictures["1-paper"] = _framed(Image.fromarray(np.ascontiguousarray(page.grey)).convert("RGB"), legend)
    pictures["2-bits"] = Image.fromarray(np.where(page.bits, np.uint8(0), np.uint8(255))).convert("1", dither=Image.Dither.NONE)
    return pictures


def grid_picture(page: Page, grid: Grid | None, streaks: Sequence[Streak], bands: EdgeBands | None = None) -> Image.Image:
    """The timing marks by how each is known, the rows between them, and streaks; candidates where no grid was found.

    Args:
        page: the page that the others were measured on.
        grid: None when no grid was found.
        streaks: drawn over the whole height.
        bands: candidate marks, for the eye of whoever looks for the missing ones.
    """
    image = _pale(page)
    draw = ImageDraw.Draw(image)
    legend = []
    for number, streak in enumerate(streaks):
        draw.rectangle((streak.first - 2, 0, streak.last + 2, page.height), outline=PURPLE, width=2)
        y = page.height // 2 + _BAND * (number % _LABEL_STEPS)
        _label(draw, (streak.last + 5, y), f"streak x={streak.first}-{streak.last}", PURPLE)
    if streaks:
        legend.append(_Key(f"{len(streaks)} streaks", PURPLE))
    if grid is None:
        legend.insert(0, _Key("no grid was found"))
        if bands is not None:
            _draw_candidates(draw, bands)
            legend.append(_Key("shapes like a mark", BLUE))
    else:
        _draw_rows(draw, page, grid)
        found = [*grid.left_found.tolist(), *grid.right_found.tolist()]
        legend += [_Key(f"{found.count(kind)} {kind.name.lower()}", colour) for kind, colour in _FOUND_COLOURS.items()]
        legend.append(_Key(f"{grid.rows} rows, {grid.pitch / SUBPIXEL:.2f} pixels apart", SKY))
    return _framed(image, legend)


def marks_picture(reading: PageReading) -> Image.Image:
    """Bubbles with verdict and scores, write-in areas with their ink, contests with their boxes."""
    image = _pale(reading.page)
    draw = ImageDraw.Draw(image)
    for contest in reading.contests:
        draw.rectangle(_corners(contest.box), outline=SKY, width=1)
    for area in reading.write_ins:
        _draw_area(draw, area)
    for bubble in reading.bubbles:
        _draw_bubble(draw, bubble)
    legend = [_Key(f"{_VERDICT_LETTERS[verdict]}{verdict}", colour) for verdict, colour in _VERDICT_COLOURS.items()]
    legend += [_Key("write-in area: ink", PURPLE), _Key("contest", SKY)]
    legend.append(_Key("per cent: filled, o: printed line seen, s: stroke of the height, p: pale ink"))
    return _framed(image, legend)


def code_picture(reading: PageReading) -> Image.Image:
    """The piece of the page that was searched for the QR code, its place, and which reader read it from which pixels."""
    page, barcode = reading.page, reading.barcode
    if barcode is None:
        raise ValueError("the page has no barcode")
    area = barcode.area
    x, y = barcode.x - area.left, barcode.y - area.top
    if barcode.grey is not None:
        piece = Image.fromarray(np.ascontiguousarray(barcode.grey))
    else:
        # The code was read before the page was turned.
        bits = page.bits[::-1, ::-1] if reading.upside_down else page.bits
        piece = Image.fromarray(np.where(area.of(bits), np.uint8(0), np.uint8(255)))
    piece = piece.convert("RGB")
    if reading.upside_down:
        piece, x, y = piece.rotate(180), area.width - 1 - x, area.height - 1 - y
    if area.width < page.width:
        piece, x, y = piece.resize((_CODE_SCALE * area.width, _CODE_SCALE * area.height), Image.Resampling.NEAREST), 2 * x, 2 * y
    draw = ImageDraw.Draw(piece)
    draw.line((x - 40, y, x + 40, y), fill=VERMILION, width=3)
    draw.line((x, y - 40, x, y + 40), fill=VERMILION, width=3)
    pixels = "bilevel" if barcode.grey is None else "grey"
    legend = [
        _Key(f"read by {barcode.reader} from {pixels} pixels", VERMILION),
        _Key(f"{len(barcode.data)} bytes: {barcode.data[:12].hex()}..."),
    ]
    if reading.metadata is not None:
        legend.append(
            _Key(f"{reading.metadata.encoding}: style {reading.metadata.ballot_style_id}, page {reading.metadata.page_number}")
        )
    return _framed(piece, legend)


def _pale(page: Page) -> Image.Image:
    return Image.fromarray(np.where(page.bits, np.uint8(_INK), np.uint8(255))).convert("RGB")


def _framed(image: Image.Image, legend: Sequence[_Key]) -> Image.Image:
    """The picture under a white band with its legend, broken into as many lines as it needs."""
    font = _font(_LARGE)
    lines: list[list[tuple[_Key, float]]] = [[]]
    x = 0.0
    for key in legend:
        wide = font.getlength(key.text) + 50
        if lines[-1] and x + wide > image.width:
            lines.append([])
            x = 0.0
        lines[-1].append((key, x))
        x += wide
    top = _BAND * len(lines) + 6
    framed = Image.new("RGB", (image.width, image.height + top), "white")
    framed.paste(image, (0, top))
    draw = ImageDraw.Draw(framed)
    for number, line in enumerate(lines):
        for key, x in line:
            y = number * _BAND + 6
            if key.colour != BLACK:
                draw.rectangle((x + 8, y + 2, x + 24, y + 18), fill=key.colour)
            draw.text((x + 30, y), key.text, fill=BLACK, font=font)
    draw.line((0, top - 1, image.width, top - 1), fill=BLACK, width=1)
    return framed


@cache
def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


def _label(
    draw: ImageDraw.ImageDraw, place: tuple[float, float], text: str, colour: Colour, size: int = _NORMAL, anchor: str = "lm"
) -> None:
    """Text with a white rim, legible over print."""
    draw.text(place, text, fill=colour, font=_font(size), anchor=anchor, stroke_width=2, stroke_fill="white")


def _corners(box: Box) -> tuple[int, int, int, int]:
    return box.x, box.y, box.x + box.width - 1, box.y + box.height - 1


def _draw_candidates(draw: ImageDraw.ImageDraw, bands: EdgeBands) -> None:
    def boxes(marks: Candidates) -> None:
        for x0, y0, x1, y1 in zip(marks.x0.tolist(), marks.y0.tolist(), marks.x1.tolist(), marks.y1.tolist(), strict=True):
            draw.rectangle((x0 - 2, y0 - 2, x1 + 1, y1 + 1), outline=BLUE, width=2)

    for band in (bands.left, bands.right, bands.top, bands.bottom):
        boxes(band)


def _draw_rows(draw: ImageDraw.ImageDraw, page: Page, grid: Grid) -> None:
    size = MarkSize.on(page)
    for row in range(grid.rows):
        left = (float(grid.left_x[row]) / SUBPIXEL, float(grid.left_y[row]) / SUBPIXEL)
        right = (float(grid.right_x[row]) / SUBPIXEL, float(grid.right_y[row]) / SUBPIXEL)
        draw.line((*left, *right), fill=SKY, width=1)
        if row % _ROW_LABELS == 0:
            _label(draw, (left[0] + size.width, left[1]), str(row), BLUE, _SMALL)
        for (x, y), found in ((left, Found(int(grid.left_found[row]))), (right, Found(int(grid.right_found[row])))):
            colour = _FOUND_COLOURS[found]
            box = (x - size.width / 2, y - size.height / 2, x + size.width / 2, y + size.height / 2)
            draw.rectangle(box, outline=colour, width=2 if found is Found.MEASURED else 4)
            if found is Found.INFERRED:
                reach = size.height
                draw.line((x - reach, y - reach, x + reach, y + reach), fill=colour, width=4)
                draw.line((x - reach, y + reach, x + reach, y - reach), fill=colour, width=4)


def _draw_bubble(draw: ImageDraw.ImageDraw, bubble: BubbleReading) -> None:
    colour = _VERDICT_COLOURS[bubble.verdict]
    x0, y0, x1, y1 = _corners(bubble.box)
    draw.rectangle((x0 - 1, y0 - 1, x1 + 1, y1 + 1), outline=colour, width=1 if bubble.verdict is Verdict.UNMARKED else 3)
    stroke = "" if bubble.stroke is None else f" s{_whole(bubble.stroke)}"
    pale = "".join(f" {found.kind[0]}{_whole(found.score)}" for found in bubble.grey_ink)
    text = f"{_VERDICT_LETTERS[bubble.verdict]}{_tenths(bubble.fill)} o{_whole(bubble.outline)}{stroke}{pale}"
    plain = bubble.verdict is Verdict.UNMARKED
    _label(draw, ((x0 + x1) / 2, y1 + 3), text, GREY if plain else BLACK, _SMALL if plain else _NORMAL, "ma")
    if bubble.doubt is not None:
        _label(draw, ((x0 + x1) / 2, y0 - 3), bubble.doubt, VERMILION, _NORMAL, "md")


def _draw_area(draw: ImageDraw.ImageDraw, area: WriteInReading) -> None:
    points = [(x / SUBPIXEL, y / SUBPIXEL) for x, y in area.corners]
    draw.polygon(points, outline=PURPLE, width=3 if area.filled or area.doubt else 1)
    x, y = points[0]
    if area.filled or area.doubt:
        # Above the area: the writing in it is what a person wants to see.
        doubt = "oval not filled" if area.doubt is None else area.doubt
        _label(draw, (x + 4, y - 4), f"ink {_tenths(area.ink)} {doubt}", PURPLE, _NORMAL, "ld")
    else:
        _label(draw, (x + 4, y + 2), f"ink {_tenths(area.ink)}", PURPLE, _SMALL, "la")


def _tenths(score: Score) -> str:
    return f"{score.per_ten_thousand / 100:.1f}"


def _whole(score: Score) -> str:
    return f"{score.per_ten_thousand / 100:.0f}"
