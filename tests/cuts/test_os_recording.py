"""What a program does through `os` and `open` is taken down, and what cannot be is refused."""

from __future__ import annotations

import builtins
import io
import os
import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from hil.cuts.error import RecordingError
from hil.cuts.medium import Medium
from hil.cuts.operations import (
    AllSynced,
    Entered,
    FolderSynced,
    Marked,
    ModeSet,
    Moved,
    Operation,
    Removed,
    Resized,
    Synced,
    Wrote,
)
from hil.cuts.record import record
from hil.cuts.recording import Recording


def _kinds(recording: Recording) -> list[type[Operation]]:
    return [type(recorded.operation) for recorded in recording.operations if not isinstance(recorded.operation, ModeSet)]


def _found(recording: Recording, root: Path, path: str) -> bytes:
    """What is read in the end, according to the recording."""
    medium = Medium(recording)
    for recorded in recording.operations:
        medium.apply(recorded.operation)
    return medium.now().read(root, path)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(descriptor)
    os.close(descriptor)


def test_a_careful_writer_is_taken_down_step_by_step(root: Path) -> None:
    with record(root) as recording:
        descriptor = os.open(root / "new", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(descriptor, b"some")
        os.pwrite(descriptor, b"thing", 4)
        os.fsync(descriptor)
        os.close(descriptor)
        (root / "new").rename(root / "it")
        _sync_folder(root)
        recording.mark("acknowledged")
    assert _kinds(recording) == [Entered, Wrote, Wrote, Synced, Moved, FolderSynced, Marked]
    assert recording.marks == ["acknowledged"]
    assert [recorded.step for recorded in recording.operations] == [0] * len(recording.operations)
    assert [str(recorded) for recorded in recording.operations[-6:]] == [
        "write 4 bytes at 0 of evidence/new",
        "write 5 bytes at 4 of evidence/new",
        "sync evidence/new",
        "rename evidence/new to evidence/it",
        "sync evidence",
        "mark acknowledged",
    ]


def _append(root: Path) -> None:
    descriptor = os.open(root / "old", os.O_WRONLY | os.O_APPEND)
    os.write(descriptor, b"+1")
    os.pwrite(descriptor, b"+2", 0)
    os.writev(descriptor, [b"+", b"3"])
    os.close(descriptor)


def _through_streams(root: Path) -> None:
    (root / "text").write_text("grüße\n", encoding="utf-8")
    (root / "bytes").write_bytes(bytes(100_000))
    with (root / "old").open("r+b") as file:
        file.seek(5)
        file.write(b"X")
        file.truncate(7)
        file.flush()
        os.fsync(file.fileno())
    with (root / "old").open("ab") as file:
        file.write(b"end")
    with os.fdopen(os.open(root / "three", os.O_RDWR | os.O_CREAT, 0o640), "wb") as file:
        file.write(b"3")


def _through_temporary_files(root: Path) -> None:
    with tempfile.NamedTemporaryFile(dir=root, delete=False) as file:
        file.write(b"temporary")
    Path(file.name).replace(root / "old")
    descriptor, name = tempfile.mkstemp(dir=root)
    os.write(descriptor, b"x")
    os.close(descriptor)
    Path(name).unlink()


def _without_a_name(root: Path) -> None:
    descriptor = os.open(root, os.O_WRONLY | os.O_TMPFILE, 0o600)
    os.write(descriptor, b"linked when it is whole")
    os.fsync(descriptor)
    # Python follows the link only when it is given a folder.
    own = os.open("/proc/self/fd", os.O_RDONLY | os.O_DIRECTORY)
    os.link(str(descriptor), root / "whole", src_dir_fd=own, follow_symlinks=True)
    os.close(own)
    os.close(descriptor)


def _with_descriptors_of_folders(root: Path) -> None:
    top = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    os.mkdir("inner", 0o700, dir_fd=top)
    inner = os.open("inner", os.O_RDONLY | os.O_DIRECTORY, dir_fd=top)
    descriptor = os.open("a", os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=inner)
    os.pwritev(descriptor, [b"a", b"b"], 3)
    os.link("a", "b", src_dir_fd=inner, dst_dir_fd=top)
    os.rename("a", "c", src_dir_fd=inner, dst_dir_fd=inner)
    os.unlink("c", dir_fd=inner)
    os.replace("b", "d", src_dir_fd=top, dst_dir_fd=inner)
    os.fchmod(descriptor, 0o400)
    os.fsync(inner)
    for each in (descriptor, inner, top):
        os.close(each)


def _folders(root: Path) -> None:
    (root / "one" / "two").mkdir(parents=True)
    (root / "one" / "two" / "file").write_bytes(b"deep")
    (root / "one").rename(root / "uno")
    (root / "uno" / "two" / "file").write_bytes(b"deeper")
    (root / "gone").mkdir()
    (root / "gone").rmdir()
    (root / "tree" / "branch").mkdir(parents=True)
    (root / "tree" / "branch" / "leaf").touch()
    shutil.rmtree(root / "tree")
    (root / "uno").chmod(0o700)


def _lengths(root: Path) -> None:
    descriptor = os.open(root / "old", os.O_RDWR)
    os.ftruncate(descriptor, 3)
    os.posix_fallocate(descriptor, 0, 10_000)
    os.posix_fallocate(descriptor, 0, 10)
    os.truncate(root / "old", 9_000)
    os.truncate(descriptor, 8_000)
    os.close(descriptor)
    os.close(os.open(root / "old", os.O_WRONLY | os.O_TRUNC))


def _names_of_one_file(root: Path) -> None:
    (root / "second").hardlink_to(root / "old")
    (root / "second").write_bytes(b"through the second name")
    os.rename(root / "second", root / "old")  # noqa: PTH104  nothing happens: they are one file
    (root / "old").unlink()
    (root / "old").write_bytes(b"another")
    assert (root / "second").read_bytes() == b"through the second name"


def _open_without_a_name(root: Path) -> None:
    descriptor = os.open(root / "old", os.O_RDWR)
    (root / "old").unlink()
    os.pwrite(descriptor, b"nobody reads this", 0)
    os.close(descriptor)


def _relative(root: Path) -> None:
    before = Path.cwd()
    os.chdir(root)
    try:
        Path("here").write_bytes(b"here")
        Path("./old").unlink()
        os.rename(b"here", b"../evidence/there")  # noqa: PTH104  paths may be bytes
    finally:
        os.chdir(before)


@pytest.mark.parametrize(
    "act",
    [
        _append,
        _through_streams,
        _through_temporary_files,
        _without_a_name,
        _with_descriptors_of_folders,
        _folders,
        _lengths,
        _names_of_one_file,
        _open_without_a_name,
        _relative,
    ],
)
def test_the_replay_of_a_recording_is_what_is_there(root: Path, act: Callable[[Path], None]) -> None:
    (root / "old").write_bytes(b"what was here before")
    with record(root) as recording:
        act(root)
    # `record` has compared everything; here, once more, without it.
    for path in root.rglob("*"):
        if path.is_file():
            assert _found(recording, root, str(path.relative_to(root))) == path.read_bytes()


def test_a_file_opened_for_synchronous_writing_is_synced_by_every_write(root: Path) -> None:
    with record(root) as recording:
        descriptor = os.open(root / "log", os.O_WRONLY | os.O_CREAT | os.O_DSYNC)
        os.write(descriptor, b"a")
        os.close(descriptor)
    assert _kinds(recording) == [Entered, Wrote, Synced]


def test_syncs_of_every_kind_are_taken_down(root: Path) -> None:
    with record(root) as recording, (root / "a").open("wb") as file:
        file.write(b"a")
        file.flush()
        os.fdatasync(file)
        os.sync()
    assert _kinds(recording) == [Entered, Wrote, Synced, AllSynced]


def test_what_happens_elsewhere_is_not_taken_down(root: Path, tmp_path: Path) -> None:
    with record(root) as recording:
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "file").write_bytes(b"x")
        (tmp_path / "other" / "file").rename(tmp_path / "file")
        with tempfile.TemporaryFile() as file:
            file.write(b"x")
            os.fsync(file)
    assert recording.operations == []


