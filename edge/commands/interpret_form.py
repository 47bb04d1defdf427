"""`scrutineer interpret SHEET --form NAME`: read one scanned tally sheet and say what would happen to it."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from edge.ballot.draw import BLACK, BLUE, GREEN, VERMILION
from edge.commands.error import CommandError
from edge.commands.form_table import form_table
from edge.commands.interpret import EXIT_STATUS
from edge.commands.picture_folder import PictureFolder
from edge.decision import Disposition
from edge.definition.errors import DefinitionError
from edge.definition.form import MAX_FORM_BYTES, Form, load_form, shipped_form, shipped_forms
from edge.image_file import ImageFileError
from edge.inference.error import ModelError
from edge.tally.decide import decide_tally
from edge.tally.interpret import interpret_tally
from edge.tally.readers import TallyReaders, tally_readers
from edge.tally.record import tally_record
from edge.tally.result import CellReading, TallyInterpretation
from edge.tally.scan import TallyScan, read_tally_scan

_SUFFIX = ".toml"
_CELL_COLOURS = {"empty": GREEN, "dash": GREEN, "digit": BLUE, "unreadable": VERMILION}
_CELL_LETTERS = {"empty": "", "dash": "-", "unreadable": "?"}
_INK = 150
"""Grey of the sheet's ink under the drawing, so that the drawing stands out."""


@dataclass(frozen=True, slots=True)
class FormSheet:
    """A side as read."""

    scan: TallyScan
    interpretation: TallyInterpretation
    disposition: Disposition


def run(arguments: argparse.Namespace) -> int:
    """Interpret the sheet, print the reading, and give the exit status of its disposition.

    Args:
        arguments: `front` and `back` (paths; `back` or None), `form` (a name or a path, as text), `json`, `debug_dir` (a path or
            None).

    Raises:
        CommandError: when a file or folder cannot be used.
    """
    form = read_form(arguments.form)
    readers = load_readers()
    folder = None if arguments.debug_dir is None else PictureFolder(arguments.debug_dir)
    try:
        sheet = read_sheet(arguments.front, form, readers)
        if arguments.back is not None:
            other = read_sheet(arguments.back, form, readers)
            sheet = other if sheet.disposition.kind == "return" and other.disposition.kind != "return" else sheet
    except ImageFileError as error:
        raise CommandError(error.code, error.detail) from error
    if folder is not None:
        _draw(folder, sheet)
    if arguments.json:
        sys.stdout.buffer.write(tally_record(sheet.interpretation, sheet.disposition) + b"\n")
    else:
        width = shutil.get_terminal_size().columns
        colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        table = form_table(sheet.interpretation, sheet.disposition, form, width=width, colour=colour)
        # A label that the terminal's encoding lacks must not stop the table.
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(table.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    return EXIT_STATUS[sheet.disposition.kind]


def read_form(name: str) -> Form:
    """The form that is meant by a name of a shipped one, or by the path of a file that ends in `.toml`.

    Raises:
        CommandError: there is no such form, or the file is none.
    """
    try:
        raw = _read_file(Path(name)) if name.endswith(_SUFFIX) else shipped_form(name)
        return load_form(raw)
    except DefinitionError as error:
        raise CommandError(error.code, error.detail) from error


def load_readers() -> TallyReaders:
    """The models.

    Raises:
        CommandError: one of them is missing or is not the released one.
    """
    try:
        return tally_readers()
    except ModelError as error:
        raise CommandError(error.code, error.detail) from error


def read_sheet(path: Path, form: Form, readers: TallyReaders) -> FormSheet:
    """Read one side. A part of the sheet is taken for what is on it.

    Raises:
        ImageFileError: the file is refused.
    """
    scan = read_tally_scan(path, form)
    interpretation = interpret_tally(scan, form, readers)
    return FormSheet(scan, interpretation, decide_tally(interpretation, form))


def _read_file(path: Path) -> bytes:
    """The bytes of a form's file; the loader refuses one that exceeds the limit."""
    try:
        if path.exists() and not path.is_file():
            raise CommandError("fileUnreadable", f"{str(path)!r} is not a regular file")
        with path.open("rb") as file:
            return file.read(MAX_FORM_BYTES + 1)
    except FileNotFoundError as error:
        shipped = ", ".join(shipped_forms())
        raise CommandError("fileNotFound", f"there is no file {str(path)!r}; this software comes with {shipped}") from error
    except (OSError, ValueError) as error:
        raise CommandError("fileUnreadable", f"{str(path)!r}: {getattr(error, 'strerror', None) or error}") from error


def _draw(folder: PictureFolder, sheet: FormSheet) -> None:
    """The planes that were measured on, and every cell with what it was taken for."""
    folder.write("1-paper", "print", Image.fromarray(sheet.scan.print))
    if sheet.scan.in_colour:
        folder.write("1-paper", "pen", Image.fromarray(sheet.scan.pen))
    if sheet.interpretation.extent is not None:
        folder.write("4-marks", "cells", cell_picture(sheet.scan, sheet.interpretation))


def cell_picture(scan: TallyScan, interpretation: TallyInterpretation) -> Image.Image:
    """The upright sheet, pale, with its cells framed and what each was taken for, and its margin, in their corners."""
    turned = interpretation.placement is not None and interpretation.placement.upside_down
    pale = Image.fromarray(scan.turned().print if turned else scan.print).point(
        [_INK + level * (255 - _INK) // 255 for level in range(256)]
    )
    picture = pale.convert("RGB")
    draw = ImageDraw.Draw(picture)
    for field in interpretation.fields.values():
        for cell in field.cells:
            _draw_cell(draw, cell)
    return picture


def _draw_cell(draw: ImageDraw.ImageDraw, cell: CellReading) -> None:
    area = cell.area
    draw.rectangle(
        (area.left, area.top, area.left + area.width - 1, area.top + area.height - 1),
        outline=_CELL_COLOURS[cell.state],
        width=2 if cell.accepted else 4,
    )
    letter = _CELL_LETTERS.get(cell.state, str(cell.digit))
    draw.text((area.left + 4, area.top + 2), f"{letter} {cell.margin}", fill=BLACK)
