"""The tally sheets against the log, which names the record of each in the order in which they came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from edge.audit.checks.logged_event import LoggedEvent
from edge.audit.checks.question import Question, counted
from edge.audit.layout import SHEET_FOLDERS
from edge.audit.manifest import FileFacts
from edge.audit.verification import Check, SheetVerdict
from edge.definition.form import Form
from edge.evidence.archive import SheetKind
from edge.evidence.sheet_files import RECORD
from edge.evidence.tally_sheets import form_and_table


def check_tally_sheets(
    verdicts: Sequence[SheetVerdict],
    files: Mapping[tuple[SheetKind, str], Sequence[FileFacts]],
    told: Sequence[tuple[LoggedEvent, str]],
    forms: Sequence[Form],
    *,
    proven: bool,
) -> Check:
    """Whether each tally sheet is one that the log names, and the other way round.

    Args:
        verdicts: The tally sheets.
        files: Files of every sheet, by its kind and id.
        told: The events `tallySheetAccepted` in order, each with the file that holds it.
        forms: What they were read by.
        proven: Whether the log is what the device signed.
    """
    question = Question("tallyRecords")
    left = Counter(event.text("recordSha256") for event, _ in told)
    about = {event.text("recordSha256"): (event.text("form"), event.text("table")) for event, _ in told}
    held = []
    for one in verdicts:
        path = f"{SHEET_FOLDERS[SheetKind.TALLY]}/{one.id}"
        sha256 = next((facts.sha256.hex() for facts in files.get((one.kind, one.id), ()) if facts.name == RECORD), "")
        if left[sha256] <= 0:
            question.wrong("tallyUnlogged", f"{path}/{RECORD}", "is not a record that the log names")
            continue
        left[sha256] -= 1
        disposition = None if one.record is None else one.record.get("disposition")
        if isinstance(disposition, dict) and disposition.get("kind") == "hold":
            held.append(path)
        try:
            same = one.record is not None and form_and_table(one.record, forms) == about[sha256]
        except ValueError:
            same = False
        if not same:
            question.wrong("tallyDiffers", f"{path}/{RECORD}", "is of another form or table than the log says")
    for event, place in told:
        sha256 = event.text("recordSha256")
        if left[sha256] > 0:
            left[sha256] -= 1
            question.wrong("tallyMissing", place, f"entry {event.index} ({event.id}) names a record that is not in the folder")
    sentence = f"The log names the records of the {counted(len(verdicts), 'tally sheet')}, of each its form and table. "
    sentence += f"{len(held)} had been held, and a person put them into the box as they were"
    return question.answered(f"{sentence}: {', '.join(held)}." if held else f"{sentence}.", proven=proven)
