"""What a person can type: the verbs of the emulated scanner, and those of the panel and the station beside it."""

from __future__ import annotations

import itertools
import shlex
import time
from collections.abc import Callable, Iterable
from typing import Literal, TextIO

from edge.station.config import StationConfig
from edge.station.config_sections import InputName
from edge.station.state import StateName
from edge.station.status import StatusError, read_status
from hil.emulate.lamps import LINES, Look, row
from hil.panel.panel import EmulatedPanel
from hil.scanner.console import Console
from hil.scanner.emulator import EmulatedScanner
from hil.scanner.paper import IllegalMove, Place
from hil.scanner.sheet import Sheet
from hil.scanner.verbs import Insert, parse
from hil.scanner.words import VerbError, Words, nearest

GRAMMAR = """\
With --panel:

    press cast | press return       the buttons
    polls open | polls close        the key switch
    wait until LAMP lit|dark within SECONDS

With --folder:

    wait until station STATE [for REASON] within SECONDS

    LAMP       accept reject review ready fault buzzer
    STATE      starting disconnected cover_open closed waiting scanning interpreting holding accepting returning returned
               jammed fault
    REASON     a code of the station's status

A sheet of the folder that is in the box can be inserted again: then it is a copy, called NAME-2, NAME-3 and so on.
"""

_OWN = ("press", "polls")
_LOOK_AGAIN_S = 0.02


