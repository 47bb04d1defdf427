"""The daemon in this process: its own threads, the emulated scanner behind pyusb, gpiozero's mock pins, a store on disk."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from gpiozero.pins.mock import MockFactory

from edge.definition.election import Election
from edge.definition.settings import SystemSettings
from edge.evidence.store import SheetStore
from edge.station.config_sections import InputName, OutputName
from edge.station.daemon import Daemon, Outside
from edge.station.events import CastPressed, PollsTurned, ReturnPressed, StopRequested
from edge.station.journal import Journal, Record, Sink
from edge.station.notify import Notifier
from edge.station.panel import ButtonName, Panel
from edge.station.sheet import sheet_reader
from edge.station.state import Limits
from edge.station.status import StatusDocument
from edge.station.workers import ReadSheet
from firmware_bridge.pagescan6.driver import connect
from firmware_bridge.pagescan6.settings import ScannerSettings
from hil.rig.evidence import rig_store
from hil.scanner.emulator import EmulatedScanner
from hil.usb.backend import PortBackend
from hil.usb.in_process import InProcessPort

OUTPUTS: Mapping[OutputName, int] = {"accept": 2, "reject": 3, "review": 4, "ready": 5, "fault": 6, "buzzer": 7}
INPUTS: Mapping[InputName, int] = {"cast": 8, "return": 9, "polls": 10}
QUICK = Limits(
    rest=0,
    scan=3_000,
    interpret=10_000,
    accept=1_000,
    turn_back=1_000,
    poll=10,
    idle_poll=20,
    reconnect_first=20,
    reconnect_most=200,
    fault_pause=20,
    accepted_signal=50,
)
"""For a scanner whose motions take milliseconds."""
_KEPT_DOCUMENTS = 10_000


class Records(Sink):
    """Keeps the journal's latest records instead of writing them anywhere."""

    def __init__(self) -> None:
        self.kept: deque[Record] = deque(maxlen=_KEPT_DOCUMENTS)

    def send(self, record: Record) -> None:
        """Keep a record."""
        self.kept.append(record)


class Watch:
    """Every status document that the daemon published, and a way to wait for one."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.documents: deque[StatusDocument] = deque(maxlen=_KEPT_DOCUMENTS)

    def publish(self, document: StatusDocument) -> None:
        """Take a document from the daemon."""
        with self._changed:
            self.documents.append(document)
            self._changed.notify_all()

    def wait_for(self, wanted: Callable[[StatusDocument], bool], seconds: float) -> StatusDocument:
        """Wait until the latest document is as wanted.

        Raises:
            TimeoutError: it was not in time; the message says what the station said last.
        """
        with self._changed:
            found = self._changed.wait_for(lambda: bool(self.documents) and wanted(self.documents[-1]), seconds)
            if not found:
                last = [f"{document.state} ({document.reason})" for document in list(self.documents)[-8:]]
                raise TimeoutError(f"not in {seconds} s; the last states: {', '.join(last)}")
            return self.documents[-1]

    @property
    def latest(self) -> StatusDocument:
        """The latest document."""
        with self._changed:
            return self.documents[-1]


class StationRig:
    """A station at work from `with` to its end.

    Args:
        folder: Where the evidence is kept.
        scanner: The emulated scanner, started; it outlives the station.
        election: What is being voted on.
        settings: How strictly.
        limits: How long the station waits for what.
        scanner_settings: The driver's settings.
        store: The books; by default on disk in `folder`.
        read: What reads the sheets; by default the interpreter.
    """

    def __init__(
        self,
        folder: Path,
        scanner: EmulatedScanner,
        election: Election,
        *,
        settings: SystemSettings | None = None,
        limits: Limits = QUICK,
        scanner_settings: ScannerSettings | None = None,
        store: SheetStore | None = None,
        read: ReadSheet | None = None,
    ) -> None:
        self.scanner = scanner
        self.watch = Watch()
        self.records = Records()
        self._journal = Journal(self.records)
        self.backend = PortBackend(InProcessPort(scanner))
        driver = scanner_settings or ScannerSettings()
        outside = Outside(
            connect=lambda on_event: connect(driver, on_event, backend=self.backend),
            read=read or sheet_reader(election, settings or SystemSettings()),
            store=store or rig_store(folder),
            journal=self._journal,
            notifier=Notifier(None, None),
        )
        self.daemon = Daemon(limits, outside, "rig")
        self.pins = MockFactory()
        for number in INPUTS.values():
            self.pins.pin(number)
        self.panel = Panel(
            self.pins,
            outputs=OUTPUTS,
            inputs=INPUTS,
            on_press=lambda name: self.daemon.post(CastPressed() if name == "cast" else ReturnPressed()),
            on_polls=lambda is_open: self.daemon.post(PollsTurned(is_open)),
            bounce_ms=0,
        )
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="station", daemon=True)

    def __enter__(self) -> Self:
        self.turn_polls(is_open=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.daemon.post(StopRequested())
        self._thread.join(30)
        self._journal.close()
        if kind is None:
            if self._thread.is_alive():
                raise TimeoutError("the station did not end")
            if self._failure is not None:
                raise self._failure

    def _run(self) -> None:
        try:
            self.daemon.run(self.panel, self.watch, follow_switch=True)
        except BaseException as error:  # noqa: BLE001  the rig's user is told at the end
            self._failure = error

    def press(self, name: ButtonName) -> None:
        """Press a button, `cast` or `return`, and let go of it."""
        pin = self.pins.pin(INPUTS[name])
        pin.drive_low()
        pin.drive_high()

    def turn_polls(self, *, is_open: bool) -> None:
        """Turn the key switch."""
        pin = self.pins.pin(INPUTS["polls"])
        if is_open:
            pin.drive_low()
        else:
            pin.drive_high()

    def forget_history(self) -> None:
        """Drop what gpiozero's mock pins remember of every change; a long run would fill the memory with it."""
        for number in (*OUTPUTS.values(), *INPUTS.values()):
            self.pins.pin(number).clear_states()

    def lit(self) -> frozenset[str]:
        """The outputs that are lit at this moment, by their pins."""
        return frozenset(name for name, number in OUTPUTS.items() if self.pins.pin(number).state)

    def wait_for(
        self, *states: str, count: int | None = None, reason: str | None = None, seconds: float = 20.0
    ) -> StatusDocument:
        """Wait until the station is in one of these states, with this count and reason where they are given."""

        def wanted(document: StatusDocument) -> bool:
            return (
                document.state in states
                and (count is None or document.count == count)
                and (reason is None or document.reason == reason)
            )

        return self.watch.wait_for(wanted, seconds)
