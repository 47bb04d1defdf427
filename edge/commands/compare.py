"""`scrutineer compare RECORDS...`: hold the tally sheets of folders of records against each other.

A folder is what `scrutineer read` writes beside its table, or the folder `tally` of an export. The files may be damaged or
hostile: what is no record is named with a reason, and so is every sheet that could not be compared.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import os
import stat
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.audit.cross_sheet import Comparison, Finding, Kind, Lack, NotCompared, RecordError, Sheet, compare_sheets, sheet_of
from edge.commands.error import CommandError
from edge.commands.progress import ProgressBar
from edge.commands.read import write_whole
from edge.definition.canonical_json import canonical_bytes
from edge.definition.exact_json import InexactJsonError, read_exact_json

EXIT_NOTHING, EXIT_FOUND, EXIT_INCOMPLETE = 0, 1, 3
MOST_RECORD_BYTES = 8 << 20
"""Of a record; one of 90 cells has some 25,000."""
MOST_RECORDS = 1_000_000
HEADER = ("finding", "kind", "form", "codes", "image", "record", "fieldsDiffer", "bitsDiffer", "bitsCompared", "detail")
"""Columns of the table."""

_RECORD = "record.json"
_SCANS = {"A": "scan-a-grey.png", "B": "scan-b-grey.png"}
_CHUNK = 1 << 20
_FOUND = {
    Kind.COPIED_INK: "the same handwriting under different codes: copied, or used again",
    Kind.SAME_INK: "the same handwriting again, and no other code: scanned twice",
    Kind.SAME_IMAGE: "the very same image",
    Kind.OTHER_NUMBERS: "one code, written apart, and other numbers",
    Kind.SAME_NUMBERS: "one code, written apart, and the same numbers: counted twice?",
}

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Record:
    """A file that should be a record, and the sheet's folder in an export."""

    path: Path
    folder: Path | None = None


def run(arguments: argparse.Namespace) -> int:
    """Compare, say on standard output what was found, and write the table that is asked for.

    Args:
        arguments: `records` (paths of folders), `json` (whether standard output gets a canonical document instead), `out` (a
            path or None).

    Returns:
        0 when nothing was found, 1 when something was, 3 when nothing was but some sheets could not be compared.

    Raises:
        CommandError: a folder cannot be listed or holds no record, or the table cannot be written.
    """
    folders = list({folder.resolve(): folder for folder in arguments.records}.values())
    if arguments.out is not None and arguments.out.is_dir():
        raise CommandError("fileUnwritable", f"{str(arguments.out)!r} is a folder")
    files = [file for folder in folders for file in _records(folder)]
    sheets: list[Sheet] = []
    left_out: list[NotCompared] = []
    with ProgressBar(sys.stderr) as progress:
        sizes = [_size(file.path) for file in files]
        done, total = 0, sum(sizes)
        for file, size in zip(files, sizes, strict=True):
            try:
                sheets.append(_sheet(file))
            except RecordError as error:
                left_out.append(NotCompared(_as_text(file.path), error.lack, error.detail))
            done += size
            progress(done, total, "reading")
        progress(0, 0, "comparing")
        comparison = compare_sheets(sheets)
    left_out += comparison.not_compared
    if arguments.out is not None:
        write_whole(arguments.out, _table(comparison, left_out).encode())
    if arguments.json:
        sys.stdout.write(canonical_bytes(_document(comparison, left_out)).decode() + "\n")
    else:
        sys.stdout.writelines(f"{_plain(line)}\n" for line in _report(comparison, left_out))
    if comparison.findings:
        return EXIT_FOUND
    return EXIT_INCOMPLETE if left_out else EXIT_NOTHING


def _records(folder: Path) -> Iterator[_Record]:
    """What should be records in a folder, by name: files that end in .json, and the records of sheets in folders."""
    found = []
    try:
        for entry in os.scandir(folder):
            if entry.name.startswith("."):
                continue
            if entry.name.endswith(".json"):
                found.append(_Record(folder / entry.name))
            elif entry.is_dir(follow_symlinks=False):
                found.append(_Record(folder / entry.name / _RECORD, folder / entry.name))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CommandError("fileNotFound", f"there is no folder {_as_text(folder)!r}") from error
    except (OSError, ValueError) as error:
        raise CommandError("fileUnreadable", f"{_as_text(folder)!r}: {getattr(error, 'strerror', None) or error}") from error
    if not found:
        raise CommandError("fileNotFound", f"no record lies in {_as_text(folder)!r}")
    if len(found) > MOST_RECORDS:
        raise CommandError("fileUnreadable", f"{_as_text(folder)!r} has more than {MOST_RECORDS} records")
    yield from sorted(found, key=lambda record: record.path.name if record.folder is None else record.folder.name)


def _size(path: Path) -> int:
    try:
        return path.stat(follow_symlinks=False).st_size
    except OSError:
        return 0


def _sheet(file: _Record) -> Sheet:
    """The sheet of a record's file.

    Raises:
        RecordError: it has none.
    """
    source = _as_text(file.path)
    document = _parsed(file.path)
    if file.folder is not None:
        return sheet_of(document, source, file.folder.name, _image_of(document, file.folder))
    if not isinstance(document, dict) or not document.keys() >= {"image", "record", "error"}:
        return sheet_of(document, source)
    image, error = document["image"], document["error"]
    if not isinstance(image, dict) or not all(isinstance(image.get(key), str) for key in ("name", "sha256")):
        raise RecordError(Lack.RECORD_MALFORMED, "the image has no name or no hash")
    if error is not None:
        code = error.get("code") if isinstance(error, dict) else None
        raise RecordError(Lack.IMAGE_UNREAD, f"{image['name']}: {code}")
    return sheet_of(document["record"], source, image["name"], image["sha256"])


