"""Reads the folder of an export that may be hostile: regular files below it and nothing else, each of a bounded size.

Every part of a name is opened in the folder before it, without following links, so that nothing outside can be reached however
the folder is made or changed meanwhile. The hash of a file is taken of the very bytes that are used.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

from edge.audit.manifest import FileFacts, is_safe_part
from edge.audit.verification import Finding

MOST_NAMES = 1_000_000
"""Files and folders in all; ten thousand ballots make some seventy thousand."""
MOST_DEPTH = 8
"""Folders above a file; the tiles of the longest log that is looked at have seven."""
MOST_FILE_BYTES = 96 << 20
"""Of any file but the manifest and the log's; all files of a sheet together have no more."""

_CHUNK = 1 << 20
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# A FIFO must not keep the opener waiting.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class FolderError(Exception):
    """The folder as a whole cannot be looked at.

    Attributes:
        code: exportMissing or exportUnreadable.
        detail: One sentence.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        """Give the message: `code: detail`."""
        return f"{self.code}: {self.detail}"


class FileError(OSError):
    """A file that cannot be read as what it should be; an OSError, so that a reader of tiles takes it for a missing one.

    Attributes:
        code: fileMissing, fileLink, fileSpecial, fileTooLarge, fileUnstable or fileUnreadable.
        name: The file, relative to the folder.
        detail: One sentence.
    """

    def __init__(self, code: str, name: str, detail: str) -> None:
        super().__init__(code, name, detail)
        self.code = code
        self.name = name
        self.detail = detail

    def finding(self) -> Finding:
        """As something that is wrong with the export."""
        return Finding(self.code, self.name, self.detail)

    def __str__(self) -> str:
        """Give the message: `code: name: detail`."""
        return f"{self.code}: {self.name}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Listing:
    """What lies in a folder.

    Attributes:
        files: Size of every regular file by its name, sorted.
        findings: What belongs into no export: links, special files, names that no export has.
    """

    files: Mapping[str, int]
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class ExportFolder:
    """An open folder. `facts` has size and hash of every file that was read whole, `errors` why another one could not be.

    Raises:
        FolderError: there is no such folder, it is a link, or it cannot be opened.
    """

    path: Path
    facts: dict[str, FileFacts] = field(default_factory=dict)
    errors: dict[str, FileError] = field(default_factory=dict)
    _top: int = -1

    def __post_init__(self) -> None:
        """Open it."""
        try:
            self._top = os.open(self.path, _FOLDER)
        except FileNotFoundError as error:
            raise FolderError("exportMissing", f"there is no folder {str(self.path)!r}") from error
        except (OSError, ValueError) as error:
            detail = "is a link" if self.path.is_symlink() else getattr(error, "strerror", None) or str(error)
            raise FolderError("exportUnreadable", f"{str(self.path)!r}: {detail}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the folder."""
        if self._top >= 0:
            os.close(self._top)
            self._top = -1

    @property
    def name(self) -> str:
        """The folder's own name."""
        return Path(os.path.abspath(self.path)).name  # noqa: PTH100  links are not to be resolved

    @property
    def identity(self) -> tuple[int, int]:
        """Device and inode, by which another process knows that it looks at the same folder."""
        found = os.fstat(self._top)
        return found.st_dev, found.st_ino

    def listing(self) -> Listing:
        """Look at every name below the folder, without opening a file."""
        lister = _Lister()
        lister.look(self._top, "", 0)
        return Listing(dict(sorted(lister.files.items())), tuple(lister.findings))

    def read(self, name: str, most: int = MOST_FILE_BYTES) -> bytes:
        """The contents of a file.

        Raises:
            FileError: it is not there, is no regular file, has more than `most` bytes, cannot be read, or was read before and had
                other contents.
        """
        pieces: list[bytes] = []
        self._take(name, most, pieces)
        return b"".join(pieces)

    def look(self, name: str, most: int = MOST_FILE_BYTES) -> FileFacts:
        """Size and hash of a file, of which no more than a piece is in memory at once; one that was read is not read again.

        Raises:
            FileError: as `read`.
        """
        if name in self.errors:
            raise self.errors[name]
        if name not in self.facts:
            self._take(name, most, None)
        return self.facts[name]

    def _take(self, name: str, most: int, pieces: list[bytes] | None) -> None:
        """Read a file to its end, and note what it is, or what is wrong with it."""
        try:
            with self._opened(name) as file:
                facts = _facts(file, name, most, pieces)
            known = self.facts.setdefault(name, facts)
        except FileError as error:
            self.errors[name] = error
            raise
        if known != facts:
            self.errors[name] = FileError("fileUnstable", name, "the medium gives other contents every time it is read")
            raise self.errors[name]

    @contextmanager
    def _opened(self, name: str) -> Iterator[int]:
        """A descriptor of a regular file; each part of the name is opened in the one before."""
        *folders, last = name.split("/")
        if not all(map(is_safe_part, (*folders, last))):
            raise FileError("fileMissing", name, "no export has a file of this name")
        descriptor = os.dup(self._top)
        try:
            for folder in folders:
                descriptor = _inside(descriptor, folder, _FOLDER)
            # Looked at before it is opened too: opening a device can do something.
            kind = os.stat(last, dir_fd=descriptor, follow_symlinks=False).st_mode
            if stat.S_ISREG(kind):
                descriptor = _inside(descriptor, last, _FILE)
                kind = os.fstat(descriptor).st_mode
            _refuse_special(name, kind)
            yield descriptor
        except FileError:
            raise
        except OSError as error:
            raise _file_error(name, error) from error
        finally:
            os.close(descriptor)


