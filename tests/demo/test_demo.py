"""The demo as `./dev demo` runs it: it ends as meant, says so, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "hil.demo", "--pace", "quick"]


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "NO_COLOR"}} | {"PYTHONPATH": str(ROOT)}


def processes_with(folder: Path) -> list[str]:
    """Command lines of processes that name the folder."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = line.read_bytes().decode(errors="replace").replace("\0", " ")
        except OSError:
            continue
        if f"{folder}/station.toml" in words:
            found.append(words)
    return found


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    # A long path: no socket may be in it.
    folder = tmp_path_factory.mktemp("demo") / ("a-long-path-" * 8)
    folder.mkdir()
    done = subprocess.run(COMMAND, cwd=folder, env=environment(), capture_output=True, text=True, check=False, timeout=60)
    return folder / "out" / "demo", done


def test_it_ends_as_meant(demo: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, done = demo
    assert (done.returncode, done.stderr) == (0, "")
    told = dict(re.findall(r"^  ([\w-]+) +((?:not )?in the box .*)$", done.stdout, re.MULTILINE))
    assert {name: words.startswith("in") for name, words in told.items()} == {
        "good": True,
        "overvoted": False,
        "other-election": False,
        "upside-down": True,
        "streaked": False,
        "jammed": True,
    }
    assert "held (Overvote), returned at the voter's wish" in done.stdout
    assert "accepted, after the jam was cleared" in done.stdout
    assert "Sheets in the emulated box: 3. Counted by the evidence: 3." in done.stdout
    assert "DIFFERS" not in done.stdout
    assert processes_with(folder) == []


def test_the_lamps_stand_beside_the_sentences_in_plain_text(demo: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    _, done = demo
    assert "\x1b" not in done.stdout
    assert done.stdout.isascii()
    assert max(map(len, done.stdout.splitlines())) < 100
    lines = re.findall(r"^ +\d+\.\d s  (.*?)  +(\S.*)$", done.stdout, re.MULTILINE)
    lamps = {sentence: words for words, sentence in reversed(lines)}
    assert lamps["The polls are closed; no sheet is taken."] == "[REJECT]"
    assert "BUZZER" in lamps["A sheet is held until a person decides. Press"]
    assert "REVIEW" in lamps["A sheet is held until a person decides. Press"]
    assert "FAULT" in lamps["Paper blocks the way. The scanner reports a jam."]
    assert any("ACCEPT" in words for words, _ in lines)


def test_everything_is_kept(demo: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, _ = demo
    assert {"ballots", "evidence", "station.toml", "stderr.log"} <= {path.name for path in folder.iterdir()}
    assert len(list((folder / "ballots").iterdir())) == 12


def test_evidence_of_another_station_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "evidence").mkdir()
    done = subprocess.run(
        [*COMMAND, "--out", str(tmp_path)], cwd=ROOT, env=environment(), capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert "--out" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["evidence"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_nothing_running(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "hil.demo", "--out", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while "The polls are closed" not in process.stdout.readline():
            assert process.poll() is None
        assert len(processes_with(tmp_path)) == 1
        process.send_signal(number)
        assert process.wait(20) == 128 + number
    assert processes_with(tmp_path) == []


def test_a_reader_who_leaves_ends_it(tmp_path: Path) -> None:
    command = [*COMMAND, "--out", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        while b"Sheet 1" not in process.stdout.readline():
            pass
        process.stdout.close()
        assert process.wait(30) == 141
        assert process.stderr.read() == b""
    assert processes_with(tmp_path) == []
