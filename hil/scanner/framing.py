"""Packets: how a command body travels to the scanner, and an answer or event back.

To the scanner: 02 body 03 crc8(body). From the scanner: 02 body 03. One packet is one USB transfer; nothing is escaped.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from firmware_bridge.pagescan6.packet import crc8

_START = 0x02
_END = 0x03


class Defect(Enum):
    """What is wrong with a transfer that came on the endpoint of commands."""

    SHAPE = "no packet"
    CRC = "wrong check byte"
    DOUBLED = "a packet in a packet"


@dataclass(frozen=True, slots=True)
class Command:
    """A command as it arrived: its body, or what is left of it, and what is wrong with its packet (None: nothing)."""

    body: bytes
    defect: Defect | None = None


def frame(body: bytes) -> bytes:
    """Pack an answer or event."""
    return bytes([_START]) + body + bytes([_END])


def unframe(packet: bytes, *, check: bool) -> Command:
    """Unpack a command.

    Args:
        packet: One transfer.
        check: CRC checking is on. If off, the check byte may be anything, or missing: the notes do not say what is done with it.
    """
    if len(packet) >= 4 and packet[0] == _START and packet[-2] == _END:
        body = packet[1:-2]
        if body[0] == _START and unframe(body, check=True).defect is None:
            # Some hosts pack certain commands twice and real scanners evidently live with it.
            return Command(body, Defect.DOUBLED)
        return Command(body, Defect.CRC if check and crc8(body) != packet[-1] else None)
    if len(packet) >= 3 and packet[0] == _START and packet[-1] == _END:
        return Command(packet[1:-1], Defect.CRC if check else None)
    return Command(packet, Defect.SHAPE)
