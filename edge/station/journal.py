"""The station's running account for the technician: structured records in systemd's journal, or as JSON lines on stderr.

A record has the name of an event, a sentence for people, and fields. It never says anything about a ballot beyond what the reason
codes say: no vote, style, precinct, identifier, hash or image, and nothing from which one of them could be worked out. Fields are
text, integers and truth values only, so that nothing larger slips in. Wall-clock times are not written either: the journal stamps
its records itself, and `at_ms` (CLOCK_MONOTONIC) orders ours.

Writing never waits: a thread carries the records out, and what a slow or closed stderr cannot take is dropped, counted and
reported.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

MOST_WAITING = 1000
"""Records; about what a minute of trouble makes."""
MOST_TEXT = 2000
"""Characters of one text; what is longer is cut."""

_FIELD = re.compile("[a-z][a-z0-9_]{0,39}")
_OWN_FIELDS = frozenset({"event", "sentence", "priority", "at_ms"})
_MOST_INTEGER = (1 << 63) - 1
_STDERR = 2


class Priority(IntEnum):
    """syslog's levels, as far as the station uses them."""

    ERROR = 3
    WARNING = 4
    NOTICE = 5
    INFO = 6


@dataclass(frozen=True, slots=True)
class Record:
    """One record; `at_ms` is CLOCK_MONOTONIC in milliseconds when it was written."""

    event: str
    sentence: str
    priority: Priority
    at_ms: int
    fields: Mapping[str, str | int | bool]


class Sink(Protocol):
    """Where records go; called from one thread, may wait."""

    def send(self, record: Record) -> None:
        """Carry a record out.

        Raises:
            OSError: when it did not arrive.
        """


