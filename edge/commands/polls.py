"""`scrutineer close` and `scrutineer report`: the end of the day, and what may be printed before and after it."""

from __future__ import annotations

import argparse
import base64
from collections.abc import Iterable, Iterator

from edge.audit.closing import Closed, close_polls
from edge.audit.content import record_of
from edge.audit.manifest import ExportError
from edge.commands.error import CommandError
from edge.commands.evidence import Visit, visited
from edge.commands.table import option_name
from edge.evidence.archive import SheetKind, StoredSheet
from edge.evidence.cdf.tally import Tally, tally
from edge.evidence.station_archive import StationArchive
from edge.evidence.store import Polls
from edge.evidence.tlog.checkpoint import open_checkpoint

_SHOWN_ROOT = 20
"""Characters of a root on a tape: more than anyone forges, few enough to compare by eye."""
_SETS = {SheetKind.CAST: "ballots", SheetKind.RETURNED: "returned sheets", SheetKind.TALLY: "tally sheets"}


def run_close(arguments: argparse.Namespace) -> int:
    """Close the polls for good and print the closing report, for the poll workers to sign.

    Args:
        arguments: `config`.

    Raises:
        CommandError: why not; nothing has changed then.
    """
    with visited(arguments.config) as visit:
        try:
            closed = close_polls(visit.store, visit.package)
        except ExportError as error:
            raise CommandError(error.code, f"{error.detail}. {error.advice}") from error
        read = (*_totals(closed.totals), *_tally_sheets(visit, closed.tally_sheets))
        for line in (*_head(visit, "Closing report"), "", *read, "", *_committed(closed)):
            print(line)
    return 0


def run_report(arguments: argparse.Namespace) -> int:
    """Print what may be known: the zero report before the polls open, the count of ballots while they are open, then the totals.

    Args:
        arguments: `config`.

    Raises:
        CommandError: the evidence cannot be read.
    """
    with visited(arguments.config) as visit:
        match visit.books.polls:
            case Polls.NEW:
                title, lines = "Zero report", [*_totals(_counted(visit, ())), *_tally_sheets(visit)]
            case Polls.CLOSED:
                counted = _counted(visit, StationArchive(visit.store, visit.package).sheets(SheetKind.CAST))
                title, lines = "Report after the close", [*_totals(counted), *_tally_sheets(visit)]
            case _:
                title, lines = "Count of sheets" if visit.package.forms else "Count of ballots", list(_so_far(visit))
        for line in (*_head(visit, title), "", *lines):
            print(line)
    return 0


def _head(visit: Visit, title: str) -> Iterator[str]:
    archive = StationArchive(visit.store, visit.package)
    signed = open_checkpoint(archive.checkpoints[max(archive.checkpoints)], [archive.verifier])
    election = visit.package.election_if_any()
    about = visit.package.title() if election is None else f"{election.title}, {election.date}"
    yield f"{title}: {about}"
    yield f"Log {archive.origin}"
    yield f"{signed.size} entries under checkpoint {base64.b64encode(signed.root).decode()[:_SHOWN_ROOT]}..."


def _counted(visit: Visit, sheets: Iterable[StoredSheet]) -> Tally | None:
    """The votes on ballots; None where no ballots are read."""
    election = visit.package.election_if_any()
    return None if election is None else tally(election, (record_of(sheet.files) for sheet in sheets))


def _so_far(visit: Visit) -> Iterator[str]:
    if visit.package.election is not None:
        yield f"Sheets in the box: {visit.books.count}"
        yield "Totals are told after the close."
    yield from _tally_sheets(visit)


def _tally_sheets(visit: Visit, number: int | None = None) -> Iterator[str]:
    """How many tally sheets there are; they are no ballots, and counted apart."""
    if visit.package.forms:
        yield f"Tally sheets in the box: {visit.books.tally_sheets if number is None else number}"


def _totals(counted: Tally | None) -> Iterator[str]:
    if counted is None:
        return
    yield f"Sheets in the box: {counted.sheets}, ballots: {counted.ballots}, cast by a person's decision: {counted.held_and_cast}"
    for contest in counted.election.contests:
        count = counted.contests[contest.id]
        yield ""
        yield f"{contest.title} (vote for {contest.seats})"
        for option in contest.options:
            yield f"  {option_name(contest, option.id):<58}{count.votes.get(option.id, 0):>8}"
        if contest.allow_write_ins:
            yield f"  {'write-ins':<58}{count.write_ins:>8}"
        yield f"  {'overvotes':<58}{count.overvotes:>8}"
        yield f"  {'undervotes':<58}{count.undervotes:>8}"
    small = counted.small_styles
    if small:
        yield ""
        yield f"Ballot styles with fewer than ten ballots, which may tell how somebody voted: {len(small)}"


def _committed(closed: Closed) -> Iterator[str]:
    for kind, root in closed.roots.items():
        yield f"Set of {_SETS[kind]}: root {base64.b64encode(root).decode()}"
    yield "The polls are closed for good. Signed checkpoint, to be kept on paper:"
    yield closed.checkpoint.decode().rstrip("\n")
