"""How the station opens and pauses the polls in the evidence; what it does with a full box, and with what is told aside."""

from __future__ import annotations

import pytest

from edge.evidence.store import Books, Polls
from edge.station.commands import OpenPolls, PausePolls
from edge.station.events import EvidenceFailed, EvidenceTold, EvidenceTrouble, PollsTurned, StopRequested
from edge.station.signals import Signal
from edge.station.state import LastSheet, Phase, StateName, StationReason, signal_of
from firmware_bridge.scanner import CoverOpened, ScannerLost
from tests.station.world import LIMITS, Paper, World


def go(world: World, *parts: str) -> None:
    """Let these parts (by default all but the rollers) work until they have nothing left to do."""
    for _ in range(60):
        if not any(getattr(world, part)() for part in parts or ("deliver", "keep_books", "obey", "interpret")):
            return


def turn(world: World, *, is_open: bool) -> None:
    world.polls_open = is_open
    world.events.append(PollsTurned(is_open))
    world.deliver()


def waiting() -> World:
    world = World()
    go(world)
    assert world.state == (StateName.WAITING, None)
    assert world.polls is Polls.OPEN
    return world


def closed() -> World:
    world = waiting()
    turn(world, is_open=False)
    go(world)
    assert world.state == (StateName.CLOSED, None)
    assert world.polls is Polls.PAUSED
    return world


def test_the_evidence_opens_the_polls_before_a_sheet_is_taken() -> None:
    world = World()
    while not any(isinstance(command, OpenPolls) for command in world.evidence):
        assert not world.feeding
        assert world.deliver() or world.keep_books() or world.obey()
    assert world.station.phase is Phase.EVIDENCE
    assert signal_of(world.station, world.now) is Signal.CLOSED
    go(world, "deliver", "obey")
    assert not world.feeding
    go(world)
    assert world.feeding


def test_polls_that_are_open_in_the_evidence_are_not_opened_again() -> None:
    world = waiting()
    world.crash()
    go(world, "deliver", "keep_books", "obey")
    assert Signal.CLOSED not in world.signals[world.signals.index(Signal.READY) :]
    assert world.feeding


def test_a_station_that_starts_closed_leaves_a_new_evidence_new() -> None:
    world = World(polls_open=False)
    go(world)
    assert (world.state, world.polls) == ((StateName.CLOSED, None), Polls.NEW)


def test_a_station_that_starts_closed_pauses_what_was_open() -> None:
    world = World(polls_open=False, polls=Polls.OPEN)
    go(world)
    assert (world.state, world.polls) == ((StateName.CLOSED, None), Polls.PAUSED)


def test_the_key_may_be_turned_to_and_fro_faster_than_the_evidence_writes() -> None:
    world = waiting()
    for is_open in (False, True, False, True):
        turn(world, is_open=is_open)
    assert not world.feeding or world.scanner
    go(world)
    assert (world.polls, world.feeding) == (Polls.OPEN, True)
    for is_open in (False, True, False):
        turn(world, is_open=is_open)
    go(world)
    assert (world.polls, world.feeding, world.station.name) == (Polls.PAUSED, False, StateName.CLOSED)


def test_a_sheet_that_comes_while_the_polls_are_being_closed_goes_back_and_leaves_them_closed() -> None:
    world = waiting()
    turn(world, is_open=False)
    assert world.scan(world.put())
    go(world, "deliver", "obey", "interpret")
    assert world.state == (StateName.RETURNING, StationReason.POLLS_CLOSED)
    # Only now the evidence answers.
    world.settle()
    assert (world.polls, world.station.name, world.count) == (Polls.PAUSED, StateName.CLOSED, 0)


def test_a_key_that_is_turned_back_while_that_sheet_goes_back_opens_them_again() -> None:
    world = waiting()
    turn(world, is_open=False)
    assert world.scan(world.put())
    go(world)
    turn(world, is_open=True)
    world.settle()
    assert (world.polls, world.feeding) == (Polls.OPEN, True)


@pytest.mark.parametrize("is_open", [True, False])
def test_a_scanner_that_is_lost_meanwhile_is_looked_for_again(is_open: bool) -> None:
    world = closed() if is_open else waiting()
    turn(world, is_open=is_open)
    assert world.station.phase is Phase.EVIDENCE
    world.report(ScannerLost("scannerDisconnected", "", ""))
    world.deliver()
    go(world)
    assert world.station.name is StateName.DISCONNECTED
    world.settle()
    assert world.polls is (Polls.OPEN if is_open else Polls.PAUSED)


