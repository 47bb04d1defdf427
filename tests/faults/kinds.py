"""Every kind of fault with sensible parameters, and what a station may say about each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hil.scanner.faults import (
    ANSWERS,
    COMMANDS,
    PIXELS,
    CrcComplaint,
    DoubleFeed,
    Drop,
    Duplicate,
    Fault,
    Garbage,
    Garble,
    JamEject,
    JamScan,
    Late,
    OddImage,
    OpenCover,
    Overflow,
    PowerCut,
    Pull,
    PushSecond,
    Reboot,
    Short,
    Silent,
    Stall,
    Stuck,
    Trigger,
    Yank,
)
from hil.scanner.paper import Sensor
from hil.scanner.sheet import Sheet
from tests.faults.moments import Pair

Make = Callable[[Trigger, Sheet], Fault]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind.

    Attributes:
        name: What goes wrong.
        make: Makes the fault.
        allowed: What the station may say then, beside what is uneventful, and beside what belongs to the moment.
        not_at: Moments at which a hand or the firmware cannot do it.
    """

    name: str
    make: Make
    allowed: frozenset[Pair] = frozenset()
    not_at: frozenset[str] = frozenset()


def _through(*reasons: str, states: tuple[str, ...] = ("scanning", "returning", "returned")) -> frozenset[Pair]:
    """The way of a sheet that goes back for one of these reasons."""
    return frozenset((state, reason) for state in states for reason in reasons)


_BACK = ("returning", "returned")
_COVER: frozenset[Pair] = frozenset({("cover_open", None)})
_ASKED: frozenset[Pair] = _COVER | _through("sheetWhereabouts", states=("holding", "accepting", "disconnected", *_BACK))
"""A cover was opened while a sheet was on its way into the box, and a person must say where it went."""
_GONE: frozenset[Pair] = (
    frozenset({("disconnected", "scannerDisconnected"), ("disconnected", "scannerNotFound")})
    | _through("scannerDisconnected", "paperInside", "paperInFront", states=("accepting", *_BACK))
    | _ASKED
)
_SPEECHLESS: frozenset[Pair] = (
    frozenset({("disconnected", "scannerSilent")}) | _through("scannerSilent", states=("accepting", *_BACK)) | _ASKED
)
_BAD_IMAGE = _through("scanUnreadable", "noImage")
_NO_END = _through("scanTimedOut", "scanUnreadable")
_STUCK: frozenset[Pair] = _ASKED | _through("jam", "acceptTimedOut", "returnTimedOut", "outfeedBlocked", states=("jammed",))
_SCAN_JAM: frozenset[Pair] = _COVER | {("jammed", "jam")} | _through("scanJam", "sheetWithdrawn", "coverOpened", states=_BACK)
_SPEAKS_UP = _through("sheetWithdrawn", "paperInFront", "paperInside")
"""A sensor or a status that lies."""
_BLOCKED: frozenset[Pair] = frozenset({("accepting", "frontBlocked"), ("returned", "paperInFront")})
_DOUBLE = _through("doubleFeed")
_CONFUSED = _through("unexpectedEvent", "scannerFeeding", states=("fault", "starting", *_BACK))

_LOST_WORD = _SPEECHLESS | _NO_END | _STUCK | _SPEAKS_UP
_NOT_HELD = frozenset(
    {
        "waiting",
        "interpreting",
        "holding",
        "accepting, in motion",
        "returning",
        "closed",
        "cover_open",
        "whereabouts",
    }
)
"""Moments at which nothing sticks out at the front."""

