"""The media at one moment of a recording: what is certain, and what is written but not yet certain."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from hil.cuts.contents import EMPTY, Contents
from hil.cuts.image import Image, Place
from hil.cuts.operations import (
    AllSynced,
    Entered,
    FileChange,
    FolderChange,
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

_KEPT_TREES = 64


def changed(contents: Contents, change: FileChange) -> Contents:
    """The contents after a change."""
    match change:
        case Wrote(_, offset, data):
            return contents.written(offset, data)
        case Resized(_, size):
            return contents.resized(size)


@dataclass(slots=True, eq=False)
class FileState:
    """A file.

    Attributes:
        states: What it holds after none, one, two... pending changes: the first is certain, the last is what a reader sees.
        pending: Changes since the last sync.
    """

    states: list[Contents]
    pending: list[FileChange] = field(default_factory=list)

    @property
    def certain(self) -> Contents:
        """What is durable."""
        return self.states[0]

    @property
    def latest(self) -> Contents:
        """What a reader sees."""
        return self.states[-1]

    def change(self, change: FileChange) -> None:
        """Write, not yet durable."""
        self.pending.append(change)
        self.states.append(changed(self.latest, change))

    def sync(self) -> None:
        """Make it durable."""
        del self.states[:-1]
        self.pending.clear()


@dataclass(slots=True, eq=False)
class FolderState:
    """A folder.

    Attributes:
        certain: The durable names.
        pending: Changes since the last sync, in order.
    """

    certain: dict[str, int]
    pending: list[FolderChange] = field(default_factory=list)


class Medium:
    """Replays a recording, and gives what a cut at this moment may leave behind.

    Attributes:
        files: Every file that there ever was, by its number.
        folders: Every folder that there ever was, by its number.
    """

    def __init__(self, recording: Recording) -> None:
        beginning = recording.beginning
        self._roots = recording.roots
        self._modes = dict(beginning.modes)
        self.files = {number: FileState([contents]) for number, contents in beginning.files.items()}
        self.folders = {number: FolderState(dict(names)) for number, names in beginning.folders.items()}
        self._trees: OrderedDict[tuple[int, ...], tuple[Place, ...]] = OrderedDict()

    def apply(self, operation: Operation) -> None:
        """Let an operation happen."""
        match operation:
            case Wrote(file) | Resized(file):
                self._file(file).change(operation)
            case Synced(file):
                self._file(file).sync()
            case Entered() | Removed() | Moved():
                self._rename(operation)
            case FolderSynced(folder):
                self._settle({folder: len(self._folder(folder).pending)})
            case AllSynced():
                for state in self.files.values():
                    state.sync()
                self._settle(self.names_kept())
            case ModeSet(what, mode):
                self._modes[what] = mode
                self._trees.clear()
            case Marked():
                pass

    def dirty_files(self) -> list[int]:
        """Files with changes that are not certain."""
        return [number for number, state in self.files.items() if state.pending]

    def dirty_folders(self) -> list[int]:
        """Folders with changes that are not certain."""
        return [number for number, state in self.folders.items() if state.pending]

    def names_kept(self) -> dict[int, int]:
        """How many pending changes of each folder there are: with all of them, names are as a reader sees them."""
        return {number: len(state.pending) for number, state in self.folders.items() if state.pending}

    def consistent(self, kept: Mapping[int, int]) -> dict[int, int]:
        """The most of these first parts of the folders' changes in which every rename between two folders holds on both sides."""
        result = {number: min(kept.get(number, 0), most) for number, most in self.names_kept().items()}
        while True:
            halves = list(self._halves(result))
            if not halves:
                return result
            for folder, position, _, _ in halves:
                result[folder] = min(result[folder], position)

    def image(self, contents: Mapping[int, Contents], kept: Mapping[int, int], *, data_lost: bool) -> Image:
        """The media as they are then found.

        Args:
            contents: What these files hold.
            kept: How many of the pending changes of each folder have happened; of one that is not named, none. See `consistent`.
            data_lost: Whether the other files hold only what is certain; otherwise they hold what was written.
        """
        held: list[Contents | None] = []
        for place in self._tree(kept):
            if place.is_folder:
                held.append(None)
            elif (given := contents.get(place.what)) is not None:
                held.append(given)
            else:
                state = self.files.get(place.what)
                held.append(EMPTY if state is None else state.certain if data_lost else state.latest)
        return Image(self._roots, self._tree(kept), tuple(held))

    def now(self) -> Image:
        """The media as a reader sees them while the power is on."""
        return self.image({}, self.names_kept(), data_lost=False)

    def _file(self, number: int) -> FileState:
        return self.files.setdefault(number, FileState([EMPTY]))

    # Names.

    def _folder(self, number: int) -> FolderState:
        return self.folders.setdefault(number, FolderState({}))

    def _rename(self, change: FolderChange) -> None:
        self._trees.clear()
        self._folder(change.folder).pending.append(change)
        if isinstance(change, Entered) and change.makes_folder:
            self._folder(change.what)
        if isinstance(change, Moved) and change.to_folder != change.folder:
            self._folder(change.to_folder).pending.append(change)

    def _halves(self, kept: Mapping[int, int]) -> Iterator[tuple[int, int, int, int]]:
        """Renames of which one side holds and the other does not: the folder that has it, where, the other folder, where."""
        for folder, count in kept.items():
            for position, change in enumerate(self.folders[folder].pending[:count]):
                if isinstance(change, Moved) and change.folder != change.to_folder:
                    other = change.to_folder if folder == change.folder else change.folder
                    there = _position(self.folders[other].pending, change)
                    if there >= kept.get(other, 0):
                        yield folder, position, other, there

    def _settle(self, counts: dict[int, int]) -> None:
        """Make the first pending changes of folders certain, and the other side of every rename with them."""
        self._trees.clear()
        while True:
            halves = list(self._halves(counts))
            if not halves:
                break
            for _, _, other, there in halves:
                counts[other] = max(counts.get(other, 0), there + 1)
        for number, count in counts.items():
            state = self.folders[number]
            state.certain = _names(number, state, count)
            del state.pending[:count]

    def _tree(self, kept: Mapping[int, int]) -> tuple[Place, ...]:
        key = tuple(kept.get(number, 0) for number in self.folders)
        if key in self._trees:
            self._trees.move_to_end(key)
            return self._trees[key]
        tree: list[Place] = []
        for root in range(len(self._roots)):
            tree.append(Place(root, "", root, self._modes[root], is_folder=True))
            self._grow(tree, root, root, "", kept)
        self._trees[key] = tuple(tree)
        if len(self._trees) > _KEPT_TREES:
            self._trees.popitem(last=False)
        return self._trees[key]

    def _grow(self, tree: list[Place], root: int, folder: int, path: str, kept: Mapping[int, int]) -> None:
        for name, what in sorted(_names(folder, self.folders[folder], kept.get(folder, 0)).items()):
            inner = f"{path}/{name}" if path else name
            is_folder = what in self.folders
            tree.append(Place(root, inner, what, self._modes[what], is_folder))
            if is_folder:
                self._grow(tree, root, what, inner, kept)


def _position(changes: list[FolderChange], wanted: FolderChange) -> int:
    """Where a change is, by identity: the same name may be moved the same way twice."""
    return next(position for position, change in enumerate(changes) if change is wanted)


def _names(number: int, state: FolderState, count: int) -> dict[str, int]:
    """The names in a folder when only the first `count` pending changes have happened."""
    names = dict(state.certain)
    for change in state.pending[:count]:
        match change:
            case Entered(_, name, what):
                names[name] = what
            case Removed(_, name):
                names.pop(name)
            case Moved(folder, name, to_folder, to_name, what):
                if folder == number:
                    names.pop(name)
                if to_folder == number:
                    names[to_name] = what
    return names
