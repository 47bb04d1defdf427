"""Small evidence for tests: a made-up election, sheets without pages, a clock that a test sets."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from edge.decision import Disposition
from edge.definition.package import ElectionPackage
from edge.evidence.archive import SheetKind
from edge.evidence.clock import Reading
from edge.evidence.evidence_store import EvidenceStore
from edge.evidence.medium import BoxShape
from edge.evidence.opening import EvidenceSettings
from edge.evidence.reading import SheetReading
from edge.evidence.sheet_files import RECORD
from edge.evidence.station_archive import kept_sheets
from edge.evidence.store import PendingStage, StoreError

SHAPE = BoxShape(cast=8, returned=4, slot_bytes=5 * 4096)
PACKAGE = ElectionPackage(b"{}")
SOFTWARE = ("scrutineer-edge 0", bytes(32))
LABEL = "00112233445566778899"


_MEMORY = Path("/dev/shm")  # noqa: S108  what is made in it has a name of its own


@contextmanager
def in_memory() -> Iterator[Path]:
    """A folder in memory, where the system has one: what is synced there costs nothing."""
    with tempfile.TemporaryDirectory(dir=_MEMORY if os.access(_MEMORY, os.W_OK) else None) as folder:
        yield Path(folder)


@dataclass(slots=True)
class SetClock:
    """A clock that stands still until it is moved."""

    monotonic_ms: int = 1_000
    wall_ms: int = 1_793_700_000_000
    boot_id: str = "00000000-0000-4000-8000-000000000001"

    def read(self) -> Reading:
        """The time that was set."""
        return Reading(self.boot_id, self.monotonic_ms, "2026-11-03T07:00:00Z", self.wall_ms, "unsynchronised")

    def pass_time(self, milliseconds: int) -> None:
        """Let both clocks go on."""
        self.monotonic_ms += milliseconds
        self.wall_ms += milliseconds


def reading(text: str = "sheet", kind: str = "accept") -> SheetReading:
    """A sheet of which only the text of its record is known."""
    assert kind in {"accept", "return", "hold"}
    return SheetReading(Disposition(kind), text.encode(), ())  # type: ignore[arg-type] # checked above


def settings(folder: Path, media: int = 1, *, visiting: bool = False, shape: BoxShape = SHAPE) -> EvidenceSettings:
    """Evidence in `folder`: media `one` and `two`, `keys`."""
    folders = (folder / "one", folder / "two")[:media]
    if media > 1 and not _away(folders[1]).exists():
        folders[1].mkdir(exist_ok=True, parents=True)
    return EvidenceSettings(folders, folder / "keys", "scan.example.org/0001", LABEL, shape, 0, visiting)


def store(folder: Path, media: int = 1, *, clock: SetClock | None = None, **keys: object) -> EvidenceStore:
    """The store over it, not yet read."""
    return EvidenceStore(
        settings(folder, media, **keys),  # type: ignore[arg-type] # the caller's are the callee's
        PACKAGE,
        software=SOFTWARE,
        clock=clock or SetClock(),
    )


def _away(medium: Path) -> Path:
    return medium.with_name(f"{medium.name}.away")


def unplug(medium: Path) -> None:
    """Take a medium away. What is left in its place is no folder, since a missing first medium would be made anew."""
    medium.rename(_away(medium))
    medium.write_bytes(b"")


def plug(medium: Path) -> None:
    """Bring it back."""
    medium.unlink()
    _away(medium).rename(medium)


@contextmanager
def opened(folder: Path, media: int = 1, *, clock: SetClock | None = None, **keys: object) -> Iterator[EvidenceStore]:
    """The store over it, read, and closed in the end."""
    kept = store(folder, media, clock=clock, **keys)
    try:
        kept.read()
        yield kept
    finally:
        kept.close()


def cast(kept: EvidenceStore, *texts: str) -> None:
    """Count sheets."""
    for text in texts:
        kept.write_pending(reading(text))
        kept.mark_pending(PendingStage.RETURNING)
        kept.mark_pending(PendingStage.ACCEPTING)
        kept.commit()


def logged(kept: EvidenceStore) -> list[tuple[str, dict[str, Any]]]:
    """Every event of the log: its id, and the fields of its own."""
    found = []
    for entry, _ in kept.opened().media[0].log.entries():
        event = json.loads(entry)
        details = json.loads(event["Details"])
        found.append((event["Id"], {name: details[name] for name in details if name not in {"bootId", "clock", "monotonicMs"}}))
    return found


def ids(kept: EvidenceStore) -> list[str]:
    """The ids of the log's events."""
    return [name for name, _ in logged(kept)]


def texts(kept: EvidenceStore, kind: SheetKind = SheetKind.CAST) -> list[str]:
    """The records of the settled sheets of a kind, sorted."""
    return sorted(sheet.files[RECORD].decode() for sheet in kept_sheets(kept.opened(), kind))


def same_media(kept: EvidenceStore) -> None:
    """Hold all media against each other: logs, states, checkpoints, and what is in the boxes."""
    media = kept.opened().media
    logs = [(each.log.state(), each.log.entries(), each.log.checkpoints(), each.log.notes()) for each in media]
    assert all(log == logs[0] for log in logs)
    boxes = [
        {(entry.id, entry.kind, entry.settled, each.open_box().sheet(slot)) for slot, entry in each.open_box().entries.items()}
        for each in media
    ]
    assert all(box == boxes[0] for box in boxes)


def code(call: Callable[[], object]) -> str:
    """The reason code of a refusal."""
    with pytest.raises(StoreError) as caught:
        call()
    return caught.value.code


def a_day(folder: Path, media: int = 1, *sheets: str) -> None:
    with opened(folder, media) as kept:
        kept.open_polls()
        cast(kept, *sheets)
        kept.pause_polls()


def everything(folder: Path) -> dict[str, str]:
    """Every file of the evidence with a hash; without what SQLite makes and removes beside a log."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(("-wal", "-shm")) and path.name != "lock"
    }


def refused(folder: Path, media: int = 1, make: Callable[[], EvidenceStore] | None = None) -> str:
    """The reason code with which the evidence is refused twice; it is not changed thereby."""
    before = everything(folder)
    kept = make() if make else store(folder, media)
    first, second = code(kept.read), code(kept.open_polls)
    assert first == second
    assert everything(folder) == before
    return first
