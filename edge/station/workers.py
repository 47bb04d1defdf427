"""The threads beside the loop: one that talks to the scanner, one that reads sheets, one that keeps the books.

Each carries out its commands in order and answers by posting events. None decides anything.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from time import monotonic

from edge.evidence.events import LogEvent
from edge.evidence.reading import SheetReading
from edge.evidence.store import Books, SheetStore, StoreError
from edge.station.commands import (
    AcceptSheet,
    AnsweredCommand,
    AskSensors,
    CommitSheet,
    Connect,
    Disconnect,
    ErasePending,
    EvidenceCommand,
    Interpret,
    KeepReturned,
    MarkPending,
    NoteEvents,
    OpenPolls,
    PausePolls,
    ReadEvidence,
    ReturnSheet,
    ScannerCommand,
    StartFeeding,
    StopFeeding,
    TendEvidence,
    UnansweredCommand,
    WritePending,
)
from edge.station.events import (
    Connected,
    ConnectFailed,
    Event,
    EvidenceFailed,
    EvidenceRead,
    EvidenceTold,
    EvidenceTrouble,
    FromScanner,
    Interpreted,
    InterpreterFailed,
    PendingErased,
    PendingMarked,
    PendingWritten,
    PollsSet,
    SensorsRead,
    SheetCommitted,
    VerbRefused,
)
from firmware_bridge.scanner import Scanner, ScannerError, ScannerEvent, ScannerLost, SheetImages

_MOST_UNWRITTEN = 200
"""Events that are kept in memory while the evidence fails; the earliest are dropped."""

Post = Callable[[Event], None]
ConnectScanner = Callable[[Callable[[ScannerEvent], None]], Scanner]
ReadSheet = Callable[[SheetImages], SheetReading]


class Worker:
    """A thread that does jobs in order. A job that raises is a mistake of ours: `failed` is told, and the next job is done."""

    def __init__(self, name: str, failed: Callable[[BaseException], None]) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._failed = failed
        self._begun: float | None = None
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, job: Callable[[], None]) -> None:
        """Have a job done after those that were submitted before."""
        self._jobs.put(job)

    def progressed(self) -> None:
        """The present job is long, but not stuck; called by the job itself."""
        self._begun = monotonic()

    def busy_s(self) -> float:
        """Seconds that the present job has taken so far, or since it last progressed; 0 when there is none."""
        begun = self._begun
        return 0.0 if begun is None else monotonic() - begun

    def stop(self, limit_s: float) -> bool:
        """Finish what was submitted and end; whether that was done within the limit."""
        self._jobs.put(None)
        self._thread.join(limit_s)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._begun = monotonic()
            try:
                job()
            except Exception as error:  # noqa: BLE001  nothing may end this thread
                self._failed(error)
            finally:
                self._begun = None


class ScannerWorker:
    """Carries out commands on the one scanner that may be connected."""

    def __init__(self, worker: Worker, connect: ConnectScanner, post: Post) -> None:
        self._worker = worker
        self._connect = connect
        self._post = post
        self._scanner: Scanner | None = None
        self._session = 0

    def submit(self, command: ScannerCommand) -> None:
        """Have a command carried out; without a scanner nothing happens, since its loss has been posted before."""
        scanner = self._scanner
        if isinstance(command, Disconnect) and scanner is not None:
            # A verb can wait for minutes, while paper at the front keeps the scanner from answering: it is cut short.
            threading.Thread(target=scanner.close, name="scanner close", daemon=True).start()
        self._worker.submit(lambda: self._do(command))

    def _do(self, command: ScannerCommand) -> None:
        if isinstance(command, Connect):
            self._open(command.session)
        elif isinstance(command, Disconnect):
            self._close()
        elif self._scanner is not None:
            self._verb(self._scanner, command)

    def _open(self, session: int) -> None:
        self._close()
        self._session = session
        try:
            scanner = self._connect(lambda report: self._post(FromScanner(session, report)))
        except ScannerError as error:
            self._post(ConnectFailed(session, error.code, error.detail, error.hint))
            return
        except Exception as error:  # noqa: BLE001  a mistake in a driver must not leave the station waiting
            self._post(ConnectFailed(session, "scannerConfused", f"the driver failed: {error!r}", ""))
            return
        self._scanner = scanner
        self._post(Connected(session, scanner.identity))

    def _close(self) -> None:
        if self._scanner is not None:
            self._scanner.close()
            self._scanner = None

    def _verb(self, scanner: Scanner, command: ScannerCommand) -> None:
        try:
            match command:
                case AskSensors(number=number):
                    self._post(SensorsRead(number, scanner.sensors()))
                case StartFeeding():
                    scanner.start_feeding()
                case StopFeeding():
                    scanner.stop_feeding()
                case AcceptSheet():
                    scanner.accept_sheet()
                case ReturnSheet():
                    scanner.return_sheet()
        except ScannerError as error:
            if error.code == "scannerFeeding":
                self._post(VerbRefused(self._session, error.code, error.detail))
            else:
                # The driver may have posted the same loss; only the first one counts.
                self._post(FromScanner(self._session, ScannerLost(error.code, error.detail, error.hint)))
        except Exception as error:  # noqa: BLE001  as above
            self._post(FromScanner(self._session, ScannerLost("scannerConfused", f"the driver failed: {error!r}", "")))


class InterpreterWorker:
    """Reads sheets."""

    def __init__(self, worker: Worker, read: ReadSheet, post: Post) -> None:
        self._worker = worker
        self._read = read
        self._post = post

    def submit(self, command: Interpret) -> None:
        """Have a sheet read."""
        self._worker.submit(lambda: self._do(command))

    def _do(self, command: Interpret) -> None:
        try:
            event: Event = Interpreted(command.sheet, self._read(command.images))
        except Exception as error:  # noqa: BLE001  whatever it is, the sheet goes back
            # Only the kind of the error: its text could quote the sheet.
            event = InterpreterFailed(command.sheet, type(error).__name__)
        self._post(event)


class EvidenceWorker:
    """Keeps the books."""

    def __init__(self, worker: Worker, store: SheetStore, post: Post) -> None:
        self._worker = worker
        self._store = store
        self._post = post
        self._unwritten: list[LogEvent] = []

    def submit(self, command: EvidenceCommand) -> None:
        """Have a command carried out."""
        self._worker.submit(lambda: self._do(command))

    def close(self) -> None:
        """Let go of the store after everything that was submitted; SQLite wants that from its own thread."""
        self._worker.submit(self._store.close)

    def _do(self, command: EvidenceCommand) -> None:
        try:
            event = self._told(command) if isinstance(command, UnansweredCommand) else self._answer(command)
        except StoreError as error:
            event = self._failure(command, error.code, error.detail)
        except Exception as error:  # noqa: BLE001  as for the scanner; only the kind: the text could quote the sheet
            event = self._failure(command, "storeConfused", f"the store failed: {type(error).__name__}")
        self._post(event)

    def _failure(self, command: EvidenceCommand, code: str, detail: str) -> Event:
        if isinstance(command, UnansweredCommand):
            return EvidenceTrouble(code, detail)
        return EvidenceFailed(command.number, code, detail)

    def _told(self, command: UnansweredCommand) -> Event:
        match command:
            case KeepReturned(reading=reading):
                return EvidenceTold(self._kept(reading))
            case NoteEvents(events=events):
                # What could not be written down while the evidence failed is written as soon as it can be.
                self._unwritten = [*self._unwritten, *events][-_MOST_UNWRITTEN:]
                books = self._store.note(self._unwritten)
                self._unwritten = []
                return EvidenceTold(books)
            case TendEvidence():
                return EvidenceTold(self._store.tend())

    def _kept(self, reading: SheetReading) -> Books:
        try:
            return self._store.keep_returned(reading)
        except StoreError:
            # Its pictures are lost, but not that there was one.
            self._unwritten.append(LogEvent("sheetReturned", {"why": "rejected"}))
            raise

    def _answer(self, command: AnsweredCommand) -> Event:
        match command:
            case ReadEvidence(number=number):
                return EvidenceRead(number, self._store.read())
            case WritePending(number=number, reading=reading):
                self._store.write_pending(reading)
                return PendingWritten(number)
            case OpenPolls(number=number):
                return PollsSet(number, self._store.open_polls())
            case PausePolls(number=number):
                return PollsSet(number, self._store.pause_polls())
            case MarkPending(number=number, stage=stage):
                self._store.mark_pending(stage)
                return PendingMarked(number)
            case CommitSheet(number=number):
                return SheetCommitted(number, self._store.commit())
            case ErasePending(number=number):
                return PendingErased(number, self._store.erase())
