"""The command on real scans."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from edge.cli import main

if TYPE_CHECKING:
    from pathlib import Path


def sheets(real_data: Path, name: str) -> tuple[Path, list[dict[str, object]]]:
    folder = real_data / "ballots" / name
    return folder, json.loads((folder / "expected.json").read_text())["sheets"]


@pytest.mark.real
def test_a_real_ballot_says_what_a_person_reads(real_data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder, (sheet, *_) = sheets(real_data, "nh-test-ballot")
    arguments = [
        "interpret",
        str(folder / str(sheet["front"])),
        str(folder / str(sheet["back"])),
        "--election",
        str(folder / "election.json"),
    ]
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["votes"] == sheet["votes"]
    assert main(arguments) == 0
    assert "Governor (vote for 1)\n    [X] Josiah Bartlett" in capfd.readouterr().out


@pytest.mark.real
def test_a_torn_corner_and_a_turned_sheet_are_drawn(real_data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name, front, back in (
        ("m17", "b2e14c74-c514-4c3a-bd92-22d29210648b-front.jpg", "b2e14c74-c514-4c3a-bd92-22d29210648b-back.jpg"),
        ("nh-hudson", "scan-marked-rotated-front.jpeg", "scan-marked-rotated-back.jpeg"),
    ):
        folder = real_data / "ballots" / name
        pictures = tmp_path / name
        paths = [str(folder / front), str(folder / back), "--election", str(folder / "election.json")]
        assert main(["interpret", *paths, "--debug-dir", str(pictures)]) == 4
        assert {path.name for path in pictures.iterdir()} >= {
            f"{step}-front.png" for step in ("1-paper", "2-bits", "3-grid", "4-marks")
        }
    assert "upside down" in capfd.readouterr().out
