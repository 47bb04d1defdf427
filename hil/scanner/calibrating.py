"""How a calibration step ends, and what it leaves in flash."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from hil.scanner.knobs import Behaviour
from hil.scanner.modes import Flash
from hil.scanner.sheet import DPI, Sheet

_SHORTEST = 5 * DPI
_DARKEST = 200
_READINGS = {"single": 205, "double": 118}
_SHEETS = {"single": 1, "double": 2}


def calibrate_image_sensors(flash: Flash, behaviour: Behaviour, sheets: Sequence[Sheet], *, started: bool) -> str:
    """End the calibration of the image sensors.

    Args:
        flash: Keeps whether they still need calibration.
        behaviour: May order a failure.
        sheets: What lies at the front now, the uppermost first.
        started: There was a sheet at the front before.

    Returns:
        Code of the event that ends it.
    """
    code = behaviour.calibration_failure or _verdict(sheets, started=started)
    if code == "10":
        flash.calibration_needed = False
    return code


def calibrate_double_feed(flash: Flash, step: Literal["single", "double"], sheets: int, *, able: bool) -> str:
    """End one step of the calibration of the double-feed sensor.

    Args:
        flash: Keeps the reading.
        step: Which.
        sheets: How many sheets lie at the front.
        able: There is a sensor, and it is not looking for double feeds meanwhile.

    Returns:
        Code of the event that ends it.
    """
    if not able or sheets != _SHEETS[step]:
        return "9A"
    flash.double_feed_values[step] = _READINGS[step]
    return "90"


def _verdict(sheets: Sequence[Sheet], *, started: bool) -> str:
    if not sheets:
        return "12" if started else "1A"
    if sheets[0].rows < _SHORTEST:
        return "11"
    if sheets[0].top.mean() < _DARKEST:
        return "78"
    return "88" if sheets[-1].bottom.mean() < _DARKEST else "10"
