"""Which events of a station go into the signed log: a pure function of what happened and of the station before and after.

What the evidence does itself (a sheet accepted or rejected, the polls opened) it writes itself, in the transaction that does it.
That a sheet was taken or held is not in the log at all: `edge.evidence.events` says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from edge.evidence.events import LogEvent
from edge.station.commands import Command, KeepReturned
from edge.station.events import Connected, Event, FromScanner, InterpreterFailed
from edge.station.state import StateName, Station, StationReason
from firmware_bridge.scanner import ScannerLost, ScannerTrouble

_WHY: Mapping[str, str] = {
    StationReason.PERSON_RETURNED: "person",
    StationReason.HOLD_TIMED_OUT: "nobodyDecided",
    StationReason.EVIDENCE_FAILED: "evidence",
}
_WITH_REASON = {StateName.JAMMED: "jam", StateName.FAULT: "fault"}
_LEFT = {StateName.COVER_OPEN: "coverClosed", StateName.JAMMED: "jamCleared", StateName.FAULT: "faultCleared"}


def happenings(before: Station, event: Event, after: Station, commands: Sequence[Command]) -> tuple[LogEvent, ...]:
    """The events of one step, in order."""
    return (*_said(before, event, after), *_entered(before, after, commands))


def _said(before: Station, event: Event, after: Station) -> Iterator[LogEvent]:
    match event:
        case FromScanner(report=ScannerLost(code=code)) if before.connected and not after.connected:
            yield LogEvent("scannerLost", {"reason": code})
        case Connected(session=session, identity=identity) if session == before.session:
            fields = {"product": identity.product, "firmware": identity.firmware, "serialNumber": identity.serial_number}
            yield LogEvent("scannerConnected", fields)
        case FromScanner(session=session, report=ScannerTrouble(code=code)) if session == before.session:
            yield LogEvent("scannerTrouble", {"reason": code})
        case InterpreterFailed():
            yield LogEvent("interpreterFailed")
        case _:
            pass


def _entered(before: Station, after: Station, commands: Sequence[Command]) -> Iterator[LogEvent]:
    if before.name is after.name:
        if after.reason == StationReason.BOX_FULL != before.reason:
            yield LogEvent("boxFull", {"count": after.count})
        return
    if before.name in _LEFT:
        yield LogEvent(_LEFT[before.name])
    if after.name is StateName.RETURNING:
        if not any(isinstance(command, KeepReturned) for command in commands):
            yield LogEvent("sheetReturned", {"why": _WHY.get(after.reason or "", "mechanical")})
    elif after.name is StateName.COVER_OPEN:
        yield LogEvent("coverOpened")
    elif after.name in _WITH_REASON:
        yield LogEvent(_WITH_REASON[after.name], {"reason": after.reason or "unexpectedEvent"})
    elif after.reason == StationReason.BOX_FULL:
        yield LogEvent("boxFull", {"count": after.count})