def _inside(descriptor: int, part: str, flags: int) -> int:
    """Go from a folder to something in it."""
    inner = os.open(part, flags, dir_fd=descriptor)
    os.close(descriptor)
    return inner


def _refuse_special(name: str, kind: int) -> None:
    if stat.S_ISLNK(kind):
        raise FileError("fileLink", name, "is a link")
    if not stat.S_ISREG(kind):
        raise FileError("fileSpecial", name, "is no regular file")


def _facts(file: int, name: str, most: int, pieces: list[bytes] | None) -> FileFacts:
    """Size and hash of an open file; its contents go into `pieces`."""
    size = os.fstat(file).st_size
    if size > most:
        raise FileError("fileTooLarge", name, f"has {size} bytes; at most {most} can be right")
    sha256, read = hashlib.sha256(), 0
    # One byte more than there should be, so that a file that grows is seen.
    while read <= size and (piece := os.read(file, min(_CHUNK, size + 1 - read))):
        read += len(piece)
        sha256.update(piece)
        if pieces is not None:
            pieces.append(piece)
    if read != size:
        raise FileError("fileUnstable", name, f"has {size} bytes, but gives {read}")
    return FileFacts(name, read, sha256.digest())


def _file_error(name: str, error: OSError) -> FileError:
    if error.errno in {errno.ENOENT, errno.ENOTDIR}:
        return FileError("fileMissing", name, "is not there")
    if error.errno == errno.ELOOP:
        return FileError("fileLink", name, "is a link")
    return FileError("fileUnreadable", name, error.strerror or repr(error))


@dataclass(slots=True)
class _Lister:
    """Walks through folders, and stops where there are more names than any export has."""

    files: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    _names: int = 0
    _folded: dict[str, str] = field(default_factory=dict)

    def look(self, folder: int, above: str, depth: int) -> None:
        """All that is in the folder behind a descriptor; `above` is its name with a `/`, empty for the export's own."""
        try:
            with os.scandir(folder) as entries:
                found = sorted((entry.name, entry.stat(follow_symlinks=False)) for entry in islice(entries, MOST_NAMES + 1))
        except OSError as error:
            self._wrong("folderUnreadable", above.rstrip("/"), error.strerror or repr(error))
            return
        for part, status in found:
            self._names += 1
            if self._names > MOST_NAMES:
                if self._names == MOST_NAMES + 1:
                    self._wrong("tooManyFiles", above + part, f"more than {MOST_NAMES} names; the rest was not looked at")
                return
            self._one(folder, above, part, status, depth)

    def _one(self, folder: int, above: str, part: str, status: os.stat_result, depth: int) -> None:
        name = above + part
        other = self._folded.setdefault(name.lower(), name)
        if not is_safe_part(part):
            self._wrong("nameForbidden", ascii(name)[1:-1], "no export has a file or folder of this name")
        elif other != name:
            self._wrong("nameCollision", name, f"differs from {other} in upper and lower case only")
        elif stat.S_ISREG(status.st_mode):
            self.files[name] = status.st_size
        elif stat.S_ISLNK(status.st_mode):
            self._wrong("fileLink", name, "is a link")
        elif not stat.S_ISDIR(status.st_mode):
            self._wrong("fileSpecial", name, "is no regular file")
        elif depth >= MOST_DEPTH:
            self._wrong("folderTooDeep", name, f"more than {MOST_DEPTH} folders in each other; not looked at")
        else:
            self._inside(folder, name, part, depth)

    def _inside(self, folder: int, name: str, part: str, depth: int) -> None:
        try:
            inner = os.open(part, _FOLDER, dir_fd=folder)
        except OSError as error:
            self._wrong("folderUnreadable", name, error.strerror or repr(error))
            return
        try:
            self.look(inner, f"{name}/", depth + 1)
        finally:
            os.close(inner)

    def _wrong(self, code: str, name: str, detail: str) -> None:
        self.findings.append(Finding(code, name, detail))
