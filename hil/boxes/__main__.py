"""Are the boxes of tally sheets found where they are, and nothing where there is no sheet?

Real sheets, rendered scans with damage and rendered photographs, each held against the truth: a box counts as found when the
intersection over union with the true one is 0.7 or more. Pictures without the form show false alarms. Exit status 1 when a
box that is not there was believed, or a form was found that is not there.
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

from edge.definition.form import shipped_forms
from edge.inference.regions import region_finder
from hil.boxes.draw import draw
from hil.boxes.judge import BoxJudgement, judge
from hil.boxes.plan import BoxPlan, plan_none, plan_photo, plan_scan
from hil.boxes.real import plan_real, real_data
from hil.boxes.report import ANCHOR, alarms, bad_line, refusals, table


def main(argv: list[str] | None = None) -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(prog="python -m hil.boxes", description=__doc__)
    parser.add_argument("--scans", type=int, default=400, help="how many rendered scans (default: %(default)s)")
    parser.add_argument("--photos", type=int, default=100, help="how many rendered photographs (default: %(default)s)")
    parser.add_argument("--none", type=int, default=60, help="how many pictures without the form (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first picture of each kind; the others follow")
    parser.add_argument("--form", action="append", choices=shipped_forms(), help="may be repeated; all by default")
    parser.add_argument("--trouble", help="only pictures with this trouble, such as blur, glare or grey")
    parser.add_argument("--jobs", type=int, default=2, help="worker processes (default: %(default)s)")
    parser.add_argument("--data", type=Path, default=real_data(), metavar="DIR", help="the folder of real data")
    parser.add_argument("--draw", type=Path, metavar="DIR", help="draw what was found in every bad picture")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every judgement, one JSON object a line")
    options = parser.parse_args(argv)
    plans = [plan for plan in _planned(options) if options.trouble in {None, plan.trouble}]
    judgements = list(_all_judged(plans, options.jobs))
    if options.json:
        lines = (json.dumps(dataclasses.asdict(judgement)) + "\n" for judgement in judgements)
        options.json.write_text("".join(lines), encoding="utf-8")
    print(f"{table(judgements)}\n\n{ANCHOR}\n\n{alarms(judgements)}\n")
    print(f"refused: {refusals(judgements)}")
    seconds = sum(judgement.seconds for judgement in judgements) / max(1, len(judgements))
    print(f"finding: {seconds * 1000:.0f} ms a picture, the region model included")
    print(f"region model: SHA-256 {region_finder().identity.sha256}\n")
    for judgement in judgements:
        if judgement.bad:
            print(bad_line(judgement))
            if options.draw:
                draw(judgement.plan, options.draw)
    return 1 if any(judgement.wrong_and_believed or judgement.false_alarm for judgement in judgements) else 0


def _planned(options: argparse.Namespace) -> list[BoxPlan]:
    forms = tuple(options.form or shipped_forms())
    real = [plan for plan in plan_real(options.data) if plan.form in forms]
    if not real:
        print(f"no real sheets in {options.data}", file=sys.stderr)
    counts = ((plan_scan, options.scans), (plan_photo, options.photos), (plan_none, options.none))
    made = [plan(seed, forms) for plan, count in counts for seed in range(options.seed, options.seed + count)]
    return real + made


def _all_judged(plans: list[BoxPlan], jobs: int) -> list[BoxJudgement]:
    """Judges pictures in worker processes, telling how far it is."""
    started = time.monotonic()
    found = []
    # The workers are the parallelism here. A forked OpenCV may hang, a spawned one does not.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, cv2.setNumThreads, (1,)) as pool:
        for done, judgement in enumerate(pool.map(judge, plans), 1):
            found.append(judgement)
            if judgement.wrong_and_believed or judgement.false_alarm:
                print(bad_line(judgement), file=sys.stderr)
            if sys.stderr.isatty() or done % 50 == 0:
                print(f"\r{done} of {len(plans)} pictures, {time.monotonic() - started:.0f} s", end="", file=sys.stderr)
    print(file=sys.stderr)
    return found


if __name__ == "__main__":
    sys.exit(main())
