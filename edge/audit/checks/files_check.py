"""The manifest and what it lists: its signature, every file's size and hash, nothing missing and nothing more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from edge.audit.checks.question import Question, counted
from edge.audit.checks.sheets_check import sheet_folders
from edge.audit.folder import MOST_FILE_BYTES, ExportFolder, FileError, Listing
from edge.audit.layout import (
    CHECKPOINT,
    CHECKPOINTS,
    ELECTION,
    ELECTION_REPORT,
    EVENT_DOCUMENTATION,
    EVENTS,
    LOG,
    MANIFEST,
    MANIFEST_SIGNATURE,
    PACKAGE,
    README,
    SET_NOTES,
    SETTINGS,
    TOTALS,
    VERIFIER_KEY,
    is_form_file,
)
from edge.audit.manifest import MOST_MANIFEST_BYTES, FileFacts, Manifest, ManifestError, parse_manifest
from edge.audit.verification import Check, Finding
from edge.evidence.archive import SheetKind
from edge.evidence.tlog import minisign
from edge.evidence.tlog.checkpoint import Checkpoint
from edge.evidence.tlog.minisign import MOST_SIGNATURE_FILE_BYTES, MinisignError
from edge.evidence.tlog.note import VerifierKey
from edge.evidence.tlog.tiles import TileError, tile_names

_ALWAYS = (README, CHECKPOINT, VERIFIER_KEY, EVENTS, EVENT_DOCUMENTATION, PACKAGE)
_CLOSED = (SET_NOTES[SheetKind.CAST], SET_NOTES[SheetKind.RETURNED])
_OF_ELECTION = (TOTALS, ELECTION_REPORT)
_ITSELF = (MANIFEST, MANIFEST_SIGNATURE)


@dataclass(frozen=True, slots=True)
class SeenManifest:
    """The manifest as far as it could be read. `signed`: whether a key of the trust list has signed it."""

    manifest: Manifest | None
    signed: bool


def check_manifest(
    folder: ExportFolder, keys: Sequence[VerifierKey], note: bytes, checkpoint: Checkpoint | None
) -> tuple[SeenManifest, Check]:
    """The manifest itself.

    Args:
        folder: The export.
        keys: The log's keys of the trust list.
        note: The log's checkpoint as it lies in the folder.
        checkpoint: What that says.
    """
    question = Question("manifest")
    raw = manifest = None
    try:
        raw = folder.read(MANIFEST, MOST_MANIFEST_BYTES)
        manifest = parse_manifest(raw)
    except FileError as error:
        question.findings.append(error.finding())
    except ManifestError as error:
        question.wrong(error.code, MANIFEST, error.detail)
    signed = _is_signed(folder, keys, raw, question)
    if manifest is not None and checkpoint is not None:
        told = (manifest.origin, manifest.size, manifest.checkpoint.encode())
        if told != (checkpoint.origin, checkpoint.size, note):
            detail = f"is over the log {manifest.origin[:200]} with {manifest.size} entries, not over what lies in {CHECKPOINT}"
            question.wrong("manifestForeign", MANIFEST, detail)
    if manifest is None:
        return SeenManifest(None, signed=False), question.failed("There is no list of the export's files.")
    comment = f" and says: {signed}" if signed else ""
    sentence = f"The list of {counted(len(manifest.files), 'file')} is signed by the log's own key{comment}."
    if not keys:
        return SeenManifest(manifest, signed=False), question.unanswered("Who signed the list of files was not checked.")
    return SeenManifest(manifest, signed=signed is not None), question.answered(sentence)


def _is_signed(folder: ExportFolder, keys: Sequence[VerifierKey], raw: bytes | None, question: Question) -> str | None:
    """The trusted comment of the signature; None where it does not hold."""
    try:
        signature = folder.read(MANIFEST_SIGNATURE, MOST_SIGNATURE_FILE_BYTES)
        return minisign.verify(raw, signature, keys[0].public) if keys and raw is not None else None
    except FileError as error:
        question.findings.append(error.finding())
    except MinisignError as error:
        question.wrong(error.code, MANIFEST_SIGNATURE, error.detail)
        if error.code == "minisignSignature":
            # Either of the two may be the one that was changed.
            question.wrong(error.code, MANIFEST, f"is not what {MANIFEST_SIGNATURE} was made for")
    return None


def check_files(
    folder: ExportFolder, listing: Listing, manifest: Manifest | None, sheets: Mapping[str, FileFacts], seen: Sequence[Finding]
) -> Check:
    """Every file against the list. Files that no check has read before are read here.

    Args:
        folder: The export.
        listing: What lies in it.
        manifest: The list.
        sheets: Facts of the files that were read with the sheets, by full name.
        seen: What could not be read of them.
    """
    question = Question("files")
    question.findings += listing.findings
    unreadable = {finding.file: finding for finding in seen}
    wrong = {finding.file for finding in listing.findings}
    if manifest is None:
        question.findings += seen
        return question.unanswered("The files could not be held against a list.")
    listed = {facts.name: facts for facts in manifest.files}
    for facts in manifest.files:
        if facts.name in unreadable:
            question.findings.append(unreadable[facts.name])
        elif facts.name in listing.files:
            _compare(folder, question, facts, sheets.get(facts.name))
        elif wrong.isdisjoint((facts.name, *_above(facts.name))):
            # A link in the place of a file, or of a folder above it, has been told.
            question.wrong("fileMissing", facts.name, "is in the list, but not in the folder")
    for name in listing.files:
        if name not in listed and name not in _ITSELF:
            question.wrong("fileExtra", name, "is not in the list")
    total = sum(facts.size for facts in manifest.files)
    return question.answered(f"{counted(len(listed), 'file')} of {total} bytes are as in the list, and there are no others.")


def _above(name: str) -> Iterator[str]:
    """The folders above a file."""
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name


def _compare(folder: ExportFolder, question: Question, facts: FileFacts, found: FileFacts | None) -> None:
    """Hold a file against its entry in the list."""
    try:
        found = found or folder.look(facts.name, max(facts.size, MOST_FILE_BYTES))
    except FileError as error:
        question.findings.append(error.finding())
        return
    if found.size != facts.size:
        question.wrong("fileChanged", facts.name, f"has {found.size} bytes; the list says {facts.size}")
    elif found != facts:
        question.wrong("fileChanged", facts.name, "does not have the contents that the list says")


def check_layout(names: Iterable[str], manifest: Manifest | None, checkpoint: Checkpoint | None, *, closed: bool | None) -> Check:
    """Whether the files are those of an export: what must be there is there, and nothing is that no station writes.

    Args:
        names: All files in the folder.
        manifest: The list.
        checkpoint: The log's.
        closed: Whether the log says that the polls were closed for good; None if that is not known.
    """
    question, present = Question("layout"), set(names)
    if closed is not None and manifest is not None and (manifest.kind == "closed") != closed:
        told = "were closed for good" if closed else "were not closed for good"
        question.wrong("kindWrong", MANIFEST, f"calls the export {manifest.kind}, but the log says that the polls {told}")
    # What is in the folder against the list, and is not, is told elsewhere; here it is the list that is wrong.
    listed = present if manifest is None else {*_ITSELF, *(facts.name for facts in manifest.files)}
    if closed is None:
        closed = manifest is not None and manifest.kind == "closed"
    # What the package must hold follows from its hash in the log; here it tells what goes with it.
    forms = {name for name in listed if is_form_file(name)}
    election = ELECTION in listed or not forms
    required = {*_ALWAYS, *_ITSELF, *forms}
    required |= {ELECTION} if election else set()
    if closed:
        required |= {*_CLOSED, *(_OF_ELECTION if election else ()), *([SET_NOTES[SheetKind.TALLY]] if forms else [])}
    if checkpoint is not None:
        try:
            required |= {f"{LOG}/{name}" for name in tile_names(checkpoint.size)}
        except TileError as error:
            question.wrong(error.code, CHECKPOINT, error.detail)
    known = {*required, *([SETTINGS] if election else [])}
    if closed:
        kinds = {*([SheetKind.CAST] if election else []), SheetKind.RETURNED, *([SheetKind.TALLY] if forms else [])}
        known |= {f"{sheet.path}/{name}" for sheet in sheet_folders(listed) if sheet.kind in kinds for name in sheet.names}
    for name in sorted(required - listed):
        question.wrong("fileMissing", name, "every export of this kind has it")
    for name in sorted(listed - known):
        if not name.startswith(f"{CHECKPOINTS}/"):
            question.wrong("fileForeign", name, "no export of this kind has it")
    kind = "after the close" if closed else "while the polls were not closed for good"
    return question.answered(f"The export was made {kind}, and has the files of such an export.")
