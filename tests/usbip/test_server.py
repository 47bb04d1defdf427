"""The server against a client that sends bytes: what the protocol says, in its order, and what a hostile client may try."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.usb.descriptors import device_bytes
from hil.usb.device import BusyError
from hil.usb.in_process import InProcessPort
from hil.usbip.client import UsbipPort
from hil.usbip.server import MOST_CONNECTIONS, UsbipServer
from hil.usbip.session import MOST_WAITING
from tests.usb.pattern_device import DESCRIPTOR, ECHO, OUT, STREAM, PatternDevice, pattern
from tests.usbip.raw import IMPORT, Raw, attached, raw, submit, submitted, unlink, unlinked, words

PATIENCE = 0.5
LIST = bytes.fromhex("0111 8005 00000000")
REFUSED = bytes.fromhex("0111 0003 00000001")


@pytest.fixture
def device() -> PatternDevice:
    return PatternDevice()


@pytest.fixture
def server(device: PatternDevice) -> Iterator[UsbipServer]:
    with UsbipServer({"1-1": device}, patience=PATIENCE) as made:
        yield made


def still_serves(server: UsbipServer) -> None:
    """See that a well-behaved client gets what it wants, at most a moment later."""
    port = UsbipPort("127.0.0.1", server.port, "1-1")
    deadline = time.monotonic() + 4 * PATIENCE
    while True:
        try:
            assert port.present() == DESCRIPTOR
            port.open()
            break
        except (AssertionError, BusyError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
    try:
        port.bulk_write(OUT, b"well", 5)
        # Whoever came before may have left messages.
        while port.bulk_read(ECHO, 1 << 20, 5) != b"well":
            pass
    finally:
        port.close()


# Before the import


def test_the_list_has_what_is_plugged_in_also_when_it_is_held(server: UsbipServer, device: PatternDevice) -> None:
    record = b"/emulated/1-1".ljust(256, b"\0") + b"1-1".ljust(32, b"\0")
    record += bytes.fromhex("00000001 00000002 00000003 1209 0001 0102 00 00 00 00 01 01")
    held = InProcessPort(device)
    for use in (held.close, held.open):
        use()
        with raw(server) as client:
            client.send(LIST)
            client.gives(bytes.fromhex("0111 0005 00000000 00000001") + record + bytes.fromhex("ff000000"))
            client.closed()
    held.close()
    device.unplug()
    with raw(server) as client:
        client.send(LIST)
        client.gives(bytes.fromhex("0111 0005 00000000 00000000"))
        client.closed()


def test_import_is_exclusive(server: UsbipServer, device: PatternDevice) -> None:
    with attached(server), raw(server) as second:
        second.send(IMPORT)
        second.gives(REFUSED)
        second.closed()
        with pytest.raises(BusyError):
            InProcessPort(device).open()
    still_serves(server)


def test_import_of_what_is_not_there(server: UsbipServer, device: PatternDevice) -> None:
    with raw(server) as client:
        client.send(IMPORT[:8], b"2-7".ljust(32, b"\0"))
        client.gives(REFUSED)
        client.closed()
    device.unplug()
    with raw(server) as client:
        client.send(IMPORT)
        client.gives(REFUSED)
        client.closed()


def test_two_devices() -> None:
    first, second = PatternDevice(), PatternDevice()
    with UsbipServer({"1-1": first, "2-1": second}) as server, attached(server):
        port = UsbipPort("localhost", server.port, "2-1")
        port.open()
        port.bulk_write(OUT, b"x", 1)
        with second.changed:
            assert second.read(ECHO, 512) == b"x"
        port.close()


# Transfers


def test_enumeration_as_linux_does_it(server: UsbipServer, device: PatternDevice) -> None:
    with attached(server) as client:
        client.send(submit(1, 0, 64, setup="8006000100004000"))
        client.gives(submitted(1, 0, 18, device_bytes(DESCRIPTOR)))
        client.send(submit(2, 0, 10, setup="8006000600000a00"))
        client.gives(submitted(2, -32, 0))
        client.send(submit(3, 0, 9, setup="8006000200000900"))
        client.gives(submitted(3, 0, 9, bytes.fromhex("09 02 2700 01 01 00 c0 01")))
        client.send(submit(4, 0, 0, data=b"", setup="0009010000000000"))
        client.gives(submitted(4, 0, 0))
    assert device.calls == ["configured"]


def test_an_answer_is_no_longer_than_the_buffer(server: UsbipServer) -> None:
    with attached(server) as client:
        client.send(submit(1, 0, 4, setup="8006000100001200"))
        client.gives(submitted(1, 0, 4, device_bytes(DESCRIPTOR)[:4]))


def test_out_and_in(server: UsbipServer, device: PatternDevice) -> None:
    device.appetite = 4
    with attached(server) as client:
        client.send(submit(1, 5, 6, data=b"abcdef"))
        client.gives(submitted(1, 0, 4))
        client.send(submit(2, 5, 512))
        client.gives(submitted(2, 0, 4, b"abcd"))


def test_packets_and_frames_are_repeated(server: UsbipServer) -> None:
    with attached(server) as client:
        client.send(words(1, 9, 0x10002, 0, 5, 0, 1, 77, 0, 0), bytes(8), b"x")
        client.gives(words(3, 9, 0, 0, 0, 0, 1, 77, 0, 0) + bytes(8))


def test_transfers_wait_and_are_answered_in_order(server: UsbipServer) -> None:
    with attached(server) as client:
        client.send(submit(1, 5, 512), submit(2, 5, 512), submit(3, 6, 512))
        client.silent()
        client.send(submit(4, 5, 3, data=b"one"))
        assert client.receive(48 + 48 + 3) in {
            submitted(4, 0, 3) + submitted(1, 0, 3, b"one"),
            submitted(1, 0, 3, b"one") + submitted(4, 0, 3),
        }
        client.send(submit(5, 5, 3, data=b"two"))
        assert client.receive(48 + 48 + 3) in {
            submitted(5, 0, 3) + submitted(2, 0, 3, b"two"),
            submitted(2, 0, 3, b"two") + submitted(5, 0, 3),
        }
        client.silent()


def test_a_full_buffer_is_followed_by_an_empty_packet(server: UsbipServer) -> None:
    with attached(server) as client:
        client.send(submit(1, 5, 512, data=bytes(512)))
        client.gives(submitted(1, 0, 512))
        client.send(submit(2, 5, 512), submit(3, 5, 512))
        client.gives(submitted(2, 0, 512, bytes(512)))
        client.gives(submitted(3, 0, 0))


def test_stalls(server: UsbipServer, device: PatternDevice) -> None:
    with attached(server) as client:
        client.send(submit(1, 5, 512))
        client.silent()
        device.stall(ECHO)
        client.gives(submitted(1, -32, 0))
        device.stall(OUT)
        client.send(submit(2, 5, 3, data=b"abc"))
        client.gives(submitted(2, -32, 0))
        client.send(submit(3, 9, 512), submit(4, 9, 1, data=b"x"))
        client.gives(submitted(3, -32, 0) + submitted(4, -32, 0))
        client.send(submit(5, 0, 0, data=b"", setup="0201000085000000"), submit(6, 5, 512))
        client.gives(submitted(5, 0, 0))
        client.silent()


def test_unlink_what_waits(server: UsbipServer, device: PatternDevice) -> None:
    with attached(server) as client:
        client.send(submit(1, 5, 512), submit(2, 5, 512))
        client.send(unlink(3, 1))
        client.gives(unlinked(3, -104))
        with device.changed:
            device.write(OUT, b"kept")
        client.gives(submitted(2, 0, 4, b"kept"))
        client.send(unlink(4, 2), unlink(5, 1), unlink(6, 99))
        client.gives(unlinked(4, 0) + unlinked(5, 0) + unlinked(6, 0))


def test_unlink_what_has_begun(server: UsbipServer, device: PatternDevice) -> None:
    with attached(server) as client:
        device.pour(40_000, end=False)
        client.send(submit(1, 6, 1 << 20))
        client.silent()
        client.send(unlink(2, 1))
        client.gives(submitted(1, 0, 32768, pattern(0, 32768)))
        client.gives(unlinked(2, 0))
        device.pour(1)
        client.send(submit(3, 6, 1 << 20))
        client.gives(submitted(3, 0, 7233, pattern(32768, 7233)))


def test_answers_and_unlinks_that_cross(server: UsbipServer, device: PatternDevice) -> None:
    """The server says of each transfer either its answer and then 0, or -104 alone; and the bytes are all there, in order."""
    rng = random.Random(3)
    got = bytearray()
    with attached(server) as client:
        for seqnum in range(1, 600, 2):
            client.send(submit(seqnum, 6, 8))
            feeder = threading.Thread(target=device.pour, args=(8,), kwargs={"end": False})
            feeder.start()
            time.sleep(rng.random() * 0.0005)
            client.send(unlink(seqnum + 1, seqnum))
            head = client.receive(48)
            if head[:4] == words(3):
                assert head == submitted(seqnum, 0, 8)
                got += client.receive(8)
                client.gives(unlinked(seqnum + 1, 0))
            else:
                assert head == unlinked(seqnum + 1, -104)
            feeder.join()
        device.pour(1)
        client.send(submit(1000, 6, 1 << 20))
        head = client.receive(48)
        got += client.receive(int.from_bytes(head[24:28], "big"))
    assert bytes(got) == pattern(0, 300 * 8 + 1)


# Coming and going


def test_unplugging_closes_the_connection(server: UsbipServer, device: PatternDevice) -> None:
    with attached(server) as client:
        client.send(submit(1, 5, 512))
        client.silent()
        device.unplug()
        client.closed()
    device.plug()
    still_serves(server)


def test_a_reboot_closes_the_connection(server: UsbipServer, device: PatternDevice) -> None:
    with attached(server) as client:
        device.plug()
        client.closed()


def test_a_client_that_vanishes_lets_go(server: UsbipServer, device: PatternDevice) -> None:
    with attached(server) as client:
        client.send(submit(1, 6, 512))
    still_serves(server)
    device.pour(3)
    port = UsbipPort("127.0.0.1", server.port, "1-1")
    port.open()
    assert port.bulk_read(STREAM, 512, 1) == pattern(0, 3)
    port.close()


def test_close_ends_everything(device: PatternDevice) -> None:
    before = set(threading.enumerate())
    server = UsbipServer({"1-1": device})
    with attached(server) as client, raw(server) as idle:
        client.send(submit(1, 5, 512))
        client.silent()
        started = time.monotonic()
        server.close()
        server.close()
        assert time.monotonic() - started < 1
        client.closed()
        idle.closed()
    assert set(threading.enumerate()) == before
    InProcessPort(device).open()


# Who is refused


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "2001:db8::1"])  # noqa: S104 -- that it is refused
def test_other_machines_are_refused(host: str) -> None:
    with pytest.raises(ValueError, match="is not this machine"):
        UsbipServer({}, host)
    with pytest.raises(ValueError, match="is not this machine"):
        UsbipPort(host, 3240, "1-1")


def test_unless_that_was_asked_for() -> None:
    with UsbipServer({}, "0.0.0.0", loopback_only=False) as server:  # noqa: S104 -- what the argument is for
        assert UsbipPort("127.0.0.1", server.port, "1-1").present() is None


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", id="another protocol"),
        pytest.param(bytes.fromhex("0106 8003 00000000") + bytes(32), id="another version"),
        pytest.param(IMPORT[:8] + b"\xff" * 32, id="no bus id"),
        pytest.param(IMPORT + words(5) + bytes(44), id="unknown command"),
        pytest.param(IMPORT + words(1, 1, 0x20002, 1, 5, 0, 512, 0, 0, 0) + bytes(8), id="another device"),
        pytest.param(IMPORT + submit(1, 5, 0xFFFFFFFF), id="huge IN"),
        pytest.param(IMPORT + submit(1, 5, 0xFFFFFFFF, data=bytes(99)), id="huge OUT"),
        pytest.param(IMPORT + submit(1, 5, 512) + submit(1, 5, 512), id="the same number twice"),
        pytest.param(IMPORT + b"".join(submit(n, 5, 512) for n in range(MOST_WAITING + 1)), id="too many at once"),
    ],
)
def test_nonsense_ends_the_connection(server: UsbipServer, data: bytes) -> None:
    with raw(server) as client:
        client.send(data)
        if data.startswith(IMPORT):
            client.receive(320)
        client.closed()
    still_serves(server)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(IMPORT[:8], id="half an import"),
        pytest.param(IMPORT + submit(1, 5, 512)[:20], id="half a command"),
        pytest.param(IMPORT + submit(1, 5, 512, data=b"x" * 100), id="half the data"),
    ],
)
def test_half_messages_end_the_connection(server: UsbipServer, data: bytes) -> None:
    with raw(server) as client:
        client.send(data)
        if data.startswith(IMPORT):
            client.receive(320)
        started = time.monotonic()
        client.closed()
        assert time.monotonic() - started < 3 * PATIENCE
    still_serves(server)


def test_bytes_one_by_one_do_not_extend_the_time(server: UsbipServer) -> None:
    with raw(server) as client:
        started = time.monotonic()
        try:
            for byte in IMPORT:
                client.send(bytes((byte,)))
                time.sleep(0.05)
        except OSError:
            pass
        assert time.monotonic() - started < 3 * PATIENCE
    still_serves(server)


def test_a_client_may_be_silent_between_messages(server: UsbipServer) -> None:
    with attached(server) as client:
        client.silent(2.5 * PATIENCE)
        client.send(submit(1, 5, 1, data=b"x"))
        client.gives(submitted(1, 0, 1))


def test_a_client_that_takes_nothing_loses_the_device(server: UsbipServer, device: PatternDevice) -> None:
    device.pour(1 << 30, end=False)
    with attached(server) as client:
        client.send(*(submit(number, 6, 1 << 20) for number in range(40)))
        time.sleep(2 * PATIENCE)
        still_serves(server)


def test_too_many_connections_are_turned_away(server: UsbipServer) -> None:
    clients = [Raw(server.port) for _ in range(MOST_CONNECTIONS + 5)]
    for client in clients[MOST_CONNECTIONS:]:
        client.closed()
    for client in clients:
        client.socket.close()
    still_serves(server)


COMMAND = st.builds(
    lambda kind, seqnum, direction, endpoint, length, rest: (
        words(kind, seqnum, 0x10002, direction, endpoint, seqnum, length) + rest + bytes(min(length, 600) if not direction else 0)
    ),
    kind=st.integers(0, 4),
    seqnum=st.integers(0, 5),
    direction=st.integers(0, 2),
    endpoint=st.integers(0, 16),
    length=st.sampled_from([0, 1, 8, 512, 1 << 20, 1 << 25]),
    rest=st.binary(min_size=20, max_size=20),
)


@pytest.fixture(scope="module")
def hardy() -> Iterator[UsbipServer]:
    with UsbipServer({"1-1": PatternDevice()}, patience=PATIENCE) as made:
        yield made


@settings(max_examples=60)
@given(st.one_of(st.binary(max_size=200), st.lists(COMMAND, max_size=12).map(lambda parts: IMPORT + b"".join(parts))))
def test_anything_may_come(hardy: UsbipServer, data: bytes) -> None:
    # The server may well have closed before we are done.
    with raw(hardy) as client, suppress(OSError):
        client.send(data)
        client.socket.shutdown(socket.SHUT_WR)
        while client.socket.recv(65536):
            pass
    still_serves(hardy)
