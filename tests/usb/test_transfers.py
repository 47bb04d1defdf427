"""One body of tests over both cables, through pyusb's own code: what libusb promises on Linux holds here too."""

from __future__ import annotations

import array
import errno
import random
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import usb.core
import usb.util

from hil.usb.backend import PortBackend
from hil.usb.device import UsbPort
from tests.usb.cable import KINDS, Background, Cable, cable
from tests.usb.pattern_device import ECHO, OUT, PRODUCT, STREAM, VENDOR, pattern

LARGE = 1 << 20


@pytest.fixture(params=KINDS, name="cable")
def any_cable(request: pytest.FixtureRequest) -> Iterator[Cable]:
    with cable(request.param) as made:
        yield made


def fails(number: int, code: int, call: Callable[[], Any]) -> None:
    with pytest.raises(usb.core.USBError) as caught:
        call()
    assert (caught.value.errno, caught.value.backend_error_code) == (number, code)
    assert isinstance(caught.value, usb.core.USBTimeoutError) is (number == errno.ETIMEDOUT)


def is_gone(call: Callable[[], Any]) -> None:
    fails(errno.ENODEV, -4, call)


def waits(task: Background) -> None:
    """See that a transfer has been waiting for a while."""
    time.sleep(0.05)
    assert task.running


# What there is


def test_find_and_descriptors(cable: Cable) -> None:
    found = cable.find()
    assert (found.bcdUSB, found.bcdDevice, found.bMaxPacketSize0, found.bNumConfigurations) == (0x0200, 0x0102, 64, 1)
    assert (found.bus, found.address, found.port_number, found.port_numbers, found.speed) == (1, 2, 1, (1,), 3)
    assert found.parent is None
    (configuration,) = found
    (interface,) = configuration
    assert (configuration.bConfigurationValue, configuration.wTotalLength) == (1, 39)
    assert (interface.bInterfaceNumber, interface.bInterfaceClass) == (0, 0xFF)
    assert [(e.bEndpointAddress, e.bmAttributes, e.wMaxPacketSize) for e in interface] == [
        (OUT, 2, 512),
        (ECHO, 2, 512),
        (STREAM, 2, 512),
    ]
    assert "Vendor Specific" in str(found)


def test_texts(cable: Cable) -> None:
    found = cable.find()
    assert (found.manufacturer, found.product, found.serial_number) == ("Scrutineer", "Pattern device", "№ 7")


def test_past_the_end(cable: Cable) -> None:
    (seen,) = cable.backend.enumerate_devices()
    with pytest.raises(IndexError):
        cable.backend.get_configuration_descriptor(seen, 1)
    with pytest.raises(IndexError):
        cable.backend.get_interface_descriptor(seen, 1, 0, 0)
    with pytest.raises(IndexError):
        cable.backend.get_interface_descriptor(seen, 0, 1, 0)
    with pytest.raises(IndexError):
        cable.backend.get_endpoint_descriptor(seen, 3, 0, 0, 0)


def test_others_are_not_found(cable: Cable) -> None:
    assert usb.core.find(idVendor=VENDOR, idProduct=PRODUCT + 1, backend=cable.backend) is None


def test_kernel_drivers_are_not_implemented(cable: Cable) -> None:
    found = cable.find()
    for call in (found.is_kernel_driver_active, found.detach_kernel_driver, found.attach_kernel_driver):
        with pytest.raises(NotImplementedError):
            call(0)


# Endpoint 0


def test_configuration(cable: Cable) -> None:
    found = cable.find()
    with pytest.raises(usb.core.USBError, match="Configuration not set"):
        found.read(ECHO, 512)
    found.set_configuration()
    found.set_configuration(1)
    assert found.get_active_configuration().bConfigurationValue == 1
    assert cable.device.calls == ["configured", "configured"]
    assert usb.control.get_configuration(found) == 1
    found.set_interface_altsetting()
    assert usb.control.get_interface(found, 0) == 0
    assert usb.control.get_status(found) == 1


def test_another_sighting_knows_the_configuration(cable: Cable) -> None:
    cable.ready()
    assert cable.find().get_active_configuration().bConfigurationValue == 1


