"""The second readings of all sheets, by as many processes as there are processors."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from edge.audit.checks.second_reading import SheetFolder, SheetReader, SheetSeen, read_sheets, start_process
from edge.audit.verification import Finding, Repeat
from edge.definition.package import ElectionPackage
from edge.evidence.cdf.election_parts import ReportingParty

_CHUNK = 8
"""Sheets that a process is given at once: few enough that all end at the same time, and that no answer is large."""
_MOST_DEATHS = 10
"""Processes that may die before the remaining sheets are given up."""


@dataclass(frozen=True, slots=True)
class Reread:
    """What the pool works with; arguments as for `SheetReader`."""

    path: Path
    identity: tuple[int, int]
    package: ElectionPackage
    party: ReportingParty | None


def read_again(
    sheets: Sequence[SheetFolder], reread: Reread, processes: int | None, told: Callable[[int], None]
) -> Iterator[SheetSeen]:
    """All sheets read again, in any order.

    Args:
        sheets: Which.
        reread: With what.
        processes: How many at once; 1 = this one alone, None = as many as there are processors.
        told: Told the bytes of each few sheets as they are done.
    """
    most = min(processes or os.cpu_count() or 1, -(-len(sheets) // _CHUNK))
    chunks = [tuple(sheets[start : start + _CHUNK]) for start in range(0, len(sheets), _CHUNK)]
    for answer in _here(chunks, reread) if most <= 1 else _in_pool(chunks, reread, most):
        yield from answer
        told(sum(facts.size for seen in answer for facts in seen.facts))


def _here(chunks: Sequence[tuple[SheetFolder, ...]], reread: Reread) -> Iterator[list[SheetSeen]]:
    reader = SheetReader(reread.path, reread.identity, reread.package, reread.party)
    try:
        for chunk in chunks:
            yield [reader.read(sheet) for sheet in chunk]
    finally:
        reader.close()


def _in_pool(chunks: Sequence[tuple[SheetFolder, ...]], reread: Reread, most: int) -> Iterator[list[SheetSeen]]:
    """In processes of their own. If one dies, its sheets are tried again one by one, so that the one that kills is named."""
    left = dict.fromkeys(chunks)
    for chunk, answer in _through(chunks, reread, most):
        del left[chunk]
        yield answer
    deaths = 0
    for sheet in (sheet for chunk in left for sheet in chunk):
        answers = [answer for _, answer in _through([(sheet,)], reread, 1)] if deaths < _MOST_DEATHS else []
        deaths += not answers
        yield answers[0] if answers else [_lost(sheet)]


def _through(
    chunks: Sequence[tuple[SheetFolder, ...]], reread: Reread, most: int
) -> Iterator[tuple[tuple[SheetFolder, ...], list[SheetSeen]]]:
    """What a pool answers, in any order, until it breaks."""
    context = multiprocessing.get_context("spawn")
    arguments = (reread.path, reread.identity, reread.package, reread.party)
    with ProcessPoolExecutor(most, context, initializer=start_process, initargs=arguments) as pool:
        try:
            given = {pool.submit(read_sheets, chunk): chunk for chunk in chunks}
        except BrokenProcessPool:
            return
        for future in as_completed(given):
            chunk = given.pop(future)
            try:
                answer = future.result()
            except BrokenProcessPool:
                continue
            yield chunk, answer


def _lost(sheet: SheetFolder) -> SheetSeen:
    finding = Finding("readingFailed", sheet.path, "the process that read this sheet died of it")
    return SheetSeen(sheet.kind, sheet.id, Repeat.DIFFERENT, None, None, (), (), (finding,))
