"""`./dev demo`: the real station, an emulated scanner and panel, six ballots, and a tally at the end.

Exit status 0 when every ballot ended as meant and the evidence agrees with the box; 1 when not; 2 on wrong use.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from edge.definition.election import load_election
from edge.station.config import load_station_config
from edge.station.status import StatusError, follow_status
from hil.demo.audit import AuditError, audit
from hil.demo.screen import Screen
from hil.demo.story import STACK, Story, StoryError
from hil.demo.tally import Tally, take_tally
from hil.emulate.ballots import ELECTION
from hil.emulate.folder import write_sheets
from hil.emulate.knobs import SPEEDS
from hil.panel.factory import monotonic_ms
from hil.panel.panel import EmulatedPanel
from hil.rig import process
from hil.rig.process import StationProcess
from hil.scanner.emulator import EmulatedScanner
from hil.scanner.knobs import Timings

_MARK = "demo.txt"
_LOOK_S = 0.05
_BROKEN_PIPE = 141


@dataclass(frozen=True, slots=True)
class _Pace:
    """How quick everyone is: the scanner, the station's own pauses (keys of its configuration), and people, in seconds."""

    timings: Timings
    limits: dict[str, int]
    breath: float


_PACES = {
    # A little quicker than life, for whoever watches.
    "watch": _Pace(Timings(scan=0.8, eject=0.7), {"rest_ms": 1000, "accepted_signal_ms": 1500}, 1.0),
    "quick": _Pace(SPEEDS["quick"], dict(process.QUICK), 0.1),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo and give its exit status."""
    parser = argparse.ArgumentParser(
        prog="./dev demo", description="Let the real station take emulated ballots, and count them afterwards."
    )
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("out/demo"), help="folder for all that is used and kept")
    parser.add_argument("--pace", choices=tuple(_PACES), default="watch", help="for someone who watches, or for a test")
    arguments = parser.parse_args(argv)
    folder = arguments.out.absolute()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, _end)
    try:
        _prepare(folder)
    except OSError as error:
        parser.error(f"--out: {error}")
    try:
        tally = _run(folder, _PACES[arguments.pace])
        audit(folder, sys.stdout)
    except BrokenPipeError:
        # Python flushes stdout once more at exit and would complain there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    except (AuditError, StoryError, TimeoutError, RuntimeError) as error:
        print(f"The demo failed: {error}\nThe station's own account is in {folder / 'stderr.log'}.", file=sys.stderr)
        return 1
    if not tally.agrees:
        print("The demo failed: the evidence and the box do not agree, or a sheet did not end as meant.", file=sys.stderr)
        return 1
    print(f"\nEverything ended as meant. Ballots, configuration, evidence, stick and report.html are in {arguments.out}.")
    print("To try it by hand: docs/emulator.md.")
    return 0


def _end(number: int, _frame: FrameType | None) -> None:
    """End as after an error, so that the station is ended too; once is enough."""
    for each in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(128 + number)


def _prepare(folder: Path) -> None:
    """Make the folder, and remove from it what an earlier demo left; nobody else's evidence. Raises OSError."""
    evidence = folder / "evidence"
    if evidence.exists() and not (folder / _MARK).exists():
        raise FileExistsError(f"{evidence} is not this demo's; name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARK).write_text("Written by `./dev demo`; the next one into this folder replaces it.\n", encoding="utf-8")
    # The key remembers what it has signed, so evidence and keys go together.
    for kept in (evidence, *(folder / name for name in ("keys", "stick", "authority", "witness"))):
        if kept.exists():
            shutil.rmtree(kept)
    (folder / "stderr.log").unlink(missing_ok=True)


def _run(folder: Path, pace: _Pace) -> Tally:
    print("Printing and marking six ballots of a made-up election.", flush=True)
    sheets = [ballot.sheet() for ballot in STACK]
    write_sheets(folder / "ballots", sheets)
    print("Starting the station: `scrutineer run` in a process of its own, its scanner behind USB/IP.\n", flush=True)
    live = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
    screen = Screen(sys.stdout, monotonic_ms(), live=live, colour=live and not os.environ.get("NO_COLOR"))
    scanner = EmulatedScanner(pace.timings)
    station = StationProcess(folder, scanner, election=ELECTION, limits=pace.limits, polls_open=False)
    with scanner, station:
        with _watched(station, screen):
            story = Story(station, scanner, screen, pace.breath)
            story.open_polls()
            endings = [
                story.feed(number, ballot, sheet) for number, (ballot, sheet) in enumerate(zip(STACK, sheets, strict=True), 1)
            ]
            story.close_polls()
        if (status := station.stop()) != 0:
            raise RuntimeError(f"the station ended with status {status}")
    tally = take_tally(endings, scanner.describe().box, load_station_config(station.config))
    print()
    for line in tally.lines(load_election(ELECTION)):
        print(line)
    print()
    return tally


@contextlib.contextmanager
def _watched(station: StationProcess, screen: Screen) -> Iterator[None]:
    """Show lamps and status until the body ends."""
    over = threading.Event()
    threads = [
        threading.Thread(target=_watch_status, args=(station.status_socket, screen, over), daemon=True),
        threading.Thread(target=_watch_lamps, args=(station.panel, screen, over), daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        threads[1].join()
        # A reader who has left is an error of whoever prints next, not of this.
        with contextlib.suppress(BrokenPipeError):
            screen.close()


def _watch_status(path: Path, screen: Screen, over: threading.Event) -> None:
    while not over.is_set():
        with contextlib.suppress(StatusError, BrokenPipeError):
            for document in follow_status(path):
                if over.is_set():
                    return
                screen.station(document, monotonic_ms())
        over.wait(_LOOK_S)


def _watch_lamps(panel: EmulatedPanel, screen: Screen, over: threading.Event) -> None:
    shown = 0
    while not over.is_set():
        with contextlib.suppress(TimeoutError):
            panel.wait_for(lambda seen, shown=shown: len(seen.changes) > shown, _LOOK_S)  # type: ignore[misc]
        changes = panel.changes
        shown = len(changes)
        with contextlib.suppress(BrokenPipeError):
            screen.lamps(changes)


if __name__ == "__main__":
    sys.exit(main())
