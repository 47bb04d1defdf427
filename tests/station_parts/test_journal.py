"""The journal: where records go and that it is said, what they may hold, and that no reader can hold the station up."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.station.journal import MOST_TEXT, MOST_WAITING, Journal, Priority, Record, StderrSink, open_journal
from tests.station_parts import systemd_python


class Pipe:
    """A pipe in stderr's place."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()

    def lines(self) -> list[Any]:
        """Everything that was written, each line as JSON."""
        os.close(self.writer)
        with os.fdopen(self.reader, "rb") as stream:
            return [json.loads(line) for line in stream]


class KeptSink:
    """Keeps records; `broken` makes it refuse them, `hold` makes it wait."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.broken = False
        self.refused: queue.SimpleQueue[Record] = queue.SimpleQueue()
        self.free = threading.Event()
        self.entered = threading.Event()
        self.free.set()

    def send(self, record: Record) -> None:
        self.entered.set()
        self.free.wait()
        if self.broken:
            self.refused.put(record)
            raise BrokenPipeError(32, "Broken pipe")
        self.records.append(record)


@pytest.fixture
def sink() -> KeptSink:
    return KeptSink()


@pytest.fixture
def journal(sink: KeptSink) -> Iterator[Journal]:
    journal = Journal(sink)
    yield journal
    sink.free.set()
    journal.close()


def test_a_record_is_one_json_line() -> None:
    pipe = Pipe()
    journal = Journal(StderrSink(pipe.writer))
    before = time.monotonic_ns() // 1_000_000
    journal.write("sheetReturned", "The sheet was returned.", Priority.NOTICE, code="blankSheet", count=3, castable=False)
    journal.close()
    [line] = pipe.lines()
    assert before <= line.pop("at_ms") <= time.monotonic_ns() // 1_000_000
    assert line == {
        "event": "sheetReturned",
        "priority": "notice",
        "sentence": "The sheet was returned.",
        "code": "blankSheet",
        "count": 3,
        "castable": False,
    }


def test_records_keep_their_order(journal: Journal, sink: KeptSink) -> None:
    for number in range(200):
        journal.write("counted", "One more.", number=number)
    journal.close()
    assert [record.fields["number"] for record in sink.records] == list(range(200))
    assert journal.dropped == 0


@pytest.mark.parametrize(
    "name", ["Upper", "9lives", "with-dash", "_hidden", "x" * 41, "event", "sentence", "priority", "at_ms", "ü"]
)
def test_a_name_that_is_no_fields_is_a_mistake(journal: Journal, name: str) -> None:
    with pytest.raises(ValueError, match="is not a field's name"):
        journal.write("e", "s", **{name: 1})


@pytest.mark.parametrize("value", [None, 1.5, b"x", ["x"], {"x": 1}, Path("/")])
def test_only_text_integers_and_truth_values_are_fields(journal: Journal, value: Any) -> None:  # noqa: ANN401 - that is the test
    with pytest.raises(TypeError, match="a field holds text"):
        journal.write("e", "s", field=value)


def test_an_integer_has_an_end(journal: Journal) -> None:
    with pytest.raises(ValueError, match="63 bits"):
        journal.write("e", "s", field=1 << 63)


def test_long_texts_are_cut(journal: Journal, sink: KeptSink) -> None:
    journal.write("e", "s" * (MOST_TEXT + 1), text="t" * (MOST_TEXT + 1))
    journal.close()
    assert [sink.records[0].sentence, sink.records[0].fields["text"]] == ["s" * MOST_TEXT, "t" * MOST_TEXT]


@given(st.text(st.characters(exclude_categories=())), st.text(st.characters(exclude_categories=())))
def test_any_text_is_one_line(sentence: str, value: str) -> None:
    pipe = Pipe()
    journal = Journal(StderrSink(pipe.writer))
    journal.write("e", sentence, text=value)
    journal.close()
    [line] = pipe.lines()
    assert set(line) == {"event", "priority", "sentence", "at_ms", "text"}
    assert journal.dropped == 0


def test_a_reader_that_does_not_read_holds_nobody_up_and_is_told_what_it_lost(journal: Journal, sink: KeptSink) -> None:
    sink.free.clear()
    journal.write("first", "Taken by the thread.")
    sink.entered.wait(10)
    for number in range(MOST_WAITING + 7):
        journal.write("more", "Waits.", number=number)
    assert journal.dropped == 7
    sink.free.set()
    journal.close()
    kinds = [record.event for record in sink.records]
    assert kinds == ["first", "recordsDropped", *["more"] * MOST_WAITING]
    assert sink.records[1].fields == {"count": 7}
    assert sink.records[1].priority is Priority.WARNING


def test_records_lost_to_a_closed_reader_are_counted_and_told_when_it_is_back(journal: Journal, sink: KeptSink) -> None:
    sink.broken = True
    for _ in range(3):
        journal.write("lost", "Nobody reads.")
        sink.refused.get(timeout=10)
    sink.broken = False
    journal.write("found", "Somebody reads.")
    journal.close()
    assert [(record.event, dict(record.fields)) for record in sink.records] == [("recordsDropped", {"count": 3}), ("found", {})]
    assert journal.dropped == 3


def test_what_is_written_after_the_end_is_counted(journal: Journal, sink: KeptSink) -> None:
    journal.close()
    journal.write("late", "Too late.")
    assert journal.dropped == 1
    assert sink.records == []


def test_an_end_does_not_wait_for_a_reader_that_never_reads(journal: Journal, sink: KeptSink) -> None:
    sink.free.clear()
    journal.write("stuck", "Never taken.")
    begun = time.monotonic()
    journal.close(0.05)
    assert time.monotonic() - begun < 5


def test_a_torn_line_does_not_spoil_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []

    def write(_descriptor: int, data: bytes) -> int:
        if len(written) == 1:
            written.append(b"")
            raise BlockingIOError(11, "Resource temporarily unavailable")
        written.append(data[:5] if not written else data)
        return len(written[-1])

    monkeypatch.setattr(os, "write", write)
    sink = StderrSink(2)
    record = Record("e", "s", Priority.INFO, 5, {})
    with pytest.raises(BlockingIOError):
        sink.send(record)
    sink.send(record)
    monkeypatch.undo()
    torn, *whole = b"".join(written).split(b"\n")
    assert torn == b'{"eve'
    assert [json.loads(line)["event"] for line in whole if line] == ["e"]


def opened(monkeypatch: pytest.MonkeyPatch, stream: str | None, *, library: bool = True) -> dict[str, Any]:
    """The first record on a stderr that is a pipe; `stream` with PIPE in it stands for the pipe's own name."""
    pipe = Pipe()
    status = os.fstat(pipe.writer)
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    if stream is not None:
        monkeypatch.setenv("JOURNAL_STREAM", stream.replace("PIPE", f"{status.st_dev}:{status.st_ino}"))
    if not library:
        monkeypatch.setitem(sys.modules, "systemd", None)
    monkeypatch.setattr(os, "dup", lambda _descriptor: pipe.writer)
    open_journal().close()
    [line] = pipe.lines()
    return dict(line)


