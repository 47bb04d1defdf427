"""An advisory lock, so that two processes never share one scanner."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from firmware_bridge.pagescan6.usb_errors import scanner_error
from firmware_bridge.scanner import ScannerError


class LockFile:
    """Holds the lock of a file from its making to `release`; the kernel lets go when the process ends. The file itself stays.

    Args:
        path: The file; made if it is missing, its folder must exist.

    Raises:
        ScannerError: scannerBusy when another holds the lock, scannerForbidden when the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
        except OSError as error:
            hint = "see to it that the service may write to the folder of the lock file"
            raise ScannerError("scannerForbidden", f"lock file {path}: {error.strerror}", hint) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.release()
            raise scanner_error("scannerBusy", f"another program holds {path}") from error

    def release(self) -> None:
        """Let go; may be called more than once."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
