"""What the station costs beside the interpreter: time until a person is told, an idle processor, memory."""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from edge.definition.settings import SystemSettings
from edge.evidence.reading import SheetReading
from edge.station.config_sections import OutputName
from edge.station.sheet import sheet_reader
from edge.station.state import Limits
from firmware_bridge.scanner import SheetImages
from hil.rig.process import StationProcess
from hil.rig.station import OUTPUTS, StationRig
from hil.scanner.emulator import EmulatedScanner
from hil.scanner.faults import PIXELS
from hil.scanner.knobs import Timings
from hil.scanner.sheet import Sheet
from tests.ballot.sheets import definition, made_up
from tests.kill.bench import Kind, scanned

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

ROUNDS = 15
MOST_MS = 100
"""From the last byte of the images to the lamp, beyond what the interpreter takes."""
IDLE_S = 20.0
MOST_IDLE = 2.0
"""Percent of one core."""
SHEETS = 20
MOST_GROWTH = 10
"""Megabytes, from the tenth sheet to the twentieth."""
LAMPS: dict[Kind, OutputName] = {"foreign": "reject", "unmarked": "review", "good": "accept"}
PLACES = ("in process", "USB/IP")
LIMITS = {"rest_ms": 0, "accepted_signal_ms": 200}
"""All others are the station's own defaults, also how often it looks at the sensors."""

LONG = "takes long; measured by ./dev bench"

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="what a process uses is read from /proc")


class ClockedScanner(EmulatedScanner):
    """Knows when it last handed pixels to the host."""

    last_pixels = 0.0

    def read(self, endpoint: int, length: int) -> bytes | None:
        data = super().read(endpoint, length)
        if endpoint == PIXELS and data:
            self.last_pixels = time.monotonic()
        return data


class Desk(Protocol):
    """A station, in this process or another, and what the measurement wants of it."""

    scanner: ClockedScanner

    def wait_for(self, *states: str) -> object: ...

    def press_return(self) -> None: ...

    def lit_at(self, lamp: OutputName, since: float) -> float:
        """When, after `since`, a lamp was lit first; waits for it."""


@dataclass
class InProcess:
    rig: StationRig
    scanner: ClockedScanner

    def wait_for(self, *states: str) -> object:
        return self.rig.wait_for(*states)

    def press_return(self) -> None:
        self.rig.press("return")

    def lit_at(self, lamp: OutputName, since: float) -> float:
        pin = self.rig.pins.pin(OUTPUTS[lamp])
        while not pin.state or pin._last_change < since:
            time.sleep(0.0005)
        return float(pin._last_change)


@dataclass
class OverUsbip:
    station: StationProcess
    scanner: ClockedScanner

    def wait_for(self, *states: str) -> object:
        return self.station.wait_for(*states)

    def press_return(self) -> None:
        self.station.panel.press("return")

    def lit_at(self, lamp: OutputName, since: float) -> float:
        def first() -> float | None:
            times = [change.at_ms for change in self.station.panel.changes if (change.name, change.state) == (lamp, "lit")]
            return next((at / 1000 for at in times if at / 1000 >= since), None)

        self.station.panel.wait_for(lambda _: first() is not None)
        found = first()
        assert found is not None
        return found


@dataclass
class Reader:
    """The interpreter; keeps the images that it saw last."""

    read: Callable[[SheetImages], SheetReading] = field(default_factory=lambda: sheet_reader(made_up(), SystemSettings()))
    images: SheetImages | None = None

    def __call__(self, images: SheetImages) -> SheetReading:
        self.images = images
        return self.read(images)

    def alone(self) -> float:
        """Milliseconds that the interpreter takes for those images when nothing else is to be done."""
        assert self.images is not None
        begun = time.perf_counter()
        self.read(self.images)
        return (time.perf_counter() - begun) * 1000


@contextmanager
def desk_in_process(folder: Path, reader: Reader) -> Iterator[InProcess]:
    limits = replace(Limits(), rest=LIMITS["rest_ms"], accepted_signal=LIMITS["accepted_signal_ms"])
    with (
        ClockedScanner(Timings.instant()) as scanner,
        StationRig(folder, scanner, made_up(), limits=limits, read=reader) as rig,
    ):
        yield InProcess(rig, scanner)


@contextmanager
def desk_over_usbip(folder: Path) -> Iterator[OverUsbip]:
    with (
        ClockedScanner(Timings.instant()) as scanner,
        StationProcess(folder, scanner, election=definition(), limits=LIMITS) as station,
    ):
        yield OverUsbip(station, scanner)


