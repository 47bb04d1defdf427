"""What is sent to take a sheet, and to move one that is held (the order is that of the vendor's own program)."""

from __future__ import annotations

from typing import Final

from firmware_bridge.pagescan6 import commands
from firmware_bridge.pagescan6.messages import BitonalThreshold
from firmware_bridge.pagescan6.session import Session
from firmware_bridge.pagescan6.settings import ScannerSettings

_SIDES: Final = {"both": commands.BOTH_SIDES, "top": commands.TOP_ONLY, "bottom": commands.BOTTOM_ONLY}

ACCEPT: Final = (commands.EJECT_PAUSE_ON, commands.FEEDER_ON, commands.EJECT_REAR, commands.FEEDER_OFF)
"""Into the box, waiting while there is paper at the front. Motions only happen while the feeder is on."""
RETURN: Final = (commands.EJECT_PAUSE_OFF, commands.FEEDER_ON, commands.EJECT_FRONT_AND_HOLD, commands.FEEDER_OFF)
RELEASE: Final = (commands.EJECT_PAUSE_OFF, commands.FEEDER_ON, commands.EJECT_FRONT, commands.FEEDER_OFF)


def prepare(session: Session, settings: ScannerSettings) -> None:
    """Send all that the scanner must know about the next sheet; `commands.FEEDER_ON` is what follows, and then silence.

    Raises:
        ScannerError: scannerSilent when a threshold is not confirmed within `reply_seconds`; the feeder is still off then.
    """
    for body in (
        commands.HALF_RESOLUTION,
        _SIDES[settings.sides],
        commands.AUTO_SCAN,
        commands.PICK_ON_COMMAND,
        commands.double_feed_sensitivity(settings.double_feed_sensitivity),
        commands.double_feed_overlap(settings.double_feed_overlap),
        commands.DOUBLE_FEED_ON if settings.double_feed_detection else commands.DOUBLE_FEED_OFF,
        commands.NATIVE_DEPTH if settings.bits == 8 else commands.LOW_DEPTH,
        commands.RUN_OUT_OFF,
        commands.MOTOR_FULL_SPEED,
    ):
        session.send(body)
    set_threshold(session, "top", settings.bitonal_threshold, settings.reply_seconds)
    set_threshold(session, "bottom", settings.bitonal_threshold, settings.reply_seconds)
    session.send(commands.input_sensors_needed(settings.front_sensors_needed))
    session.send(commands.longest_sheet(settings.length_tenths))
    session.send(commands.feed_delay(settings.feed_delay_ms))


def set_threshold(session: Session, side: commands.Side, percent: int, seconds: float) -> BitonalThreshold:
    """Set the level of the bilevel mode; gives what the scanner says it is now. Raises scannerSilent after `seconds`."""
    session.send(commands.bitonal_threshold(side, percent))
    return session.wait_for(BitonalThreshold, seconds, lambda reply: reply.side == side)
