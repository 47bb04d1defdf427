"""A USB/IP client without any comfort: bytes out, bytes in."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from hil.usbip.server import UsbipServer

BUSID = "1-1"
DEVID = 1 << 16 | 2
"""What the server calls its first device in its first generation."""

IMPORT = bytes.fromhex("0111 8003 00000000") + BUSID.encode().ljust(32, b"\0")


def words(*numbers: int) -> bytes:
    """32-bit words as USB/IP has them."""
    return b"".join((number & 0xFFFFFFFF).to_bytes(4, "big") for number in numbers)


def submit(seqnum: int, endpoint: int, length: int, *, data: bytes | None = None, setup: str = "") -> bytes:
    """CMD_SUBMIT, OUT when there is data."""
    head = words(1, seqnum, DEVID, int(data is None), endpoint, 0, length, 0, 0xFFFFFFFF, 0)
    return head + bytes.fromhex(setup).ljust(8, b"\0") + (data or b"")


def unlink(seqnum: int, victim: int) -> bytes:
    """CMD_UNLINK."""
    return words(2, seqnum, DEVID, 0, 0, victim) + bytes(24)


def submitted(seqnum: int, status: int, length: int, data: bytes = b"") -> bytes:
    """RET_SUBMIT."""
    return words(3, seqnum, 0, 0, 0, status, length, 0, 0xFFFFFFFF, 0) + bytes(8) + data


def unlinked(seqnum: int, status: int) -> bytes:
    """RET_UNLINK."""
    return words(4, seqnum, 0, 0, 0, status) + bytes(24)


class Raw:
    """A connection to a server."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5)

    def send(self, *parts: bytes) -> None:
        self.socket.sendall(b"".join(parts))

    def receive(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            assert part, f"closed after {data!r}"
            data += part
        return data

    def gives(self, expected: bytes) -> None:
        assert self.receive(len(expected)) == expected

    def silent(self, seconds: float = 0.1) -> None:
        """See that nothing comes for a while."""
        self.socket.settimeout(seconds)
        try:
            data = self.socket.recv(1)
        except TimeoutError:
            self.socket.settimeout(5)
        else:
            raise AssertionError(f"not silent: {data!r}")

    def closed(self) -> None:
        """See that the server has closed the connection."""
        with suppress(ConnectionResetError):
            assert self.socket.recv(1) == b""

    def attach(self) -> None:
        self.send(IMPORT)
        assert self.receive(320)[:8] == bytes.fromhex("0111 0003 00000000")


@contextmanager
def raw(server: UsbipServer) -> Iterator[Raw]:
    """A connection for as long as the block lasts."""
    connection = Raw(server.port)
    try:
        yield connection
    finally:
        connection.socket.close()


@contextmanager
def attached(server: UsbipServer) -> Iterator[Raw]:
    """A connection that has imported the first device."""
    with raw(server) as connection:
        connection.attach()
        yield connection
