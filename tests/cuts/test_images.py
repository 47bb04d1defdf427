"""Which images a recording may turn into: what was synced is in all of them, what was not is in some."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.cuts.contents import Contents
from hil.cuts.images import Cut, images
from hil.cuts.medium import Medium
from hil.cuts.operations import (
    Entered,
    FolderSynced,
    Marked,
    ModeSet,
    Moved,
    Operation,
    Recorded,
    Removed,
    Resized,
    Synced,
    Wrote,
)
from hil.cuts.record import record
from hil.cuts.recording import Beginning, Recording

ROOT, OTHER = Path("/recorded/one"), Path("/recorded/two")


def _recording(*operations: Operation, files: dict[str, bytes] | None = None) -> Recording:
    """A recording by hand: two folders, 0 and 1; the files in the first have the numbers from 10."""
    before = files or {}
    numbers = {name: number for number, name in enumerate(before, 10)}
    contents = {numbers[name]: Contents.of(data) for name, data in before.items()}
    modes = dict.fromkeys([0, 1, *numbers.values()], 0o600)
    recording = Recording((ROOT, OTHER), Beginning(contents, {0: numbers, 1: {}}, modes))
    for operation in operations:
        if isinstance(operation, Marked):
            recording.mark(operation.text)
        else:
            recording.add(operation, "it")
    return recording


def _new(number: int, name: str, folder: int = 0) -> tuple[Operation, ...]:
    return ModeSet(number, 0o600), Entered(folder, name, number)


def _read(cut: Cut, name: str, root: Path = ROOT) -> bytes | None:
    try:
        return cut.image.read(root, name)
    except FileNotFoundError:
        return None


def _all(recording: Recording, name: str, *, after: str | None = None, root: Path = ROOT) -> set[bytes | None]:
    """What a file may hold in all cuts, or in those that know a mark; None where it is not there."""
    return {_read(cut, name, root) for cut in images(recording) if after is None or after in cut.marks}


def test_what_was_not_synced_may_be_there_or_not() -> None:
    recording = _recording(Wrote(10, 0, b"new"), Marked("done"), files={"it": b"old"})
    assert {b"old", b"new", b"nld", b"oew"} <= _all(recording, "it", after="done")


def test_what_was_synced_is_there() -> None:
    recording = _recording(Wrote(10, 0, b"new"), Synced(10), Marked("done"), files={"it": b"old"})
    assert _all(recording, "it", after="done") == {b"new"}
    assert {b"old", b"new", b"nld"} <= _all(recording, "it")


def test_a_sync_of_another_file_is_of_no_use() -> None:
    recording = _recording(Wrote(10, 0, b"new"), Synced(11), Marked("done"), files={"it": b"old", "other": b""})
    assert b"old" in _all(recording, "it", after="done")


def test_writes_may_come_in_any_order() -> None:
    writes = [Wrote(10, 4 * number, bytes([number + 1]) * 4) for number in range(4)]
    found = _all(_recording(*writes, Synced(10), files={"it": bytes(16)}), "it")
    for missing in range(4):
        wanted = b"".join(bytes(4) if number == missing else write.data for number, write in enumerate(writes))
        assert wanted in found
        alone = b"".join(write.data if number == missing else bytes(4) for number, write in enumerate(writes))
        assert alone in found


def test_a_write_is_torn_at_bytes_sectors_and_pages() -> None:
    data = bytes(range(1, 256)) * 36
    found = _all(_recording(Wrote(10, 100, data), files={"it": bytes(10_000)}), "it")
    torn = {len((held or b"").rstrip(b"\0")) - 100 for held in found}
    assert {1, 412, 511, 512, 3996, len(data) // 2, len(data) - 1, len(data)} <= torn
    assert bytes(10_000) in found
    # A sector is missing in the middle, or the whole first half is.
    assert any(held is not None and held[100] and held[-1] == 0 and bytes(512) in held[100 : 100 + len(data)] for held in found)
    assert any(held is not None and not any(held[:4000]) and any(held[5000:]) for held in found)


def test_a_length_may_come_without_the_contents_and_the_contents_without_the_length() -> None:
    found = _all(_recording(Wrote(10, 0, b"NEWLONGER"), files={"it": b"old"}), "it")
    assert {b"old" + bytes(6), b"NEW", b"NEWLONGER"} <= found


def test_a_file_may_stay_long_or_become_short() -> None:
    found = _all(_recording(Resized(10, 1), Wrote(10, 1, b"z"), Synced(10), files={"it": b"old"}), "it")
    assert {b"old", b"o", b"oz", b"ozd"} <= found


def test_a_synced_file_may_still_have_no_name_and_may_have_one() -> None:
    recording = _recording(*_new(20, "it"), Wrote(20, 0, b"all"), Synced(20), Marked("done"))
    assert _all(recording, "it", after="done") == {None, b"all"}
    recording = _recording(*_new(20, "it"), Wrote(20, 0, b"all"), Synced(20), FolderSynced(0), Marked("done"))
    assert _all(recording, "it", after="done") == {b"all"}


def test_a_name_may_come_without_contents() -> None:
    recording = _recording(*_new(20, "new"), Wrote(20, 0, b"all"), Moved(0, "new", 0, "it", 20), FolderSynced(0), Marked("done"))
    assert {b"", b"a", b"al", b"all", bytes(3)} <= _all(recording, "it", after="done")


def test_names_of_one_folder_come_in_order() -> None:
    recording = _recording(*_new(20, "a"), *_new(21, "b"), Removed(0, "a"), *_new(22, "c"), Marked("done"))
    found = {tuple(place.path for place in cut.image.places if place.path) for cut in images(recording)}
    assert found == {(), ("a",), ("a", "b"), ("b",), ("b", "c")}


def test_names_of_different_folders_come_in_any_order() -> None:
    recording = _recording(*_new(20, "a"), *_new(21, "b", folder=1), Marked("done"))
    found = {tuple((place.root, place.path) for place in cut.image.places if place.path) for cut in images(recording)}
    assert found == {(), ((0, "a"),), ((1, "b"),), ((0, "a"), (1, "b"))}


@pytest.mark.parametrize("synced", [0, 1])
def test_a_rename_between_folders_holds_on_both_sides_or_on_neither(synced: int) -> None:
    moves: list[Operation] = [Moved(0, "it", 1, "its", 10), Marked("done"), FolderSynced(synced), Marked("certain")]
    recording = _recording(*_new(30, "early"), *_new(31, "late", folder=1), *moves, files={"it": b"x"})
    for cut in images(recording):
        assert (_read(cut, "it") is None) is (_read(cut, "its", OTHER) == b"x")
    assert _all(recording, "it", after="certain") == {None}
    # What came before it in either folder is certain with it.
    certain = [cut for cut in images(recording) if "certain" in cut.marks]
    assert {(_read(cut, "early"), _read(cut, "late", OTHER)) for cut in certain} == {(b"", b"")}


def test_what_is_in_a_folder_without_a_name_is_not_found() -> None:
    recording = _recording(
        ModeSet(20, 0o700), Entered(0, "inner", 20, makes_folder=True), *_new(21, "it", 20), FolderSynced(20), Marked("done")
    )
    found = {tuple(place.path for place in cut.image.places if place.path) for cut in images(recording) if "done" in cut.marks}
    assert found == {(), ("inner", "inner/it")}


def test_a_removed_file_may_come_back_with_what_was_in_it() -> None:
    recording = _recording(Removed(0, "it"), Marked("removed"), FolderSynced(0), Marked("certain"), files={"it": b"secret"})
    assert _all(recording, "it", after="removed") == {b"secret", None}
    assert _all(recording, "it", after="certain") == {None}


def test_after_a_mark_everything_uncertain_is_tried_again() -> None:
    writes = [Wrote(10, 0, b"a"), Wrote(10, 1, b"b")]
    before = _all(_recording(*writes, files={"it": b".."}), "it")
    after = _all(_recording(*writes, Marked("done"), files={"it": b".."}), "it", after="done")
    assert before == after == {b"..", b"a.", b".b", b"ab"}


def test_two_files_are_independent() -> None:
    recording = _recording(Wrote(10, 0, b"1"), Wrote(11, 0, b"2"), files={"a": b"-", "b": b"-"})
    assert {(_read(cut, "a"), _read(cut, "b")) for cut in images(recording)} == {
        (one, two) for one in (b"-", b"1") for two in (b"-", b"2")
    }


def test_names_are_stable_unique_and_found_again() -> None:
    recording = _recording(
        *_new(20, "new"), Wrote(20, 0, bytes(range(200)) * 30), Wrote(10, 1, b"xyz"), Marked("m"), Synced(20), files={"a": b"abc"}
    )
    cuts = list(images(recording, seed=4))
    assert [(cut.name, cut.image.fingerprint) for cut in cuts] == [
        (cut.name, cut.image.fingerprint) for cut in images(recording, seed=4)
    ]
    assert len({cut.name for cut in cuts}) == len(cuts)
    assert len({(cut.marks, cut.image.fingerprint) for cut in cuts}) == len(cuts)
    assert [cut.index for cut in cuts] == sorted(cut.index for cut in cuts)
    for cut in cuts:
        (again,) = images(recording, seed=4, only=cut.name)
        assert again == cut
    assert not list(images(recording, only="00001.nothing"))
    drawn = {cut.image.fingerprint for cut in cuts if "drawn" in cut.name}
    assert drawn != {cut.image.fingerprint for cut in images(recording, seed=5) if "drawn" in cut.name}


def test_no_draws_no_chance() -> None:
    recording = _recording(Wrote(10, 0, b"abc"), files={"a": b"..."})
    assert [cut.image for cut in images(recording, 1, draws=0)][:-1] == [cut.image for cut in images(recording, 2, draws=0)][:-1]


def test_an_empty_recording_has_one_cut() -> None:
    (cut,) = images(_recording(files={"it": b"x"}))
    assert (cut.name, cut.marks, _read(cut, "it")) == ("00000.start", (), b"x")


def test_long_windows_are_sampled() -> None:
    writes = [Wrote(10, 10 * number, b"0123456789") for number in range(1000)]
    cuts = list(images(_recording(*writes, Synced(10), files={"it": b""})))
    assert 3000 < len(cuts) < 30_000


_NUMBERS = st.sampled_from([10, 11])
_CHANGE = st.one_of(
    st.builds(Wrote, _NUMBERS, st.integers(0, 20), st.binary(min_size=1, max_size=30)),
    st.builds(Resized, _NUMBERS, st.integers(0, 30)),
    st.builds(Synced, _NUMBERS),
    st.builds(Marked, st.just("mark")),
)


@given(st.lists(_CHANGE, max_size=14))
def test_every_byte_of_every_image_was_certain_or_written_or_is_zero(operations: Sequence[Operation]) -> None:
    files = {"a": b"before a", "b": b"before b"}
    recording = _recording(*operations, files=files)
    for cut in images(recording):
        for number, (name, data) in enumerate(files.items(), 10):
            mine = [op for op in operations[: cut.index + 1] if isinstance(op, Wrote | Resized | Synced) and op.file == number]
            last_sync = max((place for place, op in enumerate(mine) if isinstance(op, Synced)), default=-1)
            if isinstance(_at(recording, cut.index), Synced) and last_sync == len(mine) - 1:
                # During a sync it has not happened yet.
                last_sync = max((place for place, op in enumerate(mine[:-1]) if isinstance(op, Synced)), default=-1)
            certain = Contents.of(data)
            for op in mine[: last_sync + 1]:
                certain = _changed(certain, op)
            held = cut.image.read(ROOT, name)
            pending = [op for op in mine[last_sync + 1 :] if not isinstance(op, Synced)]
            if not pending:
                assert held == bytes(certain)
            allowed = [{byte, 0} if pending else {byte} for byte in bytes(certain)] + [{0} for _ in range(60)]
            for op in pending:
                if isinstance(op, Wrote):
                    for place, byte in enumerate(op.data, op.offset):
                        allowed[place] = allowed[place] | {byte}
            assert all(byte in allowed[place] for place, byte in enumerate(held))


def _at(recording: Recording, index: int) -> Operation | None:
    return recording.operations[index].operation if index < len(recording.operations) else None


def _changed(contents: Contents, operation: Operation) -> Contents:
    match operation:
        case Wrote(_, offset, data):
            return contents.written(offset, data)
        case Resized(_, size):
            return contents.resized(size)
        case _:
            return contents


def test_a_recorded_operation_says_what_it_is() -> None:
    assert str(Recorded(Wrote(1, 5, b"abc"), "box/it", 0)) == "write 3 bytes at 5 of box/it"
    assert str(Recorded(Resized(1, 5), "box/it", 0)) == "move the end to 5 of box/it"
    assert str(Recorded(ModeSet(1, 0o600), "box/it", 0)) == "set mode 600 of box/it"


def test_a_long_random_program_replays_to_what_is_there(root: Path) -> None:
    chance = random.Random(7)
    with record(root) as recording:
        for step in range(150):
            name = root / f"file{chance.randrange(6)}"
            match chance.randrange(6):
                case 0:
                    name.write_bytes(chance.randbytes(chance.randrange(9000)))
                case 1:
                    name.unlink(missing_ok=True)
                case 2 if name.exists():
                    name.rename(root / f"file{chance.randrange(6)}")
                case 3 if name.exists():
                    os.truncate(name, chance.randrange(9000))
                case 4 if name.exists() and not (root / "link").exists():
                    (root / "link").hardlink_to(name)
                case _:
                    recording.mark(str(step))
    medium = Medium(recording)
    for recorded in recording.operations:
        medium.apply(recorded.operation)
    there = {path.name: path.read_bytes() for path in root.iterdir()}
    assert {place.path: medium.now().read(root, place.path) for place in medium.now().places if place.path} == there
    assert len(there) > 3
    assert sum(1 for _ in images(recording)) > 1000
