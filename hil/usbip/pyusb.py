"""What pyusb needs to reach a device over USB/IP."""

from __future__ import annotations

from hil.usb.backend import PortBackend
from hil.usbip.client import UsbipPort


def usbip_backend(host: str, port: int, busid: str) -> PortBackend:
    """The backend whose only port is the device `busid` of the USB/IP server at `host`:`port`, which must be on this machine.

    Raises:
        ValueError: The address leads beyond this machine.
    """
    return PortBackend(UsbipPort(host, port, busid))
