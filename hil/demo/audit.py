"""After the day: the polls are closed for good, the evidence goes onto a stick, and an auditor who trusts paper checks it."""

from __future__ import annotations

import shlex
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from hil.rig.process import ROOT

AUTHORITY = "authority.example.org"


class AuditError(Exception):
    """A command did not end as it should; the text is what it said."""


def audit(folder: Path, out: TextIO) -> None:
    """Do what an official, a poll worker and an auditor do, by the commands that they have.

    Args:
        folder: The demo's, with the station's configuration and evidence; the stick and the authority's papers are made in it.
        out: Told each command and the lines of its answer that matter.

    Raises:
        AuditError: something is not in order.
    """
    config, stick, papers = folder / "station.toml", folder / "stick", folder / "authority"
    stick.mkdir()
    papers.mkdir()
    shown = _Shown(folder, out)
    out.write("\nAn official enrols the station, and the authority signs the list of stations that it vouches for.\n")
    (papers / "enrolment").write_bytes(shown.run("keys", "enrol", "--config", config))
    key = shown.run("trust", "make-key", "--name", AUTHORITY, papers / "authority.key").decode().strip()
    (papers / "trust.list").write_bytes(shown.run("trust", "sign", "--key", papers / "authority.key", papers / "enrolment"))
    out.write("\nThe poll worker closes the polls for good and puts in a stick.\n")
    shown.run("close", "--config", config, tell=("Sheets in the box", "Set of ballots"))
    shown.run("export", stick, "--config", config, tell=("written, read back",))
    (exported,) = stick.iterdir()
    out.write("\nAn auditor, who has never seen the station, checks the stick and reads every ballot again.\n")
    trust = (
        "--trust",
        papers / "trust.list",
        "--authority",
        key,
        "--witness",
        folder / "witness",
        "--html",
        folder / "report.html",
    )
    shown.run("verify", exported, *trust, tell=("RIGHT",))


class _Shown:
    """Runs commands of ours and shows them as somebody would type them in the demo's folder."""

    def __init__(self, folder: Path, out: TextIO) -> None:
        self._folder = folder
        self._out = out

    def run(self, *words: str | Path, tell: Sequence[str] = ()) -> bytes:
        """Run a command, tell the lines of its answer that contain one of these texts, and give all of it."""
        typed = shlex.join(str(word.relative_to(self._folder)) if isinstance(word, Path) else word for word in words)
        self._out.write(
            textwrap.fill(f"$ scrutineer {typed}", 98, initial_indent="  ", subsequent_indent="      ", break_on_hyphens=False)
            + "\n"
        )
        self._out.flush()
        command = [sys.executable, "-m", "edge.cli", *map(str, words)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)  # noqa: S603  our own command
        if done.returncode != 0:
            raise AuditError(f"{typed}: {done.stderr.decode(errors='replace')}{done.stdout.decode(errors='replace')}")
        for line in done.stdout.decode(errors="replace").splitlines():
            if any(text in line for text in tell):
                self._out.write(f"    {line.strip()}\n")
        self._out.flush()
        return done.stdout
