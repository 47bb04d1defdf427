"""A device that lies and signs it all: its key vouches for every file, and the files contradict each other."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rfc8785
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from edge.audit import verify as walk
from edge.audit.checks import reading_pool
from edge.audit.checks.second_reading import SheetFolder, SheetReader, SheetSeen
from edge.audit.content import sheet_folder
from edge.audit.verification import Outcome, Repeat, Verification
from edge.audit.verify import verify
from edge.definition.package import ElectionPackage
from edge.evidence.archive import SheetKind, StoredSheet
from edge.evidence.cdf.election_parts import ReportingParty
from edge.evidence.events import LogEvent
from edge.evidence.sheet_files import sheet_files
from edge.station.sheet import sheet_reader
from firmware_bridge.scanner import SheetImages
from hil.paper.scan import scan
from hil.paper.truth import CAREFUL, random_marked_sheet
from tests.audit.archive_fake import FakeArchive, FakeLog, archive, signer
from tests.audit.exported import check_of, codes, exported, found, outcomes, signed_files, trust_list, write

DEVICE = "scan.example.org/0001"
Sheets = Mapping[SheetKind, Sequence[StoredSheet]]


def day(sheets: Sheets, *before_close: LogEvent) -> FakeArchive:
    """The evidence of a day with just these sheets, all of it signed by the device's own key."""
    package = archive().package
    log = FakeLog(signer(DEVICE, package.definition().ballot_hash.hex()))
    log.begin(package)
    log.add(LogEvent("zeroCheck"), LogEvent("pollsOpened", {"count": 0}))
    count = len(sheets[SheetKind.CAST])
    log.add(*[LogEvent("sheetAccepted", {"count": number + 1}) for number in range(count)])
    log.add(*[LogEvent("sheetReturned", {"why": "rejected"})] * len(sheets[SheetKind.RETURNED]))
    log.add(LogEvent("pollsPaused", {"count": count}), *before_close)
    kept = {kind: tuple(sorted(found, key=lambda sheet: sheet.id)) for kind, found in sheets.items()}
    notes = log.close(package, kept)
    log.add(LogEvent("exportBegun", {"kind": "closed"}))
    return log.archive(package, kept, notes, closed=True)


@cache
def honest() -> Mapping[SheetKind, tuple[StoredSheet, ...]]:
    """Two cast sheets and two returned ones."""
    made = archive(cast=2, returned=2)
    return {kind: tuple(made.sheets(kind)) for kind in SheetKind}


def with_files(kind: SheetKind, change: Callable[[dict[str, bytes]], object]) -> tuple[FakeArchive, str]:
    """A day whose first sheet of a kind was changed before everything was signed; and the sheet's folder."""
    first, *others = honest()[kind]
    files = dict(first.files)
    change(files)
    path = f"{'sheets' if kind is SheetKind.CAST else 'returned'}/{first.id}"
    return day({**honest(), kind: [replace(first, files=files), *others]}), path


def verified(made: FakeArchive, folder: Path, **others: bytes) -> Verification:
    files = exported(made)
    return verify(write(signed_files({**files, **others}, made), folder), trust_list(made), processes=1)


def after(kind: SheetKind, change: Callable[[dict[str, bytes]], object], folder: Path) -> tuple[set[tuple[str, str]], str]:
    """What is found after a change, and the sheet's folder."""
    made, path = with_files(kind, change)
    return found(verified(made, folder)), path


def edited(name: str, edit: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, bytes]], None]:
    """A change of a JSON file of a sheet."""

    def change(files: dict[str, bytes]) -> None:
        document = json.loads(files[name])
        edit(document)
        files[name] = rfc8785.dumps(document)

    return change


def redrawn(name: str, draw: Callable[[np.ndarray[Any, Any]], object]) -> Callable[[dict[str, bytes]], None]:
    """A change of the pixels of an image of a sheet."""

    def change(files: dict[str, bytes]) -> None:
        with Image.open(BytesIO(files[name])) as opened:
            pixels = np.array(opened)
        draw(pixels)
        out = BytesIO()
        Image.fromarray(pixels).save(out, "PNG")
        files[name] = out.getvalue()

    return change