@pytest.mark.parametrize(
    ("stream", "why"),
    [(None, "JOURNAL_STREAM is not set"), ("1:1", "names another stream"), ("PIPE", "systemd-python cannot be loaded")],
)
def test_the_first_record_says_where_records_go_and_why(monkeypatch: pytest.MonkeyPatch, stream: str | None, why: str) -> None:
    line = opened(monkeypatch, stream, library=False)
    assert line["event"] == "journalOpened"
    assert line["sink"] == "stderr"
    assert why in line["sentence"]


def test_a_process_without_stderr_writes_into_nobodys_file(tmp_path: Path) -> None:
    program = """
import os, sys
os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)  # gets number 2
from edge.station.journal import open_journal
journal = open_journal()
journal.write("e", "s")
journal.close()
print(journal.dropped)
"""
    target = tmp_path / "innocent"
    root = Path(__file__).resolve().parents[2]
    result = subprocess.run(
        ["sh", "-c", 'exec "$0" -c "$1" "$2" 2>&-', sys.executable, program, str(target)],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(root)},
        timeout=60,
        check=True,
    )
    assert result.stdout == b"2\n"
    assert target.read_bytes() == b""


def test_a_process_ends_while_nobody_reads_its_stderr() -> None:
    program = """
from edge.station.journal import open_journal
journal = open_journal()
for number in range(3000):
    journal.write("filling", "x" * 500, number=number)
journal.close(0.2)
print("ended")
"""
    reader, writer = os.pipe()
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=writer, env=environment, timeout=60, check=True)
    os.close(writer)
    os.close(reader)
    assert result.stdout == b"ended\n"


def test_the_real_library_carries_records_to_the_journals_socket(tmp_path: Path) -> None:
    environment = systemd_python.environment(tmp_path)
    unshare = shutil.which("unshare")
    # The journal's socket has a fixed place; a mount namespace lets a test stand in for the journal there.
    prefix = (str(unshare), "--map-root-user", "--mount", "sh", "-c", 'mount -t tmpfs none /run && exec "$0" "$@"')
    if unshare is None or subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no mount namespace can be made here, so nothing can stand in for the journal at its fixed place")
    program = """
import json, os, socket
from pathlib import Path
from edge.station.journal import Priority, open_journal
Path("/run/systemd/journal").mkdir(parents=True)
systemd = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
systemd.bind("/run/systemd/journal/socket")
systemd.settimeout(10)
stderr = os.fstat(2)
os.environ["JOURNAL_STREAM"] = f"{stderr.st_dev}:{stderr.st_ino}"
journal = open_journal()
journal.write("sheetHeld", "A person decides.", Priority.WARNING, code="Overvote", castable=True, count=7)
journal.close()
for _ in range(2):
    print(json.dumps(systemd.recv(65536).decode().splitlines()))
"""
    result = systemd_python.run(program, environment, prefix=prefix)
    first, second = (set(json.loads(line)) for line in result.stdout.splitlines())
    assert {"SCRUTINEER_EVENT=journalOpened", "SCRUTINEER_SINK=journal", "PRIORITY=6", "SYSLOG_IDENTIFIER=scrutineer"} <= first
    assert {
        "MESSAGE=A person decides.",
        "PRIORITY=4",
        "SCRUTINEER_EVENT=sheetHeld",
        "SCRUTINEER_CODE=Overvote",
        "SCRUTINEER_CASTABLE=true",
        "SCRUTINEER_COUNT=7",
    } <= second
    assert result.stderr == ""
