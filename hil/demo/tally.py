"""The end of the demo: what lies in the emulated box, against what the station's evidence says."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.commands.table import option_name
from edge.definition.election import Election
from edge.evidence.reading import unpack_sheet
from edge.evidence.sqlite_store import SqliteStore
from hil.demo.story import Ending

Votes = Counter[tuple[str, str]]
"""Contest id and option id."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Both sides of the account.

    Attributes:
        box: Names of the sheets in the emulated box.
        paper: The votes that their voters put on them.
        count: Sheets that the evidence counts.
        pending: Whether the evidence still has a sheet on its way.
        evidence: The votes in the evidence's records.
        endings: What became of each ballot.
    """

    box: tuple[str, ...]
    paper: Votes
    count: int
    pending: bool
    evidence: Votes
    endings: Sequence[Ending]

    @property
    def agrees(self) -> bool:
        """Whether everything ended as meant: the same sheets, the same count, the same votes."""
        meant = sorted(ending.ballot.name for ending in self.endings if ending.accepted)
        return sorted(self.box) == meant and self.count == len(self.box) and not self.pending and self.paper == self.evidence

    def lines(self, election: Election) -> Iterator[str]:
        """The account in words, for people."""
        width = max(len(ending.ballot.name) for ending in self.endings)
        yield "What became of each sheet"
        for ending in self.endings:
            place = "in the box" if ending.ballot.name in self.box else "not in the box"
            yield f"  {ending.ballot.name:<{width}}  {place:<14}  {ending.words}"
        yield ""
        yield f"{'Votes':<58}  on paper  evidence"
        for contest in election.contests:
            options = sorted({option for of, option in (*self.paper, *self.evidence) if of == contest.id})
            if options:
                yield textwrap.indent(textwrap.shorten(contest.title, 76, placeholder=" ..."), "  ")
            for option in options:
                choice = (contest.id, option)
                name = option_name(contest, option)[:54]
                differs = "" if self.paper[choice] == self.evidence[choice] else "  DIFFERS"
                yield f"    {name:<54}  {self.paper[choice]:>8}  {self.evidence[choice]:>8}{differs}"
        yield ""
        yield f"Sheets in the emulated box: {len(self.box)}. Counted by the evidence: {self.count}."


def take_tally(endings: Sequence[Ending], box: tuple[str, ...], count: int, pending: bool, evidence: Path) -> Tally:
    """Read the evidence, and count what the voters of the sheets in the box meant."""
    marked = {ending.ballot.name: ending.ballot.marked() for ending in endings}
    paper = Counter((contest, option) for name in box for contest, options in marked[name].votes.items() for option in options)
    return Tally(box, paper, count, pending, _recorded(evidence), endings)


def _recorded(evidence: Path) -> Votes:
    """The votes in all records of the evidence."""
    store = SqliteStore(evidence)
    try:
        records = [json.loads(unpack_sheet(sheet)[0]) for sheet in store.sheets()]
    finally:
        store.close()
    return Counter((contest, option) for record in records for contest, options in record["votes"].items() for option in options)
