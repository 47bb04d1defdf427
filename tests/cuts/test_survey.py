"""Images on disk: whatever a check has left behind, the next one finds its own image and nothing else."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

import pytest

from hil.cuts.images import Cut, images
from hil.cuts.materialise import Materialiser
from hil.cuts.record import record
from hil.cuts.recording import Recording
from hil.cuts.survey import repeat, survey


@pytest.fixture
def recording(root: Path, tmp_path: Path) -> Recording:
    """Two folders with files of every sort."""
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    (root / "kept").write_bytes(bytes(300_000) + b"end")
    with record(root, keys) as recording:
        (root / "inner").mkdir(mode=0o755)
        (root / "inner" / "deep").write_bytes(b"d" * 5000)
        (root / "kept").open("r+b").close()
        with (root / "kept").open("r+b") as file:
            file.seek(100_000)
            file.write(b"w" * 9000)
            file.truncate(200_000)
        recording.mark("half")
        descriptor = os.open(keys / "key", os.O_WRONLY | os.O_CREAT, 0o400)
        os.write(descriptor, b"secret")
        os.fsync(descriptor)
        os.close(descriptor)
        (keys / "name").hardlink_to(keys / "key")
        (root / "inner" / "deep").rename(root / "moved")
        (root / "inner").rmdir()
        (root / "inner").write_bytes(b"a file where a folder was")
        keys.chmod(0o500)
        recording.mark("done")
    keys.chmod(0o700)
    return recording


def _same(targets: Mapping[Path, Path], cut: Cut) -> None:
    """The folders hold the image, no more and no less."""
    expected = {}
    for place, held in zip(cut.image.places, cut.image.contents, strict=True):
        path = targets[cut.image.roots[place.root]] / place.path
        expected[path] = (place.mode, None if held is None else bytes(held))
    found = {}
    for target in targets.values():
        for path in (target, *target.rglob("*")):
            about = path.lstat()
            found[path] = (stat.S_IMODE(about.st_mode), None if path.is_dir() else path.read_bytes())
    assert found == expected


def test_every_image_is_written_whole(recording: Recording, tmp_path: Path) -> None:
    for number, cut in enumerate(images(recording)):
        targets = {root: tmp_path / str(number) / root.name for root in recording.roots}
        cut.write_to(targets)
        _same(targets, cut)


def test_one_image_follows_another_whatever_was_done_to_it(recording: Recording, tmp_path: Path) -> None:
    targets = {root: tmp_path / "images" / root.name for root in recording.roots}
    materialiser = Materialiser(targets)
    mischief = 0
    for cut in images(recording):
        materialiser.put(cut.image)
        _same(targets, cut)
        mischief = (mischief + 1) % 8
        for target in targets.values():
            target.chmod(0o700)
            for path in list(target.rglob("*")):
                _do(mischief, path)


def _do(mischief: int, path: Path) -> None:
    if mischief == 0:
        (path.parent / "extra").mkdir(exist_ok=True)
        (path.parent / "extra" / "file").touch()
    if not path.is_file():
        return
    path.chmod(0o600)
    if mischief == 1:
        with path.open("r+b") as file:
            file.write(b"?")
    elif mischief == 2:
        path.unlink()
    elif mischief == 3:
        path.chmod(0o444)
    elif mischief == 4:
        path.unlink()
        path.mkdir()
    elif mischief == 5:
        with path.open("ab") as file:
            file.write(bytes(5000))
    elif mischief == 6:
        os.truncate(path, 0)


def test_two_names_of_one_file_stay_so(recording: Recording, tmp_path: Path) -> None:
    keys = recording.roots[1]
    both = [
        cut for cut in images(recording) if [place.path for place in cut.image.places if place.root == 1] == ["", "key", "name"]
    ]
    targets = {root: tmp_path / root.name / "out" for root in recording.roots}
    both[-1].write_to(targets)
    assert (targets[keys] / "key").samefile(targets[keys] / "name")


def test_only_empty_folders_are_written_to(recording: Recording, root: Path, tmp_path: Path) -> None:
    cut = next(images(recording))
    with pytest.raises(ValueError, match="not empty"):
        cut.write_to({root: root, recording.roots[1]: tmp_path / "out"})
    with pytest.raises(ValueError, match="no target for"):
        cut.write_to({root: tmp_path / "out"})


def test_a_survey_checks_every_cut_once(recording: Recording) -> None:
    seen = []

    def check(targets: Mapping[Path, Path], cut: Cut) -> None:
        _same(targets, cut)
        seen.append(cut.name)

    result = survey(recording, check)
    assert not result.failures, str(result)
    assert seen == [cut.name for cut in images(recording)]
    assert result.distinct == result.checked == len(seen)


def test_a_limited_survey_draws_evenly_and_says_how_many_there_are(recording: Recording) -> None:
    seen: list[int] = []
    every = [cut.index for cut in images(recording)]
    result = survey(recording, lambda _, cut: seen.append(cut.index), 20)
    assert (result.checked, result.distinct, len(seen)) == (20, len(every), 20)
    assert max(seen) > max(every) / 2
    assert survey(recording, lambda *_: None, len(every) + 1).checked == len(every)


def test_a_failure_has_a_name_that_repeats_it_and_can_be_looked_at(recording: Recording, root: Path, tmp_path: Path) -> None:
    def check(targets: Mapping[Path, Path], cut: Cut) -> None:
        moved = (targets[root] / "moved").exists()
        (targets[root] / "moved").unlink(missing_ok=True)
        if moved and "done" in cut.marks:
            raise ValueError("it was moved")

    result = survey(recording, check, keep=tmp_path / "failed")
    assert result.failures
    assert f"{len(result.failures)} failed" in str(result)
    for failure in result.failures:
        assert failure.error == "ValueError: it was moved"
        assert "check" in failure.traceback
        assert failure.cut.name in str(failure)
        with pytest.raises(ValueError, match="it was moved"):
            repeat(recording, failure.cut.name, check)
        # As it was before the check touched it.
        assert (tmp_path / "failed" / failure.cut.name / f"0-{root.name}" / "moved").exists()
    assert len(list((tmp_path / "failed").iterdir())) == len(result.failures)
    passed = next(cut.name for cut in images(recording) if cut.name not in {failure.cut.name for failure in result.failures})
    repeat(recording, passed, check)
    with pytest.raises(KeyError):
        repeat(recording, "00003.nothing", check)


def test_an_image_can_be_recorded_again(recording: Recording, tmp_path: Path) -> None:
    """A cut during the repair of what a cut has left: the repair is a program like any other."""
    cut = list(images(recording))[-1]
    targets = {root: tmp_path / "again" / root.name for root in recording.roots}
    cut.write_to(targets)
    with record(*targets.values()) as second:
        (targets[recording.roots[0]] / "moved").unlink(missing_ok=True)
        second.mark("repaired")
    assert survey(second, lambda *_: None).checked > 1
