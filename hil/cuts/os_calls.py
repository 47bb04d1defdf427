"""The functions of `os`, and `open`, replaced by ones that also take down what they did in recorded folders.

Code that took a function out of `os` before (`from os import fsync`) goes past this, and so does what has no function of `os`:
memory maps, `io.FileIO` used directly, other processes. The comparison at the end of a recording finds it.
"""

from __future__ import annotations

import _pyio  # type: ignore[import-not-found]  # the standard library's, without type information
import builtins
import fcntl
import io
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any, Protocol

from hil.cuts.live_tree import AnyPath, LiveTree, Spot

Buffer = bytes | bytearray | memoryview
_SETS = ("supports_dir_fd", "supports_fd", "supports_follow_symlinks")


class _HasDescriptor(Protocol):
    def fileno(self) -> int: ...


Descriptor = int | _HasDescriptor


class OsCalls:
    """Stands in for functions of `os` while `installed`.

    Args:
        tree: What is recorded.
    """

    def __init__(self, tree: LiveTree) -> None:
        self._tree = tree
        self._lock = tree.recording.lock
        self._mine: dict[str, Callable[..., Any]] = {
            "open": self._open,
            "write": self._write,
            "pwrite": self._pwrite,
            "writev": self._writev,
            "pwritev": self._pwritev,
            "ftruncate": self._ftruncate,
            "truncate": self._truncate,
            "posix_fallocate": self._fallocate,
            "fsync": self._fsync,
            "fdatasync": self._fdatasync,
            "sync": self._sync,
            "rename": self._rename,
            "replace": self._replace,
            "link": self._link,
            "unlink": self._unlink,
            "remove": self._remove,
            "mkdir": self._mkdir,
            "rmdir": self._rmdir,
            "chmod": self._chmod,
            "fchmod": self._fchmod,
            # Nothing here records these.
            "symlink": self._refusing_path("symlink", 1),
            "mkfifo": self._refusing_path("mkfifo", 0),
            "mknod": self._refusing_path("mknod", 0),
            "sendfile": self._refusing_descriptor("sendfile", 0),
            "copy_file_range": self._refusing_descriptor("copy_file_range", 1),
            "splice": self._refusing_descriptor("splice", 1),
        }
        self._real: dict[str, Callable[..., Any]] = {name: getattr(os, name) for name in self._mine}
        self._real_open: Callable[..., IO[Any]] = io.open

    @contextmanager
    def installed(self) -> Iterator[None]:
        """From here to the end every call goes through this object; then everything is as it was."""
        openers = builtins.open, io.open
        try:
            for name, function in self._mine.items():
                setattr(os, name, function)
                # Others ask these sets what a function can do.
                for capable in self._capable(name):
                    capable.add(function)
            setattr(builtins, "open", self._open_stream)  # noqa: B010  an assignment is more than mypy lets pass
            setattr(io, "open", self._open_stream)  # noqa: B010  as above
            yield
        finally:
            builtins.open, io.open = openers
            for name, function in self._real.items():
                setattr(os, name, function)
                for capable in self._capable(name):
                    capable.discard(self._mine[name])

    def _capable(self, name: str) -> Iterator[set[Callable[..., Any]]]:
        for set_name in _SETS:
            capable: set[Callable[..., Any]] = getattr(os, set_name)
            if self._real[name] in capable:
                yield capable

    # Opening.

    def _open(self, path: AnyPath, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        nameless = flags & os.O_TMPFILE == os.O_TMPFILE
        spot = self._tree.spot(path, dir_fd) if flags & (os.O_CREAT | os.O_TRUNC) or nameless else None
        if nameless and (spot is not None or self._tree.root(path, dir_fd) is not None):
            with self._lock:
                descriptor = int(self._real["open"](path, flags, mode, dir_fd=dir_fd))
                self._tree.made_nameless(descriptor)
                return descriptor
        if spot is None:
            return int(self._real["open"](path, flags, mode, dir_fd=dir_fd))
        with self._lock:
            before = _look(path, dir_fd)
            number = self._known(spot, before)
            if before is not None and not stat.S_ISREG(before.st_mode):
                return int(self._real["open"](path, flags, mode, dir_fd=dir_fd))
            descriptor = int(self._real["open"](path, flags, mode, dir_fd=dir_fd))
            if number is None:
                self._tree.made(spot)
            elif flags & os.O_TRUNC and before is not None and before.st_size:
                self._tree.resized(number, 0)
            return descriptor

    def _open_stream(
        self,
        file: AnyPath | int,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        closefd: bool = True,
        opener: Callable[[str, int], int] | None = None,
    ) -> IO[Any]:
        """`open`: files in recorded folders that are written are opened by Python's own `open` in Python, which calls `os`."""
        arguments = (file, mode, buffering, encoding, errors, newline, closefd, opener)
        if set(mode) & set("wax+") and self._is_ours(file):
            stream: IO[Any] = _pyio.open(*arguments)
            return stream
        return self._real_open(*arguments)

    def _is_ours(self, file: AnyPath | int) -> bool:
        if isinstance(file, int):
            return self._tree.open_file(file) is not None
        # A file with a name of its own choosing (tempfile) is opened by the name of its folder.
        return self._tree.spot(file) is not None or self._tree.root(file) is not None

    # Writing.

    def _write(self, fd: int, data: Buffer, /) -> int:
        return self._stream(fd, lambda: int(self._real["write"](fd, data)), [data])

    def _writev(self, fd: int, buffers: Sequence[Buffer], /) -> int:
        return self._stream(fd, lambda: int(self._real["writev"](fd, buffers)), buffers)

    def _pwrite(self, fd: int, data: Buffer, offset: int, /) -> int:
        return self._place(fd, lambda: int(self._real["pwrite"](fd, data, offset)), [data], offset)

    def _pwritev(self, fd: int, buffers: Sequence[Buffer], offset: int, flags: int = 0, /) -> int:
        return self._place(fd, lambda: int(self._real["pwritev"](fd, buffers, offset, flags)), buffers, offset)

    def _stream(self, fd: int, act: Callable[[], int], buffers: Sequence[Buffer]) -> int:
        number = self._tree.open_file(fd)
        if number is None:
            return act()
        with self._lock:
            written = act()
            self._wrote(fd, number, os.lseek(fd, 0, os.SEEK_CUR) - written, _joined(buffers, written))
            return written

    def _place(self, fd: int, act: Callable[[], int], buffers: Sequence[Buffer], offset: int) -> int:
        number = self._tree.open_file(fd)
        if number is None:
            return act()
        with self._lock:
            written = act()
            if fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_APPEND:
                offset = os.fstat(fd).st_size - written  # Linux then ignores the offset
            self._wrote(fd, number, offset, _joined(buffers, written))
            return written

    def _wrote(self, fd: int, number: int, offset: int, data: bytes) -> None:
        self._tree.wrote(number, offset, data)
        if fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_DSYNC:
            self._tree.synced(number)

    def _ftruncate(self, fd: Descriptor, length: int, /) -> None:
        number = self._tree.open_file(_number(fd))
        with self._lock:
            self._real["ftruncate"](fd, length)
            if number is not None:
                self._tree.resized(number, length)

    def _truncate(self, path: AnyPath | int, length: int) -> None:
        if isinstance(path, int):
            self._ftruncate(path, length)
            return
        spot = self._tree.spot(path)
        with self._lock:
            number = None if spot is None else self._known(spot, _look(path, None))
            self._real["truncate"](path, length)
            if number is not None:
                self._tree.resized(number, length)

    def _fallocate(self, fd: int, offset: int, length: int, /) -> None:
        number = self._tree.open_file(fd)
        with self._lock:
            before = os.fstat(fd).st_size
            self._real["posix_fallocate"](fd, offset, length)
            if number is not None and offset + length > before:
                self._tree.resized(number, offset + length)

    # Making sure.

    def _fsync(self, fd: Descriptor) -> None:
        self._sync_one("fsync", fd)

    def _fdatasync(self, fd: Descriptor) -> None:
        # The length is made durable too: without it the data could not be read.
        self._sync_one("fdatasync", fd)

    def _sync_one(self, name: str, fd: Descriptor) -> None:
        number = self._tree.open_file(_number(fd))
        if number is None:
            self._real[name](fd)
            return
        with self._lock:
            self._real[name](fd)
            self._tree.synced(number)

    def _sync(self) -> None:
        with self._lock:
            self._real["sync"]()
            self._tree.all_synced()

    # Names.

    def _rename(self, src: AnyPath, dst: AnyPath, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None) -> None:
        self._move("rename", src, dst, src_dir_fd, dst_dir_fd)

    def _replace(self, src: AnyPath, dst: AnyPath, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None) -> None:
        self._move("replace", src, dst, src_dir_fd, dst_dir_fd)

    def _move(self, name: str, src: AnyPath, dst: AnyPath, src_dir_fd: int | None, dst_dir_fd: int | None) -> None:
        with self._lock:
            self._refuse_root(src, src_dir_fd)
            old, new = self._tree.spot(src, src_dir_fd), self._tree.spot(dst, dst_dir_fd)
            moved = None if old is None else self._known(old, _look(src, src_dir_fd))
            if new is not None:
                self._known(new, _look(dst, dst_dir_fd))
            if new is not None and moved is None and _look(src, src_dir_fd) is not None:
                self._tree.refuse(f"what becomes {self._tree.path(new)} was not recorded")
            if old is not None and moved is not None and self._tree.is_folder(moved) and new is None:
                self._tree.refuse(f"{self._tree.path(old)} leaves the recorded folders with what is in it")
            self._real[name](src, dst, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
            if old is not None and new is not None:
                self._tree.moved(old, new)
            elif old is not None:
                self._tree.removed(old)

    def _link(
        self,
        src: AnyPath,
        dst: AnyPath,
        *,
        src_dir_fd: int | None = None,
        dst_dir_fd: int | None = None,
        follow_symlinks: bool = True,
    ) -> None:
        spot = self._tree.spot(dst, dst_dir_fd)
        with self._lock:
            self._real["link"](src, dst, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd, follow_symlinks=follow_symlinks)
            if spot is not None:
                self._tree.linked(spot)

    def _unlink(self, path: AnyPath, *, dir_fd: int | None = None) -> None:
        self._take_out("unlink", path, dir_fd)

    def _remove(self, path: AnyPath, *, dir_fd: int | None = None) -> None:
        self._take_out("remove", path, dir_fd)

    def _rmdir(self, path: AnyPath, *, dir_fd: int | None = None) -> None:
        self._take_out("rmdir", path, dir_fd)

    def _take_out(self, name: str, path: AnyPath, dir_fd: int | None) -> None:
        self._refuse_root(path, dir_fd)
        spot = self._tree.spot(path, dir_fd)
        with self._lock:
            number = None if spot is None else self._known(spot, _look(path, dir_fd))
            self._real[name](path, dir_fd=dir_fd)
            if spot is not None and number is not None:
                self._tree.removed(spot)

    def _mkdir(self, path: AnyPath, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        spot = self._tree.spot(path, dir_fd)
        with self._lock:
            self._real["mkdir"](path, mode, dir_fd=dir_fd)
            if spot is not None:
                self._tree.made(spot, is_folder=True)

    def _chmod(self, path: AnyPath | int, mode: int, *, dir_fd: int | None = None, follow_symlinks: bool = True) -> None:
        if isinstance(path, int):
            self._fchmod(path, mode)
            return
        spot = self._tree.spot(path, dir_fd)
        with self._lock:
            number = self._tree.root(path, dir_fd) if spot is None else self._known(spot, _look(path, dir_fd))
            self._real["chmod"](path, mode, dir_fd=dir_fd, follow_symlinks=follow_symlinks)
            if number is not None:
                self._tree.mode_set(number, stat.S_IMODE(mode))

    def _fchmod(self, fd: int, mode: int) -> None:
        number = self._tree.open_file(fd)
        with self._lock:
            self._real["fchmod"](fd, mode)
            if number is not None:
                self._tree.mode_set(number, stat.S_IMODE(mode))

    # Refusing.

    def _known(self, spot: Spot, about: os.stat_result | None) -> int | None:
        """The number of what is there; None when nothing is, or SQLite's shared memory, which no recording needs."""
        number = self._tree.at(spot)
        if about is not None and (number is None or stat.S_ISLNK(about.st_mode)) and not spot.name.endswith("-shm"):
            self._tree.refuse(f"{self._tree.path(spot)} was made in a way that is not recorded")
        return number

    def _refuse_root(self, path: AnyPath, dir_fd: int | None) -> None:
        if self._tree.root(path, dir_fd) is not None:
            self._tree.refuse(f"{os.fsdecode(path)} is recorded and must stay where it is")

    def _refusing_path(self, name: str, position: int) -> Callable[..., Any]:
        def refuse(*args: Any, dir_fd: int | None = None, **keywords: Any) -> Any:  # noqa: ANN401  as the function it stands for
            spot = self._tree.spot(args[position], dir_fd)
            if spot is not None:
                self._tree.refuse(f"os.{name} at {self._tree.path(spot)}")
            if dir_fd is not None:
                keywords["dir_fd"] = dir_fd
            return self._real[name](*args, **keywords)

        return refuse

    def _refusing_descriptor(self, name: str, position: int) -> Callable[..., Any]:
        def refuse(*args: Any, **keywords: Any) -> Any:  # noqa: ANN401  as the function it stands for
            number = self._tree.open_file(args[position])
            if number is not None:
                self._tree.refuse(f"os.{name} into {self._tree.name(number)}")
            return self._real[name](*args, **keywords)

        return refuse


def _look(path: AnyPath, dir_fd: int | None) -> os.stat_result | None:
    try:
        return os.stat(path, dir_fd=dir_fd, follow_symlinks=False)
    except OSError:
        return None


def _number(fd: Descriptor) -> int:
    return fd if isinstance(fd, int) else fd.fileno()


def _joined(buffers: Sequence[Buffer], length: int) -> bytes:
    return b"".join(bytes(buffer) for buffer in buffers)[:length]
