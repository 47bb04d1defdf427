"""The layer proves itself: programs that break their promises are caught, and those that keep them pass every cut."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from hil.cuts.images import Cut
from hil.cuts.record import record
from hil.cuts.recording import Recording
from hil.cuts.survey import Survey, survey
from tests.cuts import books

OLD, NEW = b"old " * 700, b"new!" * 900


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def _write(path: Path, *, sync: bool) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for start in range(0, len(NEW), 1000):
        os.write(descriptor, NEW[start : start + 1000])
    if sync:
        os.fsync(descriptor)
    os.close(descriptor)


def _replace(folder: Path, *, sync_file: bool, sync_folder: bool) -> None:
    _write(folder / "new", sync=sync_file)
    (folder / "new").replace(folder / "it")
    if sync_folder:
        _sync(folder)


def _surveyed(root: Path, program: Callable[[Path], None]) -> Survey:
    """The file holds the old or the new, whole, and after the acknowledgement the new."""
    (root / "it").write_bytes(OLD)
    with record(root) as recording:
        program(root)
        recording.mark("acknowledged")

    def check(targets: Mapping[Path, Path], cut: Cut) -> None:
        held = (targets[root] / "it").read_bytes()
        if held not in {OLD, NEW}:
            raise ValueError("torn")
        if cut.marks and held == OLD:
            raise ValueError("lost")

    return survey(recording, check)


def _verdicts(result: Survey) -> set[str]:
    return {failure.error for failure in result.failures}


@pytest.mark.parametrize(
    ("program", "verdicts"),
    [
        (lambda root: _write(root / "it", sync=False), {"ValueError: torn", "ValueError: lost"}),
        (lambda root: _write(root / "it", sync=True), {"ValueError: torn"}),
        (lambda root: _replace(root, sync_file=False, sync_folder=False), {"ValueError: torn", "ValueError: lost"}),
        (lambda root: _replace(root, sync_file=False, sync_folder=True), {"ValueError: torn"}),
        (lambda root: _replace(root, sync_file=True, sync_folder=False), {"ValueError: lost"}),
        (lambda root: (root / "it").write_bytes(NEW), {"ValueError: torn", "ValueError: lost"}),
    ],
    ids=["writes in place", "writes in place, syncs", "renames", "renames, syncs the folder", "syncs, renames", "write_bytes"],
)
def test_a_careless_writer_is_caught(root: Path, program: Callable[[Path], None], verdicts: set[str]) -> None:
    assert _verdicts(_surveyed(root, program)) == verdicts


def test_a_careful_writer_passes_every_cut(root: Path) -> None:
    result = _surveyed(root, lambda root: _replace(root, sync_file=True, sync_folder=True))
    assert not result.failures, str(result)
    assert result.checked > 30


def test_a_new_file_is_not_certain_before_its_folder_is_synced(root: Path) -> None:
    with record(root) as recording:
        _write(root / "it", sync=True)
        recording.mark("synced")
        _sync(root)
        recording.mark("folder synced")

    found: Counter[tuple[str | None, bool]] = Counter()

    def check(targets: Mapping[Path, Path], cut: Cut) -> None:
        found[cut.marks[-1] if cut.marks else None, (targets[root] / "it").exists()] += 1

    survey(recording, check)
    # As on ext4, where the sync of a file saves its name, and as POSIX has it, where it does not.
    assert found["synced", True]
    assert found["synced", False]
    assert found["folder synced", True]
    assert not found["folder synced", False]


def test_a_second_medium_is_not_made_certain_by_the_first(tmp_path: Path) -> None:
    roots = (tmp_path / "first", tmp_path / "second")
    for root in roots:
        root.mkdir()
        (root / "it").write_bytes(OLD)

    def both(sync: Callable[[Path], bool]) -> Recording:
        with record(*roots) as recording:
            for root in roots:
                _replace(root, sync_file=True, sync_folder=sync(root))
            recording.mark("acknowledged")
        return recording

    def check(targets: Mapping[Path, Path], cut: Cut) -> None:
        held = [(targets[root] / "it").read_bytes() for root in roots]
        assert set(held) <= {OLD, NEW}
        assert not cut.marks or held == [NEW, NEW]
        # The second is written when the first is done.
        assert held != [OLD, NEW]

    careless = survey(both(lambda root: root == roots[1]), check)
    assert careless.failures
    for root in roots:
        (root / "it").write_bytes(OLD)
    careful = survey(both(lambda _: True), check)
    assert not careful.failures, str(careful)


# SQLite.


def _kinds(result: Survey) -> set[str]:
    return {failure.error.partition(":")[0] for failure in result.failures}


@pytest.mark.parametrize(
    ("journal", "synchronous"), [("WAL", "FULL"), ("WAL", "EXTRA"), ("DELETE", "EXTRA"), ("PERSIST", "FULL")]
)
@pytest.mark.parametrize("ending", ["", "PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM"])
def test_sqlite_keeps_what_it_acknowledged_and_is_never_damaged(root: Path, journal: str, synchronous: str, ending: str) -> None:
    result = survey(books.counted(root, journal, synchronous, ending=ending), books.check)
    assert not result.failures, str(result)
    assert result.checked > 300


def test_sqlite_in_wal_mode_without_full_syncs_loses_commits_but_is_never_damaged(root: Path) -> None:
    result = survey(books.counted(root, "WAL", "NORMAL"), books.check)
    assert _kinds(result) == {"LostError"}


@pytest.mark.parametrize("journal", ["WAL", "DELETE"])
def test_sqlite_without_syncs_loses_commits_and_is_damaged(root: Path, journal: str) -> None:
    result = survey(books.counted(root, journal, "OFF"), books.check, 1500)
    assert _kinds(result) == {"LostError", "DamagedError"}


def test_sqlite_loses_a_commit_when_its_journal_comes_back_from_the_dead(root: Path) -> None:
    """The window of DELETE with FULL: the deletion of the journal is the commit, and nobody syncs it."""
    result = survey(books.counted(root, "DELETE", "FULL"), books.check)
    assert _kinds(result) == {"LostError"}
    assert all(failure.cut.during.startswith("mark ") for failure in result.failures)


def test_the_marks_of_a_cut_are_those_that_were_passed(root: Path) -> None:
    recording = books.counted(root, "WAL", "FULL", commits=3)
    assert recording.marks == [books.MADE, *(f"acknowledged: {number}" for number in range(3)), "closed"]

    def check(_: Mapping[Path, Path], cut: Cut) -> None:
        assert list(cut.marks) == recording.marks[: len(cut.marks)]
        if cut.index < len(recording.operations):
            assert len(cut.marks) in {recording.operations[cut.index].step, recording.operations[cut.index].step + 1}

    result = survey(recording, check)
    assert not result.failures, str(result)
