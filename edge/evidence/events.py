"""What a station writes into its event log: the published list of event ids, and one event before it has a place in the log.

The list is the maker's own, as NIST SP 1500-101 wants it, and leaves with every export. No event holds an identifier, a hash, a
style, a vote or a mark of a ballot (VVSG 2.0, 10.2.4-B and 15.1-C). Of a sheet the log tells when it was accepted, with the
running count, or returned, and nothing from which a voter could be told: not that one was held, since the export shows which
ballots were, nor how long it took to read.

A tally sheet is no ballot and carries no voter: the log names its record, so that each is proven as soon as the log is signed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

EventType = Literal["system-action", "system-status", "application-action", "application-status", "user-action"]
Severity = Literal["info", "notice", "warning", "error"]
Disposition = Literal["success", "failure", "na"]
Value = str | int | bool

EVENT_TYPES: Mapping[EventType, str] = {
    "system-action": "Something that the machine or its system did.",
    "system-status": "A state of the machine or of something plugged into it.",
    "application-action": "Something that the station's software did.",
    "application-status": "A state of the station's software.",
    "user-action": "Something that a person did.",
}


@dataclass(frozen=True, slots=True)
class EventKind:
    """An entry of the published list.

    Attributes:
        type: One of `EVENT_TYPES`.
        severity: How much it matters.
        text: What it means, one sentence.
        fields: What it carries beside the time, by name, with what that is.
        disposition: How it ended; na where nothing was attempted.
    """

    type: EventType
    severity: Severity
    text: str
    fields: Mapping[str, str] = field(default_factory=dict)
    disposition: Disposition = "na"


_COUNT = {"count": "ballots in the box after it"}

EVENTS: Mapping[str, EventKind] = {
    "logOpened": EventKind(
        "application-action",
        "notice",
        "The log of this election begins.",
        {
            "origin": "name of the log",
            "key": "the verifier key of the log",
            "software": "name and version of the software",
            "softwareSha256": "hash over the software's own files, hex",
            "packageSha256": "hash over the election package, hex",
            "formerLog": "the last signed checkpoint of this device's former log; empty if there was none",
            "box": "random number of the ballot box, hex",
        },
        "success",
    ),
    "stationStarted": EventKind(
        "application-action",
        "notice",
        "The station's software has started; without a stationStopped before it, power failed or the software was killed.",
        {"software": "name and version", "softwareSha256": "hash over the software's own files, hex", **_COUNT},
        "success",
    ),
    "evidenceRecovered": EventKind(
        "application-action",
        "warning",
        "A medium of the evidence was brought up to date from the other one.",
        {"medium": "first or second"},
        "success",
    ),
    "sheetFoundPending": EventKind(
        "application-status",
        "warning",
        "The evidence shows that power failed while a sheet was moving; the sensors or a person decide.",
        {"stage": "accepting, returning or doubtful"},
    ),
    "stationStopped": EventKind("application-action", "notice", "The station's software ends in good order.", _COUNT, "success"),
    "zeroCheck": EventKind(
        "application-action", "notice", "The ballot box was found empty before the polls opened.", {}, "success"
    ),
    "pollsOpened": EventKind("user-action", "notice", "The polls were opened.", _COUNT, "success"),
    "pollsPaused": EventKind(
        "user-action", "notice", "The key switch closed the polls until it opens them again.", _COUNT, "success"
    ),
    "pollsClosed": EventKind(
        "user-action",
        "notice",
        "The polls were closed for good.",
        {
            "count": "ballots in the box",
            "returned": "kept pictures of returned sheets",
            "castRoot": "root over the set of cast sheets, base64",
            "returnedRoot": "root over the set of returned sheets, base64",
        },
        "success",
    ),
    "sheetAccepted": EventKind("application-action", "info", "A sheet is in the ballot box and counted.", _COUNT, "success"),
    "tallySheetAccepted": EventKind(
        "application-action",
        "info",
        "A tally sheet is in the box.",
        {
            "tallySheets": "tally sheets in the box after it",
            "form": "name of its form",
            "table": "the code of the table as read; empty where the form has none or it was not read",
            "recordSha256": "hash of its record, hex",
        },
        "success",
    ),
    "tallySetClosed": EventKind(
        "application-action",
        "notice",
        "The set of tally sheets is committed to; the close of the polls follows.",
        {"tallySheets": "tally sheets in the box", "tallyRoot": "root over the set of tally sheets, base64"},
        "success",
    ),
    "sheetReturned": EventKind(
        "application-action",
        "info",
        "A sheet goes back to the front, not counted.",
        {"why": "rejected (unreadable or not ours), person, nobodyDecided, mechanical or evidence"},
    ),
    "pendingErased": EventKind(
        "application-action", "info", "A sheet that was written down did not go into the box and was forgotten.", {}, "success"
    ),
    "scannerConnected": EventKind(
        "system-status",
        "info",
        "The scanner is connected.",
        {"product": "what it calls itself", "firmware": "version", "serialNumber": "its number"},
    ),
    "scannerLost": EventKind(
        "system-status", "warning", "The scanner is not there or does not answer.", {"reason": "reason code"}
    ),
    "scannerTrouble": EventKind("system-status", "warning", "The scanner complains.", {"reason": "reason code"}),
    "coverOpened": EventKind("user-action", "warning", "The scanner's cover is open."),
    "coverClosed": EventKind("user-action", "info", "The scanner's cover is closed."),
    "jam": EventKind("system-status", "warning", "Paper blocks the way.", {"reason": "reason code"}),
    "jamCleared": EventKind("user-action", "info", "The way is free again."),
    "fault": EventKind(
        "application-status", "error", "Something that the station does not trust.", {"reason": "reason code"}, "failure"
    ),
    "faultCleared": EventKind("application-status", "info", "The station goes on after a fault."),
    "interpreterFailed": EventKind("application-status", "error", "The interpreter failed on a sheet.", {}, "failure"),
    "mediumLost": EventKind(
        "system-status",
        "error",
        "A medium of the evidence fails; the other one goes on.",
        {"medium": "first or second"},
        "failure",
    ),
    "mediumLow": EventKind("system-status", "warning", "A medium of the evidence is nearly full.", {"medium": "first or second"}),
    "boxFull": EventKind("application-status", "warning", "No further sheet can be kept; none is taken.", _COUNT),
    "clockChanged": EventKind(
        "system-action",
        "warning",
        "The wall clock was set, or drifted by more than two seconds.",
        {"byMs": "by how much, milliseconds, positive if forward", "before": "what it would have said"},
    ),
    "exportBegun": EventKind("user-action", "notice", "An export for auditors was begun.", {"kind": "interim or closed"}),
    "exportMade": EventKind(
        "application-action", "notice", "An export was written and verified.", {"kind": "interim or closed"}, "success"
    ),
    "exportFailed": EventKind("application-action", "warning", "An export failed.", {"reason": "reason code"}, "failure"),
    "dayKeyDiscarded": EventKind(
        "user-action", "notice", "The key of the ballot box was discarded: what is in it can no longer be read.", {}, "success"
    ),
}
"""Every event id with its meaning."""


@dataclass(frozen=True, slots=True)
class LogEvent:
    """An event that is to be written: its id, and a value for each field that its kind has.

    A ValueError for an unknown id, a missing or unknown field.
    """

    id: str
    fields: Mapping[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Hold the event against the published list."""
        kind = EVENTS.get(self.id)
        if kind is None or set(self.fields) != set(kind.fields):
            raise ValueError(f"no event {self.id} with the fields {sorted(self.fields)} is in the published list")

    @property
    def kind(self) -> EventKind:
        """Its entry in the list."""
        return EVENTS[self.id]
