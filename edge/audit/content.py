"""Every file of an export but the manifest, as a function of the evidence.

What is derived (cast vote records, totals, copies of the log in other formats) is made by functions of plain data, so that a
verifier makes the same bytes again from the files of an export. No clock has a part in it: times come from the log's own entries,
and what is bound to a sheet knows only the election's date.
"""

from __future__ import annotations

import base64
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from edge.audit import layout
from edge.audit.manifest import ExportError, FileFacts
from edge.audit.readme_text import readme_text
from edge.definition.canonical_json import canonical_bytes
from edge.definition.election import Election
from edge.definition.errors import DefinitionError
from edge.definition.package import ElectionPackage
from edge.evidence.archive import Archive, SheetKind, StoredSheet, kinds_of
from edge.evidence.cdf import cvr, eel, err
from edge.evidence.cdf.dates import check_day, election_day
from edge.evidence.cdf.election_parts import ReportingParty
from edge.evidence.cdf.error import CdfError
from edge.evidence.cdf.tally import Tally, tally
from edge.evidence.sheet_files import RECORD, image_name
from edge.evidence.tlog.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from edge.evidence.tlog.merkle import leaf_hash, root_of
from edge.evidence.tlog.note import NoteError, VerifierKey, open_note
from edge.evidence.tlog.tiles import tile_files

Json = dict[str, Any]
Counted = Callable[[int], None]
"""Told the bytes of each sheet as it has been gone through."""

MANUFACTURER = "Scrutineer project"
MODEL = "Scrutineer precinct station"
STATUS = "unofficial-partial"
"""Of the totals: one device never has all of an election's ballots."""
TEST_LABEL = "-test"
"""Ends the name of a log that was kept in test mode."""

_CLOSED = "pollsClosed"
_TALLY_CLOSED = "tallySetClosed"
_SET_FIELDS: Mapping[SheetKind, tuple[str, str, str]] = {
    SheetKind.CAST: (_CLOSED, "count", "castRoot"),
    SheetKind.RETURNED: (_CLOSED, "returned", "returnedRoot"),
    SheetKind.TALLY: (_TALLY_CLOSED, "tallySheets", "tallyRoot"),
}
"""The event that commits to a set, and its fields with the number of sheets and the root."""
_SCANS = ("A", "B")
_ADVICE = "No medium is at fault and another will not help: keep the device as it is, use the paper, have the evidence looked at."


@dataclass(frozen=True, slots=True)
class Survey:
    """All that has to be known of an export before the first byte is written.

    Attributes:
        files: Facts of every file by name, in the order in which they are written.
        totals: The counted votes; None while the polls are not closed, and where no ballots are read.
        sheets: How many sheets of each kind.
        day: Day of the election, YYYY-MM-DD; see `day_of`.
    """

    files: Mapping[str, FileFacts]
    totals: Tally | None
    sheets: Mapping[SheetKind, int]
    day: str


# Functions of plain data.


def party_of(origin: str, first: Json, *, test_mode: bool) -> ReportingParty:
    """Who reports: the device, and the software with which its log began.

    It is not the software that exports, so that a later export gives the same cast vote records, byte for byte.

    Args:
        origin: Name of the log.
        first: The log's first entry, parsed.
        test_mode: See `is_test`.

    Raises:
        ValueError: the entry is not the beginning of a log.
    """
    if first.get("Id") != "logOpened":
        raise ValueError("the log does not begin with logOpened")
    software = details_of(first).get("software")
    if not isinstance(software, str):
        raise ValueError("the log's first entry does not name the software")  # noqa: TRY004  a wrong value in a file
    return ReportingParty(origin.rpartition("/")[0] or origin, MANUFACTURER, MODEL, software, test_mode)


def is_test(origin: str, package: ElectionPackage, election: Election | None) -> bool:
    """Whether these are trials: the log's name says so, or the settings take nothing but test ballots."""
    in_settings = election is not None and package.system_settings(election).test_mode is True
    return origin.endswith(TEST_LABEL) or in_settings


def day_of(election: Election | None, first: Json) -> str:
    """The day that documents bear, YYYY-MM-DD: the election's; where no ballots are read, the one on which the log begins.

    Args:
        election: The election, if there is one.
        first: The log's first entry, parsed.

    Raises:
        CdfError: neither tells a day.
    """
    if election is not None:
        return election_day(election)
    return check_day(str(first.get("TimeStamp"))[:10])


def details_of(entry: Json) -> Json:
    """The own fields of an entry, with its clocks.

    Raises:
        ValueError: the entry has none.
    """
    details = json.loads(entry["Details"]) if isinstance(entry.get("Details"), str) else None
    if not isinstance(details, dict):
        raise ValueError("the entry has no details")  # noqa: TRY004  as above
    return details


