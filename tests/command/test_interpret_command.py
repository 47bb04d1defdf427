"""`scrutineer interpret` from the outside: what it prints, where, and how it exits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

import pytest
import rfc8785
from PIL import Image

from edge import cli
from edge.ballot.result import Interpretation
from edge.commands import interpret as command
from edge.decision import Disposition, decide
from edge.definition.election import Election
from edge.definition.settings import SystemSettings
from tests.command.conftest import Ballots

ROOT = Path(__file__).resolve().parents[2]
FILE_ERRORS = 2


def interpret(*arguments: str) -> int:
    return cli.main(["interpret", *arguments])


def record_of(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    """Exit status and record; stdout must be the canonical record and nothing else, stderr empty."""
    status = interpret(*arguments, "--json")
    out, err = capfd.readouterr()
    record = json.loads(out)
    assert out.encode() == rfc8785.dumps(record) + b"\n"
    assert err == ""
    return status, record


def complaint(capfd: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The code on stderr of a command that could not work."""
    assert interpret(*arguments) == FILE_ERRORS
    out, err = capfd.readouterr()
    assert out == ""
    program, code, detail = err.split(": ", 2)
    assert program == "scrutineer"
    assert detail.strip()
    assert err.count("\n") == 1
    return code


def test_a_good_sheet_is_accepted(ballots: Ballots, voted: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    status, record = record_of(capfd, *voted)
    assert status == 0
    assert record["disposition"] == {"kind": "accept", "castable": True, "reasons": []}
    assert record["votes"] == {contest: [option] for contest, option in ballots.first_options()}


def test_the_same_sheet_gives_the_same_bytes(voted: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert record_of(capfd, *voted) == record_of(capfd, *voted)


def test_a_turned_sheet_says_the_same(ballots: Ballots, voted: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    turned = ballots.scan("turned", ballots.first_options(), turned=True)
    status, record = record_of(capfd, *turned)
    assert status == 0
    assert record["votes"] == record_of(capfd, *voted)[1]["votes"]
    assert [page["upsideDown"] for page in record["pages"]] == [True, True]


def test_an_unreadable_sheet_is_returned(twice_the_front: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    status, record = record_of(capfd, *twice_the_front)
    assert status == 3
    assert [reason["code"] for reason in record["disposition"]["reasons"]] == ["mismatchedBallotMetadata"]
    assert (record["pages"], record["votes"]) == ([], {})


def test_a_blank_sheet_is_held(blank: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    status, record = record_of(capfd, *blank)
    assert status == 4
    assert [reason["code"] for reason in record["disposition"]["reasons"]] == ["BlankBallot"]


def test_settings_are_obeyed(blank: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    settings = tmp_path / "settings.json"
    settings.write_text('{"precinctScanAdjudicationReasons": []}')
    assert record_of(capfd, *blank, "--settings", str(settings))[0] == 0
    settings.write_text('{"testMode": true}')
    status, record = record_of(capfd, *blank, "--settings", str(settings))
    assert status == 3
    assert record["disposition"]["reasons"][0]["code"] == "invalidTestMode"


def test_a_given_hash_stands_in_for_the_files(
    ballots: Ballots, voted: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    revised = tmp_path / "revised.json"
    revised.write_bytes((ballots.folder / "election.json").read_bytes() + b"\n")
    arguments = [*voted[:2], "--election", str(revised)]
    printed = ballots.election.ballot_hash.hex()
    status, record = record_of(capfd, *arguments)
    assert (status, record["disposition"]["reasons"][0]["code"]) == (3, "invalidBallotHash")
    assert record_of(capfd, *arguments, "--ballot-hash", printed) == record_of(capfd, *voted)
    assert record_of(capfd, *arguments, "--ballot-hash", printed.upper()) == record_of(capfd, *voted)
    assert record_of(capfd, *voted, "--ballot-hash", "0" * 20)[0] == 3
    assert interpret(*arguments, "--ballot-hash", printed) == 0
    assert f"\nread with the given ballot hash {printed}\n" in capfd.readouterr().out
    assert interpret(*voted) == 0
    assert "given" not in capfd.readouterr().out


@pytest.mark.parametrize("given", ["", "12", "0" * 19, "0" * 21, "g" * 20, " " + "0" * 19, "0" * 20 + "\n", "٠" * 20])
def test_a_bad_hash_is_wrong_use(voted: list[str], given: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert complaint(capfd, *voted, "--ballot-hash", given) == "badUse"


def test_thresholds_of_the_election_stand_in_for_settings(
    ballots: Ballots, voted: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    document = json.loads((ballots.folder / "election.json").read_bytes())
    document["markThresholds"] = {"definite": 0.9, "marginal": 0.05}
    strict, settings = tmp_path / "strict.json", tmp_path / "settings.json"
    strict.write_text(json.dumps(document))
    settings.write_text("{}")
    seen = []

    def noted(interpretation: Interpretation, election: Election, in_force: SystemSettings) -> Disposition:
        seen.append(in_force.mark_thresholds.definite)
        return decide(interpretation, election, in_force)

    monkeypatch.setattr(command, "decide", noted)
    interpret(*voted[:2], "--election", str(strict))
    interpret(*voted[:2], "--election", str(strict), "--settings", str(settings))
    interpret(*voted)
    capfd.readouterr()
    assert seen == [9000, 700, 700]


def test_bad_files_are_named(voted: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    front, back, _, election = voted
    missing, empty = str(tmp_path / "missing"), tmp_path / "empty"
    empty.write_bytes(b"")
    assert complaint(capfd, missing, back, "--election", election) == "imageNotFound"
    assert complaint(capfd, front, str(empty), "--election", election) == "imageUnreadable"
    assert complaint(capfd, front, str(tmp_path), "--election", election) == "imageUnreadable"
    assert complaint(capfd, front, election, "--election", election) == "imageUnreadable"
    assert complaint(capfd, front, back, "--election", missing) == "fileNotFound"
    assert complaint(capfd, front, back, "--election", str(tmp_path)) == "fileUnreadable"
    assert complaint(capfd, front, back, "--election", "/dev/zero") == "fileUnreadable"
    assert complaint(capfd, front, back, "--election", "no\0file") == "fileUnreadable"
    assert complaint(capfd, front, back, "--election", str(empty)) == "invalidElection"
    assert complaint(capfd, front, back, "--election", front) == "invalidElection"
    assert complaint(capfd, *voted, "--settings", missing) == "fileNotFound"
    assert complaint(capfd, *voted, "--settings", election) == "invalidSettings"
    assert complaint(capfd, *voted, "--debug-dir", str(empty)) == "debugDirUnusable"


def test_a_small_image_and_a_deep_one(voted: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    small, deep = tmp_path / "small.png", tmp_path / "deep.png"
    Image.new("L", (100, 100)).save(small)
    Image.new("I;16", (300, 300)).save(deep)
    assert complaint(capfd, str(small), *voted[1:]) == "imageTooSmall"
    assert complaint(capfd, str(deep), *voted[1:]) == "imageDepth"


def test_any_picture_is_a_returned_sheet(ballots: Ballots, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for tone in (0, 128, 255):
        path = tmp_path / f"{tone}.png"
        Image.new("L", (300, 400), tone).save(path)
        assert record_of(capfd, str(path), str(path), "--election", ballots.election_file)[0] == 3


@pytest.mark.parametrize(
    "words", [[], ["interpret"], ["interpret", "a", "b"], ["count"], ["interpret", "a", "b", "--election", "c", "--jsn"]]
)
def test_wrong_use(words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(words)
    out, err = capfd.readouterr()
    assert (stopped.value.code, out) == (2, "")
    assert "\nscrutineer: badUse: " in err


def test_help_and_version(capfd: pytest.CaptureFixture[str]) -> None:
    for words, told in ((["--help"], "interpret"), (["interpret", "--help"], "--election FILE"), (["--version"], "scrutineer ")):
        with pytest.raises(SystemExit) as stopped:
            cli.main(words)
        out, err = capfd.readouterr()
        assert (stopped.value.code, err) == (0, "")
        assert told in out


def python(
    *arguments: str, stdout: int | IO[bytes] = subprocess.PIPE, encoding: str = "utf-8"
) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    command_line = [sys.executable, *arguments]
    return subprocess.run(
        command_line, cwd=ROOT, check=False, timeout=120, stdout=stdout, stderr=subprocess.PIPE, env=environment
    )


def test_help_loads_neither_opencv_nor_numpy() -> None:
    program = (
        "import sys, edge.cli\n"
        "try: edge.cli.main(['--help'])\n"
        "except SystemExit: print(sorted({'cv2', 'numpy', 'PIL', 'pydantic'} & set(sys.modules)))\n"
    )
    assert python("-c", program).stdout.splitlines()[-1] == b"[]"


def test_the_module_runs_as_a_program(voted: list[str]) -> None:
    done = python("-m", "edge.cli", "interpret", *voted, "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["kind"] == "handMarked"


@pytest.mark.parametrize("words", [["--help"], ["interpret"], ["interpret", "--json"]])
def test_a_closed_pipe_is_no_traceback(voted: list[str], words: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    arguments = words + (voted if "interpret" in words else [])
    with os.fdopen(writer, "wb") as closed:
        done = python("-m", "edge.cli", *arguments, stdout=closed)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_terminal_without_unicode_still_gets_its_table(ballots: Ballots, voted: list[str], tmp_path: Path) -> None:
    document = json.loads((ballots.folder / "election.json").read_bytes())
    document["title"] = "Elección \x1b[2J"
    election = tmp_path / "election.json"
    election.write_text(json.dumps(document))
    done = python(
        "-m",
        "edge.cli",
        "interpret",
        *voted[:2],
        "--election",
        str(election),
        encoding="ascii",
    )
    assert done.returncode == 3  # another file is another election
    assert done.stdout.startswith(b"Elecci\\xf3n [2J")


def test_an_interrupt_is_no_traceback(
    voted: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "interpret", interrupted)
    assert interpret(*voted) == 130
    assert capfd.readouterr() == ("", "")


def test_the_table_is_plain_when_it_is_not_for_a_terminal(voted: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert interpret(*voted) == 0
    out, _ = capfd.readouterr()
    assert "\x1b" not in out
    assert "ACCEPT" in out
