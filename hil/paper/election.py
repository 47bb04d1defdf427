"""Made-up elections in the published format, with every bubble's place computed from the words beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from random import Random
from typing import Any

from edge.definition.paper import PaperSize
from hil.paper import names
from hil.paper.geometry import PageGeometry
from hil.paper.layout import (
    BUBBLE_DROP,
    BUBBLE_INSET,
    NAME_INSET,
    RIGHT_INSET,
    WRITE_IN_LINE,
    BallotContest,
    Composer,
    PlacedContest,
    PlacedOption,
    SheetFullError,
    vote_for,
)
from hil.paper.names import TextLength


class Encoding(StrEnum):
    """How a page says which page it is."""

    QR_CODE = "qr-code"
    TIMING_MARKS = "timing-marks"


class Schema(StrEnum):
    """Which of the two published forms of layout the definition uses."""

    GRID_LAYOUTS = "gridLayouts"
    BALLOT_POSITIONS = "ballotPositions"


class Density(StrEnum):
    """How full the ballot is."""

    SPARSE = "sparse"
    NORMAL = "normal"
    DENSE = "dense"


_TOWN_CONTESTS = {Density.SPARSE: 2, Density.NORMAL: 5, Density.DENSE: 8}
_WARD_CONTESTS = {Density.SPARSE: 2, Density.NORMAL: 5, Density.DENSE: 60}
"""Contests per sheet that are tried for a ward."""
_MOST_CANDIDATES = {Density.SPARSE: 3, Density.NORMAL: 5, Density.DENSE: 8}


@dataclass(frozen=True, slots=True)
class _Contest:
    record: dict[str, Any]
    printed: BallotContest


@dataclass(frozen=True, slots=True)
class _Plan:
    geometry: PageGeometry
    schema: Schema
    text: TextLength
    columns: int
    density: Density
    sheets: int


def make_election(
    seed: int = 0,
    *,
    paper: PaperSize = PaperSize.LETTER,
    encoding: Encoding | str = Encoding.QR_CODE,
    schema: Schema | str = Schema.GRID_LAYOUTS,
    text: TextLength | str = TextLength.NORMAL,
    columns: int = 3,
    density: Density | str = Density.NORMAL,
    styles: int = 2,
    precincts: int = 3,
    sheets: int = 1,
) -> bytes:
    """Writes a made-up election.

    Args:
        seed: Names, contests and candidates follow from it.
        paper: Size of the ballot.
        encoding: QR code, or New Hampshire's bottom row of timing marks: styles are then card numbers, and `sheets` is 1.
        schema: Published form of the layout.
        text: Wordiness; long text takes more rows and spills over to the back and to further sheets.
        columns: Columns of contests, 2 or 3.
        density: Sparse and normal ballots have 4 and 10 contests per style where these fit, dense ones fill the sheets.
        styles: Number of ballot styles, 1 to 8; each has the town's contests and one ward's.
        precincts: Number of precincts, at least one.
        sheets: Sheets that may be used per ballot; contests that do not fit are left out.

    Returns:
        The definition file, UTF-8 JSON.
    """
    encoding = Encoding(encoding)
    if encoding is Encoding.TIMING_MARKS and sheets != 1:
        raise ValueError("the bottom row of timing marks has no room for a sheet number")
    plan = _Plan(
        PageGeometry(paper, bottom_row_is_code=encoding is Encoding.TIMING_MARKS),
        Schema(schema),
        TextLength(text),
        columns,
        Density(density),
        sheets,
    )
    random = Random(f"election {seed}")
    town = random.choice(names.TOWNS)
    wards = names.quarters(random, styles)
    districts = [("d-town", town)] + [(f"d-ward-{index + 1}", ward) for index, ward in enumerate(wards)]
    of_town = _contests(random, plan, "d-town", town, 0)
    contests = list(of_town)
    ballot_styles: list[dict[str, Any]] = []
    grid_layouts: list[dict[str, Any]] = []
    used: set[str] = set()
    for index, ward in enumerate(wards):
        of_ward = _contests(random, plan, f"d-ward-{index + 1}", ward, index + 1)
        contests += of_ward
        style_id = f"card-number-{index + 1}" if encoding is Encoding.TIMING_MARKS else f"{index + 1}_en"
        placed = _compose(plan, of_town, of_ward)
        used |= {box.contest_id for box in placed}
        style: dict[str, Any] = {
            "id": style_id,
            "groupId": str(index + 1),
            "precincts": [
                f"p-{number + 1}" for number in range(precincts) if styles > precincts or number % styles == index % styles
            ],
            "districts": ["d-town", f"d-ward-{index + 1}"],
            "languages": ["en"],
        }
        ballot_styles.append(style)
        if plan.schema is Schema.BALLOT_POSITIONS:
            style["ballotPositions"] = _ballot_positions(placed)
        else:
            grid_layouts.append(_grid_layout(style_id, placed))
    election = {
        "title": f"{town} Town Election",
        "type": "general",
        "date": "2031-05-06",
        "state": "Free Shire",
        "county": {"id": "county", "name": names.county(random)},
        "seal": "",
        "parties": [],
        "districts": [{"id": district_id, "name": name} for district_id, name in districts],
        "precincts": [{"id": f"p-{number + 1}", "name": f"Precinct {number + 1}"} for number in range(precincts)],
        "ballotStyles": ballot_styles,
        "contests": [contest.record for contest in contests if contest.printed.contest_id in used],
        "ballotLayout": {"paperSize": paper.value, "metadataEncoding": encoding.value},
    }
    if plan.schema is Schema.GRID_LAYOUTS:
        election["gridLayouts"] = grid_layouts
    return json.dumps(election, indent=1).encode()


def _contests(random: Random, plan: _Plan, district_id: str, place: str, group: int) -> list[_Contest]:
    count = _TOWN_CONTESTS[plan.density] if group == 0 else _WARD_CONTESTS[plan.density] * plan.sheets
    contests = []
    for number in range(count):
        contest_id = f"c-{group}-{number + 1}"
        if random.random() < 0.25:
            contests.append(_measure(random, plan, contest_id, district_id, place, number + 1))
        else:
            contests.append(_race(random, plan, contest_id, district_id, place))
    return contests


def _measure(random: Random, plan: _Plan, contest_id: str, district_id: str, place: str, number: int) -> _Contest:
    title = names.question(random, plan.text, place, number)
    yes, no = names.yes_and_no(plan.text)
    record = {
        "id": contest_id,
        "type": "yesno",
        "districtId": district_id,
        "title": title,
        "description": title,
        "yesOption": {"id": f"{contest_id}-yes", "label": yes},
        "noOption": {"id": f"{contest_id}-no", "label": no},
    }
    return _Contest(
        record, BallotContest(contest_id, title, vote_for(None), ((f"{contest_id}-yes", yes), (f"{contest_id}-no", no)), 0)
    )


def _race(random: Random, plan: _Plan, contest_id: str, district_id: str, place: str) -> _Contest:
    title = names.office(random, plan.text, place)
    seats = random.choice((1, 1, 1, 2, 3)) if plan.density is not Density.SPARSE else random.choice((1, 1, 2))
    count = random.randint(max(2, seats), max(seats + 1, _MOST_CANDIDATES[plan.density]))
    people: list[str] = []
    while len(people) < count:
        name = names.person(random, plan.text)
        if name not in people:
            people.append(name)
    write_ins = seats if random.random() < 0.7 else 0
    candidates = [{"id": f"{contest_id}-{number + 1}", "name": name} for number, name in enumerate(people)]
    record = {
        "id": contest_id,
        "type": "candidate",
        "districtId": district_id,
        "title": title,
        "seats": seats,
        "allowWriteIns": write_ins > 0,
        "candidates": candidates,
    }
    options = tuple((candidate["id"], candidate["name"]) for candidate in candidates)
    return _Contest(record, BallotContest(contest_id, title, vote_for(seats), options, write_ins))


def _compose(plan: _Plan, of_town: list[_Contest], of_ward: list[_Contest]) -> list[PlacedContest]:
    """Places the contests in election order and leaves out those that fit nowhere any more."""
    composer = Composer(plan.geometry, plan.columns, plan.sheets)
    placed: list[PlacedContest] = []
    for contest in of_town + of_ward:
        try:
            placed.append(composer.add(contest.printed))
        except SheetFullError:
            continue
    return placed


def _number(value: Fraction) -> float | int:
    """A JSON number; every coordinate of the layout is a multiple of 1/100 and so survives as its shortest decimal."""
    return int(value) if value.denominator == 1 else float(value)


def _write_in_area(box: PlacedContest, option: PlacedOption) -> tuple[Fraction, Fraction, Fraction, Fraction]:
    top = option.top + Fraction(3, 20)
    return (
        box.left + NAME_INSET,
        top,
        box.columns - NAME_INSET - RIGHT_INSET,
        option.top + WRITE_IN_LINE - Fraction(1, 10) - top,
    )


def _grid_layout(style_id: str, placed: list[PlacedContest]) -> dict[str, Any]:
    positions: list[dict[str, Any]] = []
    for box in placed:
        for option in box.options:
            position: dict[str, Any] = {
                "type": "option" if option.write_in_index is None else "write-in",
                "sheetNumber": box.sheet,
                "side": box.side,
                "column": _number(option.column),
                "row": _number(option.row),
                "contestId": box.contest_id,
            }
            if option.write_in_index is None:
                position["optionId"] = option.option_id
            else:
                x, y, width, height = (_number(value) for value in _write_in_area(box, option))
                position |= {
                    "writeInIndex": option.write_in_index,
                    "writeInArea": {"x": x, "y": y, "width": width, "height": height},
                }
            positions.append(position)
    outsets = {
        "top": _number(BUBBLE_DROP),
        "right": _number(placed[0].columns - BUBBLE_INSET),
        "bottom": _number(BUBBLE_DROP),
        "left": _number(BUBBLE_INSET),
    }
    return {"ballotStyleId": style_id, "optionBoundsFromTargetMark": outsets, "gridPositions": positions}


def _ballot_positions(placed: list[PlacedContest]) -> list[list[list[dict[str, Any]]]]:
    sheets: list[list[list[dict[str, Any]]]] = [[[], []] for _ in range(max(box.sheet for box in placed))]
    for box in placed:
        options: list[dict[str, Any]] = []
        for option in box.options:
            entry: dict[str, Any] = {
                "type": "option" if option.write_in_index is None else "write-in",
                "bubbleCenter": {"row": _number(option.row), "column": _number(option.column)},
                "bounds": _area(box.left, option.top, box.columns, option.rows),
            }
            if option.write_in_index is None:
                entry["optionId"] = option.option_id
            else:
                entry |= {"writeInIndex": option.write_in_index, "writeInArea": _area(*_write_in_area(box, option))}
            options.append(entry)
        contest = {"contestId": box.contest_id, "bounds": _area(box.left, box.top, box.columns, box.rows), "options": options}
        sheets[box.sheet - 1][0 if box.side == "front" else 1].append(contest)
    return sheets


def _area(column: Fraction, row: Fraction, width: Fraction, height: Fraction) -> dict[str, float | int]:
    return {"row": _number(row), "column": _number(column), "width": _number(width), "height": _number(height)}