def test_what_the_tests_change_is_right_before(tmp_path: Path) -> None:
    assert verified(day(honest()), tmp_path / "export").findings == ()


def add_a_vote(record: dict[str, Any]) -> None:
    score = next(score for score in record["scores"] if score["verdict"] == "unmarked")
    score["verdict"] = "marked"
    votes = record["votes"].setdefault(score["contestId"], [])
    votes.append(score["optionId"])
    votes.sort()


def test_a_vote_that_is_not_on_the_paper_is_found(tmp_path: Path) -> None:
    findings, path = after(SheetKind.CAST, edited("record.json", add_a_vote), tmp_path / "export")
    assert ("readingDiffers", f"{path}/record.json") in findings
    # Everything that follows from the record followed the lie; it is made again from the second reading.
    assert {("cvrDiffers", f"{path}/cvr.json"), ("resultsDiffer", "results/totals.json")} <= findings
    assert ("resultsDiffer", "results/err.json") in findings
    assert not {code for code, _ in findings} & {"setDiffers", "minisignSignature", "fileChanged"}


def test_the_totals_are_those_of_the_second_readings(tmp_path: Path) -> None:
    made, _ = with_files(SheetKind.CAST, edited("record.json", add_a_vote))
    right = verified(day(honest()), tmp_path / "right").totals
    assert verified(made, tmp_path / "wrong").totals == right


def test_a_returned_sheet_is_read_again_too(tmp_path: Path) -> None:
    change = edited("record.json", lambda record: record.update(marginal={"a": ["b"]}))
    findings, path = after(SheetKind.RETURNED, change, tmp_path / "export")
    assert findings == {("readingDiffers", f"{path}/record.json")}


def test_a_mark_that_was_painted_over_changes_the_reading(tmp_path: Path) -> None:
    def erase(pixels: np.ndarray[Any, Any]) -> None:
        pixels[:, pixels.shape[1] // 3 :] = True

    findings, path = after(SheetKind.CAST, redrawn("scan-a.png", erase), tmp_path / "export")
    assert ("readingDiffers", f"{path}/record.json") in findings


def test_a_record_that_is_not_canonical_is_not_the_record(tmp_path: Path) -> None:
    findings, path = after(
        SheetKind.CAST, lambda files: files.update({"record.json": files["record.json"] + b"\n"}), tmp_path / "export"
    )
    assert findings == {("readingDiffers", f"{path}/record.json")}


@pytest.mark.parametrize("kind", [SheetKind.CAST, SheetKind.RETURNED])
@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 100_000])
def test_a_record_that_is_none_is_told(tmp_path: Path, kind: SheetKind, content: bytes) -> None:
    first = honest()[kind][0]
    made = day(honest())
    path = f"{'sheets' if kind is SheetKind.CAST else 'returned'}/{first.id}"
    seen = verified(made, tmp_path / "export", **{f"{path}/record.json": content})
    assert ("readingDiffers", f"{path}/record.json") in found(seen)
    assert next(sheet for sheet in seen.sheets if sheet.id == first.id).record is None


@pytest.mark.parametrize("name", ["scan-a.png", "scan-b.png"])
def test_an_image_that_does_not_decode_is_named(tmp_path: Path, name: str) -> None:
    def damage(files: dict[str, bytes]) -> None:
        files[name] = files[name][:200] + b"\0" + files[name][201:]

    findings, path = after(SheetKind.CAST, damage, tmp_path / "export")
    assert ("imageDamaged", f"{path}/{name}") in findings


