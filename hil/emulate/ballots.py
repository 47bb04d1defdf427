"""Ballots to try a station with: what is on each, how it goes in, and how it must end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from edge.decision import DispositionKind
from edge.definition.election import Election, load_election
from hil.paper.election import make_election
from hil.paper.pen import MarkKind
from hil.paper.scan import Feed, scan
from hil.paper.sheet import render_sheet
from hil.paper.stroke import BALLPOINT, BLUE_BALLPOINT, FELT_TIP, PENCIL
from hil.paper.truth import MarkedSheet, Wish, mark_sheet
from hil.scanner.sheet import Sheet

ELECTION = make_election(0)
OTHER_ELECTION = make_election(1)

_ORDINARY: Mapping[str, int] = {"rotation": 8, "dust": 2}
"""Two thirds of a degree, and some fifty specks a side."""
_STREAK: Mapping[str, int] = {"streak_through_bubbles": 40}


@dataclass(frozen=True, slots=True)
class Ballot:
    """One ballot.

    Attributes:
        name: What the sheet is called.
        sentence: What kind of ballot it is.
        ends: How the station must decide.
        reason: The first reason code of that decision; empty for an accepted ballot.
        wishes: What the voter does.
        seed: Decides how the pen wobbles and where the dust lies.
        election: The definition that it is printed from.
        damages: What happens to it on its way.
        feed: How it goes into the scanner.
    """

    name: str
    sentence: str
    ends: DispositionKind
    reason: str
    wishes: tuple[Wish, ...]
    seed: int
    election: bytes = ELECTION
    damages: Mapping[str, int] = field(default_factory=lambda: _ORDINARY)
    feed: Feed = field(default_factory=Feed)

    def marked(self) -> MarkedSheet:
        """The ballot as the voter leaves it."""
        election = _loaded(self.election)
        return mark_sheet(render_sheet(election, election.ballot_styles[0].id), self.wishes, self.seed)

    def sheet(self) -> Sheet:
        """The ballot as the scanner's two arrays see it."""
        seen = scan(self.marked(), self.damages, seed=self.seed, feed=self.feed)
        return Sheet(self.name, seen.top.pixels, seen.bottom.pixels)


@cache
def _loaded(definition: bytes) -> Election:
    return load_election(definition)


_CLEAR = (
    Wish("c-0-1", "c-0-1-1"),
    Wish("c-0-3", "c-0-3-2"),
    Wish("c-0-5", "c-0-5-no"),
    Wish("c-1-4", "c-1-4-2"),
    Wish("c-1-5", "c-1-5-3"),
)

BALLOTS = (
    Ballot("good", "a clearly marked ballot", "accept", "", _CLEAR, 1),
    Ballot(
        "overvoted",
        "two votes where one is allowed",
        "hold",
        "Overvote",
        (
            Wish("c-0-1", "c-0-1-2", MarkKind.FILL, BALLPOINT),
            Wish("c-0-2", "c-0-2-1", MarkKind.CROSS, BLUE_BALLPOINT),
            Wish("c-0-2", "c-0-2-4", MarkKind.TICK, BLUE_BALLPOINT),
            Wish("c-0-3", "c-0-3-1", MarkKind.FILL, FELT_TIP),
            Wish("c-0-3", "c-0-3-2", MarkKind.FILL, FELT_TIP),
        ),
        2,
    ),
    Ballot(
        "other-election",
        "a ballot of another election",
        "return",
        "invalidBallotHash",
        (Wish("c-0-3", "c-0-3-1"),),
        3,
        election=OTHER_ELECTION,
    ),
    Ballot(
        "upside-down",
        "fed upside down, face down",
        "accept",
        "",
        (
            Wish("c-0-1", "c-0-1-3", MarkKind.SCRIBBLE, PENCIL),
            Wish("c-0-3", "c-0-3-2", MarkKind.FILL, PENCIL),
            Wish("c-1-1", "c-1-1-1", MarkKind.FILL, PENCIL),
        ),
        4,
        feed=Feed(face_down=True, upside_down=True),
    ),
    Ballot("streaked", "dirt on the glass draws a line over it", "return", "verticalStreaksDetected", _CLEAR, 5, damages=_STREAK),
    Ballot("blank", "no mark at all", "hold", "BlankBallot", (), 6),
    Ballot(
        "write-in",
        "a written name, its oval filled",
        "accept",
        "",
        (*_CLEAR, Wish("c-0-4", "write-in-0", MarkKind.FILL, FELT_TIP, with_name=True)),
        7,
    ),
    Ballot(
        "name-only",
        "a written name, its oval left empty",
        "hold",
        "UnmarkedWriteIn",
        (*_CLEAR, Wish("c-0-4", "write-in-0", None, FELT_TIP, with_name=True)),
        8,
    ),
)
"""What a new station folder holds."""
