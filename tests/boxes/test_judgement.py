"""The campaign of boxes: what counts as found, as wrong and as believed, and what is told of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from edge.inference.identity import FinderIdentity
from edge.tally.place import Placed, place_form
from edge.tally.result import Refusal
from edge.tally.sighting import Sighting
from hil.boxes import __main__ as command
from hil.boxes.draw import draw
from hil.boxes.judge import BoxJudgement, as_scan, judged
from hil.boxes.plan import BoxPlan, Picture, picture_of
from hil.boxes.report import alarms, bad_line, refusals, table
from hil.paper.forms.knobs import Knobs
from hil.sheets.plan import form_of

NAME = "lumen-harbour"
PLAN = BoxPlan(7, "scan", NAME, "none", Knobs(dpi=150), None, NAME)
NOT_FOUND = Refusal("formNotFound", "nothing there")


@pytest.fixture(scope="module")
def clean() -> tuple[Placed, Picture]:
    """A clean scan, placed without a region model."""
    picture = picture_of(PLAN)
    form = form_of(NAME)
    placed = place_form(as_scan(picture.image, form), form, Sighting((), (), FinderIdentity("region.tflite", "", "")))
    assert isinstance(placed, Placed)
    return placed, picture


@pytest.fixture
def right(clean: tuple[Placed, Picture]) -> BoxJudgement:
    return judged(PLAN, *clean, 1, 0.25)


def shifted(picture: Picture, name: str, down: float) -> Picture:
    """The same picture, but one box truly lies elsewhere."""
    return replace(picture, boxes={**picture.boxes, name: picture.boxes[name] + (0.0, down)})


def test_every_box_of_a_clean_scan_is_found(right: BoxJudgement) -> None:
    assert right.boxes == right.covered == 25
    assert right.least > 0.9
    assert (right.lost, right.wrong, right.missing, right.refusal, right.by, right.says) == ((), (), (), None, "scan", None)
    assert right.whole
    assert not right.bad


def test_a_box_that_is_elsewhere_is_lost_and_wrong(clean: tuple[Placed, Picture], right: BoxJudgement) -> None:
    placed, picture = clean
    name = next(iter(picture.boxes))
    height = float(picture.boxes[name][2, 1] - picture.boxes[name][1, 1])
    assert not judged(PLAN, placed, shifted(picture, name, 0.1 * height), 1, 0.0).bad
    judgement = judged(PLAN, placed, shifted(picture, name, 0.5 * height), 1, 0.0)
    assert (judgement.lost, judgement.wrong) == ((name,), (name,))
    assert judgement.covered == right.boxes - 1
    assert judgement.least == pytest.approx(1 / 3, abs=0.05)
    assert judgement.wrong_and_believed
    assert replace(judgement, says="agrees").wrong_and_believed
    # Whatever speaks against the place makes a person look.
    assert not replace(judgement, says="elsewhere").wrong_and_believed
    assert not replace(judgement, missing=("council.valid",)).wrong_and_believed


def test_a_box_beside_the_part_that_was_meant_is_neither_lost_nor_wrong(clean: tuple[Placed, Picture]) -> None:
    placed, picture = clean
    part = frozenset(name for name in picture.boxes if name.startswith("council"))
    judgement = judged(PLAN, placed, replace(picture, expected=part), 1, 0.0)
    assert judgement.boxes == judgement.covered == len(part)
    assert not judgement.wrong


def test_a_refused_picture_covers_nothing(clean: tuple[Placed, Picture]) -> None:
    judgement = judged(PLAN, NOT_FOUND, clean[1], 0, 0.0)
    assert (judgement.boxes, judgement.covered, judgement.least) == (25, 0, 0.0)
    assert (judgement.refusal, judgement.wrong, judgement.by) == ("formNotFound", (), None)
    assert judgement.bad
    assert not judgement.wrong_and_believed


def test_a_form_that_is_placed_where_there_is_none_is_a_false_alarm(clean: tuple[Placed, Picture]) -> None:
    plan, nothing = replace(PLAN, kind="none", shown=None), replace(clean[1], boxes={}, expected=frozenset())
    judgement = judged(plan, clean[0], nothing, 0, 0.0)
    assert judgement.false_alarm
    assert judgement.wrong_and_believed
    assert replace(judgement, says="otherForm").false_alarm
    refused = judged(plan, NOT_FOUND, nothing, 0, 0.0)
    assert not refused.false_alarm
    assert not refused.bad
    assert refused.least == 1.0


def cells_of(text: str, row: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"| {row} |"))
    return [cell.strip() for cell in line.split("|")[2:-1]]


def test_the_tables_count(right: BoxJudgement) -> None:
    names = ("council.heron", "council.lantern", "label:1")
    wrong = replace(right, lost=names, wrong=names, says="agrees", by="region")
    held = replace(wrong, wrong=names[:1], missing=names[1:], says="elsewhere")
    refused = replace(right, lost=("any",) * 25, refusal="formNotFound", detail="nothing there", by=None)
    none = replace(right, plan=replace(PLAN, kind="none", trouble="papers", shown=None), boxes=0, regions=0)
    chosen = [right, wrong, held, refused, none, replace(none, refusal="formNotFound", regions=1)]
    told = table(chosen)
    expected = ["4", "1", "1", "2", "100", "69.00%", "25.0%", "2", "4", "1", "1"]
    for row in ("all", "scan", "scan: none", NAME):
        assert cells_of(told, row) == expected
    assert cells_of(alarms(chosen), "without the form") == ["2", "1", "1", "1", "0"]
    assert cells_of(alarms(chosen), "papers") == ["2", "1", "1", "1", "0"]
    assert refusals(chosen) == "formNotFound 1"
    assert [bad_line(one).split(":")[0] for one in chosen[1:5]] == [
        "WRONG AND BELIEVED",
        "wrong",
        "refused, formNotFound",
        "FALSE ALARM",
    ]
    assert "seed 7 lumen-harbour scan, none (150 dpi colour sheet {})" in bad_line(wrong)
    assert bad_line(refused).endswith("0 of 25 boxes; region model sees 1; nothing there")
    assert bad_line(replace(right, says="notSeen")).startswith("region disagrees")
    assert bad_line(replace(right, lost=names[:1], missing=names[:1])).startswith("in part")


def test_the_command_prints_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "judgements.jsonl"
    options = ["--scans", "20", "--photos", "0", "--none", "0", "--trouble", "jpeg", "--form", NAME, "--jobs", "1"]
    status = command.main([*options, "--data", str(tmp_path), "--json", str(file), "--seed", "3"])
    told = capsys.readouterr()
    assert status == 0
    assert "| all | 1 |" in told.out
    assert "68 %" in told.out
    assert "no real sheets" in told.err
    (judgement,) = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert judgement["plan"]["trouble"] == "jpeg"


@pytest.mark.parametrize("trouble", ["wrong and believed", "false alarm", "disagrees", None])
def test_the_exit_status_tells(
    right: BoxJudgement, trouble: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    judgement = {
        "wrong and believed": replace(right, lost=("label:1",), wrong=("label:1",)),
        "false alarm": replace(right, plan=replace(PLAN, kind="none"), boxes=0, says="otherForm"),
        "disagrees": replace(right, says="notSeen"),
        None: right,
    }[trouble]
    monkeypatch.setattr(command, "_all_judged", lambda *_: [judgement])
    assert command.main(["--scans", "1", "--photos", "0", "--none", "0"]) == (trouble in {"wrong and believed", "false alarm"})
    told = capsys.readouterr().out
    assert (bad_line(judgement) in told) == (trouble is not None)


def test_a_picture_is_drawn(tmp_path: Path) -> None:
    draw(PLAN, tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["scan-lumen-harbour-7.png"]
