"""The totals as an election results report: SP 1500-100 (ERR CDF 2.0), precinct-level.

Counts stand by unit: the unit of the whole election has the totals, which include the sheets that name no precinct; every
precinct with sheets has its own. Votes for write-ins stand in a contest's `OtherCounts` and nowhere else, so that for each
contest and unit the votes, `WriteIns`, `Overvotes` and `Undervotes` add up to the seats times the sheets that it stood on. The
definition file does not say what language its texts are in (`und`), what kind of election it is, or what districts are called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.evidence.cdf.dates import check_moment, election_day
from edge.evidence.cdf.election_parts import DEFINITION_ID, DEVICE, SCOPE, Json, parts_of
from edge.evidence.cdf.error import CdfError

if TYPE_CHECKING:
    from edge.definition.election import Contest, Election
    from edge.evidence.cdf.election_parts import Choice, ElectionParts, ReportingParty
    from edge.evidence.cdf.tally import ContestCount, Tally

STATUSES = ("certified", "correction", "pre-election", "recount", "unofficial-complete", "unofficial-partial")
_LANGUAGE = "und"
_NOTES = (
    "Counts of one device. The counts of the unit election-scope are the totals and include sheets that name no precinct. A "
    "contest with more marks than seats gives no votes, and as many overvotes as it has seats. Write-ins are in OtherCounts. "
    "BallotsCast counts the first sheets of ballots."
)


def election_report(party: ReportingParty, election: Election, tally: Tally, generated: str, status: str) -> Json:
    """The totals as a report.

    Args:
        party: Who reports.
        election: What was counted for.
        tally: The totals of that election.
        generated: When the report is made, RFC 3339 without parts of a second.
        status: One of `STATUSES`.

    Raises:
        CdfError: `electionDate`, `timeMalformed`, `statusUnknown`, `tallyForeign`.
    """
    if status not in STATUSES:
        raise CdfError("statusUnknown", f"{status[:40]!a} is not one of {', '.join(STATUSES)}")
    if tally.election != election:
        raise CdfError("tallyForeign", "the totals are of another election")
    return {
        "@type": "ElectionResults.ElectionReport",
        "Format": "precinct-level",
        "GeneratedDate": check_moment(generated, fraction=False),
        "Issuer": party.device_id,
        "IssuerAbbreviation": party.device_id,
        "SequenceStart": 1,
        "SequenceEnd": 1,
        "Status": status,
        "IsTest": party.test_mode,
        "VendorApplicationId": party.application,
        "Notes": _NOTES,
        "GpUnit": _units(party, election),
        "Party": _parties(election),
        "Election": [_election(election, tally)],
    }


def _text(content: str) -> Json:
    language: Json = {"@type": "ElectionResults.LanguageString", "Content": content, "Language": _LANGUAGE}
    return {"@type": "ElectionResults.InternationalizedText", "Text": [language]}


def _identifier(value: str, kind: str = DEFINITION_ID) -> list[Json]:
    return [{"@type": "ElectionResults.ExternalIdentifier", "Type": "other", "OtherType": kind, "Value": value}]


def _units(party: ReportingParty, election: Election) -> list[Json]:
    parts = parts_of(election)
    device: Json = {
        "@id": DEVICE,
        "@type": "ElectionResults.ReportingDevice",
        "SerialNumber": party.device_id,
        "DeviceClass": {
            "@type": "ElectionResults.DeviceClass",
            "Type": "opscan-precinct",
            "Manufacturer": party.manufacturer,
            "Model": party.model,
        },
    }
    scope: Json = {
        "@id": SCOPE,
        "@type": "ElectionResults.ReportingUnit",
        "Type": "other",
        "OtherType": "election-scope",
        "Name": _text(election.title),
        "ComposingGpUnitIds": list(parts.precincts.values()),
    }
    precincts = [
        _unit(parts.precincts[precinct.id], precinct.id) | {"Type": "precinct", "Name": _text(precinct.name)}
        for precinct in election.precincts
    ]
    districts = [
        _unit(ref, district) | {"Type": "other", "OtherType": "electoral-district", "IsDistricted": True}
        for district, ref in parts.districts.items()
    ]
    return [device, scope, *precincts, *districts]


def _unit(ref: str, own_id: str) -> Json:
    return {"@id": ref, "@type": "ElectionResults.ReportingUnit", "ExternalIdentifier": _identifier(own_id)}


def _parties(election: Election) -> list[Json]:
    """The parties that contests or styles name. The format wants a name; where the definition gives none, its id has to do."""
    return [
        {
            "@id": ref,
            "@type": "ElectionResults.Party",
            "Name": _text(party if name is None else name),
            "ExternalIdentifier": _identifier(party),
        }
        for party, (ref, name) in parts_of(election).parties.items()
    ]


def _election(election: Election, tally: Tally) -> Json:
    parts = parts_of(election)
    day = election_day(election)
    units = [(SCOPE, tally.total), *((parts.unit(p), count) for p, count in tally.precincts.items() if p is not None)]
    candidates = [
        {
            "@id": _candidate(choice),
            "@type": "ElectionResults.Candidate",
            "BallotName": _text(str(choice.name)),
            "ExternalIdentifier": _identifier(choice.option_id),
        }
        for contest in election.contests
        if contest.kind == "candidate"
        for choice in _options(contest, parts)
    ]
    contests = []
    for contest in election.contests:
        counts = [(unit, count.contests[contest.id]) for unit, count in units if contest.id in count.contests]
        contests.append(_contest(contest, parts, counts))
    return {
        "@type": "ElectionResults.Election",
        "ElectionScopeId": SCOPE,
        "Name": _text(election.title),
        "StartDate": day,
        "EndDate": day,
        "Type": "other",
        "OtherType": "not-stated",
        "ExternalIdentifier": _identifier(election.ballot_hash.hex(), "ballot-hash"),
        "BallotCounts": [
            {"@type": "ElectionResults.BallotCounts", "GpUnitId": unit, "Type": "total", "BallotsCast": count.ballots}
            for unit, count in units
        ],
        "Candidate": candidates,
        "Contest": contests,
    }


def _options(contest: Contest, parts: ElectionParts) -> list[Choice]:
    return [choice for choice in parts.choices[contest.id] if not choice.is_write_in]


def _candidate(choice: Choice) -> str:
    return f"{choice.ref}-candidate"


def _contest(contest: Contest, parts: ElectionParts, counts: list[tuple[str, ContestCount]]) -> Json:
    document: Json = {
        "@id": parts.contests[contest.id],
        "ElectionDistrictId": parts.district(contest),
        "Name": contest.title,
        "ExternalIdentifier": _identifier(contest.id),
        "ContestSelection": [_selection(contest, choice, parts, counts) for choice in _options(contest, parts)],
        "OtherCounts": [
            {
                "@type": "ElectionResults.OtherCounts",
                "GpUnitId": unit,
                "Overvotes": count.overvotes,
                "Undervotes": count.undervotes,
                "WriteIns": count.write_ins,
            }
            for unit, count in counts
        ],
    }
    match contest.kind:
        case "candidate":
            kind: Json = {"@type": "ElectionResults.CandidateContest", "VoteVariation": "n-of-m", "VotesAllowed": contest.seats}
            if contest.party_id is not None:
                kind["PrimaryPartyIds"] = [parts.parties[contest.party_id][0]]
        case "yesno":
            kind = {"@type": "ElectionResults.BallotMeasureContest"}
        case _:
            kind = {"@type": "ElectionResults.PartyContest"}
    return document | kind


def _selection(contest: Contest, choice: Choice, parts: ElectionParts, counts: list[tuple[str, ContestCount]]) -> Json:
    document: Json = {
        "@id": choice.ref,
        "VoteCounts": [
            {
                "@type": "ElectionResults.VoteCounts",
                "GpUnitId": unit,
                "Type": "total",
                "Count": count.votes[choice.option_id],
            }
            for unit, count in counts
        ],
    }
    match contest.kind:
        case "candidate":
            kind: Json = {"@type": "ElectionResults.CandidateSelection", "CandidateIds": [_candidate(choice)]}
        case "yesno":
            kind = {
                "@type": "ElectionResults.BallotMeasureSelection",
                "Selection": _text(str(choice.name)),
                "ExternalIdentifier": _identifier(choice.option_id),
            }
        case _:
            kind = {"@type": "ElectionResults.PartySelection", "PartyIds": [parts.parties[choice.option_id][0]]}
    return document | kind
