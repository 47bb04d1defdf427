"""What happens to a sheet: scanning, interpreting, holding, accepting, returning, returned."""

from __future__ import annotations

from dataclasses import replace

from edge.evidence.reading import SheetReading
from edge.station import entries
from edge.station.at_rest import withdrawn
from edge.station.entries import Step
from edge.station.events import PendingErased, SheetCommitted
from edge.station.state import LastSheet, Phase, StateName, Station, StationReason
from firmware_bridge.scanner import ScanFailed, Sensors, SheetScanned


def on_scan_ended(station: Station, report: SheetScanned | ScanFailed, now: int) -> Step:
    """The driver has stopped the feeder. Before anything else: where is the sheet?"""
    images = report.images if isinstance(report, SheetScanned) else None
    failed = report.code if isinstance(report, ScanFailed) else None
    # The first cause stands: a double feed also spoils the images.
    reason = station.reason if station.name is StateName.SCANNING and station.reason else failed
    return entries.asking(
        replace(station, feeding=False, late_scan=False),
        now,
        StateName.SCANNING,
        reason,
        images=None if reason else images,
        rest_until=now + station.limits.rest,
        last_sheet=LastSheet("scanning"),
    )


def on_double_feed(station: Station, now: int) -> Step:
    """Two sheets at once are never read; the end of the scan is still awaited."""
    reason = station.reason or StationReason.DOUBLE_FEED
    return replace(station, reason=reason, images=None, since=now), ()


def on_deadline(station: Station, now: int) -> Step:
    """A wait is over."""
    match station.name, station.phase:
        case StateName.SCANNING, Phase.COLLECTING:
            late = station.reason or StationReason.SCAN_TIMED_OUT
            return entries.asking(station, now, StateName.SCANNING, late, rest_until=now + station.limits.rest)
        case StateName.INTERPRETING, _:
            return entries.returning(station, now, StationReason.INTERPRETER_TIMED_OUT)
        case StateName.HOLDING, _:
            return _given_back(station, now, StationReason.HOLD_TIMED_OUT)
        case StateName.ACCEPTING, Phase.MOVING if not station.rolling_out:
            return entries.jammed(station, now, StationReason.ACCEPT_TIMED_OUT)
        case StateName.RETURNING, Phase.MOVING:
            return entries.jammed(station, now, StationReason.RETURN_TIMED_OUT)
        case _:
            return entries.fault(station, now, StationReason.SENSORS_SILENT, "the scanner did not say what its sensors see")


def on_sensors(station: Station, sensors: Sensors, now: int) -> Step:
    """The sensors were read in one of these states."""
    match station.name:
        case StateName.SCANNING:
            return _after_scan(station, sensors, now)
        case StateName.HOLDING:
            return _while_held(station, sensors, now)
        case StateName.ACCEPTING if station.phase is Phase.ASKING:
            return _before_accepting(station, sensors, now)
        case StateName.ACCEPTING:
            return _towards_box(station, sensors, now)
        case StateName.RETURNING if station.phase is Phase.MOVING:
            return _towards_front(station, sensors, now)
        case StateName.RETURNED:
            return _at_front(station, sensors, now)
        case _:
            return entries.settle(station, now, sensors)


def _after_scan(station: Station, sensors: Sensors, now: int) -> Step:
    if sensors.cover_open:
        return entries.cover_open(station, now)
    if sensors.jammed:
        station = replace(station, reason=station.reason or StationReason.SCAN_JAM)
    elif station.images is not None and sensors.rear:
        return entries.interpreting(station, now, station.images)
    reason = station.reason or StationReason.SHEET_WITHDRAWN
    if sensors.rear or sensors.sheet_inside:
        return entries.returning(station, now, reason)
    if sensors.jammed:
        return entries.jammed(station, now, StationReason.JAM)
    if station.reason is None:
        return withdrawn(station, now)
    return entries.at_rest(replace(station, last_sheet=LastSheet("returned", (reason,))), now)


def _while_held(station: Station, sensors: Sensors, now: int) -> Step:
    if sensors.cover_open:
        return entries.cover_open(station, now)
    if sensors.jammed or not sensors.rear:
        cause = station.cause or StationReason.SHEET_WITHDRAWN
        last = LastSheet("returned", (cause,))
        return entries.settle(replace(station, reading=None, cause=cause, last_sheet=last), now, sensors)
    return replace(station, asked=None, poll_at=now + station.limits.idle_poll), ()


def _before_accepting(station: Station, sensors: Sensors, now: int) -> Step:
    """The sheet is in the evidence. Is it still in the scanner? Otherwise it must not be counted."""
    if sensors.cover_open:
        return entries.cover_open(station, now)
    if sensors.rear and not sensors.jammed:
        return entries.into_box(station, now)
    if sensors.jammed or entries.in_path(sensors):
        return entries.returning(station, now, StationReason.SCAN_JAM if sensors.jammed else StationReason.SHEET_WITHDRAWN)
    last = LastSheet("returned", (StationReason.SHEET_WITHDRAWN,))
    return entries.erasing(replace(station, cause=StationReason.SHEET_WITHDRAWN, reading=None, last_sheet=last), now)


def _towards_box(station: Station, sensors: Sensors, now: int) -> Step:
    if sensors.cover_open:
        return entries.cover_open(station, now)
    if not entries.in_path(sensors):
        if not station.seen_clear:
            # The answers of the scanner carry no checksum, and what follows cannot be undone: look twice.
            return entries.ask(replace(station, seen_clear=True), now)
        if station.doubtful:
            return entries.whereabouts(station, now)
        # Past recovery: from here on it is counted. A jam now is a blocked box, found before the next sheet.
        return entries.committing(station, now)
    if sensors.jammed:
        return entries.jammed(station, now, StationReason.JAM)
    again = replace(station, asked=None, seen_clear=False, poll_at=now + station.limits.poll)
    if station.rolling_out:
        over = now - station.since >= station.limits.accept
        return entries.returning(station, now, station.reason or StationReason.PAPER_INSIDE) if over else (again, ())
    if sensors.front:
        # The scanner itself waits until the mouth is clear.
        return replace(again, reason=StationReason.FRONT_BLOCKED, deadline=now + station.limits.accept), ()
    return replace(again, reason=None, deadline=station.deadline or now + station.limits.accept), ()


