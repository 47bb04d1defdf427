"""An export for auditors, from the evidence to a folder on a medium that was read back and found to be what the key has signed.

A folder without its signed manifest is no export. So the manifest is written when everything else is durable, and taken away
again when what comes back from the medium is not what was written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from edge.audit.content import Survey, export_files, survey
from edge.audit.destination import Calls, Destination, NewFolder
from edge.audit.layout import MANIFEST, MANIFEST_SIGNATURE, export_name
from edge.audit.manifest import (
    ExportError,
    FileFacts,
    Kind,
    Manifest,
    ManifestError,
    build_manifest,
    is_safe_part,
    parse_manifest,
)
from edge.evidence.archive import Archive, SheetKind
from edge.evidence.store import StoreError
from edge.evidence.tlog import minisign
from edge.evidence.tlog.minisign import MinisignError

_KEY_ADVICE = "No medium is at fault: have the device's key and its evidence looked at."


class Phase(StrEnum):
    """What an export is at."""

    GATHERING = "gathering"
    """The evidence is gone through and held against what was signed; how much that is, is not known before."""
    WRITING = "writing"
    CHECKING = "checking"


Progress = Callable[[int, int, Phase], None]
"""Told the bytes done, the bytes in all (0 = not known), and the phase."""


@dataclass(frozen=True, slots=True)
class ExportResult:
    """An export that was made.

    Attributes:
        folder: The new folder.
        kind: Whether the polls were closed for good.
        origin: Name of the log.
        size: Entries of the log.
        checkpoint: The signed checkpoint over them, for comparison with what is on paper.
        files: How many files, the manifest and its signature among them.
        total_bytes: All of them together.
        sheets: Kept sheets of each kind; none before the close.
        manifest_sha256: Names the export.
    """

    folder: Path
    kind: Kind
    origin: str
    size: int
    checkpoint: str
    files: int
    total_bytes: int
    sheets: dict[SheetKind, int]
    manifest_sha256: bytes


def export(
    archive: Archive,
    destination: Path,
    progress: Progress = lambda _done, _total, _phase: None,
    *,
    forbidden: Collection[Path] = (),
    calls: Calls | None = None,
) -> ExportResult:
    """Write the evidence into a new folder of a medium and read it back.

    Args:
        archive: The evidence. It is only read.
        destination: Folder in which the new one is made.
        progress: Told how far it is.
        forbidden: Folders of the evidence and the keys, in which no export may be made.
        calls: How the medium is reached.

    Raises:
        ExportError: nothing was exported. What may be left on the medium is a folder without a manifest.
    """
    with Destination(destination, forbidden, calls) as medium, _evidence_told():
        gathered = _Gathering(progress)
        surveyed = survey(archive, gathered.add)
        manifest = _manifest(archive, surveyed)
        name = export_name(manifest.origin, manifest.size)
        signed = _signed(archive, manifest.to_bytes())
        files = [*manifest.files, *(FileFacts.of(*file) for file in signed.items())]
        medium.check_room(name, files)
        folder = medium.new_folder(name, _instant(surveyed.day))
        with _unfinished(folder):
            _write(folder, archive, surveyed, signed, _Bytes(progress, files, Phase.WRITING))
            folder.read_back(files, _Bytes(progress, files, Phase.CHECKING))
    return ExportResult(
        folder=destination / name,
        kind=manifest.kind,
        origin=manifest.origin,
        size=manifest.size,
        checkpoint=manifest.checkpoint,
        files=len(files),
        total_bytes=sum(facts.size for facts in files),
        sheets=dict(surveyed.sheets),
        manifest_sha256=FileFacts.of(MANIFEST, signed[MANIFEST]).sha256,
    )


def _manifest(archive: Archive, surveyed: Survey) -> Manifest:
    size = len(archive.entries)
    kind: Kind = "closed" if archive.closed else "interim"
    try:
        manifest = build_manifest(archive.origin, kind, size, archive.checkpoints[size], surveyed.files.values())
        parse_manifest(manifest.to_bytes())
    except ManifestError as error:
        raise ExportError("contentUnfit", error.detail, _KEY_ADVICE) from error
    if not is_safe_part(export_name(archive.origin, size)):
        raise ExportError("contentUnfit", f"the log's name {archive.origin[:200]!a} does not give that of a folder", _KEY_ADVICE)
    return manifest


def _signed(archive: Archive, manifest: bytes) -> dict[str, bytes]:
    """The manifest and its signature, by name, once the signature is known to hold."""
    try:
        signature = archive.sign_manifest(manifest)
        minisign.verify(manifest, signature, archive.verifier.public)
    except MinisignError as error:
        raise ExportError("keyForeign", f"the key signs otherwise than the log's does: {error.detail}", _KEY_ADVICE) from error
    return {MANIFEST: manifest, MANIFEST_SIGNATURE: signature}


def _instant(day: str) -> int:
    """Midnight UTC at the beginning of a day, seconds since 1970."""
    return int(datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC).timestamp())


def _write(folder: NewFolder, archive: Archive, surveyed: Survey, signed: dict[str, bytes], written: _Bytes) -> None:
    for name, content in export_files(archive, surveyed):
        folder.write(name, content)
        written(surveyed.files[name])
    folder.settle()
    for name, content in signed.items():
        folder.write(name, content)
        written(FileFacts.of(name, content))
    folder.settle()


@contextmanager
def _unfinished(folder: NewFolder) -> Iterator[None]:
    """Take the manifest away when anything goes wrong, and say what is left on the medium."""
    try:
        yield
    except BaseException as error:
        gone = folder.withdraw([MANIFEST_SIGNATURE, MANIFEST])
        if not isinstance(error, ExportError | StoreError):
            raise
        left = f"The folder {folder.name} that is left on the medium has no manifest: it is no export, and can be deleted."
        if not gone:
            left = f"The folder {folder.name} may be left on the medium: it is no export, whatever is in it."
        advice = error.advice if isinstance(error, ExportError) else _KEY_ADVICE
        raise ExportError(error.code, error.detail, f"{advice} {left}") from error
    finally:
        folder.close()


@contextmanager
def _evidence_told() -> Iterator[None]:
    try:
        yield
    except StoreError as error:
        raise ExportError(error.code, error.detail, _KEY_ADVICE) from error


class _Gathering:
    """Tells of a phase whose end is not known."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._done = 0
        progress(0, 0, Phase.GATHERING)

    def add(self, count: int) -> None:
        self._done += count
        self._progress(self._done, 0, Phase.GATHERING)


class _Bytes:
    """Tells of a phase that goes over all files."""

    def __init__(self, progress: Progress, files: Collection[FileFacts], phase: Phase) -> None:
        self._progress = progress
        self._phase = phase
        self._done = 0
        self._total = sum(facts.size for facts in files)
        progress(0, self._total, phase)

    def __call__(self, facts: FileFacts) -> None:
        self._done += facts.size
        self._progress(self._done, self._total, self._phase)
