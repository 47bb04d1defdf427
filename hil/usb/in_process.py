"""A port with the emulated device in the same process: no wire, no threads of its own."""

from __future__ import annotations

import time

from hil.usb.control import Setup
from hil.usb.device import DeviceDescriptor, Unplugged, UsbDevice
from hil.usb.hold import Hold


class InProcessPort:
    """A host's hold on `device`; keeps `UsbPort`. Any number of threads may use it at once."""

    def __init__(self, device: UsbDevice) -> None:
        self._device = device
        self._hold: Hold | None = None

    def present(self) -> DeviceDescriptor | None:
        """What the device says about itself, or None while it is unplugged."""
        with self._device.changed:
            return self._device.descriptor if self._device.plugged else None

    @property
    def generation(self) -> int:
        """The device's own."""
        with self._device.changed:
            return self._device.generation

    def open(self) -> None:
        """Take hold; nothing happens when this port holds the device already. Raises Unplugged or BusyError."""
        with self._device.changed:
            if self._hold is not None:
                if self._hold.alive:
                    return
                self.close()
            self._hold = Hold(self._device)

    def close(self) -> None:
        """Let go; a transfer under way in another thread ends with Unplugged. May be called more than once."""
        with self._device.changed:
            if self._hold is not None:
                self._hold.release()
                self._hold = None

    def control(self, setup: bytes, data: bytes, seconds: float) -> bytes:  # noqa: ARG002 -- endpoint 0 answers at once
        """One control transfer. Raises Stalled or Unplugged."""
        with self._device.changed:
            return self._held().control(Setup.read(setup))

    def bulk_write(self, endpoint: int, data: bytes, seconds: float) -> int:  # noqa: ARG002 -- a device takes data at once
        """One OUT transfer; gives the bytes consumed. Raises Stalled or Unplugged."""
        with self._device.changed:
            return self._held().write(endpoint, data)

    def bulk_read(self, endpoint: int, length: int, seconds: float) -> bytes:
        """One IN transfer of at most `length` bytes; 0 seconds waits for ever.

        What has arrived when the time is over is the result.

        Raises:
            TimeoutError: Nothing has arrived.
            Stalled: The endpoint is halted; what had arrived is lost, as with a real host.
            Unplugged: The device went, or the port was closed or reset.
        """
        deadline = time.monotonic() + seconds if seconds else None
        changed = self._device.changed
        with changed:
            hold = self._held()
            transfer = hold.begin(endpoint, length)
            try:
                while not hold.advance(transfer):
                    left = None if deadline is None else deadline - time.monotonic()
                    if left is not None and left <= 0:
                        if transfer.data:
                            break
                        raise TimeoutError
                    changed.wait(left)
            finally:
                hold.end(transfer)
        return bytes(transfer.data)

    def reset(self) -> None:
        """Reset the port: transfers in other threads end with Unplugged, the configuration is lost. Raises Unplugged."""
        with self._device.changed:
            self._held().reset()

    def _held(self) -> Hold:
        if self._hold is None:
            raise Unplugged
        return self._hold
