"""What a single file may hold while changes to it are not certain."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from functools import reduce

from hil.cuts.contents import Contents
from hil.cuts.medium import FileState, changed
from hil.cuts.operations import FileChange, Wrote

SECTOR = 512
"""Bytes that a medium writes at once, at the least."""
PAGE = 4096
"""Bytes that the kernel writes back at once, at the least."""

_MOST = 64
_MOST_PREFIXES = 256
_DRAWN_CHANGES = 64

Variant = tuple[str, Contents]
"""A short name, and what the file holds."""


def of_last(state: FileState) -> Iterator[Variant]:
    """The last change there, torn, without others, and without the file's new length. A tear after no byte is nothing new."""
    before, last = state.states[-2], state.pending[-1]
    yield "whole", state.latest
    if isinstance(last, Wrote):
        yield from _torn(before, last)
    if len(state.pending) > 1:
        yield "alone", changed(state.certain, last)
        yield "gap", changed(state.states[-3], last)
    yield from of_length(state)


def of_length(state: FileState) -> Iterator[Variant]:
    """The file's new length without its new contents, and the other way round."""
    if state.latest.size > state.certain.size:
        yield "sized", state.certain.resized(state.latest.size)
        yield "unsized", state.latest.resized(state.certain.size)


def of_window(state: FileState, chance: random.Random) -> Iterator[Variant]:
    """Each pending change missing, and each alone; of many, some."""
    count = len(state.pending)
    for number in _some(range(count), _MOST, chance):
        yield f"without{number}", reduce(changed, state.pending[number + 1 :], state.states[number])
        yield f"only{number}", changed(state.certain, state.pending[number])


def of_prefixes(state: FileState, chance: random.Random) -> Iterator[Variant]:
    """The first none, one, two... of the pending changes, and whatever there is about the last one and the length."""
    for number in _some(range(len(state.states)), _MOST_PREFIXES, chance):
        yield f"first{number}", state.states[number]
    yield from of_last(state)


def of_few(state: FileState) -> Iterator[Variant]:
    """The most telling ones, where there is no room for all."""
    last = state.pending[-1]
    if isinstance(last, Wrote):
        yield "half", _part(state.states[-2], last, 0, len(last.data) // 2)
    if len(state.pending) > 1:
        yield "alone", changed(state.certain, last)
    yield from of_length(state)


def drawn(state: FileState, chance: random.Random) -> Contents:
    """Something that may be there, by chance."""
    roll = chance.random()
    if not state.pending or roll < 0.2:
        return state.certain
    if roll < 0.4:
        return state.latest
    start = chance.randrange(len(state.pending))
    if roll < 0.6:
        return _drawn_part(state.states[start], state.pending[start], chance)
    # A part of the changes, so that a very long window costs no more than a long one.
    start = max(0, start - _DRAWN_CHANGES // 2) if len(state.pending) > _DRAWN_CHANGES else 0
    share = chance.choice((0.25, 0.5, 0.9))
    held = state.states[start] if chance.random() < 0.5 else state.certain
    for change in state.pending[start : start + _DRAWN_CHANGES]:
        if chance.random() < share:
            held = _drawn_part(held, change, chance) if chance.random() < 0.3 else changed(held, change)
    return held


def _torn(before: Contents, write: Wrote) -> Iterator[Variant]:
    length = len(write.data)
    to_sector, to_page = SECTOR - write.offset % SECTOR, PAGE - write.offset % PAGE
    for tear in sorted({1, SECTOR - 1, SECTOR, length // 2, length - 1, to_sector, to_page}):
        if 0 < tear < length:
            yield f"tear{tear}", _part(before, write, 0, tear)
    if length > 1:
        yield "tail", _part(before, write, length // 2, length)
    if length > 2 * SECTOR:
        hole = (write.offset + length // 2) // SECTOR * SECTOR - write.offset
        yield "hole", _part(_part(before, write, 0, hole), write, hole + SECTOR, length)


def _drawn_part(before: Contents, change: FileChange, chance: random.Random) -> Contents:
    if not isinstance(change, Wrote):
        return changed(before, change)
    cut = chance.randint(0, len(change.data))
    match chance.randrange(3):
        case 0:
            return _part(before, change, 0, cut)
        case 1:
            return _part(before, change, cut, len(change.data))
        case _:
            return _drawn_sectors(before, change, chance)


def _drawn_sectors(before: Contents, write: Wrote, chance: random.Random) -> Contents:
    first = SECTOR - write.offset % SECTOR
    edges = [0, *range(first, len(write.data), SECTOR), len(write.data)]
    places = [place for place in range(len(edges) - 1) if chance.random() < 0.5]
    return reduce(lambda held, place: _part(held, write, edges[place], edges[place + 1]), places, before)


def _part(before: Contents, write: Wrote, start: int, end: int) -> Contents:
    return before.written(write.offset + start, write.data[start:end])


def _some(numbers: Iterable[int], most: int, chance: random.Random) -> list[int]:
    """All of them, or so many drawn ones with the first and the last among them."""
    every = list(numbers)
    if len(every) <= most:
        return every
    return [every[0], *sorted(chance.sample(every[1:-1], most - 2)), every[-1]]
