"""A pyusb backend over any `UsbPort`: `usb.core.find(backend=PortBackend(port), ...)` and pyusb's own code does the rest.

Errors are those of pyusb's libusb 1.0 backend on Linux, so that a driver meets the same numbers with and without hardware.
"""

from __future__ import annotations

import array
import errno
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final

import usb.backend
from usb.core import USBError, USBTimeoutError

from hil.usb import descriptors
from hil.usb.control import ENDPOINT_HALT, Kind, Request, Setup
from hil.usb.device import BusyError, DeviceDescriptor, Stalled, Unplugged, UsbPort

_HIGH_SPEED: Final = 3
_ADDRESSES: Final = 127
_CONTROL_SECONDS: Final = 5.0
"""What Linux gives a control transfer that it makes on a program's behalf."""


@dataclass(frozen=True, slots=True)
class _Sighting:
    """What pyusb holds for a device it has found: the device of one generation."""

    generation: int
    descriptor: DeviceDescriptor

    @property
    def address(self) -> int:
        """1 to 127, and another one after every plugging."""
        return self.generation % _ADDRESSES + 1


@dataclass(slots=True, eq=False)
class _Handle:
    """An open device; good for one generation."""

    generation: int
    claimed: bool = False
    closed: bool = False


@contextmanager
def _usb_errors() -> Iterator[None]:
    """Turn what ports raise into what libusb gives: its text, its code and the errno."""
    try:
        yield
    except Stalled as error:
        raise USBError("Pipe error", -9, errno.EPIPE) from error
    except Unplugged as error:
        raise USBError("No such device (it may have been disconnected)", -4, errno.ENODEV) from error
    except BusyError as error:
        raise USBError("Resource busy", -6, errno.EBUSY) from error
    except USBError:
        raise
    except TimeoutError as error:
        raise USBTimeoutError("Operation timed out", -7, errno.ETIMEDOUT) from error


