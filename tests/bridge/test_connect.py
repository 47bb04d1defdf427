"""The opening conversation, byte by byte, and every way in which it can fail."""

from __future__ import annotations

import errno
import threading
import time
from pathlib import Path

import pytest

from firmware_bridge.pagescan6.driver import connect
from firmware_bridge.scanner import CoverOpened, ScannerError, ScannerIdentity, ScannerTrouble
from tests.bridge.fake_usb import REPLIES, FakeBus, usb_error
from tests.bridge.wire import (
    ANSWERS,
    CHECK_CRC,
    OPENING,
    PING,
    PONG,
    REGISTER_9,
    REGISTER_9_REPLY,
    SERIAL,
    STATUS,
    TABLES,
    VERSION,
    Heard,
    b,
    connected,
    quick,
    table_transfer,
)

WRITE_NONE = b("02 3e 30 30 39 30 30 30 30 30 32 30 30 03 50")
SAVE = b("02 7d 03 27")


def refusal(bus: FakeBus, **changes: object) -> ScannerError:
    heard = Heard()
    before = threading.active_count()
    with pytest.raises(ScannerError) as caught:
        connect(quick(**changes), heard.put, bus)
    assert bus.handles == 0
    assert threading.active_count() == before
    assert heard.empty()
    return caught.value


def test_the_opening_conversation() -> None:
    bus = FakeBus(ANSWERS)
    scanner = connect(quick(), lambda _: None, bus)
    assert bus.written == OPENING
    assert scanner.identity == ScannerIdentity("pagescan6", "9072", "03.04.1", "00C0FFEE")
    scanner.close()
    assert bus.handles == 0


def test_a_scanner_that_is_silent_until_check_bytes_are_looked_at() -> None:
    bus = FakeBus(ANSWERS)

    def listen(_: bytes) -> None:
        bus.answers[PING] = [PONG] if bus.written.count(CHECK_CRC) == 3 else []

    bus.before_write = listen
    connect(quick(), lambda _: None, bus).close()
    assert bus.written[:6] == [CHECK_CRC, PING] * 3


@pytest.mark.parametrize("question", [PING, VERSION, SERIAL, REGISTER_9, TABLES])
def test_silence_has_a_limit(question: bytes) -> None:
    start = time.monotonic()
    assert refusal(FakeBus({**ANSWERS, question: []}), setup_seconds=0.2).code == "scannerSilent"
    assert time.monotonic() - start < 2


def test_one_calibration_table_is_not_enough() -> None:
    assert refusal(FakeBus({**ANSWERS, TABLES: [table_transfer(0)]})).code == "scannerSilent"
    assert refusal(FakeBus({**ANSWERS, TABLES: [table_transfer(0)] * 2})).code == "scannerSilent"


def test_tables_for_other_columns() -> None:
    native = [b("02 57 02 00") + bytes((side << 4 | 8,)) + b("ff ff cc cc 00 00 cc cc 03") for side in (0, 1)]
    assert refusal(FakeBus({**ANSWERS, TABLES: native})).code == "scannerConfused"


def test_a_table_that_comes_in_two_reads() -> None:
    """A read whose time is over in the middle of a transfer keeps what came; the rest comes with the next one."""
    whole = table_transfer(0)
    bus = FakeBus({**ANSWERS, TABLES: [whole[:1024], whole[1024:3072], whole[3072:], table_transfer(1)]})
    with connected(bus):
        pass


def test_a_transfer_of_whole_packets_ends_with_an_empty_one_or_with_time() -> None:
    text = b"\x02D" + b"x" * 509 + b"\x03"
    for transfers in ([text, b""], [text]):
        with connected(FakeBus({**ANSWERS, PING: transfers}), greet_reply_seconds=0.3):
            pass


def test_the_boot_register_is_written_and_saved_when_a_sheet_would_be_ejected() -> None:
    answers = iter([[b"\x02<009ABCDE0FF\x03"], [b"\x02<009ABCDE2FF\x03"]])

    bus = FakeBus(ANSWERS)

    def read(packet: bytes) -> None:
        if packet == REGISTER_9:
            bus.answers[REGISTER_9] = next(answers)

    bus.before_write = read
    connect(quick(), lambda _: None, bus).close()
    assert bus.written[6][:-2] == b"\x02>009ABCDE2FF"
    assert bus.written[7:] == [REGISTER_9, SAVE, TABLES]


