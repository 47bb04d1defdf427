"""One try to get one file: over HTTP, going on from what an earlier try left, or from a folder.

What has come lies in `<key>.part`; `<key>.json` beside it says of what version of the file it is a part (the server's strong
ETag, or its date). It goes on only if the server says that it is still that version; everything else begins again.
"""

from __future__ import annotations

import email.utils
import hashlib
import http.client
import json
import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.commands.error import CommandError
from edge.commands.read import write_whole
from models.ingest.addresses import AddressError, Request, Source, redirected, request_of

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_CHUNK = 1 << 16
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)\Z")
_AGENT = "scrutineer-models/0.1"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a try may cost.

    Attributes:
        connect_s: Seconds for a connection.
        read_s: Seconds without a byte.
        try_s: Seconds in all.
        most_bytes: Of a file.
        redirects: How often an answer may send on.
    """

    connect_s: float = 10
    read_s: float = 30
    try_s: float = 600
    most_bytes: int = 64 << 20
    redirects: int = 5


class TransferError(Exception):
    """A try that failed.

    Attributes:
        code: A reason code; docs/data-sets.md explains each.
        detail: What happened.
        again: Whether another try may go better.
        wait_s: Seconds that the server asks to wait, or None.
    """

    def __init__(self, code: str, detail: str, *, again: bool = False, wait_s: float | None = None) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.again = again
        self.wait_s = wait_s


class PartFile:
    """What has come of a file so far.

    Args:
        folder: Where parts lie.
        address: Of the file.
    """

    def __init__(self, folder: Path, address: str) -> None:
        self.address = address
        key = hashlib.sha256(address.encode("utf-8", "surrogatepass")).hexdigest()
        self.path = folder / f"{key}.part"
        self._about = folder / f"{key}.json"

    def kept(self) -> tuple[int, str, int | None]:
        """Bytes that are there, of which version, and of how many if known; (0, "", None) for nothing of use."""
        try:
            about: Any = json.loads(self._about.read_bytes())
            size = self.path.stat().st_size
        except (OSError, ValueError):
            return 0, "", None
        if not isinstance(about, dict) or about.get("address") != self.address:
            return 0, "", None
        version, total = about.get("version"), about.get("total")
        if (
            not isinstance(version, str)
            or not version
            or not isinstance(total, int | None)
            or size > (size if total is None else total)
        ):
            return 0, "", None
        return size, version, total

    def begin(self, version: str, total: int | None) -> None:
        """Forget what is there, and note of what version the coming bytes are."""
        self.drop()
        if version:
            write_whole(self._about, json.dumps({"address": self.address, "version": version, "total": total}).encode())

    def drop(self) -> None:
        """Forget what is there."""
        with _our_disk(self.path):
            # In this order: bytes without a version are never gone on with.
            self._about.unlink(missing_ok=True)
            self.path.unlink(missing_ok=True)

    def placed(self) -> None:
        """The part has become the file."""
        with _our_disk(self.path):
            self._about.unlink(missing_ok=True)


class Transfer:
    """One try.

    Args:
        source: What to get; `path` None.
        part: Where to.
        limits: Within what.
    """

    def __init__(self, source: Source, part: PartFile, limits: Limits) -> None:
        self._source = source
        self._part = part
        self._limits = limits
        self._deadline = time.monotonic() + limits.try_s
        self._socket: socket.socket | None = None
        self._stopped = False
        self.received = 0
        """Bytes that came in this try."""

    def overdue(self, now: float) -> bool:
        """Whether the try should have ended. A server that sends a byte now and then is caught by this alone."""
        return now > self._deadline

    def stop(self) -> None:
        """End the try from another thread."""
        self._stopped = True
        connected = self._socket
        if connected is not None:
            # Not the TLS layer's own, which would pull the object away from under the thread that reads.
            with suppress(OSError):
                socket.socket.shutdown(connected, socket.SHUT_RDWR)

    def fetch(self) -> None:
        """Get the whole file into its part.

        Raises:
            TransferError: the try failed; what came is kept if it may be gone on with.
            CommandError: `fileUnwritable`.
        """
        have, version, total = self._part.kept()
        if total is not None and have == total:
            return  # a run ended between the last byte and the name
        try:
            self._fetch(have, version)
        except AddressError as error:
            raise TransferError(error.code, error.detail) from error
        except (http.client.HTTPException, OSError, ValueError) as error:
            # ValueError: the connection was stopped while TLS was read.
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> TransferError:
        """What went wrong on the way."""
        if self._stopped:
            return TransferError("timedOut", f"the try took longer than {self._limits.try_s:g} s", again=True)
        if isinstance(error, ssl.SSLCertVerificationError):
            return TransferError("certificateRefused", error.verify_message)
        if isinstance(error, socket.gaierror):
            return TransferError("hostUnknown", error.strerror or str(error), again=True)
        if isinstance(error, TimeoutError):
            return TransferError("timedOut", "no answer in time", again=True)
        if isinstance(error, ConnectionRefusedError):
            return TransferError("connectionRefused", "nobody listens there", again=True)
        if isinstance(error, http.client.HTTPException) and not isinstance(error, http.client.IncompleteRead | ConnectionError):
            detail = f"the answer is no HTTP: {type(error).__name__}: {str(error)[:80]!r}"
            return TransferError("answerUnreadable", detail, again=True)
        return TransferError("connectionLost", str(error) or type(error).__name__, again=True)

    def _fetch(self, have: int, version: str) -> None:
        address = self._source.address
        for _ in range(self._limits.redirects + 1):
            connection = self._connected(request := request_of(address))
            try:
                headers = {"Accept": "image/*", "Accept-Encoding": "identity", "Connection": "close", "User-Agent": _AGENT}
                if have:
                    headers |= {"Range": f"bytes={have}-", "If-Range": version}
                connection.request("GET", request.target, headers=headers)
                with connection.getresponse() as response:
                    if response.status not in _REDIRECTS:
                        self._receive(response, have, version)
                        return
                    address = redirected(address, response.getheader("Location"))
            finally:
                connection.close()
        raise TransferError("redirectsTooMany", f"sent on more than {self._limits.redirects} times, last to {address!r}")

    def _connected(self, request: Request) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if request.scheme == "https" else http.client.HTTPConnection
        connection = kind(request.host, request.port, timeout=self._limits.connect_s)
        connection.connect()
        self._socket = connection.sock
        connection.sock.settimeout(self._limits.read_s)
        return connection

    def _receive(self, response: http.client.HTTPResponse, have: int, version: str) -> None:
        self._check_status(response)
        total: int | None
        if response.status == http.client.PARTIAL_CONTENT:
            total = self._continued(response, have, version)
        else:
            have, total = 0, response.length
            self._check_size(total or 0)
            self._part.begin(_version(response), total)
        for chunk in self._chunks(response, None if total is None else total - have):
            self._check_size(have + self.received)
            with _our_disk(self._part.path), self._part.path.open("ab", buffering=0) as file:
                file.write(chunk)
        if total is not None and have + self.received != total:
            raise TransferError("connectionLost", f"{have + self.received} of {total} bytes came", again=True)

    def _chunks(self, response: http.client.HTTPResponse, left: int | None) -> Iterator[bytes]:
        """The body as it comes, at most `left` bytes."""
        while left is None or left > 0:
            chunk = response.read1(_CHUNK if left is None else min(left, _CHUNK))
            if not chunk:
                if self._stopped:
                    raise TimeoutError
                return
            if left is not None:
                left -= len(chunk)
            self.received += len(chunk)
            yield chunk

    def _check_status(self, response: http.client.HTTPResponse) -> None:
        status = response.status
        if status in _BUSY:
            raise TransferError(
                "serverBusy", f"{status} {response.reason}", again=True, wait_s=retry_after(response.getheader("Retry-After"))
            )
        if status == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            self._part.drop()
            raise TransferError("rangeWrong", "the file has become shorter", again=True)
        if status not in {http.client.OK, http.client.PARTIAL_CONTENT}:
            raise TransferError("httpStatus", f"{status} {response.reason}")
        encoding = response.getheader("Content-Encoding", "identity").strip().lower()
        if encoding not in {"identity", ""}:
            raise TransferError("encodingRefused", f"the file comes as {encoding!r}, which was not asked for")

    def _continued(self, response: http.client.HTTPResponse, have: int, version: str) -> int:
        """The bytes of the whole file, of which the answer gives the rest; anything else begins again."""
        found = _CONTENT_RANGE.match(response.getheader("Content-Range", "").strip())
        now = response.getheader("ETag" if version.startswith('"') else "Last-Modified", "").strip()
        is_rest = (
            found is not None and have > 0 and int(found[1]) == have and found[3] != "*" and int(found[2]) + 1 == int(found[3])
        )
        if found is None or not is_rest or now not in {"", version}:
            self._part.drop()
            raise TransferError("rangeWrong", "the answer does not go on where it was asked to", again=True)
        self._check_size(int(found[3]))
        return int(found[3])

    def _check_size(self, size: int) -> None:
        if size > self._limits.most_bytes:
            self._part.drop()
            raise TransferError("fileTooLarge", f"more than {self._limits.most_bytes} bytes")


class Copy:
    """One try to copy a file of this machine. Its attributes and methods are those of `Transfer`.

    Args:
        source: What to copy; `path` given.
        part: Where to.
        limits: Within what.
    """

    def __init__(self, source: Source, part: PartFile, limits: Limits) -> None:
        self._source = source
        self._part = part
        self._limits = limits
        self._stopped = False
        self.received = 0

    def overdue(self, now: float) -> bool:  # noqa: ARG002  as a Transfer
        """Files of this machine have no time limit."""
        return False

    def stop(self) -> None:
        """End the try from another thread."""
        self._stopped = True

    def fetch(self) -> None:
        """Copy the whole file into its part.

        Raises:
            TransferError: it cannot be read or is too large.
            CommandError: `fileUnwritable`.
        """
        self._part.drop()
        if self._source.path is None:
            raise ValueError("not a file of this machine")
        try:
            with self._source.path.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    self.received += len(chunk)
                    if self.received > self._limits.most_bytes:
                        self._part.drop()
                        raise TransferError("fileTooLarge", f"more than {self._limits.most_bytes} bytes")
                    with _our_disk(self._part.path), self._part.path.open("ab", buffering=0) as part:
                        part.write(chunk)
        except OSError as error:
            raise TransferError("fileUnreadable", error.strerror or str(error)) from error


def retry_after(value: str | None, now: float | None = None) -> float | None:
    """Seconds that a `Retry-After` asks to wait, whether it gives them or a date; None where it says nothing of use."""
    if not value:
        return None
    value = value.strip()
    if value.isascii() and value.isdecimal():
        return float(min(int(value[:9]), 10**9)) if len(value) <= 9 else 1e9
    try:
        at = email.utils.parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
    return max(0.0, at - (time.time() if now is None else now))


def _version(response: http.client.HTTPResponse) -> str:
    """What tells this version of the file from every other: its strong ETag, or its date if there is none."""
    tag = response.getheader("ETag", "").strip()
    if tag:
        return tag if tag.startswith('"') and tag.endswith('"') and len(tag) <= 1000 else ""
    date = response.getheader("Last-Modified", "").strip()
    return date if date.isascii() and date.isprintable() else ""


@contextmanager
def _our_disk(path: Path) -> Iterator[None]:
    """An error of our own disk ends the command: it is no fault of the source."""
    try:
        yield
    except OSError as error:
        raise CommandError("fileUnwritable", f"{str(path)!r}: {error.strerror or error}") from error
