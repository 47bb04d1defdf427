"""A conversation with one scanner: commands go out one at a time, and two threads take in what comes, one per IN endpoint.

Any failure ends the session for good: the first one is kept, both threads leave, and the last of them gives the USB device back
before it says that the connection is lost. So whoever hears of the loss can connect again at once.
"""

from __future__ import annotations

import logging
import threading
from array import array
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol, TypeVar

from firmware_bridge.pagescan6.messages import Message, Reply, decode
from firmware_bridge.pagescan6.packet import command_packet
from firmware_bridge.pagescan6.settings import ScannerSettings
from firmware_bridge.pagescan6.usb_errors import scanner_error
from firmware_bridge.pagescan6.usb_link import Clock, UsbLink
from firmware_bridge.scanner import ScannerError

R = TypeVar("R")

_KEPT_REPLIES: Final = 64
_LONGEST_TRANSFER: Final = 64 << 10
"""Bytes after which a transfer on the primary endpoint counts as whole; the longest known one has 6922."""
_JOIN_MARGIN_SECONDS: Final = 5.0
_log = logging.getLogger(__name__)


class Listener(Protocol):
    """Who is told what comes. Called from the threads of the session; what it raises ends the session."""

    def heard(self, message: Message) -> None:
        """An event, or something that nobody understands; from the thread of the primary endpoint."""

    def next_image_read(self) -> float:
        """How long the image endpoint's next read may take, in seconds; asked right before it begins."""

    def pixels(self, data: memoryview) -> None:
        """Pixels have come; `data` is good until the call returns."""

    def no_pixels(self) -> None:
        """The read that was asked about last has ended without a pixel."""

    def lost(self, error: ScannerError) -> None:
        """The session has failed, and the device has been given back. Not called for a session that was closed."""


