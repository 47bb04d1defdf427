"""A medium fails, lies or is meddled with at any call: no manifest stands for what is not there, and nothing else is touched."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from edge.audit.content import export_files
from edge.audit.destination import Calls
from edge.audit.export import Phase, export
from edge.audit.layout import MANIFEST, MANIFEST_SIGNATURE, README, export_name
from edge.audit.manifest import ExportError, FileFacts, parse_manifest
from tests.audit.archive_fake import FakeArchive, archive

Watcher = Callable[[int, str, tuple[Any, ...]], None]
NEVER = 1 << 30


class Watched(Calls):
    """Every call is shown, with its number, before it is made; nothing is really synced, which only costs time here."""

    def __init__(self, watcher: Watcher = lambda _number, _name, _arguments: None) -> None:
        self._watcher = watcher
        self._count = 0

    def __getattribute__(self, name: str) -> Any:  # noqa: ANN401  whatever the call is
        call = super().__getattribute__(name)
        if name.startswith("_"):
            return call

        def watched(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401  as above
            self._count += 1
            if name == "close":  # it closes also when it fails
                call(*arguments)
                return self._watcher(self._count, name, arguments)
            self._watcher(self._count, name, arguments)
            result = call(*arguments, **named)
            self._happened(name, arguments, named, result)
            return result

        return watched

    def _happened(self, name: str, arguments: tuple[Any, ...], named: dict[str, Any], result: Any) -> None:  # noqa: ANN401  as above
        """A call has been made."""

    @staticmethod
    def fsync(_descriptor: object) -> None:
        """Nothing."""

    @staticmethod
    def syncfs(_descriptor: int) -> None:
        """Nothing."""


class Ledger(Watched):
    """A medium of which is known what would survive a cut; paths begin with `/` at the destination."""

    def __init__(self, watcher: Watcher = lambda _number, _name, _arguments: None) -> None:
        super().__init__(watcher)
        self._paths: dict[int, str] = {}
        self._dirty: set[str] = set()
        self._synced = False
        self._marks = 0

    def _happened(self, name: str, arguments: tuple[Any, ...], named: dict[str, Any], result: Any) -> None:  # noqa: ANN401  as above
        above = self._paths[named["dir_fd"]] if named.get("dir_fd") in self._paths else ""
        match name:
            case "open":
                self._paths[result] = f"{above}/{arguments[0]}" if named else ""
                if arguments[1] & os.O_CREAT:
                    if arguments[0] == MANIFEST:
                        self._marks += 1
                        assert self._is_durable(), f"the manifest was begun before {self._dirty} was durable"
                    self._changed(above, self._paths[result])
            case "mkdir":
                self._changed(above, f"{above}/{arguments[0]}")
            case "unlink":
                self._changed(above)
            case "write" | "utime":
                self._changed(self._paths[arguments[0]])
            case "fsync":
                self._dirty.discard(self._paths[arguments[0]])
            case "syncfs":
                self._synced = True

    def _changed(self, *paths: str) -> None:
        self._dirty.update(paths)
        self._synced = False

    def _is_durable(self) -> bool:
        """Whether every file and folder was synced by itself, and then all together; the destination is by the latter alone."""
        return self._synced and not self._dirty - {""}


@cache
def evidence(*, closed: bool) -> FakeArchive:
    return archive(cast=1, returned=0, closed=closed)


@cache
def expected(*, closed: bool) -> dict[str, bytes]:
    return dict(export_files(evidence(closed=closed)))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def everything(folder: Path) -> list[tuple[str, int, int, bytes]]:
    """What must not change: names, times, kinds and contents."""
    return [
        (str(path), path.lstat().st_mtime_ns, path.lstat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in sorted(folder.rglob("*"))
    ]


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


class Bench:
    """A stick, the evidence's folder, and something else beside them that nobody may touch."""

    def __init__(self, root: Path, *, closed: bool = True) -> None:
        self.evidence = evidence(closed=closed)
        self.expected = expected(closed=closed)
        self.outside, self.stick = root / "outside", root / "stick"
        (self.outside / "evidence").mkdir(parents=True)
        (self.outside / "evidence" / "log.sqlite").write_bytes(b"the evidence")
        (self.outside / "notes.txt").write_bytes(b"somebody's")
        self.stick.mkdir()
        (self.stick / "holiday.jpg").write_bytes(b"a picture")
        self.made = self.stick / export_name(self.evidence.origin, len(self.evidence.entries))
        self._before = everything(self.outside)
        self._open = open_files()

    def export(self, calls: Calls, at: Callable[[int, int, Phase], None] = lambda _done, _total, _phase: None) -> None:
        export(self.evidence, self.stick, at, forbidden=[self.outside / "evidence"], calls=calls)

    def fails(self, calls: Calls, at: Callable[[int, int, Phase], None] = lambda _done, _total, _phase: None) -> ExportError:
        with pytest.raises(ExportError) as told:
            self.export(calls, at)
        self.check()
        self.check_unfinished(told.value)
        return told.value

    def outcome(self, calls: Calls) -> ExportError | None:
        try:
            self.export(calls)
        except ExportError as error:
            return error
        return None

    def check(self) -> None:
        """Nothing but the new folder has changed, and nothing was left open."""
        assert everything(self.outside) == self._before
        assert {path.name for path in self.stick.iterdir()} <= {"holiday.jpg", self.made.name}
        assert (self.stick / "holiday.jpg").read_bytes() == b"a picture"
        assert open_files() == self._open

    def check_unfinished(self, error: ExportError) -> None:
        """No manifest, unless the error says that it may be there."""
        found = contents(self.made)
        if {MANIFEST, MANIFEST_SIGNATURE} & set(found):
            assert "whatever is in it" in error.advice
        assert {name for name in found if name not in {MANIFEST, MANIFEST_SIGNATURE}} <= set(self.expected)

    def check_whole(self) -> None:
        """All files as they should be, and the manifest over them."""
        found = contents(self.made)
        manifest = parse_manifest(found.pop(MANIFEST))
        assert found.pop(MANIFEST_SIGNATURE)
        assert found == self.expected
        assert set(manifest.files) == {FileFacts.of(*file) for file in found.items()}

    def clear(self) -> None:
        shutil.rmtree(self.made, ignore_errors=True)


