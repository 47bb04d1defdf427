"""References that lead nowhere, and names given twice: what the published schemas do not check.

In these formats a reference is a plain text that names the `@id` of another part. The tables say which properties are references
and what they may name; they follow the `refTypes` notes in the schemas, which validators ignore. The event log has no references.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MOST_QUOTED = 80
"""Characters of a document that a sentence repeats."""

_Table = dict[str, frozenset[str]]


def _table(prefix: str, targets: Mapping[str, str]) -> _Table:
    return {name: frozenset(f"{prefix}.{kind}" for kind in kinds.split()) for name, kinds in targets.items()}


_CVR_CONTESTS = "Contest PartyContest BallotMeasureContest CandidateContest RetentionContest"
_CVR_SELECTIONS = "ContestSelection PartySelection BallotMeasureSelection CandidateSelection"
_ERR_CONTESTS = "PartyContest BallotMeasureContest CandidateContest RetentionContest"
_ERR_SELECTIONS = "PartySelection BallotMeasureSelection CandidateSelection"
_ERR_UNITS = "ReportingDevice ReportingUnit"
_ERR_PARTIES = "Party Coalition"

REFERENCES: Mapping[str, _Table] = {
    "CVR": _table(
        "CVR",
        {
            "BallotStyleUnitId": "GpUnit",
            "CandidateId": "Candidate",
            "CandidateIds": "Candidate",
            "ContestId": _CVR_CONTESTS,
            "ContestSelectionId": _CVR_SELECTIONS,
            "CreatingDeviceId": "ReportingDevice",
            "CurrentSnapshotId": "CVRSnapshot",
            "ElectionId": "Election",
            "ElectionScopeId": "GpUnit",
            "PartyId": "Party",
            "PartyIds": "Party",
            "PrimaryPartyId": "Party",
            "ReportGeneratingDeviceIds": "ReportingDevice",
            "ReportingDeviceIds": "ReportingDevice",
        },
    ),
    "EventLogging": {},
    "ElectionResults": _table(
        "ElectionResults",
        {
            "AuthorityIds": "Person",
            "CandidateId": "Candidate",
            "CandidateIds": "Candidate",
            "ComposingGpUnitIds": _ERR_UNITS,
            "ContestId": _ERR_CONTESTS,
            "ContestIds": _ERR_CONTESTS,
            "ElectionDistrictId": "ReportingUnit",
            "ElectionOfficialPersonIds": "Person",
            "ElectionScopeId": "ReportingUnit",
            "EndorsementPartyIds": _ERR_PARTIES,
            "GpUnitId": _ERR_UNITS,
            "GpUnitIds": _ERR_UNITS,
            "HeaderId": "Header",
            "LeaderPersonIds": "Person",
            "OfficeHolderPersonIds": "Person",
            "OfficeId": "Office",
            "OfficeIds": "Office",
            "OrderedContestSelectionIds": _ERR_SELECTIONS,
            "PartyId": _ERR_PARTIES,
            "PartyIds": _ERR_PARTIES,
            "PartyScopeGpUnitIds": _ERR_UNITS,
            "PersonId": "Person",
            "PrimaryPartyIds": _ERR_PARTIES,
        },
    ),
}
"""By format, by property name: the types that the named part may have."""


def check(document: object) -> list[str]:
    """Everything that is wrong with a document's names and references, one sentence each; nothing for a sound one.

    Args:
        document: A document in one of the three formats, parsed, from anywhere; its shape is the schema's to check.
    """
    kind = document.get("@type") if isinstance(document, dict) else None
    table = REFERENCES.get(kind.partition(".")[0]) if isinstance(kind, str) else None
    if table is None:
        return ["the document is in none of the known formats"]
    types, wrong = _named(document)
    for part in _parts(document):
        for name in sorted(table.keys() & part.keys()):
            targets = part[name] if isinstance(part[name], list) else [part[name]]
            problems = [_problem(target, types, table[name]) for target in targets]
            wrong.extend(f"{name} of a {_quoted(part.get('@type'))} {problem}" for problem in problems if problem is not None)
    return wrong


def _named(document: object) -> tuple[dict[str, str], list[str]]:
    """The type of every part that has a name, and what is wrong with the names."""
    types: dict[str, str] = {}
    wrong = []
    for part in _parts(document):
        if "@id" not in part:
            continue
        name = part["@id"]
        if not isinstance(name, str):
            wrong.append("an @id is not a text")
        elif name in types:
            wrong.append(f"the @id {_quoted(name)} is given twice")
        else:
            types[name] = str(part.get("@type"))
    return types, wrong


def _problem(target: object, types: Mapping[str, str], allowed: frozenset[str]) -> str | None:
    if not isinstance(target, str):
        return "is not a text"
    if target not in types:
        return f"names {_quoted(target)}, which is not there"
    return None if types[target] in allowed else f"names {_quoted(target)}, which is a {_quoted(types[target])}"


def _quoted(text: object) -> str:
    return ascii(str(text)[:_MOST_QUOTED])


def _parts(document: object) -> Iterator[dict[str, Any]]:
    """Every object of a document, however deep, in its order."""
    waiting: list[Any] = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting.extend(reversed(value.values()))
        elif isinstance(value, list):
            waiting.extend(reversed(value))
