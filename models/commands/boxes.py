"""`scrutineer-models boxes IMAGES --form NAME... --out FILE.jsonl`: find the boxes of forms in all images of a folder.

Beside `FILE.jsonl` a folder `FILE.records` gets one JSON file an image. A run that was stopped goes on where it was: an image
is looked at again only when it, a form, a model or this software's reading changed. `FILE.jsonl` is written last, as a whole,
in the order of the names; `models/annotations.py` says what is in it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.commands.error import CommandError
from edge.commands.interpret_form import read_form
from edge.commands.read import SUFFIXES, records_folder, write_whole
from edge.definition.form import Form
from edge.image_file import ImageFileError, read_colour_image
from edge.inference.error import ModelError
from edge.inference.regions import RegionFinder, region_finder
from edge.inference.released import RELEASED
from edge.tally.boxes import FoundBox, find_boxes
from edge.tally.record import INTERPRETER_VERSION
from edge.tally.result import Refusal
from edge.tally.scan import colour_scan, grey_scan
from edge.tally.sighting import look
from models.annotations import SUBPIXEL
from models.commands.arguments import MOST_WORKERS, Commands, whole
from models.pool import through_all
from models.progress import Progress
from models.sums import sha256_of

EXIT_ALL, EXIT_NOT_ALL = 0, 1
ANNOTATION_VERSION = 1
_FAILED = "markingFailed"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Task:
    """What every process works with.

    Attributes:
        images: The folder of images.
        records: The folder of records.
        forms: What is looked for.
        made_with: What else a record depends on, as it stands in each.
    """

    images: Path
    records: Path
    forms: tuple[Form, ...]
    made_with: Json


def add_parser(commands: Commands) -> None:
    """Add the sub-command."""
    parser = commands.add_parser(
        "boxes",
        help="find the boxes of forms in all images of a folder",
        description="Find the rows of cells and the label frames of forms in all images of a folder, and write them as one "
        "JSON object an image: what voc, coco and tfrecord are made from. A run that was stopped goes on where it was.",
        epilog="exit status: 0 every image was read, whatever is in it, 1 some could not be, 2 wrong use, 130 interrupted",
        allow_abbrev=False,
    )
    parser.add_argument("images", metavar="IMAGES", type=Path, help="the folder of images, such as the `images` of ingest")
    parser.add_argument(
        "--form",
        metavar="NAME|FILE.toml",
        action="append",
        required=True,
        help="a form of this software, or a template; repeat for more",
    )
    parser.add_argument("--out", metavar="FILE.jsonl", type=Path, required=True, help="where to")
    parser.add_argument("--workers", metavar="N", type=whole(1, MOST_WORKERS), help="processes (as many as there are processors)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Find the boxes, write them, and say on standard output in how many images there are any.

    Returns:
        0 when every image was read; 1 when some could not be.

    Raises:
        CommandError: something that was given cannot be used.
    """
    forms = tuple(read_form(name) for name in arguments.form)
    if len({form.name for form in forms}) < len(forms):
        raise CommandError("badUse", "a form is given twice, or two have the same name")
    names = images_of(arguments.images)
    load_finder()  # a missing model is told before a process is started for it
    task = Task(arguments.images, records_folder(arguments.out), forms, _made_with(forms))
    workers = arguments.workers or len(os.sched_getaffinity(0))
    documents: dict[str, Json] = {}
    kinds: Counter[str] = Counter()
    # Closed where it is left, so that Ctrl-C ends the processes instead of waiting for all that they were given.
    with Progress(sys.stderr) as progress, closing(through_all(names, task, workers, mark)) as marking:
        progress.begin("marking", len(names), "images")
        for name, document in marking:
            documents[name] = document or _failed(name, "a process died over it")
            kinds[_kind(documents[name])] += 1
            progress.show(len(documents), ", ".join(f"{kinds[kind]} {kind}" for kind in ("empty", "failed") if kinds[kind]))
    write_whole(arguments.out, "".join(f"{_line(documents[name])}\n" for name in names).encode("ascii"))
    boxes = sum(len(sheet["boxes"]) for document in documents.values() for sheet in document["sheets"])
    print(
        f"{len(names)} images: {kinds['marked']} with {boxes} boxes, {kinds['empty']} without a form, {kinds['failed']} not read"
    )
    return EXIT_NOT_ALL if kinds["failed"] else EXIT_ALL


