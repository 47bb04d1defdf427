"""A stand-in for the library behind gpiozero's lgpio factory: it keeps what it was told, and refuses what it is set to refuse."""

from __future__ import annotations

from types import ModuleType
from typing import Any


class FakeLgpioError(Exception):
    """lgpio's own error: an `Exception` with its words in quotes."""

    def __str__(self) -> str:
        return repr(self.args[0])


def make_lgpio(*, chips: tuple[int, ...] = (0,), busy: tuple[int, ...] = (), broken: tuple[int, ...] = ()) -> Any:  # noqa: ANN401 - a module
    """Make the module.

    Args:
        chips: gpiochip numbers that can be opened.
        busy: lines that another process has.
        broken: lines that cannot be written.

    Returns:
        A module whose `calls` lists (function, line, level) of everything that drives a line.
    """
    module: Any = ModuleType("lgpio")
    lines = _Lines(busy, broken)
    module.calls = lines.calls
    module.callback = _Callback
    for number, name in enumerate(("SET_PULL_NONE", "SET_PULL_UP", "SET_PULL_DOWN", "BOTH_EDGES", "RISING_EDGE", "FALLING_EDGE")):
        setattr(module, name, number)

    def gpiochip_open(chip: int) -> int:
        lines.calls.append(("gpiochip_open", chip, None))
        if chip not in chips:
            raise FakeLgpioError("can not open gpiochip")
        return 7

    module.gpiochip_open = gpiochip_open
    module.gpiochip_close = lambda _handle: lines.calls.append(("gpiochip_close", None, None))
    module.gpio_claim_input = lines.claim_input
    module.gpio_claim_output = lines.claim_output
    module.gpio_claim_alert = lambda _handle, line, _edges, _flags=0: lines.calls.append(("alert", line, None))
    module.gpio_write = lines.write
    module.gpio_read = lambda _handle, line: lines.levels[line]
    module.gpio_get_mode = lambda _handle, line: lines.modes[line]
    module.gpio_free = lambda _handle, _line: None
    module.gpio_set_debounce_micros = lambda _handle, line, micros: lines.calls.append(("debounce", line, micros))
    return module


class _Lines:
    def __init__(self, busy: tuple[int, ...], broken: tuple[int, ...]) -> None:
        self._busy = busy
        self._broken = broken
        self.calls: list[tuple[str, int | None, int | None]] = []
        self.levels: dict[int, int] = {}
        self.modes: dict[int, int] = {}

    def claim_input(self, _handle: int, line: int, _flags: int = 0) -> None:
        if line in self._busy:
            raise FakeLgpioError("GPIO busy")
        self.calls.append(("input", line, None))
        self.modes[line] = 0
        self.levels[line] = 1

    def claim_output(self, _handle: int, line: int, level: int = 0, _flags: int = 0) -> None:
        self.calls.append(("output", line, level))
        self.modes[line] = 2
        self.levels[line] = level

    def write(self, _handle: int, line: int, level: bool) -> None:
        if line in self._broken:
            raise FakeLgpioError("GPIO operation not permitted")
        self.calls.append(("write", line, int(level)))
        self.levels[line] = int(level)


class _Callback:
    def __init__(self, *_: object) -> None:
        pass

    def cancel(self) -> None:
        pass
