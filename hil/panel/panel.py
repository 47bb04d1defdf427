"""The emulated panel itself: what a person at the station would see, hear and press."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from edge.station.config_sections import InputName, OutputName, PanelConfig
from hil.panel.factory import monotonic_ms
from hil.panel.messages import Contact, Line, LineBuffer, MessageError, parse_message

LampState = Literal["lit", "dark", "released"]


@dataclass(frozen=True, slots=True)
class Change:
    """A lamp (or the buzzer) has become like this at `at_ms` of CLOCK_MONOTONIC."""

    at_ms: int
    name: OutputName
    state: LampState


class EmulatedPanel:
    """Listens for the station and keeps every change of its lamps. Its methods may be called from any thread.

    Args:
        path: the socket; the file is made here, and a file of that name from an earlier run is replaced.
        outputs: lamp -> BCM number.
        inputs: `cast`, `return`, `polls` -> BCM number.
        active_low: lamps that are lit by a low level.
    """

    def __init__(
        self,
        path: Path,
        outputs: Mapping[OutputName, int],
        inputs: Mapping[InputName, int],
        active_low: Collection[str] = (),
    ) -> None:
        self._names = {number: name for name, number in outputs.items()}
        self._contacts = dict(inputs)
        self._active_low = frozenset(active_low)
        self._closed: set[InputName] = set()
        self._states: dict[OutputName, LampState] = dict.fromkeys(outputs, "released")
        self._changes: list[Change] = []
        self._changed = threading.Condition()
        self._station: socket.socket | None = None
        self._path = path
        path.unlink(missing_ok=True)
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._server.bind(str(path))
        self._server.listen(1)
        self._thread = threading.Thread(target=self._serve, name="emulated-panel-server", daemon=True)
        self._thread.start()

    @classmethod
    def of(cls, config: PanelConfig) -> Self:
        """The panel for a station's configuration with `pin_factory = "emulated"`."""
        if config.socket is None:
            raise ValueError("this configuration has no emulated panel")
        return cls(config.socket, config.outputs.wired(), config.inputs.wired(), config.active_low)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Take the panel away: the station sees every contact open."""
        self._path.unlink(missing_ok=True)
        with self._changed:
            with contextlib.suppress(OSError):
                self._server.shutdown(socket.SHUT_RDWR)
            self._hang_up()
        self._thread.join(timeout=5)
        self._server.close()

    @property
    def connected(self) -> bool:
        """Whether a station has this panel open."""
        with self._changed:
            return self._station is not None

    @property
    def lit(self) -> frozenset[OutputName]:
        """What is lit or sounding now."""
        with self._changed:
            return frozenset(name for name, state in self._states.items() if state == "lit")

    @property
    def states(self) -> dict[OutputName, LampState]:
        """Every lamp's state now; lines are `released` while no station drives them."""
        with self._changed:
            return dict(self._states)

    @property
    def changes(self) -> tuple[Change, ...]:
        """Everything that has been seen so far, in order."""
        with self._changed:
            return tuple(self._changes)

    def wait_for(self, seen: Callable[[Self], bool], limit_s: float | None = 10.0) -> None:
        """Wait until `seen(panel)` is true; it is asked again after every change.

        Args:
            seen: asked with this panel, while nothing changes.
            limit_s: seconds; None = for ever.

        Raises:
            TimeoutError: after `limit_s`, with what was seen last.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: seen(self), limit_s):
                raise TimeoutError(
                    f"not seen within {limit_s} s; connected: {self._station is not None}, last: {self._changes[-8:]}"
                )

    def press(self, name: Literal["cast", "return"]) -> None:
        """Press a button and let it go."""
        self.set_contact(name, closed=True)
        self.set_contact(name, closed=False)

    def turn_polls(self, *, opened: bool) -> None:
        """Turn the key."""
        self.set_contact("polls", closed=opened)

    def set_contact(self, name: InputName, *, closed: bool) -> None:
        """Close a contact or open it; a station that comes later finds it so."""
        with self._changed:
            (self._closed.add if closed else self._closed.discard)(name)
            self._send(name)

    def _send(self, name: InputName) -> None:
        if self._station is None:
            return
        try:
            self._station.sendall(Contact(self._contacts[name], name in self._closed).to_bytes())
        except OSError:
            self._hang_up()

    def _hang_up(self) -> None:
        if self._station is not None:
            with contextlib.suppress(OSError):
                self._station.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        while True:
            try:
                station, _ = self._server.accept()
            except OSError:
                return
            with station, contextlib.suppress(OSError, MessageError):
                with self._changed:
                    self._station = station
                    for contact in self._contacts:
                        self._send(contact)
                    self._changed.notify_all()
                self._listen(station)
            with self._changed:
                self._station = None
                # What the kernel does with the lines of a process that is gone.
                for name in self._states:
                    self._see(Change(monotonic_ms(), name, "released"))
                self._changed.notify_all()

    def _listen(self, station: socket.socket) -> None:
        buffer = LineBuffer()
        while data := station.recv(4096):
            messages = [parse_message(raw) for raw in buffer.feed(data)]
            with self._changed:
                for message in messages:
                    if not isinstance(message, Line):
                        raise MessageError("a station has lines only")
                    if message.number in self._names:
                        name = self._names[message.number]
                        self._see(Change(message.at_ms, name, self._state(name, message.level)))
                self._changed.notify_all()

    def _state(self, name: OutputName, level: bool | None) -> LampState:
        if level is None:
            return "released"
        return "lit" if level != (name in self._active_low) else "dark"

    def _see(self, change: Change) -> None:
        if self._states[change.name] != change.state:
            self._states[change.name] = change.state
            self._changes.append(change)
