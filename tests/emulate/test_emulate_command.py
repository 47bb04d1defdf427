"""`scrutineer emulate` as a person or a script meets it: in a process of its own."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edge.station.config import load_station_config
from hil.emulate.ballots import BALLOTS
from hil.emulate.folder import open_folder
from hil.rig.evidence import looked_at
from tests.emulate.conftest import ROOT, Emulate

ONE_BALLOT = """\
wait until station closed within 20
polls open
wait until station waiting within 20   # `ready` also flashes while it starts
insert good
wait until box 1 within 20
wait until station waiting within 20
"""
COMMAND = [sys.executable, "-m", "edge.cli"]


def counted(folder: Path) -> int:
    with looked_at(load_station_config(folder / "station.toml")) as store:
        return store.read().count


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_made_folder_is_ready(made: Path) -> None:
    folder = open_folder(made)
    assert {sheet.name for sheet in folder.sheets} == {ballot.name for ballot in BALLOTS}
    assert folder.config.scanner.usb_backend == "usbip"
    assert folder.config.status.socket == made / "status.sock"
    assert folder.config.evidence.folder == made / "evidence"
    assert len((made / "station.toml").read_text().splitlines()) < 50


def test_a_folder_that_is_there_is_not_made_again(made: Path, emulate: Emulate) -> None:
    before = (made / "station.toml").read_bytes()
    done = emulate("--make", made)
    assert done.returncode == 2
    assert done.stderr.startswith("scrutineer: badUse: ")
    assert (made / "station.toml").read_bytes() == before


def test_a_script_drives_the_real_station_over_usbip(desk: Path, emulate: Emulate) -> None:
    config = desk / "station.toml"
    config.write_text(config.read_text().replace(":3240", f":{free_port()}"))
    script = desk / "script"
    script.write_text(
        f"{ONE_BALLOT}insert overvoted\nwait until station holding for personDecides within 20\nshow\npress cast\n"
        "wait until box 2 within 20\nwait until station waiting within 20\ninsert good\nwait until good-2 in box within 20\n"
        "wait until station waiting within 20\npolls close\nwait until reject lit within 9\n"
    )
    with (desk / "records").open("wb") as records:
        station = subprocess.Popen([*COMMAND, "run", "--config", config], cwd=ROOT, stderr=records)
    try:
        done = emulate("--folder", desk, "--panel", "--speed", "quick", "--script", script)
        station.send_signal(signal.SIGTERM)
        assert station.wait(30) == 0
    finally:
        station.kill()
        station.wait()
    assert (done.returncode, done.stderr) == (0, "")
    assert "the scanner is at 127.0.0.1:" in done.stdout
    assert "a station has it" in done.stdout
    assert "station: holding, 1 counted." in done.stdout
    assert "good is in the box; this one is called good-2" in done.stdout
    assert counted(desk) == 3


def test_the_station_in_the_same_process(desk: Path, emulate: Emulate) -> None:
    done = emulate("--folder", desk, "--panel", "--in-process", "--speed", "quick", lines=f"{ONE_BALLOT}show\nquit\nnonsense\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert "station: waiting, 1 counted." in done.stdout
    assert counted(desk) == 1
    records = [json.loads(line) for line in (desk / "station.log").read_text().splitlines()]
    assert records[-1]["event"] == "stop"


def test_a_station_in_the_same_process_that_cannot_begin_says_so(desk: Path, emulate: Emulate) -> None:
    (desk / "election.json").write_text("{}")
    done = emulate("--folder", desk, "--panel", "--in-process", "--stay")
    assert done.returncode == 2
    assert done.stderr.startswith("scrutineer: invalidElection: ")


@pytest.mark.parametrize(
    ("script", "line", "told"),
    [
        ("show\n\nopen window\n", 3, "'open cover'"),
        ("# a comment\npress cast\n", 2, "start with --panel"),
        ("wait until station waiting within 3\n", 1, "start with --folder"),
        ("polls ajar\n", 1, "open, close"),
        ("pres cast\n", 1, "perhaps 'press'"),
    ],
)
def test_a_bad_line_is_named_before_anything_happens(tmp_path: Path, emulate: Emulate, script: str, line: int, told: str) -> None:
    (tmp_path / "script").write_text(script)
    done = emulate("--script", tmp_path / "script", "--listen", "127.0.0.1:0")
    assert done.returncode == 2
    assert f"line {line}: " in done.stderr
    assert told in done.stderr
    assert done.stdout == ""


def test_a_line_that_cannot_be_done_is_named(emulate: Emulate) -> None:
    done = emulate("--listen", "127.0.0.1:0", "--stay", lines="show\nclear path\nshow\n")
    assert (done.returncode, done.stderr) == (2, "scrutineer: scriptFailed: stdin, line 2: the cover is closed\n")
    assert done.stdout.count("sensors:") == 1


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--folder", "missing"), "configNotFound"),
        (("--script", "missing"), "fileNotFound"),
        (("--script", "/"), "fileUnreadable"),
        (("--panel",), "badUse"),
        (("--make", "x", "--stay"), "badUse"),
        (("--listen", "192.0.2.1:1"), "badUse"),
        (("--knob", "chunk_bytes=0"), "badUse"),
        (("--knob", "nothing=1"), "badUse"),
        (("--make", "x" * 110), "badUse"),
    ],
)
def test_wrong_use(emulate: Emulate, words: tuple[str, ...], code: str) -> None:
    done = emulate(*words)
    assert done.returncode == 2
    assert done.stderr.startswith(f"scrutineer: {code}: ")


def test_an_address_that_is_taken(emulate: Emulate) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = emulate("--listen", f"127.0.0.1:{taken.getsockname()[1]}")
    assert done.returncode == 2
    assert done.stderr.startswith("scrutineer: addressUnavailable: ")


def test_the_end_of_stdin_ends_it(emulate: Emulate) -> None:
    done = emulate("--listen", "127.0.0.1:0", lines="wait 0.1")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stays_until_a_signal(number: signal.Signals) -> None:
    command = [*COMMAND, "emulate", "--listen", "127.0.0.1:0", "--stay"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"the scanner is at 127.0.0.1:")
        time.sleep(0.3)
        assert process.poll() is None
        process.send_signal(number)
        assert process.wait(20) == 0


def test_a_person_may_be_wrong(emulate: Emulate) -> None:
    """At a terminal there is a prompt, a wrong line is only told, and the end of the input ends it."""
    try:
        ours, theirs = pty.openpty()
    except OSError as error:
        pytest.skip(f"this machine has no terminals to give: {error}")
    command = [*COMMAND, "emulate", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        os.write(ours, b"opn cover\nopen cover\nshow\n\x04")
        said = b""
        while select.select([ours], [], [], 20)[0]:
            try:
                said += os.read(ours, 4096)
            except OSError:
                break
        os.close(ours)
        assert process.wait(20) == 0
    assert b"> " in said
    assert b"perhaps 'open cover'" in said
    assert b"cover open" in said


def test_the_command_line_is_light_and_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The product wheel has no `hil`."""
    blocked = "import sys; sys.modules['hil'] = None; from edge.cli import main; sys.exit(main(['emulate']))"
    done = subprocess.run([sys.executable, "-c", blocked], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("scrutineer: emulatorMissing: ")
    light = (
        "import sys; from edge.cli import main\ntry: main(['emulate', '--help'])\n"
        "except SystemExit: sys.exit(bool({'numpy', 'hil'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", light], cwd=ROOT, capture_output=True, check=False).returncode == 0


def test_the_folder_s_configuration_is_the_documented_one(made: Path) -> None:
    config = load_station_config(made / "station.toml")
    assert config.scanner.usbip_address == ("127.0.0.1", 3240)
    assert config.station.polls == "switch"
