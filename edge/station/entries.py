"""How each state is entered: what it waits for, until when, and what is commanded on the way in.

Everything here is pure. A `Step` is the next record of the station and the commands that belong to it, in order.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypedDict, Unpack

from edge.evidence.reading import SheetReading
from edge.evidence.store import PendingStage, Polls
from edge.station.commands import (
    AcceptSheet,
    AskSensors,
    Command,
    CommitSheet,
    Connect,
    Disconnect,
    ErasePending,
    Interpret,
    KeepReturned,
    MarkPending,
    OpenPolls,
    PausePolls,
    ReadEvidence,
    ReturnSheet,
    StartFeeding,
    StopFeeding,
    WritePending,
)
from edge.station.state import LastSheet, Phase, StateName, Station, StationReason
from firmware_bridge.scanner import Sensors, SheetImages

Step = tuple[Station, tuple[Command, ...]]

_WITH_SHEET = frozenset({StateName.SCANNING, StateName.INTERPRETING, StateName.HOLDING, StateName.ACCEPTING, StateName.RETURNING})
_LONGEST_DOUBLING = 16
_MOST_DETAILS = 20


class _Changes(TypedDict, total=False):
    """Fields of the station that an entry may set beside the state itself."""

    deadline: int | None
    poll_at: int | None
    evidence: int | None
    detail: str
    feeding: bool
    late_scan: bool
    tries: int
    faults: int
    motions: int
    rolling_out: bool
    doubtful: bool
    cause: str | None
    sheet: int | None
    images: SheetImages | None
    reading: SheetReading | None
    last_sheet: LastSheet
    accepted_until: int
    rest_until: int


def in_path(sensors: Sensors) -> bool:
    """Whether a sheet is between the mouth and the box; one that only lies in the mouth is not."""
    return sensors.rear or (sensors.sheet_inside and not sensors.front)


def enter(
    station: Station, now: int, name: StateName, phase: Phase, reason: str | None = None, **changes: Unpack[_Changes]
) -> Step:
    """Go to a state, or to another phase of the same. Times and questions of the old one are forgotten; the feeder goes off."""
    moved = name is not station.name or reason != station.reason
    stop = station.feeding and station.connected and phase not in {Phase.FEEDING, Phase.COLLECTING}
    fresh: dict[str, Any] = {
        "deadline": None,
        "poll_at": None,
        "asked": None,
        "evidence": None,
        "detail": "",
        "motions": 0,
        "seen_clear": False,
        "rolling_out": False,
    }
    if moved:
        fresh["since"] = now
    if stop:
        # A scan may have begun that nobody waits for any more; what is still heard of it is not unexpected.
        fresh |= {"feeding": False, "late_scan": True}
    entered = replace(station, **{**fresh, **changes, "name": name, "phase": phase, "reason": reason})
    return entered, (StopFeeding(),) if stop else ()


def numbered(station: Station) -> tuple[Station, int]:
    """Give the next number, of which each is used once."""
    number = station.numbered + 1
    return replace(station, numbered=number), number


def ask(station: Station, now: int) -> Step:
    """Ask the sensors within the same state and phase."""
    station, number = numbered(station)
    deadline = station.deadline
    # While something moves, its own limit counts; while paper at the front keeps it from moving, the driver's.
    if deadline is None and station.reason != StationReason.FRONT_BLOCKED:
        deadline = now + station.limits.sensors
    return replace(station, asked=number, poll_at=None, deadline=deadline), (AskSensors(number),)


def asking(station: Station, now: int, name: StateName, reason: str | None = None, **changes: Unpack[_Changes]) -> Step:
    """Go to a state whose first question is where the paper is."""
    entered, commands = enter(station, now, name, Phase.ASKING, reason, **changes)
    entered, more = ask(entered, now)
    return entered, (*commands, *more)


_Asked = ReadEvidence | CommitSheet | ErasePending | OpenPolls | PausePolls


def _with_evidence(step: Step, now: int, make: type[_Asked]) -> Step:
    station, number = numbered(step[0])
    limit = station.limits.opening if make is ReadEvidence else station.limits.evidence
    station = replace(station, evidence=number, deadline=now + limit)
    return station, (*step[1], make(number))


def starting(station: Station, now: int) -> Step:
    """Read the evidence, before anything moves."""
    return _with_evidence(enter(station, now, StateName.STARTING, Phase.EVIDENCE, station.reason), now, ReadEvidence)


def connecting(station: Station, now: int) -> Step:
    """Look for the scanner."""
    name = StateName.STARTING if station.name is StateName.STARTING else StateName.DISCONNECTED
    # A scan may be under way that began before the connection was lost.
    entered, commands = enter(station, now, name, Phase.CONNECTING, station.reason, detail=station.detail, late_scan=True)
    entered, number = numbered(entered)
    entered = replace(entered, session=number, deadline=now + entered.limits.connect)
    return entered, (*commands, Connect(number))


def disconnected(station: Station, now: int, code: str, detail: str) -> Step:
    """Wait a while, longer every time, then look for the scanner again, for ever."""
    pause = min(station.limits.reconnect_first << min(station.tries, _LONGEST_DOUBLING), station.limits.reconnect_most)
    off = cut_off(station, code)
    entered, _ = enter(
        off, now, StateName.DISCONNECTED, Phase.PAUSING, code, detail=detail, deadline=now + pause, tries=station.tries + 1
    )
    return _unmoved(station, (entered, (Disconnect(),)))


def _unmoved(before: Station, step: Step) -> Step:
    """A sheet that was written down but not yet moved is not in the box, even if it is missed later: make that durable."""
    waited = before.name is StateName.ACCEPTING and before.phase in {Phase.EVIDENCE, Phase.ASKING}
    if waited and before.pending is PendingStage.ACCEPTING and before.reading is not None:
        return _marking(step, PendingStage.RETURNING)
    return step


def cut_off(station: Station, cause: str) -> Station:
    """The same station without its scanner; a sheet that was in the path keeps the first cause of its trouble."""
    return replace(
        with_cause(station, cause),
        connected=False,
        feeding=False,
        late_scan=False,
        session=0,
        scanner=None,
        sheet=None,
        images=None,
        reading=None,
    )


def with_cause(station: Station, cause: str) -> Station:
    """Note why a sheet in the path will have to go back, unless something is noted already."""
    if station.name not in _WITH_SHEET or station.cause is not None:
        return station
    # While a person decides, the reason says only that.
    return replace(station, cause=cause if station.name is StateName.HOLDING else station.reason or cause)


def fault(station: Station, now: int, reason: str, detail: str) -> Step:
    """Let go of the scanner, show the fault for a while, then start over from the evidence and the sensors."""
    limits = station.limits
    pause = min(limits.fault_pause << min(station.faults, _LONGEST_DOUBLING), max(limits.fault_pause, limits.reconnect_most))
    off = cut_off(station, reason)
    entered, _ = enter(
        off, now, StateName.FAULT, Phase.PAUSING, reason, detail=detail, deadline=now + pause, faults=station.faults + 1
    )
    return _unmoved(station, (entered, (Disconnect(),)))


def cover_open(station: Station, now: int) -> Step:
    """Wait for the cover. Whoever opens it can take a sheet out, so one on its way into the box is in doubt from here on."""
    noted = with_cause(station, StationReason.COVER_OPENED)
    cleared = replace(noted, sheet=None, images=None, reading=None, accepted_until=0)
    return _watching(_in_doubt(cleared), now, StateName.COVER_OPEN, None)


def jammed(station: Station, now: int, reason: str) -> Step:
    """Wait until the path is clear."""
    cleared = replace(with_cause(station, reason), sheet=None, images=None, reading=None, accepted_until=0)
    if reason == StationReason.JAM:
        cleared = _in_doubt(cleared)
    return _watching(cleared, now, StateName.JAMMED, reason)


def _in_doubt(station: Station) -> Station:
    return station if station.pending is None else replace(station, doubtful=True)


def _watching(station: Station, now: int, name: StateName, reason: str | None) -> Step:
    """Look at the sensors now and then; make a doubt durable, so that a power cut does not answer it."""
    entered, commands = enter(station, now, name, Phase.WATCHING, reason, poll_at=now + station.limits.idle_poll)
    return _doubt_noted((entered, commands))


def at_rest(station: Station, now: int) -> Step:
    """No sheet is in hand: wait for the next one, or stay closed."""
    clear = replace(station, cause=None, doubtful=False, sheet=None, images=None, reading=None)
    polls = station.books.polls
    if station.polls_open and polls is Polls.CLOSED:
        return enter(clear, now, StateName.CLOSED, Phase.PERSON, StationReason.POLLS_CLOSED_FOR_GOOD)
    if station.polls_open is not (polls is Polls.OPEN):
        return polls_in_evidence(clear, now)
    if station.polls_open and station.books.room == 0:
        return enter(clear, now, StateName.CLOSED, Phase.PERSON, StationReason.BOX_FULL)
    if station.polls_open:
        return asking(clear, now, StateName.WAITING)
    return enter(clear, now, StateName.CLOSED, Phase.PERSON)


def polls_in_evidence(station: Station, now: int) -> Step:
    """The evidence learns that the polls are open, or not, before a sheet can."""
    make = OpenPolls if station.polls_open else PausePolls
    return _with_evidence(enter(station, now, StateName.CLOSED, Phase.EVIDENCE), now, make)


def feeding(station: Station, now: int) -> Step:
    """Take the next sheet. Nothing is sent until one comes, except for a look at a scanner that was silent for very long."""
    if now < station.rest_until:
        return enter(station, now, StateName.WAITING, Phase.RESTING, station.reason, deadline=station.rest_until)
    entered, commands = enter(
        station,
        now,
        StateName.WAITING,
        Phase.FEEDING,
        station.reason,
        deadline=now + station.limits.health_check,
        feeding=True,
        late_scan=False,
    )
    return entered, (*commands, StartFeeding())


def scanning(station: Station, now: int, reason: str | None) -> Step:
    """A sheet has been taken; with a reason it is known already that it goes back."""
    return enter(
        station,
        now,
        StateName.SCANNING,
        Phase.COLLECTING,
        reason,
        deadline=now + station.limits.scan,
        faults=0,
        accepted_until=0,
        last_sheet=LastSheet("scanning"),
    )


def interpreting(station: Station, now: int, images: SheetImages) -> Step:
    """Read the sheet."""
    entered, commands = enter(
        station, now, StateName.INTERPRETING, Phase.READING, deadline=now + station.limits.interpret, images=None
    )
    entered, number = numbered(entered)
    return replace(entered, sheet=number), (*commands, Interpret(number, images))


def holding(station: Station, now: int, reading: SheetReading) -> Step:
    """A person must decide about a sheet."""
    entered, commands = enter(
        station,
        now,
        StateName.HOLDING,
        Phase.PERSON,
        StationReason.PERSON_DECIDES,
        deadline=now + station.limits.hold,
        poll_at=now + station.limits.idle_poll,
        reading=reading,
        last_sheet=LastSheet("held", reason_codes(reading), _details(reading)),
    )
    return entered, commands


def whereabouts(station: Station, now: int) -> Step:
    """A person must say where a sheet went. There is no time limit: either guess could be wrong."""
    entered, commands = enter(
        station, now, StateName.HOLDING, Phase.PERSON, StationReason.SHEET_WHEREABOUTS, doubtful=True, evidence=station.evidence
    )
    return _doubt_noted((entered, commands))


def accepting(station: Station, now: int, reading: SheetReading) -> Step:
    """Make the sheet durable as pending, before anything moves."""
    entered, commands = enter(
        station, now, StateName.ACCEPTING, Phase.EVIDENCE, reading=reading, doubtful=False, cause=None, sheet=None
    )
    entered, number = numbered(entered)
    # From the moment the command is given the sheet may be in the evidence.
    entered = replace(entered, evidence=number, pending=PendingStage.ACCEPTING, deadline=now + entered.limits.evidence)
    return entered, (*commands, WritePending(number, reading))


def into_box(station: Station, now: int) -> Step:
    """The evidence is written and the sheet is in its place: move it."""
    entered, commands = enter(
        station, now, StateName.ACCEPTING, Phase.MOVING, deadline=now + station.limits.accept, motions=station.motions + 1
    )
    entered, more = ask(entered, now)
    return entered, (*commands, AcceptSheet(), *more)


def rolling_out(station: Station, now: int, reason: str) -> Step:
    """A sheet that was on its way into the box is still in the path; rollers that were told to accept it may still turn.

    They could have it in the box before they hear of a return: they are given the time of a motion first.
    """
    return enter(
        station,
        now,
        StateName.ACCEPTING,
        Phase.MOVING,
        reason,
        deadline=now + station.limits.accept + station.limits.sensors,
        poll_at=now + station.limits.poll,
        motions=station.limits.motion_tries,
        rolling_out=True,
    )


def committing(station: Station, now: int) -> Step:
    """The sheet is past recovery: count it, whatever else happens."""
    entered = enter(station, now, StateName.ACCEPTING, Phase.EVIDENCE, station.reason, reading=None)
    return _with_evidence(entered, now, CommitSheet)


def erasing(station: Station, now: int) -> Step:
    """The sheet is at the front, or in somebody's hand: forget it."""
    name = StateName.RETURNING
    return _with_evidence(enter(station, now, name, Phase.EVIDENCE, station.reason), now, ErasePending)


