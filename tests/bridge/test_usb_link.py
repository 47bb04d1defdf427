"""Taking the scanner: in which order, and what each refusal is called."""

from __future__ import annotations

import errno
import fcntl
import time
from array import array
from pathlib import Path

import pytest
import usb.core

from firmware_bridge.pagescan6.usb_link import UsbLink, open_link
from firmware_bridge.scanner import ScannerError
from tests.bridge.fake_usb import IMAGES, REPLIES, FakeBus, usb_error
from tests.bridge.wire import quick


def taken(bus: FakeBus, **changes: object) -> UsbLink:
    return open_link(quick(**changes), bus, time.monotonic)


def refusal(bus: FakeBus, **changes: object) -> ScannerError:
    with pytest.raises(ScannerError) as caught:
        taken(bus, **changes)
    assert bus.handles == 0
    return caught.value


def test_probe_reset_and_take() -> None:
    bus = FakeBus({})
    link = taken(bus)
    assert bus.calls == ["open", "claim", "release", "reset", "open", "claim"]
    link.close()
    link.close()
    assert bus.handles == 0


def test_take_without_reset() -> None:
    bus = FakeBus({})
    taken(bus, reset_on_connect=False).close()
    assert bus.calls == ["open", "claim", "release"]


def test_the_configuration_is_set_only_where_it_is_another() -> None:
    bus = FakeBus({})
    bus.configuration = 0
    taken(bus, reset_on_connect=False).close()
    assert bus.calls == ["open", "configure", "claim", "release"]


def test_a_kernel_driver_is_detached() -> None:
    bus = FakeBus({})
    bus.kernel_driver = True
    taken(bus, reset_on_connect=False).close()
    assert bus.calls == ["open", "detach", "claim", "release"]
    assert bus.kernel_driver is False


def test_a_reset_that_fails_because_the_device_came_back_elsewhere() -> None:
    bus = FakeBus({})
    bus.failing["reset"] = [usb_error(errno.ENOENT)]
    taken(bus).close()


def test_rights_that_come_late_after_the_reset() -> None:
    bus = FakeBus({})
    bus.after_reset = lambda: bus.failing.update(open=[usb_error(errno.EACCES), usb_error(errno.ENODEV)])
    taken(bus).close()
    assert bus.calls.count("open") == 4


@pytest.mark.parametrize(
    ("operation", "error", "code"),
    [
        ("open", usb_error(errno.EACCES), "scannerForbidden"),
        ("open", usb_error(errno.EPERM), "scannerForbidden"),
        ("claim", usb_error(errno.EBUSY), "scannerBusy"),
        ("claim", usb_error(errno.ENODEV), "scannerDisconnected"),
        ("claim", usb_error(errno.EIO), "scannerDisconnected"),
        ("open", usb_error(errno.EPIPE), "scannerDisconnected"),
        ("open", usb_error(errno.EPROTO), "scannerDisconnected"),
        ("open", usb_error(errno.ESHUTDOWN), "scannerDisconnected"),
        ("open", usb_error(errno.ENOMEM), "scannerDisconnected"),
        ("claim", NotImplementedError("claim_interface"), "usbUnavailable"),
        ("open", KeyError("surprise"), "scannerConfused"),
        ("find", usb.core.NoBackendError("No backend available"), "usbUnavailable"),
    ],
)
def test_what_each_refusal_is_called(operation: str, error: Exception, code: str) -> None:
    bus = FakeBus({})
    bus.failing[operation] = [error]
    found = refusal(bus, reset_on_connect=False)
    assert found.code == code
    assert found.detail
    if code != "scannerConfused":
        assert found.hint
    assert ("udev" in found.hint) == (code == "scannerForbidden")


def test_no_scanner() -> None:
    bus = FakeBus({})
    bus.present = False
    assert refusal(bus).code == "scannerNotFound"
    bus.present = True
    bus.ids = (0x0BD7, 0xA003)
    found = refusal(bus)
    assert (found.code, found.detail) == ("scannerNotFound", "no USB device 0bd7:a002")


def test_a_scanner_that_stays_away_after_the_reset() -> None:
    bus = FakeBus({})
    bus.after_reset = bus.unplug
    start = time.monotonic()
    assert refusal(bus).code == "scannerNotFound"
    assert time.monotonic() - start >= 0.2


def test_another_device_with_the_same_ids() -> None:
    bus = FakeBus({})
    bus.endpoints = (0x05, 0x85)
    found = refusal(bus)
    assert (found.code, found.detail) == ("scannerConfused", "the device has no endpoint 0x86: it is no PageScan 6")


def test_the_lock_file(tmp_path: Path) -> None:
    lock_file = tmp_path / "scanner.lock"
    bus = FakeBus({})
    link = taken(bus, lock_file=lock_file)
    found = refusal_while_taken(bus, lock_file)
    assert (found.code, found.detail) == ("scannerBusy", f"another program holds {lock_file}")
    link.close()
    link = taken(bus, lock_file=lock_file)
    link.close()
    bus.failing["claim"] = [usb_error(errno.EBUSY)]
    assert refusal(bus, lock_file=lock_file).code == "scannerBusy"
    with lock_file.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert refusal(bus, lock_file=lock_file).code == "scannerBusy"


def refusal_while_taken(bus: FakeBus, lock_file: Path) -> ScannerError:
    calls = list(bus.calls)
    with pytest.raises(ScannerError) as caught:
        taken(bus, lock_file=lock_file)
    assert bus.calls == calls, "the scanner of another program is not touched"
    return caught.value


def test_a_lock_file_that_cannot_be(tmp_path: Path) -> None:
    found = refusal(FakeBus({}), lock_file=tmp_path / "missing" / "scanner.lock")
    assert found.code == "scannerForbidden"
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    assert refusal(FakeBus({}), lock_file=tmp_path / "link").code == "scannerForbidden"


def test_reads_are_bounded_and_keep_what_came() -> None:
    bus = FakeBus({})
    link = taken(bus, reset_on_connect=False)
    buffer = array("B", bytes(512))
    assert link.read_images(buffer, 0.0001) is None
    bus.stream(b"abc", b"", b"d" * 600)
    assert (link.read_images(buffer, 1), buffer[:3].tobytes()) == (3, b"abc")
    assert [link.read_images(buffer, 1) for _ in range(3)] == [0, 512, 88]
    bus.say(usb_error(errno.EPIPE))
    with pytest.raises(ScannerError, match=r"^scannerDisconnected: reading replies: \[Errno 32\] scripted$"):
        link.read_replies(buffer, 1)
    link.close()
    assert bus.reads == {IMAGES: 5, REPLIES: 1}


def test_a_write_that_is_cut_short() -> None:
    bus = FakeBus({})
    bus.short_write = True
    link = taken(bus, reset_on_connect=False)
    with pytest.raises(ScannerError, match=r"^scannerDisconnected: sending a command: 3 of 4 bytes were taken$"):
        link.write(b"\x02D\x03\xb4")
    link.close()