@pytest.mark.parametrize(
    "edit",
    [
        lambda pages: pages["pages"][0].update(size=[10, 10]),
        lambda pages: pages["pages"][0].update(size=[1 << 19, 1 << 19]),
        lambda pages: pages["pages"][0].update(paper="A0"),
        lambda pages: pages["pages"][0].update(kept=[[0, 0, 5, 5]]),
        lambda pages: pages["pages"].pop(),
        lambda pages: pages.update(pages=7),
        lambda pages: pages.update(repeatable="yes"),
    ],
)
def test_pages_that_describe_other_images_are_named(tmp_path: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    findings, path = after(SheetKind.CAST, edited("pages.json", edit), tmp_path / "export")
    assert ("pagesMalformed", f"{path}/pages.json") in findings


def test_pages_that_no_scanner_gives_are_a_failed_reading_or_another_one(tmp_path: Path) -> None:
    for number, edit in enumerate(
        (
            lambda pages: pages["pages"][0].update(dpi=1),
            lambda pages: pages["pages"][0].update(paper=None),
            lambda pages: pages["pages"][0].update(levels=[0, 255, 0]),
        )
    ):
        findings, path = after(SheetKind.CAST, edited("pages.json", edit), tmp_path / str(number))
        assert findings & {("readingDiffers", f"{path}/record.json"), ("readingFailed", f"{path}/pages.json")}


def test_a_cast_sheet_that_says_it_cannot_be_read_again_is_wrong(tmp_path: Path) -> None:
    change = edited("pages.json", lambda pages: pages.update(repeatable=False))
    findings, path = after(SheetKind.CAST, change, tmp_path / "cast")
    assert ("notRepeatable", f"{path}/pages.json") in findings


def test_only_a_refused_sheet_may_be_past_reading_again(tmp_path: Path) -> None:
    """Of the two returned sheets one was readable and the other refused."""
    kinds = {sheet.id: json.loads(sheet.files["record.json"])["kind"] for sheet in honest()[SheetKind.RETURNED]}
    assert sorted(kinds.values()) == ["handMarked", "refused"]
    change = edited("pages.json", lambda pages: pages.update(repeatable=False))
    sheets = []
    for sheet in honest()[SheetKind.RETURNED]:
        files = dict(sheet.files)
        change(files)
        sheets.append(replace(sheet, files=files))
    seen = verified(day({**honest(), SheetKind.RETURNED: sheets}), tmp_path / "export")
    readable = next(sheet for sheet, kind in kinds.items() if kind == "handMarked")
    assert found(seen) == {("notRepeatable", f"returned/{readable}/record.json")}
    assert [sheet.repeat for sheet in seen.sheets if sheet.kind is SheetKind.RETURNED] == [Repeat.IMPOSSIBLE] * 2
    assert "2 sheets could not be read again" in check_of(seen, "returnedSheets").sentence


def test_a_refused_sheet_without_pages_is_not_wrong(tmp_path: Path) -> None:
    refused = next(sheet for sheet in honest()[SheetKind.RETURNED] if json.loads(sheet.files["record.json"])["kind"] == "refused")
    files = {"record.json": refused.files["record.json"], "pages.json": rfc8785.dumps({"pages": [], "repeatable": False})}
    seen = verified(day({**honest(), SheetKind.RETURNED: [replace(refused, files=files)]}), tmp_path / "export")
    assert seen.findings == ()
    assert "1 sheet could not be read again" in check_of(seen, "returnedSheets").sentence
    assert "why 1 of the kept ones were refused" in check_of(seen, "limitReturned").sentence


@pytest.mark.parametrize("name", ["scan-a-kept-1.png", "scan-c.png", "notes.txt", "cvr2.json"])
def test_a_file_that_belongs_to_no_sheet_is_named(tmp_path: Path, name: str) -> None:
    findings, path = after(SheetKind.CAST, lambda files: files.update({name: b"more"}), tmp_path / "export")
    assert ("sheetForeign", f"{path}/{name}") in findings


@pytest.mark.parametrize("name", ["pages.json", "scan-b.png"])
def test_a_sheet_without_one_of_its_files_is_told(tmp_path: Path, name: str) -> None:
    findings, path = after(SheetKind.RETURNED, lambda files: files.pop(name), tmp_path / "export")
    assert {code for code, file in findings if file.startswith(path)} & {"sheetIncomplete", "pagesMalformed"}


def test_an_image_holds_pixels_and_nothing_else(tmp_path: Path) -> None:
    """A text or a time in an image could tell when a ballot was cast."""

    def annotate(files: dict[str, bytes]) -> None:
        note = PngImagePlugin.PngInfo()
        note.add_text("Creation Time", "07:42")
        with Image.open(BytesIO(files["scan-a.png"])) as opened:
            out = BytesIO()
            opened.save(out, "PNG", pnginfo=note)
        files["scan-a.png"] = out.getvalue()

    findings, path = after(SheetKind.CAST, annotate, tmp_path / "text")
    assert findings == {("imageExtra", f"{path}/scan-a.png")}
    findings, path = after(
        SheetKind.CAST, lambda files: files.update({"scan-b.png": files["scan-b.png"] + b"07:42"}), tmp_path / "behind"
    )
    assert ("imageExtra", f"{path}/scan-b.png") in findings


def test_a_sheet_that_may_not_be_cast_is_not_in_the_box(tmp_path: Path) -> None:
    readable = next(s for s in honest()[SheetKind.RETURNED] if json.loads(s.files["record.json"])["kind"] != "refused")
    record = json.loads(readable.files["record.json"])
    record["disposition"]["castable"] = False
    made = day(honest())
    name = f"sheets/{honest()[SheetKind.CAST][0].id}/record.json"
    seen = verified(made, tmp_path / "export", **{name: rfc8785.dumps(record)})
    # What is kept says so, the images do not: the second reading is what is looked at.
    assert "castNotAcceptable" not in codes(seen, "castSheets")
    refused = next(s for s in honest()[SheetKind.RETURNED] if json.loads(s.files["record.json"])["kind"] == "refused")
    folder = f"sheets/{refused.id}"
    files = {f"{folder}/{file}": content for file, content in refused.files.items()} | {f"{folder}/cvr.json": b"{}"}
    seen = verified(made, tmp_path / "other", **files)
    assert {("castNotAcceptable", f"{folder}/record.json"), ("cvrImpossible", f"{folder}/cvr.json")} <= found(seen)
    assert ("totalsUncountable", "results/totals.json") in found(seen)
    assert outcomes(seen)["electionReport"] is Outcome.NOT_CHECKED


@pytest.mark.parametrize("sheet", ["00000000-0000-1000-8000-000000000000", "0001", "7AB808A3-0EF6-45CF-9121-71805295AE90"])
def test_a_sheet_is_named_by_a_random_number(tmp_path: Path, sheet: str) -> None:
    """A counter or a time in a name would tell the order of the voters."""
    first, *others = honest()[SheetKind.RETURNED]
    made = day({**honest(), SheetKind.RETURNED: [replace(first, id=sheet), *others]})
    assert found(verified(made, tmp_path / "export")) == {("sheetIdWrong", f"returned/{sheet}")}


def test_one_scan_under_two_names_is_left_for_a_person(tmp_path: Path) -> None:
    first, *_ = honest()[SheetKind.CAST]
    again = replace(first, id="12345678-1234-4234-8234-123456789abc")
    seen = verified(day({**honest(), SheetKind.CAST: [*honest()[SheetKind.CAST], again]}), tmp_path / "export")
    assert seen.findings == ()
    assert check_of(seen, "alike").outcome is Outcome.NOT_CHECKED
    assert f"sheets/{first.id}" in check_of(seen, "alike").sentence


@cache
def grey_sheet() -> StoredSheet:
    """A cast sheet of which the whole grey images are kept."""
    package = archive().package
    election = package.definition()
    read = sheet_reader(election, package.system_settings(election), keep_grey=True)
    pair = scan(random_marked_sheet(election, 1000, electorate=CAREFUL), {"rotation": 3}, seed=5)
    reading = read(SheetImages(pair.top.pixels, pair.bottom.pixels, pair.dpi))
    return StoredSheet("87654321-1234-4234-8234-123456789abc", SheetKind.CAST, sheet_files(reading))


def test_whole_grey_images_are_those_that_the_pages_were_made_of(tmp_path: Path) -> None:
    sheet = grey_sheet()
    assert "scan-a-grey.png" in sheet.files
    seen = verified(day({SheetKind.CAST: [sheet], SheetKind.RETURNED: []}), tmp_path / "right")
    assert seen.findings == ()

    def paint(pixels: np.ndarray[Any, Any]) -> None:
        pixels[300:320, 300:320] = 0

    painted = dict(sheet.files)
    redrawn("scan-a-grey.png", paint)(painted)
    others = (painted["scan-a-grey.png"], sheet.files["scan-b-grey.png"], sheet.files["scan-a.png"], b"no image")
    for number, other in enumerate(others):
        files = {**sheet.files, "scan-a-grey.png": other}
        made = day({SheetKind.CAST: [replace(sheet, files=files)], SheetKind.RETURNED: []})
        assert ("greyDiffers", f"sheets/{sheet.id}/scan-a-grey.png") in found(verified(made, tmp_path / str(number)))


# Documents, package, log and layout.


def test_documents_that_are_signed_and_wrong_are_named(tmp_path: Path) -> None:
    made = day(honest())
    sheet = f"sheets/{honest()[SheetKind.CAST][0].id}"
    for number, (name, code) in enumerate(
        {
            "events.json": "documentDiffers",
            "event-documentation.json": "documentDiffers",
            "README.txt": "documentDiffers",
            "results/totals.json": "resultsDiffer",
            "results/err.json": "resultsDiffer",
            f"{sheet}/cvr.json": "cvrDiffers",
            "log/vkey": "keyForeign",
            "package/package.json": "packageMalformed",
            "package/election.json": "packageUnusable",
        }.items()
    ):
        seen = verified(made, tmp_path / str(number), **{name: b"{}"})
        assert (code, name) in found(seen), name


def test_texts_of_another_version_of_the_software_are_not_called_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "_own_name", lambda: "scrutineer-edge 99.0")
    made = day(honest())
    seen = verified(made, tmp_path / "export", **{"README.txt": b"another", "event-documentation.json": b"{}"})
    assert seen.findings == ()
    assert {outcomes(seen)[name] for name in ("readme", "eventDocumentation")} == {Outcome.NOT_CHECKED}


