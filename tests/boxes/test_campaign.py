"""A short campaign of boxes with the released region model: nothing that is not there is believed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from edge.definition.form import shipped_forms
from hil.boxes.judge import judge, made
from hil.boxes.plan import plan_none, plan_photo, plan_scan
from hil.boxes.real import WAYS, measured, plan_real
from hil.boxes.report import bad_line

FORMS = shipped_forms()
SMALL = ((2800, 2100),)
"""Six megapixels: making a larger photograph takes seconds."""


def test_scans_without_a_wrong_box() -> None:
    judgements = [judge(plan_scan(seed, FORMS)) for seed in range(2000, 2060, 5)]
    assert not [bad_line(judgement) for judgement in judgements if judgement.wrong_and_believed]
    # A finder that finds nothing makes no mistakes either.
    assert sum(judgement.whole for judgement in judgements) >= 10


def test_photographs_without_a_wrong_box() -> None:
    judgements = [judge(plan_photo(seed, FORMS, SMALL)) for seed in range(2000, 2004)]
    assert not [bad_line(judgement) for judgement in judgements if judgement.wrong_and_believed]
    assert sum(judgement.whole for judgement in judgements) >= 2


def test_no_form_is_found_where_there_is_none() -> None:
    judgements = [judge(plan_none(seed, FORMS, SMALL)) for seed in range(2000, 2006)]
    assert not [bad_line(judgement) for judgement in judgements if judgement.false_alarm]


@pytest.mark.parametrize("name", sorted(measured()))
def test_every_box_of_a_real_sheet_is_found_in_colour_in_grey_and_upside_down(real_data: Path, name: str) -> None:
    plans = [plan for plan in plan_real(real_data) if Path(plan.file or "").name == name]
    assert [plan.trouble for plan in plans] == list(WAYS)
    for plan in plans:
        judgement = judge(plan)
        assert not judgement.lost, bad_line(judgement)
        assert not judgement.wrong, bad_line(judgement)
        assert judgement.boxes in {48, 55}
        # Eye and reader agree to a pixel.
        assert judgement.least > 0.9


def test_a_file_that_was_not_measured_is_refused(real_data: Path, tmp_path: Path) -> None:
    name = "crop-00680b4e.jpg"
    (tmp_path / "tally-sheets").mkdir()
    shutil.copy(real_data / "tally-sheets" / "acta-10205.jpg", tmp_path / "tally-sheets" / name)
    plans = plan_real(tmp_path)
    assert {Path(plan.file or "").name for plan in plans} == {name}
    with pytest.raises(ValueError, match="not the picture that was measured"):
        made(plans[0])
