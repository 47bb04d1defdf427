"""Everything that a station can do: the closed set of commands that `edge.station.machine.step` gives.

Commands to the scanner are carried out in order, and so are those to the evidence; the two do not wait for each other.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.evidence.events import LogEvent
from edge.evidence.reading import SheetReading
from edge.evidence.store import PendingStage
from firmware_bridge.scanner import SheetImages


@dataclass(frozen=True, slots=True)
class Connect:
    """Look for the scanner: Connected or ConnectFailed follows."""

    session: int


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Let go of the scanner, its feeder off if it still listens; nothing follows."""


@dataclass(frozen=True, slots=True)
class AskSensors:
    """SensorsRead follows."""

    number: int


@dataclass(frozen=True, slots=True)
class StartFeeding:
    """Take the next sheet that is put in."""


@dataclass(frozen=True, slots=True)
class StopFeeding:
    """Take no sheet."""


@dataclass(frozen=True, slots=True)
class AcceptSheet:
    """Move the sheet towards the box."""


@dataclass(frozen=True, slots=True)
class ReturnSheet:
    """Move the sheet back to the front and hold it there."""


@dataclass(frozen=True, slots=True, eq=False)
class Interpret:
    """Read the sheet: Interpreted or InterpreterFailed follows."""

    sheet: int
    images: SheetImages


@dataclass(frozen=True, slots=True)
class ReadEvidence:
    """EvidenceRead or EvidenceFailed follows."""

    number: int


@dataclass(frozen=True, slots=True, eq=False)
class WritePending:
    """Make the sheet durable as pending: PendingWritten or EvidenceFailed follows."""

    number: int
    reading: SheetReading


@dataclass(frozen=True, slots=True)
class MarkPending:
    """Make durable what is about to happen to the pending sheet: PendingMarked or EvidenceFailed follows."""

    number: int
    stage: PendingStage


@dataclass(frozen=True, slots=True)
class CommitSheet:
    """Count the pending sheet: SheetCommitted or EvidenceFailed follows."""

    number: int


@dataclass(frozen=True, slots=True)
class ErasePending:
    """Forget the pending sheet, if there is one: PendingErased or EvidenceFailed follows."""

    number: int


@dataclass(frozen=True, slots=True)
class OpenPolls:
    """Make durable that sheets may be accepted: PollsSet or EvidenceFailed follows."""

    number: int


@dataclass(frozen=True, slots=True)
class PausePolls:
    """Make durable that no sheet is accepted: PollsSet or EvidenceFailed follows."""

    number: int


@dataclass(frozen=True, slots=True, eq=False)
class KeepReturned:
    """Write down that a sheet is rejected, with its pictures; EvidenceTold or EvidenceTrouble follows."""

    reading: SheetReading


@dataclass(frozen=True, slots=True)
class NoteEvents:
    """Write events into the log; EvidenceTold or EvidenceTrouble follows."""

    events: tuple[LogEvent, ...]


@dataclass(frozen=True, slots=True)
class TendEvidence:
    """Do what falls due in the evidence with time; EvidenceTold or EvidenceTrouble follows."""


@dataclass(frozen=True, slots=True)
class Exit:
    """End the process in good order."""


ScannerCommand = Connect | Disconnect | AskSensors | StartFeeding | StopFeeding | AcceptSheet | ReturnSheet
AnsweredCommand = ReadEvidence | WritePending | MarkPending | CommitSheet | ErasePending | OpenPolls | PausePolls
UnansweredCommand = KeepReturned | NoteEvents | TendEvidence
EvidenceCommand = AnsweredCommand | UnansweredCommand
Command = ScannerCommand | EvidenceCommand | Interpret | Exit
