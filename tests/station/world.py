"""A scanner, a box, a store and people in a few pure lines: what the state machine is let loose in.

Everything that happens between two steps of the machine is one call, so that a test can put any event at any place. Answers wait
in queues until they are delivered, as they do in the daemon.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from edge.decision import Disposition, DispositionKind, Reason
from edge.evidence.reading import SheetReading
from edge.evidence.store import PendingStage, Polls
from edge.station.commands import (
    AcceptSheet,
    AskSensors,
    Command,
    Connect,
    Disconnect,
    EvidenceCommand,
    Exit,
    Interpret,
    NoteEvents,
    ReturnSheet,
    ScannerCommand,
    StartFeeding,
    StopFeeding,
    TendEvidence,
)
from edge.station.events import (
    CastPressed,
    Connected,
    ConnectFailed,
    Event,
    EvidenceRead,
    FromScanner,
    Interpreted,
    ReturnPressed,
    SensorsRead,
    Tick,
    VerbRefused,
)
from edge.station.happenings import happenings
from edge.station.machine import start, step
from edge.station.signals import Signal
from edge.station.state import Limits, StateName, StationReason, next_wake, signal_of
from firmware_bridge.scanner import (
    CoverClosed,
    CoverOpened,
    ScanFailed,
    ScannerEvent,
    ScannerIdentity,
    ScannerLost,
    ScanStarted,
    Sensors,
    SheetImages,
    SheetScanned,
)
from tests.station.ledger import Ledger

IDENTITY = ScannerIdentity("pagescan6", "9072", "0115", "0000000A")
LIMITS = Limits()
LONGEST_MOTION = 4_000
"""Milliseconds after which the rollers stop by themselves."""
IMAGES = SheetImages(np.zeros((2, 2), np.uint8), np.zeros((2, 2), np.uint8), 200)


def reading(kind: DispositionKind = "accept", *codes: str, castable: bool = True) -> SheetReading:
    return SheetReading(Disposition(kind, tuple(Reason(code) for code in codes), castable), b"{}", ())


@dataclass(eq=False)
class Paper:
    """A sheet: where it is (hand, front, escrow, box), and what its reading will be.

    `unseen`: it was taken out by hand, on its way into the box, while nothing could notice. Nobody can tell it from one that fell
    into the box, and if it is counted it passes for one.
    """

    kind: DispositionKind = "accept"
    place: str = "hand"
    unseen: bool = False


@dataclass
class World(Ledger):
    """See the module. What is durable is the ledger's; everything else of the station is lost in a crash."""

    now: int = 0
    papers: list[Paper] = field(default_factory=list)
    cover_is_open: bool = False
    jam: bool = False
    plugged: bool = True
    feeding: bool = False
    motion: str | None = None
    session: int | None = None
    pending: Paper | None = None
    signals: list[Signal] = field(default_factory=list)
    polls_open: bool = True

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """The process starts: nothing of the last one is left but what is durable."""
        self.events: deque[Event] = deque()
        self.scanner: deque[ScannerCommand] = deque()
        self.evidence: deque[EvidenceCommand] = deque()
        self.sheets: deque[Interpret] = deque()
        self.session = None
        self.feeding = False
        self.has_read = False
        self.station, commands = start(LIMITS, polls_open=self.polls_open, now=self.now)
        self._take(commands)

    # The station's side.

    def deliver(self) -> bool:
        """Let the station handle the oldest event that waits."""
        if not self.events:
            return False
        self._step(self.events.popleft())
        return True

    def _step(self, event: Event) -> None:
        before = self.station
        self.station, commands = step(before, event, self.now)
        self._take(commands)
        # As the daemon: from the first reading of the evidence on.
        self.has_read = self.has_read or isinstance(event, EvidenceRead)
        events = happenings(before, event, self.station, commands)
        if events and self.has_read:
            self.evidence.append(NoteEvents(events))

    def _take(self, commands: tuple[Command, ...]) -> None:
        for command in commands:
            match command:
                case Interpret():
                    self.sheets.append(command)
                case Exit():
                    pass
                case _ if isinstance(command, ScannerCommand):
                    self.scanner.append(command)
                case _:
                    self.evidence.append(command)
        signal = signal_of(self.station, self.now)
        if not self.signals or self.signals[-1] is not signal:
            self.signals.append(signal)

    def wait(self, milliseconds: int) -> None:
        """Let time pass; the station is ticked as the loop would. No motion takes longer than the scanner's own limit."""
        end = self.now + milliseconds
        if milliseconds >= LONGEST_MOTION:
            self.move()
        while (due := next_wake(self.station, self.now)) is not None and due <= end:
            self.now = max(self.now, due)
            self._step(Tick())
            if next_wake(self.station, self.now) == due:
                break
        self.now = max(self.now, end)

    # The evidence's side.

    def keep_books(self) -> bool:
        """Carry out the oldest command to the evidence."""
        if not self.evidence:
            return False
        self.events.append(self.carry_out(self.evidence.popleft()))
        return True

    def tend(self) -> None:
        """A minute has passed for the daemon."""
        self.evidence.append(TendEvidence())

    def wrote(self) -> None:
        """What was written down is the sheet in the path."""
        self.pending = next((paper for paper in self.papers if paper.place == "escrow"), None)

    def counted(self) -> None:
        """A sheet of which nobody can say where it went passes for one in the box."""
        if self.pending is not None and self.pending.unseen:
            self.pending.place = "box"

    def interpret(self) -> bool:
        """Read the oldest sheet that was scanned: as the paper in the escrow says."""
        if not self.sheets:
            return False
        command = self.sheets.popleft()
        kind: DispositionKind = next((paper.kind for paper in self.papers if paper.place == "escrow"), "return")
        self.events.append(Interpreted(command.sheet, reading(kind, *([] if kind == "accept" else ["why"]))))
        return True

    # The scanner's side.

    def obey(self) -> bool:
        """Carry out the oldest command to the scanner."""
        if not self.scanner:
            return False
        command = self.scanner.popleft()
        match command:
            case Connect(session=session):
                if self.plugged:
                    self.session, self.feeding = session, False
                    self.events.append(Connected(session, IDENTITY))
                else:
                    self.events.append(ConnectFailed(session, "scannerNotFound", "no scanner", ""))
            case Disconnect():
                self.session, self.feeding = None, False
            case _ if self.session is not None:
                self._verb(command)
            case _:
                pass
        return True

    def _verb(self, command: ScannerCommand) -> None:
        match command:
            case AskSensors(number=number):
                if self.feeding and self.session is not None:
                    self.events.append(VerbRefused(self.session, "scannerFeeding", ""))
                else:
                    self.events.append(SensorsRead(number, self.sensors()))
            case StartFeeding():
                self.feeding = True
            case StopFeeding():
                self.feeding = False
            case AcceptSheet():
                assert self.stage in {PendingStage.ACCEPTING, PendingStage.DOUBTFUL}, "moved before it was durable"
                self.motion = "rear"
            case ReturnSheet():
                assert self.stage is not PendingStage.ACCEPTING, "moved back before that was durable"
                self.motion = "front"
            case _:
                raise AssertionError(command)

    def sensors(self) -> Sensors:
        places = {paper.place for paper in self.papers}
        front, rear = "front" in places, "escrow" in places
        return Sensors(front, rear, front or rear, self.cover_is_open, self.jam, self.feeding, calibration_needed=False)

    def report(self, event: ScannerEvent) -> None:
        """The driver says something; with the end of a scan it has stopped the feeder."""
        if isinstance(event, SheetScanned | ScanFailed):
            self.feeding = False
        if self.session is not None:
            self.events.append(FromScanner(self.session, event))

    def move(self) -> bool:
        """Let the rollers finish what they were told; nothing moves with a jam or an open cover."""
        if self.motion is None or self.jam or self.cover_is_open:
            return False
        motion, self.motion = self.motion, None
        for paper in self.papers:
            if paper.place == "escrow":
                paper.place = "box" if motion == "rear" else "front"
        return True

    def scan(self, paper: Paper, *, fails: bool = False) -> bool:
        """A person puts a sheet in, and the scanner takes it if it may."""
        if not self.feeding or self.cover_is_open or self.jam or paper.place not in {"hand", "front"}:
            return False
        if any(other.place == "escrow" for other in self.papers):
            return False
        # The same rollers take a sheet in: whatever they were told before, with nothing between them, is over.
        paper.place, self.feeding, self.motion = "escrow", False, None
        self.report(ScanStarted())
        self.report(ScanFailed("noImage", "") if fails else SheetScanned(IMAGES))
        return True

    # People and accidents.

    def put(self, kind: DispositionKind = "accept") -> Paper:
        paper = Paper(kind)
        self.papers.append(paper)
        return paper

    def take_front(self) -> bool:
        return self._take_from("front")

    def take_inside(self) -> bool:
        """Take the sheet out of the path, through the open cover."""
        taken = self.cover_is_open and self._take_from("escrow")
        if self.session is None:
            self._overlook()
        return taken

    def _take_from(self, place: str) -> bool:
        taken = [paper for paper in self.papers if paper.place == place]
        for paper in taken:
            paper.place = "hand"
        return bool(taken)

    def open_cover(self) -> None:
        if not self.cover_is_open:
            self.cover_is_open, self.motion = True, None
            self.report(CoverOpened())

    def close_cover(self) -> None:
        if self.cover_is_open:
            self.cover_is_open, self.jam = False, False
            self.report(CoverClosed())

    def yank(self) -> None:
        self._overlook()
        if self.session is not None:
            self.report(ScannerLost("scannerDisconnected", "gone", ""))
        self.plugged, self.session, self.feeding, self.motion = False, None, False, None

    def crash(self) -> None:
        """The process is killed; the rollers finish their motion."""
        self._overlook()
        self.begin()

    def _overlook(self) -> None:
        """From here on nobody can find out what became of a sheet that was just taken out."""
        if self.pending is not None and self.stage is PendingStage.ACCEPTING and self.pending.place == "hand":
            self.pending.unseen = True

    def decide_truthfully(self) -> None:
        """Answer a question as somebody would who can see the paper."""
        if self.station.name is not StateName.HOLDING:
            return
        if self.station.reason == StationReason.SHEET_WHEREABOUTS:
            boxed = sum(paper.place == "box" for paper in self.papers)
            self._step(CastPressed() if boxed > self.count else ReturnPressed())
        else:
            self._step(ReturnPressed())

    def get_stuck(self) -> None:
        """The sheet in the path gets stuck, and the rollers stop."""
        self.jam, self.motion = any(paper.place == "escrow" for paper in self.papers), None

    def settle(self) -> None:
        """Let everything that is under way come to its end, with helpful people around."""
        self.store_works = self.plugged = True
        self.close_cover()
        self.jam = False
        for _ in range(400):
            busy = self.deliver() or self.keep_books() or self.obey() or self.interpret() or self.move()
            if busy:
                continue
            if self.station.name is StateName.HOLDING:
                self.decide_truthfully()
            elif self.station.name is StateName.JAMMED and self.sensors().rear:
                # The sheet that blocks the way is taken out by the cover.
                self.open_cover()
                while self.deliver() or self.keep_books() or self.obey():
                    pass
                self.take_inside()
                self.close_cover()
            elif self.station.name in {StateName.WAITING, StateName.CLOSED} and not self.take_front():
                if self.feeding or not self.polls_open or self.polls is Polls.CLOSED:
                    return
                self.wait(LIMITS.rest)
            else:
                self.take_front()
                self.wait(LIMITS.reconnect_most)
        raise AssertionError(f"no rest: {self.station.name} {self.station.phase} {self.station.reason} {self.station.detail}")

    def settle_full(self) -> None:
        """The same with a box that takes no more: the station stays closed, and whose sheet comes back takes it."""
        for _ in range(100):
            if self.deliver() or self.keep_books() or self.obey() or self.interpret() or self.move():
                continue
            if self.state == (StateName.CLOSED, StationReason.BOX_FULL):
                return
            self.take_front()
            self.wait(LIMITS.idle_poll)
        raise AssertionError(f"no rest: {self.station.name} {self.station.phase} {self.station.reason}")

    @property
    def boxed(self) -> int:
        return sum(paper.place == "box" for paper in self.papers)

    @property
    def state(self) -> tuple[StateName, str | None]:
        return self.station.name, self.station.reason
