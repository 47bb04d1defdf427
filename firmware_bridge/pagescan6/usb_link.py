"""The USB side: find the scanner, take it for ourselves, move bytes.

The only module that calls pyusb. Whatever goes wrong in it is a `ScannerError` to everybody else.
"""

from __future__ import annotations

import array
import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import usb.core
import usb.util

from firmware_bridge.pagescan6.lock_file import LockFile
from firmware_bridge.pagescan6.settings import ScannerSettings
from firmware_bridge.pagescan6.usb_errors import from_exception, scanner_error
from firmware_bridge.scanner import ScannerError

Clock = Callable[[], float]

COMMANDS: Final = 0x05
REPLIES: Final = 0x85
IMAGES: Final = 0x86

_CONFIGURATION: Final = 1
_INTERFACE: Final = 0
_FIND_AGAIN_PAUSE_SECONDS: Final = 0.05


class UsbLink:
    """A claimed scanner. Each endpoint may be used by one thread at a time; nothing may be under way when it is closed.

    Attributes:
        reply_packet_bytes: Largest packet of the endpoint for replies and events. A transfer that is no multiple of it is whole.
    """

    def __init__(self, device: Any, lock: LockFile | None, write_seconds: float) -> None:  # noqa: ANN401 -- pyusb is untyped
        self._device = device
        self._lock = lock
        self._write_ms = _milliseconds(write_seconds)
        self.reply_packet_bytes = _packet_sizes(device)[REPLIES]

    def write(self, packet: bytes) -> None:
        """Send one command packet as one transfer."""
        with _translated("sending a command"):
            written = self._device.write(COMMANDS, packet, self._write_ms)
        if written != len(packet):
            raise scanner_error("scannerDisconnected", f"sending a command: {written} of {len(packet)} bytes were taken")

    def read_replies(self, buffer: array.array[int], seconds: float) -> int | None:
        """Take what one transfer brings on the endpoint for replies and events.

        Returns:
            The bytes now at the start of `buffer`, also when the time was over before the transfer was; None when nothing came.
        """
        return self._read(REPLIES, buffer, seconds, "reading replies")

    def read_images(self, buffer: array.array[int], seconds: float) -> int | None:
        """The same for the endpoint for pixels."""
        return self._read(IMAGES, buffer, seconds, "reading pixels")

    def _read(self, endpoint: int, buffer: array.array[int], seconds: float, doing: str) -> int | None:
        with _translated(doing):
            try:
                return int(self._device.read(endpoint, buffer, _milliseconds(seconds)))
            except usb.core.USBTimeoutError:
                return None

    def close(self) -> None:
        """Give the scanner and the lock back; never raises, and may be called more than once."""
        _dispose(self._device)
        if self._lock is not None:
            self._lock.release()


def open_link(settings: ScannerSettings, backend: object | None, clock: Clock) -> UsbLink:
    """Take the first scanner with the right ids.

    Lock, find, claim once to learn whether it is free, reset, find again, configure, claim. On any error everything is given
    back.

    Args:
        settings: Ids, lock file, whether to reset, and the limits.
        backend: A pyusb backend; None = libusb.
        clock: Seconds, monotonic.

    Raises:
        ScannerError: usbUnavailable, scannerNotFound, scannerBusy, scannerForbidden, scannerDisconnected or scannerConfused.
    """
    lock = None if settings.lock_file is None else LockFile(settings.lock_file)
    device = None
    try:
        device = _find(settings, backend)
        with _translated("taking the scanner"):
            if settings.reset_on_connect:
                _probe(device)
                _reset(device)
                device = _take_again(settings, backend, clock)
            else:
                _take(device)
            return UsbLink(device, lock, settings.write_seconds)
    except BaseException:
        _dispose(device)
        if lock is not None:
            lock.release()
        raise


@contextmanager
def _translated(doing: str) -> Iterator[None]:
    try:
        yield
    except ScannerError:
        raise
    except Exception as error:
        raise from_exception(error, doing) from error


def _milliseconds(seconds: float) -> int:
    """For pyusb, where 0 would mean to wait for ever."""
    return max(1, round(seconds * 1000))


def _find(settings: ScannerSettings, backend: object | None) -> Any:  # noqa: ANN401 -- pyusb is untyped
    with _translated("looking for the scanner"):
        device = usb.core.find(backend=backend, idVendor=settings.vendor_id, idProduct=settings.product_id)
    if device is None:
        raise scanner_error("scannerNotFound", f"no USB device {settings.vendor_id:04x}:{settings.product_id:04x}")
    return device


def _probe(device: Any) -> None:  # noqa: ANN401 -- pyusb is untyped
    """Learn whether another program has the scanner before its port is reset under that program."""
    _take(device)
    usb.util.release_interface(device, _INTERFACE)


def _reset(device: Any) -> None:  # noqa: ANN401 -- pyusb is untyped
    # A device that comes back at another address makes the reset itself fail; whether it is back is asked afterwards.
    with contextlib.suppress(usb.core.USBError):
        device.reset()
    _dispose(device)


def _take(device: Any) -> None:  # noqa: ANN401 -- pyusb is untyped
    _detach_kernel_driver(device)
    # Setting the configuration that is already set works like a light reset and makes the next write time out.
    if _configuration_of(device) != _CONFIGURATION:
        device.set_configuration(_CONFIGURATION)
    usb.util.claim_interface(device, _INTERFACE)


def _take_again(settings: ScannerSettings, backend: object | None, clock: Clock) -> Any:  # noqa: ANN401 -- pyusb is untyped
    """Find and take the scanner after its reset; for a moment it may be missing, or udev may not have set its rights yet."""
    deadline = clock() + settings.find_again_seconds
    while True:
        device = None
        try:
            device = _find(settings, backend)
            _take(device)
        except BaseException as error:
            _dispose(device)
            if not isinstance(error, ScannerError | usb.core.USBError) or clock() >= deadline:
                raise
        else:
            return device
        time.sleep(_FIND_AGAIN_PAUSE_SECONDS)


def _detach_kernel_driver(device: Any) -> None:  # noqa: ANN401 -- pyusb is untyped
    # Not every system can, and then there is no driver in the way either.
    with contextlib.suppress(NotImplementedError):
        if device.is_kernel_driver_active(_INTERFACE):
            device.detach_kernel_driver(_INTERFACE)


def _configuration_of(device: Any) -> int | None:  # noqa: ANN401 -- pyusb is untyped
    try:
        return int(device.get_active_configuration().bConfigurationValue)
    except usb.core.USBError as error:
        if error.errno is not None:
            raise
        return None  # pyusb's own way to say that none is set


def _packet_sizes(device: Any) -> dict[int, int]:  # noqa: ANN401 -- pyusb is untyped
    """Largest packet of each endpoint, by its address."""
    interface = device.get_active_configuration()[_INTERFACE, 0]
    sizes = {int(endpoint.bEndpointAddress): int(endpoint.wMaxPacketSize) for endpoint in interface}
    missing = [f"{address:#04x}" for address in (COMMANDS, REPLIES, IMAGES) if not sizes.get(address)]
    if missing:
        raise scanner_error("scannerConfused", f"the device has no endpoint {', '.join(missing)}: it is no PageScan 6")
    return sizes


def _dispose(device: Any) -> None:  # noqa: ANN401 -- pyusb is untyped
    if device is not None:
        # A device that is gone refuses to be released; there is nothing left to give back then, whatever it says.
        with contextlib.suppress(Exception):
            usb.util.dispose_resources(device)