def test_polls_that_cannot_be_opened_because_they_are_closed_for_good_are_no_fault() -> None:
    """Another process has closed them since the station looked."""
    world = closed()
    world.close_for_good()
    turn(world, is_open=True)
    go(world)
    assert world.state == (StateName.CLOSED, StationReason.POLLS_CLOSED_FOR_GOOD)
    turn(world, is_open=False)
    turn(world, is_open=True)
    go(world)
    assert world.state == (StateName.CLOSED, StationReason.POLLS_CLOSED_FOR_GOOD)


def test_nor_while_the_scanner_is_lost_at_the_same_time() -> None:
    world = closed()
    world.close_for_good()
    turn(world, is_open=True)
    world.yank()
    go(world)
    assert world.station.name is StateName.DISCONNECTED
    world.settle()
    assert world.state == (StateName.CLOSED, StationReason.POLLS_CLOSED_FOR_GOOD)


def test_a_station_that_starts_after_the_close_takes_nothing() -> None:
    world = World(polls=Polls.CLOSED, count=3)
    world.papers = [Paper(place="box") for _ in range(3)]
    go(world)
    assert world.state == (StateName.CLOSED, StationReason.POLLS_CLOSED_FOR_GOOD)
    assert not world.evidence


def test_polls_that_cannot_be_opened_for_another_reason_are_a_fault_and_tried_again() -> None:
    world = closed()
    world.store_works = False
    turn(world, is_open=True)
    go(world)
    assert world.state == (StateName.FAULT, StationReason.EVIDENCE_FAILED)
    world.settle()
    assert (world.polls, world.feeding) == (Polls.OPEN, True)


def test_evidence_that_does_not_say_whether_the_polls_are_open_is_a_fault() -> None:
    world = closed()
    turn(world, is_open=True)
    world.wait(LIMITS.evidence)
    assert world.state == (StateName.FAULT, StationReason.EVIDENCE_SILENT)


def test_a_cover_that_is_opened_meanwhile_is_found_before_a_sheet_is_wanted() -> None:
    world = closed()
    turn(world, is_open=True)
    world.cover_is_open = True
    world.report(CoverOpened())
    go(world)
    assert world.station.name is StateName.COVER_OPEN
    world.close_cover()
    go(world)
    assert world.feeding


def test_asked_to_end_while_the_polls_are_opened_the_station_waits_for_the_answer() -> None:
    world = closed()
    turn(world, is_open=True)
    world.events.append(StopRequested())
    world.deliver()
    assert not world.station.ended
    go(world)
    assert world.station.ended
    assert world.polls is Polls.OPEN


def test_with_the_last_sheet_the_station_closes_and_says_why() -> None:
    world = waiting()
    world.room = 1
    assert world.scan(world.put())
    go(world)
    world.move()
    world.wait(LIMITS.poll)
    go(world)
    assert world.count == 1
    assert signal_of(world.station, world.now) is Signal.ACCEPTED
    world.wait(LIMITS.accepted_signal)
    assert world.state == (StateName.CLOSED, StationReason.BOX_FULL)
    assert signal_of(world.station, world.now) is Signal.CLOSED
    assert (world.feeding, world.polls) == (False, Polls.OPEN)


def test_room_that_is_there_again_is_used() -> None:
    world = World(room=0)
    go(world)
    assert world.state == (StateName.CLOSED, StationReason.BOX_FULL)
    world.tend()
    go(world)
    assert world.state == (StateName.CLOSED, StationReason.BOX_FULL)
    world.room = 5
    world.tend()
    go(world)
    assert (world.station.name, world.feeding) == (StateName.WAITING, True)


def test_room_that_is_gone_while_the_station_waits_closes_it() -> None:
    world = waiting()
    world.room = 0
    world.tend()
    go(world)
    assert (world.state, world.feeding) == ((StateName.CLOSED, StationReason.BOX_FULL), False)


