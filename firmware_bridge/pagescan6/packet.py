"""Packets on the wire, both directions (the public notes on the PageScan 6 protocol).

A command is ``02 body 03 crc``, a reply or an event is ``02 body 03``; either fills exactly one bulk transfer. Nothing is
escaped: a body may hold 02 and 03 as data, so a packet ends where its transfer ends and never at the first 03.
"""

from __future__ import annotations

from typing import Final

STX: Final = 0x02
ETX: Final = 0x03

_POLYNOMIAL: Final = 0x97


class PacketError(ValueError):
    """A transfer that is not one whole packet.

    Attributes:
        reason: What is wrong with it, in a few words.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _crc_of_byte(value: int) -> int:
    for _ in range(8):
        value = (value << 1) ^ (_POLYNOMIAL if value & 0x80 else 0)
    return value & 0xFF


_CRC_OF_BYTE: Final = tuple(_crc_of_byte(value) for value in range(256))


def crc8(body: bytes) -> int:
    """Check byte of a command: CRC-8, polynomial 0x97, initial value 0, most significant bit first, no final exclusive-or.

    Args:
        body: The bytes between STX and ETX. ``b"123456789"`` gives 0x94.

    Returns:
        0 to 255.
    """
    crc = 0
    for byte in body:
        crc = _CRC_OF_BYTE[crc ^ byte]
    return crc


def command_packet(body: bytes) -> bytes:
    """Frame a command for the way to the scanner: ``02 body 03 crc``."""
    return bytes((STX, *body, ETX, crc8(body)))


def reply_packet(body: bytes) -> bytes:
    """Frame a reply or an event for the way to the host: ``02 body 03``."""
    return bytes((STX, *body, ETX))


def reply_body(transfer: bytes) -> bytes:
    """Take the body out of one transfer from the scanner.

    Raises:
        PacketError: The transfer is not STX, at least one byte, ETX.
    """
    if not transfer:
        raise PacketError("empty transfer")
    if transfer[0] != STX:
        raise PacketError(f"starts with {transfer[0]:02x}, not with STX")
    if transfer[-1] != ETX or len(transfer) < 2:
        raise PacketError(f"ends with {transfer[-1]:02x}, not with ETX")
    if len(transfer) < 3:
        raise PacketError("empty body")
    return transfer[1:-1]


def command_body(transfer: bytes, *, check_crc: bool = True) -> bytes:
    """Take the body out of one transfer to the scanner.

    Args:
        transfer: All bytes of the transfer.
        check_crc: Whether the last byte must be right; a scanner looks at it only once it was told to.

    Raises:
        PacketError: The transfer is not a reply packet followed by one byte, or that byte is wrong.
    """
    body = reply_body(transfer[:-1])
    if check_crc and transfer[-1] != crc8(body):
        raise PacketError(f"check byte {transfer[-1]:02x}, computed {crc8(body):02x}")
    return body
