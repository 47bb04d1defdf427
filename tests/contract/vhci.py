"""Attaches a device of a USB/IP server on this machine to the Linux kernel, and again whenever it was plugged in anew."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from hil.usb.device import UsbDevice
from hil.usbip.wire import HEAD_SIZE, HIGH_SPEED, RECORD_SIZE, Operation, import_request, read_record, read_reply_status

VHCI = Path("/sys/devices/platform/vhci_hcd.0")
_FREE = "004"
_LOOK_SECONDS = 0.05
_SECONDS = 5.0


class KernelCable:
    """From its entry to its exit the kernel has the device whenever it is plugged in.

    Args:
        device: The emulated device.
        port: Of the server that offers it.
        busid: Under which name.
        controller: The kernel's virtual host controller.
    """

    def __init__(self, device: UsbDevice, port: int, busid: str, controller: Path = VHCI) -> None:
        self._device = device
        self._port = port
        self._busid = busid
        self._controller = controller
        self._attached = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="vhci", daemon=True)

    def __enter__(self) -> Self:
        self._attach()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        # The server hangs up when it is closed, and the kernel's device is gone.
        self._over.set()
        self._thread.join()

    def _keep(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            with self._device.changed:
                here, generation = self._device.plugged, self._device.generation
            if here and generation != self._attached:
                self._attach()

    def _attach(self) -> None:
        with self._device.changed:
            self._attached = self._device.generation
        with socket.create_connection(("127.0.0.1", self._port), _SECONDS) as connection:
            connection.sendall(import_request(self._busid))
            if read_reply_status(_exactly(connection, HEAD_SIZE), Operation.IMPORT):
                return
            devid = read_record(_exactly(connection, RECORD_SIZE)).devid
            connection.settimeout(None)
            line = f"{self._free_port()} {connection.fileno()} {devid} {HIGH_SPEED}"
            (self._controller / "attach").write_text(line)

    def _free_port(self) -> int:
        for line in (self._controller / "status").read_text().splitlines():
            hub, *fields = line.split()
            if hub == "hs" and fields[1] == _FREE:
                return int(fields[0])
        raise OSError(f"no port of {self._controller} is free")


def _exactly(connection: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        piece = connection.recv(length - len(data))
        if not piece:
            raise ConnectionError("the server hung up")
        data += piece
    return data
