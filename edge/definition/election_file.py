"""The published shapes of an election file, as far as interpretation needs them.

These models check types and bounds; unknown keys are ignored, because published files carry seals, translations and more. What
the parts mean together (ids that must exist, layouts in either schema) is decided in `election.py`.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Discriminator, Field, PlainValidator
from pydantic.alias_generators import to_camel

MAX_ITEMS = 4096
"""Precincts, ballot styles, contests, options of a contest, bubbles of a style: as many as a 13-bit index is allowed to name."""
MAX_SHEETS = 15
"""The page number has five bits and ends at 30."""
MAX_DENOMINATOR = 10**18
"""Of a coordinate: a program that writes floating-point numbers gives up to 17 digits."""
COORDINATE_RANGE = (-100, 1000)
"""Grid places; the longest published paper has 85 rows."""


def _coordinate(value: object) -> Fraction:
    if isinstance(value, bool) or not isinstance(value, (int, Fraction)):
        raise ValueError("not a number")  # noqa: TRY004 - pydantic collects ValueError only
    low, high = COORDINATE_RANGE
    if not low <= value <= high:
        raise ValueError(f"outside {low}..{high}")
    exact = Fraction(value)
    if exact.denominator > MAX_DENOMINATOR:
        raise ValueError("more than 18 decimal places")
    return exact


Coordinate = Annotated[Fraction, PlainValidator(_coordinate)]
Identifier = Annotated[str, Field(min_length=1, max_length=512)]
Text = Annotated[str, Field(max_length=16_384)]
Side = Literal["front", "back"]
Item = TypeVar("Item")
# A list stops at its first bad item: a file made of nothing else must not cost a million error reports.
Items = Annotated[list[Item], Field(max_length=MAX_ITEMS, fail_fast=True)]
SheetNumber = Annotated[int, Field(ge=1, le=MAX_SHEETS)]
WriteInIndex = Annotated[int, Field(ge=0, lt=MAX_ITEMS)]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


class LabelShape(_Shape):
    """A measure's option."""

    id: Identifier
    label: Text


class NameShape(_Shape):
    """A precinct, party or candidate."""

    id: Identifier
    name: Text


class CandidateContestShape(_Shape):
    """Candidates for an office."""

    type: Literal["candidate"]
    id: Identifier
    district_id: Identifier | None = None
    party_id: Identifier | None = None
    title: Text
    seats: Annotated[int, Field(ge=1, le=MAX_ITEMS)]
    allow_write_ins: bool
    candidates: Items[NameShape]


class YesNoContestShape(_Shape):
    """A measure; older files name no options, newer ones a list."""

    type: Literal["yesno"]
    id: Identifier
    district_id: Identifier | None = None
    title: Text
    yes_option: LabelShape | None = None
    no_option: LabelShape | None = None
    options: Annotated[Items[LabelShape], Field(min_length=2)] | None = None


class StraightPartyContestShape(_Shape):
    """One mark for all candidates of a party."""

    type: Literal["straight-party"]
    id: Identifier
    district_id: Identifier | None = None
    title: Text
    option_ids: Items[Identifier] | None = None


ContestShape = Annotated[CandidateContestShape | YesNoContestShape | StraightPartyContestShape, Discriminator("type")]


class OldAreaShape(_Shape):
    """A write-in area of the `gridLayouts` schema, in absolute grid coordinates."""

    x: Coordinate
    y: Coordinate
    width: Coordinate
    height: Coordinate


class OutsetsShape(_Shape):
    """How far an option's box reaches from its bubble, in grid units."""

    top: Coordinate
    right: Coordinate
    bottom: Coordinate
    left: Coordinate


class _OldPositionShape(_Shape):
    sheet_number: SheetNumber
    side: Side
    column: Coordinate
    row: Coordinate
    contest_id: Identifier


class OldOptionShape(_OldPositionShape):
    """A printed option of the `gridLayouts` schema."""

    type: Literal["option"]
    option_id: Identifier


class OldWriteInShape(_OldPositionShape):
    """A write-in line of the `gridLayouts` schema."""

    type: Literal["write-in"]
    write_in_index: WriteInIndex
    write_in_area: OldAreaShape | None = None


class GridLayoutShape(_Shape):
    """The bubbles of one ballot style, `gridLayouts` schema."""

    ballot_style_id: Identifier
    option_bounds_from_target_mark: OutsetsShape
    grid_positions: Items[Annotated[OldOptionShape | OldWriteInShape, Discriminator("type")]]


class AreaShape(_Shape):
    """A box of the `ballotPositions` schema, in absolute grid coordinates."""

    column: Coordinate
    row: Coordinate
    width: Coordinate
    height: Coordinate


class PointShape(_Shape):
    """A bubble's centre."""

    column: Coordinate
    row: Coordinate


class _PositionShape(_Shape):
    bubble_center: PointShape
    bounds: AreaShape


class OptionShape(_PositionShape):
    """A printed option of the `ballotPositions` schema."""

    type: Literal["option"]
    option_id: Identifier


class WriteInShape(_PositionShape):
    """A write-in line of the `ballotPositions` schema."""

    type: Literal["write-in"]
    write_in_index: WriteInIndex
    write_in_area: AreaShape | None = None


class ContestPositionsShape(_Shape):
    """One contest on one side of a sheet."""

    contest_id: Identifier
    options: Items[Annotated[OptionShape | WriteInShape, Discriminator("type")]]


SideShape = Items[ContestPositionsShape]
SheetShape = Annotated[Items[SideShape], Field(min_length=2, max_length=2)]


class BallotStyleShape(_Shape):
    """A ballot style; `ballotPositions` is the layout schema of v4.1: sheets, each [front, back]."""

    id: Identifier
    group_id: Identifier | None = None
    precincts: Items[Identifier]
    districts: Items[Identifier]
    party_id: Identifier | None = None
    languages: Items[Identifier] | None = None
    ballot_positions: Annotated[Items[SheetShape], Field(max_length=MAX_SHEETS)] | None = None


class BallotLayoutShape(_Shape):
    """What the file says about the paper."""

    paper_size: Identifier | None = None
    metadata_encoding: Literal["qr-code", "timing-marks"] | None = None


class ElectionShape(_Shape):
    """The whole file."""

    title: Text
    date: Text
    precincts: Annotated[Items[NameShape], Field(min_length=1)]
    parties: Items[NameShape] = []
    ballot_styles: Annotated[Items[BallotStyleShape], Field(min_length=1)]
    contests: Items[ContestShape]
    ballot_layout: BallotLayoutShape | None = None
    grid_layouts: Items[GridLayoutShape] = []
    mark_thresholds: Any = None
