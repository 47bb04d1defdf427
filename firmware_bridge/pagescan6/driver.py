"""The driver: `connect` gives a `PageScan6`, which keeps the contract of `firmware_bridge.scanner.Scanner`."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from firmware_bridge.pagescan6 import commands, feeding, handshake
from firmware_bridge.pagescan6.intake import Intake, OnEvent
from firmware_bridge.pagescan6.messages import Status
from firmware_bridge.pagescan6.session import Session
from firmware_bridge.pagescan6.settings import ScannerSettings
from firmware_bridge.pagescan6.usb_errors import scanner_error
from firmware_bridge.pagescan6.usb_link import Clock, open_link
from firmware_bridge.scanner import ScannerError, ScannerIdentity, Sensors


def connect(
    settings: ScannerSettings,
    on_event: OnEvent,
    backend: object | None = None,
    clock: Clock = time.monotonic,
) -> PageScan6:
    """Take the scanner and lead it to rest: feeder off, nothing moving.

    Args:
        settings: How it is driven.
        on_event: Called for every event, one call at a time, from the driver's threads (and, for what came during the opening
            conversation, from the caller's right before `connect` returns). It must not block, and may call `close` but no other
            verb. What it raises ends the connection as scannerConfused.
        backend: A pyusb backend; None = libusb.
        clock: Seconds, monotonic.

    Raises:
        ScannerError: usbUnavailable, scannerNotFound, scannerBusy, scannerForbidden, scannerDisconnected, scannerSilent,
            scannerConfused or scannerNotAllowed. Everything has been given back then, and no event follows.
    """
    session = Session(open_link(settings, backend, clock), settings, clock)
    intake = Intake(session, settings, on_event, clock)
    session.start(intake)
    try:
        handshake.greet(session, settings, clock)
        identity, intake.calibration = handshake.set_up(session, settings, clock)
        intake.deliver()
    except BaseException as error:
        intake.silence()
        session.close()
        if isinstance(error, ScannerError) and session.failure is not None:
            # What broke the session says more than the question that stayed unanswered.
            raise session.failure from error
        raise
    return PageScan6(session, intake, identity, settings)


class PageScan6:
    """A connected PageScan 6; made by `connect`.

    Every verb raises ScannerError: scannerDisconnected once the connection is over, and all but `stop_feeding` scannerFeeding
    from `start_feeding` to the end of the scan, because whatever is sent in that time spoils it. A failed transfer ends the
    connection.
    """

    def __init__(self, session: Session, intake: Intake, identity: ScannerIdentity, settings: ScannerSettings) -> None:
        self._session = session
        self._intake = intake
        self._identity = identity
        self._settings = settings
        self._one_verb = threading.Lock()

    @property
    def identity(self) -> ScannerIdentity:
        """Which scanner this is."""
        return self._identity

    def sensors(self) -> Sensors:
        """Ask for the state of the sensors; raises scannerSilent after `status_seconds`.

        While the motion into the box waits for the front to be clear the scanner answers late, and is given `pause_seconds`.
        """
        with self._verb():
            status = self._session.ask(commands.STATUS, Status, self._settings.status_seconds, self._intake.pausing)
        return Sensors(
            front=status.front_covered,
            rear=status.rear_covered,
            sheet_inside=status.sheet_inside,
            cover_open=status.cover_open,
            jammed=status.jammed,
            feeding=status.feeder_on,
            calibration_needed=status.calibration_needed,
        )

    def start_feeding(self) -> None:
        """Take the next sheet that is put in; from here on nothing is sent until its scan has ended or `stop_feeding` is called.

        Raises scannerSilent when a setting is not confirmed within `reply_seconds`; the feeder is still off then.
        """
        with self._verb():
            if self._intake.calibration_is_old:
                self._intake.calibration = handshake.read_calibration(self._session, self._settings.reply_seconds)
                self._intake.calibration_is_old = False
            feeding.prepare(self._session, self._settings)
            # Before the feeder is on: the beginning of the scan may follow at once.
            self._intake.scan.want()
            self._session.send(commands.FEEDER_ON)

    def stop_feeding(self) -> None:
        """Take no sheet. A scan that has already begun is spoilt by this, and still ends with a ScanFailed."""
        with self._one_verb:
            self._session.send(commands.FEEDER_OFF)
            self._intake.scan.abandon()

    def accept_sheet(self) -> None:
        """Begin to move the held sheet into the box; it waits while there is paper at the front."""
        self._send_all(feeding.ACCEPT)

    def return_sheet(self) -> None:
        """Begin to move the held sheet back to the front and hold it there for its owner."""
        self._send_all(feeding.RETURN)

    def release_sheet(self) -> None:
        """Begin to push the held sheet out at the front and let go of it."""
        self._send_all(feeding.RELEASE)

    def calibrate_image_sensors(self) -> None:
        """Begin to calibrate with the white sheet that lies at the front; a CalibrationEnded follows."""
        self._intake.reports.calibration_begins()
        self._send_all((commands.CALIBRATE_IMAGE_SENSORS,))

    def calibrate_double_feed(self, sheets: Literal["single", "double"]) -> None:
        """Begin one step of the double-feed calibration (double first, then single); a CalibrationEnded follows."""
        step = commands.CALIBRATE_DOUBLE_FEED_SINGLE if sheets == "single" else commands.CALIBRATE_DOUBLE_FEED_DOUBLE
        self._intake.reports.calibration_begins()
        self._send_all((commands.DOUBLE_FEED_OFF, step))

    def read_register(self, index: int) -> int:
        """Ask for a register, 0 to 0xfff; raises scannerSilent after `reply_seconds`."""
        with self._verb():
            return handshake.read_register(self._session, index, self._settings.reply_seconds)

    def write_register(self, index: int, value: int) -> None:
        """Write 32 bits into a register until the power goes; raises scannerConfused when it holds another value afterwards."""
        with self._verb():
            handshake.write_register(self._session, index, value, self._settings.reply_seconds)

    def close(self) -> None:
        """End the connection; never raises, and may be called more than once.

        Called from another thread than the driver's, both of the driver's threads are gone and the device is free when this
        returns. Called from `on_event` it returns at once, and the device is free shortly after `on_event` has returned.
        """
        self._intake.silence()
        if self._intake.scan.feeding:
            # Nobody would be there for the next sheet.
            with contextlib.suppress(ScannerError):
                self._session.send(commands.FEEDER_OFF)
        self._session.close()

    @contextmanager
    def _verb(self) -> Iterator[None]:
        with self._one_verb:
            self._session.check()
            if self._intake.scan.feeding:
                raise scanner_error("scannerFeeding", "nothing may be sent until the scan has ended")
            yield

    def _send_all(self, bodies: tuple[bytes, ...]) -> None:
        with self._verb():
            for body in bodies:
                self._session.send(body)
