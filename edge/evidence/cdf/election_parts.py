"""What all formats say alike of an election: who reports, and a name for each of its parts that a reference can use.

The ids in a definition file are any text of up to 512 characters, and may be the same for a precinct and a contest. The formats
want one namespace, and its XML form wants names (NCName). So every part is named by its kind and its place in the definition
(`contest-3-option-1`), counted from 1 and the same in every document of that election; the file's own id stands beside it as a
code of the type `election-definition-id`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from edge.definition.election import WRITE_IN_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edge.definition.election import Contest, Election

Json = dict[str, Any]

DEVICE = "device"
ELECTION = "election"
SCOPE = "scope"
"""The unit of the whole election."""
DEFINITION_ID = "election-definition-id"
"""The kind of code that a definition file's own id is."""


@dataclass(frozen=True, slots=True)
class ReportingParty:
    """Who reports.

    Attributes:
        device_id: The device's name: the log's origin without the election.
        manufacturer: Who made it.
        model: What it is.
        application: Name and version of the software, as `scrutineer-edge 0.1.0`.
        test_mode: Whether these are trial sheets that count nowhere.
    """

    device_id: str
    manufacturer: str
    model: str
    application: str
    test_mode: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice of a contest: a printed option, or a line for a write-in (`option_id` `write-in-<index>`, without a name)."""

    option_id: str
    ref: str
    name: str | None

    @property
    def is_write_in(self) -> bool:
        """Whether it is a line for a name."""
        return self.name is None


@dataclass(frozen=True, slots=True)
class ElectionParts:
    """The names of an election's parts, by the file's own ids, in the file's order.

    Attributes:
        precincts: By precinct id.
        districts: By district id, those that contests name.
        parties: By party id: the name for references, and the party's name where the definition gives one.
        contests: By contest id.
        choices: By contest id: its options, then its write-in lines by index.
        choice_refs: By contest and option id.
    """

    precincts: Mapping[str, str]
    districts: Mapping[str, str]
    parties: Mapping[str, tuple[str, str | None]]
    contests: Mapping[str, str]
    choices: Mapping[str, tuple[Choice, ...]]
    choice_refs: Mapping[tuple[str, str], str]

    def unit(self, precinct_id: str | None) -> str:
        """The unit that a sheet belongs to: its precinct, or the whole election where it does not name one."""
        return SCOPE if precinct_id is None else self.precincts[precinct_id]

    def district(self, contest: Contest) -> str:
        """The unit that votes in a contest."""
        return SCOPE if contest.district_id is None else self.districts[contest.district_id]


@lru_cache(maxsize=4)
def parts_of(election: Election) -> ElectionParts:
    """Name the parts of an election."""
    lines = _write_in_lines(election)
    contests = {contest.id: f"contest-{place}" for place, contest in enumerate(election.contests, 1)}
    choices = {contest.id: _choices(contest, contests[contest.id], lines[contest.id]) for contest in election.contests}
    return ElectionParts(
        precincts=_numbered("precinct", (precinct.id for precinct in election.precincts)),
        districts=_numbered("district", (contest.district_id for contest in election.contests)),
        parties=_parties(election),
        contests=contests,
        choices=choices,
        choice_refs={(contest, choice.option_id): choice.ref for contest, listed in choices.items() for choice in listed},
    )


def _numbered(kind: str, ids: Iterable[str | None]) -> dict[str, str]:
    distinct = dict.fromkeys(one for one in ids if one is not None)
    return {one: f"{kind}-{place}" for place, one in enumerate(distinct, 1)}


def _parties(election: Election) -> dict[str, tuple[str, str | None]]:
    """Every party that a contest or a style names; only the options of straight-party contests tell a party's name."""
    slates = [contest for contest in election.contests if contest.kind == "straight-party"]
    names = {option.id: option.name for contest in slates for option in contest.options}
    ids = [*names, *(contest.party_id for contest in election.contests), *(style.party_id for style in election.ballot_styles)]
    return {party: (ref, names.get(party)) for party, ref in _numbered("party", ids).items()}


def _write_in_lines(election: Election) -> dict[str, list[int]]:
    """The indices of each contest's write-in lines: as many as seats, which is what a marking device offers, and all printed."""
    lines = {contest.id: set(range(contest.seats if contest.allow_write_ins else 0)) for contest in election.contests}
    for layout in election.layouts.values():
        for position in layout:
            if position.write_in_index is not None:
                lines[position.contest_id].add(position.write_in_index)
    return {contest: sorted(indices) for contest, indices in lines.items()}


def _choices(contest: Contest, ref: str, lines: list[int]) -> tuple[Choice, ...]:
    options = [Choice(option.id, f"{ref}-option-{place}", option.name) for place, option in enumerate(contest.options, 1)]
    return (*options, *(Choice(f"{WRITE_IN_PREFIX}{index}", f"{ref}-write-in-{index + 1}", None) for index in lines))