def test_another_package_than_the_logs_is_found(tmp_path: Path) -> None:
    made = day(honest())
    other = archive(seed=2, cast=0, returned=0).package
    seen = verified(made, tmp_path / "election", **{"package/election.json": other.election or b""})
    assert ("packageForeign", "package/package.json") in found(seen)
    assert ("packageForeign", "package/election.json") in found(seen)
    seen = verified(made, tmp_path / "settings", **{"package/settings.json": b"{}"})
    assert ("packageForeign", "package/package.json") in found(seen)
    described = rfc8785.dumps({"ballotHash": "00", "testMode": False})
    seen = verified(made, tmp_path / "hash", **{"package/package.json": described})
    assert ("packageMalformed", "package/package.json") in found(seen)


def test_without_a_package_the_rest_is_still_looked_at(tmp_path: Path) -> None:
    seen = verified(day(honest()), tmp_path / "export", **{"package/election.json": b"nothing"})
    assert outcomes(seen)["castSheets"] is Outcome.NOT_CHECKED
    assert outcomes(seen)["polls"] is Outcome.PASSED
    assert outcomes(seen)["files"] is Outcome.PASSED


def test_a_list_that_calls_a_closed_export_interim_is_wrong(tmp_path: Path) -> None:
    made = day(honest())
    files = signed_files(exported(made), made, "interim")
    seen = verify(write(files, tmp_path / "export"), trust_list(made), processes=1)
    assert ("kindWrong", "MANIFEST.json") in found(seen)


