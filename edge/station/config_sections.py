"""The sections of the station's configuration file: their keys, units, ranges and defaults.

Every length of time is an integer with its unit in the key (`_ms`, `_s`). Relative paths start at the folder that the validation
context names.
"""

from __future__ import annotations

import ipaddress
import os
import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

MAX_PAPER_INCHES = Decimal("22.3")
"""The longest sheet that the scanner's command can name."""
MAX_BCM = 53
"""The highest GPIO number of the boards' chips; which of them reach the header is the pin factory's business."""
RUNTIME_DIRECTORY = Path("/run/scrutineer")
FORM_NAME = re.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
FORM_SUFFIX = ".toml"

_MAX_PATH = 4096
_MAX_SOCKET_PATH = 100
"""Bytes; the kernel takes 107, and a socket is made under a slightly longer name first."""
_MAX_ENTRIES = 64

OutputName = Literal["accept", "reject", "review", "ready", "fault", "buzzer"]
InputName = Literal["cast", "return", "polls"]


def is_path(value: object) -> bool:
    """Whether a value of the file can be a path at all."""
    return isinstance(value, str) and 0 < len(value) <= _MAX_PATH and value.isprintable()


def _path(value: object, info: ValidationInfo) -> Path:
    if not isinstance(value, str) or not is_path(value):
        raise ValueError("a path in quotes is expected")
    if not isinstance(info.context, Path):
        raise TypeError("a relative path needs the folder of its file as validation context")
    return info.context / value


def _socket_path(value: Path) -> Path:
    if len(os.fsencode(value)) > _MAX_SOCKET_PATH:
        raise ValueError(f"the path of a socket, with all its folders, has at most {_MAX_SOCKET_PATH} bytes")
    return value


def _distinct(value: object) -> object:
    """A TOML array as a tuple; an entry that stands twice is a mistake."""
    if not isinstance(value, list):
        raise ValueError("a list in brackets is expected")  # noqa: TRY004 - a wrong value in a file, not a programming error
    if len(value) > _MAX_ENTRIES:
        raise ValueError(f"at most {_MAX_ENTRIES} entries are expected")
    if any(item in value[:place] for place, item in enumerate(value)):
        raise ValueError("an entry is listed twice")
    return tuple(value)


def _form_source(value: object, info: ValidationInfo) -> Path | str:
    if isinstance(value, str) and FORM_NAME.fullmatch(value) is not None:
        return value
    if not isinstance(value, str) or not value.endswith(FORM_SUFFIX):
        raise ValueError(f"the name of a form that comes with the software, or a path that ends in {FORM_SUFFIX}, is expected")
    return _path(value, info)


FilePath = Annotated[Path, BeforeValidator(_path)]
FormSource = Annotated[Path | str, BeforeValidator(_form_source)]
SocketPath = Annotated[FilePath, AfterValidator(_socket_path)]
Bcm = Annotated[int, Field(ge=0, le=MAX_BCM)]
ScannerLimit = Annotated[int, Field(ge=1, le=120_000)]
Polling = Annotated[int, Field(ge=10, le=10_000)]
MotionLimit = Annotated[int, Field(ge=500, le=120_000)]


