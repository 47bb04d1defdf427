"""A small station for one fault: short sheets, a reader that says what it is told, and a gate before it answers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from edge.decision import Disposition, DispositionKind, Reason
from edge.definition.election import Election
from edge.evidence.medium import BoxShape
from edge.evidence.reading import SheetReading
from edge.station.status import StatusDocument
from firmware_bridge.pagescan6.settings import ScannerSettings
from firmware_bridge.scanner import SheetImages
from hil.scanner.emulator import EmulatedScanner
from hil.scanner.knobs import Behaviour, Timings
from hil.scanner.sheet import Sheet
from hil.soak.bench import Bench, bench
from hil.soak.poll_worker import PollWorker
from hil.soak.witness import SignalWitness

INCHES = 1.5
IMAGE_BYTES = 300 * 3456
RETURN_CODE = "stubReturned"
REST_SECONDS = 20.0
TIMINGS = Timings(grab=0.002, scan=0.04, eject=0.05, eject_limit=0.1, command=0.0, boot=0.05)
BEHAVIOUR = Behaviour(flat_tables=True, path_inches=1.0, chunk_bytes=128 << 10)
BOX = BoxShape(cast=200, returned=20, slot_bytes=20 << 10)
"""What the reader of this stage says has no pages."""
SETTINGS = ScannerSettings(
    paper_inches=INCHES,
    greet_seconds=1.5,
    setup_seconds=1.0,
    status_seconds=0.4,
    reply_seconds=0.6,
    idle_read_seconds=0.02,
)


@dataclass(slots=True)
class Reader:
    """Says `kind` of every sheet, but only while the gate is open; `called` is set when it is asked."""

    kind: DispositionKind = "accept"
    gate: threading.Event = field(default_factory=threading.Event)
    called: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    def __call__(self, images: SheetImages) -> SheetReading:
        kind = self.kind
        self.called.set()
        assert self.gate.wait(REST_SECONDS)
        reasons = () if kind == "accept" else (Reason(RETURN_CODE),)
        return SheetReading(Disposition(kind, reasons), b"{}", ())


class Stage:
    """A station, its people, and a stack of equal sheets."""

    def __init__(self, station: Bench, reader: Reader) -> None:
        self.station = station
        self.reader = reader
        self.worker = PollWorker(station.rig)
        self._sheets = 0
        self._signals = SignalWitness()
        self._read = 0

    @property
    def scanner(self) -> EmulatedScanner:
        return self.station.scanner

    def new_sheet(self) -> Sheet:
        self._sheets += 1
        return Sheet.blank(f"sheet-{self._sheets}", inches=INCHES)

    def insert(self) -> None:
        self.scanner.insert(self.new_sheet())

    def rest(self) -> StatusDocument:
        return self.worker.until_rest(REST_SECONDS)

    def visited(self, since: int = 0) -> set[tuple[str, str | None]]:
        """States and reasons that were published since so many documents."""
        documents = list(self.station.rig.watch.documents)[since:]
        return {(document.state, document.reason) for document in documents}

    def assert_books(self, document: StatusDocument) -> None:
        """The count is the box, nothing is pending, and acceptance was never signalled too early."""
        books, signals = self.station.books, self._signals
        documents = list(self.station.rig.watch.documents)
        signals.read(documents[self._read :])
        self._read = len(documents)
        assert document.count == self.worker.boxed
        assert books.stage is None
        assert not books.mistakes
        assert not signals.mistakes
        assert books.line.times == signals.signals


@contextmanager
def stage(folder: Path, election: Election, prepare: Callable[[EmulatedScanner], None] = lambda _: None) -> Iterator[Stage]:
    """A stage; `prepare` befalls the scanner before the station starts."""
    reader = Reader()
    with bench(
        folder, election, timings=TIMINGS, behaviour=BEHAVIOUR, settings=SETTINGS, read=reader, prepare=prepare, shape=BOX
    ) as station:
        yield Stage(station, reader)
        reader.gate.set()
