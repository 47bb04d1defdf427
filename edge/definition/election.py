"""An election: precincts, ballot styles, contests, and where every bubble stands.

`load_election` takes the raw file, because the ballot hash is a hash of its bytes, and gives an immutable `Election`. Both
published layout schemas (`gridLayouts`, and `ballotPositions` of v4.1) become the same flat list of bubble positions.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import ValidationError

from edge.definition.election_file import (
    AreaShape,
    BallotStyleShape,
    CandidateContestShape,
    ContestShape,
    ElectionShape,
    GridLayoutShape,
    NameShape,
    OldWriteInShape,
    SheetShape,
    Side,
    StraightPartyContestShape,
    WriteInShape,
    YesNoContestShape,
)
from edge.definition.errors import DefinitionError
from edge.definition.exact_json import InexactJsonError, read_exact_json
from edge.definition.page_layout import BubblePosition, GridArea, PageLayout
from edge.definition.paper import PaperSize
from edge.definition.settings import MarkThresholds, first_problem, mark_thresholds_from_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

MAX_ELECTION_BYTES = 16 << 20
BALLOT_HASH_BYTES = 10
"""The part of the file's SHA-256 that is printed on every ballot."""
WRITE_IN_PREFIX = "write-in-"

ContestKind = Literal["candidate", "yesno", "straight-party"]


@dataclass(frozen=True, slots=True)
class Precinct:
    """A precinct; its place in `Election.precincts` is the index in QR codes."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class BallotStyle:
    """A ballot style; its place in `Election.ballot_styles` is the index in QR codes."""

    id: str
    group_id: str
    precinct_ids: tuple[str, ...]
    district_ids: tuple[str, ...]
    party_id: str | None
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Option:
    """A choice printed in a contest."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Contest:
    """A contest; `seats` is the number of allowed choices, 1 for measures and straight-party contests.

    Options keep the election's order, which is the order of bits in summary QR codes; yes stands before no.
    """

    id: str
    kind: ContestKind
    title: str
    district_id: str | None
    party_id: str | None
    seats: int
    allow_write_ins: bool
    options: tuple[Option, ...]


Layout = tuple[BubblePosition, ...]


