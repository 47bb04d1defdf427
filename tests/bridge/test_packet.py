"""Packets: the check byte, and ends that are ends of transfers."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.pagescan6.packet import PacketError, command_body, command_packet, crc8, reply_body, reply_packet

BODIES = st.binary(min_size=1, max_size=64)


@pytest.mark.parametrize(
    ("body", "crc"), [(b"123456789", 0x94), (b"D", 0xB4), (b"V", 0xB7), (b"X", 0xB6), (b"\x1bK", 0x1B), (b"", 0x00)]
)
def test_published_check_bytes(body: bytes, crc: int) -> None:
    assert crc8(body) == crc


@given(BODIES)
def test_round_trips(body: bytes) -> None:
    assert command_body(command_packet(body)) == body
    assert reply_body(reply_packet(body)) == body


def test_a_body_may_hold_what_looks_like_an_end() -> None:
    assert reply_body(bytes.fromhex("02 57 03 02 03 03")) == bytes.fromhex("57 03 02 03")
    assert command_body(command_packet(b"\x02\x67\x03")) == b"\x02\x67\x03"


@pytest.mark.parametrize(
    ("transfer", "reason"),
    [
        ("", "empty transfer"),
        ("02", "ends with 02, not with ETX"),
        ("03", "starts with 03, not with STX"),
        ("02 03", "empty body"),
        ("44 03", "starts with 44, not with STX"),
        ("02 44", "ends with 44, not with ETX"),
        ("02 44 03 00", "ends with 00, not with ETX"),
    ],
)
def test_what_is_no_reply(transfer: str, reason: str) -> None:
    with pytest.raises(PacketError, match=f"^{reason}$") as caught:
        reply_body(bytes.fromhex(transfer))
    assert caught.value.reason == reason


def test_the_check_byte_is_looked_at_when_asked() -> None:
    with pytest.raises(PacketError, match=r"^check byte 00, computed b4$"):
        command_body(bytes.fromhex("02 44 03 00"))
    assert command_body(bytes.fromhex("02 44 03 00"), check_crc=False) == b"D"
    with pytest.raises(PacketError, match=r"^empty transfer$"):
        command_body(b"\x02")


@given(BODIES, st.integers(0, 7), st.data())
def test_a_flipped_bit_never_passes(body: bytes, bit: int, data: st.DataObject) -> None:
    packet = bytearray(command_packet(body))
    packet[data.draw(st.integers(0, len(packet) - 1))] ^= 1 << bit
    with pytest.raises(PacketError):
        command_body(bytes(packet))


@given(st.binary(max_size=64))
def test_any_bytes_are_a_body_or_a_reason(transfer: bytes) -> None:
    for body_of, packet_of in ((reply_body, reply_packet), (command_body, command_packet)):
        with contextlib.suppress(PacketError):
            assert packet_of(body_of(transfer)) == transfer
