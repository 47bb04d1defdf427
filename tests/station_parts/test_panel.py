"""The panel on gpiozero's mock, and on the lgpio factory with its C library replaced: every level that a line ever had."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from gpiozero import OutputDevice
from gpiozero.pins.mock import MockFactory

from edge.station.config import station_config
from edge.station.config_sections import InputName, OutputName
from edge.station.panel import ButtonName, Panel, PanelError, open_panel, open_pin_factory
from edge.station.patterns import Levels
from edge.station.signals import Signal
from tests.station_parts.fake_lgpio import make_lgpio

OUTPUTS: dict[OutputName, int] = {"accept": 5, "reject": 6, "review": 13, "ready": 19, "fault": 26, "buzzer": 16}
INPUTS: dict[InputName, int] = {"cast": 20, "return": 21, "polls": 12}


class Station:
    """A panel on the mock, and what it called."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - the panel's own
        self.factory = open_pin_factory("mock", runtime_directory=Path("/"))
        self.presses: list[ButtonName] = []
        self.polls: list[bool] = []
        arguments: dict[str, Any] = {"outputs": OUTPUTS, "inputs": INPUTS} | options
        self.panel = Panel(self.factory, on_press=self.presses.append, on_polls=self.polls.append, **arguments)

    def pin(self, number: int) -> Any:  # noqa: ANN401 - gpiozero has no types
        return self.factory.pin(number)

    def levels_of(self, name: OutputName) -> list[bool]:
        """Every level that the line had, in order."""
        return [bool(state.state) for state in self.pin(OUTPUTS[name]).states]

    def play(self, signal: Signal, until: int) -> list[int]:
        """Show a signal at 0 and refresh exactly when the panel asks for it; the times of those calls."""
        calls = [0]
        change = self.panel.show(signal, 0)
        while change is not None and change <= until:
            calls.append(change)
            change = self.panel.refresh(change)
        return calls


@pytest.fixture
def station() -> Station:
    return Station()


def test_every_line_is_dark_at_the_start(station: Station) -> None:
    assert [station.levels_of(name) for name in OUTPUTS] == [[False]] * 6
    assert station.panel.levels == Levels()
    assert station.panel.signal is Signal.OFF


def test_a_signal_moves_its_own_lines_only_and_each_change_once(station: Station) -> None:
    assert station.play(Signal.REVIEW, 2000) == [0, 150, 300, 450, 500, 600, 750, 1000, 1500, 2000]
    assert station.levels_of("review") == [False, True, False, True, False, True]
    assert station.levels_of("buzzer") == [False, True, False, True, False, True, False]
    assert [station.levels_of(name) for name in ("accept", "reject", "ready", "fault")] == [[False]] * 4


def test_a_steady_signal_asks_for_no_further_call(station: Station) -> None:
    assert station.panel.show(Signal.READY, 1000) is None
    assert station.panel.refresh(99_000) is None
    assert station.levels_of("ready") == [False, True]


def test_the_same_signal_again_does_not_start_over(station: Station) -> None:
    station.panel.show(Signal.ACCEPTED, 1000)
    assert station.panel.show(Signal.ACCEPTED, 1250) is None
    assert station.levels_of("buzzer") == [False, True, False]
    assert station.panel.levels == Levels(accept=True)


def test_a_new_signal_starts_from_its_own_beginning(station: Station) -> None:
    station.panel.show(Signal.REVIEW, 1000)
    assert station.panel.show(Signal.ACCEPTED, 1700) == 1900
    assert station.panel.levels == Levels(accept=True, buzzer=True)


def test_a_line_that_somebody_else_moved_is_put_right(station: Station) -> None:
    station.panel.show(Signal.READY, 0)
    station.pin(OUTPUTS["ready"]).state = False
    station.panel.refresh(1)
    assert station.levels_of("ready") == [False, True, False, True]


def test_lines_lit_by_a_low_level_are_turned_round() -> None:
    station = Station(active_low=("ready",))
    station.panel.show(Signal.READY, 0)
    station.panel.show(Signal.OFF, 1)
    # The mock starts low and is put high, dark, before it is first lit.
    assert station.levels_of("ready") == [False, True, False, True]


def test_lines_that_are_not_wired_are_left_out() -> None:
    station = Station(outputs={"fault": 26}, inputs={})
    station.panel.show(Signal.READY, 0)
    assert station.panel.levels == Levels(ready=True)
    assert station.panel.polls_open is None
    assert list(station.factory.pins) == [station.pin(26).info]