def ask_sooner(station: Station, now: int) -> Step:
    """Look at the sensors at once where they would have been looked at later."""
    return entries.ask(station, now) if station.poll_at is not None else (station, ())


def on_front(station: Station, now: int, *, blocked: bool) -> Step:
    """The scanner waits for the mouth to be clear, or goes on. While it waits it answers late, and a person is awaited."""
    if station.name is not StateName.ACCEPTING or station.phase is not Phase.MOVING:
        return ask_sooner(station, now)
    if blocked:
        return replace(station, reason=StationReason.FRONT_BLOCKED, since=now, deadline=None), ()
    return ask_sooner(replace(station, reason=None, since=now, deadline=now + station.limits.accept), now)


def _towards_front(station: Station, sensors: Sensors, now: int) -> Step:
    if sensors.cover_open:
        return entries.cover_open(replace(station, cause=station.reason), now)
    if not entries.in_path(sensors):
        return _arrived(station, sensors, now)
    if sensors.jammed:
        return entries.jammed(replace(station, cause=station.reason), now, StationReason.JAM)
    return replace(station, asked=None, poll_at=now + station.limits.poll), ()


def _arrived(station: Station, sensors: Sensors, now: int) -> Step:
    caused = replace(station, cause=station.reason)
    if station.pending is None:
        return entries.returned(station, now, station.reason or StationReason.PAPER_IN_FRONT)
    if station.doubtful and not sensors.front:
        return entries.whereabouts(caused, now)
    return entries.erasing(caused, now)


def _at_front(station: Station, sensors: Sensors, now: int) -> Step:
    if sensors.cover_open or sensors.jammed or entries.in_path(sensors):
        return entries.settle(replace(station, cause=station.reason), now, sensors)
    if not sensors.front:
        return entries.at_rest(station, now)
    return replace(station, asked=None, deadline=None, poll_at=now + station.limits.idle_poll), ()


def on_interpreted(station: Station, reading: SheetReading, now: int) -> Step:
    """The sheet was read."""
    disposition = reading.disposition
    if disposition.kind == "accept":
        return entries.accepting(station, now, reading)
    if disposition.kind == "hold":
        return entries.holding(station, now, reading)
    return entries.rejected(station, now, reading)


def on_cast(station: Station, now: int) -> Step:
    """A person pressed `cast`; it counts only where one is asked."""
    if station.name is not StateName.HOLDING or station.phase is not Phase.PERSON:
        return station, ()
    if station.reason == StationReason.SHEET_WHEREABOUTS:
        return entries.committing(station, now)
    if station.reading is None or not station.reading.disposition.castable:
        return station, ()
    return entries.accepting(station, now, station.reading)


def on_return(station: Station, now: int) -> Step:
    """A person pressed `return`; it counts only where one is asked."""
    if station.name is not StateName.HOLDING or station.phase is not Phase.PERSON:
        return station, ()
    if station.reason == StationReason.SHEET_WHEREABOUTS:
        last = LastSheet("returned", (StationReason.SHEET_WHEREABOUTS,))
        return entries.erasing(replace(station, cause=StationReason.SHEET_WHEREABOUTS, last_sheet=last), now)
    return _given_back(station, now, StationReason.PERSON_RETURNED)


def _given_back(station: Station, now: int, reason: StationReason) -> Step:
    """A held sheet goes back; it is its voter's again, and nothing of it is kept."""
    codes = () if station.reading is None else entries.reason_codes(station.reading)
    return entries.returning(station, now, reason, codes)


def on_pending_written(station: Station, now: int) -> Step:
    """The sheet is in the evidence: look once more whether it is in its place."""
    if not station.connected:
        return entries.disconnected(station, now, station.cause or "scannerDisconnected", "lost while the sheet was written down")
    if station.doubtful:
        return entries.cover_open(station, now)
    return entries.asking(station, now, StateName.ACCEPTING)


def on_marked(station: Station, now: int) -> Step:
    """The evidence knows that the sheet goes back."""
    if station.name is not StateName.RETURNING:
        return replace(station, evidence=None), ()
    if not station.connected:
        return entries.disconnected(
            station, now, station.cause or "scannerDisconnected", "lost while the return was written down"
        )
    return entries.back_to_front((station, ()), now)


def on_committed(station: Station, event: SheetCommitted, now: int) -> Step:
    """The sheet is counted; only now may acceptance be signalled."""
    counted = replace(
        station,
        books=event.books,
        pending=None,
        doubtful=False,
        cause=None,
        reading=None,
        last_sheet=LastSheet("accepted"),
        accepted_until=now + station.limits.accepted_signal,
    )
    if not station.connected:
        return entries.disconnected(replace(counted, name=StateName.DISCONNECTED), now, "scannerDisconnected", "")
    return entries.at_rest(counted, now)


def on_erased(station: Station, event: PendingErased, now: int) -> Step:
    """Nothing is pending any more; the sensors say whether paper is still to be taken."""
    free = replace(station, books=event.books, pending=None, doubtful=False, reading=None)
    if not station.connected:
        return entries.disconnected(free, now, station.cause or "scannerDisconnected", "")
    return entries.asking(free, now, StateName.RETURNING, station.reason)