def returning(station: Station, now: int, reason: str, codes: tuple[str, ...] = ()) -> Step:
    """Send the sheet back. If the evidence knows it, the evidence first learns what is about to happen."""
    last = LastSheet("returned", codes or (reason,))
    phase = Phase.MOVING if station.pending is None else Phase.EVIDENCE
    cleared = replace(station, last_sheet=last, images=None, sheet=None, reading=None, cause=None, accepted_until=0)
    entered, commands = enter(cleared, now, StateName.RETURNING, phase, reason)
    if station.pending is None:
        return back_to_front((entered, commands), now)
    return _marking((replace(entered, deadline=now + entered.limits.evidence), commands), PendingStage.RETURNING)


def rejected(station: Station, now: int, reading: SheetReading) -> Step:
    """Send a sheet back that cannot be read or is not ours; the evidence keeps what that was decided on."""
    codes = reason_codes(reading)
    after, commands = returning(station, now, codes[0] if codes else StationReason.INTERPRETER_FAILED, codes)
    return after, (KeepReturned(reading), *commands)


def back_to_front(step: Step, now: int) -> Step:
    """Begin the motion to the front."""
    station, before = step
    entered, commands = enter(
        station,
        now,
        StateName.RETURNING,
        Phase.MOVING,
        station.reason,
        deadline=now + station.limits.turn_back,
        motions=station.motions + 1,
        # The motion needs the feeder for a moment, and the feeder may take a sheet that only lies at the front.
        late_scan=True,
    )
    entered, more = ask(entered, now)
    return entered, (*before, *commands, ReturnSheet(), *more)


