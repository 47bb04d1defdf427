"""Which events a day leaves in the signed log; and that none of them says a word about a ballot."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.ballot.result import Doubt
from edge.decision import DispositionKind, ReturnCode
from edge.definition.settings import AdjudicationReason
from edge.evidence.events import EVENTS, LogEvent, Value
from edge.station.events import CastPressed, Interpreted, InterpreterFailed, PollsTurned, ReturnPressed, StopRequested
from edge.station.sentences import SCANNER_SENTENCES
from edge.station.state import StateName, StationReason
from firmware_bridge.scanner import (
    AcceptPaused,
    AcceptResumed,
    CoverClosed,
    CoverOpened,
    DoubleFeedDetected,
    JamReported,
    ScanFailed,
    ScannerEvent,
    ScannerLost,
    ScannerTrouble,
    ScanStarted,
    SheetScanned,
    UnknownReport,
)
from tests.station.world import IDENTITY, IMAGES, LIMITS, World, reading

CONNECTED = ("scannerConnected", {"product": "9072", "firmware": "0115", "serialNumber": "0000000A"})


def go(world: World, *, move: bool = False) -> None:
    """Let everything work until nothing is left to do; the rollers only if they are to."""
    for _ in range(80):
        parts = (world.deliver, world.keep_books, world.obey, world.interpret, *([world.move] if move else []))
        if not any(part() for part in parts):
            return


def told(world: World) -> list[tuple[str, dict[str, Value]]]:
    """The events since the last time."""
    events = [(event.id, dict(event.fields)) for event in world.log]
    world.log.clear()
    return events


def waiting() -> World:
    world = World()
    go(world)
    assert told(world) == [CONNECTED]
    return world


def fed(kind: DispositionKind = "accept") -> World:
    world = waiting()
    assert world.scan(world.put(kind))
    return world


def until_rest(world: World) -> None:
    go(world, move=True)
    world.wait(LIMITS.poll)
    go(world, move=True)
    world.take_front()
    world.wait(LIMITS.idle_poll)
    go(world)


def test_a_sheet_that_is_accepted_leaves_nothing_beside_what_the_evidence_writes() -> None:
    """Neither that it was taken, nor when: only that one more is in the box."""
    world = fed()
    until_rest(world)
    assert (world.count, told(world)) == (1, [])


def test_a_rejected_sheet_is_the_evidences_own_affair() -> None:
    world = fed("return")
    until_rest(world)
    assert (world.returned, told(world)) == (1, [])


@pytest.mark.parametrize("cast", [True, False])
def test_that_a_sheet_was_held_and_what_was_pressed_is_not_told(cast: bool) -> None:
    world = fed("hold")
    go(world)
    assert world.station.name is StateName.HOLDING
    assert told(world) == []
    world.events.append(CastPressed() if cast else ReturnPressed())
    until_rest(world)
    assert world.returned == 0
    assert told(world) == ([] if cast else [("sheetReturned", {"why": "person"})])


def test_a_held_sheet_that_nobody_decided_about() -> None:
    world = fed("hold")
    go(world)
    for _ in range(LIMITS.hold // LIMITS.idle_poll + 2):
        world.wait(LIMITS.idle_poll)
        go(world)
    assert told(world) == [("sheetReturned", {"why": "nobodyDecided"})]


def test_a_sheet_that_goes_back_because_of_the_machine() -> None:
    world = waiting()
    assert world.scan(world.put(), fails=True)
    until_rest(world)
    assert told(world) == [("sheetReturned", {"why": "mechanical"})]


def test_a_sheet_on_which_the_interpreter_fails() -> None:
    world = fed()
    while not world.sheets:
        assert world.deliver() or world.obey()
    world.events.append(InterpreterFailed(world.sheets.popleft().sheet, "RuntimeError"))
    until_rest(world)
    assert told(world) == [("interpreterFailed", {}), ("sheetReturned", {"why": "mechanical"})]


def test_a_sheet_that_the_evidence_refuses() -> None:
    world = fed()
    world.room = 0
    until_rest(world)
    assert told(world) == [("sheetReturned", {"why": "evidence"}), ("boxFull", {"count": 0})]
    assert world.state == (StateName.CLOSED, StationReason.BOX_FULL)


def test_a_box_that_becomes_full_is_told_once() -> None:
    world = fed()
    world.room = 1
    until_rest(world)
    world.wait(LIMITS.accepted_signal)
    for _ in range(3):
        world.tend()
        go(world)
    assert (world.count, told(world)) == (1, [("boxFull", {"count": 1})])


def test_a_jam_and_the_hand_that_clears_it() -> None:
    world = fed()
    go(world)
    world.get_stuck()
    world.wait(LIMITS.poll)
    go(world)
    assert told(world) == [("jam", {"reason": "jam"})]
    world.open_cover()
    go(world)
    world.take_inside()
    world.close_cover()
    go(world)
    assert world.state == (StateName.HOLDING, StationReason.SHEET_WHEREABOUTS)
    world.decide_truthfully()
    go(world)
    assert told(world) == [
        ("jamCleared", {}),
        ("coverOpened", {}),
        ("coverClosed", {}),
        ("sheetReturned", {"why": "mechanical"}),
    ]


@pytest.mark.parametrize("code", ["scannerDisconnected", "scannerSilent", "scannerConfused"])
def test_a_lost_scanner_is_told_with_what_it_was(code: str) -> None:
    world = waiting()
    world.report(ScannerLost(code, "", ""))
    go(world)
    world.wait(LIMITS.reconnect_first)
    go(world)
    assert told(world) == [("scannerLost", {"reason": code}), CONNECTED]


def test_a_scanner_that_is_lost_while_the_evidence_is_asked_is_told_with_what_it_was() -> None:
    world = fed()
    while not (world.evidence and world.station.name is StateName.ACCEPTING):
        assert world.deliver() or world.interpret() or world.obey()
    world.report(ScannerLost("scannerSilent", "", ""))
    world.deliver()
    go(world)
    assert told(world) == [("scannerLost", {"reason": "scannerSilent"})]


def test_a_scanner_that_is_missing_is_not_told_again_and_again() -> None:
    world = waiting()
    world.yank()
    for _ in range(5):
        go(world)
        world.wait(LIMITS.reconnect_most)
    assert told(world) == [("scannerLost", {"reason": "scannerDisconnected"})]


def test_what_the_scanner_complains_about() -> None:
    world = waiting()
    world.report(ScannerTrouble("imageOverflow", "a text of the scanner's"))
    go(world)
    assert told(world) == [("scannerTrouble", {"reason": "imageOverflow"})]


def test_a_fault_and_its_end() -> None:
    world = fed("hold")
    go(world)
    world.report(ScanStarted())
    go(world)
    world.wait(LIMITS.fault_pause)
    go(world)
    assert told(world) == [
        ("fault", {"reason": "unexpectedEvent"}),
        ("faultCleared", {}),
        CONNECTED,
        ("sheetReturned", {"why": "mechanical"}),
    ]


def test_what_happened_while_the_evidence_failed_is_not_made_up() -> None:
    world = waiting()
    world.store_works = False
    world.report(ScannerTrouble("imageOverflow", ""))
    go(world)
    assert world.state == (StateName.FAULT, StationReason.EVIDENCE_FAILED)
    assert told(world) == []


def test_an_orderly_end_is_no_loss() -> None:
    world = waiting()
    world.events.append(StopRequested())
    go(world)
    assert world.station.ended
    assert told(world) == []


# Never a word of a ballot.

SECRET_CODES = sorted({str(code) for kind in (Doubt, ReturnCode, AdjudicationReason) for code in kind} | {"secretCode"})
KNOWN_VALUES = (
    {str(reason) for reason in StationReason}
    | set(SCANNER_SENTENCES)
    | {"commandGarbled", "imageOverflow"}
    | {"person", "nobodyDecided", "mechanical", "evidence"}
    | {IDENTITY.product, IDENTITY.firmware, IDENTITY.serial_number}
)
REPORTS: tuple[ScannerEvent, ...] = (
    AcceptPaused(),
    AcceptResumed(),
    CoverOpened(),
    CoverClosed(),
    DoubleFeedDetected(),
    JamReported(),
    ScanFailed("noImage", "text"),
    ScannerLost("scannerSilent", "text", "text"),
    ScannerTrouble("commandGarbled", "text"),
    ScanStarted(),
    SheetScanned(IMAGES),
    UnknownReport(b"raw"),
)
STEPS: dict[str, Callable[[World], object]] = {
    "sheet": lambda world: world.scan(world.put()),
    "move": World.move,
    "take": World.take_front,
    "jam": World.get_stuck,
    "cover": World.open_cover,
    "take inside": World.take_inside,
    "close": World.close_cover,
    "yank": World.yank,
    "plug": lambda world: setattr(world, "plugged", True),
    "crash": World.crash,
    "store": lambda world: setattr(world, "store_works", not world.store_works),
    "full": lambda world: setattr(world, "room", world.count + (world.stage is not None)),
    "room": lambda world: setattr(world, "room", 1_000),
    "cast": lambda world: world.events.append(CastPressed()),
    "return": lambda world: world.events.append(ReturnPressed()),
    "polls open": lambda world: world.events.append(PollsTurned(is_open=True)),
    "polls closed": lambda world: world.events.append(PollsTurned(is_open=False)),
    "moment": lambda world: world.wait(LIMITS.poll),
    "while": lambda world: world.wait(LIMITS.accept),
    "long": lambda world: world.wait(LIMITS.hold),
}


def interpret(world: World, kind: DispositionKind, codes: list[str]) -> None:
    """What is on the sheet is said by reasons that must go no further."""
    if world.sheets:
        held = reading(kind, *([] if kind == "accept" else codes))
        world.events.append(Interpreted(world.sheets.popleft().sheet, held))


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*STEPS, *STEPS, *REPORTS]),
            st.sampled_from(["accept", "hold", "return"]),
            st.lists(st.sampled_from(SECRET_CODES), min_size=1, max_size=2),
            st.integers(0, 12),
        ),
        max_size=40,
    )
)
def test_no_event_of_any_day_says_anything_about_a_ballot(
    day: list[tuple[str | ScannerEvent, DispositionKind, list[str], int]],
) -> None:
    world = World()
    for step, kind, codes, progress in day:
        for _ in range(progress):
            interpret(world, kind, codes)
            if not (world.deliver() or world.keep_books() or world.obey()):
                break
        if isinstance(step, str):
            STEPS[step](world)
        else:
            world.report(step)
    go(world)
    for event in world.log:
        assert_says_nothing(event)


def assert_says_nothing(event: LogEvent) -> None:
    values = [value for name, value in event.fields.items() if name != "count"]
    assert set(map(str, values)) <= KNOWN_VALUES, event
    assert not set(map(str, values)) & (set(SECRET_CODES) - KNOWN_VALUES), event


def test_no_kind_of_event_has_a_field_for_it() -> None:
    # A tally sheet is no ballot: its events may name its record, and tell nothing of ballots.
    tally = {event: set(kind.fields) for event, kind in EVENTS.items() if event.startswith("tally")}
    assert tally == {
        "tallySheetAccepted": {"tallySheets", "form", "table", "recordSha256"},
        "tallySetClosed": {"tallySheets", "tallyRoot"},
    }
    fields = {name for event, kind in EVENTS.items() if event not in tally for name in kind.fields}
    assert fields == {
        *("origin", "key", "software", "softwareSha256", "packageSha256", "formerLog", "box"),
        *("count", "returned", "castRoot", "returnedRoot", "stage", "why", "reason", "medium"),
        *("product", "firmware", "serialNumber", "byMs", "before", "kind"),
    }


def test_an_event_that_is_not_in_the_published_list_cannot_be_written() -> None:
    for name, given_fields in (("sheetHeld", {}), ("jam", {}), ("jam", {"reason": "jam", "sheet": "1"})):
        with pytest.raises(ValueError, match="published list"):
            LogEvent(name, given_fields)
