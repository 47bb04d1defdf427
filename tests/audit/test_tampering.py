"""Whatever is done to an export without the key, the verifier names the file and says what is wrong with it.

The short form tries every kind of change on every file, one bit of every byte of the small files and of the signed ones, and a
sample of the others' bits. With SCRUTINEER_TAMPER=all it tries every bit of every file: two million of them, in about an hour
(then with `-s`, which shows the counts, and `-o faulthandler_timeout=0`, since single tests take long).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge.audit import verify as walk
from edge.audit.checks import second_reading
from edge.audit.checks.files_check import check_files
from edge.audit.folder import ExportFolder
from edge.audit.layout import CHECKPOINT, MANIFEST, MANIFEST_SIGNATURE
from edge.audit.manifest import parse_manifest
from edge.audit.verification import Finding, Repeat, Verification
from edge.audit.verify import verify
from edge.audit.witness import Witness
from edge.evidence.events import LogEvent
from edge.evidence.keys.trust import TrustList
from tests.audit.archive_fake import FakeArchive, archive, signer
from tests.audit.exported import exported, found, relisted, trust_list, write

EVERYTHING = os.environ.get("SCRUTINEER_TAMPER") == "all"
SMALL = 1000
"""Bytes: of files up to this every byte is tried."""
ROOTS = (MANIFEST, MANIFEST_SIGNATURE, CHECKPOINT)
"""What everything else hangs on."""
BEGUN = LogEvent("exportBegun", {"kind": "interim"})
CHANGED = "fileChanged"


@cache
def original() -> FakeArchive:
    """The evidence that is exported: two cast sheets, a returned one, and an earlier export."""
    return archive(more=[BEGUN])


@cache
def honest() -> Mapping[str, bytes]:
    """Every file of the honest export."""
    return exported(original())


@cache
def earlier() -> Mapping[str, bytes]:
    """An earlier export of the same device."""
    return exported(archive(closed=False))


@cache
def of_other_device() -> Mapping[str, bytes]:
    """The export of another device in the same election, in the same trust list."""
    return exported(archive(device="scan.example.org/0002", more=[BEGUN]))


@cache
def of_other_election() -> Mapping[str, bytes]:
    """An export of the same device in another election."""
    return exported(archive(seed=2, more=[BEGUN]))


@cache
def trust() -> TrustList:
    """Both devices are in it."""
    return trust_list(original(), archive(device="scan.example.org/0002", more=[BEGUN]))


@dataclass(frozen=True)
class Bench:
    """The honest export on a disk, one change at a time."""

    folder: Path

    def verify(self, changes: Mapping[str, bytes | None]) -> Verification:
        """Verify with some files changed, added or (None) removed, and put things back."""
        for name, content in changes.items():
            path = self.folder / name
            if content is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        try:
            return verify(self.folder, trust(), processes=1)
        finally:
            for name in changes:
                if name in honest():
                    (self.folder / name).write_bytes(honest()[name])
                else:
                    (self.folder / name).unlink()

    def verify_done(self, name: str, do: Callable[[Path], object]) -> Verification:
        """Verify after something was done in the place of a file, and put things back."""
        path = self.folder / name
        path.unlink()
        do(path)
        try:
            return verify(self.folder, trust(), processes=1)
        finally:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
            path.write_bytes(honest()[name])


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """The export on a disk. What is read again of a sheet that has not changed is remembered: that alone takes long."""
    remembered: dict[object, tuple[tuple[Repeat, bytes | None], list[Finding]]] = {}
    read_again = second_reading._Reading._again

    def again(self: second_reading._Reading) -> tuple[Repeat, bytes | None]:
        contents = tuple((name, hashlib.sha256(content).digest()) for name, content in sorted(self.files.items()))
        what = (self.sheet, contents, self.election and self.election.ballot_hash, self.settings.model_dump_json())
        if what not in remembered:
            before = len(self.findings)
            remembered[what] = (read_again(self), self.findings[before:])
        else:
            self.findings += remembered[what][1]
        return remembered[what][0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(second_reading._Reading, "_again", again)
        patch.setattr(walk, "_own_software", lambda: None)
        yield Bench(write(honest(), tmp_path_factory.mktemp("tampering") / "export"))


NAMES = sorted(honest())


def codes_of(seen: Verification, name: str) -> set[str]:
    """What is said of a file."""
    return {code for code, file in found(seen) if file == name}


def test_the_honest_export_is_right_in_every_respect(bench: Bench) -> None:
    assert bench.verify({}).findings == ()


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_is_missing_is_named(bench: Bench, name: str) -> None:
    assert "fileMissing" in codes_of(bench.verify({name: None}), name)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_under_another_name_is_named_twice(bench: Bench, name: str) -> None:
    seen = bench.verify({name: None, f"{name}x": honest()[name]})
    assert "fileMissing" in codes_of(seen, name)
    assert codes_of(seen, f"{name}x") & {"fileExtra", "fileForeign", "sheetForeign", "noteMalformed"}


SHORTENED = {MANIFEST: "manifestMalformed", MANIFEST_SIGNATURE: "minisignMalformed"}


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_was_cut_or_grew_is_named(bench: Bench, name: str) -> None:
    content = honest()[name]
    for changed in (b"", content[:-1], content[1:], content[: len(content) // 2], content + b"\n", content + content):
        assert SHORTENED.get(name, CHANGED) in codes_of(bench.verify({name: changed}), name)


FOREIGN_MANIFEST = {"minisignSignature", "minisignKey", "manifestForeign"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("others", [of_other_device, earlier, of_other_election])
def test_a_file_of_another_export_in_its_place_is_named(
    bench: Bench, name: str, others: Callable[[], Mapping[str, bytes]]
) -> None:
    content = others().get(name)
    if content is None or content == honest()[name]:
        return  # that export has no such file, or the very same one
    said = codes_of(bench.verify({name: content}), name)
    assert said & (FOREIGN_MANIFEST if name in SHORTENED else {CHANGED})


@pytest.mark.parametrize("name", NAMES)
def test_a_link_a_folder_or_a_pipe_in_the_place_of_a_file_is_named(bench: Bench, name: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.write_bytes(honest()[name])
    assert "fileLink" in codes_of(bench.verify_done(name, lambda path: path.symlink_to(copy)), name)
    assert {"fileMissing", "fileSpecial"} & codes_of(bench.verify_done(name, Path.mkdir), name)
    assert "fileSpecial" in codes_of(bench.verify_done(name, os.mkfifo), name)


@pytest.mark.parametrize("folder", ["log", "log/tile", "log/checkpoints", "package", "results", "returned", "sheets"])
def test_a_link_in_the_place_of_a_folder_is_named_once(bench: Bench, folder: str, tmp_path: Path) -> None:
    path = bench.folder / folder
    path.rename(tmp_path / "moved")
    path.symlink_to(tmp_path / "moved")
    try:
        seen = verify(bench.folder, trust(), processes=1)
    finally:
        path.unlink()
        (tmp_path / "moved").rename(path)
    assert ("fileLink", folder) in found(seen)


EXTRA = [
    "extra",
    "log/extra",
    "log/checkpoints/5",
    "log/checkpoints/999",
    "log/tile/0/001",
    "sheets/extra",
    "sheets/00000000-0000-4000-8000-000000000000/record.json",
    "returned/00000000-0000-4000-8000-000000000000/cvr.json",
    "results/extra/deep",
]


@pytest.mark.parametrize("name", EXTRA)
def test_a_file_too_many_is_named(bench: Bench, name: str) -> None:
    assert "fileExtra" in codes_of(bench.verify({name: b"{}"}), name)


@pytest.mark.parametrize("name", [".hidden", "new\nline", "nul", "trailing.", "blank name", "ümlaut"])
def test_a_name_that_no_export_has_is_named_in_plain_letters(bench: Bench, name: str) -> None:
    seen = bench.verify({name: b""})
    assert ("nameForbidden", ascii(name)[1:-1]) in found(seen)


def test_names_that_differ_in_their_case_only_are_named(bench: Bench) -> None:
    assert "nameCollision" in {code for code, _ in found(bench.verify({"readme.TXT": honest()["README.txt"]}))}


# Changes of single bits.


def flipped(content: bytes, place: int) -> bytes:
    """One bit turned: as the place goes on, one of every byte, then another of every byte, until all eight are through."""
    at = place % len(content)
    bit = (place // len(content) + at) % 8
    return content[:at] + bytes([content[at] ^ (1 << bit)]) + content[at + 1 :]


def flipped_at_once(names: list[str], place: int) -> dict[str, bytes]:
    """The same in many files; none of them vouches for another."""
    return {name: flipped(honest()[name], place) for name in names}


def rest(least: int = 0, most: int = 1 << 30) -> list[str]:
    return [name for name in NAMES if name not in ROOTS and least <= len(honest()[name]) <= most]


def test_every_byte_of_every_small_file(bench: Bench) -> None:
    """With SCRUTINEER_TAMPER=all every bit of them."""
    names, bits, count = rest(most=SMALL), 8 if EVERYTHING else 1, 0
    for place in range(bits * max(len(honest()[name]) for name in names)):
        still = [name for name in names if place < bits * len(honest()[name])]
        count += len(still)
        seen = bench.verify(flipped_at_once(still, place))
        assert {(CHANGED, name) for name in still} <= found(seen), place
    sys.stdout.write(f"{count} flips in {len(names)} small files\n")


SAID_OF_MANIFEST = {"manifestMalformed", "manifestName", "manifestVersion", "minisignSignature"}
SAID_OF_SIGNATURE = {"minisignMalformed", "minisignKey", "minisignSignature"}


@pytest.mark.parametrize(
    ("name", "step", "said"),
    [(MANIFEST, 23, SAID_OF_MANIFEST), (MANIFEST_SIGNATURE, 1, SAID_OF_SIGNATURE), (CHECKPOINT, 1, {CHANGED})],
)
def test_bytes_of_the_files_that_everything_hangs_on(bench: Bench, name: str, step: int, said: set[str]) -> None:
    length = len(honest()[name])
    places = range(8 * length) if EVERYTHING else range(0, length, step)
    for place in places:
        assert codes_of(bench.verify({name: flipped(honest()[name], place)}), name) & said, place
    sys.stdout.write(f"{len(places)} flips in {name}\n")


def test_a_sample_of_the_bytes_of_the_large_files(bench: Bench) -> None:
    names = rest(least=SMALL + 1)
    longest = max(len(honest()[name]) for name in names)
    for place in range(7, longest, longest // 40):
        seen = bench.verify(flipped_at_once(names, place))
        assert {(CHANGED, name) for name in names} <= found(seen), place


@pytest.mark.skipif(not EVERYTHING, reason="two million flips: SCRUTINEER_TAMPER=all asks for them")
def test_every_bit_of_the_large_files(bench: Bench) -> None:
    """By the check of the files alone, which is what must find them; what else would is in the tests below."""
    manifest = parse_manifest(honest()[MANIFEST])
    names = rest(least=SMALL + 1)
    count = 0
    for place in range(8 * max(len(honest()[name]) for name in names)):
        still = [name for name in names if place < 8 * len(honest()[name])]
        count += len(still)
        for name, content in flipped_at_once(still, place).items():
            (bench.folder / name).write_bytes(content)
        with ExportFolder(bench.folder) as folder:
            check = check_files(folder, folder.listing(), manifest, {}, [])
        assert {finding.file for finding in check.findings if finding.code == CHANGED} >= set(still), place
        for name in still:
            (bench.folder / name).write_bytes(honest()[name])
    sys.stdout.write(f"{count} flips in {len(names)} large files\n")


# Changes by somebody who makes the list of files anew, but has no key.


@pytest.mark.parametrize("stranger", [None, signer("stranger.example.org", "key")])
def test_a_list_made_anew_without_the_key_is_found_out(bench: Bench, stranger: object) -> None:
    strange = None if stranger is None else signer("stranger.example.org", "key")
    for name in rest():
        files = relisted({**honest(), name: flipped(honest()[name], 3)}, strange)
        changes = {one: files[one] for one in (name, MANIFEST, MANIFEST_SIGNATURE)}
        seen = bench.verify(changes)
        assert ("minisignSignature" if strange is None else "minisignKey", MANIFEST_SIGNATURE) in found(seen)
        assert codes_of(seen, name) - {CHANGED}, f"nothing else tells that {name} was changed"


def sheet(kind: str) -> str:
    """The folder of the first sheet of a kind."""
    return min("/".join(name.split("/")[:2]) for name in honest() if name.startswith(f"{kind}/"))


def test_a_record_with_another_vote_is_named_even_if_everything_unsigned_follows(bench: Bench) -> None:
    record = f"{sheet('sheets')}/record.json"
    changed = honest()[record].replace(b'"verdict":"unmarked"', b'"verdict":"marked"', 1)
    assert changed != honest()[record]
    files = relisted({**honest(), record: changed})
    seen = bench.verify({name: files[name] for name in (record, MANIFEST)})
    assert {("readingDiffers", record), ("setDiffers", "cvr-set"), ("minisignSignature", MANIFEST)} <= found(seen)


@pytest.mark.parametrize("kind", ["sheets", "returned"])
def test_a_pixel_that_changes_no_reading_is_found_out_by_the_set(bench: Bench, kind: str) -> None:
    image = f"{sheet(kind)}/scan-a.png"
    with Image.open(BytesIO(honest()[image])) as opened:
        pixels = np.array(opened)
    pixels[1, 1] = ~pixels[1, 1]
    changed = BytesIO()
    Image.fromarray(pixels).save(changed, "PNG")
    files = relisted({**honest(), image: changed.getvalue()})
    seen = bench.verify({name: files[name] for name in (image, MANIFEST)})
    assert ("setDiffers", "cvr-set" if kind == "sheets" else "returned-set") in found(seen)
    if kind == "sheets":
        assert ("cvrDiffers", f"{sheet(kind)}/cvr.json") in found(seen)


@pytest.mark.parametrize("kind", ["sheets", "returned"])
def test_a_sheet_that_was_taken_out_is_missed(bench: Bench, kind: str) -> None:
    gone = {name: None for name in honest() if name.startswith(f"{sheet(kind)}/")}
    kept = relisted({name: content for name, content in honest().items() if name not in gone})
    seen = bench.verify({**gone, MANIFEST: kept[MANIFEST]})
    entries = next(name for name in honest() if name.startswith("log/tile/entries/"))
    note = "cvr-set" if kind == "sheets" else "returned-set"
    assert {("setDiffers", note), ("setCount", entries), ("setRoot", entries), ("minisignSignature", MANIFEST)} <= found(seen)


def test_a_sheet_that_is_there_twice_is_found_out(bench: Bench) -> None:
    copy = "sheets/00000000-0000-4000-8000-000000000000"
    twice = {name.replace(sheet("sheets"), copy): honest()[name] for name in honest() if name.startswith(sheet("sheets"))}
    files = relisted({**honest(), **twice})
    seen = bench.verify({**twice, MANIFEST: files[MANIFEST]})
    assert {("setDiffers", "cvr-set"), ("cvrDiffers", f"{copy}/cvr.json"), ("resultsDiffer", "results/totals.json")} <= found(
        seen
    )
    alike = next(check for check in seen.checks if check.id == "alike")
    assert copy in alike.sentence


def test_a_sheet_cannot_be_moved_from_the_returned_to_the_cast_ones(bench: Bench) -> None:
    old = sheet("returned")
    new = old.replace("returned/", "sheets/")
    moved: dict[str, bytes | None] = {}
    for name in honest():
        if name.startswith(f"{old}/"):
            moved |= {name: None, name.replace(old, new): honest()[name]}
    seen = bench.verify(moved)
    assert {("setDiffers", "cvr-set"), ("setDiffers", "returned-set"), ("sheetIncomplete", f"{new}/cvr.json")} <= found(seen)


# Replays: everything is signed, but is not of now or of here.


def test_an_older_checkpoint_in_the_place_of_the_last_is_found_out(bench: Bench) -> None:
    for name in (name for name in NAMES if name.startswith("log/checkpoints/")):
        if honest()[name] == honest()[CHECKPOINT]:
            continue
        seen = bench.verify({CHECKPOINT: honest()[name]})
        assert {(CHANGED, CHECKPOINT), ("manifestForeign", MANIFEST)} <= found(seen)
        assert {"checkpointNewer"} <= {code for code, _ in found(seen)}


@pytest.mark.parametrize("others", [earlier, of_other_device, of_other_election])
def test_the_list_and_signature_of_another_export_do_not_fit(bench: Bench, others: Callable[[], Mapping[str, bytes]]) -> None:
    seen = bench.verify({name: others()[name] for name in (MANIFEST, MANIFEST_SIGNATURE)})
    assert ("manifestForeign", MANIFEST) in found(seen)
    assert {code for code, file in found(seen) if file == CHECKPOINT} >= {CHANGED}


def test_the_log_of_another_device_does_not_fit(bench: Bench) -> None:
    theirs = of_other_device()
    log = {name: theirs[name] for name in theirs if name.startswith("log/")}
    gone = {name: None for name in honest() if name.startswith("log/") and name not in log}
    seen = bench.verify({**log, **gone})
    assert {("manifestForeign", MANIFEST), ("minisignKey", MANIFEST_SIGNATURE), ("noteUnsigned", "cvr-set")} <= found(seen)


@pytest.mark.parametrize("note", ["cvr-set", "returned-set"])
def test_the_note_over_a_set_of_another_election_does_not_fit(bench: Bench, note: str) -> None:
    files = relisted({**honest(), note: of_other_election()[note]})
    seen = bench.verify({name: files[name] for name in (note, MANIFEST)})
    assert ("noteUnsigned", note) in found(seen)
    other = "returned-set" if note == "cvr-set" else "cvr-set"
    files = relisted({**honest(), note: honest()[other]})
    assert ("checkpointOrigin", note) in found(bench.verify({name: files[name] for name in (note, MANIFEST)}))


def test_a_set_note_does_not_pass_for_a_checkpoint(bench: Bench) -> None:
    files = relisted({**honest(), CHECKPOINT: honest()["cvr-set"]})
    seen = bench.verify({name: files[name] for name in (CHECKPOINT, MANIFEST)})
    assert codes_of(seen, CHECKPOINT) & {"checkpointOrigin", "trustForeign"}


def test_an_older_export_is_found_out_by_a_witness_that_saw_a_newer_one(tmp_path: Path) -> None:
    witness = Witness(tmp_path / "witness")
    newer, older = write(honest(), tmp_path / "newer"), write(earlier(), tmp_path / "older")
    assert verify(older, trust(), processes=1).passed
    assert verify(newer, trust(), witness, processes=1).passed
    assert found(verify(older, trust(), witness, processes=1)) == {("olderThanSeen", CHECKPOINT)}
    assert verify(newer, trust(), witness, processes=1).passed


def test_a_log_that_was_written_anew_with_the_key_is_found_out_by_a_witness(tmp_path: Path) -> None:
    witness = Witness(tmp_path / "witness")
    assert verify(write(honest(), tmp_path / "first"), trust(), witness, processes=1).passed
    anew = archive(cast=3, more=[BEGUN])
    second = write(exported(anew), tmp_path / "second")
    assert verify(second, trust(), processes=1).passed
    assert found(verify(second, trust(), witness, processes=1)) == {("contradictsSeen", CHECKPOINT)}
