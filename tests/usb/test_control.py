"""Endpoint 0: each standard request, and a stall for all else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.usb.control import EndpointZero, Setup
from hil.usb.descriptors import configuration_bytes, device_bytes
from hil.usb.device import Stalled
from tests.usb.pattern_device import DESCRIPTOR, ECHO, OUT, STREAM, PatternDevice


def ask(zero: EndpointZero, setup: str) -> bytes:
    return zero.answer(Setup.read(bytes.fromhex(setup)))


@pytest.fixture
def device() -> PatternDevice:
    return PatternDevice()


@pytest.fixture
def zero(device: PatternDevice) -> EndpointZero:
    return EndpointZero(device)


def test_descriptors_are_cut_to_what_was_asked_for(zero: EndpointZero) -> None:
    assert ask(zero, "80 06 0001 0000 4000") == device_bytes(DESCRIPTOR)
    assert ask(zero, "80 06 0001 0000 0800") == device_bytes(DESCRIPTOR)[:8]
    assert ask(zero, "80 06 0002 0000 0900") == configuration_bytes(DESCRIPTOR)[:9]
    assert ask(zero, "80 06 0002 0000 2700") == configuration_bytes(DESCRIPTOR)
    assert ask(zero, "80 06 0003 0000 ff00") == bytes.fromhex("04 03 0904")
    assert ask(zero, "80 06 0303 0904 ff00") == bytes.fromhex("08 03 1621 2000 3700")


def test_configuration_is_kept_and_told(zero: EndpointZero, device: PatternDevice) -> None:
    assert ask(zero, "80 08 0000 0000 0100") == b"\0"
    assert ask(zero, "00 09 0100 0000 0000") == b""
    assert ask(zero, "80 08 0000 0000 0100") == b"\1"
    assert ask(zero, "81 0a 0000 0000 0100") == b"\0"
    assert ask(zero, "00 09 0000 0000 0000") == b""
    assert ask(zero, "80 08 0000 0000 0100") == b"\0"
    assert device.calls == ["configured"]


def test_status(zero: EndpointZero) -> None:
    assert ask(zero, "80 00 0000 0000 0200") == b"\1\0"
    assert ask(zero, "81 00 0000 0000 0200") == b"\0\0"
    assert ask(zero, "82 00 0000 8500 0200") == b"\0\0"
    assert ask(zero, "82 00 0000 0000 0200") == b"\0\0"


@pytest.mark.parametrize("end", ["02 01 0000 8500 0000", "01 0b 0000 0000 0000", "00 09 0100 0000 0000"])
def test_a_halt_by_the_host_lasts_until_it_is_cleared(zero: EndpointZero, end: str) -> None:
    ask(zero, "02 03 0000 8500 0000")
    assert ask(zero, "82 00 0000 8500 0200") == b"\1\0"
    with pytest.raises(Stalled):
        zero.check(ECHO)
    zero.check(OUT)
    ask(zero, end)
    assert ask(zero, "82 00 0000 8500 0200") == b"\0\0"
    zero.check(ECHO)


def test_a_stall_of_the_device_is_told(zero: EndpointZero) -> None:
    zero.saw(STREAM, stalled=True)
    assert ask(zero, "82 00 0000 8600 0200") == b"\1\0"
    zero.saw(STREAM, stalled=False)
    assert ask(zero, "82 00 0000 8600 0200") == b"\0\0"


def test_the_device_learns_that_a_halt_was_cleared(zero: EndpointZero, device: PatternDevice) -> None:
    ask(zero, "02 01 0000 8500 0000")
    ask(zero, "02 01 0000 0000 0000")
    assert device.calls == ["halt cleared 0x85"]
    ask(zero, "01 0b 0000 0000 0000")
    assert sorted(device.calls[1:]) == ["halt cleared 0x05", "halt cleared 0x85", "halt cleared 0x86"]


@pytest.mark.parametrize(
    "setup",
    [
        pytest.param("80 06 0006 0000 0a00", id="device qualifier"),
        pytest.param("80 06 000f 0000 0500", id="BOS"),
        pytest.param("80 06 0102 0000 0900", id="second configuration"),
        pytest.param("80 06 0403 0904 ff00", id="fourth string"),
        pytest.param("81 06 0022 0000 0900", id="descriptor of the interface"),
        pytest.param("00 05 0700 0000 0000", id="SET_ADDRESS, which the host controller keeps to itself"),
        pytest.param("00 09 0200 0000 0000", id="second configuration chosen"),
        pytest.param("00 07 0001 0000 1200", id="SET_DESCRIPTOR"),
        pytest.param("01 0b 0100 0000 0000", id="second setting"),
        pytest.param("01 0b 0000 0100 0000", id="second interface"),
        pytest.param("81 0a 0000 0000 0100", id="setting before a configuration"),
        pytest.param("81 00 0000 0100 0200", id="status of a second interface"),
        pytest.param("82 00 0000 8100 0200", id="status of an endpoint that is not there"),
        pytest.param("82 0c 0000 8500 0200", id="SYNCH_FRAME"),
        pytest.param("02 01 0100 8500 0000", id="unknown feature"),
        pytest.param("02 03 0000 0000 0000", id="halt of endpoint 0"),
        pytest.param("02 03 0000 8100 0000", id="halt of an endpoint that is not there"),
        pytest.param("00 03 0100 0000 0000", id="remote wake-up"),
        pytest.param("00 01 0100 0000 0000", id="no remote wake-up"),
        pytest.param("c0 01 0000 0000 0800", id="vendor request"),
        pytest.param("a1 00 0000 0000 0004", id="class request"),
    ],
)
def test_everything_else_stalls(zero: EndpointZero, setup: str) -> None:
    with pytest.raises(Stalled):
        ask(zero, setup)


@given(st.binary(min_size=8, max_size=8))
def test_any_setup_is_answered_or_stalled(setup: bytes) -> None:
    request = Setup.read(setup)
    assert bytes(request) == setup
    try:
        data = EndpointZero(PatternDevice()).answer(request)
    except Stalled:
        return
    assert len(data) <= request.length


def test_a_setup_has_eight_bytes() -> None:
    with pytest.raises(ValueError, match="a setup has 8 bytes, not 7"):
        Setup.read(bytes(7))
