"""Sheets, faults, hands and buttons in any order, on the whole chain: the count is the box, and people bring the station back."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from edge.station.panel import ButtonName
from hil.scanner.faults import (
    ANSWERS,
    COMMANDS,
    PIXELS,
    Command,
    Drop,
    Event,
    Fault,
    Garbage,
    ImageByte,
    JamEject,
    JamScan,
    Late,
    Now,
    OddImage,
    Overflow,
    Pull,
    Reached,
    Reboot,
    Short,
    Silent,
    Stall,
    Trigger,
    Yank,
)
from hil.scanner.paper import FRONT_SENSORS, IllegalMove, Place
from hil.scanner.sheet import Sheet
from hil.soak.poll_worker import wipe_sensors
from hil.soak.pool import election
from tests.faults.stage import IMAGE_BYTES, INCHES, Stage, stage

ELECTION = election()
_ENDPOINTS = st.sampled_from([COMMANDS, ANSWERS, PIXELS])
_TRIGGERS: st.SearchStrategy[Trigger] = st.one_of(
    st.just(Now()),
    st.builds(ImageByte, st.integers(0, IMAGE_BYTES)),
    st.builds(Event, st.sampled_from(["30", "31"])),
    st.builds(Command, st.sampled_from([b"8", b"9", b"M", b"3", b"N", b"1", b"Q"])),
    st.builds(Reached, st.sampled_from([Place.SPANNING, Place.ESCROW, Place.BOX])),
)
_FAULTS: st.SearchStrategy[Fault] = st.one_of(
    st.builds(Yank, at=_TRIGGERS),
    st.builds(Stall, at=_TRIGGERS, endpoint=_ENDPOINTS),
    st.builds(Drop, at=_TRIGGERS, endpoint=_ENDPOINTS),
    st.builds(Short, at=_TRIGGERS, endpoint=_ENDPOINTS, keep=st.integers(0, 4)),
    st.builds(Late, at=_TRIGGERS, endpoint=_ENDPOINTS, seconds=st.sampled_from([0.02, 0.2])),
    st.builds(Silent, at=_TRIGGERS, seconds=st.sampled_from([0.05, 0.5])),
    st.builds(Garbage, at=_TRIGGERS, data=st.binary(min_size=1, max_size=8)),
    st.builds(Overflow, at=_TRIGGERS),
    st.builds(OddImage, at=_TRIGGERS, excess=st.sampled_from([-4000, -1, 1])),
    st.builds(Pull, at=_TRIGGERS),
    st.builds(Reboot, at=_TRIGGERS),
    st.builds(JamScan, at=_TRIGGERS),
    st.builds(JamEject, at=_TRIGGERS, reported=st.booleans()),
)
"""What no second sheet has a part in: two lies at once, such as a double feed whose event is lost, deceive anybody."""


class AnyOrder(RuleBasedStateMachine):
    """One station; between two rests at most one fault, so that what is seen can be believed."""

    def __init__(self) -> None:
        super().__init__()
        self._holding = ExitStack()
        self._faulty = False

    @initialize()
    def begin(self) -> None:
        folder = self._holding.enter_context(tempfile.TemporaryDirectory())
        self.world: Stage = self._holding.enter_context(stage(Path(folder), ELECTION))
        self.world.rest()

    @rule(kind=st.sampled_from(["accept", "accept", "hold", "return"]), inches=st.sampled_from([INCHES, INCHES, 0.5]))
    def sheet_comes(self, kind: str, inches: float) -> None:
        """Short ones lie between the sensors, unseen."""
        self.world.reader.kind = kind  # type: ignore[assignment] # one of the three
        with suppress(IllegalMove):
            self.world.scanner.insert(Sheet.blank(self.world.new_sheet().name, inches=inches))

    @precondition(lambda self: not self._faulty)
    @rule(fault=_FAULTS)
    def something_goes_wrong(self, fault: Fault) -> None:
        self._faulty = True
        with suppress(IllegalMove):
            self.world.scanner.inject(fault)

    @rule(hand=st.sampled_from(["remove", "pull", "dirt"]))
    def hand(self, hand: str) -> None:
        scanner = self.world.scanner
        with suppress(IllegalMove):
            match hand:
                case "remove":
                    scanner.remove()
                case "pull":
                    scanner.pull()
                case _:
                    scanner.stick(FRONT_SENSORS[2], covered=True)

    @rule(button=st.sampled_from(["cast", "return"]))
    def button(self, button: ButtonName) -> None:
        """Pressed where nobody asked for it; the one question that only the truth answers is left to those who know."""
        if self.world.station.rig.watch.latest.reason != "sheetWhereabouts":
            self.world.station.rig.press(button)

    @rule(seconds=st.sampled_from([0.002, 0.02, 0.06, 0.15]))
    def time_passes(self, seconds: float) -> None:
        self.world.scanner.wait_for(lambda _: False, seconds)

    @rule(is_open=st.booleans())
    def polls(self, *, is_open: bool) -> None:
        self.world.station.rig.turn_polls(is_open=is_open)

    @rule()
    def all_comes_to_rest(self) -> None:
        self.world.station.rig.turn_polls(is_open=True)
        self.world.assert_books(self.world.rest())
        wipe_sensors(self.world.scanner)
        self._faulty = False

    def teardown(self) -> None:
        with self._holding:
            if hasattr(self, "world"):
                self.all_comes_to_rest()


AnyOrder.TestCase.settings = settings(
    max_examples=20, stateful_step_count=12, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestAnyOrder = AnyOrder.TestCase
