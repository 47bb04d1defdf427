"""`scrutineer close` and `scrutineer report`: the end of the day, and what may be printed before and after it."""

from __future__ import annotations

import argparse
import base64
from collections.abc import Iterator

from edge.audit.closing import Closed, close_polls
from edge.audit.content import record_of
from edge.audit.manifest import ExportError
from edge.commands.error import CommandError
from edge.commands.evidence import Visit, visited
from edge.commands.table import option_name
from edge.evidence.archive import SheetKind
from edge.evidence.cdf.tally import Tally, tally
from edge.evidence.station_archive import StationArchive
from edge.evidence.store import Polls
from edge.evidence.tlog.checkpoint import open_checkpoint

_SHOWN_ROOT = 20
"""Characters of a root on a tape: more than anyone forges, few enough to compare by eye."""


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
        for line in (*_head(visit, "Closing report"), "", *_totals(closed.totals), "", *_committed(closed)):
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
                title, lines = "Zero report", list(_totals(tally(visit.package.definition(), ())))
            case Polls.CLOSED:
                sheets = StationArchive(visit.store, visit.package).sheets(SheetKind.CAST)
                counted = tally(visit.package.definition(), (record_of(sheet.files) for sheet in sheets))
                title, lines = "Report after the close", list(_totals(counted))
            case _:
                title, lines = "Count of ballots", [f"Sheets in the box: {visit.books.count}", "Totals are told after the close."]
        for line in (*_head(visit, title), "", *lines):
            print(line)
    return 0


def _head(visit: Visit, title: str) -> Iterator[str]:
    archive = StationArchive(visit.store, visit.package)
    election = visit.package.definition()
    signed = open_checkpoint(archive.checkpoints[max(archive.checkpoints)], [archive.verifier])
    yield f"{title}: {election.title}, {election.date}"
    yield f"Log {archive.origin}"
    yield f"{signed.size} entries under checkpoint {base64.b64encode(signed.root).decode()[:_SHOWN_ROOT]}..."


def _totals(counted: Tally) -> Iterator[str]:
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
    for kind, what in ((SheetKind.CAST, "ballots"), (SheetKind.RETURNED, "returned sheets")):
        yield f"Set of {what}: root {base64.b64encode(closed.roots[kind]).decode()}"
    yield "The polls are closed for good. Signed checkpoint, to be kept on paper:"
    yield closed.checkpoint.decode().rstrip("\n")
