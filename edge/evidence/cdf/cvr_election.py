"""The election as a report of cast vote records has it: units, parties, candidates, contests and their selections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.evidence.cdf.dates import election_day
from edge.evidence.cdf.election_parts import DEFINITION_ID, DEVICE, ELECTION, SCOPE, Json, parts_of
from edge.evidence.cdf.error import CdfError

if TYPE_CHECKING:
    from edge.definition.election import Contest, Election
    from edge.evidence.cdf.election_parts import Choice, ElectionParts


def check_election(election: Election) -> None:
    """Find out, when a station is set up and not when its polls close, whether there can be documents of an election at all.

    Raises:
        CdfError: `electionDate`, `electionUnfit` for an election without contests.
    """
    election_day(election)
    if not election.contests:
        raise CdfError("electionUnfit", "an election without contests has no cast vote records")


def cvr_units(election: Election) -> list[Json]:
    """The units: the whole election, where this device stands, and every precinct."""
    refs = parts_of(election).precincts
    scope: Json = {
        "@id": SCOPE,
        "@type": "CVR.GpUnit",
        "Type": "other",
        "OtherType": "election-scope",
        "Name": election.title,
        "ReportingDeviceIds": [DEVICE],
    }
    return [
        scope,
        *(
            {
                "@id": refs[precinct.id],
                "@type": "CVR.GpUnit",
                "Type": "precinct",
                "Name": precinct.name,
                "Code": _code(precinct.id),
            }
            for precinct in election.precincts
        ),
    ]


def cvr_parties(election: Election) -> list[Json]:
    """The parties that contests or ballot styles name; with a name where the definition gives one."""
    return [
        {"@id": ref, "@type": "CVR.Party", "Code": _code(party)} | ({} if name is None else {"Name": name})
        for party, (ref, name) in parts_of(election).parties.items()
    ]


def cvr_election(election: Election) -> Json:
    """The election with its contests.

    Raises:
        CdfError: as `check_election`.
    """
    check_election(election)
    parts = parts_of(election)
    candidates = [
        {"@id": _candidate(choice), "@type": "CVR.Candidate", "Name": choice.name, "Code": _code(choice.option_id)}
        for contest in election.contests
        if contest.kind == "candidate"
        for choice in parts.choices[contest.id]
        if not choice.is_write_in
    ]
    document: Json = {
        "@id": ELECTION,
        "@type": "CVR.Election",
        "ElectionScopeId": SCOPE,
        "Name": election.title,
        "Code": _code(election.ballot_hash.hex(), "ballot-hash"),
        "Contest": [_contest(contest, parts) for contest in election.contests],
    }
    return document | ({"Candidate": candidates} if candidates else {})


def _code(value: str, kind: str = DEFINITION_ID) -> list[Json]:
    return [{"@type": "CVR.Code", "Type": "other", "OtherType": kind, "Value": value}]


def _candidate(choice: Choice) -> str:
    return f"{choice.ref}-candidate"


def _contest(contest: Contest, parts: ElectionParts) -> Json:
    document: Json = {
        "@id": parts.contests[contest.id],
        "Name": contest.title,
        "Code": _code(contest.id),
        "ContestSelection": [_selection(contest, choice, parts) for choice in parts.choices[contest.id]]
        or [_no_choice(contest, parts)],
    }
    match contest.kind:
        case "candidate":
            document |= {"@type": "CVR.CandidateContest", "VoteVariation": "n-of-m", "VotesAllowed": contest.seats}
            if contest.party_id is not None:
                document["PrimaryPartyId"] = parts.parties[contest.party_id][0]
        case "yesno":
            document["@type"] = "CVR.BallotMeasureContest"
        case _:
            document["@type"] = "CVR.PartyContest"
    return document


def _selection(contest: Contest, choice: Choice, parts: ElectionParts) -> Json:
    document: Json = {"@id": choice.ref, "Code": _code(choice.option_id)}
    if choice.is_write_in:
        return document | {"@type": "CVR.CandidateSelection", "IsWriteIn": True}
    match contest.kind:
        case "candidate":
            return document | {"@type": "CVR.CandidateSelection", "CandidateIds": [_candidate(choice)]}
        case "yesno":
            return document | {"@type": "CVR.BallotMeasureSelection", "Selection": choice.name}
        case _:
            return document | {"@type": "CVR.PartySelection", "PartyIds": [parts.parties[choice.option_id][0]]}


def _no_choice(contest: Contest, parts: ElectionParts) -> Json:
    """Stands in a contest without candidates or write-in lines, since the format wants a selection in each; nothing names it."""
    return {"@id": f"{parts.contests[contest.id]}-no-choice", "@type": "CVR.ContestSelection"}