def test_sheets_in_an_export_before_the_close_are_wrong(tmp_path: Path) -> None:
    made = archive(closed=False)
    seen = verified(made, tmp_path / "export", **{"sheets/x/record.json": b"{}"})
    assert found(seen) == {("fileForeign", "sheets/x/record.json")}


def test_a_close_that_tells_of_other_sheets_is_found(tmp_path: Path) -> None:
    """The log counts one ballot more than there are in the folder and in the signed set."""
    made = day(honest())
    full = day({**honest(), SheetKind.CAST: [*honest()[SheetKind.CAST], grey_sheet()]})
    forged = replace(full, kept=made.kept, notes=made.notes)
    files = exported(made) | {name: content for name, content in exported(full).items() if name.startswith("log/")}
    stale = {name for name in files if name.startswith("log/") and name not in exported(full)}
    files = {name: content for name, content in files.items() if name not in stale}
    seen = verify(write(signed_files(files, forged), tmp_path / "export"), trust_list(made), processes=1)
    entries = next(name for name in files if name.startswith("log/tile/entries/"))
    assert {("setCount", entries), ("setRoot", entries), ("documentDiffers", "events.json")} <= found(seen)


# A process that dies, and anything at all.


class _Dying(SheetReader):
    """Kills its process over one sheet."""

    victim = ""

    def read(self, sheet: SheetFolder) -> SheetSeen:
        if sheet.id == os.environ.get("SCRUTINEER_TEST_VICTIM"):
            os._exit(1)
        return super().read(sheet)