def test_unknown_control_requests_stall(cable: Cable) -> None:
    found = cable.ready()
    fails(errno.EPIPE, -9, lambda: found.ctrl_transfer(0xC0, 1, 2, 3, 64))
    fails(errno.EPIPE, -9, lambda: found.ctrl_transfer(0x40, 1, 2, 3, b"four"))
    assert found.product == "Pattern device"


def test_control_fills_a_buffer(cable: Cable) -> None:
    buffer = array.array("B", bytes(4))
    assert cable.find().ctrl_transfer(0x80, 6, 0x0100, 0, buffer) == 4
    assert buffer.tobytes() == b"\x12\x01\x00\x02"


# Bulk


@pytest.mark.parametrize("length", [1, 511, 512, 513, 16383, 16384, 16385, 32768, 100_000])
def test_what_is_written_comes_back(cable: Cable, length: int) -> None:
    found = cable.ready()
    data = pattern(7, length)
    assert found.write(OUT, data) == length
    assert found.read(ECHO, LARGE).tobytes() == data


def test_messages_stay_apart_and_in_order(cable: Cable) -> None:
    found = cable.ready()
    for number in range(20):
        found.write(OUT, b"message %d" % number)
    assert [found.read(ECHO, 16384).tobytes() for _ in range(20)] == [b"message %d" % number for number in range(20)]


def test_a_message_is_read_in_parts(cable: Cable) -> None:
    found = cable.ready()
    found.write(OUT, bytes(range(200)))
    parts = [found.read(ECHO, size).tobytes() for size in (50, 100, 50, 50)]
    assert parts == [bytes(range(50)), bytes(range(50, 150)), bytes(range(150, 200)), b""]


def test_a_device_that_takes_less(cable: Cable) -> None:
    cable.device.appetite = 3
    found = cable.ready()
    assert found.write(OUT, b"abcdef") == 3
    assert found.read(ECHO, 512).tobytes() == b"abc"


def test_a_buffer_of_wider_items_is_filled(cable: Cable) -> None:
    found = cable.ready()
    found.write(OUT, b"\1\2\3\4")
    buffer = array.array("H", [0] * 8)
    assert found.read(ECHO, buffer) == 4
    assert buffer.tobytes() == b"\1\2\3\4" + bytes(12)


def test_transfers_the_wrong_way(cable: Cable) -> None:
    found = cable.ready()
    handle = cable.backend.open_device(next(cable.backend.enumerate_devices()))
    fails(errno.EPIPE, -9, lambda: cable.backend.bulk_read(handle, 0x87, 0, array.array("B", bytes(8)), 100))
    fails(errno.EPIPE, -9, lambda: cable.backend.bulk_write(handle, 0x06, 0, array.array("B", bytes(8)), 100))
    with pytest.raises(ValueError, match="Invalid endpoint"):
        found.read(0x87, 8)
    cable.backend.close_device(handle)


# Time


def test_timeout(cable: Cable) -> None:
    found = cable.ready()
    started = time.monotonic()
    fails(errno.ETIMEDOUT, -7, lambda: found.read(ECHO, 512, 100))
    assert 0.1 <= time.monotonic() - started < 2
    found.write(OUT, b"later")
    assert found.read(ECHO, 512, 1000).tobytes() == b"later"


def test_data_ends_the_wait(cable: Cable) -> None:
    found = cable.ready()
    task = Background(lambda: found.read(ECHO, 512, 8000).tobytes())
    waits(task)
    found.write(OUT, b"now")
    assert task.result() == b"now"


def test_no_limit(cable: Cable) -> None:
    found = cable.ready()
    task = Background(lambda: found.read(ECHO, 512, 0).tobytes())
    waits(task)
    found.write(OUT, b"at last")
    assert task.result() == b"at last"


def test_what_came_before_the_time_was_over_is_returned(cable: Cable) -> None:
    found = cable.ready()
    cable.device.pour(40_000, end=False)
    first = found.read(STREAM, LARGE, 100).tobytes()
    assert first == pattern(0, len(first))
    assert 0 < len(first) <= 40_000
    cable.device.pour(10_000)
    assert found.read(STREAM, LARGE, 1000).tobytes() == pattern(len(first), 50_000 - len(first))