def test_release_lets_go_of_every_line_and_is_done_once(station: Station) -> None:
    pins = {name: station.pin(number) for name, number in (OUTPUTS | INPUTS).items()}
    station.panel.show(Signal.REVIEW, 0)
    station.panel.release()
    station.panel.release()
    assert {name: pin.function for name, pin in pins.items()} == dict.fromkeys(pins, "input")
    assert [bool(state.state) for state in pins["review"].states] == [False, True, False]
    assert station.panel.levels == Levels()
    assert station.panel.polls_open is None
    assert station.panel.show(Signal.READY, 5) is None
    assert station.panel.refresh(6) is None
    assert station.factory.pins == {}


def test_a_press_is_told_once_when_the_contact_closes(station: Station) -> None:
    for number in (20, 21, 20):
        station.pin(number).drive_low()
        station.pin(number).drive_high()
    assert station.presses == ["cast", "return", "cast"]
    assert station.polls == []


def test_the_key_switch_is_told_and_can_be_asked(station: Station) -> None:
    assert station.panel.polls_open is False
    station.pin(12).drive_low()
    assert station.panel.polls_open is True
    station.pin(12).drive_high()
    assert station.polls == [True, False]
    assert station.presses == []


def test_a_contact_that_is_closed_at_the_start_is_a_state_and_no_event() -> None:
    factory = open_pin_factory("mock", runtime_directory=Path("/"))
    events: list[object] = []

    class Closed(type(factory.pin(12))):  # type: ignore[misc]  # gpiozero has no types
        def _set_pull(self, value: str) -> None:
            super()._set_pull(value)
            self.drive_low()

    factory.reset()
    factory.pin_class = Closed
    panel = Panel(factory, outputs={}, inputs=INPUTS, on_press=events.append, on_polls=events.append)
    assert panel.polls_open is True
    assert events == []
    factory.pin(20).drive_high()
    factory.pin(20).drive_low()
    assert events == ["cast"]


def test_debouncing_is_asked_of_the_driver() -> None:
    assert [Station(bounce_ms=70).pin(number).bounce for number in INPUTS.values()] == [0.07] * 3
    assert Station(bounce_ms=0).pin(20).bounce is None


def test_a_number_that_is_no_line_is_refused_by_name_and_everything_is_let_go() -> None:
    factory = open_pin_factory("mock", runtime_directory=Path("/"))
    pin = factory.pin(5)
    with pytest.raises(PanelError, match=r"panelPin: cast \(45\): ") as caught:
        Panel(factory, outputs={"accept": 5}, inputs={"cast": 45}, on_press=print, on_polls=print)
    assert caught.value.code == "panelPin"
    assert pin.function == "input"


def test_a_line_that_is_in_use_is_busy() -> None:
    factory = open_pin_factory("mock", runtime_directory=Path("/"))
    with OutputDevice(5, pin_factory=factory), pytest.raises(PanelError) as caught:
        Panel(factory, outputs={"ready": 5}, inputs={}, on_press=print, on_polls=print)
    assert caught.value.code == "panelBusy"


def test_the_configuration_opens_the_panel_it_describes(tmp_path: Path) -> None:
    document = {
        "definitions": [{"election": "e"}],
        "evidence": {"folder": "e"},
        "panel": {"pin_factory": "mock", "outputs": {"ready": 19}, "inputs": {"polls": 12}},
    }
    config = station_config(document, tmp_path)
    panel = open_panel(config.panel, tmp_path, print, print)
    assert panel.polls_open is False
    panel.release()


def test_the_mock_ignores_what_the_environment_says_about_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPIOZERO_MOCK_REVISION", "nonsense")
    assert isinstance(open_pin_factory("mock", runtime_directory=Path("/")), MockFactory)


