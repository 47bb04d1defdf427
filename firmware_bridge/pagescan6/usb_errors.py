"""From the exceptions of pyusb and of the operating system to the codes that a station knows."""

from __future__ import annotations

import errno
from typing import Final

import usb.core

from firmware_bridge.scanner import ScannerError

_HINTS: Final = {
    "scannerNotFound": "switch the scanner on and check its cable",
    "scannerBusy": "close the other program that uses the scanner; on a station only its own service may",
    "scannerForbidden": "add a udev rule for this USB device that gives the service's group access to it",
    "scannerDisconnected": "check cable and power of the scanner",
    "scannerSilent": "switch the scanner off and on again",
    "scannerNotAllowed": "connect the scanner that belongs to this station, or add its serial number to the settings",
    "usbUnavailable": "install libusb (package libusb-1.0-0)",
}
_CODES: Final = {errno.EBUSY: "scannerBusy", errno.EACCES: "scannerForbidden", errno.EPERM: "scannerForbidden"}


def scanner_error(code: str, detail: str) -> ScannerError:
    """Build an error with the hint that goes with its code."""
    return ScannerError(code, detail, _HINTS.get(code, ""))


def from_exception(error: Exception, doing: str) -> ScannerError:
    """Translate what went wrong while `doing` something.

    Every other failure of the USB means that the connection is over, also a stall (EPIPE) and a write that timed out: the driver
    never tries a transfer again. What is no failure of the USB at all is scannerConfused.
    """
    if isinstance(error, ScannerError):
        return error
    if isinstance(error, usb.core.NoBackendError | NotImplementedError):
        return scanner_error("usbUnavailable", f"{doing}: {error}")
    if isinstance(error, OSError):  # usb.core.USBError among them
        return scanner_error(_CODES.get(error.errno or 0, "scannerDisconnected"), f"{doing}: {error}")
    return scanner_error("scannerConfused", f"{doing}: {type(error).__name__}: {error}")
