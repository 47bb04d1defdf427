"""The ways in which a driver reaches the emulated scanner; what is behind them is the same scanner."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from hil.scanner.emulator import EmulatedScanner
from hil.usb.backend import PortBackend
from hil.usb.in_process import InProcessPort
from hil.usbip.pyusb import usbip_backend
from hil.usbip.server import UsbipServer
from tests.contract.vhci import VHCI, KernelCable

KERNEL_FLAG = "SCRUTINEER_KERNEL_SCANNER"
WITHOUT_KERNEL = f"{KERNEL_FLAG}=vhci is not set: the kernel would hold the scanner (as root, with the module vhci-hcd loaded)"
LEGS = ("in-process", "usbip", *(["kernel"] if os.environ.get(KERNEL_FLAG) else []))
_BUSID = "1-1"

NewHost = Callable[[], object]
"""Makes the pyusb backend of one more host; None stands for libusb."""


def require(leg: str) -> None:
    """Fail where the kernel was asked for and cannot be had."""
    if leg != "kernel":
        return
    wanted = os.environ[KERNEL_FLAG]
    if wanted != "vhci":
        pytest.fail(f"{KERNEL_FLAG}={wanted}: only vhci is known, by which this process attaches its own emulator to the kernel")
    if not VHCI.is_dir():
        pytest.fail(f"{KERNEL_FLAG}=vhci, but {VHCI} is missing: load the module vhci-hcd")


@contextmanager
def reach(leg: str, scanner: EmulatedScanner) -> Iterator[NewHost]:
    """Lay the cable."""
    with ExitStack() as laid:
        if leg == "in-process":
            yield lambda: PortBackend(InProcessPort(scanner))
            return
        server = laid.enter_context(UsbipServer({_BUSID: scanner}))
        if leg == "usbip":
            yield lambda: usbip_backend("127.0.0.1", server.port, _BUSID)
            return
        laid.enter_context(KernelCable(scanner, server.port, _BUSID))
        yield lambda: None