class Section(BaseModel):
    """What every section has in common: exact types, no unknown keys, no change after loading."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", validate_by_alias=True, validate_by_name=False)


class Definition(Section):
    """One of the things that are read: the ballots of an election, or tally sheets of one form.

    Attributes:
        election: the election definition, JSON.
        settings: system settings of the election, JSON; None = the published defaults.
        ballot_hash: 20 hex digits that the ballots carry, in lower case, if they were printed from another revision of the file.
        form: a form of tally sheets: the name of one that comes with the software, or a path that ends in `.toml`.
    """

    election: FilePath | None = None
    settings: FilePath | None = None
    ballot_hash: str | None = None
    form: FormSource | None = None

    @field_validator("ballot_hash")
    @classmethod
    def _hex(cls, value: str | None) -> str | None:
        if value is not None and re.fullmatch("[0-9A-Fa-f]{20}", value) is None:
            raise ValueError("20 hex digits are expected")
        return None if value is None else value.lower()

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if (self.election is None) == (self.form is None):
            raise ValueError("each names either an election or a form")
        if self.form is not None and (self.settings is not None or self.ballot_hash is not None):
            raise ValueError("settings and ballot_hash belong to an election")
        return self


class ScannerTiming(Section):
    """Overrides of the scanner driver's own limits, in milliseconds 1..120000; None = the driver's.

    Attributes:
        write_limit: for sending one command.
        status_limit: for the answer to a status request.
        connect_limit: for everything that connecting takes.
        image_quiet: silence after which a page that is being scanned is given up.
    """

    write_limit: ScannerLimit | None = None
    status_limit: ScannerLimit | None = None
    connect_limit: ScannerLimit | None = None
    image_quiet: ScannerLimit | None = None


class ScannerDevice(Section):
    """What the public notes on the scanner leave open, where a unit turns out to be different; None = the driver's own.

    Attributes:
        check_boot_register: ask a register what the scanner does with paper at boot; off for a firmware without registers.
        front_sensors_needed: front sensors that must see paper before a scan begins, 1..5.
        feed_delay_ms: wait between paper seen and intake, 0..3200 in steps of 16.
        double_feed_sensitivity: per cent, 0..100.
        double_feed_overlap: smallest overlap that counts, in 1/100 inch, 10..250.
        partial_row: whether an image whose last row is not whole loses that row or is refused.
        image_read_bytes: size of one read of pixels, a multiple of 512.
    """

    check_boot_register: bool | None = None
    front_sensors_needed: int | None = Field(default=None, ge=1, le=5)
    feed_delay_ms: int | None = Field(default=None, ge=0, le=3200, multiple_of=16)
    double_feed_sensitivity: int | None = Field(default=None, ge=0, le=100)
    double_feed_overlap: int | None = Field(default=None, ge=10, le=250)
    partial_row: Literal["drop", "refuse"] | None = None
    image_read_bytes: int | None = Field(default=None, ge=512, le=16 << 20, multiple_of=512)


class ScannerConfig(Section):
    """How the scanner is reached and what it is told.

    Attributes:
        usb_backend: the system's USB library, or a USB/IP server on this machine (an emulated scanner).
        usbip_server: `address:port` on the loopback; only with usbip.
        usbip_busid: which of the server's devices; only with usbip.
        paper_inches: longest sheet that is taken, 1 to 22.3, at most three decimals.
        double_feed_detection: whether two sheets at once are refused.
        serial_numbers: scanners that are accepted; empty = any.
        lock_file: held by the process that uses the scanner.
        reset_on_connect: whether the scanner is reset when it is found.
        timing: see `ScannerTiming`.
        device: see `ScannerDevice`.
    """

    usb_backend: Literal["libusb1", "usbip"] = "libusb1"
    usbip_server: str = "127.0.0.1:3240"
    usbip_busid: str = Field(default="1-1", pattern=r"^[0-9]+(-[0-9]+(\.[0-9]+)*)?$", max_length=31)
    paper_inches: Decimal = Decimal(11)
    double_feed_detection: bool = True
    serial_numbers: Annotated[tuple[str, ...], BeforeValidator(_distinct)] = ()
    lock_file: FilePath
    reset_on_connect: bool = True
    timing: ScannerTiming = ScannerTiming()
    device: ScannerDevice = ScannerDevice()

    @field_validator("usbip_server")
    @classmethod
    def _loopback(cls, value: str) -> str:
        _server_address(value)
        return value

    @field_validator("paper_inches", mode="before")
    @classmethod
    def _inches(cls, value: object) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
            raise ValueError("a number is expected")  # noqa: TRY004 - a wrong value in a file, not a programming error
        inches = Decimal(value)
        if not (inches.is_finite() and 1 <= inches <= MAX_PAPER_INCHES):
            raise ValueError(f"must lie between 1 and {MAX_PAPER_INCHES}")
        if inches != round(inches, 3):
            raise ValueError("has more than three decimals")
        return inches

    @field_validator("serial_numbers")
    @classmethod
    def _serials(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(serial and len(serial) <= 126 and serial.isprintable() for serial in value):
            raise ValueError("a serial number has 1 to 126 printable characters")
        return value

    @model_validator(mode="after")
    def _only_with_usbip(self) -> Self:
        idle = sorted({"usbip_server", "usbip_busid"} & self.model_fields_set)
        if idle and self.usb_backend != "usbip":
            raise ValueError(f'{idle[0]} has a meaning only with usb_backend = "usbip"')
        return self

    @property
    def usbip_address(self) -> tuple[str, int]:
        """Host and port of `usbip_server`."""
        return _server_address(self.usbip_server)


class OutputPins(Section):
    """BCM numbers of the lines that the station drives; None = not wired."""

    accept: Bcm | None = None
    reject: Bcm | None = None
    review: Bcm | None = None
    ready: Bcm | None = None
    fault: Bcm | None = None
    buzzer: Bcm | None = None

    def wired(self) -> dict[OutputName, int]:
        """The lines that have a number."""
        lines: dict[OutputName, int | None] = {
            "accept": self.accept,
            "reject": self.reject,
            "review": self.review,
            "ready": self.ready,
            "fault": self.fault,
            "buzzer": self.buzzer,
        }
        return {name: number for name, number in lines.items() if number is not None}


class InputPins(Section):
    """BCM numbers of the contacts that the station reads; None = not wired."""

    cast: Bcm | None = None
    return_: Bcm | None = Field(default=None, alias="return")
    polls: Bcm | None = None

    def wired(self) -> dict[InputName, int]:
        """The contacts that have a number."""
        lines: dict[InputName, int | None] = {"cast": self.cast, "return": self.return_, "polls": self.polls}
        return {name: number for name, number in lines.items() if number is not None}


class PanelConfig(Section):
    """Lamps, buzzer and buttons.

    Attributes:
        pin_factory: by name, never found out: another driver than the one that was meant must not step in.
        chip: number of the gpiochip device, 0..63.
        board_revision: Raspberry Pi revision code for a machine that tells none, such as a virtual one; None = ask the machine.
        socket: where the emulated panel listens; only with `emulated`.
        bounce_ms: a contact counts when it has been still for this long, 0..500.
        active_low: outputs that are lit by a low level.
        outputs: see `OutputPins`.
        inputs: see `InputPins`. Every contact closes to ground, so that a broken wire is a button not pressed and polls not open.
    """

    pin_factory: Literal["lgpio", "mock", "emulated"]
    chip: int = Field(default=0, ge=0, le=63)
    board_revision: int | None = Field(default=None, ge=1, le=0xFFFFFFFF)
    socket: SocketPath | None = None
    bounce_ms: int = Field(default=50, ge=0, le=500)
    active_low: Annotated[tuple[OutputName, ...], BeforeValidator(_distinct)] = ()
    outputs: OutputPins = OutputPins()
    inputs: InputPins = InputPins()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.pin_factory == "emulated") != (self.socket is not None):
            raise ValueError('socket belongs to pin_factory = "emulated", and only to it')
        users: dict[int, str] = {}
        for name, number in (*self.outputs.wired().items(), *self.inputs.wired().items()):
            if number in users:
                raise ValueError(f"{users[number]} and {name} have the same number {number}")
            users[number] = name
        for output in self.active_low:
            if output not in self.outputs.wired():
                raise ValueError(f"active_low names {output}, which has no number under [panel.outputs]")
        return self


class EvidenceConfig(Section):
    """Where evidence is kept, and how much of it.

    Attributes:
        folder: The first medium.
        second_folder: The second one, which holds the same; None = there is one only. It must exist: a medium that is not plugged
        in
            is not mistaken for an empty one, if this is a folder on it.
        keys: The device's key and the box's, for nobody else's eyes.
        device: Name of the device in logs and exports: the authority's domain and a number; None = one made from the key.
        sheets: Sheets that the box takes, ballots and tally sheets together.
        returned_sheets: Pictures of returned sheets that are kept, 0..10000; 0 = none.
        slot_kib: Room for one sheet, KiB, a multiple of 4.
        grey_pages: Whether the whole grey images are kept beside the bilevel pages; not needed to read a ballot again. Of tally
            sheets they are always kept.
    """

    folder: FilePath
    second_folder: FilePath | None = None
    keys: FilePath
    device: str | None = Field(
        default=None, max_length=80, pattern="^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(/[A-Za-z0-9][A-Za-z0-9._-]*)+$"
    )
    sheets: int = Field(default=2000, ge=1, le=100_000)
    returned_sheets: int = Field(default=200, ge=0, le=10_000)
    slot_kib: int = Field(ge=16, le=65_536, multiple_of=4)
    grey_pages: bool = False

    @model_validator(mode="after")
    def _apart(self) -> Self:
        folders = [folder for folder in (self.folder, self.second_folder, self.keys) if folder is not None]
        if any(one == other or one in other.parents for one in folders for other in folders if one is not other):
            raise ValueError("folder, second_folder and keys must not lie in each other")
        return self


class StationSettings(Section):
    """The station's own limits.

    Attributes:
        runtime_directory: for sockets and locks; gone after a restart of the machine.
        hold_limit_s: seconds that a sheet waits for a person's decision before it is returned, 1..3600.
        polls: whether the key switch opens the polls, or they are always open.
        rest_ms: rest between two scans, 0..60000.
        scan_limit_ms: from the scanner's start to its last line.
        accept_limit_ms: until a sheet has left the path for the box.
        return_limit_ms: until a sheet has reached the front.
        interpret_limit_ms: until the interpreter answers.
        poll_ms: between two looks at the sensors while paper moves, 10..10000.
        idle_poll_ms: the same while nothing moves.
        reconnect_first_ms: until a lost scanner is looked for again; doubles up to `reconnect_most_ms`.
        reconnect_most_ms: see there.
        accepted_signal_ms: how long an accepted sheet is signalled, 200..60000.
    """

    runtime_directory: FilePath = RUNTIME_DIRECTORY
    hold_limit_s: int = Field(default=120, ge=1, le=3600)
    polls: Literal["switch", "always_open"]
    rest_ms: int = Field(default=2000, ge=0, le=60_000)
    scan_limit_ms: MotionLimit = 10_000
    accept_limit_ms: MotionLimit = 5000
    return_limit_ms: MotionLimit = 5000
    interpret_limit_ms: MotionLimit = 10_000
    poll_ms: Polling = 100
    idle_poll_ms: Polling = 500
    reconnect_first_ms: int = Field(default=500, ge=50, le=60_000)
    reconnect_most_ms: int = Field(default=10_000, ge=50, le=600_000)
    accepted_signal_ms: int = Field(default=2000, ge=200, le=60_000)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.reconnect_first_ms > self.reconnect_most_ms:
            raise ValueError("reconnect_first_ms must not exceed reconnect_most_ms")
        return self


class StatusConfig(Section):
    """Where the station answers who asks how it is: `socket`."""

    socket: SocketPath


def _server_address(server: str) -> tuple[str, int]:
    host, _, port = server.rpartition(":")
    if re.fullmatch("[1-9][0-9]{0,4}", port) is None or int(port) > 0xFFFF:
        raise ValueError('address and port are expected, such as "127.0.0.1:3240"')
    try:
        address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError as error:
        raise ValueError("the address must be a number, such as 127.0.0.1") from error
    if not address.is_loopback:
        raise ValueError(
            "the address must be this machine's own, such as 127.0.0.1: USB/IP is neither encrypted nor authenticated"
        )
    return str(address), int(port)
