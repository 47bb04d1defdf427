"""A few made-up ballots of every disposition, rendered once and fed again and again."""

from __future__ import annotations

from dataclasses import dataclass

from edge.decision import Disposition, DispositionKind
from edge.definition.election import Election
from edge.definition.paper import PaperSize
from hil.scanner.sheet import Grey
from hil.sweep.case import Case, made_up_election, read, render

WANTED: dict[DispositionKind, int] = {"accept": 12, "hold": 6, "return": 6}
_FIRST_ELECTION = 0
_ELECTIONS = 4
"""Voters of the sweep share that many elections in turn: every fourth voter is of the first."""
_MOST_TRIES = 400


@dataclass(frozen=True, slots=True, eq=False)
class Ballot:
    """One ballot as the scanner's arrays see it, and what becomes of it where nothing goes wrong."""

    kind: DispositionKind
    castable: bool
    top: Grey
    bottom: Grey


def election() -> Election:
    """What the station votes on; some of the ballots are for other elections."""
    return made_up_election(_FIRST_ELECTION, PaperSize.LETTER, "qr-code", "normal", "normal")


def make_pool(wanted: dict[DispositionKind, int] | None = None) -> list[Ballot]:
    """Render ballots until there are so many of each kind, and have each read as the station will.

    Raises:
        RuntimeError: They cannot be found.
    """
    missing = dict(wanted or WANTED)
    ours = election()
    found: list[Ballot] = []
    for seed in range(_MOST_TRIES):
        if not any(missing.values()):
            return found
        # Three of four voters are of a foreign election; difficult ones leave doubts.
        electorate = "careful" if missing.get("accept") else "difficult"
        _, _, pair = render(Case(seed=seed, electorate=electorate, upside_down=seed % 5 == 4, face_down=seed % 7 == 3))
        disposition: Disposition = read(ours, pair)[1]
        if missing.get(disposition.kind, 0):
            missing[disposition.kind] -= 1
            found.append(Ballot(disposition.kind, disposition.castable, pair.top.pixels, pair.bottom.pixels))
    raise RuntimeError(f"no ballots were found for {missing}")
