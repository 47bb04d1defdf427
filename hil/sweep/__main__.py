"""`./dev sweep`: how much damage a sheet may have before it is refused, and whether any is ever read wrong.

The long form takes every damage from nothing to hopeless over every paper size, encoding and kind of voter, writes the acceptance
curves to docs/figures/ and the table to docs/damage.md. Exit status 1 when a single vote was read wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2

from edge.definition.paper import PaperSize
from hil.paper.damage import DAMAGES
from hil.sweep.case import Case, Judgement, Outcome, run
from hil.sweep.report import Tally, write_report

_STRENGTHS = tuple(range(0, 101, 10))
_ENCODINGS = ("qr-code", "timing-marks")
_ELECTORATES = ("ordinary", "difficult", "careful")
_TEXTS = ("normal", "short", "long")


def cases(names: list[str], strengths: list[int], sheets: int, first: int) -> Iterator[Case]:
    """`sheets` sheets for each damage and strength; paper, encoding, words, voters and feed take turns."""
    papers = tuple(PaperSize)
    for n, name in enumerate(names):
        for strength in strengths:
            for i in range(first, first + sheets):
                turn = i + n
                yield Case(
                    seed=i,
                    # Half of the sheets are letter, as in the field; the other half go through all sizes.
                    paper=papers[(turn // 2) % len(papers)] if turn % 2 else PaperSize.LETTER,
                    encoding=_ENCODINGS[(turn // 2) % 2],
                    text=_TEXTS[turn % 3],
                    electorate=_ELECTORATES[(i + strength // 10) % 3],
                    dpi=300 if turn % 10 == 9 else 200,
                    damages={name: strength} if strength else {},
                    upside_down=turn % 5 == 4,
                    face_down=turn % 7 == 3,
                )


def _judged(case: Case) -> tuple[Case, Judgement]:
    return case, run(case)


def main(argv: list[str] | None = None) -> int:
    """Run the sweep."""
    parser = argparse.ArgumentParser(prog="./dev sweep", description=__doc__)
    parser.add_argument("--damages", help="names, comma-separated; all by default")
    parser.add_argument("--strengths", help="0 to 100, comma-separated; every tenth by default")
    parser.add_argument("--sheets", type=int, default=12, help="sheets for each damage and strength")
    parser.add_argument("--first", type=int, default=0, help="seed of the first sheet")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--report", type=Path, help="folder for damage.md and figures/, usually docs")
    parser.add_argument("--wrong", type=Path, help="file for the cases that were read wrong, one JSON object a line")
    options = parser.parse_args(argv)
    names = options.damages.split(",") if options.damages else list(DAMAGES)
    strengths = [int(s) for s in options.strengths.split(",")] if options.strengths else list(_STRENGTHS)
    todo = list(cases(names, strengths, options.sheets, options.first))
    started = time.monotonic()
    tally: Tally = defaultdict(Counter)
    reasons: dict[tuple[str, int], Counter[str]] = defaultdict(Counter)
    wrong: list[tuple[Case, Judgement]] = []
    # The workers are the parallelism here.
    with ProcessPoolExecutor(options.workers, initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        for done, (case, judgement) in enumerate(pool.map(_judged, todo, chunksize=4), 1):
            place = (next(iter(case.damages), ""), next(iter(case.damages.values()), 0))
            tally[place][judgement.outcome] += 1
            if judgement.outcome is Outcome.REFUSED:
                reasons[place].update(judgement.reasons)
            if judgement.outcome is Outcome.WRONG:
                wrong.append((case, judgement))
                print(f"WRONG {case} {judgement}", file=sys.stderr)
            if sys.stderr.isatty() or done == len(todo):
                so_far = f"{done} of {len(todo)} sheets, {len(wrong)} wrong, {time.monotonic() - started:.0f} s"
                print(f"\r{so_far}", end="", file=sys.stderr)
    print(file=sys.stderr)
    if options.wrong:
        options.wrong.write_text("".join(json.dumps(_as_json(case)) + "\n" for case, _ in wrong), encoding="utf-8")
    print(write_report(tally, reasons, names, strengths, options.report))
    return 1 if wrong else 0


def _as_json(case: Case) -> dict[str, object]:
    return {name: getattr(case, name) for name in Case.__dataclass_fields__} | {"damages": dict(case.damages)}


if __name__ == "__main__":
    sys.exit(main())
