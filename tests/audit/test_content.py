"""What goes into an export: the same bytes from the same evidence, and nothing at all where it is not what was signed."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import rfc8785

from edge.audit import content, layout
from edge.audit.content import export_files, survey
from edge.audit.manifest import ExportError, FileFacts, check_names
from edge.definition.package import ElectionPackage
from edge.evidence.archive import SheetKind, StoredSheet
from edge.evidence.cdf import references
from edge.evidence.events import EVENTS, LogEvent
from edge.evidence.sheet_files import RECORD
from edge.evidence.tlog.checkpoint import Checkpoint
from edge.evidence.tlog.merkle import leaf_hash, node_hash
from edge.evidence.tlog.note import NoteError, sign_note
from edge.evidence.tlog.tiles import read_tiles
from tests.audit.archive_fake import FakeArchive, FakeLog, archive, signer, tiny, with_software

TEST_SETTINGS = b'{"testMode": true}'


def files_of(evidence: FakeArchive) -> dict[str, bytes]:
    return dict(export_files(evidence))


def refused(evidence: FakeArchive) -> str:
    with pytest.raises(ExportError) as told:
        survey(evidence)
    with pytest.raises(ExportError) as again:
        next(export_files(evidence))
    assert again.value.code == told.value.code
    return told.value.code


def with_sheets(evidence: FakeArchive, kind: SheetKind, *sheets: StoredSheet) -> FakeArchive:
    return replace(evidence, kept={**evidence.kept, kind: sheets})


def test_the_files_come_in_the_order_of_their_names() -> None:
    evidence = archive(cast=3, returned=2)
    names = [name for name, _ in export_files(evidence)]
    assert names == sorted(names, key=str.encode)
    check_names(names)
    assert names == list(survey(evidence).files)


def test_an_export_of_a_closed_election_has_everything() -> None:
    evidence = tiny()
    files = files_of(evidence)
    sheet, *_ = evidence.sheets(SheetKind.CAST)
    for name in (
        *(layout.README, layout.EVENTS, layout.EVENT_DOCUMENTATION, layout.CHECKPOINT, layout.VERIFIER_KEY, layout.ELECTION),
        *(layout.PACKAGE, layout.TOTALS, layout.ELECTION_REPORT, "cvr-set", "returned-set", f"sheets/{sheet.id}/{layout.CVR}"),
    ):
        assert files[name]
    assert layout.SETTINGS not in files
    folder = f"sheets/{sheet.id}/"
    assert {name.removeprefix(folder) for name in files if name.startswith(folder)} == {*sheet.files, layout.CVR}
    assert sum(name.endswith(layout.CVR) for name in files) == 2
    assert survey(evidence).sheets == {SheetKind.CAST: 2, SheetKind.RETURNED: 1}


def test_a_closing_that_tells_the_truth_is_taken() -> None:
    assert survey(with_a_closing_that_tells(tiny())).sheets[SheetKind.CAST] == 2


def test_before_the_close_there_is_nothing_of_sheets() -> None:
    files = files_of(archive(closed=False))
    assert not [name for name in files if name.startswith(("sheets", "returned", "results", "cvr"))]
    assert "interim" in files[layout.README].decode()
    assert survey(archive(closed=False)).totals is None


def test_the_same_evidence_gives_the_same_bytes_whatever_software_exports_it() -> None:
    assert files_of(tiny()) == files_of(with_software(tiny(), "scrutineer-edge 99"))


def test_nothing_knows_when_the_export_was_made() -> None:
    """Every time of day in the documents is one of the log's own."""
    evidence = tiny()
    known = {json.loads(entry)["TimeStamp"].encode() for entry in evidence.entries}
    known.add(evidence.package.definition().date[:10].encode() + b"T00:00:00Z")
    for name, raw in files_of(evidence).items():
        if name.endswith(".json"):
            assert set(re.findall(rb"\d{4}-\d\d-\d\dT[0-9:.]+Z?", raw)) <= known, name


def test_a_cast_vote_record_has_no_time_but_the_day_of_the_election() -> None:
    evidence = tiny()
    for name, raw in files_of(evidence).items():
        if name.endswith(layout.CVR):
            assert set(re.findall(rb"\d\d:\d\d", raw)) == {b"00:00"}


def test_the_log_can_be_read_from_its_tiles() -> None:
    evidence = tiny()
    files = files_of(evidence)
    entries, leaves = read_tiles(lambda name: files[f"{layout.LOG}/{name}"], len(evidence.entries))
    assert (tuple(entries), tuple(leaves)) == (evidence.entries, evidence.leaves)
    assert files[layout.CHECKPOINT] == files[f"{layout.CHECKPOINTS}/{len(entries)}"]


