"""One case of the sweep: a made-up sheet, its damage, and the judgement of what the interpreter said about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from edge.ballot.interpret import ScannedSheet, interpret
from edge.ballot.result import Interpretation
from edge.decision import Disposition, decide
from edge.definition.election import Election, load_election
from edge.definition.paper import PaperSize
from edge.definition.settings import SystemSettings
from hil.paper.election import make_election
from hil.paper.scan import Feed, ScannedPair, scan
from hil.paper.truth import CAREFUL, DIFFICULT, ORDINARY, MarkedSheet, random_marked_sheet

ELECTORATES = {"careful": CAREFUL, "ordinary": ORDINARY, "difficult": DIFFICULT}

Choice = tuple[str, str]


class Outcome(StrEnum):
    """What became of a sheet.

    EXACT: every strong mark is a vote, nothing else is, and the sheet may be cast. DOUBTED: read, but some bubble was left to a
    person. REFUSED: returned with a reason. WRONG: a vote that nobody cast, or one that was passed over in silence.
    """

    EXACT = "exact"
    DOUBTED = "doubted"
    REFUSED = "refused"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Case:
    """What to render, how to damage it. Everything follows from these values."""

    seed: int
    paper: PaperSize = PaperSize.LETTER
    encoding: str = "qr-code"
    text: str = "normal"
    density: str = "normal"
    electorate: str = "ordinary"
    dpi: int = 200
    damages: Mapping[str, int] = field(default_factory=dict)
    upside_down: bool = False
    face_down: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """How a case ended. `reasons`: codes of the disposition. `false_votes`, `lost_votes`: what makes it WRONG."""

    outcome: Outcome
    reasons: tuple[str, ...]
    false_votes: frozenset[Choice]
    lost_votes: frozenset[Choice]


@lru_cache(maxsize=64)
def made_up_election(seed: int, paper: PaperSize, encoding: str, text: str, density: str) -> Election:
    """An election for many cases."""
    return load_election(make_election(seed, paper=paper, encoding=encoding, text=text, density=density))


def render(case: Case) -> tuple[Election, MarkedSheet, ScannedPair]:
    """The case's sheet, as marked and as scanned. Eight voters share an election."""
    election = made_up_election(case.seed % 4, case.paper, case.encoding, case.text, case.density)
    marked = random_marked_sheet(election, case.seed, electorate=ELECTORATES[case.electorate], dpi=case.dpi)
    feed = Feed(upside_down=case.upside_down, face_down=case.face_down)
    return election, marked, scan(marked, case.damages, seed=case.seed, feed=feed)


def read(election: Election, scanned: ScannedPair) -> tuple[Interpretation, Disposition]:
    """Interpret and decide with the default settings."""
    settings = SystemSettings()
    interpretation = interpret(ScannedSheet(scanned.top.pixels, scanned.bottom.pixels, scanned.dpi), election, settings)
    return interpretation, decide(interpretation, election, settings)


def judge(marked: MarkedSheet, interpretation: Interpretation, disposition: Disposition) -> Judgement:
    """Hold a reading against the truth."""
    reasons = tuple(sorted({str(reason.code) for reason in disposition.reasons}))
    if disposition.kind == "return":
        return Judgement(Outcome.REFUSED, reasons, frozenset(), frozenset())
    counted = {(contest, option) for contest, options in interpretation.votes.items() for option in options}
    marginal = {(contest, option) for contest, options in interpretation.marginal.items() for option in options}
    doubted = {(contest, option) for _, contest, option in interpretation.doubts}
    false_votes = frozenset(counted & marked.must_not_count)
    # What damage hid from the reader entirely cannot be seen by anyone; it must be doubted, not passed over.
    deliberate = marked.strong | marked.weak | marked_choices(marked)
    lost_votes = frozenset(deliberate - counted - marginal - doubted)
    if false_votes or lost_votes:
        return Judgement(Outcome.WRONG, reasons, false_votes, lost_votes)
    exact = marked.strong <= counted and not doubted and not marginal - marked.weak - marked_choices(marked)
    return Judgement(Outcome.EXACT if exact else Outcome.DOUBTED, reasons, frozenset(), frozenset())


def marked_choices(marked: MarkedSheet) -> frozenset[Choice]:
    """Options that a person would count."""
    return frozenset((contest, option) for contest, options in marked.votes.items() for option in options)


def run(case: Case) -> Judgement:
    """Render, read and judge one case."""
    election, marked, scanned = render(case)
    return judge(marked, *read(election, scanned))
