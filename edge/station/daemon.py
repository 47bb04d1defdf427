"""The loop around the state machine: events in, commands out, lamps and records on the way. It decides nothing."""

from __future__ import annotations

import queue
from collections.abc import Callable
from dataclasses import asdict, dataclass
from time import monotonic_ns
from typing import Protocol

from edge.evidence.events import LogEvent
from edge.evidence.store import SheetStore
from edge.station.commands import Command, Exit, Interpret, NoteEvents, ScannerCommand, TendEvidence
from edge.station.entries import Step
from edge.station.events import (
    CastPressed,
    Connected,
    Event,
    EvidenceRead,
    EvidenceTrouble,
    FromScanner,
    InterpreterFailed,
    PollsTurned,
    ReturnPressed,
    StopRequested,
    Tick,
)
from edge.station.happenings import happenings
from edge.station.journal import Journal, Priority
from edge.station.machine import start, step
from edge.station.notify import Notifier
from edge.station.panel import Panel, PanelError
from edge.station.sentences import sentence
from edge.station.state import Limits, StateName, Station, next_wake, signal_of
from edge.station.status import StatusDocument
from edge.station.workers import ConnectScanner, EvidenceWorker, InterpreterWorker, ReadSheet, ScannerWorker, Worker
from firmware_bridge.scanner import ScannerTrouble, UnknownReport

_STUCK_S = 90.0
"""A worker that has been at one job for this long will not come back; the watchdog then starts the process anew."""
_STOP_LIMIT_S = 10.0
_TEND_MS = 60_000
"""How often the evidence is asked to do what falls due with time."""
_PANEL_RETRY_MS = 1_000
_WARNINGS = frozenset({StateName.DISCONNECTED, StateName.COVER_OPEN, StateName.JAMMED, StateName.FAULT})


def monotonic_ms() -> int:
    """Milliseconds of the monotonic clock."""
    return monotonic_ns() // 1_000_000


class StatusSink(Protocol):
    """Takes the status document at each change."""

    def publish(self, document: StatusDocument) -> None:
        """Never waits."""


@dataclass(frozen=True, slots=True)
class Outside:
    """What the daemon reaches of the world, behind interfaces; nothing else differs between the board, a test and the demo.

    Attributes:
        connect: Reaches the scanner, or raises ScannerError.
        read: Interprets and decides; pure.
        store: The books.
        journal: Takes records.
        notifier: Tells systemd.
        clock: Milliseconds, monotonic.
        software_sha256: Hash over the software's own files, for the event log.
    """

    connect: ConnectScanner
    read: ReadSheet
    store: SheetStore
    journal: Journal
    notifier: Notifier
    clock: Callable[[], int] = monotonic_ms
    software_sha256: bytes = b""