def test_the_documents_refer_to_nothing_that_is_not_there() -> None:
    for name, raw in files_of(archive(cast=3, returned=2)).items():
        if name.endswith(layout.CVR) or name in {layout.EVENTS, layout.EVENT_DOCUMENTATION, layout.ELECTION_REPORT}:
            assert references.check(json.loads(raw)) == [], name


def test_a_set_is_the_tree_over_its_sheets_with_all_their_files() -> None:
    evidence = tiny()
    files = files_of(evidence)
    leaves = []
    for sheet in evidence.sheets(SheetKind.CAST):
        folder = f"sheets/{sheet.id}/"
        inside = [FileFacts.of(name.removeprefix(folder), raw) for name, raw in files.items() if name.startswith(folder)]
        listed = [
            {"name": one.name, "sha256": one.sha256.hex(), "size": one.size} for one in sorted(inside, key=lambda f: f.name)
        ]
        leaf: dict[str, Any] = {"id": sheet.id, "files": listed}
        leaves.append(leaf_hash(rfc8785.dumps(leaf)))
        assert content.set_leaf(sheet.id, reversed(inside)) == leaves[-1]
    signed = content.open_set_note(files["cvr-set"], SheetKind.CAST, evidence.verifier)
    assert (signed.size, signed.root) == (2, node_hash(*leaves))


def test_a_note_over_one_set_is_none_over_another() -> None:
    evidence = tiny()
    with pytest.raises(NoteError, match="checkpointOrigin"):
        content.open_set_note(evidence.set_note(SheetKind.CAST), SheetKind.RETURNED, evidence.verifier)
    with pytest.raises(NoteError, match="checkpointOrigin"):
        content.open_set_note(evidence.checkpoints[len(evidence.entries)], SheetKind.CAST, evidence.verifier)


@pytest.mark.parametrize(("settings", "expected"), [(None, False), (b"{}", False), (TEST_SETTINGS, True)])
def test_trials_are_marked_as_such(settings: bytes | None, expected: bool) -> None:
    files = files_of(archive(cast=1, returned=0, settings=settings))
    assert json.loads(files[layout.PACKAGE]) == {"ballotHash": None, "testMode": expected}
    assert files.get(layout.SETTINGS) == settings
    record = next(json.loads(raw) for name, raw in files.items() if name.endswith(layout.CVR))
    assert ("test" in record.get("OtherReportType", "")) is expected


def test_the_name_of_the_log_alone_marks_trials() -> None:
    package = tiny().package
    assert content.is_test("scan.example.org/0001/00ff-test", package, package.definition())
    assert not content.is_test("scan.example.org/test/00ff", package, package.definition())


def sheets_of(evidence: FakeArchive, kind: SheetKind = SheetKind.CAST) -> tuple[StoredSheet, ...]:
    return tuple(evidence.sheets(kind))


def flipped(raw: bytes) -> bytes:
    return bytes([raw[0], raw[1] ^ 1]) + raw[2:]


def without_a_sheet(evidence: FakeArchive) -> FakeArchive:
    return with_sheets(evidence, SheetKind.CAST, *sheets_of(evidence)[1:])


def without_a_returned_sheet(evidence: FakeArchive) -> FakeArchive:
    return with_sheets(evidence, SheetKind.RETURNED)


def with_a_sheet_twice(evidence: FakeArchive) -> FakeArchive:
    first, second = sheets_of(evidence)
    return with_sheets(evidence, SheetKind.CAST, first, second, replace(first, id="ffffffff-ffff-4fff-8fff-ffffffffffff"))


def with_another_picture(evidence: FakeArchive) -> FakeArchive:
    first, second = sheets_of(evidence)
    other = replace(first, files={**first.files, "scan-a.png": first.files["scan-a.png"] + b"\0"})
    return with_sheets(evidence, SheetKind.CAST, other, second)


def with_another_record(evidence: FakeArchive) -> FakeArchive:
    first, second = sheets_of(evidence)
    return with_sheets(evidence, SheetKind.CAST, replace(first, files={**first.files, RECORD: second.files[RECORD]}), second)


def with_the_sheets_exchanged(evidence: FakeArchive) -> FakeArchive:
    first, second = sheets_of(evidence)
    return with_sheets(evidence, SheetKind.CAST, replace(first, files=second.files), replace(second, files=first.files))


def with_one_file_more(evidence: FakeArchive) -> FakeArchive:
    first, second = sheets_of(evidence)
    return with_sheets(evidence, SheetKind.CAST, replace(first, files={**first.files, "scan-c.png": b""}), second)


