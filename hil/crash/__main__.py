"""`./dev cuts`: what a power cut may leave of the evidence, at every step of sessions of sheets, and whether it recovers."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from hil.crash.campaign import CUTS_OF_EACH, Result, go_through, go_through_all, recoveries
from hil.crash.kill import kill_day
from hil.crash.killed_first import killed_first
from hil.crash.session import Session
from hil.crash.station_session import station_day
from hil.crash.store_sessions import LOSSES, added_medium, lost_medium, short_day, whole_day

LIMIT = 15_000
KILLS = 60
_SHARES: tuple[tuple[Callable[[], Session], float, float, float], ...] = (
    (station_day, 0.12, 0.04, 0.04),
    (added_medium, 0.12, 0.04, 0.0),
    (short_day, 0.0, 0.0, 0.08),
    (partial(short_day, media=2), 0.0, 0.0, 0.08),
    (whole_day, 0.24, 0.04, 0.0),
    *((partial(lost_medium, (loss,)), 0.02, 0.005, 0.0) for loss in LOSSES),
)
"""Sessions, each with its shares of the limit: for its own cuts, for those of recoveries from them, for those after a kill."""
_SHOWN = 20


def main(argv: list[str] | None = None) -> int:
    """Give 0 when every cut recovers, otherwise 1."""
    parser = argparse.ArgumentParser(
        prog="./dev cuts", description="Cut the power at every step of sessions of sheets, and see whether the evidence recovers."
    )
    parser.add_argument("--limit", type=int, default=LIMIT, help=f"about so many cut points ({LIMIT}); 0 = all that there are")
    parser.add_argument("--seed", type=int, default=0, help="which of them, and those that are drawn by chance (0)")
    parser.add_argument("--media", type=int, choices=(1, 2), help="only sessions with so many media")
    parser.add_argument("--kills", type=int, default=KILLS, help=f"how often the real process is killed ({KILLS})")
    parser.add_argument("--keep", type=Path, help="a folder for what the failed cuts have left")
    arguments = parser.parse_args(argv)
    begun = time.monotonic()
    print(f"{'session':<66}{'steps':>8}{'cut points':>12}{'checked':>9}{'checks':>8}{'failed':>8}{'seconds':>9}")
    results = []
    for result in _results(arguments.limit or None, arguments.seed, arguments.media, arguments.keep):
        results.append(result)
        _print(result)
    killed = kill_day(arguments.kills, seed=arguments.seed) if arguments.kills and arguments.media != 2 else None
    seconds = time.monotonic() - begun
    checked, checks = sum(result.checked for result in results), sum(result.checks for result in results)
    failed = sum(len(result.failures) for result in results)
    distinct, images = sum(result.distinct for result in results), sum(result.images for result in results)
    rate = checks / max(sum(result.seconds for result in results), 0.1)
    print(
        f"{distinct} distinct cut points, {images} distinct images; {checked} cut points checked in {checks} checks, {rate:.0f}/s"
    )
    print(f"{failed} failures")
    if killed is not None:
        print(killed)
        failed += len(killed.failures)
    print(f"{seconds:.0f} s")
    return 1 if failed else 0


def _results(limit: int | None, seed: int, media: int | None, keep: Path | None) -> Iterator[Result]:
    for make, own, again, killed in _SHARES:
        session = make()
        if media not in {None, session.world.media}:
            continue
        if own:
            yield go_through(session, None if limit is None else round(limit * own), seed=seed, keep=keep)
        several = partial(_several, limit or LIMIT)
        if again:
            openings = recoveries(session, several(again), seed=seed)
            yield go_through_all("recoveries from it, cut again", openings, seed=seed, keep=keep)
        if killed:
            kills = killed_first(session, several(killed), seed=seed)
            yield go_through_all(f"kills in {session.name}, then cuts", kills, seed=seed, keep=keep)


def _several(limit: int, share: float) -> int:
    return max(1, round(limit * share / CUTS_OF_EACH))


def _print(result: Result) -> None:
    numbers = f"{result.operations:>8}{result.distinct:>12}{result.checked:>9}{result.checks:>8}{len(result.failures):>8}"
    print(f"{result.name:<66}{numbers}{result.seconds:>9.0f}", flush=True)
    for failure in result.failures[:_SHOWN]:
        print(f"    {failure.cut.name} ({failure.cut.during[:60]}, after {len(failure.cut.marks)} marks): {failure.error}")


if __name__ == "__main__":
    sys.exit(main())
