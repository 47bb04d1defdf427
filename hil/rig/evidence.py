"""The evidence of a station on the bench: small, and looked at without touching it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from edge.commands.definition import read_package
from edge.commands.run import evidence_settings
from edge.definition.package import ElectionPackage
from edge.evidence.clock import LogClock
from edge.evidence.evidence_store import EvidenceStore
from edge.evidence.medium import BoxShape
from edge.evidence.opening import EvidenceSettings
from edge.station.config import StationConfig

SMALL: Final = BoxShape(cast=48, returned=16, slot_bytes=192 << 10)
"""Enough for a test; a clean rendered letter sheet takes a third of a slot."""
FORM_SHAPE: Final = BoxShape(cast=8, returned=4, slot_bytes=4 << 20)
"""The same where forms are read: room for both grey sides of a rendered tally sheet at 200 dpi."""
SOFTWARE: Final = ("scrutineer-edge rig", bytes(32))
PACKAGE: Final = ElectionPackage(b"{}")
"""For a rig whose reader needs no definition."""


def rig_settings(folder: Path, shape: BoxShape = SMALL) -> EvidenceSettings:
    """Evidence on one medium under `folder`, the keys beside it."""
    return EvidenceSettings((folder / "evidence",), folder / "keys", "scan.example.org/rig", "rig", shape, reserve=0)


def rig_store(folder: Path, shape: BoxShape = SMALL) -> EvidenceStore:
    """The store over it, not yet read."""
    return EvidenceStore(rig_settings(folder, shape), PACKAGE, software=SOFTWARE, clock=LogClock())


@contextmanager
def looked_at(config: StationConfig) -> Iterator[EvidenceStore]:
    """A copy of a station's evidence, opened: looking mends what a killed process left half done, and that is for its successor.

    Raises:
        StoreError: it cannot be opened.
    """
    evidence = config.evidence
    package = read_package(config.definitions)
    settings = evidence_settings(config, package, visiting=True)
    with tempfile.TemporaryDirectory() as scratch:
        copies = []
        for number, medium in enumerate(settings.media):
            if medium.exists():
                shutil.copytree(medium, Path(scratch) / str(number))
            copies.append(Path(scratch) / str(number))
        keys = Path(scratch) / "keys"
        if evidence.keys.exists():
            shutil.copytree(evidence.keys, keys)
            keys.chmod(0o700)
        copied = replace(settings, media=tuple(copies), keys=keys)
        store = EvidenceStore(copied, package, software=SOFTWARE, clock=LogClock())
        try:
            store.read()
            yield store
        finally:
            store.close()
