"""A marked sheet and what it says: which votes must be counted, which a person must look at, which must not be counted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from edge.definition.bubble_payload import BubbleVersion
from edge.definition.paper import GRID_COLUMNS
from hil.paper.exposure import ExposedSide, Exposure
from hil.paper.pen import DrawnMark, Intent, MarkKind, mark_bubble, write_in
from hil.paper.sheet import PrintedBubble, PrintedSheet, render_sheet
from hil.paper.stroke import BALLPOINT, DARK_PENS, PALE_PENCIL, Pen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.definition.election import Election
    from hil.paper.lettering import Grey

Choice = tuple[str, str]
"""Contest id and option id."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a voter does at one bubble.

    Attributes:
        contest_id: The contest.
        option_id: The option; `write-in-0` and so on for write-ins.
        kind: The mark to draw; None leaves the bubble alone.
        pen: The pen for mark and name.
        with_name: Writes a name into the write-in's area.
    """

    contest_id: str
    option_id: str
    kind: MarkKind | None = MarkKind.FILL
    pen: Pen = BALLPOINT
    with_name: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class MarkedSheet:
    """A sheet after the voter.

    Attributes:
        printed: The blank sheet.
        front: Grey uint8, read-only.
        back: The same for the back.
        marks: Every bubble that got a mark, and the mark.
        written: Write-in bubbles with a name in their area.
    """

    printed: PrintedSheet
    front: Grey
    back: Grey
    marks: tuple[tuple[PrintedBubble, DrawnMark], ...]
    written: tuple[PrintedBubble, ...]

    def choices(self, *intents: Intent) -> frozenset[Choice]:
        """The options with a mark of any of these intents."""
        return frozenset(_choice(bubble) for bubble, mark in self.marks if mark.intent in intents)

    @property
    def votes(self) -> dict[str, tuple[str, ...]]:
        """For every contest on the sheet, in layout order, the sorted options that a person would count."""
        counted = self.choices(Intent.MARKED)
        contests = dict.fromkeys(bubble.position.contest_id for bubble in self.printed.bubbles)
        return {contest: tuple(sorted(option for of, option in counted if of == contest)) for contest in contests}

    @property
    def strong(self) -> frozenset[Choice]:
        """Options that must be read as definitely marked."""
        return frozenset(_choice(bubble) for bubble, mark in self.marks if mark.strong)

    @property
    def weak(self) -> frozenset[Choice]:
        """Options that must not be passed over in silence: marked, marginal or held are all right."""
        return self.choices(Intent.WEAK)

    @property
    def must_not_count(self) -> frozenset[Choice]:
        """Options that must not be read as definitely marked."""
        return frozenset(_choice(bubble) for bubble in self.printed.bubbles) - self.choices(Intent.MARKED, Intent.WEAK)

    @property
    def unmarked_write_ins(self) -> frozenset[Choice]:
        """Write-ins with a name whose bubble nobody would call marked."""
        return frozenset(_choice(bubble) for bubble in self.written) & self.must_not_count

    def expected_reasons(self) -> frozenset[str]:
        """Reasons for a second look that the sheet gives beyond doubt: VxSuite's adjudication reasons, less MarginalMark.

        Weak marks may or may not count, so a contest with any gives no Undervote or Overvote that depends on them.
        """
        reasons = set()
        votes = self.votes
        doubtful = {contest for contest, _ in self.weak}
        for contest_id, options in votes.items():
            seats = self.printed.election.contest(contest_id).seats
            named = {option for contest, option in self.unmarked_write_ins if contest == contest_id}
            if len(options) + len(named) > seats:
                reasons.add("Overvote")
            if contest_id not in doubtful and len(options) + len(named) < seats:
                reasons.add("Undervote")
        if self.unmarked_write_ins:
            reasons.add("UnmarkedWriteIn")
        if not any(votes.values()) and not doubtful:
            reasons.add("BlankBallot")
        return frozenset(reasons)

    def exposure(self) -> Exposure:
        """The sheet as a scanner gets it, undamaged."""
        return expose(self.printed, self.front, self.back)


def _choice(bubble: PrintedBubble) -> Choice:
    return bubble.position.contest_id, bubble.position.option_id


def expose(printed: PrintedSheet, front: Grey | None = None, back: Grey | None = None) -> Exposure:
    """A printed sheet, with `front` and `back` in place of the blank sides if given, ready to be damaged and scanned."""
    left, right = (printed.geometry.pixel(Fraction(column), Fraction(0), printed.dpi)[0] for column in (0, GRID_COLUMNS - 1))

    def side(name: str, pixels: Grey | None) -> ExposedSide:
        blank = printed.side(name)
        targets = np.array([(bubble.x, bubble.y) for bubble in printed.bubbles_on(name)]).reshape(-1, 2)
        return ExposedSide(name, blank if pixels is None else pixels, blank, targets, (left, right))

    return Exposure(side("front", front), side("back", back), printed.dpi)


def mark_sheet(printed: PrintedSheet, wishes: Sequence[Wish], seed: int = 0) -> MarkedSheet:
    """Lets a voter carry out `wishes` on a printed sheet, with a hand that follows from `seed`."""
    rng = np.random.default_rng(seed)
    pages = {"front": printed.front.copy(), "back": printed.back.copy()}
    marks: list[tuple[PrintedBubble, DrawnMark]] = []
    written: list[PrintedBubble] = []
    for wish in wishes:
        bubble = printed.bubble(wish.contest_id, wish.option_id)
        page = pages[bubble.side]
        if wish.with_name:
            if bubble.write_in_area is None:
                raise ValueError(f"{wish.option_id} of {wish.contest_id} has no write-in area")
            write_in(page, bubble.write_in_area, wish.pen, rng, dpi=printed.dpi)
            written.append(bubble)
        if wish.kind is not None:
            marks.append((bubble, mark_bubble(page, bubble, wish.kind, wish.pen, rng, dpi=printed.dpi)))
    for page in pages.values():
        page.setflags(write=False)
    return MarkedSheet(printed, pages["front"], pages["back"], tuple(marks), tuple(written))


@dataclass(frozen=True, slots=True)
class Electorate:
    """What kind of voters fill the sheets in; shares are 0 to 1.

    Attributes:
        kinds: Marks they use, one kind per voter mostly.
        pens: Pens they use, one per voter.
        skips: Share of contests left empty.
        overvotes: Share of contests with a vote too many.
        strays: Share of the unmarked bubbles that get a stray mark.
        write_ins: Share of votes that go to a write-in where there is one.
        forgotten_bubbles: Share of written names whose bubble stays empty.
    """

    kinds: tuple[MarkKind, ...]
    pens: tuple[Pen, ...]
    skips: float
    overvotes: float
    strays: float
    write_ins: float
    forgotten_bubbles: float


CAREFUL = Electorate(
    kinds=(MarkKind.FILL,), pens=(BALLPOINT,), skips=0.05, overvotes=0.0, strays=0.0, write_ins=0.1, forgotten_bubbles=0.0
)
ORDINARY = Electorate(
    kinds=(MarkKind.FILL, MarkKind.FILL, MarkKind.SCRIBBLE, MarkKind.CROSS, MarkKind.TICK, MarkKind.LINE),
    pens=DARK_PENS,
    skips=0.12,
    overvotes=0.04,
    strays=0.01,
    write_ins=0.12,
    forgotten_bubbles=0.2,
)
DIFFICULT = Electorate(
    kinds=(MarkKind.CROSS, MarkKind.TICK, MarkKind.LINE, MarkKind.CIRCLE_INSIDE, MarkKind.GRAZE),
    pens=(*DARK_PENS, PALE_PENCIL),
    skips=0.2,
    overvotes=0.1,
    strays=0.06,
    write_ins=0.25,
    forgotten_bubbles=0.3,
)

_STRAYS = (MarkKind.DOT, MarkKind.NEAR_MISS, MarkKind.HESITATION, MarkKind.ERASED)


def random_marked_sheet(
    election: Election,
    seed: int,
    *,
    style_id: str | None = None,
    sheet_number: int = 1,
    electorate: Electorate = ORDINARY,
    precinct_index: int | None = None,
    test_mode: bool = False,
    payload_version: BubbleVersion = BubbleVersion.V4_0,
    audit_id: str | None = None,
    dpi: int = 200,
) -> MarkedSheet:
    """A sheet filled in by a random voter.

    Args:
        election: A made-up election.
        seed: The voter: choices, pen and hand follow from it.
        style_id: Ballot style; a random one if None.
        sheet_number: Which sheet.
        electorate: What voters are like.
        precinct_index: Place in the election's precincts; one of the style's if None.
        test_mode: Prints a test ballot.
        payload_version: Version of the QR payload.
        audit_id: Printed into the QR code if given.
        dpi: Pixels per inch.

    Returns:
        The sheet and its truth.
    """
    rng = np.random.default_rng((seed, 1))
    style = election.style(style_id) if style_id else election.ballot_styles[int(rng.integers(len(election.ballot_styles)))]
    if precinct_index is None:
        chosen = style.precinct_ids[int(rng.integers(len(style.precinct_ids)))]
        precinct_index = [precinct.id for precinct in election.precincts].index(chosen)
    printed = render_sheet(
        election,
        style.id,
        sheet_number,
        precinct_index=precinct_index,
        test_mode=test_mode,
        payload_version=payload_version,
        audit_id=audit_id,
        dpi=dpi,
    )
    return mark_sheet(printed, _voter(printed, electorate, rng), seed)


def _voter(printed: PrintedSheet, electorate: Electorate, rng: np.random.Generator) -> list[Wish]:
    pen = electorate.pens[int(rng.integers(len(electorate.pens)))]
    habit = electorate.kinds[int(rng.integers(len(electorate.kinds)))]
    wishes: list[Wish] = []
    for contest_id in dict.fromkeys(bubble.position.contest_id for bubble in printed.bubbles):
        bubbles = [bubble for bubble in printed.bubbles if bubble.position.contest_id == contest_id]
        names = [bubble.position.option_id for bubble in bubbles if bubble.position.write_in_index is None]
        blanks = [bubble.position.option_id for bubble in bubbles if bubble.position.write_in_index is not None]
        seats = printed.election.contest(contest_id).seats
        count = _how_many(seats, electorate, rng)
        own = min(len(blanks), count, int(rng.binomial(count, electorate.write_ins)))
        chosen = [str(option) for option in rng.permutation(names)[: count - own]] + blanks[:own]
        for option in chosen:
            kind = habit if rng.random() < 0.9 else electorate.kinds[int(rng.integers(len(electorate.kinds)))]
            if pen.pale and kind is MarkKind.GRAZE:
                kind = MarkKind.CROSS  # nobody could tell what such a breath of grey beside a bubble means
            wish = Wish(contest_id, option, kind, pen, with_name=option in blanks)
            if wish.with_name and rng.random() < electorate.forgotten_bubbles:
                wish = replace(wish, kind=None)
            wishes.append(wish)
        strays = [option for option in names if option not in chosen and rng.random() < electorate.strays]
        wishes += [Wish(contest_id, option, _STRAYS[int(rng.integers(len(_STRAYS)))], pen) for option in strays]
    return wishes


def _how_many(seats: int, electorate: Electorate, rng: np.random.Generator) -> int:
    lot = rng.random()
    if lot < electorate.skips:
        return 0
    if lot < electorate.skips + electorate.overvotes:
        return seats + 1
    return seats if rng.random() < 0.8 else int(rng.integers(1, seats + 1))
