"""A folder of unknown honesty: nothing outside it is reached, nothing in it makes the reader wait or fill the memory."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.audit import folder as reading
from edge.audit.folder import ExportFolder, FileError, FolderError
from edge.audit.manifest import FileFacts


def code_of(folder: Path, name: str, most: int = 1000) -> str:
    with ExportFolder(folder) as opened, pytest.raises(FileError) as refused:
        opened.read(name, most)
    assert refused.value.name == name
    assert opened.errors[name] is refused.value
    return refused.value.code


def codes(folder: Path) -> set[tuple[str, str]]:
    with ExportFolder(folder) as opened:
        return {(finding.code, finding.file) for finding in opened.listing().findings}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "export"
    (made / "inner").mkdir(parents=True)
    (made / "inner" / "file").write_bytes(b"content")
    return made


def test_files_are_read_and_listed(folder: Path) -> None:
    with ExportFolder(folder) as opened:
        assert opened.read("inner/file") == b"content"
        assert opened.facts == {"inner/file": FileFacts.of("inner/file", b"content")}
        assert opened.look("inner/file") == FileFacts.of("inner/file", b"content")
        assert (opened.listing().files, opened.listing().findings) == ({"inner/file": 7}, ())
        assert opened.name == "export"


def test_a_folder_has_a_name_from_within(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    with ExportFolder(Path()) as opened:
        assert opened.name == "export"


def test_what_is_no_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    for path, code in (
        (tmp_path / "missing", "exportMissing"),
        (folder / "inner" / "file", "exportUnreadable"),
        (tmp_path / "link", "exportUnreadable"),
        (Path("a\0b"), "exportUnreadable"),
    ):
        with pytest.raises(FolderError) as refused:
            ExportFolder(path)
        assert refused.value.code == code


def test_links_are_never_followed(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    (folder / "file-link").symlink_to(outside / "secret")
    (folder / "folder-link").symlink_to(outside)
    (folder / "broken-link").symlink_to(tmp_path / "nothing")
    assert code_of(folder, "file-link") == "fileLink"
    assert code_of(folder, "folder-link/secret") == "fileMissing"
    assert code_of(folder, "broken-link") == "fileLink"
    assert codes(folder) == {("fileLink", name) for name in ("file-link", "folder-link", "broken-link")}


def test_pipes_sockets_devices_and_folders_are_no_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(folder / "pipe")
    monkeypatch.chdir(folder)  # a socket's path may not be long
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        assert code_of(folder, "pipe") == "fileSpecial"
        assert code_of(folder, "socket") == "fileSpecial"
        assert code_of(folder, "inner") == "fileSpecial"
        assert codes(folder) == {("fileSpecial", "pipe"), ("fileSpecial", "socket")}


def test_a_device_is_not_even_opened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        os.mknod(folder / "device", 0o600 | 0o020000, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("only root can make a device")
    opened: list[object] = []
    real = os.open

    def watched(path: str, *arguments: int, **more: int) -> int:
        opened.append(path)
        return real(path, *arguments, **more)

    monkeypatch.setattr(os, "open", watched)
    assert code_of(folder, "device") == "fileSpecial"
    assert "device" not in opened


@pytest.mark.parametrize(
    "name",
    ["", "/etc/passwd", "../export/inner/file", "inner/../inner/file", "inner//file", "inner/", "./inner/file", "a\0b", "\ud800"],
)
def test_names_that_lead_elsewhere_are_no_files(folder: Path, name: str) -> None:
    assert code_of(folder, name) == "fileMissing"


@given(st.text())
def test_any_name_is_a_file_or_none(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    with ExportFolder(tmp_path_factory.getbasetemp()) as opened, pytest.raises(FileError):
        opened.read(name, 0)


def test_a_file_of_too_many_bytes_is_not_read(folder: Path) -> None:
    with (folder / "huge").open("wb") as file:
        file.truncate(1 << 40)
    assert code_of(folder, "huge") == "fileTooLarge"
    assert code_of(folder, "inner/file", 6) == "fileTooLarge"


def test_a_file_that_grows_or_shrinks_while_it_is_read_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fstat

    class Lying:
        def __init__(self, status: os.stat_result, size: int) -> None:
            self.st_mode, self.st_size = status.st_mode, size

    for size in (6, 8):
        monkeypatch.setattr(os, "fstat", lambda file, size=size: Lying(real(file), size))
        assert code_of(folder, "inner/file") == "fileUnstable"


def test_a_medium_that_gives_other_contents_the_second_time_is_found_out(folder: Path) -> None:
    with ExportFolder(folder) as opened:
        opened.read("inner/file")
        (folder / "inner" / "file").write_bytes(b"another")
        with pytest.raises(FileError, match="fileUnstable"):
            opened.read("inner/file")
        with pytest.raises(FileError, match="fileUnstable"):
            opened.look("inner/file")


def test_an_error_of_the_medium_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_file: int, _size: int) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "read", broken)
    assert code_of(folder, "inner/file") == "fileUnreadable"


def test_folders_in_folders_end(folder: Path) -> None:
    deep = folder.joinpath(*["f"] * 12)
    deep.mkdir(parents=True)
    (deep / "file").touch()
    assert codes(folder) == {("folderTooDeep", "/".join(["f"] * 9))}


def test_names_without_end_are_not_listed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_NAMES", 10)
    for number in range(20):
        (folder / f"{number:02}").mkdir()
        (folder / f"{number:02}" / "file").touch()
    with ExportFolder(folder) as opened:
        listing = opened.listing()
    assert [finding.code for finding in listing.findings] == ["tooManyFiles"]
    assert len(listing.files) <= 10


def test_a_folder_that_cannot_be_listed_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def refusing(path: str, *arguments: int, **more: int) -> int:
        if path == "inner":
            raise PermissionError(13, "Permission denied")
        return real(path, *arguments, **more)

    monkeypatch.setattr(os, "open", refusing)
    assert codes(folder) == {("folderUnreadable", "inner")}


def test_another_folder_under_the_same_name_is_another(folder: Path, tmp_path: Path) -> None:
    with ExportFolder(folder) as first:
        folder.rename(tmp_path / "moved")
        folder.mkdir()
        with ExportFolder(folder) as second:
            assert first.identity != second.identity
        assert first.read("inner/file") == b"content"