def test_waiting_costs_nothing(cable: Cable) -> None:
    found = cable.ready()
    tasks = [Background(partial(found.read, endpoint, 512, 600)) for endpoint in (ECHO, STREAM)]
    time.sleep(0.1)
    before = time.process_time()
    time.sleep(0.4)
    assert time.process_time() - before < 0.1
    for task in tasks:
        fails(errno.ETIMEDOUT, -7, task.result)


# Stalls


def test_a_stall_lasts_until_it_is_cleared(cable: Cable) -> None:
    found = cable.ready()
    cable.device.stall(ECHO)
    cable.device.stall(OUT)
    fails(errno.EPIPE, -9, lambda: found.read(ECHO, 512))
    fails(errno.EPIPE, -9, lambda: found.write(OUT, b"?"))
    assert usb.control.get_status(found, found[0][0, 0][1]) == 1
    found.clear_halt(ECHO)
    found.clear_halt(OUT)
    assert usb.control.get_status(found, found[0][0, 0][1]) == 0
    found.write(OUT, b"!")
    assert found.read(ECHO, 512).tobytes() == b"!"


def test_a_stall_ends_the_wait(cable: Cable) -> None:
    found = cable.ready()
    task = Background(lambda: found.read(ECHO, 512, 8000))
    waits(task)
    cable.device.stall(ECHO)
    fails(errno.EPIPE, -9, task.result)


def test_the_host_halts_an_endpoint(cable: Cable) -> None:
    found = cable.ready()
    found.ctrl_transfer(0x02, 3, 0, ECHO)
    fails(errno.EPIPE, -9, lambda: found.read(ECHO, 512))
    found.clear_halt(ECHO)
    fails(errno.ETIMEDOUT, -7, lambda: found.read(ECHO, 512, 20))


# Coming and going


def test_unplugged_while_waiting_and_plugged_in_again(cable: Cable) -> None:
    found = cable.ready()
    task = Background(lambda: found.read(ECHO, 512, 0))
    waits(task)
    cable.device.unplug()
    is_gone(task.result)
    assert cable.find() is None
    is_gone(lambda: found.write(OUT, b"x"))
    cable.device.plug()
    is_gone(lambda: found.write(OUT, b"x"))
    again = cable.ready()
    assert again.address != found.address
    is_gone(lambda: found.write(OUT, b"x"))
    is_gone(lambda: found.read(ECHO, 512, 50))
    is_gone(found.set_configuration)
    usb.util.dispose_resources(found)
    again.write(OUT, b"back")
    assert again.read(ECHO, 512).tobytes() == b"back"


def test_plugged_in_again_between_finding_and_opening(cable: Cable) -> None:
    found = cable.find()
    cable.device.unplug()
    cable.device.plug()
    is_gone(found.set_configuration)
    cable.ready().write(OUT, b"x")


def test_a_reboot_is_an_unplugging(cable: Cable) -> None:
    found = cable.ready()
    task = Background(lambda: found.read(ECHO, 512, 0))
    waits(task)
    cable.device.plug()
    is_gone(task.result)
    cable.ready().write(OUT, b"x")


def test_unplugged_before_it_is_opened(cable: Cable) -> None:
    found = cable.find()
    cable.device.unplug()
    is_gone(found.set_configuration)


def test_reset(cable: Cable) -> None:
    found = cable.ready()
    task = Background(lambda: found.read(ECHO, 512, 0))
    waits(task)
    found.reset()
    is_gone(task.result)
    with pytest.raises(usb.core.USBError, match="Configuration not set"):
        cable.find().get_active_configuration()
    again = cable.ready()
    again.write(OUT, b"after")
    assert again.read(ECHO, 512).tobytes() == b"after"


def test_closing_ends_the_wait(cable: Cable) -> None:
    found = cable.ready()
    task = Background(lambda: found.read(ECHO, 512, 0))
    waits(task)
    usb.util.dispose_resources(found)
    is_gone(task.result)


# Who may


