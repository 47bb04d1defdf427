"""Notification: nothing without a listener, a refusal without the library, and with both the words that systemd expects."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from edge.station.notify import Notifier, NotifyError, open_notifier
from tests.station_parts import systemd_python

PROGRAM = """
from edge.station.notify import open_notifier
notifier = open_notifier()
print(notifier.watchdog_interval_ms, notifier.enabled)
print(notifier.ready("Waits for a sheet"), notifier.status("Reads\\na sheet"), notifier.watchdog(), notifier.stopping("Ends"))
"""


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """systemd-python's place taken by a list of what it was given."""
    taken: list[str] = []

    def notify(message: str) -> bool:
        taken.append(message)
        return True

    install(monkeypatch, notify)
    return taken


def install(monkeypatch: pytest.MonkeyPatch, notify: Callable[[str], bool]) -> None:
    package: Any = ModuleType("systemd")
    package.daemon = ModuleType("systemd.daemon")
    package.daemon.notify = notify
    monkeypatch.setitem(sys.modules, "systemd", package)
    monkeypatch.setitem(sys.modules, "systemd.daemon", package.daemon)
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/systemd/notify")
    for name in ("WATCHDOG_USEC", "WATCHDOG_PID"):
        monkeypatch.delenv(name, raising=False)


def test_without_a_listener_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.setenv("WATCHDOG_USEC", "1000000")
    notifier = open_notifier()
    assert not notifier.enabled
    assert notifier.watchdog_interval_ms is None
    assert not any([notifier.ready("r"), notifier.status("s"), notifier.watchdog(), notifier.stopping("s")])


def test_a_listener_without_the_library_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/systemd/notify")
    monkeypatch.setitem(sys.modules, "systemd", None)
    with pytest.raises(NotifyError, match=r"^notifyUnavailable: NOTIFY_SOCKET is set, but") as caught:
        open_notifier()
    assert caught.value.code == "notifyUnavailable"


def test_a_line_break_in_a_status_begins_no_other_assignment(listener: list[str]) -> None:
    notifier = open_notifier()
    assert notifier.ready("Waits\nWATCHDOG=trigger")
    assert notifier.stopping("x" * 300)
    assert listener == ["READY=1\nSTATUS=Waits WATCHDOG=trigger", "STOPPING=1\nSTATUS=" + "x" * 200]


@pytest.mark.parametrize(
    ("length", "process", "interval"),
    [
        ("30000000", None, 30_000),
        ("30000000", str(os.getpid()), 30_000),
        ("30000000", "1", None),
        ("1999", None, 1),
        (None, None, None),
    ],
)
def test_the_watchdog_is_this_processs_or_none(
    listener: list[str], monkeypatch: pytest.MonkeyPatch, length: str | None, process: str | None, interval: int | None
) -> None:
    for name, value in (("WATCHDOG_USEC", length), ("WATCHDOG_PID", process)):
        if value is not None:
            monkeypatch.setenv(name, value)
    assert open_notifier().watchdog_interval_ms == interval


@pytest.mark.parametrize("length", ["", "0", "999", "-5", "1e6", "9" * 19, "٣٠٠٠"])
def test_a_watchdog_that_is_no_time_is_refused(listener: list[str], monkeypatch: pytest.MonkeyPatch, length: str) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", length)
    with pytest.raises(NotifyError, match=r"^watchdogInvalid: "):
        open_notifier()


def test_a_listener_that_went_away_is_told_and_not_raised() -> None:
    def gone(_message: str) -> bool:
        raise ConnectionRefusedError(111, "Connection refused")

    notifier = Notifier(gone, 1000)
    assert notifier.watchdog_interval_ms == 1000
    assert not any([notifier.ready("r"), notifier.status("s"), notifier.watchdog(), notifier.stopping("s")])


def test_the_real_library_sends_what_systemd_expects(tmp_path: Path) -> None:
    environment = systemd_python.environment(tmp_path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(10)
        result = systemd_python.run(
            PROGRAM, environment | {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "5000000"}
        )
        assert result.stdout == "5000 True\nTrue True True True\n"
        messages = [systemd.recv(4096).decode() for _ in range(4)]
    assert messages == [
        "READY=1\nSTATUS=Waits for a sheet",
        "STATUS=Reads a sheet",
        "WATCHDOG=1",
        "STOPPING=1\nSTATUS=Ends",
    ]


def test_the_real_library_does_not_raise_when_nobody_listens(tmp_path: Path) -> None:
    environment = systemd_python.environment(tmp_path)
    result = systemd_python.run(PROGRAM, environment | {"NOTIFY_SOCKET": str(tmp_path / "nobody")})
    assert result.stdout == "None True\nFalse False False False\n"
