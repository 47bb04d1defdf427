"""Every message of USB/IP, byte by byte from the kernel's documentation, and back; and anything else refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.usbip.wire import (
    LONGEST_TRANSFER,
    Operation,
    Record,
    Status,
    Submit,
    Submitted,
    Unlink,
    Unlinked,
    WireError,
    import_reply,
    import_request,
    list_reply,
    list_request,
    read_answer,
    read_busid,
    read_command,
    read_list_reply,
    read_operation,
    read_record,
    read_reply_status,
)

RECORD = Record(
    path="/emulated/1-1",
    busid="1-1",
    busnum=1,
    devnum=2,
    vendor=0x0BD7,
    product=0xA002,
    release=0x0100,
    configuration=0,
    interfaces=((0xFF, 0, 0),),
)
RECORD_BYTES = (
    b"/emulated/1-1".ljust(256, b"\0")
    + b"1-1".ljust(32, b"\0")
    + bytes.fromhex("00000001 00000002 00000003 0bd7 a002 0100 00 00 00 00 01 01")
)

WORD = st.integers(0, 0xFFFFFFFF)
SIGNED = st.integers(-(1 << 31), (1 << 31) - 1)
LENGTH = st.integers(0, LONGEST_TRANSFER)
NAME = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=31)
BYTE = st.integers(0, 255)
SHORT = st.integers(0, 0xFFFF)
TRIPLE = st.tuples(BYTE, BYTE, BYTE)
RECORDS = st.builds(
    Record,
    path=NAME,
    busid=NAME,
    busnum=WORD,
    devnum=WORD,
    vendor=SHORT,
    product=SHORT,
    release=SHORT,
    configuration=BYTE,
    interfaces=st.lists(TRIPLE, max_size=5).map(tuple),
    speed=WORD,
    device_class=TRIPLE,
    configurations=BYTE,
)
COMMANDS = st.one_of(
    st.builds(
        Submit,
        seqnum=WORD,
        devid=WORD,
        incoming=st.booleans(),
        endpoint=st.integers(0, 15),
        length=LENGTH,
        setup=st.binary(min_size=8, max_size=8),
        packets=WORD,
        start_frame=WORD,
        flags=WORD,
        interval=WORD,
    ),
    st.builds(Unlink, WORD, WORD, WORD),
)
ANSWERS = st.one_of(st.builds(Submitted, WORD, SIGNED, LENGTH, WORD, WORD, WORD), st.builds(Unlinked, WORD, SIGNED))


def test_list_request() -> None:
    assert list_request() == bytes.fromhex("0111 8005 00000000")
    assert read_operation(list_request()) is Operation.LIST


def test_list_reply() -> None:
    expected = bytes.fromhex("0111 0005 00000000 00000001") + RECORD_BYTES + bytes.fromhex("ff 00 00 00")
    assert len(expected) == 12 + 312 + 4
    assert list_reply([RECORD]) == expected
    assert read_list_reply(expected) == [RECORD]


def test_empty_list_reply() -> None:
    assert list_reply([]) == bytes.fromhex("0111 0005 00000000 00000000")
    assert read_list_reply(list_reply([])) == []


def test_import_request() -> None:
    expected = bytes.fromhex("0111 8003 00000000 312d3100") + bytes(28)
    assert len(expected) == 40
    assert import_request("1-1") == expected
    assert read_operation(expected[:8]) is Operation.IMPORT
    assert read_busid(expected[8:]) == "1-1"


def test_import_reply() -> None:
    expected = bytes.fromhex("0111 0003 00000000") + RECORD_BYTES
    assert len(expected) == 320
    assert import_reply(RECORD) == expected
    assert read_reply_status(expected[:8], Operation.IMPORT) == 0
    assert read_record(expected[8:]) == replace(RECORD, interfaces=((0, 0, 0),))
    assert RECORD.devid == 0x0001_0002


def test_import_refused() -> None:
    assert import_reply(None) == bytes.fromhex("0111 0003 00000001")
    assert read_reply_status(import_reply(None), Operation.IMPORT) == 1


def test_submit_in() -> None:
    command = Submit(seqnum=0x0D06, devid=0x0001_0002, incoming=True, endpoint=6, length=0x100000, flags=0x200)
    expected = bytes.fromhex(
        "00000001 00000d06 00010002 00000001 00000006 00000200 00100000 00000000 ffffffff 00000000 0000000000000000"
    )
    assert len(expected) == 48
    assert bytes(command) == expected
    assert read_command(expected) == command


def test_submit_control() -> None:
    command = Submit(
        seqnum=1, devid=0x0001_0002, incoming=True, endpoint=0, length=64, setup=bytes.fromhex("8006000100004000"), packets=0
    )
    expected = bytes.fromhex(
        "00000001 00000001 00010002 00000001 00000000 00000000 00000040 00000000 00000000 00000000 8006000100004000"
    )
    assert bytes(command) == expected
    assert read_command(expected) == command


def test_unlink() -> None:
    expected = bytes.fromhex("00000002 00000d07 00010002 00000000 00000000 00000d06") + bytes(24)
    assert len(expected) == 48
    assert bytes(Unlink(0x0D07, 0x0001_0002, 0x0D06)) == expected
    assert read_command(expected) == Unlink(0x0D07, 0x0001_0002, 0x0D06)


def test_submitted() -> None:
    expected = bytes.fromhex(
        "00000003 00000d06 00000000 00000000 00000000 00000000 00000200 00000000 ffffffff 00000000 0000000000000000"
    )
    assert len(expected) == 48
    assert bytes(Submitted(0x0D06, Status.OK, 0x200)) == expected
    assert read_answer(expected) == Submitted(0x0D06, 0, 0x200)


def test_stalled() -> None:
    expected = bytes.fromhex(
        "00000003 00000d06 00000000 00000000 00000000 ffffffe0 00000000 00000000 ffffffff 00000000 0000000000000000"
    )
    assert bytes(Submitted(0x0D06, Status.STALL, 0)) == expected
    assert read_answer(expected) == Submitted(0x0D06, -32, 0)


def test_unlinked() -> None:
    expected = bytes.fromhex("00000004 00000d07 00000000 00000000 00000000 ffffff98") + bytes(24)
    assert len(expected) == 48
    assert bytes(Unlinked(0x0D07, Status.UNLINKED)) == expected
    assert read_answer(expected) == Unlinked(0x0D07, -104)


@given(COMMANDS)
def test_commands_round_trip(command: Submit | Unlink) -> None:
    assert read_command(bytes(command)) == command


@given(ANSWERS)
def test_answers_round_trip(answer: Submitted | Unlinked) -> None:
    assert read_answer(bytes(answer)) == answer


@given(st.lists(RECORDS, max_size=4))
def test_lists_round_trip(records: list[Record]) -> None:
    assert read_list_reply(list_reply(records)) == records


@pytest.mark.parametrize(
    ("read", "data", "complaint"),
    [
        (read_operation, "0106 8005 00000000", "version 0x0106, not 0x0111"),
        (read_operation, "0111 8004 00000000", "unknown operation 0x8004"),
        (read_operation, "0111 8005 000000", "7 bytes where 8 were due"),
        (read_busid, "31" * 31, "a bus id has 32 bytes, not 31"),
        (read_busid, "31" * 32, "no name"),
        (read_busid, "00" * 32, "no name"),
        (read_busid, "ff" + "00" * 31, "no name"),
        (read_list_reply, "0111 0005 00000001", "the server has no list"),
        (read_list_reply, "0111 0003 00000000", "answer 0x0003 of version 0x0111 to LIST"),
        (read_list_reply, "0111 0005 00000000 0000", "2 bytes where 4 were due"),
        (read_list_reply, "0111 0005 00000000 ffffffff", "a list of 4294967295 devices"),
        (read_list_reply, "0111 0005 00000000 00000000 00", "1 bytes after a list"),
        (read_list_reply, "0111 0005 00000000 00000001 00", "1 bytes where 312 were due"),
        (read_command, "00000001" + "00" * 43, "47 bytes where 48 were due"),
        (read_command, "00000003" + "00" * 44, "command 3"),
        (read_command, "00000001" + "00" * 8 + "00000002" + "00" * 32, "direction 2 of endpoint 0"),
        (read_command, "00000001" + "00" * 8 + "00000001 00000010" + "00" * 28, "direction 1 of endpoint 16"),
        (read_command, "00000001" + "00" * 20 + "01000001" + "00" * 20, "a transfer of 16777217 bytes"),
        (read_answer, "00000001" + "00" * 44, "answer 1"),
        (read_answer, "00000003" + "00" * 20 + "ffffffff" + "00" * 20, "a transfer of 4294967295 bytes"),
    ],
)
def test_refused(read: Callable[[bytes], object], data: str, complaint: str) -> None:
    with pytest.raises(WireError, match=complaint):
        read(bytes.fromhex(data))


@pytest.mark.parametrize("busid", ["", "a" * 32, "a\nb"])
def test_names_that_do_not_fit(busid: str) -> None:
    with pytest.raises(ValueError, match="is no name of 1 to 31 printable characters"):
        import_request(busid)


@given(st.binary(max_size=400), st.sampled_from([0, 8, 32, 48, 312]))
def test_any_bytes_are_read_or_refused(data: bytes, size: int) -> None:
    for candidate in (data, data.ljust(size, b"\0")[:size]):
        for read in (read_operation, read_busid, read_list_reply, read_record, read_command, read_answer):
            try:
                read(candidate)
            except WireError:
                continue


@given(st.lists(RECORDS, min_size=1, max_size=3), st.data())
def test_a_damaged_list_is_read_or_refused(records: list[Record], data: st.DataObject) -> None:
    whole = bytearray(list_reply(records))
    whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(BYTE)
    try:
        read_list_reply(bytes(whole[: data.draw(st.integers(0, len(whole)))]))
    except WireError:
        return
