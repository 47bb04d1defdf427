"""Descriptors as bytes: what a device says about itself, in the exact layout of USB 2.0, section 9.6.

One direction writes them for the device's end of the cable, the other reads them at the host's end.
"""

from __future__ import annotations

import struct
from typing import Final

from hil.usb.device import DeviceDescriptor, EndpointDescriptor

DEVICE: Final = 1
CONFIGURATION: Final = 2
STRING: Final = 3
INTERFACE: Final = 4
ENDPOINT: Final = 5
"""Descriptor types (USB 2.0, table 9-5)."""

DEVICE_FIELDS: Final = (
    *("bLength", "bDescriptorType", "bcdUSB", "bDeviceClass", "bDeviceSubClass", "bDeviceProtocol", "bMaxPacketSize0"),
    *("idVendor", "idProduct", "bcdDevice", "iManufacturer", "iProduct", "iSerialNumber", "bNumConfigurations"),
)
CONFIGURATION_FIELDS: Final = (
    *("bLength", "bDescriptorType", "wTotalLength", "bNumInterfaces", "bConfigurationValue", "iConfiguration"),
    *("bmAttributes", "bMaxPower"),
)
INTERFACE_FIELDS: Final = (
    *("bLength", "bDescriptorType", "bInterfaceNumber", "bAlternateSetting", "bNumEndpoints", "bInterfaceClass"),
    *("bInterfaceSubClass", "bInterfaceProtocol", "iInterface"),
)
ENDPOINT_FIELDS: Final = ("bLength", "bDescriptorType", "bEndpointAddress", "bmAttributes", "wMaxPacketSize", "bInterval")

VENDOR_CLASS: Final = 0xFF
ENGLISH: Final = 0x0409
"""The only language of the strings (LANGID of US English)."""

_DEVICE: Final = struct.Struct("<BBHBBBBHHHBBBB")
_CONFIGURATION: Final = struct.Struct("<BBHBBBBB")
_INTERFACE: Final = struct.Struct("<BBBBBBBBB")
_ENDPOINT: Final = struct.Struct("<BBBBHB")

_CONTROL_PACKET: Final = 64
_SELF_POWERED: Final = 0xC0
"""bmAttributes: bit 7 is always set, bit 6 says that the device has a supply of its own, as anything with motors has."""
_BULK: Final = 2
_LONGEST_TEXT: Final = 126
"""UTF-16 units that fit into a string descriptor: its length is a byte, and two bytes are its head."""


class DescriptorError(ValueError):
    """Bytes that are not the descriptors of a bulk-only device with one configuration."""


def device_bytes(descriptor: DeviceDescriptor) -> bytes:
    """The device descriptor, 18 bytes; a text that is missing has index 0."""
    texts = [index if text else 0 for index, text in enumerate(descriptor.strings, 1)]
    identity = (descriptor.vendor, descriptor.product, descriptor.release)
    return _DEVICE.pack(_DEVICE.size, DEVICE, descriptor.usb_release, 0, 0, 0, _CONTROL_PACKET, *identity, *texts, 1)


def configuration_bytes(descriptor: DeviceDescriptor) -> bytes:
    """The configuration with its interface and endpoints: 9 + 9 + 7 bytes for each endpoint."""
    total = _CONFIGURATION.size + _INTERFACE.size + _ENDPOINT.size * len(descriptor.endpoints)
    return b"".join(
        (
            _CONFIGURATION.pack(_CONFIGURATION.size, CONFIGURATION, total, 1, 1, 0, _SELF_POWERED, 1),
            _INTERFACE.pack(_INTERFACE.size, INTERFACE, 0, 0, len(descriptor.endpoints), VENDOR_CLASS, 0, 0, 0),
            *(
                _ENDPOINT.pack(_ENDPOINT.size, ENDPOINT, endpoint.address, _BULK, endpoint.max_packet, 0)
                for endpoint in descriptor.endpoints
            ),
        )
    )


def string_bytes(descriptor: DeviceDescriptor, index: int) -> bytes | None:
    """A string descriptor; index 0 lists the languages. None when there is no such text.

    Raises:
        ValueError: The text has more than 126 UTF-16 units, which no string descriptor holds.
    """
    if not 0 <= index <= len(descriptor.strings) or not any(descriptor.strings):
        return None
    if index == 0:
        return struct.pack("<BBH", 4, STRING, ENGLISH)
    text = descriptor.strings[index - 1]
    if not text:
        return None
    data = text.encode("utf-16-le")
    if len(data) > 2 * _LONGEST_TEXT:
        raise ValueError(f"string {index} has {len(data) // 2} UTF-16 units; a string descriptor holds {_LONGEST_TEXT}")
    return bytes((2 + len(data), STRING)) + data


def device_fields(data: bytes) -> dict[str, int]:
    """A device descriptor by its field names.

    Raises:
        DescriptorError: Not a device descriptor.
    """
    return _fields(data, _DEVICE, DEVICE, DEVICE_FIELDS)


def configuration_fields(data: bytes) -> tuple[dict[str, int], dict[str, int], list[dict[str, int]]]:
    """A configuration, its interface and its endpoints by their field names.

    Raises:
        DescriptorError: Cut off, or anything but one interface with bulk endpoints only.
    """
    configuration = _fields(data, _CONFIGURATION, CONFIGURATION, CONFIGURATION_FIELDS)
    if configuration["wTotalLength"] != len(data) or configuration["bNumInterfaces"] != 1:
        raise DescriptorError("not a whole configuration with one interface")
    place = _CONFIGURATION.size
    interface = _fields(data[place:], _INTERFACE, INTERFACE, INTERFACE_FIELDS)
    place += _INTERFACE.size
    endpoints = [_fields(data[at:], _ENDPOINT, ENDPOINT, ENDPOINT_FIELDS) for at in range(place, len(data), _ENDPOINT.size)]
    if len(endpoints) != interface["bNumEndpoints"] or any(endpoint["bmAttributes"] != _BULK for endpoint in endpoints):
        raise DescriptorError("not an interface with bulk endpoints only")
    return configuration, interface, endpoints


def read_string(data: bytes) -> str:
    """The text of a string descriptor.

    Raises:
        DescriptorError: Not a string descriptor.
    """
    if len(data) < 2 or data[0] != len(data) or data[0] % 2 or data[1] != STRING:
        raise DescriptorError("not a string descriptor")
    try:
        return data[2:].decode("utf-16-le")
    except UnicodeDecodeError as error:
        raise DescriptorError("a string descriptor that is not UTF-16") from error


def read_descriptor(device: bytes, configuration: bytes, strings: tuple[str, str, str]) -> DeviceDescriptor:
    """Put together what a host has read from a device.

    Raises:
        DescriptorError: Not the descriptors of a bulk-only device with one configuration.
    """
    of_device = device_fields(device)
    _, _, endpoints = configuration_fields(configuration)
    return DeviceDescriptor(
        vendor=of_device["idVendor"],
        product=of_device["idProduct"],
        release=of_device["bcdDevice"],
        usb_release=of_device["bcdUSB"],
        endpoints=tuple(EndpointDescriptor(one["bEndpointAddress"], one["wMaxPacketSize"]) for one in endpoints),
        strings=strings,
    )


def _fields(data: bytes, layout: struct.Struct, kind: int, names: tuple[str, ...]) -> dict[str, int]:
    if len(data) < layout.size or data[0] != layout.size or data[1] != kind:
        raise DescriptorError(f"not a descriptor of type {kind}")
    return dict(zip(names, layout.unpack_from(data), strict=True))
