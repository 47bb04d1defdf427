"""What the station does, one story a test. The world around it is `tests.station.world`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.decision import DispositionKind
from edge.evidence.store import PendingStage, Polls
from edge.station.commands import AcceptSheet, Exit, StartFeeding, StopFeeding
from edge.station.events import CastPressed, Interpreted, PollsTurned, ReturnPressed, SensorsRead, StopRequested
from edge.station.machine import step
from edge.station.sentences import REASON_SENTENCES, STATE_SENTENCES, reason_sentence, sentence
from edge.station.signals import Signal
from edge.station.state import StateName, StationReason, next_wake, signal_of
from firmware_bridge.scanner import (
    AcceptPaused,
    AcceptResumed,
    DoubleFeedDetected,
    ScannerTrouble,
    ScanStarted,
    UnknownReport,
)
from tests.station.world import LIMITS, Paper, World, reading


def go(world: World, *parts: str, most: int = 60) -> None:
    """Let these parts (by default all but the rollers) work until they have nothing left to do."""
    names = parts or ("deliver", "keep_books", "obey", "interpret")
    for _ in range(most):
        if not any(getattr(world, part)() for part in names):
            return


def name_of(world: World) -> StateName:
    return world.station.name


def books(world: World) -> tuple[int, PendingStage | None]:
    """What is durable: the count and the stage of the pending sheet."""
    return world.count, world.stage


def wait_out(world: World) -> None:
    """Let pass the time that a motion from before can still take."""
    go(world)
    for _ in range(LIMITS.accept // LIMITS.poll + 1):
        world.wait(LIMITS.poll)
        go(world)


def feeding() -> World:
    """A station that waits for paper."""
    world = World()
    go(world)
    assert world.feeding
    assert world.state == (StateName.WAITING, None)
    return world


def sheet_in(kind: DispositionKind = "accept") -> tuple[World, Paper]:
    """A station to which a sheet has just been fed."""
    world = feeding()
    paper = world.put(kind)
    assert world.scan(paper)
    return world, paper


def accepting() -> tuple[World, Paper]:
    """A sheet is pending, and its motion into the box has been commanded but not made."""
    world, paper = sheet_in()
    go(world)
    assert world.station.name is StateName.ACCEPTING
    assert world.motion == "rear"
    return world, paper


def held() -> tuple[World, Paper]:
    world, paper = sheet_in("hold")
    go(world)
    assert world.state == (StateName.HOLDING, StationReason.PERSON_DECIDES)
    return world, paper


def test_a_good_sheet_is_counted_when_it_is_past_recovery_and_signalled_only_then() -> None:
    world, paper = accepting()
    assert books(world) == (0, PendingStage.ACCEPTING)
    # Closed, until the evidence has opened the polls.
    assert world.signals == [Signal.STARTING, Signal.CLOSED, Signal.READY, Signal.READING, Signal.ACCEPTING]
    world.move()
    world.wait(LIMITS.poll)
    go(world)
    assert (books(world), paper.place) == ((1, None), "box")
    world.wait(LIMITS.accepted_signal)
    assert world.signals[-2:] == [Signal.ACCEPTED, Signal.READY]


def test_one_clear_answer_of_the_sensors_is_not_believed() -> None:
    """The scanner's answers carry no checksum."""
    world, _ = accepting()
    world.wait(LIMITS.poll)
    world.obey()
    answer = world.events.popleft()
    assert isinstance(answer, SensorsRead)
    world.events.append(replace(answer, sensors=replace(answer.sensors, rear=False, sheet_inside=False)))
    go(world)
    assert (world.count, world.station.name) == (0, StateName.ACCEPTING)


def test_a_sheet_that_cannot_be_read_goes_back_with_its_reason() -> None:
    world, paper = sheet_in("return")
    go(world)
    world.move()
    world.wait(LIMITS.poll)
    go(world)
    assert world.state == (StateName.RETURNED, "why")
    assert paper.place == "front"
    world.take_front()
    world.wait(LIMITS.idle_poll)
    go(world)
    world.wait(LIMITS.rest)
    go(world)
    assert world.feeding
    assert world.count == 0


