"""In the guest: `python -m hil.arm64.call MODULE:FUNCTION GIVEN.npz TAKEN.npz` keeps what the function makes of the arrays."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hil.arm64.guest import Arrays


def resolve(name: str) -> Callable[[Arrays], Arrays]:
    """Give the function that `module:function` names."""
    module, _, function = name.partition(":")
    found: Callable[[Arrays], Arrays] = getattr(importlib.import_module(module), function)
    return found


def main(name: str, given: Path, taken: Path) -> None:
    """Run it."""
    with np.load(given) as arrays:
        np.savez(taken, **resolve(name)(dict(arrays)))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