def returned(station: Station, now: int, reason: str) -> Step:
    """Paper lies at the front; its owner must take it."""
    return enter(
        replace(station, cause=None, doubtful=False),
        now,
        StateName.RETURNED,
        Phase.PERSON,
        reason,
        poll_at=now + station.limits.poll,
    )


def settle(station: Station, now: int, sensors: Sensors) -> Step:
    """Decide from the sensors and the evidence where things stand: at start, after a jam, a fault or an open cover."""
    reason = station.cause or StationReason.PAPER_INSIDE
    if sensors.cover_open:
        return cover_open(station, now)
    if sensors.jammed:
        return jammed(station, now, StationReason.JAM)
    if in_path(sensors):
        onward = station.pending in {PendingStage.ACCEPTING, PendingStage.DOUBTFUL}
        return rolling_out(station, now, reason) if onward else returning(station, now, reason)
    if station.pending is None:
        return returned(station, now, station.cause or StationReason.PAPER_IN_FRONT) if sensors.front else at_rest(station, now)
    if station.doubtful:
        return whereabouts(station, now)
    if station.pending is PendingStage.ACCEPTING:
        return committing(station, now)
    return erasing(replace(station, reason=reason), now)


def reason_codes(reading: SheetReading) -> tuple[str, ...]:
    """The codes of a disposition's reasons, each once, in order."""
    return tuple(dict.fromkeys(str(reason.code) for reason in reading.disposition.reasons))


def _details(reading: SheetReading) -> tuple[str, ...]:
    """What the reasons of a tally sheet are about; of a ballot nothing is told."""
    reasons = reading.disposition.reasons if reading.tally else ()
    return tuple(f"{reason.code}: {reason.detail}" for reason in reasons if reason.detail is not None)[:_MOST_DETAILS]


def _doubt_noted(step: Step) -> Step:
    """Make a doubt durable; nothing waits for it, since the next evidence command comes after it anyway."""
    if step[0].pending is PendingStage.DOUBTFUL or not (step[0].pending and step[0].doubtful):
        return step
    return _marking(step, PendingStage.DOUBTFUL)


def _marking(step: Step, stage: PendingStage) -> Step:
    station, number = numbered(step[0])
    return replace(station, evidence=number, pending=stage), (*step[1], MarkPending(number, stage))
