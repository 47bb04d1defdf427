"""What the station asks of its evidence, on one medium and on two: each answer, each refusal, and what the log then has."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.evidence.archive import SheetKind
from edge.evidence.event_log import LogState
from edge.evidence.events import EVENTS, LogEvent
from edge.evidence.evidence_store import EvidenceStore
from edge.evidence.medium import BoxShape
from edge.evidence.store import Books, PendingStage, Polls
from tests.evidence.keeping import (
    LABEL,
    SHAPE,
    SetClock,
    cast,
    code,
    ids,
    logged,
    opened,
    reading,
    same_media,
    store,
    texts,
)

pytestmark = pytest.mark.parametrize("media", [1, 2])


@pytest.fixture
def kept(quick_path: Path, media: int) -> Iterator[EvidenceStore]:
    """A store with open polls; in the end both media hold the same."""
    with opened(quick_path, media) as made:
        made.open_polls()
        yield made
        if made._open is not None:
            same_media(made)


def test_a_new_log_begins_with_its_name_and_its_makers(quick_path: Path, media: int) -> None:
    with opened(quick_path, media) as made:
        [(name, fields)] = logged(made)
        assert name == "logOpened"
        assert fields["origin"] == f"scan.example.org/0001/{LABEL}"
        assert fields["key"] == made.opened().signer.verifier.text
        assert fields["formerLog"] == ""
        assert set(fields) == set(EVENTS["logOpened"].fields)
        assert made.read() == Books(0, None, SHAPE.cast, Polls.NEW, ())


def test_nothing_is_asked_before_it_is_read(quick_path: Path, media: int) -> None:
    made = store(quick_path, media)
    assert code(made.opened) == "storeUnavailable"
    # Any other question reads it first.
    assert made.open_polls().polls is Polls.OPEN
    made.close()
    assert code(made.opened) == "storeUnavailable"


def test_a_sheet_is_pending_and_then_counted(kept: EvidenceStore) -> None:
    assert kept.write_pending(reading("one")) == Books(0, PendingStage.ACCEPTING, 7, Polls.OPEN, ())
    assert kept.mark_pending(PendingStage.DOUBTFUL).pending is PendingStage.DOUBTFUL
    assert kept.commit() == Books(1, None, 7, Polls.OPEN, ())
    assert texts(kept) == ["one"]
    assert logged(kept)[-1] == ("sheetAccepted", {"count": 1})


def test_a_pending_sheet_is_forgotten_without_a_trace(kept: EvidenceStore) -> None:
    kept.write_pending(reading("one"))
    assert kept.erase() == Books(0, None, 8, Polls.OPEN, ())
    assert [medium.open_box().entries for medium in kept.opened().media] == [{}] * len(kept.opened().media)
    assert ids(kept)[-1] == "pendingErased"
    events = len(ids(kept))
    kept.erase()
    assert len(ids(kept)) == events


def test_one_sheet_at_most_is_pending(kept: EvidenceStore) -> None:
    kept.write_pending(reading("one"))
    with pytest.raises(ValueError, match="pending already"):
        kept.write_pending(reading("two"))
    assert kept.commit().count == 1


def test_without_a_pending_sheet_nothing_is_counted(kept: EvidenceStore) -> None:
    with pytest.raises(ValueError, match="no sheet is pending"):
        kept.commit()
    kept.read()
    events = len(ids(kept))
    assert kept.mark_pending(PendingStage.RETURNING) == Books(0, None, 8, Polls.OPEN, ())
    assert len(ids(kept)) == events


@pytest.mark.parametrize("stage", PendingStage)
def test_a_pending_sheet_is_found_with_its_stage(quick_path: Path, media: int, stage: PendingStage) -> None:
    with opened(quick_path, media) as made:
        made.open_polls()
        made.write_pending(reading("one"))
        made.mark_pending(stage)
    with opened(quick_path, media) as made:
        assert logged(made)[-1] == ("sheetFoundPending", {"stage": str(stage)})
        assert made.read() == Books(0, stage, 7, Polls.OPEN, ())
        assert made.commit().count == 1
        assert texts(made) == ["one"]
        same_media(made)


def test_what_was_counted_is_found_again(quick_path: Path, media: int) -> None:
    with opened(quick_path, media) as made:
        made.open_polls()
        cast(made, "one", "two")
        made.pause_polls()
    with opened(quick_path, media) as made:
        assert made.read() == Books(2, None, 6, Polls.PAUSED, ())
        assert texts(made) == ["one", "two"]


def test_pictures_of_rejected_sheets_are_kept_while_there_is_room(kept: EvidenceStore) -> None:
    for number in range(6):
        assert kept.keep_returned(reading(f"sheet {number}", "return")).count == 0
    assert texts(kept, SheetKind.RETURNED) == [f"sheet {number}" for number in range(4)]
    assert [name for name, _ in logged(kept)[3:]] == ["sheetReturned"] * 6
    assert kept.read().room == SHAPE.cast


def test_a_rejected_sheet_that_is_too_large_is_told_and_not_kept(kept: EvidenceStore) -> None:
    kept.keep_returned(reading(large(), "return"))
    assert texts(kept, SheetKind.RETURNED) == []
    assert logged(kept)[-1] == ("sheetReturned", {"why": "rejected"})


def large() -> str:
    """What does not fit into a slot: digits that nothing can pack any smaller."""
    return "".join(f"{(number * 2_654_435_761) % 4_294_967_296:08x}" for number in range(8_000))


def test_a_sheet_that_is_too_large_is_refused_and_the_next_is_not(kept: EvidenceStore) -> None:
    assert code(lambda: kept.write_pending(reading(large()))) == "sheetTooLarge"
    cast(kept, "one")
    assert kept.opened().lost == []


def test_a_full_box_takes_no_more(kept: EvidenceStore) -> None:
    cast(kept, *(str(number) for number in range(SHAPE.cast)))
    assert code(lambda: kept.write_pending(reading("nine"))) == "storeFull"
    assert kept.keep_returned(reading("rejected", "return")) == Books(8, None, 0, Polls.OPEN, ())
    assert texts(kept, SheetKind.RETURNED) == ["rejected"]


def test_a_box_that_is_smaller_than_configured_is_full_when_it_is_full(quick_path: Path, media: int) -> None:
    """The configuration may change after the box was made."""
    with opened(quick_path, media, shape=BoxShape(2, 1, SHAPE.slot_bytes)) as made:
        made.open_polls()
    with opened(quick_path, media) as made:
        assert made.read().room == 3
        cast(made, "one", "two", "three")
        assert code(lambda: made.write_pending(reading("four"))) == "storeFull"
        assert made.keep_returned(reading("rejected", "return")) == Books(3, None, 0, Polls.OPEN, ())
        assert texts(made, SheetKind.RETURNED) == []


def test_the_polls_are_opened_paused_and_opened_again(quick_path: Path, media: int) -> None:
    with opened(quick_path, media) as made:
        assert code(lambda: made.write_pending(reading("early"))) == "pollsClosed"
        assert made.pause_polls().polls is Polls.NEW
        assert made.open_polls().polls is Polls.OPEN
        made.open_polls()
        cast(made, "one")
        assert made.pause_polls().polls is Polls.PAUSED
        made.pause_polls()
        assert code(lambda: made.write_pending(reading("late"))) == "pollsClosed"
        made.keep_returned(reading("late", "return"))
        assert texts(made, SheetKind.RETURNED) == []
        made.open_polls()
        assert logged(made)[1:] == [
            ("zeroCheck", {}),
            ("pollsOpened", {"count": 0}),
            ("sheetAccepted", {"count": 1}),
            ("pollsPaused", {"count": 1}),
            ("sheetReturned", {"why": "rejected"}),
            ("pollsOpened", {"count": 1}),
        ]


def test_a_box_that_is_not_empty_before_the_polls_open_is_no_box(quick_path: Path, media: int) -> None:
    with opened(quick_path, media) as made:
        box = made.opened().media[-1].open_box()
        box.put(uuid.uuid4(), SheetKind.CAST, b"stuffed")
        assert code(made.open_polls) == "storeCorrupt"


ROOTS = {SheetKind.CAST: bytes(32), SheetKind.RETURNED: bytes(32)}


def test_the_polls_are_closed_for_good(kept: EvidenceStore) -> None:
    cast(kept, "one")
    counted = kept.opened().state
    assert code(lambda: kept.close_polls(counted, ROOTS, {})) == "pollsOpen"
    kept.pause_polls()
    assert code(lambda: kept.close_polls(LogState(), ROOTS, {})) == "storeBehind"
    kept.close_polls(counted, ROOTS, {"cast": b"a note"})
    assert kept.opened().media[0].log.notes() == {"cast": b"a note"}
    assert logged(kept)[-1] == (
        "pollsClosed",
        {"count": 1, "returned": 0, "castRoot": "A" * 43 + "=", "returnedRoot": "A" * 43 + "="},
    )
    assert code(lambda: kept.close_polls(counted, ROOTS, {})) == "pollsClosed"
    assert code(kept.open_polls) == "pollsClosed"
    assert code(lambda: kept.write_pending(reading("late"))) == "pollsClosed"
    assert kept.pause_polls() == Books(1, None, 0, Polls.CLOSED, ())
    assert kept.read() == Books(1, None, 0, Polls.CLOSED, ())
    assert texts(kept) == ["one"]


def test_the_polls_are_not_closed_over_a_pending_sheet(kept: EvidenceStore) -> None:
    kept.write_pending(reading("one"))
    kept.pause_polls()
    assert code(lambda: kept.close_polls(kept.opened().state, ROOTS, {})) == "pollsOpen"
    kept.erase()
    kept.close_polls(kept.opened().state, ROOTS, {})


def test_a_refusal_changes_nothing(kept: EvidenceStore) -> None:
    before = kept.opened()
    entries = before.media[0].log.entries()
    for refused in (lambda: kept.write_pending(reading(large())), lambda: kept.close_polls(LogState(), ROOTS, {})):
        code(refused)
    assert kept.opened() is before
    assert before.media[0].log.entries() == entries


def test_events_are_written_as_they_are_given(kept: EvidenceStore) -> None:
    kept.note([LogEvent("jam", {"reason": "jam"}), LogEvent("jamCleared")])
    assert logged(kept)[-2:] == [("jam", {"reason": "jam"}), ("jamCleared", {})]
    kept.note([])
    assert ids(kept)[-1] == "jamCleared"


def test_entries_carry_the_clocks_and_their_own_number(kept: EvidenceStore) -> None:
    entries = [json.loads(entry) for entry, _ in kept.opened().media[0].log.entries()]
    assert [entry["Sequence"] for entry in entries] == ["0", "1", "2"]
    assert {entry["TimeStamp"] for entry in entries} == {"2026-11-03T07:00:00Z"}
    details = json.loads(entries[1]["Details"])
    assert details == {"bootId": SetClock().boot_id, "clock": "unsynchronised", "monotonicMs": 1000}


def test_a_clock_that_was_set_is_noted_once(quick_path: Path, media: int) -> None:
    clock = SetClock()
    with opened(quick_path, media, clock=clock) as made:
        clock.pass_time(60_000)
        clock.wall_ms += 2_000
        made.tend()
        assert "clockChanged" not in ids(made)
        clock.pass_time(60_000)
        clock.wall_ms -= 3_600_000
        made.tend()
        assert logged(made)[-1] == ("clockChanged", {"byMs": -3_598_000, "before": "2026-11-03T10:02:00Z"})
        made.tend()
        assert ids(made).count("clockChanged") == 1


def test_a_medium_that_is_nearly_full_is_an_alarm_and_a_station_without_any_other_takes_no_sheets(
    quick_path: Path, media: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(quick_path, media) as made:
        made.open_polls()
        monkeypatch.setattr("edge.evidence.medium.Medium.free_bytes", lambda medium: -1 if medium.name == "first" else 0)
        assert made.tend() == Books(0, None, 0 if media == 1 else 8, Polls.OPEN, ("mediumLow",))
        made.tend()
        assert [event for event in logged(made) if event[0] == "mediumLow"] == [("mediumLow", {"medium": "first"})]
        # Also right after a new start.
        assert made.read().alarms == ("mediumLow",)
        monkeypatch.undo()
        assert made.tend() == Books(0, None, 8, Polls.OPEN, ())


def test_the_write_ahead_log_is_tidied_when_it_has_grown(kept: EvidenceStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.evidence.evidence_store._LARGE_LOG", 100_000)
    for number in range(40):
        kept.note([LogEvent("jam", {"reason": "x" * 1_000})])
        if number % 10 == 0:
            kept.tend()
    sizes = [medium.log.ahead_bytes() for medium in kept.opened().media]
    for _ in range(40):
        kept.note([LogEvent("jam", {"reason": "x" * 1_000})])
        kept.tend()
    assert [medium.log.ahead_bytes() for medium in kept.opened().media] <= [2 * size for size in sizes]


def test_the_log_says_nothing_that_would_lead_from_a_sheet_to_its_place(kept: EvidenceStore) -> None:
    """No id, no hash, no slot: of sheets there are only the counts."""
    cast(kept, "one", "two")
    kept.keep_returned(reading("three", "return"))
    said = b"".join(entry for entry, _ in kept.opened().media[0].log.entries())
    for entry in kept.opened().media[0].open_box().entries.values():
        assert entry.id.bytes not in said
        assert str(entry.id).encode() not in said
        assert entry.id.hex.encode() not in said
    assert {name: set(fields) for name, fields in logged(kept) if name.startswith(("sheet", "pending"))} == {
        "sheetAccepted": {"count"},
        "sheetReturned": {"why"},
    }


def test_nobody_else_may_read_what_is_made(kept: EvidenceStore, quick_path: Path) -> None:
    for path in quick_path.rglob("*"):
        about = path.stat()
        if path.parent != quick_path or path.name == "keys":
            assert about.st_mode & 0o077 == 0, path
