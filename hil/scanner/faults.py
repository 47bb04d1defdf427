"""What can go wrong, and when: faults are values that `EmulatedScanner.inject` takes at any time.

A trigger is met just before the byte, transfer, event or command it names goes its way, and just after a place was reached. A
fault happens once. Those that change a transfer hit the one that met their trigger if it is one on their endpoint, else the next
one there. A yank or a stall that waits for bytes, transfers or events to the host happens when the host has read all that went
before.
"""

from __future__ import annotations

from dataclasses import dataclass

from hil.scanner.paper import Place, Sensor
from hil.scanner.sheet import Sheet

COMMANDS = 0x05
"""OUT endpoint of commands."""
ANSWERS = 0x85
"""IN endpoint of answers and events."""
PIXELS = 0x86
"""IN endpoint of pixels."""


@dataclass(frozen=True, slots=True)
class Now:
    """At once."""


@dataclass(frozen=True, slots=True)
class ImageByte:
    """After `count` bytes of an image, 0 or more: of the one that is being sent if it is not yet so far, else of the next."""

    count: int


@dataclass(frozen=True, slots=True)
class Transfer:
    """The `count`-th transfer on `endpoint` from now on, 1 or more."""

    endpoint: int
    count: int = 1


@dataclass(frozen=True, slots=True)
class Command:
    """The next command with exactly this body."""

    body: bytes


@dataclass(frozen=True, slots=True)
class Event:
    """The next event with this code of two characters, such as "31"."""

    code: str


@dataclass(frozen=True, slots=True)
class Reached:
    """The next sheet that arrives at a place; with a name, only that sheet."""

    place: Place
    sheet: str | None = None


Trigger = Now | ImageByte | Transfer | Command | Event | Reached


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that goes wrong once; `at` says when."""

    at: Trigger = Now()


@dataclass(frozen=True, slots=True)
class Yank(Fault):
    """The USB cable is pulled, and plugged in again after that many seconds (None: never)."""

    plug_after: float | None = None


@dataclass(frozen=True, slots=True)
class Stall(Fault):
    """An endpoint stalls until the host clears its halt."""

    endpoint: int = ANSWERS


@dataclass(frozen=True, slots=True)
class Drop(Fault):
    """A transfer is lost."""

    endpoint: int = ANSWERS


@dataclass(frozen=True, slots=True)
class Short(Fault):
    """Only the first `keep` bytes of a transfer arrive."""

    keep: int = 1
    endpoint: int = ANSWERS


@dataclass(frozen=True, slots=True)
class Late(Fault):
    """A transfer, and all that follow it on the endpoint, wait for that many seconds."""

    seconds: float = 1.0
    endpoint: int = ANSWERS


@dataclass(frozen=True, slots=True)
class Duplicate(Fault):
    """A transfer comes twice."""

    endpoint: int = ANSWERS


@dataclass(frozen=True, slots=True)
class Garble(Fault):
    """One byte of a transfer arrives changed: that at `offset`, counted round, exclusive-ored with `mask` (1 to 255)."""

    offset: int = 1
    mask: int = 0x55
    endpoint: int = ANSWERS


@dataclass(frozen=True, slots=True)
class Overflow(Fault):
    """The scanner says that the host was too slow (09); no more pixels of this image come."""


@dataclass(frozen=True, slots=True)
class CrcComplaint(Fault):
    """The scanner says that a command arrived garbled (0E)."""


@dataclass(frozen=True, slots=True)
class Garbage(Fault):
    """Bytes that mean nothing come on the endpoint of answers."""

    data: bytes = b"\x00\xff\x02"


@dataclass(frozen=True, slots=True)
class Silent(Fault):
    """For that many seconds no command is answered. Commands act and events come all the same."""

    seconds: float = 3.0


@dataclass(frozen=True, slots=True)
class OddImage(Fault):
    """The image being sent, or else the next, has this many bytes too many, or too few if negative."""

    excess: int = -1


@dataclass(frozen=True, slots=True)
class Stuck(Fault):
    """A sensor says covered (True) or clear (False) for ever, or works again (None)."""

    sensor: Sensor
    covered: bool | None = True


@dataclass(frozen=True, slots=True)
class Pull(Fault):
    """A hand pulls the sheet out that sticks out at the front."""


@dataclass(frozen=True, slots=True)
class PushSecond(Fault):
    """A hand pushes another sheet in."""

    sheet: Sheet


@dataclass(frozen=True, slots=True)
class OpenCover(Fault):
    """The cover is opened, and closed after that many seconds (None: never)."""

    close_after: float | None = None


@dataclass(frozen=True, slots=True)
class Reboot(Fault):
    """The firmware restarts."""


@dataclass(frozen=True, slots=True)
class PowerCut(Fault):
    """The power fails, and comes back after that many seconds (None: never)."""

    restore_after: float | None = None


@dataclass(frozen=True, slots=True)
class JamScan(Fault):
    """The scan under way, or else the next, ends in a jam."""


@dataclass(frozen=True, slots=True)
class JamEject(Fault):
    """In the motion under way, or else the next, the sheet does not follow the rollers; `reported`: the jam bit comes up."""

    reported: bool = True


@dataclass(frozen=True, slots=True)
class DoubleFeed(Fault):
    """The scan under way, or else the next, is said to be a double feed, whatever the paper."""