def mark(name: str, task: Task) -> Json:
    """Find the boxes in one image and keep the record, or take the record that an earlier run kept.

    Raises:
        CommandError: `fileUnwritable`.
    """
    path, kept = task.images / name, task.records / f"{name}.json"
    if not name.isprintable():
        return _failed(name, "the exports need names of characters that print", "nameUnusable")
    try:
        sha256 = sha256_of(path)
    except OSError as error:
        return _failed(name, error.strerror or str(error), "imageUnreadable")
    document = _kept(kept, name, sha256, task)
    if document is not None:
        return document
    try:
        document = _marked(path, name, sha256, task)
    except Exception as error:  # noqa: BLE001  a mistake of ours over one image must not cost the others
        return _failed(name, f"{type(error).__name__}: {error}")
    write_whole(kept, _line(document).encode("ascii"))
    return document


def load_finder() -> RegionFinder:
    """The region model.

    Raises:
        CommandError: it is missing or is not the released one.
    """
    try:
        return region_finder()
    except ModelError as error:
        raise CommandError(error.code, error.detail) from error


def _marked(path: Path, name: str, sha256: str, task: Task) -> Json:
    image: Json = {"name": name, "sha256": sha256, "width": None, "height": None}
    document: Json = {"image": image, "sheets": [], "refusals": [], "error": None, "madeWith": task.made_with}
    try:
        pixels = read_colour_image(path)
    except ImageFileError as error:
        return document | {"error": {"code": error.code, "detail": error.detail.replace(repr(str(path)), "it")}}
    image["height"], image["width"] = pixels.shape[:2]
    scans = [(form, grey_scan(pixels) if pixels.ndim == 2 else colour_scan(pixels, form)) for form in task.forms]
    sighting = look(scans[0][1], load_finder())  # every form's scan shows the model the same plane
    for form, scan in scans:
        found = find_boxes(scan, form, sighting)
        if isinstance(found, Refusal):
            document["refusals"].append({"form": form.name, "code": found.code, "detail": found.detail})
        else:
            document["sheets"].append({"form": form.name, "boxes": [_box(box) for box in found]})
    return document


def _box(box: FoundBox) -> Json:
    # A division by a power of two is exact.
    corners = [[x / SUBPIXEL, y / SUBPIXEL] for x, y in box.corners]
    return {"name": box.name, "kind": box.kind, "corners": corners, "found": box.found}


def _failed(name: str, detail: str, code: str = _FAILED) -> Json:
    image = {"name": name, "sha256": None, "width": None, "height": None}
    return {"image": image, "sheets": [], "refusals": [], "error": {"code": code, "detail": detail}, "madeWith": None}


def _kind(document: Json) -> str:
    if document["error"] is not None:
        return "failed"
    return "marked" if document["sheets"] else "empty"


def _kept(path: Path, name: str, sha256: str, task: Task) -> Json | None:
    """The record of an earlier run, if it would come out the same today."""
    try:
        document = json.loads(path.read_bytes())
        image = document["image"]
        same = (image["name"], image["sha256"], document["madeWith"]) == (name, sha256, task.made_with)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return document if same and document.keys() == {"image", "sheets", "refusals", "error", "madeWith"} else None


def _line(document: Json) -> str:
    return json.dumps(document, separators=(",", ":"))


def _made_with(forms: tuple[Form, ...]) -> Json:
    """What a record depends on beside the image."""
    return {
        "forms": {form.name: form.sha256 for form in forms},
        "released": {name: entry.sha256 for name, entry in sorted(RELEASED.items())},
        "versions": {"annotation": ANNOTATION_VERSION, "interpreter": INTERPRETER_VERSION},
    }


def images_of(folder: Path) -> list[str]:
    """The images that lie in a folder, by name.

    Raises:
        CommandError: `fileNotFound` or `fileUnreadable`.
    """
    try:
        found = [
            entry.name
            for entry in os.scandir(folder)
            if not entry.name.startswith(".") and Path(entry.name).suffix.lower() in SUFFIXES and entry.is_file()
        ]
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CommandError("fileNotFound", f"there is no folder {str(folder)!r}") from error
    except (OSError, ValueError) as error:
        raise CommandError("fileUnreadable", f"{str(folder)!r}: {getattr(error, 'strerror', None) or error}") from error
    if not found:
        raise CommandError("fileNotFound", f"no image lies in {str(folder)!r}; they end in {', '.join(sorted(SUFFIXES))}")
    return sorted(found)