def _parsed(path: Path) -> Any:  # noqa: ANN401  any JSON
    try:
        with _opened(path) as file:
            raw = file.read(MOST_RECORD_BYTES + 1)
    except (OSError, ValueError) as error:
        raise RecordError(Lack.RECORD_UNREADABLE, str(getattr(error, "strerror", None) or error)) from error
    try:
        return read_exact_json(raw, MOST_RECORD_BYTES)
    except InexactJsonError as error:
        raise RecordError(Lack.RECORD_UNREADABLE, str(error)) from error


def _image_of(document: object, folder: Path) -> str | None:
    """Hash of the image that an export's record was read from; None where it is not there."""
    name = _SCANS.get(str(document.get("scan"))) if isinstance(document, dict) else None
    if name is None:
        return None
    digest = hashlib.sha256()
    try:
        with _opened(folder / name) as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except (OSError, ValueError):
        return None
    return digest.hexdigest()


def _opened(path: Path) -> io.BufferedReader:
    """A regular file; a link is not followed, and nothing that is no file keeps us waiting."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    raise OSError("no regular file")


def _report(comparison: Comparison, left_out: Sequence[NotCompared]) -> Iterator[str]:
    """The lines for people."""
    for number, finding in enumerate(comparison.findings, 1):
        yield f"{number}. {finding.kind}: {_FOUND[finding.kind]}"
        for place, sheet in _members(comparison, finding):
            ink = f"  ({_share(*finding.distances[place])} of the ink's bits differ)" if place and finding.distances else ""
            yield f"     {_codes(sheet) or 'no code read'}  {sheet.image or '-'}  {sheet.source}{ink}"
        yield f"   {_numbers(finding)}"
    if left_out:
        yield "not compared:"
        yield from (f"  {left.lack}  {left.source}: {left.detail}" for left in left_out)
    told = Counter(finding.kind for finding in comparison.findings)
    kinds = ", ".join(f"{told[kind]} {kind}" for kind in Kind if told[kind])
    yield (
        f"{len(comparison.sheets)} sheets, {comparison.pairs} pairs by ink: {kinds or 'nothing found'}; "
        f"{len({left.source for left in left_out})} sheets not compared or only in part"
    )
    if comparison.pairs_apart:
        yield f"{comparison.pairs_apart} pairs have too little writing in the same cells, and are taken for different sheets"


def _members(comparison: Comparison, finding: Finding) -> Iterator[tuple[int, Sheet]]:
    return ((place, comparison.sheets[number]) for place, number in enumerate(finding.sheets))


def _numbers(finding: Finding) -> str:
    if finding.differing:
        return f"fields that differ: {', '.join(finding.differing)}"
    return f"no field differs, of {finding.agreeing} that more than one has" if finding.agreeing else "no field to compare"


def _share(differing: int, compared: int) -> str:
    parts = 1000 * differing // max(1, compared)
    return f"{parts // 10}.{parts % 10} %"


def _codes(sheet: Sheet) -> str:
    return " ".join(f"{name}={code}" for name, code in sorted(sheet.codes.items()))


def _table(comparison: Comparison, left_out: Iterable[NotCompared]) -> str:
    """A row for each sheet of each finding, then one for each sheet that was not compared."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    for number, finding in enumerate(comparison.findings, 1):
        for place, sheet in _members(comparison, finding):
            bits = finding.distances[place] if finding.distances else ("", "")
            row = (number, finding.kind, sheet.form, _codes(sheet), sheet.image or "", sheet.source)
            writer.writerow([_plain(str(part)) for part in (*row, " ".join(finding.differing), *bits, "")])
    for left in left_out:
        writer.writerow([_plain(part) for part in ("", left.lack, "", "", "", left.source, "", "", "", left.detail)])
    return text.getvalue()


def _document(comparison: Comparison, left_out: Iterable[NotCompared]) -> Json:
    return {
        "kind": "crossSheetReport",
        "sheets": len(comparison.sheets),
        "pairs": comparison.pairs,
        "pairsApart": comparison.pairs_apart,
        "findings": [
            {
                "kind": str(finding.kind),
                "sheets": [_named(sheet, finding.distances[place] if finding.distances else None) for place, sheet in members],
                "fieldsDiffer": [_plain(name) for name in finding.differing],
                "fieldsAgree": finding.agreeing,
            }
            for finding in comparison.findings
            for members in [list(_members(comparison, finding))]
        ],
        "notCompared": [
            {"record": _plain(left.source), "code": str(left.lack), "detail": _plain(left.detail)} for left in left_out
        ],
    }


def _named(sheet: Sheet, ink: tuple[int, int] | None) -> Json:
    return {
        "record": _plain(sheet.source),
        "image": None if sheet.image is None else _plain(sheet.image),
        "form": _plain(sheet.form),
        "codes": _plain_mapping(sheet.codes),
        "ink": None if ink is None else {"differing": ink[0], "compared": ink[1]},
    }


def _plain_mapping(codes: Mapping[str, str]) -> dict[str, str]:
    return {_plain(name): _plain(code) for name, code in codes.items()}


def _as_text(path: Path) -> str:
    """A name whose bytes are no text is told by their numbers."""
    return str(path).encode("utf-8", "backslashreplace").decode()


def _plain(text: str) -> str:
    """What a terminal takes as text: a record's strings may hold anything."""
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text)
