"""A `UsbPort` whose cable is a USB/IP connection: pyusb over TCP in pure Python, without the kernel's vhci."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import replace
from typing import Final

from hil.usb.control import Kind, Request, Setup
from hil.usb.descriptors import (
    CONFIGURATION,
    DEVICE,
    ENGLISH,
    STRING,
    DescriptorError,
    device_fields,
    read_descriptor,
    read_string,
)
from hil.usb.device import BusyError, DeviceDescriptor, Stalled, Unplugged
from hil.usbip.link import Link
from hil.usbip.stream import ConnectionLost, Stream, resolve
from hil.usbip.wire import (
    HEAD_SIZE,
    RECORD_SIZE,
    Operation,
    Record,
    WireError,
    import_request,
    list_request,
    read_list_reply,
    read_record,
    read_reply_status,
)

_CONNECT_SECONDS: Final = 2.0
"""For a server to let us in, and for each step until a device is ours."""
_BUSY_SECONDS: Final = 0.2
"""How long a device may look busy before it is said to be: another host may just be reading its descriptors."""
_LINK_SECONDS: Final = 5.0
"""For a server to end a message that it has begun, or to take one."""
_LIST_LIMIT: Final = 1 << 18
_HIGH_SPEED_RELEASE: Final = 0x0200


class UsbipPort:
    """A host's hold on the device `busid` of the server at `host`:`port`; keeps `UsbPort`. Any number of threads may use it.

    The list of a server tells neither endpoints nor texts. So a device that has newly appeared is imported for a moment to read
    its descriptors, as a kernel does. While another host holds it, it is seen without endpoints; once it is free, that sighting
    is out of date, and the device must be looked for again.

    A server that restarts, or that stops answering, is a device that was unplugged: look again.

    Args:
        host: Name or address.
        port: TCP port, 3240 by convention.
        busid: The server's name for the device.
        loopback_only: Refuse to talk to other machines.

    Raises:
        ValueError: The address leads beyond this machine, and that was not allowed.
    """

    def __init__(self, host: str, port: int, busid: str, *, loopback_only: bool = True) -> None:
        self._family, self._address = resolve(host, port, loopback_only=loopback_only)
        self._busid = busid
        self._lock = threading.RLock()
        """Guards everything below, not transfers."""
        self._link: Link | None = None
        self._record: Record | None = None
        self._descriptor: DeviceDescriptor | None = None
        self._complete = False
        self._generation = 0

    @property
    def generation(self) -> int:
        """How many times a device was seen to appear here; `present` and `open` look."""
        return self._generation

    def present(self) -> DeviceDescriptor | None:
        """Ask the server, and a new device for its descriptors; None when either does not answer."""
        with self._lock:
            if self._alive() is not None:
                return self._descriptor
            record = self._find()
            if record is None:
                self._record = None
                return None
            if record != self._record or not self._complete:
                try:
                    link = self._import()
                except BusyError:
                    self._appeared(record, _sketch(record), complete=False)
                except Unplugged:
                    return None
                else:
                    try:
                        self._learn(link)
                    except Unplugged:
                        return None
                    finally:
                        link.close()
            return self._descriptor

    def open(self) -> None:
        """Import the device; nothing happens when this port holds it already. Raises Unplugged or BusyError."""
        with self._lock:
            if self._alive() is not None:
                return
            deadline = time.monotonic() + _BUSY_SECONDS
            while self._link is None:
                try:
                    self._link = self._import()
                except BusyError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.01)
            if _place(self._link.record) != self._record or not self._complete:
                try:
                    self._learn(self._link)
                except BaseException:
                    self.close()
                    raise

    def close(self) -> None:
        """Let go; a transfer under way in another thread ends with Unplugged. May be called more than once."""
        with self._lock:
            link, self._link = self._link, None
            if link is not None:
                link.close()

    def control(self, setup: bytes, data: bytes, seconds: float) -> bytes:
        """One control transfer. Raises Stalled, Unplugged or TimeoutError."""
        return self._held().control(setup, data, seconds)

    def bulk_write(self, endpoint: int, data: bytes, seconds: float) -> int:
        """One OUT transfer; gives the bytes consumed. Raises Stalled, Unplugged or TimeoutError."""
        return self._held().write(endpoint, data, seconds)

    def bulk_read(self, endpoint: int, length: int, seconds: float) -> bytes:
        """One IN transfer of at most `length` bytes; 0 seconds waits for ever.

        What has arrived when the time is over is the result.

        Raises:
            TimeoutError: Nothing has arrived.
            Stalled: The endpoint is halted; what had arrived is lost, as with a real host.
            Unplugged: The device or the server went, or the port was closed or reset.
        """
        return self._held().read(endpoint, length, seconds)

    def reset(self) -> None:
        """Transfers in other threads end with Unplugged. A reset is no message: the device learns of it by what follows."""
        self._held().abandon()

    def _held(self) -> Link:
        link = self._link
        if link is None:
            raise Unplugged
        return link

    def _alive(self) -> Link | None:
        """The link, if it is good; a dead one is put away, and whatever comes next is a new device."""
        if self._link is not None and not self._link.alive:
            self.close()
            self._record = None
        return self._link

    def _connect(self) -> Stream:
        connection = socket.socket(self._family, socket.SOCK_STREAM)
        try:
            connection.settimeout(_CONNECT_SECONDS)
            connection.connect(self._address)
        except OSError as error:
            connection.close()
            raise ConnectionLost(str(error)) from error
        return Stream(connection, _CONNECT_SECONDS)

    def _find(self) -> Record | None:
        """The device's entry in the server's list; None: not there, or no server."""
        try:
            stream = self._connect()
            try:
                stream.send(list_request())
                records = read_list_reply(stream.receive_all(_LIST_LIMIT))
            finally:
                stream.close()
        except (ConnectionLost, WireError):
            return None
        return next((_place(record) for record in records if record.busid == self._busid), None)

    def _import(self) -> Link:
        """Take hold of the device. Raises Unplugged or BusyError."""
        try:
            stream = self._connect()
            try:
                stream.send(import_request(self._busid))
                if read_reply_status(stream.receive(HEAD_SIZE), Operation.IMPORT) == 0:
                    record = read_record(stream.receive(RECORD_SIZE))
                    stream.be_patient(_LINK_SECONDS)
                    return Link(stream, record)
            except BaseException:
                stream.close()
                raise
        except (ConnectionLost, WireError) as error:
            raise Unplugged from error
        stream.close()
        # The status says no more than no.
        raise Unplugged if self._find() is None else BusyError

    def _learn(self, link: Link) -> None:
        """Read the descriptors of a device that has appeared. Raises Unplugged; DescriptorError if it is not bulk-only."""
        try:
            device = _descriptor(link, DEVICE, 0, 18)
            total = int.from_bytes(_descriptor(link, CONFIGURATION, 0, 9)[2:4], "little")
            configuration = _descriptor(link, CONFIGURATION, 0, total)
            fields = device_fields(device)
            texts = [_string(link, fields[name]) for name in ("iManufacturer", "iProduct", "iSerialNumber")]
        except (Stalled, TimeoutError) as error:
            raise Unplugged from error
        descriptor = read_descriptor(device, configuration, (texts[0], texts[1], texts[2]))
        self._appeared(_place(link.record), descriptor, complete=True)

    def _appeared(self, record: Record, descriptor: DeviceDescriptor, *, complete: bool) -> None:
        if (record, complete) != (self._record, self._complete):
            self._generation += 1
        self._record = record
        self._descriptor = descriptor
        self._complete = complete


def _place(record: Record) -> Record:
    """What stays the same for as long as a device is plugged in."""
    return replace(record, path="", configuration=0, interfaces=())


def _sketch(record: Record) -> DeviceDescriptor:
    """What the list tells of a device that another host holds."""
    return DeviceDescriptor(record.vendor, record.product, record.release, _HIGH_SPEED_RELEASE, ())


def _descriptor(link: Link, kind: int, index: int, length: int, language: int = 0) -> bytes:
    setup = Setup(Kind.FROM_DEVICE, Request.GET_DESCRIPTOR, kind << 8 | index, language, length)
    return link.control(bytes(setup), b"", _CONNECT_SECONDS)


def _string(link: Link, index: int) -> str:
    if not index:
        return ""
    try:
        return read_string(_descriptor(link, STRING, index, 255, ENGLISH))
    except (Stalled, DescriptorError):
        return ""  # A host does without a text that cannot be had.
