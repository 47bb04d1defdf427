"""When a fault strikes: how the station is brought there, and what happens there anyway."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edge.decision import DispositionKind
from hil.scanner.faults import Command, ImageByte, JamEject, JamScan, Now, Reached, Trigger
from hil.scanner.paper import Place
from tests.faults.stage import IMAGE_BYTES, RETURN_CODE, Stage

Pair = tuple[str, str | None]

AT_ONCE = Now()
UNEVENTFUL: frozenset[Pair] = frozenset(
    {
        # Closed, until the evidence has opened the polls.
        *((state, None) for state in ("starting", "closed", "waiting", "scanning", "interpreting", "accepting")),
        ("holding", "personDecides"),
        *((state, reason) for state in ("returning", "returned") for reason in (RETURN_CODE, "personReturned")),
    }
)
"""What a station may do with the sheets of this suite where nothing goes wrong."""


def _nothing(stage: Stage) -> None:
    del stage


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment.

    Attributes:
        name: What the station does then.
        kind: What the reader says of the sheet.
        trigger: When the fault happens by itself; Now: when `reach` has come back.
        sheet: Whether a sheet is put in.
        reach: Brings the station there, after the sheet was put in.
        leave: What a person does afterwards, beside helping.
        also: What the station does there anyway, beside what is uneventful.
    """

    name: str
    kind: DispositionKind = "accept"
    trigger: Trigger = AT_ONCE
    sheet: bool = True
    reach: Callable[[Stage], None] = _nothing
    leave: Callable[[Stage], None] = _nothing
    also: frozenset[Pair] = frozenset()


def _until(*states: str, reason: str | None = None) -> Callable[[Stage], None]:
    def reach(stage: Stage) -> None:
        stage.station.rig.wait_for(*states, reason=reason)

    return reach


def _until_ejecting(stage: Stage) -> None:
    assert stage.scanner.wait_for(lambda status: status.motion == "ejecting", 10)


def _until_read(stage: Stage) -> None:
    assert stage.reader.called.wait(10)


def _let_read(stage: Stage) -> None:
    stage.reader.gate.set()


def _close_polls(stage: Stage) -> None:
    stage.station.rig.turn_polls(is_open=False)
    stage.station.rig.wait_for("closed")


def _open_polls(stage: Stage) -> None:
    stage.station.rig.turn_polls(is_open=True)


def _jam_in_scan(stage: Stage) -> None:
    stage.scanner.inject(JamScan())
    stage.insert()
    stage.station.rig.wait_for("jammed")


def _open_cover(stage: Stage) -> None:
    stage.scanner.open_cover()
    stage.station.rig.wait_for("cover_open")


def _ask_whereabouts(stage: Stage) -> None:
    """A sheet jams on its way into the box, and somebody takes it out."""
    stage.scanner.inject(JamEject())
    stage.insert()
    stage.station.rig.wait_for("jammed")
    _open_cover(stage)
    stage.scanner.clear_path()
    stage.scanner.close_cover()
    stage.station.rig.wait_for("holding", reason="sheetWhereabouts")


_JAMMED = frozenset(
    {
        ("scanning", "scanJam"),
        *(("jammed", reason) for reason in ("jam", "acceptTimedOut", "returnTimedOut")),
        ("cover_open", None),
        *((state, "scanJam") for state in ("returning", "returned")),
    }
)
_COVER = frozenset({("cover_open", None)})
_WHEREABOUTS = frozenset(
    {
        ("jammed", "jam"),
        ("jammed", "acceptTimedOut"),
        ("cover_open", None),
        ("holding", "sheetWhereabouts"),
        ("returning", "sheetWhereabouts"),
        ("returned", "sheetWhereabouts"),
    }
)

MOMENTS = (
    Moment("starting", trigger=Command(b"V"), sheet=False),
    Moment("waiting", sheet=False),
    Moment("scanning, early", trigger=ImageByte(0)),
    Moment("scanning, mid", trigger=ImageByte(IMAGE_BYTES // 2)),
    Moment("scanning, late", trigger=ImageByte(IMAGE_BYTES)),
    Moment("interpreting", reach=_until_read, leave=_let_read),
    Moment("holding", kind="hold", reach=_until("holding")),
    Moment("accepting, before the motion", trigger=Command(b"M")),
    Moment("accepting, in motion", reach=_until_ejecting),
    Moment("accepting, in the box", trigger=Reached(Place.BOX)),
    Moment("returning", kind="return", reach=_until_ejecting),
    Moment("returned", kind="return", reach=_until("returned")),
    Moment("closed", sheet=False, reach=_close_polls, leave=_open_polls, also=frozenset({("closed", None)})),
    Moment("jammed", sheet=False, reach=_jam_in_scan, also=_JAMMED),
    Moment("cover_open", sheet=False, reach=_open_cover, also=_COVER),
    Moment("whereabouts", sheet=False, reach=_ask_whereabouts, also=_WHEREABOUTS),
)
