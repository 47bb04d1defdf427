"""What happens while no sheet is being processed: starting, disconnected, cover_open, closed, waiting, jammed, fault."""

from __future__ import annotations

from dataclasses import replace

from edge.evidence.store import Books, PendingStage, Polls
from edge.station import entries
from edge.station.entries import Step
from edge.station.events import EvidenceRead
from edge.station.state import LastSheet, Phase, StateName, Station, StationReason
from firmware_bridge.scanner import Sensors


def on_evidence_read(station: Station, event: EvidenceRead, now: int) -> Step:
    """The books are open; now the scanner."""
    doubtful = station.doubtful or event.books.pending is PendingStage.DOUBTFUL
    pending = event.books.pending
    known = replace(station, books=event.books, pending=pending, doubtful=doubtful and pending is not None)
    return entries.connecting(known, now)


def on_deadline(station: Station, now: int) -> Step:
    """A wait is over."""
    match station.name, station.phase:
        case StateName.FAULT, _:
            return entries.starting(station, now)
        case _, Phase.PAUSING:
            return entries.connecting(station, now)
        case StateName.WAITING, Phase.RESTING:
            return entries.feeding(station, now)
        case StateName.WAITING, Phase.FEEDING:
            return entries.asking(station, now, StateName.WAITING, faults=0)
        case _, Phase.CONNECTING:
            return entries.fault(station, now, StationReason.SENSORS_SILENT, "the driver neither reached the scanner nor gave up")
        case _:
            return entries.fault(station, now, StationReason.SENSORS_SILENT, "the scanner did not say what its sensors see")


def on_sensors(station: Station, sensors: Sensors, now: int) -> Step:
    """The sensors were read in one of these states."""
    match station.name:
        case StateName.WAITING:
            return _before_feeding(station, sensors, now)
        case StateName.COVER_OPEN:
            return _watch(station, now) if sensors.cover_open else entries.settle(station, now, sensors)
        case StateName.JAMMED:
            return _while_jammed(station, sensors, now)
        case _:
            return entries.settle(station, now, sensors)


def _before_feeding(station: Station, sensors: Sensors, now: int) -> Step:
    """Paper in the mouth is welcome; anything further in is not."""
    if sensors.cover_open:
        return entries.cover_open(station, now)
    if sensors.jammed:
        return entries.jammed(station, now, StationReason.JAM)
    if sensors.rear:
        return entries.jammed(station, now, StationReason.OUTFEED_BLOCKED)
    if entries.in_path(sensors):
        return entries.returning(station, now, StationReason.PAPER_INSIDE)
    return entries.feeding(station, now)


def _while_jammed(station: Station, sensors: Sensors, now: int) -> Step:
    if sensors.cover_open:
        return entries.cover_open(station, now)
    if sensors.jammed or entries.in_path(sensors):
        return _watch(station, now)
    return entries.settle(station, now, sensors)


def _watch(station: Station, now: int) -> Step:
    """Look again later."""
    return replace(station, asked=None, deadline=None, poll_at=now + station.limits.idle_poll), ()


def on_cover_opened(station: Station, now: int) -> Step:
    """The cover was opened while no sheet was being processed."""
    if station.name is StateName.COVER_OPEN:
        return station, ()
    return entries.cover_open(station, now)


def on_cover_closed(station: Station, now: int) -> Step:
    """Only the sensors are believed; they are asked at once."""
    if station.name in {StateName.COVER_OPEN, StateName.JAMMED} and station.asked is None:
        return entries.ask(station, now)
    return station, ()


def on_scan_started(station: Station, now: int) -> Step:
    """Paper was taken, perhaps in the very moment in which the polls were closed: then it goes back."""
    return entries.scanning(station, now, StationReason.POLLS_CLOSED if station.name is StateName.CLOSED else None)


def polls_turned(station: Station, now: int) -> Step:
    """Open or close, where no sheet is in hand; otherwise the sheet is finished first, and so is a turn being written down."""
    if station.phase is Phase.EVIDENCE:
        return station, ()
    if station.name is StateName.WAITING and not station.polls_open:
        return entries.at_rest(station, now)
    if station.name is StateName.CLOSED and station.polls_open:
        return entries.at_rest(station, now)
    return station, ()


def on_polls_set(station: Station, books: Books, now: int) -> Step:
    """The evidence knows whether the polls are open."""
    known = replace(station, books=books)
    if not station.connected:
        return entries.disconnected(known, now, "scannerDisconnected", "lost while the polls were opened or closed")
    return entries.at_rest(known, now)


def on_told(station: Station, books: Books, now: int) -> Step:
    """The evidence told what it holds; room that is gone, or is there again, changes whether sheets are taken."""
    known = replace(station, books=books)
    full = station.name is StateName.CLOSED and station.reason == StationReason.BOX_FULL
    takes_none = books.room == 0 or books.polls is not Polls.OPEN
    if (full and books.room > 0) or (station.name is StateName.WAITING and takes_none):
        return entries.at_rest(known, now)
    return known, ()


def withdrawn(station: Station, now: int) -> Step:
    """Nobody's sheet is in the scanner any more."""
    last = LastSheet("returned", (StationReason.SHEET_WITHDRAWN,))
    return entries.at_rest(replace(station, last_sheet=last), now)
