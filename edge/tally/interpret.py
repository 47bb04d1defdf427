"""Reading a tally sheet: a pure function of the scan, the form and the digit reader."""

from __future__ import annotations

from edge.definition.form import Form, FormField
from edge.inference.digits import DigitReader
from edge.tally.cells import cut_cells
from edge.tally.codes import read_barcodes, read_code
from edge.tally.fields import read_cells, read_field
from edge.tally.ink_hash import ink_hash
from edge.tally.place import place_form
from edge.tally.readers import TallyReaders
from edge.tally.result import CellReading, FieldReading, Refusal, TallyInterpretation
from edge.tally.rules import check_rules
from edge.tally.scan import TallyScan
from edge.tally.sighting import Sighting, look
from edge.tally.suggestions import suggest
from edge.tally.writing import clean_writing

_LEAST_SIDE = 200
"""Pixels; a smaller image holds no form."""


def interpret_tally(scan: TallyScan, form: Form, readers: TallyReaders) -> TallyInterpretation:
    """Read a form from one side of a sheet; see `interpret_sighted`."""
    return interpret_sighted(scan, form, readers.digits, look(scan, readers.regions))


def interpret_sighted(scan: TallyScan, form: Form, reader: DigitReader, sighting: Sighting) -> TallyInterpretation:
    """Read a form from one side of a sheet at which the region model has looked.

    Refused with imageTooSmall, formNotFound, formAmbiguous, formIncomplete or severalSheets where it is not there for certain.

    Args:
        scan: The image.
        form: What to look for.
        reader: Reads its digits.
        sighting: What the region model sees in this very scan.
    """
    if min(scan.print.shape) < _LEAST_SIDE:
        detail = f"the image is {scan.print.shape[1]} x {scan.print.shape[0]} pixels"
        return _refused(form, Refusal("imageTooSmall", detail), sighting)
    placed = place_form(scan, form, sighting)
    if isinstance(placed, Refusal):
        return _refused(form, placed, sighting)
    registered, extent = placed.registered, placed.extent
    names = form.names_on(extent)
    shown = tuple(field for field in form.all_fields if field.name in names)
    cut = cut_cells(registered.scan, registered.form_map, shown, placed.frames)
    writing = clean_writing(cut.patches, cut.frames)
    fields = read_fields(shown, read_cells(cut, writing, reader))
    codes = [code for code in form.codes if code.name in names]
    barcodes = read_barcodes(registered.scan.print, form) if codes else ()
    fields |= {code.name: read_code(code, barcodes, registered.scan.print, registered.form_map, reader) for code in codes}
    rules = check_rules(form, fields, extent)
    return TallyInterpretation(
        form=form.name,
        form_sha256=form.sha256,
        extent=extent,
        placement=registered.placement,
        missing=placed.missing,
        opinion=placed.opinion,
        fields=fields,
        rules=rules,
        suggestions=suggest(form, fields, rules),
        barcodes=barcodes,
        ink_hash=ink_hash(form, cut, writing),
        reader=reader.identity,
        finder=sighting.identity,
    )


def read_fields(fields: tuple[FormField, ...], cells: tuple[CellReading, ...]) -> dict[str, FieldReading]:
    """Readings of fields from those of their cells."""
    readings, start = {}, 0
    for field in fields:
        end = start + field.cells * len(field.boxes)
        readings[field.name] = read_field(field, cells[start:end])
        start = end
    return readings


def _refused(form: Form, refusal: Refusal, sighting: Sighting) -> TallyInterpretation:
    return TallyInterpretation(
        form=form.name,
        form_sha256=form.sha256,
        extent=None,
        placement=None,
        missing=(),
        opinion=None,
        fields={},
        rules=(),
        suggestions=(),
        barcodes=(),
        ink_hash=None,
        reader=None,
        finder=sighting.identity,
        refusal=refusal,
    )
