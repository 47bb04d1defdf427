"""Where a station stands: the named states, and the one record that `edge.station.machine.step` turns into the next one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from edge.evidence.reading import SheetReading
from edge.evidence.store import Books, PendingStage
from edge.station.signals import Signal
from firmware_bridge.scanner import ScannerIdentity, SheetImages

_NO_BOOKS = Books()


class StateName(StrEnum):
    """What a technician is told the station is doing."""

    STARTING = "starting"
    DISCONNECTED = "disconnected"
    COVER_OPEN = "cover_open"
    CLOSED = "closed"
    WAITING = "waiting"
    SCANNING = "scanning"
    INTERPRETING = "interpreting"
    HOLDING = "holding"
    ACCEPTING = "accepting"
    RETURNING = "returning"
    RETURNED = "returned"
    JAMMED = "jammed"
    FAULT = "fault"


class Phase(StrEnum):
    """What a state waits for at the moment."""

    EVIDENCE = "evidence"
    """An answer from the evidence. Until it is there nothing moves, and what the scanner reports is only noted."""
    CONNECTING = "connecting"
    PAUSING = "pausing"
    """The time of the next try."""
    ASKING = "asking"
    """The sensors, before anything is decided."""
    RESTING = "resting"
    """The scanner's rest between two sheets."""
    FEEDING = "feeding"
    """Paper. The scanner is left in silence."""
    COLLECTING = "collecting"
    """The end of the scan."""
    READING = "reading"
    """The interpreter."""
    PERSON = "person"
    """A button, or paper being taken away."""
    MOVING = "moving"
    """The sensors to show that the sheet has arrived."""
    WATCHING = "watching"
    """The sensors to show another picture."""


class StationReason(StrEnum):
    """Why the station is where it is, where neither the scanner's nor the interpreter's codes say it."""

    COVER_OPENED = "coverOpened"
    DOUBLE_FEED = "doubleFeed"
    SCAN_JAM = "scanJam"
    SCAN_TIMED_OUT = "scanTimedOut"
    SHEET_WITHDRAWN = "sheetWithdrawn"
    INTERPRETER_FAILED = "interpreterFailed"
    INTERPRETER_TIMED_OUT = "interpreterTimedOut"
    PERSON_DECIDES = "personDecides"
    PERSON_RETURNED = "personReturned"
    HOLD_TIMED_OUT = "holdTimedOut"
    SHEET_WHEREABOUTS = "sheetWhereabouts"
    FRONT_BLOCKED = "frontBlocked"
    PAPER_INSIDE = "paperInside"
    PAPER_IN_FRONT = "paperInFront"
    POLLS_CLOSED = "pollsClosed"
    POLLS_CLOSED_FOR_GOOD = "pollsClosedForGood"
    BOX_FULL = "boxFull"
    EVIDENCE_FAILED = "evidenceFailed"
    EVIDENCE_SILENT = "evidenceSilent"
    JAM = "jam"
    OUTFEED_BLOCKED = "outfeedBlocked"
    ACCEPT_TIMED_OUT = "acceptTimedOut"
    RETURN_TIMED_OUT = "returnTimedOut"
    SENSORS_SILENT = "sensorsSilent"
    UNEXPECTED_EVENT = "unexpectedEvent"


@dataclass(frozen=True, slots=True)
class Limits:
    """How long the station waits for what; all in milliseconds.

    Attributes:
        rest: From the end of one scan to the start of the next. The scanner overheats with less than two seconds.
        scan: For a scan to end.
        interpret: For the interpreter.
        hold: For a person to decide about a held sheet.
        accept: For a sheet to reach the box.
        turn_back: For a sheet to reach the front.
        poll: Between two looks at the sensors while paper moves.
        idle_poll: The same while a person is to do something.
        sensors: For the sensors to be read; longer than the driver's own limit.
        evidence: For the evidence to answer.
        opening: For it to be opened, when a ballot box may have to be made or copied first.
        connect: For the driver to reach the scanner or give up; longer than the driver's own limits.
        health_check: Longest silence towards a scanner that waits for paper; then it is asked how it is.
        reconnect_first: Before the second try to reach the scanner; doubles with every try.
        reconnect_most: Longest such pause.
        fault_pause: Shortest time that a fault is shown before the station starts over.
        accepted_signal: How long acceptance is signalled.
        motion_tries: How often a motion is asked for that the scanner did not understand; a count, not a time.
    """

    rest: int = 2_000
    scan: int = 10_000
    interpret: int = 10_000
    hold: int = 120_000
    accept: int = 5_000
    turn_back: int = 5_000
    poll: int = 100
    idle_poll: int = 500
    sensors: int = 10_000
    evidence: int = 30_000
    opening: int = 3_600_000
    connect: int = 60_000
    health_check: int = 300_000
    reconnect_first: int = 500
    reconnect_most: int = 10_000
    fault_pause: int = 1_000
    accepted_signal: int = 2_000
    motion_tries: int = 3


