"""A scripted scanner behind a pyusb backend: literal packets in, literal transfers out, and faults on demand."""

from __future__ import annotations

import errno
import threading
import time
from array import array
from collections import Counter, deque
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

import usb.backend
from usb.core import USBError, USBTimeoutError

REPLIES = 0x85
IMAGES = 0x86


def usb_error(number: int) -> USBError:
    return USBError("scripted", None, number)


def gone() -> USBError:
    return usb_error(errno.ENODEV)


class FakeBus(usb.backend.IBackend):  # type: ignore[misc] # pyusb has no type information
    """One scanner that answers each packet with the transfers that `answers` names for it.

    Attributes:
        answers: Transfers on the replies endpoint for each packet; an exception fails the write.
        written: Every packet that came, in order.
        failing: What the next calls of an operation (open, claim, configure, reset, find) raise, first one first.
        calls: Operations, in order.
        handles: Open handles.
        before_write: Called with every packet before it is answered.
        after_reset: Called after every reset.
    """

    def __init__(self, answers: dict[bytes, list[bytes] | Exception]) -> None:
        self.answers = dict(answers)
        self.written: list[bytes] = []
        self.failing: dict[str, list[Exception]] = {}
        self.calls: list[str] = []
        self.reads: Counter[int] = Counter()
        self.handles = 0
        self.present = True
        self.configuration = 1
        self.kernel_driver: bool | None = None
        self.endpoints: tuple[int, ...] = (0x05, REPLIES, IMAGES)
        self.ids = (0x0BD7, 0xA002)
        self.short_write = False
        self.before_write: Callable[[bytes], None] = lambda _: None
        self.after_reset: Callable[[], None] = lambda: None
        self._changed = threading.Condition()
        self._queues: dict[int, deque[bytes | Exception]] = {REPLIES: deque(), IMAGES: deque()}

    # For the test

    def say(self, *transfers: bytes | Exception) -> None:
        """Queue transfers on the endpoint of replies and events; an exception fails the read that meets it."""
        self._queue(REPLIES, transfers)

    def stream(self, *transfers: bytes | Exception) -> None:
        """Queue transfers on the endpoint of pixels."""
        self._queue(IMAGES, transfers)

    def unplug(self) -> None:
        with self._changed:
            self.present = False
            self._changed.notify_all()

    def wait_written(self, packet: bytes, seconds: float = 5.0) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: packet in self.written, seconds)

    def wait_read(self, endpoint: int, seconds: float = 5.0) -> bool:
        """Wait until everything queued on an endpoint was taken."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._queues[endpoint], seconds)

    def _queue(self, endpoint: int, transfers: Iterable[bytes | Exception]) -> None:
        with self._changed:
            self._queues[endpoint].extend(transfers)
            self._changed.notify_all()

    def _did(self, operation: str) -> None:
        self.calls.append(operation)
        if self.failing.get(operation):
            raise self.failing[operation].pop(0)
        if not self.present:
            raise gone()

    # The backend

    def enumerate_devices(self) -> list[int]:
        if self.failing.get("find"):
            raise self.failing["find"].pop(0)
        return [1] if self.present else []

    def get_parent(self, dev: int) -> None:
        return None

    def get_device_descriptor(self, dev: int) -> SimpleNamespace:
        return SimpleNamespace(
            bLength=18,
            bDescriptorType=1,
            bcdUSB=0x200,
            bDeviceClass=0,
            bDeviceSubClass=0,
            bDeviceProtocol=0,
            bMaxPacketSize0=64,
            idVendor=self.ids[0],
            idProduct=self.ids[1],
            bcdDevice=0,
            iManufacturer=0,
            iProduct=0,
            iSerialNumber=0,
            bNumConfigurations=1,
            address=1,
            bus=1,
            port_number=1,
            port_numbers=(1,),
            speed=3,
        )

    def get_configuration_descriptor(self, dev: int, config: int) -> SimpleNamespace:
        if config:
            raise IndexError(config)
        return SimpleNamespace(
            bLength=9,
            bDescriptorType=2,
            wTotalLength=39,
            bNumInterfaces=1,
            bConfigurationValue=1,
            iConfiguration=0,
            bmAttributes=0x80,
            bMaxPower=50,
            extra_descriptors=[],
        )

    def get_interface_descriptor(self, dev: int, intf: int, alt: int, config: int) -> SimpleNamespace:
        if (intf, alt, config) != (0, 0, 0):
            raise IndexError(intf)
        return SimpleNamespace(
            bLength=9,
            bDescriptorType=4,
            bInterfaceNumber=0,
            bAlternateSetting=0,
            bNumEndpoints=len(self.endpoints),
            bInterfaceClass=0xFF,
            bInterfaceSubClass=0,
            bInterfaceProtocol=0,
            iInterface=0,
            extra_descriptors=[],
        )

    def get_endpoint_descriptor(self, dev: int, ep: int, intf: int, alt: int, config: int) -> SimpleNamespace:
        return SimpleNamespace(
            bLength=7,
            bDescriptorType=5,
            bEndpointAddress=self.endpoints[ep],
            bmAttributes=2,
            wMaxPacketSize=512,
            bInterval=0,
            bRefresh=0,
            bSynchAddress=0,
            extra_descriptors=[],
        )

    def open_device(self, dev: int) -> object:
        self._did("open")
        self.handles += 1
        return object()

    def close_device(self, dev_handle: object) -> None:
        self.handles -= 1

    def get_configuration(self, dev_handle: object) -> int:
        return self.configuration

    def set_configuration(self, dev_handle: object, config_value: int) -> None:
        self._did("configure")
        self.configuration = config_value

    def claim_interface(self, dev_handle: object, intf: int) -> None:
        self._did("claim")

    def release_interface(self, dev_handle: object, intf: int) -> None:
        self._did("release")

    def reset_device(self, dev_handle: object) -> None:
        self._did("reset")
        self.after_reset()

    def is_kernel_driver_active(self, dev_handle: object, intf: int) -> bool:
        if self.kernel_driver is None:
            raise NotImplementedError
        return self.kernel_driver

    def detach_kernel_driver(self, dev_handle: object, intf: int) -> None:
        self._did("detach")
        self.kernel_driver = False

    def bulk_write(self, dev_handle: object, ep: int, intf: int, data: array[int], timeout: int) -> int:
        packet = data.tobytes()
        self.before_write(packet)
        answer = self.answers.get(packet, [])
        with self._changed:
            if not self.present:
                raise gone()
            if isinstance(answer, Exception):
                raise answer
            self.written.append(packet)
            self._queues[REPLIES].extend(answer)
            self._changed.notify_all()
        return len(packet) - self.short_write

    def bulk_read(self, dev_handle: object, ep: int, intf: int, buff: array[int], timeout: int) -> int:
        assert timeout > 0, "0 would wait for ever"
        deadline = time.monotonic() + timeout / 1000
        queue = self._queues[ep]
        with self._changed:
            self.reads[ep] += 1
            while self.present and not queue:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise USBTimeoutError("scripted", -7, errno.ETIMEDOUT)
                self._changed.wait(left)
            if not self.present:
                raise gone()
            transfer = queue.popleft()
            self._changed.notify_all()
        if isinstance(transfer, Exception):
            raise transfer
        view: Any = memoryview(buff).cast("B")
        view[: len(transfer)] = transfer[: len(view)]
        if len(transfer) > len(view):
            with self._changed:
                queue.appendleft(transfer[len(view) :])
        return min(len(transfer), len(view))
