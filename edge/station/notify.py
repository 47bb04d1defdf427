"""What the station tells systemd about itself: that it is ready, what it is doing, that it is alive, that it stops.

Without NOTIFY_SOCKET nobody listens, and nothing is sent. With it systemd-python must be there: a service that cannot say that it
is ready would be killed after a time-out that explains nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable

_MOST_STATUS = 200


class NotifyError(Exception):
    """Notification that is asked for and cannot work: a reason code and one sentence.

    Codes: `notifyUnavailable`, `watchdogInvalid`.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        """Give the message: `code: detail`."""
        return f"{self.code}: {self.detail}"


class Notifier:
    """Each method tells whether its message was sent, and never raises: the station works on when systemd does not listen.

    Args:
        send: sends one notification, True when it was taken, OSError when not; None = nobody listens.
        watchdog_interval_ms: see the property.
    """

    def __init__(self, send: Callable[[str], bool] | None, watchdog_interval_ms: int | None) -> None:
        self._send = send
        self._watchdog_interval_ms = watchdog_interval_ms

    @property
    def enabled(self) -> bool:
        """Whether somebody listens."""
        return self._send is not None

    @property
    def watchdog_interval_ms(self) -> int | None:
        """Silence, in milliseconds, after which systemd kills the service; None = it does not watch. Feed at half of it."""
        return self._watchdog_interval_ms

    def ready(self, status: str) -> bool:
        """The start is complete; `status` as in `status`."""
        return self._notify(f"READY=1\n{_status(status)}")

    def status(self, status: str) -> bool:
        """One line for `systemctl status`; cut after 200 characters."""
        return self._notify(_status(status))

    def watchdog(self) -> bool:
        """The station is alive; to be called after progress only, never from a timer of its own."""
        return self._notify("WATCHDOG=1")

    def stopping(self, status: str) -> bool:
        """The station has begun to stop; `status` as in `status`."""
        return self._notify(f"STOPPING=1\n{_status(status)}")

    def _notify(self, message: str) -> bool:
        if self._send is None:
            return False
        try:
            return bool(self._send(message))
        except OSError:
            return False


def open_notifier() -> Notifier:
    """Find out from the environment who listens and how long the watchdog waits.

    Raises:
        NotifyError: see there.
    """
    if not os.environ.get("NOTIFY_SOCKET"):
        return Notifier(None, None)
    try:
        from systemd.daemon import notify  # noqa: PLC0415  only on the board
    except ImportError as error:
        raise NotifyError("notifyUnavailable", f"NOTIFY_SOCKET is set, but systemd-python cannot be loaded: {error}") from error
    return Notifier(notify, _watchdog_interval_ms())


def _watchdog_interval_ms() -> int | None:
    """WATCHDOG_USEC in milliseconds, if it is meant for this process (sd_watchdog_enabled(3))."""
    length, process = os.environ.get("WATCHDOG_USEC"), os.environ.get("WATCHDOG_PID")
    if length is None or (process is not None and process != str(os.getpid())):
        return None
    if re.fullmatch("[0-9]{1,18}", length) is None or int(length) < 1000:
        raise NotifyError("watchdogInvalid", f"WATCHDOG_USEC={length!r} is not a length of time of 1 ms or more")
    return int(length) // 1000


def _status(text: str) -> str:
    """A STATUS line: a line break in the text would begin another assignment."""
    line = "".join(letter if letter.isprintable() else " " for letter in text[:_MOST_STATUS])
    return f"STATUS={line}"
