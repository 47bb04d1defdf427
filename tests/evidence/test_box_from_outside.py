"""What can be seen of a ballot box without its key: nothing but how many slots it has."""

from __future__ import annotations

import ssl
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from edge.evidence import ballot_box
from edge.evidence.archive import SheetKind
from edge.evidence.ballot_box import PAGE, random_id
from tests.evidence.boxes import IDENTITY_BYTES, SETTLED_BYTES, SLOT, SLOTS, at, made, opened


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return made(tmp_path)


def chi_square(seen: Counter[int], outcomes: int) -> float:
    expected = seen.total() / outcomes
    return sum((seen[outcome] - expected) ** 2 / expected for outcome in range(outcomes))


MOST_7, MOST_6, MOST_255 = 60.0, 58.0, 440.0
"""Chi-squares that with 7, 6 or 255 degrees of freedom a fair draw exceeds less than once in a thousand million."""


def test_every_free_slot_is_equally_likely(path: Path) -> None:
    with opened(path) as box:
        assert chi_square(Counter(box._choose() for _ in range(8_000)), SLOTS) < MOST_7
        taken = box.put(random_id(), SheetKind.CAST, b"")
        free = [slot for slot in range(SLOTS) if slot != taken]
        assert chi_square(Counter(free.index(box._choose()) for _ in range(7_000)), SLOTS - 1) < MOST_6


def test_the_draw_is_fair_where_the_range_does_not_divide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers from the incomplete end of the range are drawn again, instead of favouring the first outcomes."""
    drawn = iter([(1 << 64) - 1, (1 << 64) - 2, 8])
    monkeypatch.setattr(ssl, "RAND_bytes", lambda _: next(drawn).to_bytes(8, "big"))
    assert ballot_box._below(7) == 8 % 7
    assert next(drawn, None) is None


def test_the_file_never_changes_its_size_nor_its_place(path: Path) -> None:
    about = path.stat()
    with opened(path) as box:
        for size in (0, 1, box.capacity):
            slot = box.put(random_id(), SheetKind.CAST, bytes(size))
            box.settle(slot)
            box.wipe(box.put(random_id(), SheetKind.RETURNED, bytes(size)))
    after = path.stat()
    assert (after.st_size, after.st_blocks, after.st_ino) == (about.st_size, about.st_blocks, about.st_ino)


def test_every_sheet_changes_as_many_bytes(path: Path) -> None:
    """Whoever compares two copies of a box learns how many sheets came between them, and nothing of how full they were."""
    with opened(path) as box:
        for size in (0, box.capacity):
            before = np.frombuffer(path.read_bytes(), np.uint8)
            slot = box.put(random_id(), SheetKind.CAST, bytes(size))
            changed = np.flatnonzero(before != np.frombuffer(path.read_bytes(), np.uint8))
            assert changed[0] >= at(slot)
            assert changed[-1] >= at(slot + 1) - 16
            assert 0.99 < len(changed) / (SLOT - 2 * PAGE + IDENTITY_BYTES) < 1.0


def test_a_sealed_slot_cannot_be_told_from_a_free_one(tmp_path: Path) -> None:
    slots = 64
    path = made(tmp_path, slots)
    with opened(path) as box:
        # Equal sheets, so that anything constant in them would show.
        for _ in range(slots // 2):
            box.settle(box.put(random_id(), SheetKind.CAST, bytes(100)))
        sealed = sorted(box.entries)
    content = np.frombuffer(path.read_bytes(), np.uint8)[PAGE:].reshape(slots, SLOT)
    for chosen in (sealed, [slot for slot in range(slots) if slot not in sealed]):
        bytes_of = content[chosen]
        assert chi_square(Counter(bytes_of.ravel().tolist()), 256) < MOST_255
        # No byte at any place of the slot is the same in all of them, or nearly.
        assert max(Counter(bytes_of[:, place].tolist()).most_common(1)[0][1] for place in range(SLOT)) < len(chosen) // 3
    for part in (slice(0, IDENTITY_BYTES), slice(PAGE, PAGE + SETTLED_BYTES), slice(2 * PAGE, SLOT)):
        one, other = (content[chosen, part].mean() for chosen in (sealed, [s for s in range(slots) if s not in sealed]))
        size = content[sealed, part].size
        assert abs(one - other) < 7 * 74 * (2 / size) ** 0.5


def test_ids_are_random_uuids_of_version_4() -> None:
    ids = [random_id() for _ in range(500)]
    assert {identity.version for identity in ids} == {4}
    assert len(set(ids)) == 500
    ones = np.unpackbits(np.frombuffer(b"".join(identity.bytes for identity in ids), np.uint8).reshape(500, 16), axis=1).sum(
        axis=0
    )
    assert sum(bool(150 < count < 350) for count in ones) == 122
