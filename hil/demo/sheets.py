"""The demo's three sheets: what is on each, and how its reading must end."""

from __future__ import annotations

from dataclasses import dataclass

from edge.definition.election import load_election
from hil.paper.election import make_election
from hil.paper.pen import MarkKind
from hil.paper.scan import Feed, ScannedPair, scan
from hil.paper.sheet import render_sheet
from hil.paper.stroke import BALLPOINT, BLUE_BALLPOINT, FELT_TIP, PENCIL
from hil.paper.truth import MarkedSheet, Wish, mark_sheet

ELECTION = make_election(0)
_OTHER_ELECTION = make_election(1)

_DAMAGES = {"rotation": 8, "dust": 2}
"""Two thirds of a degree, and some fifty specks a side: an ordinary scan."""

_DOUBTFUL = (
    Wish("c-0-1", "c-0-1-2", MarkKind.FILL, BALLPOINT),
    Wish("c-0-2", "c-0-2-1", MarkKind.CROSS, BLUE_BALLPOINT),
    Wish("c-0-2", "c-0-2-4", MarkKind.TICK, BLUE_BALLPOINT),
    # One seat, two votes.
    Wish("c-0-3", "c-0-3-1", MarkKind.FILL, FELT_TIP),
    Wish("c-0-3", "c-0-3-2", MarkKind.FILL, FELT_TIP),
    # A name, and its oval left empty.
    Wish("c-0-4", "write-in-0", None, FELT_TIP, with_name=True),
    Wish("c-0-5", "c-0-5-yes", MarkKind.LINE, BALLPOINT),
    Wish("c-1-1", "c-1-1-1", MarkKind.SCRIBBLE, PENCIL),
    Wish("c-1-5", "c-1-5-3", MarkKind.FILL, PENCIL),
)
_CLEAN = (
    Wish("c-0-1", "c-0-1-1"),
    Wish("c-0-3", "c-0-3-2"),
    Wish("c-0-5", "c-0-5-no"),
    Wish("c-1-4", "c-1-4-2"),
    Wish("c-1-5", "write-in-0", with_name=True),
)
_FOREIGN = (Wish("c-0-3", "c-0-3-1"),)


@dataclass(frozen=True, slots=True)
class DemoSheet:
    """One sheet of the demo.

    Attributes:
        name: Its folder.
        sentence: What kind of sheet it is.
        ends: The disposition that its reading must have.
        marked: The sheet as the voter left it.
        seed: Decides where the dust lies.
        feed: How it goes into the scanner.
    """

    name: str
    sentence: str
    ends: str
    marked: MarkedSheet
    seed: int
    feed: Feed

    def scan(self) -> ScannedPair:
        """The sheet's two images."""
        return scan(self.marked, _DAMAGES, seed=self.seed, feed=self.feed)


def demo_sheets() -> tuple[DemoSheet, ...]:
    """The sheets in the order in which they are shown."""
    return (
        DemoSheet("doubtful", "A ballot that leaves questions", "hold", _marked(ELECTION, _DOUBTFUL, 1), 1, Feed()),
        DemoSheet("clean", "A clean ballot, fed upside down", "accept", _marked(ELECTION, _CLEAN, 2), 2, Feed(upside_down=True)),
        DemoSheet("foreign", "A ballot of another election", "return", _marked(_OTHER_ELECTION, _FOREIGN, 3), 3, Feed()),
    )


def _marked(raw: bytes, wishes: tuple[Wish, ...], seed: int) -> MarkedSheet:
    election = load_election(raw)
    return mark_sheet(render_sheet(election, election.ballot_styles[0].id), wishes, seed)
