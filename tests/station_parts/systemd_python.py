"""systemd-python for a process of its own: the environment's, or Debian's where it was built for this Python."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

DEBIAN = Path("/usr/lib/python3/dist-packages/systemd")


def environment(folder: Path) -> dict[str, str]:
    """The environment in which a Python process can import `systemd` and this project; skips the test where there is none.

    Args:
        folder: empty; gets a link to Debian's package alone, so that nothing else of the system's comes along.
    """
    clean = {
        name: value for name, value in os.environ.items() if name not in {"NOTIFY_SOCKET", "JOURNAL_STREAM", "WATCHDOG_USEC"}
    }
    paths = [str(Path(__file__).resolve().parents[2])]
    if importlib.util.find_spec("systemd") is None:
        tag = f"cpython-{sys.version_info.major}{sys.version_info.minor}-"
        if not any(tag in module.name for module in DEBIAN.glob("_daemon.*.so")):
            pytest.skip(
                f"no systemd-python for Python {sys.version_info.major}.{sys.version_info.minor} (Debian: python3-systemd)"
            )
        (folder / "systemd").symlink_to(DEBIAN)
        paths.append(str(folder))
    return clean | {"PYTHONPATH": os.pathsep.join(paths)}


def run(program: str, environment: dict[str, str], *, prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run a program in a process of its own and give what it wrote; it must succeed."""
    command = [*prefix, sys.executable, "-c", program]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    return result
