"""A folder on a medium that is not trusted: made anew, written, made durable, and read back.

Everything goes through descriptors of folders that this module has opened or made itself, and no link is ever followed: whoever
puts a link in the way gets an error instead of our bytes. Nothing that is there is opened for writing, replaced or removed.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import stat
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Self

from edge.audit.manifest import MOST_FILE_BYTES, ExportError, FileFacts

MOST_PATH = 259
"""Characters of a path on Windows, where an auditor may read the medium."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OLD = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FAT = 0x4D44
"""What Linux calls FAT in statfs(2), whatever its width."""
_FAT_SLOT = 32
_FAT_SLOTS = 1 << 16
"""Slots of a FAT folder. A name takes one, and one more for every 13 characters begun."""
_SPARE = 1 << 20
"""Bytes that are left free: the file system's own books grow with the export."""
_CHUNK = 1 << 20

_ADVICE = {
    "destinationMissing": "Plug the medium in and begin again.",
    "destinationUnusable": "Name the medium's own folder, not a link to it.",
    "destinationExists": "Begin another export: it gets another name. What is there is never written over.",
    "destinationIsEvidence": "Choose a folder on another medium.",
    "destinationReadOnly": "Take off its write protection and begin again. If it has none, the medium fails: use another one.",
    "destinationDenied": "Have the medium mounted for this user and begin again.",
    "destinationFull": "Use a medium with more room. This one will do only after something was removed from it.",
    "destinationFileTooLarge": "Use a medium that is formatted as exFAT or ext4.",
    "destinationFolderTooLarge": "Use a medium that is formatted as exFAT or ext4.",
    "destinationNames": "Export into the top folder of a medium that is formatted as exFAT or ext4.",
    "destinationGone": "See that the medium sits firmly and begin again. If it happens twice, use another one.",
    "destinationTampered": "Use another medium on which nothing else writes. Do not use this one before it is known what did.",
    "destinationUntrue": "Do not use this medium again: it loses what is written to it, or has less room than it says.",
    "destinationFailed": "Begin again. If it fails in the same way, use another medium.",
}
_CODES = {
    errno.ENOSPC: "destinationFull",
    errno.EDQUOT: "destinationFull",
    errno.EROFS: "destinationReadOnly",
    errno.EACCES: "destinationDenied",
    errno.EPERM: "destinationDenied",
    errno.EFBIG: "destinationFileTooLarge",
    errno.ENAMETOOLONG: "destinationNames",
    errno.EILSEQ: "destinationNames",
    errno.EIO: "destinationGone",
    errno.ENODEV: "destinationGone",
    errno.ENXIO: "destinationGone",
    errno.ENOTCONN: "destinationGone",
    errno.ESHUTDOWN: "destinationGone",
    errno.ESTALE: "destinationGone",
    errno.ENOMEDIUM: "destinationGone",
    errno.ENOENT: "destinationTampered",
    errno.ENOTDIR: "destinationTampered",
    errno.EISDIR: "destinationTampered",
    errno.ELOOP: "destinationTampered",
    errno.EEXIST: "destinationTampered",
}


class Calls:
    """The system calls that reach the medium."""

    open = staticmethod(os.open)
    close = staticmethod(os.close)
    mkdir = staticmethod(os.mkdir)
    unlink = staticmethod(os.unlink)
    write = staticmethod(os.write)
    read = staticmethod(os.read)
    fsync = staticmethod(os.fsync)
    utime = staticmethod(os.utime)
    fadvise = staticmethod(os.posix_fadvise)
    fstat = staticmethod(os.fstat)
    stat = staticmethod(os.stat)
    fstatvfs = staticmethod(os.fstatvfs)

    @staticmethod
    def listdir(descriptor: int) -> list[str]:
        """The names in an open folder."""
        return os.listdir(descriptor)

    @staticmethod
    def syncfs(descriptor: int) -> None:
        """Write out all of the file system that a descriptor is on."""
        if _libc().syncfs(descriptor):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    @staticmethod
    def is_fat(descriptor: int) -> bool:
        """Whether a descriptor is on FAT, whose folders are small."""
        # The first member of `struct statfs` is the type, in a machine word; all of it takes at most 120 bytes.
        words = (ctypes.c_long * 64)()
        if _libc().fstatfs(descriptor, words):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return words[0] == _FAT


