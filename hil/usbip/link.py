"""One imported device, seen from the client: transfers with time limits, as libusb has them, over one connection.

A time limit is kept by unlinking. Until the server has answered that, its answer to the transfer may still come, and its data
counts: it is out of the device.
"""

from __future__ import annotations

import threading
from typing import Final

from hil.usb.device import Stalled, Unplugged
from hil.usbip.stream import ConnectionLost, Stream
from hil.usbip.wire import (
    COMMAND_SIZE,
    CONTROL,
    Record,
    Status,
    Submit,
    Submitted,
    Unlink,
    Unlinked,
    WireError,
    read_answer,
)

_UNLINK_SECONDS: Final = 5.0
"""How long a server may take for what it can answer at once; after that it counts as gone."""


class _Transfer:
    """A command that was sent. `answered` and `dropped` are set when the server says so, and when it never will."""

    __slots__ = ("abandoned", "answer", "answered", "command", "data", "dropped", "unlinked")

    def __init__(self, command: Submit) -> None:
        self.command = command
        self.answer: Submitted | None = None
        self.data = b""
        self.answered = threading.Event()
        self.dropped = threading.Event()
        self.unlinked = False
        self.abandoned = False


class Link:
    """The connection that carries the imported device `record`. Has a thread that receives, until `close`."""

    def __init__(self, stream: Stream, record: Record) -> None:
        self._stream = stream
        self.record = record
        self._sending = threading.RLock()
        """Who sends; taken before `_lock`. The receiver never waits for it: the server may take no more before we have read."""
        self._lock = threading.RLock()
        """Guards everything below; held for moments only."""
        self._seqnum = 0
        self._lost = False
        self._transfers: dict[int, _Transfer] = {}
        self._unlinks: dict[int, _Transfer] = {}
        self._receiver = threading.Thread(target=self._receive, name="usbip-receiver", daemon=True)
        self._receiver.start()

    @property
    def alive(self) -> bool:
        """Whether the server still has the device for us, as far as is known."""
        return not self._lost

    def control(self, setup: bytes, data: bytes, seconds: float) -> bytes:
        """One control transfer; see `UsbPort.control`."""
        incoming = bool(setup[0] & 0x80)
        length = int.from_bytes(setup[6:8], "little") if incoming else len(data)
        return self._transfer(CONTROL, length, data, seconds, incoming=incoming, setup=setup).data

    def write(self, endpoint: int, data: bytes, seconds: float) -> int:
        """One OUT transfer; see `UsbPort.bulk_write`."""
        transfer = self._transfer(endpoint & 15, len(data), data, seconds, incoming=False)
        return transfer.answer.length if transfer.answer else 0

    def read(self, endpoint: int, length: int, seconds: float) -> bytes:
        """One IN transfer; see `UsbPort.bulk_read`."""
        return self._transfer(endpoint & 15, length, b"", seconds, incoming=True).data

    def abandon(self) -> None:
        """End every transfer under way, with Unplugged for whoever waits for it; returns when the server knows."""
        with self._sending:
            with self._lock:
                transfers = list(self._transfers.values())
            for transfer in transfers:
                transfer.abandoned = True
                self._unlink(transfer)
                transfer.answered.set()
        for transfer in transfers:
            if transfer.unlinked and not transfer.dropped.wait(_UNLINK_SECONDS):
                self._lose()

    def close(self) -> None:
        """Let go of the device; returns when the server has let go of it too. May be called more than once."""
        # A finalizer may bring the receiver itself here: it cannot wait for its own end.
        if threading.current_thread() is not self._receiver:
            self._stream.finish()
            self._receiver.join(_UNLINK_SECONDS)
            self._stream.shut()
            self._receiver.join(_UNLINK_SECONDS)
        self._stream.close()

    def _transfer(
        self, endpoint: int, length: int, data: bytes, seconds: float, *, incoming: bool, setup: bytes = bytes(8)
    ) -> _Transfer:
        with self._sending:
            with self._lock:
                self._seqnum += 1
                transfer = _Transfer(Submit(self._seqnum, self.record.devid, incoming, endpoint, length, setup))
                self._transfers[self._seqnum] = transfer
            self._send(bytes(transfer.command), data)
        if not transfer.answered.wait(seconds or None):
            self._unlink(transfer)
        if transfer.unlinked and not transfer.dropped.wait(_UNLINK_SECONDS):
            self._lose()
        if transfer.abandoned:
            raise Unplugged
        if transfer.answer is None:
            if self._lost:
                raise Unplugged
            raise TimeoutError
        if transfer.answer.status == Status.STALL:
            raise Stalled
        if transfer.answer.status != Status.OK:
            raise Unplugged
        return transfer

    def _unlink(self, transfer: _Transfer) -> None:
        with self._sending:
            with self._lock:
                if transfer.unlinked or transfer.command.seqnum not in self._transfers:
                    return
                self._seqnum += 1
                command = Unlink(self._seqnum, self.record.devid, transfer.command.seqnum)
                transfer.unlinked = True
                self._unlinks[command.seqnum] = transfer
            self._send(bytes(command))

    def _send(self, *parts: bytes) -> None:
        try:
            if self._lost:
                raise Unplugged
            self._stream.send(*parts)
        except ConnectionLost as error:
            self._lose()
            raise Unplugged from error

    def _receive(self) -> None:
        try:
            while True:
                answer = read_answer(self._stream.receive(COMMAND_SIZE, idle=True))
                if isinstance(answer, Unlinked):
                    self._dropped(answer)
                else:
                    self._answered(answer)
        except (ConnectionLost, WireError):
            pass  # Both mean that there is no device any more, which every transfer will say.
        finally:
            self._lose()

    def _answered(self, answer: Submitted) -> None:
        with self._lock:
            transfer = self._transfers.get(answer.seqnum)
        if transfer is None or answer.length > transfer.command.length:
            raise WireError(f"answer {answer.seqnum} to nothing that was asked")
        data = self._stream.receive(answer.length) if transfer.command.incoming else b""
        with self._lock:
            del self._transfers[answer.seqnum]
            transfer.answer = answer
            transfer.data = data
            transfer.answered.set()

    def _dropped(self, answer: Unlinked) -> None:
        with self._lock:
            transfer = self._unlinks.pop(answer.seqnum, None)
            if transfer is None:
                raise WireError(f"answer {answer.seqnum} to nothing that was asked")
            self._transfers.pop(transfer.command.seqnum, None)
            transfer.dropped.set()

    def _lose(self) -> None:
        with self._lock:
            self._lost = True
            for transfer in (*self._transfers.values(), *self._unlinks.values()):
                transfer.answered.set()
                transfer.dropped.set()
            self._transfers.clear()
            self._unlinks.clear()
        self._stream.shut()
