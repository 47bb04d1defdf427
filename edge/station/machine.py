"""The station as a pure function: `step(station, event, now)` gives the next record of the station and what is to be done.

No clock, no files, no threads: `now` is milliseconds of a monotonic clock. The rules that hold everywhere are here; what an event
means in one state is in `at_rest` and `in_motion`. An event that is neither legal in the state nor the answer to a question that
was given up is a fault. It is never ignored.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from edge.evidence.store import Polls
from edge.station import at_rest, entries, in_motion
from edge.station.commands import Disconnect, Exit
from edge.station.entries import Step
from edge.station.events import (
    CastPressed,
    Connected,
    ConnectFailed,
    Event,
    EvidenceFailed,
    EvidenceRead,
    EvidenceTold,
    EvidenceTrouble,
    FromScanner,
    Interpreted,
    InterpreterFailed,
    PendingErased,
    PendingMarked,
    PendingWritten,
    PollsSet,
    PollsTurned,
    ReturnPressed,
    SensorsRead,
    SheetCommitted,
    StopRequested,
    Tick,
    VerbRefused,
)
from edge.station.state import Limits, Phase, StateName, Station, StationReason
from firmware_bridge.scanner import (
    AcceptPaused,
    AcceptResumed,
    CoverClosed,
    CoverOpened,
    DoubleFeedDetected,
    JamReported,
    ScanFailed,
    ScannerEvent,
    ScannerLost,
    ScannerTrouble,
    ScanStarted,
    SheetScanned,
    UnknownReport,
)

_AT_REST = frozenset(
    {
        StateName.STARTING,
        StateName.DISCONNECTED,
        StateName.COVER_OPEN,
        StateName.CLOSED,
        StateName.WAITING,
        StateName.JAMMED,
        StateName.FAULT,
    }
)
_REFUSED = frozenset({"storeFull", "sheetTooLarge"})
"""Codes of evidence that refuses this one sheet."""
_Handler = TypeVar("_Handler")
_EvidenceAnswer = EvidenceRead | PendingWritten | PendingMarked | SheetCommitted | PendingErased | PollsSet | EvidenceFailed


def start(limits: Limits, *, polls_open: bool, now: int) -> Step:
    """A station that has just been switched on, and its first command."""
    return entries.starting(Station(limits, polls_open=polls_open, since=now), now)


def step(station: Station, event: Event, now: int) -> Step:
    """What becomes of the station, and what is to be done.

    Args:
        station: Where it stands.
        event: What happened.
        now: Milliseconds of a monotonic clock, never before those of an earlier step.
    """
    if station.ended:
        return station, ()
    after, commands = _step(station, event, now)
    if after.stopping and after.phase not in {Phase.EVIDENCE, Phase.MOVING}:
        return replace(after, ended=True, connected=False), (*commands, Disconnect(), Exit())
    return after, commands


def _step(station: Station, event: Event, now: int) -> Step:
    match event:
        case Tick():
            return _tick(station, now)
        case FromScanner(session=session, report=report):
            return (station, ()) if session != station.session else _reported(station, report, now)
        case SensorsRead():
            return _sensed(station, event, now)
        case Interpreted() | InterpreterFailed():
            return _interpreted(station, event, now)
        case EvidenceTold() | EvidenceTrouble():
            return _evidence_aside(station, event, now)
        case Connected() | ConnectFailed() | VerbRefused():
            return _connection(station, event, now)
        case CastPressed() | ReturnPressed() | PollsTurned() | StopRequested():
            return _person(station, event, now)
        case _:
            return _evidence(station, event, now)


def _sensed(station: Station, event: SensorsRead, now: int) -> Step:
    if event.number != station.asked:
        return _stale(station, event.number, event, now)
    answered = replace(station, asked=None)
    return _rests(station, at_rest.on_sensors, in_motion.on_sensors)(answered, event.sensors, now)


def _rests(station: Station, resting: _Handler, moving: _Handler) -> _Handler:
    """The handler that the present state belongs to."""
    return resting if station.name in _AT_REST else moving


def _person(station: Station, event: CastPressed | ReturnPressed | PollsTurned | StopRequested, now: int) -> Step:
    match event:
        case CastPressed():
            return in_motion.on_cast(station, now)
        case ReturnPressed():
            return in_motion.on_return(station, now)
        case PollsTurned(is_open=is_open):
            return at_rest.polls_turned(replace(station, polls_open=is_open), now)
        case StopRequested():
            return replace(station, stopping=True), ()


def _tick(station: Station, now: int) -> Step:
    if station.deadline is not None and now >= station.deadline:
        if station.phase is Phase.EVIDENCE:
            return entries.fault(station, now, StationReason.EVIDENCE_SILENT, "the evidence did not answer")
        return _rests(station, at_rest.on_deadline, in_motion.on_deadline)(station, now)
    if station.poll_at is not None and now >= station.poll_at:
        return entries.ask(station, now)
    return station, ()


def _stale(station: Station, number: int, event: Event, now: int) -> Step:
    """The answer to a question that was given up changes nothing; an answer to no question is a fault."""
    return (station, ()) if number <= station.numbered else _unexpected(station, event, now)


def _unexpected(station: Station, event: object, now: int) -> Step:
    what = type(event).__name__
    return entries.fault(station, now, StationReason.UNEXPECTED_EVENT, f"{what} in {station.name} ({station.phase})")


def _connection(station: Station, event: Connected | ConnectFailed | VerbRefused, now: int) -> Step:
    if event.session != station.session:
        return station, ()
    match event:
        case VerbRefused():
            return entries.fault(station, now, event.code, event.detail)
        case ConnectFailed() if station.phase is Phase.CONNECTING:
            hint = f"{event.detail} {event.hint}".strip()
            return entries.disconnected(station, now, event.code, hint)
        case Connected() if station.phase is Phase.CONNECTING:
            there = replace(station, connected=True, scanner=event.identity, tries=0)
            return entries.asking(there, now, StateName.STARTING)
        case _:
            return _unexpected(station, event, now)


def _interpreted(station: Station, event: Interpreted | InterpreterFailed, now: int) -> Step:
    if station.name is not StateName.INTERPRETING or event.sheet != station.sheet:
        return _stale(station, event.sheet, event, now)
    if isinstance(event, Interpreted):
        return in_motion.on_interpreted(station, event.reading, now)
    return entries.returning(replace(station, detail=event.detail), now, StationReason.INTERPRETER_FAILED)


def _evidence(station: Station, event: _EvidenceAnswer, now: int) -> Step:
    if event.number != station.evidence:
        # A sheet that came in the moment of closing did not wait for the answer, but the polls are what it says.
        known = replace(station, books=event.books) if isinstance(event, PollsSet) else station
        return _stale(known, event.number, event, now)
    answered = replace(station, evidence=None)
    match event:
        case EvidenceFailed():
            return _evidence_failed(answered, event, now)
        case EvidenceRead():
            return at_rest.on_evidence_read(answered, event, now)
        case PendingWritten():
            return in_motion.on_pending_written(answered, now)
        case PendingMarked():
            return in_motion.on_marked(answered, now)
        case SheetCommitted():
            return in_motion.on_committed(answered, event, now)
        case PendingErased():
            return in_motion.on_erased(answered, event, now)
        case PollsSet():
            return at_rest.on_polls_set(answered, event.books, now)


def _evidence_failed(station: Station, event: EvidenceFailed, now: int) -> Step:
    """A sheet that could not be written down goes back; anything else stops the station until the evidence answers again."""
    writing = station.name is StateName.ACCEPTING and station.reading is not None and station.connected
    if writing and not station.doubtful and event.code in _REFUSED:
        refused = replace(station, detail=event.detail)
        return entries.returning(refused, now, StationReason.EVIDENCE_FAILED, (StationReason.EVIDENCE_FAILED, event.code))
    if station.name is StateName.CLOSED and event.code == "pollsClosed":
        return at_rest.on_polls_set(station, replace(station.books, polls=Polls.CLOSED), now)
    return entries.fault(station, now, StationReason.EVIDENCE_FAILED, f"{event.code}: {event.detail}")


def _evidence_aside(station: Station, event: EvidenceTold | EvidenceTrouble, now: int) -> Step:
    """What nobody waited for. Where no sheet is in hand a failure stops the station; otherwise the next need shows it."""
    if isinstance(event, EvidenceTold):
        return at_rest.on_told(station, event.books, now)
    if station.phase is Phase.EVIDENCE or station.name not in {StateName.WAITING, StateName.CLOSED}:
        return station, ()
    return entries.fault(station, now, StationReason.EVIDENCE_FAILED, f"{event.code}: {event.detail}")


def _reported(station: Station, report: ScannerEvent, now: int) -> Step:
    """What the scanner says by itself."""
    match report:
        case ScannerLost(code=code, detail=detail, hint=hint):
            return _lost(station, code, f"{detail} {hint}".strip(), now)
        case UnknownReport():
            return station, ()
        case ScannerTrouble(code=code):
            return _trouble(station, code, now)
        case JamReported():
            # The sensors decide; they are asked at once where that is allowed.
            return in_motion.ask_sooner(station, now)
        case CoverOpened():
            return _cover_opened(station, now)
        case CoverClosed():
            return at_rest.on_cover_closed(station, now)
        case _:
            return _paper_moved(station, report, now)


def _paper_moved(station: Station, report: ScannerEvent, now: int) -> Step:
    match report:
        case ScanStarted() if station.name in {StateName.WAITING, StateName.CLOSED}:
            return at_rest.on_scan_started(station, now)
        case SheetScanned() | ScanFailed() if _scan_may_end(station):
            return in_motion.on_scan_ended(station, report, now)
        case DoubleFeedDetected() if station.name is StateName.SCANNING:
            return in_motion.on_double_feed(station, now)
        case ScanStarted() | DoubleFeedDetected() if station.late_scan:
            return station, ()
        case SheetScanned() | ScanFailed() if station.late_scan:
            return replace(station, late_scan=False), ()
        case AcceptPaused() | AcceptResumed() if station.phase is Phase.CONNECTING:
            return station, ()
        case AcceptPaused() | AcceptResumed() if station.name in {StateName.ACCEPTING, StateName.JAMMED, StateName.WAITING}:
            return in_motion.on_front(station, now, blocked=isinstance(report, AcceptPaused))
        case _:
            return _unexpected(station, report, now)


def _scan_may_end(station: Station) -> bool:
    """The begin of a scan can be lost on the wire; its end is then the first that is heard of it."""
    if station.name is StateName.SCANNING:
        return station.phase is Phase.COLLECTING
    return station.name is StateName.WAITING and station.phase is Phase.FEEDING


def _lost(station: Station, code: str, detail: str, now: int) -> Step:
    if station.phase is not Phase.EVIDENCE:
        # A signal of acceptance that was cut short does not come again: it could be taken for another sheet's.
        return entries.disconnected(replace(station, accepted_until=0), now, code, detail)
    # The evidence is asked to the end; its answer finds no scanner and goes on from there.
    noted = entries.with_cause(station, code)
    return replace(noted, connected=False, feeding=False, session=0, scanner=None), (Disconnect(),)


def _cover_opened(station: Station, now: int) -> Step:
    if station.phase is Phase.CONNECTING:
        # The sensors are the first thing that is asked; whether a hand was inside since, they cannot say.
        return replace(station, doubtful=station.doubtful or station.pending is not None), ()
    if station.phase is Phase.EVIDENCE:
        # The sensors will show it as soon as the evidence has answered.
        doubtful = station.pending is not None and station.name is StateName.ACCEPTING and station.reading is not None
        return replace(station, doubtful=station.doubtful or doubtful), ()
    if station.name is StateName.HOLDING and station.reason == StationReason.SHEET_WHEREABOUTS:
        return station, ()
    return at_rest.on_cover_opened(station, now)


def _trouble(station: Station, code: str, now: int) -> Step:
    """A command that the scanner did not understand is given again, a few times; it was not carried out."""
    if code != "commandGarbled":
        return station, ()
    tries_left = station.motions < station.limits.motion_tries
    match station.name, station.phase:
        case StateName.WAITING, Phase.FEEDING:
            return entries.asking(replace(station, rest_until=now + station.limits.rest), now, StateName.WAITING)
        case StateName.ACCEPTING, Phase.MOVING if tries_left:
            return entries.into_box(station, now)
        case StateName.RETURNING, Phase.MOVING if tries_left:
            return entries.back_to_front((station, ()), now)
        case _:
            return station, ()
