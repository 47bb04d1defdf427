from __future__ import annotations

import numpy as np
import pytest

from edge.definition.election import load_election
from hil.paper.damage import DAMAGES, Stage, apply_damage
from hil.paper.election import make_election
from hil.paper.exposure import Consequence, Exposure
from hil.paper.sheet import PrintedBubble, PrintedSheet, render_sheet
from hil.paper.truth import MarkedSheet, Wish, expose, mark_sheet

GEOMETRIC = ["rotation", "skew", "stretch", "stretch_band", "scale", "black_border", "edge_clip", "upside_down", "fold"]


@pytest.fixture(scope="module")
def sheet() -> PrintedSheet:
    return render_sheet(load_election(make_election(3, density="dense")), "1_en")


@pytest.fixture(scope="module")
def filled(sheet: PrintedSheet) -> MarkedSheet:
    """Every bubble of the sheet filled, so that it can be found again by its ink."""
    wishes = [Wish(bubble.position.contest_id, bubble.position.option_id) for bubble in sheet.bubbles]
    return mark_sheet(sheet, wishes, 1)


def damaged(exposure: Exposure, name: str, strength: int, seed: int = 0) -> Exposure:
    return apply_damage(exposure, name, strength, np.random.default_rng(seed))


def darkness(exposure: Exposure, bubble: PrintedBubble) -> float:
    """Mean darkness of the middle of a bubble, looked up where the truth says it lies."""
    x, y = exposure.bubble_outline(bubble).mean(axis=0)
    pixels = exposure.side(bubble.side).pixels
    return 255 - float(pixels[round(y) - 4 : round(y) + 4, round(x) - 9 : round(x) + 9].mean())


@pytest.mark.parametrize("name", sorted(DAMAGES))
def test_no_strength_changes_nothing(sheet: PrintedSheet, name: str) -> None:
    exposure = expose(sheet)
    assert damaged(exposure, name, 0) is exposure


@pytest.mark.parametrize("name", sorted(DAMAGES))
def test_every_strength_gives_a_sane_image_and_leaves_the_paper_alone(sheet: PrintedSheet, name: str) -> None:
    exposure = expose(sheet)
    before = sheet.front.copy(), sheet.back.copy()
    for strength in (1, 25, 60, 100):
        result = damaged(exposure, name, strength, seed=strength)
        for side in (result.front, result.back):
            assert side.pixels.dtype == np.uint8
            assert side.pixels.ndim == 2
            width, height = side.size
            assert 0.85 * 1700 <= width <= 1.35 * 1700
            assert 0.85 * 2200 <= height <= 1.35 * 2200
        for effect in result.front.effects + result.back.effects:
            assert effect.outline.shape[1] == 2
            assert len(effect.outline) >= 3
    assert np.array_equal(before[0], sheet.front)
    assert np.array_equal(before[1], sheet.back)


@pytest.mark.parametrize("name", sorted(DAMAGES))
def test_strength_counts_and_the_seed_repeats(sheet: PrintedSheet, name: str) -> None:
    exposure = expose(sheet)
    first, again = damaged(exposure, name, 80, 5), damaged(exposure, name, 80, 5)
    assert np.array_equal(first.front.pixels, again.front.pixels)
    assert np.array_equal(first.back.pixels, again.back.pixels)
    changed = [not np.array_equal(one.pixels, blank) for one, blank in ((first.front, sheet.front), (first.back, sheet.back))]
    assert any(changed)


@pytest.mark.parametrize("name", GEOMETRIC)
def test_bubbles_are_still_where_the_truth_says(sheet: PrintedSheet, filled: MarkedSheet, name: str) -> None:
    blank, full = expose(sheet), filled.exposure()
    seen = 0
    for seed, strength in ((1, 10), (2, 40), (3, 100)):
        empty, marked = damaged(blank, name, strength, seed), damaged(full, name, strength, seed)
        for bubble in sheet.bubbles:
            if not marked.effects_at(bubble):
                seen += 1
                assert darkness(marked, bubble) > 150
                assert darkness(empty, bubble) < 60
    assert seen > 200


@pytest.mark.parametrize("name", ["hole", "torn_corner", "edge_clip", "fold"])
def test_a_bubble_that_was_removed_is_reported(sheet: PrintedSheet, filled: MarkedSheet, name: str) -> None:
    full = filled.exposure()
    hits = 0
    for seed in range(12):
        marked = damaged(full, name, 100, seed)
        hits += sum(any(e.consequence is Consequence.OBSCURED for e in marked.effects_at(bubble)) for bubble in sheet.bubbles)
    assert hits > 0


@pytest.mark.parametrize(
    "name", ["streak_full", "streak_broken", "streak_fuzzy", "streak_pale", "imprint", "coffee_stain", "hole"]
)
def test_nothing_is_darkened_outside_the_reported_places(sheet: PrintedSheet, name: str) -> None:
    blank = expose(sheet)
    for seed in range(6):
        result = damaged(blank, name, 70, seed)
        for bubble in sheet.bubbles:
            if not result.effects_at(bubble):
                assert darkness(result, bubble) < 60


def test_streaks_can_be_aimed(sheet: PrintedSheet) -> None:
    blank = expose(sheet)
    for seed in range(8):
        through_bubbles = damaged(blank, "streak_through_bubbles", 50, seed)
        assert any(through_bubbles.effects_at(bubble) for bubble in sheet.bubbles)
        through_marks = damaged(blank, "streak_through_marks", 50, seed)
        (effect,) = through_marks.front.effects + through_marks.back.effects
        left, right = float(effect.outline[:, 0].min()), float(effect.outline[:, 0].max())
        assert any(left < column + 19 and right > column - 19 for column in blank.front.mark_columns)


def test_a_hole_goes_through_both_sides(sheet: PrintedSheet) -> None:
    result = damaged(expose(sheet), "hole", 60, 3)
    front = [effect.outline.mean(axis=0) for effect in result.front.effects]
    back = [effect.outline.mean(axis=0) for effect in result.back.effects]
    for one, other in zip(front, back, strict=True):
        assert one[0] + other[0] == pytest.approx(1700, abs=1)
        assert one[1] == pytest.approx(other[1], abs=1)


def test_fading_toner_leaves_pen_marks_alone(sheet: PrintedSheet, filled: MarkedSheet) -> None:
    full = filled.exposure()
    faded = damaged(full, "uneven_toner", 100, 1)
    for bubble in sheet.bubbles:
        assert darkness(faded, bubble) > 0.9 * darkness(full, bubble)
    assert faded.front.pixels[:, -400:].astype(int).sum() > full.front.pixels[:, -400:].astype(int).sum() or (
        faded.front.pixels[:, :400].astype(int).sum() > full.front.pixels[:, :400].astype(int).sum()
    )


def test_the_catalogue_says_what_strength_means() -> None:
    assert all(damage.strength and damage.name == name for name, damage in DAMAGES.items())
    assert {damage.stage for damage in DAMAGES.values()} == set(Stage)


@pytest.mark.parametrize("strength", [-1, 101])
def test_strengths_out_of_range_are_refused(sheet: PrintedSheet, strength: int) -> None:
    with pytest.raises(ValueError, match=r"0\.\.100"):
        damaged(expose(sheet), "blur", strength)
