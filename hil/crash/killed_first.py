"""A process is killed, another one goes on, then the power fails: what the first had not synced is not certain for the second.

The second process reads from the kernel's memory what the first has written, as if it were on the medium. Recorded are a session
up to some operation and then, on what a reader sees there, an opening and one more sheet. Both become one recording, in which
what was pending when the process was killed is still pending when the other one starts.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from hil.crash.session import Session, in_memory
from hil.crash.witness import MarkingStore
from hil.crash.world import sheet
from hil.cuts.image import Image
from hil.cuts.materialise import Materialiser
from hil.cuts.medium import Medium
from hil.cuts.operations import (
    Entered,
    FolderSynced,
    Marked,
    ModeSet,
    Moved,
    Operation,
    Recorded,
    Removed,
    Resized,
    Synced,
    Wrote,
)
from hil.cuts.record import record
from hil.cuts.recording import Recording


def killed_first(session: Session, count: int, *, seed: int = 0) -> Iterator[Session]:
    """Kill the process of a session of one election, and have another one go on.

    Args:
        session: A recorded one.
        count: At so many operations, evenly spread; about all if it is large enough.
        seed: Moves them.
    """
    end = len(session.recording.operations)
    step = max(1, end // count)
    for killed_at in range(1 + random.Random(seed).randrange(step), end, step):
        yield _killed_at(session, killed_at)


def _killed_at(session: Session, killed_at: int) -> Session:
    first = session.recording
    medium = Medium(first)
    for recorded in first.operations[:killed_at]:
        medium.apply(recorded.operation)
    seen = medium.now()
    with tempfile.TemporaryDirectory(dir=in_memory()) as scratch:
        folder = Path(scratch) / "world"
        Materialiser({session.root: folder}).put(seen)
        with record(folder) as second:
            _go_on(session, folder, second)
    joined = _joined(first, killed_at, second, seen)
    return replace(session, name=f"{session.name}, killed after {killed_at} writes", recording=joined, since=killed_at)


def _go_on(session: Session, folder: Path, recording: Recording) -> None:
    label, log = next(iter(session.world.logs.items()))
    store = session.world.store(folder, label)
    with closing(MarkingStore(store, log, session.world.settings(folder, label), recording.mark)) as marking:
        books = marking.read()
        if books.pending is not None:
            marking.commit()
        marking.open_polls()
        marking.write_pending(sheet("of the next process"))
        marking.commit()


def _joined(first: Recording, killed_at: int, second: Recording, seen: Image) -> Recording:
    """The first operations of a recording, and then those of one that began with what was seen at their end."""
    begun = {place.path: place.what for place in seen.places}
    taken = {*first.beginning.modes, *(one.operation.what for one in first.operations if isinstance(one.operation, ModeSet))}
    numbers = {number: begun[path] for path, number in _paths(second, 0, "")}
    operations = list(first.operations[:killed_at])
    for recorded in second.operations:
        operation = _renumbered(recorded.operation, numbers, 1 + max(taken))
        operations.append(Recorded(operation, recorded.where, recorded.step))
    marks = [recorded.operation.text for recorded in operations if isinstance(recorded.operation, Marked)]
    return Recording(first.roots, first.beginning, operations, marks)


def _paths(recording: Recording, number: int, path: str) -> Iterator[tuple[str, int]]:
    """Everything that was there when a recording began, with its number."""
    yield path, number
    for name, what in recording.beginning.folders.get(number, {}).items():
        yield from _paths(recording, what, f"{path}/{name}" if path else name)


def _renumbered(operation: Operation, numbers: dict[int, int], new: int) -> Operation:
    """The same operation on files and folders that are known by other numbers, new ones from `new` on."""

    def number(old: int) -> int:
        return numbers.get(old, new + old)

    match operation:
        case Wrote() | Resized() | Synced():
            return replace(operation, file=number(operation.file))
        case Entered():
            return replace(operation, folder=number(operation.folder), what=number(operation.what))
        case Moved():
            folder, to_folder = number(operation.folder), number(operation.to_folder)
            return replace(operation, folder=folder, to_folder=to_folder, what=number(operation.what))
        case Removed() | FolderSynced():
            return replace(operation, folder=number(operation.folder))
        case ModeSet():
            return replace(operation, what=number(operation.what))
        case _:
            return operation
