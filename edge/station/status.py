"""How the station is doing, for whoever asks on a unix socket.

A client sends one line, `status` or `follow`, and gets JSON documents, one a line: the present one and the end of the stream, or
the present one and then one for every change. A thread of its own talks to the clients, so that none of them can hold up the
station: it takes what `StatusServer.publish` leaves, and drops a client that is slow to ask or to read.
"""

from __future__ import annotations

import contextlib
import json
import selectors
import socket
import stat
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import BinaryIO

from pydantic import TypeAdapter

VERSION = 1
MODE = 0o660
"""Owner and group may ask; to anyone else the station says nothing."""
MOST_CLIENTS = 16
REQUEST_LIMIT_S = 2.0
"""How long a client may take to ask, and to read the answer to `status`."""
RETRY_S = 0.05
MOST_UNREAD = 256 << 10
"""Bytes that wait for a slow follower; beyond it, it is dropped."""
MOST_CHANGES = 256
MAX_DOCUMENT = 64 << 10
"""Bytes of one document with its newline."""

_MAX_REQUEST = 64

StatusValue = str | int | bool | tuple[str, ...] | None


class StatusError(Exception):
    """A status that cannot be offered or had: a reason code and one sentence.

    Codes: `statusSocketBusy` (another station answers there), `statusSocketUnusable`, `statusUnreachable` (nobody answers),
    `statusUnreadable` (what answers is not a station of this version).
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        """Give the message: `code: detail`."""
        return f"{self.code}: {self.detail}"


@dataclass(frozen=True, slots=True)
class StatusDocument:
    """What the station tells about itself. It never tells anything about a ballot beyond reason codes.

    Of a held tally sheet, which carries no voter, `last_sheet` also has the details of its reasons.

    Attributes:
        state: the station's state.
        reason: why it is in this state, a code; None where the state says it all.
        sentence: both for people.
        since_ms: how long it has been in this state, milliseconds of CLOCK_MONOTONIC.
        signal: what the panel says, a `Signal`.
        lamps: line -> whether it is lit or sounding.
        count: ballots accepted since the polls opened.
        polls: `open` or `closed`.
        scanner: who it is and what its sensors say; None without one.
        last_sheet: kind and reason codes of the sheet in the path, or the last one; None before the first.
        problems: codes of what is wrong although the station works.
        software: name and version.
        uptime_ms: how long the station has been running, as `since_ms`.
        tally_sheets: tally sheets accepted since the polls opened.
    """

    state: str
    reason: str | None
    sentence: str
    since_ms: int
    signal: str
    lamps: Mapping[str, bool]
    count: int
    polls: str
    scanner: Mapping[str, StatusValue] | None
    last_sheet: Mapping[str, StatusValue] | None
    problems: tuple[str, ...]
    software: str
    uptime_ms: int
    tally_sheets: int

    def to_json(self) -> str:
        """The document on one line, with the version of its form."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return json.dumps({"version": VERSION, **values}, default=dict)

    def aged(self, by_ms: int) -> StatusDocument:
        """The same, this much later."""
        return replace(self, since_ms=self.since_ms + by_ms, uptime_ms=self.uptime_ms + by_ms)

    def tells_the_same_as(self, other: StatusDocument) -> bool:
        """Whether only time has passed between the two."""
        return self == replace(other, since_ms=self.since_ms, uptime_ms=self.uptime_ms)


_DOCUMENT = TypeAdapter(StatusDocument)


def parse_status(raw: bytes) -> StatusDocument:
    """Read a document; keys that a later version of the station adds are passed over.

    Raises:
        StatusError: `statusUnreadable`.
    """
    try:
        document = json.loads(raw)
        version = document.get("version") if isinstance(document, dict) else None
        if version != VERSION:
            raise StatusError("statusUnreadable", f"what answers does not speak version {VERSION} of the station's status")
        return _DOCUMENT.validate_json(raw, strict=True)
    except (ValueError, RecursionError) as error:
        raise StatusError("statusUnreadable", "what answers is not a station's status") from error


