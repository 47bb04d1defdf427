"""`scrutineer interpret FRONT BACK --election FILE`: read one scanned sheet and say what would happen to it."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edge.ballot.interpret import ScannedSheet, interpret
from edge.commands.definition import read_election, read_settings
from edge.commands.error import CommandError
from edge.commands.table import interpretation_table
from edge.decision import decide
from edge.definition.errors import DefinitionError
from edge.image_file import ImageFileError, read_image
from edge.record import canonical_json

if TYPE_CHECKING:
    import argparse

    from edge.ballot.result import Interpretation
    from edge.commands.picture_folder import PictureFolder
    from edge.definition.settings import SystemSettings
    from edge.page.page import Grey

EXIT_STATUS = {"accept": 0, "return": 3, "hold": 4}


def run(arguments: argparse.Namespace) -> int:
    """Interpret the sheet, print the reading, and give the exit status of its disposition.

    Raises:
        CommandError: when a file or folder cannot be used.
    """
    try:
        election = read_election(arguments.election, arguments.ballot_hash)
        settings = read_settings(arguments.settings, election)
        sheet = ScannedSheet(read_image(arguments.front), read_image(arguments.back))
    except (DefinitionError, ImageFileError) as error:
        raise CommandError(error.code, error.detail) from error
    folder = None if arguments.debug_dir is None else _picture_folder(arguments.debug_dir)
    interpretation = interpret(sheet, election, settings)
    disposition = decide(interpretation, election, settings)
    if folder is not None:
        _draw(folder, sheet, interpretation, settings)
    if arguments.json:
        sys.stdout.buffer.write(canonical_json(interpretation, disposition) + b"\n")
    else:
        width = shutil.get_terminal_size().columns
        colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        note = f"read with the given ballot hash {election.ballot_hash.hex()}" if arguments.ballot_hash else ""
        table = interpretation_table(interpretation, disposition, election, note=note, width=width, colour=colour)
        # A name that the terminal's encoding lacks must not stop the table.
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(table.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    return EXIT_STATUS[disposition.kind]


def _picture_folder(path: Path) -> PictureFolder:
    from edge.commands.picture_folder import PictureFolder  # noqa: PLC0415  most runs draw nothing

    return PictureFolder(path)


def _draw(folder: PictureFolder, sheet: ScannedSheet, interpretation: Interpretation, settings: SystemSettings) -> None:
    from edge.ballot.draw import page_pictures  # noqa: PLC0415  as above

    for reading in interpretation.pages:
        for step, picture in page_pictures(reading).items():
            folder.write(step, reading.side, picture)
    if interpretation.pages:
        return
    scans: tuple[tuple[str, Grey], ...] = (("scan-a", sheet.top), ("scan-b", sheet.bottom))
    for name, grey in scans:
        _draw_refused(folder, name, grey, settings)


def _draw_refused(folder: PictureFolder, name: str, grey: Grey, settings: SystemSettings) -> None:
    """Repeat the steps on one side of a refused sheet as far as they go, and draw each."""
    from PIL import Image  # noqa: PLC0415  as above

    from edge.ballot.draw import cropped_pictures, grid_picture  # noqa: PLC0415  as above
    from edge.ballot.grid import find_grid  # noqa: PLC0415  as above
    from edge.ballot.timing_marks import find_candidates  # noqa: PLC0415  as above
    from edge.page.error import PageError  # noqa: PLC0415  as above
    from edge.page.page import read_page  # noqa: PLC0415  as above
    from edge.page.streaks import find_streaks  # noqa: PLC0415  as above

    try:
        page = read_page(grey)
    except PageError:
        folder.write("1-paper", name, Image.fromarray(grey))
        return
    for step, picture in cropped_pictures(page).items():
        folder.write(step, name, picture)
    if page.paper is None:
        return
    try:
        grid = find_grid(page, infer=settings.timing_mark_inference)
    except PageError:
        grid = None
    folder.write("3-grid", name, grid_picture(page, grid, find_streaks(page), find_candidates(page)))
