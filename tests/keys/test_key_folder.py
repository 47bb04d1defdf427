"""The folder of private keys: what it keeps, and who may reach it."""

from __future__ import annotations

import os
import pickle
import socket
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from edge.evidence.keys.key_folder import KeyFileError, KeyFolder
from edge.evidence.keys.private_file import MOST_BYTES

SECRET = b"a secret of some length"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")


@pytest.fixture
def folder(tmp_path: Path) -> KeyFolder:
    return KeyFolder(tmp_path / "keys").open(create=True)


def code(call: Callable[[], object]) -> str:
    """The code with which a call is refused; the sentence ends in something to do, and holds no secret."""
    with pytest.raises(KeyFileError) as refused:
        call()
    assert str(refused.value) == f"{refused.value.code}: {refused.value.detail}"
    assert SECRET.decode() not in str(refused.value)
    return refused.value.code


def names(folder: KeyFolder) -> list[str]:
    return sorted(path.name for path in folder.path.iterdir())


def test_what_was_written_is_read_and_belongs_to_its_owner_alone(folder: KeyFolder) -> None:
    folder.write_new("device.key", SECRET)
    assert folder.read("device.key") == SECRET
    assert names(folder) == ["device.key"]
    about = (folder.path / "device.key").stat()
    assert stat.S_IMODE(about.st_mode) == 0o600
    assert about.st_nlink == 1
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700


@pytest.mark.parametrize("umask", [0, 0o077, 0o777])
def test_modes_do_not_depend_on_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        folder = KeyFolder(tmp_path / "keys").open(create=True)
        folder.write_new("device.key", SECRET)
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder.path / "device.key").stat().st_mode) == 0o600


def test_opening_again_keeps_what_is_there(folder: KeyFolder) -> None:
    folder.write_new("device.key", SECRET)
    folder.open(create=True)
    folder.open()
    assert folder.read("device.key") == SECRET


def test_a_missing_folder_is_made_only_when_asked_for(tmp_path: Path) -> None:
    missing = KeyFolder(tmp_path / "keys")
    assert code(missing.open) == "keyMissing"
    assert code(lambda: missing.read("device.key")) == "keyMissing"
    assert code(lambda: missing.write_new("device.key", SECRET)) == "keyMissing"
    assert not missing.path.exists()
    assert code(lambda: KeyFolder(tmp_path / "no" / "keys").open(create=True)) == "keyMissing"


def test_a_file_is_never_written_over(folder: KeyFolder) -> None:
    folder.write_new("device.key", SECRET)
    assert code(lambda: folder.write_new("device.key", b"another")) == "keyExists"
    assert folder.read("device.key") == SECRET
    assert names(folder) == ["device.key"]


def test_of_many_who_write_the_same_name_one_succeeds(folder: KeyFolder) -> None:
    def write(number: int) -> str:
        try:
            KeyFolder(folder.path).write_new("device.key", b"%d" % number)
        except KeyFileError as error:
            return error.code
        return "written"

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(write, range(24)))
    assert sorted(results) == ["keyExists"] * 23 + ["written"]
    assert folder.read("device.key") == b"%d" % results.index("written")
    assert names(folder) == ["device.key"]


def test_replacing_puts_the_new_content_in_place(folder: KeyFolder) -> None:
    folder.replace("box.key", b"first")
    folder.replace("box.key", b"second")
    assert folder.read("box.key") == b"second"
    assert names(folder) == ["box.key"]


def test_a_removed_file_is_gone_and_overwritten(folder: KeyFolder, tmp_path: Path) -> None:
    folder.write_new("day-1.key", SECRET)
    watched = tmp_path / "the same content under another name"
    watched.hardlink_to(folder.path / "day-1.key")
    folder.remove("day-1.key")
    assert watched.read_bytes() == bytes(len(SECRET))
    assert names(folder) == []
    assert code(lambda: folder.remove("day-1.key")) == "keyMissing"


@pytest.mark.parametrize("mode", [0o701, 0o710, 0o750, 0o755, 0o777, 0o1770, 0o740, 0o702])
def test_a_folder_that_others_may_reach_is_refused(folder: KeyFolder, mode: int) -> None:
    folder.write_new("device.key", SECRET)
    folder.path.chmod(mode)
    for call in (
        folder.open,
        lambda: folder.open(create=True),
        lambda: folder.read("device.key"),
        lambda: folder.write_new("new.key", SECRET),
        lambda: folder.replace("device.key", SECRET),
        lambda: folder.remove("device.key"),
    ):
        assert code(call) == "keyTooOpen"
    folder.path.chmod(0o700)
    assert folder.read("device.key") == SECRET


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o666])
def test_a_file_that_others_may_reach_is_refused(folder: KeyFolder, mode: int) -> None:
    folder.write_new("device.key", SECRET)
    (folder.path / "device.key").chmod(mode)
    assert code(lambda: folder.read("device.key")) == "keyTooOpen"
    assert code(lambda: folder.replace("device.key", b"new")) == "keyTooOpen"
    assert code(lambda: folder.remove("device.key")) == "keyTooOpen"
    assert (folder.path / "device.key").read_bytes() == SECRET


