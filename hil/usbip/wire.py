"""Every message of USB/IP 1.1.1 as bytes: no sockets, nothing believed without a look (Documentation/usb/usbip_protocol.rst).

Integers are big-endian; only the eight bytes of a setup are in USB's order, and pass through untouched.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, Final

VERSION: Final = 0x0111
HIGH_SPEED: Final = 3

LONGEST_TRANSFER: Final = 16 << 20
"""Bytes of one transfer that are believed; hosts ask for 1 MiB at most."""
MOST_DEVICES: Final = 256
"""Devices in one list that are believed."""

HEAD_SIZE: Final = 8
BUSID_SIZE: Final = 32
RECORD_SIZE: Final = 312
COMMAND_SIZE: Final = 48
"""Bytes of what each message begins with, and of its fixed parts."""

CONTROL: Final = 0
"""The endpoint that has setups."""

_HEAD: Final = struct.Struct(">HHI")
_RECORD: Final = struct.Struct(">256s32sIIIHHHBBBBBB")
_COUNT: Final = struct.Struct(">I")
_INTERFACE: Final = struct.Struct(">BBBx")
_SUBMIT: Final = struct.Struct(">IIIIIIIIII8s")
_UNLINK: Final = struct.Struct(">IIIIII24x")
_SUBMITTED: Final = struct.Struct(">I I 12x iIIII 8x")
_UNLINKED: Final = struct.Struct(">I I 12x i 24x")
_KIND: Final = struct.Struct(">I")


class WireError(ValueError):
    """Bytes that are not the message that was due."""


class Operation(IntEnum):
    """What a client may ask when it has just connected."""

    LIST = 0x8005
    IMPORT = 0x8003


class Status(IntEnum):
    """How a transfer ended: negative errno values of Linux, whatever the system here calls them."""

    OK = 0
    STALL = -32
    UNLINKED = -104


class _Command(IntEnum):
    SUBMIT = 1
    UNLINK = 2
    SUBMITTED = 3
    UNLINKED = 4


@dataclass(frozen=True, slots=True)
class Record:
    """A device in a list or in the answer to an import.

    Attributes:
        path: Where the server has it; for people.
        busid: Its name for an import, at most 31 ASCII characters.
        busnum: With `devnum` its place; `devnum` changes with every plugging.
        devnum: See `busnum`.
        vendor: idVendor.
        product: idProduct.
        release: bcdDevice.
        configuration: bConfigurationValue of the configuration that is set, 0 for none.
        interfaces: Class, subclass and protocol of each interface; lists have them, answers to an import only count them.
        speed: 3 is high speed.
        device_class: Class, subclass and protocol of the device.
        configurations: bNumConfigurations.
    """

    path: str
    busid: str
    busnum: int
    devnum: int
    vendor: int
    product: int
    release: int
    configuration: int
    interfaces: tuple[tuple[int, int, int], ...]
    speed: int = HIGH_SPEED
    device_class: tuple[int, int, int] = (0, 0, 0)
    configurations: int = 1

    @property
    def devid(self) -> int:
        """How commands name the device."""
        return self.busnum << 16 | self.devnum


@dataclass(frozen=True, slots=True)
class Submit:
    """CMD_SUBMIT: a transfer is asked for. An OUT transfer's `length` bytes follow.

    Attributes:
        seqnum: The client's number for it.
        devid: The device.
        incoming: Direction IN.
        endpoint: Its number without the direction, 0 to 15.
        length: Bytes to send, or the most to receive, at most `LONGEST_TRANSFER`.
        setup: Eight bytes in USB order; zeros but for endpoint 0.
        packets: number_of_packets, which only isochronous transfers use; an answer repeats it.
        start_frame: An answer repeats it.
        flags: URB flags of Linux.
        interval: For interrupt and isochronous transfers.
    """

    seqnum: int
    devid: int
    incoming: bool
    endpoint: int
    length: int
    setup: bytes = bytes(8)
    packets: int = 0xFFFFFFFF
    start_frame: int = 0
    flags: int = 0
    interval: int = 0

    def __bytes__(self) -> bytes:
        head = (_Command.SUBMIT, self.seqnum, self.devid, int(self.incoming), self.endpoint)
        return _SUBMIT.pack(*head, self.flags, self.length, self.start_frame, self.packets, self.interval, self.setup)


@dataclass(frozen=True, slots=True)
class Unlink:
    """CMD_UNLINK: the transfer `victim` is wanted no more."""

    seqnum: int
    devid: int
    victim: int

    def __bytes__(self) -> bytes:
        return _UNLINK.pack(_Command.UNLINK, self.seqnum, self.devid, 0, 0, self.victim)


@dataclass(frozen=True, slots=True)
class Submitted:
    """RET_SUBMIT: a transfer is over. An IN transfer's `length` bytes follow.

    Attributes:
        seqnum: The client's number for it.
        status: 0 or a negative errno, see `Status`.
        length: Bytes that moved (actual_length).
        packets: As in the command.
        start_frame: As in the command.
        errors: Isochronous packets that failed.
    """

    seqnum: int
    status: int
    length: int
    packets: int = 0xFFFFFFFF
    start_frame: int = 0
    errors: int = 0

    def __bytes__(self) -> bytes:
        fields = (self.status, self.length, self.start_frame, self.packets, self.errors)
        return _SUBMITTED.pack(_Command.SUBMITTED, self.seqnum, *fields)


@dataclass(frozen=True, slots=True)
class Unlinked:
    """RET_UNLINK: -104 when the transfer was dropped and has no answer, 0 when its answer came before this."""

    seqnum: int
    status: int

    def __bytes__(self) -> bytes:
        return _UNLINKED.pack(_Command.UNLINKED, self.seqnum, self.status)


# Before a device is imported


def list_request() -> bytes:
    """OP_REQ_DEVLIST."""
    return _HEAD.pack(VERSION, Operation.LIST, 0)


def import_request(busid: str) -> bytes:
    """OP_REQ_IMPORT.

    Raises:
        ValueError: The name does not fit.
    """
    return _HEAD.pack(VERSION, Operation.IMPORT, 0) + _text(busid, BUSID_SIZE)


def read_operation(head: bytes) -> Operation:
    """Which operation a client's first eight bytes ask for. Raises WireError."""
    version, code, _ = _unpack(_HEAD, head)
    if version != VERSION:
        raise WireError(f"version {version:#06x}, not {VERSION:#06x}")
    try:
        return Operation(code)
    except ValueError as error:
        raise WireError(f"unknown operation {code:#06x}") from error