def cvr_document(party: ReportingParty, election: Election, sheet_id: str, files: Mapping[str, bytes]) -> bytes:
    """`cvr.json` of a cast sheet.

    Args:
        party: Who reports.
        election: What the sheet was read by.
        sheet_id: Its random id.
        files: Its files; the record and the two bilevel pages are used.

    Raises:
        CdfError: the record cannot be told in this format.
        ValueError: the record is not JSON, or a file is missing.
    """
    images = {}
    for scan in _SCANS:
        name = image_name(scan)
        if name not in files:
            raise ValueError(f"{name} is missing")
        images[scan] = (name, FileFacts.of(name, files[name]).sha256)
    return canonical_bytes(cvr.cvr_report(party, election, sheet_id, record_of(files), images))


def record_of(files: Mapping[str, bytes]) -> Json:
    """The record of a sheet, parsed.

    Raises:
        ValueError: it is missing or not JSON.
    """
    try:
        record = json.loads(files[RECORD])
    except (KeyError, RecursionError) as error:
        raise ValueError("the sheet has no record") from error
    if not isinstance(record, dict):
        raise ValueError("the record is no object")  # noqa: TRY004  a wrong value in a file
    return record


def set_leaf(sheet_id: str, files: Iterable[FileFacts]) -> bytes:
    """The leaf of a sheet in the tree over its set; the files' names without the folder, in any order."""
    listed = [facts.as_json() for facts in sorted(files, key=lambda facts: facts.name.encode())]
    return leaf_hash(canonical_bytes({"id": sheet_id, "files": listed}))


def set_text(origin: str, kind: SheetKind, leaves: Sequence[bytes]) -> str:
    """The text that the log's key signs over a set of sheets; `leaves` in the order of the sheets' ids."""
    return Checkpoint(layout.set_origin(origin, kind), len(leaves), root_of(leaves)).text


def open_set_note(raw: bytes, kind: SheetKind, verifier: VerifierKey) -> Checkpoint:
    """What a signed note says over a set of sheets; `verifier` is the log's key, and its name the log's.

    Raises:
        NoteError: the note is malformed, not signed by the key, or over something else.
    """
    signed = parse_checkpoint(open_note(raw, [verifier]).text)
    if signed.origin != layout.set_origin(verifier.name, kind) or signed.extensions:
        raise NoteError("checkpointOrigin", f"the note over {layout.SET_NOTES[kind]} is over {signed.origin[:200]!a}")
    return signed


def totals_document(counted: Tally) -> bytes:
    """`results/totals.json`."""
    return canonical_bytes(counted.to_json())


def report_document(party: ReportingParty, election: Election, counted: Tally, closed_at: str) -> bytes:
    """`results/err.json`; `closed_at` is the time stamp of the entry `pollsClosed`.

    Raises:
        CdfError: the election cannot be told in this format.
    """
    return canonical_bytes(err.election_report(party, election, counted, closed_at, STATUS))


def eel_document(party: ReportingParty, election_id: str, entries: Sequence[Json], leaves: Sequence[bytes]) -> bytes:
    """`events.json`: the log's entries, parsed, and their leaf hashes; dated as its last entry is.

    Args:
        party: Who reports.
        election_id: `ElectionPackage.identity()`.
        entries: The entries.
        leaves: Their leaf hashes.

    Raises:
        CdfError: the entries cannot be told in this format.
    """
    return canonical_bytes(eel.event_log(party, election_id, entries, leaves, str(entries[-1]["TimeStamp"])))


def documentation_document(party: ReportingParty, day: str) -> bytes:
    """`event-documentation.json`; `day`: see `day_of`."""
    return canonical_bytes(eel.documentation(party, day))


def package_document(package: ElectionPackage, *, test_mode: bool) -> bytes:
    """`package/package.json`."""
    about: Json = {"ballotHash": package.ballot_hash, "testMode": test_mode}
    if package.forms:
        about["forms"] = [form.name for form in package.loaded_forms()]
    return canonical_bytes(about)


def form_files(package: ElectionPackage) -> dict[str, bytes]:
    """The forms by their places in the export."""
    return {layout.form_file(form.name): raw for form, raw in zip(package.loaded_forms(), package.forms, strict=True)}


def key_document(verifier: VerifierKey) -> bytes:
    """`log/vkey`."""
    return f"{verifier.text}\n".encode()


# The files of an archive.


