"""A record is refused whole, and by name, unless it is one of a cast sheet of this election."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.ballot.result import Verdict
from edge.definition.settings import SystemSettings
from edge.evidence.cdf.error import CdfError
from edge.evidence.cdf.sheet_record import CastSheet, read_record
from tests.cdf.sheets import EVERY_REASON, LENIENT, Json, layout_of, marked_by_hand, printed_by_machine, report, town, two_sheets

MARKED = Verdict.MARKED
HAND = marked_by_hand(town(), "s0", {("dog", "rex"): MARKED, ("park", "park-y"): Verdict.MARGINAL}, precinct_id="p-1")
PRINTED = printed_by_machine(town(), "s1", {"park": ("park-n",), "board": ("b0",)}, {"board": ("ANNA",)})

Change = Callable[[Json], object]


def front(record: Json) -> Json:
    metadata: Json = record["pages"][0]["metadata"]
    return metadata


BAD_HAND: dict[str, tuple[str, Change]] = {
    "a key is missing": ("recordMalformed", lambda r: r.pop("votes")),
    "a text is a number": ("recordMalformed", lambda r: r["votes"].update(dog=[1])),
    "half a character": ("recordMalformed", lambda r: r["votes"].update(dog=["\ud800"])),
    "a count is a fraction": ("recordMalformed", lambda r: r["scores"][0].update(fill={"count": 1.5, "of": 2})),
    "a count is negative": ("recordMalformed", lambda r: r["scores"][0].update(fill={"count": -1, "of": 2})),
    "an unknown verdict": ("recordMalformed", lambda r: r["scores"][0].update(verdict="perhaps")),
    "the pages are swapped": ("recordMalformed", lambda r: r["pages"].reverse()),
    "a page is missing": ("recordMalformed", lambda r: r["pages"].pop()),
    "one scan for two pages": ("recordMalformed", lambda r: r["pages"][0].update(scan="A")),
    "nothing about the ballot": ("recordMalformed", lambda r: r["pages"][0].update(metadata=None)),
    "a back for a front": ("recordMalformed", lambda r: front(r).update(pageNumber=2)),
    "page 31": ("recordMalformed", lambda r: front(r).update(pageNumber=31)),
    "an option twice": ("recordMalformed", lambda r: r["votes"].update(dog=["rex", "rex"])),
    "an empty list": ("recordMalformed", lambda r: r["votes"].update(dog=[])),
    "votes in a contest of another sheet": ("recordMalformed", lambda r: r["votes"].update(board=["b0"])),
    "another version": ("recordVersion", lambda r: r["versions"].update(record=2)),
    "another election": ("recordForeign", lambda r: front(r).update(ballotHash="00" * 10)),
    "another precinct": ("recordForeign", lambda r: front(r).update(precinctId="p-9")),
    "another style": ("recordForeign", lambda r: front(r).update(ballotStyleId="s9")),
    "another option": ("recordForeign", lambda r: r["votes"].update(dog=["cat"])),
    "another write-in line": ("recordForeign", lambda r: r["unmarkedWriteIns"].update(dog=["write-in-1"])),
    "a bubble less": ("recordForeign", lambda r: r["scores"].pop()),
    "bubbles in another order": ("recordForeign", lambda r: r["scores"].reverse()),
    "a bubble on the other side": ("recordForeign", lambda r: r["scores"][0].update(side="back")),
    "another sheet": ("recordForeign", lambda r: front(r).update(pageNumber=3)),
    "it went back": ("recordNotCast", lambda r: r["disposition"].update(kind="return")),
    "it could not be read": ("recordNotCast", lambda r: r.update(kind="refused")),
    "nobody was allowed to cast it": ("recordNotCast", lambda r: r["disposition"].update(castable=False)),
    "a vote more": ("recordContradicts", lambda r: r["votes"].update(park=["park-n"])),
    "a vote less": ("recordContradicts", lambda r: r["votes"].pop("dog")),
    "another vote": ("recordContradicts", lambda r: r["votes"].update(dog=["ada"])),
    "a doubt less": ("recordContradicts", lambda r: r["marginal"].pop("park")),
    "a contest less": ("recordContradicts", lambda r: (r["contests"].pop(), r["marginal"].clear())),
    "a contest twice": ("recordContradicts", lambda r: r["contests"].append("dog")),
    "a name in handwriting": ("recordContradicts", lambda r: r["writeInNames"].update(dog=["ANNA"])),
}
BAD_PRINTED: dict[str, tuple[str, Change]] = {
    "a contest of another style": ("recordForeign", lambda r: r["contests"].append("a")),
    "contests in another order": ("recordForeign", lambda r: r["contests"].reverse()),
    "bubbles": ("recordContradicts", lambda r: r["scores"].append(HAND["scores"][0])),
    "a marginal mark": ("recordContradicts", lambda r: r["marginal"].update(dog=["rex"])),
    "a name without a vote": ("recordContradicts", lambda r: r["writeInNames"].update(dog=["REX"])),
    "a vote without a name": ("recordContradicts", lambda r: r["writeInNames"].clear()),
    "a name with half a character": ("recordMalformed", lambda r: r["writeInNames"].update(board=["\ud800"])),
    "a name more": ("recordContradicts", lambda r: r["writeInNames"]["board"].append("BERT")),
    "more votes than seats": ("recordContradicts", lambda r: r["votes"].update(dog=["ada", "rex"])),
}


@pytest.mark.parametrize("name", BAD_HAND)
def test_a_wrong_record_of_marks_is_refused_by_name(name: str) -> None:
    refused(HAND, *BAD_HAND[name])


@pytest.mark.parametrize("name", BAD_PRINTED)
def test_a_wrong_record_of_a_printed_ballot_is_refused_by_name(name: str) -> None:
    refused(PRINTED, *BAD_PRINTED[name])


def refused(good: Json, code: str, change: Change) -> None:
    record = copy.deepcopy(good)
    read_record(record, town())
    change(record)
    with pytest.raises(CdfError) as caught:
        read_record(record, town())
    assert caught.value.code == code
    assert str(caught.value) == f"{code}: {caught.value.detail}"


@pytest.mark.parametrize("record", [None, [], 7, "record", {}, {"votes": {}}])
def test_what_is_no_record_is_refused(record: Json) -> None:
    with pytest.raises(CdfError, match=r"^recordMalformed: "):
        read_record(record, town())


def places(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        return found + [inner for key, item in value.items() for inner in places(item, (*path, key))]
    if isinstance(value, list):
        return found + [inner for at, item in enumerate(value) for inner in places(item, (*path, at))]
    return found


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.sampled_from(["dog", "rex", "p-1"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["dog", "park", "count", "of", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.sampled_from([HAND, PRINTED]), st.data())
def test_no_change_of_a_record_ends_in_anything_but_a_sheet_or_a_reason(good: Json, data: st.DataObject) -> None:
    record = copy.deepcopy(good)
    path = data.draw(st.sampled_from(places(record)))
    parent: Any = record
    for step in path[:-1]:
        parent = parent[step]
    if data.draw(st.booleans()):
        parent[path[-1]] = data.draw(JSON)
    else:
        del parent[path[-1]]
    try:
        sheet = read_record(record, town())
    except CdfError:
        return
    assert isinstance(sheet, CastSheet)
    report(town(), record)


def test_a_printed_page_is_a_sheet_and_two_marked_pages_are_one() -> None:
    assert read_record(printed_by_machine(town(), "s1", {}, contests=("board",), page=2), town()).sheet_number == 2
    election = two_sheets()
    style = election.ballot_styles[0].id
    assert [read_record(marked_by_hand(election, style, {}, sheet=n), election).sheet_number for n in (1, 2)] == [1, 2]


def test_a_sheet_with_a_number_that_its_style_does_not_have_is_there_but_says_nothing() -> None:
    sheet = read_record(marked_by_hand(town(), "s0", {}, sheet=2), town())
    assert (sheet.sheet_number, sheet.contests, sheet.held) == (2, (), False)
    report(town(), marked_by_hand(town(), "s0", {}, sheet=2))


def test_a_write_in_line_on_both_sides_may_be_inked_here_and_marked_there() -> None:
    """The interpreter judges each side by itself; the station must be able to report whatever it has accepted."""
    election = town()
    layout = election.layouts["s0"]
    (line,) = (position for position in layout if position.write_in_index is not None)
    twice = replace(election, layouts={**election.layouts, "s0": (*layout, replace(line, side="back"))})
    choice = ("dog", "write-in-0")
    record = marked_by_hand(twice, "s0", {choice: (Verdict.UNMARKED, MARKED)}, written={choice})
    assert record["unmarkedWriteIns"] == record["votes"] == {"dog": ["write-in-0"]}
    sheet = read_record(record, twice)
    assert len(sheet.bubbles) == len(layout_of(twice, "s0"))
    report(twice, record)


@pytest.mark.parametrize("settings", [EVERY_REASON, LENIENT])
def test_a_sheet_is_held_if_its_record_says_so(settings: SystemSettings) -> None:
    record = marked_by_hand(town(), "s0", {}, settings=settings)
    assert read_record(record, town()).held == (settings is EVERY_REASON)


def test_a_record_is_left_as_it_was() -> None:
    before = json.dumps(HAND)
    read_record(HAND, town())
    assert json.dumps(HAND) == before
