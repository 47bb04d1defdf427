"""Printed sheets for the tests of the interpreter: made-up elections, votes, and changes to single places of a page."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import cv2

from edge.ballot.interpret import ScannedSheet, interpret
from edge.definition.election import Election, load_election
from edge.definition.paper import PaperSize
from edge.definition.settings import SystemSettings
from hil.paper.election import make_election
from hil.paper.sheet import PrintedBubble, PrintedSheet, render_sheet
from hil.paper.truth import MarkedSheet, Wish, mark_sheet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.ballot.result import BubbleReading, Interpretation, PageReading
    from edge.page.page import Grey

Choice = tuple[str, str]
QR = "qr-code"
BOTTOM_ROW = "timing-marks"
WHITE = 255


@cache
def definition(seed: int = 3, paper: PaperSize = PaperSize.LETTER, encoding: str = QR, density: str = "normal") -> bytes:
    """A made-up election as a file."""
    return make_election(seed, paper=paper, encoding=encoding, density=density)


@cache
def made_up(seed: int = 3, paper: PaperSize = PaperSize.LETTER, encoding: str = QR, density: str = "normal") -> Election:
    """A made-up election."""
    return load_election(definition(seed, paper, encoding, density))


@cache
def blank_sheet(paper: PaperSize = PaperSize.LETTER, encoding: str = QR, dpi: int = 200) -> PrintedSheet:
    """A sheet of the first ballot style, unmarked."""
    election = made_up(paper=paper, encoding=encoding)
    return render_sheet(election, election.ballot_styles[0].id, dpi=dpi)


def choice(bubble: PrintedBubble | BubbleReading) -> Choice:
    """Contest and option of a bubble."""
    place = bubble.position if isinstance(bubble, PrintedBubble) else bubble
    return place.contest_id, place.option_id


def one_vote_each(printed: PrintedSheet) -> list[Choice]:
    """The first option of every contest on the sheet."""
    chosen: dict[str, str] = {}
    for bubble in printed.bubbles:
        chosen.setdefault(bubble.position.contest_id, bubble.position.option_id)
    return list(chosen.items())


def filled(printed: PrintedSheet, choices: Iterable[Choice] | None = None) -> MarkedSheet:
    """The sheet with ovals filled by ballpoint; one in every contest when none are named."""
    wanted = one_vote_each(printed) if choices is None else choices
    return mark_sheet(printed, [Wish(contest, option) for contest, option in wanted])


def as_votes(choices: Iterable[Choice]) -> dict[str, tuple[str, ...]]:
    """Choices in the form of `Interpretation.votes`."""
    votes: dict[str, tuple[str, ...]] = {}
    for contest, option in sorted(choices):
        votes[contest] = (*votes.get(contest, ()), option)
    return votes


def read(
    top: Grey, bottom: Grey, election: Election, settings: SystemSettings | None = None, *, dpi: int | None = None
) -> Interpretation:
    """Interpret two images, with the default settings if none are given."""
    return interpret(ScannedSheet(top, bottom, dpi), election, settings or SystemSettings())


def refusal(reading: Interpretation) -> tuple[str, str]:
    """Code and detail of a sheet that was not read."""
    assert reading.refusal is not None, f"read as {reading.kind}"
    assert (reading.kind, reading.pages, dict(reading.votes)) == ("refused", (), {})
    return reading.refusal.code, reading.refusal.detail


def page_of(reading: Interpretation, side: str) -> PageReading:
    """The front's or the back's reading."""
    assert reading.refusal is None, reading.refusal
    return next(page for page in reading.pages if page.side == side)


def bubble_of(reading: Interpretation, wanted: Choice) -> BubbleReading:
    """What was measured at a bubble."""
    assert reading.refusal is None, reading.refusal
    return next(bubble for page in reading.pages for bubble in page.bubbles if choice(bubble) == wanted)


def turned(image: Grey) -> Grey:
    """The page upside down."""
    return image[::-1, ::-1]


def boxed(image: Grey, left: float, top: float, right: float, bottom: float, tone: int = WHITE) -> Grey:
    """A copy with an upright box painted in one tone, by default erased."""
    copy = image.copy()
    copy[max(round(top), 0) : round(bottom), max(round(left), 0) : round(right)] = tone
    return copy


def without_mark(printed: PrintedSheet, image: Grey, column: int, row: int) -> Grey:
    """A copy of a printed side without one of its timing marks."""
    left, top, right, bottom = (float(edge * printed.dpi) for edge in printed.geometry.mark_box(column, row))
    return boxed(image, left - 2, top - 2, right + 2, bottom + 2)


def without_qr(image: Grey) -> Grey:
    """A copy of an upright page whose QR code is erased; the timing marks around it stay."""
    return boxed(image, 90, image.shape[0] - 230, 280, image.shape[0] - 70)


def disc(image: Grey, x: float, y: float, radius: float, tone: int = 0) -> Grey:
    """A copy with a disc painted on it; the scanner's bed seen through a hole, by default."""
    copy = image.copy()
    cv2.circle(copy, (round(x * 16), round(y * 16)), round(radius * 16), (tone,), -1, cv2.LINE_8, 4)
    return copy
