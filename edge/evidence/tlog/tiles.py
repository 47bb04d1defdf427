"""A log as files: its entries in bundles and its tree in tiles of 256 hashes, as C2SP tlog-tiles has them.

`tile/<level>/<number>` holds the roots of 256 trees of 256^level entries each, `tile/entries/<number>` 256 entries with their
lengths before them. What does not fill a tile goes into `<number>.p/<width>`. Numbers are written in groups of three digits, all
but the last group after an "x". All names are fit for FAT and exFAT.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from edge.evidence.tlog.merkle import HASH_BYTES, leaf_hash, root_of

MOST_ENTRY_BYTES = 65535
"""The length of an entry is written in two bytes."""
MOST_ENTRIES = 1 << 22
"""A station writes some ten thousand; a log that says to have more than this is not worked through."""
MOST_BYTES = 1 << 29
"""Of all entries of a log together; they are held in memory."""

_WIDTH = 256
_LENGTH_BYTES = 2
_ENTRIES = "entries"


class TileError(Exception):
    """A log's files are not a log of that size, and why.

    `code` is tileMissing, tileMalformed or tileHash (a hash is not what the entries give); `name` is the file, relative to the
    log's folder, or empty when no one file is at fault; `detail` is a sentence.
    """

    def __init__(self, code: str, name: str, detail: str) -> None:
        """Keep the parts apart; the text joins them."""
        super().__init__(f"{code}: {name}: {detail}")
        self.code = code
        self.name = name
        self.detail = detail


def tile_names(size: int) -> tuple[str, ...]:
    """Every file of a log of `size` entries, relative to the log's folder, without the checkpoint; sorted.

    Raises:
        TileError: `tileMalformed` for a size below 0 or above `MOST_ENTRIES`.
    """
    if not 0 <= size <= MOST_ENTRIES:
        raise TileError("tileMalformed", "", f"a log of {size} entries is not worked through; {MOST_ENTRIES} are allowed")
    rows = [name for name, _, _ in _row(_ENTRIES, size)]
    level = 0
    while size:
        rows += [name for name, _, _ in _row(str(level), size)]
        level, size = level + 1, size // _WIDTH
    return tuple(sorted(rows))


def tile_files(entries: Sequence[bytes], leaves: Sequence[bytes]) -> Iterator[tuple[str, bytes]]:
    """Name and content of every file of a log, without the checkpoint, in the order of `tile_names`.

    Args:
        entries: The entries.
        leaves: Their leaf hashes as they were committed to; written as given, so that a reader sees whether they fit.

    Raises:
        ValueError: As many leaves as entries are needed, no entry above `MOST_ENTRY_BYTES`, and no more than can be read back.
    """
    if len(entries) != len(leaves):
        raise ValueError(f"{len(entries)} entries have {len(leaves)} leaves")
    longest = max(map(len, entries), default=0)
    if longest > MOST_ENTRY_BYTES or any(len(leaf) != HASH_BYTES for leaf in leaves):
        raise ValueError(f"an entry has {longest} bytes where {MOST_ENTRY_BYTES} are allowed, or a leaf is not a hash")
    if len(entries) > MOST_ENTRIES or sum(map(len, entries)) > MOST_BYTES:
        raise ValueError(f"more than {MOST_ENTRIES} entries or {MOST_BYTES} bytes cannot be read back")
    return _files(entries, leaves)


def read_tiles(read: Callable[[str], bytes], size: int) -> tuple[list[bytes], list[bytes]]:
    """The entries of a log of `size` entries and their leaf hashes, once every tile of every level is what the entries give.

    That the root of the leaves is the one in the checkpoint remains for the caller to see.

    Args:
        read: Gives the content of a file by its name relative to the log's folder, raising OSError or KeyError when it cannot.
            It is asked only for names of `tile_names`, and has to refuse files longer than it wants to hold.
        size: Number of entries, from a checkpoint that was verified.

    Raises:
        TileError: `tileMissing`, `tileMalformed`, `tileHash`.
    """
    tile_names(size)
    entries: list[bytes] = []
    total = 0
    for name, start, end in _row(_ENTRIES, size):
        bundle = _read(read, name)
        total += len(bundle)
        if total > MOST_BYTES + _LENGTH_BYTES * size:
            raise TileError("tileMalformed", name, f"the entries have more than {MOST_BYTES} bytes together")
        entries += _split_bundle(name, bundle, end - start)
    leaves = [leaf_hash(entry) for entry in entries]
    for level, hashes in enumerate(_levels(leaves)):
        for name, start, end in _row(str(level), len(hashes)):
            _check_tile(name, _read(read, name), hashes[start:end], start, _WIDTH**level)
    return entries, leaves


def _files(entries: Sequence[bytes], leaves: Sequence[bytes]) -> Iterator[tuple[str, bytes]]:
    for level, hashes in enumerate(_levels(leaves)):
        for name, start, end in _row(str(level), len(hashes)):
            yield name, b"".join(hashes[start:end])
    for name, start, end in _row(_ENTRIES, len(entries)):
        yield name, b"".join(len(entry).to_bytes(_LENGTH_BYTES, "big") + entry for entry in entries[start:end])


def _levels(leaves: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """The hashes of level 0, 1, ...: each level has the roots of the whole tiles of the one below; none is empty."""
    hashes = leaves
    while hashes:
        yield hashes
        whole = len(hashes) // _WIDTH
        hashes = [root_of(hashes[tile * _WIDTH : (tile + 1) * _WIDTH]) for tile in range(whole)]


def _row(level: str, count: int) -> Iterator[tuple[str, int, int]]:
    """The tiles that hold `count` hashes or entries: name, first and end of what is in it.

    Names come sorted as long as there are less than a million tiles, which `MOST_ENTRIES` sees to.
    """
    for start in range(0, count, _WIDTH):
        end = min(start + _WIDTH, count)
        part = "" if end - start == _WIDTH else f".p/{end - start}"
        yield f"tile/{level}/{_number(start // _WIDTH)}{part}", start, end


def _number(number: int) -> str:
    """1234067 as x001/x234/067."""
    path = f"{number % 1000:03}"
    while number := number // 1000:
        path = f"x{number % 1000:03}/{path}"
    return path


def _read(read: Callable[[str], bytes], name: str) -> bytes:
    try:
        return read(name)
    except (OSError, KeyError) as error:
        raise TileError("tileMissing", name, f"the file cannot be read ({type(error).__name__})") from error


def _split_bundle(name: str, bundle: bytes, count: int) -> list[bytes]:
    """Exactly `count` entries, with nothing behind them."""
    entries: list[bytes] = []
    place = 0
    for _ in range(count):
        begin = place + _LENGTH_BYTES
        place = begin + int.from_bytes(bundle[begin - _LENGTH_BYTES : begin], "big")
        if place > len(bundle):
            raise TileError("tileMalformed", name, f"the file ends in entry {len(entries) + 1} of {count}")
        entries.append(bundle[begin:place])
    if place != len(bundle):
        raise TileError("tileMalformed", name, f"{len(bundle) - place} bytes follow the last of {count} entries")
    return entries


def _check_tile(name: str, tile: bytes, hashes: Sequence[bytes], start: int, span: int) -> None:
    """The tile whose first hash is number `start` of its level, each hash over `span` entries."""
    if len(tile) != len(hashes) * HASH_BYTES:
        raise TileError("tileMalformed", name, f"the file has {len(tile)} bytes instead of {len(hashes)} hashes")
    for index, expected in enumerate(hashes):
        if tile[index * HASH_BYTES : (index + 1) * HASH_BYTES] != expected:
            first = (start + index) * span
            over = f"entry {first}" if span == 1 else f"entries {first} to {first + span - 1}"
            raise TileError("tileHash", name, f"hash {index} in the file is not the hash of {over}")
