"""Lamps, buzzer, buttons and key switch, on gpiozero.

The pin factory is named in the configuration and opened here, never found out by gpiozero: its search would turn a missing
permission into another driver. gpiozero has no types, so everything of it is `Any` and stays inside this module.

Outputs. gpiozero makes a line an output first and sets its level second, which makes a lamp that is lit by a low level blink at
the start (gpiozero/gpiozero#1177); with lgpio the line is claimed with its level instead. Before this process starts only pull
resistors decide what a line does: choose lamps that are dark while it floats. After the process was killed the kernel decides:
Linux as published makes the line an input, Raspberry Pi's own kernel leaves a lamp lit unless `dtparam=strict_gpiod` stands in
config.txt (raspberrypi/linux#6117).

Inputs. Every contact closes to ground against the chip's pull-up. A button that is held at the start counts when it is pressed
again.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Literal

from gpiozero import DigitalInputDevice, GPIOPinInUse, OutputDevice

from edge.station.config_sections import InputName, OutputName, PanelConfig
from edge.station.patterns import Levels, levels, next_change
from edge.station.signals import Signal

ButtonName = Literal["cast", "return"]

_BUTTONS: tuple[ButtonName, ...] = ("cast", "return")
_MOCK_REVISION = "c03114"
"""A Raspberry Pi 4; it only says which numbers reach the header."""


class PanelError(Exception):
    """A panel that cannot be used: a reason code, and what was tried with one sentence.

    Codes: `panelUnavailable` (the driver or its device cannot be opened), `panelBusy` (another process has a line), `panelPin`
    (one line cannot be used).
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        """Give the message: `code: detail`."""
        return f"{self.code}: {self.detail}"


class Panel:
    """The lines of one panel. Not thread-safe: one thread shows, refreshes and releases.

    Args:
        factory: from `open_pin_factory`; closed by `release`.
        outputs: line -> BCM number, lines as in `Levels`; a line that is not wired is left out.
        inputs: `cast`, `return`, `polls` -> BCM number; the same.
        on_press: called once a press, from a thread of gpiozero: it must only enqueue, and must not raise.
        on_polls: called when the key switch changes, with True = open; as above.
        active_low: outputs that are lit by a low level.
        bounce_ms: a contact counts when it has been still for this long, 0 = at once. Mock and emulated pins do not bounce.

    Raises:
        PanelError: `panelBusy` or `panelPin`; every line is released again and the factory is closed.
    """

    def __init__(
        self,
        factory: Any,  # noqa: ANN401 - gpiozero has no types
        *,
        outputs: Mapping[OutputName, int],
        inputs: Mapping[InputName, int],
        on_press: Callable[[ButtonName], None],
        on_polls: Callable[[bool], None],
        active_low: Collection[str] = (),
        bounce_ms: int = 50,
    ) -> None:
        self._factory = factory
        self._signal = Signal.OFF
        self._since_ms = 0
        self._levels = Levels()
        self._outputs: dict[str, Any] = {}
        self._inputs: dict[str, Any] = {}
        self._polls: Any = None
        self._released = False
        bounce = bounce_ms / 1000 or None
        try:
            for name, number in outputs.items():
                with _pin_errors(name, number):
                    self._outputs[name] = OutputDevice(
                        number, active_high=name not in active_low, initial_value=False, pin_factory=factory
                    )
            for contact, number in inputs.items():
                with _pin_errors(contact, number):
                    self._inputs[contact] = DigitalInputDevice(number, pull_up=True, bounce_time=bounce, pin_factory=factory)
        except PanelError:
            with suppress(PanelError):
                self.release()
            raise
        for button in _BUTTONS:
            if button in self._inputs:
                self._inputs[button].when_activated = partial(on_press, button)
        self._polls = self._inputs.get("polls")
        if self._polls is not None:
            self._polls.when_activated = partial(on_polls, True)  # noqa: FBT003 - the callback's only argument
            self._polls.when_deactivated = partial(on_polls, False)  # noqa: FBT003 - as above

    def show(self, signal: Signal, now_ms: int) -> int | None:
        """Begin a signal, unless it is the one that is shown already: that goes on without a new start.

        Args:
            signal: what to say from now on.
            now_ms: milliseconds of any clock that never runs backwards; the same one for `refresh`.

        Returns:
            As `refresh`.

        Raises:
            PanelError: `panelPin`.
        """
        if signal is not self._signal:
            self._signal, self._since_ms = signal, now_ms
        return self.refresh(now_ms)

    def refresh(self, now_ms: int) -> int | None:
        """Set the lines to what the signal's pattern says now; only those that change are written. Nothing after `release`.

        Returns:
            When to call again, on the scale of `now_ms`; None when nothing will change by itself.

        Raises:
            PanelError: `panelPin`; the other lines are set, and the next call tries again.
        """
        if self._released:
            return None
        elapsed = now_ms - self._since_ms
        self._write(levels(self._signal, elapsed))
        change = next_change(self._signal, elapsed)
        return None if change is None else self._since_ms + change

    def _write(self, wanted: Levels) -> None:
        lit = asdict(wanted)
        problem: PanelError | None = None
        for name, device in self._outputs.items():
            try:
                with _pin_errors(name, device.pin):
                    if bool(device.value) != lit[name]:
                        device.value = lit[name]
            except PanelError as error:
                problem = error
        self._levels = wanted
        if problem is not None:
            raise problem

    @property
    def signal(self) -> Signal:
        """What is being said."""
        return self._signal

    @property
    def levels(self) -> Levels:
        """What the panel says at this moment, including lines that are not wired; all dark after `release`."""
        return self._levels

    @property
    def polls_open(self) -> bool | None:
        """The key switch at this moment, not debounced; None where none is wired and after `release`.

        Raises:
            PanelError: `panelPin`.
        """
        if self._polls is None:
            return None
        with _pin_errors("polls", self._polls.pin):
            return bool(self._polls.is_active)

    def release(self) -> None:
        """Make every lamp dark and let go of every line; a second call does nothing.

        Raises:
            PanelError: `panelPin` for the last line that resisted, after all of them were tried.
        """
        if self._released:
            return
        self._released = True
        self._signal, self._levels, self._polls = Signal.OFF, Levels(), None
        problem: PanelError | None = None
        steps: list[tuple[str, Callable[[], None]]] = [(name, device.off) for name, device in self._outputs.items()]
        steps += [(name, device.close) for name, device in (*self._outputs.items(), *self._inputs.items())]
        steps.append(("the pin factory", self._factory.close))
        for name, step in steps:
            try:
                with _pin_errors(name, None):
                    step()
            except PanelError as error:
                problem = error
        if problem is not None:
            raise problem


