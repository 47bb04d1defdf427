"""Where nothing of a ballot may be: its id, its hashes, and roots of sets without it, looked for in every byte kept elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from collections.abc import Iterator
from pathlib import Path

from edge.audit.content import set_leaf
from edge.audit.layout import MANIFEST, SHEET_FOLDERS
from edge.audit.manifest import FileFacts
from edge.evidence.archive import SheetKind
from edge.evidence.medium import BOX_FILE
from edge.evidence.tlog.merkle import root_of
from hil.secrecy.day import Day


def traces(day: Day) -> list[str]:
    """Every place in which a secret was found, as `what in file`."""
    elsewhere = {str(path): path.read_bytes() for path in _kept_elsewhere(day)}
    found = []
    for what, secret in _secrets(day):
        found += [f"{what} in {path}" for path, content in elsewhere.items() if secret in content]
    return found


def _kept_elsewhere(day: Day) -> Iterator[Path]:
    """All files but the sheets' own, the box, and the manifest, which lists the sheets in the order of their ids."""
    own = day.export / SHEET_FOLDERS[SheetKind.CAST]
    for folder in (*day.media, day.keys, day.export):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and own not in path.parents and path.name not in {BOX_FILE, MANIFEST}:
                yield path


def _secrets(day: Day) -> Iterator[tuple[str, bytes]]:
    leaves = {}
    for identity in sorted(day.order):
        number = uuid.UUID(identity)
        yield from (("id", form) for form in (number.bytes, number.bytes_le, number.hex.encode(), identity.encode()))
        folder = day.export / SHEET_FOLDERS[SheetKind.CAST] / identity
        files = {path.name: path.read_bytes() for path in folder.iterdir()}
        for name, content in files.items():
            yield from ((f"hash of {name}", form) for form in _forms(hashlib.sha256(content).digest()))
        leaves[identity] = set_leaf(identity, [FileFacts.of(name, content) for name, content in files.items()])
        yield from (("leaf", form) for form in _forms(leaves[identity]))
    # Whoever finds the root of the set as it was before the last ballot knows which ballot came last (and so on).
    hashes = list(leaves.values())
    for place in range(len(hashes)):
        yield from (("root of a smaller set", form) for form in _forms(root_of(hashes[:place] + hashes[place + 1 :])))


def _forms(digest: bytes) -> tuple[bytes, ...]:
    return digest, digest.hex().encode(), base64.b64encode(digest)[:40]


def told_by_log(day: Day) -> dict[str, set[str]]:
    """The fields of each kind of event in the exported log, but for the clocks."""
    told: dict[str, set[str]] = {}
    for device in json.loads((day.export / "events.json").read_bytes())["Device"]:
        for event in device["Event"]:
            fields = set(json.loads(event["Details"])) - {"bootId", "clock", "monotonicMs"}
            told.setdefault(event["Id"], set()).update(fields)
    return told
