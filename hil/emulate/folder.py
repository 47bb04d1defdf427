"""A station folder: configuration, election and ballots, ready for `scrutineer run` and `scrutineer emulate` beside it."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from edge.commands.error import CommandError
from edge.image_file import ImageFileError, read_image
from edge.station.config import ConfigError, StationConfig, load_station_config
from hil.scanner.sheet import Grey, Sheet

CONFIG = "station.toml"
BALLOTS = "ballots"
_ELECTION = "election.json"
_FRONT, _BACK = "-front.png", "-back.png"
_LONGEST_SOCKET_PATH = 100
"""Bytes that the configuration allows."""

_STATION_TOML = f"""\
# A station on a desk: the real daemon, with a scanner and a panel that `scrutineer emulate` plays.
# Paths are relative to this file's folder.

[[definitions]]
election = "{_ELECTION}"

[scanner]
usb_backend = "usbip"            # on a real station: "libusb1", and no line that begins with usbip
usbip_server = "127.0.0.1:3240"  # where `scrutineer emulate` listens
usbip_busid = "1-1"

[panel]
pin_factory = "emulated"         # on a real station: "lgpio", and no socket
socket = "panel.sock"            # where `scrutineer emulate --panel` listens

[panel.outputs]                  # BCM numbers
accept = 17
reject = 27
review = 22
ready = 23
fault = 24
buzzer = 25

[panel.inputs]
cast = 5
return = 6
polls = 13

[evidence]
folder = "evidence"              # the event log and the ballot box
keys = "keys"                    # the key that signs the log, and the box's; take both folders away, and the station begins at 0
sheets = 100                     # a small box, quickly made: on a real station it is made for a whole day
returned_sheets = 20
slot_kib = 256

[station]
runtime_directory = "."          # status.sock and scanner.lock
polls = "switch"                 # closed until the key is turned: `polls open`
"""


@dataclass(frozen=True, slots=True)
class StationFolder:
    """What `scrutineer emulate` takes from a folder.

    Attributes:
        path: The configuration file.
        config: What it says.
        sheets: The ballots that can be inserted by name.
    """

    path: Path
    config: StationConfig
    sheets: tuple[Sheet, ...]


def make_folder(folder: Path) -> None:
    """Write a ready station folder.

    Raises:
        CommandError: It cannot be written, holds a station already, or its path is too long for sockets.
    """
    from hil.emulate.ballots import BALLOTS as DRAWN  # noqa: PLC0415  drawing needs packages that only this needs
    from hil.emulate.ballots import ELECTION  # noqa: PLC0415  as above

    longest = len(os.fsencode(folder.absolute() / "status.sock"))
    if longest > _LONGEST_SOCKET_PATH:
        raise CommandError("badUse", f"the path of {str(folder)!r} is too long for the sockets in it; take a shorter one")
    try:
        if (folder / CONFIG).exists():
            raise CommandError("badUse", f"{str(folder / CONFIG)!r} is there already")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _ELECTION).write_bytes(ELECTION)
        write_sheets(folder / BALLOTS, [ballot.sheet() for ballot in DRAWN])
        # Last, so that a folder that was not finished is not taken for one.
        (folder / CONFIG).write_text(_STATION_TOML, encoding="utf-8")
    except OSError as error:
        raise CommandError("fileUnreadable", f"{str(folder)!r}: {error.strerror or error}") from error
    place = shlex.quote(str(folder))
    print(f"{place} holds a station and {len(DRAWN)} ballots:\n")
    width = max(len(ballot.name) for ballot in DRAWN)
    for ballot in DRAWN:
        print(f"  {ballot.name:<{width}}  {ballot.sentence}")
    print(
        f"\nIn one terminal:   scrutineer emulate --folder {place} --panel\n"
        f"in another:        scrutineer run --config {place}/{CONFIG}\n"
        f"and in a third:    scrutineer status --socket {place}/status.sock --follow\n"
        "In the first, type `polls open`, then `insert good`; `help` tells the rest."
    )


def write_sheets(folder: Path, sheets: list[Sheet]) -> None:
    """Write the two images of each sheet. Raises OSError."""
    folder.mkdir(exist_ok=True)
    for sheet in sheets:
        for end, pixels in ((_FRONT, sheet.top), (_BACK, sheet.bottom)):
            Image.fromarray(pixels).save(folder / f"{sheet.name}{end}", compress_level=1)


def open_folder(folder: Path) -> StationFolder:
    """Read a folder's configuration and its ballots: every `ballots/NAME-front.png` with its `NAME-back.png`.

    Raises:
        CommandError: There is no usable configuration, or an image cannot be read.
    """
    try:
        config = load_station_config(folder / CONFIG)
        fronts = sorted((folder / BALLOTS).glob(f"*{_FRONT}"))
        pairs = [(front, front.with_name(front.name.removesuffix(_FRONT) + _BACK)) for front in fronts]
        sheets = tuple(_sheet(front.name.removesuffix(_FRONT), read_image(front), read_image(back)) for front, back in pairs)
    except (ConfigError, ImageFileError) as error:
        raise CommandError(error.code, error.detail) from error
    return StationFolder(folder / CONFIG, config, sheets)


def _sheet(name: str, front: Grey, back: Grey) -> Sheet:
    try:
        return Sheet(name, front, back)
    except ValueError as error:
        raise CommandError("badUse", str(error)) from error
