"""One station with an emulated scanner that can be exchanged, near or over USB/IP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from edge.definition.election import Election
from edge.evidence.medium import BoxShape
from edge.station.workers import ReadSheet
from firmware_bridge.pagescan6.settings import ScannerSettings
from hil.rig.evidence import SMALL, rig_store
from hil.rig.station import QUICK, StationRig
from hil.scanner.emulator import EmulatedScanner
from hil.scanner.knobs import Behaviour, Timings
from hil.soak.witness import WitnessedStore
from hil.usb.backend import PortBackend
from hil.usb.in_process import InProcessPort
from hil.usbip.pyusb import usbip_backend
from hil.usbip.server import UsbipServer

_BUSID = "1-1"
_START_SECONDS = 20.0
"""For the first word of the station."""
LIMITS = replace(
    QUICK,
    scan=1_500,
    accept=800,
    turn_back=800,
    hold=20_000,
    sensors=3_000,
    evidence=20_000,
    health_check=400,
    reconnect_most=100,
)
TIMINGS = Timings(
    grab=0.001, scan=0.012, eject=0.008, eject_limit=0.1, command=0.0, boot=0.05, calibration=0.01, calibration_limit=0.2
)
"""A quick scanner, with motions long enough for something to happen in them."""
PERFECT = Behaviour(flat_tables=True)
"""Arrays that need no correction."""
SCANNER_SETTINGS = ScannerSettings(
    greet_seconds=1.5, setup_seconds=1.0, status_seconds=0.4, reply_seconds=0.6, idle_read_seconds=0.05
)


class Bench:
    """The station at work, and what watches it.

    Args:
        rig: The station.
        books: Its books.
        new_scanner: Makes another scanner.
        usbip: Whether scanners are reached over USB/IP.
        holding: Closes what scanners need.
    """

    def __init__(
        self,
        rig: StationRig,
        books: WitnessedStore,
        new_scanner: Callable[[], EmulatedScanner],
        *,
        usbip: bool,
        holding: ExitStack,
    ) -> None:
        self.rig = rig
        self.books = books
        self._usbip = usbip
        self._new_scanner = new_scanner
        self._holding = holding

    @property
    def scanner(self) -> EmulatedScanner:
        """The scanner that is there now."""
        return self.rig.scanner

    def connect(self) -> None:
        """Lead the rig's next connections to its scanner."""
        self.rig.backend = (
            usbip_backend("127.0.0.1", self._holding.enter_context(UsbipServer({_BUSID: self.scanner})).port, _BUSID)
            if self._usbip
            else PortBackend(InProcessPort(self.scanner))
        )

    def exchange_scanner(self) -> None:
        """Take the scanner with its box away and put another one there, as after a repair; to be called while it is at rest.

        The emulated paper path remembers every sheet it ever saw; a new one forgets.
        """
        old, behind = self.scanner, self._holding.pop_all()
        self.rig.scanner = self._holding.enter_context(self._new_scanner())
        self.connect()
        old.unplug()
        behind.close()


@contextmanager
def bench(
    folder: Path,
    election: Election,
    *,
    usbip: bool = False,
    timings: Timings = TIMINGS,
    behaviour: Behaviour = PERFECT,
    settings: ScannerSettings = SCANNER_SETTINGS,
    read: ReadSheet | None = None,
    prepare: Callable[[EmulatedScanner], None] = lambda _: None,
    shape: BoxShape = SMALL,
) -> Iterator[Bench]:
    """A station at work.

    Args:
        folder: Where the books are.
        election: What is being voted on.
        usbip: Reach scanners over USB/IP.
        timings: How quick scanners are.
        behaviour: Of every scanner.
        settings: The driver's.
        read: What reads the sheets; by default the interpreter.
        prepare: What befalls the first scanner before there is a station.
        shape: How large the ballot box is.
    """
    books = WitnessedStore(rig_store(folder, shape))
    with ExitStack() as holding:
        scanner = holding.enter_context(EmulatedScanner(timings, behaviour))
        prepare(scanner)
        rig = StationRig(folder, scanner, election, limits=LIMITS, scanner_settings=settings, store=books, read=read)
        books.line.follow(rig)
        station = Bench(rig, books, lambda: EmulatedScanner(timings, behaviour), usbip=usbip, holding=holding)
        station.connect()
        with rig:
            rig.watch.wait_for(lambda _: True, _START_SECONDS)
            yield station