class Daemon:
    """One station. `post` may be called from any thread and from signal handlers."""

    def __init__(self, limits: Limits, outside: Outside, software: str) -> None:
        self._limits = limits
        self._outside = outside
        self._software = software
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._workers = [Worker(name, self._worker_failed) for name in ("scanner", "interpreter", "evidence")]
        self._scanner = ScannerWorker(self._workers[0], outside.connect, self.post)
        self._interpreter = InterpreterWorker(self._workers[1], outside.read, self.post)
        self._evidence = EvidenceWorker(self._workers[2], outside.store, self.post)
        self._begun = outside.clock()
        self._problems: dict[str, None] = {}
        self._fed: int | None = None
        self._tended: int | None = None
        self._published: tuple[object, ...] | None = None

    def post(self, event: Event) -> None:
        """Have an event handled."""
        self._events.put(event)

    def run(self, panel: Panel, status: StatusSink, *, follow_switch: bool) -> None:
        """Work until a StopRequested has been carried out; then everything is let go and the lines are released.

        Args:
            panel: Lamps, buzzer, buttons.
            status: Learns of every change.
            follow_switch: The key switch opens and closes the polls; otherwise they are open.
        """
        now = self._outside.clock()
        polls_open = not follow_switch or panel.polls_open is True
        station = self._carry_out(None, start(self._limits, polls_open=polls_open, now=now), panel, status, now)
        self._outside.notifier.ready(sentence(station))
        while not station.ended:
            event = self._next_event(station, self._lamps(panel, station, now), now)
            if isinstance(event, PollsTurned) and not follow_switch:
                continue
            now = self._outside.clock()
            self._note(event)
            station = self._step(station, event, panel, status, now)
            due = next_wake(station, now)
            if due is not None and due <= now and not isinstance(event, Tick):
                # A stream of events must not keep time from passing.
                station = self._step(station, Tick(), panel, status, now)
            self._tend(now)
        self._stop(panel, station)

    def _step(self, station: Station, event: Event, panel: Panel, status: StatusSink, now: int) -> Station:
        after, commands = step(station, event, now)
        events = list(happenings(station, event, after, commands))
        if isinstance(event, EvidenceRead) and self._tended is None:
            self._tended = now
            about: dict[str, str | int | bool] = {
                "software": self._software,
                "softwareSha256": self._outside.software_sha256.hex(),
                "count": event.books.count,
            }
            events.insert(0, LogEvent("stationStarted", about))
        told = self._carry_out(station, (after, commands), panel, status, now)
        if events and self._tended is not None:
            self._evidence.submit(NoteEvents(tuple(events)))
        return told

    def _tend(self, now: int) -> None:
        """From the first reading of the evidence on, have it do what falls due."""
        if self._tended is not None and now - self._tended >= _TEND_MS:
            self._tended = now
            self._evidence.submit(TendEvidence())

    def _next_event(self, station: Station, panel_change: int | None, now: int) -> Event:
        """Wait for an event, but no longer than until something is due."""
        watchdog = self._feed_watchdog(now)
        tend = None if self._tended is None else self._tended + _TEND_MS
        times = [time for time in (next_wake(station, now), panel_change, watchdog, tend) if time is not None]
        wait = None if not times else max(0, min(times) - now) / 1000
        try:
            return self._events.get(timeout=wait)
        except queue.Empty:
            return Tick()

    def _feed_watchdog(self, now: int) -> int | None:
        """Feed it when the loop has come round and no worker is stuck; gives the time of the next feeding."""
        limit = self._outside.notifier.watchdog_interval_ms
        if limit is None:
            return None
        interval = max(1, limit // 2)
        if self._fed is None or now - self._fed >= interval:
            if any(worker.busy_s() > _STUCK_S for worker in self._workers):
                return now + interval
            self._outside.notifier.watchdog()
            self._fed = now
        return self._fed + interval

    def _carry_out(self, before: Station | None, after: Step, panel: Panel, status: StatusSink, now: int) -> Station:
        station, commands = after
        for command in commands:
            self._command(command)
        self._lamps(panel, station, now)
        if before is None or (before.name, before.reason) != (station.name, station.reason):
            self._record(station)
        visible = _visible(station, now)
        if visible != self._published:
            self._published = visible
            status.publish(self._document(station, panel, now))
        return station

    def _lamps(self, panel: Panel, station: Station, now: int) -> int | None:
        """Show the signal; a line that fails is reported once and does not stop the station."""
        try:
            return panel.show(signal_of(station, now), now)
        except PanelError as error:
            if error.code not in self._problems:
                self._problems[error.code] = None
                self._outside.journal.write("panel", "A line of the panel fails.", Priority.ERROR, detail=error.detail)
            return now + _PANEL_RETRY_MS

    def _command(self, command: Command) -> None:
        match command:
            case Interpret():
                self._interpreter.submit(command)
            case Exit():
                pass
            case _ if isinstance(command, ScannerCommand):
                self._scanner.submit(command)
            case _:
                self._evidence.submit(command)

    def _record(self, station: Station) -> None:
        """The state and its reason; never what is on a sheet."""
        text = sentence(station)
        priority = Priority.WARNING if station.name in _WARNINGS else Priority.INFO
        reason = station.reason or ""
        self._outside.journal.write("state", text, priority, state=str(station.name), reason=reason, count=station.count)
        self._outside.notifier.status(text)

    def _note(self, event: Event) -> None:
        """Record what would otherwise leave no trace."""
        journal = self._outside.journal
        match event:
            case FromScanner(report=UnknownReport(raw=raw)):
                journal.write("unknownReport", "The scanner sent something unknown.", Priority.WARNING, raw=raw[:64].hex())
            case FromScanner(report=ScannerTrouble(code=code, detail=detail)):
                self._problems[code] = None
                journal.write("scannerTrouble", f"The scanner complains: {detail}", Priority.WARNING, code=code)
            case Connected(identity=identity):
                self._problems.clear()
                said = {"family": identity.family, "product": identity.product, "firmware": identity.firmware}
                journal.write("scanner", "The scanner is connected.", **said, serial_number=identity.serial_number)
            case EvidenceTrouble(code=code, detail=detail):
                journal.write("evidence", f"The evidence could not be written: {detail}", Priority.ERROR, code=code)
            case InterpreterFailed(detail=detail):
                journal.write("interpreterFailed", "The interpreter failed.", Priority.ERROR, detail=detail)
            case CastPressed() | ReturnPressed():
                journal.write("button", "A button was pressed.", button="cast" if isinstance(event, CastPressed) else "return")
            case PollsTurned(is_open=is_open):
                journal.write("polls", "The key switch was turned.", Priority.NOTICE, open=is_open)
            case StopRequested():
                journal.write("stop", "The station was asked to end.", Priority.NOTICE)
            case _:
                pass

    def _document(self, station: Station, panel: Panel, now: int) -> StatusDocument:
        scanner = station.scanner
        last = station.last_sheet
        return StatusDocument(
            state=str(station.name),
            reason=station.reason,
            sentence=sentence(station),
            since_ms=now - station.since,
            signal=str(signal_of(station, now)),
            lamps=asdict(panel.levels),
            count=station.count,
            polls="open" if station.polls_open else "closed",
            scanner=None
            if scanner is None
            else {
                "family": scanner.family,
                "product": scanner.product,
                "firmware": scanner.firmware,
                "serialNumber": scanner.serial_number,
            },
            last_sheet=None
            if last is None
            else {"outcome": last.outcome, "reasons": last.reasons, **({"details": last.details} if last.details else {})},
            problems=(*self._problems, *station.books.alarms),
            software=self._software,
            uptime_ms=now - self._begun,
            tally_sheets=station.books.tally_sheets,
        )

    def _worker_failed(self, error: BaseException) -> None:
        self._outside.journal.write("workerFailed", "A worker failed; report this.", Priority.ERROR, detail=type(error).__name__)

    def progressed(self) -> None:
        """The evidence is at something long; called from its own thread."""
        self._workers[2].progressed()

    def _stop(self, panel: Panel, station: Station) -> None:
        self._outside.notifier.stopping("The station ends.")
        try:
            panel.release()
        except PanelError as error:
            self._outside.journal.write("panel", "A line of the panel fails.", Priority.ERROR, detail=error.detail)
        if self._tended is not None:
            self._evidence.submit(NoteEvents((LogEvent("stationStopped", {"count": station.count}),)))
        self._evidence.close()
        late = [worker for worker in self._workers if not worker.stop(_STOP_LIMIT_S)]
        if late:
            self._outside.journal.write("stop", "A worker did not end in time.", Priority.ERROR)


def _visible(station: Station, now: int) -> tuple[object, ...]:
    """What the status document shows of a station."""
    return (
        station.name,
        station.reason,
        station.detail,
        station.books,
        station.polls_open,
        station.scanner,
        station.last_sheet,
        signal_of(station, now),
    )
