"""The record of a cast sheet, held against the election before anything is counted or said of it.

A record may come from a stick that nobody trusts, so its shape is checked first, then every id in it. A record that is not of
this election, not of a cast sheet, or at odds with the printed layout is refused and never counted in part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from edge.definition.errors import DefinitionError
from edge.definition.payload_fields import MAX_PAGE_NUMBER
from edge.definition.settings import first_problem
from edge.evidence.cdf.election_parts import parts_of
from edge.evidence.cdf.error import CdfError
from edge.record import RECORD_VERSION

if TYPE_CHECKING:
    from edge.definition.election import BallotStyle, Election
    from edge.definition.page_layout import BubblePosition
    from edge.evidence.cdf.election_parts import Json

_MOST_ITEMS = 1 << 16
_MOST_PIXELS = 1 << 31
_MOST_CHARACTERS = 1024
"""Of an id: a definition has 512, to which options of old measures add a few."""

Item = TypeVar("Item")
_Items = Annotated[list[Item], Field(max_length=_MOST_ITEMS, fail_fast=True)]
# The limit also makes the validator look at the characters: half of a surrogate pair, which JSON may escape, is refused.
_Text = Annotated[str, Field(max_length=_MOST_CHARACTERS)]
_Pixels = Annotated[int, Field(ge=0, le=_MOST_PIXELS)]
_Side = Literal["front", "back"]
_Lists = dict[_Text, _Items[_Text]]
BubbleVerdict = Literal["marked", "marginal", "unmarked", "unreadable"]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


class ScoreShape(_Shape):
    """A count of pixels out of another."""

    count: _Pixels
    of: _Pixels


class WriteInAreaShape(_Shape):
    """What was found in a write-in's area; a doubt means that it could not be judged."""

    doubt: _Text | None


class BubbleShape(_Shape):
    """A bubble as it was measured."""

    side: _Side
    contest_id: _Text
    option_id: _Text
    fill: ScoreShape
    verdict: BubbleVerdict
    doubt: _Text | None
    write_in_area: WriteInAreaShape | None = None


class _MetadataShape(_Shape):
    ballot_style_id: _Text
    precinct_id: _Text | None
    page_number: Annotated[int, Field(ge=1, le=MAX_PAGE_NUMBER)]
    ballot_hash: _Text | None


class _PageShape(_Shape):
    scan: Literal["A", "B"]
    side: _Side
    metadata: _MetadataShape | None


class _DispositionShape(_Shape):
    kind: Literal["accept", "return", "hold"]
    castable: bool


class _VersionsShape(_Shape):
    record: int


class _RecordShape(_Shape):
    disposition: _DispositionShape
    kind: Literal["handMarked", "machineMarked", "refused"]
    votes: _Lists
    marginal: _Lists
    unmarked_write_ins: _Lists
    write_in_names: _Lists
    contests: _Items[_Text]
    pages: Annotated[list[_PageShape], Field(max_length=2)]
    scores: _Items[BubbleShape]
    versions: _VersionsShape


@dataclass(frozen=True, slots=True)
class CastSheet:
    """A cast sheet as its record says.

    Attributes:
        by_hand: Whether the marks are a person's; otherwise a marking device printed the votes.
        style: The ballot style.
        precinct_id: None where the sheet does not name one.
        sheet_number: Place of the sheet in the ballot, from 1.
        held: Whether a person cast it although it was held.
        scans: The scans in the order front, back.
        contests: The contests on the sheet, in the election's order.
        votes: The marked options by contest, contests without any left out; overvotes as they are.
        marginal: Options with a mark that a person must judge, alike.
        unmarked_write_ins: Write-in lines with ink but no mark, alike.
        write_in_names: What a marking device printed for write-ins, in order.
        bubbles: What was measured, front first, in the layout's order; none if a marking device printed the votes.
    """

    by_hand: bool
    style: BallotStyle
    precinct_id: str | None
    sheet_number: int
    held: bool
    scans: tuple[str, ...]
    contests: tuple[str, ...]
    votes: Mapping[str, tuple[str, ...]]
    marginal: Mapping[str, tuple[str, ...]]
    unmarked_write_ins: Mapping[str, tuple[str, ...]]
    write_in_names: Mapping[str, tuple[str, ...]]
    bubbles: tuple[BubbleShape, ...]


def read_record(record: Json, election: Election) -> CastSheet:
    """The record of a cast sheet.

    Args:
        record: The parsed JSON of `edge.record`, from anywhere.
        election: What the sheet was read with.

    Raises:
        CdfError: `recordMalformed`, `recordVersion`, `recordForeign`, `recordNotCast`, `recordContradicts`.
    """
    try:
        shape = _RecordShape.model_validate(record, by_alias=True, by_name=False)
    except ValidationError as error:
        raise CdfError("recordMalformed", first_problem(error)) from error
    if shape.versions.record != RECORD_VERSION:
        raise CdfError("recordVersion", f"the record is of version {shape.versions.record}, not {RECORD_VERSION}")
    _check_cast(shape)
    metadata = _metadata(shape)
    style = _style(metadata, election)
    by_hand = shape.kind == "handMarked"
    if by_hand and metadata.page_number % 2 == 0:
        raise CdfError("recordMalformed", f"page {metadata.page_number} is the back of a sheet, not its front")
    sheet = CastSheet(
        by_hand=by_hand,
        style=style,
        precinct_id=metadata.precinct_id,
        # A marking device prints on one side: each of its pages is a sheet.
        sheet_number=(metadata.page_number + 1) // 2 if by_hand else metadata.page_number,
        held=shape.disposition.kind == "hold",
        scans=tuple(page.scan for page in shape.pages),
        contests=tuple(shape.contests),
        votes=_options(shape.votes, shape, election),
        marginal=_options(shape.marginal, shape, election),
        unmarked_write_ins=_options(shape.unmarked_write_ins, shape, election),
        write_in_names={contest: tuple(names) for contest, names in shape.write_in_names.items()},
        bubbles=tuple(shape.scores),
    )
    if by_hand:
        _check_marks(sheet, election)
    else:
        _check_summary(sheet, election)
    return sheet


