"""`scrutineer read DIR --form NAME --out results.csv`: read every tally sheet of a folder.

Beside `results.csv` a folder `results.records` gets one JSON file an image: its name and hash, what it was read with, and its
record or error. A run that was stopped goes on where it was: an image is read again only when it, the form, the models or
this software's reading changed. The tables are written last, each as a whole.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import secrets
import signal
import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import cv2

from edge.commands.error import CommandError
from edge.commands.interpret_form import load_readers, read_form, read_sheet
from edge.commands.progress import ProgressBar
from edge.commands.read_log import ERROR, SheetRow, error_row, record_row, results_log, results_table
from edge.definition.canonical_json import canonical_bytes
from edge.definition.form import Form
from edge.image_file import ImageFileError
from edge.inference.released import RELEASED
from edge.tally.record import INTERPRETER_VERSION, RECORD_VERSION, record

EXIT_READ, EXIT_NOT_ALL = 0, 1
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".pbm", ".pgm", ".ppm", ".pnm"})
RECORDS = ".records"
"""Ending of the folder of records, in place of the table's."""
_READ_FAILED = "readingFailed"
_MOST_DEATHS = 10
"""Processes that may die before the remaining images are given up."""
_PHASE = "reading"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Task:
    """What every process works with.

    Attributes:
        images: The folder of images.
        records: The folder of records.
        form: The form.
        read_with: What else a record depends on, as it stands in each.
    """

    images: Path
    records: Path
    form: Form
    read_with: Json


ReadOne = Callable[[str, Task], SheetRow]


def run(arguments: argparse.Namespace) -> int:
    """Read the folder, write the tables, and say on standard output what became of the sheets.

    Args:
        arguments: `directory`, `out` (paths), `form` (a name or a path, as text), `log` (a path or None), `workers` (how many
            processes; None = as many as there are processors for us).

    Returns:
        0 when every image was read, whatever became of it; 1 when some could not be.

    Raises:
        CommandError: something that was given cannot be used.
    """
    form = read_form(arguments.form)
    load_readers()  # a missing model is told before a process is started for it
    names, sizes = _images(arguments.directory)
    task = Task(arguments.directory, records_folder(arguments.out), form, _read_with(form))
    if arguments.log is not None:
        _refuse_log(arguments.log, arguments.out)
    workers = arguments.workers or len(os.sched_getaffinity(0))
    rows: dict[str, SheetRow] = {}
    done, total = 0, sum(sizes.values())
    # Closed where it is left, so that Ctrl-C ends the processes instead of waiting for all that they were given.
    with ProgressBar(sys.stderr) as progress, closing(read_all(names, task, workers)) as reading:
        progress(0, total, _PHASE)
        for row in reading:
            rows[row.image] = row
            done += sizes[row.image]
            progress(done, total, _PHASE)
    ordered = [rows[name] for name in names]
    write_whole(arguments.out, _as_text(results_table(ordered, form)).encode())
    if arguments.log is not None:
        write_whole(arguments.log, _as_text(results_log(ordered, f"scrutineer-{_version()}")).encode())
    kinds = Counter(row.disposition for row in ordered)
    told = ", ".join(f"{kinds[kind]} {kind}" for kind in ("accept", "hold", "return", ERROR) if kinds[kind])
    print(f"{len(ordered)} images: {told}")
    return EXIT_NOT_ALL if kinds[ERROR] else EXIT_READ


def read_all(names: Sequence[str], task: Task, workers: int, read: ReadOne | None = None) -> Generator[SheetRow]:
    """The rows of all images, in any order.

    If a process dies, the images that it left are tried again one by one, so that the one that kills is named.

    Args:
        names: Which.
        task: With what.
        workers: How many processes; 1 = this one alone.
        read: How one is read, a function of a module; `read_one`.
    """
    read = read or read_one
    if min(workers, len(names)) <= 1:
        yield from (read(name, task) for name in names)
        return
    left = dict.fromkeys(names)
    for row in _through(names, task, min(workers, len(names)), read):
        del left[row.image]
        yield row
    deaths = 0
    for name in left:
        rows = list(_through([name], task, 1, read)) if deaths < _MOST_DEATHS else []
        deaths += not rows
        yield rows[0] if rows else error_row(name, _READ_FAILED, task.form)