def calls_of(bench: Bench) -> int:
    calls = Ledger()
    bench.export(calls)
    bench.check()
    bench.check_whole()
    assert calls._marks == 1
    assert calls._is_durable()
    bench.clear()
    return calls._count


@pytest.mark.parametrize("closed", [False, True])
def test_nothing_is_lost_by_a_cut_once_the_manifest_is_there(tmp_path: Path, closed: bool) -> None:
    """The ledger looks: at the manifest's beginning everything before it is durable, and at the end everything is."""
    assert calls_of(Bench(tmp_path, closed=closed)) > 100


@pytest.mark.parametrize(("closed", "once"), [(True, True), (False, False)])
def test_a_medium_that_fails_at_any_call_leaves_no_manifest(tmp_path: Path, closed: bool, once: bool) -> None:
    bench = Bench(tmp_path, closed=closed)
    whole = 0
    for fatal in range(1, calls_of(bench) + 1):

        def watcher(number: int, _name: str, _arguments: tuple[Any, ...], fatal: int = fatal) -> None:
            if number == fatal or (number > fatal and not once):
                raise OSError(errno.EIO, os.strerror(errno.EIO))

        calls = Ledger(watcher)
        error = bench.outcome(calls)
        if error is None:
            whole += 1
            bench.check_whole()
        else:
            assert error.code == "destinationGone"
            assert not once or "whatever is in it" not in error.advice
            bench.check_unfinished(error)
        bench.check()
        assert calls._marks <= 1
        bench.clear()
    # Closing what was only read may fail without harm: the folders that were read back, the new folder, and the destination.
    assert whole <= 30


@pytest.mark.parametrize(
    ("call", "number", "code"),
    [
        ("write", errno.ENOSPC, "destinationFull"),
        ("write", errno.EDQUOT, "destinationFull"),
        ("write", errno.EFBIG, "destinationFileTooLarge"),
        ("open", errno.EROFS, "destinationReadOnly"),
        ("mkdir", errno.EROFS, "destinationReadOnly"),
        ("mkdir", errno.EACCES, "destinationDenied"),
        ("mkdir", errno.EMLINK, "destinationFailed"),
        ("utime", errno.EPERM, "destinationDenied"),
        ("fsync", errno.EIO, "destinationGone"),
        ("fsync", errno.ENODEV, "destinationGone"),
        ("syncfs", errno.EIO, "destinationGone"),
        ("read", errno.EIO, "destinationGone"),
        ("listdir", errno.ENODEV, "destinationGone"),
        ("open", errno.EMFILE, "destinationFailed"),
        ("mkdir", errno.ENAMETOOLONG, "destinationNames"),
    ],
)
def test_what_the_medium_says_is_told_with_what_to_do(tmp_path: Path, call: str, number: int, code: str) -> None:
    bench = Bench(tmp_path, closed=False)
    seen: list[str] = []

    def watcher(_number: int, name: str, _arguments: tuple[Any, ...]) -> None:
        seen.append(name)
        if name == call and seen.count(name) == (1 if call in {"syncfs", "read"} else 3):
            raise OSError(number, os.strerror(number))

    error = bench.fails(Watched(watcher))
    assert error.code == code
    assert os.strerror(number) in error.detail
    assert "medium" in error.advice


