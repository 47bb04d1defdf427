"""The totals are exact, do not depend on an order, and warn of small groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from random import Random

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.ballot.result import Verdict
from edge.evidence.cdf.error import CdfError
from edge.evidence.cdf.tally import Tally, UnitCount, tally
from tests.cdf.sheets import LENIENT, Choice, Json, marked_by_hand, printed_by_machine, town, two_sheets, verdicts_of

MARKED = Verdict.MARKED


@st.composite
def sheets(draw: st.DrawFn) -> Json:
    """A sheet of the town: marked by hand in one of four styles, or printed."""
    style = draw(st.sampled_from(["s0", "s1", "s4", "s5", "printed"]))
    precinct = draw(st.sampled_from([None, "p-0", "p-1", "p-2"]))
    if style != "printed":
        return marked_by_hand(town(), style, draw(verdicts_of(town(), style)), precinct_id=precinct)
    chosen = draw(st.lists(st.sampled_from([f"b{n}" for n in range(5)]), unique=True, max_size=3))
    names = draw(st.lists(st.sampled_from(["ANNA", "BERT"]), max_size=3 - len(chosen)))
    votes = {"board": tuple(chosen)} if chosen else {}
    return printed_by_machine(town(), "s1", votes, {"board": tuple(names)} if names else {}, precinct_id=precinct or "p-3")


def check_sums(count: UnitCount) -> None:
    for contest in count.contests.values():
        given_votes = sum(contest.votes.values())
        assert given_votes + contest.write_ins + contest.overvotes + contest.undervotes == contest.seats * contest.ballots


def counted_plainly(records: Sequence[Json]) -> Counter[Choice]:
    """The votes by the rule's words alone; write-ins of a contest together."""
    votes: Counter[Choice] = Counter()
    for record in records:
        for contest, options in record["votes"].items():
            if len(options) <= town().contest(contest).seats:
                votes.update((contest, "write-in" if option.startswith("write-in-") else option) for option in options)
    return votes


@settings(max_examples=60)
@given(st.lists(sheets(), max_size=12), st.randoms(use_true_random=False))
def test_every_vote_is_counted_once_or_accounted_for(records: list[Json], random: Random) -> None:
    totals = tally(town(), records)
    check_sums(totals.total)
    assert totals.sheets == totals.ballots == len(records)
    for count in totals.precincts.values():
        check_sums(count)
    plainly = counted_plainly(records)
    for contest_id, contest in totals.contests.items():
        assert contest.ballots == sum(contest_id in record["contests"] for record in records)
        assert contest.write_ins == plainly[contest_id, "write-in"]
        assert contest.votes == {option.id: plainly[contest_id, option.id] for option in town().contest(contest_id).options}
        of_precincts = [count.contests[contest_id] for count in totals.precincts.values() if contest_id in count.contests]
        for name in ("ballots", "write_ins", "overvotes", "undervotes"):
            assert sum(getattr(part, name) for part in of_precincts) == getattr(contest, name)
    assert totals.held_and_cast == sum(record["disposition"]["kind"] == "hold" for record in records)
    shuffled = list(records)
    random.shuffle(shuffled)
    assert rfc8785.dumps(tally(town(), iter(shuffled)).to_json()) == rfc8785.dumps(totals.to_json())


def test_no_sheets_give_zeros() -> None:
    totals = tally(town(), [])
    assert (totals.sheets, totals.ballots, totals.held_and_cast, totals.by_style, totals.by_precinct) == (0, 0, 0, {}, {})
    assert set(totals.contests) == {contest.id for contest in town().contests}
    assert totals.contests["dog"].votes == {"rex": 0, "ada": 0}
    assert totals.small_styles == ()


def test_the_rule_in_one_race_for_three_seats() -> None:
    def board(*options: str) -> Json:
        return marked_by_hand(town(), "s1", {("board", option): MARKED for option in options})

    totals = tally(
        town(),
        [
            board("b0", "b1", "b2"),
            board("b0", "write-in-2"),
            board("b0", "b1", "b2", "write-in-0"),
            board(),
        ],
    )
    count = totals.contests["board"]
    assert count.votes == {"b0": 2, "b1": 1, "b2": 1, "b3": 0, "b4": 0}
    assert (count.write_ins, count.overvotes, count.undervotes, count.ballots) == (1, 3, 4, 4)


