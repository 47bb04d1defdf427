"""What a log must be: events of the published list, one after the other as they can have happened, under one growing tree."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from edge.audit.checks.limits import check_incidents
from edge.audit.checks.log_check import SeenLog, check_log, check_opening, entry_files
from edge.audit.checks.logged_event import EntryError, LoggedEvent, read_event
from edge.audit.checks.story_check import Story, check_story
from edge.audit.folder import ExportFolder
from edge.audit.verification import Check, Outcome
from edge.evidence.clock import Reading
from edge.evidence.entry import entry_bytes
from edge.evidence.events import EVENTS, LogEvent, Value
from edge.evidence.tlog.checkpoint import Checkpoint
from edge.evidence.tlog.merkle import leaf_hash, root_of
from edge.evidence.tlog.note import Ed25519Signer, VerifierKey, add_signature, sign_note
from edge.evidence.tlog.tiles import tile_files

SIGNER = Ed25519Signer("scan.example.org/0001/abc", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
KEYS = (SIGNER.verifier,)
ROOT = "A" * 43 + "="
VALUES: dict[str, Value] = {
    "count": 0,
    "returned": 0,
    "byMs": -3000,
    "castRoot": ROOT,
    "returnedRoot": ROOT,
    "tallySheets": 0,
    "tallyRoot": ROOT,
    "recordSha256": "5c" * 32,
    "softwareSha256": "5c" * 32,
    "packageSha256": "5c" * 32,
    "box": "0b" * 16,
    "medium": "first",
    "stage": "accepting",
    "why": "rejected",
    "kind": "interim",
    "origin": SIGNER.name,
    "key": SIGNER.verifier.text,
    "formerLog": "",
}
Told = tuple[str, dict[str, Value]]


def event(name: str, **fields: Value) -> LogEvent:
    """An event with a value for each of its fields."""
    return LogEvent(name, {field: fields.get(field, VALUES.get(field, "text")) for field in EVENTS[name].fields})


def entry(told: LogEvent, index: int, *, boot: str = "boot 1", monotonic_ms: int | None = None) -> bytes:
    """An entry of a log of one entry a second."""
    after_ms = 1000 * index if monotonic_ms is None else monotonic_ms
    return entry_bytes(told, index, Reading(boot, after_ms, "2026-11-03T07:00:00Z", 0, "synchronised"))


def read(events: Sequence[LogEvent]) -> list[LoggedEvent]:
    return [read_event(entry(told, index), index) for index, told in enumerate(events)]


def story(*events: LogEvent) -> tuple[Story, list[Check]]:
    return check_story(read(events), proven=True, place=entry_files(len(events)))


def wrong(*events: LogEvent) -> list[tuple[str, str]]:
    """Codes, and the entry that each is of."""
    _, checks = story(*events)
    return [(finding.code, finding.detail.split(":")[0]) for check in checks for finding in check.findings]


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_of_the_published_list_is_read(name: str) -> None:
    found = read_event(entry(event(name), 3), 3)
    assert (found.index, found.id, found.boot, found.monotonic_ms, found.clock) == (3, name, "boot 1", 3000, "synchronised")
    assert found.fields == event(name).fields


def changed(**parts: object) -> bytes:
    """An entry of which some parts, or fields of its details, are others; None takes one out."""
    made: dict[str, Any] = json.loads(entry(event("pollsPaused"), 0))
    details: dict[str, Any] = json.loads(made["Details"])
    for name, value in parts.items():
        place = details if name[0].islower() else made
        key = "@type" if name == "At" else name
        if value is None:
            del place[key]
        else:
            place[key] = value
    if "Details" not in parts:
        made["Details"] = rfc8785.dumps(details).decode()
    return rfc8785.dumps(made)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (changed(At="Event"), "entryMalformed"),
        (changed(Id="pollsDreamt"), "entryUnknown"),
        (changed(Sequence="1"), "entryForeign"),
        (changed(Sequence=0), "entryMalformed"),
        (changed(Sequence="00"), "entryForeign"),
        (changed(TimeStamp="yesterday"), "entryMalformed"),
        (changed(TimeStamp="2026-11-03T07:00:00+01:00"), "entryMalformed"),
        (changed(Type="system-action"), "entryMalformed"),
        (changed(Disposition="failure"), "entryMalformed"),
        (changed(Severity="info"), "entryMalformed"),
        (changed(Description="The polls were opened."), "entryMalformed"),
        (changed(Description=None), "entryMalformed"),
        (changed(Hash="00"), "entryMalformed"),
        (changed(Details="{}"), "entryMalformed"),
        (changed(Details="[]"), "entryMalformed"),
        (changed(Details='{"a": 1}'), "entryMalformed"),
        (changed(bootId=None), "entryMalformed"),
        (changed(bootId=""), "entryMalformed"),
        (changed(monotonicMs=-1), "entryMalformed"),
        (changed(monotonicMs=True), "entryMalformed"),
        (changed(clock="right"), "entryMalformed"),
        (changed(ballot="7"), "entryMalformed"),
        (changed(count="1"), "entryMalformed"),
        (changed(count=-1), "entryMalformed"),
        (changed().replace(b'"Id"', b' "Id"'), "entryMalformed"),
        (changed() + b"\n", "entryMalformed"),
        (b"", "entryMalformed"),
        (b"[" * 10_000, "entryMalformed"),
        (b"{}", "entryMalformed"),
        (b"\xff", "entryMalformed"),
        (changed(Description="\\ud800").replace(b"\\\\", b"\\"), "entryMalformed"),
    ],
)
def test_an_entry_that_no_station_writes_is_refused(raw: bytes, code: str) -> None:
    with pytest.raises(EntryError) as refused:
        read_event(raw, 0)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("evidenceRecovered", {"medium": "third"}),
        ("sheetReturned", {"why": "unmentionable"}),
        ("exportBegun", {"kind": "closedx"}),
        ("pollsClosed", {"castRoot": "short"}),
        ("logOpened", {"box": "0B" * 16}),
        ("fault", {"reason": 7}),
    ],
)
def test_fields_hold_what_the_published_list_says(name: str, fields: dict[str, Value]) -> None:
    with pytest.raises(EntryError, match="entryMalformed"):
        read_event(entry(event(name, **fields), 0), 0)


@given(st.binary())
def test_any_bytes_are_an_event_or_refused(raw: bytes) -> None:
    with pytest.raises(EntryError):
        read_event(raw, 0)


@given(st.data())
def test_any_other_value_in_an_entry_is_refused(data: st.DataObject) -> None:
    values = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers(), max_size=2)
    made: dict[str, Any] = json.loads(entry(event("sheetAccepted"), 0))
    name = data.draw(st.sampled_from(sorted(made)))
    value = data.draw(values.filter(lambda value: value != made[name]))
    with pytest.raises(EntryError):
        read_event(
            json.dumps(made | {name: value}, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(
                "utf-8", "replace"
            ),
            0,
        )


OPENED = (event("logOpened"), event("stationStarted"))
OPEN = (*OPENED, event("zeroCheck"), event("pollsOpened"))
DAY = (
    *OPEN,
    event("sheetAccepted", count=1),
    event("sheetReturned"),
    event("pollsPaused", count=1),
    event("pollsOpened", count=1),
    event("sheetAccepted", count=2),
    event("boxFull", count=2),
    event("pollsPaused", count=2),
    event("stationStopped", count=2),
    event("stationStarted", count=2),
    event("pollsClosed", count=2, returned=1),
    event("exportBegun", kind="closed"),
    event("dayKeyDiscarded"),
)


TALLY_DAY = (
    *OPEN,
    event("tallySheetAccepted", tallySheets=1),
    event("sheetAccepted", count=1),
    event("pollsPaused", count=1),
    event("tallySetClosed", tallySheets=1),
    event("pollsClosed", count=1),
)


def test_tally_sheets_are_counted_apart() -> None:
    told, checks = story(*TALLY_DAY)
    assert [check.outcome for check in checks] == [Outcome.PASSED] * 3
    assert (told.accepted, [one.index for one in told.tallied]) == (1, [4])
    assert told.tally_closed is not None
    paused = (*OPEN, event("pollsPaused"))
    assert wrong(*paused, event("tallySheetAccepted", tallySheets=1)) == []
    assert wrong(*paused, event("tallySheetAccepted", tallySheets=1), event("sheetAccepted", count=1)) == [
        ("acceptedNotOpen", "entry 6 (sheetAccepted)")
    ]


def test_a_day_as_it_should_be() -> None:
    told, checks = story(*DAY)
    assert [check.outcome for check in checks] == [Outcome.PASSED] * 3
    assert (told.accepted, told.openings, told.boots, told.power_cuts, told.kills) == (2, 2, 1, 0, 0)
    assert told.closed is not None
    assert told.returned == {"rejected": 1}


def test_the_sheet_on_its_way_when_the_polls_are_paused_is_still_accepted_and_no_other() -> None:
    paused = (*OPEN, event("pollsPaused"))
    assert wrong(*paused, event("sheetAccepted", count=1)) == []
    assert wrong(*paused, event("sheetAccepted", count=1), event("sheetAccepted", count=2)) == [
        ("acceptedNotOpen", "entry 6 (sheetAccepted)")
    ]


@pytest.mark.parametrize(
    ("events", "codes"),
    [
        ((*OPENED, event("sheetAccepted", count=1)), ["acceptedNotOpen"]),
        ((*OPENED, event("pollsOpened")), ["zeroCheckMissing"]),
        ((*OPEN, event("pollsOpened")), ["pollsOrder"]),
        ((*OPENED, event("pollsPaused")), ["pollsOrder"]),
        ((*OPEN, event("pollsPaused"), event("pollsPaused")), ["pollsOrder"]),
        ((*OPEN, event("pollsClosed")), ["pollsOrder"]),
        ((*OPEN, event("zeroCheck")), ["zeroCheckWrong"]),
        ((*DAY, event("pollsOpened", count=2)), ["afterClose"]),
        ((*DAY, event("pollsPaused", count=2)), ["afterClose"]),
        ((*DAY, event("pollsClosed", count=2, returned=1)), ["afterClose"]),
        ((*DAY, event("zeroCheck")), ["afterClose"]),
        ((*DAY, event("sheetAccepted", count=3)), ["afterClose"]),
        ((*OPEN, event("sheetAccepted", count=2)), ["countWrong"]),
        ((*OPEN, event("sheetAccepted", count=0)), ["countWrong"]),
        ((*OPEN, event("sheetAccepted", count=1), event("stationStarted", count=0)), ["countWrong"]),
        ((*OPEN, event("boxFull", count=1)), ["countWrong"]),
        ((*OPEN, event("pollsPaused"), event("pollsClosed", count=1)), ["countWrong", "closingCount"]),
        ((*OPEN, event("pollsPaused"), event("pollsClosed", returned=1)), ["closingReturned"]),
        ((*OPEN, event("dayKeyDiscarded")), ["keyDiscardedEarly"]),
        ((*OPENED, event("tallySheetAccepted", tallySheets=1)), ["acceptedNotOpen"]),
        ((*OPEN, event("tallySheetAccepted", tallySheets=2)), ["countWrong"]),
        ((*TALLY_DAY, event("tallySheetAccepted", tallySheets=2)), ["afterClose", "afterClose"]),
        ((*TALLY_DAY, event("tallySetClosed", tallySheets=1)), ["afterClose"]),
        ((*TALLY_DAY[:-2], event("tallySetClosed", tallySheets=2)), ["closingCount"]),
        ((*TALLY_DAY[:-2], event("pollsClosed", count=1)), ["closingTally"]),
    ],
)
def test_a_story_that_cannot_have_happened(events: tuple[LogEvent, ...], codes: list[str]) -> None:
    assert sorted(code for code, _ in wrong(*events)) == sorted(codes)


def test_starts_without_a_good_end_are_told_and_not_wrong() -> None:
    boots = ["one", "one", "one", "two", "three"]
    events = [OPENED[0], *[event("stationStarted")] * 4]
    logged = [
        read_event(entry(told, index, boot=boot), index) for index, (told, boot) in enumerate(zip(events, boots, strict=True))
    ]
    told, checks = check_story(logged, proven=True, place=entry_files(5))
    assert not [finding for check in checks for finding in check.findings]
    assert (told.boots, told.kills, told.power_cuts) == (3, 1, 2)
    assert "2 power cuts" in check_incidents(told, proven=True).sentence


def test_within_a_start_the_clock_goes_on_and_starts_do_not_come_back() -> None:
    def codes(*places: tuple[str, int]) -> list[str]:
        logged = [
            read_event(entry(event("coverClosed"), index, boot=boot, monotonic_ms=1000 * seconds), index)
            for index, (boot, seconds) in enumerate(places)
        ]
        _, checks = check_story(logged, proven=True, place=entry_files(len(places)))
        return [finding.code for check in checks for finding in check.findings]

    assert codes(("a", 5), ("a", 5), ("a", 6), ("b", 1), ("c", 0)) == []
    assert codes(("a", 5), ("a", 4), ("a", 4)) == ["clockWentBack"]
    assert codes(("a", 5), ("b", 1), ("a", 6)) == ["bootReturned"]


def test_incidents_name_their_reasons() -> None:
    told, _ = story(
        *OPENED, event("fault", reason="evidenceSilent"), event("fault", reason="evidenceSilent"), event("mediumLost")
    )
    sentence = check_incidents(told, proven=True).sentence
    assert "2 faults (evidenceSilent 2)" in sentence
    assert "1 loss of a medium" in sentence


def test_a_story_that_nothing_proves_is_not_called_right() -> None:
    logged = read(DAY)
    _, checks = check_story(logged, proven=False, place=entry_files(len(logged)))
    assert {check.outcome for check in checks} == {Outcome.NOT_CHECKED}


# The log's files.


def log_files(events: Sequence[LogEvent], signed: Sequence[int] = ()) -> dict[str, bytes]:
    """The files of a log, with checkpoints at some sizes and at its end."""
    entries = [entry(told, index) for index, told in enumerate(events)]
    leaves = [leaf_hash(one) for one in entries]
    notes = {size: note(size, root_of(leaves[:size])) for size in (*signed, len(leaves))}
    files = {f"log/checkpoints/{size}": raw for size, raw in notes.items()}
    files |= {f"log/{name}": content for name, content in tile_files(entries, leaves)}
    return {**files, "log/checkpoint": notes[len(leaves)]}


def note(size: int, root: bytes, signer: Ed25519Signer = SIGNER, origin: str = SIGNER.name) -> bytes:
    return sign_note(Checkpoint(origin, size, root).text, signer)


def log_of(folder: Path, files: dict[str, bytes], keys: tuple[VerifierKey, ...] = KEYS) -> tuple[SeenLog, set[tuple[str, str]]]:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    with ExportFolder(folder) as opened:
        log, checks = check_log(opened, tuple(opened.listing().files), keys)
    return log, {(finding.code, finding.file) for check in checks for finding in check.findings}


def test_a_log_of_many_bundles_is_right(tmp_path: Path) -> None:
    events = [*DAY, *[event("coverClosed")] * 600]
    log, findings = log_of(tmp_path, log_files(events, [1, 2, 255, 256, 257, 512]))
    assert (findings, log.proven, len(log.events)) == (set(), True, len(events))
    assert (log.places[255], log.places[256]) == ("log/tile/entries/000", "log/tile/entries/001")
    assert log.opening is not None


def test_a_checkpoint_over_another_history_shows_that_the_key_signed_two(tmp_path: Path) -> None:
    files = log_files(DAY, [3, 5])
    files["log/checkpoints/5"] = note(5, leaf_hash(b"another"))
    log, findings = log_of(tmp_path, files)
    assert findings == {("checkpointContradiction", "log/checkpoints/5")}
    assert log.proven


def test_checkpoints_that_are_not_of_this_log(tmp_path: Path) -> None:
    stranger = Ed25519Signer(SIGNER.name, Ed25519PrivateKey.from_private_bytes(bytes(32)))
    other = Ed25519Signer("scan.example.org/0001/def", SIGNER.private)
    root = root_of([leaf_hash(entry(told, index)) for index, told in enumerate(DAY[:3])])
    files = log_files(DAY) | {
        "log/checkpoints/1": note(3, root),
        "log/checkpoints/2": note(2, root, stranger),
        "log/checkpoints/3": note(3, root, other, other.name),
        "log/checkpoints/4": note(4, root, SIGNER, other.name),
        "log/checkpoints/5": b"no note",
        "log/checkpoints/99": note(99, root),
    }
    _, findings = log_of(tmp_path, files)
    assert findings == {
        ("checkpointForeign", "log/checkpoints/1"),
        ("noteUnsigned", "log/checkpoints/2"),
        ("noteUnsigned", "log/checkpoints/3"),
        ("checkpointOrigin", "log/checkpoints/4"),
        ("noteMalformed", "log/checkpoints/5"),
        ("checkpointNewer", "log/checkpoints/99"),
    }


def test_the_last_checkpoint_is_among_the_kept_ones_and_the_same(tmp_path: Path) -> None:
    files = log_files(DAY)
    last = f"log/checkpoints/{len(DAY)}"
    del files[last]
    assert log_of(tmp_path / "missing", files)[1] == {("checkpointMissing", last)}
    files[last] = add_signature(files["log/checkpoint"], "stranger", b"\0\0\0\0", b"signature")
    assert log_of(tmp_path / "other", files)[1] == {("checkpointForeign", last)}


def test_a_checkpoint_with_more_than_the_logs_own_signature_is_none_of_ours(tmp_path: Path) -> None:
    files = log_files(DAY)
    for name in ("log/checkpoint", f"log/checkpoints/{len(DAY)}"):
        files[name] = add_signature(files[name], "stranger", b"\0\0\0\0", b"signature")
    assert log_of(tmp_path, files)[1] == {("checkpointForeign", "log/checkpoint")}


def test_a_root_that_the_entries_do_not_give(tmp_path: Path) -> None:
    files = log_files(DAY)
    other = log_files([*DAY[:-1], event("coverClosed")])
    for name in other:
        if "/tile/" in name:
            files[name] = other[name]
    log, findings = log_of(tmp_path, files)
    assert findings == {("rootDiffers", "log/checkpoint"), ("checkpointContradiction", f"log/checkpoints/{len(DAY)}")}
    assert not log.proven


def test_a_log_that_says_to_be_endless_is_not_worked_through(tmp_path: Path) -> None:
    files = {"log/checkpoint": note(1 << 50, leaf_hash(b""))}
    _, findings = log_of(tmp_path, files)
    assert ("tileMalformed", "log/checkpoint") in findings


def test_entries_that_are_no_events_are_named_by_their_number(tmp_path: Path) -> None:
    entries = [entry(DAY[0], 0), b"{}", entry(DAY[2], 5)]
    leaves = [leaf_hash(one) for one in entries]
    files = {f"log/{name}": content for name, content in tile_files(entries, leaves)}
    files |= dict.fromkeys(("log/checkpoint", "log/checkpoints/3"), note(3, root_of(leaves)))
    log, findings = log_of(tmp_path, files)
    assert findings == {("entryMalformed", "log/tile/entries/000.p/3"), ("entryForeign", "log/tile/entries/000.p/3")}
    assert (log.events, log.proven) == ((), True)


def test_an_empty_log_is_not_opened(tmp_path: Path) -> None:
    files = dict.fromkeys(("log/checkpoint", "log/checkpoints/0"), note(0, root_of([])))
    log, findings = log_of(tmp_path, files)
    assert findings == set()
    assert check_opening(log, KEYS, None).outcome is not Outcome.PASSED


def opening(tmp_path: Path, *events: LogEvent, package: bytes | None = None) -> Check:
    log, _ = log_of(tmp_path, log_files(events))
    return check_opening(log, KEYS, package)


def test_the_opening_names_log_key_and_package(tmp_path: Path) -> None:
    check = opening(tmp_path, *DAY, package=bytes.fromhex("5c" * 32))
    assert check.outcome is Outcome.PASSED
    assert "no log before it" in check.sentence


@pytest.mark.parametrize(
    ("events", "code"),
    [
        ((event("logOpened", origin="elsewhere"),), "originForeign"),
        ((event("logOpened", key="another+00000000+AAAA"),), "keyForeign"),
        ((event("logOpened", packageSha256="00" * 32),), "packageForeign"),
        ((event("logOpened"), event("logOpened")), "logOpenedWrong"),
        ((event("stationStarted"), event("logOpened")), "logOpenedWrong"),
        ((event("logOpened", formerLog="no note"),), "formerLogMalformed"),
    ],
)
def test_an_opening_that_is_not_this_logs(tmp_path: Path, events: tuple[LogEvent, ...], code: str) -> None:
    assert code in {finding.code for finding in opening(tmp_path, *events, package=bytes.fromhex("5c" * 32)).findings}


def test_the_former_log_is_named_and_whose_it_was(tmp_path: Path) -> None:
    former = Ed25519Signer("scan.example.org/0001/former", SIGNER.private)
    stranger = Ed25519Signer(former.name, Ed25519PrivateKey.from_private_bytes(bytes(32)))
    for signer, words in ((former, "signed by the same device"), (stranger, "another key")):
        last = note(17, leaf_hash(b""), signer, former.name).decode()
        check = opening(tmp_path / signer.verifier.key_id.hex(), event("logOpened", formerLog=last))
        assert check.outcome is Outcome.PASSED
        assert "scan.example.org/0001/former, which ended with 17 entries" in check.sentence
        assert words in check.sentence
