"""A TCP connection that hands out exact numbers of bytes, each within a time, and where such connections may lead."""

from __future__ import annotations

import ipaddress
import socket
import time
from contextlib import suppress
from typing import Final

PATIENCE: Final = 10.0
"""Seconds for the other end to send the rest of a message that it has begun, or to take what it is sent."""

Address = tuple[socket.AddressFamily, tuple[str, int]]


class ConnectionLost(Exception):  # noqa: N818 -- says what happened, and nothing may be wrong
    """The other end closed the connection, or was too slow."""


class Stream:
    """A connected socket; one thread may receive while others send, one at a time."""

    def __init__(self, connection: socket.socket, patience: float = PATIENCE) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A machine that lost its power says nothing: ask after 10 s of silence, and believe it after 15 s more.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 10)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
        self._socket = connection
        self.be_patient(patience)

    def be_patient(self, seconds: float) -> None:
        """Change the limit for every message that begins after this; no other thread may be using the stream."""
        self._patience = seconds
        self._socket.settimeout(seconds)

    def receive(self, count: int, *, idle: bool = False) -> bytes:
        """Exactly `count` bytes.

        Args:
            count: How many.
            idle: The other end may take any time to begin; the limit is on the rest.

        Raises:
            ConnectionLost: Fewer came.
        """
        data = bytearray(count)
        view = memoryview(data)
        place = 0
        deadline = time.monotonic() + self._patience
        while place < count:
            try:
                got = self._socket.recv_into(view[place:])
            except TimeoutError as error:
                if not idle or place:
                    raise ConnectionLost(f"{place} of {count} bytes in {self._patience} s") from error
                continue
            except OSError as error:
                raise ConnectionLost(str(error)) from error
            if got == 0:
                raise ConnectionLost(f"closed after {place} of {count} bytes")
            if idle and not place:
                deadline = time.monotonic() + self._patience
            elif time.monotonic() > deadline:
                raise ConnectionLost(f"{place} of {count} bytes in {self._patience} s")
            place += got
        return bytes(data)

    def receive_all(self, limit: int) -> bytes:
        """Everything until the other end closes, at most `limit` bytes. Raises ConnectionLost."""
        parts = bytearray()
        deadline = time.monotonic() + self._patience
        while len(parts) <= limit and time.monotonic() < deadline:
            try:
                part = self._socket.recv(65536)
            except OSError as error:
                raise ConnectionLost(str(error)) from error
            if not part:
                return bytes(parts)
            parts += part
        raise ConnectionLost(f"no end after {len(parts)} bytes")

    def send(self, *parts: bytes) -> None:
        """Send all of it. Raises ConnectionLost."""
        try:
            for part in parts:
                self._socket.sendall(part)
        except OSError as error:
            raise ConnectionLost(str(error)) from error

    def finish(self) -> None:
        """Say that nothing more will be sent; the other end may still answer."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def shut(self) -> None:
        """End it in both directions; whoever waits in another thread is told."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End it and give the descriptor back; no thread may be waiting any more."""
        self._socket.close()


def resolve(host: str, port: int, *, loopback_only: bool) -> Address:
    """The address that a host's name stands for.

    Raises:
        ValueError: It leads beyond this machine, and that was not allowed.
        OSError: There is no such name.
    """
    # The older family first: a server that was not told otherwise listens there.
    places = sorted(
        (family, str(address[0])) for family, _, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    )
    if loopback_only and not all(ipaddress.ip_address(place.partition("%")[0]).is_loopback for _, place in places):
        raise ValueError(
            f"{host} is not this machine: USB/IP has no secrets, so it leaves the loopback interface only when told to"
        )
    family, place = places[0]
    return family, (place, port)