def one_sheet(desk: Desk, kind: Kind, number: int) -> float:
    """Milliseconds from the last byte of the images to the lamp; in the end the station waits for paper again."""
    desk.wait_for("waiting")
    assert desk.scanner.wait_for(lambda status: status.feeder, 10)
    sheet = Sheet(f"{kind}-{number}", scanned(kind).top.pixels, scanned(kind).bottom.pixels)
    begun = time.monotonic()
    desk.scanner.insert(sheet)
    lit = desk.lit_at(LAMPS[kind], begun)
    taken = (lit - desk.scanner.last_pixels) * 1000
    if kind == "unmarked":
        desk.wait_for("holding")
        desk.press_return()
    if kind != "good":
        desk.wait_for("returned")
        desk.scanner.remove()
    desk.wait_for("waiting")
    return taken


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest) -> Iterator[list[tuple[str, str, str]]]:
    """Rows of what, figure, target: shown when all were measured."""
    rows: list[tuple[str, str, str]] = []
    yield rows
    capture = request.config.pluginmanager.getplugin("capturemanager")
    if not rows or capture is None:
        return
    rows.insert(0, ("what", "figure", "target"))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    with capture.global_and_fixture_disabled():
        sys.stdout.write("\n".join(["", *lines, ""]))


def measured(benchmark: BenchmarkFixture, work: Callable[[], object], rounds: int = 1) -> None:
    """So often and no more: a sheet at a time is what is measured."""
    benchmark.pedantic(work, rounds=rounds)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", LAMPS)
def test_how_soon_a_person_is_told(
    benchmark: BenchmarkFixture, table: list[tuple[str, str, str]], tmp_path: Path, kind: Kind, place: str
) -> None:
    if benchmark.disabled and kind != "good":
        pytest.skip(LONG)
    reader = Reader()
    taken: list[float] = []
    alone: list[float] = []

    def work() -> None:
        taken.append(one_sheet(desk, kind, len(taken) + 1))
        # In turn, so that whatever else the machine does slows down both.
        alone.append(reader.alone())

    with desk_in_process(tmp_path / "first", reader) as first:
        one_sheet(first, kind, 0)
        desk: Desk = first
        if place == PLACES[0]:
            measured(benchmark, work, ROUNDS)
    if place != PLACES[0]:
        with desk_over_usbip(tmp_path) as second:
            desk = second
            one_sheet(desk, kind, 0)
            measured(benchmark, work, ROUNDS)
    own = statistics.median(alone)
    added = statistics.median(taken) - own
    benchmark.extra_info |= {"added_ms": round(added, 1), "interpreter_ms": round(own, 1)}
    if benchmark.enabled:
        figure = f"{added:.0f} ms beyond the interpreter's {own:.0f} (worst {max(taken) - own:.0f})"
        table.append((f"last pixel to the lamp {LAMPS[kind]}, {place}", figure, f"{MOST_MS} ms"))
        assert added <= MOST_MS


def processor_seconds(pid: int) -> float:
    """What a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_megabytes(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS:")).split()[1]) / 1000


def test_an_idle_station_leaves_the_processor_alone(
    benchmark: BenchmarkFixture, table: list[tuple[str, str, str]], tmp_path: Path
) -> None:
    if benchmark.disabled:
        pytest.skip(LONG)
    with ClockedScanner() as scanner, StationProcess(tmp_path, scanner, election=definition(), limits={}) as station:
        station.wait_for("waiting")
        assert scanner.wait_for(lambda status: status.feeder, 10)
        time.sleep(1)
        begun, used = time.monotonic(), processor_seconds(station.pid)
        measured(benchmark, lambda: time.sleep(IDLE_S))
        share = (processor_seconds(station.pid) - used) / (time.monotonic() - begun) * 100
        assert station.status().state == "waiting"
    benchmark.extra_info["percent_of_a_core"] = round(share, 2)
    table.append((f"processor while waiting for paper, {IDLE_S:.0f} s", f"{share:.2f} % of a core", f"{MOST_IDLE:.0f} %"))
    assert share < MOST_IDLE


def test_memory_does_not_grow_with_the_sheets(
    benchmark: BenchmarkFixture, table: list[tuple[str, str, str]], tmp_path: Path
) -> None:
    if benchmark.disabled:
        pytest.skip(LONG)
    with desk_over_usbip(tmp_path) as desk:
        desk.station.wait_for("waiting")
        used = [resident_megabytes(desk.station.pid)]
        for number in range(SHEETS):
            if number == SHEETS - 1:
                measured(benchmark, lambda: one_sheet(desk, "good", SHEETS - 1))
            else:
                one_sheet(desk, "good", number)
            used.append(resident_megabytes(desk.station.pid))
    benchmark.extra_info["megabytes"] = [round(megabytes) for megabytes in used]
    table += [(f"memory after {sheets} sheets", f"{used[sheets]:.0f} MB resident", "") for sheets in (0, 1, 10, SHEETS)]
    assert used[SHEETS] - used[SHEETS // 2] <= MOST_GROWTH
