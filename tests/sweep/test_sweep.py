"""The short form of `./dev sweep`: every damage at a few strengths, and never a wrong vote."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from hil.paper.damage import DAMAGES
from hil.sweep.__main__ import cases
from hil.sweep.case import Case, Outcome, run
from hil.sweep.report import Tally, half_point

STRENGTHS = [0, 40, 100]


@pytest.mark.parametrize("name", sorted(DAMAGES))
def test_no_vote_is_read_wrong(name: str) -> None:
    for case in cases([name], STRENGTHS, sheets=2, first=1000):
        judgement = run(case)
        assert judgement.outcome is not Outcome.WRONG, (case, judgement)


def test_an_undamaged_sheet_of_a_careful_voter_is_read_exactly() -> None:
    for seed in range(4):
        assert run(Case(seed, electorate="careful")).outcome is Outcome.EXACT


# Cases that were once read wrong; each taught the interpreter something.
@pytest.mark.parametrize(
    "case",
    [
        Case(5, electorate="ordinary", damages={"coffee_stain": 100}),
        Case(6, electorate="careful", damages={"fold": 80}),
        Case(0, damages={"fold": 60}),
        Case(0, encoding="timing-marks", damages={"noise": 60}),
        Case(0, electorate="difficult", damages={"low_contrast": 100}),
        Case(0, encoding="timing-marks", electorate="difficult", damages={"torn_corner": 100}),
        Case(5004, encoding="timing-marks", text="long", electorate="difficult", damages={"fold": 10}),
    ],
    ids=lambda case: "-".join(f"{name}-{strength}" for name, strength in case.damages.items()),
)
def test_what_was_once_read_wrong(case: Case) -> None:
    assert run(case).outcome is not Outcome.WRONG


def test_the_half_point_lies_between_the_measured_strengths() -> None:
    tally: Tally = defaultdict(Counter)
    for strength, exact in ((10, 10), (20, 8), (30, 2)):
        tally["noise", strength].update({Outcome.EXACT: exact, Outcome.REFUSED: 10 - exact})
    assert half_point(tally, "noise", [0, 10, 20, 30]) == pytest.approx(25)
    assert half_point(tally, "noise", [0, 10]) is None
