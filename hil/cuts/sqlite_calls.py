"""SQLite's default VFS, wrapped in place: what it does in recorded folders is taken down, and then it is as it was.

After the real xOpen a file of ours is given a copy of its methods, in which those that change something are callbacks. The
wrapper stays in memory for the life of the process, so that no call can reach one that is gone. One thing the VFS does without
being called for it: it syncs the folder when a new journal is synced for the first time, or one is deleted. It opens the
folder through a system call that can be replaced (xSetSystemCall), which is how that is seen and not merely assumed.
"""

from __future__ import annotations

import _sqlite3
import ctypes
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from ctypes import c_void_p
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hil.cuts.error import RecordingError
from hil.cuts.live_tree import LiveTree
from hil.cuts.sqlite_library import (
    IOERR,
    OK,
    CloseCall,
    ControlCall,
    DeleteCall,
    GetSystemCall,
    IoMethods,
    OpenCall,
    OpenedFile,
    OpenFolderCall,
    SetSystemCall,
    SyncCall,
    TruncateCall,
    WriteCall,
    default_vfs,
)

_OPEN_FOLDER = b"openDirectory"
_MMAP_SIZE = 18
"""SQLITE_FCNTL_MMAP_SIZE."""


@dataclass(frozen=True, slots=True)
class _Open:
    """A recorded file that SQLite has open: its number, and its own methods."""

    number: int
    methods: int


