"""What a station sees of a scanner: events out, a few verbs in, in the words of the field and not of one device's protocol.

A family of scanners is one package beside `pagescan6` that offers a `connect` function giving a `Scanner`. Events are delivered
by calling `on_event` from the driver's own threads; the callee must not block.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
"""One side of a sheet: uint8, shape (rows, columns), 0 black to 255 white."""


@dataclass(frozen=True, slots=True, eq=False)
class SheetImages:
    """Both sides of one sheet as a person would see them, neither cropped nor turned.

    Attributes:
        top: What the upper array saw.
        bottom: What the lower array saw.
        dpi: Pixels per inch, in both directions.
    """

    top: Grey
    bottom: Grey
    dpi: int


@dataclass(frozen=True, slots=True)
class ScannerIdentity:
    """Which scanner this is.

    Attributes:
        family: Package of the driver, such as "pagescan6".
        product: The device's own product code, as it says it.
        firmware: The device's firmware version, as it says it.
        serial_number: As the device says it; the allow-list compares this.
    """

    family: str
    product: str
    firmware: str
    serial_number: str


@dataclass(frozen=True, slots=True)
class Sensors:
    """What the scanner says about itself when asked.

    Attributes:
        front: Any sensor at the mouth sees paper.
        rear: Any sensor at the exit to the ballot box sees paper.
        sheet_inside: The scanner believes that it holds a sheet.
        cover_open: The cover is open.
        jammed: The scanner reports a jam.
        feeding: The feeder would take paper now.
        calibration_needed: The arrays must be calibrated before images can be trusted.
    """

    front: bool
    rear: bool
    sheet_inside: bool
    cover_open: bool
    jammed: bool
    feeding: bool
    calibration_needed: bool


@dataclass(frozen=True, slots=True)
class ScanStarted:
    """The scanner has taken hold of a sheet."""


@dataclass(frozen=True, slots=True, eq=False)
class SheetScanned:
    """A whole sheet was scanned and is held at the rear; the feeder is off again."""

    images: SheetImages


@dataclass(frozen=True, slots=True)
class ScanFailed:
    """A scan ended without usable images; the feeder is off again. Where the sheet is, only the sensors tell.

    Attributes:
        code: noImage, imageTruncated, imageOverflow or scanUnreadable.
        detail: One sentence.
    """

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class DoubleFeedDetected:
    """Two sheets went in one on top of the other; an end of scan may follow, with or without images."""


@dataclass(frozen=True, slots=True)
class CoverOpened:
    """The cover was opened."""


@dataclass(frozen=True, slots=True)
class CoverClosed:
    """The cover was closed."""


@dataclass(frozen=True, slots=True)
class AcceptPaused:
    """The motion into the box waits because there is paper at the front."""


@dataclass(frozen=True, slots=True)
class AcceptResumed:
    """The front is clear and the motion into the box goes on."""


@dataclass(frozen=True, slots=True)
class JamReported:
    """The scanner says that paper is stuck."""


@dataclass(frozen=True, slots=True)
class CalibrationEnded:
    """A calibration step is over.

    Attributes:
        succeeded: Whether the scanner was content.
        detail: What it said.
    """

    succeeded: bool
    detail: str


@dataclass(frozen=True, slots=True)
class ScannerTrouble:
    """The scanner complains about something that is neither paper nor cover.

    Attributes:
        code: calibrationNeeded, doubleFeedUnavailable, imageOverflow, commandRefused, commandGarbled, readError or
            firmwareOutdated.
        detail: What it said.
    """

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class UnknownReport:
    """The scanner sent something that no document known to us describes. `raw`: the bytes of the transfer."""

    raw: bytes


@dataclass(frozen=True, slots=True)
class ScannerLost:
    """The connection is over; nothing follows. Code, detail and hint are those of the `ScannerError`."""

    code: str
    detail: str
    hint: str


ScannerEvent = (
    ScanStarted
    | SheetScanned
    | ScanFailed
    | DoubleFeedDetected
    | CoverOpened
    | CoverClosed
    | AcceptPaused
    | AcceptResumed
    | JamReported
    | CalibrationEnded
    | ScannerTrouble
    | UnknownReport
    | ScannerLost
)


class ScannerError(Exception):
    """A verb could not be carried out, or no scanner could be reached.

    Attributes:
        code: scannerNotFound, scannerBusy, scannerForbidden, scannerDisconnected, scannerSilent, scannerConfused,
            scannerNotAllowed, scannerFeeding (a verb that must not be sent while the feeder waits for paper) or usbUnavailable.
        detail: What happened, in one sentence.
        hint: What a technician can do about it; may be empty.
    """

    def __init__(self, code: str, detail: str, hint: str = "") -> None:
        super().__init__(code, detail, hint)
        self.code = code
        self.detail = detail
        self.hint = hint

    def __str__(self) -> str:
        """Give the message: `code: detail`."""
        return f"{self.code}: {self.detail}"


class Scanner(Protocol):
    """A connected scanner. Verbs are called from one thread at a time, wait no longer than their limits, raise ScannerError."""

    @property
    def identity(self) -> ScannerIdentity:
        """Which scanner this is."""

    def sensors(self) -> Sensors:
        """Ask for the state of the sensors; refused (scannerFeeding) from `start_feeding` to the end of the scan."""

    def start_feeding(self) -> None:
        """Take the next sheet that is put in; nothing is sent until its scan has ended or `stop_feeding` is called."""

    def stop_feeding(self) -> None:
        """Take no sheet. A scan that has already begun is spoilt by this."""

    def accept_sheet(self) -> None:
        """Begin to move the held sheet into the box; only the sensors tell when it is there."""

    def return_sheet(self) -> None:
        """Begin to move the held sheet back to the front and hold it there for its owner."""

    def release_sheet(self) -> None:
        """Begin to push the held sheet out at the front and let go of it."""

    def calibrate_image_sensors(self) -> None:
        """Begin to calibrate with the white sheet that lies at the front; a CalibrationEnded follows."""

    def calibrate_double_feed(self, sheets: Literal["single", "double"]) -> None:
        """Begin one step of the double-feed calibration (double first, then single); a CalibrationEnded follows."""

    def close(self) -> None:
        """End the connection. May be called more than once, and after the scanner was lost; no event follows."""
