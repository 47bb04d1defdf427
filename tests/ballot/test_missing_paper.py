"""Holes: black that is no ink is never a vote, and ink is never taken for a hole."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge.ballot.missing_paper import touches_missing_paper
from edge.ballot.result import Doubt, Verdict
from edge.decision import decide
from edge.definition.settings import SystemSettings
from hil.paper.exposure import BACKGROUND
from hil.paper.pen import MarkKind
from hil.paper.scan import scan
from hil.paper.stroke import FELT_TIP
from hil.paper.truth import Wish, mark_sheet
from tests.ballot.sheets import as_votes, blank_sheet, bubble_of, choice, disc, read

MM = 1 / 25.4
SILENT = SystemSettings(precinct_scan_adjudication_reasons=())
OFFSETS = [(0.0, 0.0), (0.05, 0.0), (0.0, 0.05), (0.1, 0.03), (-0.08, 0.08), (0.15, 0.0)]
"""Inches from the middle of the bubble to the middle of the hole."""


@pytest.mark.parametrize("dpi", [200, 300])
@pytest.mark.parametrize("diameter", [6, 8, 12])
def test_a_punched_hole_is_never_a_vote(diameter: int, dpi: int) -> None:
    printed = blank_sheet(dpi=dpi)
    bubble = printed.bubbles_on("front")[4]
    for dx, dy in OFFSETS:
        front = disc(printed.front, bubble.x + dx * dpi, bubble.y + dy * dpi, diameter * MM / 2 * dpi, BACKGROUND)
        reading = read(front, printed.back, printed.election)
        seen = bubble_of(reading, choice(bubble))
        assert (seen.verdict, seen.doubt) == (Verdict.UNREADABLE, Doubt.MISSING_PAPER), (dx, dy)
        assert (reading.votes, reading.marginal) == ({}, {})
        disposition = decide(reading, printed.election, SILENT)
        assert (disposition.kind, {reason.code for reason in disposition.reasons}) == ("hold", {"missingPaper"})


def test_a_hole_over_a_vote_does_not_leave_the_vote() -> None:
    printed = blank_sheet()
    bubble = printed.bubbles_on("front")[4]
    marked = mark_sheet(printed, [Wish(*choice(bubble))])
    front = disc(marked.front, bubble.x, bubble.y, 3 * MM * 200, BACKGROUND)
    reading = read(front, marked.back, printed.election)
    assert bubble_of(reading, choice(bubble)).verdict is Verdict.UNREADABLE
    assert reading.votes == {}


@pytest.mark.parametrize("dpi", [200, 300])
def test_a_filled_oval_is_no_hole(dpi: int) -> None:
    printed = blank_sheet(dpi=dpi)
    every = [choice(bubble) for bubble in printed.bubbles]
    marked = mark_sheet(printed, [Wish(*wanted, MarkKind.FILL, FELT_TIP) for wanted in every])
    reading = read(marked.front, marked.back, printed.election)
    assert (reading.votes, reading.doubts) == (as_votes(every), ())


def test_an_oval_blackened_over_its_edges_is_no_hole() -> None:
    printed = blank_sheet()
    bubble = printed.bubbles_on("front")[4]
    front = printed.front.copy()
    cv2.ellipse(front, (round(bubble.x), round(bubble.y)), (24, 16), 0, 0, 360, (20,), -1)
    seen = bubble_of(read(front, printed.back, printed.election), choice(bubble))
    assert (seen.verdict, seen.doubt) == (Verdict.MARKED, None)


def test_a_hole_in_a_write_in_area_is_no_name() -> None:
    printed = blank_sheet()
    bubble = next(bubble for bubble in printed.bubbles if bubble.write_in_area is not None)
    area = bubble.write_in_area
    assert area is not None
    sides = {side: printed.side(side) for side in ("front", "back")}
    middle = ((area.left + area.right) / 2, (area.top + area.bottom) / 2)
    sides[bubble.side] = disc(sides[bubble.side], *middle, 4 * MM * 200, BACKGROUND)
    reading = read(sides["front"], sides["back"], printed.election)
    assert reading.unmarked_write_ins == {}
    assert (Doubt.MISSING_PAPER, *choice(bubble)) in reading.doubts


@pytest.mark.parametrize("strength", [30, 70, 100])
def test_holes_and_tears_anywhere_never_vote(strength: int) -> None:
    printed = blank_sheet()
    for damage in ("hole", "torn_corner"):
        for seed in range(4):
            pair = scan(printed, {damage: strength}, seed=seed)
            assert read(pair.top.pixels, pair.bottom.pixels, printed.election).votes == {}, (damage, seed)


def test_a_hole_is_seen_from_where_it_touches_and_no_further() -> None:
    bits = disc(np.zeros((300, 300), np.uint8), 150, 150, 30, 1)
    assert touches_missing_paper(bits, 140, 140, 20, 20, 200)
    assert touches_missing_paper(bits, 181, 145, 40, 10, 200)
    assert not touches_missing_paper(bits, 200, 145, 40, 10, 200)
    assert not touches_missing_paper(bits, 0, 0, 40, 26, 200)


@pytest.mark.parametrize("thickness", [10, 25, 40])
def test_a_thick_rule_is_no_hole(thickness: int) -> None:
    bits = np.zeros((300, 300), np.uint8)
    bits[150 : 150 + thickness] = 1
    assert not touches_missing_paper(bits, 100, 140, 40, 26, 200)
