"""Whether the sheets in the folder are those that the station committed to when the polls were closed."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

from edge.audit.checks.logged_event import LoggedEvent
from edge.audit.checks.question import Question, counted
from edge.audit.checks.sheets_check import NAMES
from edge.audit.content import open_set_note, set_leaf
from edge.audit.folder import ExportFolder, FileError
from edge.audit.layout import SET_NOTES
from edge.audit.manifest import FileFacts
from edge.audit.verification import Check
from edge.evidence.archive import SheetKind
from edge.evidence.tlog.merkle import root_of
from edge.evidence.tlog.note import MOST_NOTE_BYTES, NoteError, VerifierKey

_CLOSING = {
    SheetKind.CAST: ("count", "castRoot"),
    SheetKind.RETURNED: ("returned", "returnedRoot"),
    SheetKind.TALLY: ("tallySheets", "tallyRoot"),
}
"""The fields of the event that commits to a set."""
SET_QUESTIONS = {SheetKind.CAST: "castSet", SheetKind.RETURNED: "returnedSet", SheetKind.TALLY: "tallySet"}


def check_set(
    folder: ExportFolder,
    kind: SheetKind,
    seen: Mapping[str, Sequence[FileFacts]],
    keys: Sequence[VerifierKey],
    closing: tuple[LoggedEvent, str] | None,
    *,
    proven: bool,
) -> Check:
    """Whether the sheets in the folder are the set that was committed to when the polls were closed.

    Args:
        folder: The export.
        kind: Which set.
        seen: Files of its sheets, by the sheet's id.
        keys: The log's keys of the trust list.
        closing: The event that committed to the set, and the file that holds it; None if the log does not tell.
        proven: Whether the log is what the device signed.
    """
    question, file = Question(SET_QUESTIONS[kind]), SET_NOTES[kind]
    leaves = [set_leaf(sheet, seen[sheet]) for sheet in sorted(seen)]
    root = root_of(leaves)
    signed = None
    try:
        note = folder.read(file, MOST_NOTE_BYTES)
        signed = open_set_note(note, kind, keys[0]) if keys else None
    except FileError as error:
        question.findings.append(error.finding())
    except NoteError as error:
        question.wrong(error.code, file, error.detail)
    if signed is not None and (signed.size, signed.root) != (len(leaves), root):
        question.wrong("setDiffers", file, f"is over {counted(signed.size, 'other sheet')}; {len(leaves)} are in the folder")
    if closing is not None:
        event, place = closing
        count, committed = _CLOSING[kind]
        if event.fields[count] != len(leaves):
            told = event.number(count)
            detail = f"entry {event.index} ({event.id}) tells of {told} {kind} sheets; {len(leaves)} are in the folder"
            question.wrong("setCount", place, detail)
        if event.fields[committed] != base64.b64encode(root).decode():
            question.wrong("setRoot", place, f"entry {event.index} ({event.id}) commits to other {kind} sheets than those here")
    sentence = f"The {counted(len(leaves), NAMES[kind])} in the folder are those that the station signed and wrote into its log."
    if not keys:
        return question.unanswered(f"Whether the log's own key has signed the set of {kind} sheets was not checked.")
    if closing is None:
        return question.unanswered(f"The set of {kind} sheets could not be held against the log, which could not be read.")
    return question.answered(sentence, proven=proven)
