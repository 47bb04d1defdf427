"""The checker proves itself: stores that break one promise each are caught, and the true one is not."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from edge.evidence import ballot_box, event_log, folder, lock, opening
from edge.evidence.anchors import Anchors
from edge.evidence.archive import SheetKind
from edge.evidence.ballot_box import BallotBox
from edge.evidence.entry import entry_bytes
from edge.evidence.event_log import Change, LogState
from edge.evidence.events import LogEvent
from edge.evidence.evidence_store import EvidenceStore
from edge.evidence.keys import key_folder
from edge.evidence.medium import Medium
from edge.evidence.opening import Opened
from edge.evidence.reading import SheetReading
from edge.evidence.store import Books, PendingStage
from edge.evidence.tlog.checkpoint import Checkpoint
from edge.evidence.tlog.merkle import leaf_hash
from edge.evidence.tlog.note import sign_note
from hil.crash.campaign import go_through
from hil.crash.killed_first import killed_first
from hil.crash.session import Session
from hil.crash.store_sessions import FIRST, lost_medium, short_day
from hil.crash.world import packed

LIMIT = 250


def caught(session: Session, call: str = "read") -> str:
    """What the checker says of the first cut from a call on that breaks a promise."""
    begins = (number for number, one in enumerate(session.recording.operations) if f'"begin": "{call}"' in one.where)
    result = go_through(replace(session, since=max(session.since, next(begins))), LIMIT, most_failures=1)
    assert result.failures, f"{result.checked} cuts were checked, and nothing was found"
    return result.failures[0].error


def caught_after_kills(session: Session, unsynced: str) -> str:
    """Likewise, when a process was killed each time before it could sync something, and another one has gone on."""
    said = [str(one) for one in session.recording.operations]
    for killed in killed_first(session, len(said)):
        if said[killed.since] == f"sync {unsynced}":
            result = go_through(killed, 80, most_failures=1)
            if result.failures:
                return result.failures[0].error
    raise AssertionError("nothing was found")


@pytest.mark.parametrize("media", [1, 2])
def test_the_true_store_passes(media: int) -> None:
    result = go_through(short_day(media=media), 150)
    assert not result.failures, result.failures[0]
    assert result.checked >= 140
    assert result.distinct > 900


# Stores that do things in another order, or not at all.


class CountsFirst(EvidenceStore):
    """The log knows of a sheet that is not yet in the box."""

    def write_pending(self, reading: SheetReading) -> Books:
        with self._at_work() as work:
            self._write(work, replace(work.state, pending=PendingStage.ACCEPTING))
            self._put(work, SheetKind.CAST, packed(reading))
            return self._books(work)


class SignsFirst(EvidenceStore):
    """What is signed is not yet durable."""

    def _write(self, work: Opened, state: LogState, *events: LogEvent, notes: dict[str, bytes] | None = None) -> None:
        if "sheetAccepted" in {event.id for event in events}:
            now, tree = self._clock.read(), copy.deepcopy(work.frontier)
            for number, event in enumerate(events, tree.size):
                tree.append(leaf_hash(entry_bytes(event, number, now)))
            note = sign_note(Checkpoint(work.signer.verifier.name, tree.size, tree.root()).text, work.signer)
            work.anchors.remember(note)
            after = replace(work.state, revision=work.state.revision + 1)
            self._each(work, lambda medium: medium.log.write(Change(after, checkpoints={tree.size: note})))
            work.state, work.signed = after, tree.size
        super()._write(work, state, *events, notes=notes)


class Unsettled(EvidenceStore):
    """A counted sheet keeps its slot as if it were still pending."""

    def _settle(self, work: Opened) -> None:
        for medium in work.media:
            medium.pending = None


class RemembersLast(EvidenceStore):
    """A signed checkpoint is on the medium before the device remembers it."""

    def _sign(self, work: Opened) -> None:
        size = work.frontier.size
        note = sign_note(Checkpoint(work.signer.verifier.name, size, work.frontier.root()).text, work.signer)
        after = replace(work.state, revision=work.state.revision + 1)
        self._each(work, lambda medium: medium.log.write(Change(after, checkpoints={size: note})))
        work.anchors.remember(note)
        work.state, work.signed = after, size


class OneMedium(EvidenceStore):
    """Sheets go to the first medium only; the second is caught up at the next opening."""

    def _put(self, work: Opened, kind: SheetKind, sheet: bytes) -> None:
        behind, work.media[1:] = work.media[1:], []
        super()._put(work, kind, sheet)
        work.media += behind

    def _on_pending(self, work: Opened, do: Callable[[Medium, int], None]) -> None:
        behind, work.media[1:] = work.media[1:], []
        super()._on_pending(work, do)
        work.media += behind


@pytest.mark.parametrize(
    ("kind", "call", "verdict"),
    [
        (CountsFirst, "write_pending", "no medium has it whole"),
        (SignsFirst, "commit", "logBehind"),
        (Unsettled, "erase", "no medium has it whole"),
        (RemembersLast, "open_polls", "the device does not remember it"),
    ],
)
def test_a_store_that_goes_wrong_is_caught(kind: type[EvidenceStore], call: str, verdict: str) -> None:
    assert verdict in caught(short_day(kind), call)


def test_a_second_medium_that_holds_less_than_was_acknowledged_is_caught() -> None:
    """Nothing is wrong with the two together; but alone it does not have what was acknowledged on both."""
    assert "storeCorrupt" in caught(short_day(OneMedium, media=2), "commit")


# Parts that do less than they promise.


class NoSync:
    """`os`, but nothing is ever synced."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever `os` has
        return getattr(os, name)

    def fsync(self, _: int) -> None:
        """Do nothing."""


