"""The totals by contest, as they were computed here from the records."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from edge.audit.report_page.markup import Markup, name, sentence_count, tag
from edge.definition.election import Election

Item = TypeVar("Item")
Items = Annotated[list[Item], Field(max_length=4096, fail_fast=True)]
Count = Annotated[int, Field(ge=0, le=1 << 40)]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


class VotesShape(_Shape):
    """An option and its votes."""

    name: str
    votes: Count


class ContestShape(_Shape):
    """The sums of a contest."""

    title: str
    seats: Count
    ballots: Count
    votes: Items[VotesShape]
    write_ins: Count
    overvotes: Count
    undervotes: Count


class PrecinctShape(_Shape):
    """The sums of a precinct; None for the sheets that name none."""

    precinct_id: str | None
    sheets: Count
    ballots: Count


class TotalsShape(_Shape):
    """`results/totals.json` as far as it is shown."""

    sheets: Count
    ballots: Count
    held_and_cast: Count
    contests: Items[ContestShape]
    precincts: Items[PrecinctShape]


def totals(document: dict[str, Any] | None, election: Election) -> Markup:
    """The section of the totals."""
    return tag("section", tag("h2", "Totals"), *_content(document, election), id="totals")


def _content(document: dict[str, Any] | None, election: Election) -> list[Markup]:
    if document is None:
        return [tag("p", "There are none: totals are made of the cast sheets' records once the polls are closed for good.")]
    try:
        shape = TotalsShape.model_validate(document, by_alias=True, by_name=False)
    except (ValidationError, RecursionError):
        return [tag("p", "They cannot be shown: they have not the shape of totals.")]
    counted = (
        f"{sentence_count(shape.sheets, 'sheet', 'sheets')} of {sentence_count(shape.ballots, 'ballot', 'ballots')}, "
        f"{shape.held_and_cast:,} of them held for a person and then cast. A contest with more marks than seats gives "
        "no vote and as many overvotes as it has seats. Seats without a mark are undervotes. Marked write-ins count unread."
    )
    return [
        tag("p", counted),
        _precincts(shape, election),
        tag("div", *(_contest(one) for one in shape.contests), class_="contests"),
    ]


def _precincts(shape: TotalsShape, election: Election) -> Markup:
    names = {precinct.id: precinct.name for precinct in election.precincts}
    rows = [
        tag(
            "tr",
            tag("th", "not named on the sheet" if one.precinct_id is None else _named(names, one.precinct_id), scope="row"),
            _number(one.sheets),
            _number(one.ballots),
        )
        for one in shape.precincts
    ]
    head = tag("tr", *(tag("th", title, scope="col") for title in ("Precinct", "Sheets", "Ballots")))
    return tag("table", tag("thead", head), tag("tbody", *rows), class_="sums") if rows else Markup("")


def _contest(contest: ContestShape) -> Markup:
    counts = [(name(option.name), option.votes) for option in contest.votes]
    others = {"write-ins": contest.write_ins, "overvotes": contest.overvotes, "undervotes": contest.undervotes}
    rows = [tag("tr", tag("th", label, scope="row"), _number(count)) for label, count in counts]
    rows += [tag("tr", tag("th", tag("i", label), scope="row"), _number(count)) for label, count in others.items()]
    about = tag("small", f" vote for {contest.seats}, on {sentence_count(contest.ballots, 'sheet', 'sheets')}")
    head = tag("tr", tag("th", "Choice", scope="col"), tag("th", "Votes", scope="col"))
    return tag("table", tag("caption", name(contest.title), about), tag("thead", head), tag("tbody", *rows), class_="sums")


def _named(names: dict[str, str], precinct_id: str) -> Markup:
    return name(names.get(precinct_id, precinct_id))


def _number(count: int) -> Markup:
    return tag("td", f"{count:,}")
