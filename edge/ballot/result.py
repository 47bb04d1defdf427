"""What an interpretation says: plain, immutable records of everything that was measured and concluded."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from edge.page.area import Area

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.ballot.grid import Grid
    from edge.definition.paper import PaperSize
    from edge.definition.payload_fields import BallotType
    from edge.fixed.number import Score
    from edge.page.barcode import Barcode
    from edge.page.page import Grey, Page
    from edge.page.streaks import Streak

BallotSide = Literal["front", "back"]
Scan = Literal["A", "B"]
"""The two images as they came from the scanner."""


class Verdict(StrEnum):
    """What a bubble was found to be."""

    MARKED = "marked"
    MARGINAL = "marginal"
    UNMARKED = "unmarked"
    UNREADABLE = "unreadable"


class Doubt(StrEnum):
    """What is wrong at a bubble or a write-in area; each holds the sheet."""

    MISSING_PAPER = "missingPaper"
    BUBBLE_NOT_FOUND = "bubbleNotFound"


@dataclass(frozen=True, slots=True)
class Box:
    """Pixels [x, x + width) x [y, y + height) of the page as printed (turned upright)."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True, eq=False)
class GreyInk:
    """What only the grey image shows at a bubble.

    `kind`: the faint line of an oval, ink too pale for the threshold, or a stain that passes for a mark. `score`: the pixels that
    show it. `grey`: the grey pixels of `area`, kept so that the reading can be repeated.
    """

    kind: Literal["outline", "pale", "stain"]
    score: Score
    area: Area
    grey: Grey


@dataclass(frozen=True, slots=True)
class BubbleReading:
    """One bubble: its measures and what they mean.

    `fill`: ink away from the printed line, out of the box. `outline`: how much of the printed line shows. `stroke`: length of the
    longest connected ink inside the oval, out of the box's height, in pixels; None where the fill alone decides (nothing, or
    enough). `grey_ink`: what only the grey image shows.
    """

    contest_id: str
    option_id: str
    box: Box
    fill: Score
    outline: Score
    stroke: Score | None
    grey_ink: tuple[GreyInk, ...]
    verdict: Verdict
    doubt: Doubt | None


@dataclass(frozen=True, slots=True)
class WriteInReading:
    """One write-in area: its corners in 1/256 pixel (clockwise from top left) and the ink in it."""

    contest_id: str
    option_id: str
    corners: tuple[tuple[int, int], ...]
    ink: Score
    filled: bool
    doubt: Doubt | None


@dataclass(frozen=True, slots=True)
class ContestBox:
    """Where a contest and its options were found on the page."""

    contest_id: str
    box: Box
    options: tuple[tuple[str, Box], ...]


@dataclass(frozen=True, slots=True)
class PageMetadata:
    """What a page says about itself; fields that its encoding does not carry are None."""

    ballot_style_id: str
    precinct_id: str | None
    page_number: int
    total_pages: int | None
    test_mode: bool | None
    ballot_type: BallotType | None
    audit_id: str | None
    ballot_hash: bytes | None
    encoding: str
    inferred: bool = False
    """True when this page's own code could not be read and its partner's was used."""


@dataclass(frozen=True, slots=True, eq=False)
class PageReading:
    """One side of the sheet, turned upright."""

    scan: Scan
    side: BallotSide
    page: Page
    upside_down: bool
    paper: PaperSize | None
    metadata: PageMetadata | None
    barcode: Barcode | None
    grid: Grid | None
    scale: Score | None
    streaks: tuple[Streak, ...]
    bubbles: tuple[BubbleReading, ...] = ()
    write_ins: tuple[WriteInReading, ...] = ()
    contests: tuple[ContestBox, ...] = ()

    def stored(self) -> Page:
        """The page as scanned, with no more grey than a second reading of it needs: what belongs into the evidence."""
        kept = tuple((found.area, found.grey) for bubble in self.bubbles for found in bubble.grey_ink)
        page = replace(self.page, grey=None, kept=kept)
        page = page.turned() if self.upside_down else page
        code = () if self.barcode is None or self.barcode.grey is None else ((self.barcode.area, self.barcode.grey),)
        return replace(page, kept=(*page.kept, *code))


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a sheet could not be read: a reason code, the scan at fault if one is, and where and what."""

    code: str
    scan: Scan | None
    detail: str


Kind = Literal["handMarked", "machineMarked", "refused"]


@dataclass(frozen=True, slots=True, eq=False)
class Interpretation:
    """A sheet as read.

    `contests`: the contests on this sheet in the election's order. `votes`: the options counted as marked, sorted, for each
    contest that has any; overvotes are kept as they are. `marginal`, `unmarked_write_ins`: options alike. `doubts`: options whose
    bubble or area could not be judged. `write_in_names`: names that a machine-marked ballot carries, by contest, in order.
    """

    kind: Kind
    refusal: Refusal | None
    pages: tuple[PageReading, ...]
    metadata: PageMetadata | None = None
    contests: tuple[str, ...] = ()
    votes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    marginal: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unmarked_write_ins: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    doubts: tuple[tuple[Doubt, str, str], ...] = ()
    write_in_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