class SqliteCalls:
    """The wrapper; there is one in a process, see `sqlite_calls`."""

    def __init__(self) -> None:
        self._vfs = default_vfs(_sqlite3)
        self._tree: LiveTree | None = None
        self._files: dict[int, _Open] = {}
        self._copies: dict[int, IoMethods] = {}
        self._folders: list[str] = []
        self._calls: set[str] = set()
        self._problems: list[str] = []
        # SQLite's own.
        self._open = OpenCall(self._vfs.xOpen)
        self._delete = DeleteCall(self._vfs.xDelete)
        self._set_system_call = SetSystemCall(self._vfs.xSetSystemCall)
        system_call = GetSystemCall(self._vfs.xGetSystemCall)(ctypes.addressof(self._vfs), _OPEN_FOLDER)
        if not system_call:
            raise RecordingError("sqliteUnreachable", "SQLite does not say how it opens folders")
        self._open_folder = OpenFolderCall(system_call)
        # Ours; kept here for as long as SQLite may call them.
        self._my_open = OpenCall(self._guarded(self._on_open))
        self._my_delete = DeleteCall(self._guarded(self._on_delete))
        self._my_open_folder = OpenFolderCall(self._guarded(self._on_open_folder))
        self._my_methods = {
            "xClose": CloseCall(self._guarded(self._on_close)),
            "xWrite": WriteCall(self._guarded(self._on_write)),
            "xTruncate": TruncateCall(self._guarded(self._on_truncate)),
            "xSync": SyncCall(self._guarded(self._on_sync)),
            "xFileControl": ControlCall(self._guarded(self._on_control)),
        }
        self._probe()

    @contextmanager
    def installed(self, tree: LiveTree) -> Iterator[None]:
        """From here to the end what SQLite does in the folders of the tree is recorded.

        Raises:
            RecordingError: callFailed, at the end, when something happened that the recording cannot say.
        """
        self._problems.clear()
        self._tree = tree
        self._wrap()
        try:
            yield
        except sqlite3.Error as error:
            if self._problems:
                raise self._failed() from error
            raise
        finally:
            with tree.recording.lock:
                self._unwrap()
                self._tree = None
        if self._problems:
            raise self._failed()

    def _failed(self) -> RecordingError:
        return RecordingError("callFailed", "; ".join(self._problems))

    def _wrap(self) -> None:
        self._vfs.xOpen = ctypes.cast(self._my_open, c_void_p).value
        self._vfs.xDelete = ctypes.cast(self._my_delete, c_void_p).value
        self._set_system_call(ctypes.addressof(self._vfs), _OPEN_FOLDER, ctypes.cast(self._my_open_folder, c_void_p).value)

    def _unwrap(self) -> None:
        self._vfs.xOpen = ctypes.cast(self._open, c_void_p).value
        self._vfs.xDelete = ctypes.cast(self._delete, c_void_p).value
        self._set_system_call(ctypes.addressof(self._vfs), _OPEN_FOLDER, ctypes.cast(self._open_folder, c_void_p).value)
        for address, file in self._files.items():
            OpenedFile.from_address(address).pMethods = file.methods
        self._files.clear()

    def _probe(self) -> None:
        """Look whether Python's SQLite really comes by here: a library may be there twice."""
        self._wrap()
        try:
            with (
                tempfile.TemporaryDirectory() as folder,
                closing(sqlite3.connect(Path(folder) / "probe.sqlite", isolation_level=None)) as books,
            ):
                books.executescript("PRAGMA journal_mode = DELETE; PRAGMA synchronous = EXTRA; CREATE TABLE probe (it)")
        finally:
            self._unwrap()
        missing = {"xOpen", "xDelete", "openDirectory"} - self._calls
        if missing:
            raise RecordingError(
                "sqliteUnreachable", f"Python's SQLite does not call {', '.join(sorted(missing))} of the library found"
            )

    def _guarded(self, callback: Callable[..., int]) -> Callable[..., int]:
        """A callback that fails must not look to SQLite as if it had succeeded."""

        def guarded(*arguments: int | None) -> int:
            try:
                return callback(*arguments)
            except BaseException as error:  # noqa: BLE001  there is nobody above who could catch it; `installed` raises it
                self._problems.append(f"{type(error).__name__}: {error}")
                return IOERR

        return guarded

    # The VFS.

    def _on_open(self, vfs: int, name: int | None, file: int, flags: int, flags_out: int | None) -> int:
        self._calls.add("xOpen")
        tree = self._tree
        path = None if name is None else ctypes.string_at(name)
        spot = None if tree is None or path is None else tree.spot(path)
        if tree is None or path is None or spot is None:
            return int(self._open(vfs, name, file, flags, flags_out))
        with tree.recording.lock:
            existed = os.path.lexists(path)
            result = int(self._open(vfs, name, file, flags, flags_out))
            # One that is already gone is a temporary file, which goes with whoever opened it.
            if result == OK and os.path.lexists(path):
                number = tree.at(spot) if existed else tree.made(spot)
                if number is None:
                    self._problems.append(f"{tree.path(spot)} was made in a way that is not recorded")
                else:
                    self._wrap_file(file, number)
        return result

    def _wrap_file(self, file: int, number: int) -> None:
        opened = OpenedFile.from_address(file)
        methods = int(opened.pMethods)
        copy = self._copies.get(methods)
        if copy is None:
            copy = self._copies[methods] = IoMethods.from_buffer_copy(IoMethods.from_address(methods))
            for name, callback in self._my_methods.items():
                setattr(copy, name, ctypes.cast(callback, c_void_p).value)
        self._files[file] = _Open(number, methods)
        opened.pMethods = ctypes.addressof(copy)

    def _on_delete(self, vfs: int, name: int, sync_folder: int) -> int:
        self._calls.add("xDelete")
        tree = self._tree
        path = ctypes.string_at(name)
        spot = None if tree is None else tree.spot(path)
        if tree is None or spot is None:
            return int(self._delete(vfs, name, sync_folder))
        with tree.recording.lock:
            self._folders.clear()
            result = int(self._delete(vfs, name, sync_folder))
            if tree.at(spot) is not None and not os.path.lexists(path):
                tree.removed(spot)
            if result == OK:
                self._folders_synced(tree)
        return result

    def _on_open_folder(self, path: int, descriptor: int) -> int:
        self._calls.add("openDirectory")
        result = int(self._open_folder(path, descriptor))
        if result == OK:
            self._folders.append(os.fsdecode(ctypes.string_at(path)))
        return result

    def _folders_synced(self, tree: LiveTree) -> None:
        """The folder of each of these files was opened by SQLite, which does so to sync it and for nothing else."""
        for path in self._folders:
            spot = tree.spot(path)
            if spot is not None:
                tree.synced(spot.folder)
        self._folders.clear()

    # An open file.

    def _methods(self, file: int) -> IoMethods:
        opened = self._files.get(file)
        # When the recording has just ended the file has its own methods again.
        return IoMethods.from_address(OpenedFile.from_address(file).pMethods if opened is None else opened.methods)

    def _on_close(self, file: int) -> int:
        methods = self._methods(file)
        self._files.pop(file, None)
        return int(CloseCall(methods.xClose)(file))

    def _on_write(self, file: int, data: int, length: int, offset: int) -> int:
        act = WriteCall(self._methods(file).xWrite)
        with self._taking_down(file) as (tree, number):
            result = int(act(file, data, length, offset))
            if tree is not None and result == OK:
                tree.wrote(number, offset, ctypes.string_at(data, length))
            elif tree is not None:
                self._problems.append(
                    f"a write to {tree.name(number)} failed ({result}): nobody knows how much of it was written"
                )
        return result

    def _on_truncate(self, file: int, size: int) -> int:
        act = TruncateCall(self._methods(file).xTruncate)
        with self._taking_down(file) as (tree, number):
            result = int(act(file, size))
            if tree is not None and result == OK:
                tree.resized(number, size)
        return result

    def _on_sync(self, file: int, flags: int) -> int:
        act = SyncCall(self._methods(file).xSync)
        with self._taking_down(file) as (tree, number):
            self._folders.clear()
            result = int(act(file, flags))
            if tree is not None and result == OK:
                tree.synced(number)
                self._folders_synced(tree)
        return result

    def _on_control(self, file: int, operation: int, argument: int | None) -> int:
        if operation == _MMAP_SIZE and argument is not None and ctypes.c_int64.from_address(argument).value > 0:
            self._problems.append("a database is mapped into memory (mmap_size); what is written there is not seen")
        return int(ControlCall(self._methods(file).xFileControl)(file, operation, argument))

    @contextmanager
    def _taking_down(self, file: int) -> Iterator[tuple[LiveTree | None, int]]:
        """The tree and the file's number, with the recording held still; no tree when the recording has just ended."""
        tree, opened = self._tree, self._files.get(file)
        if tree is None or opened is None:
            yield None, -1
            return
        with tree.recording.lock:
            yield (tree, opened.number) if self._tree is tree else (None, -1)


@cache
def sqlite_calls() -> SqliteCalls:
    """The wrapper of this process.

    Raises:
        RecordingError: sqliteUnreachable, where Python has an SQLite of its own that nobody can reach.
    """
    return SqliteCalls()
