"""A station folder, made once, and the command in a process of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
Emulate = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def made() -> Iterator[Path]:
    """What `--make` makes; in a short place, for its sockets."""
    with tempfile.TemporaryDirectory(prefix="emu-") as place:
        folder = Path(place) / "desk"
        done = subprocess.run(
            [sys.executable, "-m", "edge.cli", "emulate", "--make", str(folder)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, "")
        yield folder


@pytest.fixture
def desk(made: Path) -> Iterator[Path]:
    """The folder without evidence and with sockets of its own."""
    with tempfile.TemporaryDirectory(prefix="emu-") as place:
        folder = Path(place) / "desk"
        folder.mkdir()
        for name in ("station.toml", "election.json"):
            shutil.copy(made / name, folder)
        (folder / "ballots").symlink_to(made / "ballots")
        # Quick, as a desk in a test should be; and other tests may hold the usual port.
        toml = (folder / "station.toml").read_text().replace("[station]", "[station]\nrest_ms = 0\naccepted_signal_ms = 200")
        (folder / "station.toml").write_text(toml)
        yield folder


@pytest.fixture
def emulate() -> Emulate:
    """The command; `lines` go to its stdin."""

    def run(*words: str | Path, lines: str = "", seconds: float = 60) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "edge.cli", "emulate", *map(str, words)],
            cwd=ROOT,
            input=lines,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )

    return run