def with_a_log_of_another_set(evidence: FakeArchive) -> FakeArchive:
    """Notes that are right, and a log in which the closing tells of other sheets."""
    return replace(archive(cast=1), kept=evidence.kept, notes=evidence.notes)


def with_a_closing_that_tells(evidence: FakeArchive, **fields: str | int) -> FakeArchive:
    """Everything right and signed, but for what the log's entry of the close says."""
    log = FakeLog(evidence.signer)
    log.begin(evidence.package)
    log.add(LogEvent("pollsClosed", {**_closing_of(evidence).fields, **fields}))
    return replace(evidence, entries=log.entries, leaves=log.leaves, checkpoints=log.checkpoints)


def with_another_root_in_the_log(evidence: FakeArchive) -> FakeArchive:
    return with_a_closing_that_tells(evidence, castRoot=b64encode(bytes(32)).decode())


def with_another_count_in_the_log(evidence: FakeArchive) -> FakeArchive:
    return with_a_closing_that_tells(evidence, returned=2)


def with_another_root_in_the_note(evidence: FakeArchive) -> FakeArchive:
    text = Checkpoint(layout.set_origin(evidence.origin, SheetKind.CAST), 2, bytes(32)).text
    return replace(evidence, notes={**evidence.notes, SheetKind.CAST: sign_note(text, evidence.signer)})


def with_two_closings(evidence: FakeArchive) -> FakeArchive:
    return replace(archive(more=[_closing_of(evidence)]), kept=evidence.kept, notes=evidence.notes)


def _closing_of(evidence: FakeArchive) -> LogEvent:
    told = next(entry for entry in map(json.loads, evidence.entries) if entry["Id"] == "pollsClosed")
    details = content.details_of(told)
    return LogEvent("pollsClosed", {name: details[name] for name in EVENTS["pollsClosed"].fields})


def with_another_leaf(evidence: FakeArchive) -> FakeArchive:
    return replace(evidence, leaves=(*evidence.leaves[:-1], bytes(32)))


def with_notes_exchanged(evidence: FakeArchive) -> FakeArchive:
    return replace(evidence, notes=dict(zip(evidence.notes, reversed([*evidence.notes.values()]), strict=True)))


def with_a_foreign_note(evidence: FakeArchive) -> FakeArchive:
    foreign = signer("scan.example.org/0002", evidence.origin.rpartition("/")[2])
    leaves: list[bytes] = []
    note = sign_note(content.set_text(evidence.origin, SheetKind.RETURNED, leaves), foreign)
    return replace(evidence, notes={**evidence.notes, SheetKind.RETURNED: note})


def with_a_changed_entry(evidence: FakeArchive) -> FakeArchive:
    return replace(evidence, entries=(*evidence.entries[:-1], evidence.entries[-1].replace(b"06:", b"07:")))


def with_a_changed_log(evidence: FakeArchive) -> FakeArchive:
    entries = [entry.replace(b"06:", b"07:") for entry in evidence.entries]
    return replace(evidence, entries=entries, leaves=[leaf_hash(entry) for entry in entries])


def with_one_entry_less(evidence: FakeArchive) -> FakeArchive:
    return replace(evidence, entries=evidence.entries[:-1], leaves=evidence.leaves[:-1])


def without_the_last_checkpoint(evidence: FakeArchive) -> FakeArchive:
    kept = {size: note for size, note in evidence.checkpoints.items() if size < len(evidence.entries)}
    return replace(evidence, checkpoints=kept)


def with_an_older_checkpoint_as_the_last(evidence: FakeArchive) -> FakeArchive:
    return replace(evidence, checkpoints={**evidence.checkpoints, len(evidence.entries): evidence.checkpoints[1]})


def with_another_key(evidence: FakeArchive) -> FakeArchive:
    return replace(evidence, signer=signer("scan.example.org/0002", "00"))


def without_entries(evidence: FakeArchive) -> FakeArchive:
    return replace(evidence, entries=(), leaves=())


def with_sheets_in_another_order(evidence: FakeArchive) -> FakeArchive:
    return with_sheets(evidence, SheetKind.CAST, *reversed(sheets_of(evidence)))


def with_a_record_that_is_none(evidence: FakeArchive) -> FakeArchive:
    first, second = sheets_of(evidence)
    return with_sheets(evidence, SheetKind.CAST, replace(first, files={**first.files, RECORD: b"[]"}), second)


def without_a_picture(evidence: FakeArchive) -> FakeArchive:
    first, second = sheets_of(evidence)
    files = {name: raw for name, raw in first.files.items() if name != "scan-b.png"}
    return with_sheets(evidence, SheetKind.CAST, replace(first, files=files), second)


