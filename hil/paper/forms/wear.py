"""What happens to a filled-in sheet before it is scanned: stray pens, ink from behind, creases, stains, tears."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np
import numpy.typing as npt

from edge.definition.form import Form
from hil.paper.damage import apply_damage
from hil.paper.exposure import ExposedSide, Exposure
from hil.paper.forms.press import PENS, UNITS_PER_INCH, Press
from hil.paper.ink import PAPER_TONE
from hil.paper.lettering import Grey, letters
from hil.paper.stroke import Pen, Points, curve, draw, soften

_HOLE = 0
"""Grey level that stands for no paper in a veil."""

Wear = Callable[[Press, Form, int, np.random.Generator], None]


def veil(name: str, size: tuple[int, int], dpi: int, strength: int, rng: np.random.Generator) -> Grey:
    """What one of `hil.paper.damage.DAMAGES` does to blank paper of `size` (width, height in pixels): PAPER_TONE is untouched."""
    blank = np.full((size[1], size[0]), PAPER_TONE, dtype=np.uint8)
    nothing: Points = np.zeros((0, 2))
    columns = (0.05 * size[0], 0.95 * size[0])
    sides = [ExposedSide(side, blank, None, nothing, columns) for side in ("front", "back")]
    worn = apply_damage(Exposure(sides[0], sides[1], dpi, _HOLE), name, strength, rng)
    # Some damages choose a side; a form has one that anybody looks at.
    return np.asarray(np.minimum(worn.front.pixels, worn.back.pixels), dtype=np.uint8)


def shade(page: npt.NDArray[np.uint8], cover: Grey) -> None:
    """Darkens a colour page in place as `cover` says."""
    rows = np.flatnonzero((cover < PAPER_TONE).any(axis=1))
    if not len(rows):
        return
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    part = cover[top:bottom, :, None].astype(np.uint16)
    page[top:bottom] = np.minimum(page[top:bottom] * part // PAPER_TONE, 255).astype(np.uint8)


def _size(press: Press) -> tuple[int, int]:
    return press.page.shape[1], press.page.shape[0]


def _cell_points(press: Press, form: Form) -> Points:
    """Middles of all cells written by hand, pixels."""
    boxes = [box for field in form.all_fields if field.written == "hand" for box in field.cell_boxes()]
    return np.array([(box.x + box.width / 2, box.y + box.height / 2) for box in boxes]) * press.dpi / UNITS_PER_INCH


def _pen(form: Form, rng: np.random.Generator) -> tuple[Pen, tuple[int, int, int]]:
    name = form.colours.pen[int(rng.integers(len(form.colours.pen)))]
    return Pen(name, 0, rng.uniform(32, 50) / UNITS_PER_INCH, 0.05), PENS[name]


def stray_lines(press: Press, form: Form, strength: int, rng: np.random.Generator) -> None:
    """One to six pen lines of 5 to 60 mm through cells: a flourish, a signature's tail, a pen that was put down."""
    middles = _cell_points(press, form)
    pen, ink = _pen(form, rng)
    for _ in range(1 + 5 * strength // 100):
        middle = middles[int(rng.integers(len(middles)))] + rng.normal(0.0, press.pixels(350), 2)
        angle, length = rng.uniform(-0.6, 0.6), press.pixels(rng.uniform(500, 1500 + 45 * strength))
        reach = np.array((np.cos(angle), np.sin(angle))) * length / 2
        bend = rng.normal(0.0, press.pixels(200), 2)
        patch = draw([curve(np.array((middle - reach, middle + bend, middle + reach)))], pen, press.dpi, rng)
        press.lay(patch.left, patch.top, patch.coverage, ink)


def specks(press: Press, form: Form, strength: int, rng: np.random.Generator) -> None:
    """Dots and short ticks of a pen in cells, one in a hundred cells and step."""
    pen, ink = _pen(form, rng)
    for middle in _cell_points(press, form):
        if rng.random() >= strength / 100:
            continue
        start = middle + rng.uniform(-0.4, 0.4, 2) * press.pixels(900)
        stop = start + rng.normal(0.0, press.pixels(15 + strength / 2), 2)
        patch = draw([np.array((start, stop))], pen, press.dpi, rng)
        press.lay(patch.left, patch.top, patch.coverage, ink)


def bleed_through(press: Press, _form: Form, strength: int, rng: np.random.Generator) -> None:
    """Large writing on the back shines through, mirrored, at up to 35 % of its darkness."""
    height, width = press.page.shape[:2]
    for _ in range(30):
        text = "".join(str(digit) for digit in rng.integers(0, 10, int(rng.integers(2, 6))))
        ink = np.ascontiguousarray(letters(text, round(press.pixels(rng.uniform(700, 1400))))[:, ::-1])
        ink = np.asarray(cv2.GaussianBlur(ink, (0, 0), press.pixels(18)), dtype=np.uint8)
        left, top = int(rng.integers(width)), int(rng.integers(height))
        press.lay(left, top, ink.astype(np.int64) * 35 * strength // 10_000, (60, 60, 80), multiply=True)


def crease(press: Press, _form: Form, strength: int, rng: np.random.Generator) -> None:
    """One or two folds across the sheet, a dark line beside a light one, up to 110 grey levels deep."""
    height, width = press.page.shape[:2]
    for _ in range(1 + (strength > 50)):
        angle = rng.choice((0.0, np.pi / 2)) + rng.normal(0.0, 0.04)
        through = rng.uniform(0.2, 0.8, 2) * (width, height)
        along = (np.arange(width)[None, :] - through[0]) * -np.sin(angle) + (np.arange(height)[:, None] - through[1]) * np.cos(
            angle
        )
        away = along.astype(np.float32) / np.float32(press.pixels(rng.uniform(12, 30)))
        near = np.abs(away) < 4
        profile = (np.exp(-(away[near] ** 2)) - 0.4 * np.exp(-((away[near] - 1.6) ** 2))) * (1.1 * strength)
        press.page[near] = np.clip(press.page[near] - profile[:, None], 0, 255).astype(np.uint8)


def stain(press: Press, _form: Form, strength: int, rng: np.random.Generator) -> None:
    """Two rings of a coffee cup, up to 170 grey levels dark."""
    for _ in range(2):
        shade(press.page, veil("coffee_stain", _size(press), press.dpi, strength, rng))


def smudge(press: Press, form: Form, strength: int, rng: np.random.Generator) -> None:
    """A thumb drawn over wet ink: grey clouds of 10 to 25 mm over cells, up to 45 % dark."""
    middles = _cell_points(press, form)
    for _ in range(1 + 3 * strength // 100):
        middle = middles[int(rng.integers(len(middles)))]
        size = press.pixels(rng.uniform(500, 1200))
        patch = soften(
            draw(
                [np.array((middle, middle + rng.normal(0.0, size / 2, 2)))],
                Pen("thumb", 0, size / press.dpi, 0.5),
                press.dpi,
                rng,
            ),
            size / 4,
            0.45 * strength / 100,
        )
        press.lay(patch.left, patch.top, patch.coverage, (70, 70, 90), multiply=True)


def _removed(name: str) -> Wear:
    def remove(press: Press, _form: Form, strength: int, rng: np.random.Generator) -> None:
        press.page[veil(name, _size(press), press.dpi, strength, rng) < PAPER_TONE // 2] = 30

    return remove


WEAR: Mapping[str, Wear] = {
    "stray_lines": stray_lines,
    "specks": specks,
    "bleed_through": bleed_through,
    "smudge": smudge,
    "crease": crease,
    "stain": stain,
    "torn_corner": _removed("torn_corner"),
    "hole": _removed("hole"),
}
"""Damages of the paper by name, in the order in which they happen."""
