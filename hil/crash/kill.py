"""The real process, killed at many instants of a session of sheets, at random ones and at marked ones, and checked each time.

Nothing that was written is lost with a process, so this tests less of the media and more of the rest: the station in its own
process, the real interpreter, and what it makes of paper and evidence when it is there again. The truth is the paper.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from random import Random
from typing import Final, Literal

from edge.decision import Disposition, DispositionKind, Reason
from edge.definition.package import ElectionPackage
from edge.definition.paper import PaperSize
from edge.definition.settings import SystemSettings
from edge.evidence.medium import LOG_FILE
from edge.evidence.reading import SheetReading
from edge.evidence.sheet_files import sheet_files
from edge.evidence.store import PendingStage, Polls, StoreError
from edge.station.config import load_station_config
from edge.station.sheet import sheet_reader
from firmware_bridge.scanner import SheetImages
from hil.crash.check import check
from hil.crash.found import raw_log
from hil.crash.ledger import Held, Promise
from hil.crash.look import CrashError, agreed, look, tree_roots
from hil.crash.world import KEYS, Log, World, content_of
from hil.paper.election import make_election
from hil.rig.evidence import SMALL
from hil.rig.process import StationProcess
from hil.rig.station import StationRig
from hil.scanner.emulator import EmulatedScanner
from hil.scanner.knobs import Behaviour, Timings
from hil.scanner.paper import Place
from hil.scanner.sheet import Sheet
from hil.soak.poll_worker import PollWorker
from hil.soak.pool import Ballot, make_pool

Button = Literal["cast", "return"]
_DEVICE: Final = "scan.example.org/rig"
_TIMINGS = Timings(grab=0.02, scan=0.08, eject=0.12, eject_limit=0.5, command=0.002, boot=0.05)
_BEHAVIOUR = Behaviour(flat_tables=True)
"""Arrays that need no correction, so that a sheet gives the same pixels every time."""
_CYCLE_S = 0.9
"""From a sheet in the mouth to one in the box, and a little more."""
_AFTER_S = 0.15
"""Of a marked moment the process is killed within so long."""
_START_S = 1.2
"""A start takes about half of it."""
_FALSE_STARTS = 0.2
"""Share of starts that are killed too."""
_REST_S = 30.0
_ASKING = frozenset({"waiting", "returned", "holding"})
_PER_DAY = 25
"""Kills with one evidence; its box then is changed for another."""
_WRITTEN, _COUNTED = "written down", "counted"
_MOMENTS: Mapping[DispositionKind, tuple[tuple[str | None, Button], ...]] = {
    "accept": ((None, "cast"), ("interpreting", "cast"), *((_WRITTEN, "cast"),) * 4, (_COUNTED, "cast"), ("accepted", "cast")),
    "hold": ((None, "cast"), ("holding", "cast"), (_WRITTEN, "cast"), (_WRITTEN, "cast"), ("returning", "return")),
    "return": ((None, "cast"), ("interpreting", "cast"), ("returning", "cast")),
}
"""When to kill, and what is pressed where the sheet is held: at a random instant, soon after the station is in a state or has
signalled acceptance, or soon after its evidence says so."""
_WANTED: dict[DispositionKind, int] = {"accept": 4, "hold": 2, "return": 2}


@dataclass(slots=True)
class Killed:
    """What came out.

    Attributes:
        kills: How often the process was killed.
        found: How often a sheet was found pending, by its stage; and "" where none was.
        failures: What was wrong, each in one sentence.
        seconds: How long it took.
    """

    kills: int = 0
    found: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def __str__(self) -> str:
        """Say how many, and what was wrong."""
        pending = ", ".join(f"{stage or 'nothing'} {times}" for stage, times in sorted(self.found.items()))
        told = f"the real process was killed {self.kills} times in {self.seconds:.0f} s, {len(self.failures)} failures"
        return "\n".join([f"{told}; found pending: {pending}", *(f"    {failure}" for failure in self.failures)])


def kill_day(kills: int, *, seed: int = 0) -> Killed:
    """Kill the process so many times, sheet after sheet.

    Args:
        kills: How often.
        seed: Decides what is put in and when the process is killed, but for the processes' own time.
    """
    begun = time.monotonic()
    killed, rng = Killed(), Random(seed)
    pool = make_pool(_WANTED)
    contents = _contents(pool)
    while killed.kills < kills:
        with (
            tempfile.TemporaryDirectory() as folder,
            EmulatedScanner(_TIMINGS, _BEHAVIOUR) as scanner,
            StationProcess(Path(folder) / "station", scanner, election=_election_file()) as process,
        ):
            day = _Day(process, scanner, contents, rng, killed)
            goes_on = day.kill_first_start()
            for _ in range(_PER_DAY):
                if killed.kills >= kills or not goes_on:
                    break
                goes_on = day.kill_once()
            if process.running:
                process.kill()
    killed.seconds = time.monotonic() - begun
    return killed


def _election_file() -> bytes:
    """That of the pool's ballots."""
    return make_election(0, paper=PaperSize.LETTER, encoding="qr-code", text="normal", density="normal")