def test_an_emulated_panel_needs_a_socket_and_its_module(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(PanelError, match="panelUnavailable: an emulated panel needs the path"):
        open_pin_factory("emulated", runtime_directory=tmp_path)
    monkeypatch.setitem(sys.modules, "hil.panel.factory", None)
    with pytest.raises(PanelError, match=r"panelUnavailable: .*not part of an installed station"):
        open_pin_factory("emulated", runtime_directory=tmp_path, socket=tmp_path / "socket")


class Board:
    """The lgpio factory with its C library replaced."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self._monkeypatch = monkeypatch
        self.folder = folder
        monkeypatch.delitem(sys.modules, "gpiozero.pins.lgpio", raising=False)
        monkeypatch.setenv("LG_WD", "elsewhere")

    def install(self, **options: Any) -> Any:  # noqa: ANN401 - a module
        module = make_lgpio(**options)
        self._monkeypatch.setitem(sys.modules, "lgpio", module)
        return module

    def open(self, **options: Any) -> Any:  # noqa: ANN401 - gpiozero has no types
        return open_pin_factory("lgpio", runtime_directory=self.folder, **{"board_revision": 0xC03114} | options)


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Board:
    # gpiozero keeps the reservation of a device that failed to open until the collector takes the device.
    gc.collect()
    return Board(monkeypatch, tmp_path)


def test_lgpio_opens_the_chip_it_was_told_and_works_in_the_runtime_directory(board: Board) -> None:
    lgpio = board.install(chips=(4,))
    before = Path.cwd()
    board.open(chip=4).close()
    assert lgpio.calls == [("gpiochip_open", 4, None), ("gpiochip_close", None, None)]
    assert os.environ["LG_WD"] == str(board.folder)
    assert Path.cwd() == before


def test_lgpio_claims_an_output_with_its_dark_level(board: Board) -> None:
    lgpio = board.install()
    panel = Panel(
        board.open(),
        outputs={"accept": 5, "ready": 6},
        inputs={"polls": 12},
        on_press=print,
        on_polls=print,
        active_low=("ready",),
    )
    lines = [(call, line, level) for call, line, level in lgpio.calls if line in {5, 6} and call != "input"]
    assert lines == [("output", 5, 0), ("output", 6, 1)]
    assert ("debounce", 12, 50_000) in lgpio.calls
    lgpio.calls.clear()
    panel.show(Signal.READY, 0)
    assert lgpio.calls == [("write", 6, 0)]
    lgpio.calls.clear()
    panel.release()
    assert lgpio.calls[:4] == [("write", 5, 0), ("write", 6, 1), ("input", 5, None), ("input", 6, None)]
    assert lgpio.calls[-1] == ("gpiochip_close", None, None)


def test_a_line_of_another_process_is_busy(board: Board) -> None:
    board.install(busy=(6,))
    with pytest.raises(PanelError, match=r"^panelBusy: ready \(6\): GPIO busy$"):
        Panel(board.open(), outputs={"accept": 5, "ready": 6}, inputs={}, on_press=print, on_polls=print)


def test_a_line_that_cannot_be_written_does_not_keep_the_others_dark(board: Board) -> None:
    lgpio = board.install(broken=(5,))
    panel = Panel(board.open(), outputs={"accept": 5, "buzzer": 6}, inputs={}, on_press=print, on_polls=print)
    lgpio.calls.clear()
    with pytest.raises(PanelError, match=r"^panelPin: accept \(GPIO5\): GPIO operation not permitted$"):
        panel.show(Signal.ACCEPTED, 0)
    assert lgpio.calls == [("write", 6, 1)]
    with pytest.raises(PanelError, match="panelPin: accept"):
        panel.release()
    assert lgpio.calls[-1] == ("gpiochip_close", None, None)
    panel.release()


def test_a_chip_that_cannot_be_opened_is_named(board: Board) -> None:
    board.install()
    with pytest.raises(PanelError, match=r"^panelUnavailable: /dev/gpiochip3: can not open gpiochip$"):
        board.open(chip=3)


def test_a_board_that_does_not_say_what_it_is_must_be_told(board: Board) -> None:
    board.install()
    if Path("/proc/device-tree/system/linux,revision").exists():
        pytest.skip("this machine says what board it is")
    with pytest.raises(PanelError, match=r"^panelUnavailable: /dev/gpiochip0: unable to locate Pi revision"):
        board.open(board_revision=None)


def test_lgpio_that_is_missing_is_said_and_nothing_else_is_tried(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lgpio", None)
    with pytest.raises(PanelError, match=r"^panelUnavailable: lgpio cannot be loaded: "):
        board.open()


def test_a_runtime_directory_that_lgpio_cannot_use_is_said(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    class NoPipe:
        """Like the real import: goes to LG_WD, and fails there."""

        def find_spec(self, name: str, *_: object) -> None:
            if name == "lgpio":
                seen.append(os.environ["LG_WD"])
                os.chdir(os.environ["LG_WD"])
                raise FileNotFoundError(2, "No such file or directory", ".lgd-nfy0")

    before = Path.cwd()
    monkeypatch.delitem(sys.modules, "lgpio", raising=False)
    monkeypatch.setattr(sys, "meta_path", [NoPipe(), *sys.meta_path])
    with pytest.raises(PanelError, match=r"^panelUnavailable: lgpio cannot make its pipe in '.*': No such file or directory$"):
        board.open()
    assert seen == [str(board.folder)]
    assert Path.cwd() == before


def test_a_runtime_directory_that_is_missing_is_said(board: Board) -> None:
    lgpio = board.install()
    board.folder /= "missing"
    with pytest.raises(PanelError, match=r"^panelUnavailable: lgpio needs a folder to write in, and '.*/missing' is none$"):
        board.open()
    assert lgpio.calls == []
