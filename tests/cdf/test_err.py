"""The totals as an election results report."""

from __future__ import annotations

from dataclasses import replace

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.ballot.result import Verdict
from edge.definition.election import Election
from edge.evidence.cdf.err import STATUSES, election_report
from edge.evidence.cdf.error import CdfError
from edge.evidence.cdf.tally import Tally, UnitCount, tally
from tests.cdf.schemas import FOLDER, Json, Sound, schema
from tests.cdf.sheets import PARTY, TRIAL, marked_by_hand, printed_by_machine, town, two_sheets, verdicts_of

MARKED = Verdict.MARKED
GENERATED = "2026-11-03T20:06:00Z"


def made(totals: Tally, election: Election | None = None) -> Json:
    return election_report(PARTY, election or town(), totals, GENERATED, "unofficial-complete")


def some() -> Tally:
    return tally(
        town(),
        [
            marked_by_hand(town(), "s0", {("dog", "rex"): MARKED}, precinct_id="p-1"),
            marked_by_hand(town(), "s0", {("dog", "rex"): MARKED, ("dog", "ada"): (MARKED, MARKED)}, precinct_id="p-0"),
            marked_by_hand(town(), "s0", {("dog", "write-in-0"): MARKED}),
            printed_by_machine(town(), "s3", {"clerk": ("pat",)}, precinct_id="p-1"),
            marked_by_hand(town(), "s4", {("slate", "hare"): MARKED}, precinct_id="p-4"),
            marked_by_hand(town(), "s5", {("colour", "green"): MARKED}, precinct_id="p-4"),
        ],
    )


def contest_of(document: Json, contest_id: str) -> Json:
    (found,) = (c for c in document["Election"][0]["Contest"] if c["ExternalIdentifier"][0]["Value"] == contest_id)
    return dict(found)


def votes(contest: Json, unit: str) -> list[int]:
    return [
        count["Count"]
        for selection in contest["ContestSelection"]
        for count in selection["VoteCounts"]
        if count["GpUnitId"] == unit
    ]


def other(contest: Json, unit: str) -> tuple[int, int, int]:
    (found,) = (count for count in contest["OtherCounts"] if count["GpUnitId"] == unit)
    return found["Overvotes"], found["Undervotes"], found["WriteIns"]


def test_counts_stand_by_precinct_and_as_totals(sound: Sound) -> None:
    document = made(some())
    ballots = [(count["GpUnitId"], count["Type"], count["BallotsCast"]) for count in document["Election"][0]["BallotCounts"]]
    assert ballots == [
        ("scope", "total", 6),
        ("precinct-1", "total", 1),
        ("precinct-2", "total", 2),
        ("precinct-5", "total", 2),
    ]
    dog = contest_of(document, "dog")
    assert (votes(dog, "scope"), other(dog, "scope")) == ([1, 0], (1, 1, 1))
    assert (votes(dog, "precinct-2"), other(dog, "precinct-2")) == ([1, 0], (0, 1, 0))
    assert (votes(dog, "precinct-1"), other(dog, "precinct-1")) == ([0, 0], (1, 0, 0))
    assert votes(dog, "precinct-5") == []
    assert votes(contest_of(document, "slate"), "scope") == [0, 1]
    assert votes(contest_of(document, "colour"), "precinct-5") == [0, 1, 0]
    assert contest_of(document, "clerk")["PrimaryPartyIds"] == ["party-2"]
    sound(document)


def test_an_election_without_sheets_has_zeros(sound: Sound) -> None:
    document = made(tally(town(), []))
    assert [count["BallotsCast"] for count in document["Election"][0]["BallotCounts"]] == [0]
    assert votes(contest_of(document, "dog"), "scope") == [0, 0]
    sound(document)


def test_a_ballot_of_two_sheets_is_cast_once(sound: Sound) -> None:
    election = two_sheets()
    style = election.ballot_styles[0].id
    totals = tally(election, [marked_by_hand(election, style, {}, sheet=number) for number in (1, 2)])
    document = made(totals, election)
    assert [count["BallotsCast"] for count in document["Election"][0]["BallotCounts"]] == [1]
    sound(document)


def test_an_election_may_have_no_contests(sound: Sound) -> None:
    election = replace(town(), contests=(), layouts={})
    sound(made(tally(election, []), election))


def test_the_report_says_who_when_and_how_final(sound: Sound) -> None:
    document = election_report(TRIAL, town(), some(), GENERATED, "certified")
    assert (document["Status"], document["GeneratedDate"], document["IsTest"]) == ("certified", GENERATED, True)
    assert (document["Issuer"], document["VendorApplicationId"]) == (PARTY.device_id, PARTY.application)
    assert document["Election"][0]["StartDate"] == document["Election"][0]["EndDate"] == "2026-11-03"
    assert made(some())["IsTest"] is False
    sound(document)


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_of_the_format_may_be_given(sound: Sound, status: str) -> None:
    sound(election_report(PARTY, town(), some(), GENERATED, status))


@pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no schemas: {FOLDER} is missing (SCRUTINEER_SCHEMAS names another folder)")
def test_the_statuses_are_those_of_the_format() -> None:
    assert tuple(schema("ElectionResults")["definitions"]["ElectionResults.ResultsStatus"]["enum"]) == STATUSES


@pytest.mark.parametrize(
    ("generated", "status", "code"),
    [
        ("2026-11-03T20:06:00.5Z", "certified", "timeMalformed"),
        ("2026-11-03T20:06:00", "certified", "timeMalformed"),
        ("2026-11-03T25:06:00Z", "certified", "timeMalformed"),
        ("2026-11-03T20:06:00+15:00", "certified", "timeMalformed"),
        ("2026-11-03T20:06:00Z\n", "certified", "timeMalformed"),
        (GENERATED, "final", "statusUnknown"),
    ],
)
def test_another_time_or_status_is_refused(generated: str, status: str, code: str) -> None:
    with pytest.raises(CdfError) as caught:
        election_report(PARTY, town(), some(), generated, status)
    assert caught.value.code == code


def test_totals_of_another_election_are_refused() -> None:
    with pytest.raises(CdfError, match=r"^tallyForeign: "):
        election_report(PARTY, replace(town(), title="Another"), some(), GENERATED, "certified")


def test_the_same_totals_give_the_same_bytes() -> None:
    assert rfc8785.dumps(made(some())) == rfc8785.dumps(made(some()))


@settings(max_examples=25)
@given(st.lists(st.tuples(verdicts_of(town(), "s1"), st.sampled_from([None, "p-2", "p-3"])), max_size=6))
def test_for_every_contest_and_unit_the_counts_add_up(
    sound: Sound, marked: list[tuple[dict[tuple[str, str], tuple[Verdict, ...]], str | None]]
) -> None:
    totals = tally(town(), [marked_by_hand(town(), "s1", marks, precinct_id=precinct) for marks, precinct in marked])
    document = made(totals)
    units: dict[str, UnitCount] = {"scope": totals.total}
    units |= {f"precinct-{int(p[2:]) + 1}": count for p, count in totals.precincts.items() if p is not None}
    for contest_id in totals.contests:
        contest = contest_of(document, contest_id)
        assert {count["GpUnitId"] for count in contest["OtherCounts"]} == {
            unit for unit, count in units.items() if contest_id in count.contests
        }
        for unit, count in units.items():
            if contest_id in count.contests:
                expected = count.contests[contest_id].seats * count.contests[contest_id].ballots
                assert sum(votes(contest, unit)) + sum(other(contest, unit)) == expected
    sound(document)
