"""Endpoint 0 of a bulk-only device: the standard requests of USB 2.0, section 9.4. Everything else stalls."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from hil.usb.descriptors import CONFIGURATION, DEVICE, STRING, configuration_bytes, device_bytes, string_bytes
from hil.usb.device import Stalled, UsbDevice


class Request(IntEnum):
    """bRequest (USB 2.0, table 9-4)."""

    GET_STATUS = 0
    CLEAR_FEATURE = 1
    SET_FEATURE = 3
    GET_DESCRIPTOR = 6
    GET_CONFIGURATION = 8
    SET_CONFIGURATION = 9
    GET_INTERFACE = 10
    SET_INTERFACE = 11


class Kind(IntEnum):
    """bmRequestType of a standard request: where the data goes, and what is meant by it."""

    TO_DEVICE = 0x00
    TO_INTERFACE = 0x01
    TO_ENDPOINT = 0x02
    FROM_DEVICE = 0x80
    FROM_INTERFACE = 0x81
    FROM_ENDPOINT = 0x82


ENDPOINT_HALT: Final = 0
"""The only feature that the devices here have."""

_SETUP: Final = struct.Struct("<BBHHH")
_NOTHING: Final = b"\0\0"
_SELF_POWERED: Final = b"\1\0"
_HALTED: Final = b"\1\0"


@dataclass(frozen=True, slots=True)
class Setup:
    """The eight bytes that open a control transfer.

    Attributes:
        kind: bmRequestType; bit 7 set means that the device answers with data.
        request: bRequest.
        value: wValue.
        index: wIndex.
        length: wLength, the bytes of data that follow or that are asked for.
    """

    kind: int
    request: int
    value: int
    index: int
    length: int

    @classmethod
    def read(cls, data: bytes) -> Setup:
        """Take a setup apart; the words are little-endian.

        Raises:
            ValueError: Not eight bytes.
        """
        if len(data) != _SETUP.size:
            raise ValueError(f"a setup has {_SETUP.size} bytes, not {len(data)}")
        return cls(*_SETUP.unpack(data))

    def __bytes__(self) -> bytes:
        return _SETUP.pack(self.kind, self.request, self.value, self.index, self.length)


class EndpointZero:
    """Answers control transfers for a device, and keeps what they set: the configuration and the halts.

    Not safe for threads by itself: whoever calls holds `device.changed`.
    """

    def __init__(self, device: UsbDevice) -> None:
        self._device = device
        self._endpoints = frozenset(endpoint.address for endpoint in device.descriptor.endpoints)
        self._configuration = 0
        self._halted: set[int] = set()
        self._stalling: set[int] = set()

    def answer(self, setup: Setup) -> bytes:
        """Carry out one request and give the data of its answer, cut to what was asked for.

        No standard request that is known here comes with data, so none is taken.

        Raises:
            Stalled: The request is not one that a bulk-only device knows.
        """
        match setup.kind:
            case Kind.FROM_DEVICE:
                data = self._from_device(setup)
            case Kind.FROM_INTERFACE if setup.index == 0:
                data = self._from_interface(setup)
            case Kind.FROM_ENDPOINT if setup.request == Request.GET_STATUS and self._known(setup.index):
                data = _HALTED if setup.index in self._halted | self._stalling else _NOTHING
            case Kind.TO_DEVICE if setup.request == Request.SET_CONFIGURATION:
                data = self._configure(setup.value)
            case Kind.TO_INTERFACE if (setup.request, setup.value, setup.index) == (Request.SET_INTERFACE, 0, 0):
                # USB 2.0, 9.4.5: choosing a setting ends every halt, also when it was chosen before.
                data = self._clear(*self._endpoints)
            case Kind.TO_ENDPOINT if setup.value == ENDPOINT_HALT and self._known(setup.index):
                data = self._feature(setup)
            case _:
                raise Stalled
        return data[: setup.length]

    def check(self, endpoint: int) -> None:
        """Refuse a transfer on an endpoint that does not exist or that the host has halted.

        Raises:
            Stalled: There can be no transfer.
        """
        if endpoint in self._halted or endpoint not in self._endpoints:
            raise Stalled

    def saw(self, endpoint: int, *, stalled: bool) -> None:
        """Remember how a transfer ended, so that GET_STATUS can tell."""
        if stalled:
            self._stalling.add(endpoint)
        else:
            self._stalling.discard(endpoint)

    def _known(self, endpoint: int) -> bool:
        return endpoint in self._endpoints or endpoint & 0x7F == 0

    def _from_device(self, setup: Setup) -> bytes:
        match setup.request:
            case Request.GET_STATUS:
                return _SELF_POWERED
            case Request.GET_DESCRIPTOR:
                return self._descriptor(*divmod(setup.value, 256))
            case Request.GET_CONFIGURATION:
                return bytes((self._configuration,))
            case _:
                raise Stalled

    def _from_interface(self, setup: Setup) -> bytes:
        if setup.request == Request.GET_STATUS:
            return _NOTHING
        if setup.request == Request.GET_INTERFACE and self._configuration:
            return b"\0"
        raise Stalled

    def _descriptor(self, kind: int, index: int) -> bytes:
        # The qualifier and the BOS of newer hosts' questions are stalled: this device has one speed and is no newer than USB 2.0.
        data: bytes | None = None
        if (kind, index) == (DEVICE, 0):
            data = device_bytes(self._device.descriptor)
        elif (kind, index) == (CONFIGURATION, 0):
            data = configuration_bytes(self._device.descriptor)
        elif kind == STRING:
            data = string_bytes(self._device.descriptor, index)
        if data is None:
            raise Stalled
        return data

    def _configure(self, value: int) -> bytes:
        if value > 1:
            raise Stalled
        self._configuration = value
        self._halted.clear()
        self._stalling.clear()
        if value:
            self._device.configured()
        return b""

    def _feature(self, setup: Setup) -> bytes:
        if setup.request == Request.CLEAR_FEATURE:
            return self._clear(setup.index)
        # A halt of endpoint 0 is optional in the standard, and nothing good comes of it.
        if setup.request == Request.SET_FEATURE and setup.index in self._endpoints:
            self._halted.add(setup.index)
            return b""
        raise Stalled

    def _clear(self, *endpoints: int) -> bytes:
        for endpoint in endpoints:
            self._halted.discard(endpoint)
            self._stalling.discard(endpoint)
            if endpoint in self._endpoints:
                self._device.halt_cleared(endpoint)
        return b""