@dataclass(frozen=True, slots=True)
class LastSheet:
    """What became of the latest sheet: scanning, accepted, returned or held, and the codes of the reasons.

    `details`: for a held tally sheet, which carries no voter, what each reason is about.
    """

    outcome: str
    reasons: tuple[str, ...] = ()
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Station:
    """All that the state machine knows.

    Attributes:
        limits: How long it waits for what.
        name: The state.
        phase: What the state waits for.
        reason: Code of why it is so; None when nothing is out of order.
        detail: What more there is to say, for the technician.
        since: When the state was entered, in ms of a monotonic clock, as all times here.
        deadline: When the wait is over; None where the state polls or a person is awaited.
        poll_at: When to ask the sensors next.
        asked: Number of the question to the sensors that is not yet answered.
        numbered: The last number given to a question, a session, an evidence command or a sheet.
        evidence: Number of the evidence command that is not yet answered.
        session: Number of the connection to the scanner.
        connected: Whether there is one.
        scanner: Who the scanner is, when connected.
        feeding: Whether the scanner was told to take paper.
        late_scan: Whether something may still be heard of a scan that was given up.
        tries: Failed tries to reach the scanner in a row.
        faults: Faults since a sheet was last taken.
        motions: How often the present motion was asked for.
        rolling_out: Whether the motion into the box is not one that was commanded just now, but may still go on from before.
        seen_clear: Whether the sensors have shown the way into the box clear once.
        polls_open: Whether sheets may be taken.
        stopping: Whether the station ends as soon as no sheet moves.
        ended: Whether it has ended; nothing counts any more.
        books: What the evidence holds, as far as it has told.
        pending: How far the evidence has, or may have, a sheet on its way into the box; None when it has none.
        doubtful: Whether a pending sheet can have left the path by another way than the last motion's.
        cause: First cause of what befell the sheet in the path; it outlives what follows from it.
        sheet: Number of the sheet being read.
        images: The sheet as scanned, until it is read.
        reading: The sheet as read, while it is decided or moves.
        last_sheet: What became of the latest sheet.
        accepted_until: Until when acceptance is signalled.
        rest_until: Until when the scanner rests.
    """

    limits: Limits
    name: StateName = StateName.STARTING
    phase: Phase = Phase.EVIDENCE
    reason: str | None = None
    detail: str = ""
    since: int = 0
    deadline: int | None = None
    poll_at: int | None = None
    asked: int | None = None
    numbered: int = 0
    evidence: int | None = None
    session: int = 0
    connected: bool = False
    scanner: ScannerIdentity | None = None
    feeding: bool = False
    late_scan: bool = False
    tries: int = 0
    faults: int = 0
    motions: int = 0
    rolling_out: bool = False
    seen_clear: bool = False
    polls_open: bool = False
    stopping: bool = False
    ended: bool = False
    books: Books = _NO_BOOKS
    pending: PendingStage | None = None
    doubtful: bool = False
    cause: str | None = None
    sheet: int | None = None
    images: SheetImages | None = None
    reading: SheetReading | None = None
    last_sheet: LastSheet | None = None
    accepted_until: int = 0
    rest_until: int = 0

    @property
    def count(self) -> int:
        """Sheets in the box by the evidence."""
        return self.books.count


def next_wake(station: Station, now: int) -> int | None:
    """When a Tick is due, in ms; None when only an event can change anything."""
    times = [time for time in (station.deadline, station.poll_at) if time is not None]
    if station.accepted_until > now:
        times.append(station.accepted_until)
    return min(times, default=None)


_SIGNALS = {
    StateName.STARTING: Signal.STARTING,
    StateName.DISCONNECTED: Signal.DISCONNECTED,
    StateName.COVER_OPEN: Signal.COVER_OPEN,
    StateName.CLOSED: Signal.CLOSED,
    StateName.WAITING: Signal.READY,
    StateName.SCANNING: Signal.READING,
    StateName.INTERPRETING: Signal.READING,
    StateName.HOLDING: Signal.REVIEW,
    StateName.ACCEPTING: Signal.ACCEPTING,
    StateName.RETURNING: Signal.RETURNING,
    StateName.RETURNED: Signal.RETURNED,
    StateName.JAMMED: Signal.JAMMED,
    StateName.FAULT: Signal.FAULT,
}


def signal_of(station: Station, now: int) -> Signal:
    """What the lamps and the buzzer say."""
    if station.name in {StateName.WAITING, StateName.CLOSED} and now < station.accepted_until:
        return Signal.ACCEPTED
    if station.name is StateName.HOLDING and station.reason == StationReason.SHEET_WHEREABOUTS:
        return Signal.WHEREABOUTS
    if station.reason == StationReason.FRONT_BLOCKED:
        return Signal.JAMMED
    if station.books.alarms and station.name in {StateName.WAITING, StateName.CLOSED}:
        return Signal.READY_ALARM if station.name is StateName.WAITING else Signal.CLOSED_ALARM
    return _SIGNALS[station.name]
