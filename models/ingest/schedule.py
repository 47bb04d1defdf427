"""What may be asked for when: no host more often or by more connections than agreed, and nothing again before its time."""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from models.ingest.addresses import Source

_LONGEST_BACKOFF_S = 60.0
_FAR_S = 3600.0
"""When to look again if nothing but the end of another job brings the next."""


@dataclass(slots=True)
class Job:
    """One image to be had.

    Attributes:
        source: Where from.
        stem: Name of its file, without the ending.
        host: Who is asked for it; nothing for a file of this machine.
        tries: How many there have been.
    """

    source: Source
    stem: str
    host: str
    tries: int = 0


@dataclass(slots=True)
class _Host:
    ready: deque[Job] = field(default_factory=deque)
    later: list[tuple[float, int, Job]] = field(default_factory=list)
    """A heap by the time from which they are ready."""
    free_at: float = 0.0
    active: int = 0


class Schedule:
    """Gives out jobs. It has no clock: every call says what time it is, in seconds that never go back.

    Args:
        jobs: All of them.
        per_host: Connections to one host at a time.
        delay_s: Least seconds between two requests to one host.
    """

    def __init__(self, jobs: Iterable[Job], per_host: int, delay_s: float) -> None:
        self._per_host = per_host
        self._delay_s = delay_s
        self._hosts: dict[str, _Host] = {}
        self._number = 0
        for job in jobs:
            self._hosts.setdefault(job.host, _Host()).ready.append(job)

    def take(self, now: float) -> Job | float | None:
        """The next job; or seconds after which to ask again, if none ends before; or None when no job is left or under way."""
        soonest: float | None = None
        for name, host in self._hosts.items():
            while host.later and host.later[0][0] <= now:
                host.ready.append(heapq.heappop(host.later)[2])
            if not host.ready and not host.later and not host.active:
                continue
            is_local = not name
            at = now + _FAR_S if not host.ready else now
            if not host.ready and host.later:
                at = host.later[0][0]
            if not is_local:
                at = max(at, host.free_at)
                if host.active >= self._per_host:
                    at = max(at, now + _FAR_S)  # an end of one of them is told by `ended`
            if at <= now:
                host.active += 1
                host.free_at = now + self._delay_s
                self._hosts[name] = self._hosts.pop(name)  # the other hosts are served first next time
                return host.ready.popleft()
            soonest = at if soonest is None else min(soonest, at)
        return None if soonest is None else soonest - now

    def ended(self, job: Job) -> None:
        """A job that was given out is done with."""
        self._hosts[job.host].active -= 1

    def again(self, job: Job, at: float, *, asked: bool) -> None:
        """A job that was given out is to be tried again.

        Args:
            job: Which.
            at: Not before.
            asked: The host asked for that; it is left alone altogether until then.
        """
        host = self._hosts[job.host]
        host.active -= 1
        self._number += 1
        heapq.heappush(host.later, (at, self._number, job))
        if asked:
            host.free_at = max(host.free_at, at)


def backoff_s(tries: int, first_s: float, chance: random.Random) -> float:
    """Seconds to wait after so many failed tries: doubled each time up to a minute, and spread."""
    return min(first_s * float(1 << min(tries - 1, 30)), _LONGEST_BACKOFF_S) * chance.uniform(0.5, 1.5)
