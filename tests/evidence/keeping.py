"""Small evidence for tests: a made-up election, sheets without pages, a clock that a test sets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge.decision import Disposition
from edge.definition.package import ElectionPackage
from edge.evidence.clock import Reading
from edge.evidence.evidence_store import EvidenceStore
from edge.evidence.medium import BoxShape
from edge.evidence.opening import EvidenceSettings
from edge.evidence.reading import SheetReading

SHAPE = BoxShape(cast=8, returned=4, slot_bytes=5 * 4096)
PACKAGE = ElectionPackage(b"{}")
SOFTWARE = ("scrutineer-edge 0", bytes(32))
LABEL = "00112233445566778899"


@dataclass(slots=True)
class SetClock:
    """A clock that stands still until it is moved."""

    monotonic_ms: int = 1_000
    wall_ms: int = 1_793_700_000_000
    boot_id: str = "00000000-0000-4000-8000-000000000001"

    def read(self) -> Reading:
        """The time that was set."""
        return Reading(self.boot_id, self.monotonic_ms, "2026-11-03T07:00:00Z", self.wall_ms, "unsynchronised")


def reading(text: str = "sheet", kind: str = "accept") -> SheetReading:
    """A sheet of which only the text of its record is known."""
    assert kind in {"accept", "return", "hold"}
    return SheetReading(Disposition(kind), text.encode(), ())  # type: ignore[arg-type]  checked above


def settings(folder: Path, media: int = 1, *, visiting: bool = False, shape: BoxShape = SHAPE) -> EvidenceSettings:
    """Evidence in `folder`: media `one` and `two`, `keys`."""
    folders = (folder / "one", folder / "two")[:media]
    if media > 1:
        folders[1].mkdir(exist_ok=True, parents=True)
    return EvidenceSettings(folders, folder / "keys", "scan.example.org/0001", LABEL, shape, 0, visiting)


def store(folder: Path, media: int = 1, *, clock: SetClock | None = None, **keys: object) -> EvidenceStore:
    """The store over it, not yet read."""
    return EvidenceStore(
        settings(folder, media, **keys),  # type: ignore[arg-type]  the caller's are the callee's
        PACKAGE,
        software=SOFTWARE,
        clock=clock or SetClock(),
    )
