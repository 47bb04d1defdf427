"""The recorded folders as they are while the program runs: which file is meant by a path or a descriptor, and what it is called.

A file is known by its device and inode number, as the kernel knows it: whatever it was opened as, and whatever its name is now.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, NoReturn

from hil.cuts.contents import Contents
from hil.cuts.error import RecordingError
from hil.cuts.operations import AllSynced, Entered, FolderSynced, ModeSet, Moved, Removed, Resized, Synced, Wrote
from hil.cuts.recording import Beginning, Recording

AnyPath = str | bytes | os.PathLike[str] | os.PathLike[bytes]
_Identity = tuple[int, int]
_SHARED_MEMORY = "-shm"


class Spot(NamedTuple):
    """A name in a recorded folder, whether there is something of that name or not."""

    folder: int
    name: str


class LiveTree:
    """Follows what happens in some folders, and takes it down in a recording.

    Whoever calls `made`, `wrote` and so on holds `recording.lock` since before the fact.

    Args:
        roots: The folders; each exists, and none lies in another.

    Attributes:
        recording: What was taken down.
        refusals: What was refused, each in one sentence; a program may have caught the exception.

    Raises:
        RecordingError: rootUnusable.
    """

    def __init__(self, roots: tuple[Path, ...]) -> None:
        self._roots = tuple(root.resolve() for root in roots)
        self._numbers: dict[_Identity, int] = {}
        self._names: dict[int, dict[str, int]] = {}
        self._parents: dict[int, Spot] = {}
        self._links: Counter[int] = Counter()
        self._last_names: dict[int, str] = {}
        self._given = 0
        self.refusals: list[str] = []
        for root in self._roots:
            if not root.is_dir():
                raise RecordingError("rootUnusable", f"{root} is not a folder")
            if any(root != other and root.is_relative_to(other) for other in self._roots) or self._roots.count(root) > 1:
                raise RecordingError("rootUnusable", f"{root} is recorded twice")
            self._give_number(root.lstat())
        files: dict[int, Contents] = {}
        modes: dict[int, int] = {}
        for number, root in enumerate(self._roots):
            modes[number] = stat.S_IMODE(root.lstat().st_mode)
            self._names[number] = {}
            self._find(number, root, files, modes)
        folders = {number: dict(names) for number, names in self._names.items()}
        self.recording = Recording(roots, Beginning(files, folders, modes))

    def refuse(self, detail: str) -> NoReturn:
        """Something cannot be recorded.

        Raises:
            RecordingError: notRecorded.
        """
        self.refusals.append(detail)
        raise RecordingError("notRecorded", detail)

    # Which file is meant.

    def spot(self, path: AnyPath, folder_descriptor: int | None = None) -> Spot | None:
        """Where a path leads; None when that is not in a recorded folder.

        Raises:
            RecordingError: notRecorded, when it is in a folder that was made behind the recording's back.
        """
        text = os.fsdecode(path)
        if folder_descriptor is not None:
            text = str(Path(_path_of(folder_descriptor)) / text)
        head, name = os.path.split(text.rstrip("/"))
        if name in {"", ".", ".."}:
            head, name = os.path.split(os.path.realpath(text))
        try:
            folder = self._numbers.get(_identity(Path(head or ".").stat()))
        except OSError:
            return None  # whatever is attempted fails by itself
        if folder in self._names:
            return Spot(folder, name)
        self._refuse_inside(os.path.realpath(head or "."))
        return None

    def root(self, path: AnyPath, folder_descriptor: int | None = None) -> int | None:
        """The number of the recorded folder that is itself meant by a path; it lies in none."""
        try:
            number = self._numbers.get(_identity(os.stat(path, dir_fd=folder_descriptor)))
        except OSError:
            return None
        return number if number is not None and number < len(self._roots) else None

    def at(self, spot: Spot) -> int | None:
        """The number of what has this name."""
        return self._names[spot.folder].get(spot.name)

    def open_file(self, descriptor: int) -> int | None:
        """The recorded file or folder that is open there; None when it is another.

        Raises:
            RecordingError: notRecorded.
        """
        try:
            about = os.fstat(descriptor)
        except OSError:
            return None
        if not stat.S_ISREG(about.st_mode) and not stat.S_ISDIR(about.st_mode):
            return None
        number = self._numbers.get(_identity(about))
        if number is not None and (number in self._names or self._links[number]):
            return number
        # A file without a name may be ours, or one elsewhere that was given the number of one that is gone.
        path = _path_of(descriptor)
        if number is not None and self._is_inside(path):
            return number
        self._refuse_inside(path)
        return None

    def is_folder(self, number: int) -> bool:
        """Whether it is a folder."""
        return number in self._names

    def path(self, spot: Spot) -> str:
        """What people call it: the root's name and the path in it."""
        return f"{self._folder_path(spot.folder)}/{spot.name}"

    def name(self, number: int) -> str:
        """What people call a file or folder by its number."""
        return self._folder_path(number) if number in self._names else self._last_names[number]

    # What has happened.

    def made(self, spot: Spot, *, is_folder: bool = False) -> int:
        """A file or folder was made there; gives its number."""
        about = self._look(spot)
        number = self._give_number(about)
        if is_folder:
            self._names[number] = {}
        self._enter(spot, number)
        self.recording.add(ModeSet(number, stat.S_IMODE(about.st_mode)), self.path(spot))
        self.recording.add(Entered(*spot, number, is_folder), self.path(spot))
        return number

    def made_nameless(self, descriptor: int) -> None:
        """A file without a name was made (O_TMPFILE)."""
        about = os.fstat(descriptor)
        number = self._give_number(about)
        self._last_names[number] = "a file without a name"
        self.recording.add(ModeSet(number, stat.S_IMODE(about.st_mode)), self.name(number))

    def linked(self, spot: Spot) -> None:
        """A file got another name."""
        number = self._numbers.get(_identity(self._look(spot)))
        if number is None:
            self.refuse(f"{self.path(spot)} is a link to a file that is not recorded")
        self._enter(spot, number)
        self.recording.add(Entered(*spot, number), self.path(spot))

    def removed(self, spot: Spot) -> None:
        """A name was removed: of a file, or of a folder, which was empty."""
        self._leave(spot)
        self.recording.add(Removed(*spot), self.path(spot))

    def moved(self, old: Spot, new: Spot) -> None:
        """A name was changed."""
        number = self._names[old.folder][old.name]
        if self._names[new.folder].get(new.name) == number:
            return  # two names of one file: the kernel then does nothing
        where = f"{self.path(old)} to {self.path(new)}"
        if new.name in self._names[new.folder]:
            self._leave(new)
        del self._names[old.folder][old.name]
        self._links[number] -= 1
        self._enter(new, number)
        self.recording.add(Moved(*old, *new, number), where)

    def wrote(self, number: int, offset: int, data: bytes) -> None:
        """Bytes were written into a file."""
        if data:
            self.recording.add(Wrote(number, offset, data), self.name(number))

    def resized(self, number: int, size: int) -> None:
        """The end of a file was moved."""
        self.recording.add(Resized(number, size), self.name(number))

    def synced(self, number: int) -> None:
        """A file or folder was synced."""
        self.recording.add(FolderSynced(number) if number in self._names else Synced(number), self.name(number))

    def all_synced(self) -> None:
        """Everything was synced."""
        self.recording.add(AllSynced(), "everything")

    def mode_set(self, number: int, mode: int) -> None:
        """Permissions were changed."""
        self.recording.add(ModeSet(number, mode), self.name(number))

    # What is there.

    def strangers(self) -> list[str]:
        """Whatever is in the folders and not in the recording, or the other way round, each in one sentence."""
        found = []
        for number, root in enumerate(self._roots):
            found += self._strangers(number, root)
        return found

    def real_path(self, root: int, path: str) -> Path:
        """Where something recorded is."""
        return self._roots[root] / path

    def _strangers(self, folder: int, path: Path) -> list[str]:
        found = []
        names = self._names[folder]
        there = {entry.name: entry for entry in os.scandir(path)}
        # SQLite's shared memory is made anew whenever nobody has the database open: nothing in it survives a cut.
        found += [f"{path / name} was not recorded" for name in there if name not in names and not name.endswith(_SHARED_MEMORY)]
        for name, number in names.items():
            if name not in there or self._numbers.get(_identity(there[name].stat(follow_symlinks=False))) != number:
                found.append(f"{path / name} is not what was recorded")
            elif number in self._names:
                found += self._strangers(number, path / name)
        return found

    def _find(self, folder: int, path: Path, files: dict[int, Contents], modes: dict[int, int]) -> None:
        for entry in sorted(os.scandir(path), key=lambda entry: entry.name):
            about = entry.stat(follow_symlinks=False)
            known = self._numbers.get(_identity(about))
            if stat.S_ISREG(about.st_mode):
                if entry.name.endswith(_SHARED_MEMORY):
                    continue
                number = self._give_number(about) if known is None else known
                files[number] = Contents.of(Path(entry.path).read_bytes())
            elif stat.S_ISDIR(about.st_mode):
                number = self._give_number(about)
                self._names[number] = {}
            else:
                raise RecordingError("rootUnusable", f"{entry.path} is neither a file nor a folder")
            modes[number] = stat.S_IMODE(about.st_mode)
            self._enter(Spot(folder, entry.name), number)
            if number in self._names:
                self._find(number, path / entry.name, files, modes)

    def _look(self, spot: Spot) -> os.stat_result:
        return (self._folder_on_disk(spot.folder) / spot.name).lstat()

    def _folder_on_disk(self, folder: int) -> Path:
        if folder < len(self._roots):
            return self._roots[folder]
        parent = self._parents[folder]
        return self._folder_on_disk(parent.folder) / parent.name

    def _folder_path(self, folder: int) -> str:
        if folder < len(self._roots):
            name = self._roots[folder].name
            alone = [root.name for root in self._roots].count(name) == 1
            return name if alone else f"{name}({folder + 1})"
        parent = self._parents[folder]
        return f"{self._folder_path(parent.folder)}/{parent.name}"

    def _give_number(self, about: os.stat_result) -> int:
        number = self._given
        self._given += 1
        self._numbers[_identity(about)] = number
        return number

    def _enter(self, spot: Spot, number: int) -> None:
        self._names[spot.folder][spot.name] = number
        self._links[number] += 1
        if number in self._names:
            self._parents[number] = spot
        else:
            self._last_names[number] = self.path(spot)

    def _leave(self, spot: Spot) -> None:
        number = self._names[spot.folder].pop(spot.name)
        self._links[number] -= 1
        if number in self._names:
            del self._names[number]
            self._last_names[number] = self.path(spot)

    def _is_inside(self, path: str) -> bool:
        return any(Path(path).is_relative_to(root) for root in self._roots)

    def _refuse_inside(self, path: str) -> None:
        if self._is_inside(path):
            self.refuse(f"{path} was made in a way that is not recorded")


def _identity(about: os.stat_result) -> _Identity:
    return about.st_dev, about.st_ino


def _path_of(descriptor: int) -> str:
    with suppress(OSError):
        return str(Path(f"/proc/self/fd/{descriptor}").readlink())
    return ""
