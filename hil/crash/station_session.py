"""A session of the real station in this process: the daemon, the emulated scanner, people, one medium on disk."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Literal

from edge.decision import Disposition, DispositionKind, Reason
from edge.evidence.reading import SheetReading
from edge.station.signals import Signal
from edge.station.status import StatusDocument
from firmware_bridge.pagescan6.settings import ScannerSettings
from firmware_bridge.scanner import SheetImages
from hil.crash.session import Session, recorded
from hil.crash.store_sessions import FIRST, small_world
from hil.crash.witness import MarkingStore, line
from hil.crash.world import SetClock, World, sheet
from hil.cuts.recording import Recording
from hil.rig.station import QUICK, StationRig, Watch
from hil.scanner.emulator import EmulatedScanner
from hil.scanner.faults import JamEject, OpenCover, Reached
from hil.scanner.knobs import Behaviour, Timings
from hil.scanner.paper import Place
from hil.scanner.sheet import Sheet
from hil.soak.poll_worker import PollWorker
from hil.soak.pool import election

_INCHES = 1.5
_REST_SECONDS = 30.0
_TIMINGS = Timings(grab=0.002, scan=0.04, eject=0.05, eject_limit=0.1, command=0.0, boot=0.05)
_BEHAVIOUR = Behaviour(flat_tables=True, path_inches=1.0, chunk_bytes=128 << 10)
_SETTINGS = ScannerSettings(
    paper_inches=_INCHES,
    greet_seconds=1.5,
    setup_seconds=1.0,
    status_seconds=0.4,
    reply_seconds=0.6,
    idle_read_seconds=0.02,
)
_LIMITS = replace(QUICK, scan=3_000, accept=1_000, turn_back=1_000, hold=30_000, sensors=3_000, evidence=30_000)


class _Reader:
    """Reads every sheet as one that no other is like, and says `kind` of it."""

    kind: DispositionKind = "accept"

    def __init__(self) -> None:
        self._numbers = count(1)

    def __call__(self, images: SheetImages) -> SheetReading:
        pixels = hashlib.sha256(images.top.tobytes()).hexdigest()[:8]
        reading = sheet(f"sheet {next(self._numbers)} {pixels}")
        reasons = () if self.kind == "accept" else (Reason("stub"),)
        return replace(reading, disposition=Disposition(self.kind, reasons))


class _Seen(Watch):
    """Takes down in the recording how many sheets people were told of, and that acceptance was signalled."""

    def __init__(self, recording: Recording) -> None:
        super().__init__()
        self._recording = recording
        self._told: tuple[int, bool] = (0, False)

    def publish(self, document: StatusDocument) -> None:
        """As the watch."""
        told = document.count, document.signal == Signal.ACCEPTED
        if told != self._told:
            self._told = told
            self._recording.mark(line(shown=document.count, log=FIRST, accepted=told[1]))
        super().publish(document)


class _Day:
    """A station at work, and the people around it.

    Args:
        rig: The station, at work.
        reader: What reads its sheets.
    """

    def __init__(self, rig: StationRig, reader: _Reader, numbers: count[int]) -> None:
        self.rig = rig
        self._reader = reader
        self._numbers = numbers
        self._button: Literal["cast", "return"] = "return"
        self._worker = PollWorker(rig, lambda: self._button)

    def rest(self) -> StatusDocument:
        """Help until the next sheet is taken."""
        return self._worker.until_rest(_REST_SECONDS)

    def put(self, kind: DispositionKind = "accept", button: Literal["cast", "return"] = "return", *, counts: bool) -> None:
        """A sheet is put in, and everything is at rest again.

        Raises:
            AssertionError: it was, or was not, counted.
        """
        self._reader.kind, self._button = kind, button
        before = self.rest().count
        self.rig.scanner.insert(Sheet.blank(f"sheet-{next(self._numbers)}", inches=_INCHES))
        self.rig.wait_for("scanning", "interpreting", "accepting", "holding", "returning", "returned", "jammed", "cover_open")
        after = self.rest().count
        if after - before != counts:
            raise AssertionError(f"a {kind} sheet, {button} pressed: the count was {before} and is {after}")


def station_day() -> Session:
    """The real daemon from its first start on."""
    world = small_world(1, cast=8, returned=2)

    def program(folder: Path, recording: Recording) -> None:
        numbers = count(1)
        with EmulatedScanner(_TIMINGS, _BEHAVIOUR) as scanner:
            reader = _Reader()
            with _station(world, folder, recording, scanner, reader) as rig:
                _morning(_Day(rig, reader, numbers), scanner)
            with _station(world, folder, recording, scanner, reader) as rig:
                day = _Day(rig, reader, numbers)
                day.put(counts=True)

    return recorded("the station's day on one medium", world, program)


def _station(world: World, folder: Path, recording: Recording, scanner: EmulatedScanner, reader: _Reader) -> StationRig:
    store = MarkingStore(
        world.store(folder, FIRST, clock=SetClock()), world.logs[FIRST], world.settings(folder, FIRST), recording.mark
    )
    rig = StationRig(folder, scanner, election(), limits=_LIMITS, scanner_settings=_SETTINGS, store=store, read=reader)
    rig.watch = _Seen(recording)
    return rig


def _morning(day: _Day, scanner: EmulatedScanner) -> None:
    day.put(counts=True)
    day.put("hold", "cast", counts=True)
    day.put("hold", "return", counts=False)
    day.put("return", counts=False)
    # It does not follow the rollers, and somebody takes it out.
    scanner.inject(JamEject())
    day.put(counts=False)
    # The cover is opened in the moment in which it has fallen into the box: a person says where it is.
    scanner.inject(OpenCover(at=Reached(Place.BOX)))
    day.put(counts=True)
    day.rig.turn_polls(is_open=False)
    day.rig.wait_for("closed")
    day.rig.turn_polls(is_open=True)
    day.rig.wait_for("waiting")
    day.put(counts=True)
