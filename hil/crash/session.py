"""Sessions: what a device does on a day, recorded with everything that it writes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from hil.crash.check import check
from hil.crash.ledger import Ledger, Promise
from hil.crash.world import World
from hil.cuts.images import Cut
from hil.cuts.record import record
from hil.cuts.recording import Recording

_MEMORY = Path("/dev/shm")  # noqa: S108  only folders with names of their own are made in it


@dataclass(frozen=True, eq=False)
class Session:
    """A recorded session.

    Attributes:
        name: What it is about.
        world: How its evidence is opened.
        recording: Of the one folder in which everything is.
        before: Marks of another session, of which this one begins with an image.
        loses_media: Whether media are lost in it.
        since: Cuts before this operation are another session's.
    """

    name: str
    world: World
    recording: Recording
    before: tuple[str, ...] = ()
    loses_media: bool = False
    since: int = 0

    @property
    def root(self) -> Path:
        """The recorded folder."""
        return self.recording.roots[0]

    @cached_property
    def ledger(self) -> Ledger:
        """What was promised when."""
        return Ledger(self.recording.marks, self.before)

    def promises(self, cut: Cut) -> Mapping[str, Promise]:
        """What must hold after a cut."""
        return self.ledger.at(len(cut.marks))

    def check(self, targets: Mapping[Path, Path], cut: Cut, away: str | None = None) -> None:
        """Hold what was found after a cut against what was promised.

        Raises:
            CrashError: a promise is broken.
            StoreError: the evidence cannot be opened.
        """
        check(self.world, targets[self.root], self.promises(cut), away=away, loses_media=self.loses_media)


def in_memory() -> Path | None:
    """A folder in memory, where a sync takes no time; None where there is none."""
    return _MEMORY if _MEMORY.is_dir() else None


def recorded(name: str, world: World, program: Callable[[Path, Recording], None], *, loses_media: bool = False) -> Session:
    """Record a program.

    Args:
        name: What it is about.
        world: Where it keeps its evidence.
        program: Is given an empty folder, and the recording for its marks.
        loses_media: Whether it loses media.

    Raises:
        RecordingError: what it writes cannot be recorded.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "world"
        folder.mkdir()
        with record(folder) as recording:
            program(folder, recording)
    return Session(name, world, recording, loses_media=loses_media)
