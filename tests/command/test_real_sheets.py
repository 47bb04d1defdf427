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


FAMOUS_HASH = "d44db90b8b1de80ce518"
"""What the real page was printed with; the definition beside it is a later revision."""
FAMOUS_NAMES = """\
Mayor (vote for 1)
    [X] Sherlock Holmes

Controller (vote for 1)
    [X] Winston Churchill

Attorney (vote for 1)
    [X] John Snow

Public Works Director (vote for 1)
    [X] Benjamin Franklin

Chief of Police (vote for 1)
    [X] Natalie Portman

Parks and Recreation Director (vote for 1)
    [X] Charles Darwin

Board of Alderman (vote for 4)
    [X] Helen Keller
    [X] Steve Jobs
    [X] Nikola Tesla
    [X] Vincent Van Gogh

City Council (vote for 4)
    [X] Marie Curie
    [X] Indiana Jones
    [X] Mona Lisa
    [X] Jackie Chan
"""


def test_a_real_summary_of_an_earlier_revision_is_read_with_its_hash(real_data: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = real_data / "ballots" / "summary-famous-names"
    pages = [str(folder / f"bmd-ballot-complete-p{page}.jpg") for page in (1, 2)]
    arguments = ["interpret", *pages, "--election", str(folder / "election.json")]
    assert main(arguments) == 3
    assert FAMOUS_HASH in capfd.readouterr().out
    assert main([*arguments, "--ballot-hash", FAMOUS_HASH]) == 0
    out = capfd.readouterr().out
    assert f"\nread with the given ballot hash {FAMOUS_HASH}\n\n{FAMOUS_NAMES}\n" in out