def sheet_folder(kind: SheetKind, sheet: StoredSheet, party: ReportingParty, election: Election | None) -> dict[str, bytes]:
    """All files of a sheet's folder, a cast sheet's with its cast vote record, sorted by name.

    Raises:
        CdfError, ValueError: as `cvr_document`.
    """
    files = dict(sheet.files)
    if kind is SheetKind.CAST:
        if election is None:
            raise ValueError("a ballot was cast, and no election is defined")
        files[layout.CVR] = cvr_document(party, election, sheet.id, files)
    return dict(sorted(files.items()))


def set_leaves(
    kind: SheetKind, sheets: Iterable[StoredSheet], party: ReportingParty, election: Election | None
) -> Iterator[bytes]:
    """The leaves of a set, as it is committed to when the polls are closed.

    Raises:
        CdfError, ValueError: as `cvr_document`.
    """
    for sheet in sheets:
        folder = sheet_folder(kind, sheet, party, election)
        yield set_leaf(sheet.id, [FileFacts.of(name, content) for name, content in folder.items()])


def survey(archive: Archive, counted: Counted = lambda _: None) -> Survey:
    """Go through all of the evidence once, hold it against what was signed, and count.

    Raises:
        ExportError: `setChanged` when the sheets are not those that were committed to when the polls were closed, `logChanged`
            when the log is not what its checkpoint says, `contentUnfit` when something cannot be written down.
    """
    with _told():
        return _Source(archive).survey(counted)


def export_files(archive: Archive, surveyed: Survey | None = None) -> Iterator[tuple[str, bytes]]:
    """Name and content of every file but the manifest and its signature, in the byte order of the names.

    Args:
        archive: The evidence.
        surveyed: What `survey` found; without it that is done first. A file that is no longer as it was then ends the export.

    Raises:
        ExportError: as `survey`.
    """
    found = survey(archive) if surveyed is None else surveyed
    awaited = iter(found.files.values())
    with _told():
        for name, content in _Source(archive).files(found.totals):
            if next(awaited, None) != FileFacts.of(name, content):
                raise _unsound("setChanged", f"{name} is no longer what it was a moment ago")
            yield name, content
        if (missing := next(awaited, None)) is not None:
            raise _unsound("setChanged", f"{missing.name} is no longer there")


