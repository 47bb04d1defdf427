"""The manifest of a folder of images: `manifest.jsonl`, one JSON object a line and address.

While images come in, each line is appended whole; the last line of an address counts. A line that a power cut tore is left out,
and its image is fetched again. When all is done the file is written once more as a whole, in the order of the lists.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from edge.commands.error import CommandError
from edge.commands.read import write_whole

NAME = "manifest.jsonl"
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of one address.

    Attributes:
        address: Where the image comes from.
        file: Its name in the folder of images, or None if it could not be had.
        sha256: Hash of its bytes, or None.
        bytes: How many, or None.
        mediaType: By its content, or None.
        fetchedAt: UTC, RFC 3339, whole seconds: when it came or was given up.
        tries: How many that took.
        error: A reason code, or None.
        detail: The reason in words, or None.
    """

    address: str
    file: str | None
    sha256: str | None
    bytes: int | None
    mediaType: str | None  # noqa: N815  the name in the file
    fetchedAt: str  # noqa: N815  as above
    tries: int
    error: str | None = None
    detail: str | None = None

    def line(self) -> str:
        """The line of the manifest, without its end; in ASCII, so that a line is one line to every reader."""
        return json.dumps(asdict(self), separators=(",", ":"))


def parse_line(line: str) -> Entry | None:
    """The entry that stands in a line, or None if none does."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.keys() != Entry.__dataclass_fields__.keys():
        return None
    return Entry(**found) if _is_entry(found) else None


class Manifest:
    """The entries of a folder, by address.

    Args:
        folder: The folder; it exists.

    Raises:
        CommandError: `fileUnreadable`.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self.entries: dict[str, Entry] = {}
        self.torn = 0
        """Lines that no entry stood in."""
        try:
            data = self.path.read_bytes() if self.path.exists() else b""
        except OSError as error:
            raise CommandError("fileUnreadable", f"{str(self.path)!r}: {error.strerror or error}") from error
        for line in data.split(b"\n"):
            entry = parse_line(line.decode("utf-8", "replace"))
            if entry is not None:
                self.entries[entry.address] = entry
            elif line:
                self.torn += 1
        self._ended = not data or data.endswith(b"\n")

    def add(self, entry: Entry) -> None:
        """Append an entry.

        Raises:
            CommandError: `fileUnwritable`.
        """
        # The end of a torn line comes first, so that this one stands on its own.
        data = ("" if self._ended else "\n") + entry.line() + "\n"
        try:
            with self.path.open("ab", buffering=0) as file:
                file.write(data.encode("ascii"))
        except OSError as error:
            raise CommandError("fileUnwritable", f"{str(self.path)!r}: {error.strerror or error}") from error
        self._ended = True
        self.entries[entry.address] = entry

    def close(self, first: Iterable[str]) -> None:
        """Write the manifest as a whole: these addresses in this order, then the others as they came.

        Raises:
            CommandError: `fileUnwritable`.
        """
        order = dict.fromkeys([*(address for address in first if address in self.entries), *self.entries])
        write_whole(self.path, "".join(f"{self.entries[address].line()}\n" for address in order).encode("ascii"))


def is_file_name(name: str) -> bool:
    """Whether it names something that lies in a folder itself: no path, nothing hidden."""
    return name != "" and PurePosixPath(name).name == name and not name.startswith(".") and "\0" not in name and "\\" not in name


def is_whole(path: Path) -> bool:
    """Whether a path is a regular file and no link to one."""
    return path.is_file() and not path.is_symlink() and os.access(path, os.R_OK)


def _is_entry(found: Mapping[str, Any]) -> bool:
    """Whether all parts are of their kind; either an image is there or an error is."""
    of_image = (found["file"], found["sha256"], found["bytes"], found["mediaType"])
    there = all(part is not None for part in of_image) and found["error"] is None and found["detail"] is None
    missing = all(part is None for part in of_image) and isinstance(found["error"], str)
    texts = ("address", "fetchedAt")
    return (
        (there or missing)
        and all(isinstance(found[name], str) for name in texts)
        and type(found["tries"]) is int
        and (missing or (_is_image(found)))
        and isinstance(found["detail"], str | None)
    )


def _is_image(found: Mapping[str, Any]) -> bool:
    return (
        isinstance(found["file"], str)
        and is_file_name(found["file"])
        and isinstance(found["sha256"], str)
        and _SHA256.match(found["sha256"]) is not None
        and type(found["bytes"]) is int
        and isinstance(found["mediaType"], str)
    )
