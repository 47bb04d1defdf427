"""A log's files are those of C2SP tlog-tiles, and a file that does not fit the entries is named."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.evidence.tlog import tiles
from edge.evidence.tlog.merkle import leaf_hash, root_of
from edge.evidence.tlog.tiles import MOST_ENTRIES, MOST_ENTRY_BYTES, TileError, read_tiles, tile_files, tile_names
from tests.tlog.samples import flips


def entries_of(size: int) -> list[bytes]:
    """Entries of different lengths, also of none."""
    return [b"%d" % number * (number % 4) for number in range(size)]


def files_of(entries: list[bytes]) -> dict[str, bytes]:
    """The files of their log."""
    return dict(tile_files(entries, [leaf_hash(entry) for entry in entries]))


def refusal(files: dict[str, bytes], size: int) -> tuple[str, str]:
    """Code and file for which the log is refused."""
    with pytest.raises(TileError) as refused:
        read_tiles(files.__getitem__, size)
    return refused.value.code, refused.value.name


def test_a_log_of_three_entries_is_these_files() -> None:
    entries = [b"one", b"", b"three"]
    assert list(tile_files(entries, [leaf_hash(entry) for entry in entries])) == [
        ("tile/0/000.p/3", b"".join(hashlib.sha256(b"\0" + entry).digest() for entry in entries)),
        ("tile/entries/000.p/3", b"\0\3one\0\0\0\5three"),
    ]


def test_a_full_tile_gives_a_hash_to_the_level_above() -> None:
    entries = entries_of(257)
    leaves = [leaf_hash(entry) for entry in entries]
    files = dict(tile_files(entries, leaves))
    assert list(files) == [
        "tile/0/000",
        "tile/0/001.p/1",
        "tile/1/000.p/1",
        "tile/entries/000",
        "tile/entries/001.p/1",
    ]
    assert files["tile/1/000.p/1"] == root_of(leaves[:256])
    assert files["tile/0/001.p/1"] == leaves[256]
    assert len(files["tile/0/000"]) == 8192


def test_the_example_of_the_specification_has_these_tiles() -> None:
    names = tile_names(70_000)
    assert len(names) == 551
    assert {"tile/0/272", "tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"} <= set(names)
    assert {"tile/entries/000", "tile/entries/272", "tile/entries/273.p/112"} <= set(names)
    assert tile_names(256) == ("tile/0/000", "tile/1/000.p/1", "tile/entries/000")
    assert tile_names(0) == ()
    assert tiles._number(1234067) == "x001/x234/067"
    assert "tile/0/x001/000.p/1" in tile_names(256_001)


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 70_000, 256_300])
def test_every_log_is_read_back_and_has_the_names_foretold(size: int) -> None:
    entries = [b"%d" % number for number in range(size)]
    leaves = [leaf_hash(entry) for entry in entries]
    files = dict(tile_files(entries, leaves))
    assert tuple(files) == tile_names(size) == tuple(sorted(files))
    asked: list[str] = []

    def read(name: str) -> bytes:
        asked.append(name)
        return files[name]

    assert read_tiles(read, size) == (entries, leaves)
    assert sorted(asked) == sorted(files)


def test_names_are_sorted_and_fit_for_a_stick_up_to_the_largest_log() -> None:
    names = tile_names(MOST_ENTRIES)
    assert list(names) == sorted(set(names))
    assert len(names) == 2 * (MOST_ENTRIES // 256) + 64 + 1
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789./") for name in names)


@pytest.mark.parametrize("size", [-1, MOST_ENTRIES + 1, 1 << 63])
def test_a_log_of_an_impossible_size_is_refused_before_anything_is_read(size: int) -> None:
    with pytest.raises(TileError, match="tileMalformed"):
        tile_names(size)
    assert refusal({}, size) == ("tileMalformed", "")


def test_every_file_that_is_missing_cut_or_lengthened_is_named() -> None:
    files = files_of(entries_of(600))
    for name, content in files.items():
        assert refusal({other: files[other] for other in files if other != name}, 600) == ("tileMissing", name)
        for wrong in (b"", content[:-1], content[:-32], content + b"\0", content + bytes(32), content * 2):
            assert refusal({**files, name: wrong}, 600) == ("tileMalformed", name)


def test_a_file_that_cannot_be_read_is_missing() -> None:
    def read(name: str) -> bytes:
        raise PermissionError(name)

    with pytest.raises(TileError, match=r"tileMissing: tile/entries/000\.p/5"):
        read_tiles(read, 5)


def test_a_hash_that_the_entries_do_not_give_is_named() -> None:
    files = files_of(entries_of(600))
    for name, content in files.items():
        if "entries" in name:
            continue
        for place in range(0, len(content), 32):
            wrong = bytearray(content)
            wrong[place] ^= 1
            with pytest.raises(TileError, match=f"hash {place // 32} in the file") as refused:
                read_tiles({**files, name: bytes(wrong)}.__getitem__, 600)
            assert (refused.value.code, refused.value.name) == ("tileHash", name)


def test_a_changed_entry_shows_in_its_hash_and_says_which_entry() -> None:
    entries = entries_of(600)
    assert entries[301] == b"301"
    files = files_of(entries)
    files["tile/entries/001"] = files["tile/entries/001"].replace(b"\0\x03301", b"\0\x03302")
    with pytest.raises(TileError, match=r"tileHash: tile/0/001: hash 45 .* entry 301$"):
        read_tiles(files.__getitem__, 600)


def test_a_forged_entry_with_its_own_hash_shows_one_level_up() -> None:
    entries = entries_of(600)
    forged = files_of([*entries[:300], b"forged", *entries[301:]])
    files = files_of(entries)
    for name in ("tile/entries/001", "tile/0/001"):
        files[name] = forged[name]
    with pytest.raises(TileError, match=r"tileHash: tile/1/000\.p/2: hash 1 .* entries 256 to 511"):
        read_tiles(files.__getitem__, 600)


def test_two_entries_that_changed_places_show() -> None:
    entries = entries_of(20)
    files = files_of(entries)
    files["tile/entries/000.p/20"] = files_of([*entries[:6], entries[7], entries[6], *entries[8:]])["tile/entries/000.p/20"]
    assert refusal(files, 20) == ("tileHash", "tile/0/000.p/20")


def test_every_flipped_bit_of_a_small_log_refuses_it() -> None:
    files = files_of(entries_of(9))
    for name, content in files.items():
        for changed in flips(content):
            code, _ = refusal({**files, name: changed}, 9)
            assert code in {"tileMalformed", "tileHash"}


def test_every_tenth_flipped_byte_of_a_log_of_three_levels_refuses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "_WIDTH", 3)
    files = files_of(entries_of(29))
    assert {name.split("/")[1] for name in files} == {"0", "1", "2", "3", "entries"}
    for name, content in files.items():
        for changed in list(flips(content))[::10]:
            assert refusal({**files, name: changed}, 29)[0] in {"tileMalformed", "tileHash"}


def test_another_size_does_not_read_the_same_files() -> None:
    files = files_of(entries_of(40))
    for size in range(1, 300):
        if size != 40:
            assert refusal(files, size)[0] == "tileMissing"


def test_the_entries_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [b"x" * 10] * 300
    files = files_of(entries)
    monkeypatch.setattr(tiles, "MOST_BYTES", 3000)
    assert read_tiles(files.__getitem__, 300)[0] == entries
    monkeypatch.setattr(tiles, "MOST_BYTES", 2999)
    assert refusal(files, 300) == ("tileMalformed", "tile/entries/001.p/44")
    with pytest.raises(ValueError, match="cannot be read back"):
        files_of(entries)


def test_the_longest_entry_is_written_and_a_longer_one_is_not() -> None:
    longest = b"x" * MOST_ENTRY_BYTES
    files = files_of([longest])
    assert files["tile/entries/000.p/1"] == b"\xff\xff" + longest
    assert read_tiles(files.__getitem__, 1)[0] == [longest]
    with pytest.raises(ValueError, match="65536 bytes"):
        files_of([longest + b"x"])


def test_leaves_that_are_not_one_hash_an_entry_are_not_written() -> None:
    for leaves in ([], [bytes(32)] * 2, [bytes(31)]):
        with pytest.raises(ValueError, match=r"leaves|not a hash"):
            tile_files([b""], leaves)


@given(st.dictionaries(st.sampled_from(tile_names(3) + tile_names(257)), st.binary(max_size=100)), st.integers(-1, 300))
def test_no_files_raise_anything_but_a_tile_error(files: dict[str, bytes], size: int) -> None:
    if size == 0:
        assert read_tiles(files.__getitem__, size) == ([], [])
        return
    code, name = refusal(files, size)
    assert code in {"tileMissing", "tileMalformed", "tileHash"}
    assert name in {"", *(tile_names(size) if size > 0 else ())}


@given(st.lists(st.binary(max_size=20), max_size=30), st.data())
def test_a_bundle_with_a_piece_replaced_is_refused(entries: list[bytes], data: st.DataObject) -> None:
    files = files_of(entries)
    if not files:
        return
    name = data.draw(st.sampled_from(sorted(files)))
    content = files[name]
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(content))] * 2)))
    changed = content[:start] + data.draw(st.binary(max_size=40)) + content[end:]
    if changed != content:
        assert refusal({**files, name: changed}, len(entries))[0] in {"tileMalformed", "tileHash"}


@given(st.lists(st.binary(max_size=20), max_size=600))
def test_every_log_is_read_as_it_was_written(entries: list[bytes]) -> None:
    assert read_tiles(files_of(entries).__getitem__, len(entries))[0] == entries