class _Source:
    """An archive with what follows from it."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._election = archive.package.election_if_any()
        self._kinds = kinds_of(archive.package)
        self._entries: list[Json] = [json.loads(entry) for entry in archive.entries]
        if not self._entries:
            raise _unsound("logChanged", "the log has no entries")
        self._test = is_test(archive.origin, archive.package, self._election)
        self._party = party_of(archive.origin, self._entries[0], test_mode=self._test)
        self._day = day_of(self._election, self._entries[0])

    def survey(self, counted: Counted) -> Survey:
        """See the function of that name."""
        self._check_log()
        leaves: dict[SheetKind, list[bytes]] = {kind: [] for kind in self._kinds}
        facts: dict[str, FileFacts] = {}
        latest: dict[SheetKind, str] = {}

        def records() -> Iterator[Json]:
            for kind in self._kinds:
                for sheet in self._archive.sheets(kind):
                    if sheet.id <= latest.get(kind, ""):
                        raise ValueError(f"the {kind} sheets are not in the order of their ids")
                    latest[kind] = sheet.id
                    folder = sheet_folder(kind, sheet, self._party, self._election)
                    inside = [FileFacts.of(name, content) for name, content in folder.items()]
                    leaves[kind].append(set_leaf(sheet.id, inside))
                    start = f"{layout.SHEET_FOLDERS[kind]}/{sheet.id}/"
                    facts.update((start + one.name, FileFacts(start + one.name, one.size, one.sha256)) for one in inside)
                    counted(sum(one.size for one in inside))
                    if kind is SheetKind.CAST:
                        yield record_of(folder)

        if self._election is not None and self._archive.closed:
            totals = tally(self._election, records())
        else:
            totals = None
            deque(records(), maxlen=0)
        for kind in self._kinds if self._archive.closed else ():
            self._check_set(kind, leaves[kind])
        if totals is not None and totals.sheets != len(leaves[SheetKind.CAST]):
            raise _unsound("contentUnfit", "the totals are not over all of the cast sheets")
        facts |= {name: FileFacts.of(name, content) for name, content in self._few(totals).items()}
        return Survey(
            {name: facts[name] for name in sorted(facts, key=str.encode)},
            totals,
            {kind: len(found) for kind, found in leaves.items()},
            self._day,
        )

    def files(self, totals: Tally | None) -> Iterator[tuple[str, bytes]]:
        """Every file, sheets one by one, all in the order of their names."""
        few = self._few(totals)
        folders = {f"{layout.SHEET_FOLDERS[kind]}/": kind for kind in self._kinds if self._archive.closed}
        for name in sorted([*few, *folders], key=str.encode):
            if name not in folders:
                yield name, few[name]
                continue
            for sheet in self._archive.sheets(folders[name]):
                inside = sheet_folder(folders[name], sheet, self._party, self._election)
                yield from ((f"{name}{sheet.id}/{file}", content) for file, content in inside.items())

    def _few(self, totals: Tally | None) -> dict[str, bytes]:
        """All that is not a sheet's."""
        archive = self._archive
        files = {
            layout.README: readme_text(
                archive.verifier, len(self._entries), closed=archive.closed, forms=bool(archive.package.forms)
            ).encode(),
            layout.EVENTS: eel_document(self._party, archive.package.identity(), self._entries, archive.leaves),
            layout.EVENT_DOCUMENTATION: documentation_document(self._party, self._day),
            layout.CHECKPOINT: archive.checkpoints[len(self._entries)],
            layout.VERIFIER_KEY: key_document(archive.verifier),
            layout.PACKAGE: package_document(archive.package, test_mode=self._test),
        }
        files |= form_files(archive.package)
        if archive.package.election is not None:
            files[layout.ELECTION] = archive.package.election
        files |= {f"{layout.CHECKPOINTS}/{size}": note for size, note in archive.checkpoints.items()}
        files |= {f"{layout.LOG}/{name}": content for name, content in tile_files(archive.entries, archive.leaves)}
        if archive.package.settings is not None:
            files[layout.SETTINGS] = archive.package.settings
        if archive.closed:
            files |= {layout.SET_NOTES[kind]: archive.set_note(kind) for kind in self._kinds}
        if totals is not None and self._election is not None:
            files[layout.TOTALS] = totals_document(totals)
            files[layout.ELECTION_REPORT] = report_document(
                self._party, self._election, totals, str(self._only(_CLOSED)["TimeStamp"])
            )
        return files

    def _check_log(self) -> None:
        archive, size = self._archive, len(self._entries)
        leaves = [leaf_hash(entry) for entry in archive.entries]
        if list(archive.leaves) != leaves:
            raise _unsound("logChanged", "an entry of the log is not what its leaf says")
        if archive.verifier.name != archive.origin or size not in archive.checkpoints:
            raise _unsound("logChanged", f"no checkpoint over all {size} entries of the log is there")
        for signed_size, note in archive.checkpoints.items():
            signed = open_checkpoint(note, [archive.verifier])
            if signed.size != signed_size or signed.size > size:
                raise _unsound("logChanged", f"the checkpoint over {signed_size} entries is one over {signed.size}")
            # All older ones are the verifier's to check; going through the whole tree for each would take too long on the device.
            if signed.size == size and signed.root != root_of(leaves):
                raise _unsound("logChanged", "the log is not what its last checkpoint says")

    def _check_set(self, kind: SheetKind, leaves: Sequence[bytes]) -> None:
        signed = open_set_note(self._archive.set_note(kind), kind, self._archive.verifier)
        root = root_of(leaves)
        if (signed.size, signed.root) != (len(leaves), root):
            raise _unsound(
                "setChanged",
                f"the {len(leaves)} {kind} sheets in the evidence are not the {signed.size} that were committed to at the close",
            )
        event, count, logged = _SET_FIELDS[kind]
        details = details_of(self._only(event))
        if details.get(count) != len(leaves) or details.get(logged) != base64.b64encode(root).decode():
            raise _unsound("setChanged", f"the log's entry of the close tells of other {kind} sheets than the signed note")

    def _only(self, event: str) -> Json:
        """The one entry of an event of the close."""
        found = [entry for entry in self._entries if entry.get("Id") == event]
        if len(found) != 1:
            raise _unsound("setChanged", f"the log tells {len(found)} times that the polls were closed ({event})")
        return found[0]


@contextmanager
def _told() -> Iterator[None]:
    """Turn what the evidence's own readers raise into an `ExportError`."""
    try:
        yield
    except NoteError as error:
        raise _unsound("logChanged", f"a signed note in the evidence is refused: {error.detail}") from error
    except (CdfError, DefinitionError) as error:
        raise _unsound("contentUnfit", f"{error.code}: {error.detail}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise _unsound("contentUnfit", f"something in the evidence cannot be written down: {error!r}") from error


def _unsound(code: str, detail: str) -> ExportError:
    return ExportError(code, detail, _ADVICE)
