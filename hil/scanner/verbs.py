"""A language for playing voter, technician and bad luck: one verb per line.

    insert FRONT BACK [as NAME]     put a new sheet to the front; image files, 200 dpi; without NAME it is called after FRONT
    insert NAME...                  put in sheets seen before or from the stack; several lie on top of each other
    push FRONT BACK [as NAME]       push a second sheet in, whatever is already there
    push NAME
    remove                          take the sheet that lies at the front
    pull                            pull out what sticks out at the front, even while it is drawn in
    open cover | close cover
    clear path [into box]           with the cover open: take all paper out, or push what is at the rear into the box
    cut power | restore power
    unplug | plug
    stick SENSOR on|off|free        a sensor says covered, or clear, or works again
    fault FAULT [at TRIGGER]        something goes wrong, now or when the trigger is met
    wait SECONDS
    wait until CONDITION within SECONDS
    show                            where everything is
    help
    quit

    FAULT      yank [SECONDS until it is plugged in again] | power [SECONDS] | cover [SECONDS] | reboot | silent SECONDS
               stall [ENDPOINT] | drop [ENDPOINT] | duplicate [ENDPOINT] | garble [ENDPOINT]
               short BYTES [ENDPOINT] | late SECONDS [ENDPOINT]
               overflow | crc | garbage HEX | odd BYTES (too many; with a minus, too few)
               stuck SENSOR on|off|free | pull | push NAME | jam scan | jam eject [silently] | double feed
    TRIGGER    image byte N | transfer N on ENDPOINT | command TEXT (^ is the escape byte) | event CODE | PLACE [of NAME]
    CONDITION  box N | NAME in PLACE | motion WORD | plugged | unplugged | jammed | front covered|clear | rear covered|clear
    ENDPOINT   commands answers pixels; answers if left out
    PLACE      hand front inside spanning escrow box
    SENSOR     rear-left rear-right front-left front-m1 front-m2 front-m3 front-m4

`#` begins a comment. A word with a space or `#` in it is put between quotes. A word with `.` or `/` in it is an image file.
"""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from hil.scanner.fault_words import read_fault, read_sensor_state, read_trigger
from hil.scanner.faults import Fault, Trigger
from hil.scanner.paper import Place, Sensor
from hil.scanner.words import VerbError, Words, nearest

GRAMMAR = __doc__ or ""
_MOTIONS = ("off", "booting", "still", "scanning", "ejecting", "paused", "calibrating")


@dataclass(frozen=True, slots=True)
class NewSheet:
    """A sheet from two image files; `name` None: called after the first."""

    front: str
    back: str
    name: str | None


@dataclass(frozen=True, slots=True)
class Insert:
    """Put a new sheet, or those of these names, to the front; `pushed`: whatever is already there."""

    sheets: NewSheet | tuple[str, ...]
    pushed: bool = False


@dataclass(frozen=True, slots=True)
class Plain:
    """A verb without objects, as in the grammar."""

    words: str


@dataclass(frozen=True, slots=True)
class Stick:
    """Make a sensor say covered or clear; None: let it see again."""

    sensor: Sensor
    covered: bool | None


@dataclass(frozen=True, slots=True)
class Inject:
    """Arrange for a fault."""

    fault: Fault


@dataclass(frozen=True, slots=True)
class InjectPush:
    """Arrange for the sheet of that name to be pushed in."""

    name: str
    at: Trigger


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Condition:
    """What can be waited for.

    Attributes:
        kind: Its first word in the grammar; `sheet` for a sheet in a place.
        word: The motion, or the sheet's name.
        number: The number of sheets.
        place: The sheet's place.
        wanted: False for the opposite: unplugged, clear.
    """

    kind: Literal["box", "sheet", "motion", "plugged", "jammed", "front", "rear"]
    word: str = ""
    number: int = 0
    place: Place = Place.HAND
    wanted: bool = True


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """Wait until a condition holds, at most so long."""

    condition: Condition
    seconds: float


