"""What can go wrong with one sheet: a fault at a random moment, chosen with a seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from edge.decision import DispositionKind
from hil.scanner.faults import (
    ANSWERS,
    COMMANDS,
    PIXELS,
    Command,
    CrcComplaint,
    DoubleFeed,
    Drop,
    Duplicate,
    Event,
    Fault,
    Garbage,
    Garble,
    ImageByte,
    JamEject,
    JamScan,
    Late,
    Now,
    OddImage,
    OpenCover,
    Overflow,
    PowerCut,
    Pull,
    PushSecond,
    Reached,
    Reboot,
    Short,
    Silent,
    Stall,
    Stuck,
    Transfer,
    Trigger,
    Yank,
)
from hil.scanner.paper import Place, Sensor
from hil.scanner.sheet import Sheet

_ENDPOINTS = (COMMANDS, ANSWERS, PIXELS)
_IMAGE_BYTES = 7_600_000
_LONGEST_DELAY = 0.25
"""Longer than a sheet usually takes: some mishaps strike a station at rest."""
_ONLY_ON_THE_WAY: dict[DispositionKind, tuple[Trigger, ...]] = {
    "accept": (Command(b"M"), Command(b"3"), Reached(Place.BOX)),
    "return": (Command(b"N"), Command(b"1")),
    "hold": (),
}
"""Moments that only a sheet with this end meets."""


@dataclass(frozen=True, slots=True)
class Mishap:
    """One fault.

    Attributes:
        kind: What it is called in the report.
        fault: What happens.
        delay: Seconds after the sheet was put in; None: the fault has a trigger, and is arranged before.
    """

    kind: str
    fault: Fault
    delay: float | None


def _seconds(rng: Random) -> float:
    return rng.choice((0.01, 0.05, 0.2, 0.6))


_MAKERS: dict[str, Callable[[Random, Trigger, Sheet], Fault]] = {
    "yank": lambda _, at, __: Yank(at=at),
    "stall": lambda rng, at, _: Stall(at=at, endpoint=rng.choice(_ENDPOINTS)),
    "drop": lambda rng, at, _: Drop(at=at, endpoint=rng.choice(_ENDPOINTS)),
    "short": lambda rng, at, _: Short(at=at, endpoint=rng.choice(_ENDPOINTS), keep=rng.randrange(6)),
    "late": lambda rng, at, _: Late(at=at, endpoint=rng.choice(_ENDPOINTS), seconds=_seconds(rng)),
    "duplicate": lambda rng, at, _: Duplicate(at=at, endpoint=rng.choice((COMMANDS, ANSWERS))),
    "garble": lambda rng, at, _: Garble(
        at=at, endpoint=rng.choice((COMMANDS, ANSWERS)), offset=rng.randrange(16), mask=rng.randrange(1, 256)
    ),
    "overflow": lambda _, at, __: Overflow(at=at),
    "crc complaint": lambda _, at, __: CrcComplaint(at=at),
    "garbage": lambda rng, at, _: Garbage(at=at, data=rng.randbytes(rng.randrange(1, 40))),
    "silent": lambda rng, at, _: Silent(at=at, seconds=_seconds(rng)),
    "odd image": lambda rng, at, _: OddImage(at=at, excess=rng.choice((-5000, -1, 1, 5000))),
    "stuck sensor": lambda rng, at, _: Stuck(at=at, sensor=rng.choice(tuple(Sensor)), covered=rng.random() < 0.7),
    "pull": lambda _, at, __: Pull(at=at),
    "second sheet": lambda _, at, second: PushSecond(second, at=at),
    "cover": lambda rng, at, _: OpenCover(at=at, close_after=rng.choice((None, 0.02, 0.2))),
    "reboot": lambda _, at, __: Reboot(at=at),
    "power cut": lambda _, at, __: PowerCut(at=at),
    "scan jam": lambda _, at, __: JamScan(at=at),
    "eject jam": lambda rng, at, _: JamEject(at=at, reported=rng.random() < 0.5),
    "double feed": lambda _, at, __: DoubleFeed(at=at),
}
KINDS = tuple(_MAKERS)


def random_mishap(rng: Random, ballot: DispositionKind, second: Sheet) -> Mishap:
    """Choose what goes wrong, and when.

    Args:
        rng: Decides.
        ballot: What becomes of the sheet where nothing goes wrong: a trigger that it would not meet would wait for a later sheet,
            and two mishaps at once can deceive anybody.
        second: A sheet to be pushed in, if that is what happens.
    """
    kind = rng.choice(KINDS)
    if rng.random() < 0.5:
        return Mishap(kind, _MAKERS[kind](rng, Now(), second), rng.uniform(0, _LONGEST_DELAY))
    moments: tuple[Trigger, ...] = (
        ImageByte(rng.randrange(_IMAGE_BYTES)),
        ImageByte(rng.choice((0, 1, _IMAGE_BYTES))),
        Event("30"),
        Event("31"),
        Command(b"9"),
        Command(b"Q"),
        Reached(Place.SPANNING),
        Reached(Place.ESCROW),
        Transfer(rng.choice(_ENDPOINTS), rng.randint(1, 4)),
        *_ONLY_ON_THE_WAY[ballot],
    )
    return Mishap(kind, _MAKERS[kind](rng, rng.choice(moments), second), None)
