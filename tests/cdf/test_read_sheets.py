"""Sheets that were really read, rendered and real ones: what the interpreter accepts can always be told and counted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from edge.ballot.interpret import ScannedSheet, interpret
from edge.decision import decide
from edge.definition.election import Election, load_election
from edge.definition.settings import SystemSettings
from edge.evidence.cdf.err import election_report
from edge.evidence.cdf.tally import tally
from edge.image_file import read_image
from edge.record import canonical_json
from tests.ballot.test_real_ballots import FAMOUS_HASH, FAMOUS_VOTES, HAND_MARKED
from tests.cdf.schemas import Json, Sound
from tests.cdf.sheets import PARTY, report, selections, snapshot
from tests.golden.make import FOLDER, SHEETS


def read(top: Path, bottom: Path, election: Election) -> Json:
    settings = SystemSettings()
    reading = interpret(ScannedSheet(read_image(top), read_image(bottom)), election, settings)
    record: Json = json.loads(canonical_json(reading, decide(reading, election, settings)))
    return record


def check(sound: Sound, election: Election, records: list[Json]) -> None:
    """All reports are sound, and the totals are the sum of what the reports say."""
    reports = [report(election, record) for record in records]
    for document in reports:
        sound(document)
    totals = tally(election, records)
    sound(election_report(PARTY, election, totals, "2026-11-03T20:06:00Z", "unofficial-complete"))
    assert totals.sheets == len(records)
    for contest_id, count in totals.contests.items():
        told = [snapshot(document, "interpreted").get(contest_id) for document in reports]
        there = [contest for contest in told if contest is not None]
        assert count.ballots == len(there)
        assert count.overvotes == sum(contest["Overvotes"] for contest in there)
        assert count.undervotes == sum(contest["Undervotes"] for contest in there)
        assert count.write_ins == sum(contest["WriteIns"] for contest in there)
        for option, votes in count.votes.items():
            found = [
                selections(document, "interpreted", contest_id).get(option, {}).get("TotalNumberVotes", 0)
                for document, contest in zip(reports, told, strict=True)
                if contest is not None
            ]
            assert votes == sum(found)


@pytest.mark.parametrize("definition", sorted(set(SHEETS.values())))
def test_rendered_sheets_are_told_and_counted(sound: Sound, definition: str) -> None:
    election = load_election((FOLDER / f"{definition}.json").read_bytes())
    names = [name for name, of in SHEETS.items() if of == definition]
    records = [read(FOLDER / f"{name}-top.png", FOLDER / f"{name}-bottom.png", election) for name in names]
    cast = [record for record in records if record["disposition"]["kind"] != "return"]
    assert cast
    check(sound, election, cast)


@pytest.mark.parametrize("name", HAND_MARKED)
def test_real_sheets_are_told_and_counted(sound: Sound, real_data: Path, name: str) -> None:
    folder = real_data / "ballots" / name
    election = load_election((folder / "election.json").read_bytes())
    sheets = json.loads((folder / "expected.json").read_text())["sheets"]
    check(sound, election, [read(folder / sheet["front"], folder / sheet["back"], election) for sheet in sheets])


def test_a_real_machine_marked_ballot_is_told_and_counted(sound: Sound, real_data: Path) -> None:
    folder = real_data / "ballots" / "summary-famous-names"
    election = replace(load_election((folder / "election.json").read_bytes()), ballot_hash=FAMOUS_HASH)
    record = read(folder / "bmd-ballot-complete-p1.jpg", folder / "bmd-ballot-complete-p2.jpg", election)
    check(sound, election, [record])
    counted = tally(election, [record]).contests
    for contest in election.contests:
        names = [option.name for option in contest.options if counted[contest.id].votes[option.id]]
        assert names == FAMOUS_VOTES.get(contest.title, [])
