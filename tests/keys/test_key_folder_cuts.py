"""What a power cut or a failing medium leaves in the folder of private keys."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.evidence.keys.key_folder import KeyFileError, KeyFolder

CHANGING_CALLS = ("open", "link", "rename", "unlink", "fsync", "fchmod", "pwrite")
SECRET = b"a secret of some length"


@pytest.fixture
def folder(tmp_path: Path) -> KeyFolder:
    return KeyFolder(tmp_path / "keys").open(create=True)


def code(call: Callable[[], object]) -> str:
    with pytest.raises(KeyFileError) as refused:
        call()
    assert SECRET.decode() not in str(refused.value)
    return refused.value.code


def names(folder: KeyFolder) -> list[str]:
    return sorted(path.name for path in folder.path.iterdir())


def test_leftovers_of_a_cut_are_removed_and_nothing_else(folder: KeyFolder, tmp_path: Path) -> None:
    folder.write_new("device.key", SECRET)
    # The cut came between the link to the proper name and the removal of the passing one: one content, two names.
    os.link(folder.path / "device.key", folder.path / f".new-{'1' * 32}")
    gone = folder.path / f".gone-{'2' * 32}"
    gone.write_bytes(SECRET)
    watched = tmp_path / "watched"
    watched.hardlink_to(gone)
    (folder.path / f".gone-{'3' * 32}").symlink_to(folder.path / "device.key")
    os.mkfifo(folder.path / f".gone-{'4' * 32}")
    (folder.path / ".new-not-ours").write_bytes(b"other")
    folder.open()
    assert names(folder) == [".new-not-ours", "device.key"]
    assert folder.read("device.key") == SECRET
    assert watched.read_bytes() == bytes(len(SECRET))


def test_a_leftover_that_cannot_be_removed_is_told(folder: KeyFolder) -> None:
    (folder.path / f".new-{'1' * 32}").mkdir()
    assert code(folder.open) == "keyForeign"


class Cut(BaseException):
    """The power is gone: no handler of the program runs on."""


@contextlib.contextmanager
def power_for(calls: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Lets so many of the calls through that change a file system; the next one, and all after it, fail."""
    left = [calls]

    def guard(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401  as the system's own
            if left[0] == 0:
                raise Cut
            left[0] -= 1
            return real(*arguments, **options)

        return call

    with monkeypatch.context() as patched:
        for name in CHANGING_CALLS:
            patched.setattr(os, name, guard(getattr(os, name)))
        yield


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        (None, lambda folder: folder.write_new("day.key", b"new"), b"new"),
        (b"old", lambda folder: folder.replace("day.key", b"new"), b"new"),
        (None, lambda folder: folder.replace("day.key", b"new"), b"new"),
        (b"old", lambda folder: folder.remove("day.key"), None),
    ],
    ids=["write", "replace", "replace nothing", "remove"],
)
def test_a_cut_at_any_call_leaves_the_old_or_the_new_and_nothing_between(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    before: bytes | None,
    change: Callable[[KeyFolder], None],
    after: bytes | None,
) -> None:
    seen: list[tuple[bytes | None, bool]] = []
    while not (seen and seen[-1][1]):
        path = tmp_path / f"keys-{len(seen)}"
        folder = KeyFolder(path).open(create=True)
        if before is not None:
            folder.write_new("day.key", before)
        ended = False
        with contextlib.suppress(Cut), power_for(len(seen), monkeypatch):
            change(folder)
            ended = True
        folder.open()
        left = names(folder)
        assert left in ([], ["day.key"])
        seen.append((folder.read("day.key") if left else None, ended))
        assert len(seen) < 40
    contents = [content for content, _ in seen]
    turned = contents.index(after)
    assert contents == [before] * turned + [after] * (len(contents) - turned)
    assert turned > 0
    assert contents[-1] == after


def test_content_is_on_the_medium_before_the_name_and_the_name_before_the_return(
    folder: KeyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def noted(name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def call(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401  as the system's own
            of_folder = name == "fsync" and stat.S_ISDIR(os.fstat(arguments[0]).st_mode)
            calls.append("fsync folder" if of_folder else name)
            return real(*arguments, **options)

        return call

    for name in ("link", "rename", "unlink", "fsync", "pwrite"):
        monkeypatch.setattr(os, name, noted(name))
    folder.write_new("day.key", b"new")
    assert calls == ["fsync", "link", "unlink", "fsync folder"]
    calls.clear()
    folder.replace("day.key", b"newer")
    assert calls == ["fsync", "rename", "fsync folder"]
    calls.clear()
    folder.remove("day.key")
    assert calls == ["rename", "fsync folder", "pwrite", "fsync", "unlink", "fsync folder"]


@pytest.mark.parametrize("failing", ["fsync", "link", "open"])
def test_a_medium_that_fails_is_told_and_leaves_no_half_key(
    folder: KeyFolder, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    real = getattr(os, failing)

    def fail(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401  as the system's own
        if failing != "open" or options.get("dir_fd") is not None:
            raise OSError(errno.EIO, "Input/output error")
        return real(*arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(os, failing, fail)
        assert code(lambda: folder.write_new("day.key", SECRET)) == "keyUnavailable"
    assert names(folder) == []
