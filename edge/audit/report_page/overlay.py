"""What was read, drawn over the picture of a page: an SVG in the page's own pixels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from edge.audit.report_page.markup import Markup, tag
from edge.audit.report_page.picture import Picture
from edge.audit.report_page.record_shape import Box, Corner, PageShape, RecordShape, ScoreShape
from edge.fixed.number import SUBPIXEL

LETTERS = {"marked": "X", "marginal": "?", "unreadable": "!", "unmarked": ""}
"""As in the pictures that `scrutineer interpret` draws; what the colour says, a letter says too."""
WRITTEN = "W"
"""A write-in area in which something is written, or that could not be judged."""


def overlay(record: RecordShape, page: PageShape, picture: Picture) -> Markup:
    """The SVG that lies over the picture of a page; the same in words stands beside it, so it is not read aloud."""
    scores = [score for score in record.scores if score.side == page.side]
    shapes = [tag("path", class_="contest", d=_boxes(contest.box for contest in page.contests))] if page.contests else []
    for verdict in LETTERS:
        boxes = [score.box for score in scores if score.verdict == verdict]
        if boxes:
            shapes.append(tag("path", class_=verdict, d=_boxes(boxes)))
    shapes += _areas(scores)
    names = {(contest.contest_id, option.option_id): option.box for contest in page.contests for option in contest.options}
    for verdict, letter in LETTERS.items():
        for after in (False, True):
            boxes = [score.box for score in scores if score.verdict == verdict and _is_after(score, names) == after]
            places = [(x + width if after else x, y + height) for x, y, width, height in boxes]
            if letter and places:
                shapes.append(_letters(places, letter, verdict, after=after))
    width, height = picture.width * picture.reduction, picture.height * picture.reduction
    view = f"0 0 {width} {height}"
    return tag("svg", *shapes, viewBox=view, preserveAspectRatio="none", aria_hidden="true")


def _areas(scores: Iterable[ScoreShape]) -> list[Markup]:
    shapes = []
    areas = [score.write_in_area for score in scores if score.write_in_area is not None]
    for heavy in (False, True):
        corners = [area.corners for area in areas if (area.filled or area.doubt is not None) == heavy]
        if corners:
            shapes.append(tag("path", class_="written" if heavy else "area", d=_polygons(corners)))
            if heavy:
                shapes.append(_letters([_pixels(polygon[0]) for polygon in corners if polygon], WRITTEN, "written", after=False))
    return shapes


def _boxes(boxes: Iterable[Box]) -> Markup:
    return Markup("".join(f"M{x} {y}h{width}v{height}h{-width}z" for x, y, width, height in boxes))


def _polygons(polygons: Iterable[list[Corner]]) -> Markup:
    paths = ("M" + " ".join("{} {}".format(*_pixels(corner)) for corner in polygon) + "z" for polygon in polygons if polygon)
    return Markup("".join(paths))


def _pixels(corner: Corner) -> tuple[int, int]:
    return corner[0] // SUBPIXEL, corner[1] // SUBPIXEL


def _is_after(score: ScoreShape, names: Mapping[tuple[str, str], Box]) -> bool:
    """Whether the bubble stands behind its option's name: the letter goes to the side where the name is not."""
    box = names.get((score.contest_id, score.option_id))
    return box is not None and 2 * score.box[0] + score.box[2] > 2 * box[0] + box[2]


def _letters(places: Iterable[tuple[int, int]], letter: str, kind: str, *, after: bool) -> Markup:
    """A letter before or after each place."""
    texts = (tag("text", letter, x=x + 6 if after else x - 6, y=y) for x, y in places)
    return tag("g", *texts, class_=f"{kind} after" if after else kind)
