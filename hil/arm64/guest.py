"""An arm64 Debian with our locked wheels in a folder, and running a function of ours in it.

Nothing in the folder is started as a system: qemu-user runs its Python directly, with the system calls of this machine. Neither
root rights nor binfmt are needed. The emulated processor is a Cortex-A53, the one of a Raspberry Pi 3.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[np.generic]]

ROOT = Path(__file__).resolve().parents[2]
PROCESSOR = "cortex-a53"
_QEMU = "qemu-aarch64-static"
_SUITE = "bookworm"
_PYTHON = "3.11"
"""Of that suite; the wheels are chosen for it."""
_PACKAGES = "python3,libstdc++6,zlib1g,libzbar0"
"""What the wheels need of Debian."""
# The newest first: glibc 2.36 of that suite is beyond all of them.
_PLATFORMS = ("manylinux_2_34", "manylinux_2_31", "manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014")
_SECONDS = 3600
"""Longest that one command may take."""


class GuestError(Exception):
    """The emulated machine cannot be made or does not do what was asked; the text says why."""


def _run(command: list[str], environment: Mapping[str, str] | None = None) -> None:
    done = subprocess.run(  # noqa: S603
        command, check=False, capture_output=True, text=True, env=environment, timeout=_SECONDS, cwd=ROOT
    )
    if done.returncode != 0:
        raise GuestError(f"{command[0]} failed with {done.returncode}: {done.stderr.strip()[-2000:]}")


class Guest:
    """An arm64 userland.

    Args:
        folder: Where it lies, or will lie: about 300 MB.
    """

    def __init__(self, folder: Path) -> None:
        self._root, self._wheels = folder / _SUITE, folder / "wheels"

    def prepare(self) -> None:
        """Make whatever of it is missing: Debian's packages with mmdebstrap, the wheels of requirements/runtime.lock with pip.

        Raises:
            GuestError: if a tool is missing or fails.
        """
        missing = [tool for tool in (_QEMU, "mmdebstrap", "tar") if shutil.which(tool) is None]
        if missing:
            raise GuestError(f"missing: {', '.join(missing)} (apt-get install qemu-user-static mmdebstrap)")
        if not self._root.is_dir():
            self._make(self._root, self._debian)
        if not self._wheels.is_dir():
            self._make(self._wheels, _install)

    @staticmethod
    def _make(folder: Path, fill: Callable[[Path], None]) -> None:
        """Fill a folder beside its place and move it there, so that what was interrupted is begun again."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as unfinished:
            fill(Path(unfinished) / "new")
            (Path(unfinished) / "new").rename(folder)

    @staticmethod
    def _debian(folder: Path) -> None:
        archive = folder.with_name("root.tar")
        # Unpacked only: no program of the guest is run, so no emulation has to be registered with the kernel.
        options = ["--variant=extract", "--architectures=arm64", f"--include={_PACKAGES}"]
        _run(["mmdebstrap", *options, _SUITE, str(archive)])
        folder.mkdir()
        _run(["tar", "-x", "-f", str(archive), "-C", str(folder), "--exclude", "./dev/*", "--no-same-owner"])

    def call(self, function: str, arrays: Arrays) -> dict[str, NDArray[np.generic]]:
        """Run `module:function` on arrays in the guest; gives the arrays that it returns.

        Raises:
            GuestError: if it fails there.
        """
        with tempfile.TemporaryDirectory() as folder:
            given, taken = Path(folder) / "given.npz", Path(folder) / "taken.npz"
            np.savez(given, **arrays)
            # One thread: the emulation gains nothing from more, and one guest runs for each processor of this machine.
            environment = {
                "PYTHONPATH": os.pathsep.join((str(ROOT), str(self._wheels))),
                "PYTHONDONTWRITEBYTECODE": "1",
                "OPENBLAS_NUM_THREADS": "1",
            }
            settings = [part for name, value in environment.items() for part in ("-E", f"{name}={value}")]
            python = self._root / f"usr/bin/python{_PYTHON}"
            command = [_QEMU, "-cpu", PROCESSOR, "-L", str(self._root), *settings, str(python), "-m", "hil.arm64.call"]
            # The guest's Python finds its own library beside itself; this machine's settings must not reach it.
            clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LD_"))}
            _run([*command, function, str(given), str(taken)], clean)
            with np.load(taken) as found:
                return dict(found)


def _install(folder: Path) -> None:
    platforms = [part for name in _PLATFORMS for part in ("--platform", f"{name}_aarch64")]
    abis = [part for name in ("cp311", "abi3", "none") for part in ("--abi", name)]
    lock = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--requirement", str(ROOT / "requirements/runtime.lock")]
    chosen = [*platforms, "--implementation", "cp", *abis, "--python-version", _PYTHON]
    _run([sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder), *chosen, *lock])
