"""Every cut: what the media may hold when the power fails in the middle of a recording.

All subsets of what is not yet certain cannot be tried: there are too many. Tried are, for each operation,

* a write torn after 1, 511, 512, half, and all but one of its bytes and at the ends of the first sector and page that it
  reaches, its second half alone, and without a sector in its middle; the same write with nothing of what was pending before
  it, and without just the write before it; the file's length with zeros for contents, and the contents without the new length;
* every first part of a folder's changes, also with contents that are torn, zeros, or not there;
* each of these with everything else that is pending: there, or its contents lost, or its names, or both;
* some that are drawn by chance: any part of any pending write, any first part of any folder's changes.

Before every sync each single pending write is missing once, and once alone there. After every mark everything that is still
pending is tried again, since the program may by then have promised something.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hil.cuts.image import Image
from hil.cuts.materialise import Materialiser
from hil.cuts.medium import Medium
from hil.cuts.operations import (
    AllSynced,
    Entered,
    FolderSynced,
    Marked,
    ModeSet,
    Moved,
    Operation,
    Removed,
    Resized,
    Synced,
    Wrote,
)
from hil.cuts.recording import Recording
from hil.cuts.variants import Variant, drawn, of_few, of_last, of_prefixes, of_window

_DRAWS_BEFORE_SYNC = 4
_FEW_FILES = 4

Found = Iterator[tuple[str, Image]]
"""Images, each with a name that no other has at the same operation."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The power fails.

    Attributes:
        name: The same for the same recording and seed, and for no other cut of it; it can be a file's name.
        index: During, or right after, which operation of the recording; after all of them it is their number.
        during: That operation in words.
        marks: The marks that the program had passed.
        image: What is found afterwards.
    """

    name: str
    index: int
    during: str
    marks: tuple[str, ...]
    image: Image

    def write_to(self, targets: Mapping[Path, Path]) -> None:
        """Put what is found on disk.

        Args:
            targets: For each recorded folder one that is empty or not there yet.

        Raises:
            ValueError: a target has something in it, or one is missing.
            OSError: it cannot be written.
        """
        for target in targets.values():
            if target.exists() and any(target.iterdir()):
                raise ValueError(f"{target} is not empty")
        Materialiser(targets).put(self.image)


def images(recording: Recording, seed: int = 0, *, draws: int = 2, only: str | None = None) -> Iterator[Cut]:
    """Give every cut that differs, in what is found or in the marks passed, from those before it.

    Args:
        recording: A complete one.
        seed: What the drawn ones depend on, each also on the index of its operation.
        draws: How many are drawn for each operation.
        only: Give just the cut of this name, if there is one.
    """
    seen: set[tuple[int, bytes]] = set()
    wanted = None if only is None else int(only.partition(".")[0])
    marks: tuple[str, ...] = ()
    medium = Medium(recording)
    end = len(recording.operations)
    for index in range(end + 1):
        operation = recording.operations[index].operation if index < end else AllSynced()
        during = str(recording.operations[index]) if index < end else "the end"
        moment = _Moment(medium, random.Random(f"{seed}:{index}"), draws)
        for look, happens in ((moment.before, False), (moment.after, True)):
            if happens:
                medium.apply(operation)
                marks = tuple(recording.marks[: len(marks) + isinstance(operation, Marked)])
            if wanted not in {None, index}:
                continue
            for variant, image in look(operation, is_first=index == 0):
                name = f"{index:05d}.{variant}"
                key = len(marks), image.fingerprint
                if only is None and key not in seen:
                    seen.add(key)
                    yield Cut(name, index, during, marks, image)
                elif name == only:
                    yield Cut(name, index, during, marks, image)
                    return
        if wanted == index:
            return


class _Moment:
    """One operation: what a cut may leave right before it has had its full effect, and right after.

    Args:
        medium: Just before the operation.
        chance: For what is drawn.
        draws: How many are drawn.
    """

    def __init__(self, medium: Medium, chance: random.Random, draws: int) -> None:
        self._medium = medium
        self._chance = chance
        self._draws = draws

    def before(self, operation: Operation, *, is_first: bool) -> Found:
        """Before a sync as much as ever is uncertain."""
        if is_first:
            yield "start", self._medium.now()
        match operation:
            case Synced(file) if file in self._medium.dirty_files():
                yield from self._files([file], lambda state: of_window(state, self._chance))
                yield from self._drawn("before", _DRAWS_BEFORE_SYNC)
            case FolderSynced(folder) if folder in self._medium.dirty_folders():
                yield from self._folder(folder, every=True)
                yield from self._drawn("before", _DRAWS_BEFORE_SYNC)
            case AllSynced():
                yield from self._everything("before")

    def after(self, operation: Operation, *, is_first: bool) -> Found:  # noqa: ARG002  called like `before`
        """The operation has happened, more or less."""
        match operation:
            case Wrote(file) | Resized(file):
                yield from self._files([file], of_last)
                yield from self._drawn("after", self._draws)
            case Entered(folder) | Removed(folder) | Moved(folder):
                yield from self._folder(folder, every=False)
                if isinstance(operation, Moved) and operation.to_folder != folder:
                    yield from self._folder(operation.to_folder, every=False)
                yield from self._files(self._medium.dirty_files()[-_FEW_FILES:], of_few)
                yield from self._drawn("after", self._draws)
            case ModeSet():
                yield "mode", self._medium.now()
            case Marked():
                yield from self._everything("after")

    def _everything(self, when: str) -> Found:
        """All that is pending, whichever operation left it so."""
        yield f"{when}.now", self._medium.now()
        files = self._medium.dirty_files()
        yield from self._files(files, lambda state: of_prefixes(state, self._chance))
        yield from self._files(files, lambda state: of_window(state, self._chance))
        for folder in self._medium.dirty_folders():
            yield from self._folder(folder, every=True)
        yield from self._drawn(when, _DRAWS_BEFORE_SYNC)

    def _files(self, files: Iterable[int], variants: Callable[..., Iterator[Variant]]) -> Found:
        """Variants of each of these files, with the rest of what is pending there or not."""
        medium = self._medium
        everything = medium.names_kept()
        dirty = medium.dirty_files()
        for file in files:
            alone = dirty == [file]
            for variant, contents in variants(medium.files[file]):
                name = f"file{file}.{variant}"
                yield f"{name}.kept", medium.image({file: contents}, everything, data_lost=False)
                if not alone:
                    yield f"{name}.lost", medium.image({file: contents}, everything, data_lost=True)
                if everything:
                    yield f"{name}.unnamed", medium.image({file: contents}, {}, data_lost=False)
                if everything and not alone:
                    yield f"{name}.dark", medium.image({file: contents}, {}, data_lost=True)

    def _folder(self, folder: int, *, every: bool) -> Found:
        """First parts of a folder's changes, or all of them, with the rest of what is pending there or not."""
        medium = self._medium
        everything = medium.names_kept()
        count = everything.get(folder, 0)
        for kept in range(count + 1) if every else (count,):
            name = f"folder{folder}.first{kept}"
            for others, names in (("kept", {**everything, folder: kept}), ("unnamed", {folder: kept})):
                if others == "unnamed" and everything.keys() == {folder}:
                    continue
                consistent = medium.consistent(names)
                yield f"{name}.{others}", medium.image({}, consistent, data_lost=False)
                yield f"{name}.{others}.lost", medium.image({}, consistent, data_lost=True)

    def _drawn(self, when: str, count: int) -> Found:
        medium, chance = self._medium, self._chance
        files, folders = medium.dirty_files(), medium.names_kept()
        if len(files) + len(folders) == 0:
            return
        for number in range(count):
            contents = {file: drawn(medium.files[file], chance) for file in files}
            kept = medium.consistent({folder: chance.randint(0, most) for folder, most in folders.items()})
            yield f"{when}.drawn{number}", medium.image(contents, kept, data_lost=False)