def _check_cast(shape: _RecordShape) -> None:
    if shape.kind == "refused" or shape.disposition.kind == "return":
        raise CdfError("recordNotCast", "the sheet went back to the voter")
    if not shape.disposition.castable:
        raise CdfError("recordNotCast", "the sheet was held and nobody was allowed to cast it")


def _metadata(shape: _RecordShape) -> _MetadataShape:
    if [page.side for page in shape.pages] != ["front", "back"] or len({page.scan for page in shape.pages}) != 2:
        raise CdfError("recordMalformed", "a sheet has a front and a back, one scan each")
    metadata = shape.pages[0].metadata
    if metadata is None:
        raise CdfError("recordMalformed", "the front does not say which ballot it is")
    return metadata


def _style(metadata: _MetadataShape, election: Election) -> BallotStyle:
    if metadata.ballot_hash is not None and metadata.ballot_hash != election.ballot_hash.hex():
        raise CdfError("recordForeign", f"the ballot hash is not {election.ballot_hash.hex()}")
    if metadata.precinct_id is not None and metadata.precinct_id not in parts_of(election).precincts:
        raise CdfError("recordForeign", "the sheet names a precinct that the election does not have")
    try:
        return election.style(metadata.ballot_style_id)
    except DefinitionError as error:
        raise CdfError("recordForeign", "the sheet names a ballot style that the election does not have") from error


def _options(lists: Mapping[str, list[str]], shape: _RecordShape, election: Election) -> dict[str, tuple[str, ...]]:
    known, on_sheet = parts_of(election).choice_refs, set(shape.contests)
    for contest, options in lists.items():
        if contest not in on_sheet or not options or len(set(options)) != len(options):
            raise CdfError("recordMalformed", "a contest that is not on the sheet, an empty list or a doubled option")
        if any((contest, option) not in known for option in options):
            raise CdfError("recordForeign", "the record names an option that its contest does not have")
    return {contest: tuple(options) for contest, options in lists.items()}


def _check_marks(sheet: CastSheet, election: Election) -> None:
    """The contests and bubbles must be those printed on this sheet, and the votes must be what the bubbles say."""
    printed = [(p.side, p.contest_id, p.option_id) for p in _positions(sheet, election)]
    if [(bubble.side, bubble.contest_id, bubble.option_id) for bubble in sheet.bubbles] != printed:
        raise CdfError("recordForeign", "the bubbles are not those that the definition has on this sheet")
    there = {contest for _, contest, _ in printed}
    if list(sheet.contests) != [contest.id for contest in election.contests if contest.id in there]:
        raise CdfError("recordContradicts", "the contests are not those of the bubbles")
    marked = {(b.contest_id, b.option_id) for b in sheet.bubbles if b.verdict == "marked"}
    marginal = {(b.contest_id, b.option_id) for b in sheet.bubbles if b.verdict == "marginal"} - marked
    if _pairs(sheet.votes) != marked or _pairs(sheet.marginal) != marginal:
        raise CdfError("recordContradicts", "the votes are not those of the bubbles")
    if sheet.write_in_names:
        raise CdfError("recordContradicts", "a person's handwriting is not read, yet there are names")


def _positions(sheet: CastSheet, election: Election) -> list[BubblePosition]:
    sides: tuple[_Side, _Side] = ("front", "back")
    pages = [election.page_layout(sheet.style.id, sheet.sheet_number, side) for side in sides]
    return [position for page in pages if page is not None for position in page.positions]


def _check_summary(sheet: CastSheet, election: Election) -> None:
    """What a marking device printed: contests of the style, no more votes than seats, a name for each write-in."""
    on_sheet = set(sheet.contests)
    of_style = [contest.id for contest in election.contests_of(sheet.style) if contest.id in on_sheet]
    if list(sheet.contests) != of_style:
        raise CdfError("recordForeign", "the contests are not those of the ballot style")
    if sheet.bubbles or sheet.marginal or sheet.unmarked_write_ins or not sheet.write_in_names.keys() <= sheet.votes.keys():
        raise CdfError("recordContradicts", "a printed ballot has no bubbles, and no names where it has no votes")
    for contest_id, options in sheet.votes.items():
        names = sheet.write_in_names.get(contest_id, ())
        written = {choice.option_id for choice in parts_of(election).choices[contest_id] if choice.is_write_in} & set(options)
        if written != {f"write-in-{index}" for index in range(len(names))}:
            raise CdfError("recordContradicts", "the write-ins are not those that have names")
        if len(options) > election.contest(contest_id).seats:
            raise CdfError("recordContradicts", "a marking device prints no more votes than there are seats")


def _pairs(lists: Mapping[str, tuple[str, ...]]) -> set[tuple[str, str]]:
    return {(contest, option) for contest, options in lists.items() for option in options}