class Destination:
    """A folder on a medium, open, in which new folders can be made.

    Args:
        path: The folder. Itself it may not be a link; how one comes to it is the system's own affair.
        forbidden: Folders of evidence and keys: neither they nor anything in them can be a destination.
        calls: How the medium is reached.

    Raises:
        ExportError: `destinationMissing`, `destinationUnusable`, `destinationIsEvidence`, `destinationReadOnly`, and so on.
    """

    def __init__(self, path: Path, forbidden: Collection[Path] = (), calls: Calls | None = None) -> None:
        self._path = path
        self._calls = calls or Calls()
        with told():
            try:
                self._folder = self._calls.open(path, _FOLDER)
            except FileNotFoundError as error:
                raise refusal("destinationMissing", f"{str(path)!a} is not there") from error
            except (NotADirectoryError, ValueError) as error:
                raise refusal("destinationUnusable", f"{str(path)!a} is a link or no folder") from error
        try:
            with told():
                self._check_place(forbidden)
                self._check_writable()
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # nothing was written through it
            self._calls.close(self._folder)

    def check_room(self, name: str, files: Sequence[FileFacts]) -> None:
        """See whether the files of a new folder would fit.

        Raises:
            ExportError: `destinationFull`, `destinationFileTooLarge`, `destinationFolderTooLarge`, `destinationNames`.
        """
        with told():
            room, is_fat = self._calls.fstatvfs(self._folder), self._calls.is_fat(self._folder)
        folders = _contents([facts.name for facts in files])
        parts = {name, *(part for inside in folders.values() for part in inside)}
        longest = max((len(facts.name) for facts in files), default=0)
        if len(f"X:\\{_on_medium(self._path)}\\{name}\\") + longest > MOST_PATH:
            raise refusal(
                "destinationNames", f"{str(self._path)!a} lies so deep that other computers could not read what is in it"
            )
        if room.f_namemax and max(map(len, parts)) > room.f_namemax:
            raise refusal("destinationNames", f"names on this medium have at most {room.f_namemax} characters")
        if any(facts.size > MOST_FILE_BYTES for facts in files):
            raise refusal("destinationFileTooLarge", "a file is larger than FAT can hold")
        slots = [2 + sum(1 + -(-len(one) // 13) for one in inside) for inside in folders.values()]
        if is_fat and max(slots) > _FAT_SLOTS:
            raise refusal("destinationFolderTooLarge", "there are more sheets than a folder can hold on FAT")
        cluster = room.f_frsize or room.f_bsize
        sizes = [*(facts.size for facts in files), *(_FAT_SLOT * count for count in slots)]
        needed, free = sum(-(-size // cluster) for size in sizes) * cluster + _SPARE, room.f_bavail * cluster
        if needed > free:
            raise refusal("destinationFull", f"the export takes {needed} bytes, and {free} are free")
        if room.f_files and len(sizes) > room.f_favail:
            raise refusal("destinationFull", f"the export takes {len(sizes)} files and folders, and {room.f_favail} are free")

    def new_folder(self, name: str, instant_s: int) -> NewFolder:
        """Make a folder that was not there; `instant_s` is the time that all in it will bear, seconds since 1970.

        Raises:
            ExportError: `destinationExists`, and whatever the medium does.
        """
        with told():
            try:
                self._calls.mkdir(name, 0o755, dir_fd=self._folder)
            except FileExistsError as error:
                raise refusal("destinationExists", f"{name} is there already") from error
            return NewFolder(self._folder, name, instant_s * 10**9, self._calls)

    def _check_place(self, forbidden: Collection[Path]) -> None:
        """Refuse a destination that is, or lies in, a folder of evidence, by whatever way one comes to it."""
        not_here = {place for folder in forbidden for place in _places(folder)}
        here: tuple[int, int] | None = None
        above = ""
        while (place := self._place(above)) != here:
            if place in not_here:
                raise refusal("destinationIsEvidence", f"{str(self._path)!a} is a folder of the evidence, or lies in one")
            here, above = place, above + "../"

    def _place(self, above: str) -> tuple[int, int]:
        found = self._calls.stat(f"{above}.", dir_fd=self._folder, follow_symlinks=False)
        return found.st_dev, found.st_ino

    def _check_writable(self) -> None:
        if self._calls.fstatvfs(self._folder).f_flag & os.ST_RDONLY:
            raise refusal("destinationReadOnly", f"{str(self._path)!a} can only be read")


class NewFolder:
    """A folder that was just made, with what is written into it. The files of one folder have to come one after the other.

    Every method raises ExportError for whatever the medium does: `destinationFull`, `destinationGone` and so on.
    """

    def __init__(self, destination: int, name: str, instant_ns: int, calls: Calls) -> None:
        self.name = name
        self._destination = destination
        self._times = (instant_ns, instant_ns)
        self._calls = calls
        self._device = calls.fstat(destination).st_dev
        self._at_top: set[str] = set()
        self._chain = _Chain(self._opened_new(destination, name), self._make, self._finish)

    def write(self, name: str, content: bytes) -> None:
        """Write one file and make it durable as far as a file can be by itself."""
        (*folders, last), calls = name.split("/"), self._calls
        if not folders:
            self._at_top.add(name)
        with told(), self._closing(calls.open(last, _NEW, 0o644, dir_fd=self._chain.folder(folders))) as file:
            rest = memoryview(content)
            while rest:
                rest = rest[calls.write(file, rest) :]
            calls.utime(file, ns=self._times)
            calls.fsync(file)
            calls.fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)

    def settle(self) -> None:
        """Make all that was written durable: every folder, then the whole file system."""
        with told():
            top = self._chain.folder([])
            self._calls.utime(top, ns=self._times)
            self._calls.fsync(top)
            self._calls.syncfs(top)

    def read_back(self, files: Sequence[FileFacts], progressed: Callable[[FileFacts], None]) -> None:
        """Read everything from the medium again, as far as the system lets go of what it remembers, and compare.

        Args:
            files: All that has to be there, in the order in which it was written.
            progressed: Told each file that is right.

        Raises:
            ExportError: `destinationUntrue` when something else comes back, `destinationTampered` when there is more.
        """
        expected = _contents([facts.name for facts in files])

        def enter(folder: int, path: str) -> int:
            entered = self._opened(folder, path.rpartition("/")[2] or self.name, _FOLDER)
            with self._closed_on_error(entered):
                _check_listing(path, set(self._calls.listdir(entered)), expected[path])
            return entered

        with told():
            chain = _Chain(enter(self._destination, ""), enter, self._calls.close)
        try:
            for facts in files:
                *folders, last = facts.name.split("/")
                with told():
                    self._compare(chain.folder(folders), last, facts)
                progressed(facts)
        finally:
            chain.drop(self._calls)

    def withdraw(self, names: Sequence[str]) -> bool:
        """Remove files from the top, so that it cannot pass for whole; whether they are gone for certain, or never were there."""
        begun = [name for name in names if name in self._at_top]
        try:
            for name in begun:
                with suppress(FileNotFoundError):
                    self._calls.unlink(name, dir_fd=self._chain.top)
            if begun:
                self._calls.fsync(self._chain.top)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Let go of it."""
        self._chain.drop(self._calls)

    def _make(self, folder: int, path: str) -> int:
        name = path.rpartition("/")[2]
        self._calls.mkdir(name, 0o755, dir_fd=folder)
        return self._opened_new(folder, name)

    def _opened_new(self, folder: int, name: str) -> int:
        """Open a folder that was made a moment ago; it is still the one that was made."""
        made = self._calls.open(name, _FOLDER, dir_fd=folder)
        with self._closed_on_error(made):
            _check_new(name, is_other=self._calls.fstat(made).st_dev != self._device, inside=self._calls.listdir(made))
        return made

    def _finish(self, folder: int) -> None:
        """What is to be done with a folder into which nothing more comes."""
        with self._closing(folder):
            self._calls.utime(folder, ns=self._times)
            self._calls.fsync(folder)

    def _opened(self, folder: int, name: str, flags: int) -> int:
        """Open something without changing when it was last read."""
        try:
            return self._calls.open(name, flags | os.O_NOATIME, dir_fd=folder)
        except PermissionError:  # only the owner may ask for that, and not every medium knows owners
            return self._calls.open(name, flags, dir_fd=folder)

    def _compare(self, folder: int, name: str, facts: FileFacts) -> None:
        calls = self._calls
        with self._closing(self._opened(folder, name, _OLD)) as file:
            if not stat.S_ISREG(calls.fstat(file).st_mode):
                raise refusal("destinationTampered", f"{facts.name} was exchanged for something that is no file")
            calls.fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            digest, size = hashlib.sha256(), 0
            while size <= facts.size and (piece := calls.read(file, _CHUNK)):
                digest.update(piece)
                size += len(piece)
        if (size, digest.digest()) != (facts.size, facts.sha256):
            raise refusal("destinationUntrue", f"{facts.name} reads back otherwise than it was written")

    @contextmanager
    def _closed_on_error(self, descriptor: int) -> Iterator[int]:
        try:
            yield descriptor
        except BaseException:
            with suppress(OSError):
                self._calls.close(descriptor)
            raise

    @contextmanager
    def _closing(self, descriptor: int) -> Iterator[int]:
        """Close a descriptor in any case; an error in closing counts where there is no other."""
        with self._closed_on_error(descriptor):
            yield descriptor
        self._calls.close(descriptor)


class _Chain:
    """The open folders from a top one down to the one at hand; `leave` is called for each that is done with, and closes it."""

    def __init__(self, top: int, enter: Callable[[int, str], int], leave: Callable[[int], None]) -> None:
        self.top = top
        self._enter = enter
        self._leave = leave
        self._below: list[tuple[str, int]] = []

    def folder(self, parts: Sequence[str]) -> int:
        """The descriptor of a folder below the top; those on the way to the last one that are not on the way to it are left."""
        names = [name for name, _ in self._below]
        while names != list(parts[: len(names)]):
            names.pop()
            self._leave(self._below.pop()[1])
        for depth in range(len(names), len(parts)):
            above = self._below[-1][1] if self._below else self.top
            self._below.append((parts[depth], self._enter(above, "/".join(parts[: depth + 1]))))
        return self._below[-1][1] if self._below else self.top

    def drop(self, calls: Calls) -> None:
        """Close everything, whatever happens."""
        for descriptor in (*(descriptor for _, descriptor in self._below), self.top):
            with suppress(OSError):
                calls.close(descriptor)
        self._below.clear()


def refusal(code: str, detail: str) -> ExportError:
    """The error with what to do about it."""
    return ExportError(code, detail, _ADVICE[code])


@contextmanager
def told() -> Iterator[None]:
    """Turn what a medium does into an `ExportError`."""
    try:
        yield
    except OSError as error:
        code = _CODES.get(error.errno or 0, "destinationFailed")
        raise refusal(code, f"the medium says: {error.strerror or error}") from error


def _check_listing(path: str, found: set[str], expected: set[str]) -> None:
    if missing := expected - found:
        raise refusal("destinationUntrue", f"{min(missing)!a} was written into {path or 'the new folder'!a} and is not there")
    if more := found - expected:
        raise refusal("destinationTampered", f"{min(more)!a} was put into {path or 'the new folder'!a} by somebody else")


def _check_new(name: str, *, is_other: bool, inside: list[str]) -> None:
    if is_other or inside:
        raise refusal("destinationTampered", f"the new folder {name!a} was exchanged for another one")


def _contents(names: Sequence[str]) -> dict[str, set[str]]:
    """Every folder, the top one as an empty name, and what is in it."""
    folders: dict[str, set[str]] = defaultdict(set)
    for name in names:
        path, last = name.rpartition("/")[::2]
        folders[path].add(last)
        while path:
            path, last = path.rpartition("/")[::2]
            folders[path].add(last)
    return folders


def _places(folder: Path) -> Iterator[tuple[int, int]]:
    """Device and number of a folder and of all folders in it, as far as it is there."""
    for place, _, _ in os.walk(folder):
        with suppress(OSError):
            found = Path(place).stat()
            yield found.st_dev, found.st_ino


def _on_medium(path: Path) -> str:
    """A folder's path from the top of its medium."""
    with told():
        there = path.resolve()
        device = there.stat().st_dev
        tops = list(takewhile(lambda above: above.stat().st_dev == device, (there, *there.parents)))
    return str(there.relative_to(tops[-1]))


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