@dataclass(slots=True)
class _Client:
    """One connection. `until`: when its patience ends; None = a follower, which may stay. `done`: gone once all is sent."""

    connection: socket.socket
    until: float | None
    request: bytes = b""
    unsent: bytes = b""
    done: bool = False

    @property
    def follows(self) -> bool:
        return self.until is None

    @property
    def interest(self) -> int:
        reading = 0 if self.done else selectors.EVENT_READ
        return reading | (selectors.EVENT_WRITE if self.unsent else 0)


class StatusServer:
    """Listens from construction to `close`; who asks before the first document waits for it.

    Args:
        path: the socket, at most 100 bytes; its folder exists. One that a dead process left is replaced.

    Raises:
        StatusError: `statusSocketBusy`, `statusSocketUnusable`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._published: StatusDocument | None = None
        # From the publisher to the thread; when the thread is far behind, the oldest changes are forgotten.
        self._fresh: deque[tuple[StatusDocument, float]] = deque(maxlen=MOST_CHANGES)
        self._told: tuple[StatusDocument, float] | None = None
        self._clients: dict[int, _Client] = {}
        self._closing = False
        self._listener, self._inode = _listen(path)
        self._wake_reader, self._wake_writer = socket.socketpair()
        for end in (self._listener, self._wake_reader, self._wake_writer):
            end.settimeout(0)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wake_reader, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._serve, name="status", daemon=True)
        self._thread.start()

    def publish(self, document: StatusDocument) -> None:
        """Make this the present document; never waits. `since_ms` and `uptime_ms` go on by themselves until the next call.

        Raises:
            TypeError: for a value that JSON does not have.
            ValueError: for a document of more than `MAX_DOCUMENT` bytes.
        """
        if len(document.to_json()) >= MAX_DOCUMENT:
            raise ValueError(f"a status document has less than {MAX_DOCUMENT} bytes")
        if self._published is None or not document.tells_the_same_as(self._published):
            self._published = document
            self._fresh.append((document, time.monotonic()))
            self._wake()

    def close(self) -> None:
        """End every connection and remove the socket; a second call does nothing."""
        if self._closing:
            return
        self._closing = True
        self._wake()
        self._thread.join()
        with contextlib.suppress(OSError):
            if self._path.stat().st_ino == self._inode:
                self._path.unlink()
        for end in (self._listener, self._wake_reader, self._wake_writer):
            end.close()
        self._selector.close()

    def _wake(self) -> None:
        # A full pipe wakes the thread just as well, and after `close` nothing needs waking.
        with contextlib.suppress(OSError):
            self._wake_writer.send(b"x")

    def _serve(self) -> None:
        while not self._closing:
            ready = dict.fromkeys(self._clients, 0)
            for key, events in self._selector.select(self._patience()):
                if key.fileobj is self._listener:
                    self._welcome()
                elif key.fileobj is self._wake_reader:
                    self._wake_reader.recv(4096)
                else:
                    ready[key.fd] = events
            self._tell_followers()
            for descriptor, events in ready.items():
                self._attend(self._clients[descriptor], events)
        for client in list(self._clients.values()):
            self._drop(client)

    def _patience(self) -> float | None:
        ends = [client.until for client in self._clients.values() if client.until is not None]
        return max(0.0, min(ends) - time.monotonic()) if ends else None

    def _welcome(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            # Such as no file number left: the client is still in the queue, and asking again at once would only burn time.
            time.sleep(RETRY_S)
            return
        if len(self._clients) >= MOST_CLIENTS:
            connection.close()
            return
        connection.settimeout(0)
        self._clients[connection.fileno()] = _Client(connection, time.monotonic() + REQUEST_LIMIT_S)
        self._selector.register(connection, selectors.EVENT_READ)

    def _tell_followers(self) -> None:
        lines = b""
        while self._fresh:
            if self._told is None:
                self._selector.register(self._listener, selectors.EVENT_READ)
            self._told = self._fresh.popleft()
            lines += self._line()
        for client in self._clients.values():
            if client.follows:
                client.unsent += lines

    def _line(self) -> bytes:
        """The present document, as old as it is."""
        if self._told is None:
            raise AssertionError("no client is welcomed before the first document")
        document, published = self._told
        return document.aged(int((time.monotonic() - published) * 1000)).to_json().encode() + b"\n"

    def _attend(self, client: _Client, events: int) -> None:
        """Hear the client, send what it takes, and drop it when it is served, gone or too slow."""
        try:
            if events & selectors.EVENT_READ:
                self._hear(client)
            while client.unsent:
                client.unsent = client.unsent[client.connection.send(client.unsent) :]
        except BlockingIOError:
            pass
        except OSError:
            self._drop(client)
            return
        late = client.until is not None and time.monotonic() >= client.until
        if late or len(client.unsent) > MOST_UNREAD or (client.done and not client.unsent):
            self._drop(client)
        else:
            self._selector.modify(client.connection, client.interest)

    def _hear(self, client: _Client) -> None:
        data = client.connection.recv(_MAX_REQUEST)
        if not data:
            raise ConnectionResetError("the client is gone")
        if client.follows:
            return
        client.request += data
        request, newline, _ = client.request.partition(b"\n")
        if not newline:
            if len(client.request) >= _MAX_REQUEST:
                raise ConnectionAbortedError("that is no request")
            return
        if request == b"follow":
            client.until = None
        else:
            client.done = True
        client.unsent = self._line() if request in {b"status", b"follow"} else b'{"error": "unknownRequest"}\n'

    def _drop(self, client: _Client) -> None:
        del self._clients[client.connection.fileno()]
        self._selector.unregister(client.connection)
        client.connection.close()


def read_status(path: Path, timeout_s: float = 2.0) -> StatusDocument:
    """Ask a station how it is.

    Args:
        path: its status socket.
        timeout_s: for the whole answer, above 0.

    Raises:
        StatusError: `statusUnreachable`, `statusUnreadable`.
    """
    with _ask(path, b"status\n", timeout_s) as connection, connection.makefile("rb") as lines:
        return _next_document(lines)


def follow_status(path: Path, timeout_s: float = 2.0) -> Iterator[StatusDocument]:
    """Ask a station how it is, and then be told of every change for as long as it lives.

    Args:
        path: its status socket.
        timeout_s: for the first answer, above 0; the changes take as long as they take.

    Raises:
        StatusError: as `read_status`; `statusUnreachable` also when the station ends.
    """
    with _ask(path, b"follow\n", timeout_s) as connection, connection.makefile("rb") as lines:
        yield _next_document(lines)
        connection.settimeout(None)
        while True:
            yield _next_document(lines)


def _ask(path: Path, request: bytes, timeout_s: float) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout_s)
        connection.connect(str(path))
        connection.sendall(request)
    except OSError as error:
        connection.close()
        raise StatusError("statusUnreachable", f"no station answers at {str(path)!r}: {error.strerror or error}") from error
    return connection


def _next_document(lines: BinaryIO) -> StatusDocument:
    try:
        line = lines.readline(MAX_DOCUMENT)
    except OSError as error:
        raise StatusError("statusUnreachable", f"the station does not answer: {error.strerror or error}") from error
    if not line:
        raise StatusError("statusUnreachable", "the station has ended")
    return parse_status(line)


def _listen(path: Path) -> tuple[socket.socket, int]:
    """A listening socket at this path, and its inode.

    It is made under another name and renamed: so it has its mode before anyone can reach it, and replaces a dead one in one step.
    """
    _refuse_living(path)
    made = path.with_name(f"{path.name}.new")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.unlink(missing_ok=True)
        listener.bind(str(made))
        made.chmod(MODE)
        listener.listen(MOST_CLIENTS)
        made.rename(path)
        return listener, path.stat().st_ino
    except OSError as error:
        listener.close()
        raise StatusError("statusSocketUnusable", f"{str(path)!r}: {error.strerror or error}") from error


def _refuse_living(path: Path) -> None:
    try:
        kind = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise StatusError("statusSocketUnusable", f"{str(path)!r}: {error.strerror}") from error
    if not stat.S_ISSOCK(kind):
        raise StatusError("statusSocketUnusable", f"{str(path)!r} is there and is not a socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(REQUEST_LIMIT_S)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return
        except OSError as error:
            raise StatusError("statusSocketUnusable", f"{str(path)!r}: {error.strerror or error}") from error
    raise StatusError("statusSocketBusy", f"another station answers at {str(path)!r}")
