"""The demo runs the real command on three sheets and says whether each ended as meant."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from edge import cli
from hil.demo import __main__ as demo
from hil.demo.sheets import demo_sheets

ROOT = Path(__file__).resolve().parents[2]


def test_three_sheets_end_as_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    assert demo.main([]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    endings = [line.split(":")[0] for line in out.splitlines() if line.startswith(("HOLD:", "ACCEPT:", "RETURN:"))]
    assert endings == ["HOLD", "ACCEPT", "RETURN"]
    for code in ("(Overvote)", "(UnmarkedWriteIn)", "(invalidBallotHash)"):
        assert code in out
    folder = tmp_path / "out" / "demo"
    assert {path.name for path in folder.iterdir()} == {"election.json", "doubtful", "clean", "foreign"}
    pictures = {path.name for path in (folder / "doubtful" / "pictures").iterdir()}
    assert {
        f"{step}-{side}.png" for step in ("1-paper", "2-bits", "3-grid", "4-marks", "5-code") for side in ("front", "back")
    } == pictures

    # The lines that it shows can be typed again.
    shown = [shlex.split(line) for line in out.splitlines() if " interpret " in line]
    assert [cli.main(words[words.index("interpret") :]) for words in shown] == [4, 0, 3]
    repeated, _ = capfd.readouterr()
    assert repeated.split("=" * 80)[0] in out


def test_every_mark_of_the_first_sheet_is_read(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    first = demo_sheets()[0]
    demo.main(["--out", str(tmp_path)])
    capfd.readouterr()
    scans = [str(tmp_path / first.name / name) for name in ("front.png", "back.png")]
    cli.main(["interpret", *scans, "--election", str(tmp_path / "election.json"), "--json"])
    record = json.loads(capfd.readouterr().out)
    assert record["votes"] == {contest: list(options) for contest, options in first.marked.votes.items() if options}
    named = {(contest, option) for contest, options in record["unmarkedWriteIns"].items() for option in options}
    assert named == first.marked.unmarked_write_ins


def test_another_ending_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    clean = demo_sheets()[1]
    monkeypatch.setattr(demo, "demo_sheets", lambda: (replace(clean, ends="hold"),))
    assert demo.main(["--out", str(tmp_path)]) == 1
    assert "clean: exit status 0, where hold (4) is meant" in capfd.readouterr().err


def test_a_folder_that_cannot_be_used_is_wrong_use(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(SystemExit) as stopped:
        demo.main(["--out", str(file)])
    assert stopped.value.code == 2
    assert "--out" in capfd.readouterr().err


def test_it_runs_as_dev_runs_it(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "hil.demo"], cwd=tmp_path, env=environment, check=False, capture_output=True, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "out" / "demo" / "election.json").is_file()
