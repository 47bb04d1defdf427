"""The USB side: the cable, the queues of the IN endpoints, and which endpoints are halted."""

from __future__ import annotations

from hil.scanner.faults import ANSWERS, COMMANDS, PIXELS
from hil.scanner.paper import IllegalMove
from hil.scanner.pipe import Pipe
from hil.usb.device import DeviceDescriptor, EndpointDescriptor, Stalled, Unplugged

_VENDOR = 0x0BD7
_PRODUCT = 0xA002
_USB_RELEASE = 0x0200
_DEVICE_RELEASE = 0x0100
"""Not published; any value would do."""


class Cable:
    """What a host can get hold of.

    Args:
        max_packet: wMaxPacketSize of all endpoints, in bytes.

    Attributes:
        descriptor: What the device says about itself.
        pipes: What waits at the IN endpoints.
        generation: How often the device has appeared at the cable.
        online: The scanner is powered and booted.
    """

    def __init__(self, max_packet: int) -> None:
        endpoints = tuple(EndpointDescriptor(address, max_packet) for address in (COMMANDS, ANSWERS, PIXELS))
        self.descriptor = DeviceDescriptor(_VENDOR, _PRODUCT, _DEVICE_RELEASE, _USB_RELEASE, endpoints)
        self.pipes = {endpoint: Pipe(max_packet) for endpoint in (ANSWERS, PIXELS)}
        self.generation = 1
        self.online = True
        self._in = True
        self._halted: set[int] = set()

    @property
    def present(self) -> bool:
        """A host would find the device."""
        return self._in and self.online

    def connect(self, *, plugged: bool) -> None:
        """Plug the cable in or pull it. Raises IllegalMove if it is so already."""
        if plugged is self._in:
            raise IllegalMove(f"the cable is {'in' if plugged else 'out'} already")
        self._in = plugged
        self._renew()

    def power(self, *, online: bool) -> None:
        """The scanner has come up or gone down."""
        self.online = online
        self._renew()

    def check(self, endpoint: int, *allowed: int) -> None:
        """Raise Unplugged or Stalled unless a transfer can go over the endpoint, which must be one of those allowed."""
        if not self.present:
            raise Unplugged
        if endpoint in self._halted or endpoint not in allowed:
            raise Stalled

    def halt(self, endpoint: int) -> None:
        """Let an endpoint stall."""
        self._halted.add(endpoint)

    def unhalt(self, endpoint: int) -> None:
        """Let an endpoint work again."""
        self._halted.discard(endpoint)

    def unhalt_all(self) -> None:
        """Let all endpoints work again."""
        self._halted.clear()

    def empty(self) -> None:
        """Forget all that waits for the host."""
        for pipe in self.pipes.values():
            pipe.clear()

    def do_marks(self) -> bool:
        """Do what waited for the host to have read everything before it; gives whether there was any."""
        done = False
        for pipe in self.pipes.values():
            while mark := pipe.due_mark():
                mark()
                done = True
        return done

    def next_late(self, now: float) -> float | None:
        """When a transfer that is late becomes readable, in seconds; None: none is late."""
        late = [pipe.ready for pipe in self.pipes.values() if pipe.ready is not None and pipe.ready > now]
        return min(late, default=None)

    def _renew(self) -> None:
        self.empty()
        self._halted.clear()
        self.generation += self.present
