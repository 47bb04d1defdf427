"""Files that only their owner may read: how they are looked at before they are believed, read, and written.

Whoever can change a key file makes the station sign for them, and whoever can read it signs in its place. A file that is not ours
alone is therefore refused before it is read, and the sentence says what to do about it. Links are never followed in the last part
of a path; the folders above are the system's.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat

from edge.evidence.keys.error import KeyFileError

MOST_BYTES = 64 << 10
"""Far more than a key has, and little enough to read whatever somebody put there."""

_FILE_MODE = 0o600
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe without a writer would be waited for
_MAKE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def check_private(about: os.stat_result, shown: str, *, folder: bool = False) -> None:
    """Refuse a file, or a folder, that is not this process's user's alone.

    Args:
        about: What the system says about it, links not followed.
        shown: Its path, for the sentence.
        folder: Whether it has to be a folder instead of a regular file.

    Raises:
        KeyFileError: `keyForeign`, `keyTooOpen`.
    """
    kind = "folder" if folder else "regular file"
    if not (stat.S_ISDIR(about.st_mode) if folder else stat.S_ISREG(about.st_mode)):
        what = "a link" if stat.S_ISLNK(about.st_mode) else "something else"
        raise KeyFileError("keyForeign", f"{shown} is {what} and has to be a {kind}: find out who put it there, then remove it")
    user = os.geteuid()
    if about.st_uid != user:
        raise KeyFileError(
            "keyForeign",
            f"{shown} belongs to user {about.st_uid}, and this program runs as user {user}: run it as that user, "
            "or find out whose it is",
        )
    if about.st_mode & _OTHERS:
        right = "0700" if folder else "0600"
        raise KeyFileError(
            "keyTooOpen",
            f"{shown} has mode {stat.S_IMODE(about.st_mode):04o}, so that others may reach it: if nobody can have, "
            f"set mode {right} (chmod {right} on a file system that keeps modes); otherwise make a new key",
        )


def unavailable(error: OSError, shown: str) -> KeyFileError:
    """The refusal for what the system says about a path."""
    if error.errno == errno.ENOENT:
        return KeyFileError("keyMissing", f"there is no {shown}: make it first, or see to it that its medium is mounted")
    if error.errno in {errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.ENXIO}:
        return KeyFileError("keyForeign", f"{shown} is a link or not of the kind that is expected: find out who put it there")
    return KeyFileError("keyUnavailable", f"{shown}: {error.strerror or error}: see to the medium and to the rights of this user")


def read_private(name: str, shown: str, folder: int | None = None) -> bytes:
    """The content of a private file, 1 to `MOST_BYTES` bytes.

    Args:
        name: Its path, relative to `folder` if that is given.
        shown: Its path, for sentences.
        folder: An open folder.

    Raises:
        KeyFileError: every code but `keyExists`; `keyMalformed` for an empty or far too large file.
    """
    try:
        # Before it is opened, too: opening a foreign file fails for other reasons, which would say less.
        check_private(os.stat(name, dir_fd=folder, follow_symlinks=False), shown)
        with os.fdopen(os.open(name, _READ, dir_fd=folder), "rb") as file:
            check_private(os.fstat(file.fileno()), shown)
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise unavailable(error, shown) from error
    if not 0 < len(content) <= MOST_BYTES:
        size = "is empty" if not content else f"has more than {MOST_BYTES} bytes"
        raise KeyFileError("keyMalformed", f"{shown} {size} and is no key: bring back a copy, or remove it and make a new one")
    return content


def create_private(name: str, content: bytes, shown: str, folder: int | None = None) -> None:
    """Write a new private file and see it on the medium; the folder is the caller's to sync. Nothing is left of a failure.

    Raises:
        KeyFileError: `keyExists`; `keyTooOpen` where the file system keeps no modes; `keyMissing` without its folder;
            `keyUnavailable`.
        ValueError: the content is empty or too large.
    """
    if not 0 < len(content) <= MOST_BYTES:
        raise ValueError(f"a key file has 1 to {MOST_BYTES} bytes, not {len(content)}")
    try:
        descriptor = os.open(name, _MAKE, _FILE_MODE, dir_fd=folder)
    except FileExistsError:
        raise exists(shown) from None
    except OSError as error:
        raise unavailable(error, shown) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, _FILE_MODE)  # a umask may have taken the owner's own rights
            check_private(os.fstat(descriptor), shown)  # before anything secret is in it
            file.write(content)
            file.flush()
            os.fsync(descriptor)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=folder)
        if isinstance(error, OSError):
            raise unavailable(error, shown) from error
        raise


def exists(shown: str) -> KeyFileError:
    """The refusal to replace a key."""
    return KeyFileError("keyExists", f"{shown} is there already and is not replaced: use it, or choose another name")