@pytest.mark.parametrize(
    ("module", "call", "verdict"),
    [
        (ballot_box, "write_pending", "storeCorrupt"),
        (key_folder, "read", "keyMissing"),
    ],
)
def test_a_sync_that_is_skipped_is_caught(monkeypatch: pytest.MonkeyPatch, module: ModuleType, call: str, verdict: str) -> None:
    monkeypatch.setattr(module, "os", NoSync())
    assert verdict in caught(short_day(), call)


def test_a_log_that_is_not_synced_with_every_transaction_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    run = event_log._run
    monkeypatch.setattr(event_log, "_run", lambda books, statement: run(books, statement.replace("FULL", "NORMAL")))
    assert "Error" in caught(short_day(), "open_polls")


def test_a_device_that_forgets_what_it_signed_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Anchors, "remember", lambda *_: None)
    assert "the device remembers no checkpoint" in caught(short_day())


def test_an_erased_sheet_that_is_not_overwritten_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BallotBox, "wipe", lambda box, slot: box._entries.pop(slot, None))
    assert "are not settled" in caught(short_day(), "erase")


def test_a_recovery_that_does_not_look_into_the_box_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "align_boxes", lambda *_: None)
    assert "CrashError" in caught(short_day(), "write_pending")


def test_a_lost_medium_that_is_not_noted_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one alone would then go on from what it knew when it was lost."""
    monkeypatch.setattr(Anchors, "note_media", lambda *_: None)
    assert "Error" in caught(lost_medium((("commit", 1),)), "commit")


def test_a_medium_that_is_behind_and_leads_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def least(values: Any, **options: Any) -> Any:  # noqa: ANN401  as `max`
        return min(values, **options) if "key" in options else max(values, **options)

    monkeypatch.setattr(opening, "max", least, raising=False)
    assert "Error" in caught(short_day(media=2), "write_pending")


# Mistakes that the matrix has found.


def test_a_sheet_whose_writing_was_cut_off_opens_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sealed with the day key alone it could be read for ever, though its voter got it back."""
    monkeypatch.setattr(BallotBox, "_seal_of", lambda box, _: box._seal)
    assert "holds no whole sheet, and of one there opens: ['sheet']" in caught(short_day(), "write_pending")


def test_what_a_killed_process_has_not_synced_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process reads it, builds on it, and a cut takes it away."""
    monkeypatch.setattr(event_log, "_make_durable", lambda _: None)
    assert "Error" in caught_after_kills(short_day(), f"world/first/{FIRST}/log.sqlite-wal")


def test_a_folder_that_a_killed_process_has_not_synced_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def only_where_missing(path: Path) -> None:
        if not path.is_dir():
            path.mkdir(mode=0o700)
            folder.sync_folder(path.parent)

    monkeypatch.setattr(opening, "make_folder", only_where_missing)
    monkeypatch.setattr(lock, "make_folder", only_where_missing)
    assert "Error" in caught_after_kills(short_day(), "world")


def test_folders_whose_names_are_not_synced_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of the keys, and that of the first medium, are made at the first start."""
    monkeypatch.setattr(folder, "sync_folder", lambda _: None)
    assert "Error" in caught(short_day())
