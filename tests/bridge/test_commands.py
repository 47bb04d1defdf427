"""Commands: every packet that the public notes spell out, and nothing out of range."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.pagescan6 import commands as c
from firmware_bridge.pagescan6.packet import command_body, command_packet

WHOLE = [
    (c.TEST_STRING, "02 44 03 b4"),
    (c.FIRMWARE_VERSION, "02 56 03 b7"),
    (c.BUILD_DATE, "02 1b 56 03 8e"),
    (c.STATUS, "02 51 03 7c"),
    (c.SETTINGS, "02 49 03 9b"),
    (c.SERIAL_NUMBER, "02 2a 03 07"),
    (c.INPUT_SENSORS, "02 1b 73 03 1f"),
    (c.CALIBRATION_NATIVE, "02 57 30 03 ba"),
    (c.CALIBRATION_HALF, "02 57 31 03 2d"),
    (c.double_feed_reading("single"), "02 6e 33 61 31 30 03 45"),
    (c.double_feed_reading("double"), "02 6e 33 61 32 30 03 a7"),
    (c.double_feed_reading("ledIntensity"), "02 6e 33 61 33 30 03 74"),
    (c.double_feed_reading("threshold"), "02 6e 33 61 39 30 03 81"),
    (c.double_feed_reading("sensorCount"), "02 6e 33 61 34 30 03 f4"),
    (c.read_register(9), "02 3c 30 30 39 03 be"),
    (c.CHECK_CRC, "02 1b 4b 03 1b"),
    (c.FLOW_CONTROL, "02 1b 55 03 a0"),
    (c.FEEDER_ON, "02 38 03 04"),
    (c.FEEDER_OFF, "02 39 03 93"),
    (c.HALF_RESOLUTION, "02 41 03 c6"),
    (c.MEDIUM_RESOLUTION, "02 40 03 51"),
    (c.NATIVE_RESOLUTION, "02 42 03 e8"),
    (c.BOTH_SIDES, "02 4a 03 b5"),
    (c.TOP_ONLY, "02 47 03 9a"),
    (c.BOTTOM_ONLY, "02 48 03 0c"),
    (c.NATIVE_DEPTH, "02 79 03 c2"),
    (c.LOW_DEPTH, "02 7a 03 ec"),
    (c.AUTO_SCAN, "02 67 03 79"),
    (c.PICK_ON_COMMAND, "02 1b 58 03 8f"),
    (c.PICK_ALWAYS, "02 1b 59 03 18"),
    (c.EJECT_PAUSE_ON, "02 4d 03 7e"),
    (c.EJECT_PAUSE_OFF, "02 4e 03 50"),
    (c.RUN_OUT_ON, "02 1b 65 03 f9"),
    (c.RUN_OUT_OFF, "02 1b 64 03 6e"),
    (c.MOTOR_HALF_SPEED, "02 6a 03 56"),
    (c.MOTOR_FULL_SPEED, "02 6b 03 c1"),
    (c.input_sensors_needed(2), "02 1b 73 32 03 cc"),
    (c.bitonal_threshold("top", 75), "02 1b 25 54 4b 03 21"),
    (c.bitonal_threshold("bottom", 75), "02 1b 25 42 4b 03 6d"),
    (c.bitonal_threshold_step("top", "raise"), "02 1b 2b 03 a9"),
    (c.bitonal_threshold_step("top", "lower"), "02 1b 2d 03 f5"),
    (c.bitonal_threshold_step("bottom", "raise"), "02 1b 3e 03 61"),
    (c.bitonal_threshold_step("bottom", "lower"), "02 1b 3c 03 d8"),
    (c.SAVE_THRESHOLDS, "02 1b 24 03 3f"),
    (c.longest_sheet(105), "02 1b 44 89 03 e5"),
    (c.feed_delay(0), "02 1b 6a 20 03 c7"),
    (c.STRAIGHTENING_OFF, "02 1b 4f 03 fe"),
    (c.LIGHT_ON, "02 35 03 2b"),
    (c.LIGHT_OFF, "02 36 03 05"),
    (c.DOUBLE_FEED_ON, "02 6e 03 b3"),
    (c.DOUBLE_FEED_OFF, "02 6f 03 24"),
    (c.double_feed_sensitivity(50), "02 6e 33 41 35 30 03 7f"),
    (c.double_feed_overlap(100), "02 6e 33 42 31 30 30 03 47"),
    (c.write_register(9, 0x200), "02 3e 30 30 39 30 30 30 30 30 32 30 30 03 50"),
    (c.SAVE_REGISTERS, "02 7d 03 27"),
    (c.EJECT_REAR, "02 33 03 77"),
    (c.EJECT_FRONT, "02 34 03 bc"),
    (c.EJECT_FRONT_AND_HOLD, "02 31 03 ce"),
    (c.RELEASE_ESCROW, "02 37 03 92"),
    (c.SCAN_AGAIN, "02 5b 03 98"),
    (c.CALIBRATE_DOUBLE_FEED_SINGLE, "02 6e 31 31 03 07"),
    (c.CALIBRATE_DOUBLE_FEED_DOUBLE, "02 6e 31 32 03 29"),
    (c.CALIBRATE_IMAGE_SENSORS, "02 43 03 7f"),
    (c.REBOOT, "02 30 03 59"),
]


@pytest.mark.parametrize(("body", "packet"), WHOLE)
def test_published_packets(body: bytes, packet: str) -> None:
    assert command_packet(body) == bytes.fromhex(packet)


def test_bodies_without_a_published_packet() -> None:
    assert c.set_serial_number("00C0FFEE") == b"*00C0FFEE"
    assert c.longest_sheet(223) == b"\x1bD\xff"
    assert c.longest_sheet(110, unit_twentieths=3) == b"\x1bD\x8e1"
    assert c.feed_delay(3200) == b"\x1bj\xe8"
    assert c.write_register(0xABC, 0xFFFFFFFF) == b">ABCFFFFFFFF"
    # A threshold of 2 or 3 percent looks like the start or the end of a packet, and is neither.
    assert command_body(command_packet(c.bitonal_threshold("top", 3))) == b"\x1b%T\x03"


OUT_OF_RANGE: list[Callable[[], bytes]] = [
    lambda: c.set_serial_number("00C0FFE"),
    lambda: c.set_serial_number("00c0ffee"),
    lambda: c.double_feed_sensitivity(101),
    lambda: c.double_feed_sensitivity(-1),
    lambda: c.double_feed_overlap(9),
    lambda: c.double_feed_overlap(251),
    lambda: c.input_sensors_needed(0),
    lambda: c.input_sensors_needed(8),
    lambda: c.bitonal_threshold("top", 101),
    lambda: c.longest_sheet(0),
    lambda: c.longest_sheet(224),
    lambda: c.longest_sheet(10, unit_twentieths=1),
    lambda: c.feed_delay(3201),
    lambda: c.feed_delay(-16),
    lambda: c.feed_delay(8),
    lambda: c.read_register(0x1000),
    lambda: c.write_register(9, 1 << 32),
    lambda: c.write_register(9, -1),
]


@pytest.mark.parametrize("build", OUT_OF_RANGE)
def test_values_out_of_range(build: Callable[[], bytes]) -> None:
    with pytest.raises(ValueError, match=r"is not"):
        build()


@given(st.integers(0, 100), st.sampled_from(["top", "bottom"]))
def test_every_threshold_is_one_raw_byte(percent: int, side: c.Side) -> None:
    assert c.bitonal_threshold(side, percent)[3:] == bytes((percent,))


@given(st.integers(0, 200))
def test_the_delay_counts_steps_of_16_ms(steps: int) -> None:
    assert c.feed_delay(16 * steps)[2] - 0x20 == steps
