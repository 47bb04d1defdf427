"""The scanner without threads and clock: its power, its firmware that takes commands one after the other, and hands.

Whoever runs it calls `step` whenever `due` has come, tells the time with every call, and takes the notices after each. Time is in
seconds, from any origin, and never goes back.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hil.scanner.framing import Defect, unframe
from hil.scanner.knobs import Behaviour, Timings
from hil.scanner.modes import COMMAND_ERROR, Flash
from hil.scanner.motions import Calibration, Eject, Scan
from hil.scanner.notices import Heard, Moved, Notice, Presence, Said
from hil.scanner.paper import FRONT_SENSORS, HELD, REAR_SENSORS, IllegalMove, PaperPath, Place, Sensor
from hil.scanner.rollers import Rollers
from hil.scanner.sheet import Sheet

_log = logging.getLogger(__name__)

_CRC_ERROR = b"#0E"
_ENABLE_CRC = b"\x1bK"
_BOOT_CHOICES = 2


@dataclass(slots=True)
class _Arrival:
    packet: bytes
    at: float
    announced: bool = False


class ScannerModel:
    """The scanner, with nobody to run it.

    Args:
        timings: Durations.
        behaviour: What the public notes leave open.

    Attributes:
        path: Where the paper is.
        rollers: What moves it.
        powered: There is power.
    """

    def __init__(self, timings: Timings, behaviour: Behaviour) -> None:
        self.path = PaperPath(behaviour.path_inches, lambda name, place: self._tell(Moved(name, place)))
        self._flash = Flash(behaviour)
        self.rollers = Rollers(timings, behaviour, self.path, self._flash, self._tell)
        self.powered = True
        self._timings = timings
        self._behaviour = behaviour
        self._notices: list[Notice] = []
        self._boots_at: float | None = None
        self._commands: deque[_Arrival] = deque()
        self._free_at = 0.0
        self._now = 0.0
        self._actions: dict[bytes, Callable[[float], None]] = {
            b"Q": lambda _: self._tell(Said(self.status())),
            b"8": lambda _: self.rollers.enable(),
            b"9": lambda _: self.rollers.disable(),
            b"3": lambda now: self.rollers.eject(Place.BOX, now),
            b"7": lambda now: self.rollers.eject(Place.BOX, now),
            b"1": lambda now: self.rollers.eject(Place.FRONT, now),
            b"4": lambda now: self.rollers.eject(Place.HAND, now),
            b"[": self.rollers.rescan,
            b"n11": lambda now: self.rollers.calibrate("single", now),
            b"n12": lambda now: self.rollers.calibrate("double", now),
            b"C": lambda now: self.rollers.calibrate("image", now),
            b"0": self.reboot,
        }

    @property
    def online(self) -> bool:
        """Powered and booted."""
        return self.powered and self._boots_at is None

    @property
    def motion(self) -> str:
        """What it does: off, booting, still, scanning, ejecting, paused or calibrating."""
        if not self.online:
            return "booting" if self.powered else "off"
        match self.rollers.motion:
            case Scan():
                return "scanning"
            case Eject():
                return "paused" if self.rollers.paused else "ejecting"
            case Calibration():
                return "calibrating"
            case None:
                return "still"

    @property
    def due(self) -> float | None:
        """When `step` is to be called next; None: not before something else happens."""
        return min((when for when in (self._boots_at, self.rollers.due, self._command_due) if when is not None), default=None)

    def step(self) -> None:
        """Do the one thing that is due first."""
        due = self.due
        if due is None:
            return
        # What waited for something else to end is due in the past.
        now = self._now = max(self._now, due)
        if due == self._boots_at:
            self._booted(now)
        elif due == self.rollers.due:
            self.rollers.step(now)
        else:
            self._serve(now)

    def take_notices(self) -> list[Notice]:
        """Take what was told since the last call."""
        notices, self._notices = self._notices, []
        return notices

    # What the host does.

    def receive(self, packet: bytes, at: float) -> None:
        """Take one transfer from the endpoint of commands; it counts as arrived at that time."""
        if self.online:
            self._commands.append(_Arrival(packet, at))

    def configured(self) -> None:
        """The host has set the configuration."""
        if self.online and self._behaviour.configure_resets:
            self._commands.clear()
            self.rollers.disable()
            self.rollers.mute()

    def status(self) -> bytes:
        """Body of the answer to a status query."""
        covered = self.path.covered()
        rear = sum(1 << bit for bit, sensor in enumerate(REAR_SENSORS) if sensor in covered)
        front = sum(1 << bit for bit, sensor in enumerate(FRONT_SENSORS) if sensor in covered)
        rollers = self.rollers
        fast = not rollers.modes.half_speed
        states = (
            0x80 | rear | fast << 3 | self.path.cover_open << 4 | rollers.feeder << 6,
            0x80 | front,
            0x81 | rollers.jammed << 2 | rollers.believes_paper_inside << 5 | self._flash.calibration_needed << 6,
        )
        return b"Q" + bytes(states)

    # What hands do. All raise IllegalMove, and then change nothing, where a hand cannot do it.

    def insert(self, sheets: Sequence[Sheet | str], sensors: int, now: float) -> None:
        """Put sheets, one on top of the other, to the free front; they cover that many front sensors."""
        if taken := self.path.at(Place.FRONT, Place.SPANNING):
            raise IllegalMove(f"sheet {taken[-1]} already sticks out at the front")
        self.push(sheets, sensors, now)

    def push(self, sheets: Sequence[Sheet | str], sensors: int, now: float) -> None:
        """Push sheets in at the front, whatever is already there."""
        self.rollers.pushed(self.path.put_in(sheets, sensors))
        self._react(now)

    def remove(self, now: float) -> tuple[str, ...]:
        """Take what lies at the front while the rollers do not have it."""
        if isinstance(self.rollers.motion, Scan) and not self.rollers.motion.swallowed:
            raise IllegalMove("the rollers are drawing the sheet in; it can only be pulled out")
        return self._take_out((Place.FRONT,), now)

    def pull(self, now: float) -> tuple[str, ...]:
        """Pull out what sticks out at the front, even from the rollers."""
        return self._take_out((Place.FRONT, Place.SPANNING), now)

    def clear_path(self, now: float, *, into_box: bool) -> tuple[str, ...]:
        """With the cover open, take all paper out of the path, or push what is at the rear into the box."""
        if not self.path.cover_open:
            raise IllegalMove("the cover is closed")
        if not into_box:
            return self._take_out((Place.FRONT, *HELD), now)
        names = self.path.at(Place.ESCROW)
        self.path.take(names, Place.BOX)
        self._react(now)
        return tuple(names)

    def open_cover(self, now: float) -> None:
        """Open the cover."""
        if self.path.cover_open:
            raise IllegalMove("the cover is already open")
        if self.online:
            self.rollers.cover_opened()
        self.path.cover_open = True
        self._react(now)

    def close_cover(self, now: float) -> None:
        """Close the cover."""
        if not self.path.cover_open:
            raise IllegalMove("the cover is already closed")
        if self.online:
            self.rollers.cover_closed()
        self.path.cover_open = False
        self._react(now)

    def stick(self, sensor: Sensor, covered: bool | None, now: float) -> None:
        """Make a sensor say covered or clear for ever; None: let it see again."""
        if covered is None:
            self.path.stuck.pop(sensor, None)
        else:
            self.path.stuck[sensor] = covered
        self.rollers.sensors_stuck()
        self._react(now)

    def cut_power(self) -> None:
        """Cut the power."""
        if not self.powered:
            raise IllegalMove("there is no power to be cut")
        self._go_down()
        self.powered = False
        self._boots_at = None

    def restore_power(self, now: float) -> None:
        """Give it power; it boots."""
        if self.powered:
            raise IllegalMove("there is power already")
        self.powered = True
        self._boots_at = now + self._timings.boot

    def reboot(self, now: float) -> None:
        """Restart the firmware."""
        if self.powered:
            self._go_down()
            self._boots_at = now + self._timings.boot

    def complain(self, code: str) -> None:
        """Send an event that nothing caused."""
        if self.online:
            self._tell(Said(b"#" + code.encode("ascii")))

    def _tell(self, notice: Notice) -> None:
        self._notices.append(notice)

    def _react(self, now: float) -> None:
        self._now = max(self._now, now)
        if self.online:
            self.rollers.react(now)

    def _take_out(self, places: tuple[Place, ...], now: float) -> tuple[str, ...]:
        names = self.path.at(*places)
        if not names:
            raise IllegalMove(f"no sheet at {' or '.join(places)} for a hand to take")
        self.path.take(names)
        self.rollers.pulled(names)
        self._react(now)
        return tuple(names)

    def _go_down(self) -> None:
        was_online = self.online
        self._commands.clear()
        self.rollers.restart()
        if was_online:
            self._tell(Presence(online=False))

    def _booted(self, now: float) -> None:
        self._boots_at = None
        self._free_at = now
        self.rollers.restart()
        self._tell(Presence(online=True))
        # Which of the two values that eject means the box is not known; any other value leaves the paper alone.
        if self._flash.boot_choice < _BOOT_CHOICES and self.path.covered() & frozenset(REAR_SENSORS):
            rear = self._flash.boot_choice == self._behaviour.boot_rear_value
            self.rollers.enable()
            self.rollers.eject(Place.BOX if rear else Place.FRONT, now)
            self.rollers.disable()
        self._react(now)

    @property
    def _command_due(self) -> float | None:
        if not self._commands or self.rollers.paused:
            return None
        head = self._commands[0]
        return max(head.at, self._free_at) + self._timings.command

    def _serve(self, now: float) -> None:
        head = self._commands[0]
        command = unframe(head.packet, check=self.rollers.modes.crc_checked)
        if not head.announced:
            # A step of its own, so that something can go wrong between the arrival of a command and what it does.
            head.announced = True
            self._tell(Heard(command.body))
            return
        self._commands.popleft()
        self._free_at = now
        if not self._behaviour.answers_before_crc and not self.rollers.modes.crc_checked and command.body != _ENABLE_CRC:
            return
        self.rollers.interrupt()
        match command.defect:
            case Defect.DOUBLED:
                _log.warning("ignored: a packet in a packet, %s", head.packet.hex(" "))
            case Defect.CRC:
                self._tell(Said(_CRC_ERROR))
            case Defect.SHAPE:
                self._tell(Said(_CRC_ERROR if self.rollers.modes.crc_checked else COMMAND_ERROR))
            case None:
                self._obey(command.body, now)
        self._react(now)

    def _obey(self, body: bytes, now: float) -> None:
        if action := self._actions.get(body):
            action(now)
        else:
            for answer in self.rollers.modes.apply(body):
                self._tell(Said(answer))
