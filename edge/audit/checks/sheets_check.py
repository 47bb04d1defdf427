"""Every kept sheet: what its second reading gave, and whether two of them are one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from edge.audit.checks.question import Question, counted
from edge.audit.checks.reading_pool import Reread, read_again
from edge.audit.checks.second_reading import SheetFolder
from edge.audit.layout import SHEET_FOLDERS
from edge.audit.manifest import FileFacts
from edge.audit.verification import Check, Finding, Json, Repeat, SheetVerdict
from edge.evidence.archive import SheetKind
from edge.evidence.sheet_files import grey_name, image_name

NAMES = {SheetKind.CAST: "cast sheet", SheetKind.RETURNED: "kept returned sheet", SheetKind.TALLY: "tally sheet"}
SHEET_QUESTIONS = {SheetKind.CAST: "castSheets", SheetKind.RETURNED: "returnedSheets", SheetKind.TALLY: "tallySheets"}

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_SCANS = ((image_name("A"), image_name("B")), (grey_name("A"), grey_name("B")))
"""The pictures of both sides: of ballots the bilevel pages, of what is read in grey the whole images."""
_MOST_SHOWN = 20


@dataclass(slots=True)
class KeptSheets:
    """What came of the second readings.

    Attributes:
        verdicts: Cast ones first, sorted by id.
        files: Files of each sheet, without the folder's name.
        errors: What could not be read.
        readings: Records of the cast sheets as they were read here, or as they are kept where that was not possible.
    """

    verdicts: list[SheetVerdict] = field(default_factory=list)
    files: dict[tuple[SheetKind, str], tuple[FileFacts, ...]] = field(default_factory=dict)
    errors: list[Finding] = field(default_factory=list)
    readings: list[Json] = field(default_factory=list)

    def of(self, kind: SheetKind) -> list[SheetVerdict]:
        """The verdicts of a kind."""
        return [one for one in self.verdicts if one.kind is kind]

    def full(self) -> dict[str, FileFacts]:
        """The files by their names in the export."""
        named: dict[str, FileFacts] = {}
        for (kind, sheet), files in self.files.items():
            for facts in files:
                name = f"{SHEET_FOLDERS[kind]}/{sheet}/{facts.name}"
                named[name] = FileFacts(name, facts.size, facts.sha256)
        return named


def read_sheets_again(
    folders: Sequence[SheetFolder], reread: Reread, processes: int | None, told: Callable[[int], None]
) -> KeptSheets:
    """All sheets read again; arguments as for `read_again`."""
    kept = KeptSheets()
    readings: dict[str, Json] = {}
    files: dict[tuple[SheetKind, str], tuple[FileFacts, ...]] = {}
    for seen in read_again(folders, reread, processes, told):
        record = _parsed(seen.record)
        kept.verdicts.append(SheetVerdict(seen.id, seen.kind, seen.repeat, record, (*seen.errors, *seen.findings)))
        files[seen.kind, seen.id] = seen.facts
        kept.errors += seen.errors
        reading = record if seen.repeat is Repeat.SAME else _parsed(seen.reading) or record
        if seen.kind is SheetKind.CAST and reading is not None:
            readings[seen.id] = reading
    order = list(SheetKind)
    kept.verdicts.sort(key=lambda one: (order.index(one.kind), one.id))
    # The order in which processes answer must not show.
    kept.files = {(one.kind, one.id): files[one.kind, one.id] for one in kept.verdicts}
    kept.errors.sort(key=lambda finding: finding.file)
    kept.readings = [readings[sheet] for sheet in sorted(readings)]
    return kept


def _parsed(record: bytes | None) -> Json | None:
    """A record that may be anything, as far as it is an object in JSON."""
    try:
        parsed = None if record is None else json.loads(record)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def sheet_folders(files: Iterable[str]) -> list[SheetFolder]:
    """The sheets that an export's files are of: cast ones first, sorted by id."""
    found: dict[tuple[SheetKind, str], list[str]] = {}
    kinds = {folder: kind for kind, folder in SHEET_FOLDERS.items()}
    for name in files:
        top, _, rest = name.partition("/")
        sheet, _, file = rest.partition("/")
        if top in kinds and file and "/" not in file:
            found.setdefault((kinds[top], sheet), []).append(file)
    order = list(SheetKind)
    return [
        SheetFolder(kind, sheet, tuple(sorted(names)))
        for (kind, sheet), names in sorted(found.items(), key=lambda item: (order.index(item[0][0]), item[0][1]))
    ]


def check_sheets(kind: SheetKind, verdicts: Sequence[SheetVerdict], *, party_known: bool) -> Check:
    """The second readings of one kind.

    Args:
        kind: Which.
        verdicts: Those of this kind.
        party_known: Whether it was known who made the cast vote records, so that they could be made again.
    """
    question = Question(SHEET_QUESTIONS[kind])
    for one in verdicts:
        if _ID.fullmatch(one.id) is None:
            question.wrong("sheetIdWrong", f"{SHEET_FOLDERS[kind]}/{one.id}", "is not named by a random number as sheets are")
        question.findings += one.findings
    repeats = [one.repeat for one in verdicts]
    what = counted(len(verdicts), NAMES[kind])
    same = sum(one.repeat is Repeat.SAME and not one.findings for one in verdicts)
    sentence = f"{same} of {what} read again from the images give the same record"
    sentence += ", bit for bit, and the same cast vote record." if kind is SheetKind.CAST and party_known else ", bit for bit."
    impossible = repeats.count(Repeat.IMPOSSIBLE)
    if impossible:
        sentence += (
            f" {counted(impossible, 'sheet')} could not be read again: no page was found on the scan, or the grey that showed "
            "why the sheet was refused is not kept; a person can look at what there is."
        )
    if question.findings:
        return question.failed(sentence)
    if kind is SheetKind.CAST and not party_known:
        return question.unanswered(f"{sentence} The cast vote records were not made again: the log does not tell by whom.")
    return question.answered(sentence)


def check_alike(sheets: Mapping[tuple[SheetKind, str], Sequence[FileFacts]]) -> Check:
    """Whether two sheets have the same pictures of both sides: no two scans are the same, not even of one sheet.

    Args:
        sheets: Files of every sheet, by its kind and id.
    """
    question = Question("alike")
    first: dict[tuple[bytes, ...], str] = {}
    alike = []
    for (kind, sheet), files in sheets.items():
        named = {facts.name: facts.sha256 for facts in files}
        scans = next((tuple(named[name] for name in pair) for pair in _SCANS if named.keys() >= set(pair)), None)
        path = f"{SHEET_FOLDERS[kind]}/{sheet}"
        if scans is not None and (other := first.setdefault(scans, path)) != path:
            alike.append(f"{path} and {other}")
    if not alike:
        return question.answered("No two of the kept sheets have the same pictures.")
    shown = f"{'; '.join(alike[:_MOST_SHOWN])}{'; ...' if len(alike) > _MOST_SHOWN else ''}"
    return question.unanswered(
        f"Whether {counted(len(alike), 'sheet')} with the very same pictures as another one were different paper: two scans are "
        f"never the same, not even of one sheet. A person must look at them and at the paper: {shown}."
    )
