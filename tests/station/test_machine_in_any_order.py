"""Whatever happens in whatever order: the count is the number of sheets in the box, and the station comes back to rest."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from edge.decision import DispositionKind
from edge.evidence.store import Polls
from edge.station.events import CastPressed, PollsTurned, ReturnPressed
from edge.station.signals import Signal
from edge.station.state import Phase, StateName, StationReason
from firmware_bridge.scanner import (
    AcceptPaused,
    AcceptResumed,
    DoubleFeedDetected,
    JamReported,
    ScanFailed,
    ScannerEvent,
    ScannerTrouble,
    ScanStarted,
    SheetScanned,
    UnknownReport,
)
from tests.station.world import IMAGES, LIMITS, World

REPORTS: tuple[ScannerEvent, ...] = (
    AcceptPaused(),
    AcceptResumed(),
    DoubleFeedDetected(),
    JamReported(),
    ScanFailed("noImage", ""),
    ScannerTrouble("commandGarbled", ""),
    ScannerTrouble("imageOverflow", ""),
    ScanStarted(),
    SheetScanned(IMAGES),
    UnknownReport(b"?"),
)


PARTS = ("deliver", "keep_books", "obey", "interpret", "move")
ACCIDENTS = (
    *("open_cover", "open_and_take", "take_inside", "close_cover", "yank", "plug", "crash", "jam", "unjam"),
    *("store", "full", "room", "tend", "close_for_good"),
)


class AnyOrder(RuleBasedStateMachine):
    """Small steps of every part of the world, in any order, and accidents between them."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()

    @rule(times=st.integers(1, 8))
    def go_on(self, times: int) -> None:
        for _ in range(times):
            self._progress()

    def _progress(self) -> None:
        world = self.world
        if not any(getattr(world, part)() for part in PARTS):
            world.wait(LIMITS.idle_poll)

    @rule(part=st.sampled_from(PARTS))
    def one_part_goes_on(self, part: str) -> None:
        getattr(self.world, part)()

    @rule(
        kind=st.sampled_from(("accept", "accept", "accept", "hold", "return")), fails=st.integers(0, 9), times=st.integers(0, 14)
    )
    def sheet_comes(self, kind: DispositionKind, fails: int, times: int) -> None:
        """Bring the station to where it takes paper, if it can be brought there, and some way further."""
        for _ in range(40):
            if self.world.feeding:
                break
            self._progress()
        paper = self.world.put(kind)
        if not self.world.scan(paper, fails=fails == 0):
            self.world.papers.remove(paper)
        self.go_on(times)

    @rule(milliseconds=st.sampled_from((1, 100, 500, 5_000, 20_000, 130_000)))
    def wait(self, milliseconds: int) -> None:
        self.world.wait(milliseconds)

    @rule(accident=st.sampled_from(ACCIDENTS))
    def accident(self, accident: str) -> None:
        world = self.world
        match accident:
            case "plug":
                world.plugged = True
            case "jam":
                world.get_stuck()
            case "open_and_take":
                world.open_cover()
                world.take_inside()
            case "unjam":
                world.jam = False
            case "store":
                world.store_works = not world.store_works
            case "full" | "room":
                # Where a sheet is written down already, there was room for it.
                world.room = world.count + (world.stage is not None) if accident == "full" else 1_000
            case _:
                getattr(world, accident)()

    @rule(report=st.sampled_from(REPORTS))
    def report(self, report: ScannerEvent) -> None:
        self.world.report(report)

    @rule(person=st.sampled_from(("take", "cast", "return", "open", "close")))
    def person(self, person: str) -> None:
        world = self.world
        match person:
            case "take":
                world.take_front()
            case "open" | "close":
                world.polls_open = person == "open"
                world.events.append(PollsTurned(world.polls_open))
            case _ if world.station.reason == StationReason.SHEET_WHEREABOUTS:
                world.decide_truthfully()
            case _:
                world.events.append(CastPressed() if person == "cast" else ReturnPressed())

    @invariant()
    def accepted_is_counted(self) -> None:
        """The signal of acceptance is never given for a sheet that is not in the box and counted."""
        if self.world.signals[-1] is Signal.ACCEPTED:
            assert self.world.count >= 1
            assert self.world.station.pending is None

    @invariant()
    def never_counted_twice(self) -> None:
        pending = self.world.stage is not None
        assert self.world.count <= self.world.boxed
        assert self.world.boxed <= self.world.count + pending

    @invariant()
    def every_wait_ends(self) -> None:
        """Where no person and no paper is awaited, there is a limit."""
        station = self.world.station
        awaited = station.name is StateName.CLOSED and station.phase is Phase.PERSON
        awaited = awaited or station.reason == StationReason.SHEET_WHEREABOUTS
        # The driver ends this wait, if nobody takes the paper away.
        awaited = awaited or (station.reason == StationReason.FRONT_BLOCKED and station.asked is not None)
        assert awaited or station.deadline is not None or station.poll_at is not None

    @invariant()
    def the_polls_are_open_in_the_evidence_before_a_sheet_is_wanted(self) -> None:
        if self.world.station.phase is Phase.FEEDING:
            assert self.world.station.polls_open
            assert self.world.polls is Polls.OPEN

    def teardown(self) -> None:
        self.world.room = 1_000
        self.world.tend()
        self.world.settle()
        if self.world.polls is not Polls.CLOSED:
            assert (self.world.polls is Polls.OPEN) is self.world.polls_open
        elif self.world.polls_open:
            assert self.world.state == (StateName.CLOSED, StationReason.POLLS_CLOSED_FOR_GOOD)
        assert self.world.count == self.world.boxed
        assert self.world.stage is None
        assert self.world.station.pending is None


AnyOrder.TestCase.settings = settings(max_examples=150, stateful_step_count=60)
TestAnyOrder = AnyOrder.TestCase
