"""The campaign of rendered sheets: its plan, its judgement, and a short run of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from edge.definition.form import shipped_forms
from edge.inference.identity import FinderIdentity
from edge.page.area import Area
from edge.tally.result import CellReading, FieldReading, TallyInterpretation
from hil.paper.forms.scan import DAMAGES
from hil.paper.forms.truth import SheetTruth
from hil.sheets.__main__ import main
from hil.sheets.judge import Judgement, WrongCell, WrongField, compare, compare_cells, judge
from hil.sheets.plan import CLEAN, KINDS, form_of, plan_sheet
from hil.sheets.report import cells, table, wrong_line

TRUTH = SheetTruth(
    form="lumen-harbour",
    extent="count",
    fields={"council.heron": 12, "council.lantern": None, "council.valid": 0, "council.cobble": 7},
    cells={},
    spoiled=frozenset({"council.cobble"}),
    dashed=frozenset({"council.valid"}),
    rules={},
    mistakes=(),
    placement=(0.0, 1.0, 0.0, 0.0, 0.0, 1.0),
    upside_down=False,
    dpi=200,
    digits="own",
    damages={},
)


def interpretation(**values: int | str | None) -> TallyInterpretation:
    """As if these fields of the council had been read; `unread` marks one that was not."""
    fields = {
        f"council.{name}": FieldReading(f"council.{name}", None, "cellUnread")
        if value == "unread"
        else FieldReading(f"council.{name}", value, None)
        for name, value in values.items()
    }
    finder = FinderIdentity("region.tflite", "", "")
    return TallyInterpretation("lumen-harbour", "", "count", None, (), None, fields, (), (), (), None, None, finder)


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        ({"heron": 12, "lantern": None, "valid": 0, "cobble": "unread"}, (3, 0, [])),
        ({"heron": 12, "lantern": None, "valid": None, "cobble": 7}, (3, 0, [])),
        ({"heron": "unread", "lantern": None, "valid": None}, (2, 1, [])),
        ({"heron": 12, "lantern": 0, "valid": 1, "cobble": 1}, (1, 0, ["council.lantern", "council.valid", "council.cobble"])),
        ({"heron": 12, "lantern": None, "valid": 0, "cobble": 7, "blank": 4}, (3, 0, ["council.blank"])),
    ],
    ids=["right", "dashed", "unread", "wrong", "not there"],
)
def test_readings_are_held_against_the_truth(read: dict[str, int | str | None], expected: tuple[int, int, list[str]]) -> None:
    right, unread, wrong = compare(interpretation(**read), TRUTH)
    assert (right, unread, [field.name for field in wrong]) == expected


def test_cells_are_held_against_the_truth() -> None:
    reading = interpretation(heron=12)
    told = [(0, "0"), (12, "?"), (10, " "), (10, "-"), (7, "1"), (11, "-")]
    read = tuple(
        CellReading("digit", None, label, 20 + place, 9000, place != 4, (), None, Area(0, 0, 1, 1))
        for place, (label, _) in enumerate(told)
    )
    field = replace(reading.fields["council.heron"], cells=read)
    truth = replace(TRUTH, cells={"council.heron": "".join(character for _, character in told), "council.valid": "-"})
    count, accepted, wrong = compare_cells(replace(reading, fields={"council.heron": field}), truth)
    assert (count, accepted) == (5, 4)
    assert wrong == (
        WrongCell("council.heron", 3, "-", 10, 23, accepted=True),
        WrongCell("council.heron", 4, "1", 7, 24, accepted=False),
    )


def test_a_wrong_field_counts_as_accepted_only_on_an_accepted_sheet() -> None:
    plan = plan_sheet(0, ("lumen-harbour",))
    wrong = (WrongField("papers", 7, 1),)
    counts = {"right": 12, "unread": 0, "spoiled": 0, "cells": 40, "accepted_cells": 39}
    cell = WrongCell("papers", 3, "1", 7, 90, accepted=True)
    accepted = Judgement(plan, "own", "accept", (), extent_found=True, wrong=wrong, wrong_cells=(cell,), seconds=0.1, **counts)
    held = replace(accepted, disposition="hold")
    assert accepted.wrong_and_accepted
    assert replace(accepted, wrong=(), extent_found=False).wrong_and_accepted
    assert not held.wrong_and_accepted
    assert not replace(accepted, wrong=()).wrong_and_accepted
    assert wrong_line(accepted).startswith("WRONG AND ACCEPTED: seed 0 lumen-harbour clean")
    told = cells([accepted, replace(accepted, wrong_cells=(replace(cell, accepted=False, margin=91),))])
    assert told.startswith("80 cells, 78 accepted (97.50%), of these 1 wrong; 2 with")
    assert told.endswith("91")
    row = table([accepted, held]).splitlines()[2]
    assert [part.strip() for part in row.split("|")[1:-1]] == ["all", "2", "1", "1", "0", "26", "24 (92.31%)", "0", "2", "1"]


def test_plans_take_turns() -> None:
    forms = shipped_forms()
    plans = [plan_sheet(seed, forms) for seed in range(600)]
    assert plans == [plan_sheet(seed, forms) for seed in range(600)]
    kinds = Counter((plan.form, plan.kind) for plan in plans)
    assert {kind for _, kind in kinds} == set(KINDS)
    assert all((form, kind) in kinds for form in forms for kind in KINDS)
    assert {plan.knobs.extent for plan in plans} >= {"sheet", *(form_of(form).extents[0].name for form in forms)}
    assert all(plan.knobs.damages == {} == dict.fromkeys(plan.knobs.mistakes) for plan in plans if plan.kind == CLEAN)
    assert {name for plan in plans for name in plan.knobs.damages} == set(DAMAGES)


def test_thirty_sheets_without_a_wrong_number() -> None:
    forms = shipped_forms()
    judgements = [judge(plan_sheet(seed, forms)) for seed in range(1000, 1090, 3)]
    assert not [wrong_line(judgement) for judgement in judgements if judgement.wrong_and_accepted]
    clean = [judgement for judgement in judgements if judgement.plan.kind == CLEAN]
    # A reader that accepts nothing makes no mistakes either.
    assert sum(judgement.right for judgement in clean) > sum(judgement.unread for judgement in clean)


def test_the_command_prints_the_table(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "judgements.jsonl"
    status = main(["--sheets", "2", "--seed", "0", "--jobs", "1", "--form", "lumen-harbour", "--json", str(file)])
    told = capsys.readouterr().out
    assert status == 0
    assert "| all | 2 |" in told
    assert len(file.read_text(encoding="utf-8").splitlines()) == 2
