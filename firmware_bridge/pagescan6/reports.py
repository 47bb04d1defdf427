"""From the scanner's messages to what a station is told, apart from the beginning and the end of a scan."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from firmware_bridge.pagescan6.event_codes import EventKind
from firmware_bridge.pagescan6.messages import CalibrationText, Event, Garbled, Message, UnknownEvent, UnknownReply
from firmware_bridge.scanner import (
    AcceptPaused,
    AcceptResumed,
    CalibrationEnded,
    CoverClosed,
    CoverOpened,
    DoubleFeedDetected,
    JamReported,
    ScannerEvent,
    ScannerTrouble,
    UnknownReport,
)

_KEPT_TEXTS: Final = 16
_SIMPLE: Final[Mapping[EventKind, ScannerEvent]] = MappingProxyType(
    {
        EventKind.JAM: JamReported(),
        EventKind.COVER_OPEN: CoverOpened(),
        EventKind.COVER_CLOSED: CoverClosed(),
        EventKind.DOUBLE_FEED: DoubleFeedDetected(),
        EventKind.EJECT_PAUSED: AcceptPaused(),
        EventKind.EJECT_RESUMED: AcceptResumed(),
    }
)
_TROUBLE: Final = MappingProxyType(
    {
        EventKind.CALIBRATION_NEEDED: "calibrationNeeded",
        EventKind.COMMAND_ERROR: "commandRefused",
        EventKind.READ_ERROR: "readError",
        EventKind.DOUBLE_FEED_UNAVAILABLE: "doubleFeedUnavailable",
        EventKind.FIFO_OVERFLOW: "imageOverflow",
        EventKind.COMMAND_CRC_ERROR: "commandGarbled",
        EventKind.FPGA_OUTDATED: "firmwareOutdated",
    }
)
_CALIBRATED: Final = frozenset({EventKind.CALIBRATION_OKAY, EventKind.DOUBLE_FEED_CALIBRATED})
_NOT_CALIBRATED: Final = frozenset({EventKind.CALIBRATION_FAILED, EventKind.DOUBLE_FEED_CALIBRATION_FAILED})


class Reports:
    """Translates messages, and remembers whether a calibration is under way: what it ends with can come in several pieces."""

    def __init__(self) -> None:
        self._calibrating = False
        self._texts: deque[str] = deque(maxlen=_KEPT_TEXTS)

    def calibration_begins(self) -> None:
        """One of the calibrations is about to be asked for."""
        self._texts.clear()
        self._calibrating = True

    def of(self, message: Message) -> ScannerEvent | None:
        """What a station is told; None for "scanner okay", which asks nobody to do anything, and for text of a calibration."""
        match message:
            case Event(kind=kind) if kind in _SIMPLE:
                return _SIMPLE[kind]
            case Event(kind=kind) if kind in _TROUBLE:
                return ScannerTrouble(_TROUBLE[kind], _told(message))
            case Event(kind=kind) if kind in _CALIBRATED or kind in _NOT_CALIBRATED:
                return self._calibration_end(message, succeeded=kind in _CALIBRATED)
            case CalibrationText(text) if self._calibrating:
                self._texts.append(text)
                return None
            case UnknownEvent(raw) | UnknownReply(raw) | Garbled(raw=raw) | CalibrationText(raw=raw):
                return UnknownReport(raw)
            case _:
                return None

    def _calibration_end(self, event: Event, *, succeeded: bool) -> ScannerEvent:
        if not self._calibrating and not succeeded:
            # A second failure of the same calibration, or one that nobody asked for.
            return ScannerTrouble("calibrationNeeded", _told(event))
        self._calibrating = False
        return CalibrationEnded(succeeded, "; ".join((_told(event), *self._texts)))


def _told(event: Event) -> str:
    return f"#{event.code:02X} {event.meaning}"
