"""Every cut of a recording put on disk and checked; what fails has a name by which it can be repeated alone."""

from __future__ import annotations

import os
import random
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hil.cuts.images import Cut, images
from hil.cuts.materialise import Materialiser, delete_folder
from hil.cuts.recording import Recording

Check = Callable[[Mapping[Path, Path], Cut], None]
"""Is given, for each recorded folder, the one that holds what was found after the cut, and the cut. It may change what is in them
and must let go of it; it raises an `Exception` when something is wrong (`pytest.fail` raises none, and ends the survey)."""

_SHOWN = 10
_MEMORY = Path("/dev/shm")  # noqa: S108  only a folder in it is used, made by mkdtemp


@dataclass(frozen=True, slots=True)
class Failure:
    """A cut that a check did not pass.

    Attributes:
        cut: The cut; `cut.name` repeats it.
        error: The exception's type and text.
        traceback: Where it was raised.
    """

    cut: Cut
    error: str
    traceback: str

    def __str__(self) -> str:
        """Say where, after what, and why."""
        after = f" after {self.cut.marks[-1]!r}" if self.cut.marks else ""
        return f"{self.cut.name} ({self.cut.during}{after}): {self.error}"


@dataclass(frozen=True, slots=True)
class Survey:
    """What came out.

    Attributes:
        distinct: Cuts that differ in what is found or in the marks passed.
        checked: How many of them were checked.
        failures: Those that failed, in order.
        seconds: How long it took.
    """

    distinct: int
    checked: int
    failures: tuple[Failure, ...]
    seconds: float

    def __str__(self) -> str:
        """Say how many, and name the first that failed."""
        lines = [f"{self.checked} of {self.distinct} cuts checked in {self.seconds:.1f} s, {len(self.failures)} failed"]
        lines += [str(failure) for failure in self.failures[:_SHOWN]]
        if len(self.failures) > _SHOWN:
            lines.append(f"and {len(self.failures) - _SHOWN} more")
        return "\n".join(lines)


def survey(
    recording: Recording,
    check: Check,
    limit: int | None = None,
    *,
    seed: int = 0,
    draws: int = 2,
    keep: Path | None = None,
) -> Survey:
    """Put every cut on disk and check it.

    Args:
        recording: A complete one.
        check: See `Check`.
        limit: Check at most so many, drawn evenly from all; None: all.
        seed: See `images`; it also draws the sample.
        draws: See `images`.
        keep: Where each failed cut is put once more, as it was before the check, in a folder with its name.
    """
    begun = time.monotonic()
    chosen: set[int] | None = None
    distinct = 0
    if limit is not None:
        distinct = sum(1 for _ in images(recording, seed, draws=draws))
        if distinct > limit:
            chosen = set(random.Random(seed).sample(range(distinct), limit))
    failures = []
    checked = distinct = 0
    with _scratch_folders(recording) as targets:
        materialiser = Materialiser(targets)
        for number, cut in enumerate(images(recording, seed, draws=draws)):
            distinct += 1
            if chosen is not None and number not in chosen:
                continue
            checked += 1
            materialiser.put(cut.image)
            failure = _checked(check, targets, cut)
            if failure is not None:
                failures.append(failure)
                if keep is not None:
                    keep_image(cut, keep / cut.name)
    return Survey(distinct, checked, tuple(failures), time.monotonic() - begun)


def repeat(recording: Recording, name: str, check: Check, *, seed: int = 0, draws: int = 2) -> None:
    """Check a single cut again; what the check raises comes through.

    Args:
        recording: The one in which it failed: another one of the same program differs wherever that uses chance.
        name: The cut's name.
        check: See `Check`.
        seed: As in the survey.
        draws: As in the survey.

    Raises:
        KeyError: the recording has no such cut.
    """
    cut = next(images(recording, seed, draws=draws, only=name), None)
    if cut is None:
        raise KeyError(name)
    with _scratch_folders(recording) as targets:
        Materialiser(targets).put(cut.image)
        check(targets, cut)


def keep_image(cut: Cut, folder: Path) -> None:
    """Put a cut where a person can look at it: one folder for each recorded one, by its number and name."""
    if folder.exists():
        delete_folder(folder)
    cut.write_to({root: folder / f"{number}-{root.name}" for number, root in enumerate(cut.image.roots)})


def _checked(check: Check, targets: Mapping[Path, Path], cut: Cut) -> Failure | None:
    try:
        check(targets, cut)
    except Exception as error:  # noqa: BLE001  whatever a check raises is its verdict
        return Failure(cut, f"{type(error).__name__}: {error}", traceback.format_exc())
    return None


@contextmanager
def _scratch_folders(recording: Recording) -> Iterator[dict[Path, Path]]:
    """Folders for the images, in memory where that is possible: there a sync takes no time."""
    in_memory = _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK | os.X_OK)
    folder = Path(tempfile.mkdtemp(prefix="cuts-", dir=_MEMORY if in_memory else None))
    try:
        yield {root: folder / f"{number}-{root.name}" for number, root in enumerate(recording.roots)}
    finally:
        delete_folder(folder)
