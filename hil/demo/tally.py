"""The end of the demo: what lies in the emulated box, against what the station's evidence says."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from edge.commands.table import option_name
from edge.definition.election import Election
from edge.evidence.archive import SheetKind
from edge.evidence.sheet_files import RECORD
from edge.evidence.station_archive import kept_sheets
from edge.station.config import StationConfig
from hil.demo.story import Ending
from hil.rig.evidence import looked_at

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


def take_tally(endings: Sequence[Ending], box: tuple[str, ...], config: StationConfig) -> Tally:
    """Read the evidence, and count what the voters of the sheets in the box meant."""
    marked = {ending.ballot.name: ending.ballot.marked() for ending in endings}
    paper = Counter((contest, option) for name in box for contest, options in marked[name].votes.items() for option in options)
    with looked_at(config) as store:
        books = store.read()
        records = [json.loads(sheet.files[RECORD]) for sheet in kept_sheets(store.opened(), SheetKind.CAST)]
    return Tally(box, paper, books.count, books.pending is not None, _votes(records), endings)


def _votes(records: Sequence[dict[str, Any]]) -> Votes:
    return Counter((contest, option) for record in records for contest, options in record["votes"].items() for option in options)