@needs_root
def test_what_belongs_to_another_user_is_refused(folder: KeyFolder) -> None:
    folder.write_new("device.key", SECRET)
    os.chown(folder.path / "device.key", 12345, -1)
    assert code(lambda: folder.read("device.key")) == "keyForeign"
    assert code(lambda: folder.remove("device.key")) == "keyForeign"
    os.chown(folder.path / "device.key", os.geteuid(), -1)
    os.chown(folder.path, 12345, -1)
    assert code(folder.open) == "keyForeign"
    assert code(lambda: folder.read("device.key")) == "keyForeign"


def test_another_user_is_refused_what_is_ours(folder: KeyFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write_new("device.key", SECRET)
    another = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: another)
    with pytest.raises(KeyFileError, match=f"runs as user {another}") as refused:
        folder.read("device.key")
    assert refused.value.code == "keyForeign"


def test_a_link_to_a_folder_is_refused(folder: KeyFolder, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(folder.path)
    assert code(KeyFolder(link).open) == "keyForeign"
    assert code(lambda: KeyFolder(link).open(create=True)) == "keyForeign"
    link.unlink()
    link.symlink_to(tmp_path / "nowhere")
    assert code(lambda: KeyFolder(link).open(create=True)) == "keyForeign"
    assert not (tmp_path / "nowhere").exists()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "keys").write_bytes(SECRET)
    assert code(lambda: KeyFolder(tmp_path / "keys").open(create=True)) == "keyForeign"
    assert code(KeyFolder(tmp_path / "keys" / "more").open) == "keyForeign"


def a_link(path: Path) -> None:
    (path.parent / "aim").write_bytes(SECRET)
    (path.parent / "aim").chmod(0o600)
    path.symlink_to("aim")


def a_dangling_link(path: Path) -> None:
    path.symlink_to("nowhere")


def a_pipe(path: Path) -> None:
    os.mkfifo(path, 0o600)


def a_folder(path: Path) -> None:
    path.mkdir(0o700)


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.fspath(path))
    path.chmod(0o600)


@pytest.mark.parametrize("make", [a_link, a_dangling_link, a_pipe, a_folder, a_socket])
def test_what_is_no_plain_file_is_refused_and_left_alone(folder: KeyFolder, make: Callable[[Path], None]) -> None:
    path = folder.path / "device.key"
    make(path)
    kind = stat.S_IFMT(path.lstat().st_mode)
    assert code(lambda: folder.read("device.key")) == "keyForeign"
    assert code(lambda: folder.write_new("device.key", b"new")) == "keyExists"
    assert code(lambda: folder.replace("device.key", b"new")) == "keyForeign"
    assert code(lambda: folder.remove("device.key")) == "keyForeign"
    assert stat.S_IFMT(path.lstat().st_mode) == kind


def test_what_is_exchanged_between_look_and_use_is_refused(folder: KeyFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write_new("device.key", SECRET)
    good = (folder.path / "device.key").lstat()
    (folder.path / "device.key").unlink()
    a_link(folder.path / "device.key")
    real_stat = os.stat

    def stat_of_before(path: Any, **options: Any) -> os.stat_result:  # noqa: ANN401  as os.stat takes them
        return good if path == "device.key" else real_stat(path, **options)

    monkeypatch.setattr(os, "stat", stat_of_before)
    assert code(lambda: folder.read("device.key")) == "keyForeign"


@pytest.mark.parametrize("size", [0, MOST_BYTES + 1, 1 << 40])
def test_an_empty_or_huge_file_is_no_key(folder: KeyFolder, size: int) -> None:
    path = folder.path / "device.key"
    path.touch(0o600)
    os.truncate(path, size)  # sparse
    assert code(lambda: folder.read("device.key")) == "keyMalformed"
    folder.remove("device.key")
    assert names(folder) == []


@pytest.mark.parametrize("content", [b"", bytes(MOST_BYTES + 1)])
def test_an_empty_or_huge_content_is_a_mistake_of_the_caller(folder: KeyFolder, content: bytes) -> None:
    for call in (folder.write_new, folder.replace):
        with pytest.raises(ValueError, match="1 to 65536 bytes"):
            call("device.key", content)
    assert names(folder) == []


def test_the_largest_content_fits(folder: KeyFolder) -> None:
    folder.write_new("device.key", bytes(MOST_BYTES))
    assert folder.read("device.key") == bytes(MOST_BYTES)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../device.key", "a/b", ".hidden", "Device.key", "a\0b", "a b", "a" * 128, "é.key"]
)
def test_names_that_lead_elsewhere_are_a_mistake_of_the_caller(folder: KeyFolder, name: str) -> None:
    for call in (
        lambda: folder.read(name),
        lambda: folder.write_new(name, SECRET),
        lambda: folder.replace(name, SECRET),
        lambda: folder.remove(name),
    ):
        with pytest.raises(ValueError, match="cannot be the name"):
            call()


def test_no_descriptor_stays_open(folder: KeyFolder) -> None:
    def opened() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = opened()
    folder.write_new("day.key", SECRET)
    folder.read("day.key")
    code(lambda: folder.write_new("day.key", SECRET))
    code(lambda: folder.read("none.key"))
    folder.remove("day.key")
    assert opened() == before


def test_the_error_survives_pickling(folder: KeyFolder) -> None:
    with pytest.raises(KeyFileError) as refused:
        folder.read("none.key")
    copy = pickle.loads(pickle.dumps(refused.value))  # noqa: S301  our own
    assert (copy.code, copy.detail) == (refused.value.code, refused.value.detail)
    assert repr(folder) == f"KeyFolder({str(folder.path)!r})"