def test_a_held_sheet_is_cast_by_a_person() -> None:
    world, paper = held()
    world.events.append(CastPressed())
    go(world)
    world.settle()
    assert (world.count, paper.place) == (1, "box")


def test_a_held_sheet_is_returned_by_a_person() -> None:
    world, paper = held()
    world.events.append(ReturnPressed())
    go(world)
    assert world.state == (StateName.RETURNING, StationReason.PERSON_RETURNED)
    world.move()
    world.wait(LIMITS.poll)
    go(world)
    assert (world.count, paper.place) == (0, "front")


def test_a_held_sheet_is_returned_when_nobody_decides() -> None:
    world, _ = held()
    for _ in range(LIMITS.hold // LIMITS.idle_poll + 2):
        world.wait(LIMITS.idle_poll)
        go(world)
    assert world.state == (StateName.RETURNING, StationReason.HOLD_TIMED_OUT)


def test_a_sheet_that_must_not_be_cast_is_not() -> None:
    world, _ = sheet_in()
    go(world, "deliver", "obey")
    command = world.sheets.popleft()
    world.events.append(Interpreted(command.sheet, reading("hold", "missingPaper", castable=False)))
    go(world)
    world.events.append(CastPressed())
    go(world)
    assert world.state == (StateName.HOLDING, StationReason.PERSON_DECIDES)


def test_a_held_sheet_that_is_pulled_out_is_not_waited_for() -> None:
    world, paper = held()
    paper.place = "hand"
    world.wait(LIMITS.idle_poll)
    go(world)
    assert world.station.name is StateName.WAITING


def test_a_sheet_pulled_out_before_the_motion_is_erased() -> None:
    world, paper = sheet_in()
    while world.station.pending is None or world.stage is None:
        assert world.deliver() or world.interpret() or world.obey() or world.keep_books()
    paper.place = "hand"
    world.settle()
    assert books(world) == (0, None)
    assert world.station.last_sheet is not None
    assert world.station.last_sheet.reasons == (StationReason.SHEET_WITHDRAWN,)


def test_a_sheet_taken_out_after_the_scanner_was_lost_before_the_motion_is_not_counted() -> None:
    world, paper = sheet_in()
    while not world.evidence:
        assert world.deliver() or world.interpret() or world.obey()
    world.yank()
    world.keep_books()
    go(world, "deliver", "obey", "keep_books")
    assert world.stage is PendingStage.RETURNING
    paper.place = "hand"
    world.settle()
    assert books(world) == (0, None)


@pytest.mark.parametrize(("answer", "count"), [(CastPressed(), 1), (ReturnPressed(), 0)])
def test_after_a_jam_on_the_way_into_the_box_a_person_says_where_the_sheet_is(
    answer: CastPressed | ReturnPressed, count: int
) -> None:
    world, paper = accepting()
    world.jam = True
    world.wait(LIMITS.poll)
    go(world)
    assert world.state == (StateName.JAMMED, StationReason.JAM)
    assert world.stage is PendingStage.DOUBTFUL
    paper.place = "box" if count else "hand"
    world.jam = False
    world.wait(LIMITS.idle_poll)
    go(world)
    assert world.state == (StateName.HOLDING, StationReason.SHEET_WHEREABOUTS)
    assert signal_of(world.station, world.now) is Signal.WHEREABOUTS
    assert next_wake(world.station, world.now) is None
    world.events.append(answer)
    go(world)
    assert books(world) == (count, None)


def test_the_question_where_a_sheet_is_outlives_a_power_cut() -> None:
    world, paper = accepting()
    world.open_cover()
    go(world)
    world.take_inside()
    world.crash()
    world.close_cover()
    go(world)
    assert world.state == (StateName.HOLDING, StationReason.SHEET_WHEREABOUTS)
    world.events.append(ReturnPressed())
    go(world)
    assert (books(world), paper.place) == ((0, None), "hand")


def test_a_sheet_still_in_the_path_after_the_cover_was_opened_goes_back() -> None:
    world, paper = accepting()
    world.open_cover()
    go(world)
    assert world.station.name is StateName.COVER_OPEN
    world.close_cover()
    wait_out(world)
    assert world.state == (StateName.RETURNING, StationReason.COVER_OPENED)
    world.settle()
    assert (world.count, paper.place) == (0, "hand")


def test_a_sheet_that_does_not_reach_the_box_is_a_jam_and_counts_if_it_comes_through_after_all() -> None:
    world, paper = accepting()
    for _ in range(LIMITS.accept // LIMITS.poll + 1):
        world.wait(LIMITS.poll)
        go(world)
    assert world.state == (StateName.JAMMED, StationReason.ACCEPT_TIMED_OUT)
    world.move()
    world.wait(LIMITS.idle_poll)
    go(world)
    assert (world.count, paper.place) == (1, "box")


def test_a_jam_behind_the_point_of_no_return_is_a_blocked_box() -> None:
    world, paper = accepting()
    world.move()
    world.jam = True
    world.wait(LIMITS.poll)
    go(world)
    assert (world.count, paper.place) == (1, "box")
    assert world.state == (StateName.JAMMED, StationReason.JAM)


def test_paper_behind_the_exit_blocks_the_next_sheet() -> None:
    world = World(polls=Polls.OPEN)
    while world.station.name is not StateName.WAITING:
        assert world.deliver() or world.keep_books() or world.obey()
    world.papers.append(Paper(place="escrow"))
    go(world)
    assert world.state == (StateName.JAMMED, StationReason.OUTFEED_BLOCKED)


def test_paper_at_the_front_keeps_a_sheet_from_the_box_without_a_time_limit() -> None:
    world, _ = accepting()
    second = Paper(place="front")
    world.papers.append(second)
    world.report(AcceptPaused())
    for _ in range(3 * LIMITS.accept // LIMITS.poll):
        world.wait(LIMITS.poll)
        go(world)
    assert world.state == (StateName.ACCEPTING, StationReason.FRONT_BLOCKED)
    second.place = "hand"
    world.move()
    world.wait(LIMITS.poll)
    go(world)
    assert world.count == 1


def test_while_the_scanner_waits_for_the_front_it_may_answer_as_late_as_it_likes() -> None:
    world, _ = accepting()
    world.wait(LIMITS.poll)
    world.report(AcceptPaused())
    go(world, "deliver")
    world.wait(10 * LIMITS.accept)
    assert world.state == (StateName.ACCEPTING, StationReason.FRONT_BLOCKED)
    assert signal_of(world.station, world.now) is Signal.JAMMED
    world.report(AcceptResumed())
    go(world)
    world.move()
    world.wait(LIMITS.poll)
    go(world)
    assert world.count == 1


def test_a_double_feed_goes_back() -> None:
    world = feeding()
    paper = world.put()
    world.scan(paper)
    end = world.events.pop()
    world.report(DoubleFeedDetected())
    world.events.append(end)
    go(world)
    assert world.state == (StateName.RETURNING, StationReason.DOUBLE_FEED)


def test_a_scan_without_an_image_goes_back() -> None:
    world = feeding()
    assert world.scan(world.put(), fails=True)
    go(world)
    assert world.state == (StateName.RETURNING, "noImage")


def test_a_scan_that_does_not_end_is_given_up() -> None:
    world = feeding()
    world.scan(world.put())
    world.events.pop()
    go(world)
    world.wait(LIMITS.scan)
    go(world)
    assert world.state == (StateName.RETURNING, StationReason.SCAN_TIMED_OUT)


def test_the_scanner_rests_between_two_sheets() -> None:
    world, _ = accepting()
    world.move()
    world.wait(LIMITS.poll)
    go(world)
    assert not world.feeding
    world.wait(LIMITS.rest)
    go(world)
    assert world.feeding


def test_a_scanner_that_was_silent_for_long_is_asked_how_it_is() -> None:
    world = feeding()
    world.wait(LIMITS.health_check)
    assert not world.feeding or StopFeeding() in world.scanner
    go(world)
    assert world.feeding


def test_a_motion_that_the_scanner_did_not_understand_is_asked_for_again_a_few_times() -> None:
    world, _ = accepting()
    tries = 0
    while tries < 10:
        world.report(ScannerTrouble("commandGarbled", ""))
        world.deliver()
        if AcceptSheet() not in world.scanner:
            break
        go(world)
        tries += 1
    assert tries == LIMITS.motion_tries - 1


def test_a_feeder_command_that_the_scanner_did_not_understand_is_given_again() -> None:
    world = feeding()
    world.report(ScannerTrouble("commandGarbled", ""))
    go(world)
    world.wait(LIMITS.rest)
    go(world)
    assert world.feeding


def test_polls_closed_while_a_sheet_is_read_close_after_it() -> None:
    world, paper = sheet_in()
    world.polls_open = False
    world.events.append(PollsTurned(is_open=False))
    world.settle()
    assert (world.count, paper.place) == (1, "box")
    assert name_of(world) is StateName.CLOSED
    world.events.append(PollsTurned(is_open=True))
    go(world)
    assert name_of(world) is StateName.WAITING


def test_a_sheet_taken_in_the_moment_of_closing_goes_back() -> None:
    world = feeding()
    world.events.append(PollsTurned(is_open=False))
    world.deliver()
    world.scan(world.put())
    go(world)
    assert world.state == (StateName.RETURNING, StationReason.POLLS_CLOSED)


def test_polls_closed_stop_the_feeder() -> None:
    world = feeding()
    world.events.append(PollsTurned(is_open=False))
    go(world)
    assert (world.station.name, world.feeding) == (StateName.CLOSED, False)


def test_an_event_that_cannot_be_is_a_fault_and_the_station_starts_over() -> None:
    world, paper = held()
    world.report(ScanStarted())
    go(world)
    assert world.state == (StateName.FAULT, StationReason.UNEXPECTED_EVENT)
    assert "ScanStarted in holding" in sentence(world.station)
    world.wait(LIMITS.fault_pause)
    go(world)
    assert world.state == (StateName.RETURNING, StationReason.UNEXPECTED_EVENT)
    world.settle()
    assert (world.count, paper.place) == (0, "hand")


def test_an_unknown_report_is_no_fault() -> None:
    world = feeding()
    world.report(UnknownReport(b"\x02#7F\x03"))
    go(world)
    assert world.state == (StateName.WAITING, None)


def test_faults_in_a_row_are_shown_longer_and_longer() -> None:
    world = World(store_works=False)
    pauses = []
    for _ in range(6):
        go(world)
        assert world.state == (StateName.FAULT, StationReason.EVIDENCE_FAILED)
        due = next_wake(world.station, world.now)
        assert due is not None
        pauses.append(due - world.now)
        world.wait(due - world.now)
    assert pauses == [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]


def test_a_sheet_that_cannot_be_written_down_is_not_moved_until_the_evidence_answers() -> None:
    world, paper = sheet_in()
    world.store_works = False
    go(world)
    assert world.state == (StateName.FAULT, StationReason.EVIDENCE_FAILED)
    assert paper.place == "escrow"
    world.settle()
    assert (books(world), paper.place) == ((0, None), "hand")


def test_a_commit_that_fails_is_made_good_when_the_evidence_answers() -> None:
    world, paper = accepting()
    world.move()
    world.store_works = False
    world.wait(LIMITS.poll)
    go(world)
    assert world.state == (StateName.FAULT, StationReason.EVIDENCE_FAILED)
    assert Signal.ACCEPTED not in world.signals
    world.settle()
    assert (world.count, paper.place) == (1, "box")


def test_evidence_that_does_not_answer_is_a_fault() -> None:
    world, _ = sheet_in()
    go(world, "deliver", "obey", "interpret")
    world.wait(LIMITS.evidence)
    assert world.state == (StateName.FAULT, StationReason.EVIDENCE_SILENT)


def test_evidence_that_is_being_opened_may_take_as_long_as_a_new_box_needs() -> None:
    world = World()
    world.wait(LIMITS.opening - 1)
    assert name_of(world) is StateName.STARTING
    world.wait(1)
    assert world.state == (StateName.FAULT, StationReason.EVIDENCE_SILENT)


def test_a_missing_scanner_is_looked_for_again_and_again_with_longer_pauses() -> None:
    world = World(plugged=False)
    pauses = []
    for _ in range(7):
        go(world)
        assert world.state == (StateName.DISCONNECTED, "scannerNotFound")
        due = next_wake(world.station, world.now)
        assert due is not None
        pauses.append(due - world.now)
        world.wait(due - world.now)
    assert pauses == [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]
    world.plugged = True
    go(world)
    world.settle()
    assert world.feeding


@pytest.mark.parametrize("place", ["escrow", "box"])
def test_a_crash_in_the_motion_is_decided_by_where_the_sheet_is(place: str) -> None:
    world, paper = accepting()
    paper.place = place
    world.motion = None
    world.crash()
    go(world)
    counted = place == "box"
    if not counted:
        wait_out(world)
    assert world.count == counted
    if not counted:
        assert world.state == (StateName.RETURNING, StationReason.PAPER_INSIDE)
        assert world.stage is PendingStage.RETURNING
    world.settle()
    assert books(world) == (counted, None)


def test_a_motion_that_goes_on_after_a_crash_is_waited_for() -> None:
    world, paper = accepting()
    world.crash()
    go(world)
    assert world.station.name is StateName.ACCEPTING
    world.move()
    wait_out(world)
    assert (books(world), paper.place) == ((1, None), "box")


def test_a_crash_while_a_sheet_goes_back_does_not_count_it() -> None:
    world, paper = accepting()
    world.open_cover()
    go(world)
    world.close_cover()
    wait_out(world)
    assert world.stage is PendingStage.RETURNING
    world.move()
    world.take_front()
    world.crash()
    world.settle()
    assert (books(world), paper.place) == ((0, None), "hand")


def test_a_sheet_at_the_front_at_start_must_be_taken() -> None:
    world = World(papers=[Paper(place="front")])
    go(world)
    assert world.state == (StateName.RETURNED, StationReason.PAPER_IN_FRONT)


def test_an_open_cover_at_start_is_a_state_and_no_crash() -> None:
    world = World(cover_is_open=True)
    go(world)
    assert world.station.name is StateName.COVER_OPEN
    world.close_cover()
    go(world)
    assert world.feeding


def test_asked_to_end_the_station_finishes_a_motion_first() -> None:
    world, _ = accepting()
    world.events.append(StopRequested())
    go(world)
    assert not world.station.ended
    world.move()
    world.wait(LIMITS.poll)
    go(world)
    assert world.station.ended
    assert world.count == 1


def test_asked_to_end_the_station_lets_go_at_once_where_nothing_moves() -> None:
    world = feeding()
    world.scanner.clear()
    station, commands = step(world.station, StopRequested(), world.now)
    assert station.ended
    assert isinstance(commands[-1], Exit)
    assert step(station, CastPressed(), world.now) == (station, ())


def test_every_state_and_every_reason_has_its_sentence() -> None:
    assert set(STATE_SENTENCES) == set(StateName)
    assert set(REASON_SENTENCES) == set(StationReason)
    assert reason_sentence("somethingNew") == "(somethingNew)"


def test_the_feeder_is_switched_on_only_after_the_sensors_were_read() -> None:
    world = World()
    order = []
    for _ in range(20):
        if world.scanner:
            order.append(type(world.scanner[0]).__name__)
        if not (world.obey() or world.keep_books() or world.deliver()):
            break
    assert order[-2:] == ["AskSensors", "StartFeeding"]
    assert StartFeeding() not in world.scanner