@dataclass(frozen=True, slots=True)
class Election:
    """An election definition, checked and immutable.

    Attributes:
        ballot_hash: first 10 bytes of the SHA-256 of the raw file.
        paper_size: what the file says; interpretation believes the image. None when the file has no ballot layout.
        metadata_encoding: how pages name their ballot style; None when the file has no ballot layout.
        mark_thresholds: only in older files, which carry them next to the contests.
        layouts: bubble positions by ballot style id, in the file's order; styles without bubbles are absent.
    """

    title: str
    date: str
    precincts: tuple[Precinct, ...]
    ballot_styles: tuple[BallotStyle, ...]
    contests: tuple[Contest, ...]
    paper_size: PaperSize | None
    metadata_encoding: Literal["qr-code", "timing-marks"] | None
    ballot_hash: bytes
    mark_thresholds: MarkThresholds | None
    layouts: Mapping[str, Layout] = field(hash=False, repr=False)
    _contest_by_id: Mapping[str, Contest] = field(init=False, repr=False, compare=False)
    _style_by_id: Mapping[str, BallotStyle] = field(init=False, repr=False, compare=False)
    _pages: dict[tuple[str, int, Side], PageLayout] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index contests and styles by id."""
        object.__setattr__(self, "_contest_by_id", {contest.id: contest for contest in self.contests})
        object.__setattr__(self, "_style_by_id", {style.id: style for style in self.ballot_styles})
        object.__setattr__(self, "_pages", {})

    @property
    def has_layouts(self) -> bool:
        """Whether any ballot style can be marked by hand."""
        return bool(self.layouts)

    def contest(self, contest_id: str) -> Contest:
        """Find a contest.

        Raises:
            DefinitionError: `unknownContest`.
        """
        try:
            return self._contest_by_id[contest_id]
        except KeyError:
            raise DefinitionError("unknownContest", f"no contest {contest_id!a} in this election") from None

    def style(self, style_id: str) -> BallotStyle:
        """Find a ballot style.

        Raises:
            DefinitionError: `unknownBallotStyle`.
        """
        try:
            return self._style_by_id[style_id]
        except KeyError:
            raise DefinitionError("unknownBallotStyle", f"no ballot style {style_id!a} in this election") from None

    def contests_of(self, style: BallotStyle) -> tuple[Contest, ...]:
        """List a style's contests in election order.

        A contest belongs to the style if its district is one of the style's (or it names none) and its party, if it names one, is
        the style's.
        """
        districts = set(style.district_ids)
        return tuple(
            contest
            for contest in self.contests
            if (contest.district_id is None or contest.district_id in districts)
            and (contest.party_id is None or contest.party_id == style.party_id)
        )

    def layout(self, style_id: str) -> Layout | None:
        """Give the bubble positions of a style, None if it has none or is unknown."""
        return self.layouts.get(style_id)

    def page_layout(self, style_id: str, sheet_number: int, side: Side) -> PageLayout | None:
        """Give the bubbles of one page of a style, possibly none; None if the style has no layout. Kept for the next sheet."""
        layout = self.layout(style_id)
        if layout is None:
            return None
        key = (style_id, sheet_number, side)
        if key not in self._pages:
            self._pages[key] = PageLayout.of(tuple(p for p in layout if p.sheet_number == sheet_number and p.side == side))
        return self._pages[key]


def load_election(raw: bytes) -> Election:
    """Read an election file.

    Args:
        raw: the file's bytes, at most 16 MiB of UTF-8 JSON in either published schema.

    Raises:
        DefinitionError: `invalidElection` for whatever is wrong with it, and nothing else for any bytes whatsoever.
    """
    try:
        shape = ElectionShape.model_validate(read_exact_json(raw, MAX_ELECTION_BYTES), by_alias=True, by_name=False)
        return _build(shape, hashlib.sha256(raw).digest()[:BALLOT_HASH_BYTES])
    except ValidationError as error:
        raise _invalid(first_problem(error)) from error
    except InexactJsonError as error:
        raise _invalid(str(error)) from error


def _invalid(detail: str) -> DefinitionError:
    return DefinitionError("invalidElection", detail)


def _build(shape: ElectionShape, ballot_hash: bytes) -> Election:
    precincts = tuple(Precinct(precinct.id, precinct.name) for precinct in shape.precincts)
    _refuse_doubles("precinct", (precinct.id for precinct in precincts))
    _refuse_doubles("party", (party.id for party in shape.parties))
    contests = tuple(_contest(contest, shape.parties) for contest in shape.contests)
    _refuse_doubles("contest", (contest.id for contest in contests))
    styles = tuple(_style(style) for style in shape.ballot_styles)
    _refuse_doubles("ballot style", (style.id for style in styles))
    known_precincts = {precinct.id for precinct in precincts}
    for style in styles:
        for precinct_id in style.precinct_ids:
            if precinct_id not in known_precincts:
                raise _invalid(f"ballot style {style.id!a} names the unknown precinct {precinct_id!a}")
    paper = shape.ballot_layout
    return Election(
        title=shape.title,
        date=shape.date,
        precincts=precincts,
        ballot_styles=styles,
        contests=contests,
        paper_size=None if paper is None or paper.paper_size is None else _paper_size(paper.paper_size),
        metadata_encoding=None if paper is None else paper.metadata_encoding,
        ballot_hash=ballot_hash,
        mark_thresholds=_mark_thresholds(shape.mark_thresholds),
        layouts=_layouts(shape, {contest.id: contest for contest in contests}),
    )


def _refuse_doubles(what: str, ids: Iterable[str]) -> None:
    seen: set[str] = set()
    for one in ids:
        if one in seen:
            raise _invalid(f"{what} id {one!a} is given twice")
        seen.add(one)


def _paper_size(name: str) -> PaperSize:
    try:
        return PaperSize(name)
    except ValueError:
        raise _invalid(f"unknown paper size {name!a}") from None


def _mark_thresholds(value: object) -> MarkThresholds | None:
    if value is None:
        return None
    try:
        return mark_thresholds_from_json(value)
    except ValidationError as error:
        raise _invalid(f"markThresholds: {first_problem(error)}") from error
    except ValueError as error:
        raise _invalid(str(error)) from error


def _style(shape: BallotStyleShape) -> BallotStyle:
    _refuse_doubles(f"ballot style {shape.id!a}: precinct", shape.precincts)
    _refuse_doubles(f"ballot style {shape.id!a}: district", shape.districts)
    return BallotStyle(
        id=shape.id,
        group_id=shape.group_id or shape.id,
        precinct_ids=tuple(shape.precincts),
        district_ids=tuple(shape.districts),
        party_id=shape.party_id,
        languages=tuple(shape.languages or ()),
    )


def _contest(shape: ContestShape, parties: list[NameShape]) -> Contest:
    match shape:
        case CandidateContestShape():
            kind: ContestKind = "candidate"
            options = tuple(Option(candidate.id, candidate.name) for candidate in shape.candidates)
        case YesNoContestShape():
            kind, options = "yesno", _yes_no_options(shape)
        case _:
            kind, options = "straight-party", _party_options(shape, parties)
    _refuse_doubles(f"contest {shape.id!a}: option", (option.id for option in options))
    for option in options:
        if option.id.startswith(WRITE_IN_PREFIX):
            raise _invalid(f"option id {option.id!a} could be taken for a write-in")
    return Contest(
        id=shape.id,
        kind=kind,
        title=shape.title,
        district_id=shape.district_id,
        party_id=shape.party_id if isinstance(shape, CandidateContestShape) else None,
        seats=shape.seats if isinstance(shape, CandidateContestShape) else 1,
        allow_write_ins=isinstance(shape, CandidateContestShape) and shape.allow_write_ins,
        options=options,
    )


def _yes_no_options(shape: YesNoContestShape) -> tuple[Option, ...]:
    named = [option for option in (shape.yes_option, shape.no_option) if option is not None]
    if len(named) == 1:
        raise _invalid(f"contest {shape.id!a} has only one of yesOption and noOption")
    if shape.options is not None:
        if named and [option.id for option in named] != [option.id for option in shape.options[:2]]:
            raise _invalid(f"contest {shape.id!a}: options do not begin with its yesOption and noOption")
        named = shape.options
    if named:
        return tuple(Option(option.id, option.label) for option in named)
    # Files from before 2023 list no options; their layouts name them like this.
    return (Option(f"{shape.id}-option-yes", "Yes"), Option(f"{shape.id}-option-no", "No"))


def _party_options(shape: StraightPartyContestShape, parties: list[NameShape]) -> tuple[Option, ...]:
    names = {party.id: party.name for party in parties}
    wanted = list(names) if shape.option_ids is None else shape.option_ids
    for party_id in wanted:
        if party_id not in names:
            raise _invalid(f"contest {shape.id!a} names the unknown party {party_id!a}")
    return tuple(Option(party_id, names[party_id]) for party_id in wanted)


def _layouts(shape: ElectionShape, contests: Mapping[str, Contest]) -> dict[str, Layout]:
    style_ids = {style.id for style in shape.ballot_styles}
    _refuse_doubles("grid layout of ballot style", (grid.ballot_style_id for grid in shape.grid_layouts))
    check = _position_check(contests)
    layouts: dict[str, Layout] = {}
    for grid in shape.grid_layouts:
        if grid.ballot_style_id not in style_ids:
            raise _invalid(f"a grid layout names the unknown ballot style {grid.ballot_style_id!a}")
        layouts[grid.ballot_style_id] = _old_layout(grid)
    for style in shape.ballot_styles:
        if style.ballot_positions is not None:
            if style.id in layouts:
                raise _invalid(f"ballot style {style.id!a} has both a grid layout and ballot positions")
            layouts[style.id] = _new_layout(style.ballot_positions)
    for layout in layouts.values():
        places = set()
        for position in layout:
            check(position)
            places.add((position.sheet_number, position.side, position.column, position.row))
        if len(places) != len(layout):
            raise _invalid("two bubbles of a layout stand at the same place")
    return {style_id: layout for style_id, layout in layouts.items() if layout}


def _position_check(contests: Mapping[str, Contest]) -> Callable[[BubblePosition], None]:
    options = {contest.id: {option.id for option in contest.options} for contest in contests.values()}

    def check(position: BubblePosition) -> None:
        contest = contests.get(position.contest_id)
        if contest is None:
            raise _invalid(f"a position names the unknown contest {position.contest_id!a}")
        known = contest.allow_write_ins if position.write_in_index is not None else position.option_id in options[contest.id]
        if not known:
            raise _invalid(f"a position names {position.option_id!a}, which contest {contest.id!a} does not have")
        area = position.write_in_area
        if position.bounds.width < 0 or position.bounds.height < 0 or (area is not None and min(area.width, area.height) <= 0):
            raise _invalid(f"a box of option {position.option_id!a} in contest {contest.id!a} has no extent")

    return check


def _old_layout(grid: GridLayoutShape) -> Layout:
    outsets = grid.option_bounds_from_target_mark
    width, height = outsets.left + outsets.right, outsets.top + outsets.bottom
    positions = []
    for shape in grid.grid_positions:
        if isinstance(shape, OldWriteInShape):
            area = shape.write_in_area
            choice = _write_in(shape.write_in_index, None if area is None else GridArea(area.x, area.y, area.width, area.height))
        else:
            choice = _Choice(shape.option_id, None, None)
        bounds = GridArea(shape.column - outsets.left, shape.row - outsets.top, width, height)
        place = (shape.sheet_number, shape.side, shape.column, shape.row, shape.contest_id)
        positions.append(BubblePosition(*place, *choice, bounds))
    return tuple(positions)


def _new_layout(sheets: list[SheetShape]) -> Layout:
    sides: tuple[Side, Side] = ("front", "back")
    positions = []
    for sheet_number, sheet in enumerate(sheets, start=1):
        for side, contests in zip(sides, sheet, strict=True):
            for contest in contests:
                for shape in contest.options:
                    if isinstance(shape, WriteInShape):
                        area = shape.write_in_area
                        choice = _write_in(shape.write_in_index, None if area is None else _area(area))
                    else:
                        choice = _Choice(shape.option_id, None, None)
                    place = (sheet_number, side, shape.bubble_center.column, shape.bubble_center.row, contest.contest_id)
                    positions.append(BubblePosition(*place, *choice, _area(shape.bounds)))
    return tuple(positions)


class _Choice(NamedTuple):
    option_id: str
    write_in_index: int | None
    write_in_area: GridArea | None


def _write_in(index: int, area: GridArea | None) -> _Choice:
    return _Choice(f"{WRITE_IN_PREFIX}{index}", index, area)


def _area(shape: AreaShape) -> GridArea:
    return GridArea(shape.column, shape.row, shape.width, shape.height)
