"""A bulk device for tests: it echoes, it streams a pattern, and it can be stalled and unplugged."""

from __future__ import annotations

import threading
from collections import deque

from hil.usb.device import DeviceDescriptor, EndpointDescriptor, Stalled, Unplugged

VENDOR = 0x1209
PRODUCT = 0x0001
OUT = 0x05
ECHO = 0x85
STREAM = 0x86

DESCRIPTOR = DeviceDescriptor(
    vendor=VENDOR,
    product=PRODUCT,
    release=0x0102,
    usb_release=0x0200,
    endpoints=(EndpointDescriptor(OUT, 512), EndpointDescriptor(ECHO, 512), EndpointDescriptor(STREAM, 512)),
    strings=("Scrutineer", "Pattern device", "№ 7"),
)

_PERIOD = 251
_PATTERN = bytes(range(_PERIOD)) * 400


def pattern(offset: int, length: int) -> bytes:
    """`length` bytes of the stream from `offset` on; the period is prime, so bytes that went missing are seen."""
    start = offset % _PERIOD
    if start + length <= len(_PATTERN):
        return _PATTERN[start : start + length]
    return (_PATTERN * (length // len(_PATTERN) + 2))[start : start + length]


class PatternDevice:
    """What is written to OUT comes back at ECHO, message by message; STREAM gives `pattern` as far as `pour` has allowed."""

    def __init__(self, descriptor: DeviceDescriptor = DESCRIPTOR) -> None:
        self.descriptor = descriptor
        self.changed = threading.Condition()
        self.plugged = True
        self.generation = 1
        self.appetite = 1 << 30
        """Bytes that one OUT transfer may bring; the rest is not consumed."""
        self.calls: list[str] = []
        self._messages: deque[bytes] = deque()
        self._poured = 0
        self._given = 0
        self._ended = False
        self._stalled: set[int] = set()

    def configured(self) -> None:
        self.calls.append("configured")

    def halt_cleared(self, endpoint: int) -> None:
        self.calls.append(f"halt cleared {endpoint:#04x}")
        self._stalled.discard(endpoint)

    def write(self, endpoint: int, data: bytes) -> int:
        self._check(endpoint)
        taken = data[: self.appetite]
        self._messages.append(taken)
        self.changed.notify_all()
        return len(taken)

    def read(self, endpoint: int, length: int) -> bytes | None:
        self._check(endpoint)
        if endpoint == ECHO:
            if not self._messages:
                return None
            message = self._messages.popleft()
            if len(message) >= length:
                # What is left may be nothing: that is the empty packet which ends a message on the boundary.
                self._messages.appendleft(message[length:])
            return message[:length]
        left = self._poured - self._given
        if left < length and not self._ended:
            return None
        give = min(left, length)
        data = pattern(self._given, give)
        self._given += give
        if give < length:
            self._ended = False
        return data

    def pour(self, length: int, *, end: bool = True) -> None:
        """Let the stream go on for `length` bytes; it then ends with a short packet, or waits for more."""
        with self.changed:
            self._poured += length
            self._ended = end
            self.changed.notify_all()

    def stall(self, endpoint: int) -> None:
        with self.changed:
            self._stalled.add(endpoint)
            self.changed.notify_all()

    def unplug(self) -> None:
        with self.changed:
            self.plugged = False
            self._messages.clear()
            self._stalled.clear()
            self._poured = self._given = 0
            self._ended = False
            self.changed.notify_all()

    def plug(self) -> None:
        with self.changed:
            self.plugged = True
            self.generation += 1
            self.changed.notify_all()

    def _check(self, endpoint: int) -> None:
        if not self.plugged:
            raise Unplugged
        if endpoint in self._stalled:
            raise Stalled
