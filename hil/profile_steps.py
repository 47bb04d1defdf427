"""`python -m hil.profile_steps`: the share of each step in reading one letter sheet, in one thread."""

from __future__ import annotations

import cProfile
import pstats
import sys
from collections.abc import Callable
from unittest.mock import patch

from edge.ballot.interpret import ScannedSheet, interpret
from edge.definition.settings import SystemSettings
from hil.sweep.case import Case, render

_STEPS = {
    "crop and threshold (Otsu)": (("page.py", "read_page"),),
    "streaks": (("streaks.py", "find_streaks"),),
    "timing-mark candidates": (("timing_marks.py", "side_candidates"), ("timing_marks.py", "row_candidates")),
    "border lines and numbering": (("grid.py", "_find_side"), ("grid.py", "_find_end")),
    "missing marks and checks": (
        ("grid.py", "_place_side"),
        ("grid.py", "_fit_missing"),
        ("grid.py", "_infer"),
        ("grid.py", "_check"),
    ),
    "QR code or bottom row": (("page_code.py", "read_qr_code"), ("page_code.py", "read_bottom_row")),
    "placing and filling bubbles": (("bubbles.py", "score_bubbles"),),
    "pale ink": (("grey_ink.py", "find_pale_ink"),),
    "judging bubbles": (("page_marks.py", "_judge"),),
    "write-in areas and boxes": (("page_marks.py", "_write_in"), ("page_marks.py", "_contest_boxes")),
}


def _in_turn(work: Callable[..., object], first: tuple[object, object], second: tuple[object, object]) -> tuple[object, object]:
    return work(*first), work(*second)


def main() -> int:
    """Profile both kinds of letter sheets."""
    for encoding in ("qr-code", "timing-marks"):
        election, _, scanned = render(Case(1, encoding=encoding, electorate="careful"))
        sheet = ScannedSheet(scanned.top.pixels, scanned.bottom.pixels, scanned.dpi)
        settings = SystemSettings()
        interpret(sheet, election, settings)
        profile = cProfile.Profile()
        # A profile sees one thread.
        with patch("edge.ballot.interpret.both_sides", _in_turn), patch("edge.ballot.hand_marked.both_sides", _in_turn), profile:
            for _ in range(20):
                interpret(sheet, election, settings)
        stats = pstats.Stats(profile).get_stats_profile().func_profiles
        spent = {(function.file_name.rsplit("/", 1)[-1], name): function.cumtime for name, function in stats.items()}
        whole = spent["interpret.py", "interpret"]
        print(f"letter, {encoding}")
        rest = whole
        for step, functions in _STEPS.items():
            time = sum(spent.get(function, 0.0) for function in functions)
            rest -= time
            print(f"  {time / whole:5.0%}  {step}")
        print(f"  {rest / whole:5.0%}  the rest")
    return 0


if __name__ == "__main__":
    sys.exit(main())
