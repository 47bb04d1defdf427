from __future__ import annotations

from itertools import product

import pytest

from edge.definition.election import Election, load_election
from edge.definition.page_layout import BubblePosition
from edge.definition.paper import GRID_COLUMNS, PaperSize
from hil.paper.election import Density, Encoding, Schema, make_election
from hil.paper.geometry import PageGeometry
from hil.paper.layout import CONTEST_GAP, BallotContest, Composer, SheetFullError
from hil.paper.names import TextLength


def positions_of(election: Election) -> list[tuple[str, BubblePosition]]:
    return [(style.id, position) for style in election.ballot_styles for position in election.layout(style.id) or ()]


@pytest.mark.parametrize(("text", "density", "columns"), list(product(TextLength, Density, (2, 3))))
@pytest.mark.parametrize(("encoding", "schema"), list(product(Encoding, Schema)))
def test_every_kind_of_election_loads_and_keeps_its_bubbles_inside_the_grid(
    text: TextLength, density: Density, columns: int, encoding: Encoding, schema: Schema
) -> None:
    election = load_election(make_election(5, text=text, density=density, columns=columns, encoding=encoding, schema=schema))
    assert election.metadata_encoding == encoding.value
    for style in election.ballot_styles:
        layout = election.layout(style.id)
        assert layout
        assert {position.contest_id for position in layout} == {contest.id for contest in election.contests_of(style)}
        for position in layout:
            assert 0 < position.column < GRID_COLUMNS - 1
            assert 0 < position.row < PaperSize.LETTER.rows - 1
            box = position.bounds
            assert 0 < box.column < box.column + box.width < GRID_COLUMNS - 1
            assert 0 < box.row < box.row + box.height < PaperSize.LETTER.rows - 1


@pytest.mark.parametrize("schema", list(Schema))
def test_a_contest_has_a_bubble_for_every_option_and_a_write_in_line_for_every_seat(schema: Schema) -> None:
    election = load_election(make_election(1, schema=schema, density="dense"))
    for style in election.ballot_styles:
        for contest in election.contests_of(style):
            placed = [position for position in election.layout(style.id) or () if position.contest_id == contest.id]
            printed = [position.option_id for position in placed if position.write_in_index is None]
            blank = [position for position in placed if position.write_in_index is not None]
            assert printed == [option.id for option in contest.options]
            assert len(blank) == (contest.seats if contest.allow_write_ins else 0)
            assert all(position.write_in_area is not None for position in blank)


def test_both_schemas_place_the_same_bubbles() -> None:
    old, new = (load_election(make_election(9, schema=schema)) for schema in Schema)
    places = [
        [
            (style, p.sheet_number, p.side, p.column, p.row, p.contest_id, p.option_id, p.write_in_area)
            for style, p in positions_of(e)
        ]
        for e in (old, new)
    ]
    assert places[0] == places[1]


def test_option_boxes_of_the_new_schema_do_not_overlap() -> None:
    election = load_election(make_election(3, schema="ballotPositions", density="dense", text="long", columns=2))
    for style in election.ballot_styles:
        by_side: dict[tuple[int, str], list[BubblePosition]] = {}
        for position in election.layout(style.id) or ():
            by_side.setdefault((position.sheet_number, position.side), []).append(position)
        for positions in by_side.values():
            for number, one in enumerate(positions):
                for other in positions[number + 1 :]:
                    a, b = one.bounds, other.bounds
                    beside = a.column + a.width <= b.column or b.column + b.width <= a.column
                    assert beside or a.row + a.height <= b.row or b.row + b.height <= a.row


def test_the_same_seed_writes_the_same_file() -> None:
    assert make_election(4) == make_election(4)
    assert make_election(4) != make_election(5)


def test_wordy_ballots_take_more_room() -> None:
    def last(text: str) -> tuple[int, bool]:
        election = load_election(make_election(2, text=text, sheets=4))
        return max((p.sheet_number, p.side == "back") for _, p in positions_of(election))

    assert last("short") < last("long")


def test_a_dense_election_fills_two_sheets() -> None:
    election = load_election(make_election(2, density="dense", sheets=2))
    assert {p.sheet_number for _, p in positions_of(election)} == {1, 2}


@pytest.mark.parametrize("paper", list(PaperSize))
def test_every_paper_size_has_its_layout(paper: PaperSize) -> None:
    election = load_election(make_election(6, paper=paper, density="dense"))
    assert election.paper_size is paper
    rows = [float(position.row) for _, position in positions_of(election)]
    assert paper.rows * 0.7 < max(rows) < paper.rows - 1


def test_the_bottom_row_has_no_room_for_a_second_sheet() -> None:
    with pytest.raises(ValueError, match="sheet number"):
        make_election(encoding="timing-marks", sheets=2)


def test_a_contest_that_fits_nowhere_leaves_the_composer_as_it_was() -> None:

    composer = Composer(PageGeometry(PaperSize.LETTER, bottom_row_is_code=False), columns=3, sheets=1)
    small = BallotContest("c", "Clerk", "Vote for one", (("a", "Ada"), ("b", "Bram")), 0)
    first = composer.add(small)
    with pytest.raises(SheetFullError):
        composer.add(BallotContest("big", "Council", "Vote for one", tuple((str(n), "Ada") for n in range(99)), 0))
    assert composer.add(small).top == first.top + first.rows + CONTEST_GAP
