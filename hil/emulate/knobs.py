"""`--speed` and `--knob`: how quick the emulated scanner is, and how it decides what the public notes leave open."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import fields, replace
from enum import StrEnum
from typing import Any

from edge.commands.error import CommandError
from hil.scanner.knobs import Behaviour, Timings
from hil.scanner.words import nearest

SPEEDS = {
    "real": Timings(),
    "quick": Timings(
        grab=0.02, scan=0.1, eject=0.1, eject_limit=0.4, command=0.002, boot=0.5, calibration=0.2, calibration_limit=2
    ),
    "instant": Timings.instant(),
}
_TRUTH = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
_SERIAL_NUMBER = "serial_number"


def turned(speed: str, knobs: Iterable[str]) -> tuple[Timings, Behaviour]:
    """The timings of this speed and the default behaviour, with the knobs (`name=value`) turned.

    Raises:
        CommandError: `badUse` for a knob that does not exist, or a value that it cannot have.
    """
    timings, behaviour = SPEEDS[speed], Behaviour()
    for knob in knobs:
        name, separator, text = knob.partition("=")
        if not separator:
            raise CommandError("badUse", f"--knob takes name=value, not {knob!r}")
        if name in _names(timings):
            timings = replace(timings, **{name: _value(name, getattr(Timings(), name), text)})
        elif name == _SERIAL_NUMBER:
            if re.fullmatch("[0-9A-F]{8}", text) is None:
                raise CommandError("badUse", f"--knob {name} takes 8 digits 0-9A-F, not {text!r}")
            behaviour = replace(behaviour, identity=replace(behaviour.identity, serial_number=text))
        elif name in knob_names():
            behaviour = replace(behaviour, **{name: _value(name, getattr(Behaviour(), name), text)})
        else:
            raise CommandError("badUse", f"there is no knob {name!r}{nearest(name, knob_names())}; see docs/emulator.md")
    return timings, behaviour


def knob_names() -> tuple[str, ...]:
    """Every knob, those of time first."""
    return (*_names(Timings()), *(name for name in _names(Behaviour()) if name != "identity"), _SERIAL_NUMBER)


def _names(knobs: Timings | Behaviour) -> tuple[str, ...]:
    return tuple(one.name for one in fields(knobs))


def _value(name: str, default: object, text: str) -> Any:  # noqa: ANN401  each knob has its own type
    try:
        match default:
            case bool():
                return _TRUTH[text]
            case StrEnum():
                return type(default)(text)
            case str():
                return text
            case float():
                return _within(float(text), 0)
            case None:
                return None if text == "none" else _within(int(text, 0), 1)
            case _:
                return _within(int(text, 0), _least(default))
    except (KeyError, ValueError) as error:
        raise CommandError("badUse", f"--knob {name} takes {_taken(default)}, not {text!r}") from error


def _least(default: object) -> int:
    """What is a size or a count by default cannot be 0."""
    return 1 if default else 0


def _within(number: float, least: int) -> float:
    if not least <= number < 1 << 32:
        raise ValueError(number)
    return number


def _taken(default: object) -> str:
    match default:
        case bool():
            return "yes or no"
        case StrEnum():
            return ", ".join(type(default))
        case float():
            return "a number that is not negative"
        case None:
            return "a whole number above 0, or none"
        case _:
            return f"a whole number from {_least(default)} up"
