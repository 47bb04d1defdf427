"""The record of a sheet as far as the page shows it. It comes from an export: its shape is checked before anything is drawn."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

Item = TypeVar("Item")
Items = Annotated[list[Item], Field(max_length=4096, fail_fast=True)]
Lists = Annotated[dict[str, Items[str]], Field(max_length=4096)]
"""Option ids by contest id."""
Pixel = Annotated[int, Field(ge=-(1 << 20), le=1 << 20)]
Subpixel = Annotated[int, Field(ge=-(1 << 28), le=1 << 28)]
Box = Annotated[list[Pixel], Field(min_length=4, max_length=4)]
"""x, y, width, height in pixels of the page as printed."""
Corner = Annotated[list[Subpixel], Field(min_length=2, max_length=2)]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


class ReasonShape(_Shape):
    """Why a sheet was held or returned."""

    code: str
    contest_id: str | None = None
    option_ids: Items[str] = []
    scan: str | None = None
    detail: str | None = None


class DispositionShape(_Shape):
    """What was to happen to the sheet."""

    kind: Literal["accept", "return", "hold"]
    castable: bool
    reasons: Items[ReasonShape]


class MetadataShape(_Shape):
    """What a page says about itself."""

    ballot_style_id: str
    precinct_id: str | None
    page_number: int
    total_pages: int | None
    test_mode: bool | None


class OptionBoxShape(_Shape):
    """Where an option stands: its oval and its name."""

    option_id: str
    box: Box


class ContestBoxShape(_Shape):
    """Where a contest stands."""

    contest_id: str
    box: Box
    options: Items[OptionBoxShape]


class PageShape(_Shape):
    """One side of the sheet."""

    scan: Literal["A", "B"]
    side: Literal["front", "back"]
    upside_down: bool
    dpi: Annotated[int, Field(ge=1, le=2400)]
    width: Annotated[int, Field(ge=1, le=1 << 16)]
    height: Annotated[int, Field(ge=1, le=1 << 16)]
    metadata: MetadataShape | None
    contests: Items[ContestBoxShape]


class WriteInShape(_Shape):
    """The area beside a write-in's bubble; its corners in 1/256 pixel."""

    corners: Annotated[list[Corner], Field(max_length=8)]
    filled: bool
    doubt: str | None


class ScoreShape(_Shape):
    """One bubble."""

    side: Literal["front", "back"]
    contest_id: str
    option_id: str
    box: Box
    verdict: Literal["marked", "marginal", "unmarked", "unreadable"]
    doubt: str | None
    write_in_area: WriteInShape | None = None


class RecordShape(_Shape):
    """The whole record."""

    disposition: DispositionShape
    kind: Literal["handMarked", "machineMarked", "refused"]
    votes: Lists
    marginal: Lists
    unmarked_write_ins: Lists
    write_in_names: Lists
    contests: Items[str]
    pages: Annotated[list[PageShape], Field(max_length=2)]
    scores: Items[ScoreShape]

    def page(self, scan: str) -> PageShape | None:
        """The page that was read from a scan, A or B."""
        return next((page for page in self.pages if page.scan == scan), None)


def record_shape(record: dict[str, Any] | None) -> RecordShape | None:
    """The record if it has the shape of one, None otherwise."""
    try:
        return None if record is None else RecordShape.model_validate(record, by_alias=True, by_name=False)
    except (ValidationError, RecursionError):
        return None