KINDS = (
    Kind("cable pulled", lambda at, _: Yank(at=at), _GONE),
    Kind("cable loose", lambda at, _: Yank(at=at, plug_after=0.02), _GONE),
    Kind("stall of commands", lambda at, _: Stall(at=at, endpoint=COMMANDS), _GONE),
    Kind("stall of answers", lambda at, _: Stall(at=at, endpoint=ANSWERS), _GONE),
    Kind("stall of pixels", lambda at, _: Stall(at=at, endpoint=PIXELS), _GONE),
    Kind("lost command", lambda at, _: Drop(at=at, endpoint=COMMANDS), _LOST_WORD),
    Kind("lost answer", lambda at, _: Drop(at=at, endpoint=ANSWERS), _LOST_WORD),
    Kind("lost pixels", lambda at, _: Drop(at=at, endpoint=PIXELS), _BAD_IMAGE),
    Kind("short command", lambda at, _: Short(at=at, endpoint=COMMANDS), _LOST_WORD),
    Kind("short answer", lambda at, _: Short(at=at, endpoint=ANSWERS, keep=3), _LOST_WORD),
    Kind("short pixels", lambda at, _: Short(at=at, endpoint=PIXELS, keep=1001), _BAD_IMAGE),
    Kind("late command", lambda at, _: Late(at=at, endpoint=COMMANDS, seconds=0.1), _LOST_WORD),
    Kind("late answer", lambda at, _: Late(at=at, endpoint=ANSWERS, seconds=0.1), _BAD_IMAGE | _LOST_WORD),
    Kind("very late answer", lambda at, _: Late(at=at, endpoint=ANSWERS, seconds=0.6), _BAD_IMAGE | _LOST_WORD),
    Kind("late pixels", lambda at, _: Late(at=at, endpoint=PIXELS, seconds=0.1), _BAD_IMAGE),
    Kind("command twice", lambda at, _: Duplicate(at=at, endpoint=COMMANDS)),
    Kind("answer twice", lambda at, _: Duplicate(at=at, endpoint=ANSWERS), _CONFUSED | _BAD_IMAGE),
    Kind("pixels twice", lambda at, _: Duplicate(at=at, endpoint=PIXELS)),
    Kind("garbled command", lambda at, _: Garble(at=at, endpoint=COMMANDS), _LOST_WORD),
    Kind("garbled answer", lambda at, _: Garble(at=at, endpoint=ANSWERS), _LOST_WORD),
    Kind("garbled status", lambda at, _: Garble(at=at, endpoint=ANSWERS, offset=2, mask=0x03), _LOST_WORD),
    Kind("overflow", lambda at, _: Overflow(at=at), _through("imageOverflow")),
    Kind("crc complaint", lambda at, _: CrcComplaint(at=at), _BAD_IMAGE),
    Kind("garbage", lambda at, _: Garbage(at=at)),
    Kind("silent for a moment", lambda at, _: Silent(at=at, seconds=0.1), _SPEECHLESS),
    Kind("silent", lambda at, _: Silent(at=at, seconds=0.8), _SPEECHLESS),
    Kind("odd image", lambda at, _: OddImage(at=at), _BAD_IMAGE),
    Kind("row cut short", lambda at, _: OddImage(at=at, excess=-1000)),
    Kind("rear sensor stuck", lambda at, _: Stuck(at=at, sensor=Sensor.REAR_LEFT), _STUCK | _SPEAKS_UP),
    Kind("rear sensor blind", lambda at, _: Stuck(at=at, sensor=Sensor.REAR_LEFT, covered=False)),
    Kind("front sensor stuck", lambda at, _: Stuck(at=at, sensor=Sensor.FRONT_M2), _BLOCKED | _SPEECHLESS),
    Kind("pull", lambda at, _: Pull(at=at), _BAD_IMAGE | _through("sheetWithdrawn") | _STUCK, _NOT_HELD),
    Kind("second sheet", lambda at, second: PushSecond(second, at=at), _DOUBLE | _BLOCKED | _SCAN_JAM | _SPEECHLESS),
    Kind("cover", lambda at, _: OpenCover(at=at), _SCAN_JAM | _ASKED, frozenset({"cover_open"})),
    Kind(
        "cover for a moment",
        lambda at, _: OpenCover(at=at, close_after=0.02),
        _SCAN_JAM | _ASKED,
        frozenset({"cover_open"}),
    ),
    Kind("reboot", lambda at, _: Reboot(at=at), _GONE),
    Kind("power cut", lambda at, _: PowerCut(at=at), _GONE),
    Kind("scan jam", lambda at, _: JamScan(at=at), _SCAN_JAM),
    Kind("eject jam", lambda at, _: JamEject(at=at), _STUCK),
    Kind("eject stops silently", lambda at, _: JamEject(at=at, reported=False), _STUCK),
    Kind("double feed", lambda at, _: DoubleFeed(at=at), _DOUBLE),
)
