"""Faults and triggers in words; the grammar is in `verbs`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

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
from hil.scanner.words import VerbError, Words

_ENDPOINTS = {"commands": COMMANDS, "answers": ANSWERS, "pixels": PIXELS}
_STATES = {"on": True, "off": False, "free": None}
_ESCAPE = "^"
_CODE_LENGTH = 2


def read_fault(words: Words) -> Fault:
    """Take a fault and, if there is one, its trigger. Raises VerbError."""
    fault = _FAULTS[words.among("fault", (*_FAULTS, "push"))](words)
    return replace(fault, at=read_trigger(words))


def read_trigger(words: Words) -> Trigger:
    """Take a trigger, if there is one. Raises VerbError."""
    if not words.skip("at"):
        return Now()
    kind = words.among("trigger", ("image", "transfer", "command", "event", *Place))
    match kind:
        case "image":
            words.need("byte")
            return ImageByte(words.number("the number of a byte"))
        case "transfer":
            count = words.number("the number of a transfer", least=1)
            words.need("on")
            return Transfer(_ENDPOINTS[words.among("endpoint", tuple(_ENDPOINTS))], count)
        case "command":
            return Command(_body(words.next("a command")))
        case "event":
            code = words.next("the code of an event")
            if len(code) != _CODE_LENGTH:
                raise VerbError(f"the code of an event has two characters, such as 31; not '{code}'")
            return Event(code.upper())
        case _:
            return Reached(Place(kind), words.next("the name of a sheet") if words.skip("of") else None)


def read_sensor_state(words: Words) -> tuple[Sensor, bool | None]:
    """Take a sensor and whether it is stuck. Raises VerbError."""
    sensor = Sensor(words.among("sensor", tuple(Sensor)))
    return sensor, _STATES[words.among("state of a sensor", tuple(_STATES))]


def _body(text: str) -> bytes:
    try:
        return text.replace(_ESCAPE, "\x1b").encode("latin-1")
    except UnicodeEncodeError as reason:
        raise VerbError(f"a command has no '{text[reason.start]}'") from reason


def _endpoint(words: Words) -> int:
    return ANSWERS if words.at_trigger else _ENDPOINTS[words.among("endpoint", tuple(_ENDPOINTS))]


def _seconds(words: Words) -> float | None:
    return None if words.at_trigger else words.seconds()


def _garbage(words: Words) -> Fault:
    word = words.next("bytes in hexadecimal digits")
    try:
        return Garbage(bytes.fromhex(word))
    except ValueError as reason:
        raise VerbError(f"bytes in hexadecimal digits expected, not '{word}'") from reason


def _jam(words: Words) -> Fault:
    if words.among("jam", ("scan", "eject")) == "scan":
        return JamScan()
    return JamEject(reported=not words.skip("silently"))


def _double(words: Words) -> Fault:
    words.need("feed")
    return DoubleFeed()


_FAULTS: dict[str, Callable[[Words], Fault]] = {
    "yank": lambda words: Yank(_seconds(words)),
    "power": lambda words: PowerCut(_seconds(words)),
    "cover": lambda words: OpenCover(_seconds(words)),
    "reboot": lambda _: Reboot(),
    "silent": lambda words: Silent(words.seconds()),
    "stall": lambda words: Stall(_endpoint(words)),
    "drop": lambda words: Drop(_endpoint(words)),
    "duplicate": lambda words: Duplicate(_endpoint(words)),
    "garble": lambda words: Garble(endpoint=_endpoint(words)),
    "short": lambda words: Short(words.number("a number of bytes"), _endpoint(words)),
    "late": lambda words: Late(words.seconds(), _endpoint(words)),
    "overflow": lambda _: Overflow(),
    "crc": lambda _: CrcComplaint(),
    "garbage": _garbage,
    "odd": lambda words: OddImage(words.number("a number of bytes", least=-(1 << 24), most=1 << 24)),
    "stuck": lambda words: Stuck(*read_sensor_state(words)),
    "pull": lambda _: Pull(),
    "jam": _jam,
    "double": _double,
}
