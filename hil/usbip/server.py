"""A USB/IP server that offers emulated devices: to `UsbipPort`, or to Linux (`usbip attach`)."""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from hil.usb.device import BusyError, Unplugged, UsbDevice
from hil.usb.hold import Hold
from hil.usbip.session import Session
from hil.usbip.stream import PATIENCE, ConnectionLost, Stream, resolve
from hil.usbip.wire import (
    BUSID_SIZE,
    HEAD_SIZE,
    Operation,
    Record,
    WireError,
    import_reply,
    list_reply,
    read_busid,
    read_operation,
)

MOST_CONNECTIONS: Final = 32
"""Clients at once; one more is turned away. Each may be a thread or two."""
_ADDRESSES: Final = 127
_PAUSE: Final = 0.05


class UsbipServer:
    """Offers `devices`, by bus id, from its creation to `close`. A context manager.

    A client that sends nonsense, half messages or nothing at all after a half loses its connection, and with it the device. A
    device that is unplugged loses its client.

    Args:
        devices: Bus id (at most 31 printable ASCII characters, such as "1-1") to device.
        host: Where to listen.
        port: 0 lets the system choose; `port` then says which.
        loopback_only: Refuse to be reached from other machines.
        patience: Seconds that a client has for a message it has begun, or for taking an answer.

    Raises:
        ValueError: The address leads beyond this machine, and that was not allowed.
        OSError: The address cannot be had.
    """

    def __init__(
        self,
        devices: Mapping[str, UsbDevice],
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        loopback_only: bool = True,
        patience: float = PATIENCE,
    ) -> None:
        family, address = resolve(host, port, loopback_only=loopback_only)
        self._devices = {busid: (bus, device) for bus, (busid, device) in enumerate(devices.items(), 1)}
        self._patience = patience
        self._lock = threading.Lock()
        self._connections: dict[threading.Thread, Stream] = {}
        self._closing = threading.Event()
        self._listener = socket.create_server(address, family=family)
        self._thread = threading.Thread(target=self._accept, name="usbip-accept", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that the server listens at."""
        return int(self._listener.getsockname()[1])

    def close(self) -> None:
        """Turn everyone away and wait until every thread has ended. May be called more than once."""
        with self._lock:
            if self._closing.is_set():
                return
            self._closing.set()
        # On Linux this wakes the thread that waits in accept; closing the descriptor would not.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        with self._lock:
            connections = dict(self._connections)
        for stream in connections.values():
            stream.shut()
        for thread in connections:
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
                stream = Stream(connection, self._patience)
            except OSError:
                # Either the client was gone before it was let in, or descriptors are short; that passes, but not at once.
                if self._closing.wait(_PAUSE):
                    return
                continue
            with self._lock:
                if self._closing.is_set() or len(self._connections) >= MOST_CONNECTIONS:
                    stream.close()
                    continue
                thread = threading.Thread(target=self._serve, args=(stream,), name="usbip-connection", daemon=True)
                self._connections[thread] = stream
            thread.start()

    def _serve(self, stream: Stream) -> None:
        try:
            if read_operation(stream.receive(HEAD_SIZE)) is Operation.LIST:
                stream.send(list_reply(self._list()))
            else:
                self._import(stream, read_busid(stream.receive(BUSID_SIZE)))
        except (ConnectionLost, WireError):
            pass  # As in a session: nobody is told.
        finally:
            with self._lock:
                del self._connections[threading.current_thread()]
            stream.close()

    def _list(self) -> list[Record]:
        records = []
        for busid, (bus, device) in self._devices.items():
            with device.changed:
                if device.plugged:
                    records.append(_record(busid, bus, device))
        return records

    def _import(self, stream: Stream, busid: str) -> None:
        try:
            bus, device = self._devices[busid]
            with device.changed:
                hold = Hold(device)
                record = _record(busid, bus, device)
        except (KeyError, BusyError, Unplugged):
            stream.send(import_reply(None))
            return
        try:
            stream.send(import_reply(record))
            Session(stream, device, hold, record.devid).run()
        finally:
            hold.release()


def _record(busid: str, bus: int, device: UsbDevice) -> Record:
    descriptor = device.descriptor
    return Record(
        path=f"/emulated/{busid}",
        busid=busid,
        busnum=bus,
        devnum=device.generation % _ADDRESSES + 1,
        vendor=descriptor.vendor,
        product=descriptor.product,
        release=descriptor.release,
        configuration=0,
        interfaces=((0xFF, 0, 0),),
    )