def test_an_interruption_leaves_no_manifest(tmp_path: Path) -> None:
    bench = Bench(tmp_path, closed=False)
    told: list[Phase] = []
    bench.export(Watched(), lambda _done, _total, phase: told.append(phase))
    bench.clear()
    for fatal in range(len(told)):
        count = 0

        def at(_done: int, _total: int, _phase: Phase, fatal: int = fatal) -> None:
            nonlocal count
            count += 1
            if count > fatal:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            bench.export(Watched(), at)
        assert not {MANIFEST, MANIFEST_SIGNATURE} & set(contents(bench.made))
        bench.check()
        bench.clear()


def test_a_manifest_that_cannot_be_taken_away_is_told(tmp_path: Path) -> None:
    bench = Bench(tmp_path, closed=False)

    def watcher(_number: int, name: str, _arguments: tuple[Any, ...]) -> None:
        if name in {"read", "unlink"}:
            raise OSError(errno.EIO, "gone")

    assert "whatever is in it" in bench.fails(Watched(watcher)).advice
    assert (bench.made / MANIFEST).is_file()


def test_a_manifest_that_was_taken_away_does_not_come_back_after_a_cut(tmp_path: Path) -> None:
    bench = Bench(tmp_path, closed=False)
    removed: list[str] = []

    def watcher(_number: int, name: str, arguments: tuple[Any, ...]) -> None:
        if name == "read":
            raise OSError(errno.EIO, "unreadable")
        if name == "unlink":
            removed.append(arguments[0])

    calls = Ledger(watcher)
    bench.fails(calls)
    assert removed == [MANIFEST_SIGNATURE, MANIFEST]
    assert f"/{bench.made.name}" not in calls._dirty


