"""What the firmware remembers, and the commands that only ask for it or change it.

`Flash` outlives a power cut, `Modes` does not. Commands that move paper are not here but in `model`.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

from hil.scanner.calibration import COLUMNS, Tables, flat_tables, reply_bodies, worn_tables
from hil.scanner.knobs import Behaviour
from hil.scanner.paper import FRONT_SENSORS
from hil.scanner.pixels import Encoding, Sides
from hil.scanner.sheet import DPI

COMMAND_ERROR = b"#05"
_DOUBLE_FEED_UNCALIBRATED = b"#07"
_DOUBLE_FEED_MISSING = b"#08"
_BOOT_REGISTER = 9
_LENGTH_OFFSET = 0x20

_SWITCHES: dict[bytes, tuple[str, object]] = {
    b"\x1bK": ("crc_checked", True),
    b"\x1bU": ("flow_control", True),
    b"A": ("dpi", 200),
    b"@": ("dpi", 300),
    b"B": ("dpi", 400),
    b"J": ("sides", Sides.DUPLEX),
    b"G": ("sides", Sides.TOP),
    b"H": ("sides", Sides.BOTTOM),
    b"y": ("grey", True),
    b"z": ("grey", False),
    b"g": ("auto_start", True),
    b"\x1bX": ("pick_on_command", True),
    b"\x1bY": ("pick_on_command", False),
    b"M": ("eject_pause", True),
    b"N": ("eject_pause", False),
    b"\x1be": ("run_out", True),
    b"\x1bd": ("run_out", False),
    b"j": ("half_speed", True),
    b"k": ("half_speed", False),
    b"\x1bO": ("straightening", False),
    b"5": ("light", True),
    b"6": ("light", False),
    b"o": ("double_feed", False),
}
"""Commands that set one mode and are not answered."""


class Flash:
    """What survives a power cut.

    Args:
        behaviour: How the scanner left the factory.

    Attributes:
        serial_number: 8 characters 0-9A-F.
        registers: Saved registers; the others hold 0.
        thresholds: Saved 1-bit thresholds in percent of white, by side.
        double_feed_values: Readings of the double-feed sensor for one and for two sheets; None: not calibrated.
        calibration_needed: The arrays need calibration.
        top: Calibration of the upper array.
        bottom: Calibration of the lower array.
    """

    def __init__(self, behaviour: Behaviour) -> None:
        self.serial_number = behaviour.identity.serial_number
        self.registers = {_BOOT_REGISTER: behaviour.register_9}
        self.thresholds = {"T": 75, "B": 75}
        calibrated = behaviour.double_feed_calibrated
        self.double_feed_values: dict[str, int | None] = {
            "single": 205 if calibrated else None,
            "double": 118 if calibrated else None,
        }
        self.calibration_needed = behaviour.calibration_needed
        self.top: Tables = flat_tables() if behaviour.flat_tables else worn_tables(6)
        self.bottom: Tables = flat_tables() if behaviour.flat_tables else worn_tables(7)

    @property
    def double_feed_calibrated(self) -> bool:
        """Both steps of the double-feed calibration were done once."""
        return None not in self.double_feed_values.values()

    @property
    def boot_choice(self) -> int:
        """What register 9 says about paper found at boot; 2: do nothing."""
        return self.registers.get(_BOOT_REGISTER, 0) >> 8


class Modes:
    """What holds until the power fails or the firmware restarts.

    Args:
        behaviour: What the public notes leave open.
        flash: What outlives this object.

    Attributes:
        crc_checked: Commands with a wrong check byte are refused.
        flow_control: Was asked for; has no effect.
        dpi: Resolution asked for: 200, 300 or 400. Pixels leave at 200 dpi all the same.
        sides: Which arrays send.
        grey: 8-bit grey instead of 1-bit.
        auto_start: A scan starts by itself.
        pick_on_command: After a scan no other starts until the feeder is enabled again.
        eject_pause: A motion into the box waits while there is paper at the front.
        run_out: After a scan the sheet goes on into the box.
        half_speed: Motions take twice as long.
        straightening: The rollers straighten a sheet before they take it; has no effect.
        light: The light is on; has no effect.
        double_feed: Double feeds are looked for.
        sensors_needed: Front sensors that must be covered for a scan to start, 1 to 5.
        thresholds: 1-bit thresholds in percent of white, by side.
        most_inches: A longer document is a jam.
        intake_delay: Seconds that paper lies at the front before it is taken.
    """

    def __init__(self, behaviour: Behaviour, flash: Flash) -> None:
        self._behaviour = behaviour
        self._flash = flash
        self.crc_checked = False
        self.flow_control = False
        self.dpi = 200
        self.sides = Sides.TOP
        self.grey = False
        self.auto_start = behaviour.auto_start_at_boot
        self.pick_on_command = False
        self.eject_pause = False
        self.run_out = False
        self.half_speed = False
        self.straightening = True
        self.light = False
        self.double_feed = False
        self.sensors_needed = 2
        self.thresholds = dict(flash.thresholds)
        self.most_inches = 22.3
        self.intake_delay = 0.0
        self._registers = dict(flash.registers)
        self._sensitivity = 50
        self._overlap = 100
        self._fixed: dict[bytes, Callable[[], list[bytes]]] = {
            b"D": lambda: [b"D" + behaviour.identity.test_text.encode("ascii")],
            b"V": self._version,
            b"\x1bV": lambda: [b"X" + behaviour.identity.build.encode("ascii")],
            b"I": self._settings,
            b"*": lambda: [b"*" + flash.serial_number.encode("ascii")],
            b"\x1bs": self._sensor_count,
            b"n": self._look_for_double_feeds,
            b"}": self._save_registers,
            b"\x1b$": self._save_thresholds,
        }
        self._patterns: list[tuple[re.Pattern[bytes], Callable[[re.Match[bytes]], list[bytes]]]] = [
            (re.compile(pattern, re.DOTALL), act)
            for pattern, act in (
                (rb"\*([0-9A-F]{8})", self._set_serial_number),
                (rb"W([01]?)", self._tables),
                (rb"n3a(10|20|30|40|90)", self._double_feed_value),
                (rb"n3A([0-9]{1,3})", self._set_sensitivity),
                (rb"n3B([0-9]{1,3})", self._set_overlap),
                (rb"<([0-9A-Fa-f]{3})", self._read_register),
                (rb">([0-9A-Fa-f]{3})([0-9A-Fa-f]{8})", self._write_register),
                (rb"\x1bs([1-5])", self._set_sensors_needed),
                (rb"\x1b%([TB])([\x00-\x64])", self._set_threshold),
                (rb"\x1b([+\-><])", self._step_threshold),
                (rb"\x1bD([\x20-\xff])([0-9]?)", self._set_most_inches),
                (rb"\x1bj(.)", self._set_intake_delay),
            )
        ]

    @property
    def encoding(self) -> Encoding:
        """How pixels leave now."""
        return Encoding(self.sides, self.grey, self.thresholds["T"], self.thresholds["B"])

    @property
    def most_rows(self) -> int:
        """The longest document, in rows."""
        return round((self.most_inches + self._behaviour.length_slack_inches) * DPI)

    def apply(self, body: bytes) -> list[bytes]:
        """Carry out a command that moves nothing.

        Args:
            body: Body of the packet.

        Returns:
            Bodies of answers and events, often none; the command-error event for a command that is unknown or out of range.
        """
        if body in _SWITCHES:
            setattr(self, *_SWITCHES[body])
            return []
        if body in self._fixed:
            return self._fixed[body]()
        for pattern, act in self._patterns:
            if match := pattern.fullmatch(body):
                return act(match)
        return [COMMAND_ERROR]

    def _version(self) -> list[bytes]:
        identity = self._behaviour.identity
        return [f"V{identity.product}{identity.firmware}{identity.cpld}".encode("ascii")]

    def _settings(self) -> list[bytes]:
        arrays = {Sides.TOP: 1, Sides.BOTTOM: 2, Sides.DUPLEX: 3}[self.sides]
        bits = 8 if self.grey else 1
        pixels = COLUMNS * self.dpi // DPI
        return [b"I" + struct.pack("<6H", self.dpi, bits, pixels, arrays, int(self._flash.calibration_needed), 2)]

    def _sensor_count(self) -> list[bytes]:
        return [b"s%d%d" % (self.sensors_needed, len(FRONT_SENSORS))]

    def _set_sensors_needed(self, match: re.Match[bytes]) -> list[bytes]:
        self.sensors_needed = int(match[1])
        return self._sensor_count() if self._behaviour.answers_sensor_count else []

    def _look_for_double_feeds(self) -> list[bytes]:
        if not self._behaviour.double_feed_fitted:
            return [_DOUBLE_FEED_MISSING]
        self.double_feed = True
        return [] if self._flash.double_feed_calibrated else [_DOUBLE_FEED_UNCALIBRATED]

    def _double_feed_value(self, match: re.Match[bytes]) -> list[bytes]:
        single, double = (self._flash.double_feed_values[step] or 0 for step in ("single", "double"))
        threshold = double + (single - double) * (100 - self._sensitivity) // 100
        values = {b"10": single, b"20": double, b"30": 128, b"40": 1, b"90": threshold}
        return [match[0] + b"=%d" % values[match[1]]]

    def _set_sensitivity(self, match: re.Match[bytes]) -> list[bytes]:
        if int(match[1]) > 100:
            return [COMMAND_ERROR]
        self._sensitivity = int(match[1])
        return []

    def _set_overlap(self, match: re.Match[bytes]) -> list[bytes]:
        if not 10 <= int(match[1]) <= 250:
            return [COMMAND_ERROR]
        self._overlap = int(match[1])
        return []

    def _set_serial_number(self, match: re.Match[bytes]) -> list[bytes]:
        self._flash.serial_number = match[1].decode("ascii")
        return [match[0]]

    def _tables(self, match: re.Match[bytes]) -> list[bytes]:
        return reply_bodies(self._flash.top, self._flash.bottom, native=match[1] != b"1")

    def _read_register(self, match: re.Match[bytes]) -> list[bytes]:
        index = int(match[1], 16)
        return [b"<%03X%08X" % (index, self._registers.get(index, 0))]

    def _write_register(self, match: re.Match[bytes]) -> list[bytes]:
        index, value = int(match[1], 16), int(match[2], 16)
        self._registers[index] = value
        return [b">%03X%08X" % (index, value)]

    def _save_registers(self) -> list[bytes]:
        self._flash.registers = dict(self._registers)
        return []

    def _threshold(self, side: str) -> bytes:
        return b"X%s %02X" % (side.encode("ascii"), self.thresholds[side])

    def _set_threshold(self, match: re.Match[bytes]) -> list[bytes]:
        side = match[1].decode("ascii")
        self.thresholds[side] = match[2][0]
        return [self._threshold(side)]

    def _step_threshold(self, match: re.Match[bytes]) -> list[bytes]:
        side, step = {b"+": ("T", 1), b"-": ("T", -1), b">": ("B", 1), b"<": ("B", -1)}[match[1]]
        self.thresholds[side] = min(100, max(0, self.thresholds[side] + step))
        return [self._threshold(side)]

    def _save_thresholds(self) -> list[bytes]:
        self._flash.thresholds = dict(self.thresholds)
        return [self._threshold("T") + b"%02X" % self.thresholds["B"]]

    def _set_most_inches(self, match: re.Match[bytes]) -> list[bytes]:
        # In twentieths of an inch, because the units are 0.10, 0.15, 0.20, ...
        unit = int(match[2] or b"0") + 2
        self.most_inches = (match[1][0] - _LENGTH_OFFSET) * unit / 20
        return []

    def _set_intake_delay(self, match: re.Match[bytes]) -> list[bytes]:
        code = match[1][0]
        self.intake_delay = (code - 0x20) * 0.016 if 0x20 <= code <= 0xE8 else 0.001
        return []
