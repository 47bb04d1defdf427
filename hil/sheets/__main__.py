"""Rendered tally sheets by the thousand, each read and held against the truth.

Prints what became of the sheets by kind of damage and mistake, and every sheet of which a field was read wrong. Exit status 1
when a sheet with a wrong field was accepted, or one was accepted as another part of the form than it shows.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
from PIL import Image

from edge.definition.form import shipped_forms
from hil.paper.forms.real_digits import real_digits_file
from hil.sheets.judge import Judgement, judge, rendered
from hil.sheets.plan import Plan, plan_sheet
from hil.sheets.report import cells, reasons, table, wrong_line


def main(argv: list[str] | None = None) -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(prog="python -m hil.sheets", description=__doc__)
    parser.add_argument("--sheets", type=int, default=1000, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first sheet; the others follow")
    parser.add_argument("--form", action="append", choices=shipped_forms(), help="may be repeated; all by default")
    parser.add_argument("--kind", help="only sheets of this kind of trouble, such as clean or jpeg")
    parser.add_argument("--jobs", type=int, default=2, help="worker processes (default: %(default)s)")
    parser.add_argument("--draw", type=Path, metavar="DIR", help="write image and truth of every sheet with a wrong field")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every judgement, one JSON object a line")
    options = parser.parse_args(argv)
    forms = tuple(options.form or shipped_forms())
    plans = [plan_sheet(seed, forms) for seed in range(options.seed, options.seed + options.sheets)]
    plans = [plan for plan in plans if options.kind in {None, plan.kind}]
    if real_digits_file() is None:
        print("no real digits: the handwriting is our own strokes alone", file=sys.stderr)
    judgements = list(_all_judged(plans, options.jobs))
    wrong = [judgement for judgement in judgements if judgement.wrong or judgement.wrong_and_accepted]
    print(table(judgements))
    print(f"\nreasons: {reasons(judgements)}")
    print(f"cells: {cells(judgements)}")
    print(f"reading: {sum(judgement.seconds for judgement in judgements) / max(1, len(judgements)) * 1000:.0f} ms a sheet\n")
    for judgement in wrong:
        print(wrong_line(judgement))
        if options.draw:
            _draw(judgement, options.draw)
    if options.json:
        lines = (json.dumps(dataclasses.asdict(judgement)) + "\n" for judgement in judgements)
        options.json.write_text("".join(lines), encoding="utf-8")
    return 1 if any(judgement.wrong_and_accepted for judgement in judgements) else 0


def _all_judged(plans: list[Plan], jobs: int) -> list[Judgement]:
    """Judges sheets in worker processes, telling how far it is."""
    started = time.monotonic()
    found = []
    # The workers are the parallelism here. A forked OpenCV may hang, a spawned one does not.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, cv2.setNumThreads, (1,)) as pool:
        for done, judgement in enumerate(pool.map(judge, plans, chunksize=4), 1):
            found.append(judgement)
            if judgement.wrong_and_accepted:
                print(wrong_line(judgement), file=sys.stderr)
            if sys.stderr.isatty() or done % 100 == 0:
                print(f"\r{done} of {len(plans)} sheets, {time.monotonic() - started:.0f} s", end="", file=sys.stderr)
    print(file=sys.stderr)
    return found


def _draw(judgement: Judgement, folder: Path) -> None:
    """Writes one sheet: what the scanner saw and what stands on the paper."""
    folder.mkdir(parents=True, exist_ok=True)
    sheet = rendered(judgement.plan)
    name = f"{judgement.plan.form}-{judgement.plan.seed}"
    Image.fromarray(sheet.image).save(folder / f"{name}.png")
    truth = {**dataclasses.asdict(sheet.truth), "spoiled": sorted(sheet.truth.spoiled), "dashed": sorted(sheet.truth.dashed)}
    text = {"truth": truth, "judgement": dataclasses.asdict(judgement)}
    (folder / f"{name}.json").write_text(json.dumps(text, indent=1), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
