"""The comparison with the board's processor, with that processor played by this one: what it calls the same, and what not."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.inference.digits import digit_reader
from hil.arm64 import __main__ as program
from hil.arm64 import call
from hil.arm64.guest import Arrays, Guest, GuestError

DIGITS = "hil.arm64.jobs:digits"


def pictures(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 256, (count, 28, 28), dtype=np.uint8)


class ThisMachine(Guest):
    """A guest that runs the job here, through files as the emulated one does, and may get one value wrong."""

    def __init__(self, folder: Path, wrong_at: int | None = None) -> None:
        self._folder, self._wrong_at, self.calls = folder, wrong_at, 0

    def call(self, function: str, arrays: Arrays) -> dict[str, NDArray[np.generic]]:
        given, taken = (self._folder / f"{name}{self.calls}.npz" for name in ("given", "taken"))
        np.savez(given, **arrays)
        call.main(function, given, taken)
        with np.load(taken) as found:
            results = dict(found)
        if self.calls == self._wrong_at:
            results["scores"][0, 0] ^= 1
        self.calls += 1
        return results


def test_equal_results_of_all_parts_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "_PART", 20)
    guest = ThisMachine(tmp_path)
    assert program.compare(guest, DIGITS, {"pictures": pictures(50)}, 1)
    assert guest.calls == 3
    expected = program.digest(digit_reader().read(pictures(50)).scores)
    assert capsys.readouterr().out.count(expected) == 2


def test_one_wrong_bit_in_the_last_part_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "_PART", 20)
    assert not program.compare(ThisMachine(tmp_path, wrong_at=2), DIGITS, {"pictures": pictures(50)}, 1)


def test_a_digest_does_not_depend_on_how_numbers_lie_in_memory() -> None:
    numbers = np.arange(12, dtype="<i4").reshape(3, 4)
    assert program.digest(numbers) == program.digest(np.asfortranarray(numbers)) == program.digest(numbers.astype(">i4"))
    assert program.digest(numbers) != program.digest(numbers.T)


def test_cells_become_patches_inside_the_frame() -> None:
    cells = np.full((2, 100, 100), 255, np.uint8)
    cells[1] = 0
    patches = program.cell_patches(cells)
    assert patches.shape == (2, 96, 96)
    assert not patches[0].any()
    assert int((patches[1] == 255).sum()) == 64 * 64


def test_missing_tools_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda tool: None)
    with pytest.raises(GuestError, match="qemu-aarch64-static, mmdebstrap, tar"):
        Guest(tmp_path).prepare()
