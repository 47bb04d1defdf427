"""What waits for the host at one IN endpoint."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Piece:
    data: memoryview
    ends: bool
    ready: float


class Pipe:
    """Bytes in order, with the ends of transfers, and marks at which something happens once all before was read.

    Args:
        max_packet: Largest packet in bytes; a transfer of a multiple of it is ended by an empty packet.
    """

    def __init__(self, max_packet: int) -> None:
        self._max_packet = max_packet
        self._pieces: deque[_Piece | Callable[[], None]] = deque()
        self._open = False
        self.unread = 0
        """Bytes that wait."""

    def put(self, data: bytes | memoryview, *, ready: float, ends: bool = True) -> None:
        """Add bytes.

        Args:
            data: The bytes; they must not change any more.
            ready: When they can be read, in seconds; never before what was added earlier.
            ends: With them a transfer ends.
        """
        self._open = not ends
        self._pieces.append(_Piece(memoryview(data), ends, ready))
        self.unread += len(data)

    def end(self, *, ready: float) -> None:
        """End the transfer that was left open, if there is one; its rest may have been read already."""
        if self._open:
            self.put(b"", ready=ready)

    def mark(self, act: Callable[[], None]) -> None:
        """Add something to be done when all that was added so far is read."""
        self._pieces.append(act)

    def clear(self) -> None:
        """Forget everything; marks do not happen."""
        self._pieces.clear()
        self._open = False
        self.unread = 0

    def due_mark(self) -> Callable[[], None] | None:
        """Take the mark that comes next if nothing is left to be read before it."""
        if self._pieces and not isinstance(self._pieces[0], _Piece):
            mark = self._pieces.popleft()
            assert not isinstance(mark, _Piece)  # noqa: S101 (asked the line before)
            return mark
        return None

    @property
    def ready(self) -> float | None:
        """When what comes next can be read, in seconds; None: nothing comes."""
        head = self._pieces[0] if self._pieces else None
        return head.ready if isinstance(head, _Piece) else None

    def take(self, length: int, now: float) -> bytes | None:
        """Take what one transfer of `length` bytes would deliver now; None: not yet. See `UsbDevice.read`."""
        taken = 0
        whole = False
        count = 0
        for piece in self._pieces:
            if not isinstance(piece, _Piece):
                whole = count > 0
                break
            if piece.ready > now:
                break
            taken += len(piece.data)
            count += 1
            if taken > length or piece.ends or taken == length:
                whole = True
                break
        if not whole:
            return None
        return self._collect(count, length)

    def _collect(self, count: int, length: int) -> bytes:
        pieces = [piece for piece in (self._pieces.popleft() for _ in range(count)) if isinstance(piece, _Piece)]
        last = pieces[-1]
        data = last.data if count == 1 else memoryview(b"".join(piece.data for piece in pieces))
        if len(data) > length:
            self._pieces.appendleft(_Piece(data[length:], last.ends, last.ready))
            data = data[:length]
        elif len(data) == length and last.ends and data and length % self._max_packet == 0:
            self._pieces.appendleft(_Piece(memoryview(b""), ends=True, ready=last.ready))
        self.unread -= len(data)
        return bytes(data)
