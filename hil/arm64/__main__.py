"""`python -m hil.arm64`: is the reading of digits and of sheets the same, byte for byte, on the board's processor?

Runs the fixed-point interpreter on MNIST's digits, the cleaning of cells and the interpreter on all cells of real tally sheets,
the region model and the whole reading on scans and photographs, here and under qemu-user for arm64 with the locked wheels, and
compares the SHA-256 of everything that comes out. TFLite's reference kernels are held against the digits' answers on both
processors: on all digits here, on a part of them there. Exit status 1 when anything differs.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.definition.form import shipped_forms
from hil.arm64 import jobs
from hil.arm64.call import resolve
from hil.arm64.guest import PROCESSOR, ROOT, Arrays, Guest
from hil.boxes.plan import picture_of, plan_photo, plan_scan

_PART = 500
"""Rows of one call: long enough that starting Python does not matter, short enough to see it move."""
_REFERENCE_ROWS = 1_000


def digest(array: NDArray[np.generic]) -> str:
    """Give the SHA-256 of an array's values, in rows and little-endian."""
    return hashlib.sha256(np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes()).hexdigest()


def joined(parts: list[dict[str, NDArray[np.generic]]]) -> dict[str, NDArray[np.generic]]:
    """Put the rows of several calls together."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def there(guest: Guest, function: str, arrays: Arrays, workers: int) -> dict[str, NDArray[np.generic]]:
    """Run a job in the guest, part by part, several at a time."""
    count = min(len(array) for array in arrays.values())
    starts = range(0, count, _PART)
    with ThreadPoolExecutor(workers) as pool:
        futures = [
            pool.submit(guest.call, function, {name: array[start : start + _PART] for name, array in arrays.items()})
            for start in starts
        ]
        parts = []
        for future in futures:
            parts.append(future.result())
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{function}: {min(len(parts) * _PART, count)} of {count} ")
    return joined(parts)


def compare(guest: Guest, function: str, arrays: Arrays, workers: int) -> bool:
    """Run a job here and there, print both digests of each array; gives whether all are the same."""
    begun = time.monotonic()
    here = resolve(function)(arrays)
    between = time.monotonic()
    found = there(guest, function, arrays, workers)
    ended = time.monotonic()
    rows = min(len(array) for array in arrays.values())
    print(f"{function}, {rows} rows: {between - begun:.0f} s here, {ended - between:.0f} s there")
    for name, array in here.items():
        print(f"  {name:<9} {array.shape!s:<16} here  {digest(array)}")
        print(f"{'':29}there {digest(found[name])}")
    return set(here) == set(found) and all(digest(array) == digest(found[name]) for name, array in here.items())


def cell_patches(cells: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Make patches of 96 by 96 of (n, 100, 100) cells cut at their frame: every 100/64th pixel, as darkness."""
    taken = (np.arange(64) * 100 + 50) // 64
    patches = np.zeros((len(cells), 96, 96), np.uint8)
    patches[:, 16:80, 16:80] = 255 - cells[:, taken][:, :, taken]
    return patches


def made_up_planes(count: int) -> Iterator[NDArray[np.uint8]]:
    """Planes that show everything of scans with damage and of photographs, uint8 (1, height, width) each."""
    for seed in range(count):
        for plan in (plan_scan(seed, shipped_forms()), plan_photo(seed, shipped_forms())):
            image = picture_of(plan).image
            yield (image if image.ndim == 2 else image.min(axis=2))[np.newaxis]


def main(argv: list[str] | None = None) -> int:
    """Compare."""
    parser = argparse.ArgumentParser(prog="python -m hil.arm64", description=__doc__)
    parser.add_argument("--guest", type=Path, default=ROOT / "out/arm64", help="folder of the emulated userland (out/arm64)")
    parser.add_argument("--data", type=Path, default=os.environ.get("SCRUTINEER_REAL_DATA") or ROOT.parent / "shared/data")
    parser.add_argument("--digits", type=int, default=10_000, help="MNIST digits, the 10,000 test digits first (10,000)")
    parser.add_argument("--sheets", type=int, default=4, help="rendered scans, and as many photographs, to be read whole (4)")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="guests at a time (one for each processor)")
    parser.add_argument("--job", help="module:function, from arrays to arrays by rows, instead of the digits")
    parser.add_argument("--arrays", type=Path, help="the arrays for it, an .npz file")
    parser.add_argument("--no-guest", action="store_true", help="only compare with TFLite's reference kernels on this machine")
    arguments = parser.parse_args(argv)
    guest = Guest(arguments.guest)
    if not arguments.no_guest:
        guest.prepare()
        print(f"{platform.machine()} here, {PROCESSOR} there")
    if arguments.job:
        with np.load(arguments.arrays) as given:
            return 0 if compare(guest, arguments.job, dict(given), arguments.workers) else 1
    with np.load(arguments.data / "digits/mnist.npz") as mnist:
        pictures = np.concatenate([mnist["x_test"], mnist["x_train"]])[: arguments.digits]
    with np.load(arguments.data / "digits/acta-cells.npz") as acta:
        patches = cell_patches(acta["cells"])
    shown = np.concatenate([pictures, jobs.cells({"patches": patches})["pictures"]])
    differing = int(np.count_nonzero(jobs.digits({"pictures": shown})["scores"] != jobs.reference({"pictures": shown})["scores"]))
    print(f"{len(shown)} pictures: {differing} scores differ from TFLite's reference kernels here")
    same = differing == 0
    if not arguments.no_guest:
        same &= compare(guest, "hil.arm64.jobs:cells", {"patches": patches}, arguments.workers)
        same &= compare(guest, "hil.arm64.jobs:reference", {"pictures": shown[-_REFERENCE_ROWS:]}, arguments.workers)
        for planes in made_up_planes(arguments.sheets):
            same &= compare(guest, "hil.arm64.jobs:regions", {"planes": planes}, arguments.workers)
            same &= compare(guest, "hil.arm64.jobs:sheets", {"planes": planes}, arguments.workers)
        same &= compare(guest, "hil.arm64.jobs:digits", {"pictures": pictures}, arguments.workers)
    print("the same" if same else "NOT the same")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
