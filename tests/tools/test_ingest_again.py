"""`ingest` that is interrupted or killed at any instant goes on when it is started again."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.commands import ingest as command
from models.ingest.manifest import Manifest
from models.ingest.transfer import PartFile
from tests.tools.conftest import QUICK, Ingest, manifest, picture
from tests.tools.loopback import File, Server, slow

ROOT = Path(__file__).resolve().parents[2]
INTERRUPTED = 130


@pytest.fixture
def places(server: Server, tmp_path: Path) -> list[str]:
    """Twelve images that take about half a second each, and `list`, the list of them."""
    found = [server.serve(f"/{number}.png", slow(File(picture(number)), 0.04)) for number in range(12)]
    (tmp_path / "list").write_text("\n".join(found))
    return found


def started(tmp_path: Path, out: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "models", "ingest", str(tmp_path / "list"), "--out", str(out), *QUICK, "--per-host", "4"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(autouse=True)
def listening() -> Iterator[None]:
    """Whoever started the tests in the background may have told them, and with them our processes, to ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_it_goes_on_where_it_was(tmp_path: Path, out: Path, server: Server, places: list[str], number: signal.Signals) -> None:
    for seed in range(12):
        process = started(tmp_path, out)
        asked = len(server.asked)
        deadline = time.monotonic() + 20
        while len(server.asked) == asked and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(random.Random(seed).uniform(0.05, 0.6))
        process.send_signal(number)
        told = process.communicate(timeout=20)
        status = process.returncode
        if told[0]:
            break  # it was done before the signal came
        assert status == (INTERRUPTED if number == signal.SIGINT else -signal.SIGKILL), told
        if number == signal.SIGINT:
            assert told[1].splitlines()[-1] == "scrutineer-models: interrupted; the same command goes on from here"
    else:
        process = started(tmp_path, out)
        assert process.communicate(timeout=60)
        assert process.returncode == 0
    assert {path.name: path.read_bytes() for path in (out / "images").iterdir()} == {
        f"{index}.png": picture(index) for index in range(12)
    }
    assert list(manifest(out)) == places
    assert any(one.headers.get("Range") for one in server.asked)
    assert not list((out / ".unfinished").iterdir())


def test_an_interrupt_between_the_name_and_the_manifest_costs_one_fetch(
    out: Path, server: Server, ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = server.serve("/a.png", File(picture()))
    with monkeypatch.context() as patched:
        patched.setattr(Manifest, "add", interrupted)
        assert ingest(address) == INTERRUPTED
    assert (out / "images" / "a.png").read_bytes() == picture()
    assert ingest(address) == 0
    assert [path.name for path in (out / "images").iterdir()] == ["a.png"]
    assert len(server.asked) == 2


def test_a_part_that_is_whole_is_not_asked_for_again(
    out: Path, server: Server, ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = server.serve("/a.png", File(picture()))
    with monkeypatch.context() as patched:
        patched.setattr(command._Fetching, "_place", interrupted)
        assert ingest(address) == INTERRUPTED
    assert ingest(address) == 0
    assert len(server.asked) == 1


def test_a_torn_manifest_loses_only_its_torn_lines(
    out: Path, server: Server, ingest: Ingest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    served = [server.serve(f"/{number}.png", File(picture(number))) for number in range(3)]
    (tmp_path / "list").write_text("\n".join(served))
    assert ingest(tmp_path / "list") == 0
    path = out / "manifest.jsonl"
    path.write_bytes(path.read_bytes()[:-30])
    server.asked.clear()
    assert ingest(tmp_path / "list") == 0
    assert "1 lines of the manifest are torn" in capsys.readouterr().err
    assert [one.path for one in server.asked] == ["/2.png"]
    assert list(manifest(out)) == served


@pytest.mark.parametrize(
    "about",
    [
        b"",
        b"{}",
        b"[]",
        b'{"address": "http://x/other", "version": "\\"one\\"", "total": 9}',
        b'{"address": "http://x/a", "version": "", "total": 9}',
        b'{"address": "http://x/a", "version": 1, "total": 9}',
        b'{"address": "http://x/a", "version": "\\"one\\"", "total": 3}',
        b'{"address": "http://x/a", "version": "\\"one\\"", "total": "9"}',
    ],
)
def test_a_part_of_doubtful_origin_is_not_gone_on_with(tmp_path: Path, about: bytes) -> None:
    part = PartFile(tmp_path, "http://x/a")
    part.begin('"one"', 9)
    part.path.write_bytes(b"1234")
    assert part.kept() == (4, '"one"', 9)
    next(path for path in tmp_path.iterdir() if path.suffix == ".json").write_bytes(about)
    assert part.kept() == (0, "", None)


def test_bytes_without_a_version_are_not_gone_on_with(tmp_path: Path) -> None:
    part = PartFile(tmp_path, "http://x/a")
    part.begin("", 9)
    part.path.write_bytes(b"1234")
    assert part.kept() == (0, "", None)
    part.drop()
    assert not list(tmp_path.iterdir())


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt
