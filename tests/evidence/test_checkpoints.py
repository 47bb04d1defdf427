"""Signed checkpoints: when they are made, that they belong to one log, and that none is ahead of what is durable."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.evidence.anchors import Anchors
from edge.evidence.archive import SheetKind
from edge.evidence.event_log import EventLog
from edge.evidence.events import EVENTS, LogEvent
from edge.evidence.evidence_store import CHECKPOINT_EVENTS, CHECKPOINT_MS, EvidenceStore
from edge.evidence.tlog.checkpoint import Checkpoint, open_checkpoint
from edge.evidence.tlog.merkle import check_consistency, consistency_proof, root_of
from tests.evidence.breaking import Breaking
from tests.evidence.keeping import SetClock, cast, code, in_memory, opened, reading, store

AT_ONCE = {
    "logOpened",
    "stationStarted",
    "stationStopped",
    "zeroCheck",
    "pollsOpened",
    "pollsPaused",
    "pollsClosed",
    "tallySheetAccepted",
    "exportBegun",
    "exportMade",
}
"""What people look into the log for is signed as soon as it is there."""
ROOTS = {SheetKind.CAST: bytes(32), SheetKind.RETURNED: bytes(32)}


def sizes(kept: EvidenceStore) -> list[int]:
    """The sizes of the signed checkpoints."""
    return sorted(kept.opened().media[0].log.checkpoints())


def size(kept: EvidenceStore) -> int:
    return len(kept.opened().media[0].log.leaves())


def consistent(kept: EvidenceStore) -> list[Checkpoint]:
    """Every checkpoint is one of this log, and each is consistent with every other."""
    evidence = kept.opened()
    log, verifier = evidence.media[0].log, evidence.signer.verifier
    leaves = log.leaves()
    signed = []
    for number, note in sorted(log.checkpoints().items()):
        checkpoint = open_checkpoint(note, [verifier])
        assert (checkpoint.origin, checkpoint.size) == (verifier.name, number)
        assert checkpoint.root == root_of(leaves[:number])
        signed.append(checkpoint)
    for old, new in combinations(signed, 2):
        proof = consistency_proof(leaves, old.size, new.size)
        assert check_consistency(old.size, new.size, proof, old.root, new.root)
    return signed


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_what_people_look_for_is_signed_at_once(quick_path: Path, name: str) -> None:
    with opened(quick_path) as kept:
        kept.note([LogEvent(name, dict.fromkeys(EVENTS[name].fields, 0))])
        assert sizes(kept) == ([1, 2] if name in AT_ONCE else [1])


def test_the_polls_and_the_close_are_signed_at_once(quick_path: Path) -> None:
    with opened(quick_path) as kept:
        kept.open_polls()
        assert sizes(kept) == [1, 3]
        cast(kept, "one")
        kept.pause_polls()
        assert sizes(kept) == [1, 3, 5]
        kept.close_polls(kept.opened().state, ROOTS, {})
        assert sizes(kept) == [1, 3, 5, 6]
        assert len(consistent(kept)) == 4


def test_a_hundred_events_are_signed_together(quick_path: Path) -> None:
    with opened(quick_path) as kept:
        for _ in range(2 * CHECKPOINT_EVENTS + 50):
            kept.note([LogEvent("coverOpened")])
        assert sizes(kept) == [1, 1 + CHECKPOINT_EVENTS, 1 + 2 * CHECKPOINT_EVENTS]
        kept.note([LogEvent("coverOpened")] * 60)
        assert sizes(kept)[-1] == size(kept)
        consistent(kept)


def test_a_few_events_are_signed_after_five_minutes(quick_path: Path) -> None:
    clock = SetClock()
    with opened(quick_path, clock=clock) as kept:
        clock.pass_time(CHECKPOINT_MS)
        kept.tend()
        # Nothing has happened that could be signed.
        assert sizes(kept) == [1]
        clock.pass_time(CHECKPOINT_MS)
        kept.note([LogEvent("coverOpened")])
        assert sizes(kept) == [1]
        kept.tend()
        assert sizes(kept) == [1, 2]
        kept.note([LogEvent("coverClosed")])
        clock.pass_time(CHECKPOINT_MS - 1)
        kept.tend()
        assert sizes(kept) == [1, 2]
        clock.pass_time(1)
        kept.tend()
        kept.tend()
        assert sizes(kept) == [1, 2, 3]


def test_an_export_signs_what_there_is(quick_path: Path) -> None:
    with opened(quick_path) as kept:
        kept.note([LogEvent("coverOpened")])
        kept.checkpoint()
        kept.checkpoint()
        assert sizes(kept) == [1, 2]


def test_the_device_remembers_a_checkpoint_before_anybody_sees_it_and_after_its_entries_are_durable(
    quick_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember, seen = Anchors.remember, []

    def look(anchors: Anchors, note: bytes) -> None:
        # As another process would see the files at this moment.
        for medium in ("one", "two"):
            [path] = (quick_path / medium).glob("*/log.sqlite")
            log = EventLog(path)
            signed = open_checkpoint(note, [anchors._verifier])
            assert root_of(log.leaves()[: signed.size]) == signed.root
            assert len(log.leaves()) >= signed.size
            assert signed.size not in log.checkpoints()
            log.close()
            seen.append(signed.size)
        remember(anchors, note)

    monkeypatch.setattr(Anchors, "remember", look)
    with opened(quick_path, 2) as kept:
        kept.open_polls()
        cast(kept, "one")
        kept.pause_polls()
        assert seen == [number for signed in sizes(kept) for number in (signed, signed)]


@pytest.mark.parametrize("medium", ["one", "two"])
def test_a_cut_after_a_signature_costs_no_medium_what_was_signed(quick_path: Path, medium: str) -> None:
    """Whatever fails after the device has remembered a checkpoint, the next start finds a log that continues it."""
    for at in range(1, 60):
        folder = quick_path / str(at)
        with pytest.MonkeyPatch.context() as patched, opened(folder, 2) as kept:
            kept.note([LogEvent("coverOpened")])
            breaking = Breaking(folder / medium, at)
            breaking.install(patched)
            kept.pause_polls()
            kept.note([LogEvent("stationStopped", {"count": 0})])
            ended = breaking.calls < at
        with opened(folder, 2) as kept:
            consistent(kept)
            assert sizes(kept)[-1] >= 3
        if ended:
            return
    pytest.fail("the calls never ended")


def test_a_cut_between_the_log_and_its_first_signature_is_made_good(quick_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(EvidenceStore, "_sign", lambda *_: _raise())
        with pytest.raises(ZeroDivisionError):
            store(quick_path).read()
    with opened(quick_path) as kept:
        assert sizes(kept) == [1]
        consistent(kept)


def _raise() -> None:
    raise ZeroDivisionError


def test_a_signature_that_only_the_device_remembers_is_made_again(quick_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(quick_path) as kept:
        kept.open_polls()
        write = EventLog.write
        with monkeypatch.context() as patched:
            patched.setattr(EventLog, "write", lambda log, change: _raise() if change.checkpoints else write(log, change))
            with pytest.raises(ZeroDivisionError):
                kept.pause_polls()
        assert sizes(store_read(kept)) == [1, 3]
        kept.checkpoint()
        assert sizes(kept) == [1, 3, 4]
        consistent(kept)


def store_read(kept: EvidenceStore) -> EvidenceStore:
    kept.read()
    return kept


def test_a_second_sheet_is_not_signed_over_a_log_that_lost_the_first(quick_path: Path) -> None:
    """A log that was cut back behind a signature is refused, so that nothing else can be signed in its place."""
    with opened(quick_path) as kept:
        kept.open_polls()
        log = kept.opened().media[0].log
        log._books.execute("DELETE FROM entries WHERE sequence = 2")
        assert code(kept.read) == "logBehind"


@given(
    st.lists(
        st.tuples(st.sampled_from(["note", "sheet", "rejected", "tend", "polls", "restart"]), st.integers(0, 120)), max_size=12
    )
)
@settings(max_examples=25)
def test_all_checkpoints_of_any_day_belong_to_one_log(day: list[tuple[str, int]]) -> None:
    clock = SetClock()
    with in_memory() as folder, opened(folder, 2, clock=clock) as kept:
        kept.open_polls()
        for what, number in day:
            clock.pass_time(number * 5_000)
            match what:
                case "note":
                    kept.note([LogEvent("coverOpened")] * number)
                case "sheet":
                    if kept.open_polls().room:
                        cast(kept, str(number))
                case "rejected":
                    kept.keep_returned(reading(str(number), "return"))
                case "tend":
                    kept.tend()
                case "polls":
                    kept.pause_polls()
                case _:
                    kept.read()
            assert size(kept) - sizes(kept)[-1] < CHECKPOINT_EVENTS
        kept.pause_polls()
        assert consistent(kept)[-1].size <= size(kept)
