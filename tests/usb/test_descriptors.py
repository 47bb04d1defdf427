"""Descriptors, byte by byte (USB 2.0, section 9.6), and back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.usb.descriptors import (
    DescriptorError,
    configuration_bytes,
    configuration_fields,
    device_bytes,
    device_fields,
    read_descriptor,
    read_string,
    string_bytes,
)
from hil.usb.device import DeviceDescriptor, EndpointDescriptor

SCANNER = DeviceDescriptor(
    vendor=0x0BD7,
    product=0xA002,
    release=0x0100,
    usb_release=0x0200,
    endpoints=(EndpointDescriptor(0x05, 512), EndpointDescriptor(0x85, 512), EndpointDescriptor(0x86, 512)),
    strings=("", "Åb", "7"),
)

WORDS = st.integers(0, 0xFFFF)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=60)
DESCRIPTORS = st.builds(
    DeviceDescriptor,
    vendor=WORDS,
    product=WORDS,
    release=WORDS,
    usb_release=WORDS,
    endpoints=st.lists(st.builds(EndpointDescriptor, st.integers(0, 255), WORDS), max_size=30).map(tuple),
    strings=st.tuples(TEXTS, TEXTS, TEXTS),
)


def test_device() -> None:
    assert device_bytes(SCANNER) == bytes.fromhex("12 01 0002 00 00 00 40 d70b 02a0 0001 00 02 03 01")


def test_configuration() -> None:
    assert configuration_bytes(SCANNER) == bytes.fromhex(
        "09 02 2700 01 01 00 c0 0109 04 00 00 03 ff 00 00 0007 05 05 02 0002 0007 05 85 02 0002 0007 05 86 02 0002 00"
    )


def test_strings() -> None:
    assert [string_bytes(SCANNER, index) for index in range(5)] == [
        bytes.fromhex("04 03 0904"),
        None,
        bytes.fromhex("06 03 c500 6200"),
        bytes.fromhex("04 03 3700"),
        None,
    ]


def test_no_texts_no_languages() -> None:
    assert string_bytes(replace(SCANNER, strings=("", "", "")), 0) is None


def test_a_text_that_fits_no_descriptor() -> None:
    assert len(string_bytes(replace(SCANNER, strings=("", "a" * 126, "")), 2) or b"") == 254
    with pytest.raises(ValueError, match="string 2 has 127 UTF-16 units"):
        string_bytes(replace(SCANNER, strings=("", "a" * 127, "")), 2)


@given(DESCRIPTORS)
def test_round_trip(descriptor: DeviceDescriptor) -> None:
    texts = [string_bytes(descriptor, index) for index in (1, 2, 3)]
    first, second, third = (read_string(text) if text else "" for text in texts)
    read = read_descriptor(device_bytes(descriptor), configuration_bytes(descriptor), (first, second, third))
    assert read == descriptor


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for read in (device_fields, configuration_fields, read_string):
        try:
            read(data)
        except DescriptorError:
            continue


@given(st.data())
def test_a_damaged_configuration_is_read_or_refused(data: st.DataObject) -> None:
    whole = bytearray(configuration_bytes(SCANNER))
    whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        configuration, interface, endpoints = configuration_fields(bytes(whole[: data.draw(st.integers(0, len(whole)))]))
    except DescriptorError:
        return
    assert configuration["wTotalLength"] == len(whole)
    assert interface["bNumEndpoints"] == len(endpoints) == 3
