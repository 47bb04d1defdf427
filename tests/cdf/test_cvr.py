"""What a cast vote record says of a sheet."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.ballot.result import Verdict
from edge.definition.election import Election
from edge.evidence.cdf.cvr import cvr_report
from edge.evidence.cdf.cvr_election import check_election
from edge.evidence.cdf.cvr_snapshots import mark_metric
from edge.evidence.cdf.error import CdfError
from edge.evidence.cdf.sheet_record import ScoreShape
from edge.evidence.cdf.tally import tally
from tests.cdf.schemas import Sound
from tests.cdf.sheets import (
    IMAGES,
    PARTY,
    SHEET_ID,
    TRIAL,
    Json,
    layout_of,
    marked_by_hand,
    positions,
    printed_by_machine,
    report,
    selections,
    snapshot,
    town,
    two_sheets,
    verdicts_of,
)

MARKED, MARGINAL, UNREADABLE = Verdict.MARKED, Verdict.MARGINAL, Verdict.UNREADABLE
REX, ADA, LINE = ("dog", "rex"), ("dog", "ada"), ("dog", "write-in-0")
YES = ("park", "park-y")


def texts(value: object) -> Iterator[str]:
    """Every text of a document, names of properties included."""
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str):
        yield value


def test_the_original_snapshot_has_every_bubble_with_its_measure(sound: Sound) -> None:
    document = report(town(), marked_by_hand(town(), "s0", {REX: MARKED, YES: MARGINAL}))
    dog = selections(document, "original", "dog")
    assert {name: positions(selection, "HasIndication") for name, selection in dog.items()} == {
        "rex": ["yes"],
        "ada": ["no", "no"],
        "write-in-0": ["no"],
    }
    assert positions(dog["rex"], "MarkMetricValue") == [["0.4529"]]
    assert positions(dog["ada"], "MarkMetricValue") == [["0.0029"], ["0.0029"]]
    assert positions(dog["ada"], "Position") == [1, 2]
    assert [selection["OptionPosition"] for selection in dog.values()] == [1, 2, 3]
    assert positions(selections(document, "original", "park")["park-y"], "HasIndication") == ["unknown"]
    (device,) = document["ReportingDevice"]
    assert device["MarkMetricType"] == "scrutineer-fill-v1"
    sound(document)


def test_the_interpreted_snapshot_has_the_marks_that_count(sound: Sound) -> None:
    document = report(town(), marked_by_hand(town(), "s0", {REX: MARKED, YES: MARKED}))
    assert set(snapshot(document, "interpreted")) == {"dog", "park"}
    dog = snapshot(document, "interpreted")["dog"]
    assert (dog["Overvotes"], dog["Undervotes"], dog["WriteIns"], dog.get("Status")) == (0, 0, 0, None)
    (rex,) = selections(document, "interpreted", "dog").values()
    assert (positions(rex, "IsAllocable"), rex["TotalNumberVotes"], rex.get("Status")) == (["yes"], 1, None)
    (cvr,) = document["CVR"]
    assert cvr["CurrentSnapshotId"] == f"sheet-{SHEET_ID}-interpreted"
    assert cvr["UniqueId"] == SHEET_ID
    sound(document)


def test_an_overvoted_contest_gives_no_votes(sound: Sound) -> None:
    document = report(town(), marked_by_hand(town(), "s0", {REX: MARKED, LINE: MARKED, YES: MARKED}))
    dog = snapshot(document, "interpreted")["dog"]
    assert (dog["Overvotes"], dog["Undervotes"], dog["WriteIns"]) == (1, 0, 0)
    assert dog["Status"] == ["overvoted", "invalidated-rules"]
    for selection in selections(document, "interpreted", "dog").values():
        assert (positions(selection, "IsAllocable"), selection["TotalNumberVotes"]) == (["no"], 0)
    sound(document)


def test_a_blank_ballot_is_undervoted_and_nothing_is_indicated(sound: Sound) -> None:
    document = report(town(), marked_by_hand(town(), "s0", {}))
    for contest in snapshot(document, "interpreted").values():
        assert (contest["Undervotes"], contest["Status"]) == (1, ["undervoted", "not-indicated"])
        assert "CVRContestSelection" not in contest
    sound(document)


def test_a_race_for_three_seats_may_be_voted_in_part(sound: Sound) -> None:
    document = report(town(), marked_by_hand(town(), "s1", {("board", "b1"): MARKED, ("board", "write-in-2"): MARKED}))
    board = snapshot(document, "interpreted")["board"]
    assert (board["Overvotes"], board["Undervotes"], board["WriteIns"], board["Status"]) == (0, 1, 1, ["undervoted"])
    sound(document)


def test_a_marked_write_in_is_for_a_person_to_say(sound: Sound) -> None:
    document = report(town(), marked_by_hand(town(), "s0", {LINE: MARKED, YES: MARKED}))
    (line,) = selections(document, "interpreted", "dog").values()
    assert (line["Status"], positions(line, "IsAllocable")) == (["needs-adjudication"], ["unknown"])
    assert (positions(line, "HasIndication"), line["TotalNumberVotes"]) == (["yes"], 1)
    sound(document)


@pytest.mark.parametrize(
    ("marks", "written", "torn", "option", "indication", "status"),
    [
        ({}, {LINE}, set(), "write-in-0", "no", "unmarked-write-in"),
        ({LINE: MARGINAL}, {LINE}, set(), "write-in-0", "unknown", "marginal-mark"),
        ({}, set(), {LINE}, "write-in-0", "no", "unreadable-write-in"),
        ({REX: UNREADABLE}, set(), set(), "rex", "unknown", "unreadable"),
        ({ADA: (MARGINAL, Verdict.UNMARKED)}, set(), set(), "ada", "unknown", "marginal-mark"),
    ],
)
def test_what_is_doubtful_is_marked_and_does_not_count(
    sound: Sound,
    marks: Mapping[tuple[str, str], Verdict | tuple[Verdict, ...]],
    written: set[tuple[str, str]],
    torn: set[tuple[str, str]],
    option: str,
    indication: str,
    status: str,
) -> None:
    record = marked_by_hand(town(), "s0", {YES: MARKED, **marks}, written=written, torn=torn)
    document = report(town(), record)
    assert document["CVR"][0]["CVRSnapshot"][1]["Status"] == ["needs-adjudication"]
    dog = snapshot(document, "interpreted")["dog"]
    assert (dog["Undervotes"], dog["WriteIns"], dog["Status"]) == (1, 0, ["undervoted"])
    found = selections(document, "interpreted", "dog")
    assert list(found) == [option]
    assert (found[option]["Status"], found[option]["TotalNumberVotes"]) == (["needs-adjudication"], 0)
    (position,) = found[option]["SelectionPosition"]
    assert (position["HasIndication"], position["IsAllocable"]) == (indication, "unknown")
    assert (position["Status"], position["OtherStatus"]) == (["other"], status)
    sound(document)


def test_an_option_printed_twice_counts_once_by_its_clearest_mark(sound: Sound) -> None:
    for verdicts in ((MARKED, MARKED), (MARGINAL, MARKED), (UNREADABLE, MARKED)):
        document = report(town(), marked_by_hand(town(), "s0", {ADA: verdicts, YES: MARKED}))
        (ada,) = selections(document, "interpreted", "dog").values()
        assert (positions(ada, "IsAllocable"), ada["TotalNumberVotes"]) == (["yes"], 1)
        assert len(positions(selections(document, "original", "dog")["ada"], "HasIndication")) == 2
        sound(document)


def test_only_a_sheet_that_was_held_needs_adjudication_as_a_whole() -> None:
    accepted = report(town(), marked_by_hand(town(), "s0", {REX: MARKED, YES: MARKED}))
    held = report(town(), marked_by_hand(town(), "s0", {REX: MARKED}))
    assert ["Status" in document["CVR"][0]["CVRSnapshot"][1] for document in (accepted, held)] == [False, True]
    assert "Status" not in held["CVR"][0]["CVRSnapshot"][0]


def test_a_sheet_of_several_has_its_own_contests_only(sound: Sound) -> None:
    election = two_sheets()
    style = election.ballot_styles[0]
    precinct = style.precinct_ids[0]
    seen = []
    for number in (1, 2):
        document = report(election, marked_by_hand(election, style.id, {}, sheet=number, precinct_id=precinct))
        (cvr,) = document["CVR"]
        assert cvr["BallotSheetId"] == str(number)
        assert cvr["BallotStyleId"] == style.id
        contests = set(snapshot(document, "original"))
        assert contests == set(snapshot(document, "interpreted"))
        assert contests == {position.contest_id for position in layout_of(election, style.id, number)}
        seen.append(contests)
        sound(document)
    assert seen[0]
    assert seen[1]
    assert not seen[0] & seen[1]


def test_a_sheet_belongs_to_its_precinct_or_else_to_the_whole_election(sound: Sound) -> None:
    for precinct, unit in (("p-1", "precinct-2"), (None, "scope")):
        document = report(town(), marked_by_hand(town(), "s0", {}, precinct_id=precinct))
        assert document["CVR"][0]["BallotStyleUnitId"] == unit
        sound(document)


def test_a_printed_ballot_has_its_names_and_no_measures(sound: Sound) -> None:
    record = printed_by_machine(town(), "s1", {"park": ("park-n",), "board": ("b4", "b0")}, {"board": ("ANNA",), "dog": ("REX",)})
    document = report(town(), record)
    assert "MarkMetricValue" not in set(texts(document["CVR"]))
    for kind in ("original", "interpreted"):
        board = selections(document, kind, "board")
        assert list(board) == ["b0", "b4", "write-in-0"]
        (line,) = board["write-in-0"]["SelectionPosition"]
        assert line["CVRWriteIn"]["Text"] == "ANNA"
        assert (line["HasIndication"], line.get("IsAllocable")) == ("yes", None if kind == "original" else "unknown")
    assert snapshot(document, "interpreted")["board"]["WriteIns"] == 1
    sound(document)


def test_a_printed_ballot_may_be_blank_and_have_several_pages(sound: Sound) -> None:
    document = report(town(), printed_by_machine(town(), "s1", {}, contests=("board",), page=2))
    assert document["CVR"][0]["BallotSheetId"] == "2"
    assert set(snapshot(document, "original")) == {"board"}
    assert snapshot(document, "interpreted")["board"]["Status"] == ["undervoted", "not-indicated"]
    sound(document)


def test_a_party_s_ballot_names_the_party(sound: Sound) -> None:
    document = report(town(), printed_by_machine(town(), "s3", {"clerk": ("pat",)}))
    (party,) = document["CVR"][0]["PartyIds"]
    assert {one["@id"]: one["Name"] for one in document["Party"]}[party] == "Hare"
    sound(document)


@pytest.mark.parametrize(("style", "contest", "option"), [("s4", "slate", "hare"), ("s5", "colour", "green")])
def test_measures_of_three_and_votes_for_a_party_are_told(sound: Sound, style: str, contest: str, option: str) -> None:
    document = report(town(), marked_by_hand(town(), style, {(contest, option): MARKED}))
    assert list(selections(document, "interpreted", contest)) == [option]
    sound(document)


def test_trial_sheets_say_so(sound: Sound) -> None:
    document = report(town(), marked_by_hand(town(), "s0", {}), party=TRIAL)
    assert document["ReportType"] == ["originating-device-export", "other"]
    assert document["OtherReportType"] == "test"
    assert "OtherReportType" not in report(town(), marked_by_hand(town(), "s0", {}))
    sound(document)


def test_pictures_are_named_front_first_with_their_digests() -> None:
    document = report(town(), marked_by_hand(town(), "s0", {}))
    assert [
        (image["Location"], image["Hash"]["Type"], image["Hash"]["Value"]) for image in document["CVR"][0]["BallotImage"]
    ] == [
        ("file:scan-b.png", "sha-256", IMAGES["B"][1].hex()),
        ("file:scan-a.png", "sha-256", IMAGES["A"][1].hex()),
    ]


def test_no_report_tells_a_time_a_sequence_or_a_number_on_the_paper(sound: Sound) -> None:
    record = marked_by_hand(town(), "s0", {REX: MARKED}, audit_id="serial-000017")
    document = report(town(), record)
    told = set(texts(document))
    assert not told & {
        "BatchId",
        "BatchSequenceId",
        "BallotAuditId",
        "BallotPrePrintedId",
        "Annotation",
        "TimeStamp",
        "serial-000017",
    }
    moments = {text for text in told if re.search("[0-9]T?[0-9]{0,2}:[0-9]{2}", text)}
    assert moments == {"2026-11-03T00:00:00Z"}
    assert not any(isinstance(value, float) for value in json.loads(json.dumps(document)).values())
    sound(document)


def test_the_same_arguments_give_the_same_bytes_and_nothing_is_shared() -> None:
    record = marked_by_hand(town(), "s0", {REX: MARKED})
    first = report(town(), record)
    before = rfc8785.dumps(first)
    first["Election"][0]["Contest"].clear()
    first["CVR"][0]["CVRSnapshot"].clear()
    assert rfc8785.dumps(report(town(), json.loads(json.dumps(record)))) == before


@pytest.mark.parametrize("date", ["2026-11-03", "2026-11-03T12:00:00.000-04:00"])
def test_the_report_is_dated_by_the_day_of_the_election(sound: Sound, date: str) -> None:
    election = replace(town(), date=date)
    document = report(election, marked_by_hand(election, "s0", {}))
    assert document["GeneratedDate"] == "2026-11-03T00:00:00Z"
    sound(document)


@pytest.mark.parametrize("date", ["", "3 November 2026", "2026-02-30", "20261103", "2026-11-03 12:00", "0000-01-01"])
def test_an_election_without_a_day_is_refused(date: str) -> None:
    election = replace(town(), date=date)
    with pytest.raises(CdfError, match=r"^electionDate: "):
        report(election, marked_by_hand(election, "s0", {}))


@pytest.mark.parametrize(
    "sheet_id",
    [
        "",
        "17",
        SHEET_ID.upper(),
        f"{SHEET_ID}\n",
        "5b1f9a0e-8a57-1b6c-9d0b-2f6f3a2f9c11",  # version 1: a time
        "5b1f9a0e-8a57-4b6c-cd0b-2f6f3a2f9c11",
        SHEET_ID.replace("-", ""),
    ],
)
def test_an_id_that_is_not_random_is_refused(sheet_id: str) -> None:
    with pytest.raises(CdfError, match=r"^sheetIdMalformed: "):
        cvr_report(PARTY, town(), sheet_id, marked_by_hand(town(), "s0", {}), IMAGES)


def test_a_digest_of_another_length_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        cvr_report(PARTY, town(), SHEET_ID, marked_by_hand(town(), "s0", {}), {"A": ("a.png", b"")})


def test_names_of_files_are_written_as_a_location_can_have_them(sound: Sound) -> None:
    document = cvr_report(PARTY, town(), SHEET_ID, marked_by_hand(town(), "s0", {}), {"A": ("a b/ä#?.png", bytes(32))})
    assert document["CVR"][0]["BallotImage"][0]["Location"] == "file:a%20b%2F%C3%A4%23%3F.png"
    sound(document)


def test_an_election_without_contests_has_no_cast_vote_records() -> None:
    election = replace(town(), contests=(), layouts={})
    record = printed_by_machine(election, "s1", {})
    with pytest.raises(CdfError, match=r"^electionUnfit: "):
        report(election, record)


@pytest.mark.parametrize(
    ("election", "code"),
    [
        (replace(town(), date="soon"), "electionDate"),
        (replace(town(), contests=(), layouts={}), "electionUnfit"),
    ],
)
def test_an_election_of_which_there_can_be_no_documents_is_found_out_beforehand(election: Election, code: str) -> None:
    check_election(town())
    with pytest.raises(CdfError) as caught:
        check_election(election)
    assert caught.value.code == code


def test_a_contest_in_which_nobody_stands_is_still_told(sound: Sound) -> None:
    empty = replace(town().contest("clerk"), options=())
    election = replace(town(), contests=tuple(empty if contest.id == "clerk" else contest for contest in town().contests))
    document = report(election, printed_by_machine(election, "s3", {}))
    assert snapshot(document, "interpreted")["clerk"]["Undervotes"] == 1
    sound(document)


@given(st.integers(0, 1 << 31), st.integers(1, 1 << 31))
def test_the_metric_is_the_share_rounded_half_up(count: int, of: int) -> None:
    value = mark_metric(ScoreShape(count=count, of=of))
    assert re.fullmatch(r"[0-9]+\.[0-9]{4}", value)
    difference = Fraction(count, of) - Fraction(value)
    assert -Fraction(1, 20_000) <= difference < Fraction(1, 20_000)


def test_a_bubble_that_has_no_pixels_has_no_measure(sound: Sound) -> None:
    record = marked_by_hand(town(), "s0", {})
    record["scores"][0]["fill"] = {"count": 0, "of": 0}
    document = report(town(), record)
    assert positions(selections(document, "original", "dog")["rex"], "MarkMetricValue") == [[]]
    sound(document)


STYLES = {"town s0": (town, "s0", 1), "town s1": (town, "s1", 1), "second sheet": (two_sheets, "s0", 2)}


@pytest.mark.parametrize("name", STYLES)
@settings(max_examples=40)
@given(data=st.data())
def test_votes_lost_and_given_add_up_and_are_those_of_the_totals(sound: Sound, name: str, data: st.DataObject) -> None:
    make, style, number = STYLES[name]
    election = make()
    record = marked_by_hand(election, style, data.draw(verdicts_of(election, style, number)), sheet=number)
    document = report(election, record)
    totals = tally(election, [record]).contests
    for contest_id, contest in snapshot(document, "interpreted").items():
        given_votes = {
            option: selection["TotalNumberVotes"]
            for option, selection in selections(document, "interpreted", contest_id).items()
            if selection["TotalNumberVotes"]
        }
        count = totals[contest_id]
        assert contest["Overvotes"] + contest["Undervotes"] + sum(given_votes.values()) == count.seats
        assert (contest["Overvotes"], contest["Undervotes"], contest["WriteIns"]) == (
            count.overvotes,
            count.undervotes,
            count.write_ins,
        )
        written = sum(votes for option, votes in given_votes.items() if option.startswith("write-in-"))
        assert written == count.write_ins
        assert {option: votes for option, votes in count.votes.items() if votes} == {
            option: votes for option, votes in given_votes.items() if not option.startswith("write-in-")
        }
    sound(document)


def odd_ids() -> st.SearchStrategy[str]:
    return st.one_of(
        st.sampled_from(["device", "scope", "election", "contest-1", "precinct-1", "party-1", "1", " ", "é", "\x00", "a" * 512]),
        st.text(min_size=1, max_size=8),
    )


@settings(max_examples=40)
@given(st.lists(odd_ids(), min_size=4, max_size=4, unique=True), odd_ids(), odd_ids())
def test_any_ids_of_a_definition_become_names_that_hold(sound: Sound, contests: list[str], precinct: str, party: str) -> None:
    town_election = town()
    renamed: dict[str, str] = dict(zip(["dog", "park", "board", "clerk"], contests, strict=True))
    election = replace(
        town_election,
        precincts=(replace(town_election.precincts[0], id=precinct),),
        contests=tuple(
            replace(
                contest,
                id=renamed[contest.id],
                party_id=party if contest.party_id else None,
                options=tuple(replace(option, name=option.id) for option in contest.options),
            )
            for contest in town_election.contests
            if contest.id in renamed
        ),
        ballot_styles=tuple(
            replace(style, precinct_ids=(precinct,), party_id=party if style.party_id else None)
            for style in town_election.ballot_styles
        ),
        layouts={},
    )
    document = report(election, printed_by_machine(election, "s3", {}, precinct_id=precinct))
    names = [part["@id"] for part in parts(document) if "@id" in part]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[A-Za-z_][A-Za-z0-9_.-]*", name) for name in names)
    assert set(snapshot(document, "interpreted")) == {contest.id for contest in election.contests_of(election.style("s3"))}
    sound(document)


def parts(value: object) -> Iterator[Json]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    for item in value if isinstance(value, list) else ():
        yield from parts(item)
