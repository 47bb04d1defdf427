"""Lines of timing marks: the right points are on the line, and each has its right place, whatever else lies around."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from edge.ballot.border import Line, find_line, number_marks

PITCH = (80, 128)
"""The accepted distance of marks at 200 dpi in half pixels, 0.2 to 0.32 inch."""
SHORTEST = 800
TOLERANCE = 20
LONGEST_GAP = 7


@dataclass(frozen=True)
class Row:
    """An evenly spaced row of marks of which some are lost, and the places of the others."""

    places: list[int]
    along: list[int]
    pitch: int


@st.composite
def rows(draw: st.DrawFn) -> Row:
    count = draw(st.integers(20, 85))
    lost = draw(st.sets(st.integers(0, count - 1), max_size=count // 3))
    places = [place for place in range(count) if place not in lost]
    assume(max(np.diff(places)) <= LONGEST_GAP)
    start, pitch = draw(st.integers(0, 300)), draw(st.integers(88, 120))
    jitter = draw(st.lists(st.integers(-1, 1), min_size=len(places), max_size=len(places)))
    return Row(places, [start + place * pitch + off for place, off in zip(places, jitter, strict=True)], pitch)


@given(rows(), st.data())
def test_every_mark_of_a_row_gets_its_place(row: Row, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(row.along))))
    along = np.array([row.along[at] for at in order], np.int64)
    numbered = number_marks(along, np.arange(len(along)), *PITCH)
    assert numbered is not None
    assert [order[at] for at in numbered.candidate.tolist()] == list(range(len(row.along)))
    assert numbered.place.tolist() == [place - row.places[0] for place in row.places]
    assert abs(numbered.pitch - row.pitch) <= 2


@given(rows(), st.data())
def test_what_stands_off_the_beat_gets_no_place(row: Row, data: st.DataObject) -> None:
    gaps = st.integers(0, len(row.along) - 2)
    # Half way between two neighbours, give or take a tenth of a pitch.
    between = data.draw(st.lists(st.tuples(gaps, st.integers(-10, 10)), max_size=4, unique_by=lambda junk: junk[0]))
    junk = [row.along[at] + row.pitch // 2 + off * row.pitch // 100 for at, off in between]
    along = np.array(row.along + junk, np.int64)
    numbered = number_marks(along, np.arange(len(along)), *PITCH)
    assert numbered is not None
    assert numbered.candidate.tolist() == list(range(len(row.along)))
    assert numbered.place.tolist() == [place - row.places[0] for place in row.places]


def test_points_without_a_common_beat_are_no_row() -> None:
    along = np.array([0, 30, 60, 2000, 2040], np.int64)
    assert number_marks(along, np.arange(len(along)), *PITCH) is None


def test_only_the_members_of_a_line_are_numbered() -> None:
    along = np.array([0, 50, 100, 150, 200, 300], np.int64)
    numbered = number_marks(along, np.array([0, 2, 4, 5]), *PITCH)
    assert numbered is not None
    assert numbered.candidate.tolist() == [0, 2, 4, 5]
    assert numbered.place.tolist() == [0, 1, 2, 3]


@given(
    row=rows(),
    offset=st.integers(0, 500),
    slope=st.integers(-40, 40),
    bow=st.integers(-8, 8),
    junk=st.lists(st.tuples(st.integers(0, 8000), st.integers(80, 400), st.booleans()), max_size=12),
)
def test_a_bent_and_leaning_border_keeps_its_points_and_no_others(
    row: Row, offset: int, slope: int, bow: int, junk: list[tuple[int, int, bool]]
) -> None:
    length = row.along[-1] - row.along[0]

    def border(along: int) -> int:
        part = along - row.along[0]
        return offset + slope * part // 1000 + 4 * bow * part * (length - part) // (length * length)

    aside = [(along, border(along) + (away if beyond else -away)) for along, away, beyond in junk]
    points = [(along, border(along)) for along in row.along] + [
        (along, across) for along, across in aside if row.along[0] <= along <= row.along[-1]
    ]
    along, across = (np.array(axis, np.int64) for axis in zip(*points, strict=True))
    found = find_line(along, across, SHORTEST, TOLERANCE)
    assert found is not None
    line, members = found
    assert members.tolist() == list(range(len(row.along)))
    assert all(abs(line.across(at) - border(at)) <= TOLERANCE + 1 for at in row.along)


@given(st.permutations(range(30)))
def test_the_line_does_not_depend_on_the_order_of_its_points(order: list[int]) -> None:
    along = np.array(order, np.int64) * 100
    found = find_line(along, along // 50 + 7, SHORTEST, TOLERANCE)
    assert found is not None
    assert [found[0].across(at) for at in (0, 1000, 2900)] == [7, 27, 65]
    assert len(found[1]) == len(order)


def test_a_border_that_leans_by_more_than_five_degrees_is_none() -> None:
    along = np.arange(0, 3000, 100, dtype=np.int64)
    assert find_line(along, along // 10, SHORTEST, TOLERANCE) is None
    assert find_line(along, along // 12, SHORTEST, TOLERANCE) is not None


def test_points_too_near_to_each_other_define_no_line() -> None:
    along = np.arange(0, SHORTEST, 100, dtype=np.int64)
    assert find_line(along, np.zeros_like(along), SHORTEST, TOLERANCE) is None
    assert find_line(along[:0], along[:0], SHORTEST, TOLERANCE) is None


def test_a_place_on_a_line_is_rounded_half_away_from_zero() -> None:
    line = Line(offset=0, start=100, rise=1, run=4)
    assert [line.across(at) for at in (94, 98, 100, 102, 106)] == [-2, -1, 0, 1, 2]
