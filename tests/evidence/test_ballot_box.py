"""The ballot box: what is sealed in it, and what a cut, a hand or a bad medium makes of it."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from edge.evidence.archive import SheetKind
from edge.evidence.ballot_box import PAGE, BallotBox, Entry, make_box, random_id
from edge.evidence.store import StoreError
from tests.evidence.boxes import IDENTITY_BYTES, KEY, NUMBER, SETTLED_BYTES, SLOT, SLOTS, at, made, opened


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return made(tmp_path)


def code(call: Callable[[], object]) -> str:
    with pytest.raises(StoreError) as caught:
        call()
    return caught.value.code


def patch(path: Path, place: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        file.write(content)


def test_a_sealed_sheet_is_found_again_under_the_same_key(path: Path) -> None:
    first, second = random_id(), random_id()
    with opened(path) as box:
        slot = box.put(first, SheetKind.CAST, b"the sheet")
        box.settle(slot)
        other = box.put(second, SheetKind.RETURNED, b"")
    with opened(path) as box:
        assert box.entries == {
            slot: Entry(first, SheetKind.CAST, settled=True),
            other: Entry(second, SheetKind.RETURNED, settled=False),
        }
        assert (box.sheet(slot), box.sheet(other)) == (b"the sheet", b"")
        assert box.is_whole(slot)
        assert box.free == SLOTS - 2


def test_a_sheet_may_be_as_large_as_a_slot_and_no_larger(path: Path) -> None:
    with opened(path) as box:
        largest = bytes(box.capacity)
        assert box.sheet(box.put(random_id(), SheetKind.CAST, largest)) == largest
        assert code(lambda: box.put(random_id(), SheetKind.CAST, largest + b"!")) == "sheetTooLarge"


def test_under_another_key_there_is_nothing(path: Path) -> None:
    with opened(path) as box:
        slot = box.put(random_id(), SheetKind.CAST, b"sheet")
        box.settle(slot)
    with opened(path, key=bytes(32)) as box:
        assert box.entries == {}
        assert not box.is_whole(slot)
        assert code(lambda: box.sheet(slot)) == "storeCorrupt"


def test_the_box_of_another_log_is_refused(path: Path) -> None:
    assert code(lambda: BallotBox(path, bytes(16), KEY)) == "storeForeign"


@pytest.mark.parametrize("place", range(0, 72, 3))
def test_a_damaged_header_is_refused(path: Path, place: int) -> None:
    before = path.read_bytes()
    patch(path, place, bytes([before[place] ^ 0x10]))
    assert code(lambda: BallotBox(path, NUMBER, KEY)) == "storeCorrupt"


@pytest.mark.parametrize("size", [0, 71, PAGE, PAGE + SLOTS * SLOT - 1, PAGE + SLOTS * SLOT + 1])
def test_a_box_of_another_size_is_refused(path: Path, size: int) -> None:
    os.truncate(path, size)
    assert code(lambda: BallotBox(path, NUMBER, KEY)) == "storeCorrupt"


def test_a_file_that_is_not_there_or_a_link_is_no_box(path: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(path)
    for other in (tmp_path / "link", tmp_path / "missing", tmp_path):
        assert code(lambda other=other: BallotBox(other, NUMBER, KEY)) == "storeUnavailable"  # type: ignore[misc]


def test_nothing_can_be_moved_to_another_slot(path: Path) -> None:
    with opened(path) as box:
        slot = box.put(random_id(), SheetKind.CAST, b"sheet")
        box.settle(slot)
    content = path.read_bytes()
    for other in range(SLOTS):
        if other != slot:
            patch(path, at(other), content[at(slot) : at(slot + 1)])
    with opened(path) as box:
        assert set(box.entries) == {slot}


def test_no_part_passes_for_another(path: Path) -> None:
    with opened(path) as box:
        slot, other = (box.put(random_id(), SheetKind.CAST, text) for text in (b"one", b"two"))
        box.settle(slot)
    content = path.read_bytes()
    # The page that says "settled" in the place of the other's; one sheet in the place of the other.
    patch(path, at(other) + PAGE, content[at(slot) + PAGE : at(slot) + 2 * PAGE])
    patch(path, at(slot) + 2 * PAGE, content[at(other) + 2 * PAGE : at(other + 1)])
    with opened(path) as box:
        assert box.entries[other].settled is False
        assert box.entries[slot].settled is True
        assert not box.is_whole(slot)
        assert code(lambda: box.sheet(slot)) == "storeCorrupt"
        assert box.is_whole(other)


def test_a_former_sheet_of_the_same_slot_is_not_whole(path: Path) -> None:
    """The page names the sheet by its hash: an older one, sealed for the very same place, is not it."""
    with opened(path) as box:
        box._choose = lambda: 3  # type: ignore[method-assign]
        box.put(random_id(), SheetKind.CAST, b"former")
        former = path.read_bytes()
        box.wipe(3)
        box.put(random_id(), SheetKind.CAST, b"present")
        patch(path, at(3) + 2 * PAGE, former[at(3) + 2 * PAGE : at(4)])
        assert not box.is_whole(3)


def test_the_settled_page_of_a_former_sheet_does_not_settle_the_next(path: Path) -> None:
    with opened(path) as box:
        box._choose = lambda: 3  # type: ignore[method-assign]
        box.put(random_id(), SheetKind.CAST, b"former")
        box.settle(3)
        former = path.read_bytes()
        box.wipe(3)
        box.put(random_id(), SheetKind.CAST, b"present")
    patch(path, at(3) + PAGE, former[at(3) + PAGE : at(3) + 2 * PAGE])
    with opened(path) as box:
        assert box.entries[3].settled is False


def torn(path: Path, before: bytes, after: bytes, start: int, length: int) -> Iterator[int]:
    """Every state in which so many of the bytes at `start` are new and the rest is old; the file is `after` in the end."""
    for done in range(length + 1):
        patch(path, start, after[start : start + done] + before[start + done : start + length])
        yield done
    patch(path, start, after[start : start + length])


def test_a_torn_page_counts_as_not_written(path: Path) -> None:
    identity = random_id()
    empty = path.read_bytes()
    with opened(path) as box:
        slot = box.put(identity, SheetKind.CAST, b"sheet")
        written = path.read_bytes()
        box.settle(slot)
        settled = path.read_bytes()
    patch(path, 0, written)
    for done in torn(path, empty, written, at(slot), IDENTITY_BYTES):
        with opened(path) as box:
            assert bool(box.entries) == (done == IDENTITY_BYTES)
    for done in torn(path, written, settled, at(slot) + PAGE, SETTLED_BYTES):
        with opened(path) as box:
            assert box.entries == {slot: Entry(identity, SheetKind.CAST, settled=done == SETTLED_BYTES)}
    assert path.read_bytes() == settled
    assert [place for place in range(len(written)) if written[place] != settled[place]] == [
        place for place in range(at(slot) + PAGE, at(slot) + PAGE + SETTLED_BYTES) if written[place] != settled[place]
    ]


def test_a_sheet_without_its_page_can_be_opened_by_nobody(path: Path) -> None:
    """A cut may leave it so. Its key comes from its id, which stands on the page only."""
    empty = path.read_bytes()
    with opened(path) as box:
        slot = box.put(random_id(), SheetKind.CAST, b"sheet")
        patch(path, at(slot), empty[at(slot) : at(slot) + PAGE])
        assert code(lambda: box.sheet(slot)) == "storeCorrupt"
        body = path.read_bytes()[at(slot) + 2 * PAGE : at(slot + 1)]
        assert box._opened(slot, b"sheet", body) is None
        assert box._opened(slot, b"sheet", body, box._seal_of(random_id().bytes)) is None


@pytest.mark.parametrize("done", [0, 1, 11, 12, 13, PAGE, 2 * PAGE - 17, 2 * PAGE - 1])
def test_a_torn_sheet_is_not_whole(path: Path, done: int) -> None:
    """Page and sheet are written before either is synced: the page may be there without its sheet."""
    empty = path.read_bytes()
    with opened(path) as box:
        slot = box.put(random_id(), SheetKind.CAST, b"sheet")
        assert box.is_whole(slot)
    patch(path, at(slot) + 2 * PAGE + done, empty[at(slot) + 2 * PAGE + done : at(slot + 1)])
    with opened(path) as box:
        assert slot in box.entries
        assert not box.is_whole(slot)
        assert code(lambda: box.sheet(slot)) == "storeCorrupt"


def test_a_wipe_that_a_cut_ends_leaves_a_page_that_asks_for_the_rest(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(path) as box:
        slot = box.put(random_id(), SheetKind.CAST, b"sheet")
        synced: list[bytes] = []
        monkeypatch.setattr(os, "fsync", lambda _: synced.append(path.read_bytes()))
        before = path.read_bytes()
        box.wipe(slot)
    first, second = synced
    assert first[: at(slot) + 2 * PAGE] == before[: at(slot) + 2 * PAGE]
    patch(path, 0, first)
    for done in torn(path, first, second, at(slot), IDENTITY_BYTES):
        with opened(path) as box:
            assert bool(box.entries) == (done == 0)
            assert not box.is_whole(slot)


def test_a_wiped_slot_holds_nothing_that_opens(path: Path) -> None:
    identity = random_id()
    with opened(path) as box:
        slot = box.put(identity, SheetKind.CAST, b"sheet")
        box.settle(slot)
        before = path.read_bytes()
        box.wipe(slot)
        after = path.read_bytes()
        assert box.entries == {}
        assert not box.is_whole(slot)
        parts = ((b"identity", 0, IDENTITY_BYTES), (b"settled", PAGE, SETTLED_BYTES), (b"sheet", 2 * PAGE, SLOT - 2 * PAGE))
        for part, place, length in parts:
            start = at(slot) + place
            seal = box._seal_of(identity.bytes) if part == b"sheet" else None
            assert box._opened(slot, part, before[start : start + length], seal) is not None
            assert box._opened(slot, part, after[start : start + length], seal) is None
    same = np.frombuffer(before, np.uint8)[at(slot) : at(slot + 1)] == np.frombuffer(after, np.uint8)[at(slot) : at(slot + 1)]
    # Every byte is drawn anew: one of 256 happens to be what it was.
    assert 20 <= int(same.sum()) <= 130
    assert before[: at(slot)] == after[: at(slot)]
    assert before[at(slot + 1) :] == after[at(slot + 1) :]


def test_a_full_box_says_so_and_a_wiped_slot_is_used_again(path: Path) -> None:
    with opened(path) as box:
        slots = [box.put(random_id(), SheetKind.CAST, b"") for _ in range(SLOTS)]
        assert sorted(slots) == list(range(SLOTS))
        assert box.free == 0
        assert code(lambda: box.put(random_id(), SheetKind.CAST, b"")) == "storeFull"
        box.wipe(slots[5])
        assert box.put(random_id(), SheetKind.CAST, b"") == slots[5]


def test_a_medium_that_writes_little_at_once_is_written_all_the_same(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, content, place: pwrite(file, bytes(content)[:1000], place))
    identity = random_id()
    with opened(path) as box:
        slot = box.put(identity, SheetKind.CAST, bytes(3_000))
        box.settle(slot)
        other = box.put(random_id(), SheetKind.CAST, bytes(3_000))
        box.wipe(other)
    with opened(path) as box:
        assert box.entries == {slot: Entry(identity, SheetKind.CAST, settled=True)}
        assert box.is_whole(slot)


@pytest.mark.parametrize("call", ["pwrite", "fsync", "pread"])
def test_a_medium_that_fails_is_told_as_such(path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with opened(path) as box:
        slot = box.put(random_id(), SheetKind.CAST, b"sheet")
        monkeypatch.setattr(os, call, fail)
        calls: list[Callable[[], object]] = (
            [lambda: box.sheet(slot), lambda: box.is_whole(slot), lambda: BallotBox(path, NUMBER, KEY)]
            if call == "pread"
            else [lambda: box.put(random_id(), SheetKind.CAST, b""), lambda: box.settle(slot), lambda: box.wipe(slot)]
        )
        assert [code(each) for each in calls] == ["storeUnavailable"] * 3
        # What may not have been written is not counted on.
        assert box.entries == {slot: Entry(next(iter(box.entries.values())).id, SheetKind.CAST, settled=False)}
        monkeypatch.undo()


def test_a_box_is_let_go_of_once(path: Path) -> None:
    """A second close must not end a file that has got the same number meanwhile."""
    box = BallotBox(path, NUMBER, KEY)
    box.close()
    with path.open("rb") as other:
        box.close()
        assert other.read(1)


def test_a_box_that_does_not_fit_leaves_nothing_in_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space"):
        make_box(tmp_path / "box.slots", NUMBER, SLOTS, SLOT, lambda: None)
    assert not (tmp_path / "box.slots").exists()


def test_a_long_filling_shows_that_it_goes_on(tmp_path: Path) -> None:
    told: list[None] = []
    make_box(tmp_path / "box.slots", NUMBER, 20, 64 * PAGE, lambda: told.append(None))
    assert len(told) == 6
    assert (tmp_path / "box.slots").stat().st_mode & 0o777 == 0o600


def test_uuids_of_the_pages_are_those_that_were_given(path: Path) -> None:
    given = [uuid.UUID(int=number) for number in (0, 1, (1 << 128) - 1)]
    with opened(path) as box:
        slots = [box.put(identity, SheetKind.CAST, b"") for identity in given]
    with opened(path) as box:
        assert [box.entries[slot].id for slot in slots] == given
