"""Where an export may go: a real folder with room, away from the evidence, whose names other computers can read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from edge.audit.destination import Calls, Destination, NewFolder
from edge.audit.manifest import ExportError, FileFacts

if TYPE_CHECKING:
    from typing_extensions import Buffer

INSTANT_S = 1_793_664_000
NAME = "scrutineer-0001-00ff-7"
CONTENTS = {
    "README.txt": b"read me",
    "log/checkpoint": b"checkpoint",
    "log/tile/0/000.p/7": bytes(224),
    "log/vkey": b"key",
    "package/election.json": b"{}" * 4000,
    "sheets/one/scan-a.png": bytes(range(256)) * 9000,
    "sheets/two/scan-a.png": b"",
}
FACTS = [FileFacts.of(name, content) for name, content in CONTENTS.items()]


def put(path: Path, forbidden: tuple[Path, ...] = (), calls: Calls | None = None) -> Path:
    """Write all files and read them back."""
    with Destination(path, forbidden, calls) as medium:
        medium.check_room(NAME, FACTS)
        folder = medium.new_folder(NAME, INSTANT_S)
        try:
            fill(folder)
            folder.read_back(FACTS, lambda _: None)
        finally:
            folder.close()
    return path / NAME


def fill(folder: NewFolder) -> None:
    for name, content in CONTENTS.items():
        folder.write(name, content)
    folder.settle()


def refused(path: Path, forbidden: tuple[Path, ...] = (), calls: Calls | None = None) -> ExportError:
    with pytest.raises(ExportError) as told:
        put(path, forbidden, calls)
    assert told.value.advice.endswith(".")
    return told.value


def everything_in(folder: Path) -> Iterator[Path]:
    yield folder
    yield from folder.rglob("*")


def test_a_new_folder_holds_the_files_and_nothing_else(tmp_path: Path) -> None:
    made = put(tmp_path)
    files = {str(path.relative_to(made)): path.read_bytes() for path in made.rglob("*") if path.is_file()}
    assert files == CONTENTS
    assert list(tmp_path.iterdir()) == [made]


def test_every_file_and_folder_bears_the_same_time_also_after_it_was_read_back(tmp_path: Path) -> None:
    for path in everything_in(put(tmp_path)):
        found = path.stat()
        assert (found.st_mtime_ns, found.st_atime_ns) == (INSTANT_S * 10**9,) * 2, path


def test_nobody_else_may_write_into_it_and_nothing_in_it_can_be_run(tmp_path: Path) -> None:
    for path in everything_in(put(tmp_path)):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert not mode & 0o022
        assert path.is_dir() or not mode & 0o111


def test_what_is_there_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    assert refused(tmp_path).code == "destinationExists"
    assert list((tmp_path / NAME).iterdir()) == []


@pytest.mark.parametrize("target", ["elsewhere", "missing", "."])
def test_a_link_by_the_name_of_the_export_is_not_followed(tmp_path: Path, target: str) -> None:
    stick, elsewhere = tmp_path / "stick", tmp_path / "elsewhere"
    stick.mkdir()
    elsewhere.mkdir()
    (stick / NAME).symlink_to(tmp_path / target)
    assert refused(stick).code == "destinationExists"
    assert list(elsewhere.iterdir()) == []
    assert not (tmp_path / "missing").exists()


def test_the_destination_is_a_folder_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "stick").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "stick")
    os.mkfifo(tmp_path / "fifo")
    assert refused(tmp_path / "missing").code == "destinationMissing"
    assert refused(tmp_path / "missing" / "stick").code == "destinationMissing"
    for name in ("file", "link", "fifo"):
        assert refused(tmp_path / name).code == "destinationUnusable", name
    assert refused(Path(f"{tmp_path}/link/")).code == "destinationUnusable"
    assert refused(Path("\0")).code == "destinationUnusable"
    assert list((tmp_path / "stick").iterdir()) == []


def test_how_one_comes_to_the_destination_is_the_systems_affair(tmp_path: Path) -> None:
    (tmp_path / "media" / "stick").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "media")
    assert put(tmp_path / "link" / "stick").is_dir()


def test_no_export_goes_into_the_evidence_or_the_keys(tmp_path: Path) -> None:
    evidence, keys = tmp_path / "evidence", tmp_path / "keys"
    (evidence / "label" / "deep").mkdir(parents=True)
    keys.mkdir()
    (tmp_path / "way").symlink_to(tmp_path)
    (evidence / "out").symlink_to(tmp_path)
    forbidden = (evidence, keys, tmp_path / "not there")
    places = (
        evidence,
        keys,
        evidence / "label",
        evidence / "label" / "deep",
        tmp_path / "way" / "keys",
        keys / ".." / "evidence",
    )
    for place in places:
        assert refused(place, forbidden).code == "destinationIsEvidence", place
    assert {path.name for path in evidence.rglob("*")} == {"label", "deep", "out"}
    # Beside them is all right, also when a link leads there from within.
    assert put(tmp_path, forbidden).is_dir()


def test_evidence_that_is_named_by_a_link_is_evidence(tmp_path: Path) -> None:
    (tmp_path / "evidence").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "evidence")
    assert refused(tmp_path / "evidence", (tmp_path / "link",)).code == "destinationIsEvidence"


class OtherMedium(Calls):
    """A medium of another size and kind."""

    def __init__(self, *, is_fat: bool = False, **figures: int) -> None:
        self._is_fat = is_fat
        self._figures = figures

    def fstatvfs(self, descriptor: int) -> os.statvfs_result:
        names = ("f_bsize", "f_frsize", "f_bavail", "f_files", "f_favail", "f_flag", "f_namemax")
        found = os.fstatvfs(descriptor)
        figures = {name: getattr(found, name) for name in names} | self._figures
        return SimpleNamespace(**figures)  # type: ignore[return-value]

    def is_fat(self, descriptor: int) -> bool:  # type: ignore[override]
        assert Calls.is_fat(descriptor) in {False, True}
        return self._is_fat


def clusters(cluster: int) -> int:
    """How many the export takes: files, folders, and the spare."""
    folders = ["", "log", "log/tile", "log/tile/0", "log/tile/0/000.p", "package", "sheets", "sheets/one", "sheets/two"]
    return sum(-(-facts.size // cluster) for facts in FACTS) + len(folders) + (1 << 20) // cluster


@pytest.mark.parametrize("cluster", [512, 4096, 32768, 131072])
def test_room_is_reckoned_in_the_clusters_of_the_medium(tmp_path: Path, cluster: int) -> None:
    needed = clusters(cluster)
    assert refused(tmp_path, (), OtherMedium(f_frsize=cluster, f_bavail=needed - 1)).code == "destinationFull"
    assert list(tmp_path.iterdir()) == []
    assert put(tmp_path, (), OtherMedium(f_frsize=cluster, f_bavail=needed)).is_dir()


@pytest.mark.parametrize(
    ("medium", "code"),
    [
        (OtherMedium(f_flag=os.ST_RDONLY), "destinationReadOnly"),
        (OtherMedium(f_files=100, f_favail=15), "destinationFull"),
        (OtherMedium(f_namemax=12), "destinationNames"),
    ],
)
def test_a_medium_that_cannot_hold_it_is_refused_before_anything_is_written(
    tmp_path: Path, medium: OtherMedium, code: str
) -> None:
    assert refused(tmp_path, (), medium).code == code
    assert list(tmp_path.iterdir()) == []


def check(path: Path, files: list[FileFacts], calls: Calls | None = None) -> None:
    with Destination(path, (), calls) as medium:
        medium.check_room(NAME, files)


def test_a_folder_on_fat_holds_so_many_sheets_and_not_more(tmp_path: Path) -> None:
    sheets = [FileFacts(f"sheets/7ab808a3-0ef6-45cf-9121-{number:012x}/a", 0, bytes(32)) for number in range(16_384)]
    plenty = OtherMedium(is_fat=True, f_bavail=1 << 30, f_files=0)
    check(tmp_path, sheets[:16_383], plenty)
    with pytest.raises(ExportError, match="destinationFolderTooLarge"):
        check(tmp_path, sheets, plenty)
    check(tmp_path, sheets, OtherMedium(f_bavail=1 << 30, f_files=0))


def test_a_file_that_fat_cannot_hold_is_refused_everywhere(tmp_path: Path) -> None:
    plenty = OtherMedium(f_bavail=1 << 40)
    check(tmp_path, [FileFacts("a", (1 << 32) - 1, bytes(32))], plenty)
    with pytest.raises(ExportError, match="destinationFileTooLarge"):
        check(tmp_path, [FileFacts("a", 1 << 32, bytes(32))], plenty)


def test_a_path_that_windows_cannot_read_is_refused(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    assert refused(deep).code == "destinationNames"
    assert list(deep.iterdir()) == []


def test_files_of_a_folder_that_was_left_cannot_be_added(tmp_path: Path) -> None:
    with Destination(tmp_path) as medium:
        folder = medium.new_folder(NAME, INSTANT_S)
        folder.write("log/vkey", b"")
        folder.write("package/a", b"")
        with pytest.raises(ExportError, match="destinationTampered"):
            folder.write("log/checkpoint", b"")
        folder.close()


def test_a_file_is_written_once(tmp_path: Path) -> None:
    with Destination(tmp_path) as medium:
        folder = medium.new_folder(NAME, INSTANT_S)
        folder.write("README.txt", b"first")
        with pytest.raises(ExportError, match="destinationTampered"):
            folder.write("README.txt", b"second")
        folder.close()
    assert (tmp_path / NAME / "README.txt").read_bytes() == b"first"


def test_a_file_that_has_grown_behind_what_was_read_at_once_is_found_out(tmp_path: Path) -> None:
    content = bytes(1 << 20)
    with Destination(tmp_path) as medium:
        folder = medium.new_folder(NAME, INSTANT_S)
        folder.write("scan.png", content)
        folder.settle()
        with (tmp_path / NAME / "scan.png").open("ab") as file:
            file.write(b"\0")
        with pytest.raises(ExportError, match="destinationUntrue"):
            folder.read_back([FileFacts.of("scan.png", content)], lambda _: None)
        folder.close()


class Dribbling(Calls):
    """A medium that takes and gives seven bytes at a time."""

    @staticmethod
    def write(descriptor: int, content: Buffer) -> int:
        return os.write(descriptor, memoryview(content)[:7])

    @staticmethod
    def read(descriptor: int, _size: int) -> bytes:
        return os.read(descriptor, 7)


def test_short_writes_and_reads_are_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CONTENTS, "sheets/one/scan-a.png", b"0123456789" * 100)
    monkeypatch.setattr(f"{__name__}.FACTS", [FileFacts.of(name, content) for name, content in CONTENTS.items()])
    made = put(tmp_path, (), Dribbling())
    assert (made / "sheets/one/scan-a.png").read_bytes() == CONTENTS["sheets/one/scan-a.png"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_folder_of_somebody_else_is_refused() -> None:
    with TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o755)
        os.seteuid(65534)
        try:
            assert refused(path).code == "destinationDenied"
        finally:
            os.seteuid(0)
        assert list(path.iterdir()) == []