class Ownerless(Watched):
    """A medium that knows no owners, so that nobody may ask it to forget a reading."""

    @staticmethod
    def open(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:  # noqa: ANN401  as os.open
        if flags & os.O_NOATIME:
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        return os.open(path, flags, mode, dir_fd=dir_fd)


def test_a_medium_that_knows_no_owners_will_do(tmp_path: Path) -> None:
    bench = Bench(tmp_path, closed=False)
    bench.export(Ownerless())
    bench.check()
    bench.check_whole()


class Forgetful(Watched):
    """A medium that says to have more room than it has: from some byte on it gives back something else."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self._room = room

    def read(self, descriptor: int, size: int) -> bytes:
        content = os.read(descriptor, size)
        self._room -= len(content)
        return content if self._room >= 0 else bytes(len(content))


def test_a_medium_with_less_room_than_it_says_is_found_out(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    total = sum(map(len, bench.expected.values()))
    for room in (0, 1, total // 2, total - 1):
        error = bench.fails(Forgetful(room))
        assert (error.code, error.advice[:32]) == ("destinationUntrue", "Do not use this medium again: it")
        bench.clear()
    bench.export(Forgetful(NEVER))
    bench.check_whole()


# Somebody with access to the medium puts something else in the way.


def first(name: str, argument: str, action: Callable[[], object]) -> Watcher:
    """Do something before the first call of that name with that first argument."""
    done: list[bool] = []

    def watcher(_number: int, called: str, arguments: tuple[Any, ...]) -> None:
        if called == name and arguments[0] == argument and not done:
            done.append(True)
            action()

    return watcher


def replaced_by_link(path: Path, target: Path) -> Callable[[], None]:
    def action() -> None:
        path.rename(path.with_name("away"))
        path.symlink_to(target)

    return action


def replaced_by_full_folder(path: Path) -> Callable[[], None]:
    def action() -> None:
        path.rename(path.with_name("away"))
        path.mkdir()
        (path / "secret").write_bytes(b"already here")

    return action


def test_a_link_in_the_place_of_a_folder_leads_nowhere(tmp_path: Path) -> None:
    for place in ("", "log", "log/tile/entries"):
        bench = Bench(tmp_path / f"bench {place.replace('/', ' ')}")
        path = bench.made / place
        watcher = first("open", path.name, replaced_by_link(path, bench.outside))
        with pytest.raises(ExportError, match="destinationTampered"):
            bench.export(Watched(watcher))
        assert everything(bench.outside) == bench._before
        assert not list(bench.stick.rglob("MANIFEST*"))


def test_another_folder_in_the_place_of_the_new_one_is_left_alone(tmp_path: Path) -> None:
    for place in ("", "log"):
        bench = Bench(tmp_path / f"bench {place}")
        path = bench.made / place
        with pytest.raises(ExportError, match="destinationTampered"):
            bench.export(Watched(first("open", path.name, replaced_by_full_folder(path))))
        assert contents(path) == {"secret": b"already here"}


@pytest.mark.parametrize("target", ["notes.txt", "missing"])
def test_a_link_in_the_place_of_a_file_is_not_written_through(tmp_path: Path, target: str) -> None:
    for name in (README, "log/checkpoint", MANIFEST):
        bench = Bench(tmp_path / f"bench {name.replace('/', ' ')}")
        path = bench.made / name
        watcher = first("open", path.name, partial(path.symlink_to, bench.outside / target))
        with pytest.raises(ExportError, match="destinationTampered"):
            bench.export(Watched(watcher))
        assert everything(bench.outside) == bench._before


def test_a_file_that_is_there_before_is_not_written_over(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    path = bench.made / "log/checkpoint"
    with pytest.raises(ExportError, match="destinationTampered"):
        bench.export(Watched(first("open", "checkpoint", lambda: path.write_bytes(b"mine"))))
    assert path.read_bytes() == b"mine"


def link_to_the_same(bench: Bench) -> None:
    path = bench.made / "log/vkey"
    path.rename(bench.stick / "away")
    path.symlink_to(bench.stick / "away")


def pipe(bench: Bench) -> None:
    (bench.made / "log/vkey").unlink()
    os.mkfifo(bench.made / "log/vkey")


def folder(bench: Bench) -> None:
    (bench.made / "log/vkey").unlink()
    (bench.made / "log/vkey").mkdir()


def one_more(bench: Bench) -> None:
    (bench.made / "sheets/autorun.inf").write_bytes(b"")


def one_more_at_the_top(bench: Bench) -> None:
    (bench.made / "System Volume Information").mkdir()


def one_less(bench: Bench) -> None:
    (bench.made / "log/vkey").unlink()


def longer(bench: Bench) -> None:
    with (bench.made / "log/vkey").open("ab") as file:
        file.write(b"\n")


def shorter(bench: Bench) -> None:
    os.truncate(bench.made / "log/vkey", 10)


def other_manifest(bench: Bench) -> None:
    raw = (bench.made / MANIFEST).read_bytes()
    (bench.made / MANIFEST).write_bytes(raw.replace(b"closed", b"cloSed"))


def top_by_link(bench: Bench) -> None:
    replaced_by_link(bench.made, bench.outside)()


def top_away(bench: Bench) -> None:
    bench.made.rename(bench.stick / "away")


@pytest.mark.parametrize(
    ("meddle", "code"),
    [
        (link_to_the_same, "destinationTampered"),
        (pipe, "destinationTampered"),
        (folder, "destinationTampered"),
        (one_more, "destinationTampered"),
        (one_more_at_the_top, "destinationTampered"),
        (one_less, "destinationUntrue"),
        (longer, "destinationUntrue"),
        (shorter, "destinationUntrue"),
        (other_manifest, "destinationUntrue"),
        (top_by_link, "destinationTampered"),
        (top_away, "destinationTampered"),
    ],
)
def test_what_is_meddled_with_before_it_is_read_back_is_found_out(
    tmp_path: Path, meddle: Callable[[Bench], None], code: str
) -> None:
    bench = Bench(tmp_path)

    def at(done: int, _total: int, phase: Phase) -> None:
        if phase is Phase.CHECKING and done == 0:
            meddle(bench)

    with pytest.raises(ExportError) as told:
        bench.export(Watched(), at)
    assert told.value.code == code
    assert everything(bench.outside) == bench._before
    # Wherever the folder is now, its manifest was taken away.
    assert not list(bench.stick.rglob("MANIFEST*"))
