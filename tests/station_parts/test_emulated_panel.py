"""The emulated panel: lamps seen from outside, contacts that reach the station, and both ends going away."""

from __future__ import annotations

import contextlib
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.station.config import station_config
from edge.station.config_sections import InputName, OutputName
from edge.station.panel import Panel, open_pin_factory
from edge.station.signals import Signal
from hil.panel.factory import monotonic_ms
from hil.panel.messages import MAX_LINE, Contact, Line, LineBuffer, MessageError, parse_message
from hil.panel.panel import EmulatedPanel

OUTPUTS: dict[OutputName, int] = {"accept": 5, "ready": 19, "buzzer": 16}
INPUTS: dict[InputName, int] = {"cast": 20, "return": 2, "polls": 12}
ROOT = Path(__file__).resolve().parents[2]
SECONDS = 10
"""How long a test waits for what must happen; never how long it takes."""


class Station:
    """The station's end: a real panel, and what it called."""

    def __init__(self, path: Path) -> None:
        self.heard: queue.SimpleQueue[str | bool] = queue.SimpleQueue()
        factory = open_pin_factory("emulated", runtime_directory=path.parent, socket=path)
        self.panel = Panel(
            factory, outputs=OUTPUTS, inputs=INPUTS, on_press=self.heard.put, on_polls=self.heard.put, active_low=("ready",)
        )

    def next_heard(self) -> str | bool:
        return self.heard.get(timeout=SECONDS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "panel.sock"


@pytest.fixture
def outside(path: Path) -> Iterator[EmulatedPanel]:
    with EmulatedPanel(path, OUTPUTS, INPUTS, ("ready",)) as panel:
        yield panel


@pytest.fixture
def station(path: Path, outside: EmulatedPanel) -> Iterator[Station]:
    station = Station(path)
    yield station
    station.panel.release()


def dark(panel: EmulatedPanel) -> bool:
    return set(panel.states.values()) == {"dark"}


def released(panel: EmulatedPanel) -> bool:
    return set(panel.states.values()) == {"released"}


def test_lamps_are_seen_from_outside_in_order_and_with_their_times(station: Station, outside: EmulatedPanel) -> None:
    outside.wait_for(dark)
    begun = monotonic_ms()
    station.panel.show(Signal.ACCEPTED, 0)
    station.panel.refresh(200)
    station.panel.show(Signal.READY, 2000)
    outside.wait_for(lambda panel: panel.lit == {"ready"})
    station.panel.release()
    outside.wait_for(released)
    seen = [(change.name, change.state) for change in outside.changes]
    assert sorted(seen[:3]) == [("accept", "dark"), ("buzzer", "dark"), ("ready", "dark")]
    assert seen[3:10] == [
        ("accept", "lit"),
        ("buzzer", "lit"),
        ("buzzer", "dark"),
        ("accept", "dark"),
        ("ready", "lit"),
        ("ready", "dark"),
        ("accept", "released"),
    ]
    assert seen[10:] == [("ready", "released"), ("buzzer", "released")]
    times = [change.at_ms for change in outside.changes]
    assert times == sorted(times)
    assert begun <= times[3] <= times[-1] <= monotonic_ms()


def test_buttons_and_the_key_reach_the_station(station: Station, outside: EmulatedPanel) -> None:
    outside.wait_for(dark)
    outside.press("cast")
    outside.press("return")
    outside.turn_polls(opened=True)
    assert [station.next_heard() for _ in range(3)] == ["cast", "return", True]
    assert station.panel.polls_open is True
    outside.turn_polls(opened=False)
    assert station.next_heard() is False
    assert station.panel.polls_open is False
    assert station.heard.empty()


def test_a_station_finds_the_key_as_it_was_turned_before(path: Path, outside: EmulatedPanel) -> None:
    outside.turn_polls(opened=True)
    station = Station(path)
    outside.wait_for(dark)
    outside.press("cast")
    # The connection may be older or younger than the input; in both cases the station knows before the press.
    assert next(heard for heard in iter(station.next_heard, None) if heard is not True) == "cast"
    assert station.panel.polls_open is True
    station.panel.release()


def test_when_the_panel_goes_the_contacts_open_and_the_station_goes_on(
    path: Path, outside: EmulatedPanel, station: Station
) -> None:
    outside.turn_polls(opened=True)
    assert station.next_heard() is True
    outside.close()
    assert station.next_heard() is False
    station.panel.show(Signal.READY, 0)
    with EmulatedPanel(path, OUTPUTS, INPUTS, ("ready",)) as other:
        other.wait_for(lambda panel: panel.states == {"accept": "dark", "ready": "lit", "buzzer": "dark"})
        other.press("cast")
        assert station.next_heard() == "cast"


def test_a_station_without_a_panel_starts_works_and_ends(path: Path) -> None:
    station = Station(path)
    station.panel.show(Signal.ACCEPTED, 0)
    assert station.panel.polls_open is False
    station.panel.release()
    assert station.heard.empty()


def test_a_station_that_is_killed_leaves_its_lines_released(path: Path, outside: EmulatedPanel) -> None:
    program = """
import sys, threading
from pathlib import Path
from edge.station.panel import Panel, open_pin_factory
from edge.station.signals import Signal
path = Path(sys.argv[1])
factory = open_pin_factory("emulated", runtime_directory=path.parent, socket=path)
outputs = {"accept": 5, "ready": 19, "buzzer": 16}
panel = Panel(factory, outputs=outputs, inputs={}, on_press=print, on_polls=print, active_low=["ready"])
panel.show(Signal.READY, 0)
threading.Event().wait()
"""
    with subprocess.Popen([sys.executable, "-c", program, str(path)]) as process:
        outside.wait_for(lambda panel: panel.lit == {"ready"}, 30)
        process.send_signal(signal.SIGKILL)
        outside.wait_for(released)
    assert not outside.connected
    assert [change.state for change in outside.changes if change.name == "ready"][-2:] == ["lit", "released"]


@pytest.mark.parametrize("nonsense", [b"\xff\n", b"x" * 1000, b'{"line": 5, "level": true, "at_ms": 1}\n'])
def test_a_panel_that_talks_nonsense_is_left_and_met_again(path: Path, nonsense: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen(1)
        station = Station(path)
        for _ in range(2):
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as lines:
                connection.settimeout(SECONDS)
                # The other end may leave before it has read everything.
                with contextlib.suppress(OSError):
                    connection.sendall(nonsense)
                    while line := lines.readline():
                        assert isinstance(parse_message(line), Line)
    station.panel.release()


def test_a_panel_that_does_not_read_never_stops_the_station(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen(1)
        station = Station(path)
        deaf, _ = server.accept()
        with deaf:
            server.settimeout(SECONDS)
            for now in range(20_000):
                station.panel.show(Signal.READY if now % 2 else Signal.OFF, now)
            fresh, _ = server.accept()
        with fresh, fresh.makefile("rb") as lines:
            fresh.settimeout(SECONDS)
            told = [parse_message(lines.readline()) for _ in range(6)]
            assert {line.number for line in told if isinstance(line, Line)} == {5, 19, 16, 20, 2, 12}
        station.panel.release()


@pytest.mark.parametrize("nonsense", [b"\xff\n", b"x" * 1000, b'{"contact": 5, "closed": true}\n'])
def test_a_station_that_talks_nonsense_is_let_go(path: Path, outside: EmulatedPanel, nonsense: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as station:
        station.settimeout(SECONDS)
        station.connect(str(path))
        station.sendall(Line(19, level=False, at_ms=5).to_bytes())
        outside.wait_for(lambda panel: panel.lit == {"ready"})
        station.sendall(nonsense)
        outside.wait_for(released)
    real = Station(path)
    outside.wait_for(dark)
    real.panel.release()


def test_waiting_for_what_does_not_come_says_what_was_seen(outside: EmulatedPanel) -> None:
    with pytest.raises(TimeoutError, match="connected: False"):
        outside.wait_for(lambda panel: panel.connected, 0.01)


def test_the_panel_of_a_configuration(tmp_path: Path, path: Path) -> None:
    document = {
        "definitions": [{"election": "e"}],
        "evidence": {"folder": "e"},
        "panel": {"pin_factory": "emulated", "socket": str(path), "outputs": {"ready": 19}, "inputs": {"polls": 12}},
    }
    with EmulatedPanel.of(station_config(document, tmp_path).panel) as panel:
        assert panel.states == {"ready": "released"}
    assert not path.exists()
    document["panel"] = {"pin_factory": "mock"}
    with pytest.raises(ValueError, match="no emulated panel"):
        EmulatedPanel.of(station_config(document, tmp_path).panel)


lines = st.builds(Line, st.integers(0, 53), st.none() | st.booleans(), st.integers(0, 1 << 53))
contacts = st.builds(Contact, st.integers(0, 53), st.booleans())


@given(st.lists(lines | contacts, max_size=5), st.integers(1, 60))
def test_messages_survive_any_cutting_of_the_stream(messages: list[Line | Contact], size: int) -> None:
    stream = b"".join(message.to_bytes() for message in messages)
    buffer = LineBuffer()
    parts = [buffer.feed(stream[start : start + size]) for start in range(0, len(stream), size)]
    assert [parse_message(raw) for part in parts for raw in part] == messages


json_like = st.text(alphabet='{}[]":,lineatmsvcodr_ 0123456789truefalsn-.', max_size=60).map(str.encode)


@given(st.binary(max_size=300) | json_like)
def test_any_bytes_are_a_message_or_refused(raw: bytes) -> None:
    with contextlib.suppress(MessageError):
        assert len(parse_message(raw).to_bytes()) <= MAX_LINE


@pytest.mark.parametrize(
    "raw",
    [
        b'{"line": true, "level": true, "at_ms": 1}',
        b'{"line": 54, "level": true, "at_ms": 1}',
        b'{"line": 5, "level": 1, "at_ms": 1}',
        b'{"line": 5, "level": true, "at_ms": -1}',
        b'{"line": 5, "level": true, "at_ms": 1, "more": 1}',
        b'{"contact": 5, "closed": null}',
        b'{"contact": 5.0, "closed": true}',
        b"[" * 199,
        b"5",
    ],
)
def test_what_is_nearly_a_message_is_refused(raw: bytes) -> None:
    with pytest.raises(MessageError):
        parse_message(raw)


def test_both_ends_end_their_threads(path: Path) -> None:
    before = set(threading.enumerate())
    with EmulatedPanel(path, OUTPUTS, INPUTS) as outside:
        station = Station(path)
        outside.wait_for(lambda panel: panel.connected)
        station.panel.release()
    assert set(threading.enumerate()) <= before


def test_a_person_can_sit_at_the_panel(tmp_path: Path, path: Path) -> None:
    config = tmp_path / "station.toml"
    config.write_text(
        """
evidence.folder = "e"
[[definitions]]
election = "e"
[panel]
pin_factory = "emulated"
socket = "panel.sock"
active_low = ["ready"]
outputs = { accept = 5, ready = 19, buzzer = 16 }
inputs = { cast = 20, return = 2 }
"""
    )
    command = [sys.executable, "-m", "hil.panel", str(config)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        station = Station(path)
        station.panel.show(Signal.READY, 0)
        limit = threading.Timer(30, process.kill)
        limit.start()
        assert any(line.endswith("  ready   lit\n") for line in process.stdout)
        process.stdin.write("open\ncast\nreturn\nquit\n")
        process.stdin.flush()
        assert [station.next_heard(), station.next_heard()] == ["cast", "return"]
        rest = process.stdout.read()
        limit.cancel()
    assert "'open': type cast, return" in rest
    assert process.returncode == 0
    station.panel.release()


def test_a_configuration_without_an_emulated_panel_is_refused(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hil.panel", str(tmp_path / "missing.toml")]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    assert (result.returncode, result.stderr[:25]) == (2, "hil.panel: configNotFound")
