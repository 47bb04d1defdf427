"""The two sides of an emulated USB cable, as few words as bulk-only devices need.

`UsbDevice` is what stands behind the cable: the emulated scanner. The in-process port and the USB/IP server both talk to it.
`UsbPort` is what a host holds in its hand: the device itself in process, or a USB/IP client. The pyusb backend talks to a port.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Protocol


class Stalled(Exception):  # noqa: N818 -- says what happened, and nothing may be wrong
    """The endpoint answers with a stall (EPIPE)."""


class Unplugged(Exception):  # noqa: N818 -- as above
    """The device is gone (ENODEV)."""


@dataclass(frozen=True, slots=True)
class EndpointDescriptor:
    """A bulk endpoint: its address (0x80 = IN) and its largest packet in bytes."""

    address: int
    max_packet: int


@dataclass(frozen=True, slots=True)
class DeviceDescriptor:
    """All that a bulk-only device with one configuration (value 1) and one interface (0, class 0xff) says about itself.

    Attributes:
        vendor: idVendor.
        product: idProduct.
        release: bcdDevice.
        usb_release: bcdUSB.
        endpoints: Bulk endpoints in the order of the descriptors.
        strings: Texts of manufacturer, product and serial number; an empty text means that there is none.
    """

    vendor: int
    product: int
    release: int
    usb_release: int
    endpoints: tuple[EndpointDescriptor, ...]
    strings: tuple[str, str, str] = ("", "", "")


class UsbDevice(Protocol):
    """An emulated device. Every method returns at once; `changed` is notified whenever an answer may have become another."""

    @property
    def descriptor(self) -> DeviceDescriptor:
        """What the device says about itself; the same for as long as it lives."""

    @property
    def changed(self) -> threading.Condition:
        """Guards the device; notified (all) when data became readable, or a stall, an unplugging or a plugging happened.

        Ports hold it while they call any other method, and wait on it: its lock is re-entrant, as a Condition's is by default.
        """

    @property
    def plugged(self) -> bool:
        """Whether the device is powered and at the cable."""

    @property
    def generation(self) -> int:
        """Grows by one with every plugging and every reboot, so that a host can tell that its handle is dead."""

    def configured(self) -> None:
        """The host has set configuration 1 (also after a reset of the port)."""

    def halt_cleared(self, endpoint: int) -> None:
        """The host has cleared the halt of an endpoint."""

    def write(self, endpoint: int, data: bytes) -> int:
        """One OUT transfer; gives the bytes consumed. Raises Stalled or Unplugged."""

    def read(self, endpoint: int, length: int) -> bytes | None:
        """Take what one IN transfer of `length` bytes would deliver now; None: nothing yet (NAK). Raises Stalled or Unplugged.

        A result shorter than `length`, also an empty one, is a whole transfer ended by a short packet. A result of exactly
        `length` bytes ends the transfer because the buffer is full; what follows stays for the next read.

        Ports ask for a long transfer in pieces of 16 KiB, each when the one before was full, so `length` is at most that. Whoever
        ends a message on such a boundary sends an empty one after it, as on a real cable; else the host learns of the end by
        its timeout.
        """


class UsbPort(Protocol):
    """A host's hold on at most one device. Raises Stalled, Unplugged, or TimeoutError when no byte moved within the limit."""

    def present(self) -> DeviceDescriptor | None:
        """Look whether a device is there now; None when there is none (or the far end does not answer)."""

    @property
    def generation(self) -> int:
        """Grows with every new appearance of the device at this port."""

    def open(self) -> None:
        """Take hold of the device that is present; nothing to do where that is so already.

        Raises Unplugged, or BusyError when another host holds it.
        """

    def close(self) -> None:
        """Let go; may be called more than once."""

    def control(self, setup: bytes, data: bytes, seconds: float) -> bytes:
        """One control transfer: 8 setup bytes in USB order, and for OUT its data; gives the data of an IN transfer."""

    def bulk_write(self, endpoint: int, data: bytes, seconds: float) -> int:
        """One OUT transfer; gives the bytes consumed."""

    def bulk_read(self, endpoint: int, length: int, seconds: float) -> bytes:
        """One IN transfer of at most `length` bytes; 0 seconds waits for ever."""

    def reset(self) -> None:
        """Reset the port: pending transfers end, the configuration is lost."""


class BusyError(Exception):
    """Another host holds the device (EBUSY)."""
