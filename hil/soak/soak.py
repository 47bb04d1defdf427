"""Sheet after sheet through a station, mishaps among them; after every sheet the books are held against the box."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from edge.evidence.medium import BoxShape
from edge.station.status import StatusDocument
from hil.scanner.paper import IllegalMove, Place
from hil.scanner.sheet import Sheet
from hil.soak.bench import Bench, bench
from hil.soak.measures import Measure, Meter
from hil.soak.mishaps import Mishap, random_mishap
from hil.soak.poll_worker import Button, PollWorker, wipe_sensors
from hil.soak.pool import Ballot, election, make_pool
from hil.soak.witness import SignalWitness

_REST_SECONDS = 30.0
_MEASURED_EVERY = 250
_EXCHANGED_EVERY = 1_000
_WARM_UP = 1_000
"""The first exchange of the scanner belongs to the warm-up."""
_MOST_GROWTH_KB = 160 << 10
"""Ten images of both sides. How much of what was freed is given back is the allocator's affair; measured: up to 110 MB."""
_MOST_OBJECTS = 4_000
_OBJECTS_A_SHEET = 2
"""The open ballot box knows every sheet by its entry and its id."""


_SPARE = 20
"""Sheets that are pushed in behind others can be accepted too; far more sheets are returned than such come."""
_RETURNED = 100
_SLOT_BYTES = 96 << 10
"""The ballots of the pool take 54 to 68 KiB, whole ones; a mishap leaves less of them."""


def box_for(sheets: int) -> BoxShape:
    """The ballot box for a soak of so many sheets: 10 000 take 1 GB."""
    return BoxShape(sheets + _SPARE, _RETURNED, _SLOT_BYTES)


class Mismatch(Exception):  # noqa: N818 (it is what it says)
    """Something that must never be; the message tells the whole story."""


@dataclass(slots=True)
class Tally:
    """What was seen.

    Attributes:
        sheets: Sheets put in by a voter.
        mishaps: Of each kind: how many.
        impossible: Of each kind: how many could not happen when their time had come, such as a pull at a sheet that was gone.
        ends: What became of sheets, by what their ballot is: accept to box, for example.
        states: How often each state and reason was published.
        unsignalled: Sheets that were counted and not signalled, because the scanner was gone or its cover open just then.
    """

    sheets: int = 0
    mishaps: Counter[str] = field(default_factory=Counter)
    impossible: Counter[str] = field(default_factory=Counter)
    ends: Counter[tuple[str, str]] = field(default_factory=Counter)
    states: Counter[tuple[str, str]] = field(default_factory=Counter)
    unsignalled: int = 0


