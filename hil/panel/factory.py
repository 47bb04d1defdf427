"""The station's side of the emulated panel: gpiozero's mock pins, mirrored over a unix socket.

One thread does all talking, so that setting a lamp never waits for the other end. While no panel listens every contact is open,
and the station goes on; when a panel listens again it is told how every line is.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections import deque
from pathlib import Path

from gpiozero.pins.mock import MockFactory, MockPin

from hil.panel.messages import Contact, Line, LineBuffer, MessageError, parse_message

RETRY_S = 0.05
FAREWELL_S = 1.0
"""How long the last changes may take to be sent when the station stops."""
MOST_WAITING = 1000
"""Changes that wait for the thread."""
MOST_UNSENT = 64 << 10
"""Bytes that wait for a panel that does not read; beyond either of the two, it is treated as gone."""

_REVISION = "c03114"
"""A Raspberry Pi 4; it only says which numbers reach the header."""


def monotonic_ms() -> int:
    """CLOCK_MONOTONIC in milliseconds."""
    return time.monotonic_ns() // 1_000_000


class EmulatedPin(MockPin):  # type: ignore[misc]  # gpiozero has no types
    """A mock pin that tells its factory what becomes of it, and that the panel's contacts pull to ground."""

    def _set_function(self, value: str) -> None:
        with self.factory.pin_lock:
            super()._set_function(value)
        self.factory.tell(self.line())

    def _set_pull(self, value: str) -> None:
        with self.factory.pin_lock:
            super()._set_pull(value)
            self.follow_contact()

    def _change_state(self, value: bool) -> bool:
        changed = bool(super()._change_state(value))
        if changed and self._function == "output":
            self.factory.tell(self.line())
        return changed

    def output_with_state(self, state: bool) -> None:
        """Become an output that has its level from the first moment, as the real lines do."""
        with self.factory.pin_lock:
            self._function = "input"
            super()._change_state(state)
            self._function = "output"
        self.factory.tell(self.line())

    def line(self) -> Line:
        """How the line is now."""
        return Line(self._number, bool(self._state) if self._function == "output" else None, monotonic_ms())

    def follow_contact(self) -> None:
        """Take the level that the contact gives against the pull-up; a line without one has no contact."""
        with self.factory.pin_lock:
            if self._function != "input" or self._pull != "up":
                return
            if self._number in self.factory.closed_contacts:
                self.drive_low()
            else:
                self.drive_high()


class EmulatedFactory(MockFactory):  # type: ignore[misc]  # gpiozero has no types
    """Pins on the far side of a socket.

    Args:
        path: where an `EmulatedPanel` listens, or will.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(revision=_REVISION, pin_class=EmulatedPin)
        self.pin_lock = threading.RLock()
        self.closed_contacts: set[int] = set()
        self._path = path
        self._lock = threading.Lock()
        self._waiting: deque[Line] = deque()
        self._overrun = False
        self._stop = threading.Event()
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._wake_writer.settimeout(0)
        self._thread = threading.Thread(target=self._talk, name="emulated-panel", daemon=True)
        self._thread.start()

    def tell(self, line: Line) -> None:
        """Pass on how a line is; never waits."""
        with self._lock:
            if len(self._waiting) < MOST_WAITING:
                self._waiting.append(line)
            else:
                self._overrun = True
        self._wake()

    def close(self) -> None:
        """Release every line, tell it if a panel still listens, and end the thread."""
        if self._stop.is_set():
            return
        super().close()
        self._stop.set()
        self._wake()
        self._thread.join(timeout=2 * FAREWELL_S)
        self._wake_writer.close()

    def _wake(self) -> None:
        # A full pipe wakes the thread just as well, and after its end nothing needs waking.
        with contextlib.suppress(OSError):
            self._wake_writer.send(b"x")

    def _talk(self) -> None:
        with self._wake_reader:
            while not self._stop.is_set():
                try:
                    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as panel:
                        panel.settimeout(FAREWELL_S)
                        panel.connect(str(self._path))
                        panel.settimeout(0)
                        self._converse(panel)
                except (OSError, MessageError):
                    self._follow_contacts(set())
                    self._stop.wait(RETRY_S)

    def _converse(self, panel: socket.socket) -> None:
        """Talk until the station stops; an end of the other side is an `OSError`."""
        with self._lock:
            self._waiting.clear()
            self._overrun = False
        unsent = b"".join(pin.line().to_bytes() for pin in list(self.pins.values()))
        heard = LineBuffer()
        while True:
            # Asked before the last changes are fetched, so that none of them is left behind.
            stopping = self._stop.is_set()
            unsent += self._changes()
            if len(unsent) > MOST_UNSENT:
                raise ConnectionAbortedError("the panel does not read")
            if stopping:
                panel.settimeout(FAREWELL_S)
                panel.sendall(unsent)
                return
            readable, writable, _ = select.select([panel, self._wake_reader], [panel] if unsent else [], [])
            if self._wake_reader in readable:
                self._wake_reader.recv(4096)
            if panel in readable:
                data = panel.recv(4096)
                if not data:
                    raise ConnectionResetError("the panel is gone")
                for raw in heard.feed(data):
                    self._hear(parse_message(raw))
            if panel in writable:
                unsent = unsent[panel.send(unsent) :]

    def _changes(self) -> bytes:
        with self._lock:
            if self._overrun:
                raise ConnectionAbortedError("the panel does not read")
            changes = b"".join(line.to_bytes() for line in self._waiting)
            self._waiting.clear()
        return changes

    def _hear(self, message: Line | Contact) -> None:
        if not isinstance(message, Contact):
            raise MessageError("the panel has contacts only")
        self._follow_contacts(self.closed_contacts - {message.number} | ({message.number} if message.closed else set()))

    def _follow_contacts(self, closed: set[int]) -> None:
        with self.pin_lock:
            self.closed_contacts = closed
            for pin in list(self.pins.values()):
                pin.follow_contact()