def read_busid(field: bytes) -> str:
    """The name in the 32 bytes that follow an import's head. Raises WireError."""
    if len(field) != BUSID_SIZE:
        raise WireError(f"a bus id has {BUSID_SIZE} bytes, not {len(field)}")
    return _read_text(field)


def list_reply(records: list[Record]) -> bytes:
    """OP_REP_DEVLIST."""
    parts = [_HEAD.pack(VERSION, Operation.LIST & 0x7FFF, 0), _COUNT.pack(len(records))]
    for record in records:
        parts.append(_record(record))
        parts.extend(_INTERFACE.pack(*interface) for interface in record.interfaces)
    return b"".join(parts)


def read_list_reply(data: bytes) -> list[Record]:
    """The devices of a whole OP_REP_DEVLIST. Raises WireError."""
    if read_reply_status(data[:HEAD_SIZE], Operation.LIST):
        raise WireError("the server has no list")
    (count,) = _unpack(_COUNT, data[HEAD_SIZE : HEAD_SIZE + _COUNT.size])
    if count > MOST_DEVICES:
        raise WireError(f"a list of {count} devices")
    place = HEAD_SIZE + _COUNT.size
    records = []
    for _ in range(count):
        record, interfaces = _read_record(data[place : place + RECORD_SIZE])
        place += RECORD_SIZE
        entries: list[tuple[int, int, int]] = []
        for _ in range(interfaces):
            use, sub, protocol = _unpack(_INTERFACE, data[place : place + _INTERFACE.size])
            entries.append((use, sub, protocol))
            place += _INTERFACE.size
        records.append(replace(record, interfaces=tuple(entries)))
    if place != len(data):
        raise WireError(f"{len(data) - place} bytes after a list")
    return records


def import_reply(record: Record | None) -> bytes:
    """OP_REP_IMPORT; None says that the device cannot be had."""
    if record is None:
        return _HEAD.pack(VERSION, Operation.IMPORT & 0x7FFF, 1)
    return _HEAD.pack(VERSION, Operation.IMPORT & 0x7FFF, 0) + _record(record)


