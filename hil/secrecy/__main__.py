"""`./dev secrecy`: run the attack on a day of made-up ballots and print every clue that comes near to anything."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from hil.secrecy.clues import clues
from hil.secrecy.day import live
from hil.secrecy.pool import pool
from hil.secrecy.statistic import agreement
from hil.secrecy.traces import traces

ALARM = 1e-7
"""Chance of a random order below which a clue counts: with a thousand clues that tell nothing, one run in ten thousand alarms."""


def main(argv: list[str] | None = None) -> int:
    """Give 0 when no clue agrees with the order and no trace was found, otherwise 1."""
    parser = argparse.ArgumentParser(
        prog="./dev secrecy", description="Try to recover the order of voters from everything that is kept."
    )
    parser.add_argument("--sheets", type=int, default=400, help="ballots of the day (400)")
    parser.add_argument("--seed", type=int, default=1, help="of the order in which they come (1)")
    arguments = parser.parse_args(argv)
    package, readings = pool()
    with tempfile.TemporaryDirectory() as folder:
        day = live(Path(folder), package, readings, arguments.sheets, arguments.seed)
        found = [told for clue in clues(day) if (told := agreement(clue, day.order)) is not None]
        left = traces(day)
    worst = sorted(found, key=lambda told: told.chance)
    print(f"{arguments.sheets} ballots on two media; {len(found)} clues give an order. Those that agree best with the true one:")
    print(f"{'clue':<64}{'tau':>8}{'neighbours':>12}{'expected':>10}{'chance':>9}")
    for told in worst[:12]:
        print(f"{told.clue[-62:]:<64}{told.tau:>8.3f}{told.neighbours:>12}{told.expected:>10.1f}{told.chance:>9.1g}")
    for trace in left[:20]:
        print(f"found: {trace}")
    beyond = [told for told in worst if told.chance < ALARM]
    print(f"clues that chance does not explain: {len(beyond)}; traces of a ballot outside its own files: {len(left)}")
    return 1 if beyond or left else 0


if __name__ == "__main__":
    sys.exit(main())