def with_a_package_that_is_none(evidence: FakeArchive) -> FakeArchive:
    return replace(evidence, package=ElectionPackage(b"{}"))


def without_its_first_entry(evidence: FakeArchive) -> FakeArchive:
    """The software of a log is in its first entry; without it nobody can say who reports."""
    log = FakeLog(evidence.signer)
    log.add(LogEvent("zeroCheck"))
    return replace(evidence, entries=log.entries, leaves=log.leaves, checkpoints=log.checkpoints | {1: b""})


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (without_a_sheet, "setChanged"),
        (without_a_returned_sheet, "setChanged"),
        (with_a_sheet_twice, "setChanged"),
        (with_another_picture, "setChanged"),
        (with_another_record, "setChanged"),
        (with_the_sheets_exchanged, "setChanged"),
        (with_one_file_more, "setChanged"),
        (with_a_log_of_another_set, "setChanged"),
        (with_another_root_in_the_log, "setChanged"),
        (with_another_count_in_the_log, "setChanged"),
        (with_another_root_in_the_note, "setChanged"),
        (with_two_closings, "setChanged"),
        (with_another_leaf, "logChanged"),
        (with_notes_exchanged, "logChanged"),
        (with_a_foreign_note, "logChanged"),
        (with_a_changed_entry, "logChanged"),
        (with_a_changed_log, "logChanged"),
        (with_one_entry_less, "logChanged"),
        (without_the_last_checkpoint, "logChanged"),
        (with_an_older_checkpoint_as_the_last, "logChanged"),
        (with_another_key, "logChanged"),
        (without_entries, "logChanged"),
        (with_sheets_in_another_order, "contentUnfit"),
        (with_a_record_that_is_none, "contentUnfit"),
        (without_a_picture, "contentUnfit"),
        (with_a_package_that_is_none, "contentUnfit"),
        (without_its_first_entry, "contentUnfit"),
    ],
)
def test_evidence_that_is_not_what_was_signed_is_not_exported(spoil: Callable[[FakeArchive], FakeArchive], code: str) -> None:
    assert refused(spoil(tiny())) == code


@dataclass(frozen=True)
class Unsteady(FakeArchive):
    """Evidence on a medium that gives other sheets the second time."""

    asked: list[SheetKind] = field(default_factory=list)
    later: Callable[[StoredSheet], list[StoredSheet]] = lambda sheet: [sheet]

    def sheets(self, kind: SheetKind) -> Iterator[StoredSheet]:
        self.asked.append(kind)
        for sheet in FakeArchive.sheets(self, kind):
            yield from self.later(sheet) if self.asked.count(kind) > 1 else [sheet]


def other_bytes(sheet: StoredSheet) -> list[StoredSheet]:
    return [replace(sheet, files={**sheet.files, "scan-b.png": flipped(sheet.files["scan-b.png"])})]


def fewer(_sheet: StoredSheet) -> list[StoredSheet]:
    return []


def twice(sheet: StoredSheet) -> list[StoredSheet]:
    return [sheet, sheet]


@pytest.mark.parametrize("later", [other_bytes, fewer, twice])
def test_evidence_that_changes_between_two_looks_is_not_exported(later: Callable[[StoredSheet], list[StoredSheet]]) -> None:
    sound = tiny()
    parts = (sound.signer, sound.package, sound.entries, sound.leaves, sound.checkpoints, True, sound.kept, sound.notes)
    with pytest.raises(ExportError, match=r"setChanged: .*/.* is no longer"):
        list(export_files(Unsteady(*parts, later=later)))
    assert dict(export_files(Unsteady(*parts))) == files_of(sound)


def test_the_readme_tells_of_every_kind_of_file_and_of_no_other() -> None:
    for evidence in (tiny(), archive(closed=False, cast=0, returned=0, settings=TEST_SETTINGS)):
        files = files_of(evidence)
        text = files[layout.README].decode()
        told = {name for name in re.findall(r"^ *([\w./-]+)", text, re.MULTILINE) if "." in name or "/" in name or "set" in name}
        for name in files:
            short = re.sub(r"^log/tile/.*", "log/tile/...", name)
            short = re.sub(r"^log/checkpoints/\d+$", "log/checkpoints/N", short)
            short = re.sub(r"^(sheets|returned)/[0-9a-f-]{36}/", "", short)
            assert name == layout.README or short in text, name
        assert ("cvr-set" in told) is evidence.closed
        assert evidence.origin in text
        assert text.isascii()
        assert max(map(len, text.splitlines())) < 140
