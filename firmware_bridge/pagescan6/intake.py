"""What happens when the scanner says something: scans are followed to their images, everything else is passed on."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable

from firmware_bridge.pagescan6 import commands
from firmware_bridge.pagescan6.event_codes import EventKind
from firmware_bridge.pagescan6.images import Calibration, ImageError, assemble
from firmware_bridge.pagescan6.messages import Event, Message
from firmware_bridge.pagescan6.reports import Reports
from firmware_bridge.pagescan6.session import Session
from firmware_bridge.pagescan6.settings import ScannerSettings
from firmware_bridge.pagescan6.sheet_scan import Phase, SheetScan
from firmware_bridge.pagescan6.usb_errors import scanner_error
from firmware_bridge.pagescan6.usb_link import Clock
from firmware_bridge.scanner import ScanFailed, ScannerError, ScannerEvent, ScannerLost, ScanStarted, SheetScanned

OnEvent = Callable[[ScannerEvent], None]

_log = logging.getLogger(__name__)


class Intake:
    """The `Listener` of a session; runs in its threads.

    Attributes:
        scan: Where the present scan stands.
        reports: Translates all that has nothing to do with a scan.
        calibration: What the next image is calibrated with; None until the scanner was asked.
        calibration_is_old: The scanner was calibrated anew since.
        pause_limit: Until when the scanner may be busy waiting for the paper at its front to go, in seconds of the clock; None
            when it does not wait. It queues commands meanwhile, and answers them late.
    """

    def __init__(self, session: Session, settings: ScannerSettings, on_event: OnEvent, clock: Clock) -> None:
        self.scan = SheetScan(settings.image_limit_bytes)
        self.reports = Reports()
        self.calibration: Calibration | None = None
        self.calibration_is_old = False
        self.pause_limit: float | None = None
        self._session = session
        self._settings = settings
        self._clock = clock
        self._on_event = on_event
        self._delivering = threading.Lock()
        self._early: list[ScannerEvent] | None = []
        self._silent = False
        self._draining = False
        self._drain_until = 0.0

    def deliver(self) -> None:
        """From now on events are delivered; those that came before are delivered first.

        Raises:
            ScannerError: The session has failed already, and no event will follow.
        """
        with self._delivering:
            self._session.check()
            early, self._early = self._early or [], None
            for event in early:
                self._tell(event)

    def silence(self) -> None:
        """From now on nothing is delivered."""
        self._silent = True

    # What the session tells

    def heard(self, message: Message) -> None:
        """Follow the scan, or pass a report on."""
        match message:
            case Event(kind=EventKind.BEGIN_SCAN):
                self.scan.begun()
                self._pass_on(ScanStarted())
            case Event(kind=EventKind.END_SCAN):
                # At once: a sheet that did not get as far as the rear sensors would start another scan by itself.
                self._session.interject(commands.FEEDER_OFF)
                self._drain_until = self._clock() + self._settings.drain_limit_seconds
                self.scan.ended()
            case Event(kind=EventKind.FIFO_OVERFLOW) if self.scan.overflowed():
                pass  # told when the scan ends
            case _:
                if isinstance(message, Event):
                    self._note(message.kind)
                report = self.reports.of(message)
                if report is not None:
                    self._pass_on(report)

    def _note(self, kind: EventKind) -> None:
        match kind:
            case EventKind.CALIBRATION_OKAY:
                self.calibration_is_old = True
            case EventKind.EJECT_PAUSED:
                self.pause_limit = self._clock() + self._settings.pause_seconds
            case EventKind.EJECT_RESUMED:
                self.pause_limit = None
            case _:
                pass

    def pausing(self) -> bool:
        """Whether the scanner may be waiting for the paper at its front to go."""
        return self.pause_limit is not None and self._clock() < self.pause_limit

    def next_image_read(self) -> float:
        """Long while nothing is expected, so that an idle station costs nothing; short when an end has to be noticed."""
        self._draining = self.scan.phase is Phase.ENDING
        if self._draining:
            return self._settings.drain_quiet_seconds
        return self._settings.image_read_seconds if self.scan.streaming else self._settings.idle_read_seconds

    def pixels(self, data: memoryview) -> None:
        """Keep them; those that come long after the end of their scan cost the sheet."""
        self.scan.add(data)
        if self._draining and self._clock() > self._drain_until:
            self.scan.spoil("pixels went on coming after the end of the scan")
            self._finish()

    def no_pixels(self) -> None:
        """After the end of a scan this is the silence that says that all pixels are here."""
        if self._draining and self.scan.phase is Phase.ENDING:
            self._finish()

    def lost(self, error: ScannerError) -> None:
        """Say so, as the last that is said."""
        # What the callee raises now can end nothing any more; it has been logged.
        with contextlib.suppress(ScannerError):
            self._pass_on(ScannerLost(error.code, error.detail, error.hint))

    def _finish(self) -> None:
        event = self._images(self.scan.hand_over())
        self._pass_on(self.scan.finish() or event)

    def _images(self, pixels: bytearray) -> SheetScanned | ScanFailed:
        try:
            return SheetScanned(assemble(pixels, self.calibration, self._settings))
        except ImageError as error:
            return ScanFailed(error.code, error.detail)

    def _pass_on(self, event: ScannerEvent) -> None:
        with self._delivering:
            if self._early is None:
                self._tell(event)
            else:
                self._early.append(event)

    def _tell(self, event: ScannerEvent) -> None:
        if self._silent:
            return
        if isinstance(event, ScannerLost):
            self._silent = True
        try:
            self._on_event(event)
        except Exception as error:
            _log.exception("on_event failed")
            raise scanner_error(
                "scannerConfused", f"on_event failed at {type(event).__name__}: {type(error).__name__}"
            ) from error
