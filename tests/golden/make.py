"""Makes the golden sheets: images and elections that are kept as files, and the digest of what is read from each.

    python -m tests.golden.make --digests    read the kept images again and write what they say now
    python -m tests.golden.make              print and scan the images anew as well

The images are kept because rendering may change by a grey level with another version of a library; a reading of the same pixels
may not. New digests mean that old evidence is read differently: `INTERPRETER_VERSION` or `RECORD_VERSION` must say so.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image

from edge.ballot.interpret import ScannedSheet, interpret
from edge.decision import decide
from edge.definition.election import Election, load_election
from edge.definition.paper import PaperSize
from edge.definition.settings import SystemSettings
from edge.image_file import read_image
from edge.record import canonical_json
from hil.paper.election import make_election
from hil.paper.exposure import BACKGROUND
from hil.paper.pen import MarkKind
from hil.paper.scan import PERFECT_SENSOR, Feed, ScannedPair, scan
from hil.paper.sheet import PrintedSheet, render_sheet
from hil.paper.stroke import PENS
from hil.paper.summary import random_summary_payloads, render_summary
from hil.paper.truth import CAREFUL, MarkedSheet, Wish, expose, mark_sheet, random_marked_sheet

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.page.page import Grey

FOLDER = Path(__file__).resolve().parent
DIGESTS = FOLDER / "digests.json"
SHEETS = {
    "mixed-pens": "letter-qr",
    "upside-down": "letter-qr",
    "marks-missing": "letter-qr",
    "letter-300-dpi": "letter-qr",
    "legal-damaged": "legal-timing-marks",
    "summary": "letter-qr",
}
"""Every golden sheet and its election."""
GREY = frozenset({"mixed-pens"})
"""Sheets kept in grey: what the threshold loses is read as well."""


def digest(name: str) -> str:
    """SHA-256 of the record of a golden sheet, as it is read now."""
    election = load_election((FOLDER / f"{SHEETS[name]}.json").read_bytes())
    top, bottom = (read_image(FOLDER / f"{name}-{side}.png") for side in ("top", "bottom"))
    settings = SystemSettings()
    interpretation = interpret(ScannedSheet(top, bottom), election, settings)
    return hashlib.sha256(canonical_json(interpretation, decide(interpretation, election, settings))).hexdigest()


def _mixed_pens(election: Election) -> ScannedPair:
    """Every kind of mark by every pen, one after the other; the code of the back is too pale for the threshold."""
    printed = render_sheet(election, "1_en")
    kinds = list(MarkKind)
    wishes = [
        Wish(
            bubble.position.contest_id,
            bubble.position.option_id,
            kinds[place % len(kinds)] if place % 4 else None,
            PENS[place % len(PENS)],
            with_name=bubble.write_in_area is not None and place % 2 == 0,
        )
        for place, bubble in enumerate(printed.bubbles)
    ]
    marked = mark_sheet(printed, wishes, 1)
    back = marked.back.copy()
    code = back[-230:-70, 90:280]
    code[:] = np.maximum(code, 165)
    return scan(expose(printed, marked.front, back), sensor=PERFECT_SENSOR)


def _voted(election: Election, seed: int, *, dpi: int = 200) -> MarkedSheet:
    return random_marked_sheet(election, seed, electorate=CAREFUL, style_id=election.ballot_styles[1].id, dpi=dpi)


def _upside_down(election: Election) -> ScannedPair:
    feed = Feed(face_down=True, upside_down=True, margins=(14, 9, 3, 22))
    return scan(_voted(election, 2), {"rotation": 9, "dust": 6}, seed=2, feed=feed)


def _without_marks(printed: PrintedSheet, front: Grey, rows: range) -> Grey:
    front = front.copy()
    for row in rows:
        left, top, right, bottom = (round(float(edge * printed.dpi)) for edge in printed.geometry.mark_box(0, row))
        front[top - 2 : bottom + 2, left - 2 : right + 2] = 250
    return front


def _marks_missing(election: Election) -> ScannedPair:
    """More timing marks gone than may be inferred."""
    marked = _voted(election, 3)
    front = _without_marks(marked.printed, marked.front, range(12, 26))
    return scan(expose(marked.printed, front, marked.back), seed=3)


def _letter_300_dpi(election: Election) -> ScannedPair:
    return scan(_voted(election, 4, dpi=300), {"skew": 5}, seed=4)


def _legal_damaged(election: Election) -> ScannedPair:
    """A torn corner, a mark gone, a streak, a fold, and a hole of 8 mm through a bubble."""
    marked = _voted(election, 5)
    front = _without_marks(marked.printed, marked.front, range(30, 31))
    bubble = marked.printed.bubbles_on("front")[4]
    cv2.circle(front, (round(bubble.x) + 8, round(bubble.y) - 3), 31, (BACKGROUND,), -1)
    damages = {"torn_corner": 6, "fold": 20, "streak_full": 1, "rotation": 4}
    return scan(expose(marked.printed, front, marked.back), damages, seed=8)


def _summary(election: Election) -> ScannedPair:
    (payload,) = random_summary_payloads(election, 7)
    return scan(render_summary(election, replace(payload, test_mode=True)), feed=Feed(upside_down=True))


_MAKERS: dict[str, Callable[[Election], ScannedPair]] = {
    "mixed-pens": _mixed_pens,
    "upside-down": _upside_down,
    "marks-missing": _marks_missing,
    "letter-300-dpi": _letter_300_dpi,
    "legal-damaged": _legal_damaged,
    "summary": _summary,
}


def _keep(path: Path, pixels: Grey, *, grey: bool) -> None:
    image = Image.fromarray(pixels) if grey else Image.fromarray(np.where(pixels < 128, np.uint8(0), np.uint8(255))).convert("1")
    image.save(path, optimize=True)


def _print_and_scan() -> None:
    elections = {
        "letter-qr": make_election(3),
        "legal-timing-marks": make_election(5, paper=PaperSize.LEGAL, encoding="timing-marks"),
    }
    for name, raw in elections.items():
        # Without the blanks a file is a third smaller; it is the hash of these very bytes that the sheets carry.
        (FOLDER / f"{name}.json").write_text(json.dumps(json.loads(raw), separators=(",", ":")), encoding="utf-8")
    for name, election_name in SHEETS.items():
        pair = _MAKERS[name](load_election((FOLDER / f"{election_name}.json").read_bytes()))
        for side, page in (("top", pair.top), ("bottom", pair.bottom)):
            _keep(FOLDER / f"{name}-{side}.png", page.pixels, grey=name in GREY)


def main() -> None:
    """Writes the images, unless only the digests are wanted, and the digests."""
    parser = argparse.ArgumentParser(description="make the golden sheets")
    parser.add_argument("--digests", action="store_true", help="keep the images and write only what is read from them")
    if not parser.parse_args().digests:
        _print_and_scan()
    DIGESTS.write_text(json.dumps({name: digest(name) for name in SHEETS}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