def read_reply_status(head: bytes, operation: Operation) -> int:
    """The status in the first eight bytes of an answer to `operation`: 0, or the server cannot. Raises WireError."""
    version, code, status = _unpack(_HEAD, head)
    if version != VERSION or code != operation & 0x7FFF:
        raise WireError(f"answer {code:#06x} of version {version:#06x} to {operation.name}")
    return int(status)


def read_record(data: bytes) -> Record:
    """The device that follows the head of a successful answer to an import; its interfaces are unknown. Raises WireError."""
    record, interfaces = _read_record(data)
    return replace(record, interfaces=((0, 0, 0),) * interfaces)


# Once it is


def read_command(data: bytes) -> Submit | Unlink:
    """What a client wants, from the 48 bytes that a command begins with. Raises WireError."""
    match _command(data):
        case _Command.SUBMIT:
            _, seqnum, devid, direction, endpoint, flags, length, start_frame, packets, interval, setup = _unpack(_SUBMIT, data)
            if direction > 1 or endpoint > 15:
                raise WireError(f"direction {direction} of endpoint {endpoint}")
            if length > LONGEST_TRANSFER:
                raise WireError(f"a transfer of {length} bytes")
            return Submit(seqnum, devid, bool(direction), endpoint, length, setup, packets, start_frame, flags, interval)
        case _Command.UNLINK:
            _, seqnum, devid, _, _, victim = _unpack(_UNLINK, data)
            return Unlink(seqnum, devid, victim)
        case other:
            raise WireError(f"command {other}")


def read_answer(data: bytes) -> Submitted | Unlinked:
    """What a server answers, from the 48 bytes that an answer begins with. Raises WireError."""
    match _command(data):
        case _Command.SUBMITTED:
            _, seqnum, status, length, start_frame, packets, errors = _unpack(_SUBMITTED, data)
            if length > LONGEST_TRANSFER:
                raise WireError(f"a transfer of {length} bytes")
            return Submitted(seqnum, status, length, packets, start_frame, errors)
        case _Command.UNLINKED:
            _, seqnum, status = _unpack(_UNLINKED, data)
            return Unlinked(seqnum, status)
        case other:
            raise WireError(f"answer {other}")


def _command(data: bytes) -> int:
    if len(data) != COMMAND_SIZE:
        raise WireError(f"{len(data)} bytes where {COMMAND_SIZE} were due")
    return int(_KIND.unpack_from(data)[0])


def _unpack(layout: struct.Struct, data: bytes) -> tuple[Any, ...]:
    if len(data) != layout.size:
        raise WireError(f"{len(data)} bytes where {layout.size} were due")
    return layout.unpack(data)


def _text(text: str, size: int) -> bytes:
    data = text.encode("ascii")
    if not data or len(data) >= size or not text.isprintable():
        raise ValueError(f"{text!r} is no name of 1 to {size - 1} printable characters")
    return data.ljust(size, b"\0")


def _read_text(field: bytes) -> str:
    data, end, _ = field.partition(b"\0")
    text = data.decode("ascii", "replace")
    if not end or not text or not text.isascii() or not text.isprintable():
        raise WireError(f"no name: {field!r}")
    return text


def _record(record: Record) -> bytes:
    names = (_text(record.path, 256), _text(record.busid, BUSID_SIZE))
    place = (record.busnum, record.devnum, record.speed)
    identity = (record.vendor, record.product, record.release, *record.device_class)
    return _RECORD.pack(*names, *place, *identity, record.configuration, record.configurations, len(record.interfaces))


def _read_record(data: bytes) -> tuple[Record, int]:
    path, busid, busnum, devnum, speed, vendor, product, release, use, sub, protocol, *rest = _unpack(_RECORD, data)
    configuration, configurations, interfaces = rest
    record = Record(
        path=_read_text(path),
        busid=_read_text(busid),
        busnum=busnum,
        devnum=devnum,
        vendor=vendor,
        product=product,
        release=release,
        configuration=configuration,
        interfaces=(),
        speed=speed,
        device_class=(use, sub, protocol),
        configurations=configurations,
    )
    return record, interfaces
