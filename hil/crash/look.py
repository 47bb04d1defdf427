"""Everything that the media and the key folder hold of one election, and whether it agrees with itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from edge.evidence.archive import SheetKind
from edge.evidence.keys.day_key import load_day_key
from edge.evidence.keys.error import KeyFileError
from edge.evidence.keys.key_folder import KeyFolder
from edge.evidence.opening import day_key_label
from edge.evidence.store import PendingStage, Polls
from edge.evidence.tlog.checkpoint import Checkpoint, open_checkpoint
from edge.evidence.tlog.merkle import Frontier, leaf_hash
from edge.evidence.tlog.note import NoteError, VerifierKey
from hil.crash.found import RawLog, Slot, anchor_of, open_slots, raw_log
from hil.crash.ledger import Held
from hil.crash.world import KEYS


class CrashError(Exception):
    """A promise is broken; the message says which."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is there.

    Attributes:
        logs: The log of each medium that has one, by the medium's name.
        boxes: Likewise every slot of which anything opens; none without the day key.
        anchor: The checkpoint that the device remembers of this log.
    """

    logs: Mapping[str, RawLog]
    boxes: Mapping[str, tuple[Slot, ...]]
    anchor: bytes | None


def look(folder: Path, names: Iterable[str], label: str, origin: str, *, logs_only: bool = False) -> Found:
    """Look at an election's evidence.

    Args:
        folder: Where everything is.
        names: Of the media.
        label: The election's.
        origin: The log's name.
        logs_only: Leave the boxes out.

    Raises:
        sqlite3.Error: a log cannot be read.
    """
    logs = {name: log for name in names if (log := raw_log(folder / name / label)) is not None}
    key = None if logs_only else day_key_in(folder, label)
    boxes = {} if key is None else {name: open_slots(folder / name / label, key) for name in logs}
    return Found(logs, boxes, anchor_of(folder / KEYS, origin))


def day_key_in(folder: Path, label: str) -> bytes | None:
    """The day key; None where it is not (yet, or any more)."""
    try:
        return load_day_key(KeyFolder(folder / KEYS), day_key_label(label)).material()
    except KeyFileError as error:
        if error.code != "keyMissing":
            raise
        return None


def agreed(found: Found, names: Sequence[str]) -> tuple[RawLog, Held | None]:
    """What the media hold, if each is sound and all hold the same; no sheets without the day key.

    Raises:
        CrashError: they do not.
    """
    missing = [name for name in names if name not in found.logs]
    if missing:
        raise CrashError(f"there is no log on {', '.join(missing)}")
    logs = [found.logs[name] for name in names]
    log = logs[0]
    for other in logs[1:]:
        if _without_medium(other) != _without_medium(log):
            raise CrashError(f"the media differ after recovery: {_difference(log, other)}")
    _check_entries(log)
    if not found.boxes:
        return log, None
    sheets = {name: _sheets(name, found.boxes[name], log) for name in names}
    if len(set(sheets.values())) > 1:
        raise CrashError("the boxes of the media hold different sheets")
    identities = {name: frozenset((slot.identity, slot.settled) for slot in found.boxes[name]) for name in names}
    if len(set(identities.values())) > 1:
        raise CrashError("the boxes of the media hold their sheets under different ids")
    return log, sheets[names[0]]


def check_signed(log: RawLog, notes: Iterable[bytes]) -> None:
    """Hold signed checkpoints against a log.

    Raises:
        CrashError: the log is not a continuation of one, or its key has not signed it.
    """
    roots = tree_roots(log.leaves)
    verifier = log.facts["key"].decode()
    for note in notes:
        signed = opened(note, verifier)
        if signed.size >= len(roots):
            raise CrashError(f"a log of {signed.size} entries was signed, and there are {len(log.leaves)}")
        if roots[signed.size] != signed.root:
            raise CrashError(f"the log contradicts the checkpoint that was signed over {signed.size} entries")


@lru_cache(maxsize=64)
def tree_roots(leaves: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """The root of the tree of no leaf, the first, the first two..."""
    frontier = Frontier()
    roots = [frontier.root()]
    for leaf in leaves:
        frontier.append(leaf)
        roots.append(frontier.root())
    return tuple(roots)


@lru_cache(maxsize=4096)
def opened(note: bytes, verifier: str) -> Checkpoint:
    """A signed checkpoint.

    Raises:
        CrashError: this key has not signed it.
    """
    try:
        return open_checkpoint(note, [VerifierKey.parse(verifier)])
    except NoteError as error:
        raise CrashError(f"a checkpoint was signed with another key: {error}") from error


def event_ids(entries: Iterable[bytes]) -> list[str]:
    """The ids of events, in order."""
    return [_entry(entry)["Id"] for entry in entries]


def _check_entries(log: RawLog) -> None:
    counts = []
    for number, (entry, leaf) in enumerate(zip(log.entries, log.leaves, strict=True)):
        event = _entry(entry)
        if leaf != leaf_hash(entry) or event["Sequence"] != str(number):
            raise CrashError(f"entry {number} of the log is not what its hash or its number says")
        if event["Id"] == "sheetAccepted":
            counts.append(json.loads(event["Details"])["count"])
    if counts != list(range(1, int(str(log.state[2])) + 1)):
        raise CrashError(f"the log tells of sheets {counts}, counted are {log.state[2]}")
    for size, note in log.checkpoints.items():
        if opened(note, log.facts["key"].decode()).size != size:
            raise CrashError("a checkpoint is kept under another size")
    check_signed(log, log.checkpoints.values())


@lru_cache(maxsize=8192)
def _entry(entry: bytes) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(entry)
    return parsed


def _without_medium(log: RawLog) -> tuple[object, ...]:
    facts = {name: content for name, content in log.facts.items() if name != "medium"}
    return facts, log.entries, log.leaves, log.checkpoints, log.notes, log.state


def _difference(one: RawLog, other: RawLog) -> str:
    sizes = f"{len(one.entries)} and {len(other.entries)} entries, states {one.state} and {other.state}"
    return f"{sizes}, checkpoints {sorted(one.checkpoints)} and {sorted(other.checkpoints)}"


def _sheets(name: str, box: Sequence[Slot], log: RawLog) -> Held:
    """The sheets of a box, if nothing else opens in it and the log's state counts just these."""
    settled: dict[SheetKind, list[str]] = {kind: [] for kind in SheetKind}
    loose = []
    for slot in box:
        if slot.identity is None or slot.kind is None or slot.content is None or not slot.whole:
            parts = {"page": slot.identity, "settled mark": slot.settled, "sheet": slot.content}
            there = [part for part, what in parts.items() if what is not None]
            raise CrashError(f"slot {slot.number} on the {name} medium holds no whole sheet, and of one there opens: {there}")
        if slot.settled is None:
            loose.append(slot.content)
        elif slot.settled == slot.identity:
            settled[slot.kind].append(slot.content)
        else:
            raise CrashError(f"slot {slot.number} on the {name} medium is settled as another sheet")
    _, _, cast, returned, pending, polls, tallied = log.state
    counted = {SheetKind.CAST: cast, SheetKind.RETURNED: returned, SheetKind.TALLY: tallied}
    for kind, sheets in settled.items():
        if len(sheets) != counted[kind]:
            raise CrashError(f"{len(sheets)} {kind} sheets are in the box on the {name} medium, counted are {counted[kind]}")
    if len({slot.identity for slot in box}) < len(box):
        raise CrashError(f"a sheet is in the box on the {name} medium twice")
    if len(loose) != (pending is not None):
        raise CrashError(f"{len(loose)} sheets on the {name} medium are not settled, the log's stage is {pending}")
    waiting = (loose[0], PendingStage(str(pending))) if loose else None
    cast_sheets, returned_sheets = (tuple(sorted(settled[kind])) for kind in (SheetKind.CAST, SheetKind.RETURNED))
    return Held(cast_sheets, returned_sheets, waiting, Polls(str(polls)))
