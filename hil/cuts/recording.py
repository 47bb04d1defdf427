"""A recording: what was there at first, and every operation since, in order."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hil.cuts.contents import Contents
from hil.cuts.operations import Marked, Operation, Recorded


@dataclass(frozen=True, slots=True)
class Beginning:
    """What was there when the recording began, all of it durable.

    Attributes:
        files: Contents by number.
        folders: Names and numbers of what is in each, by number. The roots have the numbers from 0, in order.
        modes: Permission bits, by number.
    """

    files: Mapping[int, Contents]
    folders: Mapping[int, Mapping[str, int]]
    modes: Mapping[int, int]


@dataclass(slots=True, eq=False)
class Recording:
    """Filled by `hil.cuts.record.record`; complete when that has ended.

    Attributes:
        roots: The folders that are recorded, with everything in them.
        beginning: See there.
        operations: In order.
        marks: The texts of the marks among them, in order.
        lock: Held while something is done and recorded, so that the order of the recording is the order of the facts.
    """

    roots: tuple[Path, ...]
    beginning: Beginning
    operations: list[Recorded] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def mark(self, text: str) -> None:
        """Say how far things have come ("acknowledged: commit 3"). A cut after this point knows it, one before does not."""
        with self.lock:
            self.add(Marked(text), text)
            self.marks.append(text)

    def add(self, operation: Operation, where: str) -> None:
        """Take down what was just done; `lock` is held."""
        self.operations.append(Recorded(operation, where, len(self.marks)))
