"""What else is in an export: the election package, the copy of the log, the list of events, the text for the auditor."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from edge.audit.checks.log_check import SeenLog
from edge.audit.checks.question import Question, counted
from edge.audit.content import day_of, documentation_document, eel_document, form_files, is_test, package_document
from edge.audit.folder import ExportFolder, FileError
from edge.audit.layout import ELECTION, EVENT_DOCUMENTATION, EVENTS, FORMS, PACKAGE, README, SETTINGS, is_form_file
from edge.audit.readme_text import readme_text
from edge.audit.verification import Check
from edge.definition.election import MAX_ELECTION_BYTES, Election
from edge.definition.errors import DefinitionError
from edge.definition.form import MAX_FORM_BYTES
from edge.definition.package import ElectionPackage, sorted_forms
from edge.definition.settings import MAX_SETTINGS_BYTES
from edge.evidence.cdf.election_parts import ReportingParty
from edge.evidence.cdf.error import CdfError
from edge.evidence.tlog.note import VerifierKey

_MOST_PACKAGE_BYTES = 4096
_MOST_TEXT_BYTES = 1 << 20
_MOST_EVENTS_BYTES = 1 << 28


@dataclass(frozen=True, slots=True)
class SeenPackage:
    """What the sheets were read with. `package`: None where it cannot be used; `election`: None also where there is none."""

    package: ElectionPackage | None = None
    election: Election | None = None

    @property
    def sha256(self) -> bytes | None:
        """The hash over it."""
        return None if self.package is None else self.package.sha256()


def check_package(folder: ExportFolder, names: frozenset[str], origin: str) -> tuple[SeenPackage, Check]:
    """The election package as it lies in the folder.

    Args:
        folder: The export.
        names: All files in it.
        origin: The log's name, which tells whether these are trials.
    """
    question, file = Question("package"), ELECTION
    seen = SeenPackage()
    try:
        # Tally sheets can be read without an election; the log's first entry says whether the package is whole.
        places = {name for name in names if is_form_file(name)}
        forms = sorted_forms([folder.read(name, MAX_FORM_BYTES) for name in sorted(places)])
        election = folder.read(ELECTION, MAX_ELECTION_BYTES) if ELECTION in names or not forms else None
        settings = folder.read(SETTINGS, MAX_SETTINGS_BYTES) if SETTINGS in names else None
        described = folder.read(PACKAGE, _MOST_PACKAGE_BYTES)
        package = ElectionPackage(election, settings, _ballot_hash(described), forms)
        definition = package.election_if_any()
        file = SETTINGS
        package.is_test()
        file = FORMS
        if form_files(package).keys() != places:
            question.wrong("packageMalformed", FORMS, "has a form under another name than its own")
        seen = SeenPackage(package, definition)
        if described != package_document(package, test_mode=is_test(origin, package, definition)):
            question.wrong("packageMalformed", PACKAGE, "does not describe the files beside it")
    except FileError as error:
        question.findings.append(error.finding())
    except DefinitionError as error:
        question.wrong("packageUnusable", file, f"{error.code}: {error.detail}")
    except ValueError as error:
        question.wrong("packageMalformed", PACKAGE, str(error))
    if seen.package is None:
        return seen, question.failed("The election package cannot be used, so that no sheet could be read again.")
    said = []
    if seen.election is not None:
        title = f"{seen.election.title}, {seen.election.date[:10]}"
        said.append(f"The election package is that of {title}; its ballots carry {seen.election.ballot_hash.hex()}.")
    if seen.package.forms:
        told = ", ".join(form.name for form in seen.package.loaded_forms())
        said.append(f"Tally sheets were read by {counted(len(seen.package.forms), 'form')}: {told}.")
    return seen, question.answered(" ".join(said))


def _ballot_hash(described: bytes) -> str | None:
    try:
        ballot_hash = json.loads(described)["ballotHash"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError("is not what describes a package") from error
    if ballot_hash is not None and not isinstance(ballot_hash, str):
        raise ValueError("the ballot hash is no text")
    return ballot_hash


def check_documents(
    folder: ExportFolder,
    log: SeenLog,
    keys: tuple[VerifierKey, ...],
    parts: tuple[ReportingParty, ElectionPackage, Election | None] | None,
    *,
    closed: bool,
    same_software: bool,
) -> list[Check]:
    """The copies and texts, made again.

    Args:
        folder: The export.
        log: The log.
        keys: The log's key.
        parts: Who reported, and on what package and election; None if that cannot be told.
        closed: Whether the polls were closed for good.
        same_software: Whether the log was begun by software of this name and version; other software may word texts otherwise.
    """
    events, documentation, readme = Question("eventCopy"), Question("eventDocumentation"), Question("readme")
    checks = []
    if parts is None or not log.events:
        checks.append(events.unanswered("The copy of the log could not be made again: log or election package cannot be read."))
        checks.append(documentation.unanswered("The list of events could not be made again, for the same reason."))
    else:
        party, package, election = parts
        if not _is_same(folder, events, EVENTS, lambda: _events(log, party, package)) and not events.findings:
            events.wrong("documentDiffers", EVENTS, "is not a copy of the log")
        checks.append(
            events.answered("The copy of the log in the format of NIST SP 1500-101 has the same events.", proven=log.proven)
        )
        same = _is_same(
            folder,
            documentation,
            EVENT_DOCUMENTATION,
            lambda: documentation_document(party, day_of(election, log.events[0].json)),
        )
        checks.append(_of_text(documentation, EVENT_DOCUMENTATION, "The list of events", same=same, same_software=same_software))
    if not keys or log.checkpoint is None:
        return [*checks, readme.unanswered("The text for the auditor could not be made again without the log's key.")]
    size = log.checkpoint.size
    forms = parts is not None and bool(parts[1].forms)
    same = _is_same(folder, readme, README, lambda: readme_text(keys[0], size, closed=closed, forms=forms).encode())
    return [*checks, _of_text(readme, README, "The text for the auditor", same=same, same_software=same_software)]


def _events(log: SeenLog, party: ReportingParty, package: ElectionPackage) -> bytes:
    return eel_document(party, package.identity(), [event.json for event in log.events], log.leaves)


def _is_same(folder: ExportFolder, question: Question, name: str, made: Callable[[], bytes]) -> bool:
    try:
        return folder.read(name, _MOST_EVENTS_BYTES if name == EVENTS else _MOST_TEXT_BYTES) == made()
    except FileError as error:
        question.findings.append(error.finding())
    except CdfError as error:
        question.wrong("documentImpossible", name, str(error))
    return False


def _of_text(question: Question, name: str, what: str, *, same: bool, same_software: bool) -> Check:
    if same or question.findings:
        return question.answered(f"{what} is as this software writes it.")
    if not same_software:
        return question.unanswered(f"{what} is not as this software writes it. The station's software is another version.")
    question.wrong("documentDiffers", name, "is not as this software writes it")
    return question.answered(f"{what} is as this software writes it.")