class StationVerbs:
    """Understands lines and does what they say, to the scanner, the panel and the station.

    Args:
        scanner: Started by the caller.
        out: Where answers go.
        sheets: Those that can be inserted by name.
        config: The station's; None without a folder.
        panel: None without one.
    """

    def __init__(
        self,
        scanner: EmulatedScanner,
        out: TextIO,
        sheets: Iterable[Sheet] = (),
        config: StationConfig | None = None,
        panel: EmulatedPanel | None = None,
    ) -> None:
        self._scanner = scanner
        self._out = out
        self._stack = {sheet.name: sheet for sheet in sheets}
        self._console = Console(scanner, out, self._stack.values())
        self._config = config
        self._panel = panel

    def check(self, line: str) -> None:
        """Understand a line and do nothing. Raises VerbError for one that can never be done."""
        if self._own(line) is None:
            self._parsed(line)

    def do(self, line: str) -> bool:
        """Do what one line says.

        Returns:
            False if it said to quit.

        Raises:
            VerbError: It is not understood, cannot be done, or a condition did not come about in time.
        """
        own = self._own(line)
        if own is not None:
            own()
            return True
        verb = self._parsed(line)
        if isinstance(verb, Insert) and isinstance(verb.sheets, tuple) and not verb.pushed:
            self._insert(verb.sheets)
            return True
        going_on = self._console.do(line)
        match line.split():
            case ["show", *_]:
                self._show()
            case ["help", *_]:
                print(GRAMMAR, file=self._out, flush=True)
        return going_on

    def _parsed(self, line: str) -> object:
        try:
            return parse(line)
        except VerbError as error:
            first = shlex.split(line, comments=True)[:1] if "is no verb" in str(error) else []
            hint = "".join(nearest(word, _OWN) for word in first)
            more = f"; with --panel also {' and '.join(_OWN)}{hint}" if first else ""
            raise VerbError(f"{error}{more}") from error

    def _own(self, line: str) -> Callable[[], None] | None:
        """What a line of our own asks for; None for a line of the scanner's."""
        try:
            words = shlex.split(line, comments=True)
        except ValueError:
            return None  # the scanner's console says what is wrong with it
        rest = Words(words[1:])
        match words:
            case ["press", *_]:
                act = self._pressing(rest.among("button", ("cast", "return")) == "cast")
            case ["polls", *_]:
                act = self._turning(rest.among("position of the key", ("open", "close")) == "open")
            case ["wait", "until", "station", *_] if words[3:4] != ["in"]:
                rest = Words(words[3:])
                act = self._awaiting_state(rest)
            case ["wait", "until", lamp, "lit" | "dark" as level, *_] if lamp in LINES:
                rest = Words(words[4:])
                rest.need("within")
                act = self._awaiting_lamp(lamp, level == "lit", rest.seconds())
            case _:
                return None
        rest.end()
        return act

    def _pressing(self, is_cast: bool) -> Callable[[], None]:
        button: Literal["cast", "return"] = "cast" if is_cast else "return"
        panel = self._panel_with(button)
        return lambda: panel.press(button)

    def _turning(self, opened: bool) -> Callable[[], None]:
        panel = self._panel_with("polls")
        return lambda: panel.turn_polls(opened=opened)

    def _panel_with(self, contact: InputName) -> EmulatedPanel:
        if self._panel is None or self._config is None:
            raise VerbError("there is no panel; start with --panel")
        if contact not in self._config.panel.inputs.wired():
            raise VerbError(f"this station's panel has no {contact}: it has no number under [panel.inputs]")
        return self._panel

    def _awaiting_lamp(self, lamp: str, lit: bool, seconds: float) -> Callable[[], None]:
        panel = self._panel
        if panel is None:
            raise VerbError("there is no panel; start with --panel")

        def wait() -> None:
            try:
                panel.wait_for(lambda seen: (lamp in seen.lit) is lit, seconds)
            except TimeoutError as error:
                raise VerbError(f"{lamp} was not {'lit' if lit else 'dark'} within {seconds:g} seconds") from error

        return wait

    def _awaiting_state(self, words: Words) -> Callable[[], None]:
        state = words.among("state", tuple(StateName))
        reason = words.next("a reason") if words.skip("for") else None
        words.need("within")
        seconds = words.seconds()
        if self._config is None:
            raise VerbError("there is no station to wait for; start with --folder")
        path = self._config.status.socket

        def wait() -> None:
            end = time.monotonic() + seconds
            while True:
                try:
                    document = read_status(path)
                    if document.state == state and reason in {None, document.reason}:
                        return
                    told = f"it is {document.state}" + (f" ({document.reason})" if document.reason else "")
                except StatusError as error:
                    told = error.detail
                if time.monotonic() >= end:
                    raise VerbError(f"the station was not {state} within {seconds:g} seconds: {told}")
                time.sleep(_LOOK_AGAIN_S)

        return wait

    def _insert(self, names: tuple[str, ...]) -> None:
        sheets = [self._at_hand(name) for name in names]
        try:
            self._scanner.insert(*sheets)
        except IllegalMove as error:
            known = f"; known: {', '.join(self._stack)}" if self._stack and "no sheet is called" in str(error) else ""
            raise VerbError(f"{error}{known}") from error
        for name, sheet in zip(names, sheets, strict=True):
            called = sheet.name if isinstance(sheet, Sheet) else sheet
            if called != name:
                print(f"{name} is in the box; this one is called {called}", file=self._out, flush=True)

    def _at_hand(self, name: str) -> Sheet | str:
        """The sheet of that name; where one of the folder is in the box, the first copy that is not."""
        places = self._scanner.describe().places
        if name not in self._stack or places.get(name) is not Place.BOX:
            return self._stack.get(name, name)
        copies = (f"{name}-{number}" for number in itertools.count(2))
        called = next(copy for copy in copies if places.get(copy) is not Place.BOX)
        original = self._stack[name]
        return called if called in places else Sheet(called, original.top, original.bottom)

    def _show(self) -> None:
        if self._panel is not None:
            print(f"panel:   {row(dict.fromkeys(self._panel.lit, Look.LIT))}".rstrip(), file=self._out, flush=True)
        if self._config is not None:
            try:
                document = read_status(self._config.status.socket)
                told = f"{document.state}, {document.count} counted. {document.sentence}"
            except StatusError as error:
                told = error.detail
            print(f"station: {told}", file=self._out, flush=True)
