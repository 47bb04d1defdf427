"""`./dev demo`: prints, marks and scans three sheets, reads them with the real command, and says where everything lies.

Exit status 0 when one is held, one accepted and one returned, as meant; 1 when a reading ends otherwise; 2 on wrong use.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import shlex
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from edge import cli
from edge.commands.interpret import EXIT_STATUS
from edge.commands.table import option_name
from hil.demo.sheets import ELECTION, DemoSheet, demo_sheets
from hil.paper.truth import MarkedSheet

_SCANS = ("front.png", "back.png")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo and give its exit status."""
    parser = argparse.ArgumentParser(prog="./dev demo", description="Scan emulated ballots and read them with the real command.")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("out/demo"), help="folder for scans and pictures")
    folder = parser.parse_args(argv).out
    sheets = demo_sheets()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "election.json").write_bytes(ELECTION)
        for sheet in sheets:
            _scan(sheet, folder / sheet.name)
    except OSError as error:
        parser.error(f"--out: {error}")
    as_meant = [_read(sheet, folder, brief=sheet is not sheets[0]) for sheet in sheets]
    if not all(as_meant):
        print("The demo failed: a reading did not end as meant.", file=sys.stderr)
        return 1
    print(f"The scans and the election are in {folder}. Each command above repeats its reading; `--debug-dir DIR` draws it.")
    return 0


def _scan(sheet: DemoSheet, place: Path) -> None:
    """Write the two images of a sheet, as a scanner would have."""
    place.mkdir(exist_ok=True)
    scanned = sheet.scan()
    for name, page in zip(_SCANS, (scanned.top, scanned.bottom), strict=True):
        Image.fromarray(page.pixels).save(place / name, compress_level=1)


def _read(sheet: DemoSheet, folder: Path, *, brief: bool) -> bool:
    """Read one sheet with the real command; whether the reading ended as meant."""
    place = folder / sheet.name
    scans = [str(place / name) for name in _SCANS]
    words = ["interpret", *scans, "--election", str(folder / "election.json")]
    if not brief:
        words += ["--debug-dir", str(place / "pictures")]
    print(f"{sheet.sentence}\n")
    if not brief:
        print("The voter's marks:")
        for line in _marks(sheet.marked):
            print(f"    {line}")
        print()
    print(f"{_program()} {shlex.join(words)}\n")
    status = _read_briefly(words) if brief else cli.main(words)
    print()
    if not brief:
        print(f"{place / 'pictures'} shows what every step of this reading saw.\n")
    if status == EXIT_STATUS[sheet.ends]:
        return True
    print(f"{sheet.name}: exit status {status}, where {sheet.ends} ({EXIT_STATUS[sheet.ends]}) is meant", file=sys.stderr)
    return False


def _marks(marked: MarkedSheet) -> list[str]:
    """What the voter did, as the truth has it."""
    election = marked.printed.election
    lines = []
    for bubble, mark in marked.marks:
        contest = election.contest(bubble.position.contest_id)
        lines.append(f"{mark.kind} in {mark.pen.name}: {option_name(contest, bubble.position.option_id)}, {contest.title}")
    drawn = {bubble.position for bubble, _ in marked.marks}
    for bubble in marked.written:
        contest = election.contest(bubble.position.contest_id)
        oval = "filled" if bubble.position in drawn else "left empty"
        lines.append(f"a written name, its oval {oval}: {option_name(contest, bubble.position.option_id)}, {contest.title}")
    return lines


def _read_briefly(words: list[str]) -> int:
    """Run the command and show no more than its verdict, the part between the two double rules."""
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        status = cli.main(words)
    lines = told.getvalue().splitlines()
    rules = [number for number, line in enumerate(lines) if line.startswith("==")]
    print("\n".join(lines[rules[0] :] if rules else lines))
    return status


def _program() -> str:
    """How the command is called from here: by its name where the shell finds it, else by its place in the environment."""
    if shutil.which("scrutineer"):
        return "scrutineer"
    beside = Path(sys.executable).parent / "scrutineer"
    if not beside.exists():
        return "scrutineer"
    here = Path.cwd()
    return shlex.quote(str(beside.relative_to(here) if beside.is_relative_to(here) else beside))


if __name__ == "__main__":
    # `./dev demo | head` is no failure worth a traceback.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main())
