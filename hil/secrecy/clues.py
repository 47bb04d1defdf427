"""What an attacker can sort ballots by. A clue gives each ballot a value; ballots without one, or with equal ones, are ties."""

from __future__ import annotations

import json
import os
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.audit.layout import MANIFEST, SHEET_FOLDERS
from edge.evidence.archive import SheetKind
from edge.evidence.ballot_box import PAGE, BallotBox
from edge.evidence.medium import BOX_FILE
from hil.secrecy.day import Day

Value = Any
"""Whatever sorts; the values of one clue are of one type."""
_NONCE = 12


@dataclass(frozen=True, slots=True)
class Clue:
    """Something to sort by: its name, and a value for each ballot, by id."""

    name: str
    values: Mapping[str, Value]


def clues(day: Day) -> Iterator[Clue]:
    """Every clue that is known to have betrayed the order somewhere, and whatever else differs from ballot to ballot."""
    for number, medium in enumerate(day.media, 1):
        yield from _of_box(f"medium {number}", medium / BOX_FILE, day)
    yield from _of_ids(day)
    yield from _of_folder(day)
    yield from _of_documents(day)


def _of_box(name: str, path: Path, day: Day) -> Iterator[Clue]:
    """Where a sheet lies, and every nonce: generators that count betray the order (DVSorder did)."""
    box = BallotBox(path, day.box, day.day_key)
    try:
        slots = {str(entry.id): slot for slot, entry in box.entries.items()}
        size = (path.stat().st_size - PAGE) // box.slots
    finally:
        box.close()
    yield Clue(f"{name}: slot", slots)
    with path.open("rb") as file:
        for part, offset in (("identity", 0), ("settled", PAGE), ("sheet", 2 * PAGE)):
            nonces = {}
            for identity, slot in slots.items():
                file.seek(PAGE + slot * size + offset)
                nonces[identity] = int.from_bytes(file.read(_NONCE), "big")
            yield Clue(f"{name}: nonce of the {part} page", nonces)


def _of_ids(day: Day) -> Iterator[Clue]:
    """Ids as numbers, and as if they held a time (versions 1, 6 and 7 do)."""
    ids = {text: uuid.UUID(text) for text in day.order}
    yield Clue("id: number", {text: float(identity.int) for text, identity in ids.items()})
    yield Clue("id: time of version 1", {text: identity.time for text, identity in ids.items()})
    yield Clue("id: first 48 bits", {text: identity.int >> 80 for text, identity in ids.items()})
    yield Clue("id: last 64 bits", {text: identity.int & ((1 << 64) - 1) for text, identity in ids.items()})


def _of_folder(day: Day) -> Iterator[Clue]:
    """What a file system tells of the export: times, inode numbers, the order in its folders, sizes."""
    folder = day.export / SHEET_FOLDERS[SheetKind.CAST]
    yield Clue("export: place in the folder", {entry.name: place for place, entry in enumerate(os.scandir(folder))})
    manifest = json.loads((day.export / MANIFEST).read_bytes())["files"]
    places: dict[str, Value] = {}
    for place, file in enumerate(manifest):
        parts = file["name"].split("/")
        if parts[0] == folder.name:
            places.setdefault(parts[1], place)
    yield Clue("export: place in the manifest", places)
    about: dict[str, dict[str, Value]] = defaultdict(dict)
    for identity in day.order:
        for path in (folder / identity, *sorted((folder / identity).iterdir())):
            found = path.stat()
            name = "folder" if path.is_dir() else path.name
            for field in ("st_ino", "st_mtime_ns", "st_ctime_ns", "st_size", "st_blocks"):
                about[f"export: {field} of {name}"][identity] = getattr(found, field)
    yield from (Clue(name, values) for name, values in about.items())


def _of_documents(day: Day) -> Iterator[Clue]:
    """Every value of every document of a sheet, by its place in the document."""
    values: dict[str, dict[str, Value]] = defaultdict(dict)
    for identity in day.order:
        for path in sorted((day.export / SHEET_FOLDERS[SheetKind.CAST] / identity).glob("*.json")):
            for place, value in _leaves(json.loads(path.read_bytes()), path.name):
                values[place][identity] = value
    for place, found in values.items():
        if len(set(map(str, found.values()))) > 1 and len(set(map(type, found.values()))) == 1:
            yield Clue(f"document: {place}", found)


def _leaves(document: Any, place: str) -> Iterator[tuple[str, Value]]:  # noqa: ANN401  any JSON
    if isinstance(document, dict):
        for name, value in document.items():
            yield from _leaves(value, f"{place}.{name}")
    elif isinstance(document, list):
        for number, value in enumerate(document):
            yield from _leaves(value, f"{place}[{number}]")
    elif isinstance(document, (int, str)):
        yield place, document
