"""Every answer of the scanner, byte for byte, as the public notes give it."""

from __future__ import annotations

import pytest

from hil.scanner.knobs import Behaviour
from tests.scanner.host import Host, packet


@pytest.mark.parametrize(
    ("body", "wire"),
    [
        (b"D", "02 44 03 b4"),
        (b"\x1bK", "02 1b 4b 03 1b"),
        (b"<009", "02 3c 30 30 39 03 be"),
        (b"\x1b%T\x4b", "02 1b 25 54 4b 03 21"),
        (b">00900000200", "02 3e 30 30 39 30 30 30 30 30 32 30 30 03 50"),
    ],
)
def test_this_host_packs_as_the_notes_do(body: bytes, wire: str) -> None:
    assert packet(body) == bytes.fromhex(wire)


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (b"D", b"D Test Message USB 1.1/2.0 Communication"),
        (b"V", b"V907203041"),
        (b"\x1bV", b"XJan 05 2024/10:20:30"),
        (b"Q", b"Q\x88\x80\x81"),
        (b"I", b"I\xc8\x00\x01\x00\xc0\x06\x01\x00\x00\x00\x02\x00"),
        (b"*", b"*00C0FFEE"),
        (b"\x1bs", b"s25"),
        (b"\x1bs3", b"s35"),
        (b"n3a10", b"n3a10=205"),
        (b"n3a20", b"n3a20=118"),
        (b"n3a30", b"n3a30=128"),
        (b"n3a40", b"n3a40=1"),
        (b"n3a90", b"n3a90=161"),
        (b"<009", b"<00900000200"),
        (b"<00a", b"<00A00000000"),
        (b">00a0000beef", b">00A0000BEEF"),
        (b"\x1b%T\x4b", b"XT 4B"),
        (b"\x1b%B\x02", b"XB 02"),
        (b"\x1b%B\x03", b"XB 03"),
        (b"\x1b+", b"XT 4C"),
        (b"\x1b-", b"XT 4A"),
        (b"\x1b>", b"XB 4C"),
        (b"\x1b<", b"XB 4A"),
        (b"\x1b$", b"XT 4B4B"),
        (b"*89ABCDEF", b"*89ABCDEF"),
    ],
)
def test_answers(command: bytes, answer: bytes) -> None:
    assert Host().ask(b"\x1bK", command) == [answer]


@pytest.mark.parametrize(
    "command",
    [
        *(b"\x1bK", b"\x1bU", b"8", b"9", b"A", b"@", b"B", b"J", b"G", b"H", b"y", b"z", b"g", b"\x1bX", b"\x1bY", b"M", b"N"),
        *(b"\x1be", b"\x1bd", b"j", b"k", b"\x1bD\x89", b"\x1bD\x893", b"\x1bj\x20", b"\x1bj0", b"\x1bO", b"5", b"6", b"n", b"o"),
        *(b"n3A50", b"n3B100", b"}", b"3", b"4", b"1", b"7", b"["),
    ],
)
def test_what_is_accepted_silently(command: bytes) -> None:
    assert Host().ask(b"\x1bK", command) == []


@pytest.mark.parametrize(
    "command",
    [
        b"",
        b"?",
        b"88",
        b"n3A101",
        b"n3B9",
        b"n3B251",
        b"\x1bs0",
        b"\x1bs6",
        b"\x1b%T\x65",
        b"\x1bD\x1f",
        b"*1234",
        b"<9",
        b"W2",
        b"\x1b",
    ],
)
def test_what_is_unknown_or_out_of_range_is_a_command_error(command: bytes) -> None:
    assert Host().ask(b"\x1bK", command) == [b"#05"] if command else [b"#0E"]


def test_a_wrong_check_byte_is_refused_once_checking_is_on() -> None:
    host = Host()
    host.scanner.write(0x05, bytes.fromhex("02 44 03 00"))
    assert host.said() == [b"D Test Message USB 1.1/2.0 Communication"]
    host.send(b"\x1bK")
    for wire in ("02 44 03 00", "02 44 03", "44", ""):
        host.scanner.write(0x05, bytes.fromhex(wire))
        assert host.said() == [b"#0E"]


def test_a_check_byte_may_be_missing_before_checking_is_on() -> None:
    host = Host()
    host.scanner.write(0x05, bytes.fromhex("02 2a 03"))
    assert host.said() == [b"*00C0FFEE"]
    host.scanner.write(0x05, b"nonsense")
    assert host.said() == [b"#05"]


def test_a_packet_in_a_packet_is_ignored(caplog: pytest.LogCaptureFixture) -> None:
    host = Host()
    host.send(b"\x1bK")
    host.scanner.write(0x05, bytes.fromhex("02 02 67 03 79 03 98"))
    assert host.said() == []
    assert "02 02 67 03 79 03 98" in caplog.text


def test_a_scanner_may_be_deaf_until_checking_is_on() -> None:
    host = Host(behaviour=Behaviour(answers_before_crc=False))
    assert host.ask(b"D") == []
    assert host.ask(b"\x1bK", b"D") == [b"D Test Message USB 1.1/2.0 Communication"]


def test_calibration_tables() -> None:
    host = Host()
    host.send(b"W1")
    ones = b"\xff" * 1728
    total = (255 * 1728 & 0xFFFF).to_bytes(2, "little")
    tables = ones + total + bytes(1728) + b"\x00\x00\x03"
    assert host.scanner.read(0x85, 16384) == b"\x02W\xc0\x06\x08" + tables
    assert host.scanner.read(0x85, 16384) == b"\x02W\xc0\x06\x18" + tables
    assert host.scanner.read(0x85, 16384) is None
    assert len(b"\x02W\xc0\x06\x08" + tables) == 3466
    assert [len(body) for body in host.ask(b"W", b"W0")] == [6920] * 4


def test_registers_live_in_memory_until_they_are_saved() -> None:
    host = Host()
    host.ask(b">00900000000", b"\x1b%T\x32", b"*89ABCDEF")
    assert host.ask(b"<009") == [b"<00900000000"]
    host.send(b"0")
    assert host.ask(b"<009", b"\x1b+", b"*") == [b"<00900000200", b"XT 4C", b"*89ABCDEF"]
    host.ask(b">00900000100", b"}", b"\x1b%T\x32", b"\x1b$")
    host.send(b"0")
    assert host.ask(b"<009", b"\x1b+") == [b"<00900000100", b"XT 33"]


def test_settings_follow_the_modes() -> None:
    host = Host()
    assert host.ask(b"J", b"y", b"B", b"I") == [b"I\x90\x01\x08\x00\x80\x0d\x03\x00\x00\x00\x02\x00"]


def test_thresholds_stay_within_percent() -> None:
    assert Host().ask(b"\x1b%T\x64", b"\x1b+", b"\x1b%B\x00", b"\x1b<") == [b"XT 64", b"XT 64", b"XB 00", b"XB 00"]


def test_the_answer_to_the_number_of_sensors_may_be_missing() -> None:
    assert Host(behaviour=Behaviour(answers_sensor_count=False)).ask(b"\x1bs2", b"\x1bs") == [b"s25"]


def test_double_feed_sensor_missing_or_not_calibrated() -> None:
    assert Host(behaviour=Behaviour(double_feed_fitted=False)).ask(b"n") == [b"#08"]
    assert Host(behaviour=Behaviour(double_feed_calibrated=False)).ask(b"n", b"n3a10") == [b"#07", b"n3a10=0"]