Verb = Insert | Plain | Stick | Inject | InjectPush | Wait | WaitUntil


def parse(line: str) -> Verb | None:
    """Understand one line.

    Args:
        line: With or without its line end.

    Returns:
        The verb; None for an empty line or a comment.

    Raises:
        VerbError: The line is not understood; and nothing else, whatever the line is.
    """
    try:
        words = shlex.split(line, comments=True)
    except ValueError as reason:
        raise VerbError(f"a quote is not closed ({reason})") from reason
    if not words:
        return None
    if " ".join(words) in _PLAIN:
        return Plain(" ".join(words))
    if words[0] not in _VERBS:
        raise VerbError(_unknown(words))
    rest = Words(words[1:])
    verb = _VERBS[words[0]](rest)
    rest.end()
    return verb


def _unknown(words: list[str]) -> str:
    first = tuple(dict.fromkeys([plain.split()[0] for plain in _PLAIN] + list(_VERBS)))
    if words[0] in first:
        ways = " or ".join(f"'{plain}'" for plain in _PLAIN if plain.split()[0] == words[0])
        return f"{ways} expected, not '{' '.join(words)}'"
    whole = difflib.get_close_matches(" ".join(words), _PLAIN, n=1, cutoff=0.7)
    hint = f" (perhaps '{whole[0]}')" if whole else nearest(words[0], first)
    return f"'{words[0]}' is no verb{hint}; known: {', '.join(first)}"


def _insert(words: Words) -> Verb:
    return Insert(_sheets(words))


def _push(words: Words) -> Verb:
    sheets = _sheets(words)
    if isinstance(sheets, tuple) and len(sheets) > 1:
        raise VerbError("only one sheet can be pushed in at a time")
    return Insert(sheets, pushed=True)


def _sheets(words: Words) -> NewSheet | tuple[str, ...]:
    found = words.rest()
    name = None
    if len(found) > 1 and found[-2] == "as":
        name = found[-1]
        del found[-2:]
    if not found:
        raise VerbError("two image files, or the names of sheets expected")
    if name is None and not any("." in word or "/" in word for word in found):
        return tuple(found)
    if len(found) != 2:
        raise VerbError(f"the image files of a front and a back expected, not '{' '.join(found)}'")
    return NewSheet(found[0], found[1], name)


def _stick(words: Words) -> Verb:
    return Stick(*read_sensor_state(words))


def _fault(words: Words) -> Verb:
    if words.skip("push"):
        return InjectPush(words.next("the name of a sheet"), read_trigger(words))
    return Inject(read_fault(words))


def _wait(words: Words) -> Verb:
    if not words.skip("until"):
        return Wait(words.seconds())
    condition = _condition(words)
    words.need("within")
    return WaitUntil(condition, words.seconds())


def _condition(words: Words) -> Condition:
    match words.next("a condition"):
        case "box":
            return Condition("box", number=words.number("a number of sheets"))
        case "motion":
            return Condition("motion", words.among("motion", _MOTIONS))
        case "plugged":
            return Condition("plugged")
        case "unplugged":
            return Condition("plugged", wanted=False)
        case "jammed":
            return Condition("jammed")
        case "front" | "rear" as end:
            return Condition(end, wanted=words.among("state of the sensors", ("covered", "clear")) == "covered")
        case name:
            words.need("in")
            return Condition("sheet", name, place=Place(words.among("place", tuple(Place))))


_PLAIN = (
    *("remove", "pull", "open cover", "close cover", "clear path", "clear path into box", "cut power", "restore power"),
    *("unplug", "plug", "show", "help", "quit"),
)
_VERBS: dict[str, Callable[[Words], Verb]] = {
    "insert": _insert,
    "push": _push,
    "stick": _stick,
    "fault": _fault,
    "wait": _wait,
}
