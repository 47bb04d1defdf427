"""The opening conversation: a sign of life, who it is, what happens at its next boot, and its calibration."""

from __future__ import annotations

import time
from typing import Final

from firmware_bridge.pagescan6 import commands
from firmware_bridge.pagescan6.images import Calibration
from firmware_bridge.pagescan6.messages import CalibrationTable, FirmwareVersion, PingReply, RegisterValue, SerialNumber
from firmware_bridge.pagescan6.session import Session
from firmware_bridge.pagescan6.settings import ScannerSettings
from firmware_bridge.pagescan6.usb_errors import scanner_error
from firmware_bridge.pagescan6.usb_link import Clock
from firmware_bridge.scanner import ScannerError, ScannerIdentity

FAMILY: Final = "pagescan6"


def greet(session: Session, settings: ScannerSettings, clock: Clock) -> None:
    """Have the check bytes of commands looked at, and ping until there is an answer.

    The first question after a connect can stay unanswered as long as check bytes are not looked at, so both are sent again.

    Raises:
        ScannerError: scannerSilent after `greet_seconds`.
    """
    deadline = clock() + settings.greet_seconds
    while True:
        session.send(commands.CHECK_CRC)
        try:
            session.ask(commands.TEST_STRING, PingReply, settings.greet_reply_seconds)
        except ScannerError as error:
            if error.code != "scannerSilent":
                raise
            if clock() + settings.greet_pause_seconds >= deadline:
                raise scanner_error("scannerSilent", f"no sign of life within {settings.greet_seconds:.2f} s") from error
            time.sleep(settings.greet_pause_seconds)
        else:
            return


def set_up(session: Session, settings: ScannerSettings, clock: Clock) -> tuple[ScannerIdentity, Calibration]:
    """Switch the feeder off, learn who it is and its calibration, and set its boot register if need be.

    Nothing is written into a scanner that does not belong here.

    Raises:
        ScannerError: scannerNotAllowed, scannerConfused, or scannerSilent after `setup_seconds` altogether.
    """
    deadline = clock() + settings.setup_seconds

    def left() -> float:
        return max(0.0, deadline - clock())

    session.send(commands.FEEDER_OFF)
    version = session.ask(commands.FIRMWARE_VERSION, FirmwareVersion, left())
    serial_number = session.ask(commands.SERIAL_NUMBER, SerialNumber, left()).text
    allowed = {number.upper() for number in settings.allowed_serial_numbers}
    if allowed and serial_number.upper() not in allowed:
        raise scanner_error("scannerNotAllowed", f"serial number {serial_number} is not one of {', '.join(sorted(allowed))}")
    if settings.check_boot_register:
        _keep_sheet_at_boot(session, settings, left())
    identity = ScannerIdentity(FAMILY, version.product, f"{version.major}.{version.minor}.{version.cpld}", serial_number)
    return identity, read_calibration(session, left())


def read_register(session: Session, index: int, seconds: float) -> int:
    """Ask for a register. Raises scannerSilent after `seconds`."""
    session.send(commands.read_register(index))
    return session.wait_for(RegisterValue, seconds, lambda reply: reply.index == index).value


def write_register(session: Session, index: int, value: int, seconds: float) -> None:
    """Write a register and read it back; whether the write itself is answered is not known.

    Raises:
        ScannerError: scannerConfused when it holds another value afterwards, scannerSilent after `seconds`.
    """
    session.send(commands.write_register(index, value))
    kept = read_register(session, index, seconds)
    if kept != value:
        raise scanner_error("scannerConfused", f"register {index:#x} holds {kept:#010x} after {value:#010x} was written")


def _keep_sheet_at_boot(session: Session, settings: ScannerSettings, seconds: float) -> None:
    field = settings.boot_register_mask << settings.boot_register_shift
    none = settings.boot_register_none << settings.boot_register_shift
    value = read_register(session, settings.boot_register, seconds)
    if value & field != none:
        write_register(session, settings.boot_register, value & ~field | none, seconds)
        session.send(commands.SAVE_REGISTERS)


def read_calibration(session: Session, seconds: float) -> Calibration:
    """Fetch the tables of both sides.

    Raises:
        ScannerError: scannerConfused when they are not for the columns and bits of our images, scannerSilent after `seconds`.
    """
    session.send(commands.CALIBRATION_HALF)
    top = session.wait_for(CalibrationTable, seconds, lambda table: table.side == "top")
    bottom = session.wait_for(CalibrationTable, seconds, lambda table: table.side == "bottom")
    try:
        return Calibration(top, bottom)
    except ValueError as error:
        raise scanner_error("scannerConfused", str(error)) from error
