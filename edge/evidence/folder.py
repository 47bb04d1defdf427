"""Making folders that a power cut does not take away again."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def make_folder(folder: Path) -> None:
    """Make a folder for nobody else's eyes, and those that it is in, where they are missing.

    A name is on the medium only when the folder that it is in was synced: whatever is synced in a new folder can be lost with it.

    Raises:
        OSError: it cannot be made.
    """
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    # A killed process may have made this one and not have synced it. Where it was always there, it need not be ours to look into.
    with suppress(OSError):
        sync_folder(folder.parent)
    for path in reversed(missing):
        path.mkdir(mode=0o700 if path is missing[0] else 0o777, exist_ok=True)
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable.

    Raises:
        OSError: that failed.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