def _contents(pool: list[Ballot]) -> dict[Ballot, str]:
    """What is kept of each ballot: scanned and read by another station, in this process, which keeps none of them."""
    election = ElectionPackage(_election_file()).definition()
    read = sheet_reader(election, SystemSettings())
    seen: list[str] = []

    def stub(images: SheetImages) -> SheetReading:
        reading = read(images)
        seen.append(content_of(sheet_files(reading)))
        return replace(reading, disposition=Disposition("return", (Reason("stub"),)))

    with (
        tempfile.TemporaryDirectory() as folder,
        EmulatedScanner(_TIMINGS, _BEHAVIOUR) as scanner,
        StationRig(Path(folder), scanner, election, read=stub) as rig,
    ):
        worker = PollWorker(rig)
        for number, ballot in enumerate(pool):
            worker.until_rest(_REST_S)
            scanner.insert(Sheet(f"sample-{number}", ballot.top, ballot.bottom))
            rig.wait_for("returned", seconds=_REST_S)
        worker.until_rest(_REST_S)
    return dict(zip(pool, seen, strict=True))


class _Day:
    """One evidence, one box, and people who know where the paper is.

    Args:
        process: The station, running.
        scanner: Its scanner.
        contents: What is put in, and the number of what then is kept of it.
        rng: Chance.
        killed: Takes down what comes out.
    """

    def __init__(
        self, process: StationProcess, scanner: EmulatedScanner, contents: Mapping[Ballot, str], rng: Random, killed: Killed
    ) -> None:
        self._process = process
        self._scanner = scanner
        self._rng = rng
        self._killed = killed
        self._contents = contents
        self._ballots: dict[str, Ballot] = {}
        self._numbers = count(1)
        self._counted = Held()
        self._promise = Promise(events=None)
        package = ElectionPackage(_election_file())
        self._label = package.definition().ballot_hash.hex()
        self._world = World(1, {self._label: Log(self._label, package, SMALL)}, _DEVICE)

    def kill_first_start(self) -> bool:
        """Kill the process while it makes its evidence, and start it again; whether what it left is in order."""
        with self._told("the first start"):
            self._kill_start(None)
            self._process.start()
            return True
        return False

    def kill_once(self) -> bool:
        """Put a sheet in, kill the process at some instant, check, and see to it that everything goes on; whether it did."""
        self._process.wait_for("waiting", seconds=_REST_S)
        ballot = self._rng.choice(list(self._contents))
        sheet = Sheet(f"{ballot.kind}-{next(self._numbers)}", ballot.top, ballot.bottom)
        self._ballots[sheet.name] = ballot
        self._scanner.wait_for(lambda status: status.feeder and status.motion == "still", _REST_S)
        moment, button = self._rng.choice(_MOMENTS[ballot.kind])
        limit = time.monotonic() + self._rng.uniform(0, _CYCLE_S)
        self._scanner.insert(sheet)
        self._watch(moment, button, limit)
        self._process.kill()
        dark = self._rng.random() < 0.5
        if dark:
            self._scanner.cut_power()
        self._killed.kills += 1
        story = f"kill {self._killed.kills}: {sheet.name}, {button}, at {moment or 'a random instant'}{', dark' if dark else ''}"
        with self._told(story):
            self._check(ballot)
            self._start_again(ballot, dark=dark)
            return True
        return False

    @contextmanager
    def _told(self, story: str) -> Iterator[None]:
        """Take down what is wrong."""
        try:
            yield
        except (CrashError, StoreError, TimeoutError) as error:
            self._killed.failures.append(f"{story}: {type(error).__name__}: {error}")

    def _kill_start(self, ballot: Ballot | None) -> None:
        """Kill the process that was just started, somewhere between its first instruction and its first sheet."""
        time.sleep(self._rng.uniform(0, _START_S))
        self._process.kill()
        self._killed.kills += 1
        self._check(ballot)

    def _watch(self, moment: str | None, button: Button, limit: float) -> None:
        """Press a button where the station holds the sheet, until the time has come to kill it."""
        pressed = False
        end = limit if moment is None else time.monotonic() + 2 * _CYCLE_S
        [log] = load_station_config(self._process.config).evidence.folder.glob(f"*/{LOG_FILE}")
        with closing(sqlite3.connect(f"{log.as_uri()}?mode=ro", uri=True, timeout=0)) as books:
            while time.monotonic() < end:
                told = self._process.told[-1]
                if moment in {told.state, told.signal, self._written(books)}:
                    time.sleep(self._rng.uniform(0, _AFTER_S))
                    return
                if told.state == "holding" and not pressed:
                    pressed = True
                    self._process.panel.press(button)
                time.sleep(0.001)

    def _written(self, books: sqlite3.Connection) -> str:
        # Locked for as long as a change is carried out.
        with suppress(sqlite3.OperationalError):
            cast, pending = books.execute("SELECT cast_sheets, pending FROM state").fetchone()
            if pending is not None:
                return _WRITTEN
            return _COUNTED if cast > len(self._counted.cast) else ""
        return ""

    def _possible(self, ballot: Ballot | None) -> list[Held]:
        """What may be in the evidence: what was there before, and whatever the sheet in hand can have become."""
        # At the first start the polls are not open yet.
        closed, before = self._counted, replace(self._counted, polls=Polls.OPEN)
        if ballot is None:
            return [closed, before]
        asked = {"content": self._contents[ballot], "most": SMALL.returned}
        if ballot.kind == "return":
            return [before, before.after("keep_returned", asked)]
        written = before.after("write_pending", asked)
        stages = [written.after("mark_pending", {"stage": stage}) for stage in PendingStage]
        return [before, *stages, written.after("commit", {})]

    def _check(self, ballot: Ballot | None) -> None:
        """Hold a copy of the evidence against what may be in it."""
        shown = max((document.count for document in self._process.told), default=0)
        self._promise = replace(self._promise, possible=tuple(self._possible(ballot)), shown=shown)
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            self._copy(folder)
            log = raw_log(folder / "first" / self._label)
            check(self._world, folder, {self._label: self._promise})
        if log is not None:
            stage = str(log.state[4] or "")
            self._killed.found[stage] = self._killed.found.get(stage, 0) + 1
            size = len(log.entries)
            self._promise = replace(
                self._promise,
                size=size,
                root=tree_roots(log.leaves)[size],
                signed={**self._promise.signed, **log.checkpoints},
                key=log.facts["key"].decode(),
                media=("first",),
            )

    def _copy(self, folder: Path) -> None:
        """The evidence as it is, where opening it changes nothing."""
        config = load_station_config(self._process.config).evidence
        for there, copy in ((config.folder, "first"), (config.keys, KEYS)):
            if there.exists():
                shutil.copytree(there, folder / copy)
                (folder / copy).chmod(0o700)

    def _start_again(self, ballot: Ballot, *, dark: bool) -> None:
        """Start the process, help as a poll worker would, and compare the count with the paper."""
        self._scanner.wait_for(lambda status: status.motion in {"still", "off"}, _REST_S)
        if dark:
            self._scanner.restore_power()
        self._process.start()
        if self._rng.random() < _FALSE_STARTS:
            self._kill_start(ballot)
            self._process.start()
        end = time.monotonic() + _REST_S
        while True:
            told = self._process.wait_until(lambda document: document.state in _ASKING, end - time.monotonic())
            boxed = self._scanner.describe().box
            if told.state == "waiting":
                break
            if told.state == "returned":
                if Place.FRONT in self._scanner.describe().places.values():
                    self._scanner.remove()
                self._process.wait_until(lambda document: document.state != "returned", end - time.monotonic())
            else:
                self._process.panel.press("cast" if len(boxed) > told.count else "return")
                self._process.wait_until(lambda document: document.state != "holding", end - time.monotonic())
        if told.count != len(boxed):
            raise CrashError(f"{len(boxed)} sheets are in the box, counted are {told.count}")
        cast = tuple(sorted(self._contents[self._ballots[name]] for name in boxed))
        self._counted = Held(cast, self._returned(), None, Polls.OPEN)

    def _returned(self) -> tuple[str, ...]:
        """Returned sheets whose pictures are kept: only the evidence knows whether a kill came before that."""
        with tempfile.TemporaryDirectory() as scratch:
            self._copy(Path(scratch))
            found = look(Path(scratch), ("first",), self._label, f"{_DEVICE}/{self._label}")
        _, held = agreed(found, ("first",))
        if held is None:
            raise CrashError("the key of the box is gone")
        return held.returned