def test_several_folders_are_recorded_together_and_named_apart(tmp_path: Path) -> None:
    roots = [tmp_path / "first" / "evidence", tmp_path / "second" / "evidence", tmp_path / "keys"]
    for folder in roots:
        folder.mkdir(parents=True)
    with record(*roots) as recording:
        for folder in roots:
            (folder / "it").write_bytes(folder.name.encode())
        (roots[0] / "it").rename(roots[1] / "its")
    wheres = [recorded.where for recorded in recording.operations if isinstance(recorded.operation, Wrote | Moved)]
    assert wheres == ["evidence(1)/it", "evidence(2)/it", "keys/it", "evidence(1)/it to evidence(2)/its"]


def test_threads_are_recorded_in_the_order_of_their_writes(root: Path) -> None:
    (root / "shared").write_bytes(bytes(64))

    def work(number: int) -> None:
        descriptor = os.open(root / "shared", os.O_RDWR)
        for _ in range(200):
            os.pwrite(descriptor, bytes([number]) * 64, 0)
        os.close(descriptor)

    with record(root) as recording:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(recording.operations) == 800


def test_afterwards_everything_is_as_it_was(root: Path) -> None:
    before = {name: getattr(os, name) for name in dir(os)}
    sets = {name: set(getattr(os, name)) for name in dir(os) if name.startswith("supports_") and name != "supports_bytes_environ"}
    openers = builtins.open, io.open
    with record(root):
        assert os.open is not before["open"]
        assert os.open in os.supports_dir_fd
    with pytest.raises(ZeroDivisionError), record(root):
        raise ZeroDivisionError
    assert {name: getattr(os, name) for name in dir(os)} == before
    assert {name: getattr(os, name) for name in sets} == sets
    assert (builtins.open, io.open) == openers


