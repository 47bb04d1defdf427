"""SQLite's own library, the one that Python's sqlite3 uses in this process, and the parts of its C interface that we need.

Source: sqlite3.h (sqlite3_vfs, sqlite3_io_methods, sqlite3_file); the order of the fields is fixed for ever by its versions.
"""

from __future__ import annotations

import ctypes
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int64, c_void_p
from types import ModuleType

from hil.cuts.error import RecordingError

OK = 0
IOERR = 10

# Texts are addresses: what stands behind a file's name belongs to it, and a copy would lose it.
OpenCall = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)
DeleteCall = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int)
CloseCall = CFUNCTYPE(c_int, c_void_p)
WriteCall = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
TruncateCall = CFUNCTYPE(c_int, c_void_p, c_int64)
SyncCall = CFUNCTYPE(c_int, c_void_p, c_int)
ControlCall = CFUNCTYPE(c_int, c_void_p, c_int, c_void_p)
OpenFolderCall = CFUNCTYPE(c_int, c_void_p, c_void_p)
SetSystemCall = CFUNCTYPE(c_int, c_void_p, c_char_p, c_void_p)
GetSystemCall = CFUNCTYPE(c_void_p, c_void_p, c_char_p)


class IoMethods(Structure):
    """sqlite3_io_methods, version 3."""

    _fields_ = (
        ("iVersion", c_int),
        ("xClose", c_void_p),
        ("xRead", c_void_p),
        ("xWrite", c_void_p),
        ("xTruncate", c_void_p),
        ("xSync", c_void_p),
        ("xFileSize", c_void_p),
        ("xLock", c_void_p),
        ("xUnlock", c_void_p),
        ("xCheckReservedLock", c_void_p),
        ("xFileControl", c_void_p),
        ("xSectorSize", c_void_p),
        ("xDeviceCharacteristics", c_void_p),
        ("xShmMap", c_void_p),
        ("xShmLock", c_void_p),
        ("xShmBarrier", c_void_p),
        ("xShmUnmap", c_void_p),
        ("xFetch", c_void_p),
        ("xUnfetch", c_void_p),
    )


class OpenedFile(Structure):
    """sqlite3_file: what the VFS keeps behind the pointer to the methods is its own."""

    _fields_ = (("pMethods", c_void_p),)


class Vfs(Structure):
    """sqlite3_vfs, version 3."""

    _fields_ = (
        ("iVersion", c_int),
        ("szOsFile", c_int),
        ("mxPathname", c_int),
        ("pNext", c_void_p),
        ("zName", c_char_p),
        ("pAppData", c_void_p),
        ("xOpen", c_void_p),
        ("xDelete", c_void_p),
        ("xAccess", c_void_p),
        ("xFullPathname", c_void_p),
        ("xDlOpen", c_void_p),
        ("xDlError", c_void_p),
        ("xDlSym", c_void_p),
        ("xDlClose", c_void_p),
        ("xRandomness", c_void_p),
        ("xSleep", c_void_p),
        ("xCurrentTime", c_void_p),
        ("xGetLastError", c_void_p),
        ("xCurrentTimeInt64", c_void_p),
        ("xSetSystemCall", c_void_p),
        ("xGetSystemCall", c_void_p),
        ("xNextSystemCall", c_void_p),
    )


def default_vfs(module: ModuleType) -> Vfs:
    """The VFS through which SQLite opens files.

    Args:
        module: Python's `_sqlite3`; its symbols are those that sqlite3 itself calls, wherever they come from.

    Raises:
        RecordingError: sqliteUnreachable, when SQLite is a part of Python that shows nothing of itself.
    """
    path = getattr(module, "__file__", None)  # None where the module is built into Python
    try:
        library = ctypes.CDLL(path)
        find = library.sqlite3_vfs_find
    except (OSError, AttributeError) as error:
        raise RecordingError("sqliteUnreachable", f"SQLite is linked into {path or 'Python'} without its symbols") from error
    find.argtypes = (c_char_p,)
    find.restype = POINTER(Vfs)
    found = find(None)
    if not found:
        raise RecordingError("sqliteUnreachable", "SQLite has no default VFS")
    vfs: Vfs = found.contents
    if vfs.zName != b"unix" or vfs.iVersion < 3:
        raise RecordingError(
            "sqliteUnreachable", f"the default VFS is {vfs.zName!r} in version {vfs.iVersion}, not unix in version 3"
        )
    return vfs
