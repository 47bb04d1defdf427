"""What is recorded is what the kernel was asked to do, in the same order: strace is the witness."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from hil.cuts.operations import Entered, FolderSynced, Moved, Operation, Removed, Resized, Synced, Wrote
from hil.cuts.record import record
from tests.cuts import books

_PROJECT = Path(__file__).resolve().parents[2]
_CALLS = "openat,pwrite64,write,ftruncate,fsync,fdatasync,unlink,mkdir,rename"
_WORDS = {Entered: "make", Removed: "unlink", Moved: "rename", Synced: "sync", FolderSynced: "sync"}


def program(root: Path, journal: str, synchronous: str) -> None:
    """Do a bit of everything, and print what was recorded of it."""
    with record(root) as recording:
        with closing(books.connect(root / books.FILE, journal, synchronous)) as opened:
            opened.execute("CREATE TABLE it (a, b)")
            for number in range(12):
                opened.execute("INSERT INTO it VALUES (?, ?)", (number, "x" * 500))
            opened.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            opened.executescript("INSERT INTO it VALUES (1, 2); VACUUM")
        (root / "inner").mkdir()
        (root / "inner" / "file").write_bytes(b"hello")
        (root / "inner" / "file").rename(root / "file")
        folder = os.open(root, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
    for recorded in recording.operations:
        words = _words(recorded.operation)
        if words:
            print(words, recorded.where.replace(root.name, str(root)))  # noqa: T201  it is run by itself


def _words(operation: Operation) -> str:
    match operation:
        case Wrote(_, offset, data):
            return f"{len(data)}@{offset}"
        case Resized(_, size):
            return f"={size}"
        case _:
            return _WORDS.get(type(operation), "")


class _Trace:
    """The same words from what strace wrote: PID CALL(ARGUMENTS) = RESULT, descriptors with their paths."""

    def __init__(self, root: Path) -> None:
        self._path = re.compile(rf'(?:"|<)({re.escape(str(root))}[^">]*)')
        self._there: set[str] = set()
        self._ends: Counter[str] = Counter()

    def words(self, line: str) -> str:
        call, _, rest = line.partition(" ")[2].strip().partition("(")
        arguments, _, result = rest.rpartition(" = ")
        paths = self._path.findall(arguments)
        if not paths or result.startswith("-1") or paths[0].endswith("-shm"):
            return ""
        said = self._said(call, arguments, result, paths[0])
        return f"{said} {' to '.join(paths)}" if said else ""

    def _said(self, call: str, arguments: str, result: str, path: str) -> str:
        numbers = re.findall(r", (\d+)", arguments)
        match call:
            case "openat":
                is_new = "O_CREAT" in arguments and path not in self._there
                self._there.add(path)
                return "make" if is_new else ""
            case "unlink":
                self._there.discard(path)
            case "pwrite64":
                return f"{int(result)}@{numbers[-1]}"
            case "write":
                self._ends[path] += int(result)
                return f"{int(result)}@{self._ends[path] - int(result)}"
            case "ftruncate":
                return f"={numbers[-1]}"
        return {"mkdir": "make", "fsync": "sync", "fdatasync": "sync"}.get(call, call)


@pytest.mark.parametrize(
    ("journal", "synchronous"),
    [("WAL", "FULL"), ("WAL", "NORMAL"), ("DELETE", "EXTRA"), ("TRUNCATE", "FULL"), ("PERSIST", "FULL")],
)
def test_the_recording_is_what_the_kernel_was_asked_to_do(root: Path, journal: str, synchronous: str) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("no strace here")
    trace = root.parent / "trace"
    code = f"from pathlib import Path; from {__name__} import program; program(Path({str(root)!r}), {journal!r}, {synchronous!r})"
    command = [strace, "-f", "-y", "-s", "0", "-e", f"trace={_CALLS}", "-o", str(trace), sys.executable, "-c", code]
    done = subprocess.run(command, cwd=_PROJECT, capture_output=True, text=True, check=False)
    if done.returncode and "ptrace" in done.stderr.lower():
        pytest.skip(f"strace may not trace here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    recorded = done.stdout.splitlines()
    witness = _Trace(root)
    assert recorded == [words for line in trace.read_text().splitlines() if (words := witness.words(line))]
    assert len(recorded) > 60