def open_panel(
    config: PanelConfig, runtime_directory: Path, on_press: Callable[[ButtonName], None], on_polls: Callable[[bool], None]
) -> Panel:
    """Open the panel that a configuration describes; all lamps are dark.

    Raises:
        PanelError: see there.
    """
    factory = open_pin_factory(
        config.pin_factory,
        runtime_directory=runtime_directory,
        chip=config.chip,
        board_revision=config.board_revision,
        socket=config.socket,
    )
    return Panel(
        factory,
        outputs=config.outputs.wired(),
        inputs=config.inputs.wired(),
        on_press=on_press,
        on_polls=on_polls,
        active_low=config.active_low,
        bounce_ms=config.bounce_ms,
    )


def open_pin_factory(
    name: Literal["lgpio", "mock", "emulated"],
    *,
    runtime_directory: Path,
    chip: int = 0,
    board_revision: int | None = None,
    socket: Path | None = None,
) -> Any:  # noqa: ANN401 - gpiozero has no types
    """Open the pin factory of this name, and no other.

    Args:
        name: `lgpio`: the board's own lines. `mock`: gpiozero's mock, for tests. `emulated`: a panel behind a unix socket.
        runtime_directory: existing folder in which lgpio keeps its pipe; not shared with another process.
        chip: number of the gpiochip device; lgpio only.
        board_revision: see `PanelConfig`; lgpio only.
        socket: where the emulated panel listens; needed for it only.

    Raises:
        PanelError: `panelUnavailable` or `panelBusy`.
    """
    if name == "lgpio":
        return _open_lgpio(runtime_directory, chip, board_revision)
    if name == "mock":
        from gpiozero.pins.mock import MockFactory, MockPin  # noqa: PLC0415  only in tests

        return MockFactory(revision=_MOCK_REVISION, pin_class=MockPin)
    if socket is None:
        raise PanelError("panelUnavailable", "an emulated panel needs the path of its socket")
    try:
        emulated = importlib.import_module("hil.panel.factory")
    except ModuleNotFoundError as error:
        raise PanelError(
            "panelUnavailable", "the emulated panel is not part of an installed station (no module hil.panel)"
        ) from error
    return emulated.EmulatedFactory(socket)


def _open_lgpio(runtime_directory: Path, chip: int, board_revision: int | None) -> Any:  # noqa: ANN401 - gpiozero has no types
    # lgpio makes a pipe in this folder when it is imported, and moves the whole process there to do so. Where it cannot, it takes
    # the working folder without a word.
    if not os.access(runtime_directory, os.W_OK | os.X_OK):
        raise PanelError("panelUnavailable", f"lgpio needs a folder to write in, and {str(runtime_directory)!r} is none")
    os.environ["LG_WD"] = str(runtime_directory)
    before = Path.cwd()
    try:
        import lgpio  # noqa: PLC0415  only on the board
        from gpiozero.pins.lgpio import LGPIOFactory, LGPIOPin  # noqa: PLC0415  as above
    except ImportError as error:
        raise PanelError("panelUnavailable", f"lgpio cannot be loaded: {error}") from error
    except OSError as error:
        raise PanelError(
            "panelUnavailable", f"lgpio cannot make its pipe in {str(runtime_directory)!r}: {error.strerror}"
        ) from error
    finally:
        os.chdir(before)

    class LevelFirstPin(LGPIOPin):  # type: ignore[misc]  # gpiozero has no types
        """An output that has its level from the moment it is one."""

        def output_with_state(self, state: bool) -> None:
            lgpio.gpio_claim_output(self.factory._handle, self._number, int(state))  # noqa: SLF001 - the parts of its own base class

    class Factory(LGPIOFactory):  # type: ignore[misc]  # gpiozero has no types
        """A factory that can be told which board it is on."""

        def _get_revision(self) -> int:
            return int(super()._get_revision()) if board_revision is None else board_revision

    try:
        factory = Factory(chip=chip)
        _ = factory.board_info
    except Exception as error:
        raise PanelError("panelUnavailable", f"/dev/gpiochip{chip}: {_text(error)}") from error
    factory.pin_class = LevelFirstPin
    return factory


@contextmanager
def _pin_errors(name: str, pin: object) -> Iterator[None]:
    """Whatever gpiozero or a driver raises, as a `PanelError` that names the line."""
    try:
        yield
    except Exception as error:
        where = name if pin is None else f"{name} ({pin})"
        busy = isinstance(error, GPIOPinInUse) or "busy" in _text(error).lower()
        raise PanelError("panelBusy" if busy else "panelPin", f"{where}: {_text(error)}") from error


def _text(error: Exception) -> str:
    """The error's own words; lgpio gives them in quotes."""
    return str(error).strip("'") or type(error).__name__
