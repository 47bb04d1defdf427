"""One client that has imported a device: its commands, the transfers that wait, and answers in the order the protocol wants.

Two threads: the connection's own reads commands, a second one waits for the device. Either may send, but only one at a time, and
answers leave in the order in which they were decided: an answer to a transfer never follows the news that it was dropped.
"""

from __future__ import annotations

import threading
from typing import Final

from hil.usb.control import Setup
from hil.usb.device import Stalled, Unplugged, UsbDevice
from hil.usb.hold import Hold, InTransfer
from hil.usbip.stream import ConnectionLost, Stream
from hil.usbip.wire import (
    COMMAND_SIZE,
    CONTROL,
    Status,
    Submit,
    Submitted,
    Unlink,
    Unlinked,
    WireError,
    read_command,
)

MOST_WAITING: Final = 1024
"""Commands of one client that may wait, for data or for the client to take their answers; hosts have a few dozen."""


class Session:
    """Serves `device`, held by `hold`, to the client at the other end of `stream`, which calls it `devid`."""

    def __init__(self, stream: Stream, device: UsbDevice, hold: Hold, devid: int) -> None:
        self._stream = stream
        self._hold = hold
        self._devid = devid
        self._changed = device.changed
        # All below is guarded by `changed`.
        self._waiting: dict[int, tuple[Submit, InTransfer]] = {}
        self._answers: list[bytes] = []
        self._sending = False

    def run(self) -> None:
        """Serve until the client or the device goes, then let go of the device."""
        pump = threading.Thread(target=self._pump, name="usbip-pump", daemon=True)
        pump.start()
        try:
            while True:
                self._receive()
        except (ConnectionLost, WireError, Unplugged):
            pass  # A client that is gone or talks nonsense is not told why; the kernel's server does the same.
        finally:
            self._hold.release()
            self._stream.shut()
            pump.join()

    def _receive(self) -> None:
        command = read_command(self._stream.receive(COMMAND_SIZE, idle=True))
        if command.devid != self._devid:
            raise WireError(f"device {command.devid:#x}, not {self._devid:#x}")
        data = b""
        if isinstance(command, Submit) and not command.incoming:
            data = self._stream.receive(command.length)
        with self._changed:
            if command.seqnum in self._waiting or len(self._waiting) + len(self._answers) >= MOST_WAITING:
                raise WireError(f"command {command.seqnum} is one too many")
            if isinstance(command, Unlink):
                self._unlink(command)
            elif command.endpoint == CONTROL:
                self._control(command)
            elif command.incoming:
                self._waiting[command.seqnum] = (command, self._hold.begin(0x80 | command.endpoint, command.length))
                self._advance()
            else:
                self._write(command, data)
        self._flush()

    def _pump(self) -> None:
        try:
            while True:
                with self._changed:
                    while not self._advance():
                        self._changed.wait()
                self._flush()
        except (ConnectionLost, Unplugged):
            pass
        finally:
            self._stream.shut()

    def _advance(self) -> bool:
        """Move what waits as far as it goes; tells whether there are new answers. Raises Unplugged."""
        if not self._hold.alive:
            raise Unplugged
        over = False
        for command, transfer in list(self._waiting.values()):
            try:
                if not self._hold.advance(transfer):
                    continue
            except Stalled:
                self._over(command, transfer, Status.STALL, b"")
            else:
                self._over(command, transfer, Status.OK, bytes(transfer.data))
            over = True
        return over

    def _over(self, command: Submit, transfer: InTransfer, status: Status, data: bytes) -> None:
        self._hold.end(transfer)
        del self._waiting[command.seqnum]
        self._answer(command, status, len(data), data)

    def _control(self, command: Submit) -> None:
        setup = Setup.read(command.setup)
        status, data = Status.OK, b""
        try:
            data = self._hold.control(setup)[: command.length]
        except Stalled:
            status = Status.STALL
        if command.incoming:
            self._answer(command, status, len(data), data)
        else:
            self._answer(command, status, 0 if status else command.length)

    def _write(self, command: Submit, data: bytes) -> None:
        try:
            consumed = self._hold.write(command.endpoint, data)
        except Stalled:
            self._answer(command, Status.STALL)
        else:
            self._answer(command, Status.OK, consumed)

    def _unlink(self, command: Unlink) -> None:
        status = Status.OK
        if command.victim in self._waiting:
            victim, transfer = self._waiting[command.victim]
            if transfer.data:
                # What has crossed the cable is out of the device and must reach the host: the transfer ended short, just before.
                self._over(victim, transfer, Status.OK, bytes(transfer.data))
            else:
                self._hold.end(transfer)
                del self._waiting[command.victim]
                status = Status.UNLINKED
        self._answers.append(bytes(Unlinked(command.seqnum, status)))

    def _answer(self, command: Submit, status: Status, length: int = 0, data: bytes = b"") -> None:
        answer = Submitted(command.seqnum, status, length, command.packets, command.start_frame)
        self._answers.append(bytes(answer))
        if data:
            self._answers.append(data)

    def _flush(self) -> None:
        """Send what was decided, unless another thread is at it: that one takes the new answers along. Raises ConnectionLost."""
        while True:
            with self._changed:
                if self._sending or not self._answers:
                    return
                self._sending = True
                answers = self._answers
                self._answers = []
            try:
                self._stream.send(*answers)
            finally:
                with self._changed:
                    self._sending = False
