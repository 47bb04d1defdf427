"""The contents of a file as an immutable value: a change gives a new value that shares whatever stayed as it was.

So thousands of versions of a file of some megabytes fit into memory, two of them are compared without looking at their bytes,
and what lies between them is found at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import zip_longest
from typing import NamedTuple, Self

BLOCK = 4096
"""Bytes of the smallest piece that is shared."""

_SPAN = 64
_CHUNK = BLOCK * _SPAN
_ZEROS = bytes(BLOCK)
_DIGEST_BYTES = 16
_MODULUS = 1 << (8 * _DIGEST_BYTES)


class _Block(NamedTuple):
    data: bytes
    digest: int


# A small change copies one chunk and the list of chunks, not the list of all blocks.
_Chunk = tuple[_Block | None, ...]
_HOLES: _Chunk = (None,) * _SPAN


@dataclass(frozen=True, slots=True, eq=False)
class Contents:
    """Bytes of a file. A block of zeros is always a hole, and beyond the size there are only zeros: equal bytes, equal digests.

    Attributes:
        size: Length in bytes.
        digest: The sum of the digests of all blocks, each of which includes where the block is.
        chunks: The blocks; those after the last one are holes.
    """

    size: int
    digest: int
    chunks: tuple[_Chunk, ...]

    @classmethod
    def of(cls, data: bytes) -> Self:
        """Make contents of bytes."""
        return cls(0, 0, ()).written(0, data)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Contents) and (self.size, self.digest) == (other.size, other.digest)

    def __hash__(self) -> int:
        return hash((self.size, self.digest))

    def __bytes__(self) -> bytes:
        blocks = b"".join(block.data if block else _ZEROS for chunk in self.chunks for block in chunk)
        return blocks[: self.size].ljust(self.size, b"\0")

    def written(self, offset: int, data: bytes) -> Self:
        """The contents after a write; what lies between the old end and `offset` is zeros."""
        if not data:
            return self
        end = offset + len(data)
        view = memoryview(data)
        chunks = list(self.chunks)
        chunks.extend([_HOLES] * (-(-end // _CHUNK) - len(chunks)))
        digest = self.digest
        for number in range(offset // _CHUNK, -(-end // _CHUNK)):
            chunk = list(chunks[number])
            first = number * _SPAN
            for index in range(max(offset // BLOCK, first), min(-(-end // BLOCK), first + _SPAN)):
                old = chunk[index - first]
                new = _block(index, _pasted(old, view, offset - index * BLOCK))
                digest += (new.digest if new else 0) - (old.digest if old else 0)
                chunk[index - first] = new
            chunks[number] = tuple(chunk)
        return type(self)(max(self.size, end), digest % _MODULUS, tuple(chunks))

    def resized(self, size: int) -> Self:
        """The contents after their end was moved; what is added is zeros."""
        if size >= self.size:
            return type(self)(size, self.digest, self.chunks)
        # Zeros up to the end of the block, so that nothing is left behind the end; then whole blocks fall away.
        edge = -(-size // BLOCK) * BLOCK
        cut = self.written(size, bytes(min(edge, self.size) - size)) if edge > size else self
        digest, chunks = cut.digest, list(cut.chunks)
        blocks = edge // BLOCK
        for number in range(blocks // _SPAN, len(chunks)):
            kept = max(blocks - number * _SPAN, 0)
            digest -= sum(block.digest for block in chunks[number][kept:] if block)
            chunks[number] = (*chunks[number][:kept], *_HOLES[kept:])
        del chunks[-(-blocks // _SPAN) :]
        return type(self)(size, digest % _MODULUS, tuple(chunks))

    def pieces(self, *, with_holes: bool) -> Iterator[tuple[int, list[bytes]]]:
        """Everything: runs of blocks, each with its offset; the last may reach beyond the size, and the end may be a hole.

        Args:
            with_holes: Give zeros for the holes up to `reach`; otherwise leave holes out.
        """
        for number, chunk in enumerate(self.chunks):
            run: list[bytes] = []
            for index, block in enumerate(chunk):
                if block or with_holes:
                    run.append(block.data if block else _ZEROS)
                elif run:
                    yield number * _CHUNK + (index - len(run)) * BLOCK, run
                    run = []
            if run:
                yield number * _CHUNK + (_SPAN - len(run)) * BLOCK, run

    @property
    def reach(self) -> int:
        """Where the last chunk ends: beyond it there are only holes."""
        return len(self.chunks) * _CHUNK

    def differences(self, other: Contents) -> Iterator[tuple[int, list[bytes]]]:
        """The blocks of `other` that are not as here, as `pieces` gives them."""
        for number, (mine, its) in enumerate(zip_longest(self.chunks, other.chunks, fillvalue=_HOLES)):
            if mine is its:
                continue
            for index, (old, new) in enumerate(zip(mine, its, strict=True)):
                if old is not new and (old.digest if old else 0) != (new.digest if new else 0):
                    yield number * _CHUNK + index * BLOCK, [new.data if new else _ZEROS]


EMPTY = Contents.of(b"")
"""A new file."""


def _pasted(old: _Block | None, view: memoryview, at: int) -> bytes:
    """One block with data written over it, which begins at position `at` of the block; before it if negative."""
    if at <= 0 and len(view) + at >= BLOCK:
        return bytes(view[-at : BLOCK - at])
    before = old.data if old else _ZEROS
    part = view[max(-at, 0) : BLOCK - at]
    start = max(at, 0)
    return b"".join((before[:start], part, before[start + len(part) :]))


def _block(index: int, data: bytes) -> _Block | None:
    if data == _ZEROS:
        return None
    place = index.to_bytes(16, "big")
    return _Block(data, int.from_bytes(blake2b(data, digest_size=_DIGEST_BYTES, salt=place).digest(), "big"))
