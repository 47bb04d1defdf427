"""Whatever happens to the scanner, every sheet is in exactly one place, and the sensors see what is there."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hil.scanner.emulator import EmulatedScanner
from hil.scanner.faults import (
    ANSWERS,
    COMMANDS,
    PIXELS,
    Command,
    CrcComplaint,
    DoubleFeed,
    Drop,
    Duplicate,
    Event,
    Fault,
    Garbage,
    Garble,
    ImageByte,
    JamEject,
    JamScan,
    Late,
    Now,
    OddImage,
    OpenCover,
    Overflow,
    PowerCut,
    Pull,
    PushSecond,
    Reached,
    Reboot,
    Short,
    Silent,
    Stall,
    Stuck,
    Transfer,
    Yank,
)
from hil.scanner.knobs import Behaviour, Interruption, Timings
from hil.scanner.paper import FRONT_SENSORS, REAR_SENSORS, IllegalMove, Place, Sensor
from hil.scanner.sheet import Sheet
from hil.usb.device import Stalled, Unplugged
from tests.scanner.host import BURST, Clock, packet

# Few rows, so that thousands of scans cost nothing: 8 rows are 0.04 inch.
_SHEETS = {
    name: Sheet.blank(name, inches=rows / 200, columns=20) for name, rows in (("A", 8), ("B", 8), ("C", 3), ("D", 30), ("E", 9))
}
_BODIES = [
    *(b"8", b"9", b"3", b"4", b"1", b"7", b"[", b"n11", b"n12", b"C", b"0", b"Q", b"M", b"N", b"n", b"o", b"\x1be", b"\x1bd"),
    *(b"\x1bX", b"\x1bY", b"g", b"\x1bs1", b"\x1bs5", b"j", b"k", b"J", b"G", b"y", b"z", b"D", b"?", b">00900000000", b"}"),
]
_ROUTINES = [
    [*BURST[:-2], b"8"],
    [b"9", b"M", b"8", b"3", b"9"],
    [b"9", b"M", b"8", b"3", b"9"],
    [b"9", b"N", b"8", b"1", b"9"],
    [b"9", b"N", b"8", b"4", b"9"],
]
_TIMINGS = [Timings.instant(), Timings.each(0.1), Timings(0.1, 1, 1, 4, 0.02, 3, 1, 5)]
_BEHAVIOURS = [
    Behaviour(path_inches=0.02, length_slack_inches=0.0),
    Behaviour(path_inches=0.02, register_9=0, interruption=Interruption.TOLERATED, chunk_bytes=100, jam_event=True),
    Behaviour(path_inches=0.02, register_9=0x100, interruption=Interruption.SILENT, chunks_run_together=True, chunk_bytes=1000),
    Behaviour(path_inches=0.02, fifo_bytes=5000, pixels_before_begin=True, auto_start_at_boot=True, cover_event_first=False),
]
_ENDPOINTS = st.sampled_from([COMMANDS, ANSWERS, PIXELS])
_SECONDS = st.sampled_from([0.0, 0.05, 0.5, 2.0])
_MAYBE_SECONDS = st.none() | _SECONDS
_TRIGGERS = st.one_of(
    st.just(Now()),
    st.builds(ImageByte, st.integers(0, 30_000)),
    st.builds(Transfer, _ENDPOINTS, st.integers(1, 5)),
    st.builds(Command, st.sampled_from(_BODIES)),
    st.builds(Event, st.sampled_from(["30", "31", "33", "34", "36"])),
    st.builds(Reached, st.sampled_from(Place), st.none() | st.sampled_from(sorted(_SHEETS))),
)
_FAULTS = st.one_of(
    st.builds(Yank, _MAYBE_SECONDS, at=_TRIGGERS),
    st.builds(Stall, _ENDPOINTS, at=_TRIGGERS),
    st.builds(Drop, _ENDPOINTS, at=_TRIGGERS),
    st.builds(Short, st.integers(0, 4), _ENDPOINTS, at=_TRIGGERS),
    st.builds(Late, _SECONDS, _ENDPOINTS, at=_TRIGGERS),
    st.builds(Duplicate, _ENDPOINTS, at=_TRIGGERS),
    st.builds(Garble, st.integers(-9, 9), st.integers(1, 255), _ENDPOINTS, at=_TRIGGERS),
    st.builds(Overflow, at=_TRIGGERS),
    st.builds(CrcComplaint, at=_TRIGGERS),
    st.builds(Garbage, st.binary(max_size=9), at=_TRIGGERS),
    st.builds(Silent, _SECONDS, at=_TRIGGERS),
    st.builds(OddImage, st.integers(-9, 9), at=_TRIGGERS),
    st.builds(Stuck, st.sampled_from(Sensor), st.sampled_from([True, False, None]), at=_TRIGGERS),
    st.builds(Pull, at=_TRIGGERS),
    st.builds(PushSecond, st.sampled_from(sorted(_SHEETS.values(), key=lambda sheet: sheet.name)), at=_TRIGGERS),
    st.builds(OpenCover, _MAYBE_SECONDS, at=_TRIGGERS),
    st.builds(Reboot, at=_TRIGGERS),
    st.builds(PowerCut, _MAYBE_SECONDS, at=_TRIGGERS),
    st.builds(JamScan, at=_TRIGGERS),
    st.builds(JamEject, st.booleans(), at=_TRIGGERS),
    st.builds(DoubleFeed, at=_TRIGGERS),
)


class Evening(RuleBasedStateMachine):
    """A long evening at the scanner."""

    @initialize(timings=st.sampled_from(_TIMINGS), behaviour=st.sampled_from(_BEHAVIOURS))
    def begin(self, timings: Timings, behaviour: Behaviour) -> None:
        self.clock = Clock()
        self.scanner = EmulatedScanner(timings, behaviour, clock=self.clock)
        self.box: tuple[str, ...] = ()
        self.seen: set[str] = set()

    def send(self, data: bytes) -> None:
        try:
            assert self.scanner.write(COMMANDS, data) == len(data)
        except (Unplugged, Stalled):
            self.scanner.configured()

    @rule(bodies=st.lists(st.sampled_from(_BODIES), max_size=4))
    def command(self, bodies: list[bytes]) -> None:
        for body in bodies:
            self.send(packet(body))

    @rule(bodies=st.sampled_from(_ROUTINES))
    def routine(self, bodies: list[bytes]) -> None:
        for body in bodies:
            self.send(packet(body))

    @rule(names=st.permutations(sorted(_SHEETS)), seconds=st.sampled_from([0.0, 0.3, 0.7, 5.0]))
    def vote(self, names: list[str], seconds: float) -> None:
        self.routine(_ROUTINES[0])
        self.clock.now += 1
        places = self.scanner.describe().places
        free = [name for name in names if places.get(name, Place.HAND) is Place.HAND]
        if free:
            self.insert(free[:1], 5)
        self.clock.now += seconds

    @rule()
    def call_technician(self) -> None:
        for verb in ("plug", "restore_power", "open_cover", "clear_path", "close_cover"):
            self.hand(verb)
        for sensor in Sensor:
            self.scanner.stick(sensor, None)

    @rule(data=st.binary(max_size=9))
    def babble(self, data: bytes) -> None:
        self.send(data)

    @rule(endpoint=_ENDPOINTS, length=st.sampled_from([1, 64, 512, 1 << 20]))
    def read(self, endpoint: int, length: int) -> None:
        try:
            data = self.scanner.read(endpoint, length)
        except (Unplugged, Stalled):
            self.scanner.halt_cleared(endpoint)
        else:
            assert data is None or len(data) <= length

    @rule(seconds=st.sampled_from([0.01, 0.1, 0.3, 1.0, 5.0]))
    def pass_time(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule(names=st.lists(st.sampled_from(sorted(_SHEETS)), min_size=1, max_size=2), sensors=st.sampled_from([1, 2, 5]))
    def insert(self, names: list[str], sensors: int) -> None:
        with suppress(IllegalMove):
            self.scanner.insert(*(_SHEETS[name] for name in names), sensors=sensors)

    @rule(name=st.sampled_from(sorted(_SHEETS)))
    def push(self, name: str) -> None:
        with suppress(IllegalMove):
            self.scanner.push_second(_SHEETS[name])

    @rule(verb=st.sampled_from(["remove", "pull", "open_cover", "close_cover", "clear_path", "unplug", "cut_power"]))
    def hand(self, verb: str) -> None:
        with suppress(IllegalMove):
            getattr(self.scanner, verb)()

    @rule(fault=_FAULTS)
    def fault(self, fault: Fault) -> None:
        with suppress(IllegalMove):
            self.scanner.inject(fault)

    @invariant()
    def no_sheet_is_lost(self) -> None:
        status = self.scanner.describe()
        self.seen |= set(status.places)
        assert set(status.places) == self.seen
        assert status.box[: len(self.box)] == self.box
        assert sorted(status.box) == sorted(name for name, place in status.places.items() if place is Place.BOX)
        self.box = status.box

    @invariant()
    def sensors_see_what_is_there(self) -> None:
        stuck = self.scanner._model.path.stuck
        status = self.scanner.describe()
        places = set(status.places.values())
        for sensors, covering in ((FRONT_SENSORS, {Place.FRONT, Place.SPANNING}), (REAR_SENSORS, {Place.ESCROW, Place.SPANNING})):
            if not stuck.keys() & set(sensors):
                assert bool(status.covered.intersection(sensors)) == bool(places & covering)

    @invariant()
    def the_thread_has_nothing_overdue(self) -> None:
        self.scanner.describe()
        due = self.scanner._due()
        assert due is None or due > self.clock.now


Evening.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestEvening = Evening.TestCase


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_any_bytes_are_taken(transfers: list[bytes]) -> None:
    scanner = EmulatedScanner(Timings.instant(), clock=Clock())
    for data in transfers:
        if scanner.plugged:
            scanner.write(COMMANDS, data)
        while scanner.plugged and (said := scanner.read(ANSWERS, 16384)) is not None:
            assert said[:1] + said[-1:] == b"\x02\x03"
