"""The marks of one upright page: bubbles judged, write-in areas measured, contests boxed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from edge.ballot.bubble_template import bubble_template
from edge.ballot.bubbles import BubbleScores, moved, score_bubbles
from edge.ballot.creases import is_creased
from edge.ballot.faint_outline import find_faint_outline
from edge.ballot.grey_ink import find_pale_ink, find_stain
from edge.ballot.missing_paper import touches_missing_paper
from edge.ballot.result import Box, BubbleReading, ContestBox, Doubt, GreyInk, PageReading, Verdict, WriteInReading
from edge.ballot.strokes import LEAST_STROKE_PER_CENT, stroke_length
from edge.ballot.write_ins import Corners, area_ink
from edge.definition.paper import GRID_COLUMNS
from edge.definition.settings import AdjudicationReason
from edge.fixed.number import SUBPIXEL, Score, round_div
from edge.page.error import PageError

if TYPE_CHECKING:
    from edge.ballot.grid import Grid
    from edge.definition.page_layout import BubblePosition, GridPoints, PageLayout
    from edge.definition.settings import MarkThresholds, SystemSettings
    from edge.page.page import Page

_SLIGHT_FILL_PER_CENT = 30
"""A crease covers less of a bubble than this."""
_DEEP_PER_MILLE = 40
"""Ink well inside an oval, in thousandths of the box, that a vote has at least; undisputed real marks have 60 and more."""
_UNUSUAL_PER_MILLE = 25
"""Fill, in thousandths of the box, by which a bubble stands out from the empty ones of its own page: the strokes of a cross
beside an oval hide in its line and leave little more."""
_INKED_PER_MILLE = 10
"""Fill, in thousandths of the box, below which there is nothing to look into: no stroke is so short, no hole so shallow."""
_OUTLINE_FOUND_PER_CENT = 75
"""Share of a bubble's printed line that must show. On real scans it is never under 89 %; a mark only covers more of it."""
_SPECKS_PER_MILLE = 11
"""Stray pixels, in thousandths of the bubble's box, above which the image is too noisy to tell a mark from dirt. Noise and salt
and pepper make false marks from 16 thousandths on; real scans have none."""
_BUBBLES_FOUND_PER_CENT = 50
"""Share of a page's bubbles that must be found for the page to be read at all."""


def read_marks(reading: PageReading, layout: PageLayout, settings: SystemSettings) -> PageReading:
    """Judge every bubble of a page.

    Raises:
        PageError: `gridPositionOutsideTimingMarkGrid`, `verticalStreaksDetected` when a streak runs through a bubble,
            `noisyImage`, `bubblesNotFound` when the print does not show bubbles where the definition has them.
    """
    grid, page = reading.grid, reading.page
    if grid is None:
        raise ValueError("a page without a grid has no marks to read")
    scores = score_bubbles(page, *grid.locate(layout.centres))
    _check_streaks(reading, scores)
    if scores.specks * 1000 > _SPECKS_PER_MILLE * scores.fill_of:
        raise PageError("noisyImage", f"three bubbles of four hold {scores.specks} or more stray pixels on the {reading.side}")
    scores, faint = _with_faint_outlines(page, scores)
    thresholds = settings.mark_thresholds
    boxes = _boxes(page, scores)
    filled = [Score(count, scores.fill_of).at_least(thresholds.definite) for count in scores.fill.tolist()]
    pale = find_pale_ink(page, {at: box for at, box in enumerate(boxes) if not filled[at]}, scores.swell)
    bubbles = tuple(
        _judge(page, position, scores, at, boxes[at], faint.get(at), pale.get(at), thresholds)
        for at, position in enumerate(layout.positions)
    )
    lost = [b for b in bubbles if b.doubt is Doubt.BUBBLE_NOT_FOUND]
    if len(lost) * 100 > len(bubbles) * (100 - _BUBBLES_FOUND_PER_CENT):
        raise PageError("bubblesNotFound", f"{len(lost)} of {len(bubbles)} bubbles do not show on the {reading.side}")
    write_ins: tuple[WriteInReading, ...] = ()
    if AdjudicationReason.UNMARKED_WRITE_IN in settings.precinct_scan_adjudication_reasons:
        marked = {(b.contest_id, b.option_id) for b in bubbles if b.verdict is Verdict.MARKED}
        corners = _quadrilaterals(grid, layout.write_in_corners)
        positions = [layout.positions[at] for at in layout.write_ins]
        write_ins = tuple(_write_in(page, p, c, marked, settings) for p, c in zip(positions, corners, strict=True))
    return replace(reading, bubbles=bubbles, write_ins=write_ins, contests=_contest_boxes(grid, layout))


def _check_streaks(reading: PageReading, scores: BubbleScores) -> None:
    width = bubble_template(reading.page.dpi).width
    for streak in reading.streaks:
        hit = (scores.x <= streak.last) & (streak.first < scores.x + width)
        if hit.any():
            place = f"a streak at x = {streak.first}-{streak.last}"
            raise PageError("verticalStreaksDetected", f"{place} runs through {int(hit.sum())} bubbles")


def _with_faint_outlines(page: Page, scores: BubbleScores) -> tuple[BubbleScores, dict[int, GreyInk]]:
    """Look in the grey image for the ovals that the bilevel page does not show, and move their boxes onto them."""
    faint: dict[int, GreyInk] = {}
    shift_x, shift_y = np.zeros_like(scores.x), np.zeros_like(scores.y)
    for at in np.flatnonzero(scores.outline * 100 < _OUTLINE_FOUND_PER_CENT * scores.outline_of).tolist():
        found = find_faint_outline(page, int(scores.x[at]), int(scores.y[at]))
        if found is not None:
            shift_x[at], shift_y[at], faint[at] = found
    return (moved(page, scores, shift_x, shift_y), faint) if faint else (scores, faint)