def test_marginal_marks_and_unmarked_write_ins_count_nothing() -> None:
    record = marked_by_hand(town(), "s0", {("dog", "rex"): Verdict.MARGINAL}, written={("dog", "write-in-0")})
    count = tally(town(), [record]).contests["dog"]
    assert (count.votes, count.write_ins, count.undervotes) == ({"rex": 0, "ada": 0}, 0, 1)


def test_a_ballot_of_two_sheets_is_one_ballot() -> None:
    election = two_sheets()
    style = election.ballot_styles[0]
    precinct = style.precinct_ids[0]
    records = [marked_by_hand(election, style.id, {}, sheet=n, precinct_id=precinct) for n in (1, 2, 1)]
    totals = tally(election, records)
    assert (totals.sheets, totals.ballots) == (3, 2)
    assert totals.by_style == {style.id: 2}
    assert totals.by_precinct == {precinct: 2}
    assert totals.groups == {(style.id, precinct, 1): 2, (style.id, precinct, 2): 1}
    assert {count.ballots for count in totals.contests.values()} == {0, 1, 2}


def test_sheets_that_name_no_precinct_come_last() -> None:
    records = [marked_by_hand(town(), "s0", {}, precinct_id=precinct) for precinct in (None, "p-1", "p-0", "p-1")]
    totals = tally(town(), records)
    assert totals.by_precinct == {"p-0": 1, "p-1": 2, None: 1}
    assert list(totals.by_precinct) == ["p-0", "p-1", None]
    assert set(totals.precincts["p-0"].contests) == {"dog", "park"}
    assert totals.precincts[None].sheets == 1


@cache
def many(style: str, count: int) -> list[Json]:
    return [marked_by_hand(town(), style, {}, settings=LENIENT)] * count


def test_ballot_styles_of_fewer_than_ten_ballots_are_told() -> None:
    totals = tally(town(), [*many("s1", 9), *many("s0", 10), *many("s4", 1)])
    assert totals.by_style == {"s0": 10, "s1": 9, "s4": 1}
    assert totals.small_styles == (("s1", 9), ("s4", 1))
    assert totals.to_json()["smallBallotStyles"] == [{"ballotStyleId": "s1", "ballots": 9}, {"ballotStyleId": "s4", "ballots": 1}]
    assert totals.held_and_cast == 0


def test_second_sheets_of_a_style_make_a_group_of_their_own() -> None:
    election = two_sheets()
    style = election.ballot_styles[0].id
    totals = tally(election, [marked_by_hand(election, style, {}, sheet=2, settings=LENIENT)] * 3)
    assert (totals.ballots, totals.by_style, totals.small_styles) == (0, {style: 0}, ((style, 3),))


def test_the_totals_as_they_are_published() -> None:
    records = [marked_by_hand(town(), "s0", {("dog", "rex"): MARKED}, precinct_id="p-1")]
    document = tally(town(), records).to_json()
    assert document["election"] == {"title": "Mock Town Vote", "date": "2026-11-03", "ballotHash": town().ballot_hash.hex()}
    assert (document["version"], document["sheets"], document["ballots"], document["heldAndCast"]) == (1, 1, 1, 1)
    dog = {
        "contestId": "dog",
        "title": "Town Dog",
        "seats": 1,
        "ballots": 1,
        "votes": [{"optionId": "rex", "name": "Rex", "votes": 1}, {"optionId": "ada", "name": "Ada", "votes": 0}],
        "writeIns": 0,
        "overvotes": 0,
        "undervotes": 0,
    }
    assert document["contests"][0] == dog
    assert len(document["contests"]) == len(town().contests)
    (precinct,) = document["precincts"]
    assert (precinct["precinctId"], precinct["sheets"], precinct["contests"][0]) == ("p-1", 1, dog)
    assert [contest["contestId"] for contest in precinct["contests"]] == ["dog", "park"]
    assert document["ballotStyles"] == [{"ballotStyleId": "s0", "ballots": 1}]


def test_one_bad_record_spoils_the_whole_count() -> None:
    good = marked_by_hand(town(), "s0", {})
    bad = {**good, "disposition": {"kind": "return", "castable": False, "reasons": []}}
    with pytest.raises(CdfError, match=r"^recordNotCast: "):
        tally(town(), [good, bad])


def test_the_totals_say_what_they_are_of() -> None:
    totals = tally(town(), [])
    assert isinstance(totals, Tally)
    assert totals.election == town()
