"""An export from end to end: what lies on the medium can be checked by the tools that its README names."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.audit.content import export_files
from edge.audit.destination import Calls
from edge.audit.export import Phase, export
from edge.audit.layout import MANIFEST, MANIFEST_SIGNATURE, README
from edge.audit.manifest import ExportError, parse_manifest
from edge.commands.progress import ProgressBar
from edge.evidence.archive import SheetKind, StoredSheet
from edge.evidence.events import LogEvent
from edge.evidence.store import StoreError
from edge.evidence.tlog import minisign
from tests.audit.archive_fake import FakeArchive, archive, signer, tiny


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("closed", [False, True])
def test_an_export_is_what_the_evidence_gives_and_a_signed_list_of_it(tmp_path: Path, closed: bool) -> None:
    evidence = archive(closed=closed)
    result = export(evidence, tmp_path)
    found = contents(result.folder)
    assert result.folder == tmp_path / f"scrutineer-0001-{evidence.origin.rpartition('/')[2]}-{len(evidence.entries)}"
    assert (result.files, result.total_bytes) == (len(found), sum(map(len, found.values())))
    assert result.manifest_sha256 == hashlib.sha256(found[MANIFEST]).digest()
    raw, signature = found.pop(MANIFEST), found.pop(MANIFEST_SIGNATURE)
    minisign.verify(raw, signature, evidence.verifier.public)
    manifest = parse_manifest(raw)
    assert (manifest.origin, manifest.size, manifest.kind) == (result.origin, result.size, result.kind)
    assert manifest.kind == ("closed" if closed else "interim")
    assert manifest.checkpoint.encode() == found["log/checkpoint"] == result.checkpoint.encode()
    assert {facts.name: facts.sha256 for facts in manifest.files} == {
        name: hashlib.sha256(content).digest() for name, content in found.items()
    }
    assert found == dict(export_files(evidence))
    assert result.sheets == {SheetKind.CAST: 2 * closed, SheetKind.RETURNED: 1 * closed}


def test_two_exports_of_one_log_lie_side_by_side(tmp_path: Path) -> None:
    early = export(archive(closed=False), tmp_path)
    before = contents(early.folder)
    late = export(archive(more=[LogEvent("exportBegun", {"kind": "interim"})]), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {early.folder.name, late.folder.name}
    assert contents(early.folder) == before


def test_the_same_export_is_not_written_again(tmp_path: Path) -> None:
    made = export(tiny(), tmp_path)
    before = contents(made.folder)
    with pytest.raises(ExportError, match="destinationExists"):
        export(tiny(), tmp_path)
    assert contents(made.folder) == before


def command_of(folder: Path, start: str) -> str:
    """A command from the README."""
    lines = (folder / README).read_text("ascii").splitlines()
    return next(line.strip() for line in lines if line.strip().startswith(start))


@pytest.mark.skipif(shutil.which("minisign") is None, reason="minisign is not installed")
def test_minisign_verifies_the_manifest_as_the_readme_says(tmp_path: Path) -> None:
    evidence = tiny()
    folder = export(evidence, tmp_path).folder
    command = command_of(folder, "minisign").replace("KEY", minisign.public_key_text(evidence.verifier.public)).split()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, "Signature and comment signature verified" in done.stdout) == (0, True)
    (folder / MANIFEST).write_bytes((folder / MANIFEST).read_bytes().replace(b"closed", b"close!"))
    assert subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode != 0


@pytest.mark.skipif(shutil.which("jq") is None or shutil.which("sha256sum") is None, reason="jq or sha256sum is not installed")
def test_sha256sum_checks_every_file_as_the_readme_says(tmp_path: Path) -> None:
    folder = export(tiny(), tmp_path).folder
    command = ["sh", "-c", command_of(folder, "jq")]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    with (folder / "log/vkey").open("ab") as file:
        file.write(b"\n")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode != 0, done.stdout) == (True, "log/vkey: FAILED\n")


def refused(evidence: FakeArchive, stick: Path) -> ExportError:
    with pytest.raises(ExportError) as told:
        export(evidence, stick)
    return told.value


def test_evidence_that_was_changed_leaves_nothing_on_the_medium(tmp_path: Path) -> None:
    sound = tiny()
    evidence = replace(sound, kept={**sound.kept, SheetKind.CAST: tuple(sound.sheets(SheetKind.CAST))[1:]})
    error = refused(evidence, tmp_path)
    assert error.code == "setChanged"
    assert "another will not help" in error.advice
    assert list(tmp_path.iterdir()) == []


@dataclass(frozen=True)
class Forged(FakeArchive):
    """Evidence whose manifest is signed by some other key."""

    def sign_manifest(self, manifest: bytes) -> bytes:
        return minisign.sign(manifest, Ed25519PrivateKey.from_private_bytes(bytes(32)), "not the log's key")


def test_a_manifest_that_another_key_signs_leaves_nothing_on_the_medium(tmp_path: Path) -> None:
    sound = tiny()
    forged = Forged(
        *(sound.signer, sound.package, sound.entries, sound.leaves, sound.checkpoints, sound.closed, sound.kept, sound.notes)
    )
    assert refused(forged, tmp_path).code == "keyForeign"
    assert list(tmp_path.iterdir()) == []


@dataclass(frozen=True)
class Lost(FakeArchive):
    """Evidence whose medium is lost while it is read the second time."""

    def sheets(self, kind: SheetKind) -> Iterator[StoredSheet]:
        yield from FakeArchive.sheets(self, kind)
        if kind in LOST:
            raise StoreError("storeUnavailable", "the medium of the evidence is gone")
        LOST.append(kind)


LOST: list[SheetKind] = []


def test_evidence_that_is_lost_half_way_leaves_no_manifest(tmp_path: Path) -> None:
    LOST.clear()
    sound = tiny()
    lost = Lost(
        *(sound.signer, sound.package, sound.entries, sound.leaves, sound.checkpoints, sound.closed, sound.kept, sound.notes)
    )
    error = refused(lost, tmp_path)
    assert (error.code, "has no manifest" in error.advice) == ("storeUnavailable", True)
    (folder,) = tmp_path.iterdir()
    assert not {MANIFEST, MANIFEST_SIGNATURE} & set(contents(folder))


class Untouchable(FakeArchive):
    """Evidence that nobody may look at."""

    def sheets(self, kind: SheetKind) -> Iterator[StoredSheet]:
        raise AssertionError(f"the {kind} sheets were read before the destination was looked at")


def test_a_destination_that_will_not_do_is_told_before_the_evidence_is_gone_through(tmp_path: Path) -> None:
    sound = tiny()
    untouchable = Untouchable(*(sound.signer, sound.package, sound.entries, sound.leaves, sound.checkpoints, True))
    with pytest.raises(ExportError, match="destinationMissing"):
        export(untouchable, tmp_path / "stick")
    with pytest.raises(ExportError, match="destinationIsEvidence"):
        export(untouchable, tmp_path, forbidden=[tmp_path])


class Small(Calls):
    """A medium with ten clusters left."""

    @staticmethod
    def fstatvfs(descriptor: int) -> os.statvfs_result:
        found = list(os.fstatvfs(descriptor))
        found[4] = 10
        return os.statvfs_result(found)


def test_a_medium_without_room_is_told_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="destinationFull"):
        export(tiny(), tmp_path, calls=Small())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("phase", [Phase.WRITING, Phase.CHECKING])
def test_a_broken_pipe_of_whoever_watches_is_not_blamed_on_the_medium(tmp_path: Path, phase: Phase) -> None:
    def at(done: int, _total: int, now: Phase) -> None:
        if done and now is phase:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        export(tiny(), tmp_path, at)
    assert not list(tmp_path.rglob("MANIFEST*"))


@pytest.mark.parametrize(
    ("device", "part"),
    [("scan.example.org/Nº7", "N_7"), ("../..", ".."), ("a/.hidden", ".hidden"), ("a/con", "con"), ("a/\\:*", "___"), ("b", "b")],
)
def test_the_folder_has_a_name_that_every_medium_can_hold(tmp_path: Path, device: str, part: str) -> None:
    result = export(archive(cast=0, returned=0, device=device), tmp_path)
    label = result.origin.rpartition("/")[2]
    assert [path.name for path in tmp_path.iterdir()] == [f"scrutineer-{part}-{label}-{result.size}"]


def test_a_name_that_is_too_long_is_told(tmp_path: Path) -> None:
    assert refused(archive(cast=0, returned=0, device=f"scan.example.org/{'1' * 80}"), tmp_path).code == "contentUnfit"
    assert list(tmp_path.iterdir()) == []


def test_progress_goes_through_the_phases_and_never_back(tmp_path: Path) -> None:
    told: list[tuple[int, int, Phase]] = []
    result = export(tiny(), tmp_path, lambda *now: told.append(now))
    assert list(dict.fromkeys(phase for _, _, phase in told)) == list(Phase)
    for phase in Phase:
        dones = [done for done, _, of in told if of is phase]
        assert dones == sorted(dones)
        assert dones[0] == 0
    for phase in (Phase.WRITING, Phase.CHECKING):
        assert {total for _, total, of in told if of is phase} == {result.total_bytes}
        assert max(done for done, _, of in told if of is phase) == result.total_bytes


def test_the_system_calls_are_the_real_ones(tmp_path: Path) -> None:
    """What the tests of faulty media stand in for."""
    calls = Calls()
    descriptor = calls.open(tmp_path, os.O_RDONLY)
    calls.syncfs(descriptor)
    assert calls.is_fat(descriptor) in {False, True}
    calls.close(descriptor)
    with pytest.raises(OSError, match="Bad file descriptor"):
        calls.syncfs(descriptor)
    with pytest.raises(OSError, match="Bad file descriptor"):
        calls.is_fat(descriptor)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_a_bar_is_drawn_and_wiped() -> None:
    terminal = Terminal()
    with ProgressBar(terminal) as bar:
        bar(0, 0, "gathering")
        bar(1_250_000, 2_500_000, "writing")
        bar(2_500_000, 2_500_000, "writing")
    drawn = terminal.getvalue().split("\r\x1b[K")
    assert drawn == [
        "",
        "gathering",
        "writing   [###############...............]  50 %  1.2 MB of 2.5 MB",
        "writing   [##############################] 100 %  2.5 MB of 2.5 MB",
        "",
    ]
    assert "\n" not in terminal.getvalue()


def test_a_bar_is_wiped_also_when_something_fails() -> None:
    terminal = Terminal()
    bar = ProgressBar(terminal)
    bar(1, 2, "writing")
    with pytest.raises(KeyboardInterrupt), bar:
        raise KeyboardInterrupt
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_a_terminal_is_not_drawn_on_for_every_file() -> None:
    terminal = Terminal()
    with ProgressBar(terminal) as bar:
        for done in range(10_000):
            bar(done, 10_000, "writing")
    assert terminal.getvalue().count("\r") < 500


def test_elsewhere_a_line_is_written_for_every_tenth() -> None:
    stream = io.StringIO()
    with ProgressBar(stream) as bar:
        bar(0, 0, "gathering")
        bar(5_000_000, 0, "gathering")
        for done in range(0, 40_000_001, 1_000_000):
            bar(done, 40_000_000, "writing")
    lines = stream.getvalue().splitlines()
    assert lines[:3] == ["gathering", "writing 0.0 MB of 40.0 MB", "writing 4.0 MB of 40.0 MB"]
    assert (len(lines), lines[-1]) == (12, "writing 40.0 MB of 40.0 MB")


def test_a_log_of_another_device_has_another_key() -> None:
    assert signer("a/1", "00").verifier.public != signer("a/2", "00").verifier.public
    assert signer("a/1", "00").verifier.key_id != signer("a/1", "01").verifier.key_id
