"""What a recording consists of: changes to files and folders, each by the number of the file or folder, syncs, and marks.

Numbers stay with a file or folder whatever its names are, and are never given twice.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wrote:
    """Bytes were written into a file."""

    file: int
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Resized:
    """The end of a file was moved."""

    file: int
    size: int


@dataclass(frozen=True, slots=True)
class Synced:
    """A file's contents and length were made durable."""

    file: int


@dataclass(frozen=True, slots=True)
class Entered:
    """A file or folder got a name in a folder: it was made, or linked."""

    folder: int
    name: str
    what: int
    makes_folder: bool = False


@dataclass(frozen=True, slots=True)
class Removed:
    """A name was taken out of a folder."""

    folder: int
    name: str


@dataclass(frozen=True, slots=True)
class Moved:
    """A name was moved, within a folder or to another; what had the new name before has lost it."""

    folder: int
    name: str
    to_folder: int
    to_name: str
    what: int


@dataclass(frozen=True, slots=True)
class FolderSynced:
    """The names in a folder were made durable."""

    folder: int


@dataclass(frozen=True, slots=True)
class AllSynced:
    """Everything was made durable."""


@dataclass(frozen=True, slots=True)
class ModeSet:
    """Who may do what with a file or folder was changed, or is known from its making."""

    what: int
    mode: int


@dataclass(frozen=True, slots=True)
class Marked:
    """The program under test, or who tests it, said how far it has come."""

    text: str


FileChange = Wrote | Resized
FolderChange = Entered | Removed | Moved
Operation = FileChange | FolderChange | Synced | FolderSynced | AllSynced | ModeSet | Marked


@dataclass(frozen=True, slots=True)
class Recorded:
    """An operation in its place.

    Attributes:
        operation: What happened.
        where: To what, for people: the name of the root, and the path in it.
        step: How many marks there were before.
    """

    operation: Operation
    where: str
    step: int

    def __str__(self) -> str:
        """Say it in a few words."""
        match self.operation:
            case Wrote(_, offset, data):
                verb = f"write {len(data)} bytes at {offset} of"
            case Resized(_, size):
                verb = f"move the end to {size} of"
            case ModeSet(_, mode):
                verb = f"set mode {mode:o} of"
            case _:
                verb = _VERBS[type(self.operation)]
        return f"{verb} {self.where}"


_VERBS: dict[type[Operation], str] = {
    Synced: "sync",
    FolderSynced: "sync",
    AllSynced: "sync",
    Entered: "make",
    Removed: "remove",
    Moved: "rename",
    Marked: "mark",
}
