"""Each ballot of a new folder ends as its table says."""

from __future__ import annotations

import pytest

from edge.ballot.interpret import ScannedSheet, interpret
from edge.decision import decide
from edge.definition.election import load_election
from edge.definition.settings import SystemSettings
from hil.demo.story import STACK
from hil.emulate.ballots import BALLOTS, ELECTION, Ballot


@pytest.mark.parametrize("ballot", [*BALLOTS, STACK[-1]], ids=lambda ballot: ballot.name)
def test_it_ends_as_meant(ballot: Ballot) -> None:
    election = load_election(ELECTION)
    sheet = ballot.sheet()
    reading = interpret(ScannedSheet(sheet.top, sheet.bottom), election, SystemSettings())
    disposition = decide(reading, election, SystemSettings())
    codes = [str(reason.code) for reason in disposition.reasons]
    assert (disposition.kind, codes[:1]) == (ballot.ends, [ballot.reason] if ballot.reason else [])
    if ballot.ends == "accept":
        votes = {contest: options for contest, options in reading.votes.items() if options}
        assert votes == {contest: options for contest, options in ballot.marked().votes.items() if options}
