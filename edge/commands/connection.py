"""What reaches the scanner that a configuration names."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import Any

from edge.commands.error import CommandError
from edge.station.config_sections import ScannerConfig
from edge.station.workers import ConnectScanner
from firmware_bridge.pagescan6.driver import connect
from firmware_bridge.pagescan6.settings import ScannerSettings

_EMULATED_USB = "hil.usbip.pyusb"
"""Only in the source tree: the installed product can reach nothing but the system's own USB library."""


def connector(config: ScannerConfig, usb_backend: Any = None) -> ConnectScanner:  # noqa: ANN401  pyusb has no types
    """What reaches the scanner that the configuration names, or another one's USB.

    Raises:
        CommandError: `emulatorMissing` where the emulated scanner is not installed.
    """
    if usb_backend is None and config.usb_backend != "libusb1":
        usb_backend = _emulated_usb(*config.usbip_address, config.usbip_busid)
    return lambda on_event: connect(scanner_settings(config), on_event, backend=usb_backend)


def scanner_settings(config: ScannerConfig) -> ScannerSettings:
    """The driver's settings from the configuration; what it does not name keeps the driver's default."""
    settings = ScannerSettings(
        allowed_serial_numbers=config.serial_numbers,
        lock_file=config.lock_file,
        reset_on_connect=config.reset_on_connect,
        paper_inches=float(config.paper_inches),
        double_feed_detection=config.double_feed_detection,
    )
    timing = config.timing
    given: dict[str, int | None] = {
        "write_seconds": timing.write_limit,
        "status_seconds": timing.status_limit,
        "setup_seconds": timing.connect_limit,
        "drain_quiet_seconds": timing.image_quiet,
    }
    changes: dict[str, Any] = {name: limit / 1000 for name, limit in given.items() if limit is not None}
    # Its keys are the driver's own names.
    changes |= config.device.model_dump(exclude_none=True)
    return replace(settings, **changes)


def _emulated_usb(host: str, port: int, busid: str) -> Any:  # noqa: ANN401  pyusb has no types
    try:
        module = import_module(_EMULATED_USB)
    except ModuleNotFoundError as error:
        raise CommandError("emulatorMissing", "usbip is only for the emulated scanner, and that is not installed here") from error
    return module.usbip_backend(host, port, busid)