class PortBackend(usb.backend.IBackend):  # type: ignore[misc] # pyusb has no type information
    """The `usb.backend.IBackend` of a bus with one port.

    Any number of handles may be open at once, and of threads in transfers. A handle is dead (ENODEV) once the device was
    unplugged, also when it is back: find it again. As on Linux, an interface belongs to the handle that claimed it, and the
    configuration cannot be set while it is claimed (EBUSY both). Kernel drivers, interrupt and isochronous transfers are not
    implemented, and say so as pyusb's own backends do.
    """

    def __init__(self, port: UsbPort) -> None:
        self._port = port
        # Re-entrant: pyusb closes devices from finalizers, which may run in a thread that is inside.
        self._lock = threading.RLock()
        self._handles: set[_Handle] = set()
        self._configuration = (-1, 0)

    # What is there

    def enumerate_devices(self) -> Iterator[_Sighting]:
        """The device at the port, if there is one."""
        descriptor = self._port.present()
        if descriptor is not None:
            yield _Sighting(self._port.generation, descriptor)

    def get_parent(self, dev: _Sighting) -> None:  # noqa: ARG002 -- pyusb's signature
        """No hub above the port."""
        return

    def get_device_descriptor(self, dev: _Sighting) -> SimpleNamespace:
        """The device descriptor, and where the device is."""
        return SimpleNamespace(
            **descriptors.device_fields(descriptors.device_bytes(dev.descriptor)),
            bus=1,
            address=dev.address,
            port_number=1,
            port_numbers=(1,),
            speed=_HIGH_SPEED,
        )

    def get_configuration_descriptor(self, dev: _Sighting, config: int) -> SimpleNamespace:
        """The only configuration; IndexError past it."""
        fields, _, _ = _configuration(dev, config)
        return SimpleNamespace(**fields, extra_descriptors=b"")

    def get_interface_descriptor(self, dev: _Sighting, intf: int, alt: int, config: int) -> SimpleNamespace:
        """The only interface in its only setting; IndexError past them."""
        _, fields, _ = _configuration(dev, config, intf, alt)
        return SimpleNamespace(**fields, extra_descriptors=b"")

    def get_endpoint_descriptor(self, dev: _Sighting, ep: int, intf: int, alt: int, config: int) -> SimpleNamespace:
        """An endpoint by its place; IndexError past the last."""
        _, _, endpoints = _configuration(dev, config, intf, alt)
        return SimpleNamespace(**endpoints[ep], bRefresh=0, bSynchAddress=0, extra_descriptors=b"")

    # Handles

    def open_device(self, dev: _Sighting) -> _Handle:
        """Take hold of the device that was seen; ENODEV when it is no longer that one, EBUSY when another host holds it."""
        with self._lock, _usb_errors():
            handle = _Handle(dev.generation)
            self._handles.add(handle)
            try:
                self._port.open()
                self._check(handle)
            except BaseException:
                self.close_device(handle)
                raise
            return handle

    def close_device(self, dev_handle: _Handle) -> None:
        """Let go; the device itself is let go with the last handle."""
        with self._lock:
            dev_handle.closed = True
            self._handles.discard(dev_handle)
            # Handles of an earlier plugging hold nothing any more.
            if not any(handle.generation == self._port.generation for handle in self._handles):
                self._port.close()

    def set_configuration(self, dev_handle: _Handle, config_value: int) -> None:
        """SET_CONFIGURATION; EBUSY while the interface is claimed, as Linux has it (usbfs, proc_setconfig)."""
        with self._lock, _usb_errors():
            self._check(dev_handle)
            if self._claimer():
                raise BusyError
            self._request(dev_handle, Kind.TO_DEVICE, Request.SET_CONFIGURATION, config_value, 0)
            self._configuration = (dev_handle.generation, config_value)

    def get_configuration(self, dev_handle: _Handle) -> int:
        """The configuration that was set last, 0 after a reset or a plugging: hosts remember it and do not ask the device."""
        with self._lock, _usb_errors():
            self._check(dev_handle)
            generation, value = self._configuration
            return value if generation == dev_handle.generation else 0

    def set_interface_altsetting(self, dev_handle: _Handle, intf: int, altsetting: int) -> None:
        """SET_INTERFACE."""
        with _usb_errors():
            self._request(dev_handle, Kind.TO_INTERFACE, Request.SET_INTERFACE, altsetting, intf)

    def claim_interface(self, dev_handle: _Handle, intf: int) -> None:
        """Claim interface 0 for a handle; EBUSY when another one has it."""
        with self._lock, _usb_errors():
            self._check(dev_handle, intf)
            if self._claimer() not in {None, dev_handle}:
                raise BusyError
            dev_handle.claimed = True

    def release_interface(self, dev_handle: _Handle, intf: int) -> None:
        """Give the interface back."""
        with self._lock, _usb_errors():
            self._check(dev_handle, intf)
            dev_handle.claimed = False

    def clear_halt(self, dev_handle: _Handle, ep: int) -> None:
        """CLEAR_FEATURE(ENDPOINT_HALT)."""
        with _usb_errors():
            self._request(dev_handle, Kind.TO_ENDPOINT, Request.CLEAR_FEATURE, ENDPOINT_HALT, ep)

    def reset_device(self, dev_handle: _Handle) -> None:
        """Reset the port: transfers in other threads end, the configuration is lost."""
        with self._lock, _usb_errors():
            self._check(dev_handle)
            self._port.reset()
            self._configuration = (dev_handle.generation, 0)

    # Transfers. Timeouts are in milliseconds, 0 waits for ever.

    def bulk_write(self, dev_handle: _Handle, ep: int, intf: int, data: array.array[Any], timeout: int) -> int:  # noqa: ARG002
        """One OUT transfer; gives the bytes that the device has taken."""
        with _usb_errors():
            self._check(dev_handle)
            return self._port.bulk_write(ep, data.tobytes(), timeout / 1000)

    def bulk_read(self, dev_handle: _Handle, ep: int, intf: int, buff: array.array[Any], timeout: int) -> int:  # noqa: ARG002
        """One IN transfer into `buff`; gives the bytes that arrived, also when the time was over before the buffer was full."""
        with _usb_errors():
            self._check(dev_handle)
            view = memoryview(buff).cast("B")
            data = self._port.bulk_read(ep, len(view), timeout / 1000)
        view[: len(data)] = data
        return len(data)

    def ctrl_transfer(
        self,
        dev_handle: _Handle,
        bmRequestType: int,  # noqa: N803 -- pyusb's names, here and below
        bRequest: int,  # noqa: N803
        wValue: int,  # noqa: N803
        wIndex: int,  # noqa: N803
        data: array.array[Any],
        timeout: int,
    ) -> int:
        """One control transfer, filling `data` or sending it; gives the bytes moved."""
        view = memoryview(data).cast("B")
        setup = Setup(bmRequestType, bRequest, wValue, wIndex, len(view))
        with _usb_errors():
            self._check(dev_handle)
            if not bmRequestType & 0x80:
                self._port.control(bytes(setup), view.tobytes(), timeout / 1000)
                return len(view)
            answer = self._port.control(bytes(setup), b"", timeout / 1000)
        view[: len(answer)] = answer
        return len(answer)

    def _request(self, handle: _Handle, kind: int, request: int, value: int, index: int) -> None:
        self._check(handle)
        self._port.control(bytes(Setup(kind, request, value, index, 0)), b"", _CONTROL_SECONDS)

    def _claimer(self) -> _Handle | None:
        generation = self._port.generation
        return next((handle for handle in self._handles if handle.claimed and handle.generation == generation), None)

    def _check(self, handle: _Handle, interface: int = 0) -> None:
        if handle.closed or handle.generation != self._port.generation:
            raise Unplugged
        if interface != 0:
            raise USBError("Entity not found", -5, errno.ENOENT)


def _configuration(
    dev: _Sighting, configuration: int, interface: int = 0, setting: int = 0
) -> tuple[dict[str, int], dict[str, int], list[dict[str, int]]]:
    if (configuration, interface, setting) != (0, 0, 0):
        raise IndexError(f"no configuration {configuration}, interface {interface}, setting {setting}")
    return descriptors.configuration_fields(descriptors.configuration_bytes(dev.descriptor))
