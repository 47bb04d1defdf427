"""How quick the emulated scanner is, and how it decides what the public notes leave open."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass, field
from enum import StrEnum
from typing import Self


@dataclass(frozen=True, slots=True)
class Timings:
    """Durations in seconds, none negative. The notes know few of them; the defaults are their guesses.

    Attributes:
        grab: From the start condition to the begin-scan event (the intake delay that the host sets comes on top).
        scan: From the begin-scan event to the end-scan event; twice as long at half speed.
        eject: One motion of the held sheet out of the scanner; twice as long at half speed.
        eject_limit: How long the rollers turn when the sheet does not follow.
        command: From a command's arrival, or the end of the one before, to its effect and answer.
        boot: From power or reboot to being at the bus again.
        calibration: One calibration step, once its sheet is there.
        calibration_limit: How long a calibration waits for its sheet.
    """

    grab: float = 0.05
    scan: float = 1.0
    eject: float = 1.0
    eject_limit: float = 4.0
    command: float = 0.01
    boot: float = 8.0
    calibration: float = 2.0
    calibration_limit: float = 20.0

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if not all(0 <= seconds < math.inf for seconds in astuple(self)):
            raise ValueError(f"a duration cannot be negative or endless: {self}")

    @classmethod
    def instant(cls) -> Self:
        """Everything happens at once, in the right order."""
        return cls.each(0)

    @classmethod
    def each(cls, seconds: float) -> Self:
        """Everything takes the same time."""
        return cls(seconds, seconds, seconds, seconds, seconds, seconds, seconds, seconds)


@dataclass(frozen=True, slots=True)
class Identity:
    """What the scanner says about itself.

    Attributes:
        product: Product code, 4 characters.
        firmware: Firmware version, 2 + 2 digits.
        cpld: Version of the logic, 1 character.
        serial_number: 8 characters 0-9A-F.
        build: Build date as `Mon DD YYYY/hh:mm:ss`.
        test_text: The answer to a ping, after its letter.
    """

    product: str = "9072"
    firmware: str = "0304"
    cpld: str = "1"
    serial_number: str = "00C0FFEE"
    build: str = "Jan 05 2024/10:20:30"
    test_text: str = " Test Message USB 1.1/2.0 Communication"


class Interruption(StrEnum):
    """What a command does to a scan that is under way."""

    ENDS = "ends"
    """The rollers stop; the end-scan event follows at once if the begin-scan event was sent, otherwise nothing."""
    SILENT = "silent"
    """The rollers stop and no event follows."""
    TOLERATED = "tolerated"
    """Nothing."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Decisions that the public notes leave open, and parts that a scanner may have or lack.

    Attributes:
        identity: What the scanner says about itself.
        flat_tables: Calibration tables of white 255 and black 0 instead of columns that vary as on a real array.
        register_9: Flash of a new scanner: bits 8 and up of register 9 say what to do with paper at boot, 2: nothing.
        boot_rear_value: The value of that field that ejects into the box; the other one of 0 and 1 ejects to the front.
        documented_cover_codes: Send 0C and 0D for the cover, as the vendor's document says; real units send 34 and 35.
        cover_event_first: When the cover ends a scan, its event comes before the end-scan event.
        jam_event: Send 01 with every jam.
        interruption: What a command does to a scan.
        answers_before_crc: Commands are heard before CRC checking was switched on.
        auto_start_at_boot: Scans start by themselves without the command that enables it.
        answers_sensor_count: Setting the number of front sensors is answered.
        front_paper_is_inside: The status says "document in scanner" also for paper that only lies at the front.
        double_feed_pixels: Pixels go on after a double feed.
        pixels_before_begin: The first chunk of pixels leaves before the begin-scan event.
        configure_resets: Setting the configuration empties the buffers and switches the feeder off.
        chunk_bytes: Pixels leave in pieces of this many bytes.
        chunks_run_together: A piece does not end a USB transfer; only the end of the image does.
        fifo_bytes: Pixels that may wait for the host before the scanner gives up with a FIFO overflow; None: any number.
        path_inches: From the front sensors to the rear sensors; a shorter sheet can lie between them unseen.
        length_slack_inches: By how much a document may exceed the host's limit: hosts ask for half an inch less than the paper.
        double_feed_fitted: There is a double-feed sensor.
        double_feed_calibrated: It is calibrated when new.
        calibration_needed: The arrays need calibration when new.
        calibration_failure: Event code that ends every image-sensor calibration, such as "13"; empty: the sheet decides.
        calibration_chatter: Stray text is sent during image-sensor calibration, as observed.
        max_packet: wMaxPacketSize of all endpoints, in bytes.
    """

    identity: Identity = field(default_factory=Identity)
    flat_tables: bool = False
    register_9: int = 0x200
    boot_rear_value: int = 0
    documented_cover_codes: bool = False
    cover_event_first: bool = True
    jam_event: bool = False
    interruption: Interruption = Interruption.ENDS
    answers_before_crc: bool = True
    auto_start_at_boot: bool = False
    answers_sensor_count: bool = True
    front_paper_is_inside: bool = True
    double_feed_pixels: bool = True
    pixels_before_begin: bool = False
    configure_resets: bool = True
    chunk_bytes: int = 256 << 10
    chunks_run_together: bool = False
    fifo_bytes: int | None = None
    path_inches: float = 8.0
    length_slack_inches: float = 1.0
    double_feed_fitted: bool = True
    double_feed_calibrated: bool = True
    calibration_needed: bool = False
    calibration_failure: str = ""
    calibration_chatter: bool = True
    max_packet: int = 512

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if self.chunk_bytes < 1 or self.max_packet < 1:
            raise ValueError("a chunk and a packet have at least one byte")
        if self.boot_rear_value not in {0, 1}:
            raise ValueError("the value that ejects into the box is 0 or 1")