class Soak:
    """A long day.

    Args:
        station: The station.
        pool: What voters may hold in their hands.
        seed: Decides everything but the threads' own order.
        rate: Share of sheets with a mishap, 0 to 1.
    """

    def __init__(self, station: Bench, pool: list[Ballot], seed: int, rate: float) -> None:
        self.tally = Tally()
        self._station = station
        self._pool = pool
        self._rng = Random(seed)
        self._rate = rate
        self._ballot = pool[0]
        self._hands: list[list[Sheet]] = [[] for _ in pool]
        self._second = Sheet.blank("second-0")
        self._serial = 0
        self._signals = SignalWitness()
        self._latest: StatusDocument | None = None
        self._worker = PollWorker(station.rig, self._decide, takes_out=lambda: self._rng.random() < 0.5)

    def start(self) -> None:
        """Wait until the station takes sheets."""
        station = self._station
        station.rig.wait_for("waiting", "disconnected", seconds=_REST_SECONDS)
        self._check(self._rest("the beginning"), "the beginning")

    def one_sheet(self) -> None:
        """Put one sheet in and see what becomes of it.

        Raises:
            Mismatch: Something must not be.
        """
        index = self._rng.randrange(len(self._pool))
        self._ballot = self._pool[index]
        sheet = self._hands[index].pop() if self._hands[index] else self._new(self._ballot)
        mishap = self._choose()
        story = f"sheet {self.tally.sheets + 1} ({sheet.name}, {self._ballot.kind}), mishap {mishap}"
        scanner = self._station.scanner
        if mishap is not None and mishap.delay is None:
            self._strike(mishap)
        with_failures = len(scanner.describe().failures)
        try:
            scanner.insert(sheet)
        except IllegalMove as refused:
            raise Mismatch(f"{story}: {refused}") from refused
        if mishap is not None and mishap.delay is not None:
            # Not idly: a helpful person may already be at work.
            scanner.wait_for(lambda _: False, mishap.delay)
            self._strike(mishap)
        document = self._rest(story)
        wipe_sensors(scanner)
        self.tally.sheets += 1
        if mishap is not None:
            self.tally.impossible[mishap.kind] += len(scanner.describe().failures) - with_failures
        self._note_end(index, sheet)
        self._check(document, story)

    def exchange_scanner(self) -> None:
        """Take scanner and box away, and give the station another scanner."""
        self._worker.boxed_before = self._worker.boxed
        self._station.exchange_scanner()
        self._hands = [[] for _ in self._pool]
        self._second = self._new_second()
        self._rest("the exchange of the scanner")

    def _choose(self) -> Mishap | None:
        if self._rng.random() >= self._rate:
            return None
        if self._station.scanner.describe().places.get(self._second.name, Place.HAND) is not Place.HAND:
            self._second = self._new_second()
        mishap = random_mishap(self._rng, self._ballot.kind, self._second)
        self.tally.mishaps[mishap.kind] += 1
        return mishap

    def _strike(self, mishap: Mishap) -> None:
        try:
            self._station.scanner.inject(mishap.fault)
        except IllegalMove:
            self.tally.impossible[mishap.kind] += 1

    def _new(self, ballot: Ballot) -> Sheet:
        self._serial += 1
        return Sheet(f"sheet-{self._serial}", ballot.top, ballot.bottom)

    def _new_second(self) -> Sheet:
        self._serial += 1
        ballot = self._rng.choice(self._pool)
        return Sheet(f"second-{self._serial}", ballot.top, ballot.bottom)

    def _decide(self) -> Button:
        return "cast" if self._ballot.castable and self._rng.random() < 0.5 else "return"

    def _rest(self, story: str) -> StatusDocument:
        try:
            return self._worker.until_rest(_REST_SECONDS)
        except TimeoutError as trouble:
            raise Mismatch(f"{story}: {trouble}") from trouble

    def _note_end(self, index: int, sheet: Sheet) -> None:
        place = self._station.scanner.where(sheet.name)
        self.tally.ends[self._pool[index].kind, str(place)] += 1
        if place is Place.HAND:
            # The same sheet comes again: what it was returned for may have been a mishap.
            self._hands[index].append(sheet)

    def _check(self, document: StatusDocument, story: str) -> None:
        rig, books, signals, boxed = self._station.rig, self._station.books, self._signals, self._worker.boxed
        documents, history = rig.watch.documents, []
        # The latest stays, because it is what people see, and is read only once.
        while len(documents) > 1:
            history.append(documents.popleft())
        history = [seen for seen in (*history, documents[0]) if seen is not self._latest]
        self._latest = documents[0]
        rig.records.kept.clear()
        signals.read(history)
        self.tally.states.update((seen.state, seen.reason or "") for seen in history)
        self.tally.unsignalled = books.commits - signals.sheets
        wrong = [*books.mistakes, *signals.mistakes]
        if books.line.times != signals.signals:
            wrong.append(f"the accept line was lit {books.line.times} times for {signals.signals} signals")
        if document.count != boxed:
            wrong.append(f"the count is {document.count}, in the box are {boxed}")
        if books.stage is not None:
            wrong.append(f"a sheet is still pending ({books.stage})")
        if wrong:
            told = [f"  {seen.uptime_ms} ms: {seen.state} ({seen.reason}) {seen.count} {seen.signal}" for seen in history]
            raise Mismatch("\n".join((f"{story}: {'; '.join(wrong)}", *told)))


def soak(
    folder: Path,
    *,
    sheets: int,
    seed: int,
    rate: float,
    usbip: bool = False,
    pool: list[Ballot] | None = None,
    warm_up: int = _WARM_UP,
    progress: Callable[[Measure, int], None] = lambda _measure, _mishaps: None,
) -> tuple[Tally, Meter]:
    """Put so many sheets through a station.

    Args:
        folder: Where the books are; empty.
        sheets: So many.
        seed: Decides which, and what goes wrong.
        rate: Share of sheets with a mishap, 0 to 1.
        usbip: Reach the scanner over USB/IP.
        pool: Ballots; by default `make_pool`.
        warm_up: Sheets after which the process may not grow any more.
        progress: Called with every measure and the number of mishaps so far.

    Raises:
        Mismatch: Something was as it must never be.
    """
    pool = pool or make_pool()
    meter = Meter(warm_up, _MOST_GROWTH_KB, _MOST_OBJECTS + _OBJECTS_A_SHEET * sheets)
    with bench(folder, election(), usbip=usbip, shape=box_for(sheets)) as station:
        day = Soak(station, pool, seed, rate)
        day.start()
        for number in range(1, sheets + 1):
            day.one_sheet()
            if number % _MEASURED_EVERY == 0 or number == sheets:
                station.books.line.forget_times()
                station.rig.forget_history()
                progress(meter.measure(number), day.tally.mishaps.total())
            if number % _EXCHANGED_EVERY == 0 and number < sheets:
                day.exchange_scanner()
    return day.tally, meter
