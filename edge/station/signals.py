"""What the station tells the people around it; how each signal looks and sounds stands in `edge.station.patterns`."""

from __future__ import annotations

from enum import StrEnum


class Signal(StrEnum):
    """One thing that the panel says at a time.

    The values are those of the status document and the journal, and never change their meaning.
    """

    STARTING = "starting"
    """The station checks itself; nothing can be fed yet."""
    DISCONNECTED = "disconnected"
    """No scanner answers."""
    COVER_OPEN = "coverOpen"
    """The scanner's cover must be closed."""
    CLOSED = "closed"
    """The polls are closed: no sheet is taken."""
    READY = "ready"
    """Feed a sheet."""
    READY_ALARM = "readyAlarm"
    """Feed a sheet, but tell the technician: a medium of the evidence is lost or nearly full."""
    CLOSED_ALARM = "closedAlarm"
    """The polls are closed, and the technician must be told the same."""
    READING = "reading"
    """A sheet is being scanned or interpreted: wait."""
    REVIEW = "review"
    """A person must press cast or return."""
    WHEREABOUTS = "whereabouts"
    """A person must say where a sheet went: cast = it is in the box, return = it is in your hand."""
    ACCEPTING = "accepting"
    """The sheet moves into the box and is not counted yet: wait."""
    ACCEPTED = "accepted"
    """The sheet is in the box and counted."""
    RETURNING = "returning"
    """The sheet is coming back: take it. It is not counted."""
    RETURNED = "returned"
    """The sheet waits at the front to be taken. It is not counted."""
    JAMMED = "jammed"
    """Paper blocks the path: a person must clear it."""
    FAULT = "fault"
    """The station cannot go on by itself."""
    OFF = "off"
    """Nothing is said: every line is released."""
