"""Feeder and rollers: when a scan starts, what happens during a motion, and what is told to the host about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from hil.scanner.calibrating import calibrate_double_feed, calibrate_image_sensors
from hil.scanner.knobs import Behaviour, Interruption, Timings
from hil.scanner.modes import Flash, Modes
from hil.scanner.motions import Beat, Calibration, Eject, Motion, Scan
from hil.scanner.notices import ImageOver, Notice, Pixels, Said
from hil.scanner.paper import FRONT_SENSORS, HELD, REAR_SENSORS, PaperPath, Place
from hil.scanner.pixels import encode
from hil.scanner.sheet import Sheet


class Rollers:
    """The moving part of the scanner. It is told the time with every call and never looks at a clock.

    Args:
        timings: Durations.
        behaviour: What the public notes leave open.
        path: Where the paper is.
        flash: What outlives a power cut.
        tell: Takes what there is to tell.

    Attributes:
        modes: What the host asked for.
        motion: What the rollers are doing; None: nothing.
        feeder: The feeder is enabled.
        jammed: The jam bit is up.
        splits: Bytes of an image at which a piece must end.
    """

    def __init__(
        self, timings: Timings, behaviour: Behaviour, path: PaperPath, flash: Flash, tell: Callable[[Notice], None]
    ) -> None:
        self.modes = Modes(behaviour, flash)
        self.motion: Motion | None = None
        self.feeder = False
        self.jammed = False
        self.splits: frozenset[int] = frozenset()
        self._timings = timings
        self._behaviour = behaviour
        self._path = path
        self._flash = flash
        self._tell = tell
        self._picked = False
        self._phantom = False
        self._remembers = False
        self._next_scan_jams = False
        self._next_scan_doubles = False
        self._next_excess = 0
        self._next_eject_jam: bool | None = None

    def restart(self) -> None:
        """Begin anew after a power cut or reboot: only flash and paper are as they were."""
        self.modes = Modes(self._behaviour, self._flash)
        self.motion = None
        self.feeder = self.jammed = self._picked = self._phantom = self._remembers = False
        # The firmware cannot know that a sheet at the front was already refused or returned.
        self._path.fresh.update(self._path.at(Place.FRONT))

    @property
    def paused(self) -> bool:
        """A motion into the box waits for the front to be clear."""
        return isinstance(self.motion, Eject) and self.motion.due is None

    @property
    def believes_paper_inside(self) -> bool:
        """The firmware thinks that there is a document in the scanner: it sees it, or remembers to have drawn it in."""
        seen = self._path.covered()
        if not self._behaviour.front_paper_is_inside:
            seen &= frozenset(REAR_SENSORS)
        return bool(seen) or (self._remembers and bool(self._path.at(*HELD)))

    @property
    def due(self) -> float | None:
        """When the motion needs the next step, in seconds; None: not before something else happens."""
        if isinstance(self.motion, Scan):
            return self.motion.next(self.splits)[0]
        return self.motion.due if self.motion else None

    def step(self, now: float) -> None:
        """Do the one thing that the motion is due for."""
        match self.motion:
            case Scan() as scan:
                _, beat, until = scan.next(self.splits)
                self._beat(scan, beat, until, now)
            case Eject() as eject:
                self._stride(eject, now)
            case Calibration() as calibration:
                self._end_calibration(calibration)
        self.react(now)

    def react(self, now: float) -> None:
        """Look at the sensors and do what follows from them; to be called after every change."""
        if self.jammed and not self._path.at(*HELD):
            self.jammed = False
        front = [sensor for sensor in FRONT_SENSORS if sensor in self._path.covered()]
        match self.motion:
            case Eject() as eject if eject.pausable and not eject.blocked and self.modes.eject_pause:
                self._pause_or_resume(eject, now, front=bool(front))
            case Calibration(running=False) as calibration if self._path.at(Place.FRONT):
                self._run_calibration(calibration, now)
            case None if len(front) >= self.modes.sensors_needed and self._ready_to_feed():
                self._feed(now)

    # What the host asks for.

    def enable(self) -> None:
        """Enable the feeder."""
        self.feeder = True
        self._picked = False
        self.sensors_stuck()
        if self._flash.calibration_needed:
            self._say("02")

    def disable(self) -> None:
        """Disable the feeder; a motion goes on."""
        self.feeder = False

    def interrupt(self) -> None:
        """A command came: a scan that is under way suffers from it."""
        if isinstance(self.motion, Scan) and self._behaviour.interruption is not Interruption.TOLERATED:
            self._path.fresh.update(name for name in self.motion.names if name in self._path.at(Place.FRONT))
            self._picked = True
            self._stop_scan(silent=self._behaviour.interruption is Interruption.SILENT)

    def eject(self, to: Place, now: float) -> None:
        """Begin to move what is in the path to the box, to the front and hold it, or out at the front (hand)."""
        moving = self._moving(to)
        if not self.feeder or self._path.cover_open or not moving:
            return
        if isinstance(self.motion, Scan):
            self._stop_scan(silent=False)
        strides = max(len(self._path.route(name, to)) for name in moving)
        stride = self._seconds(self._timings.eject) / strides
        motion = Eject(to, stride, now + stride)
        self.motion = motion
        if self._path.crumpled.intersection(moving):
            self._block(motion, now, reported=True)
        elif self._next_eject_jam is not None:
            self._block(motion, now, reported=self._next_eject_jam)
            self._next_eject_jam = None

    def rescan(self, now: float) -> None:
        """Scan the sheet in escrow once more."""
        names = self._path.at(Place.ESCROW)
        if names and not self._path.crumpled.intersection(names) and not self._path.cover_open and self.motion is None:
            for name in names:
                self._path.roll(name, self._path.middle(name))
            self._scan(names, now).drawn = True

    def calibrate(self, kind: Literal["image", "single", "double"], now: float) -> None:
        """Begin a calibration step."""
        if isinstance(self.motion, Scan):
            self._stop_scan(silent=False)
        self.motion = Calibration(kind, now + self._timings.calibration_limit)

    def mute(self) -> None:
        """Send no more pixels of the scan under way."""
        if isinstance(self.motion, Scan):
            self.motion.muted = True

    # What hands do.

    def pulled(self, names: list[str]) -> None:
        """Sheets were pulled out at the front."""
        if isinstance(self.motion, Scan) and self.motion.names:
            self.motion.names = [name for name in self.motion.names if name not in names]
            self.motion.muted = self.motion.muted or not self.motion.names

    def pushed(self, names: list[str]) -> None:
        """Sheets were pushed in, perhaps behind or on one that is just drawn in."""
        scan = self.motion
        if not isinstance(scan, Scan) or not scan.names or scan.swallowed:
            return
        if not scan.drawn:
            scan.names += names
            self._path.fresh.difference_update(names)
            scan.double = scan.double or self._looks_for_double_feeds()
        elif sum(self._path.sheet(name).rows for name in (scan.names[0], *names)) > self.modes.most_rows:
            # Nose to tail: the front sensors never become clear, so for the firmware this is one long document.
            scan.too_long = True

    def cover_opened(self) -> None:
        """The cover was opened: nothing turns any more."""
        self._path.cover_open = True
        code = "0C" if self._behaviour.documented_cover_codes else "34"
        if self._behaviour.cover_event_first:
            self._say(code)
        match self.motion:
            case Scan():
                self._stop_scan(silent=False)
            case Calibration(kind=kind):
                self._say("12" if kind == "image" else "9A")
        self.motion = None
        if not self._behaviour.cover_event_first:
            self._say(code)

    def cover_closed(self) -> None:
        """The cover was closed."""
        self._path.cover_open = False
        self._say("0D" if self._behaviour.documented_cover_codes else "35")

    def sensors_stuck(self) -> None:
        """Front sensors may be stuck so that the feeder takes them for paper; it is fooled once, until it is enabled again."""
        stuck = [sensor for sensor in FRONT_SENSORS if self._path.stuck.get(sensor)]
        self._phantom = len(stuck) >= self.modes.sensors_needed

    # What goes wrong.

    def overflow(self) -> None:
        """The host was too slow for the pixels."""
        self.mute()
        self._say("09")

    def jam_scan(self) -> None:
        """The scan under way, or else the next, ends in a jam."""
        if isinstance(self.motion, Scan) and self.motion.begun and self.motion.names:
            self._jam(self.motion.names, crumpled=True)
            self._stop_scan(silent=False)
        elif isinstance(self.motion, Scan):
            self.motion.jams = True
        else:
            self._next_scan_jams = True

    def jam_eject(self, *, reported: bool, now: float) -> None:
        """The sheet does not follow the motion under way, or else the next."""
        if isinstance(self.motion, Eject) and not self.paused:
            self._block(self.motion, now, reported=reported)
        else:
            self._next_eject_jam = reported

    def double_feed(self) -> None:
        """The scan under way, or else the next, is said to be a double feed."""
        if isinstance(self.motion, Scan):
            self.motion.double = True
        else:
            self._next_scan_doubles = True

    def odd_image(self, excess: int) -> None:
        """The image under way, or else the next, has so many bytes too many, or too few if negative."""
        if isinstance(self.motion, Scan):
            self.motion.pixels = _resized(self.motion.pixels, excess)
        else:
            self._next_excess = excess

    # Feeding.

    def _ready_to_feed(self) -> bool:
        blocked = self.jammed or self._path.cover_open or bool(self._path.covered() & frozenset(REAR_SENSORS))
        inside = self._remembers and bool(self._path.at(Place.INSIDE))
        return self.feeder and self.modes.auto_start and not self._picked and not blocked and not inside

    def _feed(self, now: float) -> None:
        names = self._path.at(Place.FRONT)
        if self._path.fresh.intersection(names):
            self._path.fresh.clear()
            self._scan(names, now)
        elif self._phantom:
            self._phantom = False
            self._scan([], now)

    def _scan(self, names: list[str], now: float) -> Scan:
        modes, behaviour = self.modes, self._behaviour
        pixels = memoryview(b"")
        too_long = False
        if names:
            uppermost, lowest = self._path.sheet(names[0]), self._path.sheet(names[-1])
            seen = Sheet(uppermost.name, uppermost.top, lowest.bottom)
            pixels = encode(seen, modes.encoding, self._flash.top, self._flash.bottom)
            too_long = seen.rows > modes.most_rows
            pixels = pixels[: min(seen.rows, modes.most_rows) * modes.encoding.row_bytes]
        scan = Scan(
            names,
            _resized(pixels, self._next_excess),
            begins=now + self._timings.grab + modes.intake_delay,
            seconds=self._seconds(self._timings.scan),
            chunk=behaviour.chunk_bytes,
            pixels_first=behaviour.pixels_before_begin,
            double=self._next_scan_doubles or (len(names) > 1 and self._looks_for_double_feeds()),
            too_long=too_long,
            jams=self._next_scan_jams,
        )
        self._next_excess = 0
        self._next_scan_jams = self._next_scan_doubles = False
        self.motion = scan
        return scan

    def _looks_for_double_feeds(self) -> bool:
        return self.modes.double_feed and self._flash.double_feed_calibrated

    def _beat(self, scan: Scan, beat: Beat, until: int, now: float) -> None:
        match beat:
            case Beat.BEGIN:
                scan.begun = True
                self._say("30")
            case Beat.PIXELS:
                piece = Pixels(scan.pixels[scan.sent : until], scan.sent)
                scan.sent = until
                self._tell(piece)
            case Beat.DRAWN:
                self._draw(scan)
            case Beat.DOUBLE:
                scan.double = False
                scan.muted = scan.muted or not self._behaviour.double_feed_pixels
                self._say("33")
            case Beat.SWALLOWED:
                self._swallow(scan)
            case Beat.END:
                if scan.names and (scan.too_long or scan.jams):
                    self._jam(scan.names, crumpled=scan.jams)
                self._stop_scan(silent=False)
                if self.modes.run_out and not self.jammed and self.motion is None:
                    self.eject(Place.BOX, now)

    def _draw(self, scan: Scan) -> None:
        scan.drawn = True
        in_the_way = bool(self._path.at(Place.INSIDE))
        for name in scan.names:
            self._path.roll(name, self._path.middle(name))
            self._reached_rear(self._path.middle(name))
        if in_the_way and scan.names:
            # Paper that was left there by a power cut and covers no sensor: the firmware could not know.
            self._jam([*scan.names, *self._path.at(Place.INSIDE)], crumpled=True)
            self._stop_scan(silent=False)

    def _swallow(self, scan: Scan) -> None:
        scan.swallowed = True
        if scan.jams and scan.names:
            self._jam(scan.names, crumpled=True)
            self._stop_scan(silent=False)
            return
        for name in scan.names:
            self._path.roll(name, Place.ESCROW)
            self._reached_rear(Place.ESCROW)

    def _reached_rear(self, place: Place) -> None:
        self._remembers = True
        if self.modes.pick_on_command and place is not Place.INSIDE:
            self._picked = True

    def _stop_scan(self, *, silent: bool) -> None:
        scan = self.motion
        self.motion = None
        self._tell(ImageOver())
        if isinstance(scan, Scan) and scan.begun and not silent:
            self._say("31")

    def _jam(self, names: list[str], *, crumpled: bool) -> None:
        for name in names:
            if name in self._path.at(Place.FRONT):
                self._path.roll(name, self._path.middle(name))
                self._remembers = True
        if crumpled:
            self._path.crumpled.update(names)
        self.jammed = True
        if self._behaviour.jam_event:
            self._say("01")

    # Ejecting.

    def _moving(self, to: Place) -> list[str]:
        return self._path.at(*HELD, Place.FRONT) if to is Place.HAND else self._path.at(*HELD)

    def _stride(self, eject: Eject, now: float) -> None:
        if eject.blocked:
            self.motion = None
            if eject.reported:
                self._jam(self._path.at(*HELD), crumpled=True)
            return
        for name in self._moving(eject.to):
            self._path.roll(name, self._path.route(name, eject.to)[0])
        if self._moving(eject.to):
            eject.due = now + eject.stride
        else:
            self.motion = None
            if eject.to is not Place.BOX:
                # What lies at the front now was in the rollers' hold, and is not fed until a hand has put it in again.
                self._path.fresh.clear()

    def _block(self, eject: Eject, now: float, *, reported: bool) -> None:
        eject.blocked, eject.reported = True, reported
        eject.due = now + self._timings.eject_limit

    def _pause_or_resume(self, eject: Eject, now: float, *, front: bool) -> None:
        if front and eject.due is not None:
            eject.rest, eject.due = max(0.0, eject.due - now), None
            self._say("36")
        elif not front and eject.due is None:
            eject.due = now + eject.rest
            self._say("37")

    # Calibrating.

    def _run_calibration(self, calibration: Calibration, now: float) -> None:
        calibration.running = True
        calibration.due = now + self._timings.calibration
        self._path.fresh.clear()
        if calibration.kind == "image" and self._behaviour.calibration_chatter:
            self._tell(Said(b"L0 WHITE"))

    def _end_calibration(self, calibration: Calibration) -> None:
        self.motion = None
        sheets = [self._path.sheet(name) for name in self._path.at(Place.FRONT)]
        if calibration.kind == "image":
            self._say(calibrate_image_sensors(self._flash, self._behaviour, sheets, started=calibration.running))
        else:
            able = self._behaviour.double_feed_fitted and not self.modes.double_feed
            self._say(calibrate_double_feed(self._flash, calibration.kind, len(sheets), able=able))

    def _say(self, code: str) -> None:
        self._tell(Said(b"#" + code.encode("ascii")))

    def _seconds(self, seconds: float) -> float:
        return seconds * 2 if self.modes.half_speed else seconds


def _resized(pixels: memoryview, excess: int) -> memoryview:
    if excess > 0:
        return memoryview(bytes(pixels) + bytes(excess))
    return pixels[: max(0, len(pixels) + excess)]
