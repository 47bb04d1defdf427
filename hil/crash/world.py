"""Where the evidence of a session lies, and how it is opened: all under one folder, so that an image of it can be opened too."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.decision import Disposition, DispositionKind
from edge.definition.package import ElectionPackage
from edge.evidence.clock import Reading
from edge.evidence.evidence_store import EvidenceStore
from edge.evidence.medium import BoxShape
from edge.evidence.opening import NAMES, EvidenceSettings
from edge.evidence.reading import SheetReading
from edge.evidence.sheet_files import pack_files, sheet_files
from hil.rig.evidence import SOFTWARE

KEYS = "keys"
DEVICE = "scan.example.org/0001"
TEXT_BYTES = 9_000
"""A sheet's record in a slot of five pages: most of it is not a hole and does not compress to one."""


@dataclass(slots=True)
class SetClock:
    """A clock that stands still until it is moved.

    Attributes:
        monotonic_ms: Since the machine was started.
        wall_ms: Since 1970.
    """

    monotonic_ms: int = 1_000
    wall_ms: int = 1_793_700_000_000

    def read(self) -> Reading:
        """The time that was set."""
        return Reading(
            "00000000-0000-4000-8000-000000000001", self.monotonic_ms, "2026-11-03T07:00:00Z", self.wall_ms, "unsynchronised"
        )

    def go_on(self, milliseconds: int, *, step_ms: int = 0) -> None:
        """Let time pass, and set the wall clock forward beside that."""
        self.monotonic_ms += milliseconds
        self.wall_ms += milliseconds + step_ms


@dataclass(frozen=True, slots=True)
class Log:
    """One election on the device.

    Attributes:
        label: Its name, and that of its folder on each medium.
        package: What its sheets are read with.
        shape: Size of its ballot box.
    """

    label: str
    package: ElectionPackage
    shape: BoxShape


@dataclass(frozen=True, slots=True)
class World:
    """A device with one or two media.

    Attributes:
        media: How many media are configured.
        logs: Its elections by label, in order.
        device: Its name.
    """

    media: int
    logs: Mapping[str, Log]
    device: str = DEVICE

    def settings(self, folder: Path, label: str, *, visiting: bool = False) -> EvidenceSettings:
        """How an election's evidence in this folder is opened."""
        media = tuple(folder / name for name in NAMES[: self.media])
        return EvidenceSettings(media, folder / KEYS, self.device, label, self.logs[label].shape, reserve=0, visiting=visiting)

    def store(
        self,
        folder: Path,
        label: str,
        *,
        clock: SetClock | None = None,
        kind: type[EvidenceStore] = EvidenceStore,
        visiting: bool = False,
    ) -> EvidenceStore:
        """The store over it, not yet read."""
        settings = self.settings(folder, label, visiting=visiting)
        return kind(settings, self.logs[label].package, software=SOFTWARE, clock=clock or SetClock())


def sheet(name: str, kind: DispositionKind = "accept") -> SheetReading:
    """A sheet without pages that no other sheet is like."""
    words = [hashlib.sha256(f"{name} {number}".encode()).hexdigest() for number in range(TEXT_BYTES // 64)]
    return SheetReading(Disposition(kind), "\n".join([name, *words]).encode(), ())


def packed(reading: SheetReading) -> bytes:
    """A sheet as it is sealed."""
    return pack_files(sheet_files(reading))


def content_of(files: Mapping[str, bytes]) -> str:
    """A number for what a sheet's files hold, hex."""
    whole = hashlib.sha256()
    for name in sorted(files):
        whole.update(f"{name} {hashlib.sha256(files[name]).hexdigest()}\n".encode())
    return whole.hexdigest()[:32]
