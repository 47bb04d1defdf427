"""`scrutineer read`: a folder of tally sheets into a table, in several processes, and again after a stop."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import rfc8785

from edge import cli
from edge.commands import interpret_form, read
from edge.commands.error import CommandError
from edge.commands.read import Task, read_all
from edge.commands.read_log import SheetRow, error_row
from edge.definition.form import Form, load_form
from edge.inference.released import RELEASED
from edge.tally.decide import decide_tally
from edge.tally.record import record
from edge.tally.result import TallyInterpretation
from edge.tally.scan import TallyScan, read_tally_scan
from tests.command.test_form_commands import BLANK_TOTAL, CROP, GOOD, MISTAKE, OTHER_PAPER, UNREAD, image, made_up
from tests.tally.test_record import CODE, as_read
from tests.tally.test_rules import FORM
from tests.tally.test_suggestions import sheet

ROOT = Path(__file__).resolve().parents[2]
INTERRUPTED = 130
FIELDS = ["votes.a", "votes.b", "votes.valid", "votes.blank", "urn", "voters", "closed", "station"]
Read = Callable[..., int]


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The commands read with a made-up reader, which notes here the level of every sheet it sees."""
    noted: list[int] = []

    def noting(scan: TallyScan, form: Form, reader: object) -> TallyInterpretation:
        noted.append(int(scan.print[0, 0]))
        return made_up(scan, form, reader)

    monkeypatch.setattr(interpret_form, "interpret_tally", noting)
    monkeypatch.setattr(interpret_form, "tally_readers", lambda: None)
    return noted


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of images, and things that are none."""
    images = tmp_path / "scans"
    images.mkdir()
    (tmp_path / "three.toml").write_bytes(FORM + CODE)
    for name, level in {
        "b.png": BLANK_TOTAL,
        "a.png": GOOD,
        "c.PNG": CROP,
        "d.png": OTHER_PAPER,
        "e.png": UNREAD,
    }.items():
        image(images / name, level)
    (images / "f.jpg").write_bytes(b"no image at all")
    (images / "notes.txt").write_text("no image")
    (images / ".hidden.png").write_bytes(b"")
    (images / "sub.png").mkdir()
    (images / "gone.png").symlink_to(images / "nowhere.png")
    return images


@pytest.fixture
def run(folder: Path, seen: list[int]) -> Read:
    """Read the folder in this process; more arguments go along."""

    def command(*more: str, out: str = "out/results.csv", form: str = "three.toml") -> int:
        home = folder.parent
        arguments = ["read", str(folder), "--form", str(home / form), "--out", str(home / out), "--workers", "1"]
        return cli.main([*arguments, *more])

    return command


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def records(folder: Path) -> Path:
    return folder.parent / "out" / "results.records"


def test_the_table_has_a_row_an_image(folder: Path, run: Read, capfd: pytest.CaptureFixture[str]) -> None:
    assert run() == 1
    out, err = capfd.readouterr()
    assert out == "6 images: 2 accept, 2 hold, 1 return, 1 error\n"
    assert err.startswith("reading")
    path = folder.parent / "out" / "results.csv"
    assert path.read_text().splitlines()[0] == ",".join(["image", "disposition", "reasons", *FIELDS])
    assert [list(row.values()) for row in rows(path)] == [
        ["a.png", "accept", "", "30", "12", "42", "3", "45", "60", "16:05", "00417"],
        ["b.png", "hold", "totalBlank ruleBroken", "30", "12", "", "3", "45", "60", "16:05", "00417"],
        ["c.PNG", "accept", "", "30", "12", "42", "3", "n/a", "n/a", "n/a", "n/a"],
        ["d.png", "return", "formNotFound", *["?"] * 8],
        ["e.png", "hold", "fieldUnread", "?", "12", "42", "3", "45", "60", "16:05", "00417"],
        ["f.jpg", "error", "imageUnreadable", *["?"] * 8],
    ]


def test_all_read_is_success_whatever_became_of_the_sheets(folder: Path, run: Read) -> None:
    (folder / "f.jpg").unlink()
    assert run() == 0


def test_the_log_has_the_seeds_layout(folder: Path, run: Read) -> None:
    (folder / "f.jpg").unlink()
    log = folder.parent / "results_log.txt"
    assert run("--log", str(log)) == 0
    lines = [line.split(",") for line in log.read_text().splitlines()]
    assert lines[0] == ["image", "count_value", "user_id"]
    assert [line[:2] for line in lines[1:9]] == [
        ["a_votes.a", "30"],
        ["a_votes.b", "12"],
        ["a_votes.valid", "42"],
        ["a_votes.blank", "3"],
        ["a_urn", "45"],
        ["a_voters", "60"],
        ["a_closed", "16:05"],
        ["a_station", "00417"],
    ]
    values = {line[0]: line[1] for line in lines[1:]}
    assert (values["b_votes.valid"], values["e_votes.a"]) == ("", "?")
    assert [name for name in values if name.startswith("c_")] == [f"c_{name}" for name in FIELDS[:4]]
    assert {line[2].partition("-")[0] for line in lines[1:]} == {"scrutineer"}
    assert not run()
    assert log.read_text().startswith("image,count_value,user_id\n")


def test_every_sheet_has_its_record(folder: Path, run: Read) -> None:
    run()
    form = load_form(FORM + CODE)
    kept = {path.name: path.read_bytes() for path in records(folder).iterdir()}
    assert sorted(kept) == [f"{name}.json" for name in ("a.png", "b.png", "c.PNG", "d.png", "e.png", "f.jpg")]
    assert all(rfc8785.dumps(json.loads(raw)) == raw for raw in kept.values())
    interpretation = as_read(form, sheet())
    good = json.loads(kept["a.png.json"])
    assert good["record"] == record(interpretation, decide_tally(interpretation, form))
    assert (good["image"]["name"], good["readWith"]["form"], good["error"]) == ("a.png", form.sha256, None)
    bad = json.loads(kept["f.jpg.json"])
    assert (bad["record"], bad["error"]["code"]) == (None, "imageUnreadable")


def test_a_second_run_reads_nothing_again(folder: Path, run: Read, seen: list[int]) -> None:
    run()
    first = (folder.parent / "out" / "results.csv").read_bytes()
    seen.clear()
    assert run() == 1
    assert seen == []
    assert (folder.parent / "out" / "results.csv").read_bytes() == first


def test_what_changed_is_read_again(folder: Path, run: Read, seen: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    run()
    seen.clear()
    image(folder / "a.png", UNREAD)
    (records(folder) / "b.png.json").write_bytes(b'{"image":')
    (records(folder) / "c.PNG.json").write_bytes(b"[]")
    (records(folder) / "d.png.json").unlink()
    other = json.loads((records(folder) / "e.png.json").read_bytes())
    (records(folder) / "e.png.json").write_text(json.dumps(other | {"readWith": {}}))
    run()
    assert seen == [UNREAD, BLANK_TOTAL, CROP, OTHER_PAPER, UNREAD]
    assert rows(folder.parent / "out" / "results.csv")[0]["disposition"] == "hold"
    for name, value in (("digit", "1" * 64), ("digitCard", "2" * 64)):
        seen.clear()
        changed = {**RELEASED, name: replace(RELEASED[name], sha256=value)}
        monkeypatch.setattr(read, "RELEASED", changed)
        run()
        assert len(seen) == 5
    seen.clear()
    (folder.parent / "other.toml").write_bytes(FORM + CODE + b"# another edition\n")
    run(form="other.toml")
    assert len(seen) == 5
    seen.clear()
    monkeypatch.setattr(read, "INTERPRETER_VERSION", "next")
    run(form="other.toml")
    assert len(seen) == 5


def test_a_mistake_of_ours_costs_one_image_and_is_not_kept(
    folder: Path, run: Read, seen: list[int], capfd: pytest.CaptureFixture[str]
) -> None:
    image(folder / "a.png", MISTAKE)
    assert run() == 1
    first = rows(folder.parent / "out" / "results.csv")[0]
    assert (first["disposition"], first["reasons"], first["urn"]) == ("error", "readingFailed", "?")
    assert "scrutineer: readingFailed: 'a.png': KeyError" in capfd.readouterr().err
    assert not (records(folder) / "a.png.json").exists()
    seen.clear()
    run()
    assert seen == [MISTAKE]


def test_a_stopped_run_goes_on(folder: Path, run: Read, seen: list[int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    results = folder.parent / "out" / "results.csv"
    results.parent.mkdir()
    results.write_text("of an earlier run")

    def stopped(path: Path, form: Form) -> TallyScan:
        if path.name == "d.png":
            raise KeyboardInterrupt
        return read_tally_scan(path, form)

    with monkeypatch.context() as patch:
        patch.setattr(interpret_form, "read_tally_scan", stopped)
        assert run() == INTERRUPTED
    assert results.read_text() == "of an earlier run"
    assert sorted(path.name for path in records(folder).iterdir()) == ["a.png.json", "b.png.json", "c.PNG.json"]
    seen.clear()
    assert run() == 1
    assert seen == [OTHER_PAPER, UNREAD]
    assert len(rows(results)) == 6
    assert sorted(path.name for path in results.parent.iterdir()) == ["results.csv", "results.records"]


def test_a_name_that_is_no_text_is_told_by_its_bytes(folder: Path, run: Read) -> None:
    for path in folder.glob("?.*"):
        path.unlink()
    image(folder / os.fsdecode(b"m\xe9sa, 1.png"), GOOD)
    assert run() == 0
    (row,) = rows(folder.parent / "out" / "results.csv")
    assert (row["image"], row["votes.a"]) == (r"m\udce9sa, 1.png", "30")


def complaint(capfd: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.main(["read", *arguments]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    program, code, _ = err.split(": ", 2)
    assert program == "scrutineer"
    return code


def test_wrong_use_is_told(folder: Path, seen: list[int], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    form = ["--form", str(tmp_path / "three.toml")]
    out = ["--out", str(tmp_path / "r.csv")]
    assert complaint(capfd, str(tmp_path / "nowhere"), *form, *out) == "fileNotFound"
    assert complaint(capfd, str(tmp_path / "three.toml"), *form, *out) == "fileNotFound"
    (tmp_path / "empty").mkdir()
    assert complaint(capfd, str(tmp_path / "empty"), *form, *out) == "fileNotFound"
    assert complaint(capfd, str(folder), "--form", "none", *out) == "unknownForm"
    assert complaint(capfd, str(folder), *form, "--out", str(tmp_path)) == "fileUnwritable"
    assert complaint(capfd, str(folder), *form, "--out", str(tmp_path / "three.toml" / "r.csv")) == "fileUnwritable"
    assert complaint(capfd, str(folder), *form, *out, "--log", str(tmp_path)) == "fileUnwritable"
    assert complaint(capfd, str(folder), *form, *out, "--log", str(tmp_path / "no" / "log.txt")) == "fileUnwritable"
    assert complaint(capfd, str(folder), *form, *out, "--log", out[1]) == "badUse"
    for number in ("0", "-1", "many", "1000", "1.5"):
        with pytest.raises(SystemExit) as exit_of:
            cli.main(["read", str(folder), *form, *out, "--workers", number])
        assert exit_of.value.code == 2
    assert seen == []
    assert not (tmp_path / "r.csv").exists()


# What follows runs in processes of its own, where the made-up reader is not in place: they call these instead.


def row_of_process(name: str, task: Task) -> SheetRow:
    """Names the process."""
    time.sleep(0.05)
    return replace(error_row(name, "made-up", task.form), disposition=str(os.getpid()))


def row_or_death(name: str, task: Task) -> SheetRow:
    if name == "b.png":
        os._exit(7)
    return error_row(name, "made-up", task.form)


def row_or_no_space(name: str, task: Task) -> SheetRow:
    if name == "b.png":
        raise CommandError("fileUnwritable", "no space is left")
    return error_row(name, "made-up", task.form)


def slow_row(name: str, task: Task) -> SheetRow:
    (task.records / f"{name}.begun").touch()
    time.sleep(1)
    (task.records / f"{name}.done").touch()
    return error_row(name, "made-up", task.form)


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return Task(tmp_path, tmp_path, load_form(FORM + CODE), {})


def test_the_images_are_shared_among_processes(task: Task) -> None:
    names = [f"{number}.png" for number in range(12)]
    found = list(read_all(names, task, 2, row_of_process))
    assert sorted(row.image for row in found) == sorted(names)
    assert len({row.disposition for row in found} - {str(os.getpid())}) == 2
    alone = list(read_all(names[:2], task, 1, row_of_process))
    assert {row.disposition for row in alone} == {str(os.getpid())}


def test_the_image_that_kills_a_process_is_named(task: Task) -> None:
    found = {row.image: row.reasons for row in read_all(["a.png", "b.png", "c.png"], task, 2, row_or_death)}
    assert found == {"a.png": ("made-up",), "b.png": ("readingFailed",), "c.png": ("made-up",)}


def test_what_ends_the_command_comes_out_of_a_process(task: Task) -> None:
    with pytest.raises(CommandError, match="no space is left"):
        list(read_all(["a.png", "b.png", "c.png"], task, 2, row_or_no_space))


def test_ctrl_c_ends_the_processes_and_keeps_what_is_done(tmp_path: Path) -> None:
    (tmp_path / "three.toml").write_bytes(FORM + CODE)
    for number in range(20):
        image(tmp_path / f"{number:02}.png", GOOD)
    program = (
        "import functools, sys\n"
        "from edge import cli\n"
        "from edge.commands import read\n"
        "from tests.command.test_read import slow_row\n"
        "if __name__ == '__main__':\n"
        "    read.load_reader = lambda: None\n"
        "    read.read_all = functools.partial(read.read_all, read=slow_row)\n"
        "    sys.exit(cli.main(['read', '.', '--form', 'three.toml', '--out', 'r.csv', '--workers', '2']))\n"
    )
    (tmp_path / "program.py").write_text(program)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    # A session of its own is a process group, as a terminal's command is: Ctrl-C reaches all its processes.
    command = [sys.executable, "program.py"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, start_new_session=True, stderr=subprocess.PIPE) as process:
        kept = tmp_path / "r.records"
        deadline = time.monotonic() + 120
        while not list(kept.glob("*.done")) and time.monotonic() < deadline:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert process.returncode == INTERRUPTED
    assert b"Traceback" not in err
    begun, done = len(list(kept.glob("*.begun"))), len(list(kept.glob("*.done")))
    assert begun == done
    assert 0 < done < 20
    assert not (tmp_path / "r.csv").exists()


def test_an_image_that_goes_away_is_a_row(task: Task, seen: list[int]) -> None:
    assert read.read_one("gone.png", task).reasons == ("imageNotFound",)


def test_a_record_that_cannot_be_written_ends_the_command(folder: Path, run: Read, capfd: pytest.CaptureFixture[str]) -> None:
    (records(folder) / "a.png.json" / "in the way").mkdir(parents=True)
    assert run() == 2
    assert "scrutineer: fileUnwritable: " in capfd.readouterr().err
    assert not list(records(folder).glob(".*"))
    assert not (folder.parent / "out" / "results.csv").exists()


def test_real_sheets_read_in_processes_as_alone_and_nothing_wrong(
    real_data: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    sheets = real_data / "tally-sheets"
    if not sheets.is_dir():
        pytest.skip(f"no real tally sheets: {sheets} is missing")
    table = tmp_path / "results.csv"
    assert cli.main(["read", str(sheets), "--form", "bo-2019-a1", "--out", str(table), "--workers", "2"]) == 0
    expected = json.loads((sheets / "expected.json").read_bytes())
    found = {row["image"]: row for row in rows(table)}
    assert found.keys() == expected.keys()
    for name, row in found.items():
        capfdbinary.readouterr()
        status = cli.main(["interpret", str(sheets / name), "--form", "bo-2019-a1", "--json"])
        alone = json.loads(capfdbinary.readouterr().out)
        assert json.loads((tmp_path / "results.records" / f"{name}.json").read_bytes())["record"] == alone
        assert {0: "accept", 4: "hold"}[status] == row["disposition"]
        paper = {key: value for key, value in expected[name].items() if not isinstance(value, dict)}
        paper |= {
            f"{group}.{key}": value
            for group, values in expected[name].items()
            if isinstance(values, dict)
            for key, value in values.items()
        }
        assert {key: value for key, value in alone["fields"].items() if value != paper[key]} == {}
