"""The catalogue of damages: a name, what its strength means, and where in a sheet's life it happens."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from hil.paper import optics, streaks, transport, wear

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from hil.paper.exposure import Exposure


class Stage(IntEnum):
    """When a damage happens; a scan applies them in this order."""

    PRINT = 0
    HANDS = 1
    FEED = 2
    SENSOR = 3
    STORAGE = 4


@dataclass(frozen=True, slots=True)
class Damage:
    """One way in which a page goes wrong.

    Attributes:
        name: Its key.
        stage: When it happens.
        strength: What strength 1 to 100 means, in physical units.
        change: A pure function of the sheet, the strength and the generator.
    """

    name: str
    stage: Stage
    strength: str
    change: Callable[[Exposure, int, np.random.Generator], Exposure]


_CATALOGUE = (
    Damage("uneven_toner", Stage.PRINT, "print fades from mid-page to one edge, by 1 to 100 % there", optics.uneven_toner),
    Damage("scale", Stage.PRINT, "print smaller by 0.1 % per step, up to 10 %", transport.shrink_print),
    Damage("fold", Stage.HANDS, "crease up to 210 grey levels deep, paper pushed together by up to 0.12 in", wear.fold),
    Damage("torn_corner", Stage.HANDS, "legs of up to 0.03 in per step", wear.torn_corner),
    Damage("hole", Stage.HANDS, "1 to 4 holes, radius up to 0.005 in per step", wear.hole),
    Damage("coffee_stain", Stage.HANDS, "ring up to 1.7 grey levels per step", wear.coffee_stain),
    Damage("imprint", Stage.FEED, "6 to 24 digits beside, then over the timing marks, pale to black", wear.imprint),
    Damage("rotation", Stage.FEED, "0.08 degrees per step", transport.rotate),
    Damage("skew", Stage.FEED, "0.05 degrees of shear per step", transport.skew),
    Damage("stretch", Stage.FEED, "0.2 % longer per step", transport.stretch),
    Damage("stretch_band", Stage.FEED, "1 to 3 in of the page 0.6 % longer per step", transport.stretch_band),
    Damage("black_border", Stage.FEED, "up to 0.01 in of bed per step on each side", transport.black_border),
    Damage("edge_clip", Stage.FEED, "0.008 in cut off one edge per step", transport.clip_edge),
    Damage("upside_down", Stage.FEED, "any strength turns the sheet by 180 degrees", transport.turn_upside_down),
    Damage("blur", Stage.SENSOR, "sigma 0.00035 in per step", optics.blur),
    Damage("light_gradient", Stage.SENSOR, "light falls by 0.9 % per step across the image", optics.uneven_light),
    Damage("low_contrast", Stage.SENSOR, "0.97 % of the contrast lost per step", optics.low_contrast),
    Damage("noise", Stage.SENSOR, "Gaussian, sigma 0.9 grey levels per step", optics.noise),
    Damage("salt_pepper", Stage.SENSOR, "0.2 % of the pixels per step", optics.salt_and_pepper),
    Damage("dust", Stage.SENSOR, "0.3 specks per square inch and step, 0.005 to 0.02 in wide", optics.dust),
    Damage("streak_full", Stage.SENSOR, "0.0006 in wide per step, at least one pixel", streaks.full_streak),
    Damage("streak_broken", Stage.SENSOR, "as streak_full, with gaps of up to 0.2 in", streaks.broken_streak),
    Damage("streak_fuzzy", Stage.SENSOR, "as streak_full plus a pixel, 60 % of its pixels dark", streaks.fuzzy_streak),
    Damage("streak_pale", Stage.SENSOR, "2 grey levels darker per step, 0.005 to 0.03 in wide", streaks.pale_streak),
    Damage(
        "streak_through_marks", Stage.SENSOR, "as streak_full, through a column of timing marks", streaks.streak_through_marks
    ),
    Damage("streak_through_bubbles", Stage.SENSOR, "as streak_full, through bubbles", streaks.streak_through_bubbles),
    Damage("jpeg", Stage.STORAGE, "quality 95 falling to 1", optics.jpeg),
)

DAMAGES = {damage.name: damage for damage in _CATALOGUE}
"""Every damage by name."""


def apply_damage(exposure: Exposure, name: str, strength: int, rng: np.random.Generator) -> Exposure:
    """Damages a sheet.

    Args:
        exposure: The sheet as it is.
        name: A key of `DAMAGES`.
        strength: 0 (nothing: the same object comes back) to 100 (hopeless).
        rng: Decides place, direction and side.

    Returns:
        The sheet as it is then, with the places that were touched.

    Raises:
        ValueError: For a strength out of range.
    """
    if not 0 <= strength <= 100:
        raise ValueError(f"strength {strength} of {name} is not within 0..100")
    return DAMAGES[name].change(exposure, strength, rng) if strength else exposure
