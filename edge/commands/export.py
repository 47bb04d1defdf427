"""`scrutineer export DEST`: the evidence onto a stick, for the auditors."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from edge.audit.export import ExportResult, export
from edge.audit.manifest import ExportError
from edge.commands.error import CommandError
from edge.commands.evidence import Visit, visited
from edge.commands.progress import ProgressBar
from edge.evidence.events import LogEvent
from edge.evidence.station_archive import StationArchive
from edge.evidence.store import Polls


def run(arguments: argparse.Namespace) -> int:
    """Write an export into a folder, read it back, and say how an auditor can know it again; give the exit status.

    Args:
        arguments: `config`, `destination`.

    Raises:
        CommandError: why it was not made, and whether another try on the same stick makes sense.
    """
    with visited(arguments.config) as visit:
        kind = "closed" if visit.books.polls is Polls.CLOSED else "interim"
        visit.store.note([LogEvent("exportBegun", {"kind": kind})])
        try:
            with ProgressBar(sys.stderr) as bar:
                forbidden = (*visit.settings.media, visit.settings.keys)
                archive = StationArchive(visit.store, visit.package)
                made = export(archive, arguments.destination, bar, forbidden=forbidden)
        except ExportError as error:
            visit.store.note([LogEvent("exportFailed", {"reason": error.code})])
            raise CommandError(error.code, f"{error.detail}. {error.advice}") from error
        visit.store.note([LogEvent("exportMade", {"kind": kind})])
        for line in _told(visit, made):
            print(line)
    return 0


def _told(visit: Visit, made: ExportResult) -> Iterator[str]:
    yield f"Export: {made.folder}"
    yield f"{made.files} files, {made.total_bytes} bytes, written, read back and found to be what the key has signed."
    if visit.books.polls is not Polls.CLOSED:
        yield "The polls are not closed for good: this export has the log and no ballot (scrutineer close)."
    yield f"MANIFEST.json has the SHA-256 {made.manifest_sha256.hex()}"
    yield "The log's signed checkpoint, to be kept on paper:"
    yield made.checkpoint.rstrip("\n")