def test_room_that_is_gone_while_a_sheet_is_read_sends_it_back() -> None:
    world = waiting()
    assert world.scan(world.put())
    world.room = 0
    go(world)
    assert world.state == (StateName.RETURNING, StationReason.EVIDENCE_FAILED)
    assert world.station.last_sheet == LastSheet("returned", (StationReason.EVIDENCE_FAILED, "storeFull"))
    world.settle_full()
    assert (world.count, world.state) == (0, (StateName.CLOSED, StationReason.BOX_FULL))


@pytest.mark.parametrize("code", ["storeFull", "sheetTooLarge"])
def test_a_sheet_that_the_evidence_refuses_goes_back_without_a_fault(code: str) -> None:
    world = waiting()
    paper = world.put()
    assert world.scan(paper)
    go(world, "deliver", "obey", "interpret")
    written = world.evidence.pop()
    world.events.append(EvidenceFailed(getattr(written, "number", 0), code, "a detail"))
    go(world)
    assert world.state == (StateName.RETURNING, StationReason.EVIDENCE_FAILED)
    world.settle()
    assert (world.count, paper.place, world.feeding) == (0, "hand", True)
    assert Signal.FAULT not in world.signals


def test_a_sheet_that_comes_too_late_for_the_evidence_is_a_fault_and_goes_back() -> None:
    """The polls were closed in the evidence while the station believed them open."""
    world = waiting()
    paper = world.put()
    assert world.scan(paper)
    world.polls = Polls.CLOSED
    go(world)
    assert world.state == (StateName.FAULT, StationReason.EVIDENCE_FAILED)
    world.settle()
    assert (world.count, paper.place) == (0, "hand")
    assert world.state == (StateName.CLOSED, StationReason.POLLS_CLOSED_FOR_GOOD)


@pytest.mark.parametrize(("polls_open", "signal"), [(True, Signal.READY_ALARM), (False, Signal.CLOSED_ALARM)])
def test_an_alarm_of_the_evidence_is_shown_where_nothing_else_is_to_be_done(polls_open: bool, signal: Signal) -> None:
    world = World(polls_open=polls_open, alarms=("mediumLost",))
    go(world)
    assert signal_of(world.station, world.now) is signal
    world.alarms = ()
    world.tend()
    go(world)
    assert signal_of(world.station, world.now) is (Signal.READY if polls_open else Signal.CLOSED)


def test_an_alarm_does_not_hide_that_a_sheet_was_accepted_or_a_person_is_asked() -> None:
    world = World(alarms=("mediumLost",))
    go(world)
    for kind, seen in (("accept", Signal.ACCEPTED), ("hold", Signal.REVIEW)):
        assert world.scan(world.put(kind))  # type: ignore[arg-type] # two of its values
        go(world)
        world.move()
        world.wait(LIMITS.poll)
        go(world)
        assert signal_of(world.station, world.now) is seen
        world.settle()


@pytest.mark.parametrize("polls_open", [True, False])
def test_trouble_that_nobody_waited_for_stops_a_station_at_rest(polls_open: bool) -> None:
    world = World(polls_open=polls_open)
    go(world)
    world.events.append(EvidenceTrouble("storeUnavailable", "no medium"))
    go(world)
    assert world.state == (StateName.FAULT, StationReason.EVIDENCE_FAILED)
    assert world.station.detail == "storeUnavailable: no medium"
    world.settle()
    assert world.feeding is polls_open


def test_trouble_that_nobody_waited_for_does_not_stop_a_sheet() -> None:
    world = waiting()
    assert world.scan(world.put())
    for _ in range(3):
        world.events.append(EvidenceTrouble("storeUnavailable", "no medium"))
        go(world)
        world.move()
        world.wait(LIMITS.poll)
    go(world)
    assert world.count == 1


def test_what_is_told_aside_does_not_change_what_is_asked() -> None:
    world = closed()
    turn(world, is_open=True)
    [command] = world.evidence
    assert isinstance(command, OpenPolls)
    world.events.append(EvidenceTold(Books(polls=Polls.PAUSED, room=1)))
    world.deliver()
    assert (world.station.phase, list(world.evidence)) == (Phase.EVIDENCE, [command])
    go(world)
    assert world.feeding


def test_closing_is_asked_once() -> None:
    world = waiting()
    turn(world, is_open=False)
    turn(world, is_open=False)
    assert sum(isinstance(command, PausePolls) for command in world.evidence) == 1
