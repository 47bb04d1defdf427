"""One sheet rendered, read, and held against its truth."""

from __future__ import annotations

import time
from dataclasses import dataclass

from edge.tally.decide import decide_tally
from edge.tally.interpret import interpret_tally
from edge.tally.readers import tally_readers
from edge.tally.result import DASH_LABEL, EMPTY_LABEL, TallyInterpretation
from edge.tally.scan import TallyScan, colour_scan, grey_scan
from hil.paper.forms.sheet import RenderedSheet, render_sheet
from hil.paper.forms.story import BLANK, DASH
from hil.paper.forms.truth import SheetTruth, Value
from hil.sheets.plan import Plan, form_of


@dataclass(frozen=True, slots=True)
class WrongField:
    """A value that is not the one on paper."""

    name: str
    value: Value
    truth: Value


@dataclass(frozen=True, slots=True)
class WrongCell:
    """A cell whose likeliest class is not what it holds: where, what it holds, what it is taken for, how surely, if believed."""

    field: str
    cell: int
    truth: str
    label: int
    margin: int
    accepted: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """How one sheet was read.

    Attributes:
        plan: Which sheet.
        digits: `real` or `own` handwriting.
        disposition: accept, hold or return.
        reasons: Codes of the reasons.
        extent_found: The right part of the form was found; None when the sheet was refused.
        right: Fields that were read as they stand on paper; spoiled ones are not counted.
        unread: Fields without a value, spoiled ones not counted.
        spoiled: Fields that nobody was asked to read.
        wrong: Fields read as another value than is on paper, or than was meant where it is spoiled.
        cells: Cells read whose content the truth tells.
        accepted_cells: Those of them that were believed.
        wrong_cells: Those of them that were taken for something else, believed or not.
        seconds: Time that reading took.
    """

    plan: Plan
    digits: str
    disposition: str
    reasons: tuple[str, ...]
    extent_found: bool | None
    right: int
    unread: int
    spoiled: int
    wrong: tuple[WrongField, ...]
    cells: int
    accepted_cells: int
    wrong_cells: tuple[WrongCell, ...]
    seconds: float

    @property
    def wrong_and_accepted(self) -> bool:
        """A wrong number went through: what must never be."""
        return self.disposition == "accept" and (bool(self.wrong) or self.extent_found is not True)


def judge(plan: Plan) -> Judgement:
    """Renders a sheet and reads it."""
    form = form_of(plan.form)
    sheet = rendered(plan)
    started = time.perf_counter()
    interpretation = interpret_tally(as_scan(plan, sheet), form, tally_readers())
    disposition = decide_tally(interpretation, form)
    seconds = time.perf_counter() - started
    right, unread, wrong = compare(interpretation, sheet.truth)
    return Judgement(
        plan,
        sheet.truth.digits,
        disposition.kind,
        tuple(sorted({str(reason.code) for reason in disposition.reasons})),
        None if interpretation.extent is None else interpretation.extent == sheet.truth.extent,
        right,
        unread,
        len(sheet.truth.spoiled),
        wrong,
        *compare_cells(interpretation, sheet.truth),
        seconds,
    )


def rendered(plan: Plan) -> RenderedSheet:
    """The sheet of a plan."""
    return render_sheet(form_of(plan.form), plan.seed, plan.knobs)


def as_scan(plan: Plan, sheet: RenderedSheet) -> TallyScan:
    """The image as the reader takes it."""
    if plan.knobs.colour == "grey":
        return grey_scan(sheet.image[:, :, 0].copy())
    return colour_scan(sheet.image, form_of(plan.form))


def compare(interpretation: TallyInterpretation, truth: SheetTruth) -> tuple[int, int, tuple[WrongField, ...]]:
    """Fields right, fields unread, and wrong ones; a field that is read though it is not on the image is wrong, too."""
    right, unread = 0, 0
    wrong = []
    for name in truth.fields:
        field = interpretation.fields.get(name)
        if field is None or not field.read:
            unread += name not in truth.spoiled
        elif not truth.right(name, field.value):
            wrong.append(WrongField(name, field.value, truth.fields[name]))
        else:
            right += name not in truth.spoiled
    wrong += [
        WrongField(name, field.value, None)
        for name, field in interpretation.fields.items()
        if name not in truth.fields and field.read and field.value is not None
    ]
    return right, unread, tuple(wrong)


def compare_cells(interpretation: TallyInterpretation, truth: SheetTruth) -> tuple[int, int, tuple[WrongCell, ...]]:
    """Cells whose content the truth tells, those that were believed, and those that were taken for something else."""
    count, accepted = 0, 0
    wrong = []
    for name, content in truth.cells.items():
        field = interpretation.fields.get(name)
        for place, (character, cell) in enumerate(zip(content, field.cells, strict=True) if field else ()):
            if character == "?":
                continue
            count += 1
            accepted += cell.accepted
            if cell.label != _label(character):
                wrong.append(WrongCell(name, place, character, cell.label, cell.margin, cell.accepted))
    return count, accepted, tuple(wrong)


def _label(character: str) -> int:
    return EMPTY_LABEL if character == BLANK else DASH_LABEL if character == DASH else int(character)
