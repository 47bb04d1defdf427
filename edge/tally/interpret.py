"""Reading a tally sheet: a pure function of the scan, the form and the digit reader."""

from __future__ import annotations

from edge.definition.form import Form, FormField
from edge.fixed.number import SUBPIXEL
from edge.inference.digits import DigitReader
from edge.tally.affine import FormMap
from edge.tally.cells import cut_cells
from edge.tally.codes import read_barcodes, read_code
from edge.tally.fields import read_cells, read_field
from edge.tally.frame_lines import find_frames, rows_of
from edge.tally.registration import Registered, register
from edge.tally.result import FieldReading, Refusal, TallyInterpretation
from edge.tally.rules import check_rules
from edge.tally.scan import TallyScan
from edge.tally.suggestions import suggest

_LEAST_SIDE = 200
"""Pixels; a smaller image holds no form."""


def interpret_tally(scan: TallyScan, form: Form, reader: DigitReader) -> TallyInterpretation:
    """Read a form from one side of a sheet; refused with imageTooSmall, formNotFound or formAmbiguous where it is not there."""
    if min(scan.print.shape) < _LEAST_SIDE:
        return _refused(form, Refusal("imageTooSmall", f"the image is {scan.print.shape[1]} x {scan.print.shape[0]} pixels"))
    registered = register(scan, form)
    if isinstance(registered, Refusal):
        return _refused(form, registered)
    extent = shown_extent(registered, form)
    names = form.names_on(extent)
    fields = read_fields(registered, tuple(field for field in form.all_fields if field.name in names), reader)
    codes = [code for code in form.codes if code.name in names]
    barcodes = read_barcodes(registered.scan.print, form) if codes else ()
    fields |= {code.name: read_code(code, barcodes, registered.scan.print, registered.form_map, reader) for code in codes}
    rules = check_rules(form, fields, extent)
    return TallyInterpretation(
        form=form.name,
        form_sha256=form.sha256,
        extent=extent,
        placement=registered.placement,
        fields=fields,
        rules=rules,
        suggestions=suggest(form, fields, rules),
        barcodes=barcodes,
        reader=reader.identity,
    )


def read_fields(registered: Registered, fields: tuple[FormField, ...], reader: DigitReader) -> dict[str, FieldReading]:
    """Readings of fields with cells."""
    frames = find_frames(registered.scan.print, registered.form_map, rows_of(fields))
    cells = read_cells(cut_cells(registered.scan, registered.form_map, fields, frames), reader)
    readings, start = {}, 0
    for field in fields:
        end = start + field.cells * len(field.boxes)
        readings[field.name] = read_field(field, cells[start:end])
        start = end
    return readings


def shown_extent(registered: Registered, form: Form) -> str:
    """Which part of the form the image shows: all of the sheet, else the largest part of which every field is on the image.

    An image that shows no part whole is a sheet with fields missing.
    """
    height, width = registered.scan.print.shape
    shown = {field.name for field in form.all_fields if _is_shown(field, registered.form_map, width, height)}
    if len(shown) == len(form.all_fields):
        return "sheet"
    best, most = "sheet", 0
    for extent in form.extents:
        names = form.names_on(extent.name) & set(form.by_name)
        if names <= shown and len(names) > most:
            best, most = extent.name, len(names)
    return best


def _is_shown(field: FormField, form_map: FormMap, width: int, height: int) -> bool:
    for box in field.boxes:
        left, top, right, bottom = form_map.at(box).bounds(box.x, box.y, box.width, box.height)
        if min(left, top) < -SUBPIXEL or right > (width + 1) * SUBPIXEL or bottom > (height + 1) * SUBPIXEL:
            return False
    return True


def _refused(form: Form, refusal: Refusal) -> TallyInterpretation:
    return TallyInterpretation(
        form=form.name,
        form_sha256=form.sha256,
        extent=None,
        placement=None,
        fields={},
        rules=(),
        suggestions=(),
        barcodes=(),
        reader=None,
        refusal=refusal,
    )
