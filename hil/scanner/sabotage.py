"""How faults happen to the model and to the cable."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from functools import partial

from hil.scanner.cable import Cable
from hil.scanner.faults import (
    ANSWERS,
    CrcComplaint,
    DoubleFeed,
    Drop,
    Duplicate,
    Fault,
    Garbage,
    Garble,
    JamEject,
    JamScan,
    Late,
    OddImage,
    OpenCover,
    Overflow,
    PowerCut,
    Pull,
    PushSecond,
    Reboot,
    Short,
    Silent,
    Stall,
    Stuck,
    Yank,
)
from hil.scanner.model import ScannerModel
from hil.scanner.paper import IllegalMove
from hil.scanner.pipe import Pipe
from hil.scanner.rigging import Rigging, changed_transfer


class Sabotage:
    """Lets faults happen, now or when their moment has come, and undoes those that end by themselves.

    Args:
        model: The scanner.
        cable: Its USB side.
        clock: Seconds, never going back.

    Attributes:
        rigging: Faults that wait.
        failures: Faults that could not happen when their time came, each with the reason.
    """

    def __init__(self, model: ScannerModel, cable: Cable, clock: Callable[[], float]) -> None:
        self.rigging = Rigging()
        self.failures: list[str] = []
        self._model = model
        self._cable = cable
        self._clock = clock
        self._silent_until = float("-inf")
        self._repairs: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    @property
    def silent(self) -> bool:
        """Answers are lost now."""
        return self._clock() < self._silent_until

    @property
    def repair_due(self) -> float | None:
        """When `repair` is to be called next, in seconds; None: nothing is to be undone."""
        return self._repairs[0][0] if self._repairs else None

    def repair(self) -> None:
        """Undo the fault that ends first."""
        self._try(heapq.heappop(self._repairs)[2])

    def befall(self, faults: list[Fault], pipe: Pipe | None = None) -> None:
        """Let triggered faults happen; those that cannot are noted."""
        for fault in faults:
            self._try(partial(self.strike, fault, pipe))

    def send(self, endpoint: int, data: bytes | memoryview, faults: list[Fault], *, ends: bool = True) -> None:
        """Let a transfer wait for the host.

        Args:
            endpoint: Where.
            data: Its bytes.
            faults: What was triggered by what the transfer holds; faults triggered by its being a transfer come on top.
            ends: The transfer ends with these bytes.
        """
        pipe = self._cable.pipes[endpoint]
        self.befall(faults + self.rigging.on_transfer(endpoint), pipe)
        transfers, late = changed_transfer(data, self.rigging.unload(endpoint))
        if self._cable.present:
            for transfer in transfers:
                pipe.put(transfer, ready=self._clock() + late, ends=ends)

    def strike(self, fault: Fault, pipe: Pipe | None) -> None:
        """Let a fault happen; with a pipe, a yank or a stall there waits until the host has read what is in it.

        Raises:
            IllegalMove: It cannot happen.
        """
        match fault:
            case Yank(plug_after=seconds):
                yank = partial(self._yank, seconds)
                if pipe:
                    pipe.mark(partial(self._try, yank))
                else:
                    yank()
            case Stall(endpoint=endpoint):
                halt = partial(self._cable.halt, endpoint)
                if pipe and pipe is self._cable.pipes.get(endpoint):
                    pipe.mark(halt)
                else:
                    halt()
            case Garbage(data=data):
                self.send(ANSWERS, data, [])
            case Silent(seconds=seconds):
                self._silent_until = self._clock() + seconds
            case Drop() | Short() | Late() | Duplicate() | Garble():
                self.rigging.load(fault)
            case Stuck() | Pull() | PushSecond() | OpenCover() | Reboot() | PowerCut():
                self._strike_by_hand(fault)
            case _:
                self._strike_firmware(fault)

    def _strike_by_hand(self, fault: Stuck | Pull | PushSecond | OpenCover | Reboot | PowerCut) -> None:
        model, now = self._model, self._clock()
        match fault:
            case Stuck(sensor=sensor, covered=covered):
                model.stick(sensor, covered, now)
            case Pull():
                model.pull(now)
            case PushSecond(sheet=sheet):
                model.push([sheet], 5, now)
            case OpenCover(close_after=seconds):
                model.open_cover(now)
                self._later(seconds, lambda: model.close_cover(self._clock()))
            case Reboot():
                model.reboot(now)
            case PowerCut(restore_after=seconds):
                model.cut_power()
                self._later(seconds, lambda: model.restore_power(self._clock()))

    def _strike_firmware(self, fault: Fault) -> None:
        rollers = self._model.rollers
        match fault:
            case Overflow():
                rollers.overflow()
            case CrcComplaint():
                self._model.complain("0E")
            case OddImage(excess=excess):
                rollers.odd_image(excess)
            case JamScan():
                rollers.jam_scan()
            case JamEject(reported=reported):
                rollers.jam_eject(reported=reported, now=self._clock())
            case DoubleFeed():
                rollers.double_feed()
            case _:
                raise TypeError(f"{fault!r} is no fault of this scanner")

    def _yank(self, plug_after: float | None) -> None:
        self._cable.connect(plugged=False)
        self._later(plug_after, lambda: self._cable.connect(plugged=True))

    def _later(self, seconds: float | None, act: Callable[[], None]) -> None:
        if seconds is not None:
            heapq.heappush(self._repairs, (self._clock() + seconds, next(self._numbers), act))

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        except IllegalMove as reason:
            self.failures.append(str(reason))
