"""From the readings of a tally sheet to what happens to it: accept, return with a reason, or hold for a person. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from edge.decision import Disposition, Reason
from edge.definition.form import Form
from edge.tally.result import FieldReading, TallyInterpretation


class HoldCode(StrEnum):
    """Reasons to hold a tally sheet."""

    SHEET_INCOMPLETE = "sheetIncomplete"
    """The image shows a part of the sheet, and the whole is asked for."""
    FRAMES_MISSING = "framesMissing"
    """A few printed frames are not where they belong."""
    REGION_DISAGREES = "regionDisagrees"
    """The region model sees the form elsewhere, another one, several, or none."""
    FIELD_UNREAD = "fieldUnread"
    READERS_DISAGREE = "readersDisagree"
    FOREIGN_INK = "foreignInk"
    BARCODE_MISSING = "barcodeMissing"
    CODES_DIFFER = "codesDiffer"
    TOTAL_BLANK = "totalBlank"
    RULE_BROKEN = "ruleBroken"
    RULE_UNCHECKED = "ruleUnchecked"
    """A rule was not checked although its fields were read. A mistake of ours; such a sheet is not accepted."""


_OF_CELLS = {
    "readersDisagree": HoldCode.READERS_DISAGREE,
    "foreignInk": HoldCode.FOREIGN_INK,
    "strayInk": HoldCode.FOREIGN_INK,
    "lineDown": HoldCode.FOREIGN_INK,
    "lineAcross": HoldCode.FOREIGN_INK,
}
_OF_FIELDS = {"codeMissing": HoldCode.BARCODE_MISSING, "codesDiffer": HoldCode.CODES_DIFFER}


def decide_tally(interpretation: TallyInterpretation, form: Form, *, whole_sheet: bool = False) -> Disposition:
    """Decide over a tally sheet.

    It is accepted when two ways of finding it agree where it lies, every field on its extent was read with margin, and every rule
    that can be checked there holds. It is returned when nothing was read. Otherwise it is held with one reason a field and a
    broken rule, and its numbers stand as they were read: a person may take it as it is, except where a part of the sheet is
    missing.

    Args:
        interpretation: The sheet as read.
        form: The form that it was read by.
        whole_sheet: Whether a part of the sheet is too little.
    """
    if interpretation.refusal is not None or interpretation.extent is None:
        refusal = interpretation.refusal
        reason = Reason("formNotFound") if refusal is None else Reason(refusal.code, detail=refusal.detail)
        return Disposition("return", (reason,), castable=False)
    incomplete = whole_sheet and interpretation.extent != "sheet"
    reasons = [Reason(HoldCode.SHEET_INCOMPLETE, detail=f"the image shows {interpretation.extent} alone")] if incomplete else []
    reasons += [*_misplaced(interpretation), *_unread(interpretation, form), *_broken(interpretation)]
    if not reasons:
        reasons += _unchecked(interpretation, form)
    return Disposition("hold", tuple(reasons), castable=not incomplete) if reasons else Disposition("accept")


def _misplaced(interpretation: TallyInterpretation) -> Iterator[Reason]:
    """Why the place where the form was found is in doubt."""
    if interpretation.missing:
        yield Reason(HoldCode.FRAMES_MISSING, detail=f"not where they should be: {', '.join(interpretation.missing)}")
    opinion = interpretation.opinion
    if opinion is not None and not opinion.agrees:
        yield Reason(HoldCode.REGION_DISAGREES, detail=opinion.detail)


def _unread(interpretation: TallyInterpretation, form: Form) -> Iterator[Reason]:
    """Fields of the extent without a value that stands, in the form's order."""
    shown = form.names_on(interpretation.extent or "sheet")
    for name in (*form.by_name, *(code.name for code in form.codes)):
        if name not in shown:
            continue
        field = interpretation.fields.get(name)
        if field is None:
            yield Reason(HoldCode.FIELD_UNREAD, detail=f"{name}: nothing was read")
        elif not field.read or not all(cell.accepted for cell in field.cells):
            yield Reason(_code(field), detail=f"{name}: {_told(field)}")


def _code(field: FieldReading) -> HoldCode:
    """What is wrong with a field: what all its doubtful cells have in common, where that has a code."""
    codes = {_OF_CELLS.get(cell.doubt or "") for cell in field.cells if not cell.accepted}
    code = codes.pop() if len(codes) == 1 else None
    return code or _OF_FIELDS.get(field.reason or "", HoldCode.FIELD_UNREAD)


def _told(field: FieldReading) -> str:
    """What is wrong with a field, for people: its doubtful cells, from 1, and what else there is to say."""
    doubts: dict[str, list[str]] = {}
    for place, cell in enumerate(field.cells):
        if not cell.accepted:
            doubts.setdefault(cell.doubt or cell.state, []).append(str(place + 1))
    if doubts:
        return "; ".join(
            f"{'cell' if len(cells) == 1 else 'cells'} {', '.join(cells)} {doubt}" for doubt, cells in doubts.items()
        )
    return ", ".join(part for part in (field.reason, field.detail) if part)


def _broken(interpretation: TallyInterpretation) -> Iterator[Reason]:
    for rule in interpretation.rules:
        if rule.holds is False:
            code = HoldCode.TOTAL_BLANK if rule.reason == "totalBlank" else HoldCode.RULE_BROKEN
            yield Reason(code, detail=f"{rule.name}: {rule.detail or rule.reason} (difference {rule.difference})")


def _unchecked(interpretation: TallyInterpretation, form: Form) -> Iterator[Reason]:
    """Rules without an answer where every field has one."""
    crop = interpretation.extent != "sheet"
    answered = {rule.name for rule in interpretation.rules if rule.holds is not None or (crop and rule.reason == "notOnImage")}
    for rule in form.rules:
        if rule.name not in answered:
            yield Reason(HoldCode.RULE_UNCHECKED, detail=f"{rule.name}: not checked")