def test_a_call_that_fails_leaves_no_trace(root: Path) -> None:
    (root / "full").mkdir()
    (root / "full" / "file").touch()
    with record(root) as recording:
        for attempt in (
            (root / "none").unlink,
            (root / "full").rmdir,
            (root / "full").mkdir,
            lambda: (root / "none").rename(root / "some"),
            lambda: os.open(root / "full" / "file", os.O_CREAT | os.O_EXCL),
            lambda: os.link(root / "none", root / "some"),
            lambda: os.truncate(root / "none", 3),
            (root / "none" / "inner").touch,
            lambda: os.pwrite(99, b"x", 0),
        ):
            with pytest.raises(OSError):  # noqa: PT011  whatever the system says
                attempt()
    assert recording.operations == []


# What cannot be recorded.


def _refused(root: Path, act: Callable[[], object], match: str) -> None:
    """It is refused at once, and again at the end, should the program have gone on."""
    with (
        pytest.raises(RecordingError, match=match) as in_the_end,
        record(root),
        pytest.raises(RecordingError, match=match) as at_once,
    ):
        act()
    assert (at_once.value.code, in_the_end.value.code) == ("notRecorded", "notRecorded")


def test_what_nothing_records_is_refused(root: Path, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"x" * 10_000)
    (root / "there").touch()
    _refused(root, lambda: (root / "link").symlink_to("there"), "os.symlink")
    _refused(root, lambda: os.mkfifo(root / "pipe"), "os.mkfifo")
    _refused(root, lambda: shutil.copyfile(tmp_path / "source", root / "there"), "os.sendfile")
    _refused(root, lambda: (tmp_path / "source").rename(root / "from outside"), "was not recorded")
    _refused(root, lambda: (root / "inner").hardlink_to(tmp_path / "source"), "link to a file")


def test_a_folder_does_not_leave(root: Path, tmp_path: Path) -> None:
    (root / "inner").mkdir()
    _refused(root, lambda: (root / "inner").rename(tmp_path / "outer"), "leaves the recorded folders")


def test_a_recorded_folder_stays_where_it_is(root: Path, tmp_path: Path) -> None:
    _refused(root, root.rmdir, "must stay")
    _refused(root, lambda: root.rename(tmp_path / "elsewhere"), "must stay")
    with record(root) as recording:
        root.chmod(0o700)
    assert [type(recorded.operation) for recorded in recording.operations] == [ModeSet]


def _behind_the_back(path: Path, data: bytes) -> None:
    with io.FileIO(path, "w") as file:
        file.write(data)


def test_what_went_past_the_recording_is_found_at_the_end(root: Path) -> None:
    (root / "known").write_bytes(b"known")
    for name, words in (("known", "contents of"), ("unknown", "was not recorded")):
        with pytest.raises(RecordingError, match=words) as error, record(root):
            _behind_the_back(root / name, b"other")
        assert error.value.code == "replayDiffers"
        (root / "unknown").unlink(missing_ok=True)


def test_who_goes_on_with_a_file_that_went_past_is_stopped(root: Path) -> None:
    path = root / "unknown"
    _behind_the_back(path, b"x")
    path.unlink()

    def act() -> None:
        _behind_the_back(path, b"x")
        path.rename(root / "known")

    _refused(root, act, "not recorded")
    path.unlink()

    def write() -> None:
        _behind_the_back(path, b"x")
        os.write(os.open(path, os.O_WRONLY), b"y")

    _refused(root, write, "not recorded")


def test_only_folders_can_be_recorded_each_once_and_by_one(root: Path) -> None:
    (root / "inner").mkdir()
    for roots in ([root / "none"], [root, root / "inner"], [root, root]):
        with pytest.raises(RecordingError) as error, record(*roots):
            pass
        assert error.value.code == "rootUnusable"
    with record(root), pytest.raises(RecordingError) as error, record(root):
        pass
    assert error.value.code == "alreadyRecording"
    (root / "link").symlink_to("inner")
    with pytest.raises(RecordingError, match="neither a file nor a folder"), record(root):
        pass


def test_a_resized_file_is_one_operation(root: Path) -> None:
    (root / "a").write_bytes(b"abc")
    with record(root) as recording:
        os.truncate(root / "a", 1)
        (root / "a").unlink()
    assert _kinds(recording) == [Resized, Removed]
