"""One host's hold on an emulated device: exclusive, dead after an unplugging, with the transfers under way in their order.

The in-process port and the USB/IP server are two ways to drive it, so both give a host the same answers.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from hil.usb.control import EndpointZero, Setup
from hil.usb.device import BusyError, Stalled, Unplugged, UsbDevice

PIECE: Final = 16384
"""Bytes that are asked of a device at once. A longer transfer takes several pieces, as data becomes ready.

So a host that gives up waiting gets what has already crossed, and a device with a small buffer can drain it into a large
transfer, both as on a real cable. libusb splits transfers at the same length where the kernel cannot gather.
"""


@dataclass(slots=True, eq=False)
class InTransfer:
    """An IN transfer under way: at most `length` bytes wanted, `data` arrived so far. `epoch` counts resets of the port."""

    endpoint: int
    length: int
    epoch: int
    data: bytearray = field(default_factory=bytearray)


# Re-entrant, as every lock here that a garbage collection may meet: pyusb closes devices from finalizers.
_lock = threading.RLock()
_holds: dict[int, Hold] = {}
"""Who holds a device, by its identity: it takes one cable, whoever plugs it in."""


class Hold:
    """A host's hold on `device`, for the one generation that was present when it was taken.

    All but its making and `release` want `device.changed` held.

    Raises:
        Unplugged: Nothing is plugged in.
        BusyError: Another host holds the device.
    """

    def __init__(self, device: UsbDevice) -> None:
        self._device = device
        self._zero = EndpointZero(device)
        self._epoch = 0
        self._released = False
        self._waiting: dict[int, deque[InTransfer]] = {}
        with device.changed:
            if not device.plugged:
                raise Unplugged
            self._generation = device.generation
            with _lock:
                other = _holds.get(id(device))
                if other is not None and other.alive:
                    raise BusyError
                _holds[id(device)] = self

    @property
    def alive(self) -> bool:
        """Whether the device that was taken is still the one that is there."""
        return not self._released and self._device.plugged and self._device.generation == self._generation

    def release(self) -> None:
        """Let go; every transfer under way ends. May be called more than once."""
        with self._device.changed:
            if self._released:
                return
            self._released = True
            self._waiting.clear()
            with _lock:
                if _holds.get(id(self._device)) is self:
                    del _holds[id(self._device)]
            self._device.changed.notify_all()

    def reset(self) -> None:
        """Every transfer under way ends, and what endpoint 0 has set is forgotten."""
        self._check_alive()
        self._epoch += 1
        self._zero = EndpointZero(self._device)
        self._waiting.clear()
        self._device.changed.notify_all()

    def control(self, setup: Setup) -> bytes:
        """One control transfer; gives the data of its answer. Raises Stalled or Unplugged."""
        self._check_alive()
        return self._zero.answer(setup)

    def write(self, endpoint: int, data: bytes) -> int:
        """One OUT transfer; gives the bytes consumed. Raises Stalled or Unplugged."""
        self._check_alive()
        if endpoint & 0x80:
            raise Stalled
        self._zero.check(endpoint)
        try:
            consumed = self._device.write(endpoint, data)
        except Stalled:
            self._zero.saw(endpoint, stalled=True)
            raise
        self._zero.saw(endpoint, stalled=False)
        return consumed

    def begin(self, endpoint: int, length: int) -> InTransfer:
        """Queue an IN transfer behind those that wait on the same endpoint."""
        transfer = InTransfer(endpoint, length, self._epoch)
        self._waiting.setdefault(endpoint, deque()).append(transfer)
        return transfer

    def advance(self, transfer: InTransfer) -> bool:
        """Move what can move now, if it is this transfer's turn; tells whether the transfer is whole.

        Raises:
            Stalled: The endpoint is halted; the transfer is over.
            Unplugged: The device is gone, or the port was reset; the transfer is over.
        """
        self._check_alive()
        endpoint = transfer.endpoint
        if transfer.epoch != self._epoch:
            raise Unplugged
        if not endpoint & 0x80:
            raise Stalled
        self._zero.check(endpoint)
        if self._waiting[endpoint][0] is not transfer:
            return False
        while len(transfer.data) < transfer.length:
            wanted = min(PIECE, transfer.length - len(transfer.data))
            try:
                piece = self._device.read(endpoint, wanted)
            except Stalled:
                self._zero.saw(endpoint, stalled=True)
                raise
            if piece is None:
                return False
            self._zero.saw(endpoint, stalled=False)
            transfer.data += piece
            if len(piece) < wanted:
                break
        return True

    def end(self, transfer: InTransfer) -> None:
        """Take a transfer out of its queue, whole or not; it is the next one's turn."""
        queue = self._waiting.get(transfer.endpoint)
        if queue is not None and transfer in queue:
            queue.remove(transfer)
            if queue:
                self._device.changed.notify_all()

    def _check_alive(self) -> None:
        if not self.alive:
            raise Unplugged