def test_another_host_has_to_wait(cable: Cable) -> None:
    other = PortBackend(cable.new_port())
    found = cable.ready()
    seen = cable.find(other)
    fails(errno.EBUSY, -6, seen.set_configuration)
    usb.util.dispose_resources(found)
    seen = cable.find(other)
    seen.set_configuration()
    seen.write(OUT, b"mine")
    fails(errno.EBUSY, -6, found.set_configuration)


def test_one_handle_claims(cable: Cable) -> None:
    found = cable.ready()
    usb.util.claim_interface(found, 0)
    second = cable.find()
    fails(errno.EBUSY, -6, lambda: usb.util.claim_interface(second, 0))
    fails(errno.EBUSY, -6, second.set_configuration)
    fails(errno.EBUSY, -6, found.set_configuration)
    usb.util.release_interface(found, 0)
    usb.util.claim_interface(second, 0)
    fails(errno.ENOENT, -5, lambda: usb.util.claim_interface(second, 1))


def test_a_handle_that_was_closed_claims_nothing(cable: Cable) -> None:
    found = cable.ready()
    second = cable.find()
    second.set_configuration()
    usb.util.claim_interface(found, 0)
    usb.util.dispose_resources(found)
    usb.util.claim_interface(second, 0)


# Load


def test_a_long_stream_in_reads_of_any_size(cable: Cable) -> None:
    length = 8_000_000
    found = cable.ready()
    rng = random.Random(5)

    def feed() -> None:
        left = length
        while left:
            part = min(left, rng.randint(1, 400_000))
            left -= part
            cable.device.pour(part, end=not left)

    feeder = Background(feed)
    sizes = random.Random(6)
    place = 0
    while place < length:
        data = found.read(STREAM, sizes.choice((1, 100, 512, 16384, 65536, 65537, 300_000, LARGE)), 2000).tobytes()
        assert data == pattern(place, len(data))
        place += len(data)
    feeder.result()
    assert place == length


def test_endpoints_do_not_wait_for_each_other(cable: Cable) -> None:
    found = cable.ready()
    length = 3_000_000

    def stream() -> None:
        place = 0
        while place < length:
            data = found.read(STREAM, LARGE, 5000).tobytes()
            assert data == pattern(place, len(data))
            place += len(data)

    def echo() -> list[bytes]:
        return [found.read(ECHO, 16384, 5000).tobytes() for _ in range(200)]

    tasks = Background(stream), Background(echo)
    for number in range(200):
        found.write(OUT, b"%d" % number)
        cable.device.pour(length // 200, end=number % 20 == 19)
    tasks[0].result()
    assert tasks[1].result() == [b"%d" % number for number in range(200)]


def test_nothing_is_lost_between_timeouts(cable: Cable) -> None:
    found = cable.ready()
    count = 400
    rng = random.Random(7)

    def write() -> None:
        for number in range(count):
            time.sleep(rng.random() * 0.003)
            found.write(OUT, b"%d" % number)

    writer = Background(write)
    got: list[bytes] = []
    timeouts = 0
    deadline = time.monotonic() + 20
    while len(got) < count and time.monotonic() < deadline:
        try:
            got.append(found.read(ECHO, 512, 1).tobytes())
        except usb.core.USBTimeoutError:
            timeouts += 1
    writer.result()
    assert got == [b"%d" % number for number in range(count)]
    assert timeouts > 10


def test_several_reads_on_one_endpoint_take_turns(cable: Cable) -> None:
    port: UsbPort = cable.new_port()
    port.open()
    tasks = []
    for _ in range(4):
        tasks.append(Background(lambda: port.bulk_read(STREAM, 50_000, 5)))
        time.sleep(0.02)
    for _ in range(20):
        cable.device.pour(10_000, end=False)
    assert [task.result() for task in tasks] == [pattern(place, 50_000) for place in range(0, 200_000, 50_000)]
    port.close()


def test_hundreds_of_openings(cable: Cable) -> None:
    for _ in range(300):
        found = cable.ready()
        found.write(OUT, b"x")
        usb.util.dispose_resources(found)
    assert cable.device.calls.count("configured") == 300
