"""The ballot box of one medium: a file of equal slots, each either random bytes or a sealed sheet, in no order.

The file is filled with random bytes when it is made, so that a sealed slot looks like a free one, and writing into it changes
neither the file's size nor where it lies on the medium. A sheet goes into a random free slot. No slot knows a time, a number or a
neighbour.

A slot is three parts: a page that says which sheet is here, a page that says that it is settled, and the sheet. Each is sealed
for itself (AES-256 in Galois/counter mode, a random nonce each) and bound to the box, the slot and the part, so that nothing can
be moved. Each page is written once in a sheet's life: a write that a cut has torn does not open, and counts as not written.

The sheet's own key comes from the day key and its random id, which stands on the first page only: a sheet that a cut has left
without that page was never written down, and nobody can open it any more.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import ssl
import struct
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from edge.evidence.archive import SheetKind
from edge.evidence.store import StoreError

PAGE = 4096
"""Bytes: no medium writes less than this at once, so the parts of a slot do not tear each other."""
BOX_BYTES = 16
"""Length of a box's random number."""

_MAGIC = b"scrutineer box 1"
_HEADER = struct.Struct(">16s16sII32s")
_NONCE, _TAG = 12, 16
_IDENTITY = struct.Struct(">c16s32s")
_SETTLED = struct.Struct(">c16s")
_LENGTH = struct.Struct(">I")
_KINDS = {SheetKind.CAST: b"c", SheetKind.RETURNED: b"r", SheetKind.TALLY: b"t"}
_KIND_OF = {byte: kind for kind, byte in _KINDS.items()}
_FILL_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """What is in a slot: a sheet's random id, its kind, and whether it is settled (counted) or was only written down."""

    id: uuid.UUID
    kind: SheetKind
    settled: bool