def _boxes(page: Page, scores: BubbleScores) -> list[Box]:
    template = bubble_template(page.dpi)
    return [Box(x, y, template.width, template.height) for x, y in zip(scores.x.tolist(), scores.y.tolist(), strict=True)]


def _judge(
    page: Page,
    position: BubblePosition,
    scores: BubbleScores,
    at: int,
    box: Box,
    faint: GreyInk | None,
    pale: GreyInk | None,
    thresholds: MarkThresholds,
) -> BubbleReading:
    """What all measures of one bubble amount to. `faint`, `pale`: outline and ink that only the grey image shows."""
    fill = Score(int(scores.fill[at]), scores.fill_of)
    outline = Score(int(scores.outline[at]), scores.outline_of)
    filled = fill.at_least(thresholds.definite)
    # The slower measures are for the bubbles that they could decide.
    stroke: Score | None = None
    inked = fill.at_least(_INKED_PER_MILLE * 10)
    if inked and not filled:
        stroke = Score(stroke_length(page.bits, box.x, box.y, page.dpi, scores.swell), box.height)
    slight = filled and not fill.at_least(_SLIGHT_FILL_PER_CENT * 100)
    stain = find_stain(page, box, scores.swell, slight=slight) if filled else None
    doubt: Doubt | None = None
    if inked and touches_missing_paper(page.bits, box.x, box.y, box.width, box.height, page.dpi):
        verdict, doubt = Verdict.UNREADABLE, Doubt.MISSING_PAPER
    elif filled:
        # A vote must be filled by strokes, and not only along its line: the grains of a stain, a squeezed oval's own line and a
        # crease across the page are no pen's.
        stroked = Score(int(scores.broad[at]), scores.fill_of).at_least(thresholds.definite)
        stroked = stroked and Score(int(scores.deep[at]), scores.fill_of).at_least(_DEEP_PER_MILLE * 10)
        creased = slight and is_creased(page.bits, box.x, box.y, box.width, box.height, page.dpi)
        verdict = Verdict.MARGINAL if creased or stain is not None or not stroked else Verdict.MARKED
    elif fill.at_least(thresholds.marginal) or pale is not None or _crossed(stroke):
        verdict = Verdict.MARGINAL
    else:
        unusual = (fill.count - scores.usual) * 1000 >= _UNUSUAL_PER_MILLE * fill.of
        verdict = Verdict.MARGINAL if unusual else Verdict.UNMARKED
    if doubt is None and faint is None and not outline.at_least(_OUTLINE_FOUND_PER_CENT * 100):
        # Ink where no bubble shows may be type of another layout: for a person to say.
        doubt = Doubt.BUBBLE_NOT_FOUND
        verdict = Verdict.MARGINAL if verdict is Verdict.MARKED else verdict
    grey = tuple(found for found in (faint, pale, stain) if found is not None)
    return BubbleReading(position.contest_id, position.option_id, box, fill, outline, stroke, grey, verdict, doubt)


def _crossed(stroke: Score | None) -> bool:
    return stroke is not None and stroke.at_least(LEAST_STROKE_PER_CENT * 100)


def _quadrilaterals(grid: Grid, corners: GridPoints) -> list[Corners]:
    """Areas given by four grid points each, in 1/256 pixel; what reaches over the edge of the grid is cut off there."""
    x, y = grid.locate(corners.clipped(GRID_COLUMNS - 1, grid.rows - 1))
    points = list(zip(x.tolist(), y.tolist(), strict=True))
    return [tuple(points[i : i + 4]) for i in range(0, len(points), 4)]


def _write_in(
    page: Page, position: BubblePosition, corners: Corners, marked: set[tuple[str, str]], settings: SystemSettings
) -> WriteInReading:
    """Ink in a write-in area; it counts as an unmarked write-in when its bubble is not marked."""
    ink = area_ink(page.bits, corners)
    xs, ys = [x // SUBPIXEL for x, _ in corners], [y // SUBPIXEL for _, y in corners]
    inked = ink.at_least(settings.mark_thresholds.write_in_text_area)
    hole = inked and touches_missing_paper(page.bits, min(xs), min(ys), max(xs) - min(xs) + 1, max(ys) - min(ys) + 1, page.dpi)
    filled = inked and not hole and (position.contest_id, position.option_id) not in marked
    return WriteInReading(position.contest_id, position.option_id, corners, ink, filled, Doubt.MISSING_PAPER if hole else None)


def _contest_boxes(grid: Grid, layout: PageLayout) -> tuple[ContestBox, ...]:
    """The box of each contest and of its options, in layout order."""
    contests: dict[str, list[tuple[str, Box]]] = {}
    for position, corners in zip(layout.positions, _quadrilaterals(grid, layout.option_corners), strict=True):
        (left0, top0), (right0, top1), (right1, bottom0), (left1, bottom1) = corners
        x0, x1 = round_div(min(left0, left1), SUBPIXEL), round_div(max(right0, right1), SUBPIXEL)
        y0, y1 = round_div(min(top0, top1), SUBPIXEL), round_div(max(bottom0, bottom1), SUBPIXEL)
        box = Box(x0, y0, x1 - x0 + 1, y1 - y0 + 1)
        contests.setdefault(position.contest_id, []).append((position.option_id, box))
    return tuple(ContestBox(contest, _union([box for _, box in boxes]), tuple(boxes)) for contest, boxes in contests.items())


def _union(boxes: list[Box]) -> Box:
    left, top = min(b.x for b in boxes), min(b.y for b in boxes)
    right, bottom = max(b.x + b.width for b in boxes), max(b.y + b.height for b in boxes)
    return Box(left, top, right - left, bottom - top)