class StderrSink:
    """JSON lines on a file descriptor.

    Args:
        descriptor: where they are written; never closed here.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._torn = False

    def send(self, record: Record) -> None:
        """See `Sink`; after half a line the next record begins on a new one."""
        line = {
            "event": record.event,
            "priority": record.priority.name.lower(),
            "at_ms": record.at_ms,
            "sentence": record.sentence,
        }
        data = json.dumps(line | dict(record.fields)).encode() + b"\n"
        if self._torn:
            data = b"\n" + data
        while data:
            data = data[os.write(self._descriptor, data) :]
            self._torn = bool(data)


class JournalSink:
    """systemd's journal, through systemd-python.

    Raises:
        ImportError: where systemd-python is missing.
    """

    def __init__(self) -> None:
        from systemd import journal  # noqa: PLC0415  only on the board

        self._send = journal.send

    def send(self, record: Record) -> None:
        """See `Sink`; fields carry the prefix SCRUTINEER_."""
        fields = {"event": record.event, "at_ms": record.at_ms, **record.fields}
        self._send(
            record.sentence,
            PRIORITY=int(record.priority),
            SYSLOG_IDENTIFIER="scrutineer",
            **{f"SCRUTINEER_{name.upper()}": _journal_text(value) for name, value in fields.items()},
        )


class Journal:
    """Takes records from any thread without waiting, and carries them to a sink on a thread of its own.

    Args:
        sink: where they go.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._waiting: deque[Record] = deque()
        self._changed = threading.Condition()
        self._dropped = 0
        self._unreported = 0
        self._closing = False
        # A daemon: a write that hangs for ever must not keep the process alive.
        self._thread = threading.Thread(target=self._carry, name="journal", daemon=True)
        self._thread.start()

    def write(self, event: str, sentence: str, priority: Priority = Priority.INFO, /, **fields: str | int | bool) -> None:
        """Write a record; after `close` it is dropped.

        Args:
            event: what happened, camelCase, one of a fixed set: nothing from outside.
            sentence: the same for people, one sentence.
            priority: see `Priority`.
            fields: snake_case names; longer texts than `MOST_TEXT` characters are cut.

        Raises:
            ValueError: for a name that is no field's, or an integer of more than 63 bits; a mistake in the program.
            TypeError: for a value that is no field's; the same.
        """
        for name in fields:
            if name in _OWN_FIELDS or _FIELD.fullmatch(name) is None:
                raise ValueError(f"{name!r} is not a field's name")
        values = {name: _value(value) for name, value in fields.items()}
        record = Record(event, _text(sentence), priority, time.monotonic_ns() // 1_000_000, values)
        with self._changed:
            if self._closing or len(self._waiting) >= MOST_WAITING:
                self._count_lost()
                return
            self._waiting.append(record)
            self._changed.notify()

    @property
    def dropped(self) -> int:
        """Records that never arrived, since the start."""
        with self._changed:
            return self._dropped

    def close(self, limit_s: float = 2.0) -> None:
        """Carry out what is waiting, for at most `limit_s` seconds, and end."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(limit_s)

    def _count_lost(self) -> None:
        self._dropped += 1
        self._unreported += 1

    def _carry(self) -> None:
        while (record := self._next()) is not None:
            try:
                self._report_lost()
                self._sink.send(record)
            except OSError:
                with self._changed:
                    self._count_lost()
        with contextlib.suppress(OSError):
            self._report_lost()

    def _next(self) -> Record | None:
        with self._changed:
            while not self._waiting and not self._closing:
                self._changed.wait()
            return self._waiting.popleft() if self._waiting else None

    def _report_lost(self) -> None:
        with self._changed:
            lost, at_ms = self._unreported, time.monotonic_ns() // 1_000_000
        if lost == 0:
            return
        sentence = "Records were lost because nobody took them fast enough."
        self._sink.send(Record("recordsDropped", sentence, Priority.WARNING, at_ms, {"count": lost}))
        with self._changed:
            self._unreported -= lost


def open_journal() -> Journal:
    """Open systemd's journal where it stands behind stderr, else JSON lines on stderr; the first record says which, and why."""
    sink, name, why = _choose_sink()
    journal = Journal(sink)
    journal.write("journalOpened", f"Records go to {name}: {why}.", sink=name)
    return journal


def _choose_sink() -> tuple[Sink, str, str]:
    """The sink, its name, and why this one.

    systemd names the stream that it put behind stdout and stderr as `device:inode` in JOURNAL_STREAM (systemd.exec(5)); a process
    that was started by another with stderr elsewhere inherits the variable, but not the stream.
    """
    try:
        # Python has no stderr where number 2 was closed at the start; the number may by now be any other file's.
        descriptor = -1 if sys.stderr is None else os.dup(_STDERR)
        status = os.fstat(descriptor)
    except OSError:
        return StderrSink(-1), "stderr", "stderr is closed, so every record is lost"
    stream = os.environ.get("JOURNAL_STREAM")
    if stream is None:
        return StderrSink(descriptor), "stderr", "JOURNAL_STREAM is not set, so this is no service of systemd's"
    if stream != f"{status.st_dev}:{status.st_ino}":
        return StderrSink(descriptor), "stderr", "JOURNAL_STREAM names another stream than stderr"
    try:
        return JournalSink(), "journal", "JOURNAL_STREAM names stderr"
    except ImportError as error:
        return StderrSink(descriptor), "stderr", f"systemd's journal is there, but systemd-python cannot be loaded ({error})"


def _value(value: object) -> str | int | bool:
    if isinstance(value, int):
        if not -_MOST_INTEGER <= value <= _MOST_INTEGER:
            raise ValueError("an integer of a field has at most 63 bits")
        return value
    if isinstance(value, str):
        return _text(value)
    raise TypeError(f"a field holds text, an integer or a truth value, not {type(value).__name__}")


def _text(text: str) -> str:
    """Text that every sink can encode, of bounded length."""
    return text[:MOST_TEXT].encode("utf-8", "backslashreplace").decode()


def _journal_text(value: str | int | bool) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)
