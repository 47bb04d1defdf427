"""A device, a cable of either kind, and pyusb at the other end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import usb.core
import usb.util

from hil.usb.backend import PortBackend
from hil.usb.device import UsbPort
from hil.usb.in_process import InProcessPort
from hil.usbip.client import UsbipPort
from hil.usbip.server import UsbipServer
from tests.usb.pattern_device import PRODUCT, VENDOR, PatternDevice

KINDS = ("in process", "USB/IP")


class Cable:
    """`new_port` makes the port of one more host; `backend` and `find` are the first host's."""

    def __init__(self, device: PatternDevice, new_port: Callable[[], UsbPort]) -> None:
        self.device = device
        self.new_port = new_port
        self.backend = PortBackend(new_port())
        self._found: list[Any] = []

    def find(self, backend: PortBackend | None = None) -> Any:  # noqa: ANN401 -- pyusb has no types
        """The device as pyusb has it."""
        found = usb.core.find(idVendor=VENDOR, idProduct=PRODUCT, backend=backend or self.backend)
        if found is not None:
            self._found.append(found)
        return found

    def ready(self) -> Any:  # noqa: ANN401 -- pyusb has no types
        """The device found and configured."""
        found = self.find()
        found.set_configuration()
        return found

    def close(self) -> None:
        for found in self._found:
            usb.util.dispose_resources(found)


@contextmanager
def cable(kind: str) -> Iterator[Cable]:
    """A cable of one of the `KINDS`."""
    device = PatternDevice()
    if kind == "in process":
        made = Cable(device, lambda: InProcessPort(device))
        yield made
        made.close()
        return
    with UsbipServer({"1-1": device}) as server:
        made = Cable(device, lambda: UsbipPort("127.0.0.1", server.port, "1-1"))
        yield made
        made.close()


class Background:
    """A call in a thread of its own; `result` waits for it, at most 10 s, and raises what it raised."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call = call
        self._result: Any = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def result(self) -> Any:  # noqa: ANN401 -- whatever the call gives
        self._thread.join(10)
        assert not self._thread.is_alive()
        if self._error is not None:
            raise self._error
        return self._result

    def _run(self) -> None:
        try:
            self._result = self._call()
        except BaseException as error:  # noqa: BLE001 -- raised again in `result`
            self._error = error
