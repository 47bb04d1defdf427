"""A day of known order: ballots through the real evidence on two media, the close, and the export."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.audit.closing import close_polls
from edge.audit.export import export
from edge.definition.package import ElectionPackage
from edge.evidence.archive import SheetKind
from edge.evidence.clock import LogClock
from edge.evidence.evidence_store import EvidenceStore
from edge.evidence.keys.day_key import load_day_key
from edge.evidence.keys.key_folder import KeyFolder
from edge.evidence.medium import BoxShape, settled_ids
from edge.evidence.opening import EvidenceSettings, day_key_label
from edge.evidence.reading import SheetReading
from edge.evidence.station_archive import StationArchive
from hil.rig.evidence import SOFTWARE

SPARE = 1.25
"""Slots for each sheet: a box is never quite full."""
_SLOT = 192 << 10


@dataclass(frozen=True, slots=True)
class Day:
    """What is left of a day, and the truth.

    Attributes:
        media: The folders of this election on both media.
        keys: The key folder.
        export: The export's folder.
        order: The ids of the cast sheets, first to last.
        box: The box's number.
        day_key: The box's key, which the attacker has as well.
    """

    media: tuple[Path, ...]
    keys: Path
    export: Path
    order: tuple[str, ...]
    box: bytes
    day_key: bytes


def live(folder: Path, package: ElectionPackage, readings: Sequence[SheetReading], sheets: int, seed: int) -> Day:
    """Cast `sheets` ballots in an order that `seed` decides, close the polls and export.

    Args:
        folder: Empty; all is written into it.
        package: The election of the readings.
        readings: Ballots, each cast about as often as every other.
        sheets: How many.
        seed: Of the order in which they come.
    """
    media = (folder / "one", folder / "two")
    media[1].mkdir(parents=True)
    label = package.definition().ballot_hash.hex()
    shape = BoxShape(int(sheets * SPARE) + 4, 8, _SLOT)
    settings = EvidenceSettings(media, folder / "keys", "scan.example.org/secrecy", label, shape, reserve=0)
    store = EvidenceStore(settings, package, software=SOFTWARE, clock=LogClock())
    queue = [readings[number % len(readings)] for number in range(sheets)]
    random.Random(seed).shuffle(queue)
    order: list[str] = []
    try:
        store.read()
        store.open_polls()
        known = frozenset[object]()
        for reading in queue:
            store.write_pending(reading)
            store.commit()
            now = settled_ids(store.opened().media[0], SheetKind.CAST)
            order += [str(identity) for identity in now - known]
            known = now
        store.pause_polls()
        close_polls(store, package)
        (folder / "stick").mkdir()
        made = export(StationArchive(store, package), folder / "stick")
        box = store.opened().media[0].log.fact("box") or b""
    finally:
        store.close()
    keys = KeyFolder(folder / "keys")
    keys.open(create=False)
    day_key = load_day_key(keys, day_key_label(label)).material()
    return Day(tuple(medium / label for medium in media), folder / "keys", made.folder, tuple(order), box, day_key)
