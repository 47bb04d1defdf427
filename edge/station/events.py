"""Everything that can happen to a station: the closed set of events that `edge.station.machine.step` takes."""

from __future__ import annotations

from dataclasses import dataclass

from edge.evidence.reading import SheetReading
from edge.evidence.store import Books
from firmware_bridge.scanner import ScannerEvent, ScannerIdentity, Sensors


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed; nothing else happened."""


@dataclass(frozen=True, slots=True)
class Connected:
    """A scanner was found and is ready. `session`: the number that the Connect command carried."""

    session: int
    identity: ScannerIdentity


@dataclass(frozen=True, slots=True)
class ConnectFailed:
    """No scanner could be reached; code, detail and hint are those of the ScannerError."""

    session: int
    code: str
    detail: str
    hint: str


@dataclass(frozen=True, slots=True)
class FromScanner:
    """Something that the scanner reported by itself, or that the connection is lost."""

    session: int
    report: ScannerEvent


@dataclass(frozen=True, slots=True)
class SensorsRead:
    """The answer to the AskSensors command of that number."""

    number: int
    sensors: Sensors


@dataclass(frozen=True, slots=True)
class VerbRefused:
    """The driver would not carry out a verb, though the scanner is there: the station and the driver disagree about the state."""

    session: int
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Interpreted:
    """The sheet was read. `sheet`: the number that the Interpret command carried."""

    sheet: int
    reading: SheetReading


@dataclass(frozen=True, slots=True)
class InterpreterFailed:
    """The interpreter raised; it never does for what is on paper, so this is a fault of ours."""

    sheet: int
    detail: str


@dataclass(frozen=True, slots=True)
class EvidenceRead:
    """What the evidence holds at (re)start."""

    number: int
    books: Books


@dataclass(frozen=True, slots=True)
class PendingWritten:
    """The sheet is durable as pending."""

    number: int


@dataclass(frozen=True, slots=True)
class PendingMarked:
    """The stage of the pending sheet is durable."""

    number: int


@dataclass(frozen=True, slots=True)
class SheetCommitted:
    """The pending sheet is counted."""

    number: int
    books: Books


@dataclass(frozen=True, slots=True)
class PendingErased:
    """No sheet is pending any more, and none was counted."""

    number: int
    books: Books


@dataclass(frozen=True, slots=True)
class PollsSet:
    """The evidence knows that the polls are open, or paused."""

    number: int
    books: Books


@dataclass(frozen=True, slots=True)
class EvidenceFailed:
    """The evidence could not be read or written."""

    number: int
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class EvidenceTold:
    """What the evidence holds, after something that nobody waits for: an event written, a housekeeping."""

    books: Books


@dataclass(frozen=True, slots=True)
class EvidenceTrouble:
    """Something that nobody waits for could not be written."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class CastPressed:
    """A person pressed `cast`."""


@dataclass(frozen=True, slots=True)
class ReturnPressed:
    """A person pressed `return`."""


@dataclass(frozen=True, slots=True)
class PollsTurned:
    """The key switch was turned."""

    is_open: bool


@dataclass(frozen=True, slots=True)
class StopRequested:
    """The station shall end (SIGTERM, SIGINT)."""


Event = (
    Tick
    | Connected
    | ConnectFailed
    | FromScanner
    | SensorsRead
    | VerbRefused
    | Interpreted
    | InterpreterFailed
    | EvidenceRead
    | PendingWritten
    | PendingMarked
    | SheetCommitted
    | PendingErased
    | PollsSet
    | EvidenceFailed
    | EvidenceTold
    | EvidenceTrouble
    | CastPressed
    | ReturnPressed
    | PollsTurned
    | StopRequested
)
