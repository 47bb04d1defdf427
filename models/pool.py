"""Many images through several processes, in any order, to be left at any time.

If a process dies, what it left is tried again one by one, so that the image that kills is named and the others are done.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

import cv2

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")
_MOST_DEATHS = 10
"""Processes that may die before the remaining images are given up."""


def through_all(
    names: Sequence[str], task: _Task, workers: int, work: Callable[[str, _Task], _Result]
) -> Generator[tuple[str, _Result | None]]:
    """What becomes of each.

    Args:
        names: Which.
        task: What every process works with.
        workers: How many processes; 1 = this one alone.
        work: A function of a module.

    Yields:
        Name and result; None where a process died over it.
    """
    if min(workers, len(names)) <= 1:
        yield from ((name, work(name, task)) for name in names)
        return
    left = dict.fromkeys(names)
    for name, result in _through(names, task, min(workers, len(names)), work):
        del left[name]
        yield name, result
    deaths = 0
    for name in left:
        results = list(_through([name], task, 1, work)) if deaths < _MOST_DEATHS else []
        deaths += not results
        yield name, results[0][1] if results else None


def _through(
    names: Sequence[str], task: _Task, workers: int, work: Callable[[str, _Task], _Result]
) -> Iterator[tuple[str, _Result]]:
    """What a pool of processes answers, until it breaks."""
    # Each process has one processor: threads of the arithmetic beneath would only wait for each other.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_start)
    try:
        given = {pool.submit(work, name, task): name for name in names}
        for future in as_completed(given):
            try:
                result = future.result()
            except BrokenProcessPool:
                continue
            yield given[future], result
    except BrokenProcessPool:
        return
    finally:
        pool.shutdown(cancel_futures=True)


def _start() -> None:
    """What each process does first. Ctrl-C reaches every process of the terminal; only the first one answers it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
