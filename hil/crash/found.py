"""What is on the media, looked at without the code under test: the log as plain SQLite, the box slot by slot and part by part.

The logs are copied before they are looked at, since to open a database is to repair it.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import sqlite3
import struct
import tempfile
import uuid
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.kbkdf import KBKDFHMAC, CounterLocation, Mode

from edge.evidence.archive import SheetKind
from edge.evidence.medium import BOX_FILE, LOG_FILE
from edge.evidence.sheet_files import unpack_files
from hil.crash.world import content_of

_PAGE = 4096
_SEAL = 28
"""Nonce and tag."""
_HEADER = struct.Struct(">16s16sII")
_LABEL = b"scrutineer box 1 sheet"
_KINDS = {b"c": SheetKind.CAST, b"r": SheetKind.RETURNED, b"t": SheetKind.TALLY}


@dataclass(frozen=True, slots=True)
class RawLog:
    """A log as it lies on a medium.

    Attributes:
        facts: What was fixed when it was made.
        entries: Entries in order.
        leaves: Their leaf hashes.
        checkpoints: Signed checkpoints by size.
        notes: Other signed notes by name.
        state: The row of the running state.
    """

    facts: Mapping[str, bytes]
    entries: tuple[bytes, ...]
    leaves: tuple[bytes, ...]
    checkpoints: Mapping[int, bytes]
    notes: Mapping[str, bytes]
    state: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot of which something opens.

    Attributes:
        number: Which.
        identity: The id on its first page; None if that does not open.
        kind: The kind there.
        settled: The id on its second page; None if that does not open.
        content: Number of the sheet's content; None if the sheet does not open.
        whole: Whether the sheet is the one that the first page means.
    """

    number: int
    identity: uuid.UUID | None
    kind: SheetKind | None
    settled: uuid.UUID | None
    content: str | None
    whole: bool


def raw_log(folder: Path) -> RawLog | None:
    """The log in an election's folder on a medium; None where there is none.

    Raises:
        sqlite3.Error: it cannot be read.
    """
    if not (folder / LOG_FILE).exists():
        return None
    with tempfile.TemporaryDirectory(dir=folder.parent.parent) as scratch:
        for name in (LOG_FILE, f"{LOG_FILE}-wal"):
            if (folder / name).exists():
                shutil.copyfile(folder / name, Path(scratch) / name)
        with closing(sqlite3.connect(Path(scratch) / LOG_FILE, isolation_level=None)) as books:
            rows = books.execute("SELECT entry, leaf FROM entries ORDER BY sequence").fetchall()
            return RawLog(
                dict(books.execute("SELECT name, content FROM facts")),
                tuple(entry for entry, _ in rows),
                tuple(leaf for _, leaf in rows),
                dict(books.execute("SELECT size, note FROM checkpoints")),
                dict(books.execute("SELECT name, note FROM notes")),
                tuple(books.execute("SELECT * FROM state").fetchone()),
            )


def open_slots(folder: Path, day_key: bytes) -> tuple[Slot, ...]:
    """Every slot of the box in an election's folder of which anything opens with the day key, alone or through another part."""
    found = []
    with (folder / BOX_FILE).open("rb") as file:
        magic, box, slots, size = _HEADER.unpack(file.read(_HEADER.size))
        for number in range(slots):
            file.seek(_PAGE + number * size)
            raw = file.read(size)
            slot = _open_slot(number, raw, day_key, magic + box + number.to_bytes(4, "big"))
            if slot is not None:
                found.append(slot)
    return tuple(found)


def _open_slot(number: int, raw: bytes, day_key: bytes, bound: bytes) -> Slot | None:
    identity = _opened(day_key, raw[: 49 + _SEAL], bound + b"identity")
    settled = _opened(day_key, raw[_PAGE : _PAGE + 17 + _SEAL], bound + b"settled")
    # A sheet's key needs its id. That the day key alone opens none is tried too.
    body, keys = raw[2 * _PAGE :], [day_key]
    keys += [_sheet_key(day_key, page[1:17]) for page in (identity, settled) if page is not None]
    sheet = next((plain for key in keys if (plain := _opened(key, body, bound + b"sheet")) is not None), None)
    if identity is None and settled is None and sheet is None:
        return None
    return Slot(
        number,
        None if identity is None else uuid.UUID(bytes=identity[1:17]),
        None if identity is None else _KINDS[identity[:1]],
        None if settled is None else uuid.UUID(bytes=settled[1:17]),
        None if sheet is None else _content(sheet),
        identity is not None and sheet is not None and identity[17:49] == hashlib.sha256(body).digest(),
    )


def _opened(key: bytes, raw: bytes, bound: bytes) -> bytes | None:
    with contextlib.suppress(InvalidTag):
        return AESGCM(key).decrypt(raw[:12], raw[12:], bound)
    return None


def _sheet_key(day_key: bytes, identity: bytes) -> bytes:
    """NIST SP 800-108 in counter mode."""
    kdf = KBKDFHMAC(SHA256(), Mode.CounterMode, 32, 4, 4, CounterLocation.BeforeFixed, _LABEL, identity, None)
    return kdf.derive(day_key)


def _content(sheet: bytes) -> str:
    (length,) = struct.unpack_from(">I", sheet)
    return content_of(unpack_files(sheet[4 : 4 + length]))


def anchor_of(keys: Path, origin: str) -> bytes | None:
    """The checkpoint that the device remembers of a log; None where there is none."""
    path = keys / f"anchor-{hashlib.sha256(origin.encode()).hexdigest()[:32]}"
    return path.read_bytes() if path.exists() else None
