"""`verify`: every question that an auditor asks of an export, in the order of an auditor's walk.

Nothing in the folder is believed because the folder says so: the keys come from the trust list, and everything that follows from
something else is made again from it. What fails does not keep the other checks from being made.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from edge.audit.checks.documents_check import SeenPackage, check_documents, check_package
from edge.audit.checks.files_check import check_files, check_layout, check_manifest
from edge.audit.checks.limits import check_incidents, check_software, limits
from edge.audit.checks.log_check import SeenLog, check_log, check_opening, claimed
from edge.audit.checks.question import Question
from edge.audit.checks.reading_pool import Reread
from edge.audit.checks.results_check import check_held, check_results, count
from edge.audit.checks.sets_check import check_set
from edge.audit.checks.sheets_check import KeptSheets, check_alike, check_sheets, read_sheets_again, sheet_folders
from edge.audit.checks.story_check import Story, check_story
from edge.audit.checks.tally_check import check_tally_sheets
from edge.audit.checks.trust_check import check_package_trusted, check_trust, trusted_keys
from edge.audit.checks.witness_check import check_witness
from edge.audit.content import is_test, party_of
from edge.audit.folder import ExportFolder, FileError
from edge.audit.manifest import FileFacts
from edge.audit.verification import Check, Json, Verification
from edge.audit.witness import Witness
from edge.definition.election import Election
from edge.definition.package import ElectionPackage
from edge.evidence.archive import SheetKind, kinds_of
from edge.evidence.cdf.election_parts import ReportingParty
from edge.evidence.keys.trust import TrustList
from edge.evidence.software import SoftwareError, software_name, software_sha256

Progress = Callable[[int, int, str], None]
"""Told how many bytes of how many are done, and of what."""

_PHASE = "reading"
_NOT_INSTALLED = "scrutineer-edge (not installed)"


@dataclass(frozen=True, slots=True)
class Examination:
    """A verification with what a report needs beside it.

    Attributes:
        verification: What was found.
        election: What the ballots are of; None if there is none, or the package cannot be used.
        package: What the sheets were read with; None if it cannot be used.
        facts: Size and hash of every file that was read, by name.
    """

    verification: Verification
    election: Election | None
    package: ElectionPackage | None
    facts: Mapping[str, FileFacts]

    def read(self, folder: ExportFolder, name: str) -> bytes:
        """A file of the export once more, for the report.

        Raises:
            FileError: it cannot be read, or is no longer what was verified.
        """
        content = folder.read(name)
        if self.facts.get(name) != FileFacts.of(name, content):
            raise FileError("fileUnstable", name, "is no longer what was verified")
        return content


def verify(
    folder: Path,
    trust: TrustList | None,
    witness: Witness | None = None,
    processes: int | None = None,
    progress: Progress | None = None,
) -> Verification:
    """Check an export.

    Args:
        folder: Where it is.
        trust: The logs that the authority vouches for, had another way than the export; without it no signature can be checked.
        witness: What this machine remembers of logs, and learns from this export if its log is proven.
        processes: How many may read sheets at once; 1 = this one alone, None = as many as there are processors. Processes are
            started afresh, so the program's main module has to be importable.
        progress: Told how far the second readings are.

    Raises:
        FolderError: there is nothing that could be looked at.
    """
    return examine(folder, trust, witness, processes, progress).verification


def examine(
    folder: Path,
    trust: TrustList | None,
    witness: Witness | None = None,
    processes: int | None = None,
    progress: Progress | None = None,
) -> Examination:
    """As `verify`, with what a report needs."""
    with ExportFolder(folder) as opened:
        return _Walk(opened, trust, witness, processes, progress or (lambda _done, _total, _what: None)).examination()


class _Walk:
    """One walk through an export: what is needed by several questions is found first, then they are asked in order."""

    def __init__(
        self, folder: ExportFolder, trust: TrustList | None, witness: Witness | None, processes: int | None, progress: Progress
    ) -> None:
        self._folder = folder
        self._trust = trust
        self._witness = witness
        self._processes = processes
        self._progress = progress
        self._listing = folder.listing()
        self._note, self._checkpoint = claimed(folder)
        self._origin = "" if self._checkpoint is None else self._checkpoint.origin
        self._keys = trusted_keys(trust, self._origin)
        self._manifest, self._manifest_check = check_manifest(folder, self._keys, self._note, self._checkpoint)
        self._log, self._log_checks = check_log(folder, tuple(self._listing.files), self._keys)
        self._package, self._package_check = check_package(folder, frozenset(self._listing.files), self._origin)
        self._story: Story | None = None
        self._totals: Json | None = None

    def examination(self) -> Examination:
        """Ask everything."""
        folder, keys, log = self._folder, self._keys, self._log
        log_checks = [*self._log_checks, check_opening(log, keys, self._package.sha256), *self._told()]
        closed = self._is_closed()
        party = _party(log, self._package, self._origin)
        sheets = self._sheets(party) if closed else KeptSheets()
        sheet_checks = self._of_close(party, sheets) if closed else []
        files = sheets.full()
        witness_check, witnessed = check_witness(self._witness, log, keys)
        checks = [
            *check_trust(folder, self._trust, self._origin),
            check_package_trusted(self._trust, self._package.package),
            self._manifest_check,
            check_files(folder, self._listing, self._manifest.manifest, files, sheets.errors),
            check_layout(
                self._listing.files, self._manifest.manifest, self._checkpoint, closed=closed if self._story is not None else None
            ),
            *log_checks,
            *sheet_checks,
            self._package_check,
            *self._documents(party, closed=closed),
            check_software(_software(log), _own_software(), proven=log.proven),
            witness_check,
            *limits(self._story, sheets.verdicts, self._origin, closed=closed, witnessed=witnessed),
        ]
        verification = Verification(
            folder=folder.name,
            origin=self._origin,
            kind="closed" if closed else "interim",
            size=0 if self._checkpoint is None else self._checkpoint.size,
            root="" if self._checkpoint is None else base64.b64encode(self._checkpoint.root).decode(),
            checks=tuple(checks),
            sheets=tuple(sheets.verdicts),
            totals=self._totals,
            verifier=_own_name(),
        )
        return Examination(verification, self._package.election, self._package.package, {**folder.facts, **files})

    def _told(self) -> list[Check]:
        """The story of the events."""
        if not self._log.events:
            why = "could not be told: the log's entries could not be read."
            return [
                Question("logOrder").unanswered(f"The order of the events {why}"),
                Question("polls").unanswered(f"When the polls were open {why}"),
                Question("counts").unanswered(f"How the count of ballots grew {why}"),
                Question("incidents").unanswered(f"What the day was like {why}"),
            ]
        self._story, checks = check_story(self._log.events, proven=self._log.proven, place=self._log.places)
        return [*checks, check_incidents(self._story, proven=self._log.proven)]

    def _is_closed(self) -> bool:
        """Whether the polls were closed for good: as the log tells, else as the list of files says, else as it looks."""
        if self._story is not None:
            return self._story.closed is not None
        if self._manifest.manifest is not None:
            return self._manifest.manifest.kind == "closed"
        return bool(sheet_folders(self._listing.files))

    def _sheets(self, party: ReportingParty | None) -> KeptSheets:
        """Every sheet in the folder, and every one that a signed list says should be there."""
        if self._package.package is None:
            return KeptSheets()
        manifest = self._manifest
        listed = () if manifest.manifest is None or not manifest.signed else (facts.name for facts in manifest.manifest.files)
        folders = sheet_folders({*self._listing.files, *listed})
        reread = Reread(self._folder.path, self._folder.identity, self._package.package, party)
        total, done = sum(self._listing.files.get(f"{one.path}/{name}", 0) for one in folders for name in one.names), 0

        def told(size: int) -> None:
            nonlocal done
            done += size
            self._progress(done, total, _PHASE)

        self._progress(0, total, _PHASE)
        return read_sheets_again(folders, reread, self._processes, told)

    def _of_close(self, party: ReportingParty | None, sheets: KeptSheets) -> list[Check]:
        """The questions that only an export after the close can be asked."""
        package = self._package.package
        if package is None:
            names = ("castSet", "returnedSet", "castSheets", "returnedSheets", "alike", "totals", "electionReport", "heldAndCast")
            return [Question(name).unanswered("Not checked without a usable election package.") for name in names]
        story = self._story or Story()
        checks, kinds = [], kinds_of(package)
        for kind in kinds:
            files = {sheet: found for (of, sheet), found in sheets.files.items() if of is kind and found}
            event = story.tally_closed if kind is SheetKind.TALLY else story.closed
            closing = None if event is None else (event, self._log.places[event.index])
            checks.append(check_set(self._folder, kind, files, self._keys, closing, proven=self._log.proven))
        checks += [check_sheets(kind, sheets.of(kind), party_known=party is not None) for kind in kinds]
        checks.append(check_alike(sheets.files))
        if SheetKind.TALLY in kinds:
            told = [(event, self._log.places[event.index]) for event in story.tallied]
            forms = package.loaded_forms()
            of_kind = sheets.of(SheetKind.TALLY)
            checks.append(check_tally_sheets(of_kind, sheets.files, told, forms, proven=self._log.proven))
        if self._package.election is not None:
            counted = count(self._package.election, sheets.readings)
            self._totals = counted.json
            checks += check_results(self._folder, counted, self._package.election, party, story.closed)
        return [*checks, check_held(sheets.verdicts)]

    def _documents(self, party: ReportingParty | None, *, closed: bool) -> list[Check]:
        package = self._package.package
        parts = None if party is None or package is None else (party, package, self._package.election)
        same = party is not None and party.application == _own_name()
        return check_documents(self._folder, self._log, self._keys, parts, closed=closed, same_software=same)


def _party(log: SeenLog, package: SeenPackage, origin: str) -> ReportingParty | None:
    """Who made the documents; None if the log or the package does not tell."""
    if log.opening is None or package.package is None:
        return None
    return party_of(origin, log.opening.json, test_mode=is_test(origin, package.package, package.election))


def _software(log: SeenLog) -> list[tuple[str, str]]:
    """Name and hash of each software that the log names, in order, each once."""
    named = [event for event in log.events if event.id in {"logOpened", "stationStarted"}]
    return list(dict.fromkeys((event.text("software"), event.text("softwareSha256")) for event in named))


def _own_software() -> tuple[str, str] | None:
    try:
        return software_name(), software_sha256().hex()
    except SoftwareError:
        return None


def _own_name() -> str:
    try:
        return software_name()
    except SoftwareError:
        return _NOT_INSTALLED
