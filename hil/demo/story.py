"""What happens to each ballot of the demo: a voter puts it in, the station decides, a poll worker does what the panel asks."""

from __future__ import annotations

import time
from dataclasses import dataclass

from hil.demo.screen import Screen
from hil.emulate.ballots import BALLOTS, Ballot
from hil.paper.truth import Wish
from hil.rig.process import StationProcess
from hil.scanner.emulator import EmulatedScanner
from hil.scanner.faults import JamScan
from hil.scanner.sheet import Sheet

_LAMP_S = 10.0
_BY_NAME = {ballot.name: ballot for ballot in BALLOTS}
_JAMMED = Ballot(
    "jammed",
    "creased: it jams",
    "accept",
    "",
    (Wish("c-0-1", "c-0-1-1"), Wish("c-0-3", "c-0-3-1"), Wish("c-0-5", "c-0-5-yes"), Wish("c-1-2", "c-1-2-2")),
    9,
)
STACK = (*(_BY_NAME[name] for name in ("good", "overvoted", "other-election", "upside-down", "streaked")), _JAMMED)
"""The ballots in the order in which they are put in."""


class StoryError(Exception):
    """The station did not do what was meant; the message says what it did instead."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What became of a ballot: in words, and whether it is in the box."""

    ballot: Ballot
    words: str
    accepted: bool


class Story:
    """Plays the voters and the poll worker.

    Args:
        station: At work, its polls closed.
        scanner: The one that it uses.
        screen: Where it is told.
        breath: Seconds that a person takes to act.
    """

    def __init__(self, station: StationProcess, scanner: EmulatedScanner, screen: Screen, breath: float) -> None:
        self._station = station
        self._scanner = scanner
        self._screen = screen
        self._breath = breath
        self._count = 0

    def open_polls(self) -> None:
        """Turn the key."""
        self._station.wait_for("closed")
        self._tell("The poll worker turns the key: the polls are open.")
        self._station.panel.turn_polls(opened=True)
        self._await_ready()

    def close_polls(self) -> None:
        """Turn it back."""
        self._tell("The poll worker turns the key: the polls are closed.")
        self._station.panel.turn_polls(opened=False)
        self._station.wait_for("closed", count=self._count)

    def feed(self, number: int, ballot: Ballot, sheet: Sheet) -> Ending:
        """Have a ballot put in, and do what the panel then asks.

        Raises:
            StoryError: It did not end as meant.
        """
        time.sleep(self._breath / 2)
        self._screen.story(f"Sheet {number}, {ballot.name}: {ballot.sentence}.", after_blank=True)
        if ballot is _JAMMED:
            self._jam(sheet)
            self._tell("The voter smooths the sheet and puts it in again.")
        before = len(self._station.panel.changes)
        self._scanner.insert(sheet)
        words = self._decided(ballot, before)
        self._await_ready()
        return Ending(ballot, words, ballot.ends == "accept")

    def _decided(self, ballot: Ballot, before: int) -> str:
        """What the station decides, and what people then do; `before`: changes of the lamps until the sheet was put in."""
        if ballot.ends == "accept":
            self._count += 1
            self._station.wait_for("waiting", count=self._count)
            self._station.panel.wait_for(
                lambda panel: any((change.name, change.state) == ("accept", "lit") for change in panel.changes[before:]), _LAMP_S
            )
            return "accepted, after the jam was cleared" if ballot is _JAMMED else "accepted"
        if ballot.ends == "return":
            self._take_back(ballot, ballot.reason)
            return f"returned ({ballot.reason})"
        self._station.wait_for("holding")
        self._tell("The voter would rather mark a new ballot: the poll worker presses return.")
        self._station.panel.press("return")
        self._take_back(ballot, "personReturned")
        return f"held ({ballot.reason}), returned at the voter's wish"

    def _take_back(self, ballot: Ballot, reason: str) -> None:
        status = self._station.wait_for("returned")
        codes = () if status.last_sheet is None else status.last_sheet["reasons"]
        if status.reason != reason or not isinstance(codes, tuple) or ballot.reason not in codes:
            raise StoryError(f"{ballot.name} was returned for {status.reason}, {codes}; meant was {reason}, {ballot.reason}")
        self._tell("The voter takes the sheet back.")
        self._scanner.remove()

    def _jam(self, sheet: Sheet) -> None:
        self._scanner.inject(JamScan())
        self._scanner.insert(sheet)
        self._station.wait_for("jammed")
        self._tell("The poll worker opens the cover, takes the sheet out and closes the cover.")
        self._scanner.open_cover()
        self._station.wait_for("cover_open")
        time.sleep(self._breath)
        self._scanner.clear_path()
        self._scanner.close_cover()
        self._await_ready()

    def _await_ready(self) -> None:
        """Wait until the ready lamp, and no other, asks for the next sheet."""
        self._station.wait_for("waiting", count=self._count)
        self._station.panel.wait_for(lambda panel: panel.lit == {"ready"}, _LAMP_S)

    def _tell(self, text: str) -> None:
        """A person sees what the panel shows, and then acts."""
        time.sleep(self._breath)
        self._screen.story(text)