def read_one(name: str, task: Task) -> SheetRow:
    """Read one image and keep its record, or take the record that an earlier run kept.

    Raises:
        CommandError: `fileUnwritable`.
    """
    path, kept = task.images / name, task.records / f"{name}.json"
    try:
        image = {"name": _as_text(name), "sha256": _sha256(path)}
    except OSError as error:
        return error_row(name, "imageNotFound" if isinstance(error, FileNotFoundError) else "imageUnreadable", task.form)
    document = _kept(kept, image, task)
    if document is None:
        try:
            outcome = _read(path, task.form)
        except Exception as error:  # noqa: BLE001  a mistake of ours over one image must not cost the others
            sys.stderr.write(f"scrutineer: {_READ_FAILED}: {name!r}: {type(error).__name__}: {error}\n")
            return error_row(name, _READ_FAILED, task.form)
        document = {"image": image, "readWith": task.read_with, **outcome}
        write_whole(kept, canonical_bytes(document))
    if document["error"] is not None:
        return error_row(name, document["error"]["code"], task.form)
    return record_row(name, document["record"], task.form)


def write_whole(path: Path, content: bytes) -> None:
    """Put a file in place at once: at any time there is the whole old one or the whole new one.

    Raises:
        CommandError: `fileUnwritable`.
    """
    unfinished = path.with_name(f".{secrets.token_hex(8)}.unfinished")
    try:
        try:
            unfinished.write_bytes(content)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from error


def _read(path: Path, form: Form) -> Json:
    """What a record file says of an image beside its name: the record of the sheet, or why there is none."""
    try:
        sheet = read_sheet(path, form, load_readers())
    except ImageFileError as error:
        return {"record": None, "error": {"code": error.code, "detail": _as_text(error.detail)}}
    return {"record": record(sheet.interpretation, sheet.disposition), "error": None}


def _kept(path: Path, image: Json, task: Task) -> Json | None:
    """The record file of an earlier run, if it would come out the same today."""
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(document, dict) or document.get("image") != image or document.get("readWith") != task.read_with:
        return None
    return document if document.keys() == {"image", "readWith", "record", "error"} else None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_with(form: Form) -> Json:
    """What a record depends on beside the image."""
    return {
        "form": form.sha256,
        "model": RELEASED["digit"].sha256,
        "modelCard": RELEASED["digitCard"].sha256,
        "region": RELEASED["region"].sha256,
        "regionCard": RELEASED["regionCard"].sha256,
        "versions": {"interpreter": INTERPRETER_VERSION, "record": RECORD_VERSION},
    }


def _images(folder: Path) -> tuple[list[str], dict[str, int]]:
    """The images that lie in a folder, by name, and their bytes."""
    try:
        found = {
            entry.name: entry.stat().st_size
            for entry in os.scandir(folder)
            if not entry.name.startswith(".") and Path(entry.name).suffix.lower() in SUFFIXES and entry.is_file()
        }
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CommandError("fileNotFound", f"there is no folder {str(folder)!r}") from error
    except (OSError, ValueError) as error:
        raise CommandError("fileUnreadable", f"{str(folder)!r}: {getattr(error, 'strerror', None) or error}") from error
    if not found:
        raise CommandError("fileNotFound", f"no image lies in {str(folder)!r}; they end in {', '.join(sorted(SUFFIXES))}")
    return sorted(found), found


def records_folder(out: Path) -> Path:
    """The folder of records beside a table."""
    if out.is_dir():
        raise CommandError("fileUnwritable", f"{str(out)!r} is a folder")
    folder = out.with_name(out.stem + RECORDS)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise _unwritable(folder, error) from error
    return folder


def _refuse_log(log: Path, out: Path) -> None:
    """Tell before the reading what would go wrong after it."""
    if log.is_dir() or not log.parent.is_dir():
        raise CommandError("fileUnwritable", f"{str(log)!r} is a folder, or lies in none")
    if log.resolve() == out.resolve():
        raise CommandError("badUse", "--log and --out are the same file")


def _unwritable(path: Path, error: Exception) -> CommandError:
    return CommandError("fileUnwritable", f"{str(path)!r}: {getattr(error, 'strerror', None) or error}")


def _as_text(name: str) -> str:
    """A name whose bytes are no text is told by their numbers."""
    return name.encode("utf-8", "backslashreplace").decode()


def _version() -> str:
    try:
        return metadata.version("scrutineer-edge")
    except metadata.PackageNotFoundError:
        return "uninstalled"


def _through(names: Sequence[str], task: Task, workers: int, read: ReadOne) -> Iterator[SheetRow]:
    """What a pool of processes answers, in any order, until it breaks."""
    # Each process has one processor: threads of the arithmetic beneath would only wait for each other.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_start)
    try:
        given = [pool.submit(read, name, task) for name in names]
        for future in as_completed(given):
            try:
                yield future.result()
            except BrokenProcessPool:
                continue
    except BrokenProcessPool:
        return
    finally:
        pool.shutdown(cancel_futures=True)


def _start() -> None:
    """What each process does first. Ctrl-C reaches every process of the terminal; only the first one answers it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
