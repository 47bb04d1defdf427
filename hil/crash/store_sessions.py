"""Sessions of the store alone, without a station around it: whole days on two media, and media that get lost."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from unittest import mock

from edge.evidence.events import LogEvent
from edge.evidence.evidence_store import EvidenceStore
from edge.evidence.folder import sync_folder
from edge.evidence.medium import BoxShape, Medium
from edge.evidence.opening import Opened
from edge.evidence.reading import SheetReading
from edge.evidence.store import PendingStage, StoreError
from hil.crash.session import Session, recorded
from hil.crash.witness import MarkingStore
from hil.crash.world import Log, SetClock, World, sheet
from hil.cuts.recording import Recording
from hil.rig.evidence import PACKAGE
from hil.secrecy.pool import pool

FIRST, SECOND = "0011223344", "5566778899"
"""Labels of two elections."""
SLOT = 5 * 4096
"""For sheets without pages."""
_READ_SLOT = 12 * 4096
"""For sheets that were read."""
_MANY = 35
_LARGE_LOG = "edge.evidence.evidence_store._LARGE_LOG"


def small_world(media: int, *, cast: int = 8, returned: int = 4) -> World:
    """A device for sheets without pages."""
    return World(media, {FIRST: Log(FIRST, PACKAGE, BoxShape(cast, returned, SLOT))})


class Device:
    """Who calls the store in a session.

    Args:
        world: Where it keeps its evidence.
        folder: The recorded one.
        recording: Takes the marks.
        kind: The store under test.
    """

    def __init__(self, world: World, folder: Path, recording: Recording, kind: type[EvidenceStore] = EvidenceStore) -> None:
        self.clock = SetClock()
        self._world = world
        self._folder = folder
        self._recording = recording
        self._kind = kind

    def store(self, label: str = FIRST, *, media: int | None = None, visiting: bool = False) -> MarkingStore:
        """A store that marks, not yet read."""
        world = replace(self._world, media=self._world.media if media is None else media)
        store = world.store(self._folder, label, clock=self.clock, kind=self._kind, visiting=visiting)
        return MarkingStore(store, world.logs[label], world.settings(self._folder, label), self._recording.mark)


def plug_in(folder: Path) -> None:
    """The second medium is there from now on."""
    (folder / "second").mkdir()
    sync_folder(folder)


def accept(store: MarkingStore, reading: SheetReading) -> None:
    """A sheet goes into the box."""
    store.write_pending(reading)
    store.commit()


def go_back(store: MarkingStore, reading: SheetReading, stage: PendingStage = PendingStage.RETURNING) -> None:
    """A sheet was written down and does not go into the box."""
    store.write_pending(reading)
    store.mark_pending(stage)
    store.erase()


def short_day(kind: type[EvidenceStore] = EvidenceStore, media: int = 1) -> Session:
    """What happens to sheets, each once.

    Args:
        kind: The store under test.
        media: How many media.
    """
    world = small_world(media, cast=5, returned=2)

    def program(folder: Path, recording: Recording) -> None:
        if media > 1:
            plug_in(folder)
        device = Device(world, folder, recording, kind)
        with closing(device.store()) as store:
            store.read()
            store.open_polls()
            accept(store, sheet("one"))
            go_back(store, sheet("two"))
            store.keep_returned(sheet("three", "return"))
            accept(store, sheet("four"))
            store.checkpoint()
            store.pause_polls()

    return recorded(f"a short day on {media} media", world, program)


def whole_day() -> Session:
    """Two media through everything that a store can do, the close, and the next election."""
    package, readings = pool()
    logs = {
        FIRST: Log(FIRST, package, BoxShape(8, 3, _READ_SLOT)),
        SECOND: Log(SECOND, PACKAGE, BoxShape(4, 2, SLOT)),
    }
    world = World(2, logs)

    def program(folder: Path, recording: Recording) -> None:
        plug_in(folder)
        device = Device(world, folder, recording)
        with mock.patch(_LARGE_LOG, 0):
            _open_day(device, readings)
            _close_day(device)
            _next_election(device)

    return recorded("a day on two media, its close, the next election", world, program)


def _open_day(device: Device, readings: list[SheetReading]) -> None:
    with closing(device.store()) as store:
        store.read()
        store.note([LogEvent("stationStarted", {"software": "rig", "softwareSha256": "00", "count": 0})])
        store.open_polls()
        accept(store, readings[0])
        go_back(store, readings[1])
        store.note([LogEvent("jam", {"reason": "jam"}), LogEvent("jamCleared")] * _MANY)
        store.write_pending(readings[2])
        store.mark_pending(PendingStage.DOUBTFUL)
        store.commit()
        store.tend()
        store.keep_returned(sheet("not ours", "return"))
        store.note([LogEvent("coverOpened"), LogEvent("coverClosed")] * _MANY)
        device.clock.go_on(400_000, step_ms=7_000)
        store.tend()
        store.pause_polls()
        accept_refused(store, readings[3])
        with closing(device.store(visiting=True)) as visitor:
            visitor.read()
            visitor.note([LogEvent("exportBegun", {"kind": "interim"})])
            store.open_polls()
            accept(store, readings[3])
            visitor.note([LogEvent("exportMade", {"kind": "interim"})])
        accept(store, readings[4])
        store.pause_polls()
        store.note([LogEvent("stationStopped", {"count": 4})])


def accept_refused(store: MarkingStore, reading: SheetReading) -> None:
    """A sheet that the store does not take."""
    try:
        store.write_pending(reading)
    except StoreError:
        return
    raise AssertionError("the sheet was taken")


def _close_day(device: Device) -> None:
    with closing(device.store()) as station, closing(device.store(visiting=True)) as visitor:
        station.read()
        visitor.read()
        visitor.close_polls()
        station.tend()
        with suppress(StoreError):
            station.open_polls()
        visitor.note([LogEvent("exportBegun", {"kind": "closed"})])
        visitor.note([LogEvent("exportMade", {"kind": "closed"})])
        visitor.note([LogEvent("dayKeyDiscarded")])
        visitor.checkpoint()
        visitor.discard_day_key()
    with closing(device.store()) as store:
        store.read()
        store.note([LogEvent("stationStopped", {"count": 4})])


def _next_election(device: Device) -> None:
    with closing(device.store(SECOND)) as store:
        store.read()
        store.open_polls()
        accept(store, sheet("of the next election"))
    with closing(device.store(SECOND)) as store:
        store.read()


def added_medium() -> Session:
    """A second medium joins a station that has worked with one, while a sheet is pending; then the box fills up."""
    world = small_world(2, cast=4, returned=2)

    def program(folder: Path, recording: Recording) -> None:
        device = Device(world, folder, recording)
        with closing(device.store(media=1)) as store:
            store.read()
            store.open_polls()
            accept(store, sheet("one"))
            store.keep_returned(sheet("two", "return"))
            go_back(store, sheet("three"))
            store.write_pending(sheet("four"))
        plug_in(folder)
        with closing(device.store()) as store:
            store.read()
            store.commit()
            store.keep_returned(sheet("five", "return"))
            # Pictures of this one are not kept any more.
            store.keep_returned(sheet("six", "return"))
            accept(store, sheet("seven"))
            accept(store, sheet("eight"))
            accept_refused(store, sheet("nine"))
        with closing(device.store()) as store:
            store.read()
            store.pause_polls()

    return recorded("a second medium is added", world, program)


class LosingStore(EvidenceStore):
    """A store of which a medium fails.

    Attributes:
        failing: The medium's name; None = none fails.
        calls: After so many calls to the media.
        late: Whether the medium has done what it was asked for when it fails.
    """

    failing: str | None = None
    calls = 0
    late = False

    def _each(self, work: Opened, do: Callable[[Medium], object]) -> None:
        def done(medium: Medium) -> None:
            fails = self.failing == medium.name and self.calls == 0
            if not fails or self.late:
                do(medium)
            if fails:
                self.failing = None
                raise StoreError("storeUnavailable", f"{medium.folder} has failed")

        super()._each(work, done)
        self.calls -= 1


LOSSES: tuple[tuple[str, int], ...] = (
    ("write_pending", 1),
    ("write_pending", 2),
    ("commit", 1),
    ("commit", 2),
    ("erase", 1),
    ("erase", 2),
    ("keep_returned", 2),
    ("checkpoint", 1),
)
"""Calls, and how many times the media are asked in each before one fails: the first time each call asks what they hold."""


def lost_medium(losses: tuple[tuple[str, int], ...] = LOSSES) -> Session:
    """One medium after the other fails in every step of every call, early and late, and is there again at the next opening."""
    cases = [(name, *loss, late) for loss in losses for name in ("second", "first") for late in (False, True)]
    world = small_world(2, cast=2 * len(cases) + 2, returned=len(cases) + 1)

    def program(folder: Path, recording: Recording) -> None:
        plug_in(folder)
        device = Device(world, folder, recording, LosingStore)
        with closing(device.store()) as store:
            store.read()
            store.open_polls()
        for number, case in enumerate(cases):
            _lose(device, number, *case)

    what = ", ".join(sorted({call for call, _ in losses}))
    return recorded(f"media are lost in {what} and brought up to date", world, program, loses_media=True)


def _lose(device: Device, number: int, name: str, call: str, calls: int, late: bool) -> None:
    with closing(device.store()) as store:
        losing = store.store
        assert isinstance(losing, LosingStore)  # noqa: S101  it was made so
        store.read()

        def lose(at: str) -> None:
            if call == at:
                losing.failing, losing.calls, losing.late = name, calls, late

        lose("write_pending")
        store.write_pending(sheet(f"{number} first"))
        lose("commit")
        lose("erase")
        if call == "erase":
            store.erase()
        else:
            store.commit()
        lose("keep_returned")
        store.keep_returned(sheet(f"{number} returned", "return"))
        lose("checkpoint")
        store.checkpoint()
        if losing.failing is not None:
            raise AssertionError(f"the {name} medium has not failed in {call}")
        # The other one goes on alone.
        go_back(store, sheet(f"{number} back"))
        accept(store, sheet(f"{number} last"))
        # The next opening may find a sheet pending, which the medium that was away does not know.
        if number % 2:
            store.write_pending(sheet(f"{number} pending"))
    with closing(device.store()) as store:
        store.read()
        store.erase()
