"""`scrutineer verify DIR`: check an export on a machine that has never seen the device."""

from __future__ import annotations

import argparse
import os
import shutil
import stat
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO

from edge.audit.folder import ExportFolder, FolderError
from edge.audit.report_html import write_html
from edge.audit.report_json import json_report, verdict
from edge.audit.report_text import text_report
from edge.audit.verify import Examination, examine
from edge.audit.witness import Witness, WitnessError
from edge.commands.error import CommandError
from edge.commands.progress import ProgressBar
from edge.evidence.keys.error import TrustError
from edge.evidence.keys.trust import TrustList, open_trust_list
from edge.evidence.tlog.note import MOST_NOTE_BYTES, NoteError, VerifierKey

EXIT_STATUS = {"right": 0, "wrong": 1, "incomplete": 3}
STDOUT = "-"


def run(arguments: argparse.Namespace) -> int:
    """Verify an export, report, and give the exit status.

    Args:
        arguments: `directory` (a path), `trust` (the path of the trust list, or None), `authority` (verifier keys as text, or
            None), `json` (where the JSON report goes: a path as text, `-` for standard output instead of the text, or None),
            `html` (the path of the page, or None), `witness` (the folder of this machine's witness, or None for the usual one),
            `no_witness` (whether none is asked).

    Returns:
        0 everything checked and right, 1 something is wrong, 3 nothing is wrong but something that matters was not checked.

    Raises:
        CommandError: something that was given cannot be used.
    """
    directory: Path = arguments.directory
    trust = _trust(arguments.trust, arguments.authority or [])
    outputs = [Path(file) for file in (arguments.json, arguments.html) if file is not None and str(file) != STDOUT]
    for output in outputs:
        _refuse_inside(output, directory)
    witness = _witness(arguments)
    try:
        with ProgressBar(sys.stderr) as progress:
            examination = examine(directory, trust, witness, progress=progress)
        if arguments.html is not None:
            _write_html(examination, directory, arguments.html)
    except FolderError as error:
        raise CommandError(error.code, error.detail) from error
    _tell(examination, arguments.json)
    return EXIT_STATUS[verdict(examination.verification)]


def default_witness() -> Path:
    """The folder of this user's witness, after the XDG base directories."""
    state = os.environ.get("XDG_STATE_HOME") or ""
    return (Path(state) if state.startswith("/") else Path.home() / ".local" / "state") / "scrutineer" / "witness"


def _witness(arguments: argparse.Namespace) -> Witness | None:
    if arguments.no_witness:
        if arguments.witness is not None:
            raise CommandError("badUse", "--witness and --no-witness exclude each other")
        return None
    try:
        return Witness(arguments.witness or default_witness())
    except WitnessError as error:
        raise CommandError(error.code, error.detail) from error


def _trust(path: Path | None, authorities: list[str]) -> TrustList | None:
    """The trust list, signed by every authority that was given."""
    if path is None:
        if authorities:
            raise CommandError("badUse", "--authority says who signs the trust list: give that too, with --trust")
        return None
    try:
        known = [VerifierKey.parse(text) for text in authorities]
    except NoteError as error:
        raise CommandError("badUse", f"--authority takes a verifier key as `trust make-key` wrote it: {error.detail}") from error
    try:
        trust = open_trust_list(_read(path), known)
    except TrustError as error:
        raise CommandError(error.code, error.detail) from error
    for key in known:
        if key not in trust.signed_by:
            raise CommandError("trustUnsigned", f"{key.name} ({key.key_id.hex()}) has not signed the trust list")
    return trust


def _read(path: Path) -> bytes:
    try:
        # Without O_NONBLOCK a pipe that nobody writes to would be waited for.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise CommandError("fileUnreadable", f"{str(path)!r} is not a regular file")
            return file.read(MOST_NOTE_BYTES + 1)
    except FileNotFoundError as error:
        raise CommandError("fileNotFound", f"there is no file {str(path)!r}") from error
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte
        raise CommandError("fileUnreadable", f"{str(path)!r}: {getattr(error, 'strerror', None) or error}") from error


def _refuse_inside(output: Path, directory: Path) -> None:
    """A report in the folder that it is of would make the next verification fail."""
    try:
        inside = output.resolve().is_relative_to(directory.resolve())
    except (OSError, RuntimeError, ValueError) as error:
        raise CommandError("fileUnwritable", f"{str(output)!r}: {error}") from error
    if inside:
        raise CommandError("badUse", f"{str(output)!r} lies in the export: write the report elsewhere")


def _write_html(examination: Examination, directory: Path, file: Path) -> None:
    package = examination.package
    if package is None:
        sys.stderr.write("scrutineer: no page was written: the export has no election package that can be used\n")
        return
    with ExportFolder(directory) as folder:

        def page(out: BinaryIO) -> None:
            read = partial(examination.read, folder)
            write_html(examination.verification, examination.election, read, out, title=package.title())

        _write(file, page)


def _write(file: Path, report: bytes | Callable[[BinaryIO], None]) -> None:
    """Write a report whole or not at all."""
    unfinished = file.with_name(f"{file.name}.part")
    try:
        with unfinished.open("wb") as out:
            if isinstance(report, bytes):
                out.write(report)
            else:
                report(out)
        unfinished.replace(file)
    except (OSError, ValueError) as error:
        unfinished.unlink(missing_ok=True)
        raise CommandError("fileUnwritable", f"{str(file)!r}: {getattr(error, 'strerror', None) or error}") from error


def _tell(examination: Examination, json: str | Path | None) -> None:
    """The JSON report where it was asked for, and the text unless the other takes its place."""
    verification = examination.verification
    if json is not None:
        report = json_report(verification)
        if str(json) == STDOUT:
            sys.stdout.buffer.write(report)
            return
        _write(Path(json), report)
    width = shutil.get_terminal_size().columns
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    text = text_report(verification, width=width, colour=colour)
    # A name that the terminal's encoding lacks must not stop the report.
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
