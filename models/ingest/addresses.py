"""Lists of images: folders, text and CSV files with addresses, single addresses.

A text file has an address a line, then, if it is known, a blank and the SHA-256 of the file; empty lines and lines that begin
with `#` are left out. A CSV file has them in its first two columns, or under the headings `address` (or `url`) and `sha256`.
Something that cannot be used is told in its place, and the rest goes on.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, unquote, urljoin, urlsplit

from edge.commands.error import CommandError
from edge.commands.read import SUFFIXES

MOST_LIST_BYTES = 256 << 20
_MOST_ADDRESS = 4096
_PORTS = {"http": 80, "https": 443}
_SHA256 = re.compile(r"[0-9a-fA-F]{64}\Z")
_HOST = re.compile(r"[0-9a-z._:-]+\Z")
_SAFE = "!$%&'()*+,-./:;=?@_~[]"
"""What stays as it is in an address; the rest is given by the numbers of its UTF-8 bytes."""
_COLUMNS = ("address", "url")


class AddressError(Exception):
    """An address that cannot be asked for.

    Attributes:
        code: `addressBad` or `redirectRefused`.
        detail: What is wrong with it.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Source:
    """Where one image comes from.

    Attributes:
        address: As it was given; of a file its `file:` address.
        sha256: What its bytes must have, hexadecimal, or None where that is not known.
        path: The file, or None for something to be fetched.
        name: What it is called there, without folders.
        problem: Why it cannot be had, or None.
    """

    address: str
    sha256: str | None = None
    path: Path | None = None
    name: str = ""
    problem: AddressError | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask whom for."""

    scheme: str
    host: str
    port: int
    target: str


def read_sources(given: Sequence[str], standard_input: BinaryIO) -> list[Source]:
    """All images that are meant, in order, each address once.

    Args:
        given: Folders, list files, addresses, or `-` for a list on the standard input.
        standard_input: That.

    Raises:
        CommandError: a folder or list cannot be read, or nothing is in any.
    """
    found: dict[str, Source] = {}
    for one in given:
        for source in _sources(one, standard_input):
            earlier = found.setdefault(source.address, source)
            if source.sha256 is None or earlier.sha256 == source.sha256 or earlier.problem is not None:
                continue
            problem = AddressError("addressBad", "it is listed with two checksums") if earlier.sha256 else None
            found[source.address] = Source(source.address, source.sha256, earlier.path, earlier.name, problem)
    if not found:
        raise CommandError("fileNotFound", f"no image and no address in {', '.join(map(repr, given))}")
    return list(found.values())


def request_of(address: str) -> Request:
    """Take an address apart.

    Raises:
        AddressError: `addressBad`: it is not `http` or `https`, names no host, carries a password, or is no address.
    """
    if len(address) > _MOST_ADDRESS or not address.isprintable() or " " in address or "\ufffd" in address:
        raise AddressError(
            "addressBad", "it is longer than 4096 characters, or has blanks or characters that do not print or are no UTF-8"
        )
    try:
        parts = urlsplit(address)
        port, host = parts.port, parts.hostname or ""
        host = host if host.isascii() else host.encode("idna").decode("ascii")
    except ValueError as error:
        raise AddressError("addressBad", str(error)) from error
    if parts.scheme not in _PORTS:
        raise AddressError("addressBad", f"{parts.scheme or 'nothing'!r} is neither http nor https")
    if "@" in parts.netloc:
        raise AddressError("addressBad", "a name or a password is in it, and the manifest would tell it")
    if not _HOST.match(host) or port == 0:
        raise AddressError("addressBad", f"{parts.netloc!r} is no host")
    target = quote(parts.path or "/", _SAFE) + (f"?{quote(parts.query, _SAFE)}" if parts.query else "")
    return Request(parts.scheme, host, port or _PORTS[parts.scheme], target)


def redirected(address: str, location: str | None) -> str:
    """The address that an answer sends on to. From http to https it may go, to any other scheme not.

    Raises:
        AddressError: `redirectRefused`.
    """
    if not location:
        raise AddressError("redirectRefused", "the answer sends on and does not say where to")
    try:
        target = urljoin(address, location.strip())
        request = request_of(target)
    except AddressError as error:
        raise AddressError("redirectRefused", f"{location!r}: {error.detail}") from error
    except ValueError as error:
        raise AddressError("redirectRefused", f"{location!r}: {error}") from error
    if urlsplit(address).scheme == "https" and request.scheme != "https":
        raise AddressError("redirectRefused", f"from https to {location!r}")
    return target


def parse_list(text: str) -> Iterator[Source]:
    """The sources of a text list."""
    for line in text.splitlines():
        words = line.split()
        if words and not words[0].startswith("#"):
            yield _listed(words[0], words[1:])


def parse_table(text: str) -> Iterator[Source]:
    """The sources of a CSV list.

    Raises:
        csv.Error: it is none.
    """
    rows = ([cell.strip() for cell in row] for row in csv.reader(io.StringIO(text, newline=""), strict=True))
    address, checksum, first = 0, 1, True
    for row in rows:
        heading = [cell.lower() for cell in row]
        column = next((heading.index(name) for name in _COLUMNS if name in heading), None)
        if first and column is not None:
            address, checksum = column, heading.index("sha256") if "sha256" in heading else -1
        elif any(row) and not row[0].startswith("#"):
            given = row[checksum] if 0 <= checksum < len(row) else ""
            yield _listed(row[address] if address < len(row) else "", [given] if given else [])
        first = False


def _sources(given: str, standard_input: BinaryIO) -> Iterator[Source]:
    if given == "-":
        yield from parse_list(_text(standard_input.read(MOST_LIST_BYTES + 1), "the standard input"))
        return
    if given.lower().startswith(("http://", "https://")):
        yield _listed(given, [])
        return
    path = Path(given)
    try:
        if path.is_dir():
            yield from _folder(path)
            return
        if path.exists() and not path.is_file():
            raise CommandError("fileUnreadable", f"{given!r} is neither a folder nor a list")
        with path.open("rb") as file:
            text = _text(file.read(MOST_LIST_BYTES + 1), repr(given))
        yield from parse_table(text) if path.suffix.lower() == ".csv" else parse_list(text)
    except FileNotFoundError as error:
        raise CommandError("fileNotFound", f"there is no folder or list {given!r}") from error
    except (OSError, ValueError, csv.Error) as error:
        raise CommandError("fileUnreadable", f"{given!r}: {getattr(error, 'strerror', None) or error}") from error


def _text(data: bytes, name: str) -> str:
    if len(data) > MOST_LIST_BYTES:
        raise CommandError("fileUnreadable", f"{name} has more than {MOST_LIST_BYTES} bytes")
    return data.decode("utf-8-sig", "replace")


def _listed(address: str, rest: Sequence[str]) -> Source:
    """A line of a list."""
    name = unquote(address.partition("#")[0].partition("?")[0].rstrip("/").rpartition("/")[2], errors="replace")
    try:
        request_of(address)
    except AddressError as error:
        return Source(address, name=name, problem=error)
    if len(rest) > 1 or (rest and not _SHA256.match(rest[0])):
        problem = AddressError("addressBad", f"after it stands {' '.join(rest)[:80]!r}, which is no SHA-256")
        return Source(address, name=name, problem=problem)
    return Source(address, rest[0].lower() if rest else None, name=name)


def _folder(folder: Path) -> Iterator[Source]:
    """The images of a folder and the folders in it, each with the checksum that it has now."""
    for where, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(where, name)
            if name.startswith(".") or path.suffix.lower() not in SUFFIXES:
                continue
            shown = os.fsencode(name).decode("utf-8", "replace")
            try:
                with path.open("rb") as file:
                    sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError as error:
                problem = AddressError("fileUnreadable", error.strerror or str(error))
                yield Source(path.absolute().as_uri(), path=path, name=shown, problem=problem)
            else:
                yield Source(path.absolute().as_uri(), sha256, path, shown)
