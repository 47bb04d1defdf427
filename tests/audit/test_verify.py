"""An honest export is right in every respect, and what was not checked is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edge.audit.checks.limits import LIMITS, left_open
from edge.audit.export import export
from edge.audit.folder import FolderError
from edge.audit.verification import Outcome, Repeat
from edge.audit.verify import examine, verify
from edge.audit.witness import Witness
from edge.evidence.archive import SheetKind
from edge.evidence.events import LogEvent
from tests.audit.archive_fake import archive, tiny
from tests.audit.exported import check_of, codes, exported, failed, found, outcomes, trust_list, write

CLOSED_ONLY = {
    "castSet",
    "returnedSet",
    "castSheets",
    "returnedSheets",
    "alike",
    "totals",
    "electionReport",
    "heldAndCast",
}


def test_an_honest_export_after_the_close_is_right(tmp_path: Path) -> None:
    made = archive(cast=3, returned=2)
    folder = export(made, tmp_path).folder
    seen = verify(folder, trust_list(made), Witness(tmp_path / "witness"))
    assert {name for name, outcome in outcomes(seen).items() if outcome is not Outcome.PASSED} == LIMITS - {"limitInterim"}
    assert left_open(seen.checks) == ()
    assert seen.passed
    assert (seen.folder, seen.origin, seen.kind, seen.size) == (folder.name, made.origin, "closed", len(made.entries))
    assert [(sheet.kind, sheet.repeat) for sheet in seen.sheets] == [
        *[(SheetKind.CAST, Repeat.SAME)] * 3,
        *[(SheetKind.RETURNED, Repeat.SAME)] * 2,
    ]
    assert seen.totals is not None
    assert check_of(seen, "heldAndCast").sentence.startswith("1 of 3 cast sheets")


def test_an_honest_export_before_the_close_has_nothing_of_the_ballots(tmp_path: Path) -> None:
    made = archive(closed=False)
    seen = verify(write(exported(made), tmp_path / "export"), trust_list(made), Witness(tmp_path / "witness"))
    assert {name for name, outcome in outcomes(seen).items() if outcome is not Outcome.PASSED} == LIMITS
    assert CLOSED_ONLY.isdisjoint(outcomes(seen))
    assert (seen.kind, seen.sheets, seen.totals) == ("interim", (), None)
    assert "Any of the 2 ballots" in check_of(seen, "limitInterim").sentence


@pytest.mark.parametrize("settings", [b'{"testMode": true}', b'{"precinctScanAdjudicationReasons": ["Overvote"]}'])
def test_settings_are_part_of_what_is_read_again(tmp_path: Path, settings: bytes) -> None:
    made = archive(cast=2, returned=0, settings=settings)
    seen = verify(write(exported(made), tmp_path / "export"), trust_list(made))
    assert seen.passed, seen.findings
    assert outcomes(seen)["castSheets"] is Outcome.PASSED


def test_several_processes_give_the_same_verification(tmp_path: Path) -> None:
    made = archive(cast=18, returned=3)
    folder = write(exported(made), tmp_path / "export")
    told: list[tuple[int, int, str]] = []
    several = verify(folder, trust_list(made), processes=2, progress=lambda *so_far: told.append(so_far))
    assert several == verify(folder, trust_list(made), processes=1)
    assert several.passed
    total = sum(path.stat().st_size for kind in ("sheets", "returned") for path in (folder / kind).rglob("*.*"))
    assert (told[0], told[-1]) == ((0, total, "reading"), (total, total, "reading"))


def test_without_a_trust_list_no_signature_is_checked_and_nothing_is_called_right_that_needs_one(tmp_path: Path) -> None:
    seen = verify(write(exported(tiny()), tmp_path / "export"), None)
    assert seen.passed
    open_questions = {check.id for check in left_open(seen.checks)}
    assert open_questions >= {"authority", "trustList", "packageTrusted", "manifest", "checkpoint", "checkpoints", "castSet"}
    assert open_questions >= {"opening", "polls", "counts", "entries", "witness", "readme"}
    assert outcomes(seen)["castSheets"] is Outcome.PASSED


def test_a_trust_list_that_nobody_vouches_for_leaves_the_question_open(tmp_path: Path) -> None:
    made = tiny()
    trust = replace(trust_list(made), signed_by=(), checked=False)
    seen = verify(write(exported(made), tmp_path / "export"), trust, Witness(tmp_path / "witness"))
    assert seen.passed
    assert [check.id for check in left_open(seen.checks)] == ["authority"]
    assert "authority.example.org" in check_of(seen, "authority").sentence


def test_a_trust_list_without_packages_leaves_that_question_open(tmp_path: Path) -> None:
    made = tiny()
    trust = trust_list(made, packages=False)
    seen = verify(write(exported(made), tmp_path / "export"), trust, Witness(tmp_path / "witness"))
    assert [check.id for check in left_open(seen.checks)] == ["packageTrusted"]


def test_a_log_that_is_not_in_the_trust_list_is_wrong_and_nothing_is_believed(tmp_path: Path) -> None:
    other = archive(device="scan.example.org/0002", cast=0, returned=0)
    seen = verify(write(exported(tiny()), tmp_path / "export"), trust_list(other), Witness(tmp_path / "witness"))
    assert failed(seen) == {"trustList"}
    assert codes(seen, "trustList") == {"trustForeign"}
    for name in ("manifest", "checkpoint", "castSet", "opening", "polls", "witness"):
        assert outcomes(seen)[name] is Outcome.NOT_CHECKED


def test_a_list_for_another_package_or_election_is_told(tmp_path: Path) -> None:
    made, other = tiny(), archive(seed=2, cast=0, returned=0)
    folder = write(exported(made), tmp_path / "export")
    trust = replace(trust_list(made), packages=(other.package.sha256(),))
    assert found(verify(folder, trust)) == {("packageForeign", "package/election.json")}
    foreign = replace(trust_list(other), logs=trust_list(made).logs)
    assert ("packageForeign", "package/election.json") in found(verify(folder, foreign))


def test_the_witness_sees_the_log_grow(tmp_path: Path) -> None:
    begun = LogEvent("exportBegun", {"kind": "interim"})
    interim, closed = archive(closed=False), archive(more=[begun])
    witness, trust = Witness(tmp_path / "witness"), trust_list(closed)
    early, late = write(exported(interim), tmp_path / "early"), write(exported(closed), tmp_path / "late")
    assert "not seen before" in check_of(verify(early, trust, witness), "witness").sentence
    grown = verify(late, trust, witness)
    assert f"seen before with {len(interim.entries)} entries" in check_of(grown, "witness").sentence
    assert f"seen before with {len(interim.entries)} entries" in check_of(grown, "limitSecondLog").sentence
    assert "the same" in check_of(verify(late, trust, witness), "witness").sentence


def test_a_report_reads_only_what_was_verified(tmp_path: Path) -> None:
    from edge.audit.folder import ExportFolder, FileError  # noqa: PLC0415

    made = tiny()
    folder = write(exported(made), tmp_path / "export")
    examination = examine(folder, trust_list(made))
    assert examination.election is not None
    with ExportFolder(folder) as opened:
        name = next(name for name in examination.facts if name.endswith("scan-a.png"))
        assert examination.read(opened, name) == (folder / name).read_bytes()
        (folder / name).write_bytes(b"another picture")
        with pytest.raises(FileError, match="fileUnstable"):
            examination.read(opened, name)


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="exportMissing"):
        verify(tmp_path / "missing", None)


def test_an_empty_folder_is_wrong_and_every_question_is_asked(tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    seen = verify(tmp_path / "export", trust_list(tiny()))
    assert {"manifest", "checkpoint", "package", "layout", "trustList"} <= failed(seen)
    assert ("fileMissing", "MANIFEST.json") in found(seen)
    assert (seen.origin, seen.size, seen.root, seen.sheets) == ("", 0, "", ())
