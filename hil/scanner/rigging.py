"""Faults that wait for their moment."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from hil.scanner.faults import (
    Command,
    Drop,
    Duplicate,
    Event,
    Fault,
    Garble,
    ImageByte,
    Late,
    Reached,
    Short,
    Transfer,
)
from hil.scanner.paper import Place

TransferFault = Drop | Short | Late | Duplicate | Garble
"""Faults that change a transfer."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    fault: Fault
    already: int


class Rigging:
    """Knows which faults wait for what, and counts transfers for them."""

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._transfers: Counter[int] = Counter()
        self._loaded: defaultdict[int, list[TransferFault]] = defaultdict(list)

    def arm(self, fault: Fault) -> None:
        """Let a fault wait for its trigger."""
        already = self._transfers[fault.at.endpoint] if isinstance(fault.at, Transfer) else 0
        self._waiting.append(_Waiting(fault, already))

    def load(self, fault: TransferFault) -> None:
        """Let a fault change the next transfer on its endpoint."""
        self._loaded[fault.endpoint].append(fault)

    def unload(self, endpoint: int) -> list[TransferFault]:
        """Take the faults that change the transfer that now goes over the endpoint."""
        return self._loaded.pop(endpoint, [])

    @property
    def image_bytes(self) -> frozenset[int]:
        """Bytes of an image that some fault waits for."""
        return frozenset(waiting.fault.at.count for waiting in self._waiting if isinstance(waiting.fault.at, ImageByte))

    def on_transfer(self, endpoint: int) -> list[Fault]:
        """A transfer is about to go over an endpoint: take the faults that this triggers."""
        self._transfers[endpoint] += 1
        return self._take(
            [
                waiting
                for waiting in self._waiting
                if isinstance(at := waiting.fault.at, Transfer)
                and at.endpoint == endpoint
                and self._transfers[endpoint] - waiting.already == at.count
            ]
        )

    def on_image_byte(self, offset: int) -> list[Fault]:
        """So many bytes of an image were sent: take the faults that this triggers."""
        return self._take_at(ImageByte(offset))

    def on_command(self, body: bytes) -> list[Fault]:
        """A command is about to be carried out: take the faults that this triggers."""
        return self._take_at(Command(body))

    def on_event(self, code: str) -> list[Fault]:
        """An event is about to be sent: take the faults that this triggers."""
        return self._take_at(Event(code))

    def on_place(self, sheet: str, place: Place) -> list[Fault]:
        """A sheet has reached a place: take the faults that this triggers."""
        return self._take_at(Reached(place), Reached(place, sheet))

    def _take_at(self, *triggers: ImageByte | Command | Event | Reached) -> list[Fault]:
        return self._take([waiting for waiting in self._waiting if waiting.fault.at in triggers])

    def _take(self, met: list[_Waiting]) -> list[Fault]:
        for waiting in met:
            self._waiting.remove(waiting)
        return [waiting.fault for waiting in met]


def changed_transfer(data: bytes | memoryview, faults: list[TransferFault]) -> tuple[list[bytes | memoryview], float]:
    """Let faults change a transfer, one after the other.

    Args:
        data: Its bytes.
        faults: What happens to it.

    Returns:
        The transfers that come of it, none to many, and the seconds by which they are late.
    """
    transfers = [data]
    late = 0.0
    for fault in faults:
        match fault:
            case Drop():
                transfers = []
            case Short(keep=keep):
                transfers = [each[:keep] for each in transfers]
            case Late(seconds=seconds):
                late += seconds
            case Duplicate():
                transfers = [each for each in transfers for _ in range(2)]
            case Garble(offset=offset, mask=mask):
                transfers = [_garbled(bytes(each), offset, mask) for each in transfers]
    return transfers, late


def _garbled(data: bytes, offset: int, mask: int) -> bytes:
    if not data:
        return data
    at = offset % len(data)
    return data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]