def make_box(path: Path, box: bytes, slots: int, slot_bytes: int, progressed: Callable[[], None]) -> None:
    """Make a box full of free slots and put it in its place whole.

    Args:
        path: Where; nothing may be there.
        box: Its number, 16 random bytes.
        slots: How many.
        slot_bytes: Size of each, a multiple of `PAGE` and at least three.
        progressed: Called now and then; filling a medium takes minutes.

    Raises:
        OSError: the medium is full or fails.
    """
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        size = PAGE + slots * slot_bytes
        # First claim all of the room, so that a medium without it says so at once.
        os.posix_fallocate(descriptor, 0, size)
        for start in range(0, size, _FILL_BYTES):
            _write_at(descriptor, _noise(min(_FILL_BYTES, size - start)), start)
            progressed()
        _write_at(descriptor, _header(box, slots, slot_bytes), 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    unfinished.rename(path)
    _sync_folder(path.parent)


class BallotBox:
    """An open box.

    Args:
        path: Its file.
        box: The number that it must have.
        key: The day key, 32 bytes.

    Raises:
        StoreError: storeCorrupt, storeForeign or storeUnavailable.
    """

    def __init__(self, path: Path, box: bytes, key: bytes) -> None:
        self._path = path
        self._key = key
        self._seal = AESGCM(key)
        self._entries: dict[int, Entry] = {}
        with _told(path):
            self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            with _told(path):
                header, size = os.pread(self._file, _HEADER.size, 0), os.fstat(self._file).st_size
            self._box, self.slots, self._slot_bytes = _read_header(path, header, box)
            self._check_size(size)
            self._scan()
        except BaseException:
            os.close(self._file)
            raise

    @property
    def capacity(self) -> int:
        """Bytes that the largest sheet may have."""
        return _capacity(self._slot_bytes)

    @property
    def free(self) -> int:
        """Free slots."""
        return self.slots - len(self._entries)

    @property
    def entries(self) -> dict[int, Entry]:
        """What is in which slot, as far as this process knows."""
        return dict(self._entries)

    def put(self, identity: uuid.UUID, kind: SheetKind, sheet: bytes) -> int:
        """Write a sheet down in a random free slot, durable but not settled; gives the slot.

        Raises:
            StoreError: sheetTooLarge, storeFull when no slot is free, storeUnavailable.
        """
        if len(sheet) > self.capacity:
            raise StoreError("sheetTooLarge", f"a sheet of {len(sheet)} bytes; a slot takes {self.capacity}")
        slot = self._choose()
        plain = _LENGTH.pack(len(sheet)) + sheet + bytes(self.capacity - len(sheet))
        body = self._sealed(slot, b"sheet", plain, self._seal_of(identity.bytes))
        page = _IDENTITY.pack(_KINDS[kind], identity.bytes, hashlib.sha256(body).digest())
        with _told(self._path):
            _write_at(self._file, body, self._at(slot) + 2 * PAGE)
            _write_at(self._file, self._sealed(slot, b"identity", page), self._at(slot))
            os.fsync(self._file)
        self._entries[slot] = Entry(identity, kind, settled=False)
        return slot

    def settle(self, slot: int) -> None:
        """Make durable that the sheet in a slot counts as what it is."""
        entry = self._entries[slot]
        page = self._sealed(slot, b"settled", _SETTLED.pack(_KINDS[entry.kind], entry.id.bytes))
        with _told(self._path):
            _write_at(self._file, page, self._at(slot) + PAGE)
            os.fsync(self._file)
        self._entries[slot] = Entry(entry.id, entry.kind, settled=True)

    def wipe(self, slot: int) -> None:
        """Overwrite a slot with random bytes: the sheet first, so that a cut in between leaves a page that asks for the rest."""
        with _told(self._path):
            _write_at(self._file, _noise(self._slot_bytes - 2 * PAGE), self._at(slot) + 2 * PAGE)
            os.fsync(self._file)
            _write_at(self._file, _noise(2 * PAGE), self._at(slot))
            os.fsync(self._file)
        self._entries.pop(slot, None)

    def sheet(self, slot: int) -> bytes:
        """The sheet in a slot.

        Raises:
            StoreError: storeCorrupt when it does not open, storeUnavailable.
        """
        with _told(self._path):
            sealed = os.pread(self._file, self._slot_bytes - 2 * PAGE, self._at(slot) + 2 * PAGE)
            page = self._identity(slot)
        plain = None if page is None else self._opened(slot, b"sheet", sealed, self._seal_of(page[1]))
        if plain is None:
            raise StoreError("storeCorrupt", f"a sheet in {self._path} does not open")
        (length,) = _LENGTH.unpack_from(plain)
        return plain[_LENGTH.size : _LENGTH.size + length]

    def is_whole(self, slot: int) -> bool:
        """Whether the sheet in a slot opens and is the one that its page names."""
        with _told(self._path):
            sealed = os.pread(self._file, self._slot_bytes - 2 * PAGE, self._at(slot) + 2 * PAGE)
            page = self._identity(slot)
        if page is None or self._opened(slot, b"sheet", sealed, self._seal_of(page[1])) is None:
            return False
        return page[2] == hashlib.sha256(sealed).digest()

    def close(self) -> None:
        """Let go of the file; everything in it was synced. A second time nothing happens."""
        file, self._file = self._file, -1
        if file >= 0:
            with suppress(OSError):
                os.close(file)

    def _check_size(self, size: int) -> None:
        if size != PAGE + self.slots * self._slot_bytes:
            raise StoreError("storeCorrupt", f"{self._path} has {size} bytes, not those of its {self.slots} slots")

    def _scan(self) -> None:
        """Find out what is in every slot; only the pages are read."""
        with _told(self._path):
            for slot in range(self.slots):
                pages = os.pread(self._file, PAGE + _NONCE + _SETTLED.size + _TAG, self._at(slot))
                page = self._opened(slot, b"identity", pages[: _NONCE + _IDENTITY.size + _TAG])
                if page is None:
                    continue
                kind, identity, _ = _IDENTITY.unpack(page)
                settled = self._opened(slot, b"settled", pages[PAGE:])
                self._entries[slot] = Entry(
                    uuid.UUID(bytes=identity), _KIND_OF[kind], settled=settled == _SETTLED.pack(kind, identity)
                )

    def _choose(self) -> int:
        free = [slot for slot in range(self.slots) if slot not in self._entries]
        if not free:
            raise StoreError("storeFull", f"every slot of {self._path} is taken")
        return free[_below(len(free))]

    def _at(self, slot: int) -> int:
        return PAGE + slot * self._slot_bytes

    def _bound(self, slot: int, part: bytes) -> bytes:
        return _MAGIC + self._box + slot.to_bytes(4, "big") + part

    def _identity(self, slot: int) -> tuple[bytes, bytes, bytes] | None:
        """What the first page of a slot says: the kind, the id, the hash of the sealed sheet; None when it does not open."""
        page = self._opened(slot, b"identity", os.pread(self._file, _NONCE + _IDENTITY.size + _TAG, self._at(slot)))
        if page is None:
            return None
        kind, identity, digest = _IDENTITY.unpack(page)
        return kind, identity, digest

    def _seal_of(self, identity: bytes) -> AESGCM:
        """The seal of one sheet: a key derived as in NIST SP 800-108, counter mode with HMAC-SHA-256, one block of 256 bits."""
        derived = hmac.digest(self._key, b"\0\0\0\1" + _MAGIC + b" sheet\0" + identity + b"\0\0\1\0", "sha256")
        return AESGCM(derived)

    def _sealed(self, slot: int, part: bytes, plain: bytes, seal: AESGCM | None = None) -> bytes:
        nonce = ssl.RAND_bytes(_NONCE)
        return nonce + (seal or self._seal).encrypt(nonce, plain, self._bound(slot, part))

    def _opened(self, slot: int, part: bytes, sealed: bytes, seal: AESGCM | None = None) -> bytes | None:
        try:
            return (seal or self._seal).decrypt(sealed[:_NONCE], sealed[_NONCE:], self._bound(slot, part))
        except (InvalidTag, ValueError):
            return None


def random_id() -> uuid.UUID:
    """A random UUID version 4 from OpenSSL's generator, as VVSG 2.0 (10.2.2-E) wants the ids of ballots."""
    return uuid.UUID(bytes=ssl.RAND_bytes(16), version=4)


def _below(limit: int) -> int:
    """A random number from 0 up to `limit`, each equally likely."""
    while True:
        number = int.from_bytes(ssl.RAND_bytes(8), "big")
        if number < (1 << 64) - (1 << 64) % limit:
            return number % limit


def _capacity(slot_bytes: int) -> int:
    return slot_bytes - 2 * PAGE - _NONCE - _TAG - _LENGTH.size


def _noise(length: int) -> bytes:
    """Bytes that nobody can tell from sealed ones: the key stream of a cipher under a key that is forgotten at once."""
    stream = Cipher(AES(ssl.RAND_bytes(32)), CTR(ssl.RAND_bytes(16))).encryptor()
    return stream.update(bytes(length))


def _header(box: bytes, slots: int, slot_bytes: int) -> bytes:
    fields = struct.pack(">16s16sII", _MAGIC, box, slots, slot_bytes)
    return fields + hashlib.sha256(fields).digest()


def _read_header(path: Path, header: bytes, box: bytes) -> tuple[bytes, int, int]:
    if len(header) != _HEADER.size or hashlib.sha256(header[:-32]).digest() != header[-32:]:
        raise StoreError("storeCorrupt", f"{path} does not begin like a ballot box")
    magic, number, slots, slot_bytes, _ = _HEADER.unpack(header)
    if magic != _MAGIC:
        raise StoreError("storeCorrupt", f"{path} is a ballot box of another version")
    if number != box:
        raise StoreError("storeForeign", f"{path} is the ballot box of another log")
    if _capacity(slot_bytes) < 1 or slot_bytes % PAGE:
        raise StoreError("storeCorrupt", f"{path} has slots of {slot_bytes} bytes")
    return number, slots, slot_bytes


def _write_at(descriptor: int, content: bytes, offset: int) -> None:
    view = memoryview(content)
    while view.nbytes:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError("storeUnavailable", f"{path}: {error.strerror}") from error
