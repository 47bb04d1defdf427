"""The totals: counted again from the second readings, and both files of results made again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge.audit.checks.logged_event import LoggedEvent
from edge.audit.checks.question import Question, counted
from edge.audit.content import report_document, totals_document
from edge.audit.folder import ExportFolder, FileError
from edge.audit.layout import ELECTION_REPORT, SHEET_FOLDERS, TOTALS
from edge.audit.verification import Check, Json, SheetVerdict
from edge.definition.election import Election
from edge.evidence.archive import SheetKind
from edge.evidence.cdf.election_parts import ReportingParty
from edge.evidence.cdf.error import CdfError
from edge.evidence.cdf.tally import Tally, tally


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted here. `tally`: None where a record could not be counted; `why`: the reason then."""

    tally: Tally | None
    why: str = ""

    @property
    def json(self) -> Json | None:
        """As `results/totals.json`."""
        return None if self.tally is None else self.tally.to_json()


def count(election: Election, records: Sequence[Json]) -> Counted:
    """Count records."""
    try:
        return Counted(tally(election, records))
    except CdfError as error:
        return Counted(None, str(error))


def check_results(
    folder: ExportFolder, counted_here: Counted, election: Election, party: ReportingParty | None, closing: LoggedEvent | None
) -> list[Check]:
    """Totals and election report against what was counted here.

    Args:
        folder: The export.
        counted_here: The totals.
        election: What they are of.
        party: Who reported; None if the log does not tell.
        closing: The event that closed the polls; None if the log does not tell.
    """
    totals, report = Question("totals"), Question("electionReport")
    if counted_here.tally is None:
        totals.wrong("totalsUncountable", TOTALS, f"no totals can be counted from the sheets: {counted_here.why}")
        return [
            totals.failed("The totals could not be counted."),
            report.unanswered("The election report could not be made again without totals."),
        ]
    tallied = counted_here.tally
    _compare(folder, totals, TOTALS, lambda: totals_document(tallied))
    checks = [
        totals.answered(
            f"The totals of {counted(tallied.total.sheets, 'ballot')}, counted again from the second readings, agree."
        )
    ]
    if party is None or closing is None:
        return [*checks, report.unanswered("The election report could not be made again: the log does not tell when it is of.")]
    _compare(folder, report, ELECTION_REPORT, lambda: report_document(party, election, tallied, closing.time))
    return [*checks, report.answered("The election report, made again from these totals, is the same.")]


def _compare(folder: ExportFolder, question: Question, name: str, made: Callable[[], bytes]) -> None:
    try:
        if folder.read(name) != made():
            question.wrong("resultsDiffer", name, "is not what the sheets give")
    except FileError as error:
        question.findings.append(error.finding())
    except CdfError as error:
        question.wrong("totalsUncountable", name, str(error))


def check_held(verdicts: Sequence[SheetVerdict]) -> Check:
    """The cast sheets that were held for a person, who cast them as they were: listed, for whoever wants to look at them."""
    held = [one.id for one in verdicts if one.kind is SheetKind.CAST and _disposition(one) == "hold"]
    cast = sum(one.kind is SheetKind.CAST for one in verdicts)
    sentence = f"{len(held)} of {counted(cast, 'cast sheet')} had been held, and a person cast them as they were"
    sentence += f": {', '.join(f'{SHEET_FOLDERS[SheetKind.CAST]}/{one}' for one in held)}." if held else "."
    return Question("heldAndCast").answered(sentence)


def _disposition(one: SheetVerdict) -> object:
    disposition = None if one.record is None else one.record.get("disposition")
    return disposition.get("kind") if isinstance(disposition, dict) else None
