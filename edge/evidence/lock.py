"""The lock beside the keys: of the processes that may change the evidence, one at a time does."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.evidence.folder import make_folder
from edge.evidence.store import StoreError


@contextmanager
def locked(keys: Path, *, make: bool) -> Iterator[None]:
    """Keep other processes out of the evidence for a moment.

    Args:
        keys: The folder of the keys.
        make: Whether it is made where it is missing.

    Raises:
        StoreError: keyMissing, keyUnavailable.
    """
    try:
        if make:
            make_folder(keys)
        lock = os.open(keys / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except FileNotFoundError as error:
        raise StoreError("keyMissing", f"there is no folder {keys}") from error
    except OSError as error:
        raise StoreError("keyUnavailable", f"{keys}: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
