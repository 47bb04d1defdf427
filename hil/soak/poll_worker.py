"""The people around a station, who can see the paper: they help, and they answer truthfully."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Literal

from edge.station.status import StatusDocument
from hil.rig.station import StationRig
from hil.scanner.emulator import EmulatedScanner, Status
from hil.scanner.paper import IllegalMove, Place, Sensor

Button = Literal["cast", "return"]

_LOOK_SECONDS = 0.004
_PATIENCE_SECONDS = 0.08
"""How long paper must have lain at the front, with nothing turning, before its owner takes it away unasked."""
_IN_THE_WAY = frozenset({Place.FRONT, Place.INSIDE, Place.SPANNING, Place.ESCROW})


class PollWorker:
    """Looks at the station and at the paper, again and again, and does what a helpful person would do.

    Args:
        rig: The station.
        decide: What is pressed when a sheet is held; by default it is given back.
        boxed_before: Sheets in boxes that were taken away.
        takes_out: Whether a sheet that is found under an open cover is taken out; by default always.
    """

    def __init__(
        self,
        rig: StationRig,
        decide: Callable[[], Button] = lambda: "return",
        *,
        boxed_before: int = 0,
        takes_out: Callable[[], bool] = lambda: True,
    ) -> None:
        self.boxed_before = boxed_before
        self._rig = rig
        self._decide = decide
        self._takes_out = takes_out
        self._answered: StatusDocument | None = None
        self._lain_since: float | None = None

    @property
    def boxed(self) -> int:
        """How many sheets are truly in the box, or were when it was taken away."""
        return self.boxed_before + len(self._rig.scanner.describe().box)

    def until_rest(self, seconds: float) -> StatusDocument:
        """Help until the station takes the next sheet, and nothing but that is in the way of one.

        Raises:
            TimeoutError: The station did not come back.
        """
        limit = time.monotonic() + seconds
        while True:
            document, status = self._rig.watch.latest, self._rig.scanner.describe()
            if _at_rest(document, status):
                return document
            if time.monotonic() > limit:
                raise TimeoutError(self._story(status))
            self.help(document, status)
            time.sleep(_LOOK_SECONDS)

    def help(self, document: StatusDocument, status: Status) -> None:
        """Do one thing, if there is one to be done. What has changed since it was looked at cannot be done any more."""
        with suppress(IllegalMove):
            if not self._plug_in(status) and not self._work_under_cover(document, status):
                if status.motion == "paused":
                    # Whatever the station says: paper in the mouth, or dirt that looks like it, keeps a sheet from moving on.
                    self._free_mouth(status)
                else:
                    self._answer(document, status)

    def _plug_in(self, status: Status) -> bool:
        scanner = self._rig.scanner
        if status.motion == "off":
            scanner.restore_power()
        elif status.motion != "booting" and not status.plugged:
            scanner.plug()
        else:
            return status.motion == "booting"
        return True

    def _work_under_cover(self, document: StatusDocument, status: Status) -> bool:
        """Whoever opened the cover waits until the station has seen it: hands under a cover it takes for closed deceive it."""
        scanner = self._rig.scanner
        if not status.cover_open:
            if document.state == "jammed":
                scanner.open_cover()
            return document.state == "jammed"
        if document.reason == "sheetWhereabouts":
            # The question first: the cover does not matter to it.
            return False
        if document.state == "cover_open":
            if status.jammed or self._takes_out():
                with suppress(IllegalMove):
                    scanner.clear_path()
            wipe_sensors(scanner)
            scanner.close_cover()
        return True

    def _answer(self, document: StatusDocument, status: Status) -> None:
        at_front = Place.FRONT in status.places.values()
        match document.state, document.reason:
            case "holding", _ if document is not self._answered:
                self._answered = document
                if document.reason == "sheetWhereabouts":
                    self._rig.press("cast" if self.boxed > document.count else "return")
                else:
                    self._rig.press(self._decide())
            case ("returned", _) | ("accepting", "frontBlocked"):
                self._free_mouth(status)
            case "waiting" | "closed", _ if (
                at_front and status.motion == "still" and (status.feeder or document.polls == "closed")
            ):
                self._take_unasked()
            case _:
                self._lain_since = None

    def _free_mouth(self, status: Status) -> None:
        if Place.FRONT in status.places.values():
            self._rig.scanner.remove()
        else:
            wipe_sensors(self._rig.scanner)

    def _take_unasked(self) -> None:
        now = time.monotonic()
        if self._lain_since is None:
            self._lain_since = now
        elif now - self._lain_since > _PATIENCE_SECONDS:
            self._lain_since = None
            self._rig.scanner.remove()

    def _story(self, status: Status) -> str:
        said = [f"{document.state} ({document.reason})" for document in list(self._rig.watch.documents)[-12:]]
        paper = {name: str(place) for name, place in status.places.items() if place in _IN_THE_WAY}
        return f"no rest; the station said {', '.join(said)}; {status.motion}, paper {paper}, covered {sorted(status.covered)}"


def wipe_sensors(scanner: EmulatedScanner) -> None:
    """Let every sensor see again."""
    for sensor in Sensor:
        scanner.stick(sensor, None)


def _at_rest(document: StatusDocument, status: Status) -> bool:
    ready = status.plugged and status.feeder and status.motion == "still" and not status.cover_open
    return document.state == "waiting" and ready and _IN_THE_WAY.isdisjoint(status.places.values())
