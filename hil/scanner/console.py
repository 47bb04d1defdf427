"""Carries out verbs on an emulated scanner and says what came of them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from edge.image_file import ImageFileError, read_image
from hil.scanner.emulator import EmulatedScanner, Status
from hil.scanner.faults import PushSecond
from hil.scanner.paper import FRONT_SENSORS, REAR_SENSORS, IllegalMove
from hil.scanner.sheet import Sheet
from hil.scanner.verbs import (
    GRAMMAR,
    Condition,
    Inject,
    InjectPush,
    Insert,
    NewSheet,
    Plain,
    Stick,
    Verb,
    Wait,
    WaitUntil,
    parse,
)
from hil.scanner.words import VerbError


class Console:
    """Understands lines and does what they say.

    Args:
        scanner: What is played with; started by the caller.
        out: Where answers to `show` and `help` go.
        stack: Sheets that can be inserted by name.
    """

    def __init__(self, scanner: EmulatedScanner, out: TextIO, stack: Iterable[Sheet] = ()) -> None:
        self._scanner = scanner
        self._out = out
        self._stack = {sheet.name: sheet for sheet in stack}

    def do(self, line: str) -> bool:
        """Do what one line says.

        Args:
            line: As described in `verbs`.

        Returns:
            False if it said to quit.

        Raises:
            VerbError: It is not understood, cannot be done, or a condition did not come about in time.
        """
        verb = parse(line)
        if verb == Plain("quit"):
            return False
        if verb:
            try:
                self._do(verb)
            except (IllegalMove, ImageFileError, ValueError) as reason:
                raise VerbError(str(reason)) from reason
        return True

    def follow(self, lines: Iterable[str], *, strict: bool) -> None:
        """Do what lines say until the last or `quit`.

        Args:
            lines: Such as a script or standard input.
            strict: Stop at the first line that cannot be done, with VerbError that names it; otherwise say it and go on.
        """
        for number, line in enumerate(lines, 1):
            try:
                if not self.do(line):
                    return
            except VerbError as reason:
                if strict:
                    raise VerbError(f"line {number}: {reason}") from reason
                print(reason, file=self._out, flush=True)

    def _do(self, verb: Verb) -> None:
        scanner = self._scanner
        match verb:
            case Insert(sheets=sheets, pushed=pushed):
                found = [_new(sheets)] if isinstance(sheets, NewSheet) else [self._stack.get(name, name) for name in sheets]
                if pushed:
                    scanner.push_second(found[0])
                else:
                    scanner.insert(*found)
                self._stack.update({sheet.name: sheet for sheet in found if isinstance(sheet, Sheet)})
            case Stick(sensor=sensor, covered=covered):
                scanner.stick(sensor, covered)
            case Inject(fault=fault):
                scanner.inject(fault)
            case InjectPush(name=name, at=at):
                scanner.inject(PushSecond(self._sheet(name), at=at))
            case Wait(seconds=seconds):
                time.sleep(seconds)
            case WaitUntil(condition=condition, seconds=seconds):
                if not scanner.wait_for(lambda status: holds(condition, status), seconds):
                    raise VerbError(f"it did not come about within {seconds:g} seconds\n{told(scanner.describe())}")
            case Plain(words=words):
                self._do_plain(words)

    def _do_plain(self, words: str) -> None:
        scanner = self._scanner
        match words:
            case "show":
                print(told(scanner.describe()), file=self._out, flush=True)
            case "help":
                print(GRAMMAR, file=self._out, flush=True)
            case "clear path":
                scanner.clear_path()
            case "clear path into box":
                scanner.clear_path(into_box=True)
            case _:
                getattr(scanner, words.replace(" ", "_"))()

    def _sheet(self, name: str) -> Sheet:
        if name not in self._stack:
            raise VerbError(f"no sheet is called {name}; known: {', '.join(self._stack) or 'none'}")
        return self._stack[name]


def _new(new: NewSheet) -> Sheet:
    return Sheet(new.name or Path(new.front).stem, read_image(new.front), read_image(new.back))


def holds(condition: Condition, status: Status) -> bool:
    """Whether a condition is true of a snapshot."""
    match condition.kind:
        case "box":
            return len(status.box) == condition.number
        case "sheet":
            return status.places.get(condition.word) is condition.place
        case "motion":
            return status.motion == condition.word
        case "plugged":
            return status.plugged is condition.wanted
        case "jammed":
            return status.jammed
        case "front":
            return bool(status.covered.intersection(FRONT_SENSORS)) is condition.wanted
        case "rear":
            return bool(status.covered.intersection(REAR_SENSORS)) is condition.wanted


def told(status: Status) -> str:
    """Describe a snapshot in a few lines."""
    states = [status.motion, "plugged" if status.plugged else "unplugged", "feeder on" if status.feeder else "feeder off"]
    states += ["cover open"] * status.cover_open + ["jammed"] * status.jammed
    lines = [
        "scanner: " + ", ".join(states),
        "sensors: " + (", ".join(sorted(status.covered)) or "all clear"),
        "sheets:  " + (", ".join(f"{name} in {place}" for name, place in status.places.items()) or "none"),
        "box:     " + (", ".join(status.box) or "empty"),
    ]
    return "\n".join(lines + [f"failed:  {failure}" for failure in status.failures])