def test_a_boot_register_that_does_not_keep_its_value() -> None:
    bus = FakeBus({**ANSWERS, REGISTER_9: [b"\x02<00900000000\x03"]})
    found = refusal(bus)
    assert (found.code, found.detail) == ("scannerConfused", "register 0x9 holds 0x00000000 after 0x00000200 was written")
    assert WRITE_NONE in bus.written
    assert SAVE not in bus.written


def test_a_firmware_without_registers() -> None:
    bus = FakeBus({**ANSWERS, REGISTER_9: []})
    with connected(bus, check_boot_register=False):
        pass
    assert REGISTER_9 not in bus.written


def test_only_scanners_that_belong_here() -> None:
    bus = FakeBus(ANSWERS)
    found = refusal(bus, allowed_serial_numbers=("00000001", "0000000a"))
    assert (found.code, found.detail) == ("scannerNotAllowed", "serial number 00C0FFEE is not one of 00000001, 0000000A")
    assert REGISTER_9 not in bus.written, "nothing is written into somebody else's scanner"
    with connected(bus, allowed_serial_numbers=("00c0ffee",)):
        pass


def test_lock_and_rights(tmp_path: Path) -> None:
    bus = FakeBus(ANSWERS)
    with connected(bus, lock_file=tmp_path / "lock"):
        with pytest.raises(ScannerError) as caught:
            connect(quick(lock_file=tmp_path / "lock"), lambda _: None, bus)
        assert caught.value.code == "scannerBusy"
    bus.failing["open"] = [usb_error(errno.EACCES)]
    assert refusal(bus).code == "scannerForbidden"


@pytest.mark.parametrize("number", [errno.ENODEV, errno.EPIPE, errno.ETIMEDOUT])
def test_a_write_that_fails_on_the_way(number: int) -> None:
    assert refusal(FakeBus({**ANSWERS, SERIAL: usb_error(number)})).code == "scannerDisconnected"


def test_a_read_that_fails_on_the_way() -> None:
    bus = FakeBus({**ANSWERS, SERIAL: []})

    def stall(packet: bytes) -> None:
        if packet == SERIAL:
            bus.say(usb_error(errno.EPIPE))

    bus.before_write = stall
    found = refusal(bus)
    assert (found.code, found.detail) == ("scannerDisconnected", "reading replies: [Errno 32] scripted")


def test_what_happens_on_the_way_is_told_once_there_is_a_scanner() -> None:
    heard: list[object] = []
    bus = FakeBus({**ANSWERS, VERSION: [b"\x02#34\x03", *ANSWERS[VERSION]]})  # type: ignore[misc]
    scanner = connect(quick(), heard.append, bus)
    assert heard == [CoverOpened()]
    bus.say(b"\x02#06\x03")
    bus.wait_read(REPLIES)
    scanner.sensors()
    assert heard == [CoverOpened(), ScannerTrouble("readError", "#06 read error")]
    scanner.close()


def test_an_on_event_that_fails_on_the_way() -> None:
    def fail(_: object) -> None:
        raise ZeroDivisionError

    bus = FakeBus({**ANSWERS, VERSION: [b"\x02#34\x03", *ANSWERS[VERSION]]})  # type: ignore[misc]
    with pytest.raises(ScannerError, match=r"^scannerConfused: on_event failed at CoverOpened: ZeroDivisionError$"):
        connect(quick(), fail, bus)
    assert bus.handles == 0


def test_late_replies_are_not_taken_for_the_next_one() -> None:
    bus = FakeBus(ANSWERS)
    with connected(bus) as (scanner, heard):
        bus.say(b("02 51 98 80 81 03"), REGISTER_9_REPLY)
        assert bus.wait_read(REPLIES)
        time.sleep(0.05)
        assert not scanner.sensors().cover_open
        assert heard.empty()
        assert bus.written == [STATUS]
