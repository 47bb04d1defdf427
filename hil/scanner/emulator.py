"""The emulated scanner as a USB device: the model behind endpoint queues, one lock and one sleeping thread."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self, TypeVar

from hil.scanner.cable import Cable
from hil.scanner.faults import ANSWERS, COMMANDS, PIXELS, Fault, Now
from hil.scanner.framing import frame
from hil.scanner.knobs import Behaviour, Timings
from hil.scanner.model import ScannerModel
from hil.scanner.notices import Heard, ImageOver, Moved, Notice, Pixels, Presence, Said
from hil.scanner.paper import Place, Sensor
from hil.scanner.rigging import changed_transfer
from hil.scanner.sabotage import Sabotage
from hil.scanner.sheet import Sheet
from hil.usb.device import DeviceDescriptor

_Result = TypeVar("_Result")
_HEARD = 1000


@dataclass(frozen=True, slots=True)
class Status:
    """What there is to see and to know about the emulated scanner at one instant (the truth, not what its sensors say).

    Attributes:
        plugged: Powered, booted, and at the cable.
        generation: How often it has appeared at the cable.
        feeder: The feeder is enabled.
        motion: off, booting, still, scanning, ejecting, paused or calibrating.
        cover_open: The cover is open.
        jammed: The jam bit is up.
        covered: Sensors that say that they see paper.
        places: Where each known sheet is.
        box: Names of the sheets in the box, in order of arrival.
        unread: Bytes that wait for the host at the endpoint of pixels.
        failures: Faults that could not happen when their time came, each with the reason.
    """

    plugged: bool
    generation: int
    feeder: bool
    motion: str
    cover_open: bool
    jammed: bool
    covered: frozenset[Sensor]
    places: Mapping[str, Place]
    box: tuple[str, ...]
    unread: int
    failures: tuple[str, ...]


class EmulatedScanner:
    """A PageScan 6 that keeps the `UsbDevice` contract. Every method may be called from any thread and returns at once.

    Args:
        timings: How quick it is.
        behaviour: What the public notes leave open.
        clock: Seconds, never going back. With a clock of your own leave the thread unstarted: every call catches up by itself.
    """

    def __init__(
        self,
        timings: Timings | None = None,
        behaviour: Behaviour | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._behaviour = behaviour or Behaviour()
        self._model = ScannerModel(timings or Timings(), self._behaviour)
        self._cable = Cable(self._behaviour.max_packet)
        self._clock = clock
        self._moment = clock()
        self._sabotage = Sabotage(self._model, self._cable, lambda: self._moment)
        self._changed = threading.Condition()
        self._heard: deque[bytes] = deque(maxlen=_HEARD)
        self._thread: threading.Thread | None = None
        self._stopping = False

    def start(self) -> Self:
        """Start the thread that lets things happen when nobody calls."""
        with self._changed:
            if self._thread is None:
                self._stopping = False
                self._thread = threading.Thread(target=self._run, name="emulated scanner", daemon=True)
                self._thread.start()
        return self

    def stop(self) -> None:
        """Stop the thread; may be called more than once."""
        with self._changed:
            thread, self._thread = self._thread, None
            self._stopping = True
            self._changed.notify_all()
        if thread:
            thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    # The UsbDevice contract.

    @property
    def descriptor(self) -> DeviceDescriptor:
        """As the contract says."""
        return self._cable.descriptor

    @property
    def changed(self) -> threading.Condition:
        """As the contract says."""
        return self._changed

    @property
    def plugged(self) -> bool:
        """As the contract says."""
        with self._changed:
            self._catch_up()
            return self._cable.present

    @property
    def generation(self) -> int:
        """As the contract says."""
        with self._changed:
            self._catch_up()
            return self._cable.generation

    def configured(self) -> None:
        """As the contract says."""
        with self._changed:
            self._catch_up()
            self._model.configured()
            self._cable.unhalt_all()
            if self._behaviour.configure_resets:
                self._cable.empty()
            self._catch_up()

    def halt_cleared(self, endpoint: int) -> None:
        """As the contract says."""
        with self._changed:
            self._cable.unhalt(endpoint)
            self._changed.notify_all()

    def write(self, endpoint: int, data: bytes) -> int:
        """As the contract says."""
        with self._changed:
            self._catch_up()
            self._cable.check(endpoint, COMMANDS)
            rigging = self._sabotage.rigging
            self._sabotage.befall(rigging.on_transfer(endpoint))
            self._cable.check(endpoint, COMMANDS)
            packets, late = changed_transfer(data, rigging.unload(endpoint))
            for packet in packets:
                self._model.receive(bytes(packet), self._moment + late)
            self._catch_up()
            self._changed.notify_all()  # the thread must learn when the answer is due
            return len(data)

    def read(self, endpoint: int, length: int) -> bytes | None:
        """As the contract says."""
        with self._changed:
            self._catch_up()
            self._cable.check(endpoint, *self._cable.pipes)
            data = self._cable.pipes[endpoint].take(length, self._moment)
            self._do_marks()
            return data

    # What people do. All raise IllegalMove, and then change nothing, where a hand cannot do it.

    def insert(self, *sheets: Sheet | str, sensors: int = 5) -> None:
        """Put sheets to the free front.

        Args:
            sheets: One, or several on top of each other, the uppermost first; a sheet seen before may be named.
            sensors: How many of the five front sensors they cover, 1 to 5.
        """
        self._by_hand(lambda now: self._model.insert(sheets, sensors, now))

    def remove(self) -> tuple[str, ...]:
        """Take what lies at the front while the rollers do not have it; gives the names."""
        return self._by_hand(self._model.remove)

    def pull(self) -> tuple[str, ...]:
        """Pull out what sticks out at the front, even while it is drawn in; gives the names."""
        return self._by_hand(self._model.pull)

    def push_second(self, sheet: Sheet | str) -> None:
        """Push another sheet in, whatever is already there."""
        self._by_hand(lambda now: self._model.push([sheet], 5, now))

    def open_cover(self) -> None:
        """Open the cover."""
        self._by_hand(self._model.open_cover)

    def close_cover(self) -> None:
        """Close the cover."""
        self._by_hand(self._model.close_cover)

    def clear_path(self, *, into_box: bool = False) -> tuple[str, ...]:
        """With the cover open: take out all paper by hand, or push what is at the rear into the box; gives the names."""
        return self._by_hand(lambda now: self._model.clear_path(now, into_box=into_box))

    def cut_power(self) -> None:
        """Cut the power: the paper stays, all else but the flash is forgotten."""
        self._by_hand(lambda _: self._model.cut_power())

    def restore_power(self) -> None:
        """Give it power again; it boots."""
        self._by_hand(self._model.restore_power)

    def unplug(self) -> None:
        """Pull the USB cable; the scanner stays powered."""
        self._by_hand(lambda _: self._cable.connect(plugged=False))

    def plug(self) -> None:
        """Plug the USB cable in."""
        self._by_hand(lambda _: self._cable.connect(plugged=True))

    def stick(self, sensor: Sensor, covered: bool | None) -> None:
        """Make a sensor say covered or clear for ever; None: let it see again."""
        self._by_hand(lambda now: self._model.stick(sensor, covered, now))

    def inject(self, fault: Fault) -> None:
        """Arrange for a fault. One that happens at once raises IllegalMove if it cannot."""
        if isinstance(fault.at, Now):
            self._by_hand(lambda _: self._sabotage.strike(fault, None))
        else:
            self._by_hand(lambda _: self._sabotage.rigging.arm(fault))

    # What people see.

    def describe(self) -> Status:
        """Give a snapshot."""
        with self._changed:
            self._catch_up()
            model = self._model
            return Status(
                plugged=self._cable.present,
                generation=self._cable.generation,
                feeder=model.rollers.feeder,
                motion=model.motion,
                cover_open=model.path.cover_open,
                jammed=model.rollers.jammed,
                covered=model.path.covered(),
                places=model.path.places,
                box=tuple(model.path.box),
                unread=self._cable.pipes[PIXELS].unread,
                failures=tuple(self._sabotage.failures),
            )

    def heard(self) -> tuple[bytes, ...]:
        """Bodies of the latest commands that were carried out or refused, at most 1000, the oldest first."""
        with self._changed:
            self._catch_up()
            return tuple(self._heard)

    def where(self, name: str) -> Place:
        """Where a sheet is. Raises KeyError for a name never seen."""
        return self.describe().places[name]

    def wait_for(self, predicate: Callable[[Status], bool], seconds: float) -> bool:
        """Wait until a snapshot satisfies the predicate, at most that many real seconds; gives whether it did."""
        limit = time.monotonic() + seconds
        with self._changed:
            while not predicate(self.describe()):
                rest = limit - time.monotonic()
                if rest <= 0:
                    return False
                due = self._due()
                self._changed.wait(rest if due is None else min(rest, max(0.0, due - self._clock())))
        return True

    # Time.

    def _run(self) -> None:
        with self._changed:
            while not self._stopping:
                self._catch_up()
                due = self._due()
                self._changed.wait(None if due is None else max(0.0, due - self._clock()))
                if due is not None and self._clock() >= due:
                    self._changed.notify_all()  # a transfer that was late has become readable; nothing else says so

    def _due(self) -> float | None:
        dues = (self._model.due, self._sabotage.repair_due, self._cable.next_late(self._clock()))
        return min((due for due in dues if due is not None), default=None)

    def _catch_up(self) -> None:
        """Let happen what is due, one thing after the other, and tell what the caller just brought about."""
        self._deliver()
        now = self._clock()
        while True:
            self._model.rollers.splits = self._sabotage.rigging.image_bytes
            repair, due = self._sabotage.repair_due, self._model.due
            if repair is not None and repair <= now and (due is None or repair <= due):
                self._moment = max(self._moment, repair)
                self._sabotage.repair()
            elif due is not None and due <= now:
                # However late we are called, what happens happens at its own time.
                self._moment = max(self._moment, due)
                self._model.step()
            else:
                break
            self._deliver()
            self._changed.notify_all()
        self._moment = max(self._moment, now)

    def _by_hand(self, act: Callable[[float], _Result]) -> _Result:
        with self._changed:
            self._catch_up()
            result = act(self._moment)
            self._catch_up()
            self._changed.notify_all()
            return result

    # What the model tells.

    def _deliver(self) -> None:
        while notices := self._model.take_notices():
            for notice in notices:
                self._handle(notice)
            self._changed.notify_all()
        self._do_marks()

    def _do_marks(self) -> None:
        if self._cable.do_marks():
            self._changed.notify_all()

    def _handle(self, notice: Notice) -> None:
        sabotage = self._sabotage
        match notice:
            case Said(body):
                faults = sabotage.rigging.on_event(notice.event) if notice.event else []
                if notice.event or not sabotage.silent:
                    sabotage.send(ANSWERS, frame(body), faults)
            case Pixels(data, offset):
                self._send_pixels(data, offset)
            case ImageOver():
                if self._behaviour.chunks_run_together and self._cable.present:
                    self._cable.pipes[PIXELS].end(ready=self._moment)
            case Heard(body):
                self._heard.append(body)
                sabotage.befall(sabotage.rigging.on_command(body))
            case Moved(sheet, place):
                sabotage.befall(sabotage.rigging.on_place(sheet, place))
            case Presence(online):
                self._cable.power(online=online)

    def _send_pixels(self, data: memoryview, offset: int) -> None:
        sabotage, pipe = self._sabotage, self._cable.pipes[PIXELS]
        if offset == 0:
            sabotage.befall(sabotage.rigging.on_image_byte(0), pipe)
        sabotage.send(PIXELS, data, [], ends=not self._behaviour.chunks_run_together)
        sabotage.befall(sabotage.rigging.on_image_byte(offset + len(data)), pipe)
        limit = self._behaviour.fifo_bytes
        if limit is not None and pipe.unread > limit:
            self._model.rollers.overflow()
