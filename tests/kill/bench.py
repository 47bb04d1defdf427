"""The real station process at work with the emulated scanner, hands, and what must hold whenever the process was killed.

The truth is where the paper is (`scanner.describe()`); what the station and its evidence say is compared with it.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from functools import cache
from itertools import count
from pathlib import Path
from typing import Literal

from edge.definition.election import Election
from edge.evidence.medium import LOG_FILE
from edge.evidence.store import PendingStage
from edge.station.status import StatusDocument
from hil.paper.scan import ScannedPair, scan
from hil.paper.sheet import render_sheet
from hil.rig.process import QUICK, StationProcess
from hil.scanner.emulator import EmulatedScanner, Status
from hil.scanner.knobs import Timings
from hil.scanner.paper import Place
from hil.scanner.sheet import Sheet
from tests.ballot.sheets import blank_sheet, definition, filled, made_up

Kind = Literal["good", "unmarked", "foreign"]
"""A sheet that is accepted, one that is held because nothing is marked, one of another election, which is returned."""
FOREIGN = "invalidBallotHash"
"""Why."""
HALF_WAY = 0.2
"""Seconds that are half a slow motion."""
QUICK_SCANNER = Timings(grab=0.01, scan=0.03, eject=0.02, eject_limit=0.1, command=0.001, boot=0.05)
SLOW_SCAN = Timings(grab=0.01, scan=2 * HALF_WAY, eject=0.02, eject_limit=0.1, command=0.001, boot=0.05)
SLOW_MOTION = Timings(grab=0.01, scan=0.03, eject=2 * HALF_WAY, eject_limit=0.1, command=0.001, boot=0.05)

_SECONDS = 20.0


@cache
def scanned(kind: Kind) -> ScannedPair:
    """The images of a sheet."""
    match kind:
        case "good":
            return scan(filled(blank_sheet()), seed=1)
        case "unmarked":
            return scan(blank_sheet(), seed=1)
        case "foreign":
            other = made_up(4)
            return scan(render_sheet(other, other.ballot_styles[0].id), seed=1)


def secrets_of(election: Election) -> frozenset[str]:
    """What would say something about a vote: contests and options, by id and by name."""
    words = set()
    for contest in election.contests:
        words |= {contest.id, contest.title, *(option.id for option in contest.options)}
        words |= {option.name for option in contest.options}
    # "Yes" and "No" are also words of the station's own.
    return frozenset(word for word in words if len(word) > 3)


class Bench:
    """A station process, its scanner, and what people do with both."""

    def __init__(self, station: StationProcess, scanner: EmulatedScanner) -> None:
        self.station = station
        self.scanner = scanner
        self._numbers = count(1)
        self._dark = False

    # People.

    def put(self, kind: Kind = "good") -> str:
        """Put a sheet in when the scanner takes one; gives its name."""
        if self.station.running:
            self.station.wait_for("waiting")
        self.see(lambda status: status.feeder and status.motion == "still")
        sheet = self.sheet(kind)
        self.scanner.insert(sheet)
        return sheet.name

    def sheet(self, kind: Kind = "good") -> Sheet:
        """A sheet in a hand."""
        pair = scanned(kind)
        return Sheet(f"{kind}-{next(self._numbers)}", pair.top.pixels, pair.bottom.pixels)

    def see(self, wanted: Callable[[Status], bool]) -> None:
        """Wait until the scanner is as wanted."""
        assert self.scanner.wait_for(wanted, _SECONDS), self.scanner.describe()

    def see_at(self, name: str, place: Place) -> None:
        """Wait until a sheet is at a place."""
        self.see(lambda status: status.places[name] is place)

    def take(self, name: str) -> None:
        """Take a sheet away that lies at the front."""
        assert self.scanner.remove() == (name,)

    # The end of the process, and its next beginning.

    def crash(self, *, dark: bool = False) -> tuple[int, PendingStage | None]:
        """Kill the process; gives what the evidence holds.

        Args:
            dark: The scanner loses its power as well, so that its rollers stop where they are.
        """
        self.station.kill()
        if dark:
            self.scanner.cut_power()
            self._dark = True
        self.station.panel.wait_for(lambda panel: not panel.connected)
        count, pending = self.books()
        # Whatever was signalled was counted before.
        assert self.signalled <= count
        return count, pending

    def books(self) -> tuple[int, PendingStage | None]:
        """What the evidence holds, now that the process has ended: the count, and the stage of a pending sheet."""
        books = self.station.books()
        return books.count, books.pending

    @property
    def log_file(self) -> Path:
        """The file of the event log; it is there once the station has begun."""
        [found] = self.station.evidence.glob(f"*/{LOG_FILE}")
        return found

    def written(self, counted: int, stage: PendingStage | None) -> None:
        """Wait until the evidence on disk says so, in the very moment in which it does."""
        end = time.monotonic() + _SECONDS
        with closing(sqlite3.connect(f"{self.log_file.as_uri()}?mode=ro", uri=True, timeout=0)) as books:
            while time.monotonic() < end:
                # Locked for as long as a change is carried out.
                with suppress(sqlite3.OperationalError):
                    question = "SELECT cast_sheets, pending FROM state"
                    if books.execute(question).fetchone() == (counted, stage):
                        return
                time.sleep(0.001)
        raise TimeoutError(f"the evidence was never ({counted}, {stage})")

    def restart(self) -> None:
        """Power comes back, and the station starts."""
        if self._dark:
            self.scanner.restore_power()
            self._dark = False
        self.station.start()

    # What must hold.

    @property
    def boxed(self) -> int:
        """Sheets in the box."""
        return len(self.scanner.describe().box)

    @property
    def signalled(self) -> int:
        """How often acceptance was signalled."""
        return sum((change.name, change.state) == ("accept", "lit") for change in self.station.panel.changes)

    def comes_back(self, name: str, reason: str) -> StatusDocument:
        """The sheet comes back to the front for this reason, uncounted, and its owner takes it."""
        counted = self.boxed
        document = self.station.wait_for("returned", count=counted, reason=reason)
        self.see_at(name, Place.FRONT)
        self.take(name)
        self.goes_on(counted)
        return document

    def goes_on(self, counted: int) -> None:
        """The station waits for the next sheet, has counted so many, and that is how many there are; a good one is accepted."""
        self.station.wait_for("waiting", count=counted)
        assert self.boxed == counted
        # Until then acceptance of the last sheet may be signalled.
        self.station.wait_until(lambda document: document.signal == "ready")
        self.station.panel.wait_for(lambda panel: panel.lit == {"ready"})
        signalled = self.signalled
        self.put()
        self.station.wait_for("waiting", count=counted + 1)
        assert self.boxed == counted + 1
        self.station.panel.wait_for(lambda _: self.signalled == signalled + 1)

    def tells_no_vote(self) -> None:
        """Neither the records nor any status said anything about a vote."""
        said = [self.station.stderr, *(document.to_json() for document in self.station.told)]
        assert not [word for word in secrets_of(made_up()) if any(word in text for text in said)]


@contextmanager
def bench(
    folder: Path,
    timings: Timings = QUICK_SCANNER,
    *,
    polls_open: bool = True,
    timing: Mapping[str, int] | None = None,
    **limits: int,
) -> Iterator[Bench]:
    """A station that has just been started. In the end it is killed once more: evidence and box then agree, and no vote was told.

    Args:
        folder: For what the station keeps.
        timings: How quick the scanner is.
        polls_open: How the key stands.
        timing: The driver's own limits, in milliseconds.
        limits: Keys of the configuration's section `station` that differ from the quick ones.
    """
    keys = {**QUICK, **limits}
    with (
        EmulatedScanner(timings) as scanner,
        StationProcess(folder, scanner, election=definition(), limits=keys, timing=timing, polls_open=polls_open) as station,
    ):
        world = Bench(station, scanner)
        yield world
        assert world.crash() == (world.boxed, None)
        world.tells_no_vote()
