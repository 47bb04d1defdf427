"""After a cut: every combination of steps that were done and steps that were not, made by hand, and what becomes of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import pytest

from edge.evidence.archive import SheetKind
from edge.evidence.ballot_box import BallotBox, Entry, random_id
from edge.evidence.event_log import Change, EventLog, LogState
from edge.evidence.keys.day_key import load_day_key
from edge.evidence.keys.key_folder import KeyFolder
from edge.evidence.medium import BOX_FILE, LOG_FILE
from edge.evidence.opening import day_key_label
from edge.evidence.sheet_files import pack_files, sheet_files
from edge.evidence.store import PendingStage, Polls
from edge.evidence.tlog.merkle import leaf_hash
from tests.evidence.keeping import LABEL, SHAPE, cast, code, ids, in_memory, opened, reading, same_media, store, texts

MEDIA = ("one", "two")
CAST, RETURNED, TALLY = SheetKind.CAST, SheetKind.RETURNED, SheetKind.TALLY
COUNTED = {CAST: "cast", RETURNED: "returned", TALLY: "tallied"}
PACKED = pack_files(sheet_files(reading("new")))
ACCEPTING = PendingStage.ACCEPTING


@dataclass(frozen=True, slots=True)
class Slot:
    """What a cut leaves of a sheet on a medium: its page, whether the sheet that this names is whole, whether it is settled."""

    whole: bool = True
    settled: bool = False


@contextmanager
def box_of(folder: Path, medium: str) -> Iterator[BallotBox]:
    """The box of a medium, apart from any store."""
    log = EventLog(folder / medium / LABEL / LOG_FILE)
    number = log.fact("box") or b""
    log.close()
    key = load_day_key(KeyFolder(folder / "keys").open(), day_key_label(LABEL)).material()
    box = BallotBox(folder / medium / LABEL / BOX_FILE, number, key)
    try:
        yield box
    finally:
        box.close()


def leave(folder: Path, medium: str, identity: uuid.UUID, kind: SheetKind, what: Slot | None) -> None:
    """Leave that much of a sheet in a box."""
    if what is None:
        return
    with box_of(folder, medium) as box:
        slot = box.put(identity, kind, PACKED)
        if what.settled:
            box.settle(slot)
    if not what.whole:
        with (folder / medium / LABEL / BOX_FILE).open("r+b") as file:
            file.seek(4096 + (slot + 1) * SHAPE.slot_bytes - 20)
            file.write(bytes(20))


def write(folder: Path, medium: str, **changes: object) -> None:
    """The next state of a log, without any event."""
    log = EventLog(folder / medium / LABEL / LOG_FILE)
    state = log.state()
    log.write(Change(replace(state, revision=state.revision + 1, **changes)))  # type: ignore[arg-type] # the caller's business
    log.close()


def begun(folder: Path, media: int) -> None:
    """A day with one sheet in the box and one that was returned."""
    with opened(folder, media) as kept:
        kept.open_polls()
        cast(kept, "old")
        kept.keep_returned(reading("returned", "return"))


def entries_of(folder: Path, medium: str) -> set[Entry]:
    with box_of(folder, medium) as box:
        return set(box.entries.values())


def recovered(folder: Path, media: int) -> tuple[int, PendingStage | None, list[str], list[str]]:
    """Count, stage, and the sheets of both kinds, after a start; everything is in line then, and stays so."""
    with opened(folder, media) as kept:
        same_media(kept)
        found = (kept.opened().state.cast, kept.opened().state.pending, texts(kept), texts(kept, RETURNED))
        unsettled = [entry for entry in kept.opened().media[0].open_box().entries.values() if not entry.settled]
        assert len(unsettled) == (found[1] is not None)
    with opened(folder, media) as kept:
        assert kept.opened().caught_up == []
        if kept.opened().state.pending is not None:
            kept.commit()
            assert texts(kept) == sorted([*found[2], "new"])
            kept.keep_returned(reading("another", "return"))
            same_media(kept)
    return found


PARTS = (None, Slot(whole=False), Slot())


@pytest.mark.parametrize(("first", "second"), list(product(PARTS, PARTS)))
@pytest.mark.parametrize("kind", SheetKind)
def test_a_sheet_that_the_log_does_not_know_was_never_written_down(
    first: Slot | None, second: Slot | None, kind: SheetKind
) -> None:
    with in_memory() as folder:
        begun(folder, 2)
        identity = random_id()
        for medium, what in zip(MEDIA, (first, second), strict=True):
            leave(folder, medium, identity, kind, what)
        assert recovered(folder, 2) == (1, None, ["old"], ["returned"])
        assert all(identity not in {entry.id for entry in entries_of(folder, medium)} for medium in MEDIA)


@pytest.mark.parametrize("stage", PendingStage)
@pytest.mark.parametrize("known", [(True, True), (True, False)], ids=["both logs", "the first log"])
def test_a_sheet_that_the_log_knows_is_pending(known: tuple[bool, bool], stage: PendingStage) -> None:
    """It was durable in both boxes before the first log learned of it."""
    with in_memory() as folder:
        begun(folder, 2)
        identity = random_id()
        for medium, told in zip(MEDIA, known, strict=True):
            leave(folder, medium, identity, CAST, Slot())
            if told:
                write(folder, medium, pending=stage)
        assert recovered(folder, 2) == (1, stage, ["old"], ["returned"])


@pytest.mark.parametrize(("first", "second"), [(None, Slot()), (Slot(), None), (Slot(whole=False), Slot())])
def test_a_pending_tally_sheet_that_one_medium_has_is_copied_as_what_it_is(first: Slot | None, second: Slot | None) -> None:
    with in_memory() as folder:
        begun(folder, 2)
        identity = random_id()
        for medium, what in zip(MEDIA, (first, second), strict=True):
            leave(folder, medium, identity, TALLY, what)
            write(folder, medium, pending=ACCEPTING)
        with opened(folder, 2) as kept:
            boxes = [medium.open_box().entries.values() for medium in kept.opened().media]
            assert [[entry.kind for entry in box if entry.id == identity] for box in boxes] == [[TALLY], [TALLY]]
            same_media(kept)


@pytest.mark.parametrize("settled", list(product([False, True], [False, True])))
@pytest.mark.parametrize("known", [(True, True), (True, False)], ids=["both logs", "the first log"])
@pytest.mark.parametrize("kind", SheetKind)
def test_a_sheet_that_the_log_has_counted_counts(kind: SheetKind, known: tuple[bool, bool], settled: tuple[bool, bool]) -> None:
    with in_memory() as folder:
        begun(folder, 2)
        identity = random_id()
        for medium, told, done in zip(MEDIA, known, settled, strict=True):
            leave(folder, medium, identity, kind, Slot(settled=done and told))
            if told:
                write(folder, medium, **{COUNTED[kind]: 1 if kind is TALLY else 2})
        expected = {
            CAST: (2, None, ["new", "old"], ["returned"]),
            RETURNED: (1, None, ["old"], ["new", "returned"]),
            TALLY: (1, None, ["old"], ["returned"]),
        }
        assert recovered(folder, 2) == expected[kind]
        if kind is TALLY:
            with opened(folder, 2) as kept:
                assert texts(kept, TALLY) == ["new"]


@pytest.mark.parametrize(("first", "second"), list(product(PARTS, PARTS)))
def test_a_sheet_that_the_log_has_forgotten_is_gone(first: Slot | None, second: Slot | None) -> None:
    """A wipe overwrites the sheet first, then its page: a cut in between leaves a page without a whole sheet."""
    with in_memory() as folder:
        begun(folder, 2)
        identity = random_id()
        for medium, what in zip(MEDIA, (first, second), strict=True):
            write(folder, medium, pending=PendingStage.RETURNING)
            write(folder, medium, pending=None)
            leave(folder, medium, identity, CAST, what)
        assert recovered(folder, 2) == (1, None, ["old"], ["returned"])
        assert all(identity not in {entry.id for entry in entries_of(folder, medium)} for medium in MEDIA)


@pytest.mark.parametrize("media", [1, 2])
@pytest.mark.parametrize("kind", [None, *SheetKind])
@pytest.mark.parametrize("pages", [(None, None), (Slot(whole=False), None), (None, Slot(whole=False)), (Slot(whole=False),) * 2])
def test_a_sheet_that_the_log_wants_and_no_medium_has_whole_is_missed(
    media: int, kind: SheetKind | None, pages: tuple[Slot | None, Slot | None]
) -> None:
    """Pending (None), cast or returned by the log."""
    with in_memory() as folder:
        begun(folder, media)
        identity = random_id()
        counted = 1 if kind is TALLY else 2
        wanted: dict[str, object] = {COUNTED[kind]: counted} if kind else {"pending": ACCEPTING}
        for medium, what in zip(MEDIA[:media], pages, strict=False):
            leave(folder, medium, identity, kind or CAST, what)
            write(folder, medium, **wanted)
        before = [entries_of(folder, medium) for medium in MEDIA[:media]]
        assert code(store(folder, media).read) == "storeCorrupt"
        # Nothing was changed: somebody has to look at it.
        assert [entries_of(folder, medium) for medium in MEDIA[:media]] == before


@pytest.mark.parametrize(
    ("first", "second"), [(Slot(whole=False), Slot()), (Slot(), Slot(whole=False)), (None, Slot()), (Slot(), None)]
)
@pytest.mark.parametrize("stage", [ACCEPTING, None])
def test_a_sheet_that_one_medium_has_whole_is_copied_to_the_other(
    first: Slot | None, second: Slot | None, stage: PendingStage | None
) -> None:
    with in_memory() as folder:
        begun(folder, 2)
        identity = random_id()
        for medium, what in zip(MEDIA, (first, second), strict=True):
            leave(folder, medium, identity, CAST, what)
            write(folder, medium, **({"pending": stage} if stage else {"cast": 2}))
        expected = (1, stage, ["old"], ["returned"]) if stage else (2, None, ["new", "old"], ["returned"])
        assert recovered(folder, 2) == expected


@pytest.mark.parametrize("counts", [{"cast": 0}, {"cast": 3}, {"returned": 0}, {"returned": 3}, {"cast": 2, "returned": 0}])
@pytest.mark.parametrize("media", [1, 2])
def test_sheets_that_contradict_the_counts_are_not_explained_away(media: int, counts: dict[str, int]) -> None:
    with in_memory() as folder:
        begun(folder, media)
        for medium in MEDIA[:media]:
            write(folder, medium, **counts)
        assert code(store(folder, media).read) == "storeCorrupt"


def test_two_unsettled_sheets_are_one_too_many() -> None:
    with in_memory() as folder:
        begun(folder, 1)
        for _ in range(2):
            leave(folder, "one", random_id(), CAST, Slot())
        write(folder, "one", pending=ACCEPTING)
        assert code(store(folder).read) == "storeCorrupt"


def test_an_unsettled_sheet_of_the_other_kind_is_not_the_pending_one() -> None:
    with in_memory() as folder:
        begun(folder, 1)
        leave(folder, "one", random_id(), RETURNED, Slot())
        leave(folder, "one", identity := random_id(), CAST, Slot())
        write(folder, "one", pending=ACCEPTING)
        assert recovered(folder, 1) == (1, ACCEPTING, ["old"], ["returned"])
        assert identity in {entry.id for entry in entries_of(folder, "one")}


def test_a_settled_sheet_that_only_one_medium_has_is_copied() -> None:
    with in_memory() as folder:
        begun(folder, 2)
        with box_of(folder, "one") as box:
            for slot in list(box.entries):
                box.wipe(slot)
        assert recovered(folder, 2) == (1, None, ["old"], ["returned"])


def test_a_log_that_is_one_step_behind_is_brought_up_to_date_and_that_is_told() -> None:
    with in_memory() as folder:
        begun(folder, 2)
        write(folder, "two", polls=Polls.PAUSED)
        with opened(folder, 2) as kept:
            assert kept.opened().state.polls is Polls.PAUSED
            assert kept.opened().media[0].name == "second"
            assert ids(kept)[-1] == "evidenceRecovered"
            same_media(kept)


def test_logs_that_went_different_ways_are_not_joined() -> None:
    """No cut does that; a medium that was at work elsewhere does."""
    with in_memory() as folder:
        begun(folder, 2)
        with opened(folder, 1) as kept:
            kept.pause_polls()
        log = EventLog(folder / "two" / LABEL / LOG_FILE)
        log.write(Change(replace(log.state(), revision=log.state().revision + 1), [(b"other", leaf_hash(b"other"))]))
        entries = log.entries()
        log.close()
        with opened(folder, 2) as kept:
            assert kept.opened().lost == ["second"]
            assert kept.opened().state.polls is Polls.PAUSED
        log = EventLog(folder / "two" / LABEL / LOG_FILE)
        assert log.entries() == entries
        log.close()


def test_states_of_a_log_say_how_many_sheets_of_a_kind_there_are() -> None:
    assert [LogState(cast=3, returned=2, tallied=1).kept(kind) for kind in (CAST, RETURNED, TALLY)] == [3, 2, 1]
