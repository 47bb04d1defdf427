"""The folder of the device's private keys.

It is looked at afresh with every call, and a file is reached through the folder that was looked at, so that neither can be
exchanged in between. Every change is whole or not there at all, also after a power cut, and on the medium when the call returns:
a file is written under a passing name, synced, given its name, and the folder synced. Passing names that a cut left behind are
removed by the next `open` or change. Two processes that change the folder wait for each other.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from edge.evidence.keys.error import KeyFileError
from edge.evidence.keys.private_file import MOST_BYTES, check_private, create_private, exists, read_private, unavailable

__all__ = ["KeyFileError", "KeyFolder"]

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,126}")
_NEW, _GONE = ".new-", ".gone-"
_PASSING = re.compile(r"\.(new|gone)-[0-9a-f]{32}")
_FOLDER_MODE = 0o700
_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_WIPE = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class KeyFolder:
    """A folder of private files, each of 1 byte to 64 KiB; names have lower-case letters, digits, dots and hyphens.

    Holds nothing but the path: making one reaches no file, and it shows no key.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __repr__(self) -> str:
        """Show the path."""
        return f"KeyFolder({str(self.path)!r})"

    def open(self, create: bool = False) -> Self:
        """Check the folder, remove what a cut left behind, and give the folder itself.

        Args:
            create: Make the folder if it is missing; the folder that it is in has to be there.

        Raises:
            KeyFileError: `keyMissing`, `keyForeign`, `keyTooOpen`, `keyUnavailable`.
        """
        if create:
            self._make()
        with self._changing():
            return self

    def read(self, name: str) -> bytes:
        """The content of a file.

        Raises:
            KeyFileError: every code but `keyExists`.
            ValueError: the name is none that the folder has.
        """
        _check_name(name)
        with self._folder() as folder:
            return read_private(name, self._shown(name), folder)

    def write_new(self, name: str, content: bytes) -> None:
        """Write a file that is not there yet.

        Raises:
            KeyFileError: `keyExists`, and as `open`; after `keyUnavailable` the file may or may not be there.
            ValueError: a name that the folder cannot have; an empty or too large content.
        """
        _check_name(name)
        with self._changing() as folder:
            passing = self._written(folder, content)
            try:
                # A link, since a rename would replace.
                os.link(passing, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
            except FileExistsError:
                raise exists(self._shown(name)) from None
            finally:
                os.unlink(passing, dir_fd=folder)
                os.fsync(folder)

    def replace(self, name: str, content: bytes) -> None:
        """Write a file in the place of the one of that name, if there is one; what that one held is not overwritten.

        Raises:
            KeyFileError: as `open`, also about the file that is to be replaced; after `keyUnavailable` either may be there.
            ValueError: as `write_new`.
        """
        _check_name(name)
        with self._changing() as folder:
            self._check_file(folder, name, may_be_missing=True)
            passing = self._written(folder, content)
            try:
                os.rename(passing, name, src_dir_fd=folder, dst_dir_fd=folder)
            except OSError:
                os.unlink(passing, dir_fd=folder)
                raise
            os.fsync(folder)

    def remove(self, name: str) -> None:
        """Remove a file, and overwrite what it held.

        The file has lost its name before it is overwritten, so that a cut never leaves a file of that name with half a key. Flash
        keeps old copies of overwritten blocks out of reach of the file system: only an encrypted medium makes them worthless.

        Raises:
            KeyFileError: `keyMissing`, and as `open`.
            ValueError: the name is none that the folder has.
        """
        _check_name(name)
        with self._changing() as folder:
            self._check_file(folder, name)
            passing = _GONE + secrets.token_hex(16)
            os.rename(name, passing, src_dir_fd=folder, dst_dir_fd=folder)
            os.fsync(folder)
            _wipe(folder, passing)
            os.unlink(passing, dir_fd=folder)
            os.fsync(folder)

    def _shown(self, name: str) -> str:
        return repr(str(self.path / name))

    def _make(self) -> None:
        shown = repr(str(self.path))
        try:
            self.path.mkdir(_FOLDER_MODE)
            self.path.chmod(_FOLDER_MODE)  # a umask may have taken the owner's own rights
            above = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(above)
            finally:
                os.close(above)
        except FileExistsError:
            return  # whatever it is, it is looked at next
        except FileNotFoundError as error:
            raise KeyFileError("keyMissing", f"{shown} cannot be made: the folder that it is in is not there") from error
        except OSError as error:
            raise unavailable(error, shown) from error

    @contextlib.contextmanager
    def _folder(self) -> Iterator[int]:
        """The folder, looked at and open; the system's refusals while it is open become errors of ours."""
        shown = repr(str(self.path))
        try:
            check_private(self.path.lstat(), shown, folder=True)
            folder = os.open(self.path, _OPEN_FOLDER)
            try:
                check_private(os.fstat(folder), shown, folder=True)
                yield folder
            finally:
                os.close(folder)
        except OSError as error:
            raise unavailable(error, shown) from error

    @contextlib.contextmanager
    def _changing(self) -> Iterator[int]:
        """The folder, open for one change at a time and without leftovers."""
        with self._folder() as folder:
            fcntl.flock(folder, fcntl.LOCK_EX)  # ends when the folder is closed
            leftovers = [name for name in os.listdir(folder) if _PASSING.fullmatch(name)]  # noqa: PTH208  a Path cannot list an open folder
            for name in leftovers:
                # A new file may have its proper name already, which is then another link to the same content.
                if name.startswith(_GONE):
                    _wipe(folder, name)
                os.unlink(name, dir_fd=folder)
            if leftovers:
                os.fsync(folder)
            yield folder

    def _written(self, folder: int, content: bytes) -> str:
        """Write and sync a file under a passing name, and give that name."""
        passing = _NEW + secrets.token_hex(16)
        create_private(passing, content, self._shown(passing), folder)
        return passing

    def _check_file(self, folder: int, name: str, *, may_be_missing: bool = False) -> None:
        try:
            about = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError as error:
            if may_be_missing:
                return
            raise unavailable(error, self._shown(name)) from error
        check_private(about, self._shown(name))


def _check_name(name: str) -> None:
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"{name!r} cannot be the name of a key file")


def _wipe(folder: int, name: str) -> None:
    """Overwrite a regular file with zeros, and see it on the medium; what is no file of ours is only unlinked by the caller."""
    try:
        descriptor = os.open(name, _WIPE, dir_fd=folder)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENXIO}:
            return
        raise
    try:
        about = os.fstat(descriptor)
        if stat.S_ISREG(about.st_mode) and about.st_uid == os.geteuid():
            os.pwrite(descriptor, bytes(min(about.st_size, MOST_BYTES)), 0)
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