class Session:
    """Commands, replies and threads over one `UsbLink`.

    Args:
        link: A claimed scanner; the session gives it back.
        settings: Limits and buffer sizes.
        clock: Seconds, monotonic.
    """

    def __init__(self, link: UsbLink, settings: ScannerSettings, clock: Clock) -> None:
        self._link = link
        self._settings = settings
        self._clock = clock
        self._changed = threading.Condition()
        self._writing = threading.Lock()
        self._replies: deque[Reply] = deque(maxlen=_KEPT_REPLIES)
        self._failure: ScannerError | None = None
        self._closing = False
        self._threads: list[threading.Thread] = []
        self._inside = 0

    # For whoever has something to say

    @property
    def failure(self) -> ScannerError | None:
        """Why the session is over; None while it is not, and after a mere `close`."""
        return self._failure

    def start(self, listener: Listener) -> None:
        """Begin to listen; `listener` is told what comes."""
        loops = (self._read_replies, self._read_images)
        self._threads = [
            threading.Thread(target=self._run, args=(loop, listener), name=f"pagescan6{loop.__name__}") for loop in loops
        ]
        self._inside = len(self._threads)
        for thread in self._threads:
            thread.daemon = True
            try:
                thread.start()
            except RuntimeError as error:
                self._fail(scanner_error("scannerConfused", f"no thread could be started: {error}"))
                self._leave(listener)

    def check(self) -> None:
        """Raise scannerDisconnected when the session is over."""
        if self._failure is not None:
            raise ScannerError("scannerDisconnected", f"the connection is over ({self._failure})", self._failure.hint)
        if self._closing:
            raise scanner_error("scannerDisconnected", "the connection was closed")

    def send(self, body: bytes) -> None:
        """Send a command. Replies that nobody has claimed so far belong to commands of the past, and are forgotten.

        Raises:
            ScannerError: scannerDisconnected or what the write failed with; either way the session is over.
        """
        with self._changed:
            self._replies.clear()
        self.interject(body)

    def interject(self, body: bytes) -> None:
        """Send a command that has no reply, while another thread may wait for the reply to another one. Raises as `send`."""
        with self._writing:
            self.check()
            try:
                self._link.write(command_packet(body))
            except ScannerError as error:
                self._fail(error)
                raise

    def ask(self, body: bytes, reply: type[R], seconds: float, excused: Callable[[], bool] = lambda: False) -> R:
        """Send a command and wait for its reply. Raises as `send` and `wait_for`."""
        self.send(body)
        return self.wait_for(reply, seconds, excused=excused)

    def wait_for(
        self,
        reply: type[R],
        seconds: float,
        matches: Callable[[R], bool] = lambda _: True,
        excused: Callable[[], bool] = lambda: False,
    ) -> R:
        """Wait for a reply of a kind.

        Args:
            reply: The kind.
            seconds: The limit.
            matches: Which ones of that kind will do.
            excused: Whether the scanner has reason to answer late at this moment; the limit begins anew as long as it has.

        Raises:
            ScannerError: scannerSilent when none has come within the limit; scannerDisconnected when the session is over.
        """
        if threading.current_thread() in self._threads:
            raise RuntimeError("a reply cannot be waited for inside on_event: its thread is the one that reads replies")
        deadline = self._clock() + seconds
        with self._changed:
            while True:
                self.check()
                for index, candidate in enumerate(self._replies):
                    if isinstance(candidate, reply) and matches(candidate):
                        del self._replies[index]
                        return candidate
                left = deadline - self._clock()
                if left <= 0 and excused():
                    deadline, left = self._clock() + seconds, seconds
                if left <= 0:
                    raise scanner_error("scannerSilent", f"no {reply.__name__} within {seconds:.2f} s")
                self._changed.wait(left)

    def close(self) -> None:
        """End the session; never raises, and may be called more than once.

        Called from one of the session's own threads it does not wait; the device is given back as soon as that call has returned
        and the other thread's read is over.
        """
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if threading.current_thread() in self._threads:
            return
        limit = self._settings.idle_read_seconds + self._settings.write_seconds + _JOIN_MARGIN_SECONDS
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(limit)

    # The threads

    def _run(self, loop: Callable[[Listener], None], listener: Listener) -> None:
        try:
            loop(listener)
        except ScannerError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 -- nothing may vanish in a thread
            _log.exception("the scanner's connection ends because of an error in the program")
            self._fail(scanner_error("scannerConfused", f"{type(error).__name__}: {error}"))
        finally:
            self._leave(listener)

    def _read_replies(self, listener: Listener) -> None:
        buffer = array("B", bytes(self._settings.event_read_bytes))
        begun = b""
        while self._running:
            count = self._link.read_replies(buffer, self._settings.idle_read_seconds)
            arrived = memoryview(buffer)[: count or 0].tobytes()
            # A read ends with a short packet, or because its time is over: whole packets can be the first part of a transfer.
            begun += arrived
            if arrived and len(arrived) % self._link.reply_packet_bytes == 0 and len(begun) < _LONGEST_TRANSFER:
                continue
            if begun:
                self._take(decode(begun), listener)
                begun = b""

    def _take(self, message: Message, listener: Listener) -> None:
        if isinstance(message, Reply):
            with self._changed:
                self._replies.append(message)
                self._changed.notify_all()
        else:
            listener.heard(message)

    def _read_images(self, listener: Listener) -> None:
        buffer = array("B", bytes(self._settings.image_read_bytes))
        view = memoryview(buffer)
        while self._running:
            count = self._link.read_images(buffer, listener.next_image_read())
            if count:
                listener.pixels(view[:count])
            else:
                listener.no_pixels()

    @property
    def _running(self) -> bool:
        return self._failure is None and not self._closing

    def _fail(self, error: ScannerError) -> None:
        with self._changed:
            if self._failure is None and not self._closing:
                self._failure = error
            self._changed.notify_all()

    def _leave(self, listener: Listener) -> None:
        with self._changed:
            self._inside -= 1
            if self._inside:
                return
        with self._writing:
            self._link.close()
        if self._failure is not None:
            listener.lost(self._failure)
