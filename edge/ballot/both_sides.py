"""Work on the two sides of a sheet at once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

from edge.page.error import PageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.ballot.result import Scan

Given = TypeVar("Given")
Done = TypeVar("Done")


def both_sides(work: Callable[[Scan, Given], Done], first: tuple[Scan, Given], second: tuple[Scan, Given]) -> tuple[Done, Done]:
    """Do the same work on two sides in two threads; no thread outlives the call.

    Raises:
        PageError: the first side's error, else the second's, with its scan named: the same whichever thread was faster.
    """
    outcome: dict[int, Done | BaseException] = {}

    def run(place: int, scan: Scan, given: Given) -> None:
        try:
            outcome[place] = work(scan, given)
        except PageError as error:
            error.scan = error.scan or scan
            outcome[place] = error
        except BaseException as error:  # noqa: BLE001 - a fault of the second thread is raised by the first, below
            outcome[place] = error

    thread = threading.Thread(target=run, args=(1, *second))
    thread.start()
    run(0, *first)
    thread.join()
    done = []
    for place in (0, 1):
        result = outcome[place]
        if isinstance(result, BaseException):
            raise result
        done.append(result)
    return done[0], done[1]