def start_dying(path: Path, identity: tuple[int, int], package: ElectionPackage, party: ReportingParty | None) -> None:
    from edge.audit.checks import second_reading  # noqa: PLC0415  in a process of the pool

    second_reading._PROCESS[:] = [_Dying(path, identity, package, party)]


def test_a_sheet_that_kills_its_reader_is_named_and_the_others_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = archive(cast=4, returned=0)
    victim = next(made.sheets(SheetKind.CAST)).id
    monkeypatch.setenv("SCRUTINEER_TEST_VICTIM", victim)
    monkeypatch.setattr(reading_pool, "start_process", start_dying)
    monkeypatch.setattr(reading_pool, "_CHUNK", 2)
    seen = verify(write(exported(made), tmp_path / "export"), trust_list(made), processes=2)
    assert ("readingFailed", f"sheets/{victim}") in found(seen)
    assert [sheet.repeat for sheet in seen.sheets].count(Repeat.SAME) == 3


def _ways(value: object) -> Iterator[list[Any]]:
    """Every place in a JSON document, as the way to it."""
    yield []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from ([key, *way] for way in _ways(inner))


JUNK: list[Any] = [None, True, -1, 1 << 52, "", "\x1b[31m", "x" * 5000, [], {}, [[]], {"a": {}}, "</script>"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_value_in_any_document_breaks_the_verifier(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    made = small()
    files = exported(made)
    name = data.draw(st.sampled_from(sorted(name for name in files if name.endswith(".json") and name != "MANIFEST.json")))
    document = json.loads(files[name])
    ways = [way for way in _ways(document) if way]
    way = data.draw(st.sampled_from(ways))
    junk = data.draw(st.sampled_from(JUNK))
    place = document
    for key in way[:-1]:
        place = place[key]
    unchanged = place[way[-1]] == junk
    place[way[-1]] = junk
    seen = verify(
        write(signed_files({**files, name: rfc8785.dumps(document)}, made), tmp_path_factory.mktemp("junk")),
        trust_list(made),
        processes=1,
    )
    assert unchanged or not seen.passed


@cache
def small() -> FakeArchive:
    """One cast sheet, one returned one."""
    return archive(cast=1, returned=1)


def test_sheet_folders_follow_from_the_record(tmp_path: Path) -> None:
    """The cast vote record that is made again is the one of the export."""
    made = small()
    sheet = next(made.sheets(SheetKind.CAST))
    from edge.audit.content import is_test, party_of  # noqa: PLC0415

    election = made.package.definition()
    party = party_of(made.origin, json.loads(made.entries[0]), test_mode=is_test(made.origin, made.package, election))
    assert exported(made)[f"sheets/{sheet.id}/cvr.json"] == sheet_folder(SheetKind.CAST, sheet, party, election)["cvr.json"]
